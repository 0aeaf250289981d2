import { PROPOSED_ROLE_SETTINGS, SetupDefinition, type StepKind } from '@gatehouse/contracts';
import { describe, expect, test } from 'vitest';
import { checkSetup, type Surroundings } from './checks.rules.ts';
import { DEFAULT_RULES } from './role-settings.rules.ts';
import type { GroupFact, SetupFacts } from './setup.rules.ts';

const ANA = '11111111-1111-4111-8111-111111111111';
const EU = '33333333-3333-4333-8333-333333333333';
const GROUPS_ADMINISTRATOR = 'fdd7a751-b60b-444a-984c-02652fe8fa1c';
const APPLICATION_ADMINISTRATOR = '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3';
const GLOBAL_SECURE_ACCESS_ADMINISTRATOR = 'ac434307-12b9-4fa1-a708-88bf58caabc1';
const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';

const wish = (host: string) => SetupDefinition.parse({
  group: { kind: 'new', displayName: 'G', mailNickname: 'g' }, roleSettings: PROPOSED_ROLE_SETTINGS, eligible: [{ principalId: ANA, kind: 'user', displayName: 'Ana Costa', days: 365 }],
  applications: [{ kind: 'new', displayName: 'Ledger', connectorGroupId: EU, connectorGroupName: 'EU-1', segments: [{ host, ports: '443', protocol: 'tcp' }] }],
});
const group: GroupFact = { id: '44444444-4444-4444-8444-444444444444', displayName: 'G', mailNickname: 'g', mailEnabled: false, securityEnabled: true, dynamicMembership: false, synchronised: false, roleAssignable: false };
const facts: SetupFacts = {
  group: undefined, nicknameOf: undefined, managedByPim: false, rules: DEFAULT_RULES, ownerRules: DEFAULT_RULES, owners: new Set(), eligible: [], knownPrincipals: new Set([ANA]), knownUsers: new Set([ANA]),
  applications: [undefined], neighbours: [], connectorGroups: [{ id: EU, name: 'EU-1', live: 1, total: 2 }], contexts: new Set(), earlier: new Map(),
};
const around: Surroundings = { privateAccess: 'enabled', nestedGroups: [], servicePlans: new Set(['AAD_PREMIUM_P2', 'Entra_Premium_Private_Access']), roles: new Set([GLOBAL_ADMINISTRATOR]), ownsGroup: false };
const EVERYTHING: ReadonlySet<StepKind> = new Set<StepKind>(['create-group', 'onboard', 'role-settings', 'create-application', 'publish-application', 'add-segment', 'assign-eligible', 'assign-application']);

const warned = (more: Partial<Surroundings>, { host = 'ledger.corp.example', acting = EVERYTHING, of = {} }: { host?: string; acting?: ReadonlySet<StepKind>; of?: Partial<SetupFacts> } = {}): string[] =>
  checkSetup(wish(host), { ...facts, ...of }, { ...around, ...more }, acting).warnings.map(({ code, message }) => `${code}: ${message.split(/[,.:]/)[0] ?? ''}`);

test('nothing is warned of where all is in order, and that is said', () => {
  expect(warned({})).toEqual([]);
  expect(checkSetup(wish('ledger.corp.example'), facts, around, EVERYTHING).checked).toContain('Your directory roles allow every step.');
});

describe('licences', () => {
  test.each([
    ['none of either', [], ['no-pim-licence', 'no-private-access-licence']],
    ['PIM by way of ID Governance', ['Entra_Identity_Governance', 'Entra_Premium_Private_Access'], []],
    ['Private Access alone', ['Entra_Premium_Private_Access'], ['no-pim-licence']],
    ['P2 alone', ['AAD_PREMIUM_P2'], ['no-private-access-licence']],
  ])('%s', (_what, plans, codes) => {
    expect(warned({ servicePlans: new Set(plans) }).map((one) => one.split(':')[0])).toEqual(codes);
  });
  test('that cannot be read are not known', () => {
    expect(warned({ servicePlans: undefined })).toEqual(['licences-unknown: Which licences the tenant has could not be read']);
  });
});

