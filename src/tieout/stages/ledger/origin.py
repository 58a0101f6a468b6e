"""Where a value comes from: whose word it is, since when, by which rule it won, and what the others say of the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.db import connection

from tieout.core import truth
from tieout.core.money import Money
from tieout.core.truth import Rule
from tieout.stages.base import walls
from tieout.stages.ledger import rules as table


class Said(msgspec.Struct, frozen=True):
    """What another source says; `differs` in more than form."""

    source: str
    connection_id: int
    value: str
    at: dt.datetime
    differs: bool


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Of one value: from whom, since when, and why this one; `source` empty where nobody has said anything."""

    source: str = ""
    at: dt.datetime | None = None
    rule: str = ""
    others: tuple[Said, ...] = ()

    @property
    def differs(self) -> bool:
        return any(one.differs for one in self.others)


class ByHand(msgspec.Struct, frozen=True):
    """A person's word on a field, in force."""

    value: Any
    by: str
    at: dt.datetime


_HEARD = """
SELECT k.name, k.id, r.reported_minor, r.reported_status, w.value #>> '{}', r.seen_at
  FROM ledger_sourcerecord r JOIN intake_connection k ON k.organisation_id = %(org)s AND k.id = r.connection_id
  LEFT JOIN ledger_fieldword w ON w.organisation_id = %(org)s AND w.connection_id = r.connection_id AND w.kind = r.kind
       AND w.external_id = r.external_id AND w.field = 'due_date'
 WHERE r.organisation_id = %(org)s AND r.kind = %(kind)s AND r.target_id = %(target)s AND r.retracted_at IS NULL AND r.gone_at IS NULL
   AND r.reported_minor IS NOT NULL ORDER BY k.name, r.id"""


class Word(msgspec.Struct, frozen=True):
    """What one record says of a field: its value, and the value in form."""

    field: str
    value: str
    form: str
    connection_id: int
    external_id: str
    at: dt.datetime


def of_customer(
    *, words: Iterable[Word], rules: Sequence[Rule], names: Mapping[int, str], kinds: Mapping[int, str], by_hand: Mapping[str, ByHand]
) -> dict[str, Origin]:
    """Of every field that somebody has said something about, by the same order as `decide`."""
    winning = table.winners(rules)
    said: dict[str, list[Word]] = {}
    for word in words:
        if word.field in winning:
            said.setdefault(word.field, []).append(word)
    found: dict[str, Origin] = {}
    for field in {*said, *by_hand}:
        person = by_hand.get(field)
        if person is not None:
            ours, others = truth.form(field, person.value), said.get(field, [])
            head = Origin(source=person.by, at=person.at, rule="a person's word outranks every system")
        else:
            rule = winning[field]
            first, *others = sorted(said[field], key=lambda w, rule=rule: (  # type: ignore[misc]
                truth.rank(rule.places, connection_id=w.connection_id, kind=kinds[w.connection_id]), w.connection_id, w.external_id))
            ours = first.form
            order = f"{truth.listed(rule.places[:1], names)} is asked first: {rule.reason}"
            head = Origin(source=names[first.connection_id], at=first.at, rule=order)
        told = tuple(Said(names[w.connection_id], w.connection_id, w.value, w.at, w.form != ours) for w in others)
        found[field] = msgspec.structs.replace(head, others=told)
    return found


def of_document(
    *, kind: str, document_id: int, born_in: str, since: dt.datetime, currency: str, values: Mapping[str, Any], by_hand: Mapping[str, ByHand]
) -> dict[str, Origin]:
    """Of the fields in `values` (`amount_minor`, `status`, `due_date`, and others that only the birthplace speaks of)."""
    with connection.cursor() as cursor:
        cursor.execute(_HEARD, {"org": walls.current(), "kind": kind, "target": document_id})
        heard = cursor.fetchall()
    found = {}
    for field, value in values.items():
        others = []
        for name, connection_id, minor, status, due_date, at in heard:
            told = {"amount_minor": minor, "status": status, "due_date": due_date}.get(field)
            if told not in (None, ""):
                shown = str(Money(int(told), currency)) if field == "amount_minor" else str(told)
                others.append(Said(name, connection_id, shown, at, _differs(field, value, told)))
        person = by_hand.get(field)
        head = (
            Origin(source=person.by, at=person.at, rule="a person's word outranks every system") if person
            else Origin(source=born_in, at=since, rule=f"it was born in {born_in}, and only that system changes it")
        )  # fmt: skip
        found[field] = msgspec.structs.replace(head, others=tuple(others))
    return found


def _differs(field: str, ours: Any, theirs: Any) -> bool:
    if field == "status":
        dead = ("void", "deleted")
        return bool((ours in dead) != (theirs in dead))
    return bool(ours is not None and str(ours) != str(theirs))
