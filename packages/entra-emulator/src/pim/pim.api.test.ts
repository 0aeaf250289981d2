import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { EmulatorOptions } from '../emulator.ts';
import { ANA, BEN, MAYA, OMAR, startTenant, type Answer, type Send, type TestTenant } from '../testing.ts';

const PIM = '/v1.0/identityGovernance/privilegedAccess/group';
const ADMIN = 'Group.ReadWrite.All PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup RoleManagementPolicy.ReadWrite.AzureADGroup PrivilegedAccess.Read.AzureADGroup';
const PERSON = 'User.Read PrivilegedEligibilitySchedule.Read.AzureADGroup PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup';

interface Rule { readonly id: string; readonly [field: string]: unknown }
interface Entity { readonly id: string }

let tenant: TestTenant;
let maya: Send;
let ana: Send;
const ids: Record<string, string> = {};

beforeEach(async () => {
  tenant = await startTenant();
  [maya, ana] = [await tenant.as(MAYA, ADMIN), await tenant.as(ANA, PERSON)];
  for (const { id, userPrincipalName } of (await tenant.state()).users) ids[userPrincipalName] = id;
});
afterEach(async () => { await tenant[Symbol.asyncDispose](); });

const codeOf = ({ status, body }: Answer): [number, string] => [status, body?.error?.code];

async function newGroup(name = 'Emulated-Reader-SecureAccess'): Promise<string> {
  const made = await maya('POST', '/v1.0/groups', { displayName: name, mailEnabled: false, mailNickname: name, securityEnabled: true });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body.id as string;
}
const removeEligible = (groupId: string, upn: string): Promise<Answer> => maya('POST', `${PIM}/eligibilityScheduleRequests`, { accessId: 'member', principalId: ids[upn], groupId, action: 'adminRemove' });
/** A group that PIM knows, with Ana eligible for 30 days. */
async function prepared(): Promise<string> {
  const groupId = await newGroup();
  await tenant.advance('PT1M');
  expect((await eligible(groupId, ANA)).status).toBe(201);
  await tenant.advance('PT1M');
  return groupId;
}
const eligible = (groupId: string, upn: string, more: object = {}): Promise<Answer> => maya('POST', `${PIM}/eligibilityScheduleRequests`, {
  accessId: 'member', principalId: ids[upn], groupId, action: 'adminAssign', justification: 'Team', scheduleInfo: { startDateTime: '2026-03-02T09:00:00Z', expiration: { type: 'afterDuration', duration: 'P30D' } }, ...more,
});
const activate = (send: Send, groupId: string, upn: string, more: object = {}): Promise<Answer> => send('POST', `${PIM}/assignmentScheduleRequests`, {
  accessId: 'member', principalId: ids[upn], groupId, action: 'selfActivate', justification: 'Month-end close', scheduleInfo: { expiration: { type: 'afterDuration', duration: 'PT30M' } }, ...more,
});
const deactivate = (send: Send, groupId: string, upn: string): Promise<Answer> => send('POST', `${PIM}/assignmentScheduleRequests`, { accessId: 'member', principalId: ids[upn], groupId, action: 'selfDeactivate' });
const isMember = async (groupId: string, upn: string): Promise<boolean> => (await tenant.state()).groups.find(({ id }: Entity) => id === groupId).memberIds.includes(ids[upn]);
const logged = async (groupId: string): Promise<string[]> => (await tenant.state()).directoryAudits
  .filter(({ entry }: { entry: { targetResources: Entity[] } }) => entry.targetResources.some(({ id }) => id === groupId))
  .map(({ entry }: { entry: { activityDisplayName: string; loggedByService: string } }) => `${entry.loggedByService}: ${entry.activityDisplayName}`);

async function policyOf(groupId: string): Promise<{ id: string; rules: Rule[] }> {
  const found = await maya('GET', `/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '${groupId}' and scopeType eq 'Group' and roleDefinitionId eq 'member'&$expand=policy($expand=rules)`);
  expect(found.status, JSON.stringify(found.body)).toBe(200);
  return found.body.value[0].policy;
}
/** Changes fields of rules, as a client does: whole rules, read before. */
async function setRules(groupId: string, changes: Record<string, Record<string, unknown>>): Promise<Answer> {
  const { id, rules } = await policyOf(groupId);
  return maya('PATCH', `/v1.0/policies/roleManagementPolicies/${id}`, { rules: rules.filter((rule) => rule.id in changes).map((rule) => ({ ...rule, ...changes[rule.id] })) });
}
const approvalBy = (upn: string, more: object = {}) => ({
  setting: {
    isApprovalRequired: true, isApprovalRequiredForExtension: false, isRequestorJustificationRequired: true, approvalMode: 'SingleStage',
    approvalStages: [{ approvalStageTimeOutInDays: 1, isApproverJustificationRequired: true, escalationTimeInMinutes: 0, isEscalationEnabled: false, primaryApprovers: [{ '@odata.type': '#microsoft.graph.singleUser', userId: ids[upn], description: upn }], escalationApprovers: [], ...more }],
  },
});

