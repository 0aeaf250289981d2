import { makeAudit, memberTargets, pimTargets } from '../audits.ts';
import { within, type Delays } from '../delays.ts';
import type { AuditInput } from '../graph/route.ts';
import type { AccessId, Group, PimApproval, PimPolicy, PimRequest, PimSchedule, Tenant, User } from '../tenant.ts';
import { defaultPolicies, durationMs } from './rules.ts';

/** What an effect in the tenant needs: the state, the time, and where ids come from. */
export interface World {
  readonly tenant: Tenant;
  readonly now: Date;
  readonly delays: Delays;
  newId(): string;
}

/** Approvers have 24 hours, and that cannot be changed. */
const APPROVAL_HOURS = 24;
/** No assignment ends sooner than this after it began. */
export const FIVE_MINUTES = 5 * 60_000;

type Initiator = { readonly user: Pick<User, 'id' | 'displayName' | 'userPrincipalName'> } | { readonly app: string } | { readonly service: string };

/** Writes an entry of the audit log; it shows there later than it happened. */
export function audit(world: World, initiator: Initiator, input: AuditInput): void {
  const at = input.at ?? world.now;
  const visibleAt = new Date(at.getTime() + within(world.delays.auditVisible, () => world.newId()));
  world.tenant.directoryAudits.push(makeAudit({ ...input, at, visibleAt, initiator }, () => world.newId()));
}

export const userOf = (tenant: Tenant, id: string): User | undefined => tenant.users.find((user) => user.id === id);

/** PIM's entry about a request, with the details that tie the stages of one activation together. */
export function auditRequest(world: World, request: PimRequest, activityDisplayName: string, operationType: string, initiator: Initiator, more: { at?: Date; result?: 'success' | 'failure'; reason?: string; details?: { key: string; value: string }[] } = {}): void {
  const schedule = request.scheduleInfo as { startDateTime?: string; expiration?: { endDateTime?: string; duration?: string } } | null;
  const start = schedule?.startDateTime;
  const end = endOf(request);
  const detail = (key: string, value: string | null | undefined) => (value === null || value === undefined || value === '' ? [] : [{ key, value }]);
  audit(world, initiator, {
    loggedByService: 'PIM', category: 'GroupManagement', activityDisplayName, operationType,
    ...(more.result !== undefined && { result: more.result }),
    resultReason: more.reason ?? request.justification ?? '',
    ...(more.at !== undefined && { at: more.at }),
    targetResources: pimTargets(world.tenant, { ...request, requestId: request.id }),
    additionalDetails: [
      ...detail('RoleDefinitionOriginType', 'BuiltInRole'), ...detail('TemplateId', request.accessId), ...detail('StartTime', start), ...detail('ExpirationTime', end?.toISOString()),
      ...detail('Justification', more.reason ?? request.justification), ...detail('TicketNumber', request.ticketInfo.ticketNumber), ...detail('TicketSystem', request.ticketInfo.ticketSystem),
      ...detail('RequestId', request.id), ...(more.details ?? []),
    ],
  });
}

/** When a request's assignment begins: its start, or later where it was decided later. */
export function startOf(request: PimRequest, notBefore: Date): Date {
  const start = (request.scheduleInfo as { startDateTime?: string } | null)?.startDateTime;
  const wished = start === undefined ? notBefore : new Date(start);
  return wished > notBefore ? wished : notBefore;
}

/** When it ends; `undefined` for a permanent one. `from` is its real begin where that is later than the wished one. */
export function endOf(request: PimRequest, from?: Date): Date | undefined {
  const schedule = request.scheduleInfo as { startDateTime?: string; expiration?: { type?: string; endDateTime?: string; duration?: string } } | null;
  const type = schedule?.expiration?.type?.toLowerCase();
  if (type === 'afterdatetime' && schedule?.expiration?.endDateTime !== undefined) return new Date(schedule.expiration.endDateTime);
  const duration = durationMs(schedule?.expiration?.duration);
  if (type !== 'afterduration' || duration === undefined) return undefined;
  return new Date((from ?? new Date(schedule?.startDateTime ?? request.createdDateTime)).getTime() + duration);
}

