"""Money that went back: refunded by the source, or taken back by the payer's bank with a dispute that is lost. It is gone from its
payment, what had been applied of it makes room, and whatever the source withdraws (a refund that failed, a dispute won after all) stands
as before.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tieout.core.evidence import Actor
from tieout.stages.cash import account, entry
from tieout.stages.ledger import version
from tieout.stages.ledger.models import Allocation, Document

_SOURCE = Actor("source", "the source")

#: What the sources say went back and what we hold of it, where the two differ: (table, its row, payment, currency, amount, day, its name
#: there, our refund).
_DUE = """
WITH said AS MATERIALIZED (
  SELECT 'refund' AS what, s.id, s.currency, s.amount_minor, coalesce(s.date, (s.recorded_at AT TIME ZONE 'UTC')::date) AS date, s.external_id,
         CASE WHEN s.status = 'succeeded' THEN r.target_id END AS payment_id
    FROM ledger_statedrefund s
    LEFT JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.connection_id = s.connection_id AND r.kind = 'payment'
         AND r.external_id = s.payment_external_id AND r.retracted_at IS NULL
   WHERE s.organisation_id = %(org)s
  UNION ALL
  SELECT 'dispute', s.id, s.currency, s.amount_minor, coalesce(s.date, (s.recorded_at AT TIME ZONE 'UTC')::date), s.external_id,
         CASE WHEN s.status = 'lost' THEN r.target_id END
    FROM ledger_stateddispute s
    LEFT JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.connection_id = s.connection_id AND r.kind = 'payment'
         AND r.external_id = s.payment_external_id AND r.retracted_at IS NULL
   WHERE s.organisation_id = %(org)s)
SELECT s.what, s.id, s.payment_id, s.currency, s.amount_minor, s.date, s.external_id, f.id
  FROM said s LEFT JOIN ledger_refund f ON f.organisation_id = %(org)s AND f.retracted_at IS NULL
       AND CASE s.what WHEN 'refund' THEN f.stated_id ELSE f.disputed_id END = s.id
 WHERE (f.id IS NULL AND s.payment_id IS NOT NULL) OR (f.id IS NOT NULL AND (s.payment_id IS NULL OR
       (f.payment_id, f.amount_minor, f.currency) IS DISTINCT FROM (s.payment_id, s.amount_minor, s.currency::varchar)))
 ORDER BY s.what DESC, s.id"""

_WITHDRAWN = """
WITH old AS (UPDATE ledger_refund SET retracted_at = %(now)s WHERE organisation_id = %(org)s AND id = ANY(%(ids)s)
             RETURNING payment_id, amount_minor)
UPDATE ledger_payment p SET refunded_minor = p.refunded_minor - o.minor
  FROM (SELECT payment_id, sum(amount_minor) AS minor FROM old GROUP BY 1) o
 WHERE p.organisation_id = %(org)s AND p.id = o.payment_id"""

#: What had been cut for money that went back, of payments of which less has gone now: applied anew, as far as it fits.
_CUT = """
SELECT DISTINCT a.id FROM ledger_refund f
  JOIN ledger_allocation a ON a.organisation_id = %(org)s AND a.payment_id = f.payment_id AND a.retracted_at IS NULL AND a.rank < 3
  JOIN ledger_stated t ON t.organisation_id = %(org)s AND t.allocation_id = a.id AND t.retracted_at IS NULL AND t.amount_minor > a.amount_minor
 WHERE f.organisation_id = %(org)s AND f.id = ANY(%(ids)s)"""

_LEFT = """
SELECT amount_minor - allocated_minor - refunded_minor, currency, status FROM ledger_payment
 WHERE organisation_id = %(org)s AND id = %(payment)s FOR NO KEY UPDATE"""

_BACK = """
WITH paid AS (UPDATE ledger_payment SET refunded_minor = refunded_minor + %(minor)s WHERE organisation_id = %(org)s AND id = %(payment)s)
INSERT INTO ledger_refund (organisation_id, payment_id, currency, amount_minor, date, recorded_at, reason, stated_id, disputed_id)
VALUES (%(org)s, %(payment)s, %(currency)s, %(minor)s, %(date)s, %(now)s, %(reason)s, %(refund)s, %(dispute)s)"""

#: Of each document: how much of the money its own source counts on it has been taken back by disputes. That much of the source's word
#: "paid" is not believed.
_TAKEN_BACK = """
WITH back AS MATERIALIZED (
  SELECT payment_id, sum(amount_minor) AS minor FROM ledger_refund
   WHERE organisation_id = %(org)s AND disputed_id IS NOT NULL AND retracted_at IS NULL GROUP BY 1),
