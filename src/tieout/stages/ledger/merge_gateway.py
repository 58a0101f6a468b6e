"""What gateways say of money on its way: disputes, kept as said, and payouts with what is in them; and the deals of a CRM.

A payout of another birth (our own deposit in the books, read back) changes nothing of ours: the other source's word stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MINE = "s.organisation_id = %(org)s AND s.run = %(run)s"


_KNOWN = """
known AS (
  UPDATE ledger_sourcerecord r SET content_hash = c.content_hash, envelope_id = %(envelope)s, seen_at = %(now)s, gone_at = NULL, gone_as = ''
    FROM changed c WHERE r.organisation_id = %(org)s AND r.id = c.record_id)"""


def _learnt(kind: str, target: str, source: str) -> str:
    return f"""
learnt AS (
  INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, content_hash, envelope_id, line, score, evidence,
         linked_by, rank, recorded_at, seen_at)
  SELECT %(org)s, %(conn)s, '{kind}', external_id, {target}, content_hash, %(envelope)s, line, 100, 'the source''s own key', 'machine', 1,
         %(now)s, %(now)s FROM {source} WHERE record_id IS NULL)"""


_COUNTS = "SELECT count(*) FILTER (WHERE record_id IS NULL), count(*) FILTER (WHERE record_id IS NOT NULL) FROM changed"

_DISPUTES = f"""
WITH changed AS MATERIALIZED (
  SELECT s.* FROM ledger_staged_dispute s WHERE {_MINE}),
said AS (
  INSERT INTO ledger_stateddispute (organisation_id, connection_id, external_id, payment_external_id, status, said, currency, amount_minor,
         fee_currency, fee_minor, date, respond_by, recorded_at, followed, problem)
  SELECT %(org)s, %(conn)s, external_id, payment_external_id, status, left(said, 64), currency, amount_minor, fee_currency, fee_minor, date,
         respond_by, %(now)s, '', '' FROM changed
      ON CONFLICT (organisation_id, connection_id, external_id)
      DO UPDATE SET payment_external_id = excluded.payment_external_id, status = excluded.status, said = excluded.said, currency = excluded.currency,
                    amount_minor = excluded.amount_minor, fee_currency = excluded.fee_currency, fee_minor = excluded.fee_minor, date = excluded.date,
                    respond_by = excluded.respond_by, recorded_at = excluded.recorded_at),
{_KNOWN},{_learnt("dispute", "0", "changed")}
{_COUNTS}"""

#: A payout's own sums, and in words what keeps them from being its amount. Without items nothing is said of what is in it.
_SUMMED = """
summed AS MATERIALIZED (
  SELECT c.*, coalesce(t.gross, 0) AS gross_minor, coalesce(t.fee, 0) AS fee_minor, coalesce(t.items, 0) AS item_count,
         CASE WHEN coalesce(t.items, 0) > 0 AND t.gross - t.fee <> c.amount_minor
              THEN 'its parts come to ' || (t.gross - t.fee) || ' minor units of ' || c.currency || ', the payout is of ' || c.amount_minor
              ELSE '' END AS problem
    FROM changed c
    LEFT JOIN LATERAL (
         SELECT sum(CASE WHEN e ->> 0 = 'fee' THEN 0 ELSE (e ->> 2)::bigint END)::bigint AS gross,
                sum((e ->> 3)::bigint - CASE WHEN e ->> 0 = 'fee' THEN (e ->> 2)::bigint ELSE 0 END)::bigint AS fee, count(*)::int AS items
           FROM jsonb_array_elements(c.items) e) t ON true)"""

_PAYOUTS = f"""
WITH changed AS MATERIALIZED (
  SELECT s.* FROM ledger_staged_payout s LEFT JOIN ledger_payout p ON p.organisation_id = %(org)s AND p.id = s.target_id
   WHERE {_MINE} AND (s.record_id IS NULL OR p.connection_id = %(conn)s)),
{_SUMMED},
numbered AS MATERIALIZED (
  SELECT coalesce(target_id, nextval('ledger_payout_id_seq')) AS payout_id, s.* FROM summed s),
made AS (
  INSERT INTO ledger_payout (id, organisation_id, connection_id, external_id, status, source_status, currency, amount_minor, gross_minor, fee_minor,
         items, date, reference, reverses, created_at, recorded_at, problem)
  SELECT payout_id, %(org)s, %(conn)s, external_id, status, left(source_status, 64), currency, amount_minor, gross_minor, fee_minor, item_count,
         date, left(reference, 300), reverses, %(now)s, %(now)s, problem FROM numbered WHERE record_id IS NULL),
