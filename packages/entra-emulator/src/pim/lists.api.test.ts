import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANA, MAYA, startTenant, type Send, type TestTenant } from '../testing.ts';
import { defaultRules } from './rules.ts';

const BASE = '/v1.0/identityGovernance/privilegedAccess/group';
const READ = 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup RoleManagementPolicy.ReadWrite.AzureADGroup';
let tenant: TestTenant;
let maya: Send;
let ana: Send;
let ids: Map<string, string>;
beforeAll(async () => {
  tenant = await startTenant();
  const { users, groups } = await tenant.state();
  ids = new Map([...users, ...groups].map(({ id, displayName }: { id: string; displayName: string }) => [displayName, id]));
  [maya, ana] = [await tenant.as(MAYA, READ), await tenant.as(ANA, READ)];
});
afterAll(() => tenant[Symbol.asyncDispose]());

const build = (): string => ids.get('Build-Engineer-SecureAccess') ?? '';
const LISTS = ['eligibilityScheduleRequests', 'eligibilitySchedules', 'eligibilityScheduleInstances', 'assignmentScheduleRequests', 'assignmentSchedules', 'assignmentScheduleInstances'];

describe.each(LISTS)('%s', (list) => {
  test.each([
    ['no filter', ''], ['a filter on neither group nor person', "?$filter=accessId eq 'member'"], ['or', "?$filter=groupId eq 'G' or groupId eq 'x'"], ['not', "?$filter=groupId eq 'G' and not (accessId eq 'owner')"],
    ['another operator', "?$filter=groupId eq 'G' and startswith(accessId,'m')"], ['another property', "?$filter=groupId eq 'G' and memberType eq 'direct'"], ['what cannot be expanded', "?$filter=groupId eq 'G'&$expand=owner"],
  ])('with %s is refused', async (_what, query) => {
    expect((await maya('GET', `${BASE}/${list}${query.replaceAll('G', build())}`)).status).toBe(400);
  });

  test('takes what the docs show', async () => {
    expect((await maya('GET', `${BASE}/${list}?$filter=groupId eq '${build()}' and accessId eq 'member'`)).status).toBe(200);
    expect((await maya('GET', `${BASE}/${list}?$filter=principalId eq '${ids.get('Ana Costa')}'&$select=id`)).status).toBe(200);
  });

  test('expands group and principal, and leaves them empty among one’s own', async () => {
    const all = (await maya('GET', `${BASE}/${list}?$filter=groupId eq '${ids.get('Payroll-Operator-SecureAccess')}'&$expand=group,principal`)).body.value;
    for (const one of all) expect([one.group.displayName, typeof one.principal.displayName]).toEqual(['Payroll-Operator-SecureAccess', 'string']);
    const own = (await ana('GET', `${BASE}/${list}/filterByCurrentUser(on='principal')?$expand=group`)).body.value;
    for (const one of own) expect(one.group).toBeNull();
    if (list.startsWith('eligibilityScheduleI')) expect([all.length, own.length].every((length) => length > 0)).toBe(true);
  });
});

describe.each(['roleManagementPolicyAssignments', 'roleManagementPolicies'])('%s', (list) => {
  const policies = (query: string) => maya('GET', `/v1.0/policies/${list}?${query.replace('G', build())}`);

  test.each([
    ['no type', "$filter=scopeId eq 'G'"], ['or', "$filter=scopeId eq 'G' or scopeType eq 'Group'"], ['not', "$filter=scopeId eq 'G' and not (scopeType eq 'Group')"], ['another operator', "$filter=scopeId ne 'G' and scopeType eq 'Group'"],
    ['another property', "$filter=scopeId eq 'G' and scopeType eq 'Group' and displayName eq 'Group'"], ['what is no filter', "$filter=scopeId eq 'G' and scopeType eq 'Group' and"], ['no page', "$filter=scopeId eq 'G' and scopeType eq 'Group'&$top=0"],
  ])('with %s is refused', async (_what, query) => {
    expect((await policies(query)).status).toBe(400);
  });

  test('answers what was selected', async () => {
    const { value } = (await policies("$filter=scopeId eq 'G' and scopeType eq 'Group'&$select=id")).body;
    expect(value.map((one: object) => Object.keys(one))).toEqual([['id'], ['id']]);
  });
});

