import { playWatch, type Queued } from '../testing/drift-watch.ts';
import type { Measure } from './measure.ts';

const CHANGES = 10;
const ANSWER_S = 0.1;
/** How much longer a person's call may take while a pass is under way, queue and answer together. */
const DELAY_AT_MOST = 1.1;
/** What the portal takes for PIM's limit in ten seconds, which nobody publishes; the background is to leave a fifth of it to people (packages/graph, allowance). */
const PIM_BUDGET = 200;

/** A pass over two hundred setups on a tenant that throttles: the first, one where nothing changed, and one where ten setups were changed past the portal. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const setups = quick ? 20 : 200;
  const { first, idle, changed, person, queued } = await playWatch({ setups, changes: CHANGES, templateUrl });
  // Calls a setup that changed, against calls a setup when all are looked at: what all share is asked once in either.
  const value = (changed.calls / CHANGES) / (first.calls / setups);
  const perCall = ({ calls, seconds }: Queued): number => seconds / Math.max(1, calls);
  // A call is taken to be answered in a tenth of a second where it does not queue.
  const delay = (ANSWER_S + perCall(queued.meanwhile)) / (ANSWER_S + perCall(queued.alone));
  return {
    table: [
      { pass: 'first', setups, ...first }, { pass: 'nothing changed', setups: 0, ...idle }, { pass: 'ten changed', setups: CHANGES, ...changed },
      { pass: 'a person meanwhile', calls: person.calls, pimPeak: person.pim, 'done before the pass': person.doneBeforeThePass },
      { pass: 'queued: a person alone', calls: queued.alone.calls, 'queued (s)': queued.alone.seconds }, { pass: 'queued: a person meanwhile', calls: queued.meanwhile.calls, 'queued (s)': queued.meanwhile.seconds, 'times as long': delay },
      { pass: 'queued: the first pass', calls: queued.background.calls, 'queued (s)': queued.background.seconds },
    ],
    value,
    holds: first.differences === 0 && idle.calls === 0 && changed.differences === CHANGES && changed.attributed === CHANGES && value < 2
      // Nobody was refused. The share is kept as calls are sent; here they are counted as they arrive, a person's among them.
      && [first, changed].every(({ throttled, pimPeak }) => throttled === 0 && pimPeak <= PIM_BUDGET) && person.doneBeforeThePass && delay <= DELAY_AT_MOST
      // In the whole measure the background itself has to queue: else nobody could have waited behind it.
      && (quick || queued.background.seconds > 0),
  };
};
