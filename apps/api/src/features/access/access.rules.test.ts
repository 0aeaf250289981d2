import { describe, expect, test } from 'vitest';
import type { ActivationPolicy } from '@gatehouse/contracts';
import {
  activeFor, composeMyAccess, decideActivation, decideDeactivation, denialsOf, eligibilityFor, madeElsewhere, observe, stateOf, statesBefore, STEP_UP,
  type ActivationFacts, type EntraInstance, type EntraRequest, type MyAccessFacts, type RecordedRequest, type StandingFacts,
} from './access.rules.ts';

const NOON = new Date('2026-03-02T12:00:00Z');
const ANA = '00000000-0000-4000-8000-0000000000a1';
const GROUP = '00000000-0000-4000-8000-0000000000f1';
const ENTRA_ID = '00000000-0000-4000-8000-0000000000e1';
const at = (minutes: number): Date => new Date(NOON.getTime() + minutes * 60_000);
const iso = (minutes: number): string => at(minutes).toISOString();

const policy: ActivationPolicy = { maxMinutes: 30, signIn: 'mfa', requireJustification: true, requireTicket: false, requireApproval: false, approvers: [] };
const wish: ActivationFacts['wish'] = { minutes: 30, justification: 'Month-end close', startsAt: undefined, ticketNumber: undefined };
const facts: ActivationFacts = { now: NOON, wish, policy, eligibility: { endsAt: null }, active: false, openRequest: undefined };

describe('decideActivation', () => {
  test.each<[string, Partial<ActivationFacts>]>([
    ['exactly as long as the policy allows', {}],
    ['exactly the least that PIM allows', { wish: { ...wish, minutes: 5 } }],
    ['an eligibility that ends exactly at the end', { eligibility: { endsAt: at(30) } }],
    ['a start exactly now', { wish: { ...wish, startsAt: NOON } }],
    ['a start that was now when the form was sent', { wish: { ...wish, startsAt: at(-1) } }],
    ['a start next week', { wish: { ...wish, startsAt: at(7 * 24 * 60) } }],
    ['no reason where none is asked for', { policy: { ...policy, requireJustification: false }, wish: { ...wish, justification: '' } }],
    ['an empty reason where none is asked for', { policy: { ...policy, requireJustification: false }, wish: { ...wish, justification: 'test' } }],
    ['a ticket where one is asked for', { policy: { ...policy, requireTicket: true }, wish: { ...wish, ticketNumber: 'INC-4711' } }],
    ['an unknown policy: Entra decides', { policy: null, wish: { ...wish, minutes: 1440, justification: '' } }],
    ['an eligibility that could not be read: Entra decides', { eligibility: undefined }],
    ['active memberships that could not be read: Entra decides', { active: undefined }],
  ])('allows %s', (_name, other) => {
    expect(decideActivation({ ...facts, ...other })).toMatchObject({ allowed: true });
  });

  test.each<[string, Partial<ActivationFacts>, string, string, string]>([
    ['a minute over the policy', { wish: { ...wish, minutes: 31 } }, 'longer-than-allowed', 'body.minutes', 'This access allows 30 min at the most.'],
    ['a minute under PIM’s floor', { wish: { ...wish, minutes: 4 } }, 'shorter-than-allowed', 'body.minutes', 'PIM allows 5 min at the least.'],
    ['a missing reason', { wish: { ...wish, justification: ' ' } }, 'justification-missing', 'body.justification', 'Say in a few words why you need it.'],
    ['a reason that says nothing', { wish: { ...wish, justification: ' BAU ' } }, 'justification-empty', 'body.justification', 'What for? “BAU” does not say why you need it.'],
    ['a missing ticket', { policy: { ...policy, requireTicket: true } }, 'ticket-missing', 'body.ticket', 'This access asks for a ticket: give its number.'],
    ['no eligibility', { eligibility: null }, 'not-eligible', 'body.groupId', 'You are not eligible for this access, or not any more.'],
    ['an eligibility that ends first', { eligibility: { endsAt: at(29) } }, 'eligibility-ends-first', 'body.minutes', 'Your eligibility ends before that: choose 29 min at the most.'],
    ['an eligibility with too little left', { eligibility: { endsAt: at(4) } }, 'eligibility-ends-first', 'body.minutes', 'Your eligibility ends before PIM’s least duration of 5 min is over.'],
    ['a start at the end of the eligibility', { eligibility: { endsAt: at(60) }, wish: { ...wish, startsAt: at(60) } }, 'starts-after-eligibility', 'body.startsAt', 'Your eligibility has ended by then.'],
    ['a start in the past', { wish: { ...wish, startsAt: new Date(at(-1).getTime() - 1) } }, 'starts-in-the-past', 'body.startsAt', 'The start lies in the past.'],
    ['access that is active', { active: true }, 'already-active', 'body.groupId', 'You have this access already. It cannot be made longer: end it, or ask again when it has ended.'],
    ['access that waits for approval', { openRequest: 'awaiting-approval' }, 'already-asked', 'body.groupId', 'You asked for this access already: it waits for approval.'],
  ])('refuses %s', (_name, other, reason, path, message) => {
    expect(decideActivation({ ...facts, ...other })).toEqual({ allowed: false, denials: [{ reason, path, message }] });
  });

  test('says everything that is wrong at once', () => {
    const decision = decideActivation({ ...facts, policy: { ...policy, requireTicket: true }, wish: { minutes: 60, justification: '', startsAt: undefined, ticketNumber: ' ' } });
    expect(decision.allowed ? [] : decision.denials.map((denial) => denial.path)).toEqual(['body.minutes', 'body.justification', 'body.ticket']);
  });

  test('begins now, or later when that is wished', () => {
    expect(decideActivation(facts)).toEqual({ allowed: true, startsAt: NOON, endsAt: at(30), later: false });
    expect(decideActivation({ ...facts, wish: { ...wish, startsAt: at(60) } })).toEqual({ allowed: true, startsAt: at(60), endsAt: at(90), later: true });
  });
});

