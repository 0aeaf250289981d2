-- The sync reads closed windows. What of a stretch of time is still to be read, and what can no longer be had, are rows.

ALTER TABLE "sync_source"
    -- When the look back over half an hour, over a day and over all that the source keeps was last done, by the source's time.
    ADD COLUMN "overlap_read_at" TIMESTAMPTZ(6),
    ADD COLUMN "day_read_at" TIMESTAMPTZ(6),
    ADD COLUMN "whole_read_at" TIMESTAMPTZ(6),
    -- How far the source's clock is ahead of ours, where that is more than a little.
    ADD COLUMN "ahead_ms" BIGINT NOT NULL DEFAULT 0,
    -- What the source logs in a day, as of the last look back over a day.
    ADD COLUMN "events_a_day" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "revisions" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "defects" BIGINT NOT NULL DEFAULT 0;

-- A stretch of time that is not in the mirror: being filled, filled, or gone for good. Never deleted.
CREATE TABLE "sync_gap" (
    "tenant_id" UUID NOT NULL,
    "gap_id" BIGSERIAL NOT NULL,
    "source" TEXT NOT NULL,
    "from_at" TIMESTAMPTZ(6) NOT NULL,
    "to_at" TIMESTAMPTZ(6) NOT NULL,
    -- Read from its beginning up to here.
    "filled_to" TIMESTAMPTZ(6) NOT NULL,
    -- first-start: what the tenant still had before the portal was there. It is no loss until it is one.
    "cause" TEXT NOT NULL,
    "noticed_at" TIMESTAMPTZ(6) NOT NULL,
    "closed_at" TIMESTAMPTZ(6),
    "closed_how" TEXT,

    CONSTRAINT "sync_gap_pkey" PRIMARY KEY ("tenant_id","gap_id"),
    CONSTRAINT "sync_gap_has_length" CHECK ("from_at" < "to_at" AND "filled_to" BETWEEN "from_at" AND "to_at"),
    CONSTRAINT "sync_gap_cause_known" CHECK ("cause" IN ('first-start', 'outage', 'unreadable', 'unavailable')),
    CONSTRAINT "sync_gap_closed_known" CHECK ("closed_how" IN ('filled', 'lost')),
    CONSTRAINT "sync_gap_closed_whole" CHECK (("closed_at" IS NULL) = ("closed_how" IS NULL))
);
CREATE INDEX "sync_gap_source" ON "sync_gap" ("tenant_id", "source", "from_at");

-- What is being read now, other than what is new: gone with its last page.
CREATE TABLE "sync_window" (
    "tenant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    -- live, day, whole, gap:ID, hour:INSTANT
    "reading" TEXT NOT NULL,
    "from_at" TIMESTAMPTZ(6) NOT NULL,
    "to_at" TIMESTAMPTZ(6) NOT NULL,
    "drained_to" TIMESTAMPTZ(6) NOT NULL,
    -- Length of the next window.
    "length_ms" BIGINT NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "not_before" TIMESTAMPTZ(6),

    CONSTRAINT "sync_window_pkey" PRIMARY KEY ("tenant_id","source","reading")
);

-- Requests by day of the source's time and by what they were for: new, late (read again for what shows late), back-fill.
CREATE TABLE "sync_request_count" (
    "tenant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "purpose" TEXT NOT NULL,
    "requests" INTEGER NOT NULL,

    CONSTRAINT "sync_request_count_pkey" PRIMARY KEY ("tenant_id","source","day","purpose")
);

-- People and groups whose activations are to be joined anew: written with the events, taken away with the join.
CREATE TABLE "activation_stale" (
    "tenant_id" UUID NOT NULL,
    "subject_id" TEXT NOT NULL,
    "group_id" TEXT NOT NULL,

    CONSTRAINT "activation_stale_pkey" PRIMARY KEY ("tenant_id","subject_id","group_id")
);

-- Found without reading the log: they are few, and shown on a page.
CREATE INDEX "audit_event_defect" ON "audit_event" ("tenant_id", "source", "activity_at", "event_id") WHERE "defect" IS NOT NULL;
CREATE INDEX "audit_event_revision" ON "audit_event" ("tenant_id", "source", "activity_at", "event_id") WHERE "revision" > 0;
