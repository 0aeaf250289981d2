import { expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, OVERLAP, planLive, restAfter, tailsFor } from './sync.rules.ts';

const quota = { pageSize: 1_000, requestsADay: 43_200, retention: 30 * DAY };
const tails = (eventsADay: number) => tailsFor({ ...quota, eventsADay });

test('up to 50,000 events a day all that shows late is there within a minute, an hour or a day', () => {
  for (const eventsADay of [0, 1_000, 20_000, 40_000, 50_000]) expect(tails(eventsADay)).toMatchObject({ overlap: OVERLAP, overlapEvery: MINUTE, dayEvery: HOUR, wholeEvery: DAY });
});

test('at 100,000 a day the looks back come less often, and cost less than a tenth of the requests', () => {
  const { requestsADay, ...at } = tails(100_000);
  expect(at).toEqual({ overlap: 11 * MINUTE + 57_600, overlapEvery: 15 * MINUTE, dayEvery: 2 * HOUR, wholeEvery: DAY });
  expect(requestsADay).toBe(96 * (3 - 1) + 12 * 98 + 2_900);
  expect(requestsADay).toBeLessThanOrEqual(4_320);
});

test('whatever a tenant logs, no look back costs more than a tenth as long as there is a longer way', () => {
  for (let eventsADay = 1_000; eventsADay <= 400_000; eventsADay += 7_000) expect(tails(eventsADay).requestsADay).toBeLessThanOrEqual(4_320);
});

test('where reading begins', () => {
  const now = Date.parse('2026-03-31T00:00:00Z');
  const plan = (watermark: number | undefined, newest?: number) => planLive({ now, watermark, newest, retention: 30 * DAY, overlap: OVERLAP });
  expect(plan(undefined)).toEqual({ from: now - DAY, gap: { from: now - 30 * DAY, to: now - DAY, cause: 'first-start' } });
  expect(plan(now - MINUTE, now)).toEqual({ from: now - MINUTE - OVERLAP });
  expect(plan(now - DAY)).toEqual({ from: now - DAY - OVERLAP });
  expect(plan(now - 2 * DAY)).toEqual({ from: now - DAY, gap: { from: now - 2 * DAY - OVERLAP, to: now - DAY, cause: 'outage' } });
  expect(plan(now - 40 * DAY)).toEqual({ from: now - DAY, gap: { from: now - 30 * DAY, to: now - DAY, cause: 'outage' }, lost: { from: now - 40 * DAY, to: now - 30 * DAY } });
  // A watermark ahead of time: from what is known to have happened.
  expect(plan(now + HOUR, now - HOUR)).toEqual({ from: now - HOUR - OVERLAP });
});

test('what fails rests longer each time, and never longer than an hour', () => {
  expect([1, 2, 5, 6, 40].map((tries) => restAfter(tries) / MINUTE)).toEqual([2, 4, 32, 60, 60]);
});
