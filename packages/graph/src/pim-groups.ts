import { z } from 'zod';
import { path, quoted } from './addresses.ts';
import { GraphError } from './errors.ts';
import type { GroupRole, NewActivation, PimGroups, Schedule, ScheduleInstance, ScheduleRequest } from './ports.ts';
import { openWord, optionalText, optionalWord, word } from './shapes.ts';
import type { Call } from './call.ts';
import type { Transport } from './transport.ts';

/** Where PIM for Groups lives, below the version. */
export const PIM = '/identityGovernance/privilegedAccess/group';

const AccessId = word(['member', 'owner']);

const Status = openWord([
  'Canceled', 'Denied', 'Failed', 'Granted', 'PendingAdminDecision', 'PendingApproval', 'PendingProvisioning',
  'PendingScheduleCreation', 'Provisioned', 'Revoked', 'ScheduleCreated',
]);

const Request = z.object({
  id: z.string(),
  action: z.string().transform((action) => action.charAt(0).toLowerCase() + action.slice(1)),
  status: optionalText,
  principalId: z.string(),
  groupId: z.string(),
  accessId: AccessId,
  createdBy: z.object({ user: z.object({ id: optionalText }).nullish() }).nullish(),
  justification: optionalText,
  ticketInfo: z.object({ ticketNumber: optionalText, ticketSystem: optionalText }).nullish(),
  approvalId: optionalText,
  createdDateTime: z.string(),
  completedDateTime: z.string().nullish(),
  scheduleInfo: z
    .object({
      startDateTime: optionalText,
      expiration: z.object({ endDateTime: optionalText, duration: optionalText }).nullish(),
    })
    .nullish(),
});

/** How far Entra's clock may be from the caller's. */
const CLOCK_SKEW_MS = 2 * 60_000;
/** Statuses of requests after which the same may be asked again. */
const CAME_TO_NOTHING: ReadonlySet<string> = new Set(['Canceled', 'Denied', 'Failed']);

