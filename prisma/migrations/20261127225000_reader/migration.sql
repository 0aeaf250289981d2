-- The role that reads the log reads no sessions, sign-ins and tokens: nothing of the history is in them.
CREATE OR REPLACE FUNCTION gatehouse_grant() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT gatehouse_grant_tables() THEN
    RETURN false;
  END IF;
  REVOKE INSERT ON dropped_month FROM gatehouse_runtime;
  GRANT EXECUTE ON FUNCTION drop_audit_month(uuid, date, text) TO gatehouse_runtime;
  REVOKE ALL ON session, sign_in, device_sign_in, token_partition FROM gatehouse_reader;
  RETURN true;
END
$$;
