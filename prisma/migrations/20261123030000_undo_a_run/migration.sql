-- A run may take back what another one made; each is taken back by one run at the most.
ALTER TABLE "setup_run" ADD COLUMN "undoes" UUID;
ALTER TABLE "setup_run" ADD CONSTRAINT "setup_run_undoes_run" FOREIGN KEY ("tenant_id", "undoes") REFERENCES "setup_run" ("tenant_id", "id");
CREATE UNIQUE INDEX "setup_run_one_undo" ON "setup_run" ("tenant_id", "undoes") WHERE "undoes" IS NOT NULL;

-- How the tenant stood before the step, where taking it back needs more than the step's own words.
ALTER TABLE "setup_step" ADD COLUMN "before" JSONB;

-- A setup whose all was taken back leaves its group to another one.
ALTER TABLE "setup" ADD COLUMN "retired_at" TIMESTAMPTZ(6);
DROP INDEX "setup_one_per_group";
CREATE UNIQUE INDEX "setup_one_per_group" ON "setup" ("tenant_id", "group_id") WHERE "group_id" IS NOT NULL AND "retired_at" IS NULL;