/** A request for eligibility or for an assignment, as Graph answers it. */
export const ScheduleRequestShape = Request.transform(
  (request): ScheduleRequest => ({
    id: request.id,
    action: request.action,
    status: Status.parse(request.status),
    statusAsGiven: request.status,
    principalId: request.principalId,
    groupId: request.groupId,
    accessId: request.accessId,
    createdBy: request.createdBy?.user?.id,
    justification: request.justification,
    ticketNumber: request.ticketInfo?.ticketNumber,
    ticketSystem: request.ticketInfo?.ticketSystem,
    approvalId: request.approvalId,
    createdAt: request.createdDateTime,
    completedAt: request.completedDateTime ?? undefined,
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

const ScheduleShape = z
  .object({
    id: z.string(),
    principalId: z.string(),
    groupId: z.string(),
    accessId: AccessId,
    memberType: word(['direct', 'group']),
    assignmentType: optionalWord(['activated', 'assigned']),
    status: optionalText,
    createdUsing: optionalText,
    createdDateTime: optionalText,
    scheduleInfo: z.object({ startDateTime: optionalText, expiration: z.object({ endDateTime: optionalText, duration: optionalText }).nullish() }).nullish(),
  })
  .transform(
    ({ id, principalId, groupId, accessId, memberType, assignmentType, status, createdUsing, createdDateTime, scheduleInfo }): Schedule => ({
      id, principalId, groupId, accessId, memberType, assignmentType, status, createdUsing, createdAt: createdDateTime,
      startsAt: scheduleInfo?.startDateTime, endsAt: scheduleInfo?.expiration?.endDateTime, duration: scheduleInfo?.expiration?.duration, scheduleId: id,
    }),
  );

const PolicyAssignment = z.object({
  policyId: z.string(),
  roleDefinitionId: optionalText,
  policy: z.object({ id: z.string(), rules: z.array(z.looseObject({ id: z.string() })) }),
});

/** The part of a request by which it is known again. */
interface Asked {
  readonly accessId: GroupRole;
  readonly principalId: string;
  readonly groupId: string;
  readonly action: string;
  readonly justification?: string;
  readonly ticketInfo?: { readonly ticketNumber: string; readonly ticketSystem: string };
  readonly [field: string]: unknown;
}

/** The body of an activation, or of the question whether it would be granted. */
const activation = ({ principalId, groupId, startsAt, duration, justification, ticket }: NewActivation, isValidationOnly: boolean): Asked => ({
  accessId: 'member',
  principalId,
  groupId,
  action: 'selfActivate',
  scheduleInfo: { startDateTime: startsAt, expiration: { type: 'afterDuration', duration } },
  ...(justification !== undefined && { justification }),
  ...(ticket !== undefined && { ticketInfo: { ticketNumber: ticket.number, ticketSystem: ticket.system } }),
  isValidationOnly,
});

/** What is to be ended and is over already is ended. */
async function unlessGone(ending: Promise<unknown>): Promise<void> {
  await ending.catch((error: unknown) => {
    if (!(error instanceof GraphError && error.details.code === 'RoleAssignmentDoesNotExist')) throw error;
  });
}

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

  /** `customData` is no key (CONTRACT.md §6): the same wish is known by what it says, since it was meant. */
  const askedSince = async (since: Date, kind: 'eligibility' | 'assignment', wish: Asked): Promise<ScheduleRequest | undefined> => {
    const { groupId, principalId } = wish;
    const requests = await transport.list(
      wish.action.startsWith('self')
        ? { ...mine(`${kind}ScheduleRequests`), query: { $filter: `groupId eq ${quoted(groupId)}` } }
        : get(`/${kind}ScheduleRequests`, `groupId eq ${quoted(groupId)} and principalId eq ${quoted(principalId)}`),
      ScheduleRequestShape,
    );
    // Of two that say the same the newer one is the wish's own; and nothing that has come to nothing by now was asked just now.
    return requests.filter((request) =>
      request.accessId === wish.accessId
      && request.principalId.toLowerCase() === principalId.toLowerCase()
      && request.action.toLowerCase() === wish.action.toLowerCase()
      && !CAME_TO_NOTHING.has(request.status ?? '')
      && request.justification === (wish.justification || undefined)
      && request.ticketNumber === (wish.ticketInfo?.ticketNumber || undefined)
      && Date.parse(request.createdAt) >= since.getTime() - CLOCK_SKEW_MS)
      .toSorted((one, other) => Date.parse(other.createdAt) - Date.parse(one.createdAt))[0];
  };

  const ask = (kind: 'eligibility' | 'assignment', wish: Asked): Promise<ScheduleRequest> => {
    const since = transport.clock.now();
    const call: Call = { method: 'POST', version: 'v1.0', path: `${PIM}/${kind}ScheduleRequests`, body: wish, prefer: 'include-unknown-enum-members' };
    return transport.write(call, (answer) => transport.parse(call, answer, ScheduleRequestShape), () => askedSince(since, kind, wish));
  };

  /** Sought among the person's own: read by id, Graph would show an approver other people's requests too. */
  const ownRequest = async (requestId: string): Promise<ScheduleRequest | undefined> => {
    for await (const page of transport.pages(mine('assignmentScheduleRequests'), ScheduleRequestShape)) {
      const found = page.find((request) => request.id === requestId);
      if (found) return found;
    }
    return undefined;
  };

  const policiesWhere = ($filter: string): Call => ({ method: 'GET', version: 'v1.0', path: '/policies/roleManagementPolicyAssignments', query: { $filter, $expand: 'policy($expand=rules)' } });

  return {
    async onboardedGroups() {
      const call: Call = { method: 'GET', version: 'beta', path: `${PIM}/resources`, query: { $select: 'id' } };
      return (await transport.list(call, z.object({ id: z.string() }))).map((resource) => resource.id);
    },

    async policy(groupId, role) {
      const call = policiesWhere(`scopeId eq ${quoted(groupId)} and scopeType eq 'Group' and roleDefinitionId eq ${quoted(role)}`);
      const [assignment] = await transport.list(call, PolicyAssignment);
      if (!assignment) throw new GraphError('not-found', `GET ${call.path}: PIM has no ${role} policy for group ${groupId}`);
      return { policyId: assignment.policy.id, rules: assignment.policy.rules };
    },

    async policies(groupId) {
      const found = await transport.list(policiesWhere(`scopeId eq ${quoted(groupId)} and scopeType eq 'Group'`), PolicyAssignment);
      return Object.fromEntries(found.flatMap(({ roleDefinitionId, policy }) => {
        const role = roleDefinitionId?.toLowerCase();
        return role === 'member' || role === 'owner' ? [[role, { policyId: policy.id, rules: policy.rules }] as const] : [];
      }));
    },

    async updatePolicy(policyId, rules) {
      await transport.send({ method: 'PATCH', version: 'v1.0', path: path`/policies/roleManagementPolicies/${policyId}`, body: { rules }, absolute: true });
    },

    eligibilities: (groupId) => transport.list(ofGroup('eligibilityScheduleInstances', groupId), Instance),
    eligibilitySchedules: (groupId) => transport.list(ofGroup('eligibilitySchedules', groupId), ScheduleShape),
    assignments: (groupId) => transport.list(ofGroup('assignmentScheduleInstances', groupId), Instance),
    assignmentSchedules: (groupId) => transport.list(ofGroup('assignmentSchedules', groupId), ScheduleShape),
    eligibilityRequests: (groupId) => transport.list(ofGroup('eligibilityScheduleRequests', groupId), ScheduleRequestShape),
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

    removeEligible: ({ groupId, principalId, justification, role = 'member' }) => unlessGone(ask('eligibility', { accessId: role, principalId, groupId, action: 'adminRemove', justification })),
    removeActive: ({ groupId, principalId, justification }) => unlessGone(ask('assignment', { accessId: 'member', principalId, groupId, action: 'adminRemove', justification })),

    mine: {
      eligibilities: () => transport.list(mine('eligibilityScheduleInstances'), Instance),
      eligibilitySchedules: () => transport.list(mine('eligibilitySchedules'), ScheduleShape),
      assignments: () => transport.list(mine('assignmentScheduleInstances'), Instance),
      requests: () => transport.list(mine('assignmentScheduleRequests'), ScheduleRequestShape),

      activate: (wish) => ask('assignment', activation(wish, false)),

      validate: (wish) => transport.read({ method: 'POST', version: 'v1.0', path: `${PIM}/assignmentScheduleRequests`, body: activation(wish, true), prefer: 'include-unknown-enum-members', reads: true }, ScheduleRequestShape),
      eligibilityRequests: () => transport.list(mine('eligibilityScheduleRequests'), ScheduleRequestShape),

      askForEligibility: ({ principalId, groupId, action, startsAt, endsAt, justification }) =>
        ask('eligibility', {
          accessId: 'member', principalId, groupId, action, justification,
          scheduleInfo: { startDateTime: startsAt, expiration: { type: 'afterDateTime', endDateTime: endsAt } },
        }),

      async cancelEligibilityRequest(requestId) {
        const call: Call = { method: 'POST', version: 'v1.0', path: `${PIM}${path`/eligibilityScheduleRequests/${requestId}/cancel`}` };
        const isCancelled = async (): Promise<true | undefined> => ((await transport.list(mine('eligibilityScheduleRequests'), ScheduleRequestShape)).some(({ id, status }) => id === requestId && status === 'Canceled') ? true : undefined);
        await transport.write(call, () => true, isCancelled);
      },

      deactivate: ({ principalId, groupId }) => ask('assignment', { accessId: 'member', principalId, groupId, action: 'selfDeactivate' }),

      request: ownRequest,

      async cancel(requestId) {
        const call: Call = { method: 'POST', version: 'v1.0', path: `${PIM}${path`/assignmentScheduleRequests/${requestId}/cancel`}` };
        await transport.write(call, () => true, async () => ((await ownRequest(requestId))?.status === 'Canceled' ? true : undefined));
      },
    },
  };
}
