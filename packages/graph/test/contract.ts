import { GraphError, MFA_CLAIMS } from '@gatehouse/graph';
import type { Graph, PolicyRule, RawAuditEvent } from '@gatehouse/graph';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

export const SETUP = [
  'User.Read', 'User.ReadBasic.All', 'Group.ReadWrite.All', 'PrivilegedAccess.Read.AzureADGroup', 'PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup',
  'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup', 'RoleManagementPolicy.ReadWrite.AzureADGroup', 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All',
  'Directory.Read.All', 'Directory.ReadWrite.All', 'AuthenticationContext.Read.All', 'NetworkAccess.Read.All',
];
const ACCESS = ['User.Read', 'PrivilegedEligibilitySchedule.Read.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup'];

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

/** A tenant in which the contract is played: the emulated one, or Microsoft's. */
export interface Stage extends AsyncDisposable {
  readonly people: { readonly admin: string; readonly analyst: string; readonly approver: string };
  /** Beginning of the name of everything that is made, by which it is known as the test's own. */
  readonly mark: string;
  as(upn: string, scopes: readonly string[], claims?: Record<string, unknown>): Promise<Graph>;
  asPortal(): Promise<Graph>;
  /** The mail address that the tenant has of somebody, read past what is tested here. */
  mail(upn: string): Promise<string | undefined>;
  /** Entra's time. */
  now(): Date;
  /** Lets so many minutes pass. */
  pass(minutes: number): Promise<void>;
  /** Does it until it holds; where time stands still, once. */
  eventually<T>(look: () => Promise<T>): Promise<T>;
  /** How long an event may take until the audit log shows it, in minutes. */
  readonly auditMinutes: number;
}

