import { PROPOSED_ROLE_SETTINGS, type PlanStep, type SetupDefinition } from '@gatehouse/contracts';
import { describe, expect, test } from 'vitest';
import { acceptDifferences, baselineOf, causeOf, compareSetup, type DriftEvent, type DriftFacts, type Found } from './drift.rules.ts';
import { planRestore, restoredBy } from './restore.rules.ts';
import { DEFAULT_RULES, mergeRoleSettings, withRules, type PolicyRule } from './role-settings.rules.ts';
import { step } from './steps.rules.ts';

const ANA = '0a000000-0000-4000-8000-00000000000a';
const OMAR = '0b000000-0000-4000-8000-00000000000b';
const GROUP = '0c000000-0000-4000-8000-00000000000c';
const LEDGER = '0d000000-0000-4000-8000-00000000000d';
const CONNECTORS = '0e000000-0000-4000-8000-00000000000e';
const BEN = '0f000000-0000-4000-8000-00000000000f';

const definition: SetupDefinition = {
  group: { kind: 'new', displayName: 'Ledger-Clerk', mailNickname: 'Ledger-Clerk', description: '' }, owners: [{ principalId: OMAR, displayName: 'Omar Haddad' }],
  roleSettings: { ...PROPOSED_ROLE_SETTINGS, approval: { required: true, approvers: [{ id: OMAR, kind: 'user', displayName: 'Omar Haddad' }] } }, ownerRoleSettings: null,
  eligible: [{ principalId: ANA, kind: 'user', displayName: 'Ana Costa', days: 90 }],
  applications: [{ kind: 'new', displayName: 'Ledger', connectorGroupId: CONNECTORS, connectorGroupName: 'EU-1', segments: [{ host: 'ledger.corp.example', ports: '443, 8000-8010', protocol: 'tcp,udp' }] }],
};
const wished = (rules: readonly PolicyRule[]): readonly PolicyRule[] => {
  const changed = mergeRoleSettings(rules, definition.roleSettings);
  return rules.map((rule) => changed.find(({ id }) => id === rule.id) ?? rule);
};
const facts: DriftFacts = {
  group: { id: GROUP, displayName: 'Ledger-Clerk', mailNickname: 'Ledger-Clerk', mailEnabled: false, securityEnabled: true, dynamicMembership: false, synchronised: false, roleAssignable: false },
  managedByPim: true, standing: [], owners: [{ id: OMAR, kind: 'user', displayName: 'Omar Haddad' }], eligibleOwners: [],
  eligible: [{ principalId: ANA, kind: 'user', displayName: 'Ana Costa', startsAt: '2026-03-02T09:00:00Z', endsAt: '2026-05-31T09:00:00Z' }],
  rules: wished(DEFAULT_RULES), ownerRules: DEFAULT_RULES,
  applications: new Map([['new:ledger', { servicePrincipalId: LEDGER, appId: 'ledger-client', displayName: 'Ledger', enabled: true, assignmentRequired: true, segments: [{ destinationHost: 'ledger.corp.example', ports: ['443-443', '8000-8010'], protocol: 'tcp,udp' }], assignees: [{ id: GROUP, kind: 'group' as const, displayName: 'Ledger-Clerk' }] }]]),
  otherGroups: new Map(), connectorGroups: new Map([[CONNECTORS, { name: 'EU-1', live: 1, total: 2, applications: new Set(['ledger-client']) }]]),
};
const baseline = baselineOf(definition, facts, undefined);
const ledger = facts.applications.get('new:ledger') as NonNullable<ReturnType<DriftFacts['applications']['get']>>;
const compared = (change: Partial<DriftFacts>): readonly Pick<Found, 'kind' | 'severity'>[] => compareSetup(definition, { ...facts, ...change }, baseline).map(({ kind, severity }) => ({ kind, severity }));
const withLedger = (change: Partial<typeof ledger>): Partial<DriftFacts> => ({ applications: new Map([['new:ledger', { ...ledger, ...change }]]) });