describe('decideDeactivation', () => {
  const active = { startsAt: NOON.toISOString(), assignmentType: 'activated' } as const;

  test('allows it five minutes after the beginning, and not a moment before', () => {
    expect(decideDeactivation({ now: at(5), active })).toEqual({ allowed: true });
    const early = decideDeactivation({ now: new Date(at(5).getTime() - 1), active });
    expect(early).toMatchObject({ allowed: false, reason: 'too-early', canEndAt: at(5), message: 'PIM ends no membership in its first 5 min: this one can be ended from 12:05:00 UTC on.' });
  });

  test('refuses what is not active, and what was assigned', () => {
    expect(decideDeactivation({ now: at(10), active: null })).toMatchObject({ allowed: false, reason: 'not-active' });
    expect(decideDeactivation({ now: at(10), active: { assignmentType: 'assigned' } })).toMatchObject({ allowed: false, reason: 'assigned' });
  });

  test('leaves it to Entra what could not be read', () => {
    expect(decideDeactivation({ now: at(1), active: undefined })).toEqual({ allowed: true });
  });
});

describe('stateOf', () => {
  const standing: StandingFacts = { now: NOON, createdAt: at(-10), startsAt: at(-10), endsAt: at(20), present: true };

  test.each<[string, Partial<StandingFacts>, string | undefined]>([
    ['PendingApproval', {}, 'awaiting-approval'],
    ['PendingApproval', { createdAt: at(-24 * 60) }, 'lapsed'],
    ['PendingApproval', { createdAt: new Date(at(-24 * 60).getTime() + 1) }, 'awaiting-approval'],
    ['PendingAdminDecision', {}, 'awaiting-approval'],
    ['Granted', {}, 'provisioning'],
    ['Granted', { startsAt: at(60) }, 'scheduled'],
    ['ScheduleCreated', { startsAt: at(60) }, 'scheduled'],
    ['PendingProvisioning', {}, 'provisioning'],
    ['PendingScheduleCreation', {}, 'provisioning'],
    ['Provisioned', {}, 'active'],
    ['Provisioned', { present: undefined }, 'active'],
    ['Provisioned', { endsAt: null }, 'active'],
    ['Provisioned', { endsAt: NOON }, 'ended'],
    ['Provisioned', { endsAt: new Date(NOON.getTime() + 1) }, 'active'],
    ['Provisioned', { present: false }, 'ended'],
    ['Provisioned', { startsAt: at(1), present: undefined }, 'scheduled'],
    ['Revoked', {}, 'ended'],
    ['Canceled', {}, 'cancelled'],
    ['Denied', {}, 'denied'],
    ['Failed', {}, 'failed'],
    ['unknown', {}, undefined],
    ['provisioned', {}, undefined],
    ['', {}, undefined],
  ])('%s with %o is %s', (status, other, state) => {
    expect(stateOf(status, { ...standing, ...other })).toBe(state);
  });

  test('nothing leaves a final state', () => {
    for (const state of ['asked', 'awaiting-approval', 'scheduled', 'provisioning', 'active', 'ended', 'denied', 'cancelled', 'lapsed', 'failed'] as const) {
      expect(statesBefore(state).filter((before) => ['ended', 'denied', 'cancelled', 'lapsed', 'failed'].includes(before))).toEqual([]);
    }
    expect(statesBefore('provisioning')).toEqual(['asked', 'awaiting-approval', 'scheduled']);
  });
});

