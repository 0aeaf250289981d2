-- What one person did with one group is found among all that the person did without reading the rows: the index of people
-- ends with what the group's key hashes to. Four bytes, where the key would be thirty-six of each entry; rows that hash alike
-- are told apart by the key itself.
DROP INDEX "audit_event_subject";
DROP INDEX "audit_event_actor";
CREATE INDEX "audit_event_subject_group" ON "audit_event" ("tenant_id", "subject_id", "activity_at", "source", "event_id", "revision", hashtext(coalesce("group_id", "group_name"))) WHERE "subject_id" IS NOT NULL;
CREATE INDEX "audit_event_actor_group" ON "audit_event" ("tenant_id", (coalesce("actor_id", "actor_name")), "activity_at", "source", "event_id", "revision", hashtext(coalesce("group_id", "group_name"))) WHERE coalesce("actor_id", "actor_name") IS NOT NULL;
