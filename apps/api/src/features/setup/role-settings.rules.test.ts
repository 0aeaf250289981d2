import { MAX_ACTIVATION_MINUTES, PROPOSED_ROLE_SETTINGS, type RoleSettings } from '@gatehouse/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { activationPolicyOf, besidesIn, DEFAULT_RULES, describeChanges, describePolicyChanges, mergeRoleSettings, readRoleSettings, type PolicyRule } from './role-settings.rules.ts';

const mail = fc.record({
  defaultRecipients: fc.boolean(),
  additionalRecipients: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}@[a-z]{1,8}\.example$/), { maxLength: 3 }),
  criticalOnly: fc.boolean(),
});
const occasion = fc.record({ admins: mail, person: mail, approvers: mail });
const days = fc.option(fc.integer({ min: 1, max: 3650 }), { nil: null });
const approver = fc.record({ id: fc.uuid(), kind: fc.constantFrom('user', 'group'), displayName: fc.string({ minLength: 1, maxLength: 20 }) });
const settings: fc.Arbitrary<RoleSettings> = fc.record({
  activationMaxMinutes: fc.integer({ min: 2, max: MAX_ACTIVATION_MINUTES / 15 }).map((steps) => steps * 15),
  activationSignIn: fc.oneof(
    fc.constant({ kind: 'none' as const }),
    fc.constant({ kind: 'mfa' as const }),
    fc.integer({ min: 1, max: 99 }).map((n) => ({ kind: 'authentication-context' as const, id: `c${n}` })),
  ),
  requireJustification: fc.boolean(),
  requireTicket: fc.boolean(),
  approval: fc.record({ required: fc.boolean(), approvers: fc.uniqueArray(approver, { minLength: 1, maxLength: 3, selector: (one) => one.id }) }),
  eligibleMaxDays: days,
  activeMaxDays: days,
  activeRequiresMfa: fc.boolean(),
  activeRequiresJustification: fc.boolean(),
  notifications: fc.record({ whenEligible: occasion, whenAssigned: occasion, whenActivated: occasion }),
});

/** The policy as it is after a PATCH with these rules. */
function patched(rules: readonly PolicyRule[], changed: readonly PolicyRule[]): PolicyRule[] {
  const byId = new Map([...rules, ...changed].map((rule) => [rule.id, rule]));
  return [...byId.values()];
}
const ruleOf = (rules: readonly PolicyRule[], id: string): PolicyRule | undefined => rules.find((rule) => rule.id === id);
const without = (id: string): PolicyRule[] => DEFAULT_RULES.filter((rule) => rule.id !== id);
const defaults = readRoleSettings(DEFAULT_RULES);

test('a policy has 17 rules', () => {
  expect(new Set(DEFAULT_RULES.map((rule) => rule.id)).size).toBe(17);
});

test('what was merged into a policy is what is read of it, from any policy to any settings', () => {
  fc.assert(fc.property(settings, settings, (before, wanted) => {
    const standing = patched(DEFAULT_RULES, mergeRoleSettings(DEFAULT_RULES, before));
    expect(readRoleSettings(standing)).toEqual(before);
    expect(readRoleSettings(patched(standing, mergeRoleSettings(standing, wanted)))).toEqual(wanted);
  }));
});

test('a second merge finds nothing to change, and words are said exactly where a rule changes', () => {
  fc.assert(fc.property(settings, settings, (before, wanted) => {
    const standing = patched(DEFAULT_RULES, mergeRoleSettings(DEFAULT_RULES, before));
    const changed = mergeRoleSettings(standing, wanted);
    expect(mergeRoleSettings(patched(standing, changed), wanted)).toEqual([]);
    expect(describeChanges(before, wanted).length > 0).toBe(changed.length > 0);
  }));
});

test('every rule that is written is whole: type, id, target, and its unknown fields', () => {
  const strange = DEFAULT_RULES.map((rule) => ({ ...rule, futureField: { kept: rule.id } }));
  fc.assert(fc.property(settings, (wanted) => {
    for (const rule of mergeRoleSettings(strange, wanted)) {
      expect(rule['@odata.type']).toBe(ruleOf(DEFAULT_RULES, rule.id)?.['@odata.type']);
      expect(rule['target']).toEqual(ruleOf(DEFAULT_RULES, rule.id)?.['target']);
      expect(rule['futureField']).toEqual({ kept: rule.id });
    }
  }));
});

