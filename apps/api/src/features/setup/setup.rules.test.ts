import { PROPOSED_ROLE_SETTINGS, SetupDefinition, type PlanStep } from '@gatehouse/contracts';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RULES, mergeRoleSettings } from './role-settings.rules.ts';
import { checkSetup, type Surroundings } from './checks.rules.ts';
import { isEligibleEnough, planSetup, unfit, type GroupFact, type SetupFacts } from './setup.rules.ts';
import { acts, canonicalPlan, uniqueNameOf, weigh } from './steps.rules.ts';

const ANA = '11111111-1111-4111-8111-111111111111';
const FINANCE = '22222222-2222-4222-8222-222222222222';
const EU = '33333333-3333-4333-8333-333333333333';
const NAME = 'FinReport-SeniorAnalyst-SecureAccess';

const wish: SetupDefinition = SetupDefinition.parse({
  group: { kind: 'new', displayName: NAME, mailNickname: NAME },
  roleSettings: PROPOSED_ROLE_SETTINGS,
  eligible: [{ principalId: ANA, kind: 'user', displayName: 'Ana Costa', days: 365 }],
  applications: [{ kind: 'existing', servicePrincipalId: FINANCE, displayName: 'Finance reports', applicationKind: 'per-app' }],
});
const newApplication = (segments: { host: string; ports: string; protocol: 'tcp' | 'udp' | 'tcp,udp' }[]) => SetupDefinition.parse({
  ...wish, applications: [{ kind: 'new', displayName: 'Ledger', connectorGroupId: EU, connectorGroupName: 'EU-1', segments }],
});
const ledger = newApplication([{ host: 'ledger.corp.example', ports: '443', protocol: 'tcp' }]);

const group: GroupFact = { id: '44444444-4444-4444-8444-444444444444', displayName: NAME, mailNickname: NAME, mailEnabled: false, securityEnabled: true, dynamicMembership: false, synchronised: false, roleAssignable: false };
const finance = { servicePrincipalId: FINANCE, displayName: 'Finance reports', enabled: true, assignmentRequired: true, published: true, segments: [], assigned: false };
const fresh: SetupFacts = {
  group: undefined, nicknameOf: undefined, managedByPim: false, rules: DEFAULT_RULES, ownerRules: DEFAULT_RULES, owners: new Set(), eligible: [], knownPrincipals: new Set([ANA]), knownUsers: new Set([ANA]),
  applications: [finance], neighbours: [], connectorGroups: [{ id: EU, name: 'EU-1', live: 2, total: 2 }], contexts: new Set(['c1']), earlier: new Map(),
};
const applied: SetupFacts = {
  ...fresh, group, managedByPim: true, rules: DEFAULT_RULES.map((rule) => mergeRoleSettings(DEFAULT_RULES, wish.roleSettings).find((changed) => changed.id === rule.id) ?? rule),
  eligible: [{ principalId: ANA, startsAt: '2026-03-02T09:00:00Z', endsAt: '2027-03-02T09:00:00Z' }], applications: [{ ...finance, assigned: true }],
};
const published = { ...finance, servicePrincipalId: '55555555-5555-4555-8555-555555555555', displayName: 'Ledger', segments: [{ destinationHost: 'ledger.corp.example', ports: ['443-443'], protocol: 'tcp' }] };

const outline = (steps: readonly PlanStep[]): string[] => steps.map((step) => `${step.verdict} ${step.kind}`);
const stepOf = (kind: PlanStep['kind'], facts: Partial<SetupFacts>, definition = wish): PlanStep => {
  const found = planSetup(definition, { ...fresh, ...facts }).find((step) => step.kind === kind);
  if (!found) throw new Error(`the plan has no ${kind}`);
  return found;
};
const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';
const calm: Surroundings = { privateAccess: 'enabled', nestedGroups: [], servicePlans: new Set(['AAD_PREMIUM_P2', 'Entra_Premium_Private_Access']), roles: new Set([GLOBAL_ADMINISTRATOR]), ownsGroup: false };
const checksOf = (facts: Partial<SetupFacts>, definition = wish, around: Partial<Surroundings> = {}) => {
  const all = { ...fresh, ...facts };
  return checkSetup(definition, all, { ...calm, ...around }, new Set(planSetup(definition, all).filter(acts).map(({ kind }) => kind)));
};
const warningsOf = (...args: Parameters<typeof checksOf>): string[] => checksOf(...args).warnings.map((warning) => warning.code);

