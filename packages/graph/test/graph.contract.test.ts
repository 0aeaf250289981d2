import { GraphError } from '@gatehouse/graph';
import type { Graph, PolicyRule } from '@gatehouse/graph';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANA, MAYA, OMAR, startTenant } from './emulated-tenant.ts';

const SETUP = [
  'User.Read', 'User.ReadBasic.All', 'Group.ReadWrite.All', 'PrivilegedAccess.Read.AzureADGroup', 'PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup',
  'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup', 'RoleManagementPolicy.ReadWrite.AzureADGroup', 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All',
  'Directory.Read.All', 'Directory.ReadWrite.All', 'AuthenticationContext.Read.All', 'NetworkAccess.Read.All',
];
const ACCESS = ['User.Read', 'PrivilegedEligibilitySchedule.Read.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup'];
const START = '2026-03-02T09:00:00Z';
const MFA = { access_token: { amr: { essential: true, values: ['mfa'] } } };

/** The policy's rules with some fields of one of them changed. */
const changed = (rules: readonly PolicyRule[], id: string, fields: Record<string, unknown>): PolicyRule => {
  const rule = rules.find((candidate) => candidate.id === id);
  if (!rule) throw new Error(`no rule ${id}`);
  return { ...rule, ...fields };
};

const failureOf = async (promise: Promise<unknown>): Promise<GraphError> => {
  const outcome = await promise.then(() => undefined, (error: unknown) => error);
  expect(outcome).toBeInstanceOf(GraphError);
  return outcome as GraphError;
};

