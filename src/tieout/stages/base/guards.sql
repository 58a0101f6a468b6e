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

-- Forget a demo organisation whole. The application may not delete from append-only tables; this function may, of the
-- organisation of the running transaction and only where it is a demo. Its row is locked first, so that nothing new can
-- refer to it; then each table is emptied of it once no other that still holds rows refers to that table.
CREATE OR REPLACE FUNCTION base_forget_demo(gone uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  waiting oid[];
  free oid;
BEGIN
  IF gone IS NULL OR current_setting('app.org', true) IS DISTINCT FROM gone::text THEN
    RAISE EXCEPTION 'this transaction belongs to another organisation' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM 1 FROM public.base_organisation WHERE id = gone AND is_demo FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'only a demo organisation can be deleted' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM set_config('app.forget_demo', gone::text, true);
  SELECT array_agg(c.oid) INTO waiting FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
   WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attname = 'organisation_id' AND NOT a.attisdropped;
  WHILE cardinality(waiting) > 0 LOOP
    SELECT t INTO free FROM unnest(waiting) t
     WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k
                        WHERE k.contype = 'f' AND k.confrelid = t AND k.conrelid <> t AND k.conrelid = ANY (waiting))
     LIMIT 1;
    IF free IS NULL THEN
      RAISE EXCEPTION 'tables refer to each other in a ring; the demo was not deleted';
    END IF;
    EXECUTE format('DELETE FROM %s WHERE organisation_id = $1', free::regclass) USING gone;
    waiting := array_remove(waiting, free);
  END LOOP;
  DELETE FROM public.base_organisation WHERE id = gone;
  PERFORM set_config('app.forget_demo', '', true);
END $$;
REVOKE ALL ON FUNCTION base_forget_demo(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION base_forget_demo(uuid) TO tieout_app;
