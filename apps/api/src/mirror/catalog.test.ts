import { randomUUID } from 'node:crypto';
import { RoleSettingsAsRead } from '@gatehouse/contracts';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { GraphError, type ApplicationSegment, type AppAssignment, type Graph, type GraphApplication, type GraphGroup, type PolicyRule } from '@gatehouse/graph';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { refreshGroup, syncCatalog, type CatalogDeps } from './catalog.ts';
import { createMirror } from './mirror.ts';
import { pimEvent } from './testing.ts';

let db: TestDatabase;
let tenantId: string;
beforeAll(async () => { db = await testDatabase(); });
afterAll(async () => { await db[Symbol.asyncDispose](); });
beforeEach(() => { tenantId = randomUUID(); });

const NOW = new Date('2026-03-02T12:00:00.000Z');
const FIN = 'AAAAAAAA-0000-4000-8000-000000000001';
const HR = 'aaaaaaaa-0000-4000-8000-000000000002';
const REPORTS = 'cccccccc-0000-4000-8000-000000000001';
const WIKI = 'cccccccc-0000-4000-8000-000000000002';

const group = (id: string, displayName: string): GraphGroup => ({ id, displayName, description: `About ${displayName}`, mailEnabled: false, securityEnabled: true, dynamicMembership: false, synchronised: false, roleAssignable: false });
const application = (servicePrincipalId: string, displayName: string, kind: GraphApplication['kind']): GraphApplication => ({ servicePrincipalId, appId: `app-${servicePrincipalId}`, displayName, kind, enabled: true, assignmentRequired: true, assignableRoleId: 'role' });
const maximum = (minutes: string): PolicyRule => ({ id: 'Expiration_EndUser_Assignment', isExpirationRequired: true, maximumDuration: minutes });

/** A tenant that is a few lists, as the ports answer it. */
function smallTenant() {
  const tenant = {
    onboarded: [FIN, HR], groups: [group(FIN, 'Finance'), group(HR, 'HR')], policies: new Map<string, readonly PolicyRule[]>([[FIN, [maximum('PT30M')]], [HR, [maximum('PT1H')]]]),
    applications: [application(REPORTS, 'Finance reports', 'per-app'), application(WIKI, 'Wiki', 'enterprise')],
    segments: [{ id: 's', destinationHost: 'fin-rep.corp.contoso.example', destinationType: 'fqdn', ports: ['443-443', '3000-3010'], protocol: 'tcp' }] as ApplicationSegment[],
    assignments: [{ id: '1', principalId: FIN, principalType: 'Group', servicePrincipalId: REPORTS, appRoleId: 'r' }, { id: '2', principalId: FIN.toLowerCase(), principalType: 'Group', servicePrincipalId: WIKI, appRoleId: 'r' }, { id: '3', principalId: randomUUID(), principalType: 'User', servicePrincipalId: REPORTS, appRoleId: 'r' }] as AppAssignment[],
    refuse: undefined as GraphError | undefined,
  };
  const same = (one: string) => (other: string): boolean => one.toLowerCase() === other.toLowerCase();
  const ports: { [Port in keyof CatalogDeps['appGraph']]: Partial<Graph[Port]> } = {
    directory: { group: async (id) => tenant.groups.find((one) => same(id)(one.id)) },
    pim: {
      onboardedGroups: async () => tenant.onboarded,
      policy: async (groupId) => {
        const rules = [...tenant.policies].find(([id]) => same(groupId)(id))?.[1];
        if (!rules) throw new GraphError('not-found', 'no policy');
        return { policyId: 'p', rules };
      },
    },
    applications: {
      privateAccess: async () => tenant.applications.filter(({ kind }) => kind !== 'enterprise'),
      application: async (id) => tenant.applications.find((one) => same(id)(one.servicePrincipalId)),
      segments: async () => tenant.segments,
      segmentsOfAll: async (appIds: readonly string[]) => new Map(appIds.map((appId) => [appId, tenant.segments])),
      assignmentsOf: async (id) => {
        if (tenant.refuse) throw tenant.refuse;
        return tenant.assignments.filter((one) => same(id)(one.servicePrincipalId));
      },
      assignmentsOfGroup: async (id) => tenant.assignments.filter((one) => same(id)(one.principalId)),
    },
  };
  // The catalog asks for nothing else; what it asked for besides would fail loudly.
  return { tenant, appGraph: ports as Graph };
}

const deps = (appGraph: Graph): CatalogDeps => ({ appGraph, db, clock: { now: () => NOW }, tenantId, log: pino({ level: 'silent' }) });
const catalog = async () => ({
  groups: (await db.prisma.catalogGroup.findMany({ where: { tenantId }, orderBy: { displayName: 'asc' } })),
  applications: (await db.prisma.catalogApplication.findMany({ where: { tenantId }, orderBy: { displayName: 'asc' } })),
  assignments: (await db.prisma.catalogAssignment.findMany({ where: { tenantId } })).map((row) => `${row.groupId} ${row.servicePrincipalId}`).sort(),
});

