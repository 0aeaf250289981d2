import { expect, test } from 'vitest';
import { moved, placeOf, ticksOf, zoomed } from './spans.ts';

const DAY = 86_400_000;
const march = { from: new Date(2026, 2, 1).getTime(), to: new Date(2026, 3, 1).getTime() };

test('in and out again is where it was, and neither goes on for ever', () => {
  expect(zoomed(zoomed(march, 0.5), 2)).toEqual(march);
  expect(zoomed({ from: 0, to: 3_600_000 }, 0.5)).toEqual({ from: 0, to: 3_600_000 });
  expect(zoomed({ from: 0, to: 3660 * DAY }, 2)).toEqual({ from: 0, to: 3660 * DAY });
  expect(moved({ from: 0, to: 10 }, -1)).toEqual({ from: -10, to: 0 });
});

test('a bar is cut at the edges and never too thin to be seen', () => {
  expect(placeOf({ from: -5, to: 5 }, { from: 0, to: 10 })).toEqual({ left: 0, width: 50 });
  expect(placeOf({ from: 5, to: Number.POSITIVE_INFINITY }, { from: 0, to: 10 })).toEqual({ left: 50, width: 50 });
  expect(placeOf({ from: 3, to: 3 }, { from: 0, to: 10 })).toEqual({ left: 30, width: 0.4 });
});

test.each([1 / 24, 1, 3, 7, 31, 200, 3650])('a scale of %d days has a few round instants', (days) => {
  const ticks = ticksOf({ from: march.from + 1, to: march.from + days * DAY });
  expect(ticks.length).toBeLessThanOrEqual(7);
  expect(ticks.length).toBeGreaterThan(0);
  for (const { at, isDay } of ticks) expect(isDay ? new Date(at).getHours() : new Date(at).getMinutes() % 15).toBe(0);
});