counted AS MATERIALIZED (
  SELECT d.id AS document_id, b.payment_id, b.minor AS most, sum(t.amount_minor) AS stated
    FROM back b
    JOIN ledger_sourcerecord p ON p.organisation_id = %(org)s AND p.kind = 'payment' AND p.target_id = b.payment_id AND p.retracted_at IS NULL
    JOIN ledger_stated t ON t.organisation_id = %(org)s AND t.connection_id = p.connection_id AND t.source_external_id = p.external_id
         AND t.kind = 'cash' AND t.retracted_at IS NULL
    JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.connection_id = t.connection_id AND r.kind = 'invoice'
         AND r.external_id = t.document_external_id AND r.retracted_at IS NULL
    JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = r.target_id AND d.connection_id = t.connection_id
   GROUP BY 1, 2, 3),
short AS (
  SELECT c.document_id, c.payment_id, c.most, c.stated - coalesce(sum(a.amount_minor), 0) AS minor
    FROM counted c LEFT JOIN ledger_allocation a ON a.organisation_id = %(org)s AND a.document_id = c.document_id AND a.payment_id = c.payment_id
         AND a.retracted_at IS NULL
   GROUP BY 1, 2, 3, c.stated),
shared AS (
  SELECT document_id, greatest(0, least(minor, most - coalesce(sum(minor) OVER (PARTITION BY payment_id ORDER BY document_id
         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))) AS minor FROM short WHERE minor > 0),
wanted AS (SELECT document_id, sum(minor)::bigint AS minor FROM shared GROUP BY 1)
SELECT d.id, coalesce(w.minor, 0) FROM ledger_document d LEFT JOIN wanted w ON w.document_id = d.id
 WHERE d.organisation_id = %(org)s AND (d.taken_back_minor <> 0 OR w.minor IS NOT NULL) AND d.taken_back_minor <> coalesce(w.minor, 0)
 ORDER BY d.id"""


def run(cursor: Any, given: dict[str, Any], now: dt.datetime) -> list[entry.Entry]:
    """Bring what went back in line with what the sources say; returns the allocations that made room."""
    cursor.execute(_DUE, given)
    due = cursor.fetchall()
    stale = [row[7] for row in due if row[7] is not None]
    undone: list[entry.Entry] = []
    if stale:
        cursor.execute(_WITHDRAWN, {**given, "ids": stale})
        cursor.execute(_CUT, {**given, "ids": stale})
        cut = list(Allocation.objects.filter(pk__in=[row[0] for row in cursor.fetchall()]).order_by("id"))
        account.lock(entry.customers([entry.Entry.of(row) for row in cut]))
        undone += entry.retract(cut, reason="the money did not go back after all", actor=_SOURCE, now=now)
    for what, stated, payment, currency, minor, date, name, _ in due:
        if payment is None:
            continue
        cursor.execute(_LEFT, {**given, "payment": payment})
        left, of, status = cursor.fetchone()
        # A refund yields to what a person has applied; a bank that takes money back asks nobody.
        below = 3 if what == "refund" else 4
        standing = list(Allocation.objects.filter(payment_id=payment, retracted_at__isnull=True, rank__lt=below).order_by("id"))
        problem = ""
        if of != currency:
            problem = f"the payment is in {of}, this in {currency}"
        elif left + sum(row.amount_minor for row in standing) < minor:
            problem = "more than is left of the payment" + ("; a person has applied it" if what == "refund" else "")
        cursor.execute(
            f"UPDATE ledger_stated{what} SET problem = %(problem)s WHERE organisation_id = %(org)s AND id = %(stated)s AND problem <> %(problem)s",
            {**given, "problem": problem, "stated": stated},
        )
        if problem or status not in ("succeeded", "settled"):
            continue
        reason = "the source gave it back" if what == "refund" else f"reversed by dispute {name}"
        if left < minor:
            account.lock(entry.customers([entry.Entry.of(row) for row in standing]))
            why = "a part of this money was given back" if what == "refund" else reason
            undone += entry.retract(standing, reason=why, actor=_SOURCE, now=now)
        cursor.execute(_BACK, {
            **given, "payment": payment, "minor": minor, "currency": currency, "date": date, "reason": reason,
            "refund": stated if what == "refund" else None, "dispute": stated if what == "dispute" else None,
        })  # fmt: skip
    return undone


def believed(cursor: Any, given: dict[str, Any], now: dt.datetime) -> None:
    """After what fits is applied: a document is not paid for as much as disputes have taken back, whatever its source goes on saying."""
    cursor.execute(_TAKEN_BACK, given)
    for document_id, minor in cursor.fetchall():
        document = Document.objects.select_for_update().get(pk=document_id)
        if document.reported_open_minor is not None:
            document.reported_open_minor += minor - document.taken_back_minor
        document.taken_back_minor, document.recorded_at = minor, now
        document.save(update_fields=["reported_open_minor", "taken_back_minor", "recorded_at"])
        version.of_document(document=document, cause="dispute", now=now)
