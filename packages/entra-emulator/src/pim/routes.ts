import { objectView } from '../directory/views.ts';
import { checkConjunction, filterableNames, type Filterable } from '../filters.ts';
import { single, listAnswer, type ListOptions } from '../odata.ts';
import { GraphRefusal, graphRoutes, type GraphAnswer, type GraphCall, type GraphRoute } from '../graph/route.ts';
import type { AccessId, Group, PimRequest, PimSchedule, User } from '../tenant.ts';
import { auditRequest, endOf, FIVE_MINUTES, instancesOf, onboard, openApproval, provision, settle, startOf, userOf, type Instance, type World } from './engine.ts';
import { askByPerson, BY_ADMIN, BY_PERSON, cancelledWords, changeable, changeByAdmin, type Change } from './changes.ts';
import { activationRules, durationMs, ruleOf } from './rules.ts';
import { policiesOf } from './engine.ts';

const BASE = '/identityGovernance/privilegedAccess/group';
const BOTH = ['v1.0', 'beta'] as const;
/** Roles that may write for any group; the group's owner may as well. */
const WRITERS = ['Privileged Role Administrator', 'Groups Administrator', 'Identity Governance Administrator', 'User Administrator', 'Directory Writers', 'Global Administrator'];

const READ = {
  eligibility: ['PrivilegedEligibilitySchedule.Read.AzureADGroup', 'PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup'],
  assignment: ['PrivilegedAssignmentSchedule.Read.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup'],
};
const WRITE = {
  eligibility: ['PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup'],
  assignment: ['PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup'],
};

const refuse = (code: string, message: string): GraphRefusal => new GraphRefusal(400, code, message);
const unknownResource = (id: string | undefined): GraphRefusal => new GraphRefusal(404, 'ResourceNotFound', `Resource '${String(id)}' does not exist or one of its queried reference-property objects are not present.`);
const worldOf = (call: GraphCall): World => ({ tenant: call.tenant, now: call.now, delays: call.delays, newId: () => call.newId() });
const initiatorOf = (call: GraphCall) => (call.caller.kind === 'user' ? { user: call.caller.user } : { app: 'Gatehouse' });

/** A group as PIM sees it: not at all for some seconds after it was made, and never if it cannot be managed. */
function pimGroup(call: GraphCall, groupId: string): Group {
  const group = call.tenant.groups.find(({ id }) => id === groupId);
  if (!group || new Date(group.knownToPimAt) > call.now) throw new GraphRefusal(404, 'ResourceNotFound', `Resource '${groupId}' does not exist or one of its queried reference-property objects are not present.`);
  return group;
}

function manageable(group: Group): Group {
  const unfit = group.groupTypes.includes('DynamicMembership') || group.onPremisesSyncEnabled === true || (group.mailEnabled && !group.groupTypes.includes('Unified'));
  if (unfit) throw refuse('ResourceTypeNotSupported', 'The group is not supported by Privileged Identity Management.');
  return group;
}

function mayWrite(call: GraphCall, group: Group): void {
  if (call.caller.kind === 'app') return;
  const { user } = call.caller;
  const roles = group.isAssignableToRole ? ['Privileged Role Administrator', 'Global Administrator'] : WRITERS;
  if (!group.ownerIds.includes(user.id) && !user.directoryRoles.some((role) => roles.includes(role))) throw new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
}

/** Whether somebody sees what is not their own: an owner of the group, or by a directory role. */
const mayRead = (call: GraphCall, user: User, groupId: string | undefined): boolean =>
  user.directoryRoles.some((role) => [...WRITERS, 'Global Reader'].includes(role)) || call.tenant.groups.some(({ id, ownerIds }) => id === groupId && ownerIds.includes(user.id));

// --- What Graph prints ------------------------------------------------------------------------------------------------

const requestView = (request: PimRequest): Record<string, unknown> => ({
  id: request.id, status: request.status, createdDateTime: request.createdDateTime, completedDateTime: request.completedDateTime, approvalId: request.approvalId, customData: null,
  action: request.action, principalId: request.principalId, accessId: request.accessId, groupId: request.groupId, targetScheduleId: request.targetScheduleId,
  isValidationOnly: request.isValidationOnly, justification: request.justification, scheduleInfo: request.scheduleInfo, ticketInfo: request.ticketInfo,
  createdBy: { application: null, device: null, user: { displayName: null, id: request.createdByUserId } },
});

