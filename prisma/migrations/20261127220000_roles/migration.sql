-- What the portal runs as, also where its login is no superuser: such a login may run only as what it was given, and it was
-- never given the role that reads. Roles are made at every start and not by a migration, which is applied once: a backup
-- that is put back on another server comes without them.

-- Called at every start: makes the roles, gives them to the login, and lets them do what they may. Answers the statements
-- that only an administrator can run; none, where it is done.
CREATE FUNCTION gatehouse_grant_roles() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  role text;
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
    IF NOT pg_has_role(to_regrole(role), 'SET') THEN
      BEGIN
        EXECUTE format('GRANT %I TO %I', role, current_user);
      EXCEPTION WHEN insufficient_privilege OR internal_error THEN NULL;
      END;
    END IF;
    IF pg_has_role(to_regrole(role), 'SET') IS NOT TRUE THEN
      lacking := lacking || format('GRANT %I TO %I', role, current_user);
    END IF;
  END LOOP;
  IF cardinality(lacking) > 0 THEN
    RETURN lacking;
  END IF;
  PERFORM gatehouse_grant();
  -- By these an event is known again: whoever may change them can keep one out of the log.
  REVOKE UPDATE, DELETE ON audit_event_key, network_connection_key FROM gatehouse_runtime;
  -- Nothing of the portal's asks for it.
  REVOKE TRUNCATE ON ALL TABLES IN SCHEMA public FROM gatehouse_runtime;
  -- The queue makes tables of its own. A login that does not own the database gets a warning from PostgreSQL, and nothing is granted.
  EXECUTE format('GRANT CREATE ON DATABASE %I TO gatehouse_runtime', current_database());
  IF NOT has_database_privilege('gatehouse_runtime', current_database(), 'CREATE') THEN
    RETURN ARRAY[format('GRANT CREATE ON DATABASE %I TO gatehouse_runtime', current_database())];
  END IF;
  RETURN lacking;
END
$$;
REVOKE EXECUTE ON FUNCTION gatehouse_grant_roles() FROM PUBLIC;
