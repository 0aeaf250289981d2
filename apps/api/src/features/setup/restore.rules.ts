import { SetupDefinition, type PlanStep, type StepKind } from '@gatehouse/contracts';
import { destinationIn, ownerSettingsOf, withFields, type Baseline, type DriftFacts, type Found } from './drift.rules.ts';
import { overlaps, sameDestination } from './overlap.rules.ts';
import { readRoleSettings } from './role-settings.rules.ts';
import { DAY_MS } from './setup.rules.ts';
import { acts, blocked, step } from './steps.rules.ts';
import type { Before } from './undo.rules.ts';

/** Making the tenant again what a setup says, in the points that somebody chose: ways past PIM are closed first. */

export interface RestorePlan {
  readonly steps: readonly PlanStep[];
  /** What an eligibility is to become that reaches too far, under the key of the step that once assigned it. */
  readonly before: ReadonlyMap<string, Before>;
  /** Differences that no step puts right. */
  readonly without: readonly Found[];
}

const PIM_REQUESTS = 'POST /identityGovernance/privilegedAccess/group';

/** `whole` is the plan of the whole setup: what is missing is made by its steps. */
export function planRestore(definition: SetupDefinition, wanted: readonly Found[], facts: DriftFacts, whole: readonly PlanStep[], now: Date): RestorePlan {
  const before = new Map<string, Before>();
  const closings = wanted.map((difference) => ({ difference, steps: closingStep(difference, definition, facts, before, now) }));
  const closing = closings.flatMap(({ steps }) => steps);
  const removed = closing.filter(({ kind }) => kind === 'remove-segment').map(({ key }) => key);
  const reopened = wanted.filter(({ kind }) => kind === 'destination-removed').flatMap((difference): PlanStep[] => {
    const { application, destination } = destinationIn(ofKey(difference));
    const seen = facts.applications.get(application);
    const name = seen?.displayName ?? application;
    const draft = { key: `add-segment:${ofKey(difference)}`, kind: 'add-segment' as const, title: `Add ${difference.expected} to ${name}` };
    // Private Access takes no destination that another one overlaps, here or in another application: it would be waited for in vain.
    const inTheWay = (seen?.segments ?? []).filter((one) => overlaps(one, destination));
    const staying = inTheWay.find((one) => !removed.some((key) => { const goes = destinationIn(key.slice('remove-segment:'.length)); return goes.application === application && sameDestination(goes.destination, one); }));
    if (staying) return [blocked(draft, { reason: `${name} opens ${staying.destinationHost} now, which overlaps it, and Private Access takes each destination once.`, mend: 'Choose the difference that tells of that one as well, so that it is taken out first; or take both into the setup.' })];
    const elsewhere = inTheWay.length > 0 ? undefined : whole.find(({ key, verdict }) => verdict === 'blocked' && key.startsWith(`add-segment:${application}:`) && sameDestination(destinationIn(key.slice('add-segment:'.length)).destination, destination));
    if (elsewhere?.blocked) return [blocked(draft, elsewhere.blocked)];
    return [step({
      ...draft, verdict: 'create',
      dependsOn: removed.filter((key) => destinationIn(key.slice('remove-segment:'.length)).application === application),
      changes: [{ field: 'Destination', from: null, to: `${destination.destinationHost} : ${destination.ports.join(', ')} ${destination.protocol}` }], calls: ['POST /applications/{id}/…/applicationSegments'],
    })];
  });
  const needed = stepsOf(whole, wanted);
  // A group keeps its last owner: who is to own it comes before who is not.
  const owners = needed.filter(({ kind }) => kind === 'add-owner');
  const closed = closing.map((one) => (one.kind === 'remove-owner' ? { ...one, dependsOn: owners.map(({ key }) => key) } : one));
  return {
    steps: [...owners, ...closed, ...reopened, ...needed.filter(({ kind }) => kind !== 'add-owner')], before,
    without: closings.filter(({ difference, steps }) => steps.length === 0 && difference.kind !== 'destination-removed' && !needed.some((one) => (acts(one) || one.verdict === 'blocked') && isStepOf(one.key, difference))).map(({ difference }) => difference),
  };
}

/**
 * What the setup says in the points that were chosen; where role settings are among them, the others stay as the tenant has
 * them. Settings that no setup may have are not kept: then all of the setup's are put back.
 */
export function restoredBy(setup: SetupDefinition, wanted: readonly Found[], facts: DriftFacts, baseline: Baseline): SetupDefinition {
  const chosen = (kind: 'role-settings' | 'owner-role-settings'): readonly string[] => wanted.filter((one) => one.kind === kind).map(ofKey);
  const [member, owner] = [chosen('role-settings'), chosen('owner-role-settings')];
  // Of a setup that says nothing of owners, what stands beside it is put back.
  const definition = owner.length === 0 ? setup : { ...setup, ownerRoleSettings: ownerSettingsOf(setup, baseline)?.settings ?? null };
  const { roleSettings, ownerRoleSettings } = definition;
  const restored = SetupDefinition.safeParse({
    ...definition,
    ...(member.length > 0 && { roleSettings: withFields(readRoleSettings(facts.rules), roleSettings, member) }),
    ...(owner.length > 0 && ownerRoleSettings && { ownerRoleSettings: withFields(readRoleSettings(facts.ownerRules), ownerRoleSettings, owner) }),
  });
  if (restored.success) return restored.data;
  return SetupDefinition.safeParse(definition).success ? definition : setup;
}

/** What follows the kind in a difference's key. */
const ofKey = ({ kind, key }: Found): string => key.slice(kind.length + 1);

