import { execFile, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterOwner, testDatabase } from '@gatehouse/db/testing';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { createClient } from './client.ts';
import { ended, ready, ROOT, startProcess, withDatabase, type ProductProcess } from './process.ts';
import { until } from './until.ts';

const ANA = 'ana.costa@contoso.example';
const INES = 'ines.moreau@contoso.example';
const running: ChildProcess[] = [];
const folders: string[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-process-'));
  folders.push(dir);
  return dir;
}

function start(env: Record<string, string>): ProductProcess {
  const child = startProcess(env);
  running.push(child);
  return child;
}

/** Processes whose command line or open folder is in this data folder. */
const processesIn = (dir: string): Promise<string[]> => new Promise((resolve) => {
  execFile('pgrep', ['-f', '--', dir], (_error, stdout) => { resolve(stdout.split('\n').filter(Boolean)); });
});

/** A mount namespace of its own; for somebody who is not root, inside a user namespace. */
const NAMESPACE = process.getuid?.() === 0 ? ['--mount', '--'] : ['--map-root-user', '--mount', '--'];

describe('what is wrong is said in a sentence, with exit 2 and nothing started', () => {
  test('wrong settings: all of them', async () => {
    const dir = folder();
    const child = start({ DATA_DIR: join(dir, 'data'), PORT: 'eighty', ENTRA_CLIENT_ID: 'x', EMULATOR_URL: 'https://example.com' });
    expect(await ended(child)).toBe(2);
    for (const name of ['PORT', 'ENTRA_TENANT_ID', 'EMULATOR_URL']) expect(child.err()).toContain(`- ${name} `);
    expect(existsSync(join(dir, 'data'))).toBe(false);
  });

  test('a port that is taken', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const child = start({ DATA_DIR: folder(), PORT: String(port) });
    expect(await ended(child)).toBe(2);
    expect(child.err()).toMatch(new RegExp(`port ${port} is taken`));
    taken.close();
  });

  test('a data folder that cannot be written', async () => {
    const dir = folder();
    // A file where the folder should be refuses root as well, for whom permissions mean nothing.
    writeFileSync(join(dir, 'file'), '');
    const child = start({ DATA_DIR: join(dir, 'file'), PORT: '0' });
    expect(await ended(child)).toBe(2);
    expect(child.err()).toMatch(/data folder .* cannot be written/);
    expect(readdirSync(dir)).toEqual(['file']);
    chmodSync(dir, 0o700);
  });

  test('a database of another program, which is left as it is', async () => {
    await using database = await testDatabase();
    await database.owner.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE invoices (id int); INSERT INTO invoices VALUES (7)');
    const child = start({ ...withDatabase(database.url), DATA_DIR: folder() });
    expect(await ended(child)).toBe(2);
    expect(child.err()).toMatch(/^Gatehouse did not start: .*another/m);
    expect((await database.owner.query('SELECT id FROM invoices')).rows).toEqual([{ id: 7 }]);
    expect((await database.owner.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).rows).toEqual([{ tablename: 'invoices' }]);
  });

  test('a database that a newer build made, which is left as it is', async () => {
    await using database = await testDatabase();
    await database.owner.query(`INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ('x', 'x', '29991231000000_later', now(), 1)`);
    const child = start({ ...withDatabase(database.url), DATA_DIR: folder() });
    expect(await ended(child)).toBe(2);
    expect(child.err()).toMatch(/^Gatehouse did not start: .*newer/m);
  });

  test('a database that does not answer', async () => {
    const child = start({ ...withDatabase('postgresql://gatehouse:x@127.0.0.1:1/gatehouse'), DATA_DIR: folder() });
    expect(await ended(child)).toBe(2);
    expect(child.err()).toMatch(/^Gatehouse did not start: .*database/m);
  });

  // Only where this user may mount a small disk for one process alone.
  test.runIf(spawnSync('unshare', [...NAMESPACE, 'mount', '-t', 'tmpfs', 'none', tmpdir()]).status === 0)('a disk that is full', async () => {
    const dir = folder();
    const child = spawnSync('unshare', [...NAMESPACE, 'sh', '-c', `mount -t tmpfs -o size=1m none ${dir} && exec ${process.execPath} apps/api/src/main.ts`], { cwd: ROOT, encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', PORT: '0', DATA_DIR: dir } });
    expect(child.stderr).toMatch(/^Gatehouse did not start: the disk that holds .* is full/m);
    expect(child.status).toBe(2);
    expect(await processesIn(dir)).toEqual([]);
  });
});

test('a portal whose database is gone for good says so and stops', async () => {
  const dir = folder();
  const child = start({ DATA_DIR: dir, PORT: '0' });
  await ready(child);
  await new Promise((resolve) => { execFile('pkill', ['-KILL', '-f', '--', `bin/postgres -D ${dir}`], resolve); });
  expect(await ended(child)).toBe(1);
  expect(child.err()).toMatch(/^Gatehouse stops: PostgreSQL in .* ended by itself/m);
  expect(await until('no process of it is left', async () => ((await processesIn(dir)).length === 0 ? true : undefined))).toBe(true);
});

test('it starts from nothing, serves, keeps its keys to itself, and stops in order on SIGTERM', async () => {
  const dir = folder();
  const child = start({ DATA_DIR: dir, PORT: '0' });
  const url = await ready(child);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready', reasons: [] });
  expect(statSync(join(dir, 'keys.json')).mode & 0o777).toBe(0o600);
  child.kill('SIGTERM');
  expect(await ended(child)).toBe(0);
  expect(await until('no process of it is left', async () => ((await processesIn(dir)).length === 0 ? true : undefined))).toBe(true);
});

test('a database login that may not take the roles is told what an administrator is to run, and that is enough to work', async () => {
  const name = `plain_${randomUUID().slice(0, 8)}`;
  const database = new URL(inject('templateUrl'));
  await using administrator = clusterOwner(database.href);
  await administrator.query(`CREATE ROLE ${name} LOGIN PASSWORD 'plain'`);
  await administrator.query(`CREATE DATABASE ${name} OWNER ${name}`);
  Object.assign(database, { username: name, password: 'plain', pathname: `/${name}` });
  const env = { ...withDatabase(database.href), DATA_DIR: folder() };
  try {
    const refused = start(env);
    expect(await ended(refused)).toBe(2);
    const [, statements] = /^Gatehouse did not start: the user in DATABASE_URL may not give the portal the roles .* Let an administrator of the database run once: (GRANT [^\n]*;) Then start again\.\n$/.exec(refused.err()) ?? [];
    expect(statements, refused.err()).toBe(`GRANT gatehouse_runtime TO ${name}; GRANT gatehouse_reader TO ${name};`);
    await administrator.query(statements ?? '');

    const child = start(env);
    const url = await ready(child);
    const [ana, ines] = [createClient(url), createClient(url)];
    await ana.signIn(ANA);
    await ines.signIn(INES);
    const groupId = (await ana.get('/api/access')).body.entries.find(({ groupName }: { groupName: string }) => groupName.startsWith('Build-')).groupId;
    expect((await ana.post('/api/access/activations', { groupId, minutes: 30, justification: 'Pipeline repair' })).status).toBe(201);
    // Written as the one role, read as the other.
    const { body } = await ines.get('/api/history/events?source=portal');
    expect(body.events.map(({ activity }: { activity: string }) => activity)).toContain('activation.requested');
    child.kill('SIGTERM');
    expect(await ended(child)).toBe(0);
    // Nor did the work behind the pages miss anything.
    expect(child.err()).not.toContain('permission denied');
  } finally {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    await administrator.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await administrator.query(`DROP ROLE ${name}`);
  }
});

test('kill -9 loses no row, keeps the session, and leaves no process behind', async () => {
  const dir = folder();
  const child = start({ DATA_DIR: dir, PORT: '0' });
  const url = await ready(child);
  const ana = createClient(url);
  await ana.signIn(ANA);
  const build = (await ana.get('/api/access')).body.entries.find(({ groupName }: { groupName: string }) => groupName.startsWith('Build-'));
  const made = await ana.post('/api/access/activations', { groupId: build.groupId, minutes: 30, justification: 'Pipeline repair' });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  child.kill('SIGKILL');
  await ended(child);
  await until('no process of it is left', async () => ((await processesIn(dir)).length === 0 ? true : undefined));

  const again = start({ DATA_DIR: dir, PORT: new URL(url).port });
  expect(await ready(again)).toBe(url);
  const kept = await ana.get(`/api/access/requests/${made.body.id}`);
  expect(kept.status, JSON.stringify(kept.body)).toBe(200);
  expect(kept.body.entraRequestId).toBe(made.body.entraRequestId);
  expect(['provisioning', 'active']).toContain(kept.body.state);
  again.kill('SIGINT');
  expect(await ended(again)).toBe(0);
  expect(readFileSync(join(dir, 'keys.json'), 'utf8')).toContain('session');
});