test('groups with their settings, applications with their hosts, and who opens what', async () => {
  const { appGraph } = smallTenant();
  await syncCatalog(deps(appGraph));
  const { groups, applications, assignments } = await catalog();
  expect(groups).toMatchObject([{ groupId: FIN.toLowerCase(), displayName: 'Finance', description: 'About Finance', readAt: NOW }, { displayName: 'HR' }]);
  expect(groups.map(({ settings }) => RoleSettingsAsRead.parse(settings).activationMaxMinutes)).toEqual([30, 60]);
  expect(applications).toMatchObject([
    { displayName: 'Finance reports', kind: 'per-app', assignmentRequired: true, segments: [{ host: 'fin-rep.corp.contoso.example', ports: ['443', '3000-3010'], protocol: 'tcp' }] }, { displayName: 'Wiki', kind: 'enterprise', segments: [] },
  ]);
  expect(assignments).toEqual([`${FIN.toLowerCase()} ${REPORTS}`, `${FIN.toLowerCase()} ${WIKI}`]);
});

test('what is gone from the tenant goes from the catalog, and another tenant keeps its own', async () => {
  const { tenant, appGraph } = smallTenant();
  await syncCatalog(deps(appGraph));
  const mine = tenantId;
  tenantId = randomUUID();
  await syncCatalog(deps(appGraph));
  tenant.onboarded = [HR];
  tenant.applications = [];
  tenant.assignments = [];
  await syncCatalog(deps(appGraph));
  expect(await catalog()).toMatchObject({ groups: [{ displayName: 'HR' }], applications: [], assignments: [] });
  tenantId = mine;
  expect((await catalog()).groups).toHaveLength(2);
});

test('how it differs from what was seen last is put into the log with it, and nothing where it does not', async () => {
  const { tenant, appGraph } = smallTenant();
  let now = NOW;
  const rows = async () => (await db.pool.query<{ row: string }>(`SELECT kind || ' ' || (state IS NOT NULL) AS row FROM observation WHERE tenant_id = $1 ORDER BY batch_id, ordinal`, [tenantId])).rows.map(({ row }) => row);
  const read = async (): Promise<string[]> => {
    const before = (await rows()).length;
    await syncCatalog({ ...deps(appGraph), clock: { now: () => now } });
    now = new Date(now.getTime() + 60_000);
    return (await rows()).slice(before).sort();
  };
  expect(await read()).toEqual(['application true', 'application true', 'assignment true', 'assignment true', 'group true', 'group true', 'policy true', 'policy true', 'segments true', 'watch true']);
  expect(await read()).toEqual([]);
  tenant.segments = [];
  tenant.assignments = tenant.assignments.slice(1);
  expect(await read()).toEqual(['assignment false', 'segments true']);
  // What no group opens any more is not read: that says nothing of whether it is there.
  tenant.assignments = [];
  expect(await read()).toEqual(['assignment false']);
  tenant.onboarded = [HR];
  tenant.policies.clear();
  tenant.applications = [];
  expect(await read(), 'a policy that could not be read is as it was').toEqual(['application false', 'group false', 'policy false', 'segments false']);
});

test('a reading that breaks off changes nothing', async () => {
  const { tenant, appGraph } = smallTenant();
  await syncCatalog(deps(appGraph));
  tenant.onboarded = [];
  tenant.refuse = new GraphError('unavailable', 'no answer');
  await expect(syncCatalog(deps(appGraph))).rejects.toThrow('no answer');
  expect((await catalog()).groups).toHaveLength(2);
});

test('a policy that cannot be read leaves the settings as they were known, and the other groups alone', async () => {
  const { tenant, appGraph } = smallTenant();
  await syncCatalog(deps(appGraph));
  tenant.policies.delete(FIN);
  tenant.groups = [group(FIN, 'Finance renamed'), group(HR, 'HR')];
  await syncCatalog(deps(appGraph));
  const { groups } = await catalog();
  expect(groups.map(({ displayName }) => displayName)).toEqual(['Finance renamed', 'HR']);
  expect(RoleSettingsAsRead.parse(groups[0]?.settings).activationMaxMinutes).toBe(30);
});

test('of a group whose policy was never read the settings are unknown, not the defaults', async () => {
  const { tenant, appGraph } = smallTenant();
  tenant.policies.clear();
  await syncCatalog(deps(appGraph));
  expect((await catalog()).groups.map(({ settings }) => settings)).toEqual([null, null]);
});

test('one group is read anew with what it opens, and the others stay', async () => {
  const { tenant, appGraph } = smallTenant();
  tenant.onboarded = [HR];
  await syncCatalog(deps(appGraph));
  tenant.onboarded = [HR, FIN];
  await refreshGroup(deps(appGraph), FIN);
  expect(await catalog()).toMatchObject({ groups: [{ displayName: 'Finance' }, { displayName: 'HR' }], applications: [{ displayName: 'Finance reports' }, { displayName: 'Wiki' }], assignments: [`${FIN.toLowerCase()} ${REPORTS}`, `${FIN.toLowerCase()} ${WIKI}`] });
  tenant.groups = [group(HR, 'HR')];
  await refreshGroup(deps(appGraph), FIN);
  expect(await catalog()).toMatchObject({ groups: [{ displayName: 'HR' }], assignments: [] });
});

