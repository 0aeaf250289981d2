import type { ApplicationWish, PlanStep, SetupDefinition } from '@gatehouse/contracts';
import { GraphError, type Graph, type GraphApplication, type GraphGroup } from '@gatehouse/graph';
import type { Clock } from '../../core/clock.ts';
import { sameDestination } from './overlap.rules.ts';
import { mergeRoleSettings } from './role-settings.rules.ts';
import { applicationKey, destinationOf, isEligibleEnough, longest, segmentKey, uniqueNameOf, unfit } from './setup.rules.ts';

/**
 * One step of a run: look by natural key, act if it is not so, read back until it is. Each answers a sentence that says
 * what was proved, and may be repeated at any time.
 */

export interface StepContext {
  readonly graph: Graph;
  readonly definition: SetupDefinition;
  readonly clock: Clock;
  readonly actorId: string;
  /** Known from the plan's facts, or from the step that made it. */
  group: GraphGroup | undefined;
  readonly applications: Map<string, GraphApplication>;
  /** Whether an earlier attempt may have begun the step without anybody knowing how it ended. */
  readonly begunBefore: (key: string) => boolean;
  /** Tells the person what the step waits for. */
  readonly waiting: (detail: string) => Promise<void>;
  /** Lets time pass for Entra; rejects when the run is to stop. */
  readonly wait: (ms: number) => Promise<void>;
}

/** The step cannot be done, and this says why and what to do. */
export class StepRefused extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'StepRefused';
  }
}

/** Two minutes and more: so long the directory may take to tell PIM about a new group. */
const LOOK_AGAIN_MS = [1_000, 2_000, 3_000, 5_000, 8_000, 13_000, 20_000, 30_000, 30_000, 30_000];

export async function performStep(step: PlanStep, context: StepContext): Promise<string> {
  switch (step.kind) {
    case 'create-group': return createGroup(context);
    case 'onboard': return onboard(context);
    case 'role-settings': return setRoleSettings(context);
    case 'create-application': return createApplication(context, newApplication(context, step));
    case 'publish-application': return publishApplication(context, newApplication(context, step));
    case 'add-segment': return addSegment(context, step);
    case 'require-assignment': return requireAssignment(context, step);
    case 'assign-eligible': return assignEligible(context, step);
    case 'assign-application': return assignApplication(context, step);
  }
}

async function createGroup(context: StepContext): Promise<string> {
  const { graph, definition: { group: wish } } = context;
  if (wish.kind === 'existing') throw new Error('a group that exists is not made');
  const { group } = await graph.directory.ensureGroup({
    uniqueName: uniqueNameOf(wish.mailNickname), displayName: wish.displayName, mailNickname: wish.mailNickname,
    ...(wish.description !== '' && { description: wish.description }), ownerIds: [context.actorId],
  });
  const seen = await until(context, 'Entra to show the new group', () => graph.directory.group(group.id));
  const why = unfit(seen);
  if (why) throw new StepRefused(`${why.reason} ${why.mend}`);
  context.group = seen;
  return `verified by reading back: the group ${seen.displayName} exists, with assigned membership`;
}

async function onboard(context: StepContext): Promise<string> {
  const { graph, definition: { roleSettings } } = context;
  const group = groupOf(context);
  let sentAlong = false;
  const listed = async (): Promise<true | undefined> => ((await graph.pim.onboardedGroups()).some((id) => id.toLowerCase() === group.id.toLowerCase()) ? true : undefined);
  if ((await listed()) === undefined) {
    // There is no call for it: the first write to the member policy does it. The role settings go in that write, so that the
    // group is at no moment in PIM with Entra's defaults; where they are as wanted, one rule just as it stands changes nothing.
    await until(context, 'PIM to know the new group', async () => {
      const policy = await graph.pim.memberPolicy(group.id);
      const changed = mergeRoleSettings(policy.rules, roleSettings);
      const rules = changed.length > 0 ? changed : policy.rules.slice(0, 1);
      if (rules.length === 0) throw new GraphError('unexpected', `PIM shows no rules for group ${group.id}`);
      await graph.pim.updatePolicy(policy.policyId, rules);
      sentAlong = changed.length > 0;
      return true;
    });
  }
  await until(context, 'PIM to list the group', listed);
  return `verified by reading back: PIM lists the group${sentAlong ? '; the role settings went along' : ''}`;
}

