import { SetupDefinition, type ApplicationWish, type PlanStep, type PlanWarning, type RoleSettings } from '@gatehouse/contracts';
import { SETTING_FIELDS, withFields } from './drift.rules.ts';
import { sameDestination } from './overlap.rules.ts';
import { describeBesides, describeChanges, readRoleSettings, withRules, type PolicyRule } from './role-settings.rules.ts';
import { isPermanent, longest, type ApplicationFact, type EligibilityFact, type GroupFact } from './setup.rules.ts';
import { applicationKey, canonical, destinationOf, segmentKey, step } from './steps.rules.ts';

/** Taking back what a run made: the plan that compensates for it, in the order in which access closes first. */

/** A step of the run that acted, or was begun without anybody knowing how it ended. */
export interface MadeStep {
  readonly plan: PlanStep;
  /** How the tenant stood before it; see `Before`. */
  readonly before: Before | null;
}

/** What a step of each kind keeps of the tenant as it stood before. */
export type Before =
  | { readonly rules: readonly PolicyRule[] }
  | { readonly startsAt: string | undefined; readonly endsAt: string | undefined };

export interface UndoFacts {
  readonly group: GroupFact | undefined;
  readonly rules: readonly PolicyRule[];
  readonly ownerRules: readonly PolicyRule[];
  readonly owners: ReadonlySet<string>;
  readonly eligible: readonly EligibilityFact[];
  /** Ids of the direct members, those who are active among them. */
  readonly members: readonly string[];
  /** Ids of the service principals that the group is assigned to. */
  readonly assignedTo: ReadonlySet<string>;
  /** By the application's key in the setup; those that are gone are not in it. */
  readonly applications: ReadonlyMap<string, ApplicationFact & {
    /** Whether anybody but the group is assigned to it. */
    readonly usedByOthers: boolean;
  }>;
}

export interface UndoPlan {
  readonly steps: readonly PlanStep[];
  readonly warnings: readonly PlanWarning[];
}

export function planUndo(definition: SetupDefinition, made: readonly MadeStep[], facts: UndoFacts, now: Date): UndoPlan {
  const warnings: PlanWarning[] = [];
  const madeOf = (kind: PlanStep['kind']): readonly MadeStep[] => made.filter(({ plan }) => plan.kind === kind);
  const has = (key: string): boolean => made.some(({ plan }) => plan.key === key);
  const deletesGroup = madeOf('create-group').length > 0 && facts.group !== undefined && keepsGroup(definition, made, facts, warnings) === undefined;
  const applications = definition.applications.map((wish) => ({ wish, key: applicationKey(wish), fact: facts.applications.get(applicationKey(wish)) }));
  const deletesApplication = (key: string): boolean => has(`create-application:${key}`) && facts.applications.get(key)?.usedByOthers === false;

  const closing = applications.filter(({ key }) => has(`assign-application:${key}`)).map(({ wish, key, fact }) => {
    const name = fact?.displayName ?? wish.displayName;
    const open = fact !== undefined && facts.assignedTo.has(fact.servicePrincipalId);
    return step({
      key: `unassign-application:${key}`, kind: 'unassign-application', verdict: open ? 'delete' : 'nothing', title: open ? `Close ${name} to the group` : `${name} is not open to the group`,
      changes: [{ field: 'Users and groups', from: definition.group.displayName, to: 'not assigned' }], calls: ['DELETE /servicePrincipals/{id}/appRoleAssignedTo/{id}'],
    });
  });
  const groupStays = facts.group !== undefined && !deletesGroup;
  const ending = !groupStays ? [] : madeOf('assign-eligible').flatMap(({ plan, before }) => eligibleStep(definition, plan, before, facts, now));
  const settings = !groupStays ? [] : [
    ...madeOf('owner-role-settings').flatMap(({ before }) => settingsStep('owner', before, facts.ownerRules)),
    ...madeOf('role-settings').flatMap(({ before }) => settingsStep('member', before, facts.rules)),
  ];
  const dismissing = !groupStays ? [] : madeOf('add-owner').flatMap(({ plan }) => ownerStep(definition, plan, facts));
  const taken = applications.flatMap(({ wish, key, fact }) => {
    if (!fact) return [];
    if (deletesApplication(key)) {
      return [step({
        key: `delete-application:${key}`, kind: 'delete-application', verdict: 'delete', title: `Delete the application ${fact.displayName}, with its destinations`, dependsOn: closing.map((one) => one.key),
        changes: [{ field: 'Application', from: fact.displayName, to: 'deleted' }], calls: ['DELETE /applications/{id}'],
      })];
    }
    if (has(`create-application:${key}`)) warnings.push({ code: 'application-kept', message: `${fact.displayName} stays: others are assigned to it by now.`, mend: 'Delete it in Entra when nobody needs it.' });
    return [...segmentSteps(wish, fact, has), ...opened(key, fact, has, warnings)];
  });
  for (const { plan } of made.filter((one) => one.plan.kind === 'publish-application' && one.plan.verdict === 'change')) {
    const [change] = plan.changes;
    warnings.push({ code: 'connector-group-kept', message: `The connector group stays ${change?.to ?? 'as it is'}: the run changed it from ${change?.from ?? 'another one'}.`, mend: 'Choose the other one in Entra, if the application is to be reached through it again.' });
  }
  const group = deletesGroup ? [step({
    key: 'delete-group', kind: 'delete-group', verdict: 'delete', irreversible: true, title: `Delete the group ${facts.group?.displayName ?? definition.group.displayName}, with its eligibilities and role settings`,
    dependsOn: [...closing, ...taken].map((one) => one.key), changes: [{ field: 'Group', from: facts.group?.displayName ?? '', to: 'deleted' }], calls: ['DELETE /groups/{id}'],
  })] : [];
  if (has('onboard') && groupStays) warnings.push({ code: 'stays-onboarded', message: `PIM goes on managing ${facts.group?.displayName ?? 'the group'}: onboarding cannot be undone.`, mend: 'Nothing: nobody gets in by it.' });
  return { steps: [...closing, ...ending, ...taken, ...settings, ...dismissing, ...group], warnings };
}

