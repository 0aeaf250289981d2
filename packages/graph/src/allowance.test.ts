import { describe, expect, test } from 'vitest';
import { createAllowance, PUBLISHED_LIMITS } from './allowance.ts';
import type { Call } from './call.ts';
import { GraphError } from './errors.ts';
import type { Priority, Timer } from './ports.ts';

const NEVER = Number.POSITIVE_INFINITY;
const get = (path: string, query: Record<string, string> = {}): Call => ({ method: 'GET', version: 'v1.0', path, query });
const AUDITS = get('/auditLogs/directoryAudits');

/** Time that goes on only when everything waits for it, from one wait's end to the next. */
function steppingTimer() {
  let now = 0;
  const sleepers: { until: number; wake: () => void }[] = [];
  const timer: Timer = { now: () => now, sleep: (ms) => new Promise((wake) => { sleepers.push({ until: now + ms, wake }); }) };
  const settle = async (): Promise<void> => { for (let turn = 0; turn < 20; turn += 1) await Promise.resolve(); };
  return {
    timer,
    settle,
    async pass(to: number): Promise<void> {
      for (;;) {
        await settle();
        const next = sleepers.toSorted((a, b) => a.until - b.until)[0];
        if (!next || next.until > to) break;
        sleepers.splice(sleepers.indexOf(next), 1);
        now = next.until;
        next.wake();
      }
      now = to;
      await settle();
    },
  };
}

function line(limits = PUBLISHED_LIMITS) {
  const time = steppingTimer();
  const waits: { priority: Priority; waitedMs: number }[] = [];
  const allowance = createAllowance(limits, time.timer, undefined, (admitted) => void waits.push(admitted));
  const sent: { at: number; who: string }[] = [];
  const ask = (who: string, call: Call = AUDITS, priority: Priority = 'background', deadline = NEVER): Promise<unknown> =>
    allowance.admit(call, priority, deadline).then(() => sent.push({ at: time.timer.now(), who }), (error: unknown) => error);
  return { ...time, allowance, sent, ask, waits };
}