test('a rule that we do not know is never written', () => {
  const custom = { '@odata.type': '#microsoft.graph.unifiedRoleManagementPolicyCustomExtensionRule', id: 'CustomExtension_PreApproval_EndUser_Assignment', isEnabled: true };
  fc.assert(fc.property(settings, (wanted) => {
    expect(mergeRoleSettings([...DEFAULT_RULES, custom], wanted).map((rule) => rule.id)).not.toContain(custom.id);
  }));
});

test('a requirement that we do not know stays beside those that are set; an approver of another kind goes, and the plan says so', () => {
  const manager = { '@odata.type': '#microsoft.graph.requestorManager', managerLevel: 1 };
  const standing = DEFAULT_RULES.map((rule) => (rule.id === 'Enablement_EndUser_Assignment' ? { ...rule, enabledRules: ['Justification', 'FutureRequirement'] }
    : rule.id === 'Approval_EndUser_Assignment' ? { ...rule, setting: { isApprovalRequired: true, futureField: 1, approvalStages: [{ primaryApprovers: [manager], futureField: 2 }] } } : rule));
  const omar = { id: '7f1d5c4e-3f0a-4c7e-9d55-0a3b1c2d3e4f', kind: 'user' as const, displayName: 'Omar Haddad' };
  const wanted = { ...defaults, requireTicket: true, approval: { required: true, approvers: [omar] } };
  const [enablement, approval] = mergeRoleSettings(standing, wanted);
  expect(enablement).toMatchObject({ id: 'Enablement_EndUser_Assignment', enabledRules: ['Justification', 'Ticketing', 'FutureRequirement'] });
  expect(approval).toMatchObject({ id: 'Approval_EndUser_Assignment', setting: { futureField: 1, approvalStages: [{ futureField: 2 }] } });
  expect((approval?.['setting'] as { approvalStages: { primaryApprovers: unknown[] }[] }).approvalStages.map(({ primaryApprovers }) => primaryApprovers)).toEqual([[{ '@odata.type': '#microsoft.graph.singleUser', userId: omar.id, description: 'Omar Haddad' }]]);
  expect(describePolicyChanges(standing, wanted)).toContainEqual({ field: 'Approvers besides', from: 'the requester’s manager', to: 'nobody' });
});

const changedRule = (id: string, change: Readonly<Record<string, unknown>>): PolicyRule[] => DEFAULT_RULES.map((rule) => (rule.id === id ? { ...rule, ...change } : rule));
const setting = (change: Readonly<Record<string, unknown>>): PolicyRule[] => changedRule('Approval_EndUser_Assignment', { setting: { ...ruleOf(DEFAULT_RULES, 'Approval_EndUser_Assignment')?.['setting'] as object, ...change } });
const stages = (change: Readonly<Record<string, unknown>>, ...more: readonly unknown[]): PolicyRule[] => setting({
  approvalStages: [{ approvalStageTimeOutInDays: 1, isApproverJustificationRequired: true, escalationTimeInMinutes: 0, isEscalationEnabled: false, primaryApprovers: [], escalationApprovers: [], ...change }, ...more],
});
const person = { '@odata.type': '#microsoft.graph.singleUser', userId: '7f1d5c4e-3f0a-4c7e-9d55-0a3b1c2d3e4f', description: 'Omar Haddad' };
const targetOf = (id: string, change: Readonly<Record<string, unknown>>): PolicyRule[] => changedRule(id, { target: { ...ruleOf(DEFAULT_RULES, id)?.['target'] as object, ...change } });

