-- One wish to keep an access going: end the running activation, prove it gone, activate again. A crash between leaves the row, which tells where it stands.
CREATE TABLE "keep_going" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "principal_id" UUID NOT NULL,
    "principal_name" TEXT NOT NULL,
    "group_id" UUID NOT NULL,
    "minutes" INTEGER NOT NULL,
    "justification" TEXT,
    "ticket_number" TEXT,
    "ticket_system" TEXT,
    "status" TEXT NOT NULL,
    "failure" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "worked_at" TIMESTAMPTZ(6),
    "ended_at" TIMESTAMPTZ(6),
    "activation_id" UUID,
    "settled_at" TIMESTAMPTZ(6),

    CONSTRAINT "keep_going_pkey" PRIMARY KEY ("tenant_id","id"),
    CONSTRAINT "keep_going_status_known" CHECK ("status" IN ('open', 'done', 'failed', 'lapsed')),
    CONSTRAINT "keep_going_settled" CHECK (("status" = 'open') = ("settled_at" IS NULL)),
    -- Done names the activation that was asked for in the old one's place.
    CONSTRAINT "keep_going_done" CHECK ("status" <> 'done' OR "activation_id" IS NOT NULL)
);
-- Two windows that keep the same access going at once: one wish.
CREATE UNIQUE INDEX "keep_going_one_open" ON "keep_going"("tenant_id", "principal_id", "group_id") WHERE "status" = 'open';

-- Wishes for a longer or a new eligibility, as the portal sent them; how an administrator decides stands in Entra.
CREATE TABLE "eligibility_request" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "principal_id" UUID NOT NULL,
    "principal_name" TEXT NOT NULL,
    "group_id" UUID NOT NULL,
    "action" TEXT NOT NULL,
    "until" TIMESTAMPTZ(6) NOT NULL,
    "justification" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "entra_request_id" TEXT,
    "failure" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "settled_at" TIMESTAMPTZ(6),

    CONSTRAINT "eligibility_request_pkey" PRIMARY KEY ("tenant_id","id"),
    CONSTRAINT "eligibility_request_action_known" CHECK ("action" IN ('extend', 'renew')),
    CONSTRAINT "eligibility_request_status_known" CHECK ("status" IN ('asked', 'sent', 'failed')),
    CONSTRAINT "eligibility_request_settled" CHECK (("status" = 'asked') = ("settled_at" IS NULL))
);
CREATE UNIQUE INDEX "eligibility_request_one_open" ON "eligibility_request"("tenant_id", "principal_id", "group_id") WHERE "status" = 'asked';
