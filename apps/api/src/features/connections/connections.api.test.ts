import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANA, INES, MAYA, startPortal, type TestPortal } from '../../testing.ts';

const HOST = 'farm-07.build.corp.contoso.example';
let portal: TestPortal;
beforeAll(async () => {
  portal = await startPortal();
  await portal.syncNow();
});
afterAll(() => portal[Symbol.asyncDispose]());

/** What somebody's client does, as the tenant's network takes it. */
const connect = async (user: string, to: string): Promise<{ allowed: boolean }> =>
  await (await fetch(`${portal.emulator.url}/_emulator/connections`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user, to }) })).json() as { allowed: boolean };
const buildGroup = async (): Promise<string> => ((await portal.emulator.state(['groups'])) as { groups: { id: string; displayName: string }[] }).groups.find(({ displayName }) => displayName.startsWith('Build-'))?.id ?? '';
const TRAFFIC_CALLS = '/networkAccess/logs/traffic';
const trafficCalls = async (): Promise<number> => (await portal.emulator.journal()).filter(({ url }) => url.includes(TRAFFIC_CALLS)).length;

test('what is listed is what the tenant knows: only standing members connect without an activation, and only who stayed away has none', async () => {
  const ines = await portal.as(INES);
  interface State { visits: { createdDateTime: string; userId: string; appId: string }[]; users: { id: string; displayName: string; userPrincipalName: string }[]; applications: { appId: string; displayName: string }[] }
  const { visits, users, applications } = await portal.emulator.state(['visits', 'users', 'applications']) as State;
  const { body } = await ines.get('/api/exceptions?limit=200');
  expect(body).toMatchObject({ cause: null, coverage: { closed: null, to: expect.stringContaining('2026-03-02T09:00:00') } });
  expect(body.traffic.rows.length).toBeGreaterThan(0);
  const upns = ['Helena Kowalska', 'Sofia Marchetti'].map((name) => users.find(({ displayName }) => displayName === name)?.userPrincipalName);
  expect([...new Set(body.traffic.rows.map(({ principalName }: { principalName: string }) => principalName))].toSorted()).toEqual(upns.toSorted());
  expect(body.activations.rows.length).toBeGreaterThan(0);
  const during = ({ principalId, applications: names, provisionedAt, endedAt }: { principalId: string; applications: string[]; provisionedAt: string; endedAt: string }) => visits.filter(({ userId, createdDateTime, appId }) =>
    userId === principalId && names.includes(applications.find((one) => one.appId === appId)?.displayName ?? '') && Date.parse(createdDateTime) >= Date.parse(provisionedAt) && Date.parse(createdDateTime) <= Date.parse(endedAt) + 90 * 60_000);
  for (const row of body.activations.rows) expect(during(row)).toEqual([]);
  const stories = await ines.get('/api/history/activations?status=ended&limit=200');
  expect(stories.body.activations.length).toBeGreaterThan(body.activations.rows.length);
  const used = stories.body.activations.find((one: Parameters<typeof during>[0]) => Date.parse(one.provisionedAt) > Date.parse('2026-02-25T00:00:00Z') && during(one).length > 1);
  const { connections } = (await ines.get(`/api/history/activations/${used.requestId}`)).body;
  expect(connections.reached.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(during(used).length);
});

test('a connection is known from the log alone: the readiness and the story say so once it has it', async () => {
  const [ana, ines] = [await portal.as(ANA), await portal.as(INES)];
  const groupId = await buildGroup();
  expect((await connect(ANA, `${HOST}:22`)).allowed, 'refused before the activation').toBe(false);
  const { body: asked } = await ana.post('/api/access/activations', { groupId, minutes: 5, justification: 'Build is red' });
  await portal.advance('PT10S');
  await ana.get('/api/access');
  const readiness = async () => (await ana.get(`/api/access/requests/${asked.id}/readiness`)).body.connection;
  const story = async () => {
    const { body } = await ines.get('/api/history/activations?person=Ana&group=Build&limit=1');
    return (await ines.get(`/api/history/activations/${body.activations[0].requestId}`)).body;
  };
  await portal.syncNow();
  expect(await readiness(), 'what was refused is no proof').toEqual({ firstAllowedAt: null });

  const connectedAt = portal.now();
  expect((await connect(ANA, `${HOST}:22`)).allowed).toBe(true);
  await portal.syncNow();
  expect(await readiness(), 'the log does not show it yet').toEqual({ firstAllowedAt: null });
  await portal.advance('PT5S');
  await portal.syncNow();
  expect(await readiness()).toEqual({ firstAllowedAt: connectedAt.toISOString().replace('Z', '000Z') });

  const reached = { host: HOST, port: 22, applicationName: 'Build servers', count: 1, firstAt: connectedAt.toISOString().replace('Z', '000Z') };
  expect((await story()).connections, 'more may come while it runs').toMatchObject({ reached: [reached], complete: false });
  await portal.advance('PT2H10M');
  await portal.syncNow();
  expect(await story()).toMatchObject({ activation: { status: 'ended' }, connections: { reached: [reached], complete: true } });
  const { body: exceptions } = await ines.get('/api/exceptions?limit=200');
  expect(exceptions.traffic.rows.filter(({ principalName }: { principalName: string }) => principalName === ANA)).toEqual([]);
});

test('without the permission it is said that connections cannot be seen, the rest works, and it costs one call an hour', async () => {
  const [ana, ines, maya] = [await portal.as(ANA), await portal.as(INES), await portal.as(MAYA)];
  const before = (await ines.get('/api/exceptions')).body;
  await portal.emulator.faults([{ match: { path: '**/networkAccess/logs/traffic' }, times: null, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }]);
  await portal.emulator.clearJournal();
  for (let pass = 0; pass < 4; pass += 1) {
    await portal.syncNow();
    await portal.advance('PT14M');
  }
  expect(await trafficCalls()).toBe(1);
  await portal.advance('PT5M');
  await portal.syncNow();
  expect(await trafficCalls()).toBe(2);

  const { sources } = (await maya.get('/api/sync')).body;
  expect(sources[0]).toMatchObject({ source: 'directory', off: false, lastError: null, completeTo: portal.now().toISOString() });
  expect(sources[1]).toMatchObject({ source: 'traffic', off: true, lastError: expect.stringContaining('NetworkAccess-Reports.Read.All') });
  const { body } = await ines.get('/api/exceptions');
  expect(body).toMatchObject({ cause: 'not-permitted', coverage: { closed: 'not-permitted', to: before.coverage.to } });
  expect(body.activations, 'what was read before is as true as before').toEqual(before.activations);

  const groupId = await buildGroup();
  await ana.get('/api/access');
  const { body: asked } = await ana.post('/api/access/activations', { groupId, minutes: 5, justification: 'Build is red, second try' });
  await portal.advance('PT10S');
  await ana.get('/api/access');
  expect((await connect(ANA, `${HOST}:22`)).allowed).toBe(true);
  await portal.advance('PT5S');
  await portal.syncNow();
  expect((await ana.get(`/api/access/requests/${asked.id}/readiness`)).body.connection).toBeNull();
  const { body: { activations: [latest] } } = await ines.get('/api/history/activations?person=Ana&group=Build&limit=1');
  expect((await ines.get(`/api/history/activations/${latest.requestId}`)).body.connections).toMatchObject({ reached: null, cause: 'not-permitted', complete: false });

  await portal.emulator.faults([]);
  await portal.advance('PT1H');
  await portal.syncNow();
  expect((await ines.get(`/api/history/activations/${latest.requestId}`)).body.connections, 'granted: what it missed is read').toMatchObject({ reached: [{ host: HOST }], cause: null });
});

test('a log that does not answer is no reason to stop reading the other one', async () => {
  const maya = await portal.as(MAYA);
  await portal.emulator.faults([{ match: { path: '**/networkAccess/logs/traffic' }, times: null, fault: { kind: 'status', status: 503, code: 'serviceUnavailable' } }]);
  await portal.advance('PT1M');
  await expect(portal.syncNow()).rejects.toThrow();
  const { sources } = (await maya.get('/api/sync')).body;
  expect(sources).toMatchObject([{ completeTo: portal.now().toISOString(), lastError: null }, { off: false, lastError: expect.stringContaining('does not answer') }]);
  await portal.emulator.faults([{ match: { path: '**/auditLogs/directoryAudits' }, times: null, fault: { kind: 'status', status: 503, code: 'serviceUnavailable' } }]);
  await portal.advance('PT1M');
  await expect(portal.syncNow()).rejects.toThrow();
  expect((await maya.get('/api/sync')).body.sources[1], 'nor the other way round').toMatchObject({ completeTo: portal.now().toISOString(), lastError: null });
  await portal.emulator.faults([]);
});

test('are for auditors: neither an analyst nor a setup admin reads them', async () => {
  for (const upn of [ANA, MAYA]) expect((await (await portal.as(upn)).get('/api/exceptions')).status).toBe(403);
  expect((await portal.anonymous().get('/api/exceptions')).status).toBe(401);
});

test('a cursor without its list, and one of another list, are refused at their field', async () => {
  const ines = await portal.as(INES);
  for (const path of ['/api/exceptions?cursor=abc', '/api/exceptions?list=traffic&cursor=nonsense', '/api/exceptions?list=other', '/api/exceptions?limit=0']) expect([path, (await ines.get(path)).status]).toEqual([path, 400]);
  expect((await ines.get('/api/exceptions?list=traffic')).body).toMatchObject({ activations: null });
});