/** The procedure, said to Graph call by call. The steps build on each other, and use nothing but what they make. Each has so much real time. */
export function contract(where: string, start: () => Promise<Stage>, timeoutMs = 60_000): void {
  describe(`the whole procedure, said to ${where}`, { timeout: timeoutMs }, () => {
    let stage: Stage;
    let admin: Graph;
    let analyst: Graph;
    let approver: Graph;
    let portal: Graph;
    let began = new Date(0);
    let groupId = '';
    let analystId = '';
    let approverId = '';
    let application = { appId: '', servicePrincipalId: '' };
    const inDays = (days: number): string => new Date(began.getTime() + days * 86_400_000).toISOString();
    const activation = () => ({ principalId: analystId, groupId, startsAt: stage.now().toISOString(), duration: 'PT1H', justification: 'Month-end close' });

    beforeAll(async () => {
      stage = await start();
      began = stage.now();
      admin = await stage.as(stage.people.admin, SETUP);
      analyst = await stage.as(stage.people.analyst, ACCESS);
      approver = await stage.as(stage.people.approver, ACCESS);
      portal = await stage.asPortal();
    }, timeoutMs);
    afterAll(async () => stage[Symbol.asyncDispose](), timeoutMs);

    test('people and the organization are found', async () => {
      const me = await analyst.directory.me();
      analystId = me.id;
      approverId = (await approver.directory.me()).id;
      expect(me.userPrincipalName.toLowerCase()).toBe(stage.people.analyst.toLowerCase());
      expect((await admin.directory.searchUsers(me.displayName, 5)).map(({ id }) => id)).toContain(analystId);
      expect((await admin.directory.organization()).id).toMatch(/^[0-9a-f-]{36}$/);
      // Groups Administrator, Privileged Role Administrator and Application Administrator are what the procedure asks for; or one that is all of them.
      for (const role of await admin.directory.myRoles()) expect(role).toMatch(/^[0-9a-f-]{36}$/);
      expect([...await admin.directory.myRoles()]).not.toEqual([]);
      for (const plan of await admin.directory.servicePlans()) expect(plan).not.toBe('');
      expect(await admin.directory.names([analystId, '00000000-0000-4000-8000-000000000000'])).toEqual(
        new Map([[analystId, { kind: 'user', displayName: me.displayName, userPrincipalName: me.userPrincipalName, mail: await stage.mail(stage.people.analyst) }]]),
      );
    });

    test('a group is created once', async () => {
      const name = `${stage.mark}-SeniorAnalyst-SecureAccess`;
      const wish = { uniqueName: `gatehouse-${name}`.toLowerCase(), displayName: name, mailNickname: name, ownerIds: [(await admin.directory.me()).id] };
      const first = await admin.directory.ensureGroup(wish);
      groupId = first.group.id;
      expect(first).toMatchObject({ created: true, group: { displayName: name, securityEnabled: true, mailEnabled: false, dynamicMembership: false } });
      expect(await stage.eventually(() => admin.directory.ensureGroup(wish))).toEqual({ created: false, group: first.group });
      expect(await stage.eventually(() => admin.directory.groupByMailNickname(name))).toEqual(first.group);
      expect(await admin.directory.group(groupId)).toEqual(first.group);
      expect(await admin.directory.groupByUniqueName(`${wish.uniqueName}-nothing`)).toBeUndefined();
      expect(await admin.directory.nestedGroups(groupId)).toEqual([]);
    });

    test('its policy is changed in one call, and its id changes with it', async () => {
      await stage.pass(2);
      const before = await stage.eventually(() => admin.pim.policy(groupId, 'member'));
      expect(before.rules).toHaveLength(17);
      await admin.pim.updatePolicy(before.policyId, [
        changed(before.rules, 'Expiration_EndUser_Assignment', { maximumDuration: 'PT2H' }),
        changed(before.rules, 'Enablement_EndUser_Assignment', { enabledRules: ['Justification', 'MultiFactorAuthentication'] }),
      ]);
      const after = await stage.eventually(async () => {
        const policy = await admin.pim.policy(groupId, 'member');
        expect(policy.rules.find((rule) => rule.id === 'Expiration_EndUser_Assignment')).toMatchObject({ maximumDuration: 'PT2H' });
        return policy;
      });
      expect(after.policyId).not.toBe(before.policyId);
      expect(await admin.pim.policies(groupId)).toEqual({ member: after, owner: await admin.pim.policy(groupId, 'owner') });
      await stage.eventually(async () => { expect(await admin.pim.onboardedGroups()).toContain(groupId); });
      expect((await failureOf(admin.pim.updatePolicy(before.policyId, []))).failure).toBe('not-found');
    });

    test('people become eligible, once', async () => {
      const wish = { groupId, principalId: analystId, expiry: { startsAt: began.toISOString(), endsAt: inDays(90) }, justification: 'Team' };
      expect(await admin.pim.assignEligible(wish)).toMatchObject({ groupId, principalId: analystId, accessId: 'member', action: 'adminAssign' });
      await stage.pass(1);
      await stage.eventually(async () => { expect(await admin.pim.eligibilities(groupId)).toMatchObject([{ principalId: analystId, memberType: 'direct', endsAt: expect.stringContaining(inDays(90).slice(0, 16)) }]); });
      expect(await failureOf(admin.pim.assignEligible(wish))).toMatchObject({ failure: 'conflict', details: { code: 'RoleAssignmentExists' } });
      expect(await failureOf(admin.pim.assignEligible({ ...wish, principalId: approverId, expiry: { startsAt: began.toISOString() } }))).toMatchObject({ failure: 'policy', details: { failedRules: ['ExpirationRule'] } });
    });

    test('an application is made, published, assigned and given a destination', async () => {
      const name = `${stage.mark}-Treasury's ledger`;
      const [connectors] = await admin.applications.connectorGroups();
      const made = await admin.applications.instantiate(name);
      application = made;
      await stage.pass(1);
      await stage.eventually(() => admin.applications.publish(made.appId, { displayName: name, connectorGroupId: connectors?.id ?? '' }));
      const host = `${stage.mark}.corp.contoso.example`.toLowerCase();
      const segment = await stage.eventually(() => admin.applications.addSegment(made.appId, { destinationHost: host, destinationType: 'fqdn', ports: ['443-443'], protocol: 'tcp' }));
      expect(await admin.applications.segments(made.appId)).toEqual([segment]);
      expect((await admin.applications.connectorGroupsInUse()).filter(({ applications }) => applications.includes(made.appId))).toMatchObject([{ ...connectors }]);
      expect(await admin.applications.segmentsOfAll([made.appId])).toEqual(new Map([[made.appId, [segment]]]));
      const found = await stage.eventually(async () => {
        const application = await admin.applications.privateAccessByName(name);
        expect(application).toMatchObject({ servicePrincipalId: made.servicePrincipalId, kind: 'per-app', enabled: true });
        return application;
      });
      await stage.eventually(async () => { expect((await admin.applications.privateAccess()).map(({ appId }) => appId)).toContain(made.appId); });
      await admin.applications.requireAssignment(made.servicePrincipalId, true);
      await stage.eventually(async () => { expect(await admin.applications.application(made.servicePrincipalId)).toMatchObject({ assignmentRequired: true }); });

      const wish = { groupId, servicePrincipalId: made.servicePrincipalId, appRoleId: found?.assignableRoleId ?? '' };
      const assignment = await admin.applications.assignGroup(wish);
      expect(assignment).toMatchObject({ principalId: groupId, principalType: 'Group', servicePrincipalId: made.servicePrincipalId });
      expect((await failureOf(admin.applications.assignGroup(wish))).failure).toBe('conflict');
      await stage.eventually(async () => { expect((await admin.applications.assignmentsOf(made.servicePrincipalId)).map(({ principalId }) => principalId)).toContain(groupId); });
      await stage.eventually(async () => { expect((await admin.applications.assignmentsOfGroup(groupId)).map(({ id }) => id)).toEqual([assignment.id]); });
      expect((await admin.applications.searchEnterprise(stage.mark, 5)).map(({ kind }) => kind)).not.toContain('per-app');
    });

    test('the network and the authentication contexts are read', async () => {
      expect(['enabled', 'disabled']).toContain((await admin.network.privateAccessProfile()).state);
      expect(Array.isArray(await admin.conditionalAccess.authenticationContexts())).toBe(true);
    });

    test('an analyst activates with a second factor, is a member, and ends it', async () => {
      await stage.eventually(async () => { expect((await analyst.pim.mine.eligibilities()).map((eligibility) => eligibility.groupId)).toContain(groupId); });
      expect(await failureOf(analyst.pim.mine.activate({ ...activation(), duration: 'PT3H' }))).toMatchObject({ failure: 'policy', details: { failedRules: expect.arrayContaining(['ExpirationRule']) } });
      expect(await failureOf(analyst.pim.mine.activate(activation()))).toMatchObject({ failure: 'step-up-needed', details: { claims: MFA_CLAIMS } });

      analyst = await stage.as(stage.people.analyst, ACCESS, JSON.parse(MFA_CLAIMS) as Record<string, unknown>);
      const request = await analyst.pim.mine.activate(activation());
      expect(['PendingProvisioning', 'Provisioned']).toContain(request.status);
      await stage.pass(1);
      await stage.eventually(async () => { expect(await analyst.pim.mine.request(request.id)).toMatchObject({ id: request.id, status: 'Provisioned', justification: 'Month-end close', duration: 'PT1H' }); });
      expect(await analyst.pim.mine.request('00000000-0000-4000-8000-000000000000')).toBeUndefined();
      expect((await analyst.pim.mine.assignments()).filter((assignment) => assignment.groupId === groupId)).toMatchObject([{ assignmentType: 'activated', memberType: 'direct' }]);
      await stage.eventually(async () => { expect(await admin.directory.isMember(analystId, groupId)).toBe(true); });
      // The portal itself reads what was given and what was asked, with what it may read alone.
      const own = await stage.asPortal();
      expect(await own.pim.assignmentSchedules(groupId)).toMatchObject([{ principalId: analystId, assignmentType: 'activated', accessId: 'member' }]);
      expect(await own.pim.assignmentRequests(groupId)).toMatchObject([{ id: request.id, action: 'selfActivate', status: 'Provisioned', createdBy: analystId }]);
      expect((await own.pim.eligibilityRequests(groupId)).map(({ principalId, action, status }) => [principalId, action, status])).toContainEqual([analystId, 'adminAssign', 'Provisioned']);
      expect(await failureOf(analyst.pim.mine.activate(activation()))).toMatchObject({ failure: 'conflict', details: { code: 'RoleAssignmentExists' } });
      expect(await failureOf(analyst.pim.mine.deactivate(activation()))).toMatchObject({ failure: 'conflict', details: { code: 'ActiveDurationTooShort' } });

      await stage.pass(5);
      expect((await analyst.pim.mine.deactivate(activation())).status).toBe('Revoked');
      await stage.pass(1);
      await stage.eventually(async () => { expect(await admin.directory.isMember(analystId, groupId)).toBe(false); });
      expect(await failureOf(analyst.pim.mine.deactivate(activation()))).toMatchObject({ failure: 'conflict', details: { code: 'RoleAssignmentDoesNotExist' } });
      expect((await admin.pim.assignmentRequests(groupId)).map((found) => found.action).sort()).toEqual(['selfActivate', 'selfDeactivate']);
      expect(await admin.pim.assignments(groupId)).toEqual([]);
    });

    test('where approval is asked for, one approver decides, and nobody twice', async () => {
      const policy = await admin.pim.policy(groupId, 'member');
      const approval = policy.rules.find((rule) => rule.id === 'Approval_EndUser_Assignment') as PolicyRule & { setting: { approvalStages: Record<string, unknown>[] } };
      const stages = approval.setting.approvalStages.map((one) => ({ ...one, primaryApprovers: [{ '@odata.type': '#microsoft.graph.singleUser', userId: approverId, description: 'The approver' }] }));
      await admin.pim.updatePolicy(policy.policyId, [{ ...approval, setting: { ...approval.setting, isApprovalRequired: true, approvalStages: stages } }]);

      const wish = { ...activation(), ticket: { number: 'CHG1', system: 'ServiceNow' } };
      const request = await stage.eventually(() => analyst.pim.mine.activate(wish));
      expect(request).toMatchObject({ status: 'PendingApproval', ticketNumber: 'CHG1', ticketSystem: 'ServiceNow' });
      expect(await failureOf(analyst.pim.mine.activate(wish))).toMatchObject({ failure: 'conflict', details: { code: 'PendingRoleAssignmentRequest' } });
      await analyst.pim.mine.cancel(request.id);
      await stage.eventually(async () => { expect((await analyst.pim.mine.request(request.id))?.status).toBe('Canceled'); });

      const again = await analyst.pim.mine.activate(wish);
      const pending = await stage.eventually(async () => {
        const found = (await approver.approvals.pendingForMe()).find(({ id }) => id === again.id);
        if (!found) throw new Error('the request does not wait for the approver yet');
        return found;
      });
      const approvalId = pending.approvalId ?? '';
      const one = (await approver.approvals.approval(approvalId))?.stages[0];
      expect(one).toMatchObject({ assignedToMe: true, status: 'InProgress', reviewResult: 'NotReviewed' });
      await approver.approvals.decide(approvalId, one?.id ?? '', 'Approve', 'Month-end');
      expect((await failureOf(approver.approvals.decide(approvalId, one?.id ?? '', 'Deny', 'No'))).failure).toBe('conflict');
      expect((await approver.approvals.approval(approvalId))?.stages[0]).toMatchObject({ status: 'Completed', reviewResult: 'Approved', justification: 'Month-end' });
      expect((await failureOf(analyst.approvals.decide(approvalId, one?.id ?? '', 'Approve', 'Mine'))).failure).toMatch(/forbidden|not-found/);
      await stage.pass(1);
      await stage.eventually(async () => { expect(await admin.directory.isMember(analystId, groupId)).toBe(true); });
    });

    test('what was made is taken back, and what is gone is no failure', async () => {
      await admin.directory.addOwner(groupId, approverId);
      await stage.eventually(async () => { expect((await admin.directory.owners(groupId)).map(({ id }) => id)).toContain(approverId); });
      await admin.directory.addOwner(groupId, approverId);
      expect((await failureOf(analyst.directory.addOwner(groupId, analystId))).failure).toBe('forbidden');
      await admin.directory.removeOwner(groupId, approverId);
      await stage.eventually(async () => { expect((await admin.directory.owners(groupId)).map(({ id }) => id)).not.toContain(approverId); });
      await admin.directory.removeOwner(groupId, approverId);

      expect(await admin.directory.members(groupId)).toContain(analystId);
      const wish = { groupId, principalId: analystId, justification: 'Taken back' };
      await admin.pim.removeEligible(wish);
      await stage.pass(1);
      await stage.eventually(async () => { expect(await admin.pim.eligibilities(groupId)).toEqual([]); });
      await admin.pim.removeEligible(wish);
      // Nobody was assigned as active, and the approver is no member: both are as wished already.
      await admin.pim.removeActive({ ...wish, principalId: approverId });
      await admin.directory.removeMember(groupId, approverId);

      const [assignment] = await admin.applications.assignmentsOfGroup(groupId);
      const [segment] = await admin.applications.segments(application.appId);
      if (!assignment || !segment) throw new Error('nothing to take back');
      for (const _twice of [1, 2]) await admin.applications.unassign(assignment);
      await stage.eventually(async () => { expect(await admin.applications.assignmentsOfGroup(groupId)).toEqual([]); });
      for (const _twice of [1, 2]) await admin.applications.removeSegment(application.appId, segment.id);
      await stage.eventually(async () => { expect(await admin.applications.segments(application.appId)).toEqual([]); });
      for (const _twice of [1, 2]) await admin.applications.deleteApplication(application.appId);
      await stage.eventually(async () => { expect(await admin.applications.application(application.servicePrincipalId)).toBeUndefined(); });
      for (const _twice of [1, 2]) await admin.directory.deleteGroup(groupId);
      await stage.eventually(async () => { expect(await admin.directory.group(groupId)).toBeUndefined(); });
    });

    test('what a token does not carry is forbidden', async () => {
      expect((await failureOf(analyst.pim.updatePolicy('any', []))).failure).toBe('forbidden');
      expect((await failureOf(analyst.directory.groupByMailNickname('any'))).failure).toBe('forbidden');
      expect((await failureOf(portal.approvals.pendingForMe())).failure).not.toBe('unexpected');
    });

    test('the log holds what happened, as it was sent, page after page', async () => {
      await stage.pass(stage.auditMinutes);
      const events: RawAuditEvent[] = [];
      let nextLink: string | undefined;
      do {
        const page = await portal.audits.directoryAudits({ from: inDays(-1), to: stage.now().toISOString() }, nextLink);
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
}