const scheduleView = (schedule: PimSchedule): Record<string, unknown> => ({
  id: schedule.id, principalId: schedule.principalId, accessId: schedule.accessId, groupId: schedule.groupId, createdUsing: schedule.createdUsing, createdDateTime: schedule.createdDateTime,
  modifiedDateTime: '0001-01-01T08:00:00Z', status: 'Provisioned', memberType: schedule.memberType, ...(schedule.assignmentType !== null && { assignmentType: schedule.assignmentType }),
  scheduleInfo: { startDateTime: schedule.startDateTime, recurrence: null, expiration: { type: schedule.endDateTime === null ? 'noExpiration' : 'afterDateTime', endDateTime: schedule.endDateTime, duration: null } },
});

const instanceView = (instance: Instance): Record<string, unknown> => ({
  id: instance.id, principalId: instance.principalId, accessId: instance.accessId, groupId: instance.groupId, startDateTime: instance.startDateTime, endDateTime: instance.endDateTime, memberType: instance.memberType,
  ...(instance.kind === 'eligibility' ? { eligibilityScheduleId: instance.scheduleId } : { assignmentType: instance.assignmentType, assignmentScheduleId: instance.scheduleId }),
});

// --- Lists -----------------------------------------------------------------------------------------------------------

type Kind = 'eligibility' | 'assignment';
/** Only these, each with `eq`, and joined by `and`, are seen in the docs. */
const FILTERABLE: Filterable = { groupId: 'eq', principalId: 'eq', accessId: 'eq', status: 'eq' };
const QUERY = ['$filter', '$select', '$expand', '$top', '$skiptoken', '$count', '$orderby'];

/** What came of a request stays; that it was asked is forgotten. */
const isForgotten = ({ now, delays }: GraphCall, { completedDateTime }: PimRequest): boolean => delays.requestForgotten !== null && completedDateTime !== null && now.getTime() - Date.parse(completedDateTime) > delays.requestForgotten;

const views: Record<'Requests' | 'Schedules' | 'Instances', (call: GraphCall, kind: Kind) => Record<string, unknown>[]> = {
  Requests: (call, kind) => call.tenant.pim.requests.filter((request) => request.kind === kind && !request.isValidationOnly && !isForgotten(call, request)).map(requestView),
  Schedules: (call, kind) => call.tenant.pim.schedules.filter((schedule) => schedule.kind === kind).map(scheduleView),
  Instances: (call, kind) => instancesOf(call, kind).map(instanceView),
};

const NAMES = { Requests: 'ScheduleRequests', Schedules: 'Schedules', Instances: 'ScheduleInstances' } as const;

const EXPANDABLE = ['group', 'principal', 'activatedUsing', 'targetSchedule'];

function expansionsOf({ query }: GraphCall): string[] {
  const names = (query['$expand'] ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '');
  const unknown = names.find((name) => !EXPANDABLE.includes(name));
  if (unknown !== undefined) throw refuse('BadRequest', `Could not find a property named '${unknown}' to expand.`);
  return names;
}

/** Puts in what the call wants to have expanded. */
function expanded(call: GraphCall): (item: Record<string, unknown>) => Record<string, unknown> {
  const names = expansionsOf(call);
  const scheduled = (id: unknown): Record<string, unknown> | null => {
    const schedule = call.tenant.pim.schedules.find((one) => one.id === id);
    return schedule ? scheduleView(schedule) : null;
  };
  const valueOf = (item: Record<string, unknown>, name: string): unknown => {
    switch (name) {
      case 'group': return objectView(call.tenant, String(item['groupId']), call.version) ?? null;
      case 'principal': return objectView(call.tenant, String(item['principalId']), call.version) ?? null;
      case 'targetSchedule': return scheduled(item['targetScheduleId']);
      default: return scheduled(call.tenant.pim.schedules.find((one) => one.id === (item['assignmentScheduleId'] ?? item['targetScheduleId'] ?? item['id']))?.activatedUsing);
    }
  };
  return (item) => ({ ...item, ...Object.fromEntries(names.map((name) => [name, valueOf(item, name)])) });
}

