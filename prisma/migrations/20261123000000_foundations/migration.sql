-- CreateTable
CREATE TABLE "session" (
    "tenant_id" UUID NOT NULL,
    "id_hash" BYTEA NOT NULL,
    "principal_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "upn" TEXT NOT NULL,
    "roles" TEXT[],
    "account_id" TEXT NOT NULL,
    "amr" TEXT[],
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(6) NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "session_pkey" PRIMARY KEY ("tenant_id","id_hash")
);

-- CreateTable
CREATE TABLE "sign_in" (
    "tenant_id" UUID NOT NULL,
    "id_hash" BYTEA NOT NULL,
    "sealed" BYTEA NOT NULL,
    "return_to" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "sign_in_pkey" PRIMARY KEY ("tenant_id","id_hash")
);

-- CreateTable
CREATE TABLE "token_partition" (
    "tenant_id" UUID NOT NULL,
    "partition" TEXT NOT NULL,
    "sealed" BYTEA NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "token_partition_pkey" PRIMARY KEY ("tenant_id","partition")
);

-- CreateTable
CREATE TABLE "setup" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "definition" JSONB NOT NULL,
    "group_id" UUID,
    "created_by_id" UUID NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "setup_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "setup_run" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "setup_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "definition" JSONB NOT NULL,
    "actor_id" UUID NOT NULL,
    "actor_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "finished_at" TIMESTAMPTZ(6),
    "worker" TEXT NOT NULL,

    CONSTRAINT "setup_run_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "setup_step" (
    "tenant_id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "plan" JSONB NOT NULL,
    "status" TEXT NOT NULL,
    "detail" TEXT,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "setup_step_pkey" PRIMARY KEY ("tenant_id","run_id","ordinal")
);

-- CreateTable
CREATE TABLE "access_request" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "principal_id" UUID NOT NULL,
    "principal_name" TEXT NOT NULL,
    "group_id" UUID NOT NULL,
    "action" TEXT NOT NULL,
    "minutes" INTEGER,
    "starts_at" TIMESTAMPTZ(6),
    "justification" TEXT,
    "ticket_number" TEXT,
    "ticket_system" TEXT,
    "status" TEXT NOT NULL,
    "entra_request_id" TEXT,
    "failure" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "provisioned_at" TIMESTAMPTZ(6),
    "member_at" TIMESTAMPTZ(6),
    "ends_at" TIMESTAMPTZ(6),
    "settled_at" TIMESTAMPTZ(6),

    CONSTRAINT "access_request_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "approval_decision" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "approval_id" TEXT NOT NULL,
    "approver_id" UUID NOT NULL,
    "approver_name" TEXT NOT NULL,
    "decision" TEXT NOT NULL,
    "justification" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "settled_at" TIMESTAMPTZ(6),

    CONSTRAINT "approval_decision_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "catalog_group" (
    "tenant_id" UUID NOT NULL,
    "group_id" UUID NOT NULL,
    "display_name" TEXT NOT NULL,
    "description" TEXT,
    "settings" JSONB,
    "read_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "catalog_group_pkey" PRIMARY KEY ("tenant_id","group_id")
);

-- CreateTable
CREATE TABLE "catalog_application" (
    "tenant_id" UUID NOT NULL,
    "service_principal_id" UUID NOT NULL,
    "display_name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "assignment_required" BOOLEAN NOT NULL,
    "segments" JSONB NOT NULL,
    "read_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "catalog_application_pkey" PRIMARY KEY ("tenant_id","service_principal_id")
);

-- CreateTable
CREATE TABLE "catalog_assignment" (
    "tenant_id" UUID NOT NULL,
    "group_id" UUID NOT NULL,
    "service_principal_id" UUID NOT NULL,

    CONSTRAINT "catalog_assignment_pkey" PRIMARY KEY ("tenant_id","group_id","service_principal_id")
);

