import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { startEmbeddedPostgres } from './embedded.ts';
import { ownerPool } from './testing.ts';

const folders: string[] = [];
function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-embedded-'));
  folders.push(dir);
  return dir;
}
afterEach(() => {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** The processes whose command line names the folder. /proc where there is one: a bare machine has no ps. */
async function processesIn(dir: string): Promise<{ pid: number; command: string }[]> {
  if (platform() === 'linux') {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(dir) ? [{ pid: Number(name), command }] : [];
      } catch {
        return [];
      }
    });
  }
  const lines = await new Promise<string>((resolve) => { execFile('ps', ['-A', '-ww', '-o', 'pid=,args='], (_error, stdout) => { resolve(stdout); }); });
  return lines.split('\n').filter((line) => line.includes(dir)).map((line) => ({ pid: Number.parseInt(line, 10), command: line }));
}

async function until(holds: () => boolean | Promise<boolean>, ms = 15_000): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!await holds()) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

const goneWithin = (dir: string, ms: number): Promise<boolean> => until(async () => (await processesIn(dir)).length === 0, ms);

/** A portal in a process of its own, which says `ready` once its database holds a row. */
function portal(dataDir: string): ChildProcess & { readonly stdout: NodeJS.ReadableStream } {
  const program = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(join(import.meta.dirname, 'embedded.ts'))});
    const { default: pg } = await import('pg');
    // The folder comes by the environment, so that only the database's processes name it.
    const postgres = await startEmbeddedPostgres({ dataDir: process.env.FOLDER });
    const db = new pg.Pool({ connectionString: postgres.url });
    await db.query('CREATE TABLE kept AS SELECT 7 AS n');
    console.log('ready');`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'], env: { FOLDER: dataDir } });
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function keptRows(dataDir: string): Promise<unknown> {
  const next = await startEmbeddedPostgres({ dataDir });
  const db = ownerPool(next.url);
  try {
    return (await db.query('SELECT n FROM kept')).rows;
  } finally {
    await db.end();
    await next.stop();
  }
}

test('it starts from nothing, keeps its rows over a stop, and leaves no process', async () => {
  const dataDir = folder();
  const first = await startEmbeddedPostgres({ dataDir });
  const db = ownerPool(first.url);
  await db.query('CREATE TABLE kept AS SELECT 7 AS n');
  await db.end();
  await first.stop();
  expect(await goneWithin(dataDir, 5_000)).toBe(true);

  const second = await startEmbeddedPostgres({ dataDir });
  const again = ownerPool(second.url);
  expect((await again.query('SELECT n FROM kept')).rows).toEqual([{ n: 7 }]);
  await again.end();
  await second.stop();
});

test('it asks for its password, which is a file for the owner alone', async () => {
  const dataDir = folder();
  const postgres = await startEmbeddedPostgres({ dataDir });
  expect(statSync(join(dataDir, 'postgres-password')).mode & 0o777).toBe(0o600);
  const db = ownerPool(postgres.url.replace(/:[^:@/]+@/, ':wrong@'));
  await expect(db.query('SELECT 1')).rejects.toThrow(/password authentication failed/);
  await db.end();
  await postgres.stop();
});

test('kill -9 of the portal takes the server and its keeper along', async () => {
  const dataDir = folder();
  const child = portal(dataDir);
  await once(child.stdout, 'data');
  expect((await processesIn(dataDir)).length).toBeGreaterThan(1);
  await killed(child);
  expect(await goneWithin(dataDir, 15_000)).toBe(true);
});

test('a start right after kill -9 waits for the server that is being stopped, and finds the rows', async () => {
  const dataDir = folder();
  const child = portal(dataDir);
  await once(child.stdout, 'data');
  await killed(child);
  expect(await keptRows(dataDir)).toEqual([{ n: 7 }]);
  expect(await goneWithin(dataDir, 5_000)).toBe(true);
});

test('a server whose keeper was killed too is stopped by the next start, which finds the rows', async () => {
  const dataDir = folder();
  const child = portal(dataDir);
  await once(child.stdout, 'data');
  const keeper = (await processesIn(dataDir)).find(({ command }) => command.includes('keeper.ts'));
  process.kill(keeper?.pid ?? Number.NaN, 'SIGKILL');
  await killed(child);
  const orphan = Number(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0]);
  expect((await processesIn(dataDir)).map(({ pid }) => pid), 'the server outlives both').toContain(orphan);
  expect(await keptRows(dataDir)).toEqual([{ n: 7 }]);
  expect(await goneWithin(dataDir, 5_000)).toBe(true);
});

test('kill -9 while the cluster is being made: the next start begins anew and leaves nothing half made', async () => {
  const dataDir = folder();
  const child = portal(dataDir);
  const halfMade = (): boolean => readdirSync(dataDir).some((name) => name.startsWith('postgres.new-') && existsSync(join(dataDir, name, 'cluster/PG_VERSION')));
  expect(await until(halfMade), 'the making was seen').toBe(true);
  await killed(child);
  expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
  await (await startEmbeddedPostgres({ dataDir })).stop();
  expect(await goneWithin(dataDir, 15_000)).toBe(true);
  // What the cut-off making still wrote after the start goes with the next one.
  await (await startEmbeddedPostgres({ dataDir })).stop();
  expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'postgres-password']);
});

test('of two portals that start on one new folder, one has it and the other is told so', async () => {
  const dataDir = folder();
  const answers = await Promise.allSettled([startEmbeddedPostgres({ dataDir }), startEmbeddedPostgres({ dataDir })]);
  const started = answers.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value);
  const refused = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => String(reason));
  expect(refused).toEqual([expect.stringMatching(/DatabaseRefusal: .* is in use by another running Gatehouse/)]);
  const db = ownerPool(started[0]?.url ?? '');
  expect((await db.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
  await db.end();
  for (const postgres of started) await postgres.stop();
});

test('a process number that somebody else has by now does not keep the database shut', async () => {
  const dataDir = folder();
  await (await startEmbeddedPostgres({ dataDir })).stop();
  // As a machine that lost its power leaves it; this very process has the number now.
  writeFileSync(join(dataDir, 'postgres/postmaster.pid'), `${process.pid}\n${join(dataDir, 'postgres')}\n1\n5432\n\n127.0.0.1\n`);
  await (await startEmbeddedPostgres({ dataDir })).stop();
});

test('a folder that cannot be written is refused in a sentence', async () => {
  const dataDir = folder();
  writeFileSync(join(dataDir, 'file'), '');
  await expect(startEmbeddedPostgres({ dataDir: join(dataDir, 'file/below') })).rejects.toThrow(/DATA_DIR/);
  if (process.getuid?.() === 0) return;
  const shut = join(dataDir, 'shut');
  mkdirSync(shut);
  chmodSync(shut, 0o500);
  await expect(startEmbeddedPostgres({ dataDir: shut })).rejects.toThrow(/cannot be written/);
});

test('a folder named postgres that is no database is refused and left as it is', async () => {
  const dataDir = folder();
  mkdirSync(join(dataDir, 'postgres'));
  writeFileSync(join(dataDir, 'postgres/letters.txt'), 'mine');
  await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(/are not a PostgreSQL database/);
  expect(readFileSync(join(dataDir, 'postgres/letters.txt'), 'utf8')).toBe('mine');
});

test('a password file of another database is refused in a sentence', async () => {
  const dataDir = folder();
  await (await startEmbeddedPostgres({ dataDir })).stop();
  writeFileSync(join(dataDir, 'postgres-password'), 'another\n');
  await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(/does not open the database/);
  expect(await goneWithin(dataDir, 5_000)).toBe(true);
});

test('a folder of another PostgreSQL is refused in a sentence', async () => {
  const dataDir = folder();
  await (await startEmbeddedPostgres({ dataDir })).stop();
  writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '15\n');
  await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(/made by PostgreSQL 15, and this is 18/);
});

test('a lost password file is refused in a sentence, and the cluster stays', async () => {
  const dataDir = folder();
  await (await startEmbeddedPostgres({ dataDir })).stop();
  unlinkSync(join(dataDir, 'postgres-password'));
  await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(/postgres-password is missing/);
  expect(statSync(join(dataDir, 'postgres/PG_VERSION')).isFile()).toBe(true);
});
