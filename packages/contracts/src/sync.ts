import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Instant } from './words.ts';

/** A stretch of time that the mirror does not have. */
export const Gap = z.object({
  from: Instant,
  to: Instant,
  /** first-start: what the tenant had before the portal was there; outage: nobody read; unreadable: no page came, but something else; unavailable: nothing came. */
  cause: z.enum(['first-start', 'outage', 'unreadable', 'unavailable']),
  /** Until when the source still has its beginning; `null`: it has not any more, and the gap stays. */
  fillableUntil: Instant.nullable(),
});
export type Gap = z.infer<typeof Gap>;

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
  /** What is missing: being filled, or gone for good. Oldest first. */
  gaps: z.array(Gap.extend({ noticedAt: Instant, filledTo: Instant })),
  /** What the tenant had before the portal was there, while it is being read; `null` once it is. */
  firstReading: z.object({ from: Instant, to: Instant, readTo: Instant }).nullable(),
  /** Requests of this day (UTC), by what they were for, and how many the source answers in a day. */
  requests: z.object({ new: z.int(), late: z.int(), backFill: z.int(), aDay: z.int() }),
  /** How often what was read is read again for what shows late, in minutes: half an hour back, a day back, and all that the source keeps. */
  looksBack: z.object({ halfHourEvery: z.int(), dayEvery: z.int(), wholeEvery: z.int(), wholeDays: z.int() }),
  /** Records with which something is wrong as they were received, and records that came again with other content. All are kept. `null`: of this source nobody looks. */
  defects: z.int().nullable(),
  revisions: z.int().nullable(),
});
export type SyncSource = z.infer<typeof SyncSource>;

export const GetSync = {
  method: 'GET', path: '/api/sync', permission: 'sync:read',
  summary: 'Where the mirror stands with each source',
  response: z.object({
    now: Instant,
    /** Whether Microsoft Entra said when who asks signed in. Where it does not, nobody takes much of the log along. */
    isSignInTimeKnown: z.boolean(),
    sources: z.array(SyncSource),
    catalog: z.object({ groups: z.int(), applications: z.int(), readAt: Instant.nullable() }),
  }),
} as const satisfies Endpoint;

export const SyncNow = {
  method: 'POST', path: '/api/sync', permission: 'sync:read', status: 202,
  summary: 'Reads the sources now instead of at the next tick',
  body: z.strictObject({}),
  response: z.object({ asked: z.literal(true) }),
} as const satisfies Endpoint;

/** A record that is odd as it was received, with its text. */
export const OddRecord = z.object({
  id: z.string(),
  /** 0 as first received; counted up each time that it came with other content. */
  revision: z.int(),
  at: Instant,
  receivedAt: Instant,
  activity: z.string(),
  /** What is wrong with it, in words; `null` where nothing is. */
  defect: z.string().nullable(),
  /** As received, or the beginning of it: `length` says how many characters it has. */
  raw: z.string(),
  length: z.int(),
});
export type OddRecord = z.infer<typeof OddRecord>;

export const ListOddRecords = {
  method: 'GET', path: '/api/sync/:source/odd', permission: 'history:read',
  summary: 'Records of a source with which something is wrong, or that came again with other content, last received first',
  params: z.strictObject({ source: z.string().max(100) }),
  query: z.strictObject({ kind: z.enum(['defect', 'revision']), cursor: z.string().regex(/^\d{1,18}:\d{1,9}$/).optional() }),
  response: z.object({ records: z.array(OddRecord), nextCursor: z.string().nullable() }),
} as const satisfies Endpoint;
