import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Guid, Instant, OpenedApplication } from './words.ts';

/**
 * Within this time after sign-ins were revoked, a Global Secure Access client that knows continuous access evaluation has
 * lost its connections. In minutes; Microsoft names 4 to 10 and allows 15.
 */
export const REVOCATION_TAKES_MINUTES = 15;

/** That the sign-ins of a person were revoked, so that the network does not stay open after a membership. */
export const Revocation = z.object({
  askedAt: Instant,
  askedBy: z.string(),
  /** `asked`: the outcome is not known, or not yet. `revoked`: Entra shows it. */
  state: z.enum(['asked', 'revoked', 'failed']),
  revokedAt: Instant.nullable(),
  /** When a client that knows continuous access evaluation has lost its connections; others keep them until the token ends. */
  takesEffectBy: Instant.nullable(),
  /** Why it failed, as a sentence. */
  failure: z.string().nullable(),
});
export type Revocation = z.infer<typeof Revocation>;

/** An activated membership that is there now, or that ended so lately that the network may still be open. */
export const CurrentAccess = z.object({
  principalId: z.string(),
  principalName: z.string(),
  groupId: z.string(),
  groupName: z.string(),
  applications: z.array(OpenedApplication),
  since: Instant.nullable(),
  /** When it ends by itself; `null` where that is not known. */
  endsAt: Instant.nullable(),
  /** `null`: the membership is there. */
  ended: z.object({ at: Instant, networkMayStayOpenUntil: Instant }).nullable(),
  /** The newest since the membership ended. */
  revocation: Revocation.nullable(),
});
export type CurrentAccess = z.infer<typeof CurrentAccess>;

const Listed = z.object({
  readAt: Instant,
  /** Open ones first, then those that ended, each the newest first. */
  items: z.array(CurrentAccess),
});

export const ListOwnResidualAccess = {
  method: 'GET', path: '/api/access/residual', permission: 'access:use',
  summary: 'Where the network may still be open to the signed-in person after a membership',
  response: Listed,
} as const satisfies Endpoint;

export const ListCurrentAccess = {
  method: 'GET', path: '/api/current-access', permission: 'current-access:read',
  summary: 'Whose activated memberships are there now, and where the network may be open after one',
  response: Listed,
} as const satisfies Endpoint;

const reason = z.string().trim().min(1, 'Say in a few words why').max(500, 'At most 500 characters');

export const EndOwnResidualAccess = {
  method: 'POST', path: '/api/access/residual/end', permission: 'access:use',
  summary: 'Revokes the person’s own sign-ins, so that the network closes after a membership that has ended',
  body: z.strictObject({ groupId: Guid }),
  response: CurrentAccess,
} as const satisfies Endpoint;

export const EndAccessNow = {
  method: 'POST', path: '/api/current-access/end', permission: 'current-access:end',
  summary: 'Ends somebody’s activated membership, proves it, and revokes their sign-ins',
  body: z.strictObject({ principalId: Guid, groupId: Guid, justification: reason }),
  response: CurrentAccess,
} as const satisfies Endpoint;