-- CreateTable
CREATE TABLE "audit_event_key" (
    "tenant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "content_hash" BYTEA NOT NULL,

    CONSTRAINT "audit_event_key_pkey" PRIMARY KEY ("tenant_id","source","event_id")
);

-- CreateTable
CREATE TABLE "audit_event" (
    "tenant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "activity_at" TIMESTAMPTZ(6) NOT NULL,
    "activity_at_raw" TEXT NOT NULL,
    "activity" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "service" TEXT NOT NULL,
    "result" TEXT NOT NULL,
    "result_reason" TEXT,
    "actor_id" TEXT,
    "actor_name" TEXT,
    "subject_id" TEXT,
    "subject_name" TEXT,
    "group_id" TEXT,
    "group_name" TEXT,
    "application_id" TEXT,
    "application_name" TEXT,
    "request_id" TEXT,
    "correlation_id" TEXT,
    "raw" TEXT NOT NULL,
    "ingested_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("tenant_id","activity_at","source","event_id")
) PARTITION BY RANGE ("activity_at");

-- CreateTable
CREATE TABLE "activation" (
    "tenant_id" UUID NOT NULL,
    "request_id" TEXT NOT NULL,
    "principal_id" TEXT NOT NULL,
    "principal_name" TEXT NOT NULL,
    "group_id" TEXT NOT NULL,
    "group_name" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "requested_at" TIMESTAMPTZ(6) NOT NULL,
    "justification" TEXT,
    "ticket_number" TEXT,
    "ticket_system" TEXT,
    "starts_at" TIMESTAMPTZ(6),
    "expires_at" TIMESTAMPTZ(6),
    "decided_by_id" TEXT,
    "decided_by" TEXT,
    "decided_at" TIMESTAMPTZ(6),
    "decision_reason" TEXT,
    "provisioned_at" TIMESTAMPTZ(6),
    "ended_at" TIMESTAMPTZ(6),
    "ended_how" TEXT,

    CONSTRAINT "activation_pkey" PRIMARY KEY ("tenant_id","request_id")
);

-- CreateTable
CREATE TABLE "sync_source" (
    "tenant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "watermark" TEXT,
    "complete_from" TEXT,
    "last_started_at" TIMESTAMPTZ(6),
    "last_success_at" TIMESTAMPTZ(6),
    "last_error" TEXT,
    "events" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "sync_source_pkey" PRIMARY KEY ("tenant_id","source")
);

-- CreateIndex
CREATE INDEX "session_tenant_id_principal_id_idx" ON "session"("tenant_id", "principal_id");

-- CreateIndex
CREATE INDEX "setup_run_tenant_id_setup_id_created_at_idx" ON "setup_run"("tenant_id", "setup_id", "created_at");

-- CreateIndex
CREATE INDEX "access_request_tenant_id_principal_id_created_at_idx" ON "access_request"("tenant_id", "principal_id", "created_at");

-- CreateIndex
CREATE INDEX "access_request_tenant_id_entra_request_id_idx" ON "access_request"("tenant_id", "entra_request_id");

-- CreateIndex
CREATE INDEX "catalog_assignment_tenant_id_service_principal_id_idx" ON "catalog_assignment"("tenant_id", "service_principal_id");

-- CreateIndex
CREATE INDEX "audit_event_tenant_id_group_id_activity_at_idx" ON "audit_event"("tenant_id", "group_id", "activity_at");

-- CreateIndex
CREATE INDEX "audit_event_tenant_id_subject_id_activity_at_idx" ON "audit_event"("tenant_id", "subject_id", "activity_at");

-- CreateIndex
CREATE INDEX "audit_event_tenant_id_request_id_idx" ON "audit_event"("tenant_id", "request_id");

-- CreateIndex
CREATE INDEX "activation_tenant_id_requested_at_request_id_idx" ON "activation"("tenant_id", "requested_at" DESC, "request_id");

-- CreateIndex
CREATE INDEX "activation_tenant_id_principal_id_group_id_requested_at_idx" ON "activation"("tenant_id", "principal_id", "group_id", "requested_at");

