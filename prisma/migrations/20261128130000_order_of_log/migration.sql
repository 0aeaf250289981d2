-- Events of the same instant stand in the order in which the log took them: by batch and place, two numbers, where each entry
-- of each index ended with the event's source, id and revision, and each comparison went through them. That an event is there
-- once is the matter of audit_event_key.
DROP INDEX "audit_event_facets";
DROP INDEX "audit_event_subject_group";
DROP INDEX "audit_event_actor_group";
DROP INDEX "audit_event_group";
DROP INDEX "audit_event_application";
ALTER TABLE "audit_event" DROP CONSTRAINT "audit_event_pkey";
ALTER TABLE "audit_event" ADD CONSTRAINT "audit_event_pkey" PRIMARY KEY ("tenant_id", "activity_at", "batch_id", "ordinal");
CREATE INDEX "audit_event_by_facets" ON "audit_event" ("tenant_id", "kind", "result", "source", "activity_at", "batch_id", "ordinal");
CREATE INDEX "audit_event_by_subject" ON "audit_event" ("tenant_id", "subject_id", "activity_at", "batch_id", "ordinal", hashtext(coalesce("group_id", "group_name"))) WHERE "subject_id" IS NOT NULL;
CREATE INDEX "audit_event_by_actor" ON "audit_event" ("tenant_id", (coalesce("actor_id", "actor_name")), "activity_at", "batch_id", "ordinal", hashtext(coalesce("group_id", "group_name"))) WHERE coalesce("actor_id", "actor_name") IS NOT NULL;
CREATE INDEX "audit_event_by_group" ON "audit_event" ("tenant_id", (coalesce("group_id", "group_name")), "activity_at", "batch_id", "ordinal") WHERE coalesce("group_id", "group_name") IS NOT NULL;
CREATE INDEX "audit_event_by_application" ON "audit_event" ("tenant_id", (coalesce("application_id", "application_name")), "activity_at", "batch_id", "ordinal") WHERE coalesce("application_id", "application_name") IS NOT NULL;
