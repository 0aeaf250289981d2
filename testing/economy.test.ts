import { expect, test } from 'vitest';
import { measureEconomy } from './economy.ts';

/** How little a setup asks of Graph. As a table: `npm run bench -- graph-economy`. */
test('applying takes P + 3 writes in at most 4 + ⌈(P − 17) / 20⌉ round trips, and applying again none in two', async () => {
  const measured = await measureEconomy([1, 17, 18, 37, 38]);
  for (const { people, writes, trips, readBacks, secondWrites, secondTrips } of measured) {
    expect({ people, writes, secondWrites }).toEqual({ people, writes: people + 3, secondWrites: 0 });
    expect(trips, `round trips for ${people}`).toBeLessThanOrEqual(4 + Math.max(0, Math.ceil((people - 17) / 20)));
    expect(secondTrips, `round trips of the second for ${people}`).toBeLessThanOrEqual(2);
    expect(readBacks, 'what was written is read back').toBeGreaterThan(0);
  }
});
