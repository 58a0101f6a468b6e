"""Learn how each customer pays: from what it paid, what is past due, and the promises it broke (docs/formulas/tier.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
from django.db import connection

from tieout.core import behaviour
from tieout.core.evidence import Actor
from tieout.stages.base import audit, feed, walls
from tieout.stages.behaviour.models import BookShares

_MACHINE = Actor("machine", "behaviour")

#: A broken promise counts for a year: two of them grade high, and should not for ever.
PROMISES_COUNT = dt.timedelta(days=365)

#: Customers from which on the joins are hash joins, whatever the database believes about the size of its tables.
MANY = 500

#: Up to here the audit entry names each customer whose tier moved.
NAMED = 200


class Learnt(msgspec.Struct, frozen=True):
    """What a refresh changed: profiles written, and the customers whose tier moved (id: before, after)."""

    written: int = 0
    moved: dict[int, tuple[str, str]] = {}


def refresh(*, customer_ids: Iterable[int] | None = None, today: dt.date, now: dt.datetime) -> Learnt:
    """Bring the profiles of these customers (None: of all) up to date; only those that are found different are written.

    The book's own shares, on which customers with few invoices lean, are taken anew with the whole book only.
    """
    ids = None if customer_ids is None else sorted(set(customer_ids))
    if ids == []:
        return Learnt()
    histories = _histories(ids, today)
    book = _book(histories, today, now) if ids is None else _kept_book()
    tiers = {customer: behaviour.tier(history, book) for customer, history in histories.items()}
    before = _profiles(ids)
    tiers |= {customer: behaviour.tier(behaviour.CustomerHistory(), book) for customer in before if customer not in tiers}
    written = _upsert(tiers, histories, today, now)
    moved = {
        customer: (before.get(customer, "unknown"), tiers[customer].grade)
        for customer in written
        if before.get(customer, "unknown") != tiers[customer].grade
    }
    _tell(moved, now)
    return Learnt(len(written), moved)


#: Paid by our own sums, by the day the last cash came; what is open past due counts by its days so far. A document without a
#: due date says nothing about lateness, and one its source closed without saying when, nothing about the day.
_HISTORY = """
WITH paid AS (
  SELECT d.customer_id, max(a.date) - d.due_date AS days
    FROM ledger_document d JOIN ledger_allocation a ON a.organisation_id = d.organisation_id AND a.document_id = d.id
   WHERE d.organisation_id = %(org)s AND d.kind = 'invoice' AND d.status IN ('open', 'unknown') AND d.due_date IS NOT NULL
     AND d.allocated_minor > 0 AND d.amount_minor = d.allocated_minor + d.written_off_minor
     AND a.organisation_id = %(org)s AND a.retracted_at IS NULL AND a.kind = 'cash' AND a.date <= %(today)s
     AND (%(ids)s::bigint[] IS NULL OR d.customer_id = ANY(%(ids)s))
   GROUP BY d.id, d.customer_id, d.due_date
), late AS (
  SELECT customer_id, %(today)s::date - due_date AS days FROM ledger_document
   WHERE organisation_id = %(org)s AND kind = 'invoice' AND open_minor > 0 AND due_date < %(today)s
     AND (%(ids)s::bigint[] IS NULL OR customer_id = ANY(%(ids)s))
), broken AS (
  SELECT customer_id, count(*) AS promises FROM dialogue_promise
   WHERE organisation_id = %(org)s AND state = 'broken' AND promised_date > %(since)s
     AND (%(ids)s::bigint[] IS NULL OR customer_id = ANY(%(ids)s))
   GROUP BY 1
)
SELECT coalesce(p.customer_id, l.customer_id, b.customer_id), coalesce(p.days, '{}'), coalesce(l.days, '{}'), coalesce(b.promises, 0)
  FROM (SELECT customer_id, array_agg(days ORDER BY days) AS days FROM paid GROUP BY 1) p
  FULL JOIN (SELECT customer_id, array_agg(days ORDER BY days) AS days FROM late GROUP BY 1) l ON l.customer_id = p.customer_id
  FULL JOIN broken b ON b.customer_id = coalesce(p.customer_id, l.customer_id)"""

_UPSERT = """
INSERT INTO behaviour_profile AS p (organisation_id, customer_id, tier, median_days_late, share_late, paid_invoices, broken_promises, reasons, as_of,
                                    computed_at)
