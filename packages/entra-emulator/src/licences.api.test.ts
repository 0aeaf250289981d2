import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANA, MAYA, startTenant, type Answer, type Send, type TestTenant } from './testing.ts';

const SCOPES = 'Group.ReadWrite.All Directory.Read.All AppRoleAssignment.ReadWrite.All Application.ReadWrite.All RoleManagementPolicy.ReadWrite.AzureADGroup PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup';
const PIM = '/v1.0/identityGovernance/privilegedAccess/group';
const REFUSED = [400, 'AadPremiumLicenseRequired', 'The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.'];
const refusal = ({ status, body }: Answer) => [status, body?.error?.code, body?.error?.message];

let tenant: TestTenant;
let maya: Send;
beforeEach(async () => {
  tenant = await startTenant();
  maya = await tenant.as(MAYA, SCOPES);
});
afterEach(async () => { await tenant[Symbol.asyncDispose](); });

const plans = async (send = maya): Promise<string[]> => (await send('GET', '/v1.0/subscribedSkus')).body.value.flatMap(({ servicePlans }: { servicePlans: { servicePlanName: string }[] }) => servicePlans.map(({ servicePlanName }) => servicePlanName));
const assigned = async (): Promise<string[]> => (await maya('GET', '/v1.0/organization')).body.value[0].assignedPlans.map(({ service }: { service: string }) => service);
const settings = async (): Promise<unknown> => (await (await fetch(`${tenant.url}/_emulator/settings`)).json() as { licences: unknown }).licences;

