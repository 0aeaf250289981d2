import type { ActivationPolicy } from '@gatehouse/contracts';
import { describe, expect, test } from 'vitest';
import type { RecordedRequest } from './access.rules.ts';
import { decideKeepGoing, planKeepGoing, standingOf, tellUnfinished, type KeepGoingFacts, type RecordedKeepGoing } from './keep-going.rules.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
const at = (minutes: number): Date => new Date(NOW.getTime() + minutes * 60_000);
const policy: ActivationPolicy = { maxMinutes: 60, signIn: 'none', requireJustification: true, requireTicket: false, requireApproval: false, approvers: [] };
const facts = (more: Partial<KeepGoingFacts> = {}): KeepGoingFacts => ({
  now: NOW, policy, wish: { minutes: 30, justification: 'Repair', ticketNumber: undefined }, eligibility: { endsAt: null },
  active: { startsAt: at(-25).toISOString(), endsAt: at(5).toISOString(), assignmentType: 'activated' }, ...more,
});
const reasonOf = (more: Partial<KeepGoingFacts>): unknown => {
  const decision = decideKeepGoing(facts(more));
  return decision.allowed ? 'allowed' : decision.reason;
};

test('as long as the running one, where nothing stands in the way', () => {
  expect(decideKeepGoing(facts())).toEqual({ allowed: true, minutes: 30, shortened: false, message: null });
});

test.each<[string, Partial<KeepGoingFacts>]>([
  ['not-active', { active: null }],
  ['not-known', { active: undefined }],
  ['not-known', { eligibility: undefined }],
  ['not-known', { policy: null }],
  ['assigned', { active: { startsAt: at(-25).toISOString(), assignmentType: 'assigned' } }],
  ['not-eligible', { eligibility: null }],
  ['needs-approval', { policy: { ...policy, requireApproval: true } }],
  ['longer-than-allowed', { wish: { minutes: 61, justification: 'Repair', ticketNumber: undefined } }],
  ['justification-missing', { wish: { minutes: 30, justification: ' ', ticketNumber: undefined } }],
  ['justification-empty', { wish: { minutes: 30, justification: '.', ticketNumber: undefined } }],
  ['ticket-missing', { policy: { ...policy, requireTicket: true } }],
  ['eligibility-ends-first', { eligibility: { endsAt: at(6) } }],
])('%s: nothing is ended', (reason, more) => {
  expect(reasonOf(more)).toBe(reason);
});

test('the five-minute floor, to the second', () => {
  const active = (since: number) => ({ startsAt: at(since).toISOString(), endsAt: at(25).toISOString(), assignmentType: 'activated' as const });
  expect(decideKeepGoing(facts({ active: active(-5) }))).toMatchObject({ allowed: true });
  expect(decideKeepGoing(facts({ active: active(-5 + 1 / 60) }))).toMatchObject({ allowed: false, reason: 'too-early', canAt: at(1 / 60), minutes: 30 });
});

test('an eligibility that ends first shortens it, with room for the gap, and refuses what would end no later', () => {
  expect(decideKeepGoing(facts({ eligibility: { endsAt: at(20) } }))).toEqual({ allowed: true, minutes: 18, shortened: true, message: 'Your eligibility ends soon, so that the new activation has 18 min.' });
  const longer = { startsAt: at(-25).toISOString(), endsAt: at(18).toISOString(), assignmentType: 'activated' as const };
  expect(reasonOf({ eligibility: { endsAt: at(20) }, active: longer })).toBe('eligibility-ends-first');
});

test('that Entra may verify is said before', () => {
  expect(decideKeepGoing(facts({ policy: { ...policy, signIn: 'mfa' } }))).toMatchObject({ allowed: true, message: expect.stringContaining('before anything ends') });
});

