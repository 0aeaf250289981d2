-- The history at ten million events: every filter has an index that gives its rows in the order of time, text is found by
-- its trigrams, and what is counted was counted as it came in.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- What free text is looked for in: the reason and the ticket, in small letters. It is made from the row alone, whichever
-- way the row comes in. The ticket is cut out of the text as received, which need not be JSON.
ALTER TABLE "audit_event" ADD COLUMN "search" TEXT GENERATED ALWAYS AS (
    CASE WHEN "result_reason" IS NULL AND strpos("raw", 'icket') = 0 THEN NULL
    ELSE lower(left(coalesce("result_reason", ''), 2000) || E'\n' ||
      CASE WHEN strpos("raw", 'icket') = 0 THEN '' ELSE coalesce(left(substring("raw" FROM '(?i)"ticket(?:number)?"\s*(?:,\s*"value")?\s*:\s*"([^"\\]*)'), 200), '') END) END
  ) STORED;
ALTER TABLE "activation" ADD COLUMN "search" TEXT GENERATED ALWAYS AS (
    CASE WHEN "justification" IS NULL AND "ticket_number" IS NULL THEN NULL ELSE lower(left(coalesce("justification", ''), 2000) || E'\n' || left(coalesce("ticket_number", ''), 200)) END
  ) STORED;

-- Each ends as the list is ordered, so that a page is read off the index and nothing is sorted. Who has no id is known by
-- the name.
DROP INDEX "audit_event_tenant_id_group_id_activity_at_idx";
DROP INDEX "audit_event_tenant_id_subject_id_activity_at_idx";
CREATE INDEX "audit_event_facets" ON "audit_event" ("tenant_id", "kind", "result", "source", "activity_at", "event_id", "revision");
CREATE INDEX "audit_event_subject" ON "audit_event" ("tenant_id", "subject_id", "activity_at", "source", "event_id", "revision");
CREATE INDEX "audit_event_actor" ON "audit_event" ("tenant_id", (coalesce("actor_id", "actor_name")), "activity_at", "source", "event_id", "revision") WHERE coalesce("actor_id", "actor_name") IS NOT NULL;
CREATE INDEX "audit_event_group" ON "audit_event" ("tenant_id", (coalesce("group_id", "group_name")), "activity_at", "source", "event_id", "revision") WHERE coalesce("group_id", "group_name") IS NOT NULL;
CREATE INDEX "audit_event_application" ON "audit_event" ("tenant_id", (coalesce("application_id", "application_name")), "activity_at", "source", "event_id", "revision") WHERE coalesce("application_id", "application_name") IS NOT NULL;
CREATE INDEX "audit_event_correlation" ON "audit_event" ("tenant_id", "correlation_id", "activity_at") WHERE "correlation_id" IS NOT NULL;
CREATE INDEX "audit_event_search" ON "audit_event" USING gin ("search" gin_trgm_ops) WHERE "search" IS NOT NULL;

DROP INDEX "activation_tenant_id_requested_at_request_id_idx";
DROP INDEX "activation_tenant_id_group_id_requested_at_idx";
DROP INDEX "activation_tenant_id_principal_id_group_id_requested_at_idx";
CREATE INDEX "activation_newest" ON "activation" ("tenant_id", "requested_at", "request_id");
CREATE INDEX "activation_of_person" ON "activation" ("tenant_id", "principal_id", "requested_at", "request_id");
CREATE INDEX "activation_of_group" ON "activation" ("tenant_id", "group_id", "requested_at", "request_id");
CREATE INDEX "activation_by_status" ON "activation" ("tenant_id", "status", "requested_at", "request_id");
CREATE INDEX "activation_of_decider" ON "activation" ("tenant_id", (coalesce("decided_by_id", "decided_by")), "requested_at", "request_id") WHERE coalesce("decided_by_id", "decided_by") IS NOT NULL;
CREATE INDEX "activation_search" ON "activation" USING gin ("search" gin_trgm_ops) WHERE "search" IS NOT NULL;
-- When memberships were: what lies across an instant or a span is found by it. One without an end has not been seen to end.
CREATE INDEX "activation_span" ON "activation" USING gist (tstzrange("provisioned_at", CASE WHEN "ended_at" IS NOT NULL THEN greatest("provisioned_at", "ended_at") END, '[]')) WHERE "provisioned_at" IS NOT NULL;