describe('no false alarm', () => {
  test('as it was applied', () => { expect(compared({})).toEqual([]); });

  test.each<[string, Partial<DriftFacts>]>([
    ['rules in another order', { rules: facts.rules.toReversed() }],
    ['enabled rules in another order and casing', { rules: facts.rules.map((rule) => (Array.isArray(rule['enabledRules']) ? { ...rule, enabledRules: rule['enabledRules'].toReversed().map((one) => String(one).toLowerCase()) } : rule)) }],
    ['rules left out that stand at Entra’s default', { rules: facts.rules.filter((rule) => DEFAULT_RULES.find(({ id }) => id === rule.id) !== rule) }],
    ['a duration in other words', { rules: facts.rules.map((rule) => (rule['maximumDuration'] === 'PT30M' ? { ...rule, maximumDuration: 'PT0H30M' } : rule)) }],
    ['a field that is unset', { rules: facts.rules.map((rule) => (rule.id === 'AuthenticationContext_EndUser_Assignment' ? { ...rule, claimValue: undefined } : rule)) }],
    ['an approver’s id in capitals, under its other name', { rules: facts.rules.map((rule) => (rule.id === 'Approval_EndUser_Assignment' ? JSON.parse(JSON.stringify(rule).replace(`"userId":"${OMAR}"`, `"id":"${OMAR.toUpperCase()}"`)) as PolicyRule : rule)) }],
    ['ports and protocols in another order, a host in capitals', withLedger({ segments: [{ destinationHost: 'LEDGER.corp.example', ports: ['8000-8010', '443-443'], protocol: 'udp,tcp' }] })],
    ['seconds cut from an end', { eligible: [{ ...facts.eligible[0] as DriftFacts['eligible'][number], endsAt: '2026-05-31T08:59:59.9990000Z' }] }],
    ['an end at the midnight after', { eligible: [{ ...facts.eligible[0] as DriftFacts['eligible'][number], endsAt: '2026-06-01T00:00:00Z' }] }],
    ['somebody eligible twice', { eligible: [...facts.eligible, { ...facts.eligible[0] as DriftFacts['eligible'][number], endsAt: '2026-03-09T09:00:00Z' }] }],
    ['the group of another setup at the application', { ...withLedger({ assignees: [...ledger.assignees, { id: 'another-group', kind: 'group', displayName: 'Auditors' }] }), otherGroups: new Map([[LEDGER, new Set(['another-group'])]]) }],
    ['a connector group that names no applications', { connectorGroups: new Map([[CONNECTORS, { name: 'EU-1', live: 1, total: 2, applications: new Set<string>() }]]) }],
    ['an owner as at the first look', { owners: facts.owners }],
  ])('%s', (_name, change) => { expect(compared(change)).toEqual([]); });
});