describe('what the page offers', () => {
  const running = { minutes: 30, justification: 'Repair', ticketNumber: 'INC-1' };
  test('now, from a later moment on, once it has ended, or not at all', () => {
    expect(planKeepGoing(facts(), running)).toEqual({ way: 'now', message: null, possibleAt: null, minutes: 30, shortened: false, justification: 'Repair', ticketNumber: 'INC-1' });
    expect(planKeepGoing(facts({ active: { startsAt: at(-1).toISOString(), endsAt: at(29).toISOString(), assignmentType: 'activated' } }), running)).toMatchObject({ way: 'now', possibleAt: at(4).toISOString(), minutes: 30 });
    expect(planKeepGoing(facts({ policy: { ...policy, requireApproval: true, approvers: [{ id: 'o', displayName: 'Omar Haddad' }] } }), running)).toMatchObject({ way: 'when-ended', minutes: 30, message: expect.stringContaining('you would be out until Omar Haddad decides') });
    expect(planKeepGoing(facts({ eligibility: null }), running)).toMatchObject({ way: 'no', minutes: null });
  });
  test('less than the running one had, where the role settings allow less by now', () => {
    expect(planKeepGoing(facts({ policy: { ...policy, maxMinutes: 15 } }), running)).toMatchObject({ way: 'now', minutes: 15, shortened: true });
  });
});

describe('what a wish left', () => {
  const wish: RecordedKeepGoing = { id: 'k', principalId: 'ana', groupId: 'g', minutes: 30, justification: 'Repair', ticketNumber: null, ticketSystem: null, status: 'open', failure: null, createdAt: NOW, workedAt: null, endedAt: null, activationId: null };
  const step = (action: string, status: string, more: Partial<RecordedRequest> = {}): RecordedRequest => ({
    id: action, principalId: 'ana', groupId: 'g', action, minutes: 30, startsAt: null, justification: 'Repair', ticketNumber: null, status, entraRequestId: null, failure: null,
    createdAt: at(0.1), provisionedAt: null, memberAt: null, endsAt: null, settledAt: null, ...more,
  });
  const ended = step('deactivate', 'ended', { endsAt: at(0.2) });

  test.each<[string, RecordedKeepGoing, RecordedRequest[], Date, object]>([
    ['somebody is at it', { ...wish, workedAt: at(0) }, [], at(1), { status: 'open', busy: true }],
    ['nothing was begun, and it is too soon to say', wish, [], at(1), { status: 'open', endedAt: null }],
    ['it stopped before anything was ended', wish, [], at(2), { status: 'failed', failure: expect.stringContaining('before anything') }],
    ['whether it has ended is looked for', wish, [step('deactivate', 'asked')], at(5), { status: 'open', endedAt: null }],
    ['Entra did not end it', wish, [step('deactivate', 'failed', { failure: 'Not now.' })], at(1), { status: 'failed', failure: 'Not now.' }],
    ['it has ended, and nothing was asked', wish, [ended], at(5), { status: 'open', endedAt: at(0.2), refusal: null }],
    ['it has ended, and the activation was refused', wish, [ended, step('activate', 'failed', { failure: 'Too long.' })], at(5), { status: 'open', refusal: 'Too long.' }],
    ['the activation was asked for', wish, [ended, step('activate', 'asked')], at(5), { status: 'done', activationId: 'activate' }],
    ['the activation is older than the wish', wish, [step('activate', 'active', { createdAt: at(-30) }), ended], at(5), { status: 'open' }],
    ['nobody came back for an hour', wish, [ended], at(61), { status: 'lapsed' }],
  ])('%s', (_name, row, requests, now, standing) => {
    expect(standingOf(row, requests, now)).toMatchObject(standing);
  });

  test('the page tells it, and nothing once it is at rest', () => {
    expect(tellUnfinished(wish, [ended], at(5))).toMatchObject({ state: 'ended', endedAt: at(0.2).toISOString(), busy: false, message: 'Your membership has ended, and the new activation was not asked for: ask now.' });
    expect(tellUnfinished(wish, [step('deactivate', 'asked')], at(5))?.message).toContain('not known yet');
    expect(tellUnfinished(wish, [ended, step('activate', 'asked')], at(5))).toBeUndefined();
  });
});
