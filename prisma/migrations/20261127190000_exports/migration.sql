-- What was taken along out of the log: who asked, for what, and how far the log went then.
CREATE TABLE "export" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "format" TEXT NOT NULL,
    "filter" JSONB NOT NULL,
    "asked_by_id" UUID NOT NULL,
    "asked_by" TEXT NOT NULL,
    "asked_at" TIMESTAMPTZ(6) NOT NULL,
    -- The log as it stood: batches up to this one, but for those that were still open.
    "mark_batch" BIGINT NOT NULL,
    "mark_open" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "rows" BIGINT,
    "rows_done" BIGINT NOT NULL DEFAULT 0,
    "bytes" BIGINT,
    "sha256" TEXT,
    "error" TEXT,
    "lease_until" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "export_pkey" PRIMARY KEY ("tenant_id","id"),
    CONSTRAINT "export_format_known" CHECK ("format" IN ('csv', 'ndjson', 'ocsf', 'cef', 'pack')),
    CONSTRAINT "export_status_known" CHECK ("status" IN ('ready', 'building', 'failed'))
);
CREATE INDEX "export_asked" ON "export" ("tenant_id", "asked_at" DESC);

-- Where each month of an export ended in its bytes: a download that broke off goes on from the nearest.
CREATE TABLE "export_part" (
    "tenant_id" UUID NOT NULL,
    "export_id" UUID NOT NULL,
    "month" DATE NOT NULL,
    "bytes_to" BIGINT NOT NULL,

    CONSTRAINT "export_part_pkey" PRIMARY KEY ("tenant_id","export_id","month"),
    CONSTRAINT "export_part_of_export" FOREIGN KEY ("tenant_id","export_id") REFERENCES "export" ("tenant_id","id") ON DELETE CASCADE
);

-- Lists that somebody is reading on, until they rest: then how much was read goes on record.
CREATE TABLE "history_reading" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "person_id" UUID NOT NULL,
    "person" TEXT NOT NULL,
    "list" TEXT NOT NULL,
    "filter" JSONB NOT NULL,
    "filter_key" TEXT NOT NULL,
    "begun_at" TIMESTAMPTZ(6) NOT NULL,
    "last_at" TIMESTAMPTZ(6) NOT NULL,
    "pages" INTEGER NOT NULL,
    "rows" BIGINT NOT NULL,

    CONSTRAINT "history_reading_pkey" PRIMARY KEY ("tenant_id","id")
);
CREATE UNIQUE INDEX "history_reading_one" ON "history_reading" ("tenant_id", "person_id", "list", "filter_key");

-- How far a continuous feed was sent, and the batches before that which were still open then.
CREATE TABLE "log_feed" (
    "tenant_id" UUID NOT NULL,
    "feed" TEXT NOT NULL,
    "sent_batch" BIGINT NOT NULL DEFAULT 0,
    "sent_events" BIGINT NOT NULL DEFAULT 0,
    "last_sent_at" TIMESTAMPTZ(6),
    "last_error" TEXT,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "try_after" TIMESTAMPTZ(6),

    CONSTRAINT "log_feed_pkey" PRIMARY KEY ("tenant_id","feed")
);
CREATE TABLE "log_feed_open" (
    "tenant_id" UUID NOT NULL,
    "feed" TEXT NOT NULL,
    "batch_id" BIGINT NOT NULL,
    "seen_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "log_feed_open_pkey" PRIMARY KEY ("tenant_id","feed","batch_id"),
    CONSTRAINT "log_feed_open_of_feed" FOREIGN KEY ("tenant_id","feed") REFERENCES "log_feed" ("tenant_id","feed") ON DELETE CASCADE
);

-- How long a source's months are kept; a source without a row: seven years.
CREATE TABLE "retention_policy" (
    "tenant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "months" INTEGER NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL,
    "changed_by" TEXT NOT NULL,

    CONSTRAINT "retention_policy_pkey" PRIMARY KEY ("tenant_id","source"),
    CONSTRAINT "retention_policy_at_least_a_year" CHECK ("months" BETWEEN 12 AND 600)
);
CREATE TABLE "legal_hold" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "from_month" DATE,
    "to_month" DATE,
    "set_at" TIMESTAMPTZ(6) NOT NULL,
    "set_by" TEXT NOT NULL,
    "lifted_at" TIMESTAMPTZ(6),
    "lifted_by" TEXT,

    CONSTRAINT "legal_hold_pkey" PRIMARY KEY ("tenant_id","id")
);

