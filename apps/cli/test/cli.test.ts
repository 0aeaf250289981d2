import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ApplyBatch, BeginDeviceSignIn, CheckAllSetups, CheckSetup, ClaimDeviceSession, CreateBatch, ExportSetups, GetBatch, GetSession, ListDrift, SignOut,
  type Batch, type BatchRow, type SetupDrift,
} from '@gatehouse/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../src/cli.ts';
import { configDir, keptSessions } from '../src/kept-sessions.ts';
import { originOf } from '../src/portal.ts';
import { plain, type Terminal } from '../src/terminal.ts';
import { answers, refuses, stubPortal, type Handler } from './stub-portal.ts';

const ID = 'b0000000-0000-4000-8000-000000000001';
const SETUP = 'c0000000-0000-4000-8000-000000000001';

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'gatehouse-cli-')); });
afterEach(() => { rmSync(dir, { recursive: true }); });

const row = (more: Partial<BatchRow> = {}): BatchRow => ({
  ordinal: 0, line: 2, name: 'FinReport-SecureAccess', status: 'planned', detail: null, setupId: null, runId: null, changes: 5, calls: 8, irreversible: false, warnings: 0, ...more,
});
const batch = (status: Batch['status'], ...rows: BatchRow[]): Batch => ({
  id: ID, name: 'setups.csv', format: 'csv', status, actorName: 'Maya Lindqvist', createdAt: '2026-03-02T09:00:00Z', startedAt: null, finishedAt: null, stopAskedBy: null, detail: null, rows, counts: {},
});
const difference = (more = {}) => ({
  key: 'member-added:1', kind: 'member-added' as const, severity: 'bypass' as const, title: 'Ben Novak is a member past PIM', expected: 'no member past PIM', found: 'Ben Novak', restorable: true, acceptable: false, mend: null,
  firstSeenAt: '2026-03-02T09:05:00Z', by: { name: 'Maya Lindqvist', at: '2026-03-02T08:58:11.1234567Z', eventId: 'directory:1' }, ...more,
});
const drifted = (more: Partial<SetupDrift> = {}): SetupDrift => ({ setupId: SETUP, name: 'FinReport-SecureAccess', lookedAt: '2026-03-02T09:06:00Z', notSeen: [], failure: null, differences: [difference()], ...more });
const session = answers(GetSession, { person: null, tenant: { id: 't', displayName: 'Contoso' }, now: '2026-03-02T09:05:30.000Z', demo: null });

interface Outcome { exit: number; out: string[]; err: string[] }

/** One command against a portal that answers as told. Waits take no time; a person is there who gives the answer. */
async function gatehouse(portal: { url: string }, args: string[], { answer, signedIn = true, stopping = new AbortController(), onSleep }: { answer?: string; signedIn?: boolean; stopping?: AbortController; onSleep?: (ms: number) => void } = {}): Promise<Outcome> {
  const [out, err]: [string[], string[]] = [[], []];
  let now = Date.parse('2026-03-02T09:00:00Z');
  const terminal: Terminal = {
    interactive: answer !== undefined, signal: stopping.signal,
    out: (line) => { out.push(line); }, err: (line) => { err.push(line); },
    ask: async (question) => { err.push(question); return answer ?? ''; },
    sleep: async (ms) => {
      now += ms;
      onSleep?.(ms);
      stopping.signal.throwIfAborted();
    },
    now: () => new Date(now),
  };
  const sessions = keptSessions(join(dir, 'config'));
  if (signedIn) sessions.keep(portal.url, { token: 'the-token', expiresAt: '2026-03-02T17:00:00Z', userPrincipalName: 'maya' });
  const exit = await run(args, { terminal, sessions, env: { GATEHOUSE_PORTAL: portal.url }, deviceName: 'build-7' });
  return { exit, out, err };
}

function file(name = 'setups.csv', text = 'name,people\nFinReport-SecureAccess,ana\n'): string {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
}

