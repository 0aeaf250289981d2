import { measureEconomy } from '../testing/economy.ts';
import type { Measure } from './measure.ts';

/** What applying a setup asks of Graph, for P people and one application, and what applying it again does. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const rows = await measureEconomy(quick ? [1, 17, 18] : [1, 2, 17, 18, 37, 38, 40], templateUrl);
  const allowed = (people: number): number => 4 + Math.max(0, Math.ceil((people - 17) / 20));
  return {
    table: rows.map(({ people, writes, trips, readBacks, secondWrites, secondTrips }) => ({
      P: people, writes, 'writes, to reach': people + 3, 'round trips': trips, 'round trips, to reach': allowed(people), 'read-backs, apart': readBacks, 'writes of the second': secondWrites, 'round trips of the second': secondTrips,
    })),
    // The worst of all ratios of what was asked to what may be.
    value: Math.max(...rows.flatMap(({ people, writes, trips, secondTrips }) => [writes / (people + 3), trips / allowed(people), secondTrips / 2])),
    holds: rows.every(({ people, writes, trips, secondWrites, secondTrips }) => writes === people + 3 && trips <= allowed(people) && secondWrites === 0 && secondTrips <= 2),
  };
};
