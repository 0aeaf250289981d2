import { playBackfill } from '../testing/backfill.ts';
import type { Measure } from './measure.ts';

/** Pages of reports that Graph gives an application in a second: five in ten. */
const PAGES_A_SECOND = 0.5;
const ANSWER_S = 0.1;

/**
 * The first reading of a tenant, against what Graph's published limit allows: time of the tenant over the fewest pages that hold
 * its events ÷ 0.5 a second. What is new is read meanwhile and counts as time too; the first five pages come at once.
 * The tenant's time stands while the portal works, so that its work must be less than the time that the limit gives for it.
 */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const played = await playBackfill({ pages: quick ? 40 : 160, templateUrl });
  const { pages, throttled, seconds, workSeconds, events, stored, alone, meanwhile } = played;
  const atBest = pages / PAGES_A_SECOND;
  const fewest = Math.ceil(events / 1_000);
  const perCall = (queued: { readonly calls: number; readonly seconds: number }): number => queued.seconds / Math.max(1, queued.calls);
  // A call is taken to be answered in a tenth of a second where it does not queue.
  const delay = (ANSWER_S + perCall(meanwhile)) / (ANSWER_S + perCall(alone));
  const value = seconds / (fewest / PAGES_A_SECOND);
  return {
    table: [{ events, stored, pages, 'fewest pages': fewest, 'times the best for these': seconds / atBest, 'tenant (s)': seconds, 'at best (s)': atBest, 'work (s)': workSeconds, '429': throttled, 'a person waits (times)': delay }],
    value,
    holds: stored === events && value <= 1.03 && throttled <= 0.01 * pages && delay <= 1.1 && workSeconds < atBest,
  };
};