function listRoutes(kind: Kind, what: keyof typeof NAMES): GraphRoute[] {
  const name = `${kind}${NAMES[what]}`;
  const options: ListOptions = { context: `identityGovernance/privilegedAccess/group/${name}`, filterable: filterableNames(FILTERABLE) };
  const list = (call: GraphCall, items: readonly Record<string, unknown>[], expand = expanded(call)): GraphAnswer => {
    checkConjunction(call.query['$filter'], FILTERABLE);
    return listAnswer(call, items.map(expand), options);
  };
  const permissions = { versions: BOTH, delegated: READ[kind], application: READ[kind], query: QUERY };
  return [
    {
      method: 'GET', path: `${BASE}/${name}`, ...permissions,
      handle(call): GraphAnswer {
        const filter = call.query['$filter'] ?? '';
        const scope = /(groupId|principalId)\s+eq\s+'([^']+)'/.exec(filter);
        if (!scope) throw refuse('InvalidFilter', 'The $filter query parameter with groupId or principalId is required.');
        if (call.caller.kind === 'user') {
          const { user } = call.caller;
          const own = scope[1] === 'principalId' && scope[2] === user.id;
          if (!own && !mayRead(call, user, scope[2])) throw new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
        }
        return list(call, views[what](call, kind));
      },
    },
    {
      method: 'GET', path: `${BASE}/${name}/filterByCurrentUser(on='{on}')`, ...permissions, application: null,
      handle(call): GraphAnswer {
        if (call.caller.kind !== 'user') throw new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
        const me = call.caller.user.id;
        const all = views[what](call, kind);
        // What is to be expanded comes back empty here, as clients report.
        const names = expansionsOf(call);
        const empty = (item: Record<string, unknown>): Record<string, unknown> => ({ ...item, ...Object.fromEntries(names.map((one) => [one, null])) });
        switch (call.params['on']) {
          case 'principal': return list(call, all.filter(({ principalId }) => principalId === me), empty);
          case 'createdBy': if (what === 'Requests') return list(call, all.filter(({ id }) => call.tenant.pim.requests.find((request) => request.id === id)?.createdByUserId === me), empty); break;
          case 'approver': if (what === 'Requests') return list(call, all.filter(({ id }) => call.tenant.pim.approvals.some((approval) => approval.requestId === id && approval.approverUserIds.includes(me))), empty); break;
          default:
        }
        throw refuse('InvalidParameter', `The value '${String(call.params['on'])}' of parameter 'on' is not supported.`);
      },
    },
    {
      method: 'GET', path: `${BASE}/${name}/{id}`, ...permissions, query: ['$select', '$expand'],
      handle(call): GraphAnswer {
        const found = views[what](call, kind).find(({ id }) => id === call.params['id']);
        const { caller } = call;
        const hidden = caller.kind === 'user' && found?.['principalId'] !== caller.user.id && !mayRead(call, caller.user, String(found?.['groupId'])) && !call.tenant.pim.approvals.some((one) => one.requestId === found?.['id'] && one.approverUserIds.includes(caller.user.id));
        if (!found || hidden) throw new GraphRefusal(404, 'ResourceNotFound', `Resource '${String(call.params['id'])}' does not exist or one of its queried reference-property objects are not present.`);
        return single(call, expanded(call)(found), options.context);
      },
    },
  ];
}

// --- Requests --------------------------------------------------------------------------------------------------------

interface Body {
  action: string; accessId: AccessId; principalId: string; groupId: string; justification: string | null; isValidationOnly: boolean;
  scheduleInfo: { startDateTime?: string; expiration?: { type?: string; duration?: string; endDateTime?: string } } | null;
  ticketInfo: { ticketNumber: string | null; ticketSystem: string | null };
}

const ACTIONS = ['adminAssign', 'adminUpdate', 'adminRemove', 'adminExtend', 'adminRenew', 'selfActivate', 'selfDeactivate', 'selfExtend', 'selfRenew'];
const KNOWN = ['@odata.type', 'action', 'accessId', 'principalId', 'groupId', 'justification', 'isValidationOnly', 'scheduleInfo', 'ticketInfo', 'customData'];

