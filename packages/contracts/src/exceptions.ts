import { z } from 'zod';
import { TrafficClosed, TrafficCoverage } from './connections.ts';
import type { Endpoint } from './endpoint.ts';
import { Instant } from './words.ts';

/** PIM activates no group for longer. In minutes. */
export const ACTIVATION_LASTS_AT_MOST_MINUTES = 24 * 60;
/** How late Microsoft may show an event of the audit log. In minutes. */
export const DIRECTORY_LATE_MINUTES = 60;

/** A connection that was let through to something that PIM-managed groups open, while no activation of that person covered it. */
export const UncoveredConnection = z.object({
  id: z.string(),
  at: Instant,
  principalId: z.string(),
  /** User principal name, or the id where the log names nobody. */
  principalName: z.string(),
  host: z.string().nullable(),
  port: z.int().nullable(),
  applicationName: z.string(),
  /** PIM-managed groups that open it now. */
  groups: z.array(z.string()),
});
export type UncoveredConnection = z.infer<typeof UncoveredConnection>;

/** An activation that is over, and during which nothing was reached that its group opens through Private Access. */
export const UnusedActivation = z.object({
  requestId: z.string(),
  principalId: z.string(),
  principalName: z.string(),
  groupName: z.string(),
  applications: z.array(z.string()),
  justification: z.string().nullable(),
  provisionedAt: Instant,
  endedAt: Instant,
});
export type UnusedActivation = z.infer<typeof UnusedActivation>;

/** The time about which a list can be sure; `null`: about none. */
const Judged = z.object({ from: Instant, to: Instant }).nullable();

export const ExceptionList = z.enum(['traffic', 'activations']);
export type ExceptionList = z.infer<typeof ExceptionList>;

export const GetExceptions = {
  method: 'GET', path: '/api/exceptions', permission: 'history:read',
  summary: 'Connections without an activation, and activations without a connection, newest first',
  query: z.strictObject({
    /** One of the two; both unless said. */
    list: ExceptionList.optional(),
    /** Of the list that is asked for. */
    cursor: z.string().max(500).optional(),
    limit: z.coerce.number().int().min(1).max(200).default(50),
  }).refine(({ list, cursor }) => cursor === undefined || list !== undefined, { path: ['cursor'], message: 'A cursor is of one list: say which' }),
  response: z.object({
    /** Connections by when they were made; what lies outside was not judged. `null`: was not asked for. */
    traffic: z.object({ rows: z.array(UncoveredConnection), nextCursor: z.string().nullable(), judged: Judged }).nullable(),
    /** Activations that began and ended within. `null`: was not asked for. */
    activations: z.object({ rows: z.array(UnusedActivation), nextCursor: z.string().nullable(), judged: Judged }).nullable(),
    /** Why nothing new can be said, where that is so. */
    cause: z.enum([...TrafficClosed.options, 'not-read']).nullable(),
    coverage: TrafficCoverage,
  }),
} as const satisfies Endpoint;
