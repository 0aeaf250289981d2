import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Guid, Instant, OpenedApplication } from './words.ts';

/** PIM takes a wish for a longer eligibility this long before its end. In days. */
export const EXTENSION_ASKED_WITHIN_DAYS = 14;
/** And for a new one this long after its end. In days. */
export const RENEWAL_ASKED_WITHIN_DAYS = 30;

/** An eligibility of the person that ends soon, or that ended lately. */
export const EndingEligibility = z.object({
  groupId: z.string(),
  groupName: z.string(),
  applications: z.array(OpenedApplication),
  endsAt: Instant,
  ended: z.boolean(),
  /** What the person may ask an administrator for; `null`: nothing, and `message` says whom to ask. */
  ask: z.enum(['extend', 'renew']).nullable(),
  message: z.string().nullable(),
  /** The longest that the role settings allow; `null`: not known, or without a limit. */
  maxDays: z.int().nullable(),
  /** The newest wish: it waits for an administrator, or one denied it. */
  asked: z.object({ id: z.string(), at: Instant, until: Instant.nullable(), justification: z.string().nullable(), state: z.enum(['waiting', 'denied']) }).nullable(),
});
export type EndingEligibility = z.infer<typeof EndingEligibility>;

export const ListEndingEligibilities = {
  method: 'GET', path: '/api/access/eligibility', permission: 'access:use',
  summary: 'The person’s eligibilities that end soon or ended lately, and what can be asked for',
  response: z.object({ readAt: Instant, items: z.array(EndingEligibility), notKnown: z.array(z.string()) }),
} as const satisfies Endpoint;

export const AskForEligibility = {
  method: 'POST', path: '/api/access/eligibility/requests', permission: 'access:use', status: 201,
  summary: 'Asks an administrator for a longer eligibility before its end, or for a new one after it',
  body: z.strictObject({
    groupId: Guid,
    days: z.int('Whole days').min(1, 'A day at the least').max(3650),
    justification: z.string().trim().min(1, 'Say in a few words why you need it').max(500, 'At most 500 characters'),
  }),
  response: EndingEligibility,
} as const satisfies Endpoint;

export const CancelEligibilityRequest = {
  method: 'POST', path: '/api/access/eligibility/requests/:requestId/cancel', permission: 'access:use',
  summary: 'Takes back what the person asked about an eligibility, while no administrator has decided',
  params: z.strictObject({ requestId: Guid }),
  body: z.strictObject({}),
  response: z.object({ requestId: z.string(), groupId: z.string() }),
} as const satisfies Endpoint;
