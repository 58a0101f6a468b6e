"""The statements of the merge. Each names one organisation and one run; parameters: org, run, conn, envelope, now, page.

Staged rows have been looked up (`resolve`): one with a `record_id` has changed, one without is new, and those that came again as they
were are gone from staging already.
"""

from __future__ import annotations

from typing import NamedTuple


class Statements(NamedTuple):
    """WRONG moves of status, which are taken out of staging (returns line, external id, name, before, after, raw);
    REFUSE what cannot be true; INSERT new ones (returns per feed page: count, customers);
    UPDATE changed ones (returns id, customer before, customer now); FOLLOW with what hangs on them."""

    WRONG: str
    REFUSE: str
    INSERT: str
    UPDATE: str
    FOLLOW: tuple[str, ...]


_MINE = "s.organisation_id = %(org)s AND s.run = %(run)s"

DOCUMENTS = Statements(
    # A record that was gone may come back as anything; where a person has said what the status is, their word stands anyway.
    WRONG=f"""
WITH bad AS (
  SELECT s.line, s.external_id, s.kind, s.number, d.status AS before, s.status AS after
    FROM ledger_staged_document s
    JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.id = s.record_id AND r.gone_at IS NULL
    JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = s.target_id AND d.connection_id = %(conn)s
   WHERE {_MINE} AND s.status <> d.status
     AND (d.status || ' ' || s.status) = ANY(%(moves)s)
     AND NOT EXISTS (SELECT 1 FROM ledger_correction k WHERE k.organisation_id = %(org)s AND k.kind = d.kind AND k.target_id = d.id
                        AND k.field = 'status' AND k.retracted_at IS NULL)),
gone AS (DELETE FROM ledger_staged_document s USING bad WHERE {_MINE} AND s.kind = bad.kind AND s.external_id = bad.external_id)
SELECT line, external_id, number, before, after, jsonb_build_object('number', number, 'external_id', external_id, 'status', after) FROM bad""",
    REFUSE=f"""
WITH bad AS (
  SELECT s.line, s.external_id, s.kind, s.number, s.amount_minor, s.currency, d.allocated_minor + d.written_off_minor AS used, d.currency AS was
    FROM ledger_staged_document s
    JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = s.target_id AND d.connection_id = %(conn)s
   WHERE {_MINE} AND s.record_id IS NOT NULL
     AND (s.amount_minor < d.allocated_minor + d.written_off_minor
          OR (s.currency <> d.currency AND d.allocated_minor + d.written_off_minor > 0))),
gone AS (DELETE FROM ledger_staged_document s USING bad WHERE {_MINE} AND s.kind = bad.kind AND s.external_id = bad.external_id)
SELECT line, external_id,
       CASE WHEN currency <> was THEN 'currency_changed' ELSE 'below_applied' END,
       CASE WHEN currency <> was THEN format('%%s changes from %%s to %%s although money is applied to it; undo the allocations first',
              number, was, currency)
            ELSE format('%%s falls to %%s minor units of %%s although %%s are already applied to it; undo the allocations first',
                        number, amount_minor, currency, used) END,
       jsonb_build_object('number', number, 'currency', currency, 'amount_minor', amount_minor, 'external_id', external_id)
  FROM bad""",
    INSERT=f"""
WITH fresh AS MATERIALIZED (
  SELECT nextval('ledger_document_id_seq') AS id, s.* FROM ledger_staged_document s
   WHERE {_MINE} AND s.record_id IS NULL AND s.customer_id IS NOT NULL),
doc AS (
  INSERT INTO ledger_document (id, organisation_id, kind, number, customer_id, connection_id, external_id, customer_external_id, issue_date, due_date,
         due_date_source, currency, amount_minor, reported_open_minor, allocated_minor, written_off_minor, status, source_status, po_number,
         discount_pct, discount_until, related_number, created_at, recorded_at)
  SELECT id, organisation_id, kind, left(number, 200), customer_id, %(conn)s, external_id, customer_external_id, issue_date, due_date,
         due_date_source,
         currency, amount_minor, reported_open_minor, 0, 0, status, coalesce(source_status, ''), coalesce(po_number, ''), discount_pct,
                discount_until,
         coalesce(related_number, ''), %(now)s, %(now)s FROM fresh),
src AS (
  INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, content_hash, envelope_id, line, score, evidence,
         linked_by, rank, recorded_at, seen_at)
  SELECT organisation_id, %(conn)s, kind, external_id, id, content_hash, %(envelope)s, line, 100, 'the source''s own key', 'machine', 1,
         %(now)s, %(now)s
    FROM fresh),
ver AS (
  INSERT INTO ledger_documentversion (organisation_id, document_id, customer_id, number, issue_date, due_date, currency, amount_minor,
         reported_open_minor,
         status, recorded_at, cause)
  SELECT organisation_id, id, customer_id, left(number, 200), issue_date, due_date, currency, amount_minor, reported_open_minor, status,
         %(now)s, 'import'
    FROM fresh),
lines AS (
  INSERT INTO ledger_documentline (organisation_id, document_id, ordinal, description, quantity, amount_minor, item, tax_code)
  SELECT %(org)s, f.id, e.ordinal, e.line ->> 0, left(e.line ->> 1, 40), (e.line ->> 2)::bigint, left(coalesce(e.line ->> 3, ''), 200),
         left(coalesce(e.line ->> 4, ''), 200)
    FROM fresh f, jsonb_array_elements(f.lines) WITH ORDINALITY e(line, ordinal) WHERE f.lines IS NOT NULL),
dues AS (
  INSERT INTO ledger_duedate (organisation_id, document_id, ordinal, due_date, amount_minor)
  SELECT %(org)s, f.id, e.ordinal, (e.due ->> 0)::date, (e.due ->> 1)::bigint
    FROM fresh f, jsonb_array_elements(f.due_dates) WITH ORDINALITY e(due, ordinal) WHERE f.due_dates IS NOT NULL),
pages AS (
  SELECT count(*) AS made, jsonb_agg(id) AS ids, array_agg(DISTINCT customer_id) AS customers
    FROM (SELECT id, customer_id, (row_number() OVER () - 1) / %(page)s AS page FROM fresh) f GROUP BY page),
feed AS (
  INSERT INTO base_change (organisation_id, kind, cause, ids, customer_ids, recorded_at)
  SELECT %(org)s, 'document', 'import', ids, to_jsonb(customers), %(now)s FROM pages)
SELECT made, customers FROM pages""",
    UPDATE=f"""
WITH changed AS MATERIALIZED (
  SELECT s.*, s.target_id AS id, d.customer_id AS customer_before,
         (d.customer_id, d.number, d.issue_date, d.due_date, d.currency, d.amount_minor, d.reported_open_minor, d.status)
           IS DISTINCT FROM (s.customer_id, left(s.number, 200), s.issue_date, s.due_date, s.currency::varchar, s.amount_minor,
                             s.reported_open_minor + d.taken_back_minor, s.status::varchar) AS moved,
         s.reported_open_minor + d.taken_back_minor AS believed_open_minor
    FROM ledger_staged_document s
    JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = s.target_id AND d.connection_id = %(conn)s
   WHERE {_MINE} AND s.record_id IS NOT NULL AND s.customer_id IS NOT NULL),
doc AS (
  UPDATE ledger_document d SET number = left(n.number, 200), customer_id = n.customer_id, customer_external_id = n.customer_external_id,
         issue_date = n.issue_date, due_date = n.due_date, due_date_source = n.due_date_source, currency = n.currency, amount_minor = n.amount_minor,
         reported_open_minor = n.believed_open_minor, status = n.status, source_status = coalesce(n.source_status, ''),
         po_number = coalesce(n.po_number, ''), discount_pct = n.discount_pct, discount_until = n.discount_until,
         related_number = coalesce(n.related_number, ''), recorded_at = %(now)s
    FROM changed n WHERE d.organisation_id = %(org)s AND d.id = n.id),
src AS (
  UPDATE ledger_sourcerecord r SET content_hash = n.content_hash, envelope_id = %(envelope)s, line = n.line, seen_at = %(now)s, gone_at = NULL,
         gone_as = ''
    FROM changed n WHERE r.organisation_id = %(org)s AND r.id = n.record_id),
old AS (
  UPDATE ledger_documentversion v SET superseded_at = %(now)s
    FROM changed n WHERE n.moved AND v.organisation_id = %(org)s AND v.document_id = n.id AND v.superseded_at IS NULL),
ver AS (
  INSERT INTO ledger_documentversion (organisation_id, document_id, customer_id, number, issue_date, due_date, currency, amount_minor,
         reported_open_minor,
         status, recorded_at, cause)
  SELECT organisation_id, id, customer_id, left(number, 200), issue_date, due_date, currency, amount_minor, believed_open_minor, status,
         %(now)s, 'import'
    FROM changed WHERE moved),
feed AS (
  INSERT INTO base_change (organisation_id, kind, cause, ids, customer_ids, recorded_at)
  SELECT %(org)s, 'document', 'import', jsonb_agg(id), jsonb_agg(DISTINCT customer_id), %(now)s
    FROM (SELECT id, customer_id, (row_number() OVER () - 1) / %(page)s AS page FROM changed) f GROUP BY page)
SELECT id, customer_before, customer_id FROM changed""",
    FOLLOW=(
        f"""
WITH mine AS MATERIALIZED (
  SELECT s.target_id, s.lines FROM ledger_staged_document s
    JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = s.target_id AND d.connection_id = %(conn)s
   WHERE {_MINE} AND s.record_id IS NOT NULL AND s.lines IS NOT NULL),
gone AS (DELETE FROM ledger_documentline l USING mine m WHERE l.organisation_id = %(org)s AND l.document_id = m.target_id
         AND l.ordinal > jsonb_array_length(m.lines))
INSERT INTO ledger_documentline (organisation_id, document_id, ordinal, description, quantity, amount_minor, item, tax_code)
SELECT %(org)s, m.target_id, e.ordinal, e.line ->> 0, left(e.line ->> 1, 40), (e.line ->> 2)::bigint, left(coalesce(e.line ->> 3, ''), 200),
       left(coalesce(e.line ->> 4, ''), 200)
  FROM mine m, jsonb_array_elements(m.lines) WITH ORDINALITY e(line, ordinal)
    ON CONFLICT (organisation_id, document_id, ordinal)
    DO UPDATE SET description = excluded.description, quantity = excluded.quantity, amount_minor = excluded.amount_minor, item = excluded.item,
                  tax_code = excluded.tax_code""",
        f"""
WITH mine AS MATERIALIZED (
  SELECT s.target_id, s.due_dates FROM ledger_staged_document s
    JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = s.target_id AND d.connection_id = %(conn)s
   WHERE {_MINE} AND s.record_id IS NOT NULL AND s.due_dates IS NOT NULL),
gone AS (DELETE FROM ledger_duedate u USING mine m WHERE u.organisation_id = %(org)s AND u.document_id = m.target_id
         AND u.ordinal > jsonb_array_length(m.due_dates))
INSERT INTO ledger_duedate (organisation_id, document_id, ordinal, due_date, amount_minor)
SELECT %(org)s, m.target_id, e.ordinal, (e.due ->> 0)::date, (e.due ->> 1)::bigint
  FROM mine m, jsonb_array_elements(m.due_dates) WITH ORDINALITY e(due, ordinal)
    ON CONFLICT (organisation_id, document_id, ordinal) DO UPDATE SET due_date = excluded.due_date, amount_minor = excluded.amount_minor""",
    ),
)

