-- What was seen of the state of one thing (an eligibility, a membership, a policy, an assignment, an application, its
-- segments, a name), and when: one row each time it differs from what was seen last. A log: rows are only ever inserted.
-- It grows by changes and not by activity, so that it has no partitions.
CREATE TABLE "observation" (
    "tenant_id" UUID NOT NULL,
    "batch_id" BIGINT NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "thing" TEXT NOT NULL,
    "principal_id" TEXT,
    "group_id" TEXT,
    "application_id" TEXT,
    -- JSON with its keys in order; null: it is gone.
    "state" TEXT,
    "valid_from" TIMESTAMPTZ(6) NOT NULL,
    "valid_to" TIMESTAMPTZ(6),
    -- What valid_from rests on: Entra's own word (entra), the one audit event that tells of the change (event), or nothing
    -- but that it was seen (observed). Then the change lies anywhere from not_before on; null: it was never looked at before.
    "basis" TEXT NOT NULL,
    "event_id" TEXT,
    "not_before" TIMESTAMPTZ(6),
    "observed_at" TIMESTAMPTZ(6) NOT NULL,
    "source" TEXT NOT NULL,

    CONSTRAINT "observation_pkey" PRIMARY KEY ("tenant_id","batch_id","ordinal"),
    CONSTRAINT "observation_basis_known" CHECK ("basis" IN ('entra', 'event', 'observed')),
    CONSTRAINT "observation_event_named" CHECK (("basis" = 'event') = ("event_id" IS NOT NULL))
);
CREATE INDEX "observation_of_group" ON "observation" ("tenant_id", "group_id", "kind");
CREATE INDEX "observation_of_application" ON "observation" ("tenant_id", "application_id", "kind");
CREATE INDEX "observation_of_thing" ON "observation" ("tenant_id", "kind", "thing");

-- The last row of each thing, to compare with. Not part of the log: it can be made anew from it.
CREATE TABLE "observed_state" (
    "tenant_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "thing" TEXT NOT NULL,
    "group_id" TEXT,
    "state" TEXT,

    CONSTRAINT "observed_state_pkey" PRIMARY KEY ("tenant_id","kind","thing")
);
CREATE INDEX "observed_state_of_group" ON "observed_state" ("tenant_id", "group_id");

-- When each part of the tenant was last read whole, and when the audit log last told of a change in it.
CREATE TABLE "observed_scope" (
    "tenant_id" UUID NOT NULL,
    "scope" TEXT NOT NULL,
    "read_at" TIMESTAMPTZ(6) NOT NULL,
    "touched_at" TIMESTAMPTZ(6),

    CONSTRAINT "observed_scope_pkey" PRIMARY KEY ("tenant_id","scope")
);

-- Who was given or lost an eligibility or a standing membership of a group, among very many activations: PIM's own entries
-- of those are left out.
CREATE INDEX "audit_event_standing" ON "audit_event" ("tenant_id", "group_id", "activity_at")
  WHERE "kind" IN ('eligible-added', 'eligible-removed', 'assigned', 'assignment-removed')
     OR ("kind" IN ('member-added', 'member-removed') AND "actor_name" IS DISTINCT FROM 'MS-PIM');
