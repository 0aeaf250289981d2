import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { ActivationPolicy } from './role-settings.ts';
import { Guid, Instant, OpenedApplication } from './words.ts';

export const ApprovalItem = z.object({
  /** Entra's approval id. */
  id: z.string(),
  requesterId: z.string(),
  requesterName: z.string(),
  requesterDetail: z.string().nullable(),
  groupId: z.string(),
  groupName: z.string(),
  applications: z.array(OpenedApplication),
  justification: z.string().nullable(),
  ticketNumber: z.string().nullable(),
  minutes: z.int().nullable(),
  startsAt: Instant.nullable(),
  askedAt: Instant,
  lapsesAt: Instant,
  /** The requester's last activations of the same group, newest first, from the mirror. */
  lastActivations: z.array(z.object({ requestedAt: Instant, status: z.string(), justification: z.string().nullable() })),
  /** How often the requester had the same group, of what the mirror has. */
  activations: z.object({ last30Days: z.int(), last90Days: z.int() }),
  /** What the role settings ask of an activation, as the catalog last read them; `null`: not known. */
  policy: ActivationPolicy.nullable(),
});
export type ApprovalItem = z.infer<typeof ApprovalItem>;

export const ListApprovals = {
  method: 'GET', path: '/api/approvals', permission: 'approval:decide',
  summary: 'Requests that wait for the signed-in person’s decision; never their own',
  response: z.object({
    readAt: Instant,
    /** Where the history begins that activations are counted in; `null`: there is none yet. */
    historyFrom: Instant.nullable(),
    items: z.array(ApprovalItem),
    decided: z.array(z.object({ id: z.string(), decision: z.enum(['approve', 'deny']), justification: z.string(), decidedAt: Instant, requesterName: z.string().nullable(), groupName: z.string().nullable() })),
  }),
} as const satisfies Endpoint;

export const DecideApproval = {
  method: 'POST', path: '/api/approvals/:approvalId/decision', permission: 'approval:decide',
  summary: 'Approves or denies a request of somebody else',
  params: z.strictObject({ approvalId: Guid }),
  body: z.strictObject({
    decision: z.enum(['approve', 'deny']),
    justification: z.string().trim().min(1, 'Say in a few words why').max(500, 'At most 500 characters'),
  }),
  response: z.object({ id: z.string(), decision: z.enum(['approve', 'deny']), decidedAt: Instant }),
} as const satisfies Endpoint;
