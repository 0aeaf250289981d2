-- What runs as the owner looks for tables in the caller's temporary ones first, unless they are named last: whoever may make a
-- table called legal_hold would have said for himself that there is no hold (PostgreSQL, "Writing SECURITY DEFINER Functions Safely").
ALTER FUNCTION drop_log_month(uuid, text, date, text) SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION ensure_audit_partition(date) SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION ensure_connection_partition(date) SET search_path = pg_catalog, public, pg_temp;