describe('plan', () => {
  test.each([
    ['nothing to do', 0, [row({ status: 'nothing', changes: 0 })], ['1 setup: 0 to change, 1 as they should be, 0 refused, 0 blocked.']],
    ['changes', 2, [row({ irreversible: true, warnings: 2 }), row({ ordinal: 1, line: 3, status: 'nothing' })], ['line 2  FinReport-SecureAccess  5 changes, 8 calls, cannot be undone, 2 warnings', '2 setups: 1 to change, 1 as they should be, 0 refused, 0 blocked.']],
    ['a refused row', 1, [row({ changes: 1, calls: 1 }), row({ ordinal: 1, line: 3, name: 'X', status: 'refused', detail: 'Nobody is called "ana.cost".\nDid you mean ana.costa?' })], ['line 2  FinReport-SecureAccess  1 change, 1 call', 'line 3  X  refused: Nobody is called "ana.cost". Did you mean ana.costa?', '2 setups: 1 to change, 0 as they should be, 1 refused, 0 blocked.']],
    ['a blocked row', 1, [row({ status: 'blocked', detail: 'The group is managed on premises.' })], ['line 2  FinReport-SecureAccess  blocked: The group is managed on premises.', '1 setup: 0 to change, 0 as they should be, 0 refused, 1 blocked.']],
  ] as const)('%s: exit %i', async (_title, exit, rows, lines) => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planning', ...rows.map((one) => ({ ...one, status: 'waiting' as const })))), answers(GetBatch, batch(rows.some(({ status }) => status === 'planned') ? 'planned' : 'finished', ...rows)));
    expect(await gatehouse(portal, ['plan', '-f', file()])).toEqual({ exit, out: lines, err: [] });
    expect(portal.calls.filter(({ endpoint }) => endpoint === ApplyBatch)).toEqual([]);
  });

  test('a plan that was not made whole is no plan: exit 1', async () => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planning')), answers(GetBatch, batch('interrupted', row({ status: 'nothing' }), row({ ordinal: 1, line: 3, status: 'waiting' }))));
    for (const command of [['plan'], ['apply', '--yes'], ['drift']]) expect((await gatehouse(portal, [...command, '-f', file()])).exit, command[0]).toBe(1);
    const row2 = row({ ordinal: 1, line: 3, name: 'Payroll', status: 'waiting', detail: 'Line 3: Microsoft Entra did not answer.' });
    portal.use(answers(GetBatch, { ...batch('interrupted', row({ status: 'nothing' }), row2), detail: '1 row has no plan yet.' }));
    expect(await gatehouse(portal, ['plan', '-f', file()])).toEqual({
      exit: 1, out: ['line 3  Payroll  no plan yet: Line 3: Microsoft Entra did not answer.', '2 setups: 0 to change, 1 as they should be, 0 refused, 0 blocked, 1 without a plan.'],
      err: ['The batch is interrupted, and its plan is not whole. 1 row has no plan yet. Run plan again, or go on with the batch in the portal.'],
    });
    expect((await gatehouse(portal, ['apply', '--yes', '-f', file()])).err).toEqual([expect.stringMatching(/^Nothing was changed\. The batch is interrupted/)]);
    expect((await gatehouse(portal, ['drift', '-f', file()])).err).toEqual([expect.stringMatching(/^gatehouse: Nothing was compared\. The batch is interrupted/)]);
  });

  test.each([['csv', 'csv'], ['CSV', 'csv'], ['yaml', 'yaml'], ['yml', 'yaml'], ['json', 'yaml']])('.%s is sent as %s, with the session as a bearer token', async (extension, format) => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planned')));
    await gatehouse(portal, ['plan', '-f', file(`setups.${extension}`, '\uFEFFname\n')]);
    expect(portal.calls).toMatchObject([{ body: { fileName: `setups.${extension}`, format, text: 'name\n' }, headers: { authorization: 'Bearer the-token' } }]);
    expect(portal.calls[0]?.headers).not.toHaveProperty('cookie');
  });

  test('a template goes with the rows of a CSV file alone', async () => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planned')));
    const template = file('template.yaml', 'group: ${name}');
    expect((await gatehouse(portal, ['plan', '-f', file(), '--template', template])).exit).toBe(0);
    expect(portal.calls[0]?.body).toMatchObject({ template: 'group: ${name}' });
    expect(await gatehouse(portal, ['plan', '-f', template, '--template', template])).toMatchObject({ exit: 1, err: ['gatehouse: A template is for the rows of a CSV file. Leave out --template.'] });
  });

  test('--json prints one document and nothing else on standard output', async () => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planned', row())));
    const { exit, out } = await gatehouse(portal, ['plan', '--json', '-f', file()]);
    expect(out).toHaveLength(1);
    expect(JSON.parse(out[0] ?? '')).toEqual({ command: 'plan', exit, batch: batch('planned', row()) });
  });

  test('names of the tenant move no cursor', async () => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planned', row({ name: 'Fin\u001b[2J\u202eReport\r\n' }))));
    expect((await gatehouse(portal, ['plan', '-f', file()])).out[0]).toBe('line 2  Fin�[2J�Report  5 changes, 8 calls');
    expect(plain('a\u0000b')).toBe('a�b');
  });

  test('a portal that is away for a moment is waited for, one that stays away is said', async () => {
    const waited: number[] = [];
    let looks = 0;
    const flaky: Handler = { endpoint: GetBatch, answer: () => (++looks < 4 ? refuses(GetBatch, 'not-ready').answer({} as never) : { status: 200, body: batch('planned') }) };
    await using portal = await stubPortal(answers(CreateBatch, batch('planning')), flaky);
    expect((await gatehouse(portal, ['plan', '-f', file()], { onSleep: (ms) => waited.push(ms) })).exit).toBe(0);
    expect(waited).toEqual([500, 1000, 2000, 4000]);
    portal.use(refuses(GetBatch, 'not-ready'));
    expect(await gatehouse(portal, ['plan', '-f', file()])).toMatchObject({ exit: 1, err: [expect.stringMatching(/^gatehouse: The portal is not ready yet\./)] });
  });

  test('Ctrl-C ends the wait: exit 130', async () => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planning')), answers(GetBatch, batch('planning')));
    const stopping = new AbortController();
    let times = 0;
    expect(await gatehouse(portal, ['plan', '-f', file()], { stopping, onSleep: () => { if (++times === 3) stopping.abort(); } })).toEqual({ exit: 130, out: [], err: ['Stopped.'] });
  });
});

