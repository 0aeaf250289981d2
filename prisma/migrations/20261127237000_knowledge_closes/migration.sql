-- Whoever was told what was known at an instant is told the same for ever: nothing is signed at or before it any more.
ALTER TABLE "ledger_sealer" ADD COLUMN "known_to" TIMESTAMPTZ(6);
