import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantText, kindOf, parseDirectoryEvent } from './directory-event.ts';
import { ANA, AZURE_AD_PIM, FINANCE, memberEvent, pimEvent, received } from './testing.ts';

const FALLBACK = '2026-03-02T09:00:00.000000Z';

describe('what an event means', () => {
  test.each([
    ['Add member to role requested (PIM activation)', 'PIM', 'activation-requested'],
    ['Add member to role approval requested (PIM activation)', 'PIM', 'approval-requested'],
    ['Add member to role request approved (PIM activation)', 'PIM', 'approved'],
    ['Add member to role request denied (PIM activation)', 'PIM', 'denied'],
    ['Add member to role completed (PIM activation)', 'PIM', 'activated'],
    ['Add member to role canceled (PIM activation)', 'PIM', 'activation-cancelled'],
    ['PIM activation request expired', 'PIM', 'request-lapsed'],
    ['Remove member from role requested (PIM deactivate)', 'PIM', 'deactivation-requested'],
    ['Remove member from role completed (PIM deactivate)', 'PIM', 'deactivated'],
    ['Remove member from role (PIM activation expired)', 'PIM', 'expired'],
    ['Add eligible member to role in PIM requested (timebound)', 'PIM', 'other'],
    ['Add eligible member to role in PIM completed (timebound)', 'PIM', 'eligible-added'],
    ['Restore eligible member from role in PIM completed', 'PIM', 'eligible-added'],
    ['Remove eligible member from role in PIM completed (permanent)', 'PIM', 'eligible-removed'],
    ['Add member to role in PIM completed (permanent)', 'PIM', 'assigned'],
    ['Add member to role in PIM canceled (renew)', 'PIM', 'other'],
    ['Remove member from role in PIM completed (timebound)', 'PIM', 'assignment-removed'],
    ['Update role setting in PIM', 'PIM', 'role-settings-changed'],
    ['Onboarded resource to PIM', 'PIM', 'onboarded'],
    ['  add  MEMBER to role completed (PIM activation) ', 'pim', 'activated'],
    ['Add member to group', 'Core Directory', 'member-added'],
    ['Remove member from group', 'Core Directory', 'member-removed'],
    ['Update group', 'Core Directory', 'group-changed'],
    ['Add app role assignment to group', 'Core Directory', 'application-changed'],
    ['Update service principal', 'Core Directory', 'application-changed'],
    ['Add user', 'Core Directory', 'other'],
    // The same words of another service are another thing.
    ['Add member to group', 'PIM', 'other'],
    ['Add member to role completed (PIM activation)', 'Self-service Group Management', 'other'],
  ])('%s of %s is %s', (activity, service, kind) => { expect(kindOf(activity, service)).toBe(kind); });
});