describe('what no emulated tenant shows', () => {
  test.each<[string, Partial<DriftFacts>, Found['kind'], Found['severity']]>([
    ['PIM does not manage the group', { managedByPim: false }, 'not-onboarded', 'weaker'],
    ['members follow a rule', { group: { ...facts.group as NonNullable<DriftFacts['group']>, dynamicMembership: true } }, 'group-unfit', 'broken'],
    ['no connector is live', { connectorGroups: new Map([[CONNECTORS, { name: 'EU-1', live: 0, total: 2, applications: new Set() }]]) }, 'connector-group-dead', 'broken'],
    ['another connector group', { connectorGroups: new Map([...facts.connectorGroups ?? []].map(([id, group]) => [id, { ...group, applications: new Set<string>() }] as const)).set('us-1', { name: 'US-1', live: 1, total: 1, applications: new Set(['ledger-client']) }) }, 'connector-group-changed', 'changed'],
    ['a permanent eligibility', { eligible: [{ ...facts.eligible[0] as DriftFacts['eligible'][number], endsAt: undefined }] }, 'eligible-extended', 'weaker'],
    ['no context any more', { rules: facts.rules.map((rule) => (rule.id === 'Enablement_EndUser_Assignment' ? { ...rule, enabledRules: ['Justification'] } : rule)) }, 'role-settings', 'weaker'],
    ['more is asked than the setup asks', { rules: facts.rules.map((rule) => (rule.id === 'Expiration_Admin_Eligibility' ? { ...rule, maximumDuration: 'P180D' } : rule)) }, 'role-settings', 'changed'],
  ])('%s', (_name, change, kind, severity) => { expect(compared(change)).toEqual([{ kind, severity }]); });

  test.each<[string, Partial<DriftFacts>, Found['kind'][]]>([
    ['the group of a setup of other applications', { ...withLedger({ assignees: [...ledger.assignees, { id: 'another-group', kind: 'group', displayName: 'Auditors' }] }), otherGroups: new Map([['another application', new Set(['another-group'])]]) }, ['assignee-added']],
    ['an activation without a limit', { rules: facts.rules.map((rule) => (rule.id === 'Expiration_EndUser_Assignment' ? { ...rule, isExpirationRequired: false } : rule)) }, ['role-settings']],
  ])('%s is told', (_name, change, kinds) => { expect(compared(change).map(({ kind }) => kind)).toEqual(kinds); });

  test('who was accepted until a day and comes back for good is found again, and so is an owner who was gone', () => {
    const ben = { id: BEN, kind: 'user' as const, displayName: 'Ben Novak' };
    const until = { ...facts, standing: [{ ...ben, throughPim: true, endsAt: '2026-03-03T09:00:00Z' }] };
    const accepted = acceptDifferences(definition, baseline, compareSetup(definition, until, baseline), until);
    if ('refused' in accepted) throw new Error(accepted.refused);
    expect(compareSetup(definition, until, baselineOf(definition, until, accepted.baseline))).toEqual([]);
    expect(compareSetup(definition, { ...facts, standing: [{ ...ben, throughPim: false }] }, accepted.baseline).map(({ kind }) => kind)).toEqual(['member-added']);
    const gone = baselineOf(definition, { ...facts, owners: [] }, baseline);
    expect(compareSetup({ ...definition, owners: [] }, facts, gone).map(({ kind }) => kind)).toEqual(['owner-added']);
  });

  test('a part of a day is not taken into a setup, and of thirty days and a half thirty are', () => {
    const taken = (hours: number) => {
      const seen = { ...facts, eligible: [...facts.eligible, { principalId: BEN, kind: 'user' as const, displayName: 'Ben Novak', startsAt: '2026-03-02T00:00:00Z', endsAt: new Date(Date.parse('2026-03-02T00:00:00Z') + hours * 3_600_000).toISOString() }] };
      const accepted = acceptDifferences(definition, baseline, compareSetup(definition, seen, baseline), seen);
      return 'refused' in accepted ? accepted.refused : compareSetup(accepted.definition, seen, accepted.baseline);
    };
    expect(taken(30 * 24 + 14)).toEqual([]);
    expect(taken(12)).toMatch(/At least one day/);
  });

  test('connectors that could not be read are not said to be dead', () => { expect(compared({ connectorGroups: undefined })).toEqual([]); });

  test('a group that is gone is one difference, and not one of each part', () => { expect(compared({ group: undefined, eligible: [], owners: [] })).toEqual([{ kind: 'group-gone', severity: 'broken' }]); });

  test('two settings that exclude each other, where each reads as wanted', () => {
    const contradictory = facts.rules.map((rule) => (rule.id === 'Enablement_EndUser_Assignment' ? { ...rule, enabledRules: ['MultiFactorAuthentication', 'Justification'] } : rule.id === 'AuthenticationContext_EndUser_Assignment' ? { ...rule, isEnabled: true, claimValue: 'c1' } : rule));
    const wanted = { ...definition, roleSettings: { ...definition.roleSettings, activationSignIn: { kind: 'authentication-context' as const, id: 'c1' } } };
    expect(compareSetup(wanted, { ...facts, rules: contradictory }, baseline).map(({ key }) => key)).toEqual(['role-settings:besides.contradiction']);
  });
});

const approvalWith = (change: Readonly<Record<string, unknown>>, stage: Readonly<Record<string, unknown>> = {}): readonly PolicyRule[] => facts.rules.map((rule) => {
  const setting = rule['setting'] as { approvalStages: [Record<string, unknown>] } | undefined;
  return setting ? { ...rule, setting: { ...setting, approvalStages: [{ ...setting.approvalStages[0], ...stage }], ...change } } : rule;
});
const manager = { '@odata.type': '#microsoft.graph.requestorManager', managerLevel: 1 };
const omar = { '@odata.type': '#microsoft.graph.singleUser', userId: OMAR };

