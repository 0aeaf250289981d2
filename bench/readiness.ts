import { measureReadiness } from '../testing/readiness.ts';
import type { Measure } from './measure.ts';

/** Whether the page tells a stage before Entra has reached it, over 1,000 courses of an activation. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const { courses, looks, told, courseOf, tooEarly } = await measureReadiness(quick ? 50 : 1000, templateUrl);
  return {
    table: [...tooEarly.slice(0, 20).map((one) => ({ 'too early': one })), { courses, looks, 'told too early': tooEarly.length, ...courseOf, ...Object.fromEntries(Object.entries(told).map(([stage, times]) => [`told ${stage}`, times])) }],
    value: tooEarly.length,
    holds: tooEarly.length === 0,
  };
};
