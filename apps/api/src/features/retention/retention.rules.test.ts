import { expect, test } from 'vitest';
import { dueAfter, faultOf, isHeld, isOver, keptUntil, pauseAfter } from './retention.rules.ts';

test('a month is over when the longest of its sources is', () => {
  expect(keptUntil('2019-11', 84)).toEqual(new Date('2026-12-01T00:00:00Z'));
  expect(isOver('2019-11', [84, 12], new Date('2026-11-30T23:59:59Z'))).toBe(false);
  expect(isOver('2019-11', [84, 12], new Date('2026-12-01T00:00:00Z'))).toBe(true);
  expect(isOver('2019-11', [12], new Date('2020-12-01T00:00:00Z'))).toBe(true);
});

test('a hold keeps its months and those between', () => {
  expect(isHeld('2019-11', [{ fromMonth: null, toMonth: null }])).toBe(true);
  expect(isHeld('2019-11', [{ fromMonth: '2019-11', toMonth: '2019-11' }])).toBe(true);
  expect(isHeld('2019-11', [{ fromMonth: '2019-12', toMonth: null }, { fromMonth: null, toMonth: '2019-10' }])).toBe(false);
});

test('a drop is announced thirty days ahead', () => {
  expect(dueAfter(new Date('2026-11-27T12:00:00Z'))).toEqual(new Date('2026-12-27T12:00:00Z'));
});

test('a pause grows, up to a day', () => {
  expect([1, 2, 3, 9, 1000].map((failures) => pauseAfter(failures) / 60_000)).toEqual([10, 20, 40, 1440, 1440]);
});

test('an archive that is not what was written, or lacks a row, is found', () => {
  const file = { name: 'rows', bytes: 3, sha256: 'aa' };
  const written = { sha256: 'zz', files: [file] };
  const whole = { sha256: 'zz', files: [{ ...file, lines: 2 }], manifest: '{"sha256":"aa"}' };
  expect(faultOf(written, whole, 2, 'rows')).toBeUndefined();
  for (const [changed, rows, said] of [[{ sha256: 'zy' }, 2, /on disk/], [{ files: [{ ...file, sha256: 'ab', lines: 2 }] }, 2, /not what was written/], [{ files: [] }, 2, /not what was written/], [{ manifest: '{}' }, 2, /manifest/], [{ files: [...whole.files, { ...file, name: 'more', lines: 0 }] }, 2, /not written/], [{}, 3, /holds 2 rows and the month 3/]] as const) {
    expect(faultOf(written, { ...whole, ...changed }, rows, 'rows')).toMatch(said);
  }
});
