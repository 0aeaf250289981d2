import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { otherAdmin } from '../../../testing/out-of-band.ts';
import type { Named } from '../../../testing/setup-runs.ts';
import { ANA, BEN, MAYA, startPortal, type Client, type TestPortal } from '../../api/src/testing.ts';

const BIN = join(import.meta.dirname, '../bin/gatehouse.mjs');

let portal: TestPortal;
let maya: Client;
let personId: string;
let config: string;
beforeAll(async () => {
  portal = await startPortal({ timePasses: true });
  maya = await portal.as(MAYA);
  personId = (await maya.get('/api/session')).body.person.id;
  config = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'));
});
afterAll(async () => {
  rmSync(config, { recursive: true });
  await portal[Symbol.asyncDispose]();
});

interface Running { readonly child: ChildProcess; text(): { out: string; err: string }; ended: Promise<number | null> }

/** The program itself, as `npx gatehouse` starts it. */
function begin(args: readonly string[], node = process.execPath): Running {
  const child = spawn(node, [BIN, ...args], { env: { PATH: process.env['PATH'], XDG_CONFIG_HOME: config, GATEHOUSE_PORTAL: portal.url }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => { out += String(chunk); });
  child.stderr.on('data', (chunk) => { err += String(chunk); });
  return { child, text: () => ({ out, err }), ended: once(child, 'close').then(([code]) => code as number | null) };
}

async function gatehouse(...args: string[]): Promise<{ exit: number | null; out: string; err: string }> {
  const running = begin(args);
  return { exit: await running.ended, ...running.text() };
}

/** Begins to sign in, and answers the code once it is shown. */
async function shown(): Promise<Running & { code: string }> {
  const running = begin(['sign-in']);
  await expect.poll(() => running.text().err, { timeout: 15_000 }).toMatch(/enter the code/);
  return { ...running, code: /enter the code ([A-Z]{4}-[A-Z]{4})/.exec(running.text().err)?.[1] ?? '' };
}

async function signIn(): Promise<string> {
  const { code, ended, text } = await shown();
  const asking = await maya.get(`/api/device/authorizations/${code}`);
  expect(asking.body.address).toBe('127.0.0.1');
  expect((await maya.post(`/api/device/authorizations/${code}`, { decision: 'allow', personId })).status).toBe(200);
  expect(await ended, JSON.stringify(text())).toBe(0);
  return text().out;
}

const kept = (): string => join(config, 'gatehouse', 'sessions.json');
const tokenKept = (): string => (JSON.parse(readFileSync(kept(), 'utf8')) as Record<string, { token: string }>)[portal.url]?.token ?? '';
const withToken = async (path: string, token: string): Promise<number> => (await fetch(`${portal.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;

describe('the program on a portal', () => {
  test('signs in when its person allows it, is who they are, and signs out', async () => {
    expect(await signIn()).toMatch(new RegExp(`^Signed in at ${portal.url} as Maya Lindqvist \\(${MAYA.replaceAll('.', '\\.')}\\) until \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC\\.\\n$`));
    expect(statSync(kept()).mode & 0o777).toBe(0o600);
    const token = tokenKept();
    expect(await withToken('/api/setups', token)).toBe(200);
    expect(await withToken('/api/access', token), 'and no more').toBe(403);

    expect(await gatehouse('sign-out')).toEqual({ exit: 0, out: `Signed out at ${portal.url}.\n`, err: '' });
    expect(await withToken('/api/setups', token)).toBe(401);
    expect(readFileSync(kept(), 'utf8')).not.toContain(token);
    expect(await gatehouse('drift')).toEqual({ exit: 1, out: '', err: `gatehouse: Nobody is signed in at ${portal.url}. Run: gatehouse sign-in --portal ${portal.url}\n` });
  });

  test('is told that it was denied', async () => {
    const { code, ended, text } = await shown();
    await maya.post(`/api/device/authorizations/${code}`, { decision: 'deny', personId });
    expect(await ended).toBe(1);
    expect(text().err).toContain('gatehouse: Nobody is signed in: the sign-in was denied in the portal.');
  });

  test('waits on when somebody without the role enters the code, and Ctrl-C ends the wait', async () => {
    const { code, child, ended, text } = await shown();
    expect((await (await portal.as(ANA)).post(`/api/device/authorizations/${code}`, { decision: 'allow', personId })).status).toBe(403);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(text().err).toMatch(/Stopped\.\n$/);
  });

  test('a session that the portal ended is forgotten by signing out', async () => {
    await signIn();
    await portal.db.pool.query('DELETE FROM session WHERE device IS NOT NULL');
    expect((await gatehouse('sign-out')).out).toContain('had ended there already');
  });

  test('plans a file, applies it, finds nothing left to do, exports it, and tells what was done past it', async () => {
    await signIn();
    const path = join(config, 'setups.csv');
    const lines = (...rows: string[]): void => { writeFileSync(path, ['name,people,groups,days,applications', ...rows, ''].join('\r\n')); };
    lines(`CLI-One,${ANA};${BEN},,30,Finance reports`, `CLI-Two,${ANA},,30,Finance reports`);

    const first = await gatehouse('plan', '-f', path);
    expect([first.exit, first.err], first.out).toEqual([2, '']);
    expect(first.out).toMatch(/^line 2 {2}CLI-One {2}\d+ changes, \d+ calls, cannot be undone.*\nline 3 {2}CLI-Two {2}.*\n2 setups: 2 to change, 0 as they should be, 0 refused, 0 blocked\.\n$/);
    expect((await gatehouse('apply', '-f', path)).err, 'a pipe confirms nothing').toContain('Add --yes');
    expect((await portal.emulator.state()).groups.some(({ displayName }: { displayName: string }) => displayName.startsWith('CLI-'))).toBe(false);

    const applied = await gatehouse('apply', '-f', path, '--yes', '--json');
    expect(applied.exit, applied.err).toBe(2);
    expect(JSON.parse(applied.out)).toMatchObject({ command: 'apply', exit: 2, batch: { status: 'finished', rows: [{ name: 'CLI-One', status: 'done' }, { name: 'CLI-Two', status: 'done' }] } });
    expect((await portal.emulator.state()).groups.filter(({ displayName }: { displayName: string }) => displayName.startsWith('CLI-'))).toHaveLength(2);

    expect(await gatehouse('plan', '-f', path)).toEqual({ exit: 0, err: '', out: '2 setups: 0 to change, 2 as they should be, 0 refused, 0 blocked.\n' });
    expect((await gatehouse('apply', '-f', path, '--yes')).exit).toBe(0);

    const all = join(config, 'all.yaml');
    expect((await gatehouse('export', '-f', all)).exit).toBe(0);
    expect(await gatehouse('plan', '-f', all)).toMatchObject({ exit: 0, out: expect.stringContaining('2 as they should be') });

    expect(await gatehouse('drift', '-f', path)).toMatchObject({ exit: 0, err: '' });
    const erik = await otherAdmin(portal.emulator.url);
    const { groups, users } = await portal.emulator.state() as { groups: Named[]; users: Named[] };
    const idOf = (list: readonly Named[], name: string): string => list.find(({ displayName }) => displayName === name)?.id ?? '';
    await erik.graph('POST', `/v1.0/groups/${idOf(groups, 'CLI-Two')}/members/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${idOf(users, 'Rachel Stein')}` });
    await portal.advance('PT2M');
    await portal.syncNow();
    const drifted = await gatehouse('drift', '-f', path);
    expect([drifted.exit, drifted.err]).toEqual([2, '']);
    expect(drifted.out).toMatch(/CLI-Two[^]*Rachel Stein is a member past PIM[^]*Erik Sandberg/);
    expect(drifted.out).not.toContain('CLI-One  ');

    lines(`CLI-One,nobody@contoso.example,,30,Finance reports`);
    const wrong = await gatehouse('plan', '-f', path);
    expect([wrong.exit, wrong.out]).toEqual([1, expect.stringMatching(/^line 2 {2}CLI-One {2}refused: .*nobody@contoso\.example/)]);
    writeFileSync(path, 'name,name\r\n');
    expect(await gatehouse('plan', '-f', path)).toMatchObject({ exit: 1, out: '', err: expect.stringMatching(/^gatehouse: The request is not valid/) });
    expect((await gatehouse('sign-out')).exit).toBe(0);
  });

  const own = machinesNode();
  test.skipIf(own === undefined)('starts under a Node of the machine that cannot run TypeScript', async () => {
    const running = begin(['--help'], own);
    expect([await running.ended, running.text().err]).toEqual([0, '']);
    expect(running.text().out).toMatch(/^Usage: gatehouse COMMAND/);
  });
});

/** A Node older than ours, where this machine has one. */
function machinesNode(): string | undefined {
  const candidate = ['/usr/local/bin/node', '/usr/bin/node'].find((path) => existsSync(path));
  if (candidate === undefined) return undefined;
  const major = Number(/^v(\d+)/.exec(execFileSync(candidate, ['--version'], { encoding: 'utf8' }))?.[1]);
  return major < 24 ? candidate : undefined;
}
