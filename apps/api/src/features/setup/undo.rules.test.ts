import { PROPOSED_ROLE_SETTINGS, SetupDefinition, type PlanStep } from '@gatehouse/contracts';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RULES } from './role-settings.rules.ts';
import type { GroupFact } from './setup.rules.ts';
import { step } from './steps.rules.ts';
import { definitionAfterUndo, planUndo, type Before, type MadeStep, type UndoFacts } from './undo.rules.ts';

const ANA = '11111111-1111-4111-8111-111111111111';
const BEN = '66666666-6666-4666-8666-666666666666';
const FINANCE = '22222222-2222-4222-8222-222222222222';
const PAYROLL = '77777777-7777-4777-8777-777777777777';
const EU = '33333333-3333-4333-8333-333333333333';

const definition = SetupDefinition.parse({
  group: { kind: 'new', displayName: 'G', mailNickname: 'g' }, owners: [{ principalId: BEN, displayName: 'Ben Novak' }], roleSettings: PROPOSED_ROLE_SETTINGS,
  eligible: [{ principalId: ANA, kind: 'user', displayName: 'Ana Costa', days: 90 }],
  applications: [{ kind: 'new', displayName: 'Ledger', connectorGroupId: EU, connectorGroupName: 'EU-1', segments: [{ host: 'ledger.corp.example', ports: '443', protocol: 'tcp' }] }],
});
const made = (key: string, before: Before | null = null): MadeStep => ({ plan: step({ key, kind: (key.split(':')[0] ?? '') as PlanStep['kind'], verdict: 'create', title: key }), before });
const everything = ['create-group', 'onboard', 'role-settings', 'create-application:new:ledger', 'publish-application:new:ledger', 'add-segment:new:ledger:ledger.corp.example:443-443:tcp', `assign-eligible:${ANA}`, 'assign-application:new:ledger'].map((key) => made(key));

const group: GroupFact = { id: '44444444-4444-4444-8444-444444444444', displayName: 'G', mailNickname: 'g', mailEnabled: false, securityEnabled: true, dynamicMembership: false, synchronised: false, roleAssignable: false };
const application = {
  servicePrincipalId: FINANCE, displayName: 'Ledger', enabled: true, assignmentRequired: true, published: true, assigned: true, usedByOthers: false,
  segments: [{ destinationHost: 'ledger.corp.example', ports: ['443-443'], protocol: 'tcp' }],
};
const eligible = { principalId: ANA, startsAt: '2026-03-02T09:00:00Z', endsAt: '2026-06-02T09:00:00Z' };
const NOW = new Date('2026-03-10T09:00:00Z');
const facts: UndoFacts = { group, rules: DEFAULT_RULES, ownerRules: DEFAULT_RULES, owners: new Set(), eligible: [eligible], members: [], assignedTo: new Set([FINANCE]), applications: new Map([['new:ledger', application]]) };

const outline = (steps: readonly PlanStep[]): string[] => steps.map(({ verdict, kind }) => `${verdict} ${kind}`);
const codesOf = (more: Partial<UndoFacts>, by = everything): string[] => planUndo(definition, by, { ...facts, ...more }, NOW).warnings.map(({ code }) => code);
const stepsOf = (more: Partial<UndoFacts>, by: readonly MadeStep[]): readonly PlanStep[] => planUndo(definition, by, { ...facts, ...more }, NOW).steps;

test('access closes first; the application goes after that, and the group last, which takes a tick', () => {
  const steps = stepsOf({}, everything);
  expect(outline(steps)).toEqual(['delete unassign-application', 'delete delete-application', 'delete delete-group']);
  const [closing, taken, last] = steps;
  expect([closing?.dependsOn, taken?.dependsOn, last?.dependsOn]).toEqual([[], [closing?.key], [closing?.key, taken?.key]]);
  expect(steps.filter(({ irreversible }) => irreversible).map(({ kind }) => kind)).toEqual(['delete-group']);
  expect(codesOf({})).toEqual([]);
});

