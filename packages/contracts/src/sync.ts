import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Instant } from './words.ts';

export const SyncSource = z.object({
  source: z.string(),
  /** What it is, in words. */
  title: z.string(),
  completeFrom: Instant.nullable(),
  completeTo: Instant.nullable(),
  lastSuccessAt: Instant.nullable(),
  lastError: z.string().nullable(),
  /** A source that is optional and closed to the portal; `lastError` says why. It holds up nothing. */
  off: z.boolean(),
  events: z.int(),
});
export type SyncSource = z.infer<typeof SyncSource>;

export const GetSync = {
  method: 'GET', path: '/api/sync', permission: 'sync:read',
  summary: 'Where the mirror stands with each source',
  response: z.object({ now: Instant, sources: z.array(SyncSource), catalog: z.object({ groups: z.int(), applications: z.int(), readAt: Instant.nullable() }) }),
} as const satisfies Endpoint;

export const SyncNow = {
  method: 'POST', path: '/api/sync', permission: 'sync:read', status: 202,
  summary: 'Reads the sources now instead of at the next tick',
  body: z.strictObject({}),
  response: z.object({ asked: z.literal(true) }),
} as const satisfies Endpoint;
