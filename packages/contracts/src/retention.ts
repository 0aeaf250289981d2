import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Instant } from './words.ts';

/** A calendar month in UTC, such as 2019-11. */
export const Month = z.string().regex(/^(?!0000)\d{4}-(0[1-9]|1[0-2])$/);

export const RetentionPolicy = z.object({ source: z.enum(['directory', 'portal', 'traffic']), months: z.int(), changedAt: Instant.nullable(), changedBy: z.string().nullable() });
export type RetentionPolicy = z.infer<typeof RetentionPolicy>;

export const LegalHold = z.object({ id: z.string(), reason: z.string(), fromMonth: Month.nullable(), toMonth: Month.nullable(), setAt: Instant, setBy: z.string() });
export type LegalHold = z.infer<typeof LegalHold>;

/** Why the database does not drop a month, though its time is over by the portal's clock. It looks by itself, and is asked again. */
export const DropRefusal = z.enum(['not-announced', 'dropped-before', 'held', 'no-notice', 'not-archived', 'no-rows', 'other-tenants', 'not-over', 'not-sealed', 'not-checked', 'failed']);
export type DropRefusal = z.infer<typeof DropRefusal>;

/** The logs that are kept by months: Entra's audit log with the portal's own actions, and the traffic log. */
export const MonthlyLog = z.enum(['audit_event', 'network_connection']);
export type MonthlyLog = z.infer<typeof MonthlyLog>;

/** A month whose time is over: announced, archived and the archive read back, then dropped. */
export const PlannedDrop = z.object({
  log: MonthlyLog,
  month: Month,
  status: z.enum(['planned', 'verified', 'dropped']),
  plannedAt: Instant,
  /** It is not dropped before. */
  dueAt: Instant,
  /** Whether a legal hold keeps it. */
  held: z.boolean(),
  file: z.string().nullable(),
  sha256: z.string().nullable(),
  rows: z.int().nullable(),
  bytes: z.int().nullable(),
  verifiedAt: Instant.nullable(),
  droppedAt: Instant.nullable(),
  error: z.string().nullable(),
  refusal: DropRefusal.nullable(),
});
export type PlannedDrop = z.infer<typeof PlannedDrop>;

export const GetRetention = {
  method: 'GET', path: '/api/retention', permission: 'retention:read',
  summary: 'How long the log is kept, what holds it longer, and which months are past their time',
  response: z.object({ now: Instant, policies: z.array(RetentionPolicy), holds: z.array(LegalHold), drops: z.array(PlannedDrop), noticeDays: z.int() }),
} as const satisfies Endpoint;

export const SetRetention = {
  method: 'POST', path: '/api/retention/policies', permission: 'retention:manage',
  summary: 'Keeps the months of a source for so long',
  body: z.strictObject({ source: RetentionPolicy.shape.source, months: z.int().min(12).max(600) }),
  response: z.object({ policies: z.array(RetentionPolicy) }),
} as const satisfies Endpoint;

export const SetHold = {
  method: 'POST', path: '/api/retention/holds', permission: 'retention:manage', status: 201,
  summary: 'Holds months back from being dropped, until the hold is lifted',
  body: z.strictObject({ reason: z.string().trim().min(1).max(500), fromMonth: Month.nullable(), toMonth: Month.nullable() }),
  response: LegalHold,
} as const satisfies Endpoint;

export const LiftHold = {
  method: 'POST', path: '/api/retention/holds/:holdId/lift', permission: 'retention:manage',
  summary: 'Lifts a legal hold; what it held is announced anew before it is dropped',
  params: z.strictObject({ holdId: z.guid() }), body: z.strictObject({}),
  response: z.object({ lifted: z.literal(true) }),
} as const satisfies Endpoint;
