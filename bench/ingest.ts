import { playIngest } from '../testing/ingest.ts';
import type { Measure } from './measure.ts';

/** Events a second that Graph gives a tenant at most: five pages of a thousand in ten seconds. */
export const FROM_GRAPH = 500;

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

/** From the page over HTTP to the commit, deduplicated and hashed, with the watermark: events a second, against a raw COPY of the same rows into a table with the same indexes. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const rounds = await playIngest({ events: quick ? 100_000 : 500_000, rounds: 5, templateUrl });
  const ratios = rounds.map(({ ratio }) => ratio);
  const ours = median(rounds.map((round) => round.ours));
  return {
    table: [...rounds.map((round) => ({ ...round })), { round: 'median', ours, copy: median(rounds.map(({ copy }) => copy)), ratio: median(ratios), spread: `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`, 'times what Graph gives': ours / FROM_GRAPH }],
    value: median(ratios),
    holds: median(ratios) >= 0.6,
  };
};
