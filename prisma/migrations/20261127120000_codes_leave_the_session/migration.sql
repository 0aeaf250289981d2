-- Wrong codes count for a person (device_code_attempt). No portal writes or reads these any more.
ALTER TABLE "session" DROP COLUMN "wrong_codes", DROP COLUMN "wrong_code_at";
