-- What the watch last saw of a setup: what stands with it though it does not name it, and where the tenant differs.
CREATE TABLE "setup_drift" (
  "tenant_id" UUID NOT NULL,
  "setup_id" UUID NOT NULL,
  "looked_at" TIMESTAMPTZ(6) NOT NULL,
  "baseline" JSONB NOT NULL,
  "differences" JSONB NOT NULL,
  "suspects" TEXT[],
  "not_seen" TEXT[],
  "failure" TEXT,
  "asked_at" TIMESTAMPTZ(6),
  CONSTRAINT "setup_drift_pkey" PRIMARY KEY ("tenant_id", "setup_id"),
  CONSTRAINT "setup_drift_setup" FOREIGN KEY ("tenant_id", "setup_id") REFERENCES "setup" ("tenant_id", "id") ON DELETE CASCADE
);

-- A run may put back what was changed past the setup: the differences by their keys.
ALTER TABLE "setup_run" ADD COLUMN "restores" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- What came into the mirror since a look: asked for each setup, before anything is asked of Graph.
CREATE INDEX "audit_event_ingested" ON "audit_event" ("tenant_id", "ingested_at");