const row: RecordedRequest = {
  id: '00000000-0000-4000-8000-000000000001', principalId: ANA, groupId: GROUP, action: 'activate', minutes: 30, startsAt: NOON, justification: 'Month-end close', ticketNumber: null,
  status: 'asked', entraRequestId: null, failure: null, createdAt: NOON, provisionedAt: null, memberAt: null, endsAt: null, settledAt: null,
};
const request: EntraRequest = {
  id: ENTRA_ID, action: 'selfActivate', status: 'Provisioned', principalId: ANA, groupId: GROUP, accessId: 'member', justification: 'Month-end close',
  createdAt: NOON.toISOString(), startsAt: NOON.toISOString(), duration: 'PT30M',
};
const instance: EntraInstance = {
  principalId: ANA, groupId: GROUP, accessId: 'member', startsAt: NOON.toISOString(), endsAt: iso(30), memberType: 'direct', assignmentType: 'activated', scheduleId: `${GROUP}_member_${ENTRA_ID}`,
};
const activeRow: RecordedRequest = { ...row, status: 'active', entraRequestId: ENTRA_ID, provisionedAt: NOON, memberAt: NOON, endsAt: at(30) };

describe('observe', () => {
  test.each<[string, Partial<EntraRequest>, boolean]>([
    ['the same in all that is known', {}, true],
    ['with a clock 30 s behind ours', { createdAt: iso(-0.5) }, true],
    ['made long before the intent', { createdAt: iso(-1) }, false],
    ['with another reason', { justification: 'Other' }, false],
    ['with a ticket that was not given', { ticketNumber: 'INC-1' }, false],
    ['of another group', { groupId: ENTRA_ID }, false],
    ['of another person', { principalId: ENTRA_ID }, false],
    ['for ownership', { accessId: 'owner' }, false],
    ['by an administrator', { action: 'adminAssign' }, false],
  ])('an intent whose answer was lost: a request %s', (_name, other, found) => {
    const seen = observe(row, { requests: [{ ...request, ...other }], assignments: [instance] }, at(1));
    expect([seen.entraRequestId, seen.state]).toEqual(found ? [ENTRA_ID, 'active'] : [null, 'asked']);
  });

  test('a request that another intent led to is not this one’s', () => {
    expect(observe(row, { requests: [request], assignments: [] }, at(1), new Set([ENTRA_ID])).state).toBe('asked');
  });

  test('an intent that Entra does not have is given up after two minutes, not before, and never unread', () => {
    expect(observe(row, { requests: [], assignments: [] }, new Date(at(2).getTime() - 1)).state).toBe('asked');
    expect(observe(row, { requests: [], assignments: [] }, at(2))).toMatchObject({ state: 'failed', failure: 'Entra has no such request: it never arrived. Nothing was changed.' });
    expect(observe(row, { requests: undefined, assignments: [] }, at(60)).state).toBe('asked');
  });

  test('an active membership ends by the clock, whether or not Entra can be read', () => {
    expect(observe(activeRow, { requests: [request], assignments: [instance] }, at(30))).toMatchObject({ state: 'ended', endsAt: at(30) });
    expect(observe(activeRow, { requests: undefined, assignments: undefined }, at(30))).toMatchObject({ state: 'ended', endsAt: at(30) });
    expect(observe(activeRow, { requests: undefined, assignments: undefined }, new Date(at(30).getTime() - 1)).state).toBe('active');
  });

  test('an active membership that is gone has ended', () => {
    expect(observe(activeRow, { requests: [request], assignments: [] }, at(10))).toMatchObject({ state: 'ended', endsAt: at(10) });
    // The directory has shown it before, so there is nothing to wait for.
    expect(observe(activeRow, { requests: [request], assignments: [] }, at(1)).state).toBe('ended');
  });

  test('a membership that PIM accepted and does not show yet has not ended, for two minutes', () => {
    const young = { ...activeRow, memberAt: null };
    expect(observe(young, { requests: [request], assignments: [] }, new Date(at(2).getTime() - 1)).state).toBe('active');
    expect(observe(young, { requests: [request], assignments: [] }, at(2)).state).toBe('ended');
  });

  test('a membership that the person ended elsewhere ended when they did', () => {
    const end: EntraRequest = { ...request, id: 'other', action: 'selfDeactivate', status: 'Revoked', createdAt: iso(8) };
    expect(observe(activeRow, { requests: [request, end], assignments: [] }, at(10))).toMatchObject({ state: 'ended', endsAt: at(8) });
    // Even when nobody looked while it was active; and not when it ended what was before.
    expect(observe({ ...row, status: 'provisioning', entraRequestId: ENTRA_ID }, { requests: [request, end], assignments: [] }, at(10))).toMatchObject({ state: 'ended', endsAt: at(8) });
    expect(observe({ ...row, entraRequestId: ENTRA_ID }, { requests: [request, { ...end, createdAt: iso(-1) }], assignments: [] }, at(1)).state).toBe('active');
  });

  test('the membership of the next activation does not keep the last one alive', () => {
    const next = { ...request, id: '00000000-0000-4000-8000-0000000000e2', createdAt: iso(12) };
    const theirs = { ...instance, scheduleId: `${GROUP}_member_${next.id}` };
    expect(observe(activeRow, { requests: [request, next], assignments: [theirs] }, at(13)).state).toBe('ended');
  });

  test('after an approval the time counts from the provisioning, not from the asking', () => {
    const waiting = { ...row, status: 'awaiting-approval', entraRequestId: ENTRA_ID };
    const seen = observe(waiting, { requests: [request], assignments: [{ ...instance, startsAt: iso(40), endsAt: iso(70) }] }, at(41));
    expect(seen).toMatchObject({ state: 'active', provisionedAt: at(40), endsAt: at(70) });
    expect(observe(waiting, { requests: [request], assignments: [] }, at(41))).toMatchObject({ state: 'active', provisionedAt: at(41), endsAt: at(71) });
  });

  test('one that was approved, began and ended while nobody looked is over, and not just beginning', () => {
    const waiting = { ...row, status: 'awaiting-approval', entraRequestId: ENTRA_ID };
    const missed = { requests: [{ ...request, completedAt: iso(40) }], assignments: [] };
    expect(observe(waiting, missed, at(69)).state).toBe('active');
    expect(observe(waiting, missed, at(70))).toMatchObject({ state: 'ended', endsAt: at(70), provisionedAt: null });
    expect(observe(waiting, missed, at(300)).endsAt).toEqual(at(70));
    // What is completed ahead of its start begins with that.
    expect(observe(waiting, { requests: [{ ...request, startsAt: iso(50), completedAt: iso(40) }], assignments: [] }, at(60)).endsAt).toEqual(at(80));
  });

  test('a word that we do not know changes nothing, until the time is over anyway', () => {
    const waiting = { ...row, status: 'awaiting-approval', entraRequestId: ENTRA_ID };
    const odd = { requests: [{ ...request, status: 'Marvellous' }], assignments: [] };
    expect(observe(row, odd, at(1))).toMatchObject({ state: 'asked', entraRequestId: ENTRA_ID, provisionedAt: null });
    expect(observe(waiting, odd, at(60)).state).toBe('awaiting-approval');
    expect(observe(waiting, odd, at(24 * 60)).state).toBe('lapsed');
    expect(observe({ ...row, entraRequestId: ENTRA_ID }, odd, at(24 * 60)).state).toBe('failed');
  });

  test('an ending whose answer was lost: settled by Entra’s word, or by the membership’s absence', () => {
    const ending = { ...row, action: 'deactivate', minutes: null, createdAt: at(10) };
    const end: EntraRequest = { ...request, id: 'other', action: 'selfDeactivate', status: 'Revoked', createdAt: iso(10) };
    expect(observe(ending, { requests: [request, end], assignments: undefined }, at(11))).toMatchObject({ state: 'ended', entraRequestId: 'other' });
    expect(observe(ending, { requests: [request], assignments: [] }, at(11)).state).toBe('ended');
    expect(observe(ending, { requests: [request], assignments: [instance] }, at(11)).state).toBe('asked');
    expect(observe(ending, { requests: [request], assignments: [instance] }, at(12)).state).toBe('failed');
  });
});

