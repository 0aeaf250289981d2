import { playIngest } from '../testing/ingest.ts';
import { FROM_GRAPH } from './ingest.ts';
import type { Measure } from './measure.ts';

/** The same taking in, against the most that Graph gives to one application in one tenant. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const rounds = await playIngest({ events: quick ? 100_000 : 500_000, rounds: 5, templateUrl });
  const sorted = rounds.map(({ ours }) => ours / FROM_GRAPH).toSorted((one, other) => one - other);
  const value = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return { table: [...rounds.map(({ round, ours }) => ({ round, 'events/s': ours, 'times what Graph gives': ours / FROM_GRAPH }))], value, holds: value >= 30 };
};
