import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANA, BEN, MAYA, OMAR, startTenant, type Answer, type Send, type TestTenant } from './testing.ts';

const SCOPES = 'Group.ReadWrite.All Directory.Read.All Directory.ReadWrite.All Application.ReadWrite.All AppRoleAssignment.ReadWrite.All RoleManagementPolicy.ReadWrite.AzureADGroup PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup';
const PIM = '/v1.0/identityGovernance/privilegedAccess/group';
const UPSERT = "/v1.0/groups(uniqueName='effects')";
const PREFER = { prefer: 'create-if-missing' };
const GROUP = { displayName: 'Effects', description: 'Made by a test', mailEnabled: false, mailNickname: 'effects', securityEnabled: true };

let tenant: TestTenant;
let maya: Send;
beforeEach(async () => {
  tenant = await startTenant();
  maya = await tenant.as(MAYA, SCOPES);
});
afterEach(async () => { await tenant[Symbol.asyncDispose](); });

const userId = async (upn: string): Promise<string> => (await tenant.state()).users.find(({ userPrincipalName }: { userPrincipalName: string }) => userPrincipalName === upn).id;
const groupId = async (): Promise<string> => (await tenant.state()).groups.find(({ uniqueName }: { uniqueName: string | null }) => uniqueName === 'effects').id;
/** What the journal says of the calls that this makes. */
async function effects(calls: () => Promise<unknown>): Promise<(boolean | undefined)[]> {
  await tenant.clearJournal();
  await calls();
  return (await tenant.journal()).map(({ effect }) => effect);
}
const statuses = async (): Promise<number[]> => (await tenant.journal()).map(({ status }) => status);

type Rule = Record<string, unknown> & { id: string };
const policyOf = async (id: string): Promise<{ id: string; rules: Rule[] }> => {
  const { body } = await maya('GET', `/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '${id}' and scopeType eq 'Group' and roleDefinitionId eq 'member'&$expand=policy($expand=rules)`);
  return body.value[0].policy;
};
const patch = async (id: string, change: (rule: Rule) => Rule): Promise<Answer> => {
  const policy = await policyOf(id);
  return maya('PATCH', `/v1.0/policies/roleManagementPolicies/${policy.id}`, { rules: policy.rules.map(change) });
};
const ready = async (): Promise<string> => {
  await maya('PATCH', UPSERT, GROUP, PREFER);
  await tenant.advance('PT1M');
  return groupId();
};
const eligible = (group: string, principalId: string, more: object = {}): object =>
  ({ accessId: 'member', principalId, groupId: group, action: 'adminAssign', justification: 'Test', scheduleInfo: { startDateTime: '2026-03-02T09:00:00Z', expiration: { type: 'afterDuration', duration: 'P30D' } }, ...more });

test('a read has none', async () => {
  expect(await effects(() => maya('GET', '/v1.0/groups?$top=1'))).toEqual([undefined]);
});

test('a call that is sent as a write and only reads has none, and what is refused neither', async () => {
  const ana = await tenant.as(ANA, 'Group.ReadWrite.All');
  expect(await effects(async () => {
    await maya('POST', '/v1.0/directoryObjects/getByIds', { ids: [await userId(ANA)] });
    await ana('POST', '/v1.0/groups', GROUP);
    await maya('POST', '/v1.0/groups', { displayName: 'Half' });
    await maya('POST', '/v1.0/groups', '{');
    await tenant.graphWith(undefined)('POST', '/v1.0/groups', GROUP);
    await maya('POST', '/v1.0/nothing', {});
  })).toEqual([false, false, false, false, false, false]);
  expect(await statuses()).toEqual([200, 403, 400, 400, 401, 501]);
});

test('a group: made, told the same again, told something else, left as it is', async () => {
  expect(await effects(async () => {
    await maya('PATCH', UPSERT, GROUP, PREFER);
    await maya('PATCH', UPSERT, GROUP, PREFER);
    await maya('PATCH', UPSERT, { ...GROUP, description: 'Another' }, PREFER);
    await maya('PATCH', `/v1.0/groups/${await groupId()}`, { description: 'Another' });
  })).toEqual([true, false, true, false]);
});

