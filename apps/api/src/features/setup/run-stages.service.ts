import type { ApplicationWish, PlanStep, SetupDefinition, StepKind } from '@gatehouse/contracts';
import { GraphError, type AppAssignment, type ApplicationSegment, type Graph, type GraphApplication, type GraphGroup, type GraphPorts, type GroupPolicy, type GroupRole, type NewSegment, type PolicyRule, type ScheduleInstance } from '@gatehouse/graph';
import type { Clock } from '../../core/clock.ts';
import { destinationIn } from './drift.rules.ts';
import { known } from './known.ts';
import { sameDestination, type Destination } from './overlap.rules.ts';
import { mergeRoleSettings } from './role-settings.rules.ts';
import { isEligibleEnough, longest, unfit } from './setup.rules.ts';
import { applicationKey, destinationOf, segmentKey, uniqueNameOf } from './steps.rules.ts';
import { sameRules, type Before } from './undo.rules.ts';

/**
 * What the steps of a stage do: one look at the part of the tenant that they concern, by natural keys; for each step whether
 * it is so, in a sentence that says what was proved; and what makes it so. All of it may be repeated at any time.
 */

/** What a run knows of the tenant, and learns as it goes. */
export interface RunContext {
  readonly graph: Graph;
  readonly definition: SetupDefinition;
  readonly clock: Clock;
  readonly actorId: string;
  /** Known from the plan's facts, or from the step that made it. */
  group: GraphGroup | undefined;
  readonly applications: Map<string, GraphApplication>;
  /** Whether an earlier attempt may have begun the step without anybody knowing how it ended. */
  readonly begunBefore: (key: string) => boolean;
  /** Of an undo: how the tenant stood before the step that it takes back, by that step's key. */
  readonly before: ReadonlyMap<string, Before>;
  /** All steps that the run is about. */
  readonly steps: readonly PlanStep[];
  access?: Stage<unknown>;
}

/** The step cannot be done, and this says why and what to do. */
export class StepRefused extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'StepRefused';
  }
}

/** It cannot be written yet: something is not known there so far, what is written now must be read first, or PIM wants time to pass. */
export type NotYet = { readonly notYet: 'unknown' | 'before reading back' } | { readonly notYet: 'too early'; readonly until: Date; readonly why: string };

export interface Stage<Seen> {
  /** Whether the first look may be left out, since the plan has just looked. */
  readonly startsBlind?: boolean;
  /** Whether a refusal because it is there already, or gone already, is as good as done. */
  readonly conflictIsDone: boolean;
  /** What was seen last, and when. */
  last?: { readonly seen: Seen; readonly at: Date };
  /** Looks; `sent` are the keys of the steps that were written meanwhile. */
  look(sent: ReadonlySet<string>): Promise<Seen>;
  /** What was proved of a step, in words; `undefined` while it is not so. May say that it can never be so. */
  proof(step: PlanStep, seen: Seen | undefined): string | undefined;
  /** Makes it so; answers `undefined` where another step of the same turn does. */
  write(step: PlanStep, seen: Seen | undefined, graph: GraphPorts, turn: Turn): Promise<unknown> | NotYet | undefined;
  /** What the run keeps of how it stood before, for whoever takes the step back. */
  before?(step: PlanStep, seen: Seen | undefined): Before | undefined;
  /** What is waited for while it is not so. */
  waitsFor(step: PlanStep, wasSent: boolean): string;
}

/** Steps that are written in one turn; the first write to the member policy does what several of them ask for. */
export interface Turn {
  readonly steps: readonly PlanStep[];
}