test('a new group is created, onboarded, set, filled and opened in this order', () => {
  const steps = planSetup(wish, fresh);
  expect(outline(steps)).toEqual(['create create-group', 'create onboard', 'change role-settings', 'create assign-eligible', 'create assign-application']);
  expect(warningsOf({})).toEqual([]);
  expect(steps.filter((step) => step.irreversible).map((step) => step.kind)).toEqual(['onboard']);
  expect(weigh(steps)).toEqual({ changes: 5, calls: 4 });
});

test('nobody is let in before the role settings say how', () => {
  const steps = planSetup(wish, fresh);
  for (const kind of ['assign-eligible', 'assign-application']) expect(steps.find((step) => step.kind === kind)?.dependsOn).toContain('role-settings');
});

test('what is as wanted is left alone: no change, no call', () => {
  const steps = planSetup(wish, applied);
  expect(outline(steps)).toEqual(['nothing create-group', 'nothing onboard', 'nothing role-settings', 'nothing assign-eligible', 'nothing assign-application']);
  expect(weigh(steps)).toEqual({ changes: 0, calls: 0 });
  expect(steps.flatMap((step) => [...step.calls, ...step.changes])).toEqual([]);
});

test('a new application is made, published and given its destinations before it is opened', () => {
  const two = newApplication([{ host: 'ledger.corp.example', ports: '443, 8000-8010', protocol: 'tcp' }, { host: '10.1.2.0/24', ports: '22', protocol: 'tcp' }]);
  const steps = planSetup(two, { ...fresh, applications: [undefined] });
  expect(outline(steps).slice(3)).toEqual(['create create-application', 'create publish-application', 'create add-segment', 'create add-segment', 'create assign-eligible', 'create assign-application']);
  expect(steps[5]?.changes).toEqual([{ field: 'Destination', from: null, to: 'ledger.corp.example : 443, 8000-8010 tcp' }]);
  expect(outline(planSetup(ledger, { ...fresh, applications: [published] })).slice(3, 6)).toEqual(['nothing create-application', 'nothing publish-application', 'nothing add-segment']);
});

describe('a group that PIM does not take', () => {
  test.each([
    ['dynamic', { dynamicMembership: true }, 'dynamic membership'],
    ['synchronised', { synchronised: true }, 'on-premises'],
    ['mail-enabled', { mailEnabled: true }, 'mail-enabled'],
    ['not a security group', { securityEnabled: false }, 'security group'],
  ])('is refused when it is %s, with the reason and a way out', (_what, fact, reason) => {
    const existing = SetupDefinition.parse({ ...wish, group: { kind: 'existing', groupId: group.id, displayName: NAME } });
    expect(unfit(group)).toBeUndefined();
    const step = stepOf('create-group', { group: { ...group, ...fact } }, existing);
    expect(step).toMatchObject({ verdict: 'blocked', calls: [] });
    expect(step.blocked?.reason).toContain(reason);
    expect(step.blocked?.mend).not.toBe('');
  });
});