function bodyOf(call: GraphCall): Body {
  const raw = call.body as Record<string, unknown>;
  const invalid = (): GraphRefusal => refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
  for (const name of Object.keys(raw)) if (!KNOWN.includes(name)) throw refuse('BadRequest', `The property '${name}' does not exist on type 'microsoft.graph.privilegedAccessGroupScheduleRequest'. Make sure to only use property names that are defined by the type.`);
  const action = ACTIONS.find((known) => known.toLowerCase() === String(raw['action']).toLowerCase());
  const accessId = (['member', 'owner'] as const).find((known) => known === String(raw['accessId']).toLowerCase());
  if (!action || !accessId || typeof raw['principalId'] !== 'string' || typeof raw['groupId'] !== 'string') throw invalid();
  const scheduleInfo = (raw['scheduleInfo'] ?? null) as Body['scheduleInfo'];
  const ticket = (raw['ticketInfo'] ?? {}) as { ticketNumber?: string; ticketSystem?: string };
  if (scheduleInfo?.startDateTime !== undefined && Number.isNaN(Date.parse(scheduleInfo.startDateTime))) throw invalid();
  const expiration = scheduleInfo?.expiration;
  const type = expiration?.type?.toLowerCase();
  if (expiration !== undefined && !['afterduration', 'afterdatetime', 'noexpiration'].includes(type ?? '')) throw invalid();
  if (type === 'afterduration' && (durationMs(expiration?.duration) ?? 0) <= 0) throw invalid();
  if (type === 'afterdatetime' && Number.isNaN(Date.parse(expiration?.endDateTime ?? ''))) throw invalid();
  return {
    action, accessId, principalId: raw['principalId'], groupId: raw['groupId'], justification: typeof raw['justification'] === 'string' && raw['justification'] !== '' ? raw['justification'] : null,
    isValidationOnly: raw['isValidationOnly'] === true, scheduleInfo, ticketInfo: { ticketNumber: ticket.ticketNumber ?? null, ticketSystem: ticket.ticketSystem ?? null },
  };
}

const rulesFailed = (...rules: string[]): GraphRefusal => refuse('RoleAssignmentRequestPolicyValidationFailed', `The following policy rules failed: ${JSON.stringify(rules)}`);

function newRequest(call: GraphCall, kind: Kind, body: Body): PimRequest {
  const id = call.newId();
  return {
    id, kind, action: body.action, accessId: body.accessId, principalId: body.principalId, groupId: body.groupId, status: 'PendingProvisioning', createdDateTime: call.now.toISOString(), completedDateTime: null,
    createdByUserId: call.caller.kind === 'user' ? call.caller.user.id : '00000000-0000-0000-0000-000000000000', justification: body.justification,
    scheduleInfo: body.scheduleInfo === null ? null : { startDateTime: body.scheduleInfo.startDateTime ?? call.now.toISOString(), recurrence: null, expiration: { type: body.scheduleInfo.expiration?.type ?? 'noExpiration', endDateTime: body.scheduleInfo.expiration?.endDateTime ?? null, duration: body.scheduleInfo.expiration?.duration ?? null } },
    ticketInfo: body.ticketInfo, isValidationOnly: body.isValidationOnly, approvalId: null, targetScheduleId: `${body.groupId}_${body.accessId}_${id}`, dueAt: null,
  };
}

const created = (call: GraphCall, request: PimRequest): GraphAnswer => {
  if (!request.isValidationOnly) call.tenant.pim.requests.push(request);
  // Where provisioning takes no time the answer says so already, as Microsoft's own example of an activation does.
  if (call.delays.provisioning === 0) settle(worldOf(call));
  return { status: 201, body: { '@odata.context': `${call.base}/$metadata#identityGovernance/privilegedAccess/group/${request.kind}ScheduleRequests/$entity`, ...requestView(request) } };
};

const memberPolicy = (call: GraphCall, body: Body) => policiesOf(call, body.groupId).find(({ accessId }) => accessId === body.accessId) ?? { id: '', groupId: '', accessId: body.accessId, rules: [], lastModifiedDateTime: null };