describe('instants', () => {
  test.each([
    ['2026-03-02T09:00:00.1234567Z', '2026-03-02T09:00:00.123456Z'],
    ['2026-03-31T23:59:59.9999999Z', '2026-03-31T23:59:59.999999Z'],
    ['2026-03-02T09:00:00Z', '2026-03-02T09:00:00.000000Z'],
    ['2026-03-01T00:30:00.5+02:00', '2026-02-28T22:30:00.500000Z'],
    ['2026-02-30T00:00:60Z', undefined],
    ['0001-01-01T00:00:00Z', undefined],
    ['2026-03-02', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('%s', (text, expected) => { expect(instantText(text)).toBe(expected); });
});

test('an entry of PIM is read into its columns', () => {
  const requestId = 'CCCCCCCC-0000-4000-8000-000000000001';
  const event = parseDirectoryEvent(pimEvent({
    id: 'PIM_1', at: '2026-03-02T09:00:00.1234567Z', activity: 'Add member to role requested (PIM activation)', requestId, reason: 'Month-end close',
    details: { Justification: 'Month-end close', TicketNumber: 'INC-4711', StartTime: '2026-03-02T09:00:00Z', ExpirationTime: '2026-03-02T09:30:00Z' },
  }), FALLBACK);
  expect(event).toMatchObject({
    id: 'PIM_1', at: '2026-03-02T09:00:00.123456Z', atRaw: '2026-03-02T09:00:00.1234567Z', kind: 'activation-requested', service: 'PIM', result: 'success', reason: 'Month-end close',
    actorId: ANA.id, actorName: 'Ana Costa', subjectId: ANA.id, subjectName: 'Ana Costa', groupId: FINANCE.id, groupName: FINANCE.name, requestId: requestId.toLowerCase(), asOwner: false,
    ticketNumber: 'INC-4711', startsAt: '2026-03-02T09:00:00.000000Z', expiresAt: '2026-03-02T09:30:00.000000Z',
  });
});

test('an expiry names no person as actor, and the request that it ends', () => {
  const event = parseDirectoryEvent(pimEvent({ id: 'PIM_2', at: '2026-03-02T09:30:00Z', activity: 'Remove member from role (PIM activation expired)', by: AZURE_AD_PIM, details: { RoleAssignmentRequestId: 'R1' } }), FALLBACK);
  expect(event).toMatchObject({ actorId: null, actorName: 'Azure AD PIM', kind: 'expired', endsRequestId: 'r1', requestId: 'r1' });
});

test('the directory names the group of a membership in the properties of the member where no target does', () => {
  const raw = JSON.parse(memberEvent({ id: 'd1', at: '2026-03-02T09:00:02.5Z', change: 'removed' }).raw) as { targetResources: unknown[] };
  raw.targetResources.length = 1;
  expect(parseDirectoryEvent(received('d1', '', raw), FALLBACK)).toMatchObject({ kind: 'member-removed', at: '2026-03-02T09:00:02.500000Z', actorName: 'MS-PIM', actorId: null, subjectId: ANA.id, groupId: FINANCE.id, groupName: FINANCE.name });
});

test('a group that is the member is the subject, and the other is the group', () => {
  const event = parseDirectoryEvent(received('d2', '2026-03-02T09:00:00Z', {
    activityDisplayName: 'Add eligible member to role in PIM completed (timebound)', loggedByService: 'PIM',
    targetResources: [{ type: 'Group', id: 'nested', displayName: 'Nested' }, { type: 'Group', id: 'outer', displayName: 'Outer' }],
  }), FALLBACK);
  expect(event).toMatchObject({ subjectId: 'nested', groupId: 'outer' });
});

test('an assignment of an application names both sides', () => {
  const event = parseDirectoryEvent(received('d3', '2026-03-02T09:00:00Z', {
    activityDisplayName: 'Add app role assignment to group', loggedByService: 'Core Directory', initiatedBy: { user: null, app: { displayName: 'Gatehouse', appId: 'APP' } },
    targetResources: [{ type: 'ServicePrincipal', id: 'SP', displayName: 'Finance reports' }, { '@odata.type': '#microsoft.graph.targetResourceGroup', id: 'G', displayName: 'Group' }],
  }), FALLBACK);
  expect(event).toMatchObject({ applicationId: 'sp', applicationName: 'Finance reports', groupId: 'g', actorId: 'app', actorName: 'Gatehouse' });
});

describe('what is dirty is kept', () => {
  test.each([
    ['text that is no JSON', '{"id":'], ['null', 'null'], ['a number', '7'], ['a list', '[1]'], ['nothing', ''],
    ['null everywhere', '{"activityDisplayName":null,"loggedByService":null,"initiatedBy":null,"targetResources":null,"additionalDetails":null,"result":null}'],
    ['other types everywhere', '{"activityDisplayName":1,"loggedByService":{},"initiatedBy":[],"targetResources":{"0":1},"additionalDetails":[null,1,{"key":1}],"result":[]}'],
    ['objects in objects', '{"initiatedBy":{"user":7,"app":"x"},"targetResources":[null,[],{"type":{},"modifiedProperties":[null,{"newValue":"\\"broken"}]}]}'],
  ])('%s', (_name, raw) => {
    expect(parseDirectoryEvent({ id: 'x', activityDateTime: '', raw }, FALLBACK)).toMatchObject({ id: 'x', at: FALLBACK, atRaw: '', kind: 'other', result: 'other', actorId: null, groupId: null, raw });
  });

  test('what PostgreSQL does not store is replaced', () => {
    const event = parseDirectoryEvent(received('a\u0000b', '', { activityDisplayName: 'x\u0000y\ud800', loggedByService: 'PIM' }), FALLBACK);
    expect(event).toMatchObject({ id: 'a\uFFFDb', activity: 'x\uFFFDy\uFFFD' });
  });

  test('no JSON whatever is refused', () => {
    const shape = fc.record({
      activityDisplayName: fc.oneof(fc.constantFrom('Add member to group', 'Add member to role completed (PIM activation)'), fc.jsonValue()), loggedByService: fc.oneof(fc.constantFrom('PIM', 'Core Directory'), fc.jsonValue()),
      initiatedBy: fc.oneof(fc.record({ user: fc.jsonValue(), app: fc.jsonValue() }), fc.jsonValue()), targetResources: fc.oneof(fc.array(fc.oneof(fc.record({ type: fc.constantFrom('User', 'Group', 'Request', 1), id: fc.jsonValue(), modifiedProperties: fc.jsonValue() }), fc.jsonValue())), fc.jsonValue()),
      additionalDetails: fc.jsonValue(), result: fc.jsonValue(), resultReason: fc.jsonValue(), correlationId: fc.jsonValue(), activityDateTime: fc.jsonValue(), id: fc.jsonValue(),
    }, { requiredKeys: [] });
    fc.assert(fc.property(fc.oneof(shape.map((value) => JSON.stringify(value)), fc.json(), fc.string()), (raw) => {
      const event = parseDirectoryEvent({ id: '', activityDateTime: '', raw }, FALLBACK);
      expect(instantText(event.at)).toBe(event.at);
      for (const value of Object.values(event)) {
        if (typeof value === 'string' && (value.includes('\u0000') || !value.isWellFormed())) expect.unreachable(`PostgreSQL does not store ${JSON.stringify(value)}`);
      }
    }), { numRuns: 2000 });
  });
});

const EXAMPLES = join(import.meta.dirname, '../../../../../shared/graph/examples');
test.runIf(existsSync(EXAMPLES))('the published examples are read', () => {
  const bodies = readdirSync(EXAMPLES).filter((name) => name.startsWith('audit--') && name.includes('directoryaudit')).map((name) => JSON.parse(readFileSync(join(EXAMPLES, name), 'utf8')) as { responseBody: { value: { id: string; activityDateTime: string }[] } });
  const events = bodies.flatMap(({ responseBody }) => responseBody.value).map((event) => parseDirectoryEvent(received(event.id, event.activityDateTime, event), FALLBACK));
  expect(events).toHaveLength(2);
  for (const event of events) {
    expect(event).toMatchObject({ at: '2018-01-09T21:20:02.721537Z', kind: 'member-added', result: 'success', reason: 'Successfully added member to group', groupName: 'Example.com' });
    expect(event.subjectId).not.toBeNull();
  }
});
