-- What Entra last showed of a person's own access, so that a page that is looked at asks Entra for nothing. Each part has the instant at which its reading began.
CREATE TABLE "own_access" (
    "tenant_id" UUID NOT NULL,
    "principal_id" UUID NOT NULL,
    -- Moves with every change: what was read before a change is not kept over it.
    "version" INTEGER NOT NULL,
    "stale" BOOLEAN NOT NULL DEFAULT false,
    "eligibilities_at" TIMESTAMPTZ(6),
    "assignments_at" TIMESTAMPTZ(6),
    "requests_at" TIMESTAMPTZ(6),
    "eligibility_requests_at" TIMESTAMPTZ(6),

    CONSTRAINT "own_access_pkey" PRIMARY KEY ("tenant_id","principal_id")
);

CREATE TABLE "own_access_item" (
    "tenant_id" UUID NOT NULL,
    "principal_id" UUID NOT NULL,
    "part" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "group_id" TEXT NOT NULL,
    "access_id" TEXT NOT NULL,
    "starts_at" TEXT,
    "ends_at" TEXT,
    "member_type" TEXT,
    "assignment_type" TEXT,
    "schedule_id" TEXT,
    "member_at" TIMESTAMPTZ(6),
    "action" TEXT,
    "status" TEXT,
    "justification" TEXT,
    "ticket_number" TEXT,
    "duration" TEXT,
    "created_at" TEXT,

    CONSTRAINT "own_access_item_pkey" PRIMARY KEY ("tenant_id","principal_id","part","id"),
    CONSTRAINT "own_access_item_part_known" CHECK ("part" IN ('eligibilities', 'assignments', 'requests', 'eligibility-requests'))
);

-- When a request was last looked for in Entra, and the readings that it has cost lately: pages, replicas and the reconciler share them.
ALTER TABLE "access_request"
    ADD COLUMN "looked_at" TIMESTAMPTZ(6),
    ADD COLUMN "reads" TIMESTAMPTZ(6)[] DEFAULT ARRAY[]::TIMESTAMPTZ(6)[],
    ADD COLUMN "approved_by" TEXT,
    ADD COLUMN "approved_at" TIMESTAMPTZ(6);