describe('the group stays where others use it by now, with why', () => {
  test.each<[string, Partial<UndoFacts>, string]>([
    ['somebody else is eligible', { eligible: [eligible, { principalId: BEN }] }, 'others are eligible'],
    ['it has a member of somebody else’s', { members: [BEN] }, 'members that this run did not make eligible'],
    ['it opens another application', { assignedTo: new Set([FINANCE, PAYROLL]) }, 'opens other applications'],
  ])('%s', (_what, more, why) => {
    const { steps, warnings } = planUndo(definition, everything, { ...facts, ...more }, NOW);
    expect(outline(steps)).toEqual(['delete unassign-application', 'delete remove-eligible', 'delete delete-application']);
    expect(warnings.map(({ code }) => code)).toEqual(['group-kept', 'stays-onboarded']);
    expect(warnings[0]?.message).toContain(why);
  });

  test('whom the run made eligible may be active in it', () => {
    expect(outline(stepsOf({ members: [ANA.toUpperCase()] }, everything))).toContain('delete delete-group');
  });
});

test('an application that others are assigned to stays, without the destinations that the run gave it', () => {
  const kept = { applications: new Map([['new:ledger', { ...application, usedByOthers: true }]]) };
  expect(outline(stepsOf(kept, everything))).toEqual(['delete unassign-application', 'delete remove-segment', 'delete delete-group']);
  expect(codesOf(kept)).toEqual(['application-kept']);
});

test('an application that let everybody in lets everybody in again, and that is said', () => {
  const required = [made('require-assignment:new:ledger')];
  expect([outline(stepsOf({}, required)), codesOf({}, required)]).toEqual([['change unrequire-assignment'], ['open-to-all']]);
  const opened = { applications: new Map([['new:ledger', { ...application, assignmentRequired: false }]]) };
  expect([outline(stepsOf(opened, required)), codesOf(opened, required)]).toEqual([['nothing unrequire-assignment'], []]);
});

describe('in a group that was there before', () => {
  const longer = [made(`assign-eligible:${ANA}`, { startsAt: '2026-03-01T09:00:00Z', endsAt: '2026-04-01T09:00:00Z' })];

  test('eligibilities end before the role settings that they came under go back, and those before the owners', () => {
    const rules = DEFAULT_RULES.slice(0, 1).map((rule) => ({ ...rule, maximumDuration: 'PT1H' }));
    const steps = stepsOf({ owners: new Set([BEN]) }, [made('role-settings', { rules }), made('owner-role-settings', { rules }), made(`add-owner:${BEN}`), made(`assign-eligible:${ANA}`)]);
    expect(outline(steps)).toEqual(['delete remove-eligible', 'change restore-owner-role-settings', 'change restore-role-settings', 'delete remove-owner']);
  });

  test('whoever was eligible before is so until the same day again', () => {
    expect(stepsOf({}, longer)).toMatchObject([{ kind: 'restore-eligible', verdict: 'change', changes: [{ from: 'until 2026-06-02', to: 'until 2026-04-01' }] }]);
  });

  test('what would have ended by now without the run ends, for it cannot be given again', () => {
    const short = (endsAt: string, more: Partial<UndoFacts> = {}) => stepsOf(more, [made(`assign-eligible:${ANA}`, { startsAt: '2026-03-01T09:00:00Z', endsAt })]);
    expect(short('2026-03-09T09:00:00Z')).toMatchObject([{ kind: 'remove-eligible', verdict: 'delete', title: 'End the eligibility of Ana Costa: before the run it was until 2026-03-09, and that is over', changes: [{ from: 'until 2026-06-02', to: 'not eligible' }] }]);
    expect(outline(short('2026-03-10T09:04:59Z'))).toEqual(['delete remove-eligible']);
    expect(outline(short('2026-03-10T09:05:00Z'))).toEqual(['change restore-eligible']);
    expect(outline(short('2026-03-09T09:00:00Z', { eligible: [] }))).toEqual(['nothing remove-eligible']);
  });

  test.each<[string, readonly MadeStep[], Partial<UndoFacts>, string]>([
    ['an owner who is none any more', [made(`add-owner:${BEN}`)], {}, 'nothing remove-owner'],
    ['an eligibility that has ended', [made(`assign-eligible:${ANA}`)], { eligible: [] }, 'nothing remove-eligible'],
    ['an eligibility that is as it was', longer, { eligible: [{ ...eligible, endsAt: '2026-04-01T10:00:00Z' }] }, 'nothing restore-eligible'],
    ['an assignment that is gone', [made('assign-application:new:ledger')], { assignedTo: new Set() }, 'nothing unassign-application'],
  ])('%s is nothing to take back', (_what, by, more, verdict) => {
    expect(outline(stepsOf(more, by))).toEqual([verdict]);
  });
});