-- CreateIndex
CREATE INDEX "activation_tenant_id_group_id_requested_at_idx" ON "activation"("tenant_id", "group_id", "requested_at");


-- What Prisma cannot say.

-- One partition a month, made when the first event of the month comes: an event is never refused for its date.
CREATE FUNCTION ensure_audit_partition(month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  first_day date := date_trunc('month', month)::date;
  partition_name text := 'audit_event_' || to_char(first_day, 'YYYYMM');
BEGIN
  IF to_regclass('public.' || partition_name) IS NOT NULL THEN
    RETURN;
  END IF;
  -- Two that meet a new month at once: the second waits, and finds it made.
  PERFORM pg_advisory_xact_lock(hashtext(partition_name));
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.audit_event FOR VALUES FROM (%L) TO (%L)',
    partition_name, first_day::timestamp AT TIME ZONE 'UTC', (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC');
END
$$;

-- Parts belong to a whole.
ALTER TABLE "setup_run" ADD CONSTRAINT "setup_run_of_setup" FOREIGN KEY ("tenant_id", "setup_id") REFERENCES "setup" ("tenant_id", "id");
ALTER TABLE "setup_step" ADD CONSTRAINT "setup_step_of_run" FOREIGN KEY ("tenant_id", "run_id") REFERENCES "setup_run" ("tenant_id", "id") ON DELETE CASCADE;

-- States are words that this build knows.
ALTER TABLE "setup_run" ADD CONSTRAINT "setup_run_status_known" CHECK ("status" IN ('running', 'succeeded', 'failed', 'interrupted'));
ALTER TABLE "setup_step" ADD CONSTRAINT "setup_step_status_known" CHECK ("status" IN ('pending', 'running', 'waiting', 'done', 'failed', 'skipped'));
ALTER TABLE "access_request" ADD CONSTRAINT "access_request_action_known" CHECK ("action" IN ('activate', 'deactivate'));
ALTER TABLE "access_request" ADD CONSTRAINT "access_request_status_known" CHECK ("status" IN ('asked', 'awaiting-approval', 'scheduled', 'provisioning', 'active', 'ended', 'denied', 'cancelled', 'lapsed', 'failed'));
ALTER TABLE "approval_decision" ADD CONSTRAINT "approval_decision_status_known" CHECK ("status" IN ('asked', 'decided', 'failed'));
ALTER TABLE "approval_decision" ADD CONSTRAINT "approval_decision_known" CHECK ("decision" IN ('approve', 'deny'));
ALTER TABLE "audit_event" ADD CONSTRAINT "audit_event_source_known" CHECK ("source" IN ('directory', 'portal'));
ALTER TABLE "catalog_application" ADD CONSTRAINT "catalog_application_kind_known" CHECK ("kind" IN ('quick-access', 'per-app', 'enterprise'));
ALTER TABLE "activation" ADD CONSTRAINT "activation_status_known" CHECK ("status" IN ('requested', 'awaiting-approval', 'scheduled', 'active', 'denied', 'cancelled', 'lapsed', 'failed', 'ended'));
ALTER TABLE "activation" ADD CONSTRAINT "activation_ended_how_known" CHECK ("ended_how" IN ('deactivated', 'expired', 'removed'));

-- Races that the database settles.
-- Two tabs that ask for the same access at once: one row, and one request to Entra.
CREATE UNIQUE INDEX "access_request_one_open" ON "access_request" ("tenant_id", "principal_id", "group_id")
  WHERE "action" = 'activate' AND "status" IN ('asked', 'awaiting-approval', 'scheduled', 'provisioning', 'active');
-- Two admins who apply the same setup at once: one run.
CREATE UNIQUE INDEX "setup_run_one_running" ON "setup_run" ("tenant_id", "setup_id") WHERE "status" = 'running';
-- A group has one desired state.
CREATE UNIQUE INDEX "setup_one_per_group" ON "setup" ("tenant_id", "group_id") WHERE "group_id" IS NOT NULL;
