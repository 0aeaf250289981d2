-- What the portal runs as, also where its login is no superuser: such a login may run as a role only where it was given it,
-- and it was never given the one that reads. Roles are made here and not by a migration, which is applied once: a backup that
-- is put back on another server comes without them.
DROP FUNCTION gatehouse_grant();

-- Called at every start: makes the roles, gives them to the login, and says what each may do with the tables as they are now,
-- also those of later migrations. A table of the log is one whose rows say batch and ordinal; with those, the keys by
-- which an event is known again, and the ledger's nobody but the owner may do more than add. Answers the statements that only an administrator can run; none, where it is done.
CREATE FUNCTION gatehouse_grant_roles() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  role text;
  one record;
  lacking text[] := '{}';
BEGIN
  -- Two portals that start together would disturb each other in the catalog.
  PERFORM pg_advisory_xact_lock(718203443);
  FOREACH role IN ARRAY ARRAY['gatehouse_runtime', 'gatehouse_reader'] LOOP
    -- Roles belong to the whole server: another database of it may have made them, or makes them at this moment.
    IF to_regrole(role) IS NULL THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', role);
      EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN lacking := lacking || format('CREATE ROLE %I NOLOGIN', role);
      END;
    END IF;
    IF to_regrole(role) IS NOT NULL AND NOT pg_has_role(current_user, role, 'SET') THEN
      BEGIN
        EXECUTE format('GRANT %I TO %I', role, current_user);
      EXCEPTION WHEN insufficient_privilege OR internal_error THEN NULL;
      END;
    END IF;
    IF to_regrole(role) IS NULL OR NOT pg_has_role(to_regrole(role), 'SET') THEN
      lacking := lacking || format('GRANT %I TO %I', role, current_user);
    END IF;
  END LOOP;
  IF cardinality(lacking) > 0 THEN
    RETURN lacking;
  END IF;
  GRANT USAGE ON SCHEMA public TO gatehouse_runtime, gatehouse_reader;
  FOR one IN SELECT c.oid::regclass AS name, c.relispartition AS is_part,
      c.relname IN ('audit_event_key', 'network_connection_key', 'log_batch', 'ledger_seal', 'ledger_tile', 'ledger_checkpoint', 'ledger_key')
        OR (SELECT count(*) = 2 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND (a.attname, a.atttypid) IN (('batch_id', 'bigint'::regtype), ('ordinal', 'integer'::regtype))) AS is_log
    FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> '_prisma_migrations' LOOP
    EXECUTE format('REVOKE ALL ON %s FROM gatehouse_runtime, gatehouse_reader', one.name);
    -- Parts of a table are reached through it, by what may be done with it.
    CONTINUE WHEN one.is_part;
    EXECUTE format('GRANT SELECT ON %s TO gatehouse_reader', one.name);
    EXECUTE format('GRANT SELECT, INSERT%s ON %s TO gatehouse_runtime', CASE WHEN one.is_log THEN '' ELSE ', UPDATE, DELETE' END, one.name);
  END LOOP;
  GRANT SELECT ON "_prisma_migrations" TO gatehouse_runtime;
  GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO gatehouse_runtime;
  -- The queue makes its own tables, which keep everybody but their owner out; pages of the log are read into temporary ones.
  -- Who may create here without owning the database gets a warning from PostgreSQL, and nothing is granted.
  BEGIN
    EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO gatehouse_runtime', current_database());
  EXCEPTION WHEN insufficient_privilege THEN NULL;
  END;
  IF NOT has_database_privilege('gatehouse_runtime', current_database(), 'CREATE') OR NOT has_database_privilege('gatehouse_runtime', current_database(), 'TEMPORARY') THEN
    RETURN ARRAY[format('GRANT CREATE, TEMPORARY ON DATABASE %I TO gatehouse_runtime', current_database())];
  END IF;
  IF to_regnamespace('graphile_worker') IS NOT NULL AND (SELECT nspowner <> 'gatehouse_runtime'::regrole FROM pg_namespace WHERE nspname = 'graphile_worker') THEN
    ALTER SCHEMA graphile_worker OWNER TO gatehouse_runtime;
    FOR one IN SELECT c.oid::regclass AS name, c.relkind AS kind FROM pg_class AS c WHERE c.relnamespace = 'graphile_worker'::regnamespace AND c.relkind IN ('r', 'p', 'v') LOOP
      EXECUTE format('ALTER %s %s OWNER TO gatehouse_runtime', CASE one.kind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, one.name);
    END LOOP;
    FOR one IN SELECT p.oid::regprocedure AS name FROM pg_proc AS p WHERE p.pronamespace = 'graphile_worker'::regnamespace LOOP
      EXECUTE format('ALTER FUNCTION %s OWNER TO gatehouse_runtime', one.name);
    END LOOP;
    FOR one IN SELECT t.oid::regtype AS name FROM pg_type AS t WHERE t.typnamespace = 'graphile_worker'::regnamespace AND (t.typtype IN ('d', 'e') OR t.typtype = 'c' AND (SELECT relkind = 'c' FROM pg_class WHERE oid = t.typrelid)) LOOP
      EXECUTE format('ALTER TYPE %s OWNER TO gatehouse_runtime', one.name);
    END LOOP;
  END IF;
  RETURN lacking;
END
$$;
REVOKE EXECUTE ON FUNCTION gatehouse_grant_roles() FROM PUBLIC;
