"""What other systems say against what stands here, field by field: disagreements open, change, and close by themselves when the
sources agree again. Asked of the ledger as it stands, as often as one likes; what has not changed is not written again.

Differences of form only are none. Of documents and money the amount, the state and the due date are compared; what is open of them is
the tie-out's matter. A system that is just being told of a document is not in conflict about it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.db import connection

from tieout.core import truth
from tieout.core.truth import Rule
from tieout.stages.base import walls
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import rules as table
from tieout.stages.ledger.models import Correction
from tieout.stages.writeback import telling
from tieout.stages.writeback.models import Conflict

#: Of these states a document or payment is no claim, or no money.
DEAD = ("void", "deleted", "failed", "cancelled", "reversed")


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the disagreements looked at."""

    opened: int = 0
    changed: int = 0
    agreed: int = 0


class _Difference(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    target_id: int
    customer_id: int | None
    field: str
    connection_id: int
    external_id: str
    ours: Any
    ours_from: str
    ours_at: dt.datetime | None
    theirs: Any
    theirs_at: dt.datetime | None
    currency: str = ""
    #: A person has said what stands here: nothing is asked of them again.
    by_person: str = ""
    because: str = ""

    @property
    def key(self) -> tuple[str, int, str, int, str]:
        return (self.kind, self.target_id, self.field, self.connection_id, self.external_id)

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps([self.ours, self.theirs], default=str).encode()).hexdigest()[:32]


_PLACE = """place AS MATERIALIZED (
  SELECT * FROM unnest(%(fields)s::text[], %(connections)s::bigint[], %(ranks)s::int[]) AS p(field, connection_id, rank))"""

#: The words on a customer's fields where they differ in more than form, or where a person has said what holds; the winning word first.
_WORDS = f"""
WITH {_PLACE},
said AS MATERIALIZED (
  SELECT r.target_id, w.field, w.connection_id, w.external_id, w.value #>> '{{}}' AS value, w.form, w.received_at, p.rank
    FROM ledger_sourcerecord r
    JOIN ledger_fieldword w ON w.organisation_id = %(org)s AND w.kind = 'customer' AND w.connection_id = r.connection_id
         AND w.external_id = r.external_id
    JOIN place p ON p.field = w.field AND p.connection_id = w.connection_id
   WHERE r.organisation_id = %(org)s AND r.kind = 'customer' AND r.retracted_at IS NULL AND r.gone_at IS NULL
     AND (%(customers)s::bigint[] IS NULL OR r.target_id = ANY(%(customers)s))),
torn AS (
  SELECT target_id, field FROM said GROUP BY 1, 2 HAVING count(DISTINCT form) > 1
  UNION
  SELECT k.target_id, k.field FROM ledger_correction k WHERE k.organisation_id = %(org)s AND k.kind = 'customer' AND k.retracted_at IS NULL
  UNION
  SELECT k.customer_id, 'email' FROM ledger_contact k
   WHERE k.organisation_id = %(org)s AND k.rank >= 3 AND k.retracted_at IS NULL AND k.email <> '' AND k.roles ? 'chase')
SELECT s.target_id, s.field, s.connection_id, s.external_id, s.value, s.form, s.received_at
  FROM said s JOIN torn t USING (target_id, field)
 ORDER BY s.target_id, s.field, s.rank, s.connection_id, s.external_id"""

_BY_HAND = """
SELECT k.target_id, k.field, k.value #>> '{}', k.by, k.recorded_at FROM ledger_correction k
 WHERE k.organisation_id = %(org)s AND k.kind = 'customer' AND k.retracted_at IS NULL AND k.target_id = ANY(%(targets)s)
UNION ALL
SELECT * FROM (
  SELECT DISTINCT ON (k.customer_id) k.customer_id, 'email', k.email, 'a person', k.recorded_at FROM ledger_contact k
   WHERE k.organisation_id = %(org)s AND k.rank >= 3 AND k.retracted_at IS NULL AND k.email <> '' AND k.roles ? 'chase'
     AND k.customer_id = ANY(%(targets)s) ORDER BY k.customer_id, k.id) c"""

_TOLD = """NOT EXISTS (SELECT 1 FROM writeback_outgoing o WHERE o.organisation_id = %(org)s AND o.connection_id = r.connection_id
        AND o.subject_kind = r.kind AND o.subject_id = r.target_id AND o.state IN ('waiting', 'claimed', 'unknown'))"""
