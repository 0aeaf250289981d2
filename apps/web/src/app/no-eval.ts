import { config } from 'zod';

// The page's policy forbids making code of text: without this zod would try it, and the browser would report a violation.
// It stands before every schema is made, so it is the first import of the app.
config({ jitless: true });