describe('apply', () => {
  const planned = answers(CreateBatch, batch('planned', row(), row({ ordinal: 1, line: 3, name: 'Payroll', irreversible: true }), row({ ordinal: 2, line: 4, status: 'nothing' })));
  const running = answers(ApplyBatch, batch('running', row({ status: 'running' }), row({ ordinal: 1, line: 3, name: 'Payroll' })));
  const bodies = (portal: { calls: readonly { endpoint: unknown; body: unknown }[] }) => portal.calls.filter(({ endpoint }) => endpoint === ApplyBatch).map(({ body }) => body);

  test('with --yes follows to the end: exit 2, and what is wrong would be 1', async () => {
    await using portal = await stubPortal(planned, running, answers(GetBatch, batch('finished', row({ status: 'done' }), row({ ordinal: 1, line: 3, name: 'Payroll', status: 'done' }))));
    const { exit, out, err } = await gatehouse(portal, ['apply', '-f', file(), '--yes']);
    expect([exit, out.at(-1), err]).toEqual([2, '2 setups to change: 2 done, 0 failed, 0 not applied.', []]);
    expect(bodies(portal)).toEqual([{ irreversibleUnderstood: true }]);
  });

  test('nothing to do is not begun: exit 0', async () => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planned', row({ status: 'nothing' }))));
    expect((await gatehouse(portal, ['apply', '-f', file(), '--yes'])).exit).toBe(0);
    expect(bodies(portal)).toEqual([]);
  });

  test('a row that is refused keeps the whole file from being begun', async () => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planned', row(), row({ ordinal: 1, line: 3, status: 'refused', detail: 'No.' }))));
    expect(await gatehouse(portal, ['apply', '-f', file(), '--yes'])).toMatchObject({ exit: 1, err: [expect.stringMatching(/^Nothing was changed\./)] });
    expect(bodies(portal)).toEqual([]);
  });

  test('asks the person who is there, and says what cannot be undone', async () => {
    await using portal = await stubPortal(planned, running, answers(GetBatch, batch('finished', row({ status: 'done' }), row({ ordinal: 1, line: 3, status: 'done' }))));
    const { exit, err } = await gatehouse(portal, ['apply', '-f', file()], { answer: 'yes' });
    expect(err[0]).toBe('Apply 2 setups with 10 changes? 1 of them has a step that cannot be undone (line 3). Type yes to go on: ');
    expect([exit, bodies(portal)]).toEqual([2, [{ irreversibleUnderstood: true }]]);
  });

  test.each(['', 'y', 'no', 'Yes'])('the answer “%s” is not yes', async (answer) => {
    await using portal = await stubPortal(planned, running, answers(GetBatch, batch('finished')));
    expect((await gatehouse(portal, ['apply', '-f', file()], { answer })).exit).toBe(1);
    expect(bodies(portal)).toEqual([]);
  });

  test('without anybody there and without --yes nothing is applied', async () => {
    await using portal = await stubPortal(planned, running, answers(GetBatch, batch('finished')));
    expect(await gatehouse(portal, ['apply', '-f', file()])).toMatchObject({ exit: 1, err: [expect.stringContaining('Add --yes')] });
    expect(bodies(portal)).toEqual([]);
  });

  test.each([
    ['finished', [row({ status: 'done' }), row({ ordinal: 1, line: 3, name: 'Payroll', status: 'failed', detail: 'Entra is busy.' })], ['line 3  Payroll  failed: Entra is busy.', '2 setups to change: 1 done, 1 failed, 0 not applied.']],
    ['stopped', [row({ status: 'done' }), row({ ordinal: 1, line: 3, name: 'Payroll' })], ['line 3  Payroll  not applied', '2 setups to change: 1 done, 0 failed, 1 not applied.']],
    ['interrupted', [row({ status: 'done' }), row({ ordinal: 1, line: 3, name: 'Payroll' })], ['line 3  Payroll  not applied', '2 setups to change: 1 done, 0 failed, 1 not applied.']],
  ] as const)('a batch that ends %s short of everything is an error', async (status, rows, lines) => {
    await using portal = await stubPortal(planned, running, answers(GetBatch, batch(status, ...rows)));
    const { exit, out } = await gatehouse(portal, ['apply', '-f', file(), '--yes']);
    expect([exit, out.slice(-2)]).toEqual([1, lines]);
  });

  test('Ctrl-C while the portal applies says that it goes on', async () => {
    await using portal = await stubPortal(planned, running, answers(GetBatch, batch('running')));
    const stopping = new AbortController();
    expect(await gatehouse(portal, ['apply', '-f', file(), '--yes'], { stopping, onSleep: () => { stopping.abort(); } })).toMatchObject({ exit: 130, err: [`The portal goes on applying batch ${ID}. It can be stopped in the portal.`, 'Stopped.'] });
  });

  test('Entra’s wish for a stronger sign-in is told with where to meet it', async () => {
    await using portal = await stubPortal(planned, refuses(ApplyBatch, 'step-up-required', { detail: 'Open https://gatehouse.example.com/setups.' }));
    expect(await gatehouse(portal, ['apply', '-f', file(), '--yes'])).toMatchObject({ exit: 1, err: ['gatehouse: Verify that it is you. Open https://gatehouse.example.com/setups.\n  Ref 4F2A91BC'] });
  });
});