/** The stage of these steps. One that others of the run's steps belong to as well is the same each time. */
export function stageFor([first]: readonly PlanStep[], context: RunContext): Stage<unknown> {
  switch (first?.kind) {
    case undefined: throw new Error('a stage has steps');
    case 'create-group': return erased(createGroup(context));
    case 'delete-group': return erased(deleteGroup(context));
    case 'create-application': return erased(createApplication(context, newApplication(context, first)));
    case 'publish-application': return erased(publishApplication(context, newApplication(context, first)));
    case 'delete-application': return erased(deleteApplication(context, keyIn(first)));
    case 'require-assignment': case 'unrequire-assignment': return erased(requirement(context, keyIn(first), first.kind === 'require-assignment'));
    case 'add-segment': case 'remove-segment': return erased(segments(context, first));
    default: return (context.access ??= erased(access(context)));
  }
}

/** What a stage has seen is its own affair. */
function erased<Seen>(stage: Stage<Seen>): Stage<unknown> {
  return stage as Stage<unknown>;
}

function createGroup(context: RunContext): Stage<GraphGroup | undefined> {
  const { graph, definition: { group: wish, owners } } = context;
  if (wish.kind === 'existing') throw new Error('a group that exists is not made');
  const uniqueName = uniqueNameOf(wish.mailNickname);
  let made: GraphGroup | undefined;
  return {
    conflictIsDone: false,
    startsBlind: !context.begunBefore('create-group'),
    look: () => (made ? graph.directory.group(made.id) : graph.directory.groupByUniqueName(uniqueName)),
    proof(_step, seen) {
      if (!seen) return undefined;
      const why = unfit(seen);
      if (why) throw new StepRefused(`${why.reason} ${why.mend}`);
      context.group = seen;
      return `verified by reading back: the group ${seen.displayName} exists, with assigned membership`;
    },
    async write() {
      const ownerIds = owners.length > 0 ? owners.map(({ principalId }) => principalId) : [context.actorId];
      ({ group: made } = await graph.directory.ensureGroup({ uniqueName, displayName: wish.displayName, mailNickname: wish.mailNickname, ...(wish.description !== '' && { description: wish.description }), ownerIds }));
    },
    waitsFor: () => 'Entra to show the new group',
  };
}

function deleteGroup(context: RunContext): Stage<GraphGroup | undefined> {
  const { graph } = context;
  const id = groupOf(context).id;
  return {
    conflictIsDone: false,
    look: () => graph.directory.group(id),
    proof: (_step, seen) => (seen ? undefined : 'verified by reading back: the group is gone'),
    write: () => graph.directory.deleteGroup(id),
    waitsFor: () => 'Entra to delete the group',
  };
}

function createApplication(context: RunContext, wish: NewApplication): Stage<readonly GraphApplication[]> {
  const { graph } = context;
  const key = applicationKey(wish);
  let made: GraphApplication | undefined;
  // One that is not published is ours only if an earlier attempt may have made it: the plan refused any that was there before.
  const ours = (named: readonly GraphApplication[]): GraphApplication | undefined => named.find(({ servicePrincipalId }) => servicePrincipalId === made?.servicePrincipalId)
    ?? named.find((one) => one.kind === 'per-app') ?? (context.begunBefore(`create-application:${key}`) ? named[0] : undefined);
  return {
    conflictIsDone: false,
    async look() {
      if (!made) return graph.applications.applicationsByName(wish.displayName);
      const seen = await graph.applications.application(made.servicePrincipalId);
      return seen ? [seen] : [];
    },
    proof(_step, named = []) {
      const seen = ours(named);
      if (!seen && named.length > 0) throw new StepRefused(`An enterprise application ${wish.displayName} appeared meanwhile. Choose another name and apply the setup again.`);
      if (!seen) return undefined;
      context.applications.set(key, seen);
      return `verified by reading back: the application ${seen.displayName} exists`;
    },
    async write() {
      made = await graph.applications.instantiate(wish.displayName);
    },
    waitsFor: () => 'Entra to show the new application',
  };
}

