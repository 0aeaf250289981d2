import { memberTargets, pimTargets } from '../audits.ts';
import { assignmentEvent, groupEvent, relationEvent } from '../directory/audits.ts';
import { NO_DELAYS } from '../delays.ts';
import { audit, auditRequest, type World } from '../pim/engine.ts';
import type { Visit } from '../network/traffic.ts';
import { activationRules, durationMs } from '../pim/rules.ts';
import type { DirectoryAudit, Group, PimApproval, PimRequest, PimSchedule, Tenant, User } from '../tenant.ts';
import { randomFrom, type Random } from './random.ts';
import { DECISIONS, REFUSALS, STORIES, type GroupStory } from './stories.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 1440 * MINUTE_MS;
/** What Entra keeps of its log. */
const KEPT_DAYS = 30;
/** Requests that PIM still lists. */
const REQUEST_DAYS = 7;

/** What one activation left behind. */
interface Story {
  readonly audits: readonly DirectoryAudit[];
  readonly requests: readonly PimRequest[];
  readonly approvals: readonly PimApproval[];
  readonly endedAt: number;
  /** Of one that began: when, and who could then connect through which group. */
  readonly began?: { readonly at: number; readonly personId: string; readonly groupId: string };
}

/** The log of the days that Entra still keeps, and the requests that PIM still lists. All of it is over by `now`. */
export function seedHistory(tenant: Tenant, now: Date): void {
  const from = firstKeptDay(now);
  const audits = setupAudits(tenant).filter((entry) => instantOf(entry) >= from && instantOf(entry) < now.getTime());
  const visits = standingVisits(tenant, from, now.getTime() - 10 * MINUTE_MS);
  for (const story of storiesBetween(tenant, from, now.getTime())) {
    if (story.endedAt > now.getTime() - 10 * MINUTE_MS) continue;
    audits.push(...story.audits);
    visits.push(...visitsDuring(tenant, story));
    if (story.endedAt < now.getTime() - REQUEST_DAYS * DAY_MS) continue;
    tenant.pim.requests.push(...story.requests);
    tenant.pim.approvals.push(...story.approvals);
  }
  tenant.directoryAudits.push(...inOrder(audits));
  tenant.visits = visits.toSorted((a, b) => (a.createdDateTime < b.createdDateTime ? -1 : a.createdDateTime > b.createdDateTime ? 1 : 0));
}

/** What a group's application is reached by: the first port of a host that a segment names in full, or stands for. */
function destinationsOf(tenant: Tenant, groupId: string): { readonly appId: string; readonly host: string; readonly port: number }[] {
  return tenant.appRoleAssignments.filter(({ principalId }) => principalId === groupId).flatMap(({ resourceId }) => {
    const application = tenant.applications.find(({ appId }) => appId === tenant.servicePrincipals.find(({ id }) => id === resourceId)?.appId);
    return (application?.segments ?? []).flatMap(({ destinationHost, destinationType, ports }) => {
      const port = Number(ports[0]?.split('-')[0]);
      if (!application || Number.isNaN(port) || destinationType === 'dnsSuffix') return [];
      return [{ appId: application.appId, host: destinationHost.replace(/^\*/, 'farm-01').replace(/\d+\/\d+$/, '17'), port }];
    });
  });
}

function visitAt(random: Random, at: number, userId: string, destination: { readonly appId: string; readonly host: string; readonly port: number }): Visit {
  const created = new Date(at).toISOString();
  return { transactionId: random.guid(), connectionId: random.guid(), createdDateTime: created, visibleAt: created, userId, allowed: true, ...destination };
}

/** Most people who ask for an access use it, several times; some never do. */
function visitsDuring(tenant: Tenant, { began, endedAt }: Story): Visit[] {
  if (!began) return [];
  const random = randomFrom(`${tenant.id}:visits:${began.personId}:${began.at}`);
  const destinations = destinationsOf(tenant, began.groupId);
  if (destinations.length === 0 || random.chance(0.07)) return [];
  const destination = random.pick(destinations);
  return Array.from({ length: random.between(1, 4) }, () => visitAt(random, random.between(began.at + 3 * SECOND_MS, endedAt - 5 * SECOND_MS), began.personId, destination));
}

