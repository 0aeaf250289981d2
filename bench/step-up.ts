import { measureStepUps } from '../testing/step-up.ts';
import type { Measure } from './measure.ts';

/** In how many of 100 runs what was typed is still there after a stronger sign-in, and the activation goes through. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const { runs, activations, courseOf, known, failed } = await measureStepUps(quick ? 20 : 100, templateUrl);
  return {
    table: [...failed.slice(0, 20).map((one) => ({ 'did not go through': one })), { runs, activations, 'known beforehand': known, ...courseOf }],
    value: (runs - failed.length) / runs,
    holds: failed.length === 0,
  };
};