describe('role settings', () => {
  test('come in pages of the wished size, and of the wished role', async () => {
    const where = `/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '${build()}' and scopeType eq 'Group'`;
    const page = await maya('GET', `${where}&$top=1`);
    expect([page.body.value.map(({ roleDefinitionId }: Record<string, string>) => roleDefinitionId), page.body['@odata.nextLink']]).toEqual([['member'], expect.stringContaining('skiptoken=')]);
    expect((await maya('GET', `${where} and roleDefinitionId eq 'owner'`)).body.value).toMatchObject([{ roleDefinitionId: 'owner', policyId: expect.any(String) }]);
  });

  const rules = async (): Promise<{ id: string; policy: Record<string, unknown>[] }> => {
    const filter = `$filter=scopeId eq '${ids.get('Finance team')}' and scopeType eq 'Group' and roleDefinitionId eq 'owner'&$expand=policy($expand=rules)`;
    const [{ policy }] = (await maya('GET', `/v1.0/policies/roleManagementPolicyAssignments?${filter}`)).body.value;
    return { id: policy.id, policy: policy.rules };
  };

  test('are seventeen, as documented for groups', async () => {
    const { policy } = await rules();
    expect(policy).toHaveLength(17);
    const of = (id: string) => policy.find((rule) => rule['id'] === id);
    expect(of('Expiration_EndUser_Assignment')).toMatchObject({ isExpirationRequired: true, maximumDuration: 'PT8H', target: { caller: 'EndUser', operations: ['All'], level: 'Assignment', inheritableSettings: [], enforcedSettings: [] } });
    expect(of('Enablement_EndUser_Assignment')).toMatchObject({ enabledRules: ['Justification'] });
    expect(of('Approval_EndUser_Assignment')).toMatchObject({ setting: { isApprovalRequired: false, isApprovalRequiredForExtension: false, isRequestorJustificationRequired: true, approvalMode: 'SingleStage', approvalStages: [{ approvalStageTimeOutInDays: 1, isApproverJustificationRequired: true, escalationTimeInMinutes: 0, isEscalationEnabled: false, primaryApprovers: [], escalationApprovers: [] }] } });
    expect(of('AuthenticationContext_EndUser_Assignment')).toMatchObject({ isEnabled: false, claimValue: null });
    expect(of('Expiration_Admin_Eligibility')).toMatchObject({ isExpirationRequired: true, maximumDuration: 'P365D', target: { caller: 'Admin', level: 'Eligibility' } });
    expect(of('Enablement_Admin_Eligibility')).toMatchObject({ enabledRules: [] });
    expect(of('Expiration_Admin_Assignment')).toMatchObject({ isExpirationRequired: true, maximumDuration: 'P180D' });
    expect(of('Enablement_Admin_Assignment')).toMatchObject({ enabledRules: ['Justification'] });
    const notifications = policy.filter((rule) => String(rule['id']).startsWith('Notification_'));
    expect(notifications.map((rule) => rule['id']).toSorted()).toEqual(['Admin', 'Requestor', 'Approver'].flatMap((recipient) => ['Admin_Eligibility', 'Admin_Assignment', 'EndUser_Assignment'].map((occasion) => `Notification_${recipient}_${occasion}`)).toSorted());
    for (const rule of notifications) expect(rule).toMatchObject({ notificationType: 'Email', notificationLevel: 'All', isDefaultRecipientsEnabled: true, notificationRecipients: [] });
    expect(policy.map((rule) => rule['id'])).toEqual(defaultRules().map((rule) => rule['id']));
  });

  test('ask of whoever assigns directly what they say: a second factor, and a reason', async () => {
    const groupId = ids.get('JumpHost-DomainAdmin-SecureAccess') ?? '';
    const filter = `$filter=scopeId eq '${groupId}' and scopeType eq 'Group' and roleDefinitionId eq 'member'&$expand=policy($expand=rules)`;
    const [{ policy }] = (await maya('GET', `/v1.0/policies/roleManagementPolicyAssignments?${filter}`)).body.value;
    const rule = policy.rules.find(({ id }: { id: string }) => id === 'Enablement_Admin_Assignment');
    await maya('PATCH', `/v1.0/policies/roleManagementPolicies/${policy.id}/rules/${rule.id}`, { ...rule, enabledRules: ['Justification', 'MultiFactorAuthentication'] });
    const assign = (who: Send, justification?: string) => who('POST', `${BASE}/assignmentScheduleRequests`, {
      accessId: 'member', action: 'adminAssign', groupId, principalId: ids.get('Ana Costa'), justification, scheduleInfo: { startDateTime: '2026-03-02T09:00:00Z', expiration: { type: 'afterDuration', duration: 'P5D' } },
    });
    expect((await assign(maya)).body.error.message).toBe('The following policy rules failed: ["JustificationRule","MfaRule"]');
    expect((await assign(maya, 'Rota')).body.error.message).toBe('The following policy rules failed: ["MfaRule"]');
    const stronger = await tenant.as(MAYA, READ, { amr: { essential: true, values: ['mfa'] } });
    expect((await assign(stronger, 'Rota')).status).toBe(201);
  });
});
