import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { KeepGoingPlan, UnfinishedKeepGoing } from './keep-going.ts';
import { ActivationPolicy, MAX_ACTIVATION_MINUTES } from './role-settings.ts';
import { FIVE_MINUTE_FLOOR, Guid, Instant, OpenedApplication } from './words.ts';

/** Entra gives approvers this long; then a request lapses. In hours. */
export const APPROVAL_LAPSES_AFTER_HOURS = 24;
/** Global Secure Access tokens outlive a membership by up to this long. In minutes. */
export const NETWORK_MAY_STAY_OPEN_MINUTES = 90;

/** Where a person's request stands, in words; it rests at `active` and at the last five. */
export const RequestState = z.enum([
  /** Recorded here; Entra has not answered yet, or its answer was lost and is being looked for. */
  'asked',
  'awaiting-approval', 'scheduled', 'provisioning', 'active',
  'ended', 'denied', 'cancelled', 'lapsed', 'failed',
]);
export type RequestState = z.infer<typeof RequestState>;

/** One request of a person, as Entra and the portal know it. */
export const AccessRequest = z.object({
  /** The portal's own id, or Entra's where the request was made elsewhere. */
  id: z.string(),
  entraRequestId: z.string().nullable(),
  groupId: z.string(),
  state: RequestState,
  askedAt: Instant,
  startsAt: Instant.nullable(),
  minutes: z.int().nullable(),
  justification: z.string().nullable(),
  ticketNumber: z.string().nullable(),
  provisionedAt: Instant.nullable(),
  /** When the directory itself showed the membership (probe), not when PIM said so. */
  memberAt: Instant.nullable(),
  endsAt: Instant.nullable(),
  /** When an undecided request lapses: Entra gives approvers 24 hours. */
  lapsesAt: Instant.nullable(),
  /** Why it did not succeed, as a sentence. */
  failure: z.string().nullable(),
});
export type AccessRequest = z.infer<typeof AccessRequest>;

/** One group that the person may activate or has active, told by what it opens. */
export const AccessEntry = z.object({
  groupId: z.string(),
  groupName: z.string(),
  applications: z.array(OpenedApplication),
  /** `null`: active without being eligible any more. */
  eligibility: z.object({ endsAt: Instant.nullable(), through: z.enum(['direct', 'group']) }).nullable(),
  /** `null`: could not be read, so Entra alone will say. */
  policy: ActivationPolicy.nullable(),
  /** Active now. `canEndAt` is the five-minute floor. */
  active: z.object({ since: Instant.nullable(), endsAt: Instant.nullable(), canEndAt: Instant.nullable(), permanent: z.boolean() }).nullable(),
  /** The newest request, where it is not at rest or was denied, lapsed or failed within the last hour. */
  request: AccessRequest.nullable(),
  lastJustification: z.string().nullable(),
  /** Membership that ended less than 90 min ago: the network may stay open until then. */
  ended: z.object({ at: Instant, networkMayStayOpenUntil: Instant }).nullable(),
  /** Of an open activation: how it can be followed by the next one. */
  keepGoing: KeepGoingPlan.nullable(),
  /** A wish to keep going that stopped on the way. */
  unfinished: UnfinishedKeepGoing.nullable(),
});
export type AccessEntry = z.infer<typeof AccessEntry>;

export const MyAccess = z.object({
  readAt: Instant,
  entries: z.array(AccessEntry),
  /** Sentences about what could not be read. */
  notKnown: z.array(z.string()),
});
export type MyAccess = z.infer<typeof MyAccess>;

export const ListMyAccess = {
  method: 'GET', path: '/api/access', permission: 'access:use',
  summary: 'What the signed-in person may activate, has active, and waits for',
  response: MyAccess,
} as const satisfies Endpoint;

export const RequestActivation = {
  method: 'POST', path: '/api/access/activations', permission: 'access:use', status: 201,
  summary: 'Activates the person’s membership of a group',
  body: z.strictObject({
    groupId: Guid,
    minutes: z.int('Whole minutes').min(FIVE_MINUTE_FLOOR, 'PIM allows 5 min at the least').max(MAX_ACTIVATION_MINUTES, 'PIM allows 24 h at the most'),
    justification: z.string().trim().max(500, 'At most 500 characters').default(''),
    /** Absent: now. */
    startsAt: Instant.optional(),
    ticket: z.strictObject({
      number: z.string().trim().min(1, 'Give the ticket’s number').max(100),
      system: z.string().trim().max(100).default(''),
    }).optional(),
  }),
  response: AccessRequest,
} as const satisfies Endpoint;

export const GetAccessRequest = {
  method: 'GET', path: '/api/access/requests/:requestId', permission: 'access:use',
  summary: 'Where one of the person’s requests stands now',
  params: z.strictObject({ requestId: Guid }),
  response: AccessRequest,
} as const satisfies Endpoint;

export const CancelAccessRequest = {
  method: 'POST', path: '/api/access/requests/:requestId/cancel', permission: 'access:use',
  summary: 'Takes back a request that waits for approval or for its start',
  params: z.strictObject({ requestId: Guid }),
  body: z.strictObject({}),
  response: AccessRequest,
} as const satisfies Endpoint;

export const DeactivateAccess = {
  method: 'POST', path: '/api/access/deactivations', permission: 'access:use',
  summary: 'Ends the person’s active membership of a group',
  body: z.strictObject({ groupId: Guid }),
  response: z.object({
    groupId: z.string(),
    endedAt: Instant,
    networkMayStayOpenUntil: Instant,
    /** Whether the directory already shows the person as gone. */
    provedGone: z.boolean(),
  }),
} as const satisfies Endpoint;
