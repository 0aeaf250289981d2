import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cursorOf, positionOf } from '../../core/cursors.ts';
import { completed, containing, lanesOf } from './history.rules.ts';

describe('cursors', () => {
  test('a position comes back with all its decimals', () => {
    fc.assert(fc.property(fc.date({ min: new Date('2000-01-01'), max: new Date('2199-01-01'), noInvalidDate: true }), fc.integer({ min: 0, max: 999 }), fc.string().filter((text) => !text.includes('\u0000') && text.isWellFormed()), (date, micros, id) => {
      const position = [date.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`), 'directory', id] as const;
      expect(positionOf(cursorOf(position), 3)).toEqual(position);
    }));
  });

  test.each([
    ['nothing', ''], ['no JSON', 'zzz'], ['no list', Buffer.from('{}').toString('base64url')], ['another list\'s', cursorOf(['2026-03-02T09:00:00.000000Z', 'id'])],
    ['no instant', cursorOf(['now', 'directory', 'id'])], ['an instant that is none', cursorOf(['2026-99-02T09:00:00.000000Z', 'directory', 'id'])], ['other types', Buffer.from('["2026-03-02T09:00:00.000000Z",1,2]').toString('base64url')],
    ['a NUL', cursorOf(['2026-03-02T09:00:00.000000Z', 'directory', 'a\u0000'])], ['half of a pair', cursorOf(['2026-03-02T09:00:00.000000Z', 'directory', 'a\ud800'])], ['SQL', cursorOf([`2026-03-02T09:00:00.000000Z'; drop table audit_event; --`, 'directory', 'id'])],
  ])('%s is no cursor', (_name, cursor) => { expect(positionOf(cursor, 3)).toBeUndefined(); });
});

test('what LIKE would read is only text', () => { expect(containing('50%_a\\b')).toBe('%50\\%\\_a\\\\b%'); });

describe('what is known beside an activation', () => {
  const stored = {
    requestId: 'r1', principalId: 'p1', principalName: 'Ana', groupId: 'g1', groupName: 'Finance', status: 'ended' as const, requestedAt: '2026-03-02T08:59:00.000000Z', justification: null, ticketNumber: null, expiresAt: null,
    decidedBy: null, decidedAt: null, decisionReason: null, provisionedAt: '2026-03-02T09:00:00.000000Z', endedAt: '2026-03-02T09:30:00.000000Z', endedHow: 'removed' as const,
  };
  const revocation = { createdAt: '2026-03-02T09:29:50.000000Z', goneAt: '2026-03-02T09:30:05.000000Z', revokedAt: '2026-03-02T09:31:00.000000Z', askedBy: 'Maya' };
  const of = (more: object = {}, revocations: (typeof revocation)[] = []) => completed({ ...stored, ...more }, { applications: [{ name: 'Finance reports', hosts: ['a.corp', 'b.corp'] }, { name: 'Payroll', hosts: ['a.corp'] }], revocations });

  test('what it opened, each host once, how long it lasted, and until when the network may have stayed open', () => {
    expect(of()).toMatchObject({ applications: ['Finance reports', 'Payroll'], hosts: ['a.corp', 'b.corp'], lastedSeconds: 1800, networkUntil: '2026-03-02T11:00:00.000Z', endedHow: 'removed', revokedBy: null });
  });
  test('revoked sign-ins end it sooner, and say by whom', () => {
    expect(of({}, [revocation])).toMatchObject({ endedHow: 'revoked', revokedBy: 'Maya', networkUntil: '2026-03-02T09:46:00.000Z' });
  });
  test('a revocation of another time, or before it, is none of it', () => {
    expect(of({}, [{ ...revocation, createdAt: '2026-03-02T08:00:00.000000Z', goneAt: '2026-03-02T08:00:10.000000Z' }])).toMatchObject({ endedHow: 'removed', revokedBy: null });
  });
  test('what the record does not say is not made up', () => {
    expect(of({ provisionedAt: null })).toMatchObject({ lastedSeconds: null });
    expect(of({ endedAt: null, endedHow: null, status: 'active' })).toMatchObject({ lastedSeconds: null, networkUntil: null });
  });
  test('lanes are people, or every application that was opened', () => {
    expect(lanesOf([of()], 'person').map(({ name, bars }) => [name, bars.length])).toEqual([['Ana', 1]]);
    expect(lanesOf([of(), of({ requestId: 'r2', provisionedAt: null })], 'application').map(({ name, bars }) => [name, bars.length])).toEqual([['Finance reports', 1], ['Payroll', 1]]);
  });
});
