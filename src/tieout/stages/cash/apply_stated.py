"""Apply what the source itself states: a payment that carries the number of its invoice, from the same connection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection

from tieout.core.evidence import Actor
from tieout.stages.base import crash, walls
from tieout.stages.cash import account, entry

_SOURCE = Actor("source", "the source")

#: Rows from which on every join is a hash join. Straight after an import the database has not counted its tables yet and
#: takes them for empty: left alone, it would compare each row with each (4 s for 3,000 rows, 0.1 s so; 2026-11).
MANY = 500

#: A payment and the one document it states. Named by number or by the source's own key, one document only, money that is here,
#: same currency, all of it fits beside the stated payments before it; and no person has taken this very pair apart, applied a
#: part of the payment, or said that the money is another customer's.
_FITTING = """
WITH stating AS MATERIALIZED (
  SELECT id AS payment_id, unapplied_minor, currency, coalesce(date, (created_at AT TIME ZONE 'UTC')::date) AS date, customer_id AS payer_id,
         customer_rank, connection_id, stated_document
    FROM ledger_payment
   WHERE organisation_id = %(org)s AND unapplied_minor > 0 AND stated_document <> '' AND (%(payments)s::bigint[] IS NULL OR id = ANY(%(payments)s))
), by_hand AS MATERIALIZED (
  SELECT DISTINCT a.payment_id FROM ledger_allocation a JOIN stating p ON p.payment_id = a.payment_id
   WHERE a.organisation_id = %(org)s AND a.retracted_at IS NULL AND a.rank >= 3
), bearing AS MATERIALIZED (
  SELECT payment_id, document_id, count(*) OVER (PARTITION BY payment_id) AS bearers
    FROM (SELECT p.payment_id, d.id AS document_id
            FROM stating p JOIN ledger_document d ON d.number = p.stated_document AND d.connection_id = p.connection_id
           WHERE d.organisation_id = %(org)s
           UNION
          SELECT p.payment_id, r.target_id
            FROM stating p JOIN ledger_sourcerecord r ON r.external_id = p.stated_document AND r.connection_id = p.connection_id
           WHERE r.organisation_id = %(org)s AND r.kind = 'invoice' AND r.retracted_at IS NULL) b
), taken_apart AS MATERIALIZED (
  SELECT a.payment_id, a.document_id
    FROM ledger_allocation a JOIN stating p ON p.payment_id = a.payment_id
   WHERE a.organisation_id = %(org)s AND a.retracted_at IS NOT NULL AND (a.evidence -> 'undone' ->> 'rank')::int >= 3
), stated AS MATERIALIZED (
  SELECT p.*, b.document_id
    FROM stating p JOIN bearing b ON b.payment_id = p.payment_id AND b.bearers = 1
   WHERE NOT EXISTS (SELECT 1 FROM by_hand h WHERE h.payment_id = p.payment_id)
     AND NOT EXISTS (SELECT 1 FROM taken_apart t WHERE t.payment_id = p.payment_id AND t.document_id = b.document_id)
), fitting AS (
  -- Two tables a step, joined by their keys: with three at once the planner was seen to begin with the currency.
  SELECT s.*, d.customer_id, d.number, d.amount_minor - d.allocated_minor - d.written_off_minor AS left_minor,
         sum(s.unapplied_minor) OVER (PARTITION BY d.id ORDER BY s.date, s.payment_id) AS running
    FROM stated s JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = s.document_id
   WHERE d.kind = 'invoice' AND d.status IN ('open', 'unknown') AND d.currency = s.currency
     AND s.unapplied_minor <= d.amount_minor - d.allocated_minor - d.written_off_minor
     AND (s.customer_rank < 3 OR s.payer_id IS NOT DISTINCT FROM d.customer_id)
)"""

_WAITING = """
SELECT count(*) FROM ledger_payment
 WHERE organisation_id = %(org)s AND unapplied_minor > 0 AND stated_document <> '' AND (%(payments)s::bigint[] IS NULL OR id = ANY(%(payments)s))"""

_ACCOUNTS = _FITTING + "SELECT DISTINCT unnest(ARRAY[customer_id, payer_id]) FROM fitting WHERE running <= left_minor"

_APPLY = _FITTING + """
INSERT INTO ledger_allocation (organisation_id, kind, payment_id, document_id, currency, amount_minor, date, recorded_at, retracted_reason, rank,
                               actor_kind, actor_name, rule, reason, evidence)
SELECT %(org)s, 'cash', f.payment_id, f.document_id, f.currency, f.unapplied_minor, f.date, %(now)s, '', 2, 'source', c.name, 'stated',
       c.name || ' states that this payment is for ' || f.number, '{}'::jsonb
  FROM fitting f JOIN intake_connection c ON c.organisation_id = %(org)s AND c.id = f.connection_id
 WHERE f.running <= f.left_minor
 ORDER BY f.payment_id
RETURNING id, payment_id, document_id, amount_minor, currency, reason"""


def apply_stated(*, payment_ids: Iterable[int] | None = None, now: dt.datetime) -> list[entry.Entry]:
    """Apply every payment (of these; None: of all) whose source states its invoice, set-wise; returns what was written.

    What is over, ambiguous, in another currency or undone by a person stays for the matching and for a person.
    """
    wanted = {"org": walls.current(), "now": now, "payments": None if payment_ids is None else sorted(set(payment_ids))}
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, wanted)
        waiting = cursor.fetchone()[0]
        if not waiting:
            return []
        if waiting > MANY:
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_ACCOUNTS, wanted)
        account.lock(row[0] for row in cursor.fetchall())
        # Asked again under the locks, in one statement: what somebody else applied in between no longer fits.
        cursor.execute(_APPLY, wanted)
        rows = cursor.fetchall()
        if waiting > MANY:
            cursor.execute("SET LOCAL enable_nestloop = on")
    if rows:
        crash.point("cash.after_allocation")
    entries = [entry.Entry(i, "cash", payment, None, document, minor, currency, reason) for i, payment, document, minor, currency, reason in rows]
    entry.tell("cash.apply_stated", entries, actor=_SOURCE, now=now, reason="the source states which invoice each payment is for")
    return entries