describe('what may be asked of Graph', () => {
  test('no window ever holds more than the limit, however many ask', async () => {
    const { ask, pass, sent } = line();
    for (let count = 0; count < 23; count += 1) void ask(`r${count}`, AUDITS, 'person');
    await pass(120_000);
    expect(sent).toHaveLength(23);
    for (const { at } of sent) expect(sent.filter((one) => one.at > at - 10_000 && one.at <= at).length).toBeLessThanOrEqual(5);
    // And no slower than that: 5 at once, 5 more every ten seconds.
    expect(sent.at(-1)?.at).toBe(40_000);
  });

  test('whoever watches is told how long each waited: a person not at all while hundreds of the background do', async () => {
    const { ask, pass, waits } = line();
    const policy = get('/policies/roleManagementPolicyAssignments');
    for (let count = 0; count < 600; count += 1) void ask(`job${count}`, policy);
    for (let count = 0; count < 40; count += 1) void ask(`person${count}`, policy, 'person');
    await pass(60_000);
    const of = (priority: Priority): number[] => waits.filter((one) => one.priority === priority).map(({ waitedMs }) => waitedMs);
    expect(of('person')).toEqual(Array.from({ length: 40 }, () => 0));
    expect(of('background').filter((ms) => ms >= 10_000)).toHaveLength(440);
  });

  test('people go before the background, who came first or not', async () => {
    const { ask, pass, sent } = line({ ...PUBLISHED_LIMITS, 'audit-reports': { units: 10, windowMs: 10_000 } });
    for (let count = 0; count < 12; count += 1) void ask(`job${count}`);
    for (let count = 0; count < 3; count += 1) void ask(`person${count}`, AUDITS, 'person');
    await pass(0);
    // The background leaves a fifth of the limit to people, and two of them have taken it.
    expect(sent.map(({ who }) => who)).toEqual(['job0', 'job1', 'job2', 'job3', 'job4', 'job5', 'job6', 'job7', 'person0', 'person1']);
    await pass(10_000);
    expect(sent.slice(10).map(({ who }) => who)).toEqual(['person2', 'job8', 'job9', 'job10', 'job11']);
  });

  test('who could not be let in before the deadline is told at once, and has sent nothing', async () => {
    const { ask, pass, sent } = line();
    for (let count = 0; count < 5; count += 1) void ask(`r${count}`, AUDITS, 'person');
    await pass(1_000);
    const refused = await ask('late', AUDITS, 'person', 9_000);
    expect(refused).toBeInstanceOf(GraphError);
    expect(refused).toMatchObject({ failure: 'throttled', details: { retryAfterMs: 9_000, sent: false } });
    await pass(60_000);
    expect(sent.map(({ who }) => who)).not.toContain('late');
  });

  test('a pause that Graph asks for holds the background, and nobody else', async () => {
    const { ask, allowance, pass, sent } = line();
    allowance.pause(AUDITS, 30_000);
    void ask('job');
    void ask('person', AUDITS, 'person');
    await pass(29_999);
    expect(sent.map(({ who }) => who)).toEqual(['person']);
    await pass(30_000);
    expect(sent.map(({ who }) => who)).toEqual(['person', 'job']);
  });

  test('where the portal stops, who waits is told so, and has sent nothing', async () => {
    const { timer, pass } = steppingTimer();
    const stop = new AbortController();
    const allowance = createAllowance(PUBLISHED_LIMITS, timer, stop.signal);
    const outcomes = Array.from({ length: 6 }, () => allowance.admit(AUDITS, 'background', NEVER).then(() => 'sent', (error: unknown) => error));
    await pass(0);
    stop.abort();
    expect(await Promise.all(outcomes)).toMatchObject(['sent', 'sent', 'sent', 'sent', 'sent', { failure: 'unavailable', details: { sent: false } }]);
    await expect(allowance.admit(AUDITS, 'background', NEVER)).rejects.toMatchObject({ failure: 'unavailable' });
  });

  test('one service does not wait for another', async () => {
    const { ask, pass, sent } = line();
    for (let count = 0; count < 6; count += 1) void ask(`r${count}`, AUDITS, 'person');
    void ask('directory', get('/users'), 'person');
    await pass(0);
    expect(sent.map(({ who }) => who)).toContain('directory');
  });

  test.each([
    ['a list of users', get('/users'), 2], ['chosen fields', get('/users', { $select: 'id' }), 1], ['chosen fields of a few', get('/groups', { $select: 'id', $top: '5' }), 1],
    ['members', get('/groups/g/members'), 3], ['members of members', get('/groups/g/transitiveMembers'), 5], ['one object', get('/groups/g'), 1], ['expanded', get('/groups/g', { $expand: 'owners' }), 2],
    ['names by id', { method: 'POST', version: 'v1.0', path: '/directoryObjects/getByIds', body: {} } as const, 3],
  ])('%s costs the directory what is published', async (_what, call, units) => {
    const { ask, pass, sent } = line({ ...PUBLISHED_LIMITS, 'directory': { units: 30, windowMs: 10_000 } });
    for (let count = 0; count < 31; count += 1) void ask(`r${count}`, call, 'person');
    await pass(0);
    expect(sent).toHaveLength(Math.floor(30 / units));
  });

  test('a write counts among the writes too', async () => {
    const { ask, pass, sent } = line({ ...PUBLISHED_LIMITS, 'directory-writes': { units: 2, windowMs: 150_000 } });
    for (let count = 0; count < 3; count += 1) void ask(`w${count}`, { method: 'PATCH', version: 'v1.0', path: '/groups/g', body: {} }, 'person');
    void ask('read', get('/groups/g'), 'person');
    await pass(0);
    expect(sent.map(({ who }) => who).toSorted()).toEqual(['read', 'w0', 'w1']);
  });
});