PAYMENTS = Statements(
    WRONG=f"""
WITH bad AS (
  SELECT s.line, s.external_id, p.status AS before, s.status AS after
    FROM ledger_staged_payment s
    JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.id = s.record_id AND r.gone_at IS NULL
    JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.id = s.target_id AND p.connection_id = %(conn)s
   WHERE {_MINE} AND s.status <> p.status
     AND (p.status || ' ' || s.status) = ANY(%(moves)s)),
gone AS (DELETE FROM ledger_staged_payment s USING bad WHERE {_MINE} AND s.external_id = bad.external_id)
SELECT line, external_id, 'payment ' || external_id, before, after, jsonb_build_object('external_id', external_id, 'status', after) FROM bad""",
    REFUSE=f"""
WITH bad AS (
  SELECT s.line, s.external_id, s.amount_minor, s.currency, p.allocated_minor + p.refunded_minor AS used
    FROM ledger_staged_payment s
    JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.id = s.target_id AND p.connection_id = %(conn)s
   WHERE {_MINE} AND s.record_id IS NOT NULL AND p.allocated_minor + p.refunded_minor > 0
     AND (s.amount_minor < p.allocated_minor + p.refunded_minor OR s.currency <> p.currency)),
gone AS (DELETE FROM ledger_staged_payment s USING bad WHERE {_MINE} AND s.external_id = bad.external_id)
SELECT line, external_id, 'below_applied',
       format('payment %%s changes to %%s minor units of %%s although %%s are already applied or refunded; undo those first',
              external_id, amount_minor, currency, used),
       jsonb_build_object('external_id', external_id, 'currency', currency, 'amount_minor', amount_minor)
  FROM bad""",
    INSERT=f"""
WITH fresh AS MATERIALIZED (
  SELECT nextval('ledger_payment_id_seq') AS id, s.* FROM ledger_staged_payment s WHERE {_MINE} AND s.record_id IS NULL),
pay AS (
  INSERT INTO ledger_payment (id, organisation_id, customer_id, connection_id, external_id, customer_external_id, date, currency, amount_minor,
         allocated_minor, refunded_minor, payer_name, payer_account, reference, remittance, bank_ref, stated_document, status, source_status, method,
         created_at, recorded_at, customer_rank)
  SELECT id, organisation_id, customer_id, %(conn)s, external_id, coalesce(customer_external_id, ''), date, currency, amount_minor, 0, 0,
         left(coalesce(payer_name, ''), 300), left(coalesce(payer_account, ''), 64), left(coalesce(reference, ''), 300), coalesce(remittance, ''),
         left(coalesce(bank_ref, ''), 200), left(coalesce(stated_document, ''), 300), status, coalesce(source_status, ''), '', %(now)s, %(now)s,
         CASE WHEN customer_id IS NULL THEN 1 ELSE 2 END FROM fresh),
src AS (
  INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, content_hash, envelope_id, line, score, evidence,
         linked_by, rank, recorded_at, seen_at)
  SELECT organisation_id, %(conn)s, 'payment', external_id, id, content_hash, %(envelope)s, line, 100, 'the source''s own key', 'machine', 1,
         %(now)s, %(now)s FROM fresh),
ver AS (
  INSERT INTO ledger_paymentversion (organisation_id, payment_id, customer_id, date, currency, amount_minor, status, recorded_at, cause)
  SELECT organisation_id, id, customer_id, date, currency, amount_minor, status, %(now)s, 'import' FROM fresh),
pages AS (
  SELECT count(*) AS made, jsonb_agg(id) AS ids, array_agg(DISTINCT customer_id) FILTER (WHERE customer_id IS NOT NULL) AS customers
    FROM (SELECT id, customer_id, (row_number() OVER () - 1) / %(page)s AS page FROM fresh) f GROUP BY page),
feed AS (
  INSERT INTO base_change (organisation_id, kind, cause, ids, customer_ids, recorded_at)
  SELECT %(org)s, 'payment', 'import', ids, coalesce(to_jsonb(customers), '[]'), %(now)s FROM pages)
SELECT made, customers FROM pages""",
    UPDATE=f"""
WITH changed AS MATERIALIZED (
  SELECT s.*, s.target_id AS id, p.customer_id AS customer_before,
         CASE WHEN p.customer_rank >= 3 THEN p.customer_id ELSE coalesce(s.customer_id, p.customer_id) END AS customer_now
    FROM ledger_staged_payment s
    JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.id = s.target_id AND p.connection_id = %(conn)s
   WHERE {_MINE} AND s.record_id IS NOT NULL),
pay AS (
  UPDATE ledger_payment p SET customer_id = n.customer_now, date = n.date, currency = n.currency, amount_minor = n.amount_minor,
         payer_name = left(coalesce(n.payer_name, ''), 300), payer_account = left(coalesce(n.payer_account, ''), 64),
         reference = left(coalesce(n.reference, ''), 300), remittance = coalesce(n.remittance, ''), bank_ref = left(coalesce(n.bank_ref, ''), 200),
         stated_document = left(coalesce(n.stated_document, ''), 300), status = n.status, source_status = coalesce(n.source_status, ''),
         recorded_at = %(now)s
    FROM changed n WHERE p.organisation_id = %(org)s AND p.id = n.id),
src AS (
  UPDATE ledger_sourcerecord r SET content_hash = n.content_hash, envelope_id = %(envelope)s, line = n.line, seen_at = %(now)s, gone_at = NULL,
         gone_as = ''
    FROM changed n WHERE r.organisation_id = %(org)s AND r.id = n.record_id),
old AS (
  UPDATE ledger_paymentversion v SET superseded_at = %(now)s
    FROM changed n WHERE v.organisation_id = %(org)s AND v.payment_id = n.id AND v.superseded_at IS NULL),
ver AS (
  INSERT INTO ledger_paymentversion (organisation_id, payment_id, customer_id, date, currency, amount_minor, status, recorded_at, cause)
  SELECT organisation_id, id, customer_now, date, currency, amount_minor, status, %(now)s, 'import' FROM changed),
feed AS (
  INSERT INTO base_change (organisation_id, kind, cause, ids, customer_ids, recorded_at)
  SELECT %(org)s, 'payment', 'import', jsonb_agg(id),
         coalesce(jsonb_agg(DISTINCT customer_now) FILTER (WHERE customer_now IS NOT NULL), '[]'), %(now)s
    FROM (SELECT id, customer_now, (row_number() OVER () - 1) / %(page)s AS page FROM changed) f GROUP BY page)
SELECT id, customer_before, customer_now FROM changed""",
    FOLLOW=(),
)