describe('what the setup says when a run is taken back', () => {
  const earlier = definition;
  const omar = { principalId: PAYROLL, kind: 'user' as const, displayName: 'Omar Haddad', days: 30 };
  const rachel = { principalId: EU, kind: 'user' as const, displayName: 'Rachel Stein', days: 30 };
  const ledger = definition.applications[0] as Extract<SetupDefinition['applications'][number], { kind: 'new' }>;
  const host = (name: string) => ({ host: `${name}.corp.example`, ports: '443', protocol: 'tcp' as const });
  /** Another person, a longer activation, another destination, and an owner whom the tenant had already. */
  const undone: SetupDefinition = {
    ...earlier, eligible: [...earlier.eligible, omar], owners: [...earlier.owners, { principalId: ANA, displayName: 'Ana Costa' }],
    roleSettings: { ...earlier.roleSettings, activationMaxMinutes: 60 }, applications: [{ ...ledger, segments: [...ledger.segments, host('archive')] }],
  };
  const run = ['role-settings', `assign-eligible:${PAYROLL}`, 'add-segment:new:ledger:archive.corp.example:443-443:tcp'].map((key) => made(key).plan);
  const after = (now: SetupDefinition, by = run) => definitionAfterUndo({ earlier, undone, now, made: by });
  const kept = { ...earlier, owners: undone.owners };

  test('nothing changed since: it is as before the run, but for what the tenant had without it', () => { expect(after(undone)).toEqual({ definition: kept, lost: [] }); });

  test('what was accepted since of other things stays', () => {
    const accepted: SetupDefinition = {
      ...undone, owners: undone.owners.slice(1), eligible: [...undone.eligible.map((one) => (one.principalId === ANA ? { ...one, days: 180 } : one)), rachel],
      roleSettings: { ...undone.roleSettings, requireTicket: true, notifications: { ...undone.roleSettings.notifications, whenActivated: { ...undone.roleSettings.notifications.whenActivated, admins: { defaultRecipients: false, additionalRecipients: [], criticalOnly: false } } } },
      applications: [{ ...ledger, connectorGroupId: PAYROLL, connectorGroupName: 'US-1', segments: [host('archive'), host('other')] }],
    };
    expect(after(accepted)).toEqual({
      definition: {
        ...earlier, owners: accepted.owners, eligible: [{ ...earlier.eligible[0], days: 180 }, rachel], roleSettings: { ...accepted.roleSettings, activationMaxMinutes: earlier.roleSettings.activationMaxMinutes },
        applications: [{ ...ledger, connectorGroupId: PAYROLL, connectorGroupName: 'US-1', segments: [host('other')] }],
      },
      lost: [],
    });
  });

  test('what was accepted since of the same things goes, and is named', () => {
    const accepted: SetupDefinition = { ...undone, eligible: undone.eligible.map((one) => (one.principalId === PAYROLL ? { ...one, days: 60 } : one)), roleSettings: { ...undone.roleSettings, activationMaxMinutes: 120 } };
    expect(after(accepted)).toEqual({ definition: kept, lost: [
      'The setting “Activation lasts at most” of Member: the run changed it as well, so it is again as before the run.', 'The eligibility of Omar Haddad: the run changed it as well, so it is again as before the run.',
    ] });
  });

  test('what left the setup in the run comes back with it', () => {
    expect(definitionAfterUndo({ earlier: undone, undone: earlier, now: earlier, made: [] }).definition.eligible).toEqual([...earlier.eligible, omar]);
  });
});
