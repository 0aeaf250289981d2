import type { RequestReadiness } from '@gatehouse/contracts';
import { describe, expect, test } from 'vitest';
import { formatClock } from '../../lib/dates.ts';
import { at, entry, request } from '../../testing/fixtures.ts';
import { isReady, reconnectHelps, stagesOf, usualWords } from './stages.ts';

const { policy } = entry();
const approving = entry({ policy: { maxMinutes: 30, signIn: 'mfa', requireJustification: true, requireTicket: false, requireApproval: true, approvers: [{ id: 'o', displayName: 'Omar Haddad' }] } }).policy;
const readiness = (more: Partial<RequestReadiness> = {}): RequestReadiness => ({ approval: null, usual: { provisioning: { count: 37, p50Seconds: 3.2, p95Seconds: 11.4 }, membership: null }, connection: null, ...more });
const now = (minutes: number) => new Date(at(minutes));
const told = (stages: ReturnType<typeof stagesOf>) => Object.fromEntries(stages.map(({ name, tone, text, usual }) => [name, [tone, text, ...(usual === undefined ? [] : [usual])]]));
const proved = (stages: ReturnType<typeof stagesOf>) => stages.filter(({ tone }) => tone === 'good').map(({ name }) => name);

const member = request({ state: 'active', provisionedAt: at(1), memberAt: at(1) });

describe('what is told as reached', () => {
  test.each([
    ['asked', request({ state: 'asked' }), undefined, []],
    ['waiting for approval', request({ state: 'awaiting-approval' }), readiness(), ['Asked']],
    ['approved, as the role settings alone have it', request({ state: 'provisioning' }), readiness(), ['Asked']],
    ['approved, as Entra tells', request({ state: 'provisioning' }), readiness({ approval: { by: 'Omar Haddad', at: at(0) } }), ['Asked', 'Approved']],
    ['provisioned', request({ state: 'active', provisionedAt: at(1) }), readiness(), ['Asked', 'Provisioned']],
    ['member', member, readiness(), ['Asked', 'Provisioned', 'Member']],
    ['member, and the logs show no connection', member, readiness({ connection: { firstAllowedAt: null } }), ['Asked', 'Provisioned', 'Member']],
    ['let through', member, readiness({ connection: { firstAllowedAt: at(2) } }), ['Asked', 'Provisioned', 'Member', 'Client', 'Connection']],
    ['ended', request({ state: 'ended', provisionedAt: at(1), memberAt: at(1) }), readiness(), ['Asked']],
  ])('%s', (_name, asked, beside, expected) => {
    expect(proved(stagesOf(asked, approving, beside, now(2)))).toEqual(expected);
  });

  test('ready is said once the directory shows the membership, and not after the end', () => {
    expect([request({ state: 'active', provisionedAt: at(1) }), member, { ...member, state: 'ended' as const }].map(isReady)).toEqual([false, true, false]);
  });
});

test('who approved is told as Entra tells it, and what cannot be seen is said', () => {
  const asked = request({ state: 'provisioning' });
  expect(told(stagesOf(asked, approving, readiness({ approval: { by: 'Omar Haddad', at: at(0) } }), now(0)))['Approved']?.[1]).toMatch(/^\d\d:\d\d:\d\d by Omar Haddad$/);
  expect(told(stagesOf(asked, approving, readiness({ approval: { by: null, at: null } }), now(0)))['Approved']?.[1]).toBe('by an approver');
  expect(told(stagesOf(asked, approving, readiness(), now(0)))['Approval']).toEqual(['quiet', 'no longer waited for; who gave it cannot be seen']);
  expect(told(stagesOf(asked, policy, readiness(), now(0)))['Approval']).toBeUndefined();
});

describe('how long it usually takes', () => {
  test('is told of the stage that is waited for, and of no other', () => {
    expect(told(stagesOf(request(), policy, readiness(), now(0)))).toMatchObject({ Provisioned: ['busy', 'PIM is at it', 'half within 4 s, 19 of 20 within 12 s (of the last 37)'], Member: ['quiet', 'not yet'] });
    expect(stagesOf(member, policy, readiness(), now(2)).some(({ usual }) => usual !== undefined)).toBe(false);
    expect(stagesOf(request({ state: 'awaiting-approval' }), approving, readiness(), now(2)).some(({ usual }) => usual !== undefined)).toBe(false);
  });

  test('is not made up: of too few it says so, and nothing before it is read', () => {
    const waiting = request({ state: 'active', provisionedAt: at(1) });
    expect(told(stagesOf(waiting, policy, readiness(), now(1)))['Member']?.[2]).toBe('how long it usually takes is not known: fewer than 5 are on record');
    expect(told(stagesOf(waiting, policy, undefined, now(1)))['Member']).toHaveLength(2);
  });

  test('longer than usual is said from the approval on, not from the request', () => {
    expect(told(stagesOf(request(), policy, readiness(), now(1)))['Provisioned']?.[2]).toMatch(/^longer than usual: half/);
    expect(told(stagesOf(request(), approving, readiness({ approval: { by: null, at: at(1) } }), now(1)))['Provisioned']?.[2]).toMatch(/^half/);
  });

  test.each([
    [{ count: 20, p50Seconds: 0, p95Seconds: 0.4 }, '19 of 20 within 1 s (of the last 20)'],
    [{ count: 19, p50Seconds: 1, p95Seconds: 61 }, 'half within 1 s, all within 2 min (of the last 19)'],
    [{ count: 5, p50Seconds: 59.2, p95Seconds: 59.2 }, 'all within 1 min (of the last 5)'],
  ])('%o: %s', (usual, words) => {
    expect(usualWords(usual)).toBe(words);
  });
});

describe('the client', () => {
  test('is waited for until the time that Microsoft gives it, from the membership on', () => {
    expect(told(stagesOf(member, policy, readiness(), now(15.9)))['Client']).toEqual(['busy', `try to connect now; the Global Secure Access client may take until ${formatClock(at(16))}`]);
    expect(told(stagesOf(member, policy, readiness(), now(16)))['Client']?.[0]).toBe('quiet');
    expect(told(stagesOf(request(), policy, readiness(), now(1)))['Client']).toBeUndefined();
  });

  test('reconnecting is advised when it helps: not before the client had its while, nor where a connection was let through', () => {
    expect([0, 1, 1.99, 2, 20].map((minutes) => reconnectHelps(member, readiness(), now(minutes)))).toEqual([false, false, false, true, true]);
    expect(reconnectHelps(member, readiness({ connection: { firstAllowedAt: at(2) } }), now(20))).toBe(false);
    expect(reconnectHelps(request({ state: 'active', provisionedAt: at(1) }), readiness(), now(20))).toBe(false);
  });
});
