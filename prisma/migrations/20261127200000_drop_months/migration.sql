-- Months of the log whose time is over are dropped, never silently: what was dropped is itself a row of the log, which the
-- ledger seals and which no month takes away. docs/decisions/0028 says why it is made like this.

-- One row a dropped month. A log: rows are only ever inserted, and only by the function below.
CREATE TABLE "dropped_month" (
    "tenant_id" UUID NOT NULL,
    "batch_id" BIGINT NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "log" TEXT NOT NULL,
    -- As 2019-11.
    "month" TEXT NOT NULL,
    "rows" BIGINT NOT NULL,
    -- Which leaves had the rows: runs from one until before the other, as 12-40,77-78.
    "leaves" TEXT NOT NULL,
    "first_leaf" BIGINT NOT NULL,
    "end_leaf" BIGINT NOT NULL,
    -- For how many months each source of them was kept, and since when the drop was announced.
    "policy" TEXT NOT NULL,
    "planned_at" TIMESTAMPTZ(6) NOT NULL,
    -- The file that has the rows, by its hash, and when it was read back.
    "archive" TEXT NOT NULL,
    "archive_sha256" TEXT NOT NULL,
    "archive_bytes" BIGINT NOT NULL,
    "verified_at" TIMESTAMPTZ(6) NOT NULL,
    -- The last checkpoint when it was dropped; the root in base64, as checkpoints have it.
    "tree_size" BIGINT NOT NULL,
    "root" TEXT NOT NULL,
    "dropped_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "dropped_month_pkey" PRIMARY KEY ("tenant_id","batch_id","ordinal")
);
CREATE INDEX "dropped_month_leaves" ON "dropped_month" ("tenant_id", "end_leaf");

-- Why the database did not drop a month when it was last asked; null where it was not asked, or did.
ALTER TABLE "month_archive" ADD COLUMN "refusal" TEXT;

-- What the last nightly check found, until one finds nothing. The alarm goes when the sealer finds its edge as it was.
ALTER TABLE "ledger_sealer" ADD COLUMN "check_found" TEXT;