describe('a rule of a role’s policy that a setup has no words for', () => {
  test.each<[string, readonly PolicyRule[], string, Found['severity']]>([
    ['the manager may approve as well', approvalWith({}, { primaryApprovers: [omar, manager] }), 'Approvers besides: the requester’s manager', 'weaker'],
    ['an approver stands in', approvalWith({}, { primaryApprovers: [{ ...omar, isBackup: true }] }), 'Approvers who stand in: ' + OMAR, 'weaker'],
    ['requests are passed on', approvalWith({}, { isEscalationEnabled: true, escalationTimeInMinutes: 30, escalationApprovers: [manager] }), 'Requests passed on to others: after 30 min, to the requester’s manager', 'weaker'],
    ['no reason is asked of the requester', approvalWith({ isRequestorJustificationRequired: false }), 'Reason for the approver to read: not required', 'weaker'],
    ['approval to extend', approvalWith({ isApprovalRequiredForExtension: true }), 'Approval to extend: required', 'changed'],
    ['an activation without a limit', facts.rules.map((rule) => (rule.id === 'Expiration_EndUser_Assignment' ? { ...rule, isExpirationRequired: false } : rule)), 'Activation lasts at most: no limit', 'weaker'],
  ])('%s: told, put back by the whole rule, and not taken into the setup', (_what, rules, title, severity) => {
    const seen = { ...facts, rules };
    const [difference, ...others] = compareSetup(definition, seen, baseline) as [Found];
    expect(others).toEqual([]);
    expect(difference).toMatchObject({ kind: 'role-settings', severity, title, restorable: true, acceptable: false });
    const restored = restoredBy(definition, [difference], seen, baseline);
    const after = withRules(rules, mergeRoleSettings(rules, restored.roleSettings));
    expect(compareSetup(definition, { ...facts, rules: after }, baseline)).toEqual([]);
    expect(acceptDifferences(definition, baseline, [difference], seen)).toEqual({ refused: `${title}. A setup has no words for that, so it cannot take it as it is: restore it.` });
  });

  test('approval by nobody is told, and is no setup', () => {
    const seen = { ...facts, rules: approvalWith({}, { primaryApprovers: [] }) };
    const found = compareSetup(definition, seen, baseline);
    expect(found).toMatchObject([{ key: 'role-settings:approval', severity: 'weaker', found: 'nobody' }]);
    expect(acceptDifferences(definition, baseline, found, seen)).toMatchObject({ refused: expect.stringMatching(/approver.*wizard/s) });
  });

  test('a context in place of MFA may ask for less', () => {
    const context = facts.rules.map((rule) => (rule.id === 'AuthenticationContext_EndUser_Assignment' ? { ...rule, isEnabled: true, claimValue: 'c9' } : rule));
    expect(compared({ rules: context })).toEqual([{ kind: 'role-settings', severity: 'weaker' }]);
  });
});

describe('owners of whom a setup says nothing', () => {
  const asked = withRules(DEFAULT_RULES, mergeRoleSettings(DEFAULT_RULES, PROPOSED_ROLE_SETTINGS));
  const before = { ...facts, ownerRules: asked.map((rule) => (rule.id === 'Approval_EndUser_Assignment' ? { ...rule, setting: { ...rule['setting'] as object, isApprovalRequiredForExtension: true } } : rule)) };
  const taken = baselineOf(definition, before, undefined);
  const weak = { ...before, ownerRules: withRules(before.ownerRules, mergeRoleSettings(before.ownerRules, { ...PROPOSED_ROLE_SETTINGS, activationSignIn: { kind: 'none' } })).map((rule) => (rule.id === 'Expiration_EndUser_Assignment' ? { ...rule, isExpirationRequired: false } : rule)) };

  test('stand as they were at the first look', () => { expect(compareSetup(definition, before, taken)).toEqual([]); });

  test('that their role asks for less is told, put back, or taken', () => {
    const found = compareSetup(definition, weak, taken);
    expect(found).toMatchObject([
      { kind: 'owner-role-settings', key: 'owner-role-settings:activationSignIn', severity: 'weaker', title: 'Sign-in at activation: nothing more (Owner)' },
      { kind: 'owner-role-settings', key: 'owner-role-settings:besides.limit.Expiration_EndUser_Assignment', severity: 'weaker', acceptable: true },
    ]);
    const restored = restoredBy(definition, found, weak, taken).ownerRoleSettings;
    expect(restored).toEqual(PROPOSED_ROLE_SETTINGS);
    expect(compareSetup(definition, { ...weak, ownerRules: withRules(weak.ownerRules, mergeRoleSettings(weak.ownerRules, restored ?? PROPOSED_ROLE_SETTINGS)) }, taken)).toEqual([]);
    const accepted = acceptDifferences(definition, taken, found, weak);
    if ('refused' in accepted) throw new Error(accepted.refused);
    expect(accepted.definition).toEqual(definition);
    expect(compareSetup(definition, weak, baselineOf(definition, weak, accepted.baseline))).toEqual([]);
  });

  test('where a setup says how, that counts', () => {
    const wanted = { ...definition, ownerRoleSettings: PROPOSED_ROLE_SETTINGS };
    expect(compareSetup(wanted, before, taken)).toMatchObject([{ key: 'owner-role-settings:besides.approval.extension', severity: 'changed', acceptable: false }]);
    expect(compareSetup(wanted, { ...before, ownerRules: asked }, taken)).toEqual([]);
  });
});