_HEARD = """r.organisation_id = %(org)s AND r.reported_minor IS NOT NULL AND r.retracted_at IS NULL AND r.gone_at IS NULL"""
_LIVE = "d.status NOT IN ('void', 'deleted') AND r.reported_status NOT IN ('void', 'deleted')"

#: What others say of documents and money that were born elsewhere. Only what both sides count as living is compared by amount and day.
_REPORTED = f"""
WITH doc AS (
  SELECT d.*, r.connection_id AS said_by, r.external_id AS theirs_id, r.kind AS r_kind, r.reported_minor, r.reported_status, r.seen_at,
         {_LIVE} AS living
    FROM ledger_sourcerecord r JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = r.target_id AND d.connection_id <> r.connection_id
   WHERE {_HEARD} AND r.kind IN ('invoice', 'credit_note') AND (%(customers)s::bigint[] IS NULL OR d.customer_id = ANY(%(customers)s)) AND {_TOLD}),
pay AS (
  SELECT p.*, r.connection_id AS said_by, r.external_id AS theirs_id, r.reported_minor, r.reported_status, r.seen_at,
         p.status <> ALL(%(dead)s) AND r.reported_status <> ALL(%(dead)s) AS living
    FROM ledger_sourcerecord r JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.id = r.target_id AND p.connection_id <> r.connection_id
   WHERE {_HEARD} AND r.kind = 'payment' AND (%(customers)s::bigint[] IS NULL OR p.customer_id = ANY(%(customers)s)) AND {_TOLD})
SELECT kind, id, customer_id, 'amount_minor', said_by, theirs_id, to_jsonb(amount_minor), connection_id, recorded_at, to_jsonb(reported_minor),
       seen_at, currency FROM doc WHERE living AND reported_minor <> amount_minor
UNION ALL
SELECT kind, id, customer_id, 'status', said_by, theirs_id, to_jsonb(status), connection_id, recorded_at, to_jsonb(reported_status), seen_at, ''
  FROM doc WHERE (status IN ('void', 'deleted')) <> (reported_status IN ('void', 'deleted')) AND status <> 'draft'
UNION ALL
SELECT doc.kind, doc.id, doc.customer_id, 'due_date', said_by, theirs_id, to_jsonb(due_date), doc.connection_id, doc.recorded_at, w.value,
       w.received_at, ''
  FROM doc JOIN ledger_fieldword w ON w.organisation_id = %(org)s AND w.kind = doc.kind AND w.connection_id = doc.said_by
       AND w.external_id = doc.theirs_id AND w.field = 'due_date'
 WHERE living AND doc.due_date IS NOT NULL AND w.value #>> '{{}}' <> doc.due_date::text
UNION ALL
SELECT 'payment', id, customer_id, 'amount_minor', said_by, theirs_id, to_jsonb(amount_minor - refunded_minor), connection_id, recorded_at,
       to_jsonb(reported_minor), seen_at, currency FROM pay WHERE living AND reported_minor NOT IN (amount_minor, amount_minor - refunded_minor)
UNION ALL
SELECT 'payment', id, customer_id, 'status', said_by, theirs_id, to_jsonb(status), connection_id, recorded_at, to_jsonb(reported_status), seen_at, ''
  FROM pay WHERE (status = ANY(%(dead)s)) <> (reported_status = ANY(%(dead)s))"""


def run(*, customer_ids: Sequence[int] | None, now: dt.datetime) -> Compared:
    """Compare everything about these customers (None: about all)."""
    if customer_ids is not None and not customer_ids:
        return Compared()
    found = {one.key: one for one in _differences(customer_ids)}
    rows = Conflict.objects.all() if customer_ids is None else Conflict.objects.filter(customer_id__in=list(customer_ids))
    known = {(row.kind, row.target_id, row.field, row.connection_id, row.external_id): row for row in rows}
    tells = telling.abilities()
    fresh, moved, agreed = [], [], []
    retracted = _retracted(known.values())
    for key, one in found.items():
        row = known.get(key)
        if row is None:
            fresh.append(_fill(Conflict(opened_at=now), one, tells, now))
        elif row.digest != one.digest or row.state == "agreed" or (row.state == "settled" and row.pk in retracted):
            moved.append(_fill(row, one, tells, now))
    for key, row in known.items():
        if key not in found and row.state in ("open", "ignored"):
            row.state, row.settled_at, row.settled_by, row.answer = "agreed", now, "the sources", ""
            agreed.append(row)
    Conflict.objects.bulk_create(fresh, batch_size=1000)
    Conflict.objects.bulk_update(moved, _FILLED, batch_size=500)
    Conflict.objects.bulk_update(agreed, ["state", "settled_at", "settled_by", "answer"], batch_size=500)
    return Compared(opened=len(fresh), changed=len(moved), agreed=len(agreed))


