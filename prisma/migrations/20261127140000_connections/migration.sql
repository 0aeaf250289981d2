-- Connections through Private Access as the traffic log of Global Secure Access has them, for longer than that log keeps them. Rows are added and never changed.
CREATE TABLE "network_connection" (
    "tenant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "created_at_raw" TEXT NOT NULL,
    "user_id" TEXT,
    "user_principal_name" TEXT,
    "action" TEXT NOT NULL,
    "destination_host" TEXT,
    "destination_ip" TEXT,
    "destination_port" INTEGER,
    "application_id" TEXT,
    "application_by" TEXT,
    "raw" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(6) NOT NULL,
    "batch_id" BIGINT NOT NULL,
    "ordinal" INTEGER NOT NULL,

    CONSTRAINT "network_connection_pkey" PRIMARY KEY ("tenant_id","created_at","source","event_id"),
    CONSTRAINT "network_connection_source_known" CHECK ("source" IN ('traffic')),
    CONSTRAINT "network_connection_action_known" CHECK ("action" IN ('allow', 'block', 'other')),
    CONSTRAINT "network_connection_application" CHECK (("application_id" IS NULL) = ("application_by" IS NULL) AND "application_by" IN ('log', 'segments'))
) PARTITION BY RANGE ("created_at");
CREATE INDEX "network_connection_batch" ON "network_connection"("tenant_id", "batch_id", "ordinal");
CREATE INDEX "network_connection_by_user" ON "network_connection"("tenant_id", "user_id", "created_at");

-- Each row of a source once, whatever month it lies in: the partitioned table cannot say so by itself.
CREATE TABLE "network_connection_key" (
    "tenant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "network_connection_key_pkey" PRIMARY KEY ("tenant_id","source","event_id")
);

-- One partition a month, made when the first row of the month comes.
CREATE FUNCTION ensure_connection_partition(month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  first_day date := date_trunc('month', month)::date;
  partition_name text := 'network_connection_' || to_char(first_day, 'YYYYMM');
BEGIN
  IF to_regclass('public.' || partition_name) IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext(partition_name));
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.network_connection FOR VALUES FROM (%L) TO (%L)',
    partition_name, first_day::timestamp AT TIME ZONE 'UTC', (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC');
END
$$;

-- The traffic log names an application by this id, not by its service principal.
ALTER TABLE "catalog_application" ADD COLUMN "app_id" TEXT;

-- A source that is closed to the portal until somebody grants or buys something; it is asked for again once an hour.
ALTER TABLE "sync_source" ADD COLUMN "closed" TEXT;
ALTER TABLE "sync_source" ADD CONSTRAINT "sync_source_closed_known" CHECK ("closed" IN ('not-permitted', 'not-licensed', 'refused'));