/** Before the run, as the run was to make it, and now. */
type Three<T> = readonly [before: T, of: T, is: T];

export interface AfterUndo {
  readonly definition: SetupDefinition;
  /** What was changed in the setup since the run, and goes with it; a sentence each. */
  readonly lost: readonly string[];
}

/**
 * What a setup says when a run is taken back: what the run before it made of it (`earlier`), and what was taken into it
 * without the run (accepted since, or standing in the tenant before), where the run changed nothing of the same.
 */
export function definitionAfterUndo({ earlier, undone, now, made }: { readonly earlier: SetupDefinition; readonly undone: SetupDefinition; readonly now: SetupDefinition; readonly made: readonly PlanStep[] }): AfterUndo {
  const lost: string[] = [];
  const did = (key: string): boolean => made.some((one) => one.key.toLowerCase() === key.toLowerCase());
  const same = (one: unknown, other: unknown): boolean => canonical(one ?? null) === canonical(other ?? null);
  /** `stood`: whether it was in the tenant without the run. */
  const pick = <T>([before, of, is]: Three<T>, what: string, stood: boolean): T => {
    if (same(before, of)) return is;
    if (same(of, is)) return stood ? is : before;
    if (!same(before, is)) lost.push(`${what}: the run changed it as well, so it is again as before the run.`);
    return before;
  };
  /** Element by element, in the order of `is`, and behind them what comes back. */
  const merged = <T>([before, of, is]: Three<readonly T[]>, keyOf: (one: T) => string, nameOf: (one: T) => string, wasMade: (one: T) => boolean, within?: (each: Three<T>) => T): T[] => {
    const byKey = (list: readonly T[]): ReadonlyMap<string, T> => new Map(list.map((one) => [keyOf(one).toLowerCase(), one]));
    const [was, then, now] = [byKey(before), byKey(of), byKey(is)];
    return [...new Map([...now, ...was])].flatMap(([key, one]) => {
      const [first, second, third] = [was.get(key), then.get(key), now.get(key)];
      if (within && first !== undefined && second !== undefined && third !== undefined) return [within([first, second, third])];
      // What left the setup without a step comes back; what came without one stays.
      return pick([first, second, third], nameOf(one), now.has(key) && !wasMade(one)) ?? [];
    });
  };
  const settings = (kind: 'role-settings' | 'owner-role-settings', role: string, [before, of, is]: Three<RoleSettings>): RoleSettings => SETTING_FIELDS.reduce((so, field) => {
    const like = (one: RoleSettings): RoleSettings => withFields(is, one, [field]);
    return withFields(so, pick([like(before), like(of), is], `The setting “${describeChanges(like(of), is)[0]?.field ?? field}” of ${role}`, !did(kind)), [field]);
  }, is);
  const each = <T>(of: (definition: SetupDefinition) => T): Three<T> => [of(earlier), of(undone), of(now)];
  const owner = each(({ ownerRoleSettings }) => ownerRoleSettings);
  const group = each((one) => one.group.displayName);
  const application = ([before, of, is]: Three<ApplicationWish>): ApplicationWish => {
    const key = applicationKey(is);
    if (before.kind !== 'new' || of.kind !== 'new' || is.kind !== 'new') return pick([before, of, is], `The application ${is.displayName}`, !did(`assign-application:${key}`));
    return {
      ...pick([{ ...before, segments: [] }, { ...of, segments: [] }, { ...is, segments: [] }], `The connector group of ${is.displayName}`, !did(`publish-application:${key}`)),
      segments: merged([before.segments, of.segments, is.segments], (one) => segmentKey(is, one), ({ host }) => `The destination ${host} of ${is.displayName}`, (one) => did(segmentKey(is, one))),
    };
  };
  const definition = SetupDefinition.safeParse({
    ...earlier, group: { ...earlier.group, displayName: pick(group, 'The name of the group', true) },
    roleSettings: settings('role-settings', 'Member', each(({ roleSettings }) => roleSettings)),
    ownerRoleSettings: owner[0] && owner[1] && owner[2] ? settings('owner-role-settings', 'Owner', [owner[0], owner[1], owner[2]]) : pick(owner, 'The settings of Owner', !did('owner-role-settings')),
    owners: merged(each(({ owners }) => owners), ({ principalId }) => principalId, ({ displayName }) => `The owner ${displayName}`, ({ principalId }) => did(`add-owner:${principalId}`)),
    eligible: merged(each(({ eligible }) => eligible), ({ principalId }) => principalId, ({ displayName }) => `The eligibility of ${displayName}`, ({ principalId }) => did(`assign-eligible:${principalId}`)),
    applications: merged(each(({ applications }) => applications), applicationKey, ({ displayName }) => `The application ${displayName}`, (wish) => did(`assign-application:${applicationKey(wish)}`), application),
  });
  return definition.success ? { definition: definition.data, lost } : { definition: earlier, lost: ['What was taken into the setup since the run: with it and without the run it would be no setup.'] };
}

