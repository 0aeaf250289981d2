-- Many setups from one file or one change: planned together, reviewed once, applied in one go.
CREATE TABLE "setup_batch" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "format" TEXT,
    "text" TEXT NOT NULL,
    "template" TEXT,
    "status" TEXT NOT NULL,
    "actor_id" UUID NOT NULL,
    "actor_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),
    "worker" TEXT NOT NULL,
    "stop_asked_by" TEXT,
    "detail" TEXT,

    CONSTRAINT "setup_batch_pkey" PRIMARY KEY ("tenant_id","id")
);

CREATE TABLE "setup_batch_row" (
    "tenant_id" UUID NOT NULL,
    "batch_id" UUID NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "line" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "detail" TEXT,
    "definition" JSONB,
    "plan" JSONB,
    "setup_id" UUID,
    "run_id" UUID,

    CONSTRAINT "setup_batch_row_pkey" PRIMARY KEY ("tenant_id","batch_id","ordinal")
);

CREATE INDEX "setup_batch_tenant_id_created_at_idx" ON "setup_batch" ("tenant_id", "created_at");

ALTER TABLE "setup_batch_row" ADD CONSTRAINT "setup_batch_row_of_batch" FOREIGN KEY ("tenant_id", "batch_id") REFERENCES "setup_batch" ("tenant_id", "id") ON DELETE CASCADE;
ALTER TABLE "setup_batch_row" ADD CONSTRAINT "setup_batch_row_of_setup" FOREIGN KEY ("tenant_id", "setup_id") REFERENCES "setup" ("tenant_id", "id");
ALTER TABLE "setup_batch_row" ADD CONSTRAINT "setup_batch_row_of_run" FOREIGN KEY ("tenant_id", "run_id") REFERENCES "setup_run" ("tenant_id", "id");

ALTER TABLE "setup_batch" ADD CONSTRAINT "setup_batch_format_known" CHECK ("format" IN ('csv', 'yaml'));
ALTER TABLE "setup_batch" ADD CONSTRAINT "setup_batch_status_known" CHECK ("status" IN ('planning', 'planned', 'running', 'finished', 'stopped', 'interrupted'));
ALTER TABLE "setup_batch_row" ADD CONSTRAINT "setup_batch_row_status_known" CHECK ("status" IN ('waiting', 'refused', 'blocked', 'nothing', 'planned', 'running', 'done', 'failed'));
-- What is applied was planned, in a batch that somebody reviewed.
ALTER TABLE "setup_batch_row" ADD CONSTRAINT "setup_batch_row_planned" CHECK ("status" NOT IN ('blocked', 'nothing', 'planned', 'running', 'done', 'failed') OR ("definition" IS NOT NULL AND "plan" IS NOT NULL));
ALTER TABLE "setup_batch" ADD CONSTRAINT "setup_batch_started" CHECK ("status" <> 'running' OR "started_at" IS NOT NULL);