-- A month of the log that is to be dropped: announced, archived, the archive read back, dropped.
CREATE TABLE "month_archive" (
    "tenant_id" UUID NOT NULL,
    "log" TEXT NOT NULL,
    "month" DATE NOT NULL,
    "status" TEXT NOT NULL,
    "planned_at" TIMESTAMPTZ(6) NOT NULL,
    "due_at" TIMESTAMPTZ(6) NOT NULL,
    "file" TEXT,
    "sha256" TEXT,
    "bytes" BIGINT,
    "rows" BIGINT,
    "verified_at" TIMESTAMPTZ(6),
    "dropped_at" TIMESTAMPTZ(6),
    "error" TEXT,

    CONSTRAINT "month_archive_pkey" PRIMARY KEY ("tenant_id","log","month"),
    CONSTRAINT "month_archive_status_known" CHECK ("status" IN ('planned', 'verified', 'dropped')),
    CONSTRAINT "month_archive_notice" CHECK ("due_at" >= "planned_at" + interval '30 days'),
    CONSTRAINT "month_archive_verified_whole" CHECK ("status" = 'planned' OR ("file" IS NOT NULL AND "sha256" IS NOT NULL AND "rows" IS NOT NULL AND "verified_at" IS NOT NULL))
);

-- Every role that the portal runs as may insert into the log and read it, and no more: a month is dropped by this function
-- alone, which looks at its conditions itself. It believes the caller's clock only where that is behind the server's.
CREATE FUNCTION drop_audit_month(of_month date, as_of timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  first_day date := date_trunc('month', of_month)::date;
  ends_at timestamptz := (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC';
  begins_at timestamptz := first_day::timestamp AT TIME ZONE 'UTC';
  at timestamptz := least(as_of, clock_timestamp());
  partition_name text := 'audit_event_' || to_char(first_day, 'YYYYMM');
  whose record;
  dropped bigint := 0;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = 'public.audit_event'::regclass AND inhrelid = to_regclass('public.' || partition_name)) THEN
    RAISE EXCEPTION 'month % is not there', first_day USING ERRCODE = 'no_data_found';
  END IF;
  -- Nothing may come in between the count and the end.
  EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', partition_name);
  FOR whose IN EXECUTE format('SELECT tenant_id, count(*) AS rows, array_agg(DISTINCT source) AS sources FROM public.%I GROUP BY tenant_id', partition_name) LOOP
    IF EXISTS (SELECT 1 FROM unnest(whose.sources) AS s (source) LEFT JOIN retention_policy AS p ON p.tenant_id = whose.tenant_id AND p.source = s.source
               WHERE ends_at + make_interval(months => coalesce(p.months, 84)) > at) THEN
      RAISE EXCEPTION 'month % is younger than its retention', first_day USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF EXISTS (SELECT 1 FROM legal_hold AS h WHERE h.tenant_id = whose.tenant_id AND h.lifted_at IS NULL
               AND (h.from_month IS NULL OR h.from_month <= first_day) AND (h.to_month IS NULL OR h.to_month >= first_day)) THEN
      RAISE EXCEPTION 'month % is held', first_day USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM month_archive AS a WHERE a.tenant_id = whose.tenant_id AND a.log = 'audit_event' AND a.month = first_day
                   AND a.status = 'verified' AND a.rows = whose.rows AND a.due_at <= at) THEN
      RAISE EXCEPTION 'month % has no verified archive of all its rows whose notice is over', first_day USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    UPDATE month_archive SET status = 'dropped', dropped_at = at WHERE tenant_id = whose.tenant_id AND log = 'audit_event' AND month = first_day;
    -- What was joined from the month's events alone goes with them.
    DELETE FROM activation WHERE tenant_id = whose.tenant_id AND requested_at >= begins_at AND requested_at < ends_at AND (ended_at IS NULL AND status NOT IN ('active', 'scheduled') OR ended_at < ends_at);
    dropped := dropped + whose.rows;
  END LOOP;
  EXECUTE format('ALTER TABLE public.audit_event DETACH PARTITION public.%I', partition_name);
  EXECUTE format('DROP TABLE public.%I', partition_name);
  RETURN dropped;
END
$$;