describe('composeMyAccess', () => {
  const opened = { id: 'app', displayName: 'Finance reports', kind: 'per-app' as const, assignmentRequired: true, segments: [] };
  const eligible: EntraInstance = { principalId: ANA, groupId: GROUP, accessId: 'member', endsAt: iso(5000), memberType: 'direct' };
  const all: MyAccessFacts = {
    now: at(10), eligibilities: [eligible], view: { requests: [request], assignments: [instance] }, requests: [activeRow],
    catalog: new Map([[GROUP, { name: 'FinReport', policy, readAt: at(-3), applications: [opened] }]]), names: new Map(), favourites: new Set(), sets: [],
  };
  const only = (facts: MyAccessFacts) => composeMyAccess(facts).entries[0];

  test('shows what is active by application, with the five-minute floor', () => {
    expect(composeMyAccess(all)).toMatchObject({
      readAt: iso(10), notKnown: [],
      entries: [{
        groupId: GROUP, groupName: 'FinReport', applications: [opened], eligibility: { endsAt: iso(5000), through: 'direct' }, policy, policyReadAt: iso(-3),
        active: { since: iso(0), endsAt: iso(30), canEndAt: iso(5), permanent: false }, request: null, lastJustification: 'Month-end close', lastMinutes: 30, ended: null,
      }],
    });
  });

  test('says what could not be read, and shows the rest', () => {
    const blind = composeMyAccess({ ...all, eligibilities: undefined, view: { requests: [], assignments: undefined } });
    expect(blind.entries).toMatchObject([{ eligibility: null, active: { endsAt: iso(30) } }]);
    expect(blind.notKnown).toHaveLength(2);
    expect(composeMyAccess({ ...all, catalog: new Map(), names: new Map([[GROUP, 'By name']]) }).entries).toMatchObject([{ groupName: 'By name', policy: null, applications: [] }]);
  });

  test('a membership that Entra no longer shows is not active by our record', () => {
    expect(only({ ...all, view: { requests: [request], assignments: [] } })?.active).toBeNull();
  });

  test('what was read before a membership began, or before it was asked to end, says nothing about it', () => {
    const active = { ...row, status: 'active', provisionedAt: at(0), memberAt: at(1), endsAt: at(30) };
    const view = (readAt: number) => ({ requests: [], requestsAt: at(readAt), assignments: [], assignmentsAt: at(readAt) });
    const shown = (readAt: number) => only({ ...all, now: at(10), requests: [active], view: view(readAt) })?.active ?? null;
    expect(shown(-5)).toMatchObject({ memberAt: iso(1) });
    expect(shown(5)).toBeNull();
    const ending = { ...row, action: 'deactivate', status: 'asked', entraRequestId: null, createdAt: at(6), endsAt: null };
    expect(observe(ending, view(5), at(10)).state).toBe('asked');
    expect(observe(ending, view(7), at(10)).state).toBe('ended');
    const lost = { ...row, status: 'asked', entraRequestId: null, createdAt: at(0) };
    expect(observe(lost, view(-1), at(10)).state).toBe('asked');
    expect(observe(lost, view(3), at(10)).state).toBe('failed');
  });

  test('an assigned membership is permanent and not the person’s to end', () => {
    expect(only({ ...all, view: { requests: [], assignments: [{ ...instance, endsAt: undefined, assignmentType: 'assigned' }] } })?.active).toEqual({ since: iso(0), endsAt: null, canEndAt: null, memberAt: null, permanent: true });
  });

  test.each<[string, Partial<RecordedRequest>, string | undefined]>([
    ['waits for approval', { status: 'awaiting-approval' }, 'awaiting-approval'],
    ['failed within the hour', { status: 'failed', settledAt: at(-49) }, 'failed'],
    ['failed an hour ago', { status: 'failed', settledAt: at(-50) }, undefined],
    ['was denied within the hour', { status: 'denied', settledAt: at(0) }, 'denied'],
    ['was stopped for a step-up', { status: 'failed', settledAt: at(0), failure: STEP_UP }, undefined],
    ['was cancelled', { status: 'cancelled', settledAt: at(0) }, undefined],
    ['is active', { status: 'active' }, undefined],
  ])('of a request that %s: %o', (_name, other, state) => {
    expect(only({ ...all, view: { requests: [], assignments: [] }, requests: [{ ...row, ...other }] })?.request?.state).toBe(state);
  });

  test('says until when the network may stay open, for 90 min after an end', () => {
    const ended = { ...activeRow, status: 'ended', endsAt: at(0), settledAt: at(0) };
    const quiet = { ...all, view: { requests: [], assignments: [] }, requests: [ended], eligibilities: [] };
    expect(only({ ...quiet, now: new Date(at(90).getTime() - 1) })?.ended).toEqual({ at: iso(0), networkMayStayOpenUntil: iso(90) });
    expect(only({ ...quiet, now: at(90) })).toBeUndefined();
  });

  test.each<[string, Partial<RecordedRequest>, number]>([
    ['was refused: what was granted before it', { status: 'failed', failure: 'The role settings do not allow this duration.' }, 30],
    ['was stopped for a step-up', { status: 'failed', failure: STEP_UP }, 45],
    ['ended', { status: 'ended' }, 45],
  ])('offers the duration of the last request that %s', (_name, other, minutes) => {
    const last = { ...row, id: 'last', createdAt: at(5), minutes: 45, settledAt: at(6), ...other };
    expect(only({ ...all, requests: [row, last] })).toMatchObject({ lastMinutes: minutes, lastAskedAt: minutes === 45 ? iso(5) : iso(0) });
  });

  test('shows a request made elsewhere under Entra’s id', () => {
    const pending = { ...request, status: 'PendingApproval' };
    const elsewhere = madeElsewhere({ requests: [pending], assignments: [] }, ANA, new Set(), at(10));
    expect(only({ ...all, view: { requests: [pending], assignments: [] }, requests: elsewhere })?.request).toMatchObject({ id: ENTRA_ID, state: 'awaiting-approval', lapsesAt: iso(24 * 60) });
    expect(madeElsewhere({ requests: [pending], assignments: [] }, ANA, new Set([ENTRA_ID]), at(10))).toEqual([]);
    expect(madeElsewhere({ requests: [pending], assignments: [] }, 'somebody-else', new Set(), at(10))).toEqual([]);
  });
});

