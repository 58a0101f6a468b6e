"""Translation of keys: what one system keeps in one field is what another keeps in a field of its own. Read and edited by people; a value
that stands once on each side is certain evidence, one that stands twice says nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import Count

from tieout.core import party
from tieout.core.evidence import Actor
from tieout.stages.base import audit
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import link
from tieout.stages.ledger.models import Customer, KeyRule, LinkProposal, SourceRecord
from tieout.stages.ledger.records import Held
from tieout.stages.ledger.regroup import Move

_Field = KeyRule.Field


class RuleRefused(Exception):
    """The rule cannot be written; the message says why and what would be right."""


def add(
    *, connection: Connection, field: str, other_connection: Connection, other_field: str, note: str, actor: Actor, now: dt.datetime
) -> KeyRule:
    """A new rule. The customers of both systems are compared again the next time anything is."""
    if connection.pk == other_connection.pk:
        raise RuleRefused("a rule says how the keys of two systems translate; choose two different ones")
    wrong = [name for name in (field, other_field) if name not in _Field.values]
    if wrong:
        raise RuleRefused(f"{wrong[0] or 'nothing'} is not a field that can be compared; these are: {', '.join(_Field.labels)}")
    sides = sorted([(connection.pk, field), (other_connection.pk, other_field)])
    standing = KeyRule.objects.filter(
        connection_id=sides[0][0], field=sides[0][1], other_connection_id=sides[1][0], other_field=sides[1][1], retracted_at__isnull=True
    )
    if standing.exists():
        raise RuleRefused("this rule stands already")
    rule: KeyRule = KeyRule.objects.create(
        connection_id=sides[0][0], field=sides[0][1], other_connection_id=sides[1][0], other_field=sides[1][1], note=note,
        written_by=actor.name[:300], recorded_at=now,
    )  # fmt: skip
    _look_again(rule)
    audit.write(
        actor=actor, action="rule.add", object_kind="keyrule", object_id=rule.pk, now=now, reason=note,
        detail={"connection": sides[0][0], "field": sides[0][1], "other_connection": sides[1][0], "other_field": sides[1][1]},
    )  # fmt: skip
    return rule


def retract(*, rule: KeyRule, actor: Actor, now: dt.datetime) -> list[Move]:
    """Take a rule back, and with it every link that rests on it alone. Returns what moved."""
    if rule.retracted_at is not None:
        raise RuleRefused("this rule was taken back already")
    rule.retracted_at, rule.retracted_by = now, actor.name[:300]
    rule.save(update_fields=["retracted_at", "retracted_by"])
    moves = link.undo_rule(rule=rule, actor=actor, now=now)
    audit.write(actor=actor, action="rule.retract", object_kind="keyrule", object_id=rule.pk, now=now, detail={"moved": len(moves)})
    return moves


def in_force() -> list[KeyRule]:
    """The rules in force, with both connections."""
    return list(KeyRule.objects.filter(retracted_at__isnull=True).select_related("connection", "other_connection").order_by("id"))


def links() -> dict[int, int]:
    """How many links in force rest on each rule."""
    counted = LinkProposal.objects.filter(rule__isnull=False, state=LinkProposal.State.LINKED).values_list("rule_id").annotate(n=Count("id"))
    return dict(counted)


def sentence(rule: KeyRule) -> str:
    """A rule in words."""
    return f"{rule.connection.name}'s {_word(rule.field)} is {rule.other_connection.name}'s {_word(rule.other_field)}"


def pairs(held: Sequence[Held]) -> list[link.Found]:
    """What the rules in force say of these customers."""
    return [found for rule in in_force() for found in _of(rule, held)]


def _of(rule: KeyRule, held: Iterable[Held]) -> Iterable[link.Found]:
    here, there = _values(held, rule.connection_id, rule.field), _values(held, rule.other_connection_id, rule.other_field)
    for value in sorted(here.keys() & there.keys()):
        mine, theirs = here[value], there[value]
        if len(mine) == len(theirs) == 1 and mine != theirs:
            first, second = sorted((*mine, *theirs))
            yield link.Found(first=first, second=second, score=100, reasons=(f"by your rule: {sentence(rule)} ({value})",), rule_id=rule.pk)


def _values(held: Iterable[Held], connection_id: int, field: str) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for one in held:
        if connection_id in one.sources:
            for value in _READ[field](one, connection_id):
                if plain := party.tidy(value).casefold():
                    found[plain].add(int(one.key))
    return found


_READ: dict[str, Callable[[Held, int], Iterable[str]]] = {
    _Field.KEY: lambda one, at: [key for connection_id, key in one.keys if connection_id == at],
    _Field.EMAIL: lambda one, _: one.emails,
    _Field.NAME: lambda one, _: [one.name],
    _Field.ALIAS: lambda one, _: one.aliases,
    _Field.TAX_ID: lambda one, _: [one.tax_id],
    _Field.PHONE: lambda one, _: [one.phone],
    _Field.ACCOUNT: lambda one, _: one.accounts,
}


def _word(field: str) -> str:
    return str(_Field(field).label).removeprefix("its ")


def _look_again(rule: KeyRule) -> None:
    here: Any = SourceRecord.objects.filter(connection_id=rule.connection_id, kind="customer", retracted_at__isnull=True)
    homes = {home or target for home, target in here.values_list("home_id", "target_id")}
    Customer.objects.filter(pk__in=homes).update(compared_at=None)
