-- The database keeps the sums of allocations and refuses to go past a payment, a credit note or a document: the row
-- locks taken here and the check constraints on the sums hold however many workers write at once and whatever the
-- caller forgot. Statement-level, so that ten thousand allocations cost two updates.
--
-- The statements are planned for each call (EXECUTE): a plan kept from a call with one row would be used for one with
-- forty thousand. And many rows are joined by hash or merge: straight after an import the database has not counted its
-- tables yet, takes them for empty and would compare each row with each (90 s for 3,000 allocations, 0.4 s so; 2026-11).

CREATE OR REPLACE FUNCTION ledger_allocations_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before text := current_setting('enable_nestloop');
  bad boolean;
BEGIN
  IF (SELECT count(*) FROM fresh) > 200 THEN
    PERFORM set_config('enable_nestloop', 'off', true);
  END IF;
  -- Lock order: payments, then documents, each by id. NO KEY UPDATE, since the foreign keys hold KEY SHARE.
  EXECUTE $q$ SELECT 1 FROM ledger_payment p
    WHERE (p.organisation_id, p.id) IN (SELECT organisation_id, payment_id FROM fresh WHERE payment_id IS NOT NULL)
    ORDER BY p.id FOR NO KEY UPDATE $q$;
  EXECUTE $q$ SELECT 1 FROM ledger_document d
    WHERE (d.organisation_id, d.id) IN (
      SELECT organisation_id, document_id FROM fresh
      UNION ALL SELECT organisation_id, credit_note_id FROM fresh WHERE credit_note_id IS NOT NULL)
    ORDER BY d.id FOR NO KEY UPDATE $q$;
  EXECUTE $q$ SELECT EXISTS (
    SELECT 1 FROM fresh a JOIN ledger_document d ON (d.organisation_id, d.id) = (a.organisation_id, a.document_id)
     WHERE d.kind <> 'invoice' OR d.currency <> a.currency
    UNION ALL
    SELECT 1 FROM fresh a JOIN ledger_payment p ON (p.organisation_id, p.id) = (a.organisation_id, a.payment_id)
     WHERE p.currency <> a.currency OR p.status NOT IN ('succeeded', 'settled')
    UNION ALL
    SELECT 1 FROM fresh a JOIN ledger_document c ON (c.organisation_id, c.id) = (a.organisation_id, a.credit_note_id)
     WHERE c.kind <> 'credit_note' OR c.currency <> a.currency
  ) $q$ INTO bad;
  IF bad THEN
    RAISE EXCEPTION 'an allocation needs an invoice and live money or a credit note in the same currency'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_allocation_fits';
  END IF;
  EXECUTE $q$ UPDATE ledger_payment p SET allocated_minor = p.allocated_minor + s.total
    FROM (SELECT organisation_id, payment_id, sum(amount_minor) AS total FROM fresh
           WHERE payment_id IS NOT NULL AND retracted_at IS NULL GROUP BY 1, 2) s
   WHERE (p.organisation_id, p.id) = (s.organisation_id, s.payment_id) $q$;
  EXECUTE $q$ UPDATE ledger_document d SET allocated_minor = d.allocated_minor + s.applied, written_off_minor = d.written_off_minor + s.written_off
    FROM (SELECT organisation_id, document_id, coalesce(sum(amount_minor) FILTER (WHERE kind <> 'write_off'), 0) AS applied,
                 coalesce(sum(amount_minor) FILTER (WHERE kind = 'write_off'), 0) AS written_off
            FROM fresh WHERE retracted_at IS NULL GROUP BY 1, 2) s
   WHERE (d.organisation_id, d.id) = (s.organisation_id, s.document_id) $q$;
  EXECUTE $q$ UPDATE ledger_document c SET allocated_minor = c.allocated_minor + s.total
    FROM (SELECT organisation_id, credit_note_id, sum(amount_minor) AS total FROM fresh
           WHERE credit_note_id IS NOT NULL AND retracted_at IS NULL GROUP BY 1, 2) s
   WHERE (c.organisation_id, c.id) = (s.organisation_id, s.credit_note_id) $q$;
  PERFORM set_config('enable_nestloop', before, true);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_allocations_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before text := current_setting('enable_nestloop');
  bad boolean;
