import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinActivations, type ActivationRow } from './activations.ts';
import { parseDirectoryEvent, type ReceivedEvent } from './directory-event.ts';
import { ANA, AZURE_AD_PIM, memberEvent, OMAR, pimEvent, story } from './testing.ts';

const join = (events: readonly ReceivedEvent[]): ActivationRow[] => joinActivations(events.map((event) => parseDirectoryEvent(event, '2026-03-02T00:00:00.000000Z')));
const DAY = '2026-03-02';
const at = (time: string, day = DAY): string => `${day}T${time}.0000000Z`;
const requested = (requestId: string, time: string, more: object = {}) => pimEvent({ id: `${requestId}-requested`, at: at(time), activity: 'Add member to role requested (PIM activation)', requestId, reason: 'Work', ...more });
const completed = (requestId: string, time: string, more: object = {}) => pimEvent({ id: `${requestId}-completed`, at: at(time), activity: 'Add member to role completed (PIM activation)', requestId, ...more });
const expired = (id: string, time: string, more: object = {}) => pimEvent({ id, at: at(time), activity: 'Remove member from role (PIM activation expired)', by: AZURE_AD_PIM, requestId: `${id}-own`, ...more });

test('seven entries are one activation, from request to end', () => {
  expect(join(story('r1', DAY))).toEqual([{
    requestId: 'r1', principalId: ANA.id, principalName: 'Ana Costa', groupId: expect.any(String), groupName: 'FinReport-SeniorAnalyst-SecureAccess', status: 'ended',
    requestedAt: `${DAY}T09:00:00.123456Z`, justification: 'Month-end close', ticketNumber: 'INC-4711', ticketSystem: 'ServiceNow', startsAt: `${DAY}T09:00:00.000000Z`, expiresAt: `${DAY}T09:31:02.000000Z`,
    decidedById: OMAR.id, decidedBy: 'Omar Haddad', decidedAt: `${DAY}T09:01:00.123456Z`, decisionReason: 'Planned work',
    provisionedAt: `${DAY}T09:01:02.123456Z`, endedAt: `${DAY}T09:20:00.123456Z`, endedHow: 'deactivated',
  }]);
});

describe('where an activation stands', () => {
  const approval = pimEvent({ id: 'a', at: at('09:00:01'), activity: 'Add member to role approval requested (PIM activation)', requestId: 'r' });
  const decision = (word: string) => pimEvent({ id: 'd', at: at('09:05:00'), activity: `Add member to role request ${word} (PIM activation)`, requestId: 'r', reason: 'Because' });
  const cases: [string, ReceivedEvent[], Partial<ActivationRow>][] = [
    ['asked', [requested('r', '09:00:00')], { status: 'requested', provisionedAt: null }],
    ['waits for approval', [requested('r', '09:00:00'), approval], { status: 'awaiting-approval' }],
    ['approved, not yet provisioned', [requested('r', '09:00:00'), approval, decision('approved')], { status: 'requested', decisionReason: 'Because' }],
    ['denied', [requested('r', '09:00:00'), approval, decision('denied')], { status: 'denied' }],
    ['cancelled', [requested('r', '09:00:00'), pimEvent({ id: 'c', at: at('09:02:00'), activity: 'Add member to role canceled (PIM activation)', requestId: 'r' })], { status: 'cancelled' }],
    ['lapsed', [requested('r', '09:00:00'), approval, pimEvent({ id: 'l', at: at('10:00:00'), activity: 'PIM activation request expired', requestId: 'r', result: 'failure' })], { status: 'lapsed' }],
    ['failed', [requested('r', '09:00:00'), completed('r', '09:00:01', { result: 'failure' })], { status: 'failed', provisionedAt: null }],
    ['meant for later', [requested('r', '09:00:00', { details: { StartTime: at('12:00:00') } })], { status: 'scheduled' }],
    ['active', [requested('r', '09:00:00'), completed('r', '09:00:02')], { status: 'active' }],
    ['only its completion is known', [completed('r', '09:00:02', { reason: 'Work' })], { status: 'active', requestedAt: `${DAY}T09:00:02.000000Z`, justification: 'Work' }],
    ['PIM\'s completion is missing, the directory has the member', [requested('r', '09:00:00'), memberEvent({ id: 'm', at: at('09:00:03'), change: 'added' })], { status: 'active', provisionedAt: `${DAY}T09:00:03.000000Z` }],
    ['the membership went without a word of PIM', [requested('r', '09:00:00'), completed('r', '09:00:02', { details: { ExpirationTime: at('09:30:02') } }), memberEvent({ id: 'm', at: at('09:10:00'), change: 'removed' })], { status: 'ended', endedHow: 'removed' }],
    ['it went when its time was over', [requested('r', '09:00:00'), completed('r', '09:00:02', { details: { ExpirationTime: at('09:30:02') } }), memberEvent({ id: 'm', at: at('09:30:04'), change: 'removed' })], { status: 'ended', endedHow: 'expired' }],
    ['an administrator removed it', [requested('r', '09:00:00'), completed('r', '09:00:02'), pimEvent({ id: 'x', at: at('09:10:00'), activity: 'Remove member from role in PIM completed (timebound)', requestId: 'other' })], { status: 'ended', endedHow: 'removed' }],
    ['an end that failed ends nothing', [requested('r', '09:00:00'), completed('r', '09:00:02'), expired('x', '09:30:00', { result: 'failure' })], { status: 'active', endedAt: null }],
    ['somebody adds the member by hand: that answers no request', [requested('r', '09:00:00'), approval, memberEvent({ id: 'm', at: at('09:03:00'), change: 'added', by: AZURE_AD_PIM })], { status: 'awaiting-approval', provisionedAt: null }],
  ];
  test.each(cases)('%s', (_name, events, expected) => { expect(join(events)).toMatchObject([expected]); });
});

