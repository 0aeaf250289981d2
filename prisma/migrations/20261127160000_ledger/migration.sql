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