BEGIN
  IF (SELECT count(*) FROM fresh) > 200 THEN
    PERFORM set_config('enable_nestloop', 'off', true);
  END IF;
  EXECUTE $q$ SELECT EXISTS (
    SELECT 1 FROM fresh n JOIN stale o ON (n.organisation_id, n.id) = (o.organisation_id, o.id)
     WHERE (n.amount_minor, n.document_id, n.currency, n.date, n.recorded_at, n.kind)
           IS DISTINCT FROM (o.amount_minor, o.document_id, o.currency, o.date, o.recorded_at, o.kind)
        OR n.payment_id IS DISTINCT FROM o.payment_id OR n.credit_note_id IS DISTINCT FROM o.credit_note_id
        OR (o.retracted_at IS NOT NULL AND n.retracted_at IS DISTINCT FROM o.retracted_at)
  ) $q$ INTO bad;
  IF bad THEN
    RAISE EXCEPTION 'an allocation is retracted, never changed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  EXECUTE $q$ SELECT 1 FROM ledger_payment p
    WHERE (p.organisation_id, p.id) IN (SELECT organisation_id, payment_id FROM fresh WHERE payment_id IS NOT NULL)
    ORDER BY p.id FOR NO KEY UPDATE $q$;
  EXECUTE $q$ SELECT 1 FROM ledger_document d
    WHERE (d.organisation_id, d.id) IN (
      SELECT organisation_id, document_id FROM fresh
      UNION ALL SELECT organisation_id, credit_note_id FROM fresh WHERE credit_note_id IS NOT NULL)
    ORDER BY d.id FOR NO KEY UPDATE $q$;
  EXECUTE $q$ UPDATE ledger_payment p SET allocated_minor = p.allocated_minor - s.total
    FROM (SELECT n.organisation_id, n.payment_id, sum(n.amount_minor) AS total
            FROM fresh n JOIN stale o ON (n.organisation_id, n.id) = (o.organisation_id, o.id)
           WHERE n.payment_id IS NOT NULL AND o.retracted_at IS NULL AND n.retracted_at IS NOT NULL GROUP BY 1, 2) s
   WHERE (p.organisation_id, p.id) = (s.organisation_id, s.payment_id) $q$;
  EXECUTE $q$ UPDATE ledger_document d SET allocated_minor = d.allocated_minor - s.applied, written_off_minor = d.written_off_minor - s.written_off
    FROM (SELECT n.organisation_id, n.document_id, coalesce(sum(n.amount_minor) FILTER (WHERE n.kind <> 'write_off'), 0) AS applied,
                 coalesce(sum(n.amount_minor) FILTER (WHERE n.kind = 'write_off'), 0) AS written_off
            FROM fresh n JOIN stale o ON (n.organisation_id, n.id) = (o.organisation_id, o.id)
           WHERE o.retracted_at IS NULL AND n.retracted_at IS NOT NULL GROUP BY 1, 2) s
   WHERE (d.organisation_id, d.id) = (s.organisation_id, s.document_id) $q$;
  EXECUTE $q$ UPDATE ledger_document c SET allocated_minor = c.allocated_minor - s.total
    FROM (SELECT n.organisation_id, n.credit_note_id, sum(n.amount_minor) AS total
            FROM fresh n JOIN stale o ON (n.organisation_id, n.id) = (o.organisation_id, o.id)
           WHERE n.credit_note_id IS NOT NULL AND o.retracted_at IS NULL AND n.retracted_at IS NOT NULL GROUP BY 1, 2) s
   WHERE (c.organisation_id, c.id) = (s.organisation_id, s.credit_note_id) $q$;
  PERFORM set_config('enable_nestloop', before, true);
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ledger_allocation_added AFTER INSERT ON ledger_allocation
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger_allocations_added();
CREATE OR REPLACE TRIGGER ledger_allocation_changed AFTER UPDATE ON ledger_allocation
  REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger_allocations_changed();

-- Two references of the bulkiest tables are checked here, once a statement over the distinct values, instead of by a foreign
-- key once a row: a file of a million rows names one connection and some ten thousand customers (2026-11: a fifth of an
-- import). A reference that is changed later, which is rare, is checked by the row. The parents are kept from deletion by
-- the foreign keys of the documents themselves.
CREATE OR REPLACE FUNCTION ledger_ties_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  missing bigint;
BEGIN
  EXECUTE format($q$ SELECT t.%1$I FROM (SELECT DISTINCT organisation_id, %1$I FROM fresh) t
    WHERE NOT EXISTS (SELECT 1 FROM %2$I p WHERE (p.organisation_id, p.id) = (t.organisation_id, t.%1$I)) LIMIT 1 $q$, TG_ARGV[0], TG_ARGV[1])
    INTO missing;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION '%.% % is not in the organisation', TG_TABLE_NAME, TG_ARGV[0], missing USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_tie_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  known boolean;