_FILLED = [
    "customer", "ours", "ours_from", "ours_at", "theirs", "theirs_at", "currency", "proposal", "because", "digest", "state", "opened_at",
    "settled_at", "settled_by", "answer", "note", "made",
]  # fmt: skip


def _fill(row: Conflict, one: _Difference, tells: Mapping[int, telling.Able], now: dt.datetime) -> Conflict:
    if row.digest != one.digest or row.state != "open":
        row.opened_at, row.made, row.note = now, {}, ""
    row.kind, row.target_id, row.field, row.connection_id, row.external_id = one.key
    row.customer_id, row.currency, row.digest, row.because = one.customer_id, one.currency, one.digest, one.because
    row.ours, row.ours_from, row.ours_at, row.theirs, row.theirs_at = one.ours, one.ours_from, one.ours_at, one.theirs, one.theirs_at
    row.proposal = "tell" if telling.may(row, tells) else "keep"
    if one.by_person:
        row.state, row.settled_at, row.settled_by, row.answer = "settled", one.ours_at or now, one.by_person[:300], "keep"
    else:
        row.state, row.settled_at, row.settled_by, row.answer = "open", None, "", ""
    return row


def _differences(customer_ids: Sequence[int] | None) -> Iterable[_Difference]:
    rules = table.in_force()
    names = dict(Connection.objects.values_list("id", "name"))
    given: dict[str, Any] = {
        "org": walls.current(), "customers": None if customer_ids is None else list(customer_ids), "dead": list(DEAD), **table.places(rules).given(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, given)
        words = cursor.fetchall()
        cursor.execute(_BY_HAND, {**given, "targets": sorted({row[0] for row in words})})
        by_hand = {(target, field): (value, by, at) for target, field, value, by, at in cursor.fetchall()}
        cursor.execute(_REPORTED, given)
        reported = cursor.fetchall()
    yield from _of_customers(words, by_hand, names, table.winners(rules))
    for kind, target, customer, field, said_by, external_id, ours, born, ours_at, theirs, theirs_at, currency in reported:
        yield _Difference(
            kind=kind, target_id=target, customer_id=customer, field=field, connection_id=said_by, external_id=external_id, ours=_json(ours),
            ours_from=names[born], ours_at=ours_at, theirs=_json(theirs), theirs_at=theirs_at, currency=currency,
            because=f"it was born in {names[born]}: only that system changes it",
        )  # fmt: skip


def _of_customers(
    words: Sequence[tuple[Any, ...]], by_hand: Mapping[tuple[int, str], tuple[str, str, dt.datetime]], names: Mapping[int, str],
    winning: Mapping[str, Rule],
) -> Iterable[_Difference]:
    first: dict[tuple[int, str], tuple[str, str, str, dt.datetime]] = {}
    for target, field, said_by, external_id, value, form, at in words:
        key = (target, field)
        person = by_hand.get(key)
        if key not in first:
            first[key] = (person[0], truth.form(field, person[0]), person[1], person[2]) if person else (value, form, names[said_by], at)
        ours, ours_form, ours_from, ours_at = first[key]
        if form == ours_form:
            continue
        rule = winning[field]
        yield _Difference(
            kind="contact" if field == "email" else "customer", target_id=target, customer_id=target, field=field, connection_id=said_by,
            external_id=external_id, ours=ours, ours_from=ours_from, ours_at=ours_at, theirs=value, theirs_at=at,
            by_person=person[1] if person else "",
            because=f"{person[1]} has said so" if person else f"{truth.listed(rule.places[:1], names)} is asked first: {rule.reason}",
        )  # fmt: skip


def _retracted(rows: Iterable[Conflict]) -> set[int]:
    """Settled ones whose correction has been taken back since, on the customer's own page."""
    made = {row.made["correction"]: row.pk for row in rows if row.state == "settled" and row.made.get("correction")}
    gone = Correction.objects.filter(pk__in=made, retracted_at__isnull=False).values_list("pk", flat=True)
    return {made[pk] for pk in gone}


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
