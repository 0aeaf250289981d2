import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { activationRules } from '../pim/rules.ts';
import type { Tenant } from '../tenant.ts';
import { randomFrom } from './random.ts';
import { demoHistoryBefore, seedTenant } from './seed.ts';

const NOW = new Date('2026-03-02T09:00:00.000Z');
const DAY_MS = 86_400_000;

const demo = (now = NOW): Tenant => {
  const random = randomFrom('a test');
  return seedTenant('demo', now, () => random.guid());
};

const Entry = z.object({
  id: z.string().min(1),
  category: z.enum(['GroupManagement', 'ApplicationManagement']),
  correlationId: z.guid(),
  result: z.enum(['success', 'failure']),
  activityDateTime: z.string(),
  activityDisplayName: z.string(),
  loggedByService: z.enum(['PIM', 'Core Directory']),
  initiatedBy: z.object({ user: z.object({ displayName: z.string() }).nullable(), app: z.object({ displayName: z.string() }).nullable() }),
  targetResources: z.array(z.object({ type: z.string(), id: z.string().nullable() })).min(1),
  additionalDetails: z.array(z.object({ key: z.string(), value: z.string() })),
});
type Entry = z.infer<typeof Entry>;

const entriesOf = (tenant: Tenant): Entry[] => tenant.directoryAudits.map(({ entry }) => Entry.parse(entry));
const target = (entry: Entry, type: string): string | null | undefined => entry.targetResources.find((one) => one.type === type)?.id;
const detail = (entry: Entry, key: string): string | undefined => entry.additionalDetails.find((one) => one.key === key)?.value;