/** Who is a member for good, past PIM, connects when they like: on some days, and without an activation. */
function standingVisits(tenant: Tenant, from: number, until: number): Visit[] {
  return tenant.groups.filter(({ displayName }) => STORIES.has(displayName)).flatMap((group) => group.memberIds.flatMap((personId) => {
    const random = randomFrom(`${tenant.id}:standing:${group.id}:${personId}`);
    const [destination] = destinationsOf(tenant, group.id);
    if (!destination) return [];
    const visits: Visit[] = [];
    for (let day = from; day < until; day += DAY_MS) {
      const at = day + timeOfDay(random, false);
      const weekday = new Date(day).getUTCDay();
      if (random.chance(0.35) && weekday !== 0 && weekday !== 6 && at < until) visits.push(visitAt(random, at, personId, destination));
    }
    return visits;
  }));
}

/**
 * The log of the months before what Entra still keeps, as Graph would have printed it, oldest first.
 * A day comes out the same whenever it is asked for.
 */
export function demoHistoryBefore(tenant: Tenant, now: Date, months: number): Record<string, unknown>[] {
  const until = firstKeptDay(now);
  const from = new Date(until);
  from.setUTCMonth(from.getUTCMonth() - months);
  const setup = setupAudits(tenant).filter((entry) => instantOf(entry) >= from.getTime() && instantOf(entry) < until);
  const stories = [...storiesBetween(tenant, from.getTime(), until)].flatMap((story) => story.audits);
  return inOrder([...setup, ...stories]).map(({ entry }) => entry);
}

/** Whole days, so that no activation is torn in two. */
const firstKeptDay = (now: Date): number => Math.ceil((now.getTime() - KEPT_DAYS * DAY_MS) / DAY_MS) * DAY_MS;

const instantOf = ({ entry }: DirectoryAudit): number => Date.parse(entry.activityDateTime);

const inOrder = (audits: readonly DirectoryAudit[]): DirectoryAudit[] =>
  audits.toSorted((a, b) => (a.entry.activityDateTime < b.entry.activityDateTime ? -1 : a.entry.activityDateTime > b.entry.activityDateTime ? 1 : 0));

/** The tenant as the engine's own audit functions want it, with a log of its own. */
function scribe(tenant: Tenant, random: Random): World {
  return { tenant: { ...tenant, directoryAudits: [] }, now: new Date(0), delays: NO_DELAYS, newId: () => random.guid() };
}