describe('drift', () => {
  const asked = answers(CheckAllSetups, { setups: 1 });

  test('waits for looks that are after the question, and says by whom and when: exit 2', async () => {
    let looks = 0;
    await using portal = await stubPortal(session, asked, answers(ListDrift, () => ({ setups: [drifted(++looks < 3 ? { lookedAt: '2026-03-02T09:05:00Z', differences: [] } : {})] })));
    expect(await gatehouse(portal, ['drift'])).toEqual({
      exit: 2, err: [], out: [
        'FinReport-SecureAccess  1 difference, compared 2026-03-02 09:06 UTC',
        '  bypass: Ben Novak is a member past PIM',
        '    setup: no member past PIM; tenant: Ben Novak',
        '    by Maya Lindqvist at 2026-03-02 08:58 UTC, first seen 2026-03-02 09:05 UTC',
        '1 setup: 1 differ in 1 point.',
      ],
    });
    expect(looks).toBe(3);
  });

  test('none: exit 0', async () => {
    await using portal = await stubPortal(session, asked, answers(ListDrift, { setups: [drifted({ differences: [] })] }));
    expect(await gatehouse(portal, ['drift'])).toEqual({ exit: 0, err: [], out: ['1 setup: 0 differ in 0 points.'] });
  });

  test('what a look of the background never sees makes no difference of its own', async () => {
    await using portal = await stubPortal(session, asked, answers(ListDrift, { setups: [drifted({ differences: [], notSeen: ['Connectors.'] })] }));
    expect((await gatehouse(portal, ['drift'])).exit).toBe(0);
  });

  test.each([['that was not compared in time', { lookedAt: null, differences: [] }, 'FinReport-SecureAccess  could not be compared now'], ['whose look failed', { differences: [], failure: 'The last look failed: Microsoft Graph did not answer.' }, '  The last look failed: Microsoft Graph did not answer.']])('a setup %s is not called in order: exit 1', async (_title, more, line) => {
    await using portal = await stubPortal(session, asked, answers(ListDrift, { setups: [drifted(more)] }));
    const { exit, out } = await gatehouse(portal, ['drift']);
    expect(exit).toBe(1);
    expect(out).toContain(line);
  });

  test('of a file compares the setups that it names, each once, and says which are none yet', async () => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planned', row({ setupId: SETUP }), row({ ordinal: 1, line: 3, setupId: SETUP }), row({ ordinal: 2, line: 4, name: 'New' }))), answers(CheckSetup, drifted({ differences: [] })));
    const { exit, out } = await gatehouse(portal, ['drift', '-f', file()]);
    expect([exit, out]).toEqual([2, ['line 4  New  is no setup yet', '2 setups: 0 differ in 0 points, 1 not set up.']]);
    expect(portal.calls.filter(({ endpoint }) => endpoint === CheckSetup).map(({ url }) => url)).toEqual([`/api/setups/${SETUP}/drift`]);
  });

  test('of a file with a row that is wrong compares nothing: exit 1', async () => {
    await using portal = await stubPortal(answers(CreateBatch, batch('planned', row({ setupId: SETUP }), row({ ordinal: 1, line: 3, status: 'refused', detail: 'No.' }))));
    expect((await gatehouse(portal, ['drift', '-f', file()])).exit).toBe(1);
  });

  test('--json has what was found, who and when', async () => {
    await using portal = await stubPortal(session, asked, answers(ListDrift, { setups: [drifted()] }));
    const { out } = await gatehouse(portal, ['drift', '--json']);
    expect(JSON.parse(out.join('\n'))).toMatchObject({ command: 'drift', exit: 2, setups: [{ differences: [{ by: { name: 'Maya Lindqvist' } }] }], missing: [], notCompared: [] });
  });
});

