-- What was taken along out of the log: who asked, for what, and how far the log went then.
CREATE TABLE "export" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "format" TEXT NOT NULL,
    "filter" JSONB NOT NULL,
    -- Whom and what the filters by name meant then: who is called so later is not in it.
    "names" JSONB NOT NULL,
    "asked_by_id" UUID NOT NULL,
    "asked_by" TEXT NOT NULL,
    "asked_at" TIMESTAMPTZ(6) NOT NULL,
    -- The log as it stood: batches up to this one, but for those that were still open.
    "mark_batch" BIGINT NOT NULL,
    "mark_open" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "rows" BIGINT,
    "rows_done" BIGINT NOT NULL DEFAULT 0,
    "bytes" BIGINT,
    "sha256" TEXT,
    "error" TEXT,
    "lease_until" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "export_pkey" PRIMARY KEY ("tenant_id","id"),
    CONSTRAINT "export_format_known" CHECK ("format" IN ('csv', 'ndjson', 'ocsf', 'cef', 'pack')),
    CONSTRAINT "export_status_known" CHECK ("status" IN ('ready', 'building', 'failed'))
);
CREATE INDEX "export_asked" ON "export" ("tenant_id", "asked_at" DESC);

-- Where each month of an export ended in its bytes: a download that broke off goes on from the nearest.
CREATE TABLE "export_part" (
    "tenant_id" UUID NOT NULL,
    "export_id" UUID NOT NULL,
    "month" DATE NOT NULL,
    "bytes_to" BIGINT NOT NULL,

    CONSTRAINT "export_part_pkey" PRIMARY KEY ("tenant_id","export_id","month"),
    CONSTRAINT "export_part_of_export" FOREIGN KEY ("tenant_id","export_id") REFERENCES "export" ("tenant_id","id") ON DELETE CASCADE
);

-- Lists that somebody is reading on, until they rest: then how much was read goes on record.
CREATE TABLE "history_reading" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "person_id" UUID NOT NULL,
    "person" TEXT NOT NULL,
    "list" TEXT NOT NULL,
    "filter" JSONB NOT NULL,
    "filter_key" TEXT NOT NULL,
    "begun_at" TIMESTAMPTZ(6) NOT NULL,
    "last_at" TIMESTAMPTZ(6) NOT NULL,
    "pages" INTEGER NOT NULL,
    "rows" BIGINT NOT NULL,

    CONSTRAINT "history_reading_pkey" PRIMARY KEY ("tenant_id","id")
);
CREATE UNIQUE INDEX "history_reading_one" ON "history_reading" ("tenant_id", "person_id", "list", "filter_key");

-- How far a continuous feed was sent, and the batches before that which were still open then.
CREATE TABLE "log_feed" (
    "tenant_id" UUID NOT NULL,
    "feed" TEXT NOT NULL,
    "sent_batch" BIGINT NOT NULL DEFAULT 0,
    "sent_events" BIGINT NOT NULL DEFAULT 0,
    "last_sent_at" TIMESTAMPTZ(6),
    "last_error" TEXT,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "try_after" TIMESTAMPTZ(6),

    CONSTRAINT "log_feed_pkey" PRIMARY KEY ("tenant_id","feed")
);
CREATE TABLE "log_feed_open" (
    "tenant_id" UUID NOT NULL,
    "feed" TEXT NOT NULL,
    "batch_id" BIGINT NOT NULL,
    "seen_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "log_feed_open_pkey" PRIMARY KEY ("tenant_id","feed","batch_id"),
    CONSTRAINT "log_feed_open_of_feed" FOREIGN KEY ("tenant_id","feed") REFERENCES "log_feed" ("tenant_id","feed") ON DELETE CASCADE
);

-- How long a source's months are kept; a source without a row: seven years.
CREATE TABLE "retention_policy" (
    "tenant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "months" INTEGER NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL,
    "changed_by" TEXT NOT NULL,

    CONSTRAINT "retention_policy_pkey" PRIMARY KEY ("tenant_id","source"),
    CONSTRAINT "retention_policy_at_least_a_year" CHECK ("months" BETWEEN 12 AND 600)
);
CREATE TABLE "legal_hold" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "from_month" DATE,
    "to_month" DATE,
    "set_at" TIMESTAMPTZ(6) NOT NULL,
    "set_by" TEXT NOT NULL,
    "lifted_at" TIMESTAMPTZ(6),
    "lifted_by" TEXT,

    CONSTRAINT "legal_hold_pkey" PRIMARY KEY ("tenant_id","id")
);

-- A month of the log whose time is over: announced, archived, the archive read back. None is dropped yet: the ledger
-- cannot vouch for rows that are gone.
CREATE TABLE "month_archive" (
    "tenant_id" UUID NOT NULL,
    "log" TEXT NOT NULL,
    "month" DATE NOT NULL,
    "status" TEXT NOT NULL,
    "planned_at" TIMESTAMPTZ(6) NOT NULL,
    "due_at" TIMESTAMPTZ(6) NOT NULL,
    "file" TEXT,
    "sha256" TEXT,
    "bytes" BIGINT,
    "rows" BIGINT,
    "verified_at" TIMESTAMPTZ(6),
    "dropped_at" TIMESTAMPTZ(6),
    "error" TEXT,

    CONSTRAINT "month_archive_pkey" PRIMARY KEY ("tenant_id","log","month"),
    CONSTRAINT "month_archive_status_known" CHECK ("status" IN ('planned', 'verified', 'dropped')),
    CONSTRAINT "month_archive_notice" CHECK ("due_at" >= "planned_at" + interval '30 days'),
    CONSTRAINT "month_archive_verified_whole" CHECK ("status" = 'planned' OR ("file" IS NOT NULL AND "sha256" IS NOT NULL AND "rows" IS NOT NULL AND "verified_at" IS NOT NULL))
);
