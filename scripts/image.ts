/**
 * Follows the Dockerfile without Docker: each stage a folder, each step as written, then the last stage's command as
 * an unprivileged user beside a PostgreSQL and an emulated tenant, until its health check holds; then SIGTERM.
 * What differs from Docker: the base image is this machine with this Node, and nothing is isolated.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres } from '@gatehouse/db';
import { DEMO_DELAYS, startEmulator } from '@gatehouse/entra-emulator';

const UNPRIVILEGED = 1000;
const HEALTHY_WITHIN_MS = 20_000;
const root = join(import.meta.dirname, '..');
const temp = mkdtempSync(join(tmpdir(), 'gatehouse-image-'));
const context = join(temp, 'context');

interface Stage { readonly dir: string; readonly env: Record<string, string>; workdir: string; user: string; command: string[]; health: string[] }
const stages = new Map<string, Stage>();

/** A path of the image, in the stage's folder. */
const inside = ({ dir, workdir }: Stage, path: string): string => join(dir, resolve('/', workdir, path));

function execute(line: string, stage: Stage): void {
  const [, instruction = '', rest = ''] = /^(\w+) +(.*)$/.exec(line) ?? [];
  switch (instruction) {
    case 'WORKDIR':
      stage.workdir = rest;
      return void mkdirSync(inside(stage, '.'), { recursive: true });
    case 'ENV':
      for (const pair of rest.split(' ')) stage.env[pair.split('=')[0] ?? ''] = pair.split('=')[1] ?? '';
      return;
    case 'COPY':
      return copy(rest, stage);
    case 'RUN': {
      // The one absolute path that a step makes, and the user of the base image, as they are here.
      const command = rest.replace(/ \/data\b/, ` ${inside(stage, '/data')}`).replaceAll(/-([og]) node\b/g, `-$1 ${UNPRIVILEGED}`);
      const { status } = spawnSync('sh', ['-c', command], { cwd: inside(stage, '.'), stdio: 'inherit', env: { ...process.env, ...stage.env } });
      return assert.equal(status, 0, `RUN ${rest}`);
    }
    case 'USER': stage.user = rest; return;
    case 'CMD': stage.command = JSON.parse(rest) as string[]; return;
    case 'HEALTHCHECK': stage.health = JSON.parse(rest.slice(rest.indexOf('CMD ') + 4)) as string[]; return;
    case 'VOLUME': case 'EXPOSE': case 'STOPSIGNAL': return;
    default: throw new Error(`This check does not know: ${line}`);
  }
}

function copy(rest: string, stage: Stage): void {
  const words = rest.split(' ');
  const from = words[0]?.startsWith('--from=') === true ? stages.get(words.shift()?.slice('--from='.length) ?? '') : undefined;
  const target = words.pop() ?? '';
  for (const word of words) {
    const source = from ? inside(from, word) : join(context, word);
    assert(existsSync(source), `COPY ${word}: there is no such file`);
    const into = target.endsWith('/') && word !== '.' ? join(target, basename(word)) : target;
    const to = inside(stage, into);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(source, to, { recursive: true, verbatimSymlinks: true });
  }
}

/** What a build would be sent: the committed tree, without what .dockerignore names (all of which is not committed). */
function sendContext(): void {
  mkdirSync(context);
  const archive = spawnSync('git', ['archive', 'HEAD'], { cwd: root, maxBuffer: 2 ** 28 });
  assert.equal(archive.status, 0, String(archive.stderr));
  assert.equal(spawnSync('tar', ['-x'], { cwd: context, input: archive.stdout }).status, 0);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function serve(stage: Stage): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const postgres = await startEmbeddedPostgres({ dataDir: join(temp, 'postgres') });
  stack.defer(() => postgres.stop());
  const emulator = await startEmulator({ port: 0, seed: 'demo', delays: DEMO_DELAYS });
  stack.defer(() => emulator.close());
  const port = await freePort();
  const keys = { SESSION_KEYS: Buffer.alloc(32, 1).toString('base64'), TOKEN_KEYS: Buffer.alloc(32, 2).toString('base64'), LEDGER_KEY: Buffer.alloc(32, 3).toString('base64') };
  const env = { PATH: process.env['PATH'] ?? '', ...stage.env, ...keys, PORT: String(port), DATA_DIR: inside(stage, '/data'), DATABASE_URL: postgres.url, EMULATOR_URL: emulator.url };
  const as = { cwd: inside(stage, '.'), env, ...(process.getuid?.() === 0 && stage.user !== '' ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}) } satisfies SpawnOptions;
  const [program = '', ...args] = stage.command;
  const portal = spawn(program, args, { ...as, stdio: 'inherit' });
  const exited = once(portal, 'exit') as Promise<[number | null, string | null]>;
  stack.defer(() => { portal.kill('SIGKILL'); });

  const [probe = '', ...probeArgs] = stage.health;
  const began = Date.now();
  while (spawnSync(probe, probeArgs, as).status !== 0) {
    assert(portal.exitCode === null && Date.now() - began < HEALTHY_WITHIN_MS, 'the image is not healthy in time');
    await sleep(250);
  }
  console.log(`── healthy after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const page = await fetch(`http://127.0.0.1:${port}/`);
  assert(page.ok && (await page.text()).includes('<div id="root"'), 'the web app is served');
  portal.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null], 'SIGTERM ends it in order');
}

try {
  sendContext();
  let stage: Stage | undefined;
  const lines = readFileSync(join(context, 'Dockerfile'), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of lines) {
    console.log(`── ${line}`);
    const named = /^FROM node:24\S*(?: AS (\w+))?$/.exec(line);
    if (named) {
      const name = named[1] ?? 'image';
      stage = { dir: mkdtempSync(join(temp, `${name}-`)), env: {}, workdir: '/', user: '', command: [], health: [] };
      stages.set(name, stage);
      continue;
    }
    assert(stage, 'FROM node:24 comes first');
    execute(line, stage);
  }
  assert(stage && stage.user !== '' && stage.user !== 'root', 'the image runs as an unprivileged user');
  // The stage's folders are this user's own: let the other one in, as Docker's are.
  for (const dir of [temp, stage.dir]) spawnSync('chmod', ['a+rx', dir]);
  await serve(stage);
  console.log('The image\'s steps hold.');
} finally {
  rmSync(temp, { recursive: true, force: true });
}