test('owners and members: added, added again, taken away', async () => {
  const id = await ready();
  const ana = await userId(ANA);
  const reference = { '@odata.id': `${tenant.url}/v1.0/directoryObjects/${ana}` };
  for (const relation of ['owners', 'members']) {
    expect(await effects(async () => {
      await maya('POST', `/v1.0/groups/${id}/${relation}/$ref`, reference);
      await maya('POST', `/v1.0/groups/${id}/${relation}/$ref`, reference);
      await maya('DELETE', `/v1.0/groups/${id}/${relation}/${ana}/$ref`);
      await maya('DELETE', `/v1.0/groups/${id}/${relation}/${ana}/$ref`);
    }), relation).toEqual([true, false, true, false]);
  }
});

describe('a policy', () => {
  const hours = (text: string) => (rule: Rule): Rule => (rule.id === 'Expiration_EndUser_Assignment' ? { ...rule, maximumDuration: text } : rule);
  const writes = async (calls: () => Promise<unknown>) => (await effects(calls)).filter((effect) => effect !== undefined);

  test('that puts its group under PIM changes the tenant, also with the rules that were so; the same again does not', async () => {
    const id = await ready();
    expect(await writes(async () => { await patch(id, (rule) => rule); await patch(id, (rule) => rule); })).toEqual([true, false]);
  });

  test('is changed by another value, and not by the same in another order or with what is empty left out', async () => {
    const id = await ready();
    await patch(id, hours('PT4H'));
    expect(await writes(async () => {
      await patch(id, hours('PT4H'));
      await patch(id, (rule) => Object.fromEntries(Object.entries(rule).toReversed()) as Rule);
      await patch(id, ({ notificationRecipients: list, ...rule }) => ({ ...rule, id: rule.id, ...(list !== undefined && { notificationRecipients: [] }) }));
      await patch(id, hours('PT2H'));
    })).toEqual([false, false, false, true]);
  });

  test('one rule of it alone', async () => {
    const id = await ready();
    const { id: policyId, rules } = await policyOf(id);
    const rule = rules.find((one) => one.id === 'Expiration_EndUser_Assignment');
    expect(await writes(() => maya('PATCH', `/v1.0/policies/roleManagementPolicies/${policyId}/rules/Expiration_EndUser_Assignment`, { ...rule, maximumDuration: 'PT1H' }))).toEqual([true]);
    const { id: next } = await policyOf(id);
    expect(await writes(() => maya('PATCH', `/v1.0/policies/roleManagementPolicies/${next}/rules/Expiration_EndUser_Assignment`, { ...rule, maximumDuration: 'PT1H' }))).toEqual([false]);
  });
});

test('eligibility: refused by a rule on a group whose settings nobody has looked at, given, given again, only validated, taken away too soon', async () => {
  const id = await ready();
  const [ana, ben] = [await userId(ANA), await userId(BEN)];
  const post = (body: object) => maya('POST', `${PIM}/eligibilityScheduleRequests`, body);
  expect(await effects(async () => {
    await post(eligible(id, ana, { scheduleInfo: { expiration: { type: 'noExpiration' } } }));
    await post(eligible(id, ana));
    await post(eligible(id, ana));
    await post(eligible(id, ben, { isValidationOnly: true }));
    await tenant.advance('PT1M');
    await post({ accessId: 'member', principalId: ana, groupId: id, action: 'adminRemove' });
    await tenant.advance('PT5M');
    await post({ accessId: 'member', principalId: ana, groupId: id, action: 'adminRemove' });
  })).toEqual([false, true, false, false, false, true]);
  expect(await statuses()).toEqual([400, 201, 400, 201, 400, 201]);
});

test('what is due by the time of a call is not its effect', async () => {
  const id = await ready();
  const ana = await userId(ANA);
  await tenant.settings({ delays: { provisioning: 0 } });
  expect(await effects(async () => {
    await maya('POST', `${PIM}/eligibilityScheduleRequests`, eligible(id, ana));
    // Before it is served, the schedule of the request is made.
    await maya('PATCH', UPSERT, GROUP, PREFER);
  })).toEqual([true, false]);
  expect((await tenant.state()).pim.schedules.filter(({ groupId: of }: { groupId: string }) => of === id)).toHaveLength(1);
});

