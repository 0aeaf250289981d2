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
  /** When the policy was read; `null` as above. */
  policyReadAt: Instant.nullable(),
  /** Active now, by PIM's word. `canEndAt` is the five-minute floor; `memberAt`: when the directory itself showed the membership, `null`: it was not seen to yet. */
  active: z.object({ since: Instant.nullable(), endsAt: Instant.nullable(), canEndAt: Instant.nullable(), memberAt: Instant.nullable(), permanent: z.boolean() }).nullable(),
  /** The newest request, where it is not at rest or was denied, lapsed or failed within the last hour. */
  request: AccessRequest.nullable(),
  /** What the person gave as the reason when they last asked for it, and for how long; `null`: not on record. */
  lastJustification: z.string().nullable(),
  lastMinutes: z.int().nullable(),
  /** When that was; what was refused does not count. */
  lastAskedAt: Instant.nullable(),
  /** Whether the person keeps it at the top. */
  favourite: z.boolean(),
  /** Membership that ended less than 90 min ago: the network may stay open until then. */
  ended: z.object({ at: Instant, networkMayStayOpenUntil: Instant }).nullable(),
  /** Of an open activation: how it can be followed by the next one. */
  keepGoing: KeepGoingPlan.nullable(),
  /** A wish to keep going that stopped on the way. */
  unfinished: UnfinishedKeepGoing.nullable(),
});
export type AccessEntry = z.infer<typeof AccessEntry>;

/** At the most so many are activated with one request, and kept in one set. */
export const MOST_AT_ONCE = 25;

/** Groups that the person activates together. */
export const AccessSet = z.object({ id: z.string(), name: z.string(), groupIds: z.array(z.string()) });
export type AccessSet = z.infer<typeof AccessSet>;

export const MyAccess = z.object({
  /** When the oldest of what is shown was read from Entra; what the person does here is in it at once. */
  readAt: Instant,
  entries: z.array(AccessEntry),
  /** By name. */
  sets: z.array(AccessSet),
  /** Sentences about what could not be read. */
  notKnown: z.array(z.string()),
});
export type MyAccess = z.infer<typeof MyAccess>;

export const ListMyAccess = {
  method: 'GET', path: '/api/access', permission: 'access:use',
  summary: 'What the signed-in person may activate, has active, and waits for',
  /** `fresh`: read from Entra anew, where it was not a moment ago. */
  query: z.strictObject({ fresh: z.enum(['yes']).optional() }),
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

export const ActivationOutcome = z.object({
  groupId: z.string(),
  outcome: z.enum([
    'asked',
    /** It is open or under way: nothing was asked for. */
    'skipped',
    'refused',
    /** Entra asks to verify that it is the person; activated by itself, it will. */
    'verify',
    /** Entra did not answer: whether it was asked for is being looked up. */
    'unknown',
  ]),
  /** What became of it, where it was asked for. */
  request: AccessRequest.nullable(),
  /** Why not, as a sentence. */
  reason: z.string().nullable(),
});
export type ActivationOutcome = z.infer<typeof ActivationOutcome>;

export const RequestActivations = {
  method: 'POST', path: '/api/access/activations/many', permission: 'access:use',
  summary: 'Activates several of the person’s memberships for one reason, and tells what became of each',
  body: z.strictObject({
    items: z.array(z.strictObject({ groupId: Guid, minutes: RequestActivation.body.shape.minutes })).min(1, 'Choose at least one').max(MOST_AT_ONCE, `At most ${MOST_AT_ONCE} at once`)
      .refine((items) => new Set(items.map(({ groupId }) => groupId)).size === items.length, 'Each only once'),
    justification: RequestActivation.body.shape.justification,
    ticket: RequestActivation.body.shape.ticket,
  }),
  /** In the order asked for. */
  response: z.object({ items: z.array(ActivationOutcome) }),
} as const satisfies Endpoint;

export const CheckActivation = {
  method: 'POST', path: '/api/access/activations/check', permission: 'access:use',
  summary: 'Asks Microsoft Entra whether an activation would be granted; changes nothing',
  body: RequestActivation.body,
  response: z.object({
    verdict: z.enum(['would-activate', 'would-wait-for-approval', 'would-ask-to-verify', 'would-refuse']),
    /** What is in the way, at the field that mends it. */
    issues: z.array(z.object({ path: z.string(), message: z.string() })),
    checkedAt: Instant,
  }),
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

export const SetFavourite = {
  method: 'POST', path: '/api/access/favourites', permission: 'access:use',
  summary: 'Keeps a group at the top of the person’s list, or no longer',
  body: z.strictObject({ groupId: Guid, favourite: z.boolean() }),
  response: z.object({ groupId: z.string(), favourite: z.boolean() }),
} as const satisfies Endpoint;

export const SaveAccessSet = {
  method: 'POST', path: '/api/access/sets', permission: 'access:use', status: 201,
  summary: 'Saves groups that the person activates together, in the place of their set of that name',
  body: z.strictObject({
    name: z.string().trim().min(1, 'Give it a name').max(60, 'At most 60 characters'),
    groupIds: z.array(Guid).min(1, 'Choose what belongs to it').max(MOST_AT_ONCE, `At most ${MOST_AT_ONCE}`),
  }),
  response: AccessSet,
} as const satisfies Endpoint;

export const RemoveAccessSet = {
  method: 'POST', path: '/api/access/sets/:setId/remove', permission: 'access:use',
  summary: 'Removes one of the person’s sets; what is active stays active',
  params: z.strictObject({ setId: Guid }),
  body: z.strictObject({}),
  response: AccessSet,
} as const satisfies Endpoint;

/** An application's name as links write it: `Finance reports` → `finance-reports`. Empty where the name has neither letters nor digits. */
export const applicationSlug = (name: string): string => name.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '');

/** What opens a destination or an application for the person. */
export const AccessTarget = z.object({
  /** What was looked for, as it was understood. */
  wanted: z.string(),
  outcome: z.enum([
    /** One grant opens it. */
    'activate',
    /** Several do, and none of them is plainly the smallest. */
    'ambiguous',
    'open', 'waiting',
    /** Nothing that the person may open does; that includes what could not be read. */
    'unknown',
    /** It names no machine. */
    'malformed',
  ]),
  /** The groups that it is about, the smallest grant first. */
  groupIds: z.array(z.string()),
  /** Everything of the person's, for these groups are told by it. */
  access: MyAccess,
});
export type AccessTarget = z.infer<typeof AccessTarget>;

export const FindAccess = {
  method: 'GET', path: '/api/access/find', permission: 'access:use',
  summary: 'Finds the smallest grant of the person’s that opens a destination or an application',
  query: z.strictObject({
    /** `host`, `host:port` or an address such as `https://host/page`. */
    to: z.string().trim().min(1).max(500).optional(),
    /** An application’s id, or its name as links write it. */
    application: z.string().trim().min(1).max(300).optional(),
  }).refine(({ to, application }) => (to === undefined) !== (application === undefined), { error: 'Name a destination or an application', path: ['to'] }),
  response: AccessTarget,
} as const satisfies Endpoint;