-- Drops a month of the log, whole, or says in a word why not and changes nothing. It looks at everything by itself and by
-- the database's own clock, for the portal's role may call it and may not delete.
CREATE FUNCTION drop_audit_month(of_tenant uuid, of_month date, of_sha256 text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public
  SET lock_timeout = '20s'
AS $$
DECLARE
  first_day date := date_trunc('month', of_month)::date;
  ends timestamptz := (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC';
  part text := 'public.audit_event_' || to_char(first_day, 'YYYYMM');
  now_at timestamptz := date_trunc('milliseconds', clock_timestamp());
  archive month_archive;
  head ledger_checkpoint;
  found_rows bigint;
  sealed_rows bigint;
  foreign_rows bigint;
  last_leaf bigint;
  kept_months int;
  kept text;
  runs text;
  run_from bigint;
  run_to bigint;
  batch bigint;
BEGIN
  -- Of two that drop the same month the second waits here, and finds it dropped. Holds and policies stand still meanwhile.
  SELECT * INTO archive FROM month_archive WHERE tenant_id = of_tenant AND log = 'audit_event' AND month = first_day FOR UPDATE;
  IF archive.status IS NULL THEN RETURN 'not-announced'; END IF;
  IF archive.status = 'dropped' THEN RETURN 'dropped-before'; END IF;
  LOCK TABLE legal_hold, retention_policy IN SHARE MODE;
  IF EXISTS (SELECT 1 FROM legal_hold WHERE tenant_id = of_tenant AND lifted_at IS NULL AND (from_month IS NULL OR from_month <= first_day) AND (to_month IS NULL OR to_month >= first_day)) THEN RETURN 'held'; END IF;
  IF archive.due_at > now_at OR archive.planned_at + interval '30 days' > now_at THEN RETURN 'no-notice'; END IF;
  IF archive.status <> 'verified' OR archive.error IS NOT NULL OR archive.sha256 IS DISTINCT FROM of_sha256 OR archive.verified_at > now_at THEN RETURN 'not-archived'; END IF;
  IF to_regclass(part) IS NULL THEN RETURN 'no-rows'; END IF;
  -- Nothing is added to the month any more; it is read until it goes. Whoever reads the log for long is not waited for, since
  -- all others would wait behind: the next pass tries again.
  SET LOCAL lock_timeout = '2s';
  EXECUTE format('LOCK TABLE %s IN SHARE MODE', part);

  EXECUTE format('SELECT count(*) FILTER (WHERE tenant_id = $1), count(*) FILTER (WHERE tenant_id <> $1) FROM %s', part) INTO found_rows, foreign_rows USING of_tenant;
  IF found_rows = 0 THEN RETURN 'no-rows'; END IF;
  IF foreign_rows > 0 THEN RETURN 'other-tenants'; END IF;
  IF found_rows <> archive.rows THEN RETURN 'not-archived'; END IF;

  EXECUTE format(
    'SELECT max(coalesce(p.months, 84)), string_agg(s.source || '' '' || coalesce(p.months, 84), '', '' ORDER BY s.source)
     FROM (SELECT DISTINCT source FROM %s) AS s LEFT JOIN retention_policy AS p ON p.tenant_id = $1 AND p.source = s.source', part) INTO kept_months, kept USING of_tenant;
  IF (first_day + interval '1 month' + kept_months * interval '1 month')::timestamp AT TIME ZONE 'UTC' > now_at THEN RETURN 'not-over'; END IF;

  -- Every row is in the signed tree, in tiles that are complete: their hashes stay when the rows are gone. And the archive
  -- was made after that, so that it holds the proofs.
  SELECT * INTO head FROM ledger_checkpoint WHERE tenant_id = of_tenant ORDER BY tree_size DESC LIMIT 1;
  EXECUTE format('SELECT count(DISTINCT s.first_leaf + e.ordinal), max(s.first_leaf + e.ordinal) FROM %s AS e JOIN ledger_seal AS s ON s.tenant_id = e.tenant_id AND s.batch_id = e.batch_id', part) INTO sealed_rows, last_leaf;
  IF head.tree_size IS NULL OR sealed_rows <> found_rows OR last_leaf >= head.tree_size / 256 * 256 THEN RETURN 'not-sealed'; END IF;
  IF NOT EXISTS (SELECT 1 FROM ledger_checkpoint WHERE tenant_id = of_tenant AND tree_size > last_leaf AND signed_at <= archive.verified_at) THEN RETURN 'not-archived'; END IF;
  -- The rows are those that were sealed: a nightly check went through after they were archived, and the last one found nothing.
  IF NOT EXISTS (SELECT 1 FROM ledger_sealer WHERE tenant_id = of_tenant AND alarm IS NULL AND check_found IS NULL AND checked_at > archive.verified_at AND checked_size > last_leaf) THEN RETURN 'not-checked'; END IF;

  EXECUTE format(
    'SELECT string_agg(a || ''-'' || b, '','' ORDER BY a), min(a), max(b) FROM (SELECT min(leaf) AS a, max(leaf) + 1 AS b FROM (
       SELECT leaf, leaf - row_number() OVER (ORDER BY leaf) AS run FROM (SELECT s.first_leaf + e.ordinal AS leaf FROM %s AS e JOIN ledger_seal AS s ON s.tenant_id = e.tenant_id AND s.batch_id = e.batch_id) AS leaves
     ) AS numbered GROUP BY run) AS runs', part) INTO runs, run_from, run_to;

  -- What was counted as the rows came in is taken back, so that counts are those of the rows that are there.
  EXECUTE format(
    'INSERT INTO event_count_delta (tenant_id, kind, result, source, bucket, events)
     SELECT tenant_id, kind, result, source, date_bin(''15 minutes'', activity_at, ''2000-01-01T00:00:00Z''), -count(*) FROM %s GROUP BY 1, 2, 3, 4, 5', part);
  EXECUTE format(
    'INSERT INTO log_name_delta (tenant_id, role, key, name, events)
     SELECT tenant_id, role, key, coalesce(name, key), -count(*)
     FROM %s, LATERAL (VALUES
       (''actor'', coalesce(actor_id, actor_name), actor_name), (''subject'', subject_id, subject_name),
       (''group'', coalesce(group_id, group_name), group_name), (''application'', coalesce(application_id, application_name), application_name)) AS named (role, key, name)
     WHERE key IS NOT NULL GROUP BY 1, 2, 3, 4', part);
  -- Activations are joined anew from the rows that stay, as they would be from a log that never had the others.
  EXECUTE format('INSERT INTO activation_stale (tenant_id, subject_id, group_id) SELECT DISTINCT tenant_id, subject_id, group_id FROM %s WHERE subject_id IS NOT NULL AND group_id IS NOT NULL ON CONFLICT DO NOTHING', part);
  EXECUTE format('DELETE FROM audit_event_key AS k USING %s AS e WHERE k.tenant_id = e.tenant_id AND k.source = e.source AND k.event_id = e.event_id AND k.revision = e.revision AND k.activity_at = e.activity_at', part);
  -- Every page says from when on nothing is missing.
  UPDATE sync_source SET complete_from = to_char(ends AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') WHERE tenant_id = of_tenant AND source = 'directory' AND complete_from::timestamptz < ends;
  EXECUTE format('DROP TABLE %s', part);

  INSERT INTO log_batch (tenant_id, log, source, received_at, rows) VALUES (of_tenant, 'dropped_month', 'retention', now_at, 1) RETURNING batch_id INTO batch;
  INSERT INTO log_unsealed (tenant_id, batch_id) VALUES (of_tenant, batch);
  INSERT INTO dropped_month (tenant_id, batch_id, ordinal, log, month, rows, leaves, first_leaf, end_leaf, policy, planned_at, archive, archive_sha256, archive_bytes, verified_at, tree_size, root, dropped_at)
    VALUES (of_tenant, batch, 0, 'audit_event', to_char(first_day, 'YYYY-MM'), found_rows, runs, run_from, run_to, kept, archive.planned_at, regexp_replace(archive.file, '^.*[/\\]', ''), archive.sha256, archive.bytes, archive.verified_at, head.tree_size, encode(head.root_hash, 'base64'), now_at);
  UPDATE month_archive SET status = 'dropped', dropped_at = now_at, refusal = NULL WHERE tenant_id = of_tenant AND log = 'audit_event' AND month = first_day;
  RETURN 'dropped';
END
$$;
REVOKE EXECUTE ON FUNCTION drop_audit_month(uuid, date, text) FROM PUBLIC;

-- The portal's role may call it, and may not write what it writes.
ALTER FUNCTION gatehouse_grant() RENAME TO gatehouse_grant_tables;
CREATE FUNCTION gatehouse_grant() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT gatehouse_grant_tables() THEN
    RETURN false;
  END IF;
  REVOKE INSERT ON dropped_month FROM gatehouse_runtime;
  GRANT EXECUTE ON FUNCTION drop_audit_month(uuid, date, text) TO gatehouse_runtime;
  RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION gatehouse_grant() FROM PUBLIC;
