-- When the person of a session last proved to Microsoft Entra who they are: some things are only done soon after that.
ALTER TABLE "session" ADD COLUMN "authenticated_at" TIMESTAMPTZ(6);