describe('onboarding', () => {
  test('PIM does not know a new group for some seconds', async () => {
    const groupId = await newGroup();
    expect(codeOf(await eligible(groupId, ANA))).toEqual([404, 'ResourceNotFound']);
    await tenant.advance('PT1M');
    expect((await eligible(groupId, ANA)).status).toBe(201);
  });

  test('happens with the first request, gives the policies new ids, and keeps the old ones no longer', async () => {
    const groupId = await newGroup();
    await tenant.advance('PT1M');
    const before = await policyOf(groupId);
    expect(before.rules).toHaveLength(17);
    const listed = async (): Promise<boolean> => (await maya('GET', '/beta/identityGovernance/privilegedAccess/group/resources')).body.value.some(({ id }: Entity) => id === groupId);
    expect(await listed()).toBe(false);
    await eligible(groupId, ANA);
    expect(await listed()).toBe(true);
    const after = await policyOf(groupId);
    expect(after.id).not.toBe(before.id);
    expect((await maya('GET', `/v1.0/policies/roleManagementPolicies/${before.id}`)).status).toBe(404);
  });

  test('is refused for a group with dynamic membership, a synchronised one and a mail-enabled one', async () => {
    const { groups } = await tenant.state();
    const unfit = groups.filter((one: { groupTypes: string[]; onPremisesSyncEnabled: boolean | null; mailEnabled: boolean }) => one.groupTypes.includes('DynamicMembership') || one.onPremisesSyncEnabled === true || (one.mailEnabled && !one.groupTypes.includes('Unified')));
    expect(unfit.length).toBeGreaterThanOrEqual(3);
    for (const { id } of unfit) expect(codeOf(await eligible(id, ANA))).toEqual([400, 'ResourceTypeNotSupported']);
  });
});

describe('the policy', () => {
  test.each([
    ['an expiration without its end', 'Expiration_EndUser_Assignment', { maximumDuration: 'a while' }], ['a rule of another type', 'Expiration_EndUser_Assignment', { '@odata.type': '#microsoft.graph.unifiedRoleManagementPolicyEnablementRule' }],
    ['a rule without its target', 'Expiration_EndUser_Assignment', { target: undefined }], ['an unknown control', 'Enablement_EndUser_Assignment', { enabledRules: ['Fingerprint'] }],
    ['approval by nobody', 'Approval_EndUser_Assignment', { setting: { isApprovalRequired: true, approvalStages: [{ primaryApprovers: [] }] } }], ['a context that cannot be', 'AuthenticationContext_EndUser_Assignment', { isEnabled: true, claimValue: 'c100' }],
  ])('with %s is refused, and stays as it was', async (_what, id, change) => {
    const groupId = await prepared();
    const before = await policyOf(groupId);
    expect(codeOf(await setRules(groupId, { [id]: change }))).toEqual([400, 'InvalidPolicy']);
    expect(await policyOf(groupId)).toEqual(before);
  });

  test('takes no MFA beside an authentication context, and lets the context take its place', async () => {
    const groupId = await prepared();
    const context = { isEnabled: true, claimValue: 'c1' };
    const mfa = { enabledRules: ['Justification', 'MultiFactorAuthentication'] };
    expect((await setRules(groupId, { Enablement_EndUser_Assignment: mfa })).status).toBe(200);
    expect((await setRules(groupId, { AuthenticationContext_EndUser_Assignment: context })).status).toBe(200);
    expect(codeOf(await setRules(groupId, { Enablement_EndUser_Assignment: mfa }))).toEqual([400, 'MfaAndAcrsConflict']);
  });

  test('is changed by who has the role or owns the group, and by nobody else', async () => {
    const groupId = await prepared();
    const { id, rules } = await policyOf(groupId);
    const analyst = await tenant.as(BEN, ADMIN);
    expect(codeOf(await analyst('PATCH', `/v1.0/policies/roleManagementPolicies/${id}`, { rules: rules.slice(0, 1) }))).toEqual([403, 'Authorization_RequestDenied']);
    const reader = await tenant.as('ines.moreau@contoso.example', ADMIN);
    expect((await reader('GET', `/v1.0/policies/roleManagementPolicies/${id}`)).status).toBe(200);
    expect(codeOf(await reader('PATCH', `/v1.0/policies/roleManagementPolicies/${id}`, { rules: rules.slice(0, 1) }))).toEqual([403, 'Authorization_RequestDenied']);
    const withoutScope = await tenant.as(MAYA, PERSON);
    expect(codeOf(await withoutScope('PATCH', `/v1.0/policies/roleManagementPolicies/${id}`, { rules: rules.slice(0, 1) }))).toEqual([403, 'Authorization_RequestDenied']);
  });

  test('cannot be listed without its scope', async () => {
    expect((await maya('GET', `/v1.0/policies/roleManagementPolicies?$filter=scopeType eq 'Group'`)).status).toBe(400);
  });
});