describe('the plans that the tenant shows', () => {
  test('are all of them, until somebody says otherwise, and again when it begins anew', async () => {
    const all = ['AAD_PREMIUM_P2', 'Entra_Premium_Private_Access'];
    expect([await plans(), await assigned(), await settings()]).toEqual([all, ['AADPremiumService', 'NetworkAccess'], { pim: true, privateAccess: true }]);
    await tenant.settings({ licences: { pim: false, privateAccess: false } });
    expect((await maya('GET', '/v1.0/subscribedSkus')).body.value).toEqual([]);
    expect(await assigned()).toEqual([]);
    await fetch(`${tenant.url}/_emulator/reset`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"seed":"demo"}' });
    expect(await settings()).toEqual({ pim: true, privateAccess: true });
  });

  test.each([[{ pim: false }, ['Entra_Premium_Private_Access'], ['NetworkAccess']], [{ privateAccess: false }, ['AAD_PREMIUM_P2'], ['AADPremiumService']]])('with %j are the others', async (licences, left, services) => {
    await tenant.settings({ licences });
    expect([await plans(), await assigned()]).toEqual([left, services]);
    await tenant.settings({ licences: { pim: true, privateAccess: true } });
    expect(await plans()).toHaveLength(2);
  });

  test.each([{ licences: { governance: true } }, { licences: { pim: 'no' } }, { licences: null }])('are not set by %j', async (wish) => {
    const answer = await fetch(`${tenant.url}/_emulator/settings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) });
    expect([answer.status, await settings()]).toEqual([400, { pim: true, privateAccess: true }]);
  });
});

describe('without the licence of PIM', () => {
  const about = async () => {
    const { groups, users } = await tenant.state();
    const groupId = groups.find(({ displayName }: { displayName: string }) => displayName === 'Payroll-Operator-SecureAccess').id as string;
    const ana = users.find(({ userPrincipalName }: { userPrincipalName: string }) => userPrincipalName === ANA).id as string;
    const path = `/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '${groupId}' and scopeType eq 'Group'&$expand=policy($expand=rules)`;
    const { policy } = (await maya('GET', path)).body.value[0];
    return { groupId, ana, path, policy: policy as { id: string; rules: { id: string }[] } };
  };

  test('nothing of it is written, and the tenant stays as it is; what there is can be read', async () => {
    const { groupId, ana, path, policy } = await about();
    const [rule] = policy.rules;
    const person = await tenant.as(ANA, 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup');
    const request = (action: string) => ({ accessId: 'member', principalId: ana, groupId, action, justification: 'Test', scheduleInfo: { startDateTime: '2026-03-02T09:00:00Z', expiration: { type: 'afterDuration', duration: 'PT1H' } } });
    await tenant.settings({ licences: { pim: false } });
    const before = await tenant.state();
    const writes: [Send, string, string, unknown?][] = [
      [maya, 'PATCH', `/v1.0/policies/roleManagementPolicies/${policy.id}`, { rules: policy.rules }], [maya, 'PATCH', `/v1.0/policies/roleManagementPolicies/${policy.id}/rules/${rule?.id ?? ''}`, rule],
      [maya, 'POST', `${PIM}/eligibilityScheduleRequests`, request('adminRemove')], [maya, 'POST', `${PIM}/assignmentScheduleRequests`, request('adminAssign')],
      [person, 'POST', `${PIM}/assignmentScheduleRequests`, request('selfActivate')], [person, 'POST', `${PIM}/assignmentScheduleRequests/nothing/cancel`], [person, 'PATCH', `${PIM}/assignmentApprovals/nothing/stages/nothing`, { reviewResult: 'Approve' }],
    ];
    for (const [send, method, address, body] of writes) expect(refusal(await send(method, address, body)), `${method} ${address}`).toEqual(REFUSED);
    expect(await tenant.state()).toEqual(before);
    expect((await maya('GET', path)).status).toBe(200);
    expect((await maya('GET', `${PIM}/eligibilitySchedules?$filter=groupId eq '${groupId}'`)).body.value.length).toBeGreaterThan(0);
  });

  test('groups and applications are written, and PIM is when the licence is back; without that of Private Access too', async () => {
    const { groupId, policy } = await about();
    await tenant.settings({ licences: { pim: false } });
    expect((await maya('PATCH', `/v1.0/groups/${groupId}`, { description: 'Changed' })).status).toBe(204);
    await tenant.settings({ licences: { pim: true, privateAccess: false } });
    expect((await maya('PATCH', `/v1.0/policies/roleManagementPolicies/${policy.id}`, { rules: policy.rules })).status).toBe(200);
    const payroll = (await tenant.state()).servicePrincipals.find(({ displayName }: { displayName: string }) => displayName === 'Payroll');
    expect((await maya('PATCH', `/v1.0/servicePrincipals/${payroll.id}`, { appRoleAssignmentRequired: false })).status).toBe(204);
  });

  test('who may not write is told that first', async () => {
    const { policy } = await about();
    await tenant.settings({ licences: { pim: false } });
    expect(refusal(await (await tenant.as(MAYA, 'Directory.Read.All'))('PATCH', `/v1.0/policies/roleManagementPolicies/${policy.id}`, { rules: policy.rules })).slice(0, 2)).toEqual([403, 'Authorization_RequestDenied']);
  });
});

test('what is licensed is kept over a restart; a tenant that was kept before there was such a setting has everything', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'emulated-tenant-'));
  try {
    const stateFile = join(folder, 'tenant.json');
    const shown = async (): Promise<string[]> => {
      await using one = await startTenant({ stateFile });
      return await plans(await one.as(MAYA, SCOPES));
    };
    await (async () => {
      await using one = await startTenant({ stateFile });
      await one.settings({ licences: { pim: false } });
      expect(readFileSync(stateFile, 'utf8')).toContain('"licences":{"pim":false,"privateAccess":true}');
    })();
    expect(await shown()).toEqual(['Entra_Premium_Private_Access']);
    const { tenant: { licences, ...earlier }, ...rest } = JSON.parse(readFileSync(stateFile, 'utf8')) as { tenant: Record<string, unknown> };
    expect(licences).toEqual({ pim: false, privateAccess: true });
    writeFileSync(stateFile, JSON.stringify({ ...rest, tenant: earlier }));
    expect(await shown()).toEqual(['AAD_PREMIUM_P2', 'Entra_Premium_Private_Access']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
