import { describe, expect, test } from 'vitest';
import { isDueForLook, looksAt, type Followed, type Usual } from './following.rules.ts';

const NOON = new Date('2026-03-02T12:00:00Z');
const at = (seconds: number): Date => new Date(NOON.getTime() + seconds * 1000);
const row = (more: Partial<Followed> = {}): Followed => ({
  id: 'r', principalId: 'ana', groupId: 'g', action: 'activate', minutes: 30, startsAt: NOON, justification: null, ticketNumber: null, status: 'provisioning', entraRequestId: 'e',
  failure: null, createdAt: NOON, provisionedAt: null, memberAt: null, endsAt: null, settledAt: null, lookedAt: null, ...more,
});

/** When a page that asks every 1.5 s leads to a look, in seconds. */
function looks(more: Partial<Followed>, until: number, { usual, newsAt }: { usual?: Usual; newsAt?: Date } = {}): number[] {
  const found: number[] = [];
  let lookedAt: Date | null = null;
  for (let seconds = 0; seconds <= until; seconds += 1.5) {
    // News is known from when it came in.
    if (!isDueForLook(row({ ...more, lookedAt }), { now: at(seconds), usual, newsAt: newsAt !== undefined && newsAt <= at(seconds) ? newsAt : undefined })) continue;
    found.push(seconds);
    lookedAt = at(seconds);
  }
  return found;
}

describe('when a request is looked for', () => {
  test('soon after it moved, then ever later, for nobody knows how long it takes', () => {
    expect(looks({}, 600)).toEqual([3, 6, 21, 120, 240, 480]);
  });
  test('as the group is used to: where half and where nearly all are through', () => {
    const usual = { p50: 25, p95: 80 };
    expect(looksAt(usual)).toEqual([5, 25, 80, 160]);
    expect(looks({}, 140, { usual })).toEqual([6, 25.5, 81]);
    expect(looksAt({ p50: 0.4, p95: 0.5 }), 'never in a rush').toEqual([2, 6, 20, 120]);
    expect(looksAt({ p50: 4000, p95: 9000 }), 'never so late that nobody looks').toEqual([5, 60, 180, 360]);
  });
  test('seldom while an approver decides, and soon once the audit log tells of it', () => {
    expect(looks({ status: 'awaiting-approval' }, 500)).toEqual([150, 300, 450]);
    expect(looks({ status: 'awaiting-approval' }, 240, { newsAt: at(200) })).toEqual([150, 202.5, 207, 220.5]);
  });
  test('seldom before its start, and soon after it', () => {
    expect(looks({ status: 'scheduled', startsAt: at(200) }, 240)).toEqual([150, 202.5, 207, 220.5]);
  });
  test('hardly ever when the directory has shown the membership, unless the audit log tells that it ended', () => {
    const calm = { status: 'active', provisionedAt: at(0), memberAt: at(3), endsAt: at(1800) };
    expect(looks(calm, 1000)).toEqual([903]);
    expect(looks(calm, 800, { newsAt: at(300) })).toEqual([300]);
  });
});