/** Why the group cannot go with the run that made it; said as a warning. What others have put there is not ours to delete. */
function keepsGroup(definition: SetupDefinition, made: readonly MadeStep[], facts: UndoFacts, warnings: PlanWarning[]): string | undefined {
  const ours = new Set(made.flatMap(({ plan }) => (plan.kind === 'assign-eligible' ? [plan.key.slice('assign-eligible:'.length)] : [])));
  const opened = new Set(definition.applications.flatMap((wish) => facts.applications.get(applicationKey(wish))?.servicePrincipalId ?? []));
  const name = facts.group?.displayName ?? '';
  const why = facts.eligible.some(({ principalId }) => !ours.has(principalId)) ? 'others are eligible in it by now'
    : facts.members.some((id) => !ours.has(id.toLowerCase())) ? 'it has members that this run did not make eligible'
    : [...facts.assignedTo].some((id) => !opened.has(id)) ? 'it opens other applications by now'
    : undefined;
  if (why !== undefined) warnings.push({ code: 'group-kept', message: `${name} stays: ${why}.`, mend: 'Delete it in Entra when nobody needs it.' });
  return why;
}

/** PIM gives nothing that lasts less than five minutes. */
const SHORTEST = 5 * 60_000;

function eligibleStep(definition: SetupDefinition, { key }: PlanStep, before: Before | null, facts: UndoFacts, now: Date): readonly PlanStep[] {
  const id = key.slice('assign-eligible:'.length);
  const name = definition.eligible.find(({ principalId }) => principalId === id)?.displayName ?? id;
  const fact = longest(facts.eligible.filter(({ principalId }) => principalId === id));
  const earlier = before && 'endsAt' in before ? before : undefined;
  // What has ended since cannot be given again: as before the run is to be without it.
  const isOver = earlier?.endsAt !== undefined && Date.parse(earlier.endsAt) - now.getTime() < SHORTEST;
  if (!earlier || isOver) {
    return [step({
      key: `remove-eligible:${id}`, kind: 'remove-eligible', verdict: fact ? 'delete' : 'nothing',
      title: !fact ? `${name} is not eligible` : `End the eligibility of ${name}${earlier ? `: before the run it was ${untilWords(earlier)}, and that is over` : ''}`,
      changes: [{ field: 'Eligible', from: fact ? untilWords(fact) : '', to: 'not eligible' }], calls: ['POST /identityGovernance/privilegedAccess/group/eligibilityScheduleRequests'],
    })];
  }
  const same = fact !== undefined && untilWords(fact) === untilWords(earlier);
  return [step({
    key: `restore-eligible:${id}`, kind: 'restore-eligible', verdict: same ? 'nothing' : 'change', title: same ? `${name} is eligible ${untilWords(earlier)}` : `Let ${name} be eligible ${untilWords(earlier)} again`,
    changes: [{ field: 'Eligible', from: fact ? untilWords(fact) : 'not eligible', to: untilWords(earlier) }], calls: ['POST /identityGovernance/privilegedAccess/group/eligibilityScheduleRequests'],
  })];
}

