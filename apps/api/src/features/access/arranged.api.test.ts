import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANA, BEN, startPortal, type Client, type TestPortal } from '../../testing.ts';

let portal: TestPortal;
let ana: Client;
let ben: Client;
let build: string;

beforeAll(async () => {
  portal = await startPortal();
  await portal.syncNow();
  [ana, ben] = [await portal.as(ANA), await portal.as(BEN)];
  build = (await ana.get('/api/access')).body.entries.find((entry: { groupName: string }) => entry.groupName.startsWith('Build-')).groupId;
});
afterAll(async () => { await portal[Symbol.asyncDispose](); });

const favourites = async (client: Client) => (await client.get('/api/access')).body.entries.filter((entry: { favourite: boolean }) => entry.favourite).map((entry: { groupId: string }) => entry.groupId);
const sets = async (client: Client) => (await client.get('/api/access')).body.sets;

test('a favourite is the person’s own, on every device, until they take it away', async () => {
  const keep = (favourite: boolean) => ana.post('/api/access/favourites', { groupId: build, favourite });
  expect((await keep(true)).body).toEqual({ groupId: build, favourite: true });
  expect((await keep(true)).status).toBe(200);
  expect(await favourites(await portal.onReplica(ANA))).toEqual([build]);
  expect(await favourites(ben)).toEqual([]);
  await ben.post('/api/access/favourites', { groupId: build, favourite: false });
  expect(await favourites(ana)).toEqual([build]);
  await keep(false);
  expect(await favourites(ana)).toEqual([]);
});

test('a set is saved under a name, replaced by it, and removed by nobody else', async () => {
  const save = (client: Client, name: string, groupIds: string[]) => client.post('/api/access/sets', { name, groupIds });
  const other = randomUUID();
  const first = await save(ana, ' Month-end ', [build, build]);
  expect([first.status, first.body]).toEqual([201, { id: first.body.id, name: 'Month-end', groupIds: [build] }]);
  expect((await save(ana, 'Month-end', [build, other])).body).toEqual({ id: first.body.id, name: 'Month-end', groupIds: [build, other] });
  await save(ben, 'Month-end', [other]);
  expect(await sets(ana)).toEqual([{ id: first.body.id, name: 'Month-end', groupIds: [build, other] }]);

  expect((await ben.post(`/api/access/sets/${first.body.id}/remove`)).status).toBe(404);
  expect(await sets(ana)).toHaveLength(1);
  expect((await ana.post(`/api/access/sets/${first.body.id}/remove`)).status).toBe(200);
  expect((await ana.post(`/api/access/sets/${first.body.id}/remove`)).status).toBe(404);
  expect([await sets(ana), await sets(ben)]).toMatchObject([[], [{ groupIds: [other] }]]);
});

test('nobody fills the tables: sets and favourites have an end', async () => {
  for (let at = 0; at < 50; at += 1) await ben.post('/api/access/sets', { name: `Set ${at}`, groupIds: [build] });
  expect((await ben.post('/api/access/sets', { name: 'One more', groupIds: [build] })).body).toMatchObject({ code: 'conflict' });
  expect((await ben.post('/api/access/sets', { name: 'Set 7', groupIds: [build] })).status).toBe(201);
  const benId: string = (await ben.get('/api/session')).body.person.id;
  await portal.db.prisma.accessFavourite.createMany({ data: Array.from({ length: 200 }, () => ({ tenantId: portal.tenantId, principalId: benId, groupId: randomUUID(), createdAt: portal.now() })) });
  expect((await ben.post('/api/access/favourites', { groupId: build, favourite: true })).body).toMatchObject({ code: 'conflict' });
});