describe('what a setup has no words for is told, and is at the default where a setup is applied', () => {
  test.each<[string, PolicyRule[], string, string]>([
    ['an approver without an id', stages({ primaryApprovers: [{ '@odata.type': '#microsoft.graph.requestorManager', managerLevel: 1 }] }), 'approval.others', 'the requester’s manager'],
    ['an approver of a kind that we do not know, with an id', stages({ primaryApprovers: [{ '@odata.type': '#microsoft.graph.internalSponsors', id: 'x' }] }), 'approval.others', 'subjects of the kind internalsponsors'],
    ['a person without an id', stages({ primaryApprovers: [{ '@odata.type': '#microsoft.graph.singleUser', description: 'Ana' }] }), 'approval.others', 'a person without an id (Ana)'],
    ['an approver who stands in', stages({ primaryApprovers: [{ ...person, isBackup: true }] }), 'approval.backup', 'Omar Haddad'],
    ['requests that are passed on', stages({ isEscalationEnabled: true, escalationTimeInMinutes: 60, escalationApprovers: [person] }), 'approval.escalation', 'after 1 h, to Omar Haddad'],
    ['who would get them', stages({ escalationApprovers: [person] }), 'approval.escalation', 'not yet, to Omar Haddad'],
    ['a second stage', stages({}, { primaryApprovers: [person] }), 'approval.stages', '2, then Omar Haddad'],
    ['a second stage of nobody', stages({}, {}), 'approval.stages', '2, then nobody'],
    ['another mode', setting({ approvalMode: 'Parallel' }), 'approval.mode', 'Parallel'],
    ['no approval in spite of it', setting({ isApprovalRequired: true, approvalMode: 'NoApproval' }), 'approval.mode', 'NoApproval'],
    ['approval to extend', setting({ isApprovalRequiredForExtension: true }), 'approval.extension', 'required'],
    ['no reason for the approver', setting({ isRequestorJustificationRequired: false }), 'approval.reason', 'not required'],
    ['no reason for a decision', stages({ isApproverJustificationRequired: false }), 'approval.decision', 'not required'],
    ['a longer time to decide', stages({ approvalStageTimeOutInDays: 14 }), 'approval.timeout', '14 days'],
    ['an activation without a limit', changedRule('Expiration_EndUser_Assignment', { isExpirationRequired: false }), 'limit.Expiration_EndUser_Assignment', 'no limit'],
    ['a length in months', changedRule('Expiration_Admin_Eligibility', { maximumDuration: 'P6M' }), 'limit.Expiration_Admin_Eligibility', 'P6M, which is no length that PIM takes'],
    ['a context that is on and named nowhere', changedRule('AuthenticationContext_EndUser_Assignment', { isEnabled: true, claimValue: '' }), 'context', 'on, without a name'],
    ['mails that are none', changedRule('Notification_Admin_EndUser_Assignment', { notificationType: 'Teams' }), 'mail.Notification_Admin_EndUser_Assignment', 'as Teams'],
    ['mails to others', changedRule('Notification_Admin_EndUser_Assignment', { recipientType: 'Requestor' }), 'mail.Notification_Admin_EndUser_Assignment', 'to Requestor'],
    ['mails at another level', changedRule('Notification_Admin_EndUser_Assignment', { notificationLevel: 'Digest' }), 'mail.Notification_Admin_EndUser_Assignment', 'at the level Digest'],
    ...DEFAULT_RULES.filter(({ id }) => id !== 'Enablement_Admin_Eligibility').flatMap(({ id }): [string, PolicyRule[], string, string][] => [
      [`${id} for some operations`, targetOf(id, { operations: ['Renew'] }), `reach.${id}`, 'only the operations Renew'],
      [`${id} for another caller`, targetOf(id, { caller: 'None' }), `reach.${id}`, 'only what None does'],
      [`${id} for some objects`, targetOf(id, { targetObjects: [{ id: 'x' }] }), `reach.${id}`, 'only some objects'],
    ]),
  ])('%s', (_what, rules, key, found) => {
    expect(besidesIn(rules)).toMatchObject([{ key: `besides.${key}`, found }]);
    const wanted = readRoleSettings(rules);
    const merged = mergeRoleSettings(rules, wanted);
    expect(merged).toHaveLength(1);
    expect(describePolicyChanges(rules, wanted)).toMatchObject([{ from: found }]);
    const after = patched(rules, merged);
    expect(besidesIn(after)).toEqual([]);
    expect(mergeRoleSettings(after, wanted)).toEqual([]);
    expect(readRoleSettings(after)).toEqual(wanted);
  });

  test.each<[string, PolicyRule[]]>([
    ['nothing', [...DEFAULT_RULES]],
    ['a policy without rules', []],
    ['rules whose every field is unset', DEFAULT_RULES.map(({ id }) => ({ id, setting: null, target: null, enabledRules: null, notificationType: null, recipientType: null, isExpirationRequired: null }))],
    ['words in another casing', DEFAULT_RULES.map((rule) => JSON.parse(JSON.stringify(rule).replaceAll('"All"', '"all"').replaceAll('SingleStage', 'singlestage').replaceAll('"Admin"', '"admin"').replaceAll('"Email"', '"email"')) as PolicyRule)],
    ['no operations named', DEFAULT_RULES.map((rule) => ({ ...rule, target: { ...rule['target'] as object, operations: [], targetObjects: [] } }))],
    ['a stage that says nothing', setting({ approvalStages: [{}] })],
    ['no stage', setting({ approvalStages: [] })],
    ['no approval in other words', setting({ approvalMode: 'NoApproval' })],
    ['an escalation that is off, and its time', stages({ escalationTimeInMinutes: 720 })],
    ['an approver who stands in for nobody', stages({ primaryApprovers: [{ ...person, isBackup: false }] })],
    ['a context that is off, and its name', changedRule('AuthenticationContext_EndUser_Assignment', { claimValue: 'c1' })],
  ])('not told: %s', (_what, rules) => {
    expect(besidesIn(rules)).toEqual([]);
    expect(mergeRoleSettings(rules, readRoleSettings(rules))).toEqual([]);
  });

  test('MFA beside a context is told, and one of them goes', () => {
    const both = patched(changedRule('Enablement_EndUser_Assignment', { enabledRules: ['MultiFactorAuthentication', 'Justification'] }), [{ ...ruleOf(DEFAULT_RULES, 'AuthenticationContext_EndUser_Assignment'), id: 'AuthenticationContext_EndUser_Assignment', isEnabled: true, claimValue: 'c1' }]);
    expect(besidesIn(both)).toMatchObject([{ key: 'besides.contradiction' }]);
    expect(besidesIn(patched(both, mergeRoleSettings(both, readRoleSettings(both))))).toEqual([]);
  });
});

