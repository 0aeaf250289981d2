import type { HostReached, TrafficCoverage } from '@gatehouse/contracts';
import { describe, expect, test } from 'vitest';
import { activationsJudged, belongs, comparable, later, spanOf, tellConnections, trafficJudged, type Activated, type StoryFacts } from './connections.rules.ts';

const at = (time: string): string => `2026-03-02T${time}Z`;
const activation: Activated = { principalId: 'ana', provisionedAt: at('09:00:00.123456'), endedAt: at('09:30:00.500000'), expiresAt: at('10:00:00.000000') };
const attempt = (time: string, more: object = {}) => ({ userId: 'ana', at: at(time), applicationId: 'fin', ...more });

describe('a connection belongs to an activation', () => {
  test.each([
    ['at the instant of its beginning', attempt('09:00:00.123456'), true],
    ['a microsecond before', attempt('09:00:00.123455'), false],
    ['after its end, while the client’s token may live', attempt('10:15:00.000000'), true],
    ['at the last instant of that', attempt('11:00:00.500000'), true],
    ['a microsecond later', attempt('11:00:00.500001'), false],
    ['of somebody else', attempt('09:10:00.000000', { userId: 'ben' }), false],
    ['of nobody', attempt('09:10:00.000000', { userId: null }), false],
    ['to something that the group does not open', attempt('09:10:00.000000', { applicationId: 'hr' }), false],
    ['to nothing that is known', attempt('09:10:00.000000', { applicationId: null }), false],
  ])('%s', (_what, one, is) => { expect(belongs(one, activation, new Set(['fin', 'pay']))).toBe(is); });

  test('one without an end is reckoned to the time at which it was to run out, and without that on and on', () => {
    expect(spanOf({ ...activation, endedAt: null })).toEqual({ from: activation.provisionedAt, until: at('11:30:00.000000') });
    expect(spanOf({ ...activation, endedAt: null, expiresAt: null })).toEqual({ from: activation.provisionedAt, until: null });
    expect(spanOf({ ...activation, provisionedAt: null })).toBeNull();
    expect(belongs(attempt('23:59:59.000000'), { ...activation, endedAt: null, expiresAt: null }, new Set(['fin']))).toBe(true);
    expect(belongs(attempt('09:10:00.000000'), { ...activation, provisionedAt: null }, new Set(['fin']))).toBe(false);
  });
});

test('instants keep their decimals, and compare as texts', () => {
  expect(later(at('23:59:59.999999'), 1)).toBe('2026-03-03T00:00:59.999999Z');
  expect(comparable('2026-03-02T10:00:00+01:00')).toBe(at('09:00:00.000000'));
  expect(comparable('2026-03-02T09:00:00.1234567Z')).toBe(at('09:00:00.123456'));
  expect([comparable(null), comparable('soon')]).toEqual([null, null]);
});

describe('what can be judged', () => {
  const read = (from: string | null, to: string | null) => ({ from, to });
  const [march1, march3, march9] = ['2026-03-01T00:00:00.000000Z', '2026-03-03T00:00:00.000000Z', '2026-03-09T00:00:00.000000Z'];

  test('a connection: a day and the network’s tail after the audit log begins, and an hour before it ends', () => {
    expect(trafficJudged(read(march1, march9), read(march1, march9))).toEqual({ from: '2026-03-02T01:30:00.000000Z', to: '2026-03-08T23:00:00.000000Z' });
    expect(trafficJudged(read(march3, march9), read('2025-01-01T00:00:00.000000Z', march9))).toMatchObject({ from: march3 });
    expect(trafficJudged(read(march1, march3), read('2025-01-01T00:00:00.000000Z', march9))).toMatchObject({ to: march3 });
  });

  test('an activation: two hours before the traffic log ends, for the tail and for late rows', () => {
    expect(activationsJudged(read(march1, march9))).toEqual({ from: march1, to: '2026-03-08T22:00:00.000000Z' });
  });

  test('nothing where a log was not read, or not for long enough', () => {
    for (const [traffic, directory] of [[read(null, null), read(march1, march9)], [read(march1, march9), read(null, null)], [read(march1, march9), read(march3, march3)], [read(march1, null), read(march1, march9)]] as const) expect(trafficJudged(traffic, directory)).toBeNull();
    for (const traffic of [read(null, null), read(null, march9), read(march1, null), read(march1, later(march1, 119))]) expect(activationsJudged(traffic)).toBeNull();
    expect(activationsJudged(read(march1, later(march1, 120)))).toEqual({ from: march1, to: march1 });
  });
});

describe('the story of an activation says of its connections', () => {
  const coverage = (more: Partial<TrafficCoverage> = {}): TrafficCoverage => ({ from: at('00:00:00.000000'), to: at('12:00:00.000000'), lastError: null, closed: null, ...more });
  const host: HostReached = { host: 'fin-rep.corp', port: 443, applicationName: 'Finance reports', firstAt: at('09:01:00.000000'), lastAt: at('09:02:00.000000'), count: 2 };
  const tell = (more: Partial<StoryFacts> = {}) => tellConnections({ span: spanOf(activation), coverage: coverage(), opens: true, changedSince: false, found: [], limit: 2, ...more });

  test.each([
    ['hosts, and that there are no others', { found: [host] }, { reached: [host], cause: null, complete: true, more: false }],
    ['none at all, where the log was read for the whole time', {}, { reached: [], cause: null, complete: true }],
    ['none so far, where late rows of the last moment may come', { coverage: coverage({ to: at('11:30:00.499999') }) }, { reached: [], complete: false }],
    ['none at all, at the instant when none can come any more', { coverage: coverage({ to: at('11:30:00.500000') }) }, { reached: [], complete: true }],
    ['none in the part that was read, where the log begins later', { coverage: coverage({ from: at('09:00:00.123457') }) }, { reached: [], complete: false }],
    ['none so far, while it runs', { span: { from: at('09:00:00.000000'), until: null } }, { reached: [], complete: false }],
    ['hosts without a claim to be all, where its group’s applications were changed since', { found: [host], changedSince: true }, { reached: [host], complete: false, changedSince: true }],
    ['no more hosts than are listed', { found: [host, host, host] }, { reached: [host, host], more: true }],
    ['hosts that were read before the log was closed', { found: [host], coverage: coverage({ closed: 'not-permitted' }) }, { reached: [host], cause: null }],
    ['nothing, for the log is closed', { coverage: coverage({ from: null, to: null, closed: 'not-permitted' }) }, { reached: null, cause: 'not-permitted', complete: false }],
    ['nothing, for the log does not reach back so far', { coverage: coverage({ from: at('11:00:00.500001') }) }, { reached: null, cause: 'not-read' }],
    ['nothing, for the log was not read since', { coverage: coverage({ to: at('08:00:00.000000'), closed: 'not-licensed' }) }, { reached: null, cause: 'not-licensed' }],
    ['nothing, for nobody has read it', { coverage: coverage({ from: null, to: null }) }, { reached: null, cause: 'not-read' }],
    ['nothing, for it never began', { span: null }, { reached: null, cause: 'not-begun' }],
    ['nothing, for its group opens nothing there', { opens: false }, { reached: null, cause: 'opens-nothing' }],
  ] as const)('%s', (_what, facts, told) => { expect(tell(facts)).toMatchObject(told); });
});