test('what runs out counts from the beginning, which an approval moves; what never began does not run out', () => {
  const asked = { details: { StartTime: at('09:00:00'), ExpirationTime: at('09:30:00') } };
  const approval = pimEvent({ id: 'a', at: at('09:00:01'), activity: 'Add member to role approval requested (PIM activation)', requestId: 'r', ...asked });
  const approved = pimEvent({ id: 'd', at: at('09:50:00'), activity: 'Add member to role request approved (PIM activation)', requestId: 'r', reason: 'Because', ...asked });
  expect(join([requested('r', '09:00:00', asked), approval])).toMatchObject([{ status: 'awaiting-approval', expiresAt: null }]);
  const begun = [requested('r', '09:00:00', asked), approval, approved, completed('r', '09:50:02', asked)];
  expect(join(begun)).toMatchObject([{ status: 'active', expiresAt: `${DAY}T10:20:02.000000Z` }]);
  // The membership goes at its real end: that is expiry, and ten minutes before it is not.
  expect(join([...begun, memberEvent({ id: 'm', at: at('10:20:03'), change: 'removed' })])).toMatchObject([{ endedHow: 'expired' }]);
  expect(join([...begun, memberEvent({ id: 'm', at: at('10:10:00'), change: 'removed' })])).toMatchObject([{ endedHow: 'removed' }]);
});

test('an end closes the latest activation that was open, not an earlier one nor one after it', () => {
  const rows = join([
    requested('r1', '09:00:00'), completed('r1', '09:00:01'), expired('e1', '09:30:00'),
    requested('r2', '10:00:00'), completed('r2', '10:00:01'), expired('e2', '10:30:00'),
    requested('r3', '11:00:00'), completed('r3', '11:00:01'),
  ]);
  expect(rows.map(({ requestId, status, endedAt }) => [requestId, status, endedAt?.slice(11, 16)])).toEqual([['r1', 'ended', '09:30'], ['r2', 'ended', '10:30'], ['r3', 'active', undefined]]);
});

