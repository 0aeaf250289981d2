import { playWatch } from '../testing/drift-watch.ts';
import type { Measure } from './measure.ts';

const CHANGES = 10;
/** What the portal takes for PIM's limit in ten seconds, which nobody publishes; the background is to leave a fifth of it to people (packages/graph, allowance). */
const PIM_BUDGET = 200;

/** A pass over two hundred setups on a tenant that throttles: the first, one where nothing changed, and one where ten setups were changed past the portal. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const setups = quick ? 20 : 200;
  const { first, idle, changed, person } = await playWatch({ setups, changes: CHANGES, templateUrl });
  // Calls a setup that changed, against calls a setup when all are looked at: what all share is asked once in either.
  const value = (changed.calls / CHANGES) / (first.calls / setups);
  return {
    table: [{ pass: 'first', setups, ...first }, { pass: 'nothing changed', setups: 0, ...idle }, { pass: 'ten changed', setups: CHANGES, ...changed }, { pass: 'a person meanwhile', calls: person.calls, pimPeak: person.pim, 'done before the pass': person.doneBeforeThePass }],
    value,
    holds: first.differences === 0 && idle.calls === 0 && changed.differences === CHANGES && changed.attributed === CHANGES && value < 2
      // Nobody was refused. The share is kept as calls are sent; here they are counted as they arrive, a person's among them.
      && [first, changed].every(({ throttled, pimPeak }) => throttled === 0 && pimPeak <= PIM_BUDGET) && person.doneBeforeThePass,
  };
};
