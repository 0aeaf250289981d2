import { mutate, KINDS } from '../testing/mutations.ts';
import type { Measure } from './measure.ts';

/** How many of so many single changes of database, pack and checkpoint are found, and by whom. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const results = await mutate(quick ? 1_000 : 10_000, 1, templateUrl);
  const missed = results.filter(({ by }) => by === undefined);
  return {
    table: [
      ...KINDS.map((kind) => {
        const of = results.filter((one) => one.kind === kind);
        return { kind, changes: of.length, 'by the verifier': of.filter(({ by }) => by === 'verifier').length, 'by the nightly check': of.filter(({ by }) => by === 'check').length, missed: of.filter(({ by }) => by === undefined).length };
      }),
      ...missed.slice(0, 20).map(({ kind, seed }) => ({ kind, changes: seed })),
    ],
    value: (results.length - missed.length) / results.length,
    holds: missed.length === 0,
  };
};
