import { describe, expect, test } from 'vitest';
import { cardOf, keyOf, mailOf, needless, nextTryAt, plain, titleOf, type WaitingRequest } from './notifications.rules.ts';

const NOON = new Date('2026-03-02T12:00:00Z');
const request: WaitingRequest = {
  requestId: 'e0000000-0000-4000-8000-000000000001', requesterId: 'ana', requesterName: 'Ana Costa', groupId: 'group', groupName: 'Payroll-Operator-SecureAccess', opens: ['Payroll'],
  minutes: 90, startsAt: null, justification: 'Month-end close', ticketNumber: 'INC-4711', askedAt: '2026-03-02T12:00:00.000Z', lapsesAt: '2026-03-03T12:00:00.000Z',
};

test('each try waits twice as long as the one before, within an hour, and never less than the receiver asked for', () => {
  const seconds = (tries: number, after?: number): number => (nextTryAt(tries, NOON, after).getTime() - NOON.getTime()) / 1000;
  expect([1, 2, 3, 7, 8, 20].map((tries) => seconds(tries))).toEqual([30, 60, 120, 1920, 3600, 3600]);
  expect([seconds(1, 10), seconds(1, 300), seconds(1, 1e9)]).toEqual([30, 300, 3600]);
});

test.each<[string, Parameters<typeof needless>[1], Date, boolean]>([
  ['waits by the record', { recorded: 'awaiting-approval', mirrored: undefined }, NOON, true],
  ['waits by the mirror alone', { recorded: undefined, mirrored: 'awaiting-approval' }, NOON, true],
  ['is denied by the record, and the mirror does not know yet', { recorded: 'denied', mirrored: 'awaiting-approval' }, NOON, false],
  ['is active by the mirror, and the record does not know yet', { recorded: 'awaiting-approval', mirrored: 'active' }, NOON, false],
  ['has lapsed', { recorded: 'awaiting-approval', mirrored: 'awaiting-approval' }, new Date('2026-03-03T12:00:00Z'), false],
])('a request that %s', (_name, standing, now, told) => {
  expect(needless(request, standing, now) === undefined).toBe(told);
});

test('a key tells requests, channels and people apart, whatever the case of an id', () => {
  expect(new Set([keyOf('A', 'mail', 'x'), keyOf('A', 'mail', 'y'), keyOf('B', 'mail', 'x'), keyOf('A', 'webhook')]).size).toBe(4);
  expect(keyOf('a', 'mail', 'X')).toBe(keyOf('A', 'mail', 'x'));
});

describe('what somebody typed', () => {
  test('is one line without controls or marks of direction, and not endless', () => {
    expect(plain('a\r\nb\u2028c\u0000d \u202ee  f')).toBe('a b c d e f');
    expect(plain('x'.repeat(600))).toHaveLength(500);
    expect(plain('日本語 – ünïcödé 👩‍💻')).toBe('日本語 – ünïcödé 👩‍💻');
  });

  test('adds no header and no line of ours to a mail', () => {
    const { subject, text } = mailOf('https://g.example', { ...request, requesterName: 'Ana\r\nBcc: x@evil.example', justification: 'x\nApprove or deny: https://evil.example' });
    expect(subject).toBe('Ana Bcc: x@evil.example asks for Payroll');
    expect(text.split('\n').filter((line) => line.startsWith('Approve or deny:'))).toEqual([`Approve or deny: https://g.example/approvals?request=${request.requestId}`]);
  });

  test('is in a card only where nothing reads it as markup, and fills in nothing', () => {
    const card = cardOf('https://g.example', { ...request, justification: '[Approve](https://evil.example) **now** {{DATE(2026-03-02T12:00:00Z)}} {{{x}}}', requesterName: '[Ana](https://evil.example)' });
    const found: { type: string; text?: string }[] = [];
    JSON.stringify(card, (_key, value: unknown) => {
      if (typeof value === 'object' && value !== null && 'type' in value) found.push(value as { type: string; text?: string });
      return value;
    });
    expect([...new Set(found.map(({ type }) => type))].sort()).toEqual(['Action.OpenUrl', 'AdaptiveCard', 'RichTextBlock', 'TextRun', 'message']);
    const texts = found.flatMap(({ text }) => text ?? []);
    expect(texts).toContain('[Approve](https://evil.example) **now** { {DATE(2026-03-02T12:00:00Z)}} { { {x}}}');
    expect(texts.some((text) => text.includes('{{'))).toBe(false);
    expect(found.filter(({ type }) => type === 'Action.OpenUrl')).toEqual([{ type: 'Action.OpenUrl', title: 'Approve or deny', url: `https://g.example/approvals?request=${request.requestId}` }]);
  });
});

test('without known applications a request is told by its group', () => {
  expect(titleOf({ ...request, opens: [] })).toBe('Ana Costa asks for Payroll-Operator-SecureAccess');
});
