-- The ledger over the log: every batch gets its place in one tree of hashes (RFC 6962), and the tree's root is signed.
-- docs/ledger-format.md says how, for whoever checks it without us. Rows of the first four tables are only ever inserted.

-- Where the leaves of a batch begin. A row's leaf is first_leaf + its ordinal; the batch's own row is the leaf after them.
CREATE TABLE "ledger_seal" (
    "tenant_id" UUID NOT NULL,
    "batch_id" BIGINT NOT NULL,
    "first_leaf" BIGINT NOT NULL,

    CONSTRAINT "ledger_seal_pkey" PRIMARY KEY ("tenant_id","batch_id")
);
-- No two batches have the same leaves, whoever wrote them.
CREATE UNIQUE INDEX "ledger_seal_first_leaf" ON "ledger_seal" ("tenant_id", "first_leaf");

-- 256 hashes of one level, once they are complete: level 0 are the leaves, each higher one has the roots of the tiles below.
CREATE TABLE "ledger_tile" (
    "tenant_id" UUID NOT NULL,
    "level" INTEGER NOT NULL,
    "index" BIGINT NOT NULL,
    "hashes" BYTEA NOT NULL,
    "root" BYTEA NOT NULL,

    CONSTRAINT "ledger_tile_pkey" PRIMARY KEY ("tenant_id","level","index"),
    CONSTRAINT "ledger_tile_full" CHECK (octet_length("hashes") = 8192 AND octet_length("root") = 32)
);
-- Hashes do not compress: trying costs time.
ALTER TABLE "ledger_tile" ALTER COLUMN "hashes" SET STORAGE EXTERNAL;

-- One signed root a size: a size is never signed twice.
CREATE TABLE "ledger_checkpoint" (
    "tenant_id" UUID NOT NULL,
    "tree_size" BIGINT NOT NULL,
    "root_hash" BYTEA NOT NULL,
    "note" TEXT NOT NULL,
    "signed_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "ledger_checkpoint_pkey" PRIMARY KEY ("tenant_id","tree_size")
);
CREATE INDEX "ledger_checkpoint_signed" ON "ledger_checkpoint" ("tenant_id", "signed_at");

-- Public keys that ever signed, as `name+id+key`.
CREATE TABLE "ledger_key" (
    "tenant_id" UUID NOT NULL,
    "key_id" TEXT NOT NULL,
    "verifier_key" TEXT NOT NULL,
    "first_used_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "ledger_key_pkey" PRIMARY KEY ("tenant_id","key_id")
);

-- Who seals, and whether something stops it. The fence counts whoever took over: what an earlier one writes is refused.
CREATE TABLE "ledger_sealer" (
    "tenant_id" UUID NOT NULL,
    "fence" BIGINT NOT NULL DEFAULT 0,
    -- By the database's clock: until then nobody takes over from one that still holds its lock.
    "held_until" TIMESTAMPTZ(6),
    -- In a sentence, why nothing is signed any more; null where nothing is wrong.
    "alarm" TEXT,
    "alarm_at" TIMESTAMPTZ(6),
    -- What the nightly check found, and when it was last through.
    "checked_at" TIMESTAMPTZ(6),
    "checked_size" BIGINT,

    CONSTRAINT "ledger_sealer_pkey" PRIMARY KEY ("tenant_id")
);

-- Where checkpoints went outside of the database, and the last of them that arrived.
CREATE TABLE "ledger_anchor" (
    "tenant_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "tree_size" BIGINT NOT NULL,
    "anchored_at" TIMESTAMPTZ(6),
    "tried_at" TIMESTAMPTZ(6) NOT NULL,
    "error" TEXT,

    CONSTRAINT "ledger_anchor_pkey" PRIMARY KEY ("tenant_id","kind"),
    CONSTRAINT "ledger_anchor_kind_known" CHECK ("kind" IN ('log', 'file', 'webhook'))
);

-- Who may do what. Roles belong to the whole cluster, so that another database of it may have made them already, or makes
-- them at this moment; a login that may not make them is told of when the portal starts, and nothing is stopped by it.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['gatehouse_runtime', 'gatehouse_reader'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
      NULL;
    END;
  END LOOP;
END
$$;

-- Called at every start: what each role may do with the tables as they are now, also those of later migrations. A table of
-- the log is one whose rows say batch and ordinal; with those and the ledger's nobody but the owner may do more than add.
CREATE FUNCTION gatehouse_grant() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  one record;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'gatehouse_runtime') OR NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'gatehouse_reader') THEN
    RETURN false;
  END IF;
  -- Two portals that start together would disturb each other in the catalog.
  PERFORM pg_advisory_xact_lock(718203443);
  IF NOT pg_has_role(current_user, 'gatehouse_runtime', 'SET') THEN
    BEGIN
      EXECUTE format('GRANT gatehouse_runtime TO %I', current_user);
    EXCEPTION WHEN insufficient_privilege OR internal_error THEN
      RETURN false;
    END;
  END IF;
  GRANT USAGE ON SCHEMA public TO gatehouse_runtime, gatehouse_reader;
  FOR one IN SELECT c.oid::regclass AS name, c.relispartition AS is_part,
      c.relname IN ('log_batch', 'ledger_seal', 'ledger_tile', 'ledger_checkpoint', 'ledger_key')
        OR (SELECT count(*) = 2 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND (a.attname, a.atttypid) IN (('batch_id', 'bigint'::regtype), ('ordinal', 'integer'::regtype))) AS is_log
    FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> '_prisma_migrations' LOOP
    EXECUTE format('REVOKE ALL ON %s FROM gatehouse_runtime, gatehouse_reader', one.name);
    -- Parts of a table are reached through it, by what may be done with it.
    CONTINUE WHEN one.is_part;
    EXECUTE format('GRANT SELECT ON %s TO gatehouse_reader', one.name);
    EXECUTE format('GRANT SELECT, INSERT%s ON %s TO gatehouse_runtime', CASE WHEN one.is_log THEN '' ELSE ', UPDATE, DELETE, TRUNCATE' END, one.name);
  END LOOP;
  GRANT SELECT ON "_prisma_migrations" TO gatehouse_runtime;
  GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO gatehouse_runtime;
  -- The queue's own tables keep everybody but their owner out.
  EXECUTE format('GRANT CREATE ON DATABASE %I TO gatehouse_runtime', current_database());
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
  RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION gatehouse_grant() FROM PUBLIC;

-- Months are made by whoever owns the table, whoever asks; what they are made of cannot be chosen.
ALTER FUNCTION ensure_audit_partition(date) SECURITY DEFINER SET search_path = pg_catalog, public;
ALTER FUNCTION ensure_connection_partition(date) SECURITY DEFINER SET search_path = pg_catalog, public;
