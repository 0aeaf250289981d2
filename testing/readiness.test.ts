import { expect, test } from 'vitest';
import { measureReadiness } from './readiness.ts';

/** 1,000 courses: `npm run bench -- readiness`. */
test('no stage is told before Entra has reached it, whatever the delays', async () => {
  const { tooEarly, told } = await measureReadiness(40, undefined, 21); // 43 once told of a time before PIM was done
  expect(tooEarly).toEqual([]);
  // That nothing is told would be true, too.
  for (const stage of ['Asked', 'Approved', 'Provisioned', 'Member', 'Ready']) expect(told[stage], stage).toBeGreaterThan(0);
});
