import { expect, test } from 'vitest';
import { KINDS, mutate } from './mutations.ts';

test('whatever is changed in database, pack or checkpoint is found', async () => {
  const results = await mutate(KINDS.length * 7, 1);
  expect(results.filter(({ by }) => by === undefined)).toEqual([]);
  expect(new Set(results.map(({ kind }) => kind)).size).toBe(KINDS.length);
  // Each change names what is wrong.
  expect(results.every(({ what }) => what.length > 10)).toBe(true);
}, 300_000);
