"""The table of whose word counts: the defaults of `core.truth`, as people have changed them; read, changed, put back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tieout.adapters.ports import registry
from tieout.core import truth
from tieout.core.evidence import Actor
from tieout.core.truth import DEFAULTS, Rule
from tieout.stages.base import audit
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import FieldRule


class RuleRefused(Exception):
    """The table cannot be changed so; the message says why."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it stands, in words; `changed` where it is not the default, by whom and when."""

    rule: Rule
    order: str
    changed: bool = False
    by: str = ""
    at: dt.datetime | None = None


class Places(msgspec.Struct, frozen=True):
    """The place of every connection for every field, column by column, as a statement takes them."""

    fields: list[str]
    connections: list[int]
    ranks: list[int]

    def given(self) -> dict[str, list[str] | list[int]]:
        """Named as the statements name them."""
        return {"fields": self.fields, "connections": self.connections, "ranks": self.ranks}


def in_force(rows: Iterable[Any] | None = None) -> tuple[Rule, ...]:
    """Every rule, those that people changed (`rows`; None: they are looked up) with their order and reason."""
    changed = {row.key: row for row in (FieldRule.objects.filter(retracted_at__isnull=True) if rows is None else rows)}
    return tuple(
        msgspec.structs.replace(rule, places=tuple(changed[rule.key].places), reason=changed[rule.key].reason) if rule.key in changed else rule
        for rule in DEFAULTS
    )


def shown() -> list[Standing]:
    """The table for a page."""
    names = dict(Connection.objects.values_list("id", "name"))
    changed = {row.key: row for row in FieldRule.objects.filter(retracted_at__isnull=True)}
    return [
        Standing(
            rule=rule, order=truth.listed(rule.places, names) or "the system it was born in", changed=rule.key in changed,
            by=changed[rule.key].by if rule.key in changed else "", at=changed[rule.key].recorded_at if rule.key in changed else None,
        )
        for rule in in_force()
    ]  # fmt: skip


def kinds() -> dict[int, str]:
    """What kind of system each connection is, in the words of the rules."""
    rows = Connection.objects.exclude(kind__in=("hand", "mailbox")).values_list("id", "kind", "vendor")
    return {pk: kind_of(kind, vendor) for pk, kind, vendor in rows}


def kind_of(kind: str, vendor: str) -> str:
    """What a connection is to the rules: a connected system by its role, any other by how its records come."""
    known = registry.connectors().get(vendor)
    return (known.manifest.role if known else "other") if kind == "system" else str(kind)


def places(rules: Sequence[Rule] | None = None) -> Places:
    """Where each connection stands for each field, by these rules (None: those in force)."""
    found = Places([], [], [])
    connections = sorted(kinds().items())
    for rule in in_force() if rules is None else rules:
        for field in rule.fields:
            for connection_id, kind in connections:
                found.fields.append(field)
                found.connections.append(connection_id)
                found.ranks.append(truth.rank(rule.places, connection_id=connection_id, kind=kind))
    return found


def proposed(*, key: str, order: Sequence[str]) -> Rule:
    """The rule with another order, looked at before anything is changed. Raises RuleRefused."""
    rule = next((one for one in in_force() if one.key == key), None)
    if rule is None:
        raise RuleRefused(f"there is no rule {key!r}; there are: {', '.join(one.key for one in DEFAULTS if not one.born)}")
    if rule.born:
        raise RuleRefused(f"{rule.title.lower()}: {rule.reason}. Correct a single field by hand on the document's page")
    known = {*truth.PLACES, *(truth.one(pk) for pk in kinds())}
    wrong = [place for place in order if place not in known]
    if wrong:
        raise RuleRefused(f"{wrong[0]!r} is neither a kind of system nor a connection of yours")
    if not order or len(set(order)) != len(order):
        raise RuleRefused("name at least one system, and each only once")
    return msgspec.structs.replace(rule, places=tuple(order))


def change(*, key: str, order: Sequence[str], reason: str, actor: Actor, now: dt.datetime) -> Rule:
    """Another order for a group of fields, with the reason why. What follows of it is decided by `decide.run`. Raises RuleRefused."""
    rule = proposed(key=key, order=order)
    if not reason.strip():
        raise RuleRefused("say why: whoever reads the table later will want to know")
    rule = msgspec.structs.replace(rule, reason=reason.strip())
    before = _retract(key, now)
    FieldRule.objects.create(key=key, places=list(order), reason=rule.reason, by=actor.name[:300], by_id=actor.id, recorded_at=now)
    detail = {"before": before, "after": list(order)}
    audit.write(actor=actor, action="truth.change", object_kind="rule", object_id=key, now=now, reason=rule.reason, detail=detail)
    return rule


def put_back(*, key: str, actor: Actor, now: dt.datetime) -> Rule:
    """The default again. Raises RuleRefused where it stands already."""
    before = _retract(key, now)
    rule = next((one for one in DEFAULTS if one.key == key), None)
    if rule is None or not before:
        raise RuleRefused("this is the default already")
    detail = {"before": before, "after": list(rule.places)}
    audit.write(actor=actor, action="truth.put_back", object_kind="rule", object_id=key, now=now, detail=detail)
    return rule


def winners(rules: Sequence[Rule]) -> Mapping[str, Rule]:
    """The rule that decides each field."""
    return {field: rule for rule in rules for field in rule.fields}


def _retract(key: str, now: dt.datetime) -> list[str]:
    row = FieldRule.objects.select_for_update().filter(key=key, retracted_at__isnull=True).first()
    if row is None:
        return []
    row.retracted_at = now
    row.save(update_fields=["retracted_at"])
    return list(row.places)