function publishApplication(context: RunContext, wish: NewApplication): Stage<GraphApplication | undefined> {
  const { graph } = context;
  const { appId, servicePrincipalId } = applicationOf(context, applicationKey(wish));
  let published = false;
  return {
    conflictIsDone: false,
    // That it is published does not show its connector group: the write is absolute, and is always done.
    startsBlind: true,
    look: () => graph.applications.application(servicePrincipalId),
    proof(_step, seen) {
      if (!published || seen?.kind !== 'per-app') return undefined;
      context.applications.set(applicationKey(wish), seen);
      return `verified by reading back: ${seen.displayName} is a Private Access application`;
    },
    async write() {
      await graph.applications.publish(appId, { displayName: wish.displayName, connectorGroupId: wish.connectorGroupId });
      published = true;
    },
    waitsFor: (_step, wasSent) => (wasSent ? 'Entra to show the application as published' : 'Entra to know the new application'),
  };
}

function deleteApplication(context: RunContext, key: string): Stage<GraphApplication | undefined> {
  const { graph } = context;
  const { appId, servicePrincipalId, displayName } = applicationOf(context, key);
  return {
    conflictIsDone: false,
    look: () => graph.applications.application(servicePrincipalId),
    proof: (_step, seen) => (seen ? undefined : `verified by reading back: the application ${displayName} is gone`),
    write: () => graph.applications.deleteApplication(appId),
    waitsFor: () => 'Entra to delete the application',
  };
}

/** Destinations of one application, new ones and ones that go. */
function segments(context: RunContext, { kind, key: ofStep }: PlanStep): Stage<readonly ApplicationSegment[]> {
  const { graph, definition } = context;
  const wishes = new Map(definition.applications.flatMap((wish) => (wish.kind === 'new' ? wish.segments.map((segment) => [segmentKey(wish, segment), destinationOf(segment)] as const) : [])));
  const of = (key: string) => destinationIn(key.slice(kind.length + 1));
  const { appId, displayName } = applicationOf(context, of(ofStep).application);
  // One that a setup does not name, as of an application that was there before, is as its key says.
  const destination = (key: string): NewSegment => wishes.get(key.replace(/^remove-/, 'add-')) ?? asDestination(of(key).destination);
  const standing = (key: string, seen: readonly ApplicationSegment[]): ApplicationSegment | undefined => seen.find((one) => sameDestination(one, destination(key)));
  return {
    conflictIsDone: true,
    look: () => graph.applications.segments(appId),
    proof({ key }, seen = []) {
      if ((standing(key, seen) === undefined) === (kind === 'add-segment')) return undefined;
      const { destinationHost, ports } = destination(key);
      return `verified by reading back: ${displayName} ${kind === 'add-segment' ? 'has' : 'does not have'} ${destinationHost} ${ports.map((range) => /^(\d+)-\1$/.exec(range)?.[1] ?? range).join(',')}`;
    },
    write({ key }, seen = [], ports) {
      if (kind === 'add-segment') return ports.applications.addSegment(appId, destination(key));
      const there = standing(key, seen);
      return there && ports.applications.removeSegment(appId, there.id);
    },
    waitsFor: () => 'Entra to show the destinations',
  };
}

/** Whether an application lets in only who is assigned. */
function requirement(context: RunContext, key: string, required: boolean): Stage<GraphApplication | undefined> {
  const { graph } = context;
  const { servicePrincipalId, displayName } = applicationOf(context, key);
  return {
    conflictIsDone: false,
    look: () => graph.applications.application(servicePrincipalId),
    proof: (_step, seen) => (seen?.assignmentRequired === required ? `verified by reading back: ${displayName} ${required ? 'requires' : 'does not require'} assignment` : undefined),
    write: () => graph.applications.requireAssignment(servicePrincipalId, required),
    waitsFor: () => 'Entra to show whether assignment is required',
  };
}

/** What is seen of the group and of who reaches what through it. */
interface Access {
  readonly policies: Readonly<Partial<Record<GroupRole, GroupPolicy>>>;
  readonly onboarded: boolean;
  readonly eligible: readonly ScheduleInstance[];
  readonly owners: ReadonlySet<string>;
  readonly assignments: readonly AppAssignment[];
  // Of what restoring takes away.
  readonly members: ReadonlySet<string>;
  readonly active: readonly ScheduleInstance[];
  readonly eligibleOwners: readonly ScheduleInstance[];
  /** Everybody who is assigned to the applications concerned. */
  readonly assignees: readonly AppAssignment[];
}