/** What less than five minutes between beginning and end are answered with. */
const tooShort = (): GraphRefusal => refuse('ActiveDurationTooShort', 'The Active duration is too short. Miniumum Required is 5 minutes.');

/** Refuses an end past what an Expiration rule allows, and one that is over or less than five minutes away. */
function checkExpiration(call: GraphCall, body: Body, kind: Kind): void {
  const rule = ruleOf(memberPolicy(call, body), kind === 'eligibility' ? 'Expiration_Admin_Eligibility' : 'Expiration_Admin_Assignment');
  const request = newRequest(call, kind, body);
  const start = startOf(request, call.now);
  const lasts = (endOf(request, start)?.getTime() ?? Number.POSITIVE_INFINITY) - start.getTime();
  if (rule['isExpirationRequired'] === true && lasts > (durationMs(rule['maximumDuration']) ?? 0)) throw rulesFailed('ExpirationRule');
  if (lasts < FIVE_MINUTES) throw tooShort();
}

function eligibilityRequest(call: GraphCall): GraphAnswer {
  const body = bodyOf(call);
  const group = manageable(pimGroup(call, body.groupId));
  if (!isOneOf(BY_PERSON, body.action)) mayWrite(call, group);
  // A group that the directory has not passed on yet is no subject either.
  const principal = call.tenant.users.find(({ id }) => id === body.principalId) ?? call.tenant.groups.find(({ id, knownToPimAt }) => id === body.principalId && new Date(knownToPimAt) <= call.now);
  if (!principal) throw new GraphRefusal(404, 'SubjectNotFound', 'The subject is not found.');
  const world = worldOf(call);
  const existing = call.tenant.pim.schedules.find((one) => one.kind === 'eligibility' && one.groupId === body.groupId && one.principalId === body.principalId && one.accessId === body.accessId);
  const pending = call.tenant.pim.requests.some((one) => one.kind === 'eligibility' && one.groupId === body.groupId && one.principalId === body.principalId && one.accessId === body.accessId && one.action === 'adminAssign' && one.dueAt !== null);
  if (body.action === 'adminRemove') {
    if (!existing) throw refuse('RoleAssignmentDoesNotExist', 'The Role assignment does not exist.');
    // Of one that is to begin later, what counts is when it was given.
    const given = Math.max(...[existing.createdDateTime, existing.startDateTime].map((at) => Date.parse(at)).filter((at) => at <= call.now.getTime()));
    if (call.now.getTime() - given < FIVE_MINUTES) throw tooShort();
    const request = { ...newRequest(call, 'eligibility', body), status: 'Revoked', completedDateTime: call.now.toISOString() };
    if (request.isValidationOnly) return created(call, request);
    call.tenant.pim.schedules.splice(call.tenant.pim.schedules.indexOf(existing), 1);
    auditRequest(world, request, 'Remove eligible member from role in PIM completed (timebound)', 'Remove', initiatorOf(call));
    return created(call, request);
  }
  if (isOneOf(BY_PERSON, body.action)) return askedByPerson(call, 'eligibility', body);
  if (isOneOf(BY_ADMIN, body.action)) return changedByAdmin(call, 'eligibility', body);
  if (body.action !== 'adminAssign') throw refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
  if (body.scheduleInfo === null) throw refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
  if (existing !== undefined || pending) throw refuse('RoleAssignmentExists', 'The Role assignment already exists.');
  checkExpiration(call, body, 'eligibility');
  const request = { ...newRequest(call, 'eligibility', body), status: 'Provisioned', completedDateTime: call.now.toISOString(), dueAt: new Date(call.now.getTime() + call.delays.provisioning).toISOString() };
  if (request.isValidationOnly) return created(call, request);
  onboard(world, group, initiatorOf(call));
  const span = endOf(request) === undefined ? 'permanent' : 'timebound';
  for (const stage of ['requested', 'completed']) auditRequest(world, request, `Add eligible member to role in PIM ${stage} (${span})`, 'Assign', initiatorOf(call));
  return created(call, request);
}