describe('eligibility', () => {
  test('ends by the clock, with an entry in the log', async () => {
    const groupId = await prepared();
    await tenant.advance('P31D');
    expect(codeOf(await activate(ana, groupId, ANA))).toEqual([400, 'RoleAssignmentRequestPolicyValidationFailed']);
    expect(await logged(groupId)).toContain('PIM: Remove eligible member from role in PIM completed (timebound)');
  });

  test.each([
    ['twice', {}, 'RoleAssignmentExists'], ['in months', { action: 'adminUpdate', scheduleInfo: { expiration: { type: 'afterDuration', duration: 'P6M' } } }, 'InvalidRoleAssignmentRequest'],
    ['for longer than the policy', { action: 'adminUpdate', scheduleInfo: { expiration: { type: 'afterDuration', duration: 'P366D' } } }, 'RoleAssignmentRequestPolicyValidationFailed'],
    ['permanent, where the policy asks for an end', { action: 'adminUpdate', scheduleInfo: { expiration: { type: 'noExpiration' } } }, 'RoleAssignmentRequestPolicyValidationFailed'],
    ['removed within five minutes', { action: 'adminRemove', scheduleInfo: undefined }, 'ActiveDurationTooShort'],
  ])('%s is refused', async (_what, more, code) => {
    expect(codeOf(await eligible(await prepared(), ANA, more))).toEqual([400, code]);
  });

  test('of a stranger, or in a group of nobody, is not found; and only an administrator or owner gives it', async () => {
    const groupId = await prepared();
    expect((await eligible(groupId, ANA, { principalId: '00000000-0000-4000-8000-000000000000' })).status).toBe(404);
    const analyst = await tenant.as(BEN, ADMIN);
    expect(codeOf(await analyst('POST', `${PIM}/eligibilityScheduleRequests`, { accessId: 'member', principalId: ids[BEN], groupId, action: 'adminAssign', scheduleInfo: { expiration: { type: 'afterDuration', duration: 'P1D' } } }))).toEqual([403, 'Authorization_RequestDenied']);
  });

  test('that is only validated is not given', async () => {
    const groupId = await prepared();
    expect((await eligible(groupId, BEN, { isValidationOnly: true })).status).toBe(201);
    await tenant.advance('PT1M');
    expect((await maya('GET', `${PIM}/eligibilityScheduleInstances?$filter=groupId eq '${groupId}'`)).body.value).toHaveLength(1);
  });

  test('of a group cannot be read by everybody, nor without a filter', async () => {
    const groupId = await prepared();
    expect(codeOf(await ana('GET', `${PIM}/eligibilityScheduleInstances?$filter=groupId eq '${groupId}'`))).toEqual([403, 'Authorization_RequestDenied']);
    expect((await maya('GET', `${PIM}/eligibilityScheduleInstances`)).status).toBe(400);
    expect((await ana('GET', `${PIM}/eligibilityScheduleInstances/filterByCurrentUser(on='principal')`)).body.value.map((one: { groupId: string }) => one.groupId)).toContain(groupId);
  });
});