describe('what is the same is not written', () => {
  const cases: readonly [string, PolicyRule[]][] = [
    ['a rule that is unset', without('AuthenticationContext_EndUser_Assignment')],
    ['words in another casing and order', patched(DEFAULT_RULES, [{ ...ruleOf(DEFAULT_RULES, 'Enablement_Admin_Assignment'), id: 'Enablement_Admin_Assignment', enabledRules: ['JUSTIFICATION'] }])],
    ['a duration written otherwise', patched(DEFAULT_RULES, [{ ...ruleOf(DEFAULT_RULES, 'Expiration_EndUser_Assignment'), id: 'Expiration_EndUser_Assignment', maximumDuration: 'PT480M' }])],
    ['an empty context that is off', patched(DEFAULT_RULES, [{ ...ruleOf(DEFAULT_RULES, 'AuthenticationContext_EndUser_Assignment'), id: 'AuthenticationContext_EndUser_Assignment', claimValue: '' }])],
    ['a level in another casing', patched(DEFAULT_RULES, [{ ...ruleOf(DEFAULT_RULES, 'Notification_Admin_Admin_Eligibility'), id: 'Notification_Admin_Admin_Eligibility', notificationLevel: 'all' }])],
  ];
  test.each(cases)('%s', (_what, rules) => {
    expect(mergeRoleSettings(rules, defaults)).toEqual([]);
    expect(describeChanges(readRoleSettings(rules), defaults)).toEqual([]);
  });

  test('approvers and recipients in another order', () => {
    const people = ['7f1d5c4e-3f0a-4c7e-9d55-0a3b1c2d3e4f', '8a2e6d5f-4a1b-4d8f-8e66-1b4c2d3e4f50'].map((id) => ({ id, kind: 'user' as const, displayName: id }));
    const admins = { defaultRecipients: false, additionalRecipients: ['a@x.example', 'b@x.example'], criticalOnly: false };
    const one: RoleSettings = { ...defaults, approval: { required: true, approvers: people }, notifications: { ...defaults.notifications, whenActivated: { ...defaults.notifications.whenActivated, admins } } };
    const other: RoleSettings = {
      ...one, approval: { required: true, approvers: people.toReversed().map((person) => ({ ...person, id: person.id.toUpperCase(), displayName: 'Another name' })) },
      notifications: { ...one.notifications, whenActivated: { ...one.notifications.whenActivated, admins: { ...admins, additionalRecipients: ['B@x.example', 'a@x.example'] } } },
    };
    const standing = patched(DEFAULT_RULES, mergeRoleSettings(DEFAULT_RULES, one));
    expect(mergeRoleSettings(standing, other)).toEqual([]);
    expect(describeChanges(one, other)).toEqual([]);
  });
});