function assignmentRequest(call: GraphCall): GraphAnswer {
  const body = bodyOf(call);
  switch (body.action) {
    case 'selfActivate': return activate(call, body);
    case 'selfDeactivate': return deactivate(call, body);
    case 'adminAssign': return assign(call, body);
    case 'adminRemove': return remove(call, body);
    default:
  }
  const group = manageable(pimGroup(call, body.groupId));
  if (isOneOf(BY_PERSON, body.action)) return askedByPerson(call, 'assignment', body);
  mayWrite(call, group);
  return changedByAdmin(call, 'assignment', body);
}

const isOneOf = (actions: readonly string[], action: string): boolean => actions.includes(action);

function changeOf(call: GraphCall, kind: Kind, body: Body): Change {
  const ofTarget = sameTarget(body);
  return {
    kind, action: body.action, request: newRequest(call, kind, body), world: worldOf(call), initiator: initiatorOf(call),
    standing: call.tenant.pim.schedules.find((one) => one.kind === kind && ofTarget(one) && changeable(kind, one)),
    waiting: call.tenant.pim.requests.find((one) => one.kind === kind && ofTarget(one) && one.status === 'PendingAdminDecision'),
  };
}

function askedByPerson(call: GraphCall, kind: Kind, body: Body): GraphAnswer {
  if (body.scheduleInfo === null) throw refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
  checkExpiration(call, body, kind);
  return created(call, askByPerson(call, changeOf(call, kind, body)));
}

function changedByAdmin(call: GraphCall, kind: Kind, body: Body): GraphAnswer {
  if (body.scheduleInfo === null) throw refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
  const change = changeOf(call, kind, body);
  checkExpiration(call, body, kind);
  if (kind === 'assignment') checkDirect(call, body);
  return created(call, changeByAdmin(call, change));
}

/** What the policy asks of whoever assigns somebody directly. */
function checkDirect(call: GraphCall, body: Body): void {
  const enabled = (ruleOf(memberPolicy(call, body), 'Enablement_Admin_Assignment')['enabledRules'] ?? []) as string[];
  const failed = [
    ...(enabled.includes('Justification') && body.justification === null ? ['JustificationRule'] : []),
    ...(enabled.includes('MultiFactorAuthentication') && call.caller.kind === 'user' && !call.caller.amr.includes('mfa') ? ['MfaRule'] : []),
  ];
  if (failed.length > 0) throw rulesFailed(...failed);
}

const sameTarget = (body: Body) => (one: { groupId: string; principalId: string; accessId: AccessId }): boolean => one.groupId === body.groupId && one.principalId === body.principalId && one.accessId === body.accessId;
const activeOf = (call: GraphCall, body: Body): PimSchedule | undefined => call.tenant.pim.schedules.find((one) => one.kind === 'assignment' && sameTarget(body)(one));
const PENDING = ['PendingApproval', 'PendingProvisioning', 'Granted'];

function activate(call: GraphCall, body: Body): GraphAnswer {
  if (call.caller.kind !== 'user' || call.caller.user.id !== body.principalId) throw refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
  const { caller } = call;
  const group = manageable(pimGroup(call, body.groupId));
  const world = worldOf(call);
  const rules = activationRules(memberPolicy(call, body));
  const eligible = instancesOf(call, 'eligibility').some((one) => sameTarget(body)(one));
  const request = newRequest(call, 'assignment', body);
  const start = startOf(request, call.now);
  const end = endOf(request, start);

  const failed: string[] = [];
  if (!eligible) failed.push('EligibilityRule');
  if (end === undefined || end.getTime() - start.getTime() > (durationMs(rules.maximumDuration) ?? 0)) failed.push('ExpirationRule');
  if (rules.enabled.includes('Justification') && body.justification === null) failed.push('JustificationRule');
  if (rules.enabled.includes('Ticketing') && (body.ticketInfo.ticketNumber ?? '') === '') failed.push('TicketingRule');
  if (rules.enabled.includes('MultiFactorAuthentication') && rules.context === undefined && !caller.amr.includes('mfa')) failed.push('MfaRule');
  if (failed.length > 0) throw rulesFailed(...failed);
  if (end !== undefined && end.getTime() - start.getTime() < FIVE_MINUTES) throw tooShort();
  if (rules.context !== undefined && (!caller.acrs.includes(rules.context) || !caller.cp1)) {
    throw refuse('RoleAssignmentRequestAcrsValidationFailed', `&claims=${encodeURIComponent(`{"access_token":{"acrs":{"essential":true, "value":"${rules.context}"}}}`)}`);
  }
  if (activeOf(call, body)) throw refuse('RoleAssignmentExists', 'The Role assignment already exists.');
  if (call.tenant.pim.requests.some((one) => one.kind === 'assignment' && sameTarget(body)(one) && PENDING.includes(one.status))) throw refuse('PendingRoleAssignmentRequest', 'There is already an existing pending Role assignment request.');

  if (body.isValidationOnly) {
    request.status = rules.approvers === undefined ? 'Granted' : 'PendingApproval';
    return created(call, request);
  }
  onboard(world, group, initiatorOf(call));
  auditRequest(world, request, 'Add member to role requested (PIM activation)', 'ActivateRole', initiatorOf(call));
  if (rules.approvers === undefined) provision(world, request);
  else {
    openApproval(world, request, rules.approvers);
    auditRequest(world, request, 'Add member to role approval requested (PIM activation)', 'ActivateRole', initiatorOf(call));
  }
  return created(call, request);
}