describe('what cannot be done is said before anything is done', () => {
  const existing = SetupDefinition.parse({ ...wish, group: { kind: 'existing', groupId: group.id, displayName: NAME } });
  const context = SetupDefinition.parse({ ...wish, roleSettings: { ...wish.roleSettings, activationSignIn: { kind: 'authentication-context', id: 'c7' } } });
  const approved = SetupDefinition.parse({ ...wish, roleSettings: { ...wish.roleSettings, approval: { required: true, approvers: [{ id: EU, kind: 'user', displayName: 'Omar Haddad' }] } } });
  const owned = SetupDefinition.parse({ ...wish, owners: [{ principalId: EU, displayName: 'Omar Haddad' }] });
  const twice = newApplication([{ host: '*.corp.example', ports: '443', protocol: 'tcp' }, { host: 'fs.corp.example', ports: '400-500', protocol: 'tcp' }]);
  const cases: readonly [string, PlanStep['kind'], Partial<SetupFacts>, SetupDefinition, string][] = [
    ['the chosen group is gone', 'create-group', {}, existing, 'does not exist any more'],
    ['another group has the nickname', 'create-group', { nicknameOf: 'Old finance' }, wish, 'Old finance'],
    ['the natural key belongs to another nickname', 'create-group', { group: { ...group, mailNickname: 'FinReport+SeniorAnalyst-SecureAccess' } }, wish, 'another'],
    ['an owner of the new group is gone', 'create-group', {}, owned, 'Omar Haddad'],
    ['a new owner of the group is gone', 'add-owner', applied, owned, 'Omar Haddad'],
    ['the context cannot be asked for', 'role-settings', {}, context, 'c7'],
    ['an approver is gone', 'role-settings', {}, approved, 'Omar Haddad'],
    ['a person is gone', 'assign-eligible', { knownPrincipals: new Set() }, wish, 'Ana Costa'],
    ['the application is gone', 'assign-application', { applications: [undefined] }, wish, 'Finance reports'],
    ['the application is disabled', 'assign-application', { applications: [{ ...finance, enabled: false }] }, wish, 'turned off'],
    ['an enterprise application has the name', 'create-application', { applications: [{ ...published, published: false }] }, ledger, 'Ledger'],
    ['the connector group is gone', 'publish-application', { applications: [undefined], connectorGroups: [] }, ledger, 'EU-1'],
    ['another application opens the destination', 'add-segment', { applications: [undefined], neighbours: [{ ...published, displayName: 'Payroll', quickAccess: false }] }, ledger, 'Payroll'],
    ['the application has an overlapping destination', 'add-segment', { applications: [{ ...published, segments: [{ destinationHost: '*.corp.example', ports: ['443-443'], protocol: 'tcp' }] }] }, ledger, '*.corp.example'],
  ];
  test.each(cases)('%s', (_what, kind, facts, definition, word) => {
    const step = stepOf(kind, facts, definition);
    expect(step.verdict).toBe('blocked');
    expect(`${step.blocked?.reason} ${step.blocked?.mend}`).toContain(word);
  });

  test('two destinations of one application overlap: the second is refused', () => {
    const verdicts = planSetup(twice, { ...fresh, applications: [undefined] }).filter((step) => step.kind === 'add-segment').map((step) => step.verdict);
    expect(verdicts).toEqual(['create', 'blocked']);
  });

  test('it is no change and no call', () => {
    const steps = planSetup(wish, { ...fresh, knownPrincipals: new Set() });
    expect(steps.find(({ kind }) => kind === 'assign-eligible')).toMatchObject({ verdict: 'blocked', changes: [], calls: [] });
    expect(weigh(steps)).toEqual({ changes: 4, calls: 3 });
  });
});

describe('eligibility', () => {
  const from = '2026-03-02T09:00:00Z';
  test.each([
    ['as long as wished', 365, { startsAt: from, endsAt: '2027-03-02T09:00:00Z' }, true],
    ['longer than wished', 90, { startsAt: from, endsAt: '2027-03-02T09:00:00Z' }, true],
    ['permanent', 90, {}, true],
    ['permanent as wished', null, {}, true],
    ['shorter than wished', 365, { startsAt: from, endsAt: '2026-06-02T09:00:00Z' }, false],
    ['ending where permanent is wished', null, { startsAt: from, endsAt: '2027-03-02T09:00:00Z' }, false],
  ])('that is %s', (_what, days, fact, enough) => {
    expect(isEligibleEnough({ days }, { principalId: ANA, ...fact })).toBe(enough);
  });

  test('that is too short is changed, from its end to the wished length', () => {
    expect(stepOf('assign-eligible', { eligible: [{ principalId: ANA, startsAt: from, endsAt: '2026-06-02T09:00:00Z' }] })).toMatchObject({
      verdict: 'change', changes: [{ field: 'Eligible', from: 'until 2026-06-02', to: 'for 365 days' }],
    });
  });

  test('of somebody who is eligible twice is the one that reaches furthest', () => {
    const eligible = [{ principalId: ANA, startsAt: from, endsAt: '2026-06-02T09:00:00Z' }, { principalId: ANA, startsAt: from, endsAt: '2027-03-02T09:00:00Z' }];
    expect(stepOf('assign-eligible', { eligible }).verdict).toBe('nothing');
  });
});

test('assignment is required where it was not, before the application is opened', () => {
  const steps = planSetup(wish, { ...fresh, applications: [{ ...finance, assignmentRequired: false }] });
  expect(outline(steps).slice(3)).toEqual(['change require-assignment', 'create assign-eligible', 'create assign-application']);
});

test('two controls that contradict each other are a change, even where what is read is as wanted', () => {
  const context = SetupDefinition.parse({ ...wish, roleSettings: { ...wish.roleSettings, activationSignIn: { kind: 'authentication-context', id: 'c1' } } });
  const both = DEFAULT_RULES.map((rule) => (rule.id === 'AuthenticationContext_EndUser_Assignment' ? { ...rule, isEnabled: true, claimValue: 'c1' }
    : rule.id === 'Enablement_EndUser_Assignment' ? { ...rule, enabledRules: ['MultiFactorAuthentication', 'Justification'] }
      : rule.id === 'Expiration_EndUser_Assignment' ? { ...rule, maximumDuration: 'PT30M' } : rule));
  expect(stepOf('role-settings', { rules: both }, context)).toMatchObject({ verdict: 'change', changes: [{ field: 'MFA beside an authentication context' }] });
});

