-- The outbox: what approvers are to be told of requests, written with the event that gives rise to it.
CREATE TABLE "notification" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "recipient" TEXT,
    "request_id" TEXT NOT NULL,
    "content" JSONB NOT NULL,
    "status" TEXT NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(6) NOT NULL,
    "detail" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "settled_at" TIMESTAMPTZ(6),

    CONSTRAINT "notification_pkey" PRIMARY KEY ("tenant_id","id"),
    CONSTRAINT "notification_channel_known" CHECK ("channel" IN ('approvers', 'mail', 'webhook')),
    CONSTRAINT "notification_status_known" CHECK ("status" IN ('waiting', 'sent', 'dropped', 'dead')),
    CONSTRAINT "notification_mail_to_somebody" CHECK (("channel" = 'mail') = ("recipient" IS NOT NULL)),
    CONSTRAINT "notification_settled_once" CHECK (("status" = 'waiting') = ("settled_at" IS NULL))
);
-- One of each, whoever writes it: two replicas, or the portal and the mirror, tell of the same request.
CREATE UNIQUE INDEX "notification_one_per_key" ON "notification"("tenant_id", "key");
CREATE INDEX "notification_tenant_id_status_due_at_idx" ON "notification"("tenant_id", "status", "due_at");
CREATE INDEX "notification_tenant_id_request_id_idx" ON "notification"("tenant_id", "request_id");
