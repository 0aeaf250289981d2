-- The first look at a setup may fail: there is something to say then, and nothing seen.
ALTER TABLE "setup_drift" ALTER COLUMN "looked_at" DROP NOT NULL;
