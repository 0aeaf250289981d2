import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { openDatabase, violates } from './database.ts';
import { testDatabase } from './testing.ts';

const tenantId = '11111111-2222-4333-8444-555555555555';
const at = new Date('2026-11-23T09:00:00Z');

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined, (error: unknown) => error);

const request = (more: { principalId: string; groupId: string; status?: string; action?: string }) => ({
  data: { tenantId, id: randomUUID(), principalName: 'Ana Costa', action: 'activate', status: 'active', createdAt: at, ...more },
});
const setup = (more: { id?: string; groupId?: string | null } = {}) => ({
  data: { tenantId, id: randomUUID(), name: 'Finance', definition: {}, createdById: randomUUID(), createdBy: 'Maya Lindqvist', createdAt: at, updatedAt: at, ...more },
});
const runOf = (setupId: string, status: string) => ({
  data: { tenantId, id: randomUUID(), setupId, status, digest: 'd', definition: {}, actorId: randomUUID(), actorName: 'Maya Lindqvist', createdAt: at, worker: 'w' },
});

test('a person has one open activation of a group; closed ones, and deactivations, do not count', async () => {
  await using db = await testDatabase();
  const whose = { principalId: randomUUID(), groupId: randomUUID() };
  await db.prisma.accessRequest.create(request({ ...whose, status: 'ended' }));
  await db.prisma.accessRequest.create(request({ ...whose, status: 'active' }));
  await db.prisma.accessRequest.create(request({ ...whose, action: 'deactivate', status: 'asked' }));
  await db.prisma.accessRequest.create(request({ ...whose, groupId: randomUUID() }));
  const error = await failureOf(db.prisma.accessRequest.create(request({ ...whose, status: 'asked' })));
  expect(violates(error, 'access_request_one_open')).toBe(true);
  expect(violates(error, 'setup_one_per_group')).toBe(false);
});

test('twenty that ask at once for the same access get one row', async () => {
  await using db = await testDatabase();
  const whose = { principalId: randomUUID(), groupId: randomUUID(), status: 'asked' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => failureOf(db.prisma.accessRequest.create(request(whose)))));
  expect(answers.filter((error) => error === undefined)).toHaveLength(1);
  expect(answers.filter((error) => violates(error, 'access_request_one_open'))).toHaveLength(19);
});

test('a setup has one running run, and a group one setup', async () => {
  await using db = await testDatabase();
  const groupId = randomUUID();
  const { id } = await db.prisma.setup.create(setup({ groupId }));
  await db.prisma.setup.create(setup());
  await db.prisma.setup.create(setup());
  expect(violates(await failureOf(db.prisma.setup.create(setup({ groupId }))), 'setup_one_per_group')).toBe(true);
  await db.prisma.setupRun.create(runOf(id, 'interrupted'));
  await db.prisma.setupRun.create(runOf(id, 'running'));
  expect(violates(await failureOf(db.prisma.setupRun.create(runOf(id, 'running'))), 'setup_run_one_running')).toBe(true);
  expect(violates(await failureOf(db.prisma.setupRun.create(runOf(randomUUID(), 'running'))), 'setup_run_of_setup')).toBe(true);
});

test('a status that no build knows is refused by name, through Prisma and in plain SQL', async () => {
  await using db = await testDatabase();
  const whose = { principalId: randomUUID(), groupId: randomUUID() };
  const { id } = (await db.prisma.accessRequest.create(request(whose)));
  expect(violates(await failureOf(db.prisma.accessRequest.create(request({ ...whose, status: 'done' }))), 'access_request_status_known')).toBe(true);
  expect(violates(await failureOf(db.pool.query(`UPDATE access_request SET status = 'done' WHERE tenant_id = $1 AND id = $2`, [tenantId, id])), 'access_request_status_known')).toBe(true);
});

test('what is no error of the database violates nothing', () => {
  for (const other of [undefined, null, 'access_request_one_open', new Error('no'), { meta: 1 }]) expect(violates(other, 'access_request_one_open')).toBe(false);
});

test('connections that the server cuts are told and replaced, and a statement has an end', async () => {
  await using db = await testDatabase();
  const told: Error[] = [];
  const cut = await openDatabase({ url: db.url, onError: (error) => { told.push(error); } });
  await cut.pool.query('SELECT 1');
  await db.owner.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`);
  await expect.poll(() => told.length).toBeGreaterThan(0);
  // The other pool may not have been told of its own yet.
  await expect.poll(() => cut.pool.query('SHOW statement_timeout').then(({ rows }) => rows, () => undefined)).toEqual([{ statement_timeout: '30s' }]);
  await cut.close();
});