describe('export', () => {
  test('writes the setups, and replaces a file only when forced', async () => {
    await using portal = await stubPortal(answers(ExportSetups, 'setups: []\n'));
    const path = join(dir, 'all.yaml');
    expect(await gatehouse(portal, ['export', '-f', path])).toEqual({ exit: 0, err: [], out: [`Wrote ${path}, 11 bytes.`] });
    writeFileSync(path, 'mine');
    expect(await gatehouse(portal, ['export', '-f', path])).toMatchObject({ exit: 1, err: [expect.stringContaining('is there already')] });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect((await gatehouse(portal, ['export', '-f', path, '--force'])).exit).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe('setups: []\n');
  });
});

describe('sign-in', () => {
  const begun = answers(BeginDeviceSignIn, { deviceCode: 'the-device-code', userCode: 'WDJB-MJHT', verificationUri: 'http://p/device', verificationUriComplete: 'http://p/device?code=WDJB-MJHT', expiresInSeconds: 600, intervalSeconds: 5 });
  const granted = { state: 'granted' as const, token: 'a-new-token', expiresAt: '2026-03-02T17:00:00Z', person: { displayName: 'Maya Lindqvist', userPrincipalName: 'maya@contoso.example' } };

  test('shows the code, asks no faster than it may, and keeps the token for its owner alone', async () => {
    const states = [{ state: 'authorization-pending' as const }, { state: 'slow-down' as const, intervalSeconds: 10 }, granted];
    await using portal = await stubPortal(begun, answers(ClaimDeviceSession, () => states.shift() ?? granted));
    const waited: number[] = [];
    const { exit, out, err } = await gatehouse(portal, ['sign-in'], { signedIn: false, onSleep: (ms) => waited.push(ms) });
    expect([exit, out, waited]).toEqual([0, [`Signed in at ${portal.url} as Maya Lindqvist (maya@contoso.example) until 2026-03-02 17:00 UTC.`], [5000, 5000, 10_000]]);
    expect(err.join('\n')).toContain('enter the code WDJB-MJHT');
    expect([...out, ...err].join('\n')).not.toMatch(/a-new-token|the-device-code/);
    const path = join(dir, 'config', 'sessions.json');
    expect([statSync(path).mode & 0o777, statSync(join(dir, 'config')).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ [portal.url]: { token: 'a-new-token', expiresAt: granted.expiresAt, userPrincipalName: 'maya@contoso.example' } });
    expect(portal.calls[0]).toMatchObject({ body: { deviceName: 'build-7' }, headers: { origin: portal.url } });
  });

  test.each([['access-denied', /denied in the portal/], ['expired', /Nobody allowed the sign-in in time/]] as const)('%s is said: exit 1', async (state, sentence) => {
    await using portal = await stubPortal(begun, answers(ClaimDeviceSession, { state }));
    const { exit, err } = await gatehouse(portal, ['sign-in'], { signedIn: false });
    expect([exit, err.at(-1)]).toEqual([1, expect.stringMatching(sentence)]);
  });

  test('does not ask for ever, and more seldom while the portal does not answer', async () => {
    await using portal = await stubPortal(begun, refuses(ClaimDeviceSession, 'not-ready'));
    const waited: number[] = [];
    expect((await gatehouse(portal, ['sign-in'], { signedIn: false, onSleep: (ms) => waited.push(ms / 1000) })).exit).toBe(1);
    expect(waited).toEqual([5, 10, 20, 40, 80, 160, 320]);
  });

  test('signing out ends the session there and forgets it here, also one that is over', async () => {
    await using portal = await stubPortal(answers(SignOut, { signOutUrl: 'https://login.example' }));
    expect(await gatehouse(portal, ['sign-out'])).toMatchObject({ exit: 0, out: [`Signed out at ${portal.url}.`] });
    expect(portal.calls[0]?.headers['authorization']).toBe('Bearer the-token');
    expect(await gatehouse(portal, ['sign-out'], { signedIn: false })).toMatchObject({ exit: 0, out: [`Nobody is signed in at ${portal.url} on this machine.`] });
    portal.use(refuses(SignOut, 'not-signed-in'));
    expect((await gatehouse(portal, ['sign-out'])).exit).toBe(0);
    portal.use(refuses(SignOut, 'internal'));
    expect((await gatehouse(portal, ['sign-out'])).exit).toBe(1);
    expect(keptSessions(join(dir, 'config')).of(portal.url), 'it can still be ended').toBeDefined();
  });

  test('a file of tokens that others can read is not used', async () => {
    await using portal = await stubPortal(session);
    const sessions = keptSessions(join(dir, 'config'));
    sessions.keep(portal.url, { token: 'x', expiresAt: '2026-03-02T17:00:00Z', userPrincipalName: 'm' });
    chmodSync(join(dir, 'config', 'sessions.json'), 0o644);
    expect(await gatehouse(portal, ['drift'], { signedIn: false })).toMatchObject({ exit: 1, err: [expect.stringContaining('chmod 600')] });
    expect(portal.calls).toEqual([]);
  });

  test('the file lies where XDG says, unless that is no absolute path', () => {
    expect(configDir({ XDG_CONFIG_HOME: '/etc/x' })).toBe('/etc/x/gatehouse');
    expect(configDir({ XDG_CONFIG_HOME: 'relative' })).toMatch(/\/\.config\/gatehouse$/);
  });
});

