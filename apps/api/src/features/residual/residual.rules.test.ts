import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { networkEndOf } from '../../core/durations.ts';
import { currentAccess, decideEnd, outcomeOfLost, tellRevocation, tookEffect, type Membership, type RecordedRevocation } from './residual.rules.ts';

const NOON = Date.parse('2026-03-29T00:00:00.000Z');
const at = (minutes: number): Date => new Date(NOON + minutes * 60_000);
const membership = (more: Partial<Membership> = {}): Membership => ({ requestId: 'r1', principalId: 'ana', principalName: 'Ana', groupId: 'g', since: at(0), beganAt: at(0), endsAt: at(30), endedAt: null, ...more });
const revocation = (more: Partial<RecordedRevocation> = {}): RecordedRevocation => ({ principalId: 'ana', groupId: 'g', askedBy: 'Maya', status: 'revoked', failure: null, createdAt: at(12), goneAt: at(13), revokedAt: at(14), ...more });
const told = (now: number, memberships: readonly Membership[], revocations: readonly RecordedRevocation[] = []) =>
  currentAccess({ now: at(now), memberships, revocations }).map(({ principalId, since, endedAt, revocation: cut }) => [principalId, (since.getTime() - NOON) / 60_000, endedAt && (endedAt.getTime() - NOON) / 60_000, cut?.status ?? null]);

describe('whose access is there, and where the network may be open after it', () => {
  test.each([
    ['before its end it is open', 29, [membership()], [['ana', 0, null, null]]],
    ['from its end on it has ended, though nobody said so', 30, [membership()], [['ana', 0, 30, null]]],
    // The clocks of Europe change in this night; minutes are minutes.
    ['until the 90th minute the network may be open', 119.99, [membership()], [['ana', 0, 30, null]]],
    ['in the 90th minute it is over', 120, [membership()], []],
    ['of an end the earliest evidence counts', 40, [membership({ endedAt: at(12) }), membership({ endedAt: at(13), endsAt: at(60) })], [['ana', 0, 12, null]]],
    ['a source that knows of no end does not hide that of the other', 20, [membership({ endedAt: at(12) }), membership()], [['ana', 0, 12, null]]],
    ['the same beginning without a common id is the same membership', 20, [membership({ requestId: null, since: at(1) }), membership({ endedAt: at(12) })], [['ana', 0, 12, null]]],
    ['a later membership is open, whatever became of the one before', 50, [membership({ endedAt: at(12) }), membership({ requestId: 'r2', since: at(45), endsAt: at(75) })], [['ana', 45, null, null]]],
    ['one without a known end is open', 5_000, [membership({ endsAt: null })], [['ana', 0, null, null]]],
  ])('%s', (_case, now, memberships, expected) => { expect(told(now, memberships)).toEqual(expected); });

  test('open ones first, then the lately ended, the newest first', () => {
    const people = [membership({ principalId: 'a', endedAt: at(10) }), membership({ principalId: 'b', since: at(1) }), membership({ principalId: 'c', endedAt: at(15) }), membership({ principalId: 'd', since: at(2) })];
    expect(told(20, people).map(([who]) => who)).toEqual(['d', 'b', 'c', 'a']);
  });

  test('what was seen to be gone has ended, before any source says so', () => {
    expect(told(20, [membership()], [revocation()])).toEqual([['ana', 0, 13, 'revoked']]);
    expect(told(20, [membership()], [revocation({ status: 'failed', goneAt: null, revokedAt: null })])).toEqual([['ana', 0, null, 'failed']]);
  });

  test('a revocation of an earlier membership says nothing of a later one', () => {
    expect(told(50, [membership({ endedAt: at(13) }), membership({ requestId: 'r2', since: at(45), endsAt: at(75) })], [revocation()])).toEqual([['ana', 45, null, null]]);
  });

  test('of two revocations the newer is told', () => {
    expect(told(20, [membership({ endedAt: at(11) })], [revocation(), revocation({ createdAt: at(16), status: 'asked', revokedAt: null })])).toEqual([['ana', 0, 11, 'asked']]);
  });

  test('one that nobody saw begin is told no beginning, unless the other source knows it', () => {
    const begins = (...memberships: Membership[]) => currentAccess({ now: at(20), memberships, revocations: [] }).map(({ beganAt }) => beganAt);
    expect(begins(membership({ beganAt: null }))).toEqual([null]);
    expect(begins(membership({ beganAt: null }), membership({ since: at(1), beganAt: at(1) }))).toEqual([at(1)]);
  });

  test('ids are the same in any case', () => {
    expect(told(20, [membership({ principalId: 'ANA' }), membership({ endedAt: at(12) })])).toHaveLength(1);
  });
});

