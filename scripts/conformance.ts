/**
 * Holds what the portal says to Graph, and what the emulated tenant answers, against Microsoft's published contract: plays
 * the journey and every call of the Graph layer with the emulator's journal on, and checks each request and answer.
 * The contract is in `../shared/graph`; where it is not there, this says so and passes.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_DELAYS, startEmulator } from '@gatehouse/entra-emulator';
import type { Graph } from '@gatehouse/graph';
import { pino } from 'pino';
import { z } from 'zod';
import { startPortal } from '../apps/api/src/compose.ts';
import { parseConfig } from '../apps/api/src/config.ts';
import { ANA, MAYA, OMAR, startTenant } from '../packages/graph/test/emulated-tenant.ts';
import { readGraphContract, RecordedCall } from '../testing/graph-contract.ts';
import { DEVIATIONS } from '../testing/graph-deviations.ts';

const root = join(import.meta.dirname, '..');

async function journalOf(url: string): Promise<RecordedCall[]> {
  return z.array(RecordedCall).parse(await (await fetch(`${url}/_emulator/journal`)).json());
}

async function journey(): Promise<RecordedCall[]> {
  await using stack = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-conformance-'));
  stack.defer(() => { rmSync(dataDir, { recursive: true, force: true }); });
  const emulator = await startEmulator({ port: 0, seed: 'demo', delays: DEMO_DELAYS });
  stack.defer(() => emulator.close());
  const portal = await startPortal(parseConfig({ PORT: '0', DATA_DIR: dataDir, EMULATOR_URL: emulator.url }), pino({ level: 'silent' }));
  stack.defer(() => portal.stop());
  const child = spawn(process.execPath, ['scripts/journey.ts', '--portal', portal.url], { cwd: root, stdio: 'inherit' });
  const [code] = await once(child, 'exit') as [number | null];
  assert.equal(code, 0, 'the journey does not hold');
  return await journalOf(emulator.url);
}

const SETUP = [
  'User.Read', 'User.ReadBasic.All', 'Group.ReadWrite.All', 'PrivilegedAccess.Read.AzureADGroup', 'PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup',
  'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup', 'RoleManagementPolicy.ReadWrite.AzureADGroup', 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All',
  'Directory.Read.All', 'Directory.ReadWrite.All', 'AuthenticationContext.Read.All', 'NetworkAccess.Read.All', 'User.RevokeSessions.All',
];
const ACCESS = ['User.Read', 'PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup', 'User.RevokeSessions.All'];

/** Calls every function of every port at least once; one that is forgotten is found by its name. */
async function everyCall(): Promise<RecordedCall[]> {
  await using tenant = await startTenant();
  const called = new Set<string>();
  const watched = (graph: Graph): Graph => watch(graph, '', called) as Graph;
  const [maya, ana, omar, portal] = [watched(await tenant.as(MAYA, SETUP)), watched(await tenant.as(ANA, ACCESS)), watched(await tenant.as(OMAR, ACCESS)), watched(await tenant.asPortal())];
  const now = '2026-03-02T09:00:00Z';

  const me = await ana.directory.me();
  const owner = await maya.directory.me();
  const approver = await omar.directory.me();
  await maya.directory.organization();
  await maya.directory.myRoles();
  await maya.directory.servicePlans();
  await maya.directory.searchUsers('an', 5);
  await maya.directory.searchGroups('Fin', 5);
  const { group } = await maya.directory.ensureGroup({ uniqueName: 'conformance-group', displayName: 'Conformance-Reader-SecureAccess', mailNickname: 'Conformance-Reader-SecureAccess', description: 'Made by a check', ownerIds: [owner.id] });
  await maya.directory.ensureGroup({ uniqueName: 'conformance-group', displayName: 'Conformance-Reader-SecureAccess', mailNickname: 'Conformance-Reader-SecureAccess', ownerIds: [owner.id] });
  await maya.directory.group(group.id);
  await maya.directory.groupByUniqueName('conformance-group');
  await maya.directory.groupByMailNickname('Conformance-Reader-SecureAccess');
  await maya.directory.names([me.id, group.id]);
  await maya.directory.usersByPrincipalName([approver.userPrincipalName, owner.userPrincipalName]);
  await maya.directory.groupsByName(['Conformance-Reader-SecureAccess']);
  await maya.applications.applicationsByNames(['Finance reports', 'Payroll']);
  await maya.directory.nestedGroups(group.id);
  await maya.directory.group('00000000-0000-4000-8000-000000000000');
  await ana.directory.isMember(me.id, group.id);
  await portal.directory.signInsValidFrom(me.id);
  await tenant.advance('PT2M');

  await maya.pim.onboardedGroups();
  const policy = await maya.pim.policy(group.id, 'member');
  await maya.pim.updatePolicy(policy.policyId, policy.rules.map((rule) => (rule.id === 'Approval_EndUser_Assignment' ? approvedBy(rule, approver.id) : rule)));
  await maya.pim.assignEligible({ groupId: group.id, principalId: me.id, expiry: { startsAt: now, endsAt: '2026-06-02T09:00:00Z' }, justification: 'Conformance' });
  await tenant.advance('PT1M');
  await maya.pim.eligibilities(group.id);
  await maya.pim.eligibilitySchedules(group.id);
  await maya.pim.assignments(group.id);
  await maya.pim.assignmentSchedules(group.id);
  await maya.pim.eligibilityRequests(group.id);
  await maya.pim.assignmentRequests(group.id);
  // As the mirror reads them: by the portal itself, with what it may read alone.
  await Promise.all([portal.together.pim.eligibilities(group.id), portal.together.pim.eligibilitySchedules(group.id), portal.together.pim.assignments(group.id), portal.together.pim.assignmentSchedules(group.id), portal.together.pim.eligibilityRequests(group.id), portal.together.pim.assignmentRequests(group.id)]);
  await tenant.advance('PT6M');
  await maya.pim.assignEligible({ groupId: group.id, principalId: me.id, expiry: { startsAt: now, endsAt: '2026-07-02T09:00:00Z' }, justification: 'Longer', replaces: true });
  await tenant.advance('PT1M');
  await ana.pim.mine.eligibilities();
  await ana.pim.mine.eligibilitySchedules();
  await ana.pim.mine.assignments();
  await ana.pim.mine.validate({ principalId: me.id, groupId: group.id, startsAt: '2026-03-02T09:10:00Z', duration: 'PT30M', justification: 'Conformance' });
  const first = await ana.pim.mine.activate({ principalId: me.id, groupId: group.id, startsAt: '2026-03-02T09:10:00Z', duration: 'PT30M', justification: 'Conformance', ticket: { number: 'CHG1', system: 'Desk' } });
  await ana.pim.mine.request(first.id);
  await ana.pim.mine.cancel(first.id);
  const second = await ana.pim.mine.activate({ principalId: me.id, groupId: group.id, startsAt: '2026-03-02T09:10:00Z', duration: 'PT30M', justification: 'Conformance' });
  await ana.pim.mine.requests();
  const [pending] = await omar.approvals.pendingForMe();
  const approval = await omar.approvals.approval(second.approvalId ?? pending?.approvalId ?? '');
  await omar.approvals.decide(approval?.id ?? '', approval?.stages[0]?.id ?? '', 'Approve', 'Conformance');
  await tenant.advance('PT6M');
  await ana.pim.mine.deactivate({ principalId: me.id, groupId: group.id });
  await tenant.advance('PT1M');
  await ana.pim.mine.validate({ principalId: me.id, groupId: group.id, startsAt: now, duration: 'PT30M', justification: 'Conformance' });
  await maya.pim.assignEligible({ groupId: group.id, principalId: me.id, expiry: { startsAt: now, endsAt: '2026-03-09T09:00:00Z' }, justification: 'Ends soon', replaces: true });
  await tenant.advance('PT1M');
  const wish = await ana.pim.mine.askForEligibility({ principalId: me.id, groupId: group.id, action: 'selfExtend', startsAt: now, endsAt: '2026-06-09T09:00:00Z', justification: 'Still on the rota' });
  await ana.pim.mine.eligibilityRequests();
  await ana.pim.mine.cancelEligibilityRequest(wish.id);
  await tenant.advance('PT6M');

  const [connectors] = await maya.applications.connectorGroups();
  await maya.applications.connectorGroupsInUse();
  await maya.applications.privateAccess();
  await maya.applications.searchEnterprise('a', 5);
  const made = await maya.applications.instantiate('Conformance application');
  await tenant.advance('PT1M');
  await maya.applications.publish(made.appId, { displayName: 'Conformance application', connectorGroupId: connectors?.id ?? '' });
  await maya.applications.addSegment(made.appId, { destinationHost: 'conformance.corp.contoso.example', destinationType: 'fqdn', ports: ['443-443'], protocol: 'tcp' });
  await maya.applications.connectorGroupOf(made.appId);
  await maya.applications.segments(made.appId);
  await maya.applications.segmentsOfAll([made.appId]);
  await maya.applications.application(made.servicePrincipalId);
  await maya.applications.privateAccessByName('Conformance application');
  await maya.applications.applicationsByName('Conformance application');
  await maya.applications.requireAssignment(made.servicePrincipalId, true);
  const assignment = await maya.applications.assignGroup({ groupId: group.id, servicePrincipalId: made.servicePrincipalId, appRoleId: made.assignableRoleId });
  await maya.applications.assignmentsOf(made.servicePrincipalId);
  await maya.applications.assignmentsOfGroup(group.id);
  await maya.network.privateAccessProfile();
  await maya.conditionalAccess.authenticationContexts();
  await portal.audits.directoryAudits({ from: '2026-02-20T00:00:00Z', to: now });
  await portal.traffic.privateTraffic({ from: '2026-02-20T00:00:00Z', to: now });

  await maya.pim.policy(group.id, 'owner');
  await maya.pim.policies(group.id);
  await maya.directory.addOwner(group.id, approver.id);
  await maya.directory.owners(group.id);
  await maya.directory.removeOwner(group.id, approver.id);
  await maya.directory.members(group.id);
  await maya.directory.removeMember(group.id, approver.id);
  await maya.pim.removeActive({ groupId: group.id, principalId: approver.id, justification: 'Conformance' });
  await maya.pim.removeEligible({ groupId: group.id, principalId: me.id, justification: 'Conformance' });
  const [segment] = await maya.applications.segments(made.appId);
  await maya.applications.unassign(assignment);
  await maya.applications.removeSegment(made.appId, segment?.id ?? '');
  await maya.applications.deleteApplication(made.appId);
  await maya.directory.deleteGroup(group.id);

  // The other two paces say the same calls, several in one $batch.
  await Promise.all([maya.together.directory.me(), maya.together.applications.privateAccess()]);
  await Promise.all([maya.inOrder.applications.deleteApplication(made.appId), maya.inOrder.directory.deleteGroup(group.id)]);

  await ana.directory.revokeSignIns('me');
  await maya.directory.revokeSignIns(me.id);

  const { together: _together, inOrder: _inOrder, ...eachAlone } = maya;
  const missed = [...functionsOf(eachAlone, '')].filter((name) => !called.has(name));
  assert.deepEqual(missed, [], 'functions of the Graph layer that this check does not call');
  return await journalOf(tenant.url);
}