describe('activation', () => {
  test('goes from accepted to provisioned to member, and ends by the clock', async () => {
    const groupId = await prepared();
    const { status, body } = await activate(ana, groupId, ANA);
    expect([status, body.status]).toEqual([201, 'PendingProvisioning']);
    expect(await isMember(groupId, ANA)).toBe(false);
    await tenant.advance('PT1.6S');
    expect((await ana('GET', `${PIM}/assignmentScheduleRequests/${body.id}`)).body.status).toBe('Provisioned');
    expect(await isMember(groupId, ANA)).toBe(false);
    await tenant.advance('PT1S');
    expect(await isMember(groupId, ANA)).toBe(true);
    await tenant.advance('PT31M');
    expect(await isMember(groupId, ANA)).toBe(false);
    expect((await ana('GET', `${PIM}/assignmentScheduleInstances/filterByCurrentUser(on='principal')`)).body.value.filter((one: { groupId: string }) => one.groupId === groupId)).toEqual([]);
    expect((await logged(groupId)).slice(-5)).toEqual([
      'PIM: Add member to role requested (PIM activation)', 'PIM: Add member to role completed (PIM activation)', 'Core Directory: Add member to group',
      'PIM: Remove member from role (PIM activation expired)', 'Core Directory: Remove member from group',
    ]);
  });

  test.each([
    ['without a reason', {}, { justification: '' }, ['JustificationRule']], ['for longer than allowed', {}, { scheduleInfo: { expiration: { type: 'afterDuration', duration: 'PT9H' } } }, ['ExpirationRule']],
    ['without an end', {}, { scheduleInfo: { expiration: { type: 'noExpiration' } } }, ['ExpirationRule']],
    ['without a ticket', { Enablement_EndUser_Assignment: { enabledRules: ['Justification', 'Ticketing'] } }, {}, ['TicketingRule']],
    ['without MFA', { Enablement_EndUser_Assignment: { enabledRules: ['Justification', 'MultiFactorAuthentication'] } }, {}, ['MfaRule']],
    ['with nothing that is asked', { Enablement_EndUser_Assignment: { enabledRules: ['Justification', 'Ticketing', 'MultiFactorAuthentication'] } }, { justification: '' }, ['JustificationRule', 'TicketingRule', 'MfaRule']],
  ])('%s is refused by name', async (_what, rules, more, failed) => {
    const groupId = await prepared();
    if (Object.keys(rules).length > 0) expect((await setRules(groupId, rules)).status).toBe(200);
    const answer = await activate(ana, groupId, ANA, more);
    expect(codeOf(answer)).toEqual([400, 'RoleAssignmentRequestPolicyValidationFailed']);
    expect(answer.body.error.message).toBe(`The following policy rules failed: ${JSON.stringify(failed)}`);
  });

  test('without eligibility is refused', async () => {
    const groupId = await prepared();
    const answer = await activate(await tenant.as(BEN, PERSON), groupId, BEN);
    expect(answer.body.error.message).toContain('EligibilityRule');
  });

  test('for somebody else, or by an application, is refused', async () => {
    const groupId = await prepared();
    expect((await activate(await tenant.as(BEN, PERSON), groupId, ANA)).status).toBe(400);
    expect((await activate(await tenant.asApp(), groupId, ANA)).status).toBe(403);
    expect((await activate(tenant.graphWith(undefined), groupId, ANA)).status).toBe(401);
  });

  test('under an authentication context carries the claims in the refusal, and passes with them and CP1 only', async () => {
    const groupId = await prepared();
    await setRules(groupId, { AuthenticationContext_EndUser_Assignment: { isEnabled: true, claimValue: 'c1' } });
    const refused = await activate(ana, groupId, ANA);
    expect(codeOf(refused)).toEqual([400, 'RoleAssignmentRequestAcrsValidationFailed']);
    expect(JSON.parse(decodeURIComponent(refused.body.error.message.replace(/^&claims=/, '')))).toEqual({ access_token: { acrs: { essential: true, value: 'c1' } } });
    const acrs = { essential: true, value: 'c1' };
    const withoutCp1 = await tenant.as(ANA, PERSON, { acrs, xms_cc: { values: [] } });
    expect(codeOf(await activate(withoutCp1, groupId, ANA))).toEqual([400, 'RoleAssignmentRequestAcrsValidationFailed']);
    expect((await activate(await tenant.as(ANA, PERSON, { acrs }), groupId, ANA)).status).toBe(201);
  });

  test('a second one is refused, while it waits, while it runs, and also for later', async () => {
    const groupId = await prepared();
    await activate(ana, groupId, ANA);
    const later = { scheduleInfo: { startDateTime: '2026-03-02T20:00:00Z', expiration: { type: 'afterDuration', duration: 'PT30M' } } };
    expect(codeOf(await activate(ana, groupId, ANA))[0]).toBe(400);
    await tenant.advance('PT1M');
    expect(codeOf(await activate(ana, groupId, ANA))).toEqual([400, 'RoleAssignmentExists']);
    expect(codeOf(await activate(ana, groupId, ANA, later))).toEqual([400, 'RoleAssignmentExists']);
  });

  test('of two at the same time one counts', async () => {
    const groupId = await prepared();
    const answers = await Promise.all([activate(ana, groupId, ANA), activate(ana, groupId, ANA)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 400]);
  });

  test('is ended by the person after five minutes, not before', async () => {
    const groupId = await prepared();
    expect(codeOf(await deactivate(ana, groupId, ANA))).toEqual([400, 'RoleAssignmentDoesNotExist']);
    await activate(ana, groupId, ANA);
    await tenant.advance('PT4M59S');
    expect(codeOf(await deactivate(ana, groupId, ANA))).toEqual([400, 'ActiveDurationTooShort']);
    await tenant.advance('PT3S');
    const ended = await deactivate(ana, groupId, ANA);
    expect([ended.status, ended.body.status]).toEqual([201, 'Revoked']);
    await tenant.advance('PT2S');
    expect(await isMember(groupId, ANA)).toBe(false);
    expect(codeOf(await deactivate(ana, groupId, ANA))).toEqual([400, 'RoleAssignmentDoesNotExist']);
  });

  test('for later waits, is granted by then, and can be cancelled before', async () => {
    const groupId = await prepared();
    const later = { scheduleInfo: { startDateTime: '2026-03-02T12:00:00Z', expiration: { type: 'afterDuration', duration: 'PT30M' } } };
    const first = await activate(ana, groupId, ANA, later);
    expect(first.body.status).toBe('Granted');
    expect((await ana('POST', `${PIM}/assignmentScheduleRequests/${first.body.id}/cancel`)).status).toBe(204);
    expect((await ana('POST', `${PIM}/assignmentScheduleRequests/${first.body.id}/cancel`)).status).toBe(400);
    await activate(ana, groupId, ANA, later);
    await tenant.advance('PT2H');
    expect(await isMember(groupId, ANA)).toBe(false);
    await tenant.advance('PT1H10M');
    expect(await isMember(groupId, ANA)).toBe(true);
  });

  test('of somebody else cannot be cancelled, nor told from one that does not exist', async () => {
    const groupId = await prepared();
    const { body } = await activate(ana, groupId, ANA, { scheduleInfo: { startDateTime: '2026-03-02T12:00:00Z', expiration: { type: 'afterDuration', duration: 'PT30M' } } });
    const ben = await tenant.as(BEN, PERSON);
    expect((await ben('POST', `${PIM}/assignmentScheduleRequests/${body.id}/cancel`)).status).toBe(404);
    expect((await ben('GET', `${PIM}/assignmentScheduleRequests/${body.id}`)).status).toBe(404);
    expect((await ana('GET', `${PIM}/assignmentScheduleRequests/${body.id}`)).status).toBe(200);
  });

  test('that is only validated gives nothing, and says the real refusals', async () => {
    const groupId = await prepared();
    expect((await activate(ana, groupId, ANA, { isValidationOnly: true })).body.status).toBe('Granted');
    await tenant.advance('PT1M');
    expect(await isMember(groupId, ANA)).toBe(false);
    expect(codeOf(await activate(ana, groupId, ANA, { isValidationOnly: true, justification: '' }))).toEqual([400, 'RoleAssignmentRequestPolicyValidationFailed']);
    expect((await activate(ana, groupId, ANA)).status).toBe(201);
  });
});

