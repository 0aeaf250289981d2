import { playImport } from '../testing/bulk-import.ts';
import type { Measure } from './measure.ts';

/** What a person waits for at the most until all plans are there. */
const PLANNED_WITHIN_SECONDS = 10;

/** Two hundred setups from one CSV file, on a tenant that throttles: planned, and applied though the portal is killed in the middle. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const setups = quick ? 12 : 200;
  const whole = await playImport({ setups, cut: false, templateUrl });
  const cut = await playImport({ setups, cut: true, templateUrl });
  const rows = [{ played: 'undisturbed', ...whole }, { played: 'killed and continued', ...cut }];
  const waited = Math.max(...rows.map(({ planSeconds }) => planSeconds)) / PLANNED_WITHIN_SECONDS;
  const effective = cut.effective / whole.effective;
  return {
    table: rows.map(({ played, planSeconds, planTrips, killed, doneBefore, continued, counts, effective: writes, throttled, throttledTwice }) => ({
      played, setups, 'plan, s': Number(planSeconds.toFixed(2)), 'round trips of the plan': planTrips, killed, 'done before': doneBefore, continued: continued.length, done: counts.done ?? 0, 'effective writes': writes, throttled, 'throttled twice': throttledTwice,
    })),
    // The worst of: planning against its bound, and what was done with a kill against what is to be done.
    value: Math.max(waited, effective),
    holds: waited < 1 && effective === 1 && whole.continued.length === 0 && cut.killed && rows.every(({ counts, throttledTwice }) => counts.done === setups && throttledTwice === 0),
  };
};