const untilWords = (fact: Pick<EligibilityFact, 'endsAt'>): string => (isPermanent(fact) ? 'permanently' : `until ${(fact.endsAt ?? '').slice(0, 10)}`);

/** Whether the rules stand as they stood before. */
export const sameRules = (rules: readonly PolicyRule[], before: readonly PolicyRule[]): boolean => before.every((rule) => canonical(rules.find(({ id }) => id === rule.id)) === canonical(rule));

function settingsStep(role: 'member' | 'owner', before: Before | null, rules: readonly PolicyRule[]): readonly PlanStep[] {
  if (!before || !('rules' in before)) return [];
  const name = role === 'member' ? 'Member' : 'Owner';
  const kind = role === 'member' ? 'restore-role-settings' : 'restore-owner-role-settings';
  const same = sameRules(rules, before.rules);
  const restored = withRules(rules, before.rules);
  return [step({
    key: kind, kind, verdict: same ? 'nothing' : 'change', title: same ? `The role settings of ${name} are as they were` : `Put back the role settings of ${name}`,
    changes: [...describeChanges(readRoleSettings(rules), readRoleSettings(restored)), ...describeBesides(rules, restored)], calls: [`PATCH /policies/roleManagementPolicies/{${role} policy}`],
  })];
}

function ownerStep(definition: SetupDefinition, { key }: PlanStep, { owners }: UndoFacts): readonly PlanStep[] {
  const id = key.slice('add-owner:'.length);
  const name = definition.owners.find(({ principalId }) => principalId === id)?.displayName ?? id;
  const owns = owners.has(id);
  return [step({
    key: `remove-owner:${id}`, kind: 'remove-owner', verdict: owns ? 'delete' : 'nothing', title: owns ? `Take the group from its owner ${name}` : `${name} does not own the group`,
    changes: [{ field: 'Owner', from: name, to: 'no owner' }], calls: ['DELETE /groups/{id}/owners/{id}/$ref'],
  })];
}

function segmentSteps(wish: SetupDefinition['applications'][number], fact: ApplicationFact, has: (key: string) => boolean): readonly PlanStep[] {
  if (wish.kind !== 'new') return [];
  return wish.segments.filter((segment) => has(segmentKey(wish, segment))).map((segment) => {
    const there = fact.segments.some((one) => sameDestination(one, destinationOf(segment)));
    const words = `${segment.host} ${segment.ports} ${segment.protocol}`;
    return step({
      key: segmentKey(wish, segment).replace('add-', 'remove-'), kind: 'remove-segment', verdict: there ? 'delete' : 'nothing', title: there ? `Take ${words} out of ${fact.displayName}` : `${fact.displayName} does not have ${words}`,
      changes: [{ field: 'Destination', from: words, to: 'removed' }], calls: ['DELETE /applications/{id}/…/applicationSegments/{id}'],
    });
  });
}

function opened(key: string, fact: ApplicationFact, has: (key: string) => boolean, warnings: PlanWarning[]): readonly PlanStep[] {
  if (!has(`require-assignment:${key}`)) return [];
  if (fact.assignmentRequired) warnings.push({ code: 'open-to-all', message: `${fact.displayName} lets everybody in again, as before the run.`, mend: 'Require assignment in Entra afterwards, if that is not meant.' });
  return [step({
    key: `unrequire-assignment:${key}`, kind: 'unrequire-assignment', verdict: fact.assignmentRequired ? 'change' : 'nothing',
    title: fact.assignmentRequired ? `Stop requiring assignment at ${fact.displayName}: everybody gets in again` : `${fact.displayName} does not require assignment`,
    changes: [{ field: 'Assignment required', from: 'yes', to: 'no' }], calls: [`PATCH /servicePrincipals/${fact.servicePrincipalId}`],
  })];
}
