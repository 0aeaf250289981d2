import { beforeAll, describe, expect, test } from 'vitest';
import { FAULTS, MOMENTS, playFailing, playKilled, WRITES, type FaultName, type KilledRun, type WriteName } from './kill.ts';

/** Kill -9 in the middle of a run, and another admin who continues it. All of them: `npm run bench -- kill-matrix`. */
describe('a run that is killed and continued leaves what an undisturbed one leaves, and nothing is done twice', () => {
  let whole: KilledRun;
  beforeAll(async () => { whole = await playKilled(undefined); });

  // Every write and every fault, each at one of the three moments.
  const cuts = (Object.keys(WRITES) as WriteName[]).map((write, index) => ({
    write, fault: Object.keys(FAULTS)[index % Object.keys(FAULTS).length] as FaultName, moment: MOMENTS[index % MOMENTS.length] ?? 'after',
  }));
  test.each(cuts)('$write, $fault, killed $moment', async (cut) => {
    const { configuration, effective, killed } = await playKilled(cut);
    expect(killed, 'it was killed before it was over').toBe(true);
    expect(configuration).toEqual(whole.configuration);
    expect(effective / whole.effective).toBe(1);
  });

  test.each((Object.keys(WRITES) as WriteName[]).map((write, index) => ({ write, effect: index % 2 === 0 ? 'after' as const : 'before' as const })))('$write fails for good, $effect its effect: the run fails with a sentence and is continued', async ({ write, effect }) => {
    const { configuration, effective, failed } = await playFailing(write, effect);
    // Where the work is found done after a lost answer, nothing failed.
    for (const sentence of failed) expect(sentence).toMatch(/did not answer|slow down/);
    if (effect === 'before') expect(failed).not.toEqual([]);
    expect(configuration).toEqual(whole.configuration);
    expect(effective / whole.effective).toBe(1);
  });

  test('the undisturbed one has eleven writes', () => {
    expect(whole).toMatchObject({ effective: Object.keys(WRITES).length, killed: false });
  });
});
