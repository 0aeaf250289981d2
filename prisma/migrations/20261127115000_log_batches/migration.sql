-- The log is written in batches: what one transaction adds, a page of a source or one act of the portal. Rows of the log
-- are only ever inserted. The ledger numbers whole batches; within one, rows are in the order of their ordinals.
CREATE TABLE "log_batch" (
    "tenant_id" UUID NOT NULL,
    "batch_id" BIGSERIAL NOT NULL,
    "log" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(6) NOT NULL,
    "rows" INTEGER NOT NULL,

    CONSTRAINT "log_batch_pkey" PRIMARY KEY ("tenant_id","batch_id"),
    CONSTRAINT "log_batch_has_rows" CHECK ("rows" > 0)
);
CREATE INDEX "log_batch_received" ON "log_batch" ("tenant_id", "received_at");

-- Batches that the ledger has not numbered yet. Ids are handed out before they are committed, so that neither they nor a
-- watermark could say which are left.
CREATE TABLE "log_unsealed" (
    "tenant_id" UUID NOT NULL,
    "batch_id" BIGINT NOT NULL,

    CONSTRAINT "log_unsealed_pkey" PRIMARY KEY ("tenant_id","batch_id")
);

ALTER TABLE "audit_event"
    -- 0 as first received; the same event with other content is kept beside it, counted up.
    ADD COLUMN "revision" INTEGER NOT NULL DEFAULT 0,
    -- What is wrong with it as it was received; null where nothing is.
    ADD COLUMN "defect" TEXT,
    ADD COLUMN "batch_id" BIGINT,
    ADD COLUMN "ordinal" INTEGER;

-- What was there already: one batch a source, oldest first.
INSERT INTO "log_batch" ("tenant_id", "log", "source", "received_at", "rows")
  SELECT "tenant_id", 'audit_event', "source", max("ingested_at"), count(*) FROM "audit_event" GROUP BY 1, 3;
INSERT INTO "log_unsealed" SELECT "tenant_id", "batch_id" FROM "log_batch";
UPDATE "audit_event" AS e SET "batch_id" = b."batch_id", "ordinal" = n."ordinal"
  FROM (SELECT "tenant_id", "activity_at", "source", "event_id", row_number() OVER (PARTITION BY "tenant_id", "source" ORDER BY "activity_at", "event_id") - 1 AS "ordinal" FROM "audit_event") AS n,
       "log_batch" AS b
  WHERE b."tenant_id" = e."tenant_id" AND b."source" = e."source"
    AND n."tenant_id" = e."tenant_id" AND n."activity_at" = e."activity_at" AND n."source" = e."source" AND n."event_id" = e."event_id";

ALTER TABLE "audit_event" ALTER COLUMN "batch_id" SET NOT NULL, ALTER COLUMN "ordinal" SET NOT NULL;
ALTER TABLE "audit_event" DROP CONSTRAINT "audit_event_pkey";
ALTER TABLE "audit_event" ADD CONSTRAINT "audit_event_pkey" PRIMARY KEY ("tenant_id", "activity_at", "source", "event_id", "revision");
DROP INDEX "audit_event_ingested";
CREATE INDEX "audit_event_batch" ON "audit_event" ("tenant_id", "batch_id", "ordinal");

ALTER TABLE "audit_event_key" ADD COLUMN "revision" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "audit_event_key" DROP CONSTRAINT "audit_event_key_pkey";
ALTER TABLE "audit_event_key" ADD CONSTRAINT "audit_event_key_pkey" PRIMARY KEY ("tenant_id", "source", "event_id", "revision");