test.each(['the traffic log', 'the catalog'] as const)('where %s cannot be read, who is eligible is read all the same, and the pass says that it failed', async (what) => {
  const { tenant, appGraph } = smallTenant();
  const down = new GraphError('unavailable', 'no answer');
  let now = NOW;
  let isDown = false;
  let readings = 0;
  const none = async (): Promise<never[]> => [];
  const whole = {
    ...appGraph,
    traffic: { privateTraffic: async () => { if (isDown) throw down; return { items: [], nextLink: undefined }; } },
    audits: { directoryAudits: async () => ({ items: [] }) },
    together: { ...appGraph, pim: { ...appGraph.pim, eligibilities: async () => { readings += 1; return []; }, eligibilitySchedules: none, assignments: none, assignmentSchedules: none, eligibilityRequests: none, assignmentRequests: none } },
  } as unknown as Graph;
  const mirror = createMirror({ db, clock: { now: () => now }, tenantId, appGraph: whole, log: pino({ level: 'silent' }) });
  await mirror.syncOnce();
  expect(readings).toBe(2);
  now = new Date(NOW.getTime() + 25 * 60 * 60_000);
  if (what === 'the catalog') tenant.refuse = down;
  else isDown = true;
  await expect(mirror.syncOnce()).rejects.toBe(down);
  expect(readings).toBe(4);
});

test('a reading that takes long takes nothing back of what was read of one group meanwhile', async () => {
  const { tenant, appGraph } = smallTenant();
  tenant.onboarded = [HR];
  await syncCatalog(deps(appGraph));
  const [reached, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = { ...appGraph, applications: { ...appGraph.applications, segmentsOfAll: async (appIds: readonly string[]) => { reached.resolve(); await held.promise; return appGraph.applications.segmentsOfAll(appIds); } } } as Graph;
  const long = syncCatalog(deps(slow));
  await reached.promise;

  // A run makes a group that opens an application, and another asks for less.
  const later = new Date(NOW.getTime() + 1_000);
  tenant.onboarded = [HR, FIN];
  tenant.policies.set(HR, [maximum('PT15M')]);
  tenant.assignments.push({ id: '4', principalId: HR, principalType: 'Group', servicePrincipalId: WIKI, appRoleId: 'r' });
  for (const id of [FIN, HR]) await refreshGroup({ ...deps(appGraph), clock: { now: () => later } }, id);
  const before = await catalog();
  expect(before.assignments).toHaveLength(3);
  tenant.assignments = [];
  tenant.applications = [];
  held.resolve();
  await long;
  expect(await catalog()).toEqual(before);
  expect(before.groups.map(({ readAt, settings }) => [readAt, RoleSettingsAsRead.parse(settings).activationMaxMinutes])).toEqual([[later, 30], [later, 15]]);

  // What was read before it began gives way to it; it is as old as its beginning.
  await syncCatalog({ ...deps(appGraph), clock: { now: () => new Date(later.getTime() + 1_000) } });
  expect(await catalog()).toMatchObject({ groups: [{}, {}], applications: [], assignments: [] });
});

test('the catalog is read at first, when it is old, and when the audit log tells of a change; not with every pass', async () => {
  const { appGraph } = smallTenant();
  let now = NOW;
  let readings = 0;
  const items: ReturnType<typeof pimEvent>[] = [];
  const counting: Graph = {
    ...appGraph,
    pim: { ...appGraph.pim, onboardedGroups: () => { readings += 1; return appGraph.pim.onboardedGroups(); } },
    traffic: { privateTraffic: async () => ({ items: [], nextLink: undefined }) },
    audits: { directoryAudits: async ({ from, to }) => ({ items: items.filter(({ activityDateTime: at }) => at >= from && at <= to) }) },
    together: { ...appGraph, pim: { ...appGraph.pim, eligibilities: async () => [], eligibilitySchedules: async () => [], assignments: async () => [], assignmentSchedules: async () => [], eligibilityRequests: async () => [], assignmentRequests: async () => [] } },
  };
  const mirror = createMirror({ ...deps(counting), appGraph: counting, clock: { now: () => now }, db, log: pino({ level: 'silent' }) });
  const after = async (minutes: number): Promise<number> => {
    now = new Date(NOW.getTime() + minutes * 60_000);
    await mirror.syncOnce();
    return readings;
  };
  expect(await after(0)).toBe(1);
  expect(await after(1)).toBe(1);
  items.push(pimEvent({ id: 'settings', at: '2026-03-02T12:01:30.000Z', activity: 'Update role setting in PIM' }));
  expect(await after(2)).toBe(2);
  expect(await after(3)).toBe(2);
  expect(await after(8)).toBe(3);
  expect(await mirror.status()).toEqual({ watermark: now.toISOString(), lastError: null });
});