async function setRoleSettings(context: StepContext): Promise<string> {
  const { graph, definition: { roleSettings } } = context;
  const group = groupOf(context);
  await until(context, 'PIM to show the group’s policy', async () => {
    // Read each time: onboarding and every change give the policy another id.
    const policy = await graph.pim.memberPolicy(group.id);
    const changed = mergeRoleSettings(policy.rules, roleSettings);
    if (changed.length > 0) await graph.pim.updatePolicy(policy.policyId, changed);
    return true;
  });
  await until(context, 'PIM to show the new role settings', async () => (mergeRoleSettings((await graph.pim.memberPolicy(group.id)).rules, roleSettings).length === 0 ? true : undefined));
  return 'verified by reading back: the role settings of Member are as wanted';
}

async function createApplication(context: StepContext, wish: NewApplication): Promise<string> {
  const { graph } = context;
  const named = await graph.applications.applicationsByName(wish.displayName);
  // One that is not published is ours only if an earlier attempt may have made it: the plan refused any that was there before.
  const standing = named.find((one) => one.kind === 'per-app') ?? (context.begunBefore(`create-application:${applicationKey(wish)}`) ? named[0] : undefined);
  if (!standing && named.length > 0) throw new StepRefused(`An enterprise application ${wish.displayName} appeared meanwhile. Choose another name and apply the setup again.`);
  const made = standing ?? await graph.applications.instantiate(wish.displayName);
  const seen = await until(context, 'Entra to show the new application', () => graph.applications.application(made.servicePrincipalId));
  context.applications.set(applicationKey(wish), seen);
  return `verified by reading back: the application ${seen.displayName} exists`;
}

async function publishApplication(context: StepContext, wish: NewApplication): Promise<string> {
  const { graph } = context;
  const { appId, servicePrincipalId } = applicationOf(context, applicationKey(wish));
  await until(context, 'Entra to know the new application', async () => {
    await graph.applications.publish(appId, { displayName: wish.displayName, connectorGroupId: wish.connectorGroupId });
    return true;
  });
  const seen = await until(context, 'Entra to show the application as published', async () => {
    const application = await graph.applications.application(servicePrincipalId);
    return application?.kind === 'per-app' ? application : undefined;
  });
  context.applications.set(applicationKey(wish), seen);
  return `verified by reading back: ${seen.displayName} is a Private Access application`;
}

async function addSegment(context: StepContext, step: PlanStep): Promise<string> {
  const { graph } = context;
  for (const wish of context.definition.applications) {
    const segment = wish.kind === 'new' ? wish.segments.find((one) => segmentKey(wish, one) === step.key) : undefined;
    if (!segment) continue;
    const { appId } = applicationOf(context, applicationKey(wish));
    const destination = destinationOf(segment);
    const there = async (): Promise<true | undefined> => ((await graph.applications.segments(appId)).some((one) => sameDestination(one, destination)) ? true : undefined);
    if ((await there()) === undefined) await graph.applications.addSegment(appId, destination);
    await until(context, 'Entra to show the destination', there);
    return `verified by reading back: ${wish.displayName} has ${segment.host} ${segment.ports}`;
  }
  throw new Error(`no destination has the key ${step.key}`);
}

async function requireAssignment(context: StepContext, step: PlanStep): Promise<string> {
  const { graph } = context;
  const { servicePrincipalId, displayName } = applicationOf(context, keyIn(step));
  const on = async (): Promise<true | undefined> => ((await graph.applications.application(servicePrincipalId))?.assignmentRequired === true ? true : undefined);
  if ((await on()) === undefined) await graph.applications.requireAssignment(servicePrincipalId);
  await until(context, 'Entra to show that assignment is required', on);
  return `verified by reading back: ${displayName} requires assignment`;
}