describe('approval', () => {
  const STAGES = (id: string): string => `${PIM}/assignmentApprovals/${id}/stages/${id}`;
  let groupId: string;
  let omar: Send;
  let approvalId: string;
  beforeEach(async () => {
    groupId = await prepared();
    expect((await setRules(groupId, { Approval_EndUser_Assignment: approvalBy(OMAR) })).status).toBe(200);
    omar = await tenant.as(OMAR, PERSON);
    const asked = await activate(ana, groupId, ANA);
    expect(asked.body.status).toBe('PendingApproval');
    approvalId = asked.body.approvalId as string;
  });

  test('the approver finds it, approves with a reason, and the person becomes a member', async () => {
    const found = await omar('GET', `${PIM}/assignmentScheduleRequests/filterByCurrentUser(on='approver')?$filter=status eq 'PendingApproval'`);
    expect(found.body.value.map((one: Entity) => one.id)).toContain(approvalId);
    expect((await omar('PATCH', STAGES(approvalId), { reviewResult: 'Approve', justification: 'Known work' })).status).toBe(204);
    await tenant.advance('PT5S');
    expect(await isMember(groupId, ANA)).toBe(true);
    expect((await omar('PATCH', STAGES(approvalId), { reviewResult: 'Deny', justification: 'Changed my mind' })).status).toBe(409);
  });

  test('denied is denied, and the person may ask again', async () => {
    expect((await omar('PATCH', STAGES(approvalId), { reviewResult: 'Deny', justification: 'Not today' })).status).toBe(204);
    expect((await ana('GET', `${PIM}/assignmentScheduleRequests/${approvalId}`)).body.status).toBe('Denied');
    await tenant.advance('PT1M');
    expect(await isMember(groupId, ANA)).toBe(false);
    expect((await activate(ana, groupId, ANA)).status).toBe(201);
  });

  test('of two decisions at the same time the first is final', async () => {
    const answers = await Promise.all([omar('PATCH', STAGES(approvalId), { reviewResult: 'Approve', justification: 'Yes' }), omar('PATCH', STAGES(approvalId), { reviewResult: 'Deny', justification: 'No' })]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
  });

  test('is for its approvers: nobody else decides, nor does the person who asked', async () => {
    expect((await (await tenant.as(BEN, PERSON))('PATCH', STAGES(approvalId), { reviewResult: 'Approve', justification: 'Yes' })).status).toBe(403);
    expect((await ana('PATCH', STAGES(approvalId), { reviewResult: 'Approve', justification: 'Me' })).status).toBe(403);
    expect((await (await tenant.asApp())('PATCH', STAGES(approvalId), { reviewResult: 'Approve', justification: 'App' })).status).toBe(403);
    expect((await omar('GET', `${PIM}/assignmentApprovals/${approvalId}`)).body.stages[0].status).toBe('InProgress');
  });

  test('by one who asked and is an approver is not possible either', async () => {
    await eligible(groupId, OMAR);
    await tenant.advance('PT1M');
    const { body } = await activate(omar, groupId, OMAR);
    expect(body.status).toBe('PendingApproval');
    expect((await omar('PATCH', STAGES(body.approvalId), { reviewResult: 'Approve', justification: 'Mine' })).status).toBe(403);
  });

  test.each([['no reason', { reviewResult: 'Approve' }], ['an unknown word', { reviewResult: 'Perhaps', justification: 'Hm' }]])('with %s is refused', async (_what, body) => {
    expect((await omar('PATCH', STAGES(approvalId), body)).status).toBe(400);
    expect((await omar('GET', `${PIM}/assignmentApprovals/${approvalId}`)).body.stages[0].status).toBe('InProgress');
  });

  test('lapses after 24 hours', async () => {
    await tenant.advance('PT23H59M');
    expect((await ana('GET', `${PIM}/assignmentScheduleRequests/${approvalId}`)).body.status).toBe('PendingApproval');
    await tenant.advance('PT2M');
    expect((await ana('GET', `${PIM}/assignmentScheduleRequests/${approvalId}`)).body.status).toBe('TimedOut');
    expect((await omar('PATCH', STAGES(approvalId), { reviewResult: 'Approve', justification: 'Late' })).status).toBe(409);
    expect(await logged(groupId)).toContain('PIM: PIM activation request expired');
  });
});

test('an administrator assigns and takes away an active membership', async () => {
  const groupId = await prepared();
  const assign = (more: object = {}): Promise<Answer> => maya('POST', `${PIM}/assignmentScheduleRequests`, { accessId: 'member', principalId: ids[BEN], groupId, action: 'adminAssign', justification: 'Cover', scheduleInfo: { expiration: { type: 'afterDuration', duration: 'P1D' } }, ...more });
  expect(codeOf(await assign({ justification: undefined }))).toEqual([400, 'RoleAssignmentRequestPolicyValidationFailed']);
  expect((await assign()).status).toBe(201);
  await tenant.advance('PT1M');
  expect(await isMember(groupId, BEN)).toBe(true);
  expect(codeOf(await assign())).toEqual([400, 'RoleAssignmentExists']);
  expect(codeOf(await assign({ action: 'adminRemove', scheduleInfo: undefined }))).toEqual([400, 'ActiveDurationTooShort']);
  await tenant.advance('PT5M');
  expect((await assign({ action: 'adminRemove', scheduleInfo: undefined })).status).toBe(201);
  await tenant.advance('PT1M');
  expect(await isMember(groupId, BEN)).toBe(false);
});

test('the audit log shows an event some time after it happened, and PIM and the directory each write their own', async () => {
  const groupId = await prepared();
  const auditor = await tenant.asApp();
  const names = async (): Promise<string[]> => (await auditor('GET', '/v1.0/auditLogs/directoryAudits?$filter=activityDateTime ge 2026-03-02T09:01:30Z')).body.value.map((one: { activityDisplayName: string }) => one.activityDisplayName);
  await activate(ana, groupId, ANA);
  expect(await names()).toEqual([]);
  await tenant.advance('PT1M');
  expect((await names()).toSorted()).toEqual(['Add member to group', 'Add member to role completed (PIM activation)', 'Add member to role requested (PIM activation)']);
});

describe('at the edges', () => {
  const request = (send: Send, groupId: string, upn: string, more: object): Promise<Answer> => send('POST', `${PIM}/assignmentScheduleRequests`, { accessId: 'member', principalId: ids[upn], groupId, justification: 'Cover', ...more });
  const forADay = { scheduleInfo: { expiration: { type: 'afterDuration', duration: 'P1D' } } };

  test.each([['PT4M59S', 400], ['PT5M', 201]])('an activation of %s answers %i', async (duration, status) => {
    expect((await activate(ana, await prepared(), ANA, { scheduleInfo: { expiration: { type: 'afterDuration', duration } } })).status).toBe(status);
  });

  test.each([['PT8H', 201], ['PT8H1S', 400]])('of a maximum of eight hours, %s answers %i', async (duration, status) => {
    expect((await activate(ana, await prepared(), ANA, { scheduleInfo: { expiration: { type: 'afterDuration', duration } } })).status).toBe(status);
  });

  test('MFA in the token lets through what asks for it', async () => {
    const groupId = await prepared();
    await setRules(groupId, { Enablement_EndUser_Assignment: { enabledRules: ['MultiFactorAuthentication'] } });
    expect((await activate(await tenant.as(ANA, PERSON, { amr: { essential: true, values: ['mfa'] } }), groupId, ANA, { justification: undefined })).status).toBe(201);
  });

  test('an owner’s activation makes an owner and no member, and ends so', async () => {
    const groupId = await newGroup();
    await tenant.advance('PT1M');
    expect((await eligible(groupId, ANA, { accessId: 'owner' })).status).toBe(201);
    await tenant.advance('PT1M');
    expect((await activate(ana, groupId, ANA, { accessId: 'owner' })).status).toBe(201);
    const owns = async (): Promise<boolean> => (await tenant.state()).groups.find(({ id }: Entity) => id === groupId).ownerIds.includes(ids[ANA]);
    await tenant.advance('PT1M');
    expect([await owns(), await isMember(groupId, ANA)]).toEqual([true, false]);
    await tenant.advance('PT31M');
    expect(await owns()).toBe(false);
    expect((await logged(groupId)).filter((name) => name.startsWith('Core')).slice(-2)).toEqual(['Core Directory: Add owner to group', 'Core Directory: Remove owner from group']);
  });

  test('the members of an eligible group are eligible, and nobody else by it', async () => {
    const [groupId, team] = [await newGroup(), await newGroup('Emulated-Team')];
    await maya('POST', `/v1.0/groups/${team}/members/$ref`, { '@odata.id': `${tenant.url}/v1.0/directoryObjects/${ids[ANA]}` });
    await tenant.advance('PT1M');
    expect((await eligible(groupId, '', { principalId: team })).status).toBe(201);
    await tenant.advance('PT1M');
    expect((await activate(await tenant.as(BEN, PERSON), groupId, BEN)).status).toBe(400);
    expect((await activate(ana, groupId, ANA)).status).toBe(201);
  });

  test('a change of a rule by its own address changes that rule alone, and no other that its body names', async () => {
    const groupId = await prepared();
    const { id, rules } = await policyOf(groupId);
    const expiration = { ...rules.find((rule) => rule.id === 'Expiration_EndUser_Assignment'), maximumDuration: 'PT2H' };
    const path = `/v1.0/policies/roleManagementPolicies/${id}/rules`;
    expect(codeOf(await maya('PATCH', `${path}/Expiration_Admin_Assignment`, expiration))).toEqual([400, 'InvalidPolicy']);
    expect((await policyOf(groupId)).rules).toEqual(rules);
    expect((await maya('PATCH', `${path}/Expiration_EndUser_Assignment`, expiration)).status).toBe(200);
    expect((await policyOf(groupId)).rules).toEqual(rules.map((rule) => (rule.id === expiration.id ? expiration : rule)));
    expect((await activate(ana, groupId, ANA, { scheduleInfo: { expiration: { type: 'afterDuration', duration: 'PT3H' } } })).status).toBe(400);
  });

  test('only an owner of the group, or its administrators, give and take an active membership', async () => {
    const groupId = await prepared();
    const analyst = await tenant.as(BEN, ADMIN);
    expect(codeOf(await request(analyst, groupId, BEN, { action: 'adminAssign', ...forADay }))).toEqual([403, 'Authorization_RequestDenied']);
    await activate(ana, groupId, ANA);
    await tenant.advance('PT10M');
    expect(codeOf(await request(analyst, groupId, ANA, { action: 'adminRemove' }))).toEqual([403, 'Authorization_RequestDenied']);
    await maya('POST', `/v1.0/groups/${groupId}/owners/$ref`, { '@odata.id': `${tenant.url}/v1.0/directoryObjects/${ids[BEN]}` });
    expect((await request(analyst, groupId, ANA, { action: 'adminRemove' })).status).toBe(201);
    expect((await request(analyst, groupId, BEN, { action: 'adminAssign', ...forADay })).status).toBe(201);
    expect(codeOf(await request(analyst, groupId, OMAR, { action: 'adminAssign', scheduleInfo: { expiration: { type: 'afterDuration', duration: 'P181D' } } }))).toEqual([400, 'RoleAssignmentRequestPolicyValidationFailed']);
  });

  test('validation alone assigns nobody and ends nothing', async () => {
    const groupId = await prepared();
    await activate(ana, groupId, ANA);
    await tenant.advance('PT10M');
    const all = async (): Promise<string> => JSON.stringify(await tenant.state());
    const before = await all();
    expect((await request(maya, groupId, BEN, { action: 'adminAssign', isValidationOnly: true, ...forADay })).status).toBe(201);
    expect((await request(maya, groupId, ANA, { action: 'adminRemove', isValidationOnly: true })).status).toBe(201);
    expect((await request(ana, groupId, ANA, { action: 'selfDeactivate', isValidationOnly: true })).status).toBe(201);
    expect((await eligible(groupId, ANA, { action: 'adminRemove', scheduleInfo: undefined, isValidationOnly: true })).status).toBe(201);
    await tenant.advance('PT1M');
    expect(await all()).toBe(before);
  });

  test('what an administrator assigned is not the person’s to deactivate', async () => {
    const groupId = await prepared();
    await request(maya, groupId, ANA, { action: 'adminAssign', ...forADay });
    await tenant.advance('PT10M');
    expect(codeOf(await deactivate(ana, groupId, ANA))).toEqual([400, 'RoleAssignmentDoesNotExist']);
    expect(await isMember(groupId, ANA)).toBe(true);
  });

  test('a request that waits for approval is taken back by its person: nobody decides it then, and another may be made', async () => {
    const groupId = await prepared();
    await setRules(groupId, { Approval_EndUser_Assignment: approvalBy(OMAR) });
    const { body } = await activate(ana, groupId, ANA);
    expect(codeOf(await activate(ana, groupId, ANA))).toEqual([400, 'PendingRoleAssignmentRequest']);
    expect((await ana('POST', `${PIM}/assignmentScheduleRequests/${body.id}/cancel`)).status).toBe(204);
    const omar = await tenant.as(OMAR, PERSON);
    expect((await omar('PATCH', `${PIM}/assignmentApprovals/${body.id}/stages/${body.id}`, { reviewResult: 'Approve', justification: 'Yes' })).status).toBe(409);
    expect((await ana('GET', `${PIM}/assignmentScheduleRequests/${body.id}`)).body.status).toBe('Canceled');
    expect((await activate(ana, groupId, ANA)).body.status).toBe('PendingApproval');
    expect((await (await tenant.as(BEN, PERSON))('GET', `${PIM}/assignmentApprovals/${body.id}`)).status).toBe(404);
  });

  test('who is a member by two assignments stays one until both have ended', async () => {
    const groupId = await prepared();
    await activate(ana, groupId, ANA, { scheduleInfo: { startDateTime: '2026-03-02T10:00:00Z', expiration: { type: 'afterDuration', duration: 'PT1H' } } });
    await request(maya, groupId, ANA, { action: 'adminAssign', scheduleInfo: { expiration: { type: 'afterDateTime', endDateTime: '2026-03-02T10:30:00Z' } } });
    await tenant.advance('PT1H');
    expect(await isMember(groupId, ANA)).toBe(true);
    await tenant.advance('PT40M');
    expect(await isMember(groupId, ANA)).toBe(true);
    await tenant.advance('PT30M');
    expect(await isMember(groupId, ANA)).toBe(false);
  });

  test('approvers are also the members of an approver group', async () => {
    const [groupId, team] = [await prepared(), await newGroup('Emulated-Approvers')];
    await maya('POST', `/v1.0/groups/${team}/members/$ref`, { '@odata.id': `${tenant.url}/v1.0/directoryObjects/${ids[BEN]}` });
    await setRules(groupId, { Approval_EndUser_Assignment: approvalBy(OMAR, { primaryApprovers: [{ '@odata.type': '#microsoft.graph.groupMembers', groupId: team }], isApproverJustificationRequired: false }) });
    const { body } = await activate(ana, groupId, ANA);
    const decision = { reviewResult: 'Approve' };
    const path = `${PIM}/assignmentApprovals/${body.id}/stages/${body.id}`;
    expect((await (await tenant.as(OMAR, PERSON))('PATCH', path, decision)).status).toBe(403);
    expect((await (await tenant.as(BEN, PERSON))('PATCH', path, decision)).status).toBe(204);
  });

  /** Goes on with another tenant in place of the one of this test. */
  async function another(options: EmulatorOptions): Promise<void> {
    await tenant[Symbol.asyncDispose]();
    tenant = await startTenant(options);
    [maya, ana] = [await tenant.as(MAYA, ADMIN), await tenant.as(ANA, PERSON)];
    for (const { id, userPrincipalName } of (await tenant.state()).users) ids[userPrincipalName] = id;
  }

  test('an activation that is taken back before the directory heard of it makes no member afterwards', async () => {
    await another({ delays: { membership: 10 * 60_000 } });
    const groupId = await prepared();
    await activate(ana, groupId, ANA);
    await tenant.advance('PT6M');
    expect((await deactivate(ana, groupId, ANA)).status).toBe(201);
    await tenant.advance('PT5M');
    expect(await isMember(groupId, ANA)).toBe(false);
    await tenant.advance('PT1H');
    expect(await isMember(groupId, ANA)).toBe(false);
  });

  test('a group that can hold roles is looked after by administrators of roles alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'emulated-tenant-'));
    // After the tenant is closed, which writes its state a last time.
    onTestFinished(() => { rmSync(folder, { recursive: true }); });
    const stateFile = join(folder, 'tenant.json');
    await another({ stateFile });
    const groupId = await prepared();
    const { id, rules } = await policyOf(groupId);
    await another({});
    const kept = JSON.parse(readFileSync(stateFile, 'utf8')) as { tenant: { users: { userPrincipalName: string; directoryRoles: string[] }[]; groups: { id: string; isAssignableToRole: boolean }[] } };
    for (const user of kept.tenant.users) if (user.userPrincipalName === BEN) user.directoryRoles = ['Groups Administrator'];
    for (const group of kept.tenant.groups) if (group.id === groupId) group.isAssignableToRole = true;
    writeFileSync(stateFile, JSON.stringify(kept));

    await another({ stateFile });
    const ben = await tenant.as(BEN, ADMIN);
    const writes = (send: Send) => Promise.all([
      send('PATCH', `/v1.0/policies/roleManagementPolicies/${id}`, { rules: rules.slice(0, 1) }),
      send('POST', `${PIM}/eligibilityScheduleRequests`, { accessId: 'member', principalId: ids[OMAR], groupId, action: 'adminAssign', justification: 'Team', ...forADay }),
      request(send, groupId, OMAR, { action: 'adminAssign', ...forADay }),
    ]);
    expect((await writes(ben)).map(({ status }) => status)).toEqual([403, 403, 403]);
    expect((await writes(maya)).map(({ status }) => status)).toEqual([200, 201, 201]);
  });
});