test('an end that names its activation closes that one', () => {
  const rows = join([requested('r1', '09:00:00'), completed('r1', '09:00:01'), requested('r2', '09:10:00'), expired('e1', '09:30:00', { details: { RoleAssignmentRequestId: 'r1' } })]);
  expect(rows.map(({ requestId, status }) => [requestId, status])).toEqual([['r1', 'ended'], ['r2', 'requested']]);
});

test('the directory\'s late entry about one end does not end the activation that came after', () => {
  const rows = join([
    requested('r1', '09:00:00'), completed('r1', '09:00:01'), expired('e1', '09:30:00'),
    requested('r2', '09:30:20'), completed('r2', '09:30:21'), memberEvent({ id: 'm', at: at('09:30:40'), change: 'removed' }),
  ]);
  expect(rows.map(({ requestId, status }) => [requestId, status])).toEqual([['r1', 'ended'], ['r2', 'active']]);
});

test('an activation as owner gives no access and is no row', () => {
  expect(join([requested('r', '09:00:00', { details: { TemplateId: 'owner' } })])).toEqual([]);
});

// Everything that a log of one person and one group can hold, close together so that it gets into each other's way.
const anyEvent = fc.record({
  n: fc.nat(40), request: fc.constantFrom('r1', 'r2', 'r3', undefined), seconds: fc.integer({ min: 0, max: 1200 }), result: fc.constantFrom('success', 'success', 'success', 'failure'),
  ends: fc.constantFrom('r1', 'r2', undefined, undefined), expires: fc.option(fc.integer({ min: 0, max: 2000 }), { nil: undefined }),
  what: fc.constantFrom(
    'Add member to role requested (PIM activation)', 'Add member to role approval requested (PIM activation)', 'Add member to role request approved (PIM activation)', 'Add member to role request denied (PIM activation)',
    'Add member to role completed (PIM activation)', 'Add member to role canceled (PIM activation)', 'PIM activation request expired', 'Remove member from role requested (PIM deactivate)', 'Remove member from role completed (PIM deactivate)',
    'Remove member from role (PIM activation expired)', 'Remove member from role in PIM completed (timebound)', 'Add member to role in PIM completed (timebound)', 'added', 'removed',
  ),
}).map(({ n, request, seconds, result, ends, expires, what }) => {
  const instant = (offset: number): string => new Date(Date.UTC(2026, 2, 2, 9, 0, offset)).toISOString();
  const common = { id: `event-${n}`, at: instant(seconds) };
  return what === 'added' || what === 'removed' ? memberEvent({ ...common, change: what }) : pimEvent({
    ...common, activity: what, result, ...(request !== undefined && { requestId: request }),
    details: { ...(ends !== undefined && { RoleAssignmentRequestId: ends }), ...(expires !== undefined && { ExpirationTime: instant(expires) }) },
  });
});
const log = fc.uniqueArray(anyEvent, { selector: ({ id }) => id, maxLength: 30 });

test('order and repetition of the events make no difference', () => {
  fc.assert(fc.property(log.chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }))), ([events, shuffled]) => {
    expect(join(shuffled)).toEqual(join(events));
  }), { numRuns: 1000 });
});

test('whatever part of a log is known, its rows do not contradict themselves', () => {
  fc.assert(fc.property(log, (events) => {
    const rows = join(events);
    expect(new Set(rows.map(({ requestId }) => requestId)).size).toBe(rows.length);
    for (const { status, requestedAt, decidedAt, provisionedAt, endedAt, endedHow } of rows) {
      for (const later of [decidedAt, provisionedAt, endedAt]) if (later !== null) expect(later >= requestedAt).toBe(true);
      if (provisionedAt !== null && endedAt !== null) expect(endedAt >= provisionedAt).toBe(true);
      expect(status === 'ended').toBe(endedAt !== null);
      expect(endedHow === null).toBe(endedAt === null);
      if (status === 'active') expect(provisionedAt).not.toBeNull();
    }
    // One end ends one activation.
    const ends = rows.flatMap(({ endedAt }) => endedAt ?? []);
    expect(ends.length).toBeLessThanOrEqual(events.filter((event) => /Remove/.test(event.raw)).length);
  }), { numRuns: 1000 });
});