async function assignEligible(context: StepContext, step: PlanStep): Promise<string> {
  const { graph, clock } = context;
  const group = groupOf(context);
  const wish = context.definition.eligible.find((one) => one.principalId === keyIn(step));
  if (!wish) throw new Error(`nobody has the key ${step.key}`);
  const found = async () => longest((await graph.pim.eligibilities(group.id)).filter((one) => one.accessId === 'member' && one.memberType === 'direct' && one.principalId.toLowerCase() === wish.principalId));
  const enough = async () => {
    const fact = await found();
    return fact && isEligibleEnough(wish, fact) ? fact : undefined;
  };

  const standing = await found();
  if (!standing || !isEligibleEnough(wish, standing)) {
    const startsAt = clock.now();
    const endsAt = wish.days === null ? undefined : new Date(startsAt.getTime() + wish.days * 24 * 60 * 60_000);
    await until(context, `PIM to know ${wish.displayName}`, async () => {
      try {
        const request = await graph.pim.assignEligible({
          groupId: group.id, principalId: wish.principalId, replaces: standing !== undefined,
          expiry: { startsAt: startsAt.toISOString(), endsAt: endsAt?.toISOString() },
          justification: `Setup of ${group.displayName}`,
        });
        if (['Failed', 'Denied', 'Canceled', 'Revoked'].includes(request.status)) throw new StepRefused(`Entra ended the request with the status ${request.status}. Look in Entra why, and continue the run.`);
      } catch (error) {
        // It is there or on its way: an answer of ours was lost, or somebody else was faster. Reading back decides.
        if (!(error instanceof GraphError && error.failure === 'conflict')) throw error;
      }
      return true;
    });
  }
  const fact = await until(context, `PIM to show ${wish.displayName} as eligible`, enough);
  return `verified by reading back: ${wish.displayName} is eligible ${fact.endsAt === undefined ? 'permanently' : `until ${fact.endsAt.slice(0, 10)}`}`;
}

async function assignApplication(context: StepContext, step: PlanStep): Promise<string> {
  const { graph } = context;
  const group = groupOf(context);
  const { servicePrincipalId, assignableRoleId, displayName } = applicationOf(context, keyIn(step));
  const assigned = async (): Promise<true | undefined> => ((await graph.applications.assignmentsOf(servicePrincipalId)).some((one) => one.principalId.toLowerCase() === group.id.toLowerCase()) ? true : undefined);
  if ((await assigned()) === undefined) {
    await until(context, 'Entra to know the group and the application', async () => {
      try {
        await graph.applications.assignGroup({ groupId: group.id, servicePrincipalId, appRoleId: assignableRoleId });
      } catch (error) {
        if (!(error instanceof GraphError && error.failure === 'conflict')) throw error;
      }
      return true;
    });
  }
  await until(context, 'Entra to show the assignment', assigned);
  return `verified by reading back: ${displayName} is open to ${group.displayName}`;
}

/**
 * Looks until there is an answer; what Entra does not know is looked for again, since its parts learn of each other with a
 * delay. After some minutes it is a failure.
 */
async function until<T>(context: StepContext, forWhat: string, look: () => Promise<T | undefined>): Promise<T> {
  let waited = 0;
  for (const ms of [...LOOK_AGAIN_MS, undefined]) {
    const answer = await look().catch((error: unknown) => {
      if (error instanceof GraphError && error.failure === 'not-found') return undefined;
      throw error;
    });
    if (answer !== undefined) return answer;
    if (ms === undefined) break;
    await context.waiting(`Waiting for ${forWhat}${waited === 0 ? '' : `, for ${Math.round(waited / 1000)} s so far`}. Entra usually takes some seconds, at times two minutes.`);
    await context.wait(ms);
    waited += ms;
  }
  throw new StepRefused(`Waited ${Math.round(waited / 1000)} s for ${forWhat}, in vain. Continue the run in some minutes: it looks first.`);
}

type NewApplication = Extract<ApplicationWish, { kind: 'new' }>;

/** What follows the kind in a step's key. */
function keyIn(step: PlanStep): string {
  return step.key.slice(step.kind.length + 1);
}

function newApplication({ definition }: StepContext, step: PlanStep): NewApplication {
  const wish = definition.applications.find((one) => applicationKey(one) === keyIn(step));
  if (wish?.kind !== 'new') throw new Error(`no new application has the key ${step.key}`);
  return wish;
}

function groupOf({ group }: StepContext): GraphGroup {
  if (!group) throw new Error('the group comes before what needs it');
  return group;
}

function applicationOf({ applications }: StepContext, key: string): GraphApplication {
  const application = applications.get(key);
  if (!application) throw new Error(`the application ${key} comes before what needs it`);
  return application;
}
