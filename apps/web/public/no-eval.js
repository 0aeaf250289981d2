// The page's policy forbids making code of text. zod would try it once and be refused, which the browser reports as a
// violation; this tells it not to, before any schema is made. The name is zod's own.
globalThis.__zod_globalConfig = { jitless: true };
