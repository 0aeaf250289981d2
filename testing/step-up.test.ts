import { expect, test } from 'vitest';
import { measureStepUps } from './step-up.ts';

/** 100 runs: `npm run bench -- step-up`. */
test('after a stronger sign-in what was typed is there and the activation goes through, in two tabs and with another session id too', async () => {
  const { failed, activations, courseOf } = await measureStepUps(6);
  expect(failed).toEqual([]);
  expect(activations).toBeGreaterThan(6);
  expect(Object.keys(courseOf).length).toBeGreaterThan(2);
}, 180_000);