/** PIM takes nothing back sooner (CONTRACT.md §5). */
const FLOOR_MS = 5 * 60_000;
const ENDED_BADLY = ['Failed', 'Denied', 'Canceled', 'Revoked'];

function access(context: RunContext): Stage<Access> {
  const { graph, definition, clock } = context;
  const group = groupOf(context);
  const { pim, directory, applications } = graph.together;
  const settingsOf = (role: GroupRole) => (role === 'member' ? definition.roleSettings : definition.ownerRoleSettings ?? undefined);
  /** Rules that are still to be written; `undefined` while the policy cannot be read. */
  const changed = (role: GroupRole, seen: Access | undefined): readonly PolicyRule[] | undefined => {
    const [policy, wanted] = [seen?.policies[role], settingsOf(role)];
    return policy && wanted ? mergeRoleSettings(policy.rules, wanted) : undefined;
  };
  const eligibleFact = (id: string, seen: Access | undefined) => longest((seen?.eligible ?? []).filter((one) => one.principalId.toLowerCase() === id));
  const wishOf = (id: string) => {
    const wish = definition.eligible.find((one) => one.principalId === id);
    if (!wish) throw new Error(`nobody has the key ${id}`);
    return wish;
  };
  const assignmentOf = (key: string, seen: Access | undefined) => seen?.assignments.find((one) => one.servicePrincipalId === applicationOf(context, key).servicePrincipalId);
  const until = (endsAt: string | undefined): string => (endsAt === undefined ? 'permanently' : `until ${endsAt.slice(0, 10)}`);
  const beforeOf = (key: string): Before | undefined => context.before.get(key);
  const rulesBefore = (role: GroupRole): readonly PolicyRule[] => {
    const before = beforeOf(role === 'member' ? 'role-settings' : 'owner-role-settings');
    return before && 'rules' in before ? before.rules : [];
  };
  const endBefore = (id: string) => {
    const before = beforeOf(`assign-eligible:${id}`);
    return before && 'endsAt' in before ? before : { startsAt: undefined, endsAt: undefined };
  };

  /** Onboarding has no call of its own: the first write to the member policy does it. The role settings go in that write, so that the group is at no moment in PIM with Entra's defaults; where they are as wanted, one rule just as it stands changes nothing. */
  const writePolicy = (role: GroupRole, onboards: boolean, seen: Access | undefined, ports: GraphPorts): Promise<unknown> | NotYet | undefined => {
    const [policy, rules] = [seen?.policies[role], changed(role, seen)];
    if (!policy || !rules) return { notYet: 'unknown' };
    const written = rules.length > 0 ? rules : onboards ? policy.rules.slice(0, 1) : [];
    if (onboards && written.length === 0) throw new GraphError('unexpected', `PIM shows no rules for group ${group.id}`);
    return written.length === 0 ? undefined : ports.pim.updatePolicy(policy.policyId, written);
  };
  const restorePolicy = (role: GroupRole, seen: Access | undefined, ports: GraphPorts): Promise<unknown> | NotYet => {
    const policy = seen?.policies[role];
    return policy ? ports.pim.updatePolicy(policy.policyId, rulesBefore(role)) : { notYet: 'unknown' };
  };
  const assign = async (ports: GraphPorts, wish: Parameters<GraphPorts['pim']['assignEligible']>[0]): Promise<void> => {
    const { status } = await ports.pim.assignEligible(wish);
    if (ENDED_BADLY.includes(status)) throw new StepRefused(`Entra ended the request with the status ${status}. Look in Entra why, and continue the run.`);
  };

  const concerns = (...kinds: StepKind[]): boolean => context.steps.some(({ kind }) => kinds.includes(kind));
  /** Of `application:principal`. */
  const assigneeIn = (id: string) => ({ application: applicationOf(context, id.slice(0, id.lastIndexOf(':'))), principalId: id.slice(id.lastIndexOf(':') + 1) });
  const assignmentsOfAssignee = (id: string, seen: Access | undefined) => {
    const { application, principalId } = assigneeIn(id);
    return (seen?.assignees ?? []).filter((one) => one.servicePrincipalId === application.servicePrincipalId && one.principalId.toLowerCase() === principalId);
  };
  const opened = [...new Set(context.steps.filter(({ kind }) => kind === 'remove-assignee').map((step) => assigneeIn(keyIn(step)).application.servicePrincipalId))];
  const instanceOf = (id: string, instances: readonly ScheduleInstance[] | undefined) => instances?.find(({ principalId }) => principalId.toLowerCase() === id);
  const tooEarly = (what: 'eligibility' | 'assignment', fact: Pick<ScheduleInstance, 'startsAt'> | undefined): NotYet | undefined => {
    const from = fact?.startsAt === undefined ? 0 : Date.parse(fact.startsAt) + FLOOR_MS;
    return from > clock.now().getTime() ? { notYet: 'too early', until: new Date(from), why: `PIM ends no ${what} within five minutes of its beginning` } : undefined;
  };

  return {
    conflictIsDone: true,
    async look(sent) {
      const [member, owner, eligible, owners, assignments, onboarded, members, active, assignees] = await Promise.all([
        concerns('onboard', 'role-settings', 'restore-role-settings') ? known(pim.policy(group.id, 'member')) : undefined,
        concerns('owner-role-settings', 'restore-owner-role-settings') ? known(pim.policy(group.id, 'owner')) : undefined,
        concerns('assign-eligible', 'remove-eligible', 'restore-eligible', 'remove-owner-eligible') ? known(pim.eligibilities(group.id)) : [],
        concerns('add-owner', 'remove-owner') ? directory.owners(group.id) : [],
        concerns('assign-application', 'unassign-application') ? applications.assignmentsOfGroup(group.id) : [],
        sent.has('onboard') ? pim.onboardedGroups() : [],
        concerns('remove-member') ? directory.members(group.id) : [],
        concerns('remove-active') ? known(pim.assignments(group.id)) : [],
        Promise.all(opened.map((id) => applications.assignmentsOf(id))),
      ]);
      const direct = (eligible ?? []).filter(({ memberType }) => memberType === 'direct');
      return {
        policies: { ...(member && { member }), ...(owner && { owner }) },
        eligible: direct.filter(({ accessId }) => accessId === 'member'), eligibleOwners: direct.filter(({ accessId }) => accessId === 'owner'),
        members: new Set(members.map((id) => id.toLowerCase())), assignees: assignees.flat(),
        active: (active ?? []).filter(({ accessId, assignmentType, startsAt }) => accessId === 'member' && assignmentType === 'assigned' && startsAt !== undefined),
        owners: new Set(owners.map(({ id }) => id.toLowerCase())), assignments,
        onboarded: onboarded.some((id) => id.toLowerCase() === group.id.toLowerCase()),
      };
    },

    proof(step, seen) {
      const id = keyIn(step);
      const proved = 'verified by reading back:';
      switch (step.kind) {
        case 'onboard': return seen?.onboarded === true ? `${proved} PIM lists the group${step.calls.length > 0 && changed('member', seen)?.length === 0 ? '; the role settings went along' : ''}` : undefined;
        case 'role-settings': return changed('member', seen)?.length === 0 ? `${proved} the role settings of Member are as wanted` : undefined;
        case 'owner-role-settings': return changed('owner', seen)?.length === 0 ? `${proved} the role settings of Owner are as wanted` : undefined;
        case 'add-owner': return seen?.owners.has(id) === true ? `${proved} ${nameIn(definition.owners, id)} owns the group` : undefined;
        case 'remove-owner': return seen?.owners.has(id) === false ? `${proved} not an owner any more` : undefined;
        case 'remove-member': return seen?.members.has(id) === false ? `${proved} not a member any more` : undefined;
        case 'remove-active': return seen && !instanceOf(id, seen.active) ? `${proved} not assigned as active any more` : undefined;
        case 'remove-owner-eligible': return seen && !instanceOf(id, seen.eligibleOwners) ? `${proved} not eligible as an owner any more` : undefined;
        case 'remove-assignee': return seen && assignmentsOfAssignee(id, seen).length === 0 ? `${proved} not assigned to ${assigneeIn(id).application.displayName} any more` : undefined;
        case 'assign-eligible': {
          const [wish, fact] = [wishOf(id), eligibleFact(id, seen)];
          return fact && isEligibleEnough(wish, fact) ? `${proved} ${wish.displayName} is eligible ${until(fact.endsAt)}` : undefined;
        }
        case 'remove-eligible': return seen && !eligibleFact(id, seen) ? `${proved} not eligible any more` : undefined;
        case 'restore-eligible': {
          const [fact, { endsAt }] = [eligibleFact(id, seen), endBefore(id)];
          return fact && until(fact.endsAt) === until(endsAt) ? `${proved} ${nameIn(definition.eligible, id)} is eligible ${until(endsAt)}` : undefined;
        }
        case 'assign-application': return assignmentOf(id, seen) ? `${proved} ${applicationOf(context, id).displayName} is open to ${group.displayName}` : undefined;
        case 'unassign-application': return seen && !assignmentOf(id, seen) ? `${proved} ${applicationOf(context, id).displayName} is closed to ${group.displayName}` : undefined;
        case 'restore-role-settings': return seen?.policies.member && sameRules(seen.policies.member.rules, rulesBefore('member')) ? `${proved} the role settings of Member are as they were` : undefined;
        case 'restore-owner-role-settings': return seen?.policies.owner && sameRules(seen.policies.owner.rules, rulesBefore('owner')) ? `${proved} the role settings of Owner are as they were` : undefined;
        default: throw new Error(`${step.kind} is of another stage`);
      }
    },

    write(step, seen, ports, { steps }) {
      const id = keyIn(step);
      const justification = `Setup of ${group.displayName}`;
      switch (step.kind) {
        case 'onboard': return writePolicy('member', true, seen, ports);
        case 'role-settings': return steps.some(({ kind }) => kind === 'onboard') ? undefined : writePolicy('member', false, seen, ports);
        // Onboarding gives the policies other ids.
        case 'owner-role-settings': return steps.some(({ kind }) => kind === 'onboard') ? { notYet: 'before reading back' } : writePolicy('owner', false, seen, ports);
        case 'add-owner': return ports.directory.addOwner(group.id, id);
        case 'remove-owner': return ports.directory.removeOwner(group.id, id);
        case 'assign-eligible': {
          const { days } = wishOf(id);
          const startsAt = clock.now();
          const endsAt = days === null ? undefined : new Date(startsAt.getTime() + days * 24 * 60 * 60_000).toISOString();
          return assign(ports, { groupId: group.id, principalId: id, replaces: eligibleFact(id, seen) !== undefined, expiry: { startsAt: startsAt.toISOString(), endsAt }, justification });
        }
        case 'remove-eligible': {
          return tooEarly('eligibility', eligibleFact(id, seen)) ?? ports.pim.removeEligible({ groupId: group.id, principalId: id, justification: `The setup of ${group.displayName} is taken back or restored` });
        }
        case 'remove-member': return ports.directory.removeMember(group.id, id);
        case 'remove-active': return tooEarly('assignment', instanceOf(id, seen?.active)) ?? ports.pim.removeActive({ groupId: group.id, principalId: id, justification });
        case 'remove-owner-eligible': return tooEarly('eligibility', instanceOf(id, seen?.eligibleOwners)) ?? ports.pim.removeEligible({ groupId: group.id, principalId: id, justification, role: 'owner' });
        case 'remove-assignee': return Promise.all(assignmentsOfAssignee(id, seen).map((one) => ports.applications.unassign(one)));
        case 'restore-eligible': {
          const { startsAt, endsAt } = endBefore(id);
          return assign(ports, { groupId: group.id, principalId: id, replaces: eligibleFact(id, seen) !== undefined, expiry: { startsAt: startsAt ?? clock.now().toISOString(), endsAt }, justification: `The setup of ${group.displayName} is taken back or restored` });
        }
        case 'assign-application': {
          const { servicePrincipalId, assignableRoleId } = applicationOf(context, id);
          return ports.applications.assignGroup({ groupId: group.id, servicePrincipalId, appRoleId: assignableRoleId });
        }
        case 'unassign-application': {
          const assignment = assignmentOf(id, seen);
          return assignment && ports.applications.unassign(assignment);
        }
        case 'restore-role-settings': return restorePolicy('member', seen, ports);
        case 'restore-owner-role-settings': return restorePolicy('owner', seen, ports);
        default: throw new Error(`${step.kind} is of another stage`);
      }
    },

    before(step, seen) {
      const role = step.kind === 'role-settings' ? 'member' : step.kind === 'owner-role-settings' ? 'owner' : undefined;
      if (role) {
        const ids = new Set((changed(role, seen) ?? []).map((rule) => rule.id));
        const rules = (seen?.policies[role]?.rules ?? []).filter((rule) => ids.has(rule.id));
        return ids.size > 0 ? { rules } : undefined;
      }
      const fact = step.kind === 'assign-eligible' ? eligibleFact(keyIn(step), seen) : undefined;
      return fact && { startsAt: fact.startsAt, endsAt: fact.endsAt };
    },

    waitsFor(step, wasSent) {
      const id = keyIn(step);
      switch (step.kind) {
        case 'onboard': case 'role-settings': case 'owner-role-settings': return wasSent ? step.kind === 'onboard' ? 'PIM to list the group' : 'PIM to show the new role settings' : 'PIM to know the new group';
        case 'assign-eligible': case 'restore-eligible': return wasSent ? `PIM to show ${nameIn(definition.eligible, id)} as eligible` : `PIM to know ${nameIn(definition.eligible, id)}`;
        case 'assign-application': return wasSent ? 'Entra to show the assignment' : 'Entra to know the group and the application';
        default: return wasSent ? 'Entra to show the change' : 'Entra to know the group';
      }
    },
  };
}