describe('the demo tenant', () => {
  test('is the same for the same time and ids, but for the secret', () => {
    const [one, other] = [demo(), demo()];
    for (const tenant of [one, other]) for (const application of tenant.applications) if (application.registration) application.registration.secret = '';
    expect(one).toEqual(other);
    expect(JSON.parse(JSON.stringify(one))).toEqual(one);
  });

  test('has the cast, in their roles', () => {
    const tenant = demo();
    const person = (name: string) => tenant.users.find((user) => user.displayName === name);
    expect(tenant.users.length).toBeGreaterThanOrEqual(40);
    expect(tenant.groups).toHaveLength(12);
    expect(person('Maya Lindqvist')?.directoryRoles).toEqual(['Privileged Role Administrator', 'Groups Administrator', 'Application Administrator', 'Global Secure Access Administrator', 'Authentication Administrator']);
    expect(person('Ines Moreau')?.directoryRoles).toEqual(['Global Reader', 'Reports Reader']);
    expect(person('Łukasz Wójcik')?.userPrincipalName).toBe('lukasz.wojcik@contoso.example');
    expect(tenant.users.filter((user) => !user.accountEnabled)).toHaveLength(1);
    expect(tenant.users.filter((user) => user.userType === 'Guest')).toHaveLength(2);
    expect(new Set(tenant.users.map((user) => user.userPrincipalName)).size).toBe(tenant.users.length);
    for (const user of tenant.users) expect(user.userPrincipalName).toMatch(/^[a-z0-9._#A-Z-]+@contoso\.example$/);

    const portal = tenant.applications.find((application) => application.registration !== null);
    const principal = tenant.servicePrincipals.find((one) => one.appId === portal?.appId);
    const holders = tenant.appRoleAssignments.filter((one) => one.resourceId === principal?.id).map((one) => [
      tenant.users.find((user) => user.id === one.principalId)?.displayName, principal?.appRoles.find((role) => role.id === one.appRoleId)?.value,
    ]);
    expect(holders).toEqual([['Maya Lindqvist', 'SetupAdmin'], ['Ines Moreau', 'Auditor']]);
    expect(principal?.appRoleAssignmentRequired).toBe(false);
  });

  test('names nothing that is not there', () => {
    const tenant = demo();
    const principals = new Set([...tenant.users, ...tenant.groups].map(({ id }) => id));
    const groups = new Set(tenant.groups.map(({ id }) => id));
    const resources = new Map(tenant.servicePrincipals.map((one) => [one.id, one]));
    for (const group of tenant.groups) for (const id of [...group.memberIds, ...group.ownerIds]) expect(principals).toContain(id);
    for (const application of tenant.applications) {
      expect(tenant.servicePrincipals.filter((one) => one.appId === application.appId)).toHaveLength(1);
      if (application.onPremisesPublishing) expect(tenant.connectorGroups.map(({ id }) => id)).toContain(application.connectorGroupId);
    }
    for (const assignment of tenant.appRoleAssignments) {
      expect(principals).toContain(assignment.principalId);
      expect(resources.get(assignment.resourceId)?.appRoles.map(({ id }) => id)).toContain(assignment.appRoleId);
    }
    for (const group of tenant.groups) expect(tenant.pim.policies.filter((policy) => policy.groupId === group.id)).toHaveLength(group.onboardedToPimAt === null ? 0 : 2);
    for (const policy of tenant.pim.policies) {
      expect(policy.rules).toHaveLength(17);
      for (const approver of activationRules(policy).approvers ?? []) expect(principals).toContain(approver.userId);
    }
    const requests = new Set(tenant.pim.requests.map(({ id }) => id));
    expect(requests.size).toBe(tenant.pim.requests.length);
    for (const thing of [...tenant.pim.requests, ...tenant.pim.schedules]) {
      expect(principals).toContain(thing.principalId);
      expect(groups).toContain(thing.groupId);
    }
    for (const approval of tenant.pim.approvals) expect(requests).toContain(approval.requestId);
    for (const entry of entriesOf(tenant)) {
      if (target(entry, 'User') !== undefined) expect(principals).toContain(target(entry, 'User'));
      if (target(entry, 'Group') !== undefined) expect(groups).toContain(target(entry, 'Group'));
    }
  });

  test('has nobody active but who stands outside PIM, and nothing due', () => {
    const tenant = demo();
    expect(tenant.pim.schedules.filter(({ kind }) => kind === 'assignment')).toEqual([]);
    expect(tenant.pim.requests.filter(({ dueAt }) => dueAt !== null)).toEqual([]);
    expect(tenant.pim.requests.filter(({ status }) => /^Pending|Granted/.test(status))).toEqual([]);
    const secure = tenant.groups.filter(({ onboardedToPimAt }) => onboardedToPimAt !== null);
    expect(secure).toHaveLength(6);
    expect(secure.flatMap(({ memberIds }) => memberIds)).toHaveLength(2);
    for (const schedule of tenant.pim.schedules) if (schedule.endDateTime !== null) expect(Date.parse(schedule.endDateTime)).toBeGreaterThan(NOW.getTime());
    expect(tenant.pim.schedules.filter(({ endDateTime }) => endDateTime !== null && Date.parse(endDateTime) < NOW.getTime() + 10 * DAY_MS)).toHaveLength(1);
  });

  test('remembers 30 days, with a weekend quieter than a working day', () => {
    const entries = entriesOf(demo());
    const asked = entries.filter((entry) => entry.activityDisplayName === 'Add member to role requested (PIM activation)');
    expect(asked.length).toBeGreaterThan(150);
    for (const entry of entries) {
      expect(entry.activityDateTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
      expect(Date.parse(entry.activityDateTime)).toBeLessThan(NOW.getTime());
      expect(Date.parse(entry.activityDateTime)).toBeGreaterThanOrEqual(NOW.getTime() - 30 * DAY_MS);
    }
    expect(entries.map((entry) => entry.activityDateTime)).toEqual(entries.map((entry) => entry.activityDateTime).toSorted());
    const weekend = asked.filter((entry) => [0, 6].includes(new Date(entry.activityDateTime).getUTCDay()));
    expect(weekend.length / 8).toBeLessThan((asked.length - weekend.length) / 22 / 5);
  });

  test.each(['2026-03-01T12:00:00Z', '2026-03-05T20:00:00Z', '2026-11-23T23:59:59Z', '2024-02-29T00:00:00Z'])('can begin at %s', (at) => {
    const tenant = demo(new Date(at));
    expect(tenant.directoryAudits.length).toBeGreaterThan(500);
    for (const entry of entriesOf(tenant)) expect(Date.parse(entry.activityDateTime)).toBeGreaterThanOrEqual(Date.parse(at) - 30 * DAY_MS);
    expect(demoHistoryBefore(tenant, new Date(at), 6).length).toBeGreaterThan(4000);
  });

  test('the months before fit on, without a gap, a repetition, or an end that had no beginning', () => {
    const tenant = demo();
    const before = demoHistoryBefore(tenant, NOW, 6).map((entry) => Entry.parse(entry));
    const all = [...before, ...entriesOf(tenant)];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(before.map((entry) => entry.activityDateTime)).toEqual(before.map((entry) => entry.activityDateTime).toSorted());
    expect(demoHistoryBefore(tenant, NOW, 6).map((entry) => Entry.parse(entry))).toEqual(before);

    for (const [name, entries] of [['all', all], ['kept', entriesOf(tenant)]] as const) {
      const asked = new Set<string | undefined>();
      const open = new Set<string>();
      for (const entry of entries.toSorted((a, b) => (a.activityDateTime < b.activityDateTime ? -1 : 1))) {
        const request = detail(entry, 'RequestId');
        const person = `${String(target(entry, 'Group'))} ${String(target(entry, 'User'))}`;
        switch (entry.activityDisplayName) {
          case 'Add member to role requested (PIM activation)': asked.add(request); break;
          case 'Add member to role completed (PIM activation)':
            expect(asked, name).toContain(request);
            expect(open, name).not.toContain(person);
            open.add(person);
            break;
          case 'Add member to role request approved (PIM activation)':
          case 'Add member to role request denied (PIM activation)':
          case 'Add member to role canceled (PIM activation)':
          case 'PIM activation request expired':
            expect(asked, name).toContain(request);
            break;
          case 'Remove member from role (PIM activation expired)':
            expect(asked, name).toContain(detail(entry, 'RoleAssignmentRequestId'));
            expect(open.delete(person), name).toBe(true);
            break;
          case 'Remove member from role completed (PIM deactivate)':
            expect(open.delete(person), name).toBe(true);
            break;
          default:
        }
      }
      expect([...open], name).toEqual([]);
    }
    const months = before.filter((entry) => entry.activityDisplayName === 'Add member to role requested (PIM activation)').length / 6;
    expect(months).toBeGreaterThan(200);
    expect(months).toBeLessThan(320);
    expect(new Set(before.map((entry) => entry.activityDisplayName))).toContain('Onboarded resource to PIM');
  });

  test('nobody decided their own request', () => {
    const { requests, approvals } = demo().pim;
    const decided = approvals.filter(({ stage }) => stage.reviewedById !== null);
    expect(decided.length).toBeGreaterThan(3);
    for (const { requestId, stage } of decided) expect(requests.find(({ id }) => id === requestId)?.principalId).not.toBe(stage.reviewedById);
  });

  test('each change of membership by PIM stands in the log twice: once by PIM, once by the directory', () => {
    const entries = entriesOf(demo());
    const count = (...names: readonly string[]): number => entries.filter((entry) => names.includes(entry.activityDisplayName)).length;
    expect(count('Add member to group')).toBe(count('Add member to role completed (PIM activation)'));
    expect(count('Remove member from group')).toBe(count('Remove member from role completed (PIM deactivate)', 'Remove member from role (PIM activation expired)'));
  });

  test('requests of the last days that Graph lists are those of the log', () => {
    const tenant = demo();
    const logged = new Map(entriesOf(tenant).filter((entry) => entry.activityDisplayName === 'Add member to role requested (PIM activation)').map((entry) => [detail(entry, 'RequestId'), entry]));
    const listed = tenant.pim.requests.filter(({ action }) => action === 'selfActivate');
    expect(listed.length).toBeGreaterThan(20);
    for (const request of listed) expect(target(logged.get(request.id) ?? expect.fail(), 'User')).toBe(request.principalId);
  });

  test('is there in no time', () => {
    demo();
    const began = performance.now();
    demo();
    // 25 ms on an idle machine; this is for a slip into something quadratic.
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

test('the empty tenant has its administrator, the portal and Quick Access', () => {
  const tenant = seedTenant('empty', NOW);
  expect(tenant.users.map((user) => user.displayName)).toEqual(['Maya Lindqvist']);
  expect(tenant.applications.map((application) => application.displayName)).toEqual(['Quick Access', 'Gatehouse']);
  expect(tenant.groups).toEqual([]);
  expect(tenant.directoryAudits).toEqual([]);
});

test('a seed that nobody wrote is refused by name', () => {
  expect(() => seedTenant('moon', NOW)).toThrow('There is no seed "moon": demo and empty are known.');
});
