import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Coverage, HistoryFilter } from './history.ts';
import { Instant } from './words.ts';

/** An export of more events than this is made, and its file taken, only within 10 minutes of a sign-in. */
export const LARGE_EXPORT = 10_000;

/** What to do where Microsoft Entra does not say when somebody signed in. No sign-in mends it. */
export const SIGN_IN_TIME_MEND = 'An administrator of Microsoft Entra can mend this: in the app registration of the portal, under Token configuration, add the optional claim auth_time to the ID token. Then sign out and sign in again.';

/** How the history can be taken along. `pack` is a ZIP with all that an auditor needs to check it elsewhere. */
export const ExportFormat = z.enum(['csv', 'ndjson', 'ocsf', 'cef', 'pack']);
export type ExportFormat = z.infer<typeof ExportFormat>;

const Meant = z.array(z.object({ role: z.enum(['actor', 'subject', 'group', 'application']), key: z.string(), events: z.number() }));
/** Whom and what the filters by name meant when an export was fixed, as the log knows them. Kept with it; not part of an answer. */
export const NamesMeant = z.object({ person: Meant, group: Meant, application: Meant }).partial();
export type NamesMeant = z.infer<typeof NamesMeant>;

export const Export = z.object({
  id: z.string(),
  format: ExportFormat,
  filter: HistoryFilter,
  askedBy: z.string(),
  askedAt: Instant,
  /** `building`: a pack is being made; the others stream when they are taken. */
  status: z.enum(['ready', 'building', 'failed']),
  /** Events in it, once known. */
  rows: z.int().nullable(),
  rowsDone: z.int(),
  /** Size in bytes, once known. */
  bytes: z.int().nullable(),
  sha256: z.string().nullable(),
  error: z.string().nullable(),
});
export type Export = z.infer<typeof Export>;

/** Where the continuous feed to a syslog receiver stands. */
export const SyslogFeed = z.object({
  receiver: z.string(),
  sentEvents: z.int(),
  waitingBatches: z.int(),
  lastSentAt: Instant.nullable(),
  lastError: z.string().nullable(),
  tryAfter: Instant.nullable(),
});
export type SyslogFeed = z.infer<typeof SyslogFeed>;

export const ListExports = {
  method: 'GET', path: '/api/exports', permission: 'history:export',
  summary: 'The latest exports, and where the continuous feed stands',
  response: z.object({ now: Instant, exports: z.array(Export), feed: SyslogFeed.nullable() }),
} as const satisfies Endpoint;

export const EstimateExport = {
  method: 'GET', path: '/api/exports/estimate', permission: 'history:export',
  summary: 'How much an export would hold, and how complete it would be',
  query: HistoryFilter,
  response: z.object({
    rows: z.int(),
    /** Counted to the last one, or estimated by the database. */
    exact: z.boolean(),
    bytes: z.int(),
    coverage: Coverage,
  }),
} as const satisfies Endpoint;

export const CreateExport = {
  method: 'POST', path: '/api/exports', permission: 'history:export', status: 201,
  summary: 'Fixes what an export holds: the log as it stands now, narrowed by the filter',
  body: z.strictObject({ format: ExportFormat, filter: HistoryFilter }),
  response: Export,
} as const satisfies Endpoint;

export const GetExport = {
  method: 'GET', path: '/api/exports/:exportId', permission: 'history:export',
  summary: 'One export: how far it is, and its checksum once it is made',
  params: z.strictObject({ exportId: z.guid() }),
  response: Export,
} as const satisfies Endpoint;

export const DownloadExport = {
  method: 'GET', path: '/api/exports/:exportId/file', permission: 'history:export', answers: 'file', offeredOn: '/history/exports',
  summary: 'The file. A download that broke off goes on with `offset`, the bytes that are there already: the rest is the same as it would have been',
  params: z.strictObject({ exportId: z.guid() }),
  query: z.strictObject({ offset: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0) }),
  response: z.undefined(),
} as const satisfies Endpoint;