describe('a destination that was made broader', () => {
  const broad = { ...facts, ...withLedger({ segments: [{ destinationHost: '*.corp.example', ports: ['443-443', '8000-8010'], protocol: 'tcp,udp' }] }) };
  const found = compareSetup(definition, broad, baseline);
  const planned = (wanted: readonly Found[], seen = broad, whole: readonly PlanStep[] = []) => planRestore(definition, wanted, seen, whole, new Date('2026-03-02T09:00:00Z')).steps.map(({ kind, verdict, blocked }) => [kind, verdict, blocked?.reason ?? null]);

  test('is put back by taking it out first', () => {
    expect(found.map(({ kind }) => kind)).toEqual(['destination-added', 'destination-removed']);
    expect(planned(found)).toEqual([['remove-segment', 'delete', null], ['add-segment', 'create', null]]);
  });

  test('is refused alone: Entra would take no narrower one beside it', () => {
    expect(planned(found.slice(1))).toEqual([['add-segment', 'blocked', 'Ledger opens *.corp.example now, which overlaps it, and Private Access takes each destination once.']]);
  });

  test('is refused where another application has it by now', () => {
    const gone = { ...facts, ...withLedger({ segments: [] }) };
    const blockedThere = step({ key: 'add-segment:new:ledger:ledger.corp.example:443-443,8000-8010:tcp,udp', kind: 'add-segment', verdict: 'blocked', title: 'Add', blocked: { reason: 'Archive opens it already.', mend: 'Choose Archive.' } });
    expect(planned(compareSetup(definition, gone, baseline), gone, [blockedThere])).toEqual([['add-segment', 'blocked', 'Archive opens it already.']]);
    expect(planned(compareSetup(definition, gone, baseline), gone)).toEqual([['add-segment', 'create', null]]);
  });
});

describe('who did it', () => {
  const [added] = compareSetup(definition, { ...facts, standing: [{ id: 'x', kind: 'user', displayName: 'Rachel Stein', throughPim: false }] }, baseline) as [Found];
  const event = (change: Partial<DriftEvent>): DriftEvent => ({ eventId: 'e', at: '2026-03-02T10:00:00.000000Z', activity: 'Add member to group', kind: 'member-added', actorName: 'Erik', subjectId: 'x', groupId: GROUP, applicationId: null, applicationName: null, ...change });
  const names = { groupId: GROUP, applications: new Map() };

  test('the newest event about the person and the group', () => {
    const events = [event({ eventId: 'old', at: '2026-03-01T10:00:00.000000Z' }), event({ eventId: 'new' }), event({ eventId: 'else', at: '2026-03-03T10:00:00.000000Z', subjectId: 'y' })];
    expect(causeOf(added, events, names)?.eventId).toBe('new');
  });
  test.each<[string, Partial<DriftEvent>]>([['another person', { subjectId: 'y' }], ['another group', { groupId: 'g' }], ['another kind', { kind: 'eligible-added' }]])('not an event about %s', (_name, change) => {
    expect(causeOf(added, [event(change)], names)).toBeUndefined();
  });
});
