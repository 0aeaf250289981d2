-- Sign-ins that were revoked so that the network closes after a membership: the intent, and how it ended.
CREATE TABLE "revocation" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "principal_id" UUID NOT NULL,
    "principal_name" TEXT NOT NULL,
    "group_id" UUID NOT NULL,
    "asked_by_id" UUID NOT NULL,
    "asked_by" TEXT NOT NULL,
    "justification" TEXT,
    "status" TEXT NOT NULL,
    "failure" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "gone_at" TIMESTAMPTZ(6),
    "revoked_at" TIMESTAMPTZ(6),
    "settled_at" TIMESTAMPTZ(6),

    CONSTRAINT "revocation_pkey" PRIMARY KEY ("tenant_id","id"),
    CONSTRAINT "revocation_status_known" CHECK ("status" IN ('asked', 'revoked', 'failed')),
    -- Revoked says when, and only after the membership was seen to be gone: before, the person would just sign in again.
    CONSTRAINT "revocation_after_the_membership" CHECK (("status" = 'revoked') = ("revoked_at" IS NOT NULL) AND ("revoked_at" IS NULL OR "gone_at" IS NOT NULL))
);
CREATE INDEX "revocation_by_time" ON "revocation"("tenant_id", "created_at");
-- Two who end the same access at once: one does it, the other is told.
CREATE UNIQUE INDEX "revocation_one_open" ON "revocation"("tenant_id", "principal_id", "group_id") WHERE "status" = 'asked';