/** How each secured group came to be: made, put under PIM, its role settings, its people, its application. */
function setupAudits(tenant: Tenant): DirectoryAudit[] {
  return tenant.groups.filter(({ displayName }) => STORIES.has(displayName)).flatMap((group) => {
    const world = scribe(tenant, randomFrom(`${tenant.id}:${group.id}`));
    const by = tenant.users.find(({ id }) => id === group.ownerIds[0]);
    if (!by) return [];
    const user = { user: by };
    const created = Date.parse(group.createdDateTime);
    audit(world, user, { ...groupEvent('Create group', group), at: new Date(created) });
    audit(world, user, { ...relationEvent('Add owner to group', tenant, group, by.id), at: new Date(created + SECOND_MS) });
    const standing = group.memberIds.filter((id) => !tenant.pim.schedules.some((schedule) => schedule.kind === 'assignment' && schedule.groupId === group.id && schedule.principalId === id));
    for (const id of standing) audit(world, user, { ...relationEvent('Add member to group', tenant, group, id), at: new Date(created + 2 * MINUTE_MS) });

    const groupTarget = { type: 'Group', id: group.id, displayName: group.displayName, modifiedProperties: [] };
    const pim = { loggedByService: 'PIM', category: 'GroupManagement' } as const;
    if (group.onboardedToPimAt !== null) audit(world, user, { ...pim, activityDisplayName: 'Onboarded resource to PIM', operationType: 'Onboard', targetResources: [groupTarget], at: new Date(group.onboardedToPimAt) });

    const settings = tenant.pim.policies.find((policy) => policy.groupId === group.id && policy.accessId === 'member')?.lastModifiedDateTime;
    const changes = [new Date(created + 5 * MINUTE_MS).toISOString(), ...(settings ? [settings] : [])];
    for (const at of new Set(changes)) {
      audit(world, user, { ...pim, activityDisplayName: 'Update role setting in PIM', operationType: 'Update', targetResources: [{ type: 'Role', id: 'member', displayName: 'Member', modifiedProperties: [] }, groupTarget], at: new Date(at) });
    }

    for (const request of tenant.pim.requests) {
      const schedule = tenant.pim.schedules.find(({ id }) => id === request.targetScheduleId);
      if (request.groupId !== group.id || request.kind !== 'eligibility' || !schedule) continue;
      const kind = schedule.endDateTime === null ? 'permanent' : 'timebound';
      auditRequest(world, request, `Add eligible member to role in PIM requested (${kind})`, 'Assign', user, { at: new Date(request.createdDateTime) });
      auditRequest(world, request, `Add eligible member to role in PIM completed (${kind})`, 'Assign', user, { at: new Date(Date.parse(request.createdDateTime) + SECOND_MS) });
    }

    for (const assignment of tenant.appRoleAssignments) {
      const resource = tenant.servicePrincipals.find(({ id }) => id === assignment.resourceId);
      if (assignment.principalId === group.id && resource) audit(world, user, { ...assignmentEvent('add', tenant, assignment, resource), at: new Date(assignment.createdDateTime) });
    }
    return world.tenant.directoryAudits;
  });
}

function* storiesBetween(tenant: Tenant, from: number, until: number): Generator<Story> {
  for (let day = Math.floor(from / DAY_MS) * DAY_MS; day < until; day += DAY_MS) yield* storiesOfDay(tenant, day);
}

/** Whoever could activate a group on a day: each eligible person, and the members of eligible groups. */
interface Candidate {
  readonly group: Group;
  readonly story: GroupStory;
  readonly people: readonly User[];
}

/** A working day has a dozen activations or so, a weekend hardly any. Seeded by the day alone. */
function* storiesOfDay(tenant: Tenant, day: number): Generator<Story> {
  const random = randomFrom(`${tenant.id}:${new Date(day).toISOString().slice(0, 10)}`);
  const weekday = new Date(day).getUTCDay();
  const weekend = weekday === 0 || weekday === 6;
  const candidates = tenant.groups.flatMap((group): Candidate[] => {
    const story = STORIES.get(group.displayName);
    const people = story ? eligiblePeople(tenant, group, day) : [];
    return story && people.length > 0 ? Array.from({ length: story.weight(new Date(day).getUTCDate()) }, () => ({ group, story, people })) : [];
  });
  if (candidates.length === 0) return;

  const busyUntil = new Map<string, number>();
  const count = weekend ? random.between(0, 1) : random.between(10, 17);
  const times = Array.from({ length: count }, () => timeOfDay(random, weekend)).toSorted((a, b) => a - b);
  for (const time of times) {
    const { group, story, people } = random.pick(candidates);
    const person = random.pick(people);
    const key = `${group.id}:${person.id}`;
    if ((busyUntil.get(key) ?? 0) > day + time) continue;
    const told = tell(tenant, random, group, story, person, day + time);
    busyUntil.set(key, told.endedAt);
    yield told;
  }
}

function eligiblePeople(tenant: Tenant, group: Group, day: number): User[] {
  const covers = (schedule: PimSchedule): boolean =>
    schedule.kind === 'eligibility' && schedule.groupId === group.id && schedule.accessId === 'member' && Date.parse(schedule.startDateTime) < day && (schedule.endDateTime === null || Date.parse(schedule.endDateTime) > day + DAY_MS);
  const ids = tenant.pim.schedules.filter(covers).flatMap(({ principalId }) => {
    const nested = tenant.groups.find(({ id }) => id === principalId);
    return nested ? nested.memberIds : [principalId];
  });
  return tenant.users.filter((user) => ids.includes(user.id) && user.accountEnabled);
}

