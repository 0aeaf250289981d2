-- What a filter by name means is looked up once and kept while this number, and how many rows wait for their names to be
-- summed up, stay as they are. Whoever changes what a name stands for moves it on without having to think of it.
CREATE TABLE "names_version" (
    "tenant_id" UUID NOT NULL,
    "version" BIGINT NOT NULL,

    CONSTRAINT "names_version_pkey" PRIMARY KEY ("tenant_id")
);

CREATE FUNCTION advance_names_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO names_version AS v (tenant_id, version) SELECT DISTINCT tenant_id, 1 FROM changed ON CONFLICT (tenant_id) DO UPDATE SET version = v.version + 1;
  RETURN NULL;
END
$$;

DO $$
DECLARE
  of_table text;
BEGIN
  FOREACH of_table IN ARRAY ARRAY['log_name', 'catalog_application', 'catalog_assignment'] LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION advance_names_version()', of_table || '_inserted', of_table);
    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION advance_names_version()', of_table || '_updated', of_table);
    EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %I REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION advance_names_version()', of_table || '_deleted', of_table);
  END LOOP;
END
$$;
-- Of rows that wait, the sum alone tells what was added, as long as none goes.
CREATE TRIGGER "log_unnamed_deleted" AFTER DELETE ON "log_unnamed" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION advance_names_version();