describe('the directory roles of whoever plans', () => {
  const missing = (roles: readonly string[], more: Parameters<typeof warned>[1] = {}, surroundings: Partial<Surroundings> = {}): string[] =>
    warned({ roles: new Set(roles), ...surroundings }, more).map((one) => one.replace(/^role-missing: You do not hold the role | now$/g, ''));
  test('each that is missing is named', () => {
    expect(missing([])).toEqual(['Groups Administrator', 'Application Administrator', 'Global Secure Access Administrator']);
    expect(missing([GROUPS_ADMINISTRATOR])).toEqual(['Application Administrator', 'Global Secure Access Administrator']);
    expect(missing([GROUPS_ADMINISTRATOR, APPLICATION_ADMINISTRATOR, GLOBAL_SECURE_ACCESS_ADMINISTRATOR])).toEqual([]);
  });
  test('only where a step needs it', () => {
    expect(missing([], { acting: new Set<StepKind>(['assign-eligible']) })).toEqual(['Groups Administrator']);
    expect(missing([], { acting: new Set<StepKind>(['assign-application']) })).toEqual(['Application Administrator']);
    expect(missing([], { acting: new Set<StepKind>() })).toEqual([]);
  });
  test('whoever adds a destination to what is published publishes too', () => {
    expect(missing([APPLICATION_ADMINISTRATOR], { acting: new Set<StepKind>(['add-segment']) })).toEqual(['Global Secure Access Administrator']);
  });
  test('an owner of the group needs none for it, and a role-assignable group needs another', () => {
    expect(missing([APPLICATION_ADMINISTRATOR, GLOBAL_SECURE_ACCESS_ADMINISTRATOR], {}, { ownsGroup: true })).toEqual([]);
    expect(missing([GROUPS_ADMINISTRATOR], { acting: new Set<StepKind>(['role-settings']), of: { group: { ...group, roleAssignable: true } } })[0]).toBe('Privileged Role Administrator');
  });
  test('that cannot be read are not known', () => {
    expect(warned({ roles: undefined })).toEqual(['roles-unknown: Which directory roles you hold could not be read']);
  });
});

test.each([
  ['*.com', ['whole-domain']], ['*.corp', ['whole-domain']], ['*.corp.example', []], ['10.0.0.0/8', ['broad-range']], ['10.0.0.0/16', []],
])('a destination %s', (host, codes) => {
  expect(warned({}, { host }).map((one) => one.split(':')[0])).toEqual(codes);
});

test('a traffic profile that cannot be read is not known', () => {
  expect(warned({ privateAccess: 'unknown' })).toEqual(['private-access-unknown: Whether the Private Access traffic profile is on could not be read']);
});

describe('the applications and role settings of a setup', () => {
  const quickAccess = { kind: 'existing', servicePrincipalId: EU, displayName: 'Quick Access', applicationKind: 'quick-access' };
  const approval = (required: boolean) => ({ ...PROPOSED_ROLE_SETTINGS, approval: { required, approvers: [{ id: ANA, kind: 'user', displayName: 'Ana Costa' }] } });
  const checks = (more: object, of: Partial<SetupFacts> = {}) => checkSetup(SetupDefinition.parse({ ...wish('ledger.corp.example'), ...more }), { ...facts, ...of }, around, EVERYTHING);
  const codes = (...args: Parameters<typeof checks>): string[] => checks(...args).warnings.map(({ code }) => code);
  const application = { servicePrincipalId: EU, displayName: 'Ledger', enabled: true, assignmentRequired: true, published: true, segments: [], assigned: false };

  test('Quick Access opens all that it holds', () => {
    expect(codes({ applications: [quickAccess] })).toEqual(['quick-access']);
  });

  test('whoever approves alone matters only where approval is required', () => {
    expect([codes({ roleSettings: approval(true) }), codes({ roleSettings: approval(false) })]).toEqual([['approver-alone'], []]);
  });

  test('that each lets in only who is assigned is said where it is so', () => {
    const said = 'Every application lets in only who is assigned.';
    expect(checks({}, { applications: [application] }).checked).toContain(said);
    expect(checks({}, { applications: [{ ...application, assignmentRequired: false }] }).checked).not.toContain(said);
  });

  test('MFA beside an authentication context is told from either alone', () => {
    const both = DEFAULT_RULES.map((rule) => (rule.id === 'AuthenticationContext_EndUser_Assignment' ? { ...rule, isEnabled: true, claimValue: 'c1' }
      : rule.id === 'Enablement_EndUser_Assignment' ? { ...rule, enabledRules: ['MultiFactorAuthentication'] } : rule));
    expect(checks({}, { rules: both }).checked.at(-1)).toBe('MFA and an authentication context are both on in the tenant; the setup keeps one.');
    expect(checks({}).checked.at(-1)).toBe('MFA and an authentication context do not meet in the role settings.');
  });
});