-- Who and what the log names, and in how many of its events.
CREATE TABLE "log_name" (
    "tenant_id" UUID NOT NULL,
    "role" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "events" BIGINT NOT NULL,

    CONSTRAINT "log_name_pkey" PRIMARY KEY ("tenant_id","role","key","name"),
    CONSTRAINT "log_name_role_known" CHECK ("role" IN ('actor', 'subject', 'group', 'application'))
);
CREATE INDEX "log_name_search" ON "log_name" USING gin (lower("name") gin_trgm_ops);

-- Events by quarter of an hour, by day and by month in UTC, and of all time. Every time zone in use lies a whole number of
-- quarters from UTC, so that hours of any of them are sums of these.
CREATE TABLE "event_count" (
    "tenant_id" UUID NOT NULL,
    "grain" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "result" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "bucket" TIMESTAMPTZ(6) NOT NULL,
    "events" BIGINT NOT NULL,

    CONSTRAINT "event_count_pkey" PRIMARY KEY ("tenant_id","grain","kind","result","source","bucket"),
    CONSTRAINT "event_count_grain_known" CHECK ("grain" IN ('quarter', 'day', 'month', 'all'))
);
CREATE INDEX "event_count_by_time" ON "event_count" ("tenant_id", "grain", "bucket");

-- What was added since both were brought up to date. Writers only ever add here, so that none waits for another.
CREATE TABLE "log_name_delta" (
    "tenant_id" UUID NOT NULL,
    "delta_id" BIGSERIAL NOT NULL,
    "role" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "events" BIGINT NOT NULL,

    CONSTRAINT "log_name_delta_pkey" PRIMARY KEY ("tenant_id","delta_id")
);
CREATE TABLE "event_count_delta" (
    "tenant_id" UUID NOT NULL,
    "delta_id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "result" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "bucket" TIMESTAMPTZ(6) NOT NULL,
    "events" BIGINT NOT NULL,

    CONSTRAINT "event_count_delta_pkey" PRIMARY KEY ("tenant_id","delta_id")
);

-- Once a statement and in its transaction: whatever way rows come in, they are counted, and with them or not at all.
CREATE FUNCTION count_audit_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_count_delta (tenant_id, kind, result, source, bucket, events)
    SELECT tenant_id, kind, result, source, date_bin('15 minutes', activity_at, '2000-01-01T00:00:00Z'), count(*) FROM fresh GROUP BY 1, 2, 3, 4, 5;
  INSERT INTO log_name_delta (tenant_id, role, key, name, events)
    SELECT tenant_id, role, key, coalesce(name, key), count(*)
    FROM fresh, LATERAL (VALUES
      ('actor', coalesce(actor_id, actor_name), actor_name), ('subject', subject_id, subject_name),
      ('group', coalesce(group_id, group_name), group_name), ('application', coalesce(application_id, application_name), application_name)) AS named (role, key, name)
    WHERE key IS NOT NULL GROUP BY 1, 2, 3, 4;
  RETURN NULL;
END
$$;
CREATE TRIGGER "audit_event_counted" AFTER INSERT ON "audit_event" REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION count_audit_events();

-- What is there already.
INSERT INTO "event_count_delta" ("tenant_id", "kind", "result", "source", "bucket", "events")
  SELECT tenant_id, kind, result, source, date_bin('15 minutes', activity_at, '2000-01-01T00:00:00Z'), count(*) FROM audit_event GROUP BY 1, 2, 3, 4, 5;
INSERT INTO "log_name_delta" ("tenant_id", "role", "key", "name", "events")
  SELECT tenant_id, role, key, coalesce(name, key), count(*)
  FROM audit_event, LATERAL (VALUES
    ('actor', coalesce(actor_id, actor_name), actor_name), ('subject', subject_id, subject_name),
    ('group', coalesce(group_id, group_name), group_name), ('application', coalesce(application_id, application_name), application_name)) AS named (role, key, name)
  WHERE key IS NOT NULL GROUP BY 1, 2, 3, 4;
