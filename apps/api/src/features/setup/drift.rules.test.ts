import { PROPOSED_ROLE_SETTINGS, type SetupDefinition } from '@gatehouse/contracts';
import { describe, expect, test } from 'vitest';
import { acceptDifferences, baselineOf, causeOf, compareSetup, type DriftEvent, type DriftFacts, type Found } from './drift.rules.ts';
import { DEFAULT_RULES, mergeRoleSettings, type PolicyRule } from './role-settings.rules.ts';

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
  applications: new Map([['new:ledger', { servicePrincipalId: LEDGER, displayName: 'Ledger', enabled: true, assignmentRequired: true, segments: [{ destinationHost: 'ledger.corp.example', ports: ['443-443', '8000-8010'], protocol: 'tcp,udp' }], assignees: [{ id: GROUP, kind: 'group' as const, displayName: 'Ledger-Clerk' }] }]]),
  otherGroups: new Map(), connectorGroups: new Map([[CONNECTORS, { name: 'EU-1', live: 1, total: 2 }]]),
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
    ['an owner as at the first look', { owners: facts.owners }],
  ])('%s', (_name, change) => { expect(compared(change)).toEqual([]); });
});

describe('what no emulated tenant shows', () => {
  test.each<[string, Partial<DriftFacts>, Found['kind'], Found['severity']]>([
    ['PIM does not manage the group', { managedByPim: false }, 'not-onboarded', 'weaker'],
    ['members follow a rule', { group: { ...facts.group as NonNullable<DriftFacts['group']>, dynamicMembership: true } }, 'group-unfit', 'broken'],
    ['no connector is live', { connectorGroups: new Map([[CONNECTORS, { name: 'EU-1', live: 0, total: 2 }]]) }, 'connector-group-dead', 'broken'],
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
    expect(compareSetup(wanted, { ...facts, rules: contradictory }, baseline).map(({ key }) => key)).toEqual(['role-settings:contradiction']);
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