test('of several eligibilities the longest counts; ended ones do not', () => {
  const eligible = (endsAt: string | undefined): EntraInstance => ({ principalId: ANA, groupId: GROUP, accessId: 'member', endsAt, memberType: 'group' });
  expect(eligibilityFor(GROUP, [eligible(iso(10)), eligible(undefined), eligible(iso(20))], NOON)).toEqual({ endsAt: null });
  expect(eligibilityFor(GROUP, [eligible(iso(10)), eligible(iso(20))], NOON)).toEqual({ endsAt: at(20) });
  expect(eligibilityFor(GROUP, [eligible(iso(0))], NOON)).toBeNull();
  expect(eligibilityFor(GROUP, undefined, NOON)).toBeUndefined();
});

test('of an assigned and an activated membership, the activated one can be ended', () => {
  expect(activeFor(GROUP, [{ ...instance, assignmentType: 'assigned' }, instance], NOON)).toBe(instance);
  expect(activeFor(GROUP, [], NOON)).toBeNull();
  expect(activeFor(GROUP, undefined, NOON)).toBeUndefined();
});

test('a rule that Entra found broken is told at the field that mends it; one that we do not know is named', () => {
  expect(denialsOf(['ExpirationRule', 'TicketingRule', 'NewRule'])).toEqual([
    { path: 'body.minutes', message: 'The role settings do not allow this duration.' },
    { path: 'body.ticket', message: 'The role settings ask for a ticket.' },
    { path: 'body.groupId', message: 'A rule of the role settings was not met (NewRule).' },
  ]);
});