moved AS (
  UPDATE ledger_payout p SET status = n.status, source_status = left(n.source_status, 64), currency = n.currency, amount_minor = n.amount_minor,
         gross_minor = n.gross_minor, fee_minor = n.fee_minor, items = n.item_count, date = n.date, reference = left(n.reference, 300),
         reverses = n.reverses, recorded_at = %(now)s, problem = n.problem
    FROM numbered n WHERE n.record_id IS NOT NULL AND p.organisation_id = %(org)s AND p.id = n.payout_id),
fewer AS (
  DELETE FROM ledger_payoutitem i USING numbered n WHERE i.organisation_id = %(org)s AND i.payout_id = n.payout_id AND i.ordinal > n.item_count),
items AS (
  INSERT INTO ledger_payoutitem (organisation_id, payout_id, ordinal, what, external_id, gross_minor, fee_minor)
  SELECT %(org)s, n.payout_id, e.ordinal, e.item ->> 0, left(e.item ->> 1, 300), (e.item ->> 2)::bigint, (e.item ->> 3)::bigint
    FROM numbered n, jsonb_array_elements(n.items) WITH ORDINALITY e(item, ordinal)
      ON CONFLICT (organisation_id, payout_id, ordinal)
      DO UPDATE SET what = excluded.what, external_id = excluded.external_id, gross_minor = excluded.gross_minor, fee_minor = excluded.fee_minor),
feed AS (
  INSERT INTO base_change (organisation_id, kind, cause, ids, customer_ids, recorded_at)
  SELECT %(org)s, 'payout', 'import', jsonb_agg(payout_id), '[]'::jsonb, %(now)s FROM numbered HAVING count(*) > 0),
{_KNOWN},{_learnt("payout", "payout_id", "numbered")}
{_COUNTS}"""

#: `won_at` stays what it was when a deal is first won; one that is not won any more forgets it.
_DEALS = f"""
WITH changed AS MATERIALIZED (
  SELECT s.* FROM ledger_staged_deal s WHERE {_MINE}),
said AS (
  INSERT INTO ledger_deal AS d (organisation_id, connection_id, external_id, name, stage, won, won_at, customer_external_id, currency, amount_minor,
         close_date, recorded_at)
  SELECT %(org)s, %(conn)s, external_id, name, stage, won, CASE WHEN won THEN %(now)s END, customer_external_id, currency, amount_minor, close_date,
         %(now)s FROM changed
      ON CONFLICT (organisation_id, connection_id, external_id)
      DO UPDATE SET name = excluded.name, stage = excluded.stage, won = excluded.won,
                    won_at = CASE WHEN excluded.won THEN coalesce(d.won_at, excluded.won_at) END,
                    customer_external_id = excluded.customer_external_id, currency = excluded.currency, amount_minor = excluded.amount_minor,
                    close_date = excluded.close_date, recorded_at = excluded.recorded_at
  RETURNING d.id),
feed AS (
  INSERT INTO base_change (organisation_id, kind, cause, ids, customer_ids, recorded_at)
  SELECT %(org)s, 'deal', 'import', jsonb_agg(id), '[]'::jsonb, %(now)s FROM said HAVING count(*) > 0),
{_KNOWN},{_learnt("deal", "0", "changed")}
{_COUNTS}"""

_HEARD = f"""
UPDATE ledger_sourcerecord r SET content_hash = s.content_hash, envelope_id = %(envelope)s, line = s.line, seen_at = %(now)s,
       reported_minor = s.amount_minor, reported_status = s.status, gone_at = NULL, gone_as = ''
  FROM ledger_staged_payout s, ledger_payout p
 WHERE {_MINE} AND r.organisation_id = %(org)s AND r.id = s.record_id
   AND p.organisation_id = %(org)s AND p.id = s.target_id AND p.connection_id <> %(conn)s"""


def run(cursor: Any, given: dict[str, Any], *, staged: Mapping[str, int]) -> tuple[int, int]:
    """Keep what is said; returns how much was new and changed. `staged` counts what is either of each kind."""
    created = updated = 0
    for table, merge in (("dispute", _DISPUTES), ("payout", _PAYOUTS), ("deal", _DEALS)):
        if not staged[table]:
            continue
        cursor.execute(merge, given)
        new, changed = cursor.fetchone()
        created, updated = created + new, updated + changed
        if table == "payout":
            cursor.execute(_HEARD, given)
            updated += cursor.rowcount
    return created, updated