type NewApplication = Extract<ApplicationWish, { kind: 'new' }>;

const nameIn = (people: readonly { readonly principalId: string; readonly displayName: string }[], id: string): string => people.find(({ principalId }) => principalId === id)?.displayName ?? id;

/** Ports and protocol as Graph takes them. */
function asDestination({ destinationHost, ports, protocol }: Destination): NewSegment {
  const words = protocol.split(',').map((word) => word.trim()).sort().join(',');
  if (words !== 'tcp' && words !== 'udp' && words !== 'tcp,udp') throw new StepRefused(`Private Access does not know the protocol ${protocol}. Change the destination in Entra.`);
  return { ...destinationOf({ host: destinationHost, ports: ports.join(','), protocol: words }), ports: [...ports] };
}

/** What follows the kind in a step's key. */
function keyIn(step: PlanStep): string {
  return step.key.slice(step.kind.length + 1);
}

function newApplication({ definition }: RunContext, step: PlanStep): NewApplication {
  const wish = definition.applications.find((one) => applicationKey(one) === keyIn(step));
  if (wish?.kind !== 'new') throw new Error(`no new application has the key ${step.key}`);
  return wish;
}

function groupOf({ group }: RunContext): GraphGroup {
  if (!group) throw new Error('the group comes before what needs it');
  return group;
}

function applicationOf({ applications }: RunContext, key: string): GraphApplication {
  const application = applications.get(key);
  if (!application) throw new Error(`the application ${key} comes before what needs it`);
  return application;
}