function closingStep(difference: Found, definition: SetupDefinition, facts: DriftFacts, before: Map<string, Before>, now: Date): readonly PlanStep[] {
  const id = ofKey(difference);
  const person = [...facts.standing, ...facts.owners, ...facts.eligibleOwners].find((one) => one.id === id)?.displayName ?? id;
  const make = (kind: StepKind, title: string, change: PlanStep['changes'][number], call: string): readonly PlanStep[] => [step({ key: `${kind}:${id}`, kind, verdict: 'delete', title, changes: [change], calls: [call] })];
  switch (difference.kind) {
    case 'member-added': case 'nested-group': return make('remove-member', `Take ${person} out of the group`, { field: 'Member', from: person, to: 'not a member' }, 'DELETE /groups/{id}/members/{id}/$ref');
    case 'active-assigned': return make('remove-active', `End the active assignment of ${person}`, { field: 'Assigned as active', from: person, to: 'not active' }, `${PIM_REQUESTS}/assignmentScheduleRequests`);
    case 'owner-added': return make('remove-owner', `Take the group from its owner ${person}`, { field: 'Owner', from: person, to: 'no owner' }, 'DELETE /groups/{id}/owners/{id}/$ref');
    case 'owner-eligible': return make('remove-owner-eligible', `End the eligibility of ${person} as an owner`, { field: 'Eligible as owner', from: person, to: 'not eligible' }, `${PIM_REQUESTS}/eligibilityScheduleRequests`);
    case 'eligible-added': {
      const name = facts.eligible.find(({ principalId }) => principalId === id)?.displayName ?? id;
      return make('remove-eligible', `End the eligibility of ${name}`, { field: 'Eligible', from: `${name}, ${difference.found}`, to: 'not eligible' }, `${PIM_REQUESTS}/eligibilityScheduleRequests`);
    }
    case 'eligible-extended': {
      const wish = definition.eligible.find(({ principalId }) => principalId.toLowerCase() === id);
      if (!wish || wish.days === null) return [];
      // PIM begins an eligibility anew with each change of it, so the setup's span counts from now.
      const startsAt = now.toISOString();
      const endsAt = new Date(now.getTime() + wish.days * DAY_MS).toISOString();
      before.set(`assign-eligible:${wish.principalId}`, { startsAt, endsAt });
      return [step({
        key: `restore-eligible:${wish.principalId}`, kind: 'restore-eligible', verdict: 'change', title: `Let ${wish.displayName} be eligible until ${endsAt.slice(0, 10)}`,
        changes: [{ field: 'Eligible', from: difference.found, to: `until ${endsAt.slice(0, 10)}` }], calls: [`${PIM_REQUESTS}/eligibilityScheduleRequests`],
      })];
    }
    case 'assignee-added': {
      const at = id.lastIndexOf(':');
      const application = facts.applications.get(id.slice(0, at));
      const name = application?.assignees.find((one) => one.id === id.slice(at + 1))?.displayName ?? id.slice(at + 1);
      return make('remove-assignee', `Close ${application?.displayName ?? 'the application'} to ${name}`, { field: 'Users and groups', from: name, to: 'not assigned' }, 'DELETE /servicePrincipals/{id}/appRoleAssignedTo/{id}');
    }
    case 'destination-added': {
      const { application } = destinationIn(id);
      return make('remove-segment', `Take ${difference.found} out of ${facts.applications.get(application)?.displayName ?? application}`, { field: 'Destination', from: difference.found, to: 'removed' }, 'DELETE /applications/{id}/…/applicationSegments/{id}');
    }
    default: return [];
  }
}

/** Of the whole plan what these differences need, and what must be made for that. */
function stepsOf(whole: readonly PlanStep[], wanted: readonly Found[]): readonly PlanStep[] {
  const isNeeded = ({ key }: PlanStep): boolean => wanted.some((difference) => isStepOf(key, difference));
  const taken = new Set(whole.filter(isNeeded).map(({ key }) => key));
  // From the end: what comes before a step stands before it.
  for (const one of whole.toReversed()) {
    if (!taken.has(one.key)) continue;
    for (const key of one.dependsOn) {
      const needed = whole.find((other) => other.key === key);
      if (needed && MAKES.includes(needed.kind) && (acts(needed) || needed.verdict === 'blocked')) taken.add(key);
    }
  }
  // Onboarding has no call of its own: the settings of Member are that call.
  if (taken.has('onboard')) taken.add('role-settings');
  return whole.filter(({ key }) => taken.has(key)).map((one) => ({ ...one, dependsOn: one.dependsOn.filter((key) => taken.has(key)) }));
}

/** Without these there is nothing to set. */
const MAKES: readonly StepKind[] = ['create-group', 'onboard', 'create-application', 'publish-application'];

function isStepOf(key: string, difference: Found): boolean {
  const of = ofKey(difference);
  switch (difference.kind) {
    case 'group-gone': return true;
    case 'not-onboarded': return key === 'onboard' || key === 'role-settings';
    case 'role-settings': case 'owner-role-settings': return key === difference.kind;
    case 'owner-removed': return key.toLowerCase() === `add-owner:${of}`;
    case 'eligible-removed': case 'eligible-shortened': return key.toLowerCase() === `assign-eligible:${of}`;
    case 'assignment-not-required': return key === `require-assignment:${of}`;
    case 'connector-group-changed': return key === `publish-application:${of}`;
    case 'application-unassigned': return key === `assign-application:${of}`;
    case 'application-gone': return ['create-application', 'publish-application', 'require-assignment', 'assign-application'].some((kind) => key === `${kind}:${of}`) || key.startsWith(`add-segment:${of}:`);
    default: return false;
  }
}
