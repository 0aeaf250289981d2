import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, startEmbeddedPostgres } from '@gatehouse/db';
import { ownerPool, testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { afterAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const KEY = Buffer.alloc(32, 7).toString('base64');
const folders: string[] = [];
const running = new Set<ChildProcess>();
afterAll(() => {
  // Of a test that failed: what should have refused, and runs.
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-refusal-'));
  folders.push(dir);
  return dir;
}

/** Every file below, with what it holds. */
const contents = (dir: string): Record<string, string> => Object.fromEntries(readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), 'base64')]));

/** Starts the product, sees it refuse in one sentence and what to do, with exit 2 and no process of it left; answers what it said. */
async function refusal(env: Record<string, string>, wrap: readonly string[] = []): Promise<string> {
  const mark = `refusal-${randomUUID()}`;
  const [command = '', ...args] = [...wrap, process.execPath, 'apps/api/src/main.ts'];
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', LOG_LEVEL: 'warn', PORT: '0', GATEHOUSE_TEST_MARK: mark, ...env } });
  running.add(child);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => { said += `stdout: ${chunk.toString()}`; });
  child.stderr.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  // 'close' comes when nobody holds its output any more: also no process that it started.
  const [code] = await once(child, 'close') as [number | null];
  running.delete(child);
  expect({ code, said }).toEqual({ code: 2, said: expect.stringMatching(/^Gatehouse did not start: [^\n]+\. [A-Z][^\n]+\.\n$/) as string });
  expect(said).not.toMatch(/ at .*\.ts|node_modules/);
  expect(survivors(mark), 'a process of it is left').toEqual([]);
  return said;
}

/** Processes that inherited the mark. */
const survivors = (mark: string): string[] => readdirSync('/proc').filter((name) => {
  if (!/^\d+$/.test(name)) return false;
  try {
    return readFileSync(`/proc/${name}/environ`, 'latin1').includes(mark) && readlinkSync(`/proc/${name}/exe`) !== '';
  } catch {
    return false;
  }
});

const withDatabase = (url: string): Record<string, string> => ({ DATABASE_URL: url, SESSION_KEYS: KEY, TOKEN_KEYS: KEY, LEDGER_KEY: KEY, DATA_DIR: folder() });
const edited = (url: string, edit: (parts: URL) => void): string => {
  const parts = new URL(url);
  edit(parts);
  return parts.href;
};

describe.concurrent('a database', () => {
  test('whose password is another', async () => {
    await using database = await testDatabase();
    expect(await refusal(withDatabase(edited(database.url, (parts) => { parts.password = 'wrong'; })))).toMatch(/password/);
  });

  test('that does not exist', async () => {
    await using database = await testDatabase();
    expect(await refusal(withDatabase(edited(database.url, (parts) => { parts.pathname = '/nowhere'; })))).toMatch(/"nowhere" does not exist/);
  });

  test('that takes the call and says nothing', async () => {
    const silent = createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    expect(await refusal(withDatabase(`postgresql://gatehouse:x@127.0.0.1:${(silent.address() as AddressInfo).port}/gatehouse`))).toMatch(/the database does not answer/);
    silent.close();
  });

  test('of another program that keeps its migrations as we do is not called ours', async () => {
    await using database = await testDatabase();
    await database.owner.query(`DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE invoices (id int);
      CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count int NOT NULL DEFAULT 0);
      INSERT INTO _prisma_migrations VALUES ('x', 'x', NULL, '20200101000000_invoices')`);
    const before = await fingerprintOf(database);
    expect(await refusal(withDatabase(database.url))).toMatch(/another program \(invoices\)/);
    expect(await fingerprintOf(database)).toBe(before);
  });

  test('in whose schema its user may make nothing', async () => {
    await using database = await testDatabase();
    const role = `weak_${randomUUID().slice(0, 8)}`;
    await database.owner.query(`DROP SCHEMA public CASCADE; CREATE SCHEMA public; REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC; CREATE ROLE ${role} LOGIN PASSWORD 'weak'`);
    expect(await refusal(withDatabase(edited(database.url, (parts) => {
      parts.username = role;
      parts.password = 'weak';
    })))).toMatch(/permission denied for schema public/);
    await database.owner.query(`DROP ROLE ${role}`);
  });

  test('that may only be read', async () => {
    await using database = await testDatabase();
    await database.owner.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    expect(await refusal(withDatabase(`${database.url}?options=-c%20default_transaction_read_only%3Don`))).toMatch(/read-only/);
    expect((await database.owner.query("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")).rows).toEqual([]);
  });
});