test('what is worth knowing is a warning and blocks nothing', () => {
  const quickAccess = [{ displayName: 'Quick Access', quickAccess: true, segments: [{ destinationHost: '*.corp.example', ports: ['1-65535'], protocol: 'tcp' }] }];
  const dead = [{ id: EU, name: 'EU-1', live: 0, total: 2 }];
  expect(warningsOf({ group: { ...group, roleAssignable: true } }, wish, { nestedGroups: ['Interns'], privateAccess: 'disabled' })).toEqual(['private-access-off', 'role-assignable', 'nested-group']);
  expect(warningsOf({ applications: [undefined], neighbours: quickAccess, connectorGroups: dead }, ledger)).toEqual(['no-live-connector', 'takes-over']);
  expect(warningsOf({ applications: [published], neighbours: quickAccess }, ledger)).toEqual([]);
  const ranges = newApplication([{ host: '10.0.0.0/15', ports: '443', protocol: 'tcp' }, { host: '10.20.0.0/16', ports: '443', protocol: 'tcp' }]);
  expect(checksOf({ applications: [undefined] }, ranges).warnings).toEqual([{ code: 'broad-range', message: '10.0.0.0/15 opens 131,072 addresses through Ledger.', mend: expect.stringContaining('no wider than /16') }]);
  const approvedBy = (...ids: string[]) => ({ ...wish, roleSettings: { ...wish.roleSettings, approval: { required: true, approvers: ids.map((id) => ({ id, kind: 'user' as const, displayName: 'Somebody' })) } } });
  const own = ANA;
  expect(warningsOf({}, approvedBy(own.toUpperCase()))).toEqual(['approver-alone']);
  expect(warningsOf({}, approvedBy(own, '99999999-1111-4111-8111-999999999999'))).toEqual([]);
  expect(planSetup(ledger, { ...fresh, applications: [undefined], neighbours: quickAccess, connectorGroups: dead }).filter((step) => step.verdict === 'blocked')).toEqual([]);
});

describe('a run that is continued', () => {
  test('takes up the unpublished application that its own create may have left', () => {
    const left = { ...published, published: false, segments: [] };
    const earlier = new Map([['create-application:new:ledger', 'begun' as const]]);
    expect(outline(planSetup(ledger, { ...fresh, applications: [left], earlier })).slice(3, 6)).toEqual(['nothing create-application', 'create publish-application', 'create add-segment']);
  });

  test('refuses an unpublished application of that name when its own create never began', () => {
    const earlier = new Map([['create-application:new:ledger', 'pending' as const]]);
    expect(stepOf('create-application', { applications: [{ ...published, published: false }], earlier }, ledger).verdict).toBe('blocked');
  });

  test('publishes again where how far the publishing came is not known', () => {
    const earlier = new Map([['create-application:new:ledger', 'done' as const], ['publish-application:new:ledger', 'begun' as const]]);
    expect(stepOf('publish-application', { applications: [published], earlier }, ledger).verdict).toBe('create');
  });

  test('keeps the step that required assignment in its list', () => {
    const earlier = new Map([[`require-assignment:${FINANCE}`, 'done' as const]]);
    expect(stepOf('require-assignment', { earlier }).verdict).toBe('nothing');
  });
});

test('the plan is one text whatever the order of its fields, and another one for another setup or other facts', () => {
  const steps = planSetup(wish, fresh);
  const turned: SetupDefinition = { applications: wish.applications, eligible: wish.eligible, roleSettings: wish.roleSettings, ownerRoleSettings: null, owners: [], group: wish.group };
  expect(canonicalPlan(turned, steps)).toBe(canonicalPlan(wish, steps));
  expect(canonicalPlan({ ...wish, ownerRoleSettings: wish.roleSettings }, steps)).not.toBe(canonicalPlan(wish, steps));
  expect(canonicalPlan(wish, planSetup(wish, { ...fresh, managedByPim: true }))).not.toBe(canonicalPlan(wish, steps));
});

test('the natural key of a group needs no escaping', () => {
  expect(uniqueNameOf('Fin+Report\'s/Group')).toBe('Fin-Report-s-Group');
});
