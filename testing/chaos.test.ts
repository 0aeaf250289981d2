import { expect, test } from 'vitest';
import { playChaos } from './chaos.ts';

/** More of them: `npm run chaos -- --seeds 1000`. */
test.each(Array.from({ length: 50 }, (_, index) => `chaos-${index + 1}`))('twenty faults, and nothing is lost, doubled, altered or miscounted (%s)', async (seed) => {
  const { events, faults, ...outcome } = await playChaos({ seed });
  expect(outcome).toEqual({ seed, lost: [], doubled: [], altered: [], invented: [], miscounted: [], stalled: [] });
  expect(faults).toHaveLength(20);
  expect(events).toBeGreaterThan(50);
}, 60_000);
