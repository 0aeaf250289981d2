import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { startEmbeddedPostgres } from './embedded.ts';

const folders: string[] = [];
function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-embedded-'));
  folders.push(dir);
  return dir;
}
afterEach(() => {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const processesIn = (dir: string): Promise<string[]> => new Promise((resolve) => {
  execFile('pgrep', ['-f', '--', dir], (_error, stdout) => { resolve(stdout.split('\n').filter(Boolean)); });
});

async function goneWithin(dir: string, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  while ((await processesIn(dir)).length > 0) {
    if (performance.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

test('it starts from nothing, keeps its rows over a stop, and leaves no process', async () => {
  const dataDir = folder();
  const first = await startEmbeddedPostgres({ dataDir });
  const db = await openDatabase({ url: first.url });
  await db.pool.query('CREATE TABLE kept AS SELECT 7 AS n');
  await db.close();
  await first.stop();
  expect(await goneWithin(dataDir, 5_000)).toBe(true);

  const second = await startEmbeddedPostgres({ dataDir });
  const again = await openDatabase({ url: second.url });
  expect((await again.pool.query('SELECT n FROM kept')).rows).toEqual([{ n: 7 }]);
  await again.close();
  await second.stop();
});

test('it asks for its password, which is a file for the owner alone', async () => {
  const dataDir = folder();
  const postgres = await startEmbeddedPostgres({ dataDir });
  expect(statSync(join(dataDir, 'postgres-password')).mode & 0o777).toBe(0o600);
  const db = await openDatabase({ url: postgres.url.replace(/:[^:@/]+@/, ':wrong@') });
  await expect(db.pool.query('SELECT 1')).rejects.toThrow(/password authentication failed/);
  await db.close();
  await postgres.stop();
});

test('kill -9 of the process that started it takes the server along, and the next start finds the rows', async () => {
  const dataDir = folder();
  const program = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(join(import.meta.dirname, 'embedded.ts'))});
    const { openDatabase } = await import(${JSON.stringify(join(import.meta.dirname, 'database.ts'))});
    const postgres = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} });
    const db = await openDatabase({ url: postgres.url });
    await db.pool.query('CREATE TABLE kept AS SELECT 7 AS n');
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  expect((await processesIn(join(dataDir, 'postgres'))).length).toBeGreaterThan(0);
  child.kill('SIGKILL');
  // Without waiting: the next start meets a server that is just being stopped.
  const next = await startEmbeddedPostgres({ dataDir });
  const db = await openDatabase({ url: next.url });
  expect((await db.pool.query('SELECT n FROM kept')).rows).toEqual([{ n: 7 }]);
  await db.close();
  await next.stop();
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
