-- The heat map and the months of all time, as the clocks of a time zone show them: what is asked for most was summed up as
-- the counts were brought up to date. Quarters of an hour, which serve every zone and every span, are too many to add up
-- while somebody waits: 35,000 a year.
CREATE TABLE "clock_zone" (
    "tenant_id" UUID NOT NULL,
    "time_zone" TEXT NOT NULL,
    "is_counted" BOOLEAN NOT NULL,

    CONSTRAINT "clock_zone_pkey" PRIMARY KEY ("tenant_id","time_zone")
);

-- A row is an hour of a weekday over all months (`month` is 0), or a month (`weekday` and `hour` are 0).
CREATE TABLE "event_clock" (
    "tenant_id" UUID NOT NULL,
    "time_zone" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "result" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "month" INTEGER NOT NULL,
    "weekday" INTEGER NOT NULL,
    "hour" INTEGER NOT NULL,
    "events" BIGINT NOT NULL,

    CONSTRAINT "event_clock_pkey" PRIMARY KEY ("tenant_id","time_zone","kind","result","source","month","weekday","hour")
);
