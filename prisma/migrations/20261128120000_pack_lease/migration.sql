-- Who makes a pack holds it by a token of its own: who was taken for dead and comes back late changes nothing any more. Until
-- then leases went by the business clock, which a demo moves: those that stand are over.
ALTER TABLE "export" ADD COLUMN "lease_token" UUID;
UPDATE "export" SET "lease_until" = NULL WHERE "lease_until" IS NOT NULL;
