import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANA, BEN, MAYA, startTenant, type Answer, type Send, type TestTenant } from '../testing.ts';

const BASE = '/v1.0/identityGovernance/privilegedAccess/group';
const MAY = 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup';
let tenant: TestTenant;
let maya: Send;
let ana: Send;
let groupId: string;
let anaId: string;

beforeEach(async () => {
  tenant = await startTenant();
  const { users, groups } = await tenant.state();
  anaId = users.find(({ userPrincipalName }: { userPrincipalName: string }) => userPrincipalName === ANA).id;
  groupId = groups.find(({ displayName }: { displayName: string }) => displayName === 'JumpHost-DomainAdmin-SecureAccess').id;
  [maya, ana] = [await tenant.as(MAYA, MAY), await tenant.as(ANA, 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup PrivilegedEligibilitySchedule.Read.AzureADGroup')];
});
afterEach(() => tenant[Symbol.asyncDispose]());

type Kind = 'assignment' | 'eligibility';
const days = (count: number) => ({ startDateTime: '2026-03-02T09:00:00Z', expiration: { type: 'afterDateTime', endDateTime: new Date(Date.parse('2026-03-02T09:00:00Z') + count * 86_400_000).toISOString() } });
const send = (who: Send, kind: Kind, action: string, more: object = {}): Promise<Answer> =>
  who('POST', `${BASE}/${kind}ScheduleRequests`, { accessId: 'member', principalId: anaId, groupId, action, justification: 'Rota', ...more });
const outcome = ({ status, body }: Answer): unknown => (status === 201 ? [201, body.status] : [status, body.error.code]);
const scheduled = async (kind: Kind): Promise<(string | null)[]> =>
  (await tenant.state()).pim.schedules.filter((one: { kind: Kind; groupId: string; principalId: string }) => one.kind === kind && one.groupId === groupId && one.principalId === anaId).map(({ endDateTime }: { endDateTime: string | null }) => endDateTime?.slice(0, 10) ?? null);
const logged = async (): Promise<string[]> => (await tenant.state()).directoryAudits.map(({ entry }: { entry: { activityDisplayName: string; activityDateTime: string } }) => entry).filter(({ activityDateTime }: { activityDateTime: string }) => activityDateTime >= '2026-03-02T09:00:00').map(({ activityDisplayName }: { activityDisplayName: string }) => activityDisplayName);

describe.each(['assignment', 'eligibility'] as const)('a time-bound %s', (kind) => {
  beforeEach(async () => {
    expect(outcome(await send(maya, kind, 'adminAssign', { scheduleInfo: days(10) }))).toEqual([201, expect.stringMatching(/PendingProvisioning|Provisioned/)]);
    await tenant.advance('PT10S');
    expect(await scheduled(kind)).toEqual(['2026-03-12']);
  });

  test('gets other dates by adminUpdate, and is one still', async () => {
    expect(outcome(await send(maya, kind, 'adminUpdate', { scheduleInfo: days(5) }))).toEqual([201, expect.any(String)]);
    expect(await scheduled(kind)).toEqual(['2026-03-12']);
    await tenant.advance('PT10S');
    expect(await scheduled(kind)).toEqual(['2026-03-07']);
  });

  test('gets more time by adminExtend, and not less', async () => {
    expect(outcome(await send(maya, kind, 'adminExtend', { scheduleInfo: days(9) }))).toEqual([400, 'InvalidRoleAssignmentRequest']);
    expect(outcome(await send(maya, kind, 'adminExtend', { scheduleInfo: days(20) }))).toEqual([201, expect.any(String)]);
    await tenant.advance('PT10S');
    expect(await scheduled(kind)).toEqual(['2026-03-22']);
  });

  test('is not renewed while it stands, and is after its end', async () => {
    expect(outcome(await send(maya, kind, 'adminRenew', { scheduleInfo: days(20) }))).toEqual([400, 'RoleAssignmentExists']);
    await tenant.advance('P11D');
    expect(await scheduled(kind)).toEqual([]);
    expect(outcome(await send(maya, kind, 'adminExtend', { scheduleInfo: days(20) }))).toEqual([400, 'RoleAssignmentDoesNotExist']);
    expect(outcome(await send(maya, kind, 'adminRenew', { scheduleInfo: days(20) }))).toEqual([201, expect.any(String)]);
    await tenant.advance('PT10S');
    expect(await scheduled(kind)).toEqual(['2026-03-22']);
  });

  test('is no longer than the role settings allow, whichever way', async () => {
    await patchLimit('P15D', kind);
    for (const action of ['adminUpdate', 'adminExtend']) expect(outcome(await send(maya, kind, action, { scheduleInfo: days(20) }))).toEqual([400, 'RoleAssignmentRequestPolicyValidationFailed']);
    expect(await scheduled(kind)).toEqual(['2026-03-12']);
  });

  test('ends no sooner than five minutes from now, whichever way, and five minutes from now it does', async () => {
    const until = (endDateTime: string) => ({ startDateTime: '2026-03-02T09:00:00Z', expiration: { type: 'afterDateTime', endDateTime } });
    const soon = ['2026-03-01T09:00:00Z', '2026-03-02T09:01:10Z', '2026-03-02T09:05:09Z'].map(until).concat({ startDateTime: '2026-03-02T09:00:00Z', expiration: { type: 'afterDuration', duration: 'PT1M' } } as never);
    for (const scheduleInfo of soon) expect(outcome(await send(maya, kind, 'adminUpdate', { scheduleInfo })), JSON.stringify(scheduleInfo)).toEqual([400, 'ActiveDurationTooShort']);
    for (const scheduleInfo of soon) expect(outcome(await send(maya, kind, 'adminAssign', { accessId: 'owner', scheduleInfo })), JSON.stringify(scheduleInfo)).toEqual([400, 'ActiveDurationTooShort']);
    expect(await scheduled(kind)).toEqual(['2026-03-12']);
    expect(outcome(await send(maya, kind, 'adminUpdate', { scheduleInfo: until('2026-03-02T09:06:00Z') }))).toEqual([201, expect.any(String)]);
    await tenant.advance('PT10M');
    expect(await scheduled(kind)).toEqual([]);
    expect(outcome(await send(maya, kind, 'adminRenew', { scheduleInfo: days(0) }))).toEqual([400, 'ActiveDurationTooShort']);
  });

  test('is changed by who may write, and by nobody else', async () => {
    const ben = await tenant.as(BEN, MAY);
    for (const action of ['adminUpdate', 'adminExtend', 'adminRenew']) expect(outcome(await send(ben, kind, action, { scheduleInfo: days(20) }))).toEqual([403, 'Authorization_RequestDenied']);
  });

  test('is prolonged for the person by an administrator, who is asked for it', async () => {
    const asking = kind === 'assignment' ? ana : await tenant.as(ANA, MAY);
    expect(outcome(await send(asking, kind, 'selfExtend', { scheduleInfo: days(20) }))).toEqual([201, 'PendingAdminDecision']);
    expect(outcome(await send(asking, kind, 'selfExtend', { scheduleInfo: days(20) }))).toEqual([400, 'PendingRoleAssignmentRequest']);
    expect(outcome(await send(asking, kind, 'selfRenew', { scheduleInfo: days(20) }))).toEqual([400, 'RoleAssignmentExists']);
    await tenant.advance('PT10S');
    expect(await scheduled(kind)).toEqual(['2026-03-12']);
    expect(outcome(await send(maya, kind, 'adminExtend', { scheduleInfo: days(20) }))).toEqual([201, expect.any(String)]);
    await tenant.advance('PT10S');
    expect(await scheduled(kind)).toEqual(['2026-03-22']);
    expect(await logged()).toEqual(expect.arrayContaining([`${kind === 'eligibility' ? 'Update eligible member' : 'Update member'} in PIM requested (extend)`, 'Update member in PIM approved by admin (extend/renew)']));
  });

  test('is prolonged at the wish of nobody else, without a reason not at all, and a waiting wish can be taken back', async () => {
    const asking = await tenant.as(ANA, MAY);
    expect(outcome(await send(await tenant.as(BEN, MAY), kind, 'selfExtend', { scheduleInfo: days(20) }))).toEqual([400, 'InvalidRoleAssignmentRequest']);
    expect(outcome(await send(asking, kind, 'selfExtend', { scheduleInfo: days(20), justification: '' }))).toEqual([400, 'RoleAssignmentRequestPolicyValidationFailed']);
    const wish = await send(asking, kind, 'selfExtend', { scheduleInfo: days(20) });
    expect((await asking('POST', `${BASE}/${kind}ScheduleRequests/${wish.body.id}/cancel`)).status).toBe(204);
    expect(await logged()).toContain(`${kind === 'eligibility' ? 'Update eligible member' : 'Update member'} in PIM canceled (extend)`);
    expect(await logged()).not.toContain('Add member to role canceled (PIM activation)');
    expect(outcome(await send(asking, kind, 'selfExtend', { scheduleInfo: days(20) }))).toEqual([201, 'PendingAdminDecision']);
  });

  test('stays when the request that gave it is forgotten, some weeks after it was done with', async () => {
    const listed = async (): Promise<number> => (await maya('GET', `${BASE}/${kind}ScheduleRequests?$filter=groupId eq '${groupId}' and principalId eq '${anaId}'`)).body.value.length;
    await tenant.settings({ delays: { requestForgotten: 45 * 86_400_000 } });
    await patchLimit('P365D', kind);
    expect(outcome(await send(maya, kind, 'adminUpdate', { scheduleInfo: days(90) }))).toEqual([201, expect.any(String)]);
    await tenant.advance('P44D');
    expect(await listed()).toBe(2);
    await tenant.advance('P2D');
    expect([await listed(), await scheduled(kind)]).toEqual([0, ['2026-05-31']]);
  });

  test('is asked for in the fortnight before its end, not sooner, not for less, and not for more than is allowed', async () => {
    const asking = await tenant.as(ANA, MAY);
    expect(outcome(await send(maya, kind, 'adminUpdate', { scheduleInfo: days(20) }))).toEqual([201, expect.any(String)]);
    await tenant.advance('PT10S');
    expect(outcome(await send(asking, kind, 'selfExtend', { scheduleInfo: days(40) }))).toEqual([400, 'InvalidRoleAssignmentRequest']);
    await tenant.advance('P6DT1M');
    expect(outcome(await send(asking, kind, 'selfExtend', { scheduleInfo: days(20) }))).toEqual([400, 'InvalidRoleAssignmentRequest']);
    expect(outcome(await send(asking, kind, 'selfExtend'))).toEqual([400, 'InvalidRoleAssignmentRequest']);
    await patchLimit('P30D', kind);
    expect(outcome(await send(asking, kind, 'selfExtend', { scheduleInfo: days(40) }))).toEqual([400, 'RoleAssignmentRequestPolicyValidationFailed']);
    expect(outcome(await send(asking, kind, 'selfExtend', { scheduleInfo: days(30) }))).toEqual([201, 'PendingAdminDecision']);
  });

  test('is asked for anew in the month after it ran out, not later, and not after it was taken away', async () => {
    const asking = await tenant.as(ANA, MAY);
    expect(outcome(await send(maya, kind, 'adminRemove'))).toEqual([400, 'ActiveDurationTooShort']);
    await tenant.advance('P11D');
    expect(outcome(await send(asking, kind, 'selfRenew', { scheduleInfo: days(40) }))).toEqual([201, 'PendingAdminDecision']);
    await tenant.advance('P30D');
    expect(outcome(await send(asking, kind, 'selfRenew', { scheduleInfo: days(60) }))).toEqual([400, 'RoleAssignmentDoesNotExist']);
    expect(outcome(await send(maya, kind, 'adminRenew', { scheduleInfo: days(60) }))).toEqual([201, expect.any(String)]);
    await tenant.advance('PT6M');
    expect(outcome(await send(maya, kind, 'adminRemove'))).toEqual([201, 'Revoked']);
    expect(outcome(await send(asking, kind, 'selfRenew', { scheduleInfo: days(60) }))).toEqual([400, 'RoleAssignmentDoesNotExist']);
  });

  test('that is only to be checked is not changed', async () => {
    expect(outcome(await send(maya, kind, 'adminExtend', { scheduleInfo: days(20), isValidationOnly: true }))).toEqual([201, 'Granted']);
    await tenant.advance('PT10S');
    expect(await scheduled(kind)).toEqual(['2026-03-12']);
  });
});

test('what never was is neither extended nor renewed', async () => {
  for (const kind of ['assignment', 'eligibility'] as const) {
    for (const action of ['adminUpdate', 'adminExtend', 'adminRenew']) expect(outcome(await send(maya, kind, action, { scheduleInfo: days(5) }))).toEqual([400, 'RoleAssignmentDoesNotExist']);
    const asking = await tenant.as(ANA, MAY);
    for (const action of ['selfExtend', 'selfRenew']) expect(outcome(await send(asking, kind, action, { scheduleInfo: days(5) }))).toEqual([400, 'RoleAssignmentDoesNotExist']);
  }
});

test('an activation is not made longer, by nobody', async () => {
  const { groups } = await tenant.state();
  groupId = groups.find(({ displayName }: { displayName: string }) => displayName === 'Build-Engineer-SecureAccess').id;
  expect((await send(ana, 'assignment', 'selfActivate', { scheduleInfo: { startDateTime: '2026-03-02T09:00:00Z', expiration: { type: 'afterDuration', duration: 'PT1H' } } })).status).toBe(201);
  await tenant.advance('PT10S');
  for (const [who, action] of [[ana, 'selfExtend'], [maya, 'adminExtend'], [maya, 'adminUpdate']] as const) expect(outcome(await send(who, 'assignment', action, { scheduleInfo: days(1) }))).toEqual([400, 'RoleAssignmentDoesNotExist']);
});

test('a policy is read by its assignment, and what is in effect of it', async () => {
  const reader = await tenant.as(MAYA, 'RoleManagementPolicy.ReadWrite.AzureADGroup');
  const filter = `$filter=scopeId eq '${groupId}' and scopeType eq 'Group' and roleDefinitionId eq 'member'`;
  const [assignment] = (await reader('GET', `/v1.0/policies/roleManagementPolicyAssignments?${filter}`)).body.value;
  const one = await reader('GET', `/v1.0/policies/roleManagementPolicyAssignments/${assignment.id}?$expand=policy($expand=rules)`);
  expect([one.status, one.body.roleDefinitionId, one.body.policy.rules.length]).toEqual([200, 'member', 17]);
  const effective = await reader('GET', `/v1.0/policies/roleManagementPolicies/${assignment.policyId}/effectiveRules`);
  expect(effective.body.value).toEqual(one.body.policy.rules);
  const both = await reader('GET', `/v1.0/policies/roleManagementPolicies/${assignment.policyId}?$expand=rules,effectiveRules`);
  expect([both.body.rules.length, both.body.effectiveRules.length]).toEqual([17, 17]);
  expect((await reader('GET', `/v1.0/policies/roleManagementPolicies/${assignment.policyId}?$expand=effectiveRules`)).body.rules).toBeUndefined();
  expect((await reader('GET', '/v1.0/policies/roleManagementPolicyAssignments/Group_nothing_member')).status).toBe(404);
});

async function patchLimit(maximumDuration: string, kind: Kind): Promise<void> {
  const writer = await tenant.as(MAYA, 'RoleManagementPolicy.ReadWrite.AzureADGroup');
  const filter = `$filter=scopeId eq '${groupId}' and scopeType eq 'Group' and roleDefinitionId eq 'member'&$expand=policy($expand=rules)`;
  const [{ policy }] = (await writer('GET', `/v1.0/policies/roleManagementPolicyAssignments?${filter}`)).body.value;
  const rule = policy.rules.find(({ id }: { id: string }) => id === (kind === 'eligibility' ? 'Expiration_Admin_Eligibility' : 'Expiration_Admin_Assignment'));
  expect((await writer('PATCH', `/v1.0/policies/roleManagementPolicies/${policy.id}/rules/${rule.id}`, { ...rule, isExpirationRequired: true, maximumDuration })).status).toBe(200);
}
