import { expect, test } from 'vitest';
import { playImport } from './bulk-import.ts';

/** Twelve setups; two hundred are in `npm run bench -- bulk-import`. */
test('setups of a file are planned in few round trips, and after a kill in the middle all are done and nothing is done twice', async () => {
  const whole = await playImport({ setups: 12, cut: false });
  expect(whole).toMatchObject({ counts: { done: 12 }, killed: false, continued: [], throttledTwice: 0 });
  // Names of all rows, what the plans have in common, and two round trips for every twenty setups.
  expect(whole.planTrips).toBeLessThanOrEqual(8);
  const cut = await playImport({ setups: 12, cut: true });
  expect(cut).toMatchObject({ counts: { done: 12 }, killed: true, throttledTwice: 0, configuration: whole.configuration });
  expect(cut.doneBefore).toBeGreaterThan(0);
  expect(cut.doneBefore).toBeLessThan(12);
  expect(cut.effective / whole.effective).toBe(1);
});
