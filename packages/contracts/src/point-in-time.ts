import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { ActivationPolicy } from './role-settings.ts';
import { ApplicationKind, Instant, Segment } from './words.ts';

/** Whether what is said was seen or told of; else it may be so, and the reasons say why it is not known. */
export const Certainty = z.enum(['observed', 'not-known']);
export type Certainty = z.infer<typeof Certainty>;

/** Why a line is there, or why it is not certain. */
export const PointReason = z.enum([
  'eligible-as-read', 'eligible-as-logged', 'standing-as-read', 'standing-as-logged', 'activation-as-logged', 'activation-as-read',
  /** Seen later, and never looked at before: whether it was so already is not known. */
  'before-first-observation',
  /** It changed between two readings, and the log does not say when. */
  'between-readings',
  /** The log tells of its removal, and what was read does not. */
  'removal-not-confirmed',
  /** The log tells of its beginning and not of its end. */
  'end-not-known',
  /** PIM did not manage the group then, so that nothing of it was read. */
  'group-not-read',
  /** Whether the group opened what is asked about is not known. */
  'opening-not-known',
]);
export type PointReason = z.infer<typeof PointReason>;

/** What a line rests on: an event of the history, or a reading of the tenant. */
export const PointEvidence = z.object({
  kind: z.enum(['event', 'observation']),
  /** Of an event as in the history, `source:eventId`; of an observation `batch.ordinal`. */
  id: z.string(),
  /** When the event happened; when the reading was made. */
  at: Instant,
  /** The event's kind; what was read. */
  what: z.string(),
});
export type PointEvidence = z.infer<typeof PointEvidence>;

const Named = z.object({ id: z.string(), name: z.string() });

/** A way to what is asked about: a group, and the application that it opened. */
export const PointPath = z.object({
  group: Named,
  /** `null`: the group itself is asked about. */
  application: Named.extend({ kind: ApplicationKind, assignmentRequired: z.boolean(), segments: z.array(Segment) }).nullable(),
  certainty: Certainty,
  reasons: z.array(PointReason),
  /** What activating the group asked for at that time; `null`: it is not known. */
  policy: ActivationPolicy.nullable(),
  policyCertainty: Certainty,
  evidence: z.array(PointEvidence),
});
export type PointPath = z.infer<typeof PointPath>;

export const PointWay = z.enum(['eligible', 'standing', 'activated']);
export type PointWay = z.infer<typeof PointWay>;

export const PointRow = z.object({
  principal: Named.extend({ kind: z.enum(['user', 'group', 'servicePrincipal', 'unknown']) }),
  group: Named,
  way: PointWay,
  certainty: Certainty,
  reasons: z.array(PointReason),
  from: Instant.nullable(),
  /** Exclusive; as far as it was known. */
  until: Instant.nullable(),
  /** Of an activation that the log tells of. */
  requestId: z.string().nullable(),
  evidence: z.array(PointEvidence),
});
export type PointRow = z.infer<typeof PointRow>;

/** Since when facts are known; `null`: they were not, at the time whose knowledge is asked for. */
export const PointCoverage = z.object({
  /** The audit log is in the mirror without a gap since. */
  eventsFrom: Instant.nullable(),
  /** Applications, their segments and which group opens them are read since. */
  applicationsFrom: Instant.nullable(),
  /** Who is eligible and who is a member is read since, of the groups of the answer. */
  groups: z.array(Named.extend({ from: Instant.nullable(), readThen: z.boolean() })),
});
export type PointCoverage = z.infer<typeof PointCoverage>;

export const PointAnswer = z.object({
  target: z.object({ kind: z.enum(['application', 'group', 'host']), id: z.string().nullable(), name: z.string() }),
  at: Instant,
  /** What was known at this instant is what the answer rests on: the same question with it is answered the same for ever. */
  knownAt: Instant,
  /** The ledger's last checkpoint by then: the batches that it has whole are what was known, but for months dropped since. Its size is in leaves: one a row, and one more a batch. `null`: nothing was sealed. */
  checkpoint: z.object({ size: z.int(), signedAt: Instant }).nullable(),
  /** As known today only: since when something that was received waits to be sealed, longer than that takes; it is not in the answer. */
  behindSince: Instant.nullable(),
  coverage: PointCoverage,
  paths: z.array(PointPath),
  could: z.object({ total: z.int(), rows: z.array(PointRow) }),
  had: z.object({ total: z.int(), rows: z.array(PointRow) }),
  nextCursor: z.string().nullable(),
});
export type PointAnswer = z.infer<typeof PointAnswer>;

export const AskPointInTime = {
  method: 'GET', path: '/api/point-in-time', permission: 'history:read',
  summary: 'Who could reach an application, a host or a group at an instant, and who had access, as known today or at an earlier instant',
  query: z.strictObject({
    /** `application:ID`, `group:ID`, or a destination such as `fin-rep.corp.example:443`. */
    to: z.string().trim().min(1, 'Name an application, a group, or a host').max(2048),
    at: Instant,
    /** `today`, or the instant whose knowledge is asked for. */
    known: z.union([z.literal('today'), Instant]).default('today'),
    cursor: z.string().max(500).optional(),
    limit: z.coerce.number().int().min(1).max(500).default(100),
  }),
  response: PointAnswer,
} as const satisfies Endpoint;

export const ListPointInTimeTargets = {
  method: 'GET', path: '/api/point-in-time/targets', permission: 'history:read',
  summary: 'Applications and groups that can be asked about, those that are gone among them',
  response: z.object({ applications: z.array(Named.extend({ gone: z.boolean() })), groups: z.array(Named.extend({ gone: z.boolean() })) }),
} as const satisfies Endpoint;