/** Puts the group under PIM, if it is not: once, for good, and its policies get other ids. */
export function onboard(world: World, group: Group, initiator: Initiator): void {
  if (group.onboardedToPimAt !== null) return;
  group.onboardedToPimAt = world.now.toISOString();
  for (const policy of policiesOf(world, group.id)) policy.id = `Group_${group.id}_${world.newId()}`;
  audit(world, initiator, {
    loggedByService: 'PIM', category: 'GroupManagement', activityDisplayName: 'Onboarded resource to PIM', operationType: 'Onboard',
    targetResources: [{ type: 'Group', id: group.id, displayName: group.displayName, modifiedProperties: [] }],
  });
}

/** Policies of a group; a group that nobody looked at yet has the defaults. */
export function policiesOf(world: Pick<World, 'tenant' | 'newId'>, groupId: string): PimPolicy[] {
  const found = world.tenant.pim.policies.filter((policy) => policy.groupId === groupId);
  if (found.length > 0) return found;
  const made = defaultPolicies(groupId, () => world.newId());
  world.tenant.pim.policies.push(...made);
  return made;
}

export interface Instance extends Omit<PimSchedule, 'endDateTime' | 'startDateTime'> {
  readonly startDateTime: string | null;
  readonly endDateTime: string | null;
  readonly scheduleId: string;
}

/** What is in force now: schedules that have begun, each member of an eligible group, and members from outside PIM. */
export function instancesOf({ tenant, now }: Pick<World, 'tenant' | 'now'>, kind: 'eligibility' | 'assignment'): Instance[] {
  const instances = tenant.pim.schedules.filter((schedule) => schedule.kind === kind && new Date(schedule.startDateTime) <= now).flatMap((schedule): Instance[] => {
    const own: Instance = { ...schedule, scheduleId: schedule.id };
    const group = kind === 'eligibility' ? tenant.groups.find(({ id }) => id === schedule.principalId) : undefined;
    return [own, ...(group?.memberIds ?? []).filter((id) => userOf(tenant, id)).map((principalId): Instance => ({ ...own, id: `${schedule.id}_${principalId}`, principalId, memberType: 'group' }))];
  });
  if (kind === 'eligibility') return instances;
  const outside = tenant.groups.filter(({ onboardedToPimAt }) => onboardedToPimAt !== null).flatMap((group) => group.memberIds
    .filter((principalId) => !instances.some((one) => one.groupId === group.id && one.principalId === principalId && one.accessId === 'member'))
    // Somebody whom PIM has just ended, and the directory still shows, is not a member from outside PIM.
    .filter((principalId) => !tenant.pim.requests.some((one) => one.dueAt !== null && one.groupId === group.id && one.principalId === principalId && one.accessId === 'member' && (one.action === 'selfDeactivate' || one.action === 'adminRemove')))
    .map((principalId): Instance => {
      const id = `${group.id}_member_${principalId}`;
      return { id, scheduleId: id, kind, accessId: 'member', principalId, groupId: group.id, assignmentType: 'assigned', memberType: 'direct', createdUsing: id, createdDateTime: group.createdDateTime, startDateTime: null, endDateTime: null, activatedUsing: null };
    }));
  return [...instances, ...outside];
}