describe('what is refused before anything is sent', () => {
  test.each(['http://gatehouse.example.com', 'http://localhost.evil.example', 'http://127.0.0.1.evil.example', 'http://10.0.0.1:3000', 'ftp://localhost', 'localhost:3000', 'https://maya:x@gatehouse.example.com', 'https://gatehouse.example.com/setups', 'https://gatehouse.example.com/?x=1', ''])('the portal “%s”', (address) => {
    expect(() => originOf(address)).toThrow(/Give /);
  });

  test.each([['https://gatehouse.example.com/', 'https://gatehouse.example.com'], ['http://localhost:3000', 'http://localhost:3000'], ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'], ['http://[::1]:3000', 'http://[::1]:3000']])('but not %s', (address, origin) => {
    expect(originOf(address)).toBe(origin);
  });

  test.each([
    [['frobnicate'], /There is no command "frobnicate"/], [['toString'], /There is no command/], [['plan'], /plan needs a file/], [['plan', 'setups.csv'], /named with -f/], [['plan', '-f', 'x.csv', '--yes'], /plan takes no --yes/], [['plan', '--nonsense'], /Unknown option/], [['--json'], /Name a command/], [['plan', '-f'], /^gatehouse: --file needs a value\. See gatehouse --help\.$/], [['plan', '-f', '--json'], /^gatehouse: --file needs a value/], [['drift', '--json=x'], /^gatehouse: --json takes no value/],
    [['plan', '-f', '/nowhere/setups.csv'], /cannot be read \(ENOENT\)/], [['plan', '-f', '/nowhere/setups.txt'], /cannot be told from its name/], [['drift', '--template', 'x'], /Name it with -f/], [['export', '-f', 'x.csv'], /Name the file \.yaml/],
  ] as const)('%j', async (args, sentence) => {
    await using portal = await stubPortal();
    const { exit, err } = await gatehouse(portal, [...args]);
    expect([exit, err[0]]).toEqual([1, expect.stringMatching(sentence)]);
    expect(portal.calls).toEqual([]);
  });

  test('a command without a session, or with one that has lapsed', async () => {
    await using portal = await stubPortal(session);
    expect(await gatehouse(portal, ['drift'], { signedIn: false })).toMatchObject({ exit: 1, err: [`gatehouse: Nobody is signed in at ${portal.url}. Run: gatehouse sign-in --portal ${portal.url}`] });
    keptSessions(join(dir, 'config')).keep(portal.url, { token: 'x', expiresAt: '2026-03-02T09:00:00Z', userPrincipalName: 'm' });
    expect((await gatehouse(portal, ['drift'], { signedIn: false })).err[0]).toContain('any more');
    expect(portal.calls).toEqual([]);
  });

  test('a session that the portal ended is told with what to do', async () => {
    await using portal = await stubPortal(refuses(CreateBatch, 'not-signed-in'));
    expect((await gatehouse(portal, ['plan', '-f', file()])).err).toEqual([`gatehouse: Sign in to continue. Your sign-in at ${portal.url} has ended. Run: gatehouse sign-in --portal ${portal.url}\n  Ref 4F2A91BC`]);
  });

  test('a session is sent to its own portal alone', async () => {
    await using one = await stubPortal(answers(CreateBatch, batch('planned')));
    await using other = await stubPortal(answers(CreateBatch, batch('planned')));
    expect((await gatehouse(one, ['plan', '-f', file(), '--portal', other.url])).exit).toBe(1);
    expect([...one.calls, ...other.calls]).toEqual([]);
  });

  test('a redirect is not followed: the token stays where it was sent', async () => {
    await using other = await stubPortal(answers(CreateBatch, batch('planned')));
    await using portal = await stubPortal({ endpoint: CreateBatch, answer: () => ({ status: 307, body: '', location: `${other.url}${CreateBatch.path}` }) });
    expect((await gatehouse(portal, ['plan', '-f', file()])).exit).toBe(1);
    expect(other.calls).toEqual([]);
  });

  test('an answer that the contract does not know is an error, and with --json a document too', async () => {
    await using portal = await stubPortal({ endpoint: CreateBatch, answer: () => ({ status: 202, body: { id: 1 } }) });
    const { exit, out } = await gatehouse(portal, ['plan', '-f', file(), '--json']);
    expect([exit, JSON.parse(out.join(''))]).toEqual([1, { exit: 1, error: { message: expect.stringContaining('does not know') } }]);
    portal.use(refuses(CreateBatch, 'invalid-request', { issues: [{ path: 'line 3', message: 'has 4 cells of 5' }] }));
    expect((await gatehouse(portal, ['plan', '-f', file()])).err).toEqual(['gatehouse: The request is not valid.\n  line 3: has 4 cells of 5\n  Ref 4F2A91BC']);
  });
});
