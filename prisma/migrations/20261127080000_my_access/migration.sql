-- What people arrange for themselves on My access: favourites, and sets that they activate together.
CREATE TABLE "access_favourite" (
    "tenant_id" UUID NOT NULL,
    "principal_id" UUID NOT NULL,
    "group_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "access_favourite_pkey" PRIMARY KEY ("tenant_id","principal_id","group_id")
);

CREATE TABLE "access_set" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "principal_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "group_ids" UUID[],
    "created_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "access_set_pkey" PRIMARY KEY ("tenant_id","id")
);
CREATE UNIQUE INDEX "access_set_tenant_id_principal_id_name_key" ON "access_set"("tenant_id", "principal_id", "name");