describe('an eligibility is taken away', () => {
  const floor = async (step: string, groupId: string): Promise<unknown> => {
    await tenant.advance(step);
    const answer = await removeEligible(groupId, ANA);
    return answer.status === 201 ? answer.body.status : codeOf(answer);
  };
  const TOO_SHORT = [400, 'ActiveDurationTooShort'];

  test('once, five minutes after it was given and not sooner', async () => {
    const groupId = await newGroup();
    await tenant.advance('PT1M');
    await eligible(groupId, ANA);
    // Its schedule is there 1.5 s later, and begins then.
    expect(await floor('PT1.5S', groupId)).toEqual(TOO_SHORT);
    expect(await floor('PT4M59S', groupId)).toEqual(TOO_SHORT);
    expect(await floor('PT1S', groupId)).toBe('Revoked');
    expect(await floor('PT0S', groupId)).toEqual([400, 'RoleAssignmentDoesNotExist']);
    expect((await maya('GET', `${PIM}/eligibilitySchedules?$filter=groupId eq '${groupId}'`)).body.value).toEqual([]);
    expect(await logged(groupId)).toContain('PIM: Remove eligible member from role in PIM completed (timebound)');
  });

  test('also before it begins', async () => {
    const groupId = await newGroup();
    await tenant.advance('PT1M');
    await eligible(groupId, ANA, { scheduleInfo: { startDateTime: '2026-03-09T09:00:00Z', expiration: { type: 'afterDuration', duration: 'P30D' } } });
    expect(await floor('PT2M', groupId)).toEqual(TOO_SHORT);
    expect(await floor('PT3M', groupId)).toBe('Revoked');
  });
});