test('an application: assigned, assigned again, its requirement said again, taken back', async () => {
  const id = await ready();
  const payroll = (await tenant.state()).servicePrincipals.find(({ displayName }: { displayName: string }) => displayName === 'Payroll');
  const role = payroll.appRoles.find(({ value }: { value: string | null }) => value === null || value === 'User') ?? payroll.appRoles[0];
  const wish = { principalId: id, resourceId: payroll.id, appRoleId: role.id };
  expect(await effects(async () => {
    const { body } = await maya('POST', `/v1.0/servicePrincipals/${payroll.id}/appRoleAssignedTo`, wish);
    await maya('POST', `/v1.0/servicePrincipals/${payroll.id}/appRoleAssignedTo`, wish);
    await maya('PATCH', `/v1.0/servicePrincipals/${payroll.id}`, { appRoleAssignmentRequired: true });
    await maya('PATCH', `/v1.0/servicePrincipals/${payroll.id}`, { appRoleAssignmentRequired: false });
    await maya('DELETE', `/v1.0/servicePrincipals/${payroll.id}/appRoleAssignedTo/${body.id}`);
    await maya('DELETE', `/v1.0/servicePrincipals/${payroll.id}/appRoleAssignedTo/${body.id}`);
  })).toEqual([true, false, false, true, true, false]);
});

describe('a fault does not hide what was done', () => {
  const cases = [
    ['a status before', { kind: 'status', status: 503 }, false], ['a status after', { kind: 'status', status: 504, effect: 'after' }, true],
    ['a reset before', { kind: 'reset', effect: 'before' }, false], ['a reset after', { kind: 'reset', effect: 'after' }, true], ['half an answer', { kind: 'truncate' }, true],
    ['no answer, before', { kind: 'timeout', effect: 'before' }, false], ['no answer, after', { kind: 'timeout', effect: 'after' }, true],
  ] as const;

  test.each(cases)('%s', async (_what, fault, effect) => {
    await tenant.clearJournal();
    await tenant.faults([{ match: { method: 'PATCH' }, times: 2, fault }]);
    void maya('PATCH', UPSERT, GROUP, PREFER).catch(() => undefined);
    await expect.poll(tenant.journal).toHaveLength(1);
    expect((await tenant.journal()).map((entry) => entry.effect)).toEqual([effect]);
    // The same once more, with the same fault, changes nothing if it was done.
    if (effect) {
      void maya('PATCH', UPSERT, GROUP, PREFER).catch(() => undefined);
      await expect.poll(tenant.journal).toHaveLength(2);
      expect((await tenant.journal()).at(-1)?.effect).toBe(false);
    }
  });

  test.each(cases.filter(([, { kind }]) => kind === 'status'))('%s, of a call in a batch', async (_what, fault, effect) => {
    await tenant.faults([{ match: { method: 'PATCH' }, fault }]);
    const call = { id: '1', method: 'PATCH', url: "/groups(uniqueName='effects')", headers: { 'Content-Type': 'application/json', 'Prefer': 'create-if-missing' }, body: GROUP };
    expect(await effects(() => maya('POST', '/v1.0/$batch', { requests: [call, { ...call, id: '2' }, { id: '3', method: 'GET', url: '/groups?$top=1' }] }))).toEqual([effect, !effect, undefined, undefined]);
  });
});

test('a decision on a request is one, and a second decision is not', async () => {
  const { groups } = await tenant.state();
  const payroll = groups.find(({ displayName }: { displayName: string }) => displayName === 'Payroll-Operator-SecureAccess').id;
  const [ana, omar] = [await tenant.as(ANA, 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup'), await tenant.as(OMAR, 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup')];
  const wish = { accessId: 'member', principalId: await userId(ANA), groupId: payroll, action: 'selfActivate', justification: 'Pay run', scheduleInfo: { startDateTime: '2026-03-02T09:00:00Z', expiration: { type: 'afterDuration', duration: 'PT1H' } } };
  expect(await effects(async () => {
    const { body } = await ana('POST', `${PIM}/assignmentScheduleRequests`, wish);
    for (let time = 0; time < 2; time += 1) await omar('PATCH', `${PIM}/assignmentApprovals/${body.approvalId}/stages/${body.approvalId}`, { reviewResult: 'Deny', justification: 'Not now' });
  })).toEqual([true, true, false]);
});
