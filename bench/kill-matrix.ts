import { FAULTS, MOMENTS, playKilled, WRITES, type FaultName, type WriteName } from '../testing/kill.ts';
import type { Measure } from './measure.ts';

/**
 * Kill -9 around each write of a setup, with each fault of the write, then continued by another admin: whether the tenant
 * is as after an undisturbed run, and how many writes took effect, against those of the undisturbed one.
 */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const whole = await playKilled(undefined, templateUrl);
  const rows = [];
  for (const write of Object.keys(WRITES) as WriteName[]) {
    for (const fault of Object.keys(FAULTS) as FaultName[]) {
      for (const moment of quick ? ['after' as const] : MOMENTS) {
        const one = await playKilled({ write, fault, moment }, templateUrl).catch((error: unknown) => ({ configuration: [String(error)], effective: Number.NaN, killed: true }));
        rows.push({ write, fault, moment, killed: one.killed, same: JSON.stringify(one.configuration) === JSON.stringify(whole.configuration), ratio: one.effective / whole.effective });
      }
    }
  }
  const wrong = rows.filter(({ killed, same, ratio }) => !killed || !same || ratio !== 1);
  return {
    table: [{ cuts: rows.length, 'killed in the middle': rows.filter(({ killed }) => killed).length, 'tenant as undisturbed': rows.filter(({ same }) => same).length, 'effective writes of the undisturbed': whole.effective }, ...wrong],
    value: Math.max(...rows.map(({ ratio }) => ratio)),
    holds: wrong.length === 0,
  };
};
