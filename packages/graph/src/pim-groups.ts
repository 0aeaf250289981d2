import { z } from 'zod';
import { path, quoted } from './addresses.ts';
import { GraphError } from './errors.ts';
import type { PimGroups, ScheduleInstance, ScheduleRequest } from './ports.ts';
import { openWord, optionalText, optionalWord, word } from './shapes.ts';
import type { Call, Transport } from './transport.ts';

/** Where PIM for Groups lives, below the version. */
export const PIM = '/identityGovernance/privilegedAccess/group';

const AccessId = word(['member', 'owner']);

const Request = z.object({
  id: z.string(),
  action: z.string().transform((action) => action.charAt(0).toLowerCase() + action.slice(1)),
  status: openWord([
    'Canceled', 'Denied', 'Failed', 'Granted', 'PendingAdminDecision', 'PendingApproval', 'PendingProvisioning',
    'PendingScheduleCreation', 'Provisioned', 'Revoked', 'ScheduleCreated',
  ]),
  principalId: z.string(),
  groupId: z.string(),
  accessId: AccessId,
  justification: optionalText,
  ticketInfo: z.object({ ticketNumber: optionalText, ticketSystem: optionalText }).nullish(),
  approvalId: optionalText,
  createdDateTime: z.string(),
  scheduleInfo: z
    .object({
      startDateTime: optionalText,
      expiration: z.object({ endDateTime: optionalText, duration: optionalText }).nullish(),
    })
    .nullish(),
});

/** A request for eligibility or for an assignment, as Graph answers it. */
export const ScheduleRequestShape = Request.transform(
  (request): ScheduleRequest => ({
    id: request.id,
    action: request.action,
    status: request.status,
    principalId: request.principalId,
    groupId: request.groupId,
    accessId: request.accessId,
    justification: request.justification,
    ticketNumber: request.ticketInfo?.ticketNumber,
    ticketSystem: request.ticketInfo?.ticketSystem,
    approvalId: request.approvalId,
    createdAt: request.createdDateTime,
    startsAt: request.scheduleInfo?.startDateTime,
    duration: request.scheduleInfo?.expiration?.duration,
    endsAt: request.scheduleInfo?.expiration?.endDateTime,
  }),
);

const Instance = z
  .object({
    id: z.string(),
    principalId: z.string(),
    groupId: z.string(),
    accessId: AccessId,
    startDateTime: optionalText,
    endDateTime: optionalText,
    memberType: word(['direct', 'group']),
    assignmentType: optionalWord(['activated', 'assigned']),
    eligibilityScheduleId: optionalText,
    assignmentScheduleId: optionalText,
  })
  .transform(
    (instance): ScheduleInstance => ({
      id: instance.id,
      principalId: instance.principalId,
      groupId: instance.groupId,
      accessId: instance.accessId,
      startsAt: instance.startDateTime,
      endsAt: instance.endDateTime,
      memberType: instance.memberType,
      assignmentType: instance.assignmentType,
      scheduleId: instance.assignmentScheduleId ?? instance.eligibilityScheduleId,
    }),
  );

const PolicyAssignment = z.object({
  policyId: z.string(),
  policy: z.object({ id: z.string(), rules: z.array(z.looseObject({ id: z.string() })) }),
});

/** Privileged Identity Management for groups: policies, eligibility, activation. */
export function createPimGroups(transport: Transport): PimGroups {
  const get = (rest: string, filter?: string): Call => ({
    method: 'GET',
    version: 'v1.0',
    path: `${PIM}${rest}`,
    ...(filter !== undefined && { query: { $filter: filter } }),
    prefer: 'include-unknown-enum-members',
  });
  const ofGroup = (kind: string, groupId: string): Call => get(`/${kind}`, `groupId eq ${quoted(groupId)}`);
  const mine = (kind: string): Call => get(`/${kind}/filterByCurrentUser(on='principal')`);
  const ask = (kind: 'eligibility' | 'assignment', body: Readonly<Record<string, unknown>>): Promise<ScheduleRequest> =>
    transport.read({ method: 'POST', version: 'v1.0', path: `${PIM}/${kind}ScheduleRequests`, body, prefer: 'include-unknown-enum-members' }, ScheduleRequestShape);

  return {
    async onboardedGroups() {
      const call: Call = { method: 'GET', version: 'beta', path: `${PIM}/resources`, query: { $select: 'id' } };
      return (await transport.list(call, z.object({ id: z.string() }))).map((resource) => resource.id);
    },

    async memberPolicy(groupId) {
      const call: Call = {
        method: 'GET',
        version: 'v1.0',
        path: '/policies/roleManagementPolicyAssignments',
        query: {
          $filter: `scopeId eq ${quoted(groupId)} and scopeType eq 'Group' and roleDefinitionId eq 'member'`,
          $expand: 'policy($expand=rules)',
        },
      };
      const [assignment] = await transport.list(call, PolicyAssignment);
      if (!assignment) throw new GraphError('not-found', `GET ${call.path}: PIM has no member policy for group ${groupId}`);
      return { policyId: assignment.policy.id, rules: assignment.policy.rules };
    },

    async updatePolicy(policyId, rules) {
      await transport.send({ method: 'PATCH', version: 'v1.0', path: path`/policies/roleManagementPolicies/${policyId}`, body: { rules }, absolute: true });
    },

    eligibilities: (groupId) => transport.list(ofGroup('eligibilityScheduleInstances', groupId), Instance),
    assignments: (groupId) => transport.list(ofGroup('assignmentScheduleInstances', groupId), Instance),
    assignmentRequests: (groupId) => transport.list(ofGroup('assignmentScheduleRequests', groupId), ScheduleRequestShape),

    assignEligible: ({ groupId, principalId, expiry, justification, replaces }) =>
      ask('eligibility', {
        accessId: 'member',
        principalId,
        groupId,
        action: replaces === true ? 'adminUpdate' : 'adminAssign',
        scheduleInfo: {
          startDateTime: expiry.startsAt,
          expiration: expiry.endsAt === undefined ? { type: 'noExpiration' } : { type: 'afterDateTime', endDateTime: expiry.endsAt },
        },
        justification,
      }),

    mine: {
      eligibilities: () => transport.list(mine('eligibilityScheduleInstances'), Instance),
      assignments: () => transport.list(mine('assignmentScheduleInstances'), Instance),
      requests: () => transport.list(mine('assignmentScheduleRequests'), ScheduleRequestShape),

      activate: ({ principalId, groupId, startsAt, duration, justification, ticket }) =>
        ask('assignment', {
          accessId: 'member',
          principalId,
          groupId,
          action: 'selfActivate',
          scheduleInfo: { startDateTime: startsAt, expiration: { type: 'afterDuration', duration } },
          ...(justification !== undefined && { justification }),
          ...(ticket !== undefined && { ticketInfo: { ticketNumber: ticket.number, ticketSystem: ticket.system } }),
          isValidationOnly: false,
        }),

      deactivate: ({ principalId, groupId }) => ask('assignment', { accessId: 'member', principalId, groupId, action: 'selfDeactivate' }),

      /** Sought among the person's own: read by id, Graph would show an approver other people's requests too. */
      async request(requestId) {
        for await (const page of transport.pages(mine('assignmentScheduleRequests'), ScheduleRequestShape)) {
          const found = page.find((request) => request.id === requestId);
          if (found) return found;
        }
        return undefined;
      },

      async cancel(requestId) {
        await transport.send({ method: 'POST', version: 'v1.0', path: `${PIM}${path`/assignmentScheduleRequests/${requestId}/cancel`}` });
      },
    },
  };
}