describe('a group that the directory has not passed on', () => {
  const REFUSED = [404, 'ResourceNotFound'];
  const reads = (groupId: string) => ['roleManagementPolicyAssignments', 'roleManagementPolicies'].map((name) => `/v1.0/policies/${name}?$filter=scopeId eq '${groupId}' and scopeType eq 'Group'`);

  test('is unknown to every call of PIM for as long as is set, by the tenant’s clock', async () => {
    await tenant.settings({ delays: { directoryToPim: 30_000 } });
    const groupId = await newGroup();
    const policyId = `Group_${groupId}_00000000-0000-4000-8000-000000000000`;
    const calls = async (): Promise<[number, string][]> => [
      ...await Promise.all(reads(groupId).map(async (path) => codeOf(await maya('GET', path)))),
      codeOf(await maya('PATCH', `/v1.0/policies/roleManagementPolicies/${policyId}`, { rules: [{}] })), codeOf(await eligible(groupId, ANA)), codeOf(await activate(ana, groupId, ANA)),
      codeOf(await maya('POST', `${PIM}/assignmentScheduleRequests`, { accessId: 'member', principalId: ids[ANA], groupId, action: 'adminAssign', justification: 'Cover', scheduleInfo: { expiration: { type: 'afterDuration', duration: 'PT1H' } } })),
    ];
    expect(await calls()).toEqual([REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED]);
    await tenant.advance('PT29.999S');
    expect(await calls()).toEqual([REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED]);
    expect((await tenant.state()).groups.find(({ id }: Entity) => id === groupId).onboardedToPimAt).toBeNull();
    await tenant.advance('PT0.001S');
    for (const path of reads(groupId)) expect((await maya('GET', path)).status).toBe(200);
    const { id, rules } = await policyOf(groupId);
    expect((await maya('PATCH', `/v1.0/policies/roleManagementPolicies/${id}`, { rules })).status).toBe(200);
    expect((await eligible(groupId, ANA)).status).toBe(201);
    // The directory itself knew it all along.
    expect((await maya('GET', `/v1.0/groups/${groupId}`)).status).toBe(200);
  });

  test('is no subject either', async () => {
    const groupId = await prepared();
    await tenant.settings({ delays: { directoryToPim: 30_000 } });
    ids['nested'] = await newGroup('Nested');
    expect(codeOf(await eligible(groupId, 'nested'))).toEqual([404, 'SubjectNotFound']);
    await tenant.advance('PT30S');
    expect((await eligible(groupId, 'nested')).status).toBe(201);
  });
});