BEGIN
  EXECUTE format($q$ SELECT EXISTS (SELECT 1 FROM %1$I p WHERE p.organisation_id = $1.organisation_id AND p.id = $1.%2$I) $q$, TG_ARGV[1], TG_ARGV[0])
    INTO known USING NEW;
  IF NOT known THEN
    RAISE EXCEPTION '%.% is not in the organisation', TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ledger_sourcerecord_ties AFTER INSERT ON ledger_sourcerecord REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_ties_added('connection_id', 'intake_connection');
CREATE OR REPLACE TRIGGER ledger_sourcerecord_tie AFTER UPDATE OF organisation_id, connection_id ON ledger_sourcerecord
  FOR EACH ROW EXECUTE FUNCTION ledger_tie_changed('connection_id', 'intake_connection');
CREATE OR REPLACE TRIGGER ledger_documentversion_ties AFTER INSERT ON ledger_documentversion REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_ties_added('customer_id', 'ledger_customer');
CREATE OR REPLACE TRIGGER ledger_documentversion_tie AFTER UPDATE OF organisation_id, customer_id ON ledger_documentversion
  FOR EACH ROW EXECUTE FUNCTION ledger_tie_changed('customer_id', 'ledger_customer');

-- Staging: unlogged, without row-level security (PostgreSQL refuses COPY under it), so out of the application's
-- reach: only the intake role sees these tables, and each run empties its rows in the transaction that filled them.
CREATE UNLOGGED TABLE IF NOT EXISTS ledger_staged_document (
  organisation_id uuid NOT NULL, run bigint NOT NULL, line bigint, kind text NOT NULL, external_id text NOT NULL, number text NOT NULL,
  customer_external_id text NOT NULL, customer_name text, customer_email text, issue_date date, due_date date, due_date_source text,
  currency text NOT NULL, amount_minor bigint NOT NULL, reported_open_minor bigint, status text NOT NULL, source_status text, po_number text,
  discount_pct numeric, discount_until date, related_number text, content_hash bytea NOT NULL, lines jsonb, due_dates jsonb);
CREATE UNLOGGED TABLE IF NOT EXISTS ledger_staged_payment (
  organisation_id uuid NOT NULL, run bigint NOT NULL, line bigint, external_id text NOT NULL, customer_external_id text, customer_name text, date date,
  currency text NOT NULL, amount_minor bigint NOT NULL, payer_name text, payer_account text, reference text, remittance text, bank_ref text,
  stated_document text, status text NOT NULL, source_status text, content_hash bytea NOT NULL);
CREATE UNLOGGED TABLE IF NOT EXISTS ledger_staged_customer (
  organisation_id uuid NOT NULL, run bigint NOT NULL, line bigint, external_id text NOT NULL, name text NOT NULL, folded_name text NOT NULL, aliases jsonb,
  accounts jsonb, country text, city text, currency text, email text, phone text, parent_external_id text, debtor_type text, time_zone text,
  language text, tax_id text, content_hash bytea NOT NULL);
-- What a record says of the fields a rule decides: {field: [value, form]}.
ALTER TABLE ledger_staged_customer ADD COLUMN IF NOT EXISTS words jsonb;
CREATE UNLOGGED TABLE IF NOT EXISTS ledger_staged_application (
  organisation_id uuid NOT NULL, run bigint NOT NULL, line bigint, external_id text NOT NULL, date date, entries jsonb NOT NULL,
  content_hash bytea NOT NULL);
CREATE UNLOGGED TABLE IF NOT EXISTS ledger_staged_refund (
  organisation_id uuid NOT NULL, run bigint NOT NULL, line bigint, external_id text NOT NULL, payment_external_id text NOT NULL,
  credit_external_id text NOT NULL, status text NOT NULL, currency text NOT NULL, amount_minor bigint NOT NULL, date date,
  content_hash bytea NOT NULL);
CREATE UNLOGGED TABLE IF NOT EXISTS ledger_staged_dispute (
  organisation_id uuid NOT NULL, run bigint NOT NULL, line bigint, external_id text NOT NULL, payment_external_id text NOT NULL,
  status text NOT NULL, said text NOT NULL, currency text NOT NULL, amount_minor bigint NOT NULL, fee_currency text NOT NULL, fee_minor bigint,
  date date, respond_by date, content_hash bytea NOT NULL);
