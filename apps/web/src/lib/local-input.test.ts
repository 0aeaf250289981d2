import { beforeEach, describe, expect, test, vi } from 'vitest';
import { formatZone, fromLocalInput, toLocalInput } from './dates.ts';

beforeEach(() => {
  vi.stubEnv('TZ', 'Europe/Lisbon');
  return () => { vi.unstubAllEnvs(); };
});

const long = new Date('2026-01-01T00:00:00Z');
const typed = (text: string, now = long): string | undefined => fromLocalInput(text, now)?.toISOString();

describe('a start typed in Lisbon', () => {
  test('in winter, in summer, and no time at all', () => {
    expect(typed('2026-03-02T09:00')).toBe('2026-03-02T09:00:00.000Z');
    expect(typed('2026-07-02T09:00')).toBe('2026-07-02T08:00:00.000Z');
    expect(typed('')).toBeUndefined();
    expect([formatZone('2026-03-02T09:00:00Z'), formatZone('2026-07-02T08:00:00Z')]).toEqual(['UTC+0', 'UTC+1']);
  });

  test('in the night in which the clocks leap: 01:30 is not there, and lies later', () => {
    const instant = fromLocalInput('2026-03-29T01:30', long) ?? long;
    expect(instant.toISOString()).toBe('2026-03-29T01:30:00.000Z');
    expect(toLocalInput(instant)).toBe('2026-03-29T02:30');
    expect(typed('2026-03-29T00:59')).toBe('2026-03-29T00:59:00.000Z');
  });

  test('in the night in which an hour comes twice: the first that is not over', () => {
    expect(typed('2026-10-25T01:30')).toBe('2026-10-25T00:30:00.000Z');
    expect(typed('2026-10-25T01:30', new Date('2026-10-25T00:45:00Z'))).toBe('2026-10-25T01:30:00.000Z');
    // Over for good: the form says that it lies in the past, and not that it is an hour later.
    expect(typed('2026-10-24T01:30', new Date('2026-10-25T00:45:00Z'))).toBe('2026-10-24T00:30:00.000Z');
    expect(toLocalInput(new Date('2026-10-25T01:30:00Z'))).toBe('2026-10-25T01:30');
  });
});
