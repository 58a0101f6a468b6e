-- The audit trail refuses change and deletion, whoever asks; only the removal of a demo organisation passes.
CREATE OR REPLACE FUNCTION base_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('app.forget_demo', true) = OLD.organisation_id::text THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE OR REPLACE TRIGGER base_auditentry_append_only BEFORE UPDATE OR DELETE ON base_auditentry
  FOR EACH ROW EXECUTE FUNCTION base_refuse_audit_change();

-- The operator's list: which organisations exist, for jobs that must visit each. Says nothing but their keys.
GRANT SELECT ON base_organisation TO tieout_app, tieout_intake;
