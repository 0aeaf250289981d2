-- What a session's person names it by, for its secret is known to nobody but the browser or the device, and where it began.
ALTER TABLE "session" ADD COLUMN "handle" UUID NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE "session" ADD COLUMN "address" TEXT;
CREATE UNIQUE INDEX "session_one_per_handle" ON "session"("tenant_id", "handle");

-- When the session ends that allowed the device: the device's own ends no later.
ALTER TABLE "device_sign_in" ADD COLUMN "session_expires_at" TIMESTAMPTZ(6);

-- Wrong codes count for a person. On the session they were forgotten with it: signing in again gave as many tries again.
-- The session's own columns stay for as long as a portal of the release before may run beside this one.
CREATE TABLE "device_code_attempt" (
    "tenant_id" UUID NOT NULL,
    "principal_id" UUID NOT NULL,
    "wrong_codes" INTEGER NOT NULL,
    "wrong_code_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "device_code_attempt_pkey" PRIMARY KEY ("tenant_id","principal_id")
);