/** Lets happen what is due: provisioning, starts, ends, lapses, each at its own instant and in the order of time. Answers whether anything was. */
export function settle(world: World): boolean {
  const { tenant } = world;
  for (let done = 0; ; done += 1) {
    const due: { at: number; act: (at: Date) => void }[] = [];
    for (const request of tenant.pim.requests) if (request.dueAt !== null) due.push({ at: Date.parse(request.dueAt), act: (at) => { advance(at, request); } });
    for (const schedule of tenant.pim.schedules) if (schedule.endDateTime !== null) due.push({ at: Date.parse(schedule.endDateTime), act: (at) => { expire(at, schedule); } });
    const next = due.filter(({ at }) => at <= world.now.getTime()).toSorted((a, b) => a.at - b.at)[0];
    if (!next) return done > 0;
    next.act(new Date(next.at));
  }

  function advance(at: Date, request: PimRequest): void {
    const then: World = { ...world, now: at, newId: () => world.newId() };
    request.dueAt = null;
    if (request.action === 'selfDeactivate' || request.action === 'adminRemove') return leave(then, request);
    if (request.kind === 'eligibility') {
      // A change of dates takes the old schedule's place only now: nobody is without the eligibility in between.
      const before = tenant.pim.schedules.findIndex((one) => one.kind === 'eligibility' && one.groupId === request.groupId && one.principalId === request.principalId && one.accessId === request.accessId);
      if (before >= 0) tenant.pim.schedules.splice(before, 1);
      return void tenant.pim.schedules.push(scheduleFrom(request, at));
    }
    switch (request.status) {
      case 'PendingApproval': {
        request.status = 'TimedOut';
        request.completedDateTime = at.toISOString();
        const approval = tenant.pim.approvals.find(({ requestId }) => requestId === request.id);
        if (approval) approval.stage.status = 'Expired';
        return auditRequest(then, request, 'PIM activation request expired', 'ActivateRole', { service: 'Azure AD PIM' }, { result: 'failure', reason: 'The request was not decided in time.' });
      }
      case 'Granted':
      case 'PendingProvisioning': {
        request.status = 'Provisioned';
        request.completedDateTime = at.toISOString();
        // Other dates take the place of an assignment's own: nobody is without it in between.
        const before = request.action === 'selfActivate' ? -1 : tenant.pim.schedules.findIndex((one) => one.kind === 'assignment' && one.assignmentType === 'assigned' && one.groupId === request.groupId && one.principalId === request.principalId && one.accessId === request.accessId);
        if (before >= 0) tenant.pim.schedules.splice(before, 1);
        const eligible = instancesOf(then, 'eligibility').find((one) => one.groupId === request.groupId && one.principalId === request.principalId && one.accessId === request.accessId);
        tenant.pim.schedules.push({ ...scheduleFrom(request, at), activatedUsing: request.action === 'selfActivate' ? eligible?.scheduleId ?? null : null });
        request.dueAt = new Date(at.getTime() + world.delays.membership).toISOString();
        const user = userOf(tenant, request.createdByUserId);
        return auditRequest(then, request, request.action === 'selfActivate' ? 'Add member to role completed (PIM activation)' : `Add member to role in PIM completed (${endOf(request) === undefined ? 'permanent' : 'timebound'})`, request.action === 'selfActivate' ? 'ActivateRole' : 'Assign', user ? { user } : { service: 'Azure AD PIM' });
      }
      case 'Provisioned':
        return join(then, request);
      default:
    }
  }

  function expire(at: Date, schedule: PimSchedule): void {
    const then: World = { ...world, now: at, newId: () => world.newId() };
    tenant.pim.schedules.splice(tenant.pim.schedules.indexOf(schedule), 1);
    const requestId = schedule.id.split('_').at(-1) ?? '';
    if (schedule.kind === 'eligibility') {
      return audit(then, { service: 'Azure AD PIM' }, {
        loggedByService: 'PIM', category: 'GroupManagement', activityDisplayName: 'Remove eligible member from role in PIM completed (timebound)', operationType: 'Delete',
        targetResources: pimTargets(tenant, { ...schedule, requestId: world.newId() }), additionalDetails: [{ key: 'RoleAssignmentRequestId', value: requestId }],
      });
    }
    const request = tenant.pim.requests.find(({ id }) => id === requestId);
    if (request) request.dueAt = null;
    const activated = schedule.assignmentType === 'activated';
    audit(then, { service: 'Azure AD PIM' }, {
      loggedByService: 'PIM', category: 'GroupManagement', activityDisplayName: activated ? 'Remove member from role (PIM activation expired)' : 'Remove member from role in PIM completed (timebound)', operationType: 'Delete',
      targetResources: pimTargets(tenant, { ...schedule, requestId: world.newId() }),
      additionalDetails: [{ key: 'AuditType', value: 'RemoveActivatedRole' }, { key: 'ActionType', value: 'Revoke' }, { key: 'OriginRoleAssignmentId', value: schedule.id }, { key: 'RoleAssignmentRequestId', value: requestId }],
    });
    leave(then, schedule);
  }
}