/** Rows of every table, our own and the other program's. */
const fingerprintOf = async ({ owner }: TestDatabase): Promise<string> => {
  const { rows } = await owner.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
  const prints = [];
  for (const { name } of rows) prints.push(name, JSON.stringify((await owner.query(`SELECT * FROM "${name}"`)).rows));
  return prints.join('\n');
};

describe.concurrent('a data folder', () => {
  test.each([['cut off', ''], ['of another shape', '{"session":"c2hvcnQ="}'], ['with a short key', '{"session":"c2hvcnQ=","token":"c2hvcnQ="}']])('whose keys are %s, which are left as they are', async (_what, text) => {
    const dir = folder();
    writeFileSync(join(dir, 'keys.json'), text);
    const before = contents(dir);
    expect(await refusal({ DATA_DIR: dir })).toMatch(/keys\.json does not hold the keys/);
    expect(contents(dir)).toEqual(before);
  });

  test('whose emulated tenant is cut off, which is left as it is', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'emulated-tenant.json'), '{"version":');
    const before = contents(dir);
    expect(await refusal({ DATA_DIR: dir })).toMatch(/emulated-tenant\.json/);
    expect(contents(dir)).toMatchObject(before);
  });

  test('whose own database a newer build made: its server is stopped again, and its rows stay', async () => {
    const dir = folder();
    const later = "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ('x', 'x', '29991231000000_later', now(), 1)";
    const rowsOf = async (sql: string): Promise<unknown[]> => {
      const server = await startEmbeddedPostgres({ dataDir: dir, log: () => {} });
      await migrate(server.url).catch(() => {});
      const owner = ownerPool(server.url);
      const { rows } = await owner.query(sql);
      await owner.end();
      await server.stop();
      return rows;
    };
    await rowsOf(later);
    expect(await refusal({ DATA_DIR: dir })).toMatch(/made by a newer Gatehouse \(29991231000000_later\)/);
    expect(await rowsOf("SELECT migration_name FROM _prisma_migrations WHERE id = 'x'")).toEqual([{ migration_name: '29991231000000_later' }]);
  });

  test('that is a link to nowhere', async () => {
    const dir = folder();
    symlinkSync(join(dir, 'nowhere'), join(dir, 'link'));
    expect(await refusal({ DATA_DIR: join(dir, 'link', 'data') })).toContain(join(dir, 'link', 'data'));
    expect(readdirSync(dir)).toEqual(['link']);
  });

  test('whose name is too long', async () => {
    const dir = folder();
    expect(await refusal({ DATA_DIR: join(dir, 'x'.repeat(300)) })).toMatch(/data folder/);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('in which a folder stands where a file should', async () => {
    const dir = folder();
    mkdirSync(join(dir, 'emulated-tenant.json'));
    expect(await refusal({ DATA_DIR: dir })).toMatch(/emulated-tenant\.json|data folder/);
    expect(readdirSync(join(dir, 'emulated-tenant.json'))).toEqual([]);
  });
});

/** A mount namespace of its own; for somebody who is not root, inside a user namespace. */
const NAMESPACE = process.getuid?.() === 0 ? ['--mount', '--'] : ['--map-root-user', '--mount', '--'];
const mayMount = spawnSync('unshare', [...NAMESPACE, 'mount', '-t', 'tmpfs', 'none', tmpdir()]).status === 0;
const mounted = (dir: string, options: string): string[] => ['unshare', ...NAMESPACE, 'sh', '-c', `mount -t tmpfs -o ${options} none ${dir} && exec "$@"`, 'sh'];

// Only where this user may mount a small disk for one process alone.
describe.runIf(mayMount)('a disk', { concurrent: true }, () => {
  test('that is mounted to be read only', async () => {
    const dir = folder();
    expect(await refusal({ DATA_DIR: dir }, mounted(dir, 'ro'))).toMatch(/data folder .* cannot be written/);
  });

  test.each(['1m', '8m', '36m'])('with %s of room', async (size) => {
    const dir = folder();
    expect(await refusal({ DATA_DIR: dir }, mounted(dir, `size=${size}`))).toMatch(/the disk that holds .* is full/);
  });
});
