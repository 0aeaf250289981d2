-- Somebody may ask a run to rest after the step in hand, on any replica.
ALTER TABLE "setup_run" ADD COLUMN "stop_asked_by" TEXT;
ALTER TABLE "setup_run" DROP CONSTRAINT "setup_run_status_known";
ALTER TABLE "setup_run" ADD CONSTRAINT "setup_run_status_known" CHECK ("status" IN ('running', 'succeeded', 'failed', 'interrupted', 'stopped'));
