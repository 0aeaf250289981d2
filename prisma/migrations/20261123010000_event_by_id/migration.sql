-- One event by its id: the key says in which month it lies, so that one partition is looked into and not all.
ALTER TABLE "audit_event_key" ADD COLUMN "activity_at" TIMESTAMPTZ(6);
UPDATE "audit_event_key" AS k SET "activity_at" = e."activity_at" FROM "audit_event" AS e
  WHERE e."tenant_id" = k."tenant_id" AND e."source" = k."source" AND e."event_id" = k."event_id";
ALTER TABLE "audit_event_key" ALTER COLUMN "activity_at" SET NOT NULL;
