"""The book as facts with two clocks, for any business day as known at any moment (promise P5).

The frames are those `core.position` judges; documents, payments and credit notes share one key space
(`invoice:17`, `payment:17`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from django.db import connection

from tieout.core import position
from tieout.stages.base import walls

_VERSIONS = """
SELECT d.kind || ':' || v.document_id, d.kind, v.customer_id::text, v.currency, v.amount_minor, v.status, v.issue_date, v.due_date, v.recorded_at,
       v.superseded_at, v.reported_open_minor, (v.recorded_at AT TIME ZONE 'UTC')::date
  FROM ledger_documentversion v JOIN ledger_document d ON d.organisation_id = v.organisation_id AND d.id = v.document_id
 WHERE v.organisation_id = %(org)s AND v.recorded_at <= %(known)s AND (v.superseded_at IS NULL OR v.superseded_at > %(known)s)
   AND (%(customer)s::bigint IS NULL OR v.customer_id = %(customer)s)
UNION ALL
SELECT 'payment:' || v.payment_id, 'payment', v.customer_id::text, v.currency, v.amount_minor, v.status, v.date, NULL, v.recorded_at, v.superseded_at,
       NULL, NULL
  FROM ledger_paymentversion v
 WHERE v.organisation_id = %(org)s AND v.recorded_at <= %(known)s AND (v.superseded_at IS NULL OR v.superseded_at > %(known)s)
   AND (%(customer)s::bigint IS NULL OR v.customer_id = %(customer)s)
"""

_APPLIED = """
SELECT CASE WHEN a.payment_id IS NOT NULL THEN 'payment:' || a.payment_id
            WHEN a.credit_note_id IS NOT NULL THEN 'credit_note:' || a.credit_note_id END,
       'invoice:' || a.document_id, a.kind, a.amount_minor, a.date, a.recorded_at, a.retracted_at
  FROM ledger_allocation a
 WHERE a.organisation_id = %(org)s AND a.recorded_at <= %(known)s AND (a.retracted_at IS NULL OR a.retracted_at > %(known)s) AND a.date <= %(day)s
   AND (%(customer)s::bigint IS NULL OR a.document_id IN (
        SELECT id FROM ledger_document WHERE organisation_id = %(org)s AND customer_id = %(customer)s)
        OR a.payment_id IN (SELECT id FROM ledger_payment WHERE organisation_id = %(org)s AND customer_id = %(customer)s))
UNION ALL
SELECT 'payment:' || r.payment_id, 'refund', 'cash', r.amount_minor, r.date, r.recorded_at, r.retracted_at
  FROM ledger_refund r
 WHERE r.organisation_id = %(org)s AND r.recorded_at <= %(known)s AND (r.retracted_at IS NULL OR r.retracted_at > %(known)s) AND r.date <= %(day)s
"""


def facts(*, day: dt.date, known_at: dt.datetime, customer_id: int | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(versions, applied) known at `known_at` for positions on `day`; of one customer or of the whole book."""
    given = {"org": walls.current(), "known": known_at, "day": day, "customer": customer_id}
    return _frame(_VERSIONS, given, position.schema(position.Version)), _frame(_APPLIED, given, position.schema(position.Applied))


def positions(*, day: dt.date, known_at: dt.datetime, customer_id: int | None = None) -> pl.DataFrame:
    """One row per document known and dated by then, as `core.position` judges it."""
    versions, applied = facts(day=day, known_at=known_at, customer_id=customer_id)
    return position.positions(versions, applied, day=day, known_at=known_at)


def _frame(query: str, given: dict[str, Any], schema: dict[str, Any]) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        rows = cursor.fetchall()
    # Of Version the query gives all columns in order; of Applied likewise.
    return pl.DataFrame(rows, schema=schema, orient="row")