describe('how long the network may stay open, to the second', () => {
  afterEach(() => { vi.unstubAllEnvs(); });
  const SECOND = 1000;
  const gone = (now: Date, ...ends: Date[]) => currentAccess({ now, memberships: ends.map((endedAt) => membership({ since: new Date(endedAt.getTime() - 60_000), beganAt: null, endsAt: null, endedAt })), revocations: [] })
    .map(({ endedAt }) => endedAt && networkEndOf(endedAt).toISOString());

  // A token lives 60 to 90 minutes. At 60 nothing is sure to be closed, so that nothing is told to be.
  test.each([
    ['59:59', true], ['60:00', true], ['60:01', true], ['89:59', true], ['90:00', false], ['90:01', false],
  ])('%s after the end', (after, stays) => {
    const [minutes = 0, seconds = 0] = after.split(':').map(Number);
    expect(gone(new Date(at(30).getTime() + (minutes * 60 + seconds) * SECOND), at(30))).toEqual(stays ? [at(120).toISOString()] : []);
  });

  // Both nights in which the clocks change, in zones that change at another hour each: minutes are minutes, whatever the wall says.
  const nights = ['2026-03-29T00:00:00Z', '2026-10-25T00:00:00Z', '2026-03-08T06:00:00Z', '2026-11-01T05:00:00Z', '2026-04-04T14:00:00Z'].map((night) => Date.parse(night));
  test.each(['Europe/Lisbon', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'])('on a server in %s, around and between its changes of the clock', (zone) => {
    vi.stubEnv('TZ', zone);
    fc.assert(fc.property(fc.constantFrom(...nights), fc.integer({ min: -180 * 60_000, max: 180 * 60_000 }), fc.integer({ min: 0, max: 100 * 60_000 }), (night, shift, later) => {
      const endedAt = new Date(night + shift);
      const until = new Date(endedAt.getTime() + 90 * 60_000);
      expect(gone(new Date(endedAt.getTime() + later), endedAt)).toEqual(later < 90 * 60_000 ? [until.toISOString()] : []);
    }), { numRuns: 200 });
  });

  // Entra's machines and the portal's do not agree to the second.
  test('an end that a source dates ahead of the portal’s clock is an end, and its 90 minutes are counted from it', () => {
    expect(gone(at(30), new Date(at(30).getTime() + 7 * SECOND))).toEqual([new Date(at(120).getTime() + 7 * SECOND).toISOString()]);
  });

  test('two sources that date one end apart are told as one, by the earlier, in any order', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 110 * SECOND }), fc.integer({ min: 0, max: 100 * 60_000 }), fc.boolean(), (skew, later, turned) => {
      const ends = [at(30), new Date(at(30).getTime() + skew)];
      expect(gone(new Date(at(30).getTime() + later), ...(turned ? ends.toReversed() : ends))).toEqual(later < 90 * 60_000 ? [at(120).toISOString()] : []);
    }), { numRuns: 200 });
  });
});

describe('whether ending it now makes sense', () => {
  const facts = { now: at(10), active: { startsAt: at(0).toISOString(), assignmentType: 'activated' as const }, endedLately: false, own: false };
  test.each([
    ['somebody’s membership is taken away first', {}, { allowed: true, remove: true }],
    ['at five minutes it may be', { now: at(5) }, { allowed: true, remove: true }],
    ['before that PIM refuses, and when it may be is said', { now: at(4.99) }, { allowed: false, reason: 'too-early', message: expect.stringContaining('00:05:00 UTC') }],
    ['one’s own is deactivated first', { own: true }, { allowed: false, reason: 'still-member' }],
    ['what was assigned is not ended here', { active: { assignmentType: 'assigned' as const } }, { allowed: false, reason: 'assigned' }],
    ['without a kind it is taken for assigned', { active: {} }, { allowed: false, reason: 'assigned' }],
    ['after an end only the sign-ins are revoked', { active: null, endedLately: true }, { allowed: true, remove: false }],
    ['one’s own too', { active: null, endedLately: true, own: true }, { allowed: true, remove: false }],
    ['where nothing is open nobody’s sign-ins are revoked', { active: null }, { allowed: false, reason: 'nothing-to-end' }],
  ])('%s', (_case, more, expected) => { expect(decideEnd({ ...facts, ...more })).toMatchObject(expected); });
});

test('that a revocation took effect is what Entra shows', () => {
  const asked = new Date('2026-03-02T09:00:00.700Z');
  expect(tookEffect({ askedAt: asked, before: '2026-01-01T00:00:00Z', after: '2026-01-01T00:00:00Z' })).toBe(false);
  expect(tookEffect({ askedAt: asked, before: '2026-01-01T00:00:00Z', after: undefined })).toBe(false);
  expect(tookEffect({ askedAt: asked, before: '2026-01-01T00:00:00Z', after: '2026-03-02T08:59:58Z' })).toBe(true);
  // Graph tells whole seconds: twice within one looks like once.
  expect(tookEffect({ askedAt: asked, before: '2026-03-02T09:00:00Z', after: '2026-03-02T09:00:00Z' })).toBe(true);
});

test('a revocation is told with when its effect is due', () => {
  expect(tellRevocation(revocation())).toEqual({ askedAt: at(12).toISOString(), askedBy: 'Maya', failure: null, state: 'revoked', revokedAt: at(14).toISOString(), takesEffectBy: at(29).toISOString() });
  expect(tellRevocation(revocation({ status: 'what?', revokedAt: null }))).toMatchObject({ state: 'asked', takesEffectBy: null });
});

describe('one that nobody is at any more', () => {
  const shown = (minutes: number): string => at(minutes).toISOString();
  test.each<[string, number | null, string | null | undefined, number, string | undefined]>([
    ['whether the membership went is not known, and it is too soon', null, undefined, 16.9, undefined],
    ['whether the membership went is never known', null, undefined, 17, 'failed'],
    ['Entra shows it', 13, shown(13.5), 15, 'revoked'],
    ['Entra shows it, late', 13, shown(13.5), 60, 'revoked'],
    ['what is shown is older than the end of the membership', 13, shown(12.5), 15, undefined],
    ['nothing newer is shown in five minutes', 13, shown(12.5), 18, 'failed'],
    ['of somebody who is gone nothing is shown', 13, null, 18, 'failed'],
    ['it cannot be read', 13, undefined, 60, undefined],
  ])('%s', (_case, goneAt, validFrom, now, status) => {
    expect(outcomeOfLost({ createdAt: at(12), goneAt: goneAt === null ? null : at(goneAt) }, validFrom, at(now))?.status).toBe(status);
  });
});