function scheduleFrom(request: PimRequest, at: Date): PimSchedule {
  const start = startOf(request, at);
  const end = endOf(request, start);
  return {
    id: `${request.groupId}_${request.accessId}_${request.id}`, kind: request.kind, accessId: request.accessId, principalId: request.principalId, groupId: request.groupId,
    assignmentType: request.kind === 'eligibility' ? null : request.action === 'selfActivate' ? 'activated' : 'assigned', memberType: 'direct', createdUsing: request.id,
    createdDateTime: request.createdDateTime, startDateTime: start.toISOString(), endDateTime: end?.toISOString() ?? null, activatedUsing: null,
  };
}

type Place = Pick<PimSchedule, 'groupId' | 'principalId' | 'accessId'>;
/** PIM makes members or owners; the directory keeps two lists. */
const listOf = (group: Group, accessId: AccessId): string[] => (accessId === 'owner' ? group.ownerIds : group.memberIds);

function join(world: World, { groupId, principalId, accessId }: Place): void {
  const group = world.tenant.groups.find(({ id }) => id === groupId);
  if (!group || listOf(group, accessId).includes(principalId)) return;
  listOf(group, accessId).push(principalId);
  audit(world, { app: 'MS-PIM' }, { loggedByService: 'Core Directory', category: 'GroupManagement', activityDisplayName: `Add ${accessId} to group`, operationType: 'Assign', targetResources: memberTargets(world.tenant, groupId, principalId, 'added') });
}

/** Ends the membership or ownership, unless another assignment still gives it. */
function leave(world: World, { groupId, principalId, accessId }: Place): void {
  const group = world.tenant.groups.find(({ id }) => id === groupId);
  const stays = world.tenant.pim.schedules.some((one) => one.kind === 'assignment' && one.groupId === groupId && one.principalId === principalId && one.accessId === accessId);
  if (!group || stays || !listOf(group, accessId).includes(principalId)) return;
  listOf(group, accessId).splice(listOf(group, accessId).indexOf(principalId), 1);
  audit(world, { app: 'MS-PIM' }, { loggedByService: 'Core Directory', category: 'GroupManagement', activityDisplayName: `Remove ${accessId} from group`, operationType: 'Unassign', targetResources: memberTargets(world.tenant, groupId, principalId, 'removed') });
}

/** Makes the approval of a request that needs one. */
export function openApproval(world: World, request: PimRequest, approvers: readonly { userId?: string; groupId?: string }[]): PimApproval {
  const approverUserIds = [...new Set(approvers.flatMap(({ userId, groupId }) => (userId !== undefined ? [userId] : world.tenant.groups.find(({ id }) => id === groupId)?.memberIds ?? [])))];
  const approval: PimApproval = {
    id: request.id, requestId: request.id, approverUserIds,
    stage: { id: request.id, status: 'InProgress', reviewResult: 'NotReviewed', reviewedById: null, reviewedDateTime: null, justification: null },
  };
  world.tenant.pim.approvals.push(approval);
  request.approvalId = approval.id;
  request.status = 'PendingApproval';
  request.dueAt = new Date(world.now.getTime() + APPROVAL_HOURS * 3_600_000).toISOString();
  return approval;
}

/** Sends an accepted request on its way: now after the provisioning delay, later at its start. */
export function provision(world: World, request: PimRequest): void {
  const start = startOf(request, world.now);
  const later = start.getTime() > world.now.getTime() + 1000;
  request.status = later ? 'Granted' : 'PendingProvisioning';
  request.dueAt = new Date(later ? start.getTime() : world.now.getTime() + world.delays.provisioning).toISOString();
}