function deactivate(call: GraphCall, body: Body): GraphAnswer {
  if (call.caller.kind !== 'user' || call.caller.user.id !== body.principalId) throw refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
  const active = activeOf(call, body);
  if (!active || active.assignmentType !== 'activated') throw refuse('RoleAssignmentDoesNotExist', 'The Role assignment does not exist.');
  if (call.now.getTime() - Date.parse(active.startDateTime) < FIVE_MINUTES) throw tooShort();
  return end(call, body, active, 'Remove member from role requested (PIM deactivate)', 'Remove member from role completed (PIM deactivate)');
}

function remove(call: GraphCall, body: Body): GraphAnswer {
  mayWrite(call, pimGroup(call, body.groupId));
  const active = activeOf(call, body);
  if (!active) throw refuse('RoleAssignmentDoesNotExist', 'The Role assignment does not exist.');
  if (call.now.getTime() - Date.parse(active.startDateTime) < FIVE_MINUTES) throw tooShort();
  return end(call, body, active, 'Remove member from role in PIM requested (timebound)', 'Remove member from role in PIM completed (timebound)');
}

function end(call: GraphCall, body: Body, active: PimSchedule, requested: string, completed: string): GraphAnswer {
  const world = worldOf(call);
  const request: PimRequest = { ...newRequest(call, 'assignment', body), status: 'Revoked', completedDateTime: call.now.toISOString(), dueAt: new Date(call.now.getTime() + call.delays.membership).toISOString() };
  if (request.isValidationOnly) return created(call, request);
  call.tenant.pim.schedules.splice(call.tenant.pim.schedules.indexOf(active), 1);
  // An activation that is being taken back before the directory heard of it must not join the group afterwards.
  const made = call.tenant.pim.requests.find(({ id }) => active.id.endsWith(id));
  if (made) made.dueAt = null;
  for (const name of [requested, completed]) auditRequest(world, request, name, 'DeactivateRole', initiatorOf(call), { details: [{ key: 'OriginRoleAssignmentId', value: active.id }] });
  return created(call, request);
}

function assign(call: GraphCall, body: Body): GraphAnswer {
  const group = manageable(pimGroup(call, body.groupId));
  mayWrite(call, group);
  if (!userOf(call.tenant, body.principalId) && !call.tenant.groups.some(({ id, knownToPimAt }) => id === body.principalId && new Date(knownToPimAt) <= call.now)) throw new GraphRefusal(404, 'SubjectNotFound', 'The subject is not found.');
  if (activeOf(call, body)) throw refuse('RoleAssignmentExists', 'The Role assignment already exists.');
  checkExpiration(call, body, 'assignment');
  checkDirect(call, body);
  const world = worldOf(call);
  const request = newRequest(call, 'assignment', body);
  if (request.isValidationOnly) return created(call, { ...request, status: 'Granted' });
  onboard(world, group, initiatorOf(call));
  provision(world, request);
  auditRequest(world, request, `Add member to role in PIM requested (${endOf(request) === undefined ? 'permanent' : 'timebound'})`, 'Assign', initiatorOf(call));
  return created(call, request);
}

