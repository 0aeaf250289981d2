-- A session of a device, by its name; of a browser, how often its person entered a code that nobody was given.
ALTER TABLE "session" ADD COLUMN "device" TEXT;
ALTER TABLE "session" ADD COLUMN "wrong_codes" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "session" ADD COLUMN "wrong_code_at" TIMESTAMPTZ(6);

-- A device without a browser is signed in by a person at one (RFC 8628). Both codes are kept as keyed hashes.
CREATE TABLE "device_sign_in" (
    "tenant_id" UUID NOT NULL,
    "device_hash" BYTEA NOT NULL,
    "user_hash" BYTEA NOT NULL,
    "device_name" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "interval_seconds" INTEGER NOT NULL,
    "polled_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "principal_id" UUID,
    "name" TEXT,
    "upn" TEXT,
    "roles" TEXT[],
    "account_id" TEXT,

    CONSTRAINT "device_sign_in_pkey" PRIMARY KEY ("tenant_id","device_hash"),
    CONSTRAINT "device_sign_in_status_known" CHECK ("status" IN ('pending', 'allowed', 'denied', 'claimed')),
    -- Allowed is by somebody, whose session it becomes; nobody else is kept.
    CONSTRAINT "device_sign_in_allowed_by_a_person" CHECK (("status" IN ('allowed', 'claimed')) = ("principal_id" IS NOT NULL AND "name" IS NOT NULL AND "upn" IS NOT NULL AND "account_id" IS NOT NULL))
);
CREATE UNIQUE INDEX "device_sign_in_one_per_user_code" ON "device_sign_in"("tenant_id", "user_hash");