/** The steps build on each other, as the procedure's do. */
describe('the whole procedure, said to Graph', () => {
  let tenant: Awaited<ReturnType<typeof startTenant>>;
  let maya: Graph;
  let ana: Graph;
  let omar: Graph;
  let portal: Graph;
  let groupId = '';
  let anaId = '';
  let omarId = '';

  beforeAll(async () => {
    tenant = await startTenant();
    maya = await tenant.as(MAYA, SETUP);
    ana = await tenant.as(ANA, ACCESS);
    omar = await tenant.as(OMAR, ACCESS);
    portal = await tenant.asPortal();
  });
  afterAll(async () => tenant[Symbol.asyncDispose]());

  test('people and the organization are found', async () => {
    const [found] = await maya.directory.searchUsers('ana', 5);
    expect(found).toMatchObject({ displayName: 'Ana Costa', userPrincipalName: ANA });
    anaId = (await ana.directory.me()).id;
    omarId = (await omar.directory.me()).id;
    expect(found?.id).toBe(anaId);
    expect((await maya.directory.organization()).displayName).toBe('Contoso');
    expect(await maya.directory.names([anaId, '00000000-0000-4000-8000-000000000000'])).toEqual(
      new Map([[anaId, { kind: 'user', displayName: 'Ana Costa', userPrincipalName: ANA }]]),
    );
  });

  test('a group is created once', async () => {
    const wish = { uniqueName: 'gatehouse-finreport', displayName: 'FinReport-SeniorAnalyst-SecureAccess', mailNickname: 'FinReport-SeniorAnalyst-SecureAccess', ownerIds: [(await maya.directory.me()).id] };
    const first = await maya.directory.ensureGroup(wish);
    const second = await maya.directory.ensureGroup(wish);
    expect(first).toMatchObject({ created: true, group: { displayName: wish.displayName, securityEnabled: true, mailEnabled: false, dynamicMembership: false } });
    expect(second).toEqual({ created: false, group: first.group });
    groupId = first.group.id;
    expect(await maya.directory.groupByMailNickname(wish.mailNickname)).toEqual(first.group);
    expect(await maya.directory.group(groupId)).toEqual(first.group);
    expect(await maya.directory.groupByUniqueName('gatehouse-nothing')).toBeUndefined();
    expect(await maya.directory.nestedGroups(groupId)).toEqual([]);
  });

  test('PIM does not know the new group yet, and says so', async () => {
    const wish = { groupId, principalId: anaId, expiry: { startsAt: START, endsAt: '2026-05-31T09:00:00Z' }, justification: 'Team' };
    expect((await failureOf(maya.pim.assignEligible(wish))).failure).toBe('not-found');
    await tenant.advance('PT1M');
  });

  test('its policy is changed in one call, and its id changes with it', async () => {
    const before = await maya.pim.memberPolicy(groupId);
    expect(before.rules).toHaveLength(17);
    await maya.pim.updatePolicy(before.policyId, [
      changed(before.rules, 'Expiration_EndUser_Assignment', { maximumDuration: 'PT2H' }),
      changed(before.rules, 'Enablement_EndUser_Assignment', { enabledRules: ['Justification', 'MultiFactorAuthentication'] }),
    ]);
    const after = await maya.pim.memberPolicy(groupId);
    expect(after.policyId).not.toBe(before.policyId);
    expect(after.rules.find((rule) => rule.id === 'Expiration_EndUser_Assignment')).toMatchObject({ maximumDuration: 'PT2H' });
    expect(await maya.pim.onboardedGroups()).toContain(groupId);
    expect((await failureOf(maya.pim.updatePolicy(before.policyId, []))).failure).toBe('not-found');
  });

  test('people become eligible, once', async () => {
    const wish = { groupId, principalId: anaId, expiry: { startsAt: START, endsAt: '2026-05-31T09:00:00Z' }, justification: 'Team' };
    expect(await maya.pim.assignEligible(wish)).toMatchObject({ groupId, principalId: anaId, accessId: 'member', action: 'adminAssign' });
    await tenant.advance('PT1M');
    expect(await maya.pim.eligibilities(groupId)).toMatchObject([{ principalId: anaId, memberType: 'direct', endsAt: expect.stringMatching(/^2026-05-31T09:00:00/) }]);
    expect(await failureOf(maya.pim.assignEligible(wish))).toMatchObject({ failure: 'conflict', details: { code: 'RoleAssignmentExists' } });
    expect(await failureOf(maya.pim.assignEligible({ ...wish, principalId: omarId, expiry: { startsAt: START } }))).toMatchObject({ failure: 'policy', details: { failedRules: ['ExpirationRule'] } });
  });

  test('applications are found, assigned and published', async () => {
    const all = await maya.applications.privateAccess();
    expect(all.filter((application) => application.kind === 'quick-access')).toHaveLength(1);
    const finance = all.find((application) => application.displayName === 'Finance reports');
    if (!finance) throw new Error('no Finance reports');
    expect(finance).toMatchObject({ kind: 'per-app', enabled: true, assignmentRequired: true });
    expect(await maya.applications.privateAccessByName('Finance reports')).toEqual(finance);
    expect(await maya.applications.application(finance.servicePrincipalId)).toEqual(finance);
    expect((await maya.applications.segments(finance.appId)).map((segment) => segment.destinationHost)).toContain('fin-rep.corp.contoso.example');

    const wish = { groupId, servicePrincipalId: finance.servicePrincipalId, appRoleId: finance.assignableRoleId };
    const assignment = await maya.applications.assignGroup(wish);
    expect(assignment).toMatchObject({ principalId: groupId, principalType: 'Group', servicePrincipalId: finance.servicePrincipalId });
    expect((await failureOf(maya.applications.assignGroup(wish))).failure).toBe('conflict');
    expect((await maya.applications.assignmentsOf(finance.servicePrincipalId)).map((found) => found.principalId)).toContain(groupId);
    expect((await maya.applications.assignmentsOfGroup(groupId)).map((found) => found.id)).toEqual([assignment.id]);
    await maya.applications.requireAssignment(finance.servicePrincipalId);

    const connectors = await maya.applications.connectorGroups();
    const europe = connectors.find((group) => group.name === 'EU-1');
    expect(europe?.connectors.map((connector) => connector.live)).toEqual([true, true]);
    expect(connectors.find((group) => group.name === 'US-1')?.connectors.map((connector) => connector.live).sort()).toEqual([false, true]);

    const made = await maya.applications.instantiate("Treasury's ledger");
    await maya.applications.publish(made.appId, { displayName: made.displayName, connectorGroupId: europe?.id ?? '' });
    const segment = await maya.applications.addSegment(made.appId, { destinationHost: 'ledger.corp.contoso.example', destinationType: 'fqdn', ports: ['443-443'], protocol: 'tcp' });
    expect(await maya.applications.segments(made.appId)).toEqual([segment]);
    expect((await maya.applications.privateAccessByName("Treasury's ledger"))?.servicePrincipalId).toBe(made.servicePrincipalId);
    expect((await maya.applications.searchEnterprise('Finance', 5)).map((found) => found.kind)).not.toContain('per-app');
  });

  test('the network and the authentication contexts are read', async () => {
    expect(await maya.network.privateAccessProfile()).toEqual({ state: 'enabled' });
    expect((await maya.conditionalAccess.authenticationContexts()).map((context) => context.id)).toContain('c1');
  });

  test('an analyst activates with a second factor, is a member, and ends it', async () => {
    expect((await ana.pim.mine.eligibilities()).map((eligibility) => eligibility.groupId)).toContain(groupId);
    const wish = { principalId: anaId, groupId, startsAt: START, duration: 'PT1H', justification: 'Month-end close' };
    expect(await failureOf(ana.pim.mine.activate({ ...wish, duration: 'PT3H' }))).toMatchObject({ failure: 'policy', details: { failedRules: expect.arrayContaining(['ExpirationRule']) } });
    const refused = await failureOf(ana.pim.mine.activate(wish));
    expect(refused).toMatchObject({ failure: 'step-up-needed', details: { claims: JSON.stringify(MFA) } });

    ana = await tenant.as(ANA, ACCESS, MFA);
    const request = await ana.pim.mine.activate(wish);
    expect(['PendingProvisioning', 'Provisioned']).toContain(request.status);
    await tenant.advance('PT1M');
    expect(await ana.pim.mine.request(request.id)).toMatchObject({ id: request.id, status: 'Provisioned', justification: 'Month-end close', duration: 'PT1H' });
    expect(await ana.pim.mine.request('00000000-0000-4000-8000-000000000000')).toBeUndefined();
    expect((await ana.pim.mine.assignments()).filter((assignment) => assignment.groupId === groupId)).toMatchObject([{ assignmentType: 'activated', memberType: 'direct' }]);
    expect(await maya.directory.isMember(anaId, groupId)).toBe(true);
    expect(await failureOf(ana.pim.mine.activate(wish))).toMatchObject({ failure: 'conflict', details: { code: 'RoleAssignmentExists' } });
    expect(await failureOf(ana.pim.mine.deactivate(wish))).toMatchObject({ failure: 'conflict', details: { code: 'ActiveDurationTooShort' } });

    await tenant.advance('PT5M');
    expect((await ana.pim.mine.deactivate(wish)).status).toBe('Revoked');
    await tenant.advance('PT1M');
    expect(await maya.directory.isMember(anaId, groupId)).toBe(false);
    expect(await failureOf(ana.pim.mine.deactivate(wish))).toMatchObject({ failure: 'conflict', details: { code: 'RoleAssignmentDoesNotExist' } });
    expect((await maya.pim.assignmentRequests(groupId)).map((found) => found.action).sort()).toEqual(['selfActivate', 'selfDeactivate']);
    expect(await maya.pim.assignments(groupId)).toEqual([]);
  });

  test('where approval is asked for, one approver decides, and nobody twice', async () => {
    const policy = await maya.pim.memberPolicy(groupId);
    const approval = policy.rules.find((rule) => rule.id === 'Approval_EndUser_Assignment') as PolicyRule & { setting: { approvalStages: Record<string, unknown>[] } };
    const stages = approval.setting.approvalStages.map((stage) => ({ ...stage, primaryApprovers: [{ '@odata.type': '#microsoft.graph.singleUser', userId: omarId, description: 'Omar Haddad' }] }));
    await maya.pim.updatePolicy(policy.policyId, [{ ...approval, setting: { ...approval.setting, isApprovalRequired: true, approvalStages: stages } }]);

    const wish = { principalId: anaId, groupId, startsAt: START, duration: 'PT1H', justification: 'Month-end close', ticket: { number: 'CHG1', system: 'ServiceNow' } };
    const request = await ana.pim.mine.activate(wish);
    expect(request).toMatchObject({ status: 'PendingApproval', ticketNumber: 'CHG1', ticketSystem: 'ServiceNow' });
    expect(await failureOf(ana.pim.mine.activate(wish))).toMatchObject({ failure: 'conflict', details: { code: 'PendingRoleAssignmentRequest' } });
    await ana.pim.mine.cancel(request.id);
    expect((await ana.pim.mine.request(request.id))?.status).toBe('Canceled');

    const again = await ana.pim.mine.activate(wish);
    const pending = (await omar.approvals.pendingForMe()).find((found) => found.id === again.id);
    const stage = (await omar.approvals.approval(pending?.approvalId ?? ''))?.stages[0];
    expect(stage).toMatchObject({ assignedToMe: true, status: 'InProgress', reviewResult: 'NotReviewed' });
    await omar.approvals.decide(pending?.approvalId ?? '', stage?.id ?? '', 'Approve', 'Month-end');
    expect((await failureOf(omar.approvals.decide(pending?.approvalId ?? '', stage?.id ?? '', 'Deny', 'No'))).failure).toBe('conflict');
    expect((await omar.approvals.approval(pending?.approvalId ?? ''))?.stages[0]).toMatchObject({ status: 'Completed', reviewResult: 'Approved', justification: 'Month-end' });
    expect((await failureOf(ana.approvals.decide(pending?.approvalId ?? '', stage?.id ?? '', 'Approve', 'Mine'))).failure).toMatch(/forbidden|not-found/);
    await tenant.advance('PT1M');
    expect(await maya.directory.isMember(anaId, groupId)).toBe(true);
  });

  test('what a token does not carry is forbidden', async () => {
    expect((await failureOf(ana.pim.updatePolicy('any', []))).failure).toBe('forbidden');
    expect((await failureOf(ana.directory.groupByMailNickname('any'))).failure).toBe('forbidden');
    expect((await failureOf(portal.approvals.pendingForMe())).failure).not.toBe('unexpected');
  });

  test('the log holds what happened, as it was sent, page after page', async () => {
    await tenant.advance('PT1H');
    const window = { from: '2026-02-01T00:00:00Z', to: '2026-03-02T12:00:00Z' };
    const events = [];
    let nextLink: string | undefined;
    do {
      const page = await portal.audits.directoryAudits(window, nextLink);
      events.push(...page.items);
      nextLink = page.nextLink;
    } while (nextLink !== undefined);

    expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
    expect(events.map((event) => event.activityDateTime)).toEqual(events.map((event) => event.activityDateTime).toSorted());
    for (const event of events) expect(JSON.parse(event.raw)).toMatchObject({ id: event.id, activityDateTime: event.activityDateTime });
    const names = events.filter((event) => event.raw.includes(groupId)).map((event) => (JSON.parse(event.raw) as { activityDisplayName: string }).activityDisplayName);
    expect(names).toEqual(expect.arrayContaining(['Add member to role completed (PIM activation)', 'Add member to group', 'Remove member from group']));
  });
});