SELECT %(org)s, customer_id, tier, median, share, paid, broken, reasons::jsonb, %(today)s, %(now)s
  FROM unnest(%(customers)s::bigint[], %(tiers)s::text[], %(medians)s::float8[], %(shares)s::float8[], %(paid)s::int[], %(broken)s::int[],
              %(reasons)s::text[]) new (customer_id, tier, median, share, paid, broken, reasons)
 ORDER BY customer_id
    ON CONFLICT (organisation_id, customer_id) DO UPDATE
   SET tier = excluded.tier, median_days_late = excluded.median_days_late, share_late = excluded.share_late, paid_invoices = excluded.paid_invoices,
       broken_promises = excluded.broken_promises, reasons = excluded.reasons, as_of = excluded.as_of, computed_at = excluded.computed_at
 WHERE (p.tier, p.median_days_late, p.share_late, p.paid_invoices, p.broken_promises, p.reasons)
       IS DISTINCT FROM
       (excluded.tier, excluded.median_days_late, excluded.share_late, excluded.paid_invoices, excluded.broken_promises, excluded.reasons)
RETURNING customer_id"""


def _histories(ids: list[int] | None, today: dt.date) -> dict[int, behaviour.CustomerHistory]:
    many = ids is None or len(ids) > MANY
    with connection.cursor() as cursor:
        if many:
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_HISTORY, {"org": walls.current(), "today": today, "since": today - PROMISES_COUNT, "ids": ids})
        rows = cursor.fetchall()
        if many:
            cursor.execute("SET LOCAL enable_nestloop = on")
    return {
        customer: behaviour.CustomerHistory(days_late=tuple(paid), open_days_late=tuple(late), broken_promises=broken)
        for customer, paid, late, broken in rows
    }


def _book(histories: dict[int, behaviour.CustomerHistory], today: dt.date, now: dt.datetime) -> behaviour.BookShares:
    book = behaviour.shares(histories.values())
    invoices = sum(len(h.days_late) + len(h.open_days_late) for h in histories.values())
    same = BookShares.objects.filter(late=book.late, over_30=book.over_30, invoices=invoices).exists()
    if not same:
        BookShares.objects.update_or_create(
            defaults={"late": book.late, "over_30": book.over_30, "invoices": invoices, "as_of": today, "computed_at": now}
        )
    return book


def _kept_book() -> behaviour.BookShares:
    kept = BookShares.objects.first()
    return behaviour.BookShares(kept.late, kept.over_30) if kept and kept.invoices else behaviour.TYPICAL


def _profiles(ids: list[int] | None) -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id, tier FROM behaviour_profile WHERE organisation_id = %s AND (%s::bigint[] IS NULL OR customer_id = ANY(%s))",
            [walls.current(), ids, ids],
        )
        return dict(cursor.fetchall())


def _upsert(
    tiers: dict[int, behaviour.Tier], histories: dict[int, behaviour.CustomerHistory], today: dt.date, now: dt.datetime
) -> list[int]:
    if not tiers:
        return []
    order = sorted(tiers)
    known = [histories.get(customer, behaviour.CustomerHistory()) for customer in order]
    values: dict[str, Any] = {
        "org": walls.current(), "today": today, "now": now, "customers": order, "tiers": [tiers[c].grade for c in order],
        "medians": [tiers[c].median_days_late for c in order], "shares": [tiers[c].share_late for c in order],
        "paid": [len(h.days_late) for h in known], "broken": [h.broken_promises for h in known],
        "reasons": [msgspec.json.encode(tiers[c].reasons).decode() for c in order],
    }
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, values)
        return [row[0] for row in cursor.fetchall()]


def _tell(moved: dict[int, tuple[str, str]], now: dt.datetime) -> None:
    if not moved:
        return
    feed.publish(kind="tier", ids=moved, customer_ids=moved, cause="behaviour.learn", now=now)
    detail: dict[str, Any] = {"moved": len(moved)}
    if len(moved) <= NAMED:
        detail["customers"] = {str(customer): f"{before} to {after}" for customer, (before, after) in sorted(moved.items())}
    audit.write(actor=_MACHINE, action="behaviour.tier", object_kind="customers", object_id=min(moved), now=now, detail=detail)