/** Mornings and afternoons in Central Europe, to the millisecond, in UTC. */
function timeOfDay(random: Random, weekend: boolean): number {
  const [from, to] = weekend ? [9, 17] : random.chance(0.55) ? [7, 10] : [11, 16];
  return random.between(from * 60 * MINUTE_MS, to * 60 * MINUTE_MS - 1);
}

/** One activation from request to end, with what PIM and the directory wrote about it. */
function tell(tenant: Tenant, random: Random, group: Group, story: GroupStory, person: User, asked: number): Story {
  const policy = tenant.pim.policies.find((one) => one.groupId === group.id && one.accessId === 'member');
  const rules = policy && activationRules(policy);
  const maximum = durationMs(rules?.maximumDuration) ?? 60 * MINUTE_MS;
  const minutes = random.pick([15, 30, 60, 120, 240, 480].filter((choice) => choice * MINUTE_MS <= maximum).slice(-3));
  // Nobody decides their own request.
  const approvers = tenant.users.filter(({ id }) => rules?.approvers?.some(({ userId }) => userId === id));
  const approver = rules?.approvers?.flatMap(({ userId }) => approvers.find(({ id }) => id === userId && id !== person.id) ?? []).at(0);

  const world = scribe(tenant, random);
  const requestId = random.guid();
  const [reason, ticket] = story.reason(random, new Date(asked));
  const instant = (at: number): string => new Date(at).toISOString();
  const request: PimRequest = {
    id: requestId, kind: 'assignment', action: 'selfActivate', accessId: 'member', principalId: person.id, groupId: group.id, status: 'Provisioned',
    createdDateTime: instant(asked), completedDateTime: null, createdByUserId: person.id, justification: reason,
    scheduleInfo: { startDateTime: instant(asked), recurrence: null, expiration: { type: 'afterDuration', endDateTime: null, duration: minutes % 60 === 0 ? `PT${minutes / 60}H` : `PT${minutes}M` } },
    ticketInfo: ticket === undefined ? { ticketNumber: null, ticketSystem: null } : { ticketNumber: ticket, ticketSystem: 'ServiceNow' },
    isValidationOnly: false, approvalId: null, targetScheduleId: `${group.id}_member_${requestId}`, dueAt: null,
  };
  const pim = (about: PimRequest, activity: string, operation: string, who: User | 'PIM', at: number, more: { result?: 'failure'; reason?: string; details?: { key: string; value: string }[] } = {}): void =>
    auditRequest(world, about, activity, operation, who === 'PIM' ? { service: 'Azure AD PIM' } : { user: who }, { ...more, at: new Date(at) });
  const directory = (change: 'added' | 'removed', at: number): void =>
    audit(world, { app: 'MS-PIM' }, {
      loggedByService: 'Core Directory', category: 'GroupManagement', at: new Date(at), targetResources: memberTargets(tenant, group.id, person.id, change),
      ...(change === 'added' ? { activityDisplayName: 'Add member to group', operationType: 'Assign' } : { activityDisplayName: 'Remove member from group', operationType: 'Unassign' }),
    });
  const told = (requests: readonly PimRequest[], approvals: readonly PimApproval[], endedAt: number, beganAt?: number): Story =>
    ({ audits: world.tenant.directoryAudits, requests, approvals, endedAt, ...(beganAt !== undefined && { began: { at: beganAt, personId: person.id, groupId: group.id } }) });
  const approvalOf = (status: 'Completed' | 'Expired' | 'InProgress', reviewResult: 'NotReviewed' | 'Approved' | 'Denied', at: number | undefined, justification: string | null): PimApproval => ({
    id: requestId, requestId, approverUserIds: approvers.map(({ id }) => id),
    stage: { id: requestId, status, reviewResult, reviewedById: at === undefined ? null : approver?.id ?? null, reviewedDateTime: at === undefined ? null : instant(at), justification },
  });

  pim(request, 'Add member to role requested (PIM activation)', 'ActivateRole', person, asked);
  let started = asked + random.between(900, 2600);
  const approvals: PimApproval[] = [];
  if (approver) {
    request.approvalId = requestId;
    pim(request, 'Add member to role approval requested (PIM activation)', 'ActivateRole', person, asked + random.between(200, 900));
    const fate = random.next();
    if (fate < 0.06) {
      const at = asked + random.between(3, 40) * MINUTE_MS;
      pim(request, 'Add member to role canceled (PIM activation)', 'ActivateRole', person, at);
      Object.assign(request, { status: 'Canceled', completedDateTime: instant(at) });
      return told([request], [approvalOf('Completed', 'NotReviewed', undefined, null)], at);
    }
    if (fate < 0.11) {
      const at = asked + DAY_MS;
      pim(request, 'PIM activation request expired', 'ActivateRole', 'PIM', at, { result: 'failure', reason: 'The request was not decided in time.' });
      Object.assign(request, { status: 'TimedOut', completedDateTime: instant(at) });
      return told([request], [approvalOf('Expired', 'NotReviewed', undefined, null)], at);
    }
    const decided = asked + random.between(90, 5400) * SECOND_MS + random.between(0, 999);
    if (fate < 0.2) {
      const why = random.pick(REFUSALS);
      pim(request, 'Add member to role request denied (PIM activation)', 'ActivateRole', approver, decided, { reason: why });
      Object.assign(request, { status: 'Denied', completedDateTime: instant(decided) });
      return told([request], [approvalOf('Completed', 'Denied', decided, why)], decided);
    }
    const why = random.pick(DECISIONS);
    pim(request, 'Add member to role request approved (PIM activation)', 'ActivateRole', approver, decided, { reason: why });
    approvals.push(approvalOf('Completed', 'Approved', decided, why));
    started = decided + random.between(900, 2600);
  }

  request.completedDateTime = instant(started);
  pim(request, 'Add member to role completed (PIM activation)', 'ActivateRole', person, started);
  directory('added', started + random.between(400, 1500));

  if (minutes > 15 && random.chance(0.24)) {
    const ended = started + random.between(6 * MINUTE_MS, minutes * MINUTE_MS * 0.9);
    const deactivation: PimRequest = {
      ...request, id: random.guid(), action: 'selfDeactivate', status: 'Revoked', createdDateTime: instant(ended), completedDateTime: instant(ended), approvalId: null,
      justification: 'Done', scheduleInfo: null, ticketInfo: { ticketNumber: null, ticketSystem: null },
    };
    const origin = [{ key: 'OriginRoleAssignmentId', value: request.targetScheduleId ?? '' }];
    pim(deactivation, 'Remove member from role requested (PIM deactivate)', 'DeactivateRole', person, ended, { details: origin });
    pim(deactivation, 'Remove member from role completed (PIM deactivate)', 'DeactivateRole', person, ended + random.between(300, 1200), { details: origin });
    directory('removed', ended + random.between(1300, 3000));
    return told([request, deactivation], approvals, ended + 3000, started);
  }

  const ended = started + minutes * MINUTE_MS;
  audit(world, { service: 'Azure AD PIM' }, {
    loggedByService: 'PIM', category: 'GroupManagement', activityDisplayName: 'Remove member from role (PIM activation expired)', operationType: 'Delete', at: new Date(ended + random.between(100, 900)),
    targetResources: pimTargets(tenant, { groupId: group.id, principalId: person.id, accessId: 'member', requestId: random.guid() }),
    additionalDetails: [
      { key: 'AuditType', value: 'RemoveActivatedRole' }, { key: 'ActionType', value: 'Revoke' },
      { key: 'OriginRoleAssignmentId', value: request.targetScheduleId ?? '' }, { key: 'RoleAssignmentRequestId', value: requestId },
    ],
  });
  directory('removed', ended + random.between(1000, 2400));
  return told([request], approvals, ended + 2400, started);
}