CREATE UNLOGGED TABLE IF NOT EXISTS ledger_staged_payout (
  organisation_id uuid NOT NULL, run bigint NOT NULL, line bigint, external_id text NOT NULL, status text NOT NULL, source_status text NOT NULL,
  currency text NOT NULL, amount_minor bigint NOT NULL, date date, reference text NOT NULL, reverses text NOT NULL, items jsonb NOT NULL,
  content_hash bytea NOT NULL);
CREATE UNLOGGED TABLE IF NOT EXISTS ledger_staged_deal (
  organisation_id uuid NOT NULL, run bigint NOT NULL, line bigint, external_id text NOT NULL, name text NOT NULL, stage text NOT NULL,
  won boolean NOT NULL, customer_external_id text NOT NULL, currency text NOT NULL, amount_minor bigint, close_date date,
  content_hash bytea NOT NULL);
-- What is known of a staged row once it has been looked up: its record here, the row that stands for, its customer, and whom that
-- customer's own key founded where a link has it stand for another.
ALTER TABLE ledger_staged_document ADD COLUMN IF NOT EXISTS record_id bigint, ADD COLUMN IF NOT EXISTS target_id bigint,
  ADD COLUMN IF NOT EXISTS customer_id bigint, ADD COLUMN IF NOT EXISTS home_id bigint;
ALTER TABLE ledger_staged_payment ADD COLUMN IF NOT EXISTS record_id bigint, ADD COLUMN IF NOT EXISTS target_id bigint,
  ADD COLUMN IF NOT EXISTS customer_id bigint;
ALTER TABLE ledger_staged_customer ADD COLUMN IF NOT EXISTS record_id bigint, ADD COLUMN IF NOT EXISTS target_id bigint,
  ADD COLUMN IF NOT EXISTS home_id bigint;
ALTER TABLE ledger_staged_application ADD COLUMN IF NOT EXISTS record_id bigint, ADD COLUMN IF NOT EXISTS target_id bigint;
ALTER TABLE ledger_staged_refund ADD COLUMN IF NOT EXISTS record_id bigint, ADD COLUMN IF NOT EXISTS target_id bigint;
ALTER TABLE ledger_staged_dispute ADD COLUMN IF NOT EXISTS record_id bigint, ADD COLUMN IF NOT EXISTS target_id bigint;
ALTER TABLE ledger_staged_payout ADD COLUMN IF NOT EXISTS record_id bigint, ADD COLUMN IF NOT EXISTS target_id bigint;
ALTER TABLE ledger_staged_deal ADD COLUMN IF NOT EXISTS record_id bigint, ADD COLUMN IF NOT EXISTS target_id bigint;
-- A run's own rows are found past the dead ones of the runs before it.
CREATE INDEX IF NOT EXISTS ledger_staged_document_run ON ledger_staged_document (run);
CREATE INDEX IF NOT EXISTS ledger_staged_payment_run ON ledger_staged_payment (run);
CREATE INDEX IF NOT EXISTS ledger_staged_customer_run ON ledger_staged_customer (run);
CREATE INDEX IF NOT EXISTS ledger_staged_application_run ON ledger_staged_application (run);
CREATE INDEX IF NOT EXISTS ledger_staged_refund_run ON ledger_staged_refund (run);
CREATE INDEX IF NOT EXISTS ledger_staged_dispute_run ON ledger_staged_dispute (run);
CREATE INDEX IF NOT EXISTS ledger_staged_payout_run ON ledger_staged_payout (run);
CREATE INDEX IF NOT EXISTS ledger_staged_deal_run ON ledger_staged_deal (run);
REVOKE ALL ON ledger_staged_document, ledger_staged_payment, ledger_staged_customer, ledger_staged_application, ledger_staged_refund,
  ledger_staged_dispute, ledger_staged_payout, ledger_staged_deal FROM PUBLIC, tieout_app;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE
  ON ledger_staged_document, ledger_staged_payment, ledger_staged_customer, ledger_staged_application, ledger_staged_refund,
     ledger_staged_dispute, ledger_staged_payout, ledger_staged_deal TO tieout_intake;

-- Statistics after a bulk change: the planner else believes yesterday's sizes until autovacuum comes by, and loops where
-- it should hash. ANALYZE is the owner's right; the application may only ask for it, on these tables.
CREATE OR REPLACE FUNCTION ledger_take_stock() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  ANALYZE ledger_customer, ledger_contact, ledger_document, ledger_documentversion, ledger_payment, ledger_paymentversion, ledger_allocation,
          ledger_sourcerecord;
END $$;
REVOKE ALL ON FUNCTION ledger_take_stock() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_take_stock() TO tieout_app;
