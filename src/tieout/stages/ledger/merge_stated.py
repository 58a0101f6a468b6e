"""What sources say beside their own records: what is applied to what, what was given back, and what they hold of documents and
payments that were born elsewhere. Kept as said, in their own keys; `cash` makes of it what fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_MINE = "s.organisation_id = %(org)s AND s.run = %(run)s"


#: An application is one set: what it no longer holds is taken back, what is new in it is added, the rest stays as it was.
_APPLICATIONS = f"""
WITH changed AS MATERIALIZED (
  SELECT s.* FROM ledger_staged_application s WHERE {_MINE}),
wanted AS MATERIALIZED (
  SELECT c.external_id, c.date, e ->> 0 AS kind, e ->> 1 AS source, e ->> 2 AS document, e ->> 3 AS currency, (e ->> 4)::bigint AS minor
    FROM changed c, jsonb_array_elements(c.entries) e WHERE (e ->> 4)::bigint > 0),
held AS MATERIALIZED (
  SELECT t.* FROM ledger_stated t
   WHERE t.organisation_id = %(org)s AND t.connection_id = %(conn)s AND t.retracted_at IS NULL
     AND t.application_external_id IN (SELECT external_id FROM changed WHERE record_id IS NOT NULL)),
gone AS (
  UPDATE ledger_stated t SET retracted_at = %(now)s FROM held h
   WHERE t.organisation_id = %(org)s AND t.id = h.id AND NOT EXISTS (
         SELECT 1 FROM wanted w WHERE (w.external_id, w.kind, w.source, w.document, w.currency, w.minor) =
                (h.application_external_id, h.kind, h.source_external_id, h.document_external_id, h.currency, h.amount_minor))),
added AS (
  INSERT INTO ledger_stated (organisation_id, connection_id, application_external_id, kind, source_external_id, document_external_id, currency,
         amount_minor, date, recorded_at, problem)
  SELECT %(org)s, %(conn)s, w.external_id, w.kind, w.source, w.document, w.currency, w.minor, w.date, %(now)s, ''
    FROM wanted w WHERE NOT EXISTS (
         SELECT 1 FROM held h WHERE (w.external_id, w.kind, w.source, w.document, w.currency, w.minor) =
                (h.application_external_id, h.kind, h.source_external_id, h.document_external_id, h.currency, h.amount_minor))),
known AS (
  UPDATE ledger_sourcerecord r SET content_hash = c.content_hash, envelope_id = %(envelope)s, seen_at = %(now)s, gone_at = NULL, gone_as = ''
    FROM changed c WHERE r.organisation_id = %(org)s AND r.id = c.record_id),
learnt AS (
  INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, content_hash, envelope_id, line, score, evidence,
         linked_by, rank, recorded_at, seen_at)
  SELECT %(org)s, %(conn)s, 'application', external_id, 0, content_hash, %(envelope)s, line, 100, 'the source''s own key', 'machine', 1,
         %(now)s, %(now)s FROM changed WHERE record_id IS NULL)
SELECT count(*) FILTER (WHERE record_id IS NULL), count(*) FILTER (WHERE record_id IS NOT NULL) FROM changed"""

_REFUNDS = f"""
WITH changed AS MATERIALIZED (
  SELECT s.* FROM ledger_staged_refund s WHERE {_MINE}),
said AS (
  INSERT INTO ledger_statedrefund (organisation_id, connection_id, external_id, payment_external_id, credit_external_id, status, currency,
         amount_minor, date, recorded_at, problem)
  SELECT %(org)s, %(conn)s, external_id, payment_external_id, credit_external_id, status, currency, amount_minor, date, %(now)s, '' FROM changed
      ON CONFLICT (organisation_id, connection_id, external_id)
      DO UPDATE SET payment_external_id = excluded.payment_external_id, credit_external_id = excluded.credit_external_id, status = excluded.status,
                    currency = excluded.currency, amount_minor = excluded.amount_minor, date = excluded.date, recorded_at = excluded.recorded_at),
known AS (
  UPDATE ledger_sourcerecord r SET content_hash = c.content_hash, envelope_id = %(envelope)s, seen_at = %(now)s, gone_at = NULL, gone_as = ''
    FROM changed c WHERE r.organisation_id = %(org)s AND r.id = c.record_id),
learnt AS (
  INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, content_hash, envelope_id, line, score, evidence,
         linked_by, rank, recorded_at, seen_at)
  SELECT %(org)s, %(conn)s, 'refund', external_id, 0, content_hash, %(envelope)s, line, 100, 'the source''s own key', 'machine', 1,
         %(now)s, %(now)s FROM changed WHERE record_id IS NULL)
