-- What a filter by name means is looked up once and kept while this number, and how many rows wait for their names to be
-- summed up, stay as they are. Whoever changes what a name stands for moves it on without having to think of it.
CREATE TABLE "names_version" (
    "tenant_id" UUID NOT NULL,
    "version" BIGINT NOT NULL,

    CONSTRAINT "names_version_pkey" PRIMARY KEY ("tenant_id")
);

-- By the owner's rights: a portal of the build before, which has none here, may still be running.
CREATE FUNCTION advance_names_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO names_version AS v (tenant_id, version) SELECT DISTINCT tenant_id, 1 FROM changed ON CONFLICT (tenant_id) DO UPDATE SET version = v.version + 1;
  RETURN NULL;
END
$$;

-- Of rows that wait, the sum alone tells what was added, as long as none goes or is put back. First, as who sums them up goes:
-- the other way round, each would wait for the other.
CREATE TRIGGER "log_unnamed_deleted" AFTER DELETE ON "log_unnamed" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION advance_names_version();
CREATE TRIGGER "log_unnamed_updated" AFTER UPDATE ON "log_unnamed" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION advance_names_version();
DO $$
DECLARE
  of_table text;
BEGIN
  FOREACH of_table IN ARRAY ARRAY['log_name', 'catalog_application', 'catalog_assignment'] LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION advance_names_version()', of_table || '_inserted', of_table);
    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION advance_names_version()', of_table || '_updated', of_table);
    EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %I REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION advance_names_version()', of_table || '_deleted', of_table);
  END LOOP;
END
$$;

-- A dropped month ends it too, whatever its rows named. For the rest it is as it was.
CREATE OR REPLACE FUNCTION drop_log_month(of_tenant uuid, of_log text, of_month date, of_sha256 text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET lock_timeout = '20s'
AS $$
DECLARE
  first_day date := date_trunc('month', of_month)::date;
  ends timestamptz := (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC';
  part text := format('public.%I', of_log || '_' || to_char(first_day, 'YYYYMM'));
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
  SELECT * INTO archive FROM month_archive WHERE tenant_id = of_tenant AND log = of_log AND month = first_day FOR UPDATE;
  IF archive.status IS NULL OR of_log NOT IN ('audit_event', 'network_connection') THEN RETURN 'not-announced'; END IF;
  IF archive.status = 'dropped' THEN RETURN 'dropped-before'; END IF;
  LOCK TABLE legal_hold, retention_policy IN SHARE MODE;
  IF EXISTS (SELECT 1 FROM legal_hold WHERE tenant_id = of_tenant AND lifted_at IS NULL AND (from_month IS NULL OR from_month <= first_day) AND (to_month IS NULL OR to_month >= first_day)) THEN RETURN 'held'; END IF;
  IF archive.due_at > now_at OR archive.planned_at + interval '30 days' > now_at THEN RETURN 'no-notice'; END IF;
  IF archive.status <> 'verified' OR archive.error IS NOT NULL OR archive.sha256 IS DISTINCT FROM of_sha256 OR archive.verified_at > now_at THEN RETURN 'not-archived'; END IF;
  IF to_regclass(part) IS NULL THEN RETURN 'no-rows'; END IF;
  -- Sums of the audit log stand still: whoever brings them up to date reads the month too, and would wait for its lock with this one in hand.
  PERFORM pg_advisory_xact_lock(hashtextextended('gatehouse.counts:' || of_tenant, 0));
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

  IF of_log = 'audit_event' THEN
    -- What was counted as the rows came in is taken back, so that counts are those of the rows that are there.
    EXECUTE format(
      'INSERT INTO event_count_delta (tenant_id, kind, result, source, bucket, events)
       SELECT tenant_id, kind, result, source, date_bin(''15 minutes'', activity_at, ''2000-01-01T00:00:00Z''), -count(*) FROM %s GROUP BY 1, 2, 3, 4, 5', part);
    -- Activations are joined anew from the rows that stay, as they would be from a log that never had the others.
    EXECUTE format('INSERT INTO activation_stale (tenant_id, subject_id, group_id) SELECT DISTINCT tenant_id, subject_id, group_id FROM %s WHERE subject_id IS NOT NULL AND group_id IS NOT NULL ON CONFLICT DO NOTHING', part);
    EXECUTE format('DELETE FROM audit_event_key AS k USING %s AS e WHERE k.tenant_id = e.tenant_id AND k.source = e.source AND k.event_id = e.event_id AND k.revision = e.revision AND k.activity_at = e.activity_at', part);
    -- After what takes long, since the catalog waits for it until the end; before the month goes, since whoever changed the
    -- catalog reads the log. Also where the rows of the month still wait for their names to be summed up.
    EXECUTE format(
      'UPDATE log_name AS n SET events = n.events - gone.events FROM (
         SELECT named.role, named.key, named.name, count(*) AS events FROM %s AS e, names_of(e) AS named
         WHERE NOT EXISTS (SELECT 1 FROM log_unnamed AS u WHERE u.tenant_id = e.tenant_id AND u.batch_id = e.batch_id AND e.ordinal BETWEEN u.first_ordinal AND u.last_ordinal) GROUP BY 1, 2, 3
       ) AS gone WHERE n.tenant_id = $1 AND n.role = gone.role AND n.key = gone.key AND n.name = gone.name', part) USING of_tenant;
    DELETE FROM log_name WHERE tenant_id = of_tenant AND events = 0;
    INSERT INTO names_version AS v (tenant_id, version) VALUES (of_tenant, 1) ON CONFLICT (tenant_id) DO UPDATE SET version = v.version + 1;
  ELSE
    EXECUTE format('DELETE FROM network_connection_key AS k USING %s AS e WHERE k.tenant_id = e.tenant_id AND k.source = e.source AND k.event_id = e.event_id AND k.created_at = e.created_at', part);
  END IF;
  -- Every page says from when on nothing is missing.
  UPDATE sync_source SET complete_from = to_char(ends AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    WHERE tenant_id = of_tenant AND source = CASE of_log WHEN 'audit_event' THEN 'directory' ELSE 'traffic' END AND complete_from::timestamptz < ends;
  EXECUTE format('DROP TABLE %s', part);

  INSERT INTO log_batch (tenant_id, log, source, received_at, rows) VALUES (of_tenant, 'dropped_month', 'retention', now_at, 1) RETURNING batch_id INTO batch;
  INSERT INTO log_unsealed (tenant_id, batch_id) VALUES (of_tenant, batch);
  INSERT INTO dropped_month (tenant_id, batch_id, ordinal, log, month, rows, leaves, first_leaf, end_leaf, policy, planned_at, archive, archive_sha256, archive_bytes, verified_at, tree_size, root, dropped_at)
    VALUES (of_tenant, batch, 0, of_log, to_char(first_day, 'YYYY-MM'), found_rows, runs, run_from, run_to, kept, archive.planned_at, regexp_replace(archive.file, '^.*[/\\]', ''), archive.sha256, archive.bytes, archive.verified_at, head.tree_size, encode(head.root_hash, 'base64'), now_at);
  UPDATE month_archive SET status = 'dropped', dropped_at = now_at, refusal = NULL WHERE tenant_id = of_tenant AND log = of_log AND month = first_day;
  RETURN 'dropped';
END
$$;