function cancel(kind: Kind): GraphRoute['handle'] {
  return (call) => {
    const request = call.tenant.pim.requests.find((one) => one.kind === kind && one.id === call.params['id']);
    const me = call.caller.kind === 'user' ? call.caller.user : undefined;
    if (!request || (me && request.principalId !== me.id && !me.directoryRoles.some((role) => WRITERS.includes(role)))) throw new GraphRefusal(404, 'ResourceNotFound', `Resource '${String(call.params['id'])}' does not exist or one of its queried reference-property objects are not present.`);
    if (!['PendingApproval', 'PendingAdminDecision', 'Granted'].includes(request.status) || request.dueAt === null && request.status === 'Granted') throw refuse('RoleAssignmentRequestCannotBeCanceled', 'The request is already completed and cannot be canceled.');
    request.status = 'Canceled';
    request.dueAt = null;
    request.completedDateTime = call.now.toISOString();
    const approval = call.tenant.pim.approvals.find(({ requestId }) => requestId === request.id);
    if (approval) approval.stage.status = 'Completed';
    auditRequest(worldOf(call), request, cancelledWords(request), request.action === 'selfActivate' ? 'ActivateRole' : 'Assign', initiatorOf(call));
    return { status: 204 };
  };
}

export const pimRoutes = graphRoutes([
  ...(['eligibility', 'assignment'] as const).flatMap((kind) => [
    ...listRoutes(kind, 'Requests'), ...listRoutes(kind, 'Schedules'), ...listRoutes(kind, 'Instances'),
    { method: 'POST' as const, path: `${BASE}/${kind}ScheduleRequests`, versions: BOTH, delegated: WRITE[kind], application: WRITE[kind], handle: kind === 'eligibility' ? eligibilityRequest : assignmentRequest },
    { method: 'POST' as const, path: `${BASE}/${kind}ScheduleRequests/{id}/cancel`, versions: BOTH, delegated: WRITE[kind], application: WRITE[kind], handle: cancel(kind) },
  ]),
  {
    // The answer of a custom extension that was asked about the request. None is ever asked here.
    method: 'POST', path: `${BASE}/assignmentScheduleRequests/{id}/updateRequest`, versions: ['beta'], delegated: WRITE.assignment, application: WRITE.assignment,
    handle(call): GraphAnswer {
      const { evaluationId, evaluationOutcome } = call.body as { evaluationId?: unknown; evaluationOutcome?: unknown };
      if (typeof evaluationId !== 'string' || !/^(approved|denied)$/i.test(String(evaluationOutcome))) throw refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
      if (!call.tenant.pim.requests.some(({ id, kind }) => kind === 'assignment' && id === call.params['id'])) throw unknownResource(call.params['id']);
      throw refuse('InvalidRoleAssignmentRequest', 'The request does not wait for the evaluation of a custom extension.');
    },
  },
  {
    method: 'GET', path: `${BASE}/resources/{id}`, versions: ['beta'], delegated: ['PrivilegedAccess.Read.AzureADGroup', 'PrivilegedAccess.ReadWrite.AzureADGroup'], application: ['PrivilegedAccess.Read.AzureADGroup', 'PrivilegedAccess.ReadWrite.AzureADGroup'], query: ['$select'],
    handle(call): GraphAnswer {
      const group = call.tenant.groups.find(({ id, onboardedToPimAt }) => id === call.params['id'] && onboardedToPimAt !== null);
      if (!group) throw unknownResource(call.params['id']);
      return single(call, { id: group.id }, 'identityGovernance/privilegedAccess/group/resources');
    },
  },
  {
    method: 'GET', path: `${BASE}/resources`, versions: ['beta'], delegated: ['PrivilegedAccess.Read.AzureADGroup', 'PrivilegedAccess.ReadWrite.AzureADGroup'], application: ['PrivilegedAccess.Read.AzureADGroup', 'PrivilegedAccess.ReadWrite.AzureADGroup'], query: ['$filter', '$select', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, call.tenant.groups.filter(({ onboardedToPimAt }) => onboardedToPimAt !== null).map(({ id }) => ({ id })), { context: 'identityGovernance/privilegedAccess/group/resources', filterable: ['id'] }),
  },
]);