function approvedBy(rule: { readonly id: string }, userId: string): { readonly id: string } {
  const setting = (rule as { setting?: Record<string, unknown> }).setting ?? {};
  const [stage] = (setting['approvalStages'] ?? []) as Record<string, unknown>[];
  return { ...rule, setting: { ...setting, isApprovalRequired: true, approvalStages: [{ ...stage, primaryApprovers: [{ '@odata.type': '#microsoft.graph.singleUser', userId, description: 'Approver' }] }] } } as { readonly id: string };
}

function watch(value: unknown, path: string, called: Set<string>): unknown {
  if (typeof value === 'function') return (...args: unknown[]) => { called.add(path); return (value as (...all: unknown[]) => unknown)(...args); };
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, watch(one, path === '' ? key : `${path}.${key}`, called)]));
}

function functionsOf(value: unknown, path: string): string[] {
  if (typeof value === 'function') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => functionsOf(one, path === '' ? key : `${path}.${key}`));
}

const contract = readGraphContract(join(root, '../shared/graph'));
if (!contract) {
  console.log('The published contract (../shared/graph) is not here: nothing was checked.');
} else {
  const calls = [...await everyCall(), ...await journey()];
  const unknown = new Map<string, number>();
  const known = new Map<string, number>();
  const operations = new Set<string>();
  let differing = 0;
  for (const call of calls) {
    const { operation, differences } = contract.check(call);
    operations.add(operation);
    const open = differences.filter((difference) => {
      const deviation = DEVIATIONS.find(({ in: where, differs }) => where.test(operation) && differs.test(difference));
      if (deviation) known.set(deviation.because, (known.get(deviation.because) ?? 0) + 1);
      return !deviation;
    });
    if (open.length > 0) differing += 1;
    for (const difference of open) unknown.set(`${operation} (${call.status}): ${difference}`, (unknown.get(`${operation} (${call.status}): ${difference}`) ?? 0) + 1);
  }
  for (const [text, count] of unknown) console.log(`✗ ${text} (${count}×)`);
  const unused = DEVIATIONS.filter(({ because }) => !known.has(because));
  for (const { because } of unused) console.log(`✗ a deviation that no call shows any more: ${because}`);
  for (const [because, count] of known) console.log(`· known: ${because} (${count}×)`);
  console.log(`${calls.length} calls of ${operations.size} operations: ${calls.length - differing} as published, ${differing} not.`);
  process.exitCode = differing === 0 && unused.length === 0 ? 0 : 1;
}
