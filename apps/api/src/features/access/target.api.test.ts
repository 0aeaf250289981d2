import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANA, MAYA, startPortal, type Client, type TestPortal } from '../../testing.ts';

let portal: TestPortal;
let ana: Client;

beforeAll(async () => {
  portal = await startPortal();
  await portal.syncNow();
  ana = await portal.as(ANA);
});
afterAll(async () => { await portal[Symbol.asyncDispose](); });

test('a destination and an application lead to the group that opens them, open or not; to who is not eligible they are unknown', async () => {
  const { entries } = (await ana.get('/api/access')).body;
  const build = entries.find((entry: { groupName: string }) => entry.groupName.startsWith('Build-'));
  const [application] = build.applications;
  const [{ host, ports }] = application.segments;
  const address = encodeURIComponent(`${host.replace('*', 'node-7')}:${ports[0].split('-')[0]}`);
  const byAddress = async (client: Client) => (await client.get(`/api/access/find?to=${address}`)).body;
  const byName = async (client: Client) => (await client.get('/api/access/find?application=build-servers')).body;

  expect([await byAddress(ana), await byName(ana)]).toMatchObject([{ outcome: 'activate', groupIds: [build.groupId] }, { outcome: 'activate', groupIds: [build.groupId] }]);
  expect((await byName(ana)).access.entries.map((entry: { groupId: string }) => entry.groupId)).toContain(build.groupId);
  // Maya knows of it by her role, and may not open it.
  expect([await byAddress(await portal.as(MAYA)), await byName(await portal.as(MAYA))]).toMatchObject([{ outcome: 'unknown', groupIds: [] }, { outcome: 'unknown', groupIds: [] }]);

  expect((await ana.post('/api/access/activations', { groupId: build.groupId, minutes: 30, justification: 'Pipeline repair, INC-4711' })).status).toBe(201);
  expect(await byAddress(ana)).toMatchObject({ outcome: 'waiting', groupIds: [build.groupId] });
  await portal.advance('PT10S');
  expect(await byAddress(ana)).toMatchObject({ outcome: 'open', groupIds: [build.groupId] });
});

test('neither or both of destination and application is no question', async () => {
  for (const query of ['', '?to=a.example&application=a', '?to=', `?to=${'a'.repeat(501)}`]) expect((await ana.get(`/api/access/find${query}`)).status, query).toBe(400);
  expect((await ana.get('/api/access/find?to=10.0.0.0/8')).body).toMatchObject({ outcome: 'malformed', wanted: '10.0.0.0/8' });
});