SELECT count(*) FILTER (WHERE record_id IS NULL), count(*) FILTER (WHERE record_id IS NOT NULL) FROM changed"""

#: A document of another birth: this source's word is kept beside it and changes nothing of it.
_HEARD_DOCUMENTS = f"""
UPDATE ledger_sourcerecord r SET content_hash = s.content_hash, envelope_id = %(envelope)s, line = s.line, seen_at = %(now)s,
       reported_minor = s.amount_minor, reported_open_minor = s.reported_open_minor, reported_status = s.status, gone_at = NULL, gone_as = ''
  FROM ledger_staged_document s, ledger_document d
 WHERE {_MINE} AND s.record_id IS NOT NULL AND r.organisation_id = %(org)s AND r.id = s.record_id
   AND d.organisation_id = %(org)s AND d.id = r.target_id AND d.connection_id <> %(conn)s
RETURNING d.id, d.customer_id"""
#: And its word on the due date, which the two are compared by.
_HEARD_WORDS = f"""
INSERT INTO ledger_fieldword AS known (organisation_id, kind, target_id, field, connection_id, external_id, value, form, envelope_id, line,
       received_at)
SELECT %(org)s, d.kind, d.id, 'due_date', %(conn)s, s.external_id, to_jsonb(s.due_date), s.due_date::text, %(envelope)s, s.line, %(now)s
  FROM ledger_staged_document s
  JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = s.target_id AND d.connection_id <> %(conn)s
 WHERE {_MINE} AND s.record_id IS NOT NULL AND s.due_date IS NOT NULL
    ON CONFLICT (organisation_id, connection_id, kind, external_id, field)
    DO UPDATE SET value = excluded.value, form = excluded.form, received_at = excluded.received_at WHERE known.value <> excluded.value"""
_HEARD_PAYMENTS = f"""
UPDATE ledger_sourcerecord r SET content_hash = s.content_hash, envelope_id = %(envelope)s, line = s.line, seen_at = %(now)s,
       reported_minor = s.amount_minor, reported_status = s.status, gone_at = NULL, gone_as = ''
  FROM ledger_staged_payment s, ledger_payment p
 WHERE {_MINE} AND s.record_id IS NOT NULL AND r.organisation_id = %(org)s AND r.id = s.record_id
   AND p.organisation_id = %(org)s AND p.id = r.target_id AND p.connection_id <> %(conn)s
RETURNING p.id, p.customer_id"""

#: What a connected system says is applied gives way where the same system has lowered the document or the payment under it; it is
#: applied anew as far as it fits.
_YIELD = f"""
WITH lowered AS (
  SELECT d.id AS document_id, NULL::bigint AS payment_id
    FROM ledger_staged_document s
    JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = s.target_id AND d.connection_id = %(conn)s
   WHERE {_MINE} AND s.record_id IS NOT NULL AND d.allocated_minor > 0
     AND (s.amount_minor < d.allocated_minor + d.written_off_minor OR s.currency <> d.currency)
  UNION ALL
  SELECT NULL, p.id
    FROM ledger_staged_payment s
    JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.id = s.target_id AND p.connection_id = %(conn)s
   WHERE {_MINE} AND s.record_id IS NOT NULL AND p.allocated_minor > 0
     AND (s.amount_minor < p.allocated_minor + p.refunded_minor OR s.currency <> p.currency)),
giving AS MATERIALIZED (
  SELECT a.id FROM ledger_allocation a JOIN lowered l ON a.document_id = l.document_id OR a.credit_note_id = l.document_id
                   OR a.payment_id = l.payment_id
   WHERE a.organisation_id = %(org)s AND a.retracted_at IS NULL AND a.rank < 3),
loose AS (
  UPDATE ledger_stated t SET allocation_id = NULL FROM giving g WHERE t.organisation_id = %(org)s AND t.allocation_id = g.id)
UPDATE ledger_allocation a SET retracted_at = %(now)s, retracted_reason = 'its source has changed the document or the payment under it'
  FROM giving g WHERE a.organisation_id = %(org)s AND a.id = g.id RETURNING a.id"""


class Heard(NamedTuple):
    """How many applications, refunds and documents of another birth were new and changed, and whose customers they are."""

    created: int
    updated: int
    touched: list[int]


def give_way(cursor: Any, given: dict[str, Any]) -> list[int]:
    """Before the documents: take back what a lowered document or payment can no longer bear. Returns the allocations."""
    cursor.execute(_YIELD, given)
    return [row[0] for row in cursor.fetchall()]


def run(cursor: Any, given: dict[str, Any], *, staged: Mapping[str, int]) -> Heard:
    """After the documents: keep what is said. `staged` counts what is new or changed of each kind."""
    created = updated = 0
    touched: list[int] = []
    for table, merge in (("application", _APPLICATIONS), ("refund", _REFUNDS)):
        if staged[table]:
            cursor.execute(merge, given)
            new, changed = cursor.fetchone()
            created, updated = created + new, updated + changed
    if staged["document"]:
        cursor.execute(_HEARD_WORDS, given)
    for table, heard in (("document", _HEARD_DOCUMENTS), ("payment", _HEARD_PAYMENTS)):
        if staged[table]:
            cursor.execute(heard, given)
            rows = cursor.fetchall()
            updated += len(rows)
            touched += [row[1] for row in rows if row[1]]
    return Heard(created, updated, touched)