test('a control is removed before its rival is added: Entra refuses MFA while a context is on', () => {
  const context: RoleSettings = { ...defaults, activationSignIn: { kind: 'authentication-context', id: 'c1' } };
  const withContext = patched(DEFAULT_RULES, mergeRoleSettings(DEFAULT_RULES, context));
  const mfa: RoleSettings = { ...defaults, activationSignIn: { kind: 'mfa' } };
  const withMfa = patched(DEFAULT_RULES, mergeRoleSettings(DEFAULT_RULES, mfa));

  expect(mergeRoleSettings(withContext, mfa).map((rule) => rule.id)).toEqual(['AuthenticationContext_EndUser_Assignment', 'Enablement_EndUser_Assignment']);
  expect(mergeRoleSettings(withMfa, context).map((rule) => rule.id)).toEqual(['Enablement_EndUser_Assignment', 'AuthenticationContext_EndUser_Assignment']);
});

test('the proposal against a new group says Microsoft’s procedure in words', () => {
  expect(describeChanges(defaults, PROPOSED_ROLE_SETTINGS)).toEqual([
    { field: 'Activation lasts at most', from: '8 h', to: '30 min' },
    { field: 'Sign-in at activation', from: 'nothing more', to: 'MFA' },
  ]);
});

test('an approver is read in each of the forms that Entra prints', () => {
  const approval = ruleOf(DEFAULT_RULES, 'Approval_EndUser_Assignment');
  const primaryApprovers = [
    { '@odata.type': '#microsoft.graph.singleUser', isBackup: false, id: 'C277C8CB-6bb7-42e5-a17f-0add9a718151', description: null },
    { '@odata.type': '#microsoft.graph.singleUser', userId: '7f1d5c4e-3f0a-4c7e-9d55-0a3b1c2d3e4f', description: 'Omar Haddad' },
    { '@odata.type': '#microsoft.graph.groupMembers', groupId: '8a2e6d5f-4a1b-4d8f-8e66-1b4c2d3e4f50', description: 'Approvers' },
    { '@odata.type': '#microsoft.graph.requestorManager', managerLevel: 1 },
  ];
  const rules = patched(DEFAULT_RULES, [{ ...approval, id: 'Approval_EndUser_Assignment', setting: { isApprovalRequired: true, approvalStages: [{ primaryApprovers }] } }]);
  expect(activationPolicyOf(readRoleSettings(rules))).toMatchObject({
    requireApproval: true,
    approvers: [
      { id: 'c277c8cb-6bb7-42e5-a17f-0add9a718151', displayName: 'c277c8cb-6bb7-42e5-a17f-0add9a718151' },
      { id: '7f1d5c4e-3f0a-4c7e-9d55-0a3b1c2d3e4f', displayName: 'Omar Haddad' },
      { id: '8a2e6d5f-4a1b-4d8f-8e66-1b4c2d3e4f50', displayName: 'Approvers' },
    ],
  });
});

test('settings that nobody ever touched are the defaults, even of a policy without rules', () => {
  expect(readRoleSettings([])).toEqual(defaults);
  expect(activationPolicyOf(defaults)).toEqual({ maxMinutes: 480, signIn: 'none', requireJustification: true, requireTicket: false, requireApproval: false, approvers: [] });
});
