"""Where a value comes from: whose word it is, since when, by which rule it won, and what the others say of the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from django.db import connection

from tieout.core import truth
from tieout.core.money import Money
from tieout.stages.base import walls
from tieout.stages.intake.models import Connection
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


_WORDS = """
WITH place AS MATERIALIZED (
  SELECT * FROM unnest(%(fields)s::text[], %(connections)s::bigint[], %(ranks)s::int[]) AS p(field, connection_id, rank))
SELECT w.field, w.value #>> '{}', w.form, w.connection_id, w.received_at
  FROM ledger_sourcerecord r
  JOIN ledger_fieldword w ON w.organisation_id = %(org)s AND w.kind = 'customer' AND w.connection_id = r.connection_id
       AND w.external_id = r.external_id
  JOIN place p ON p.field = w.field AND p.connection_id = w.connection_id
 WHERE r.organisation_id = %(org)s AND r.kind = 'customer' AND r.target_id = %(target)s AND r.retracted_at IS NULL AND r.gone_at IS NULL
 ORDER BY w.field, p.rank, w.connection_id, w.external_id"""

_HEARD = """
SELECT k.name, k.id, r.reported_minor, r.reported_status, w.value #>> '{}', r.seen_at
  FROM ledger_sourcerecord r JOIN intake_connection k ON k.organisation_id = %(org)s AND k.id = r.connection_id
  LEFT JOIN ledger_fieldword w ON w.organisation_id = %(org)s AND w.connection_id = r.connection_id AND w.kind = r.kind
       AND w.external_id = r.external_id AND w.field = 'due_date'
 WHERE r.organisation_id = %(org)s AND r.kind = %(kind)s AND r.target_id = %(target)s AND r.retracted_at IS NULL AND r.gone_at IS NULL
   AND r.reported_minor IS NOT NULL ORDER BY k.name, r.id"""


def of_customer(*, customer_id: int, by_hand: Mapping[str, ByHand]) -> dict[str, Origin]:
    """Of every field that somebody has said something about."""
    rules = table.in_force()
    winning = table.winners(rules)
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, {"org": walls.current(), "target": customer_id, **table.places(rules).given()})
        rows = cursor.fetchall()
    names = dict(Connection.objects.values_list("id", "name"))
    said: dict[str, list[tuple[str, str, int, dt.datetime]]] = {}
    for field, value, form, said_by, at in rows:
        said.setdefault(field, []).append((value, form, said_by, at))
    found: dict[str, Origin] = {}
    for field in {*said, *by_hand}:
        words, person = said.get(field, []), by_hand.get(field)
        if person is not None:
            ours = truth.form(field, person.value)
            head, others = Origin(source=person.by, at=person.at, rule="a person's word outranks every system"), words
        else:
            value, ours, said_by, at = words[0]
            rule = winning[field]
            head = Origin(source=names[said_by], at=at, rule=f"asked first is {truth.listed(rule.places[:3], names)}: {rule.reason}")
            others = words[1:]
        told = tuple(Said(names[by], by, value, at, form != ours) for value, form, by, at in others)
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
