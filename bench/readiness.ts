import { measureReadiness, type Readiness } from '../testing/readiness.ts';
import type { Measure } from './measure.ts';

/** Of one portal: a person's requests are read with each look, and of a thousand that is slow. */
const COURSES_EACH = 50;

/** Whether the page tells a stage before Entra has reached it, over 1,000 courses of an activation. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const portals: Readiness[] = [];
  for (let first = 1; first <= (quick ? COURSES_EACH : 1000); first += COURSES_EACH) portals.push(await measureReadiness(COURSES_EACH, templateUrl, first));
  const tooEarly = portals.flatMap((one) => one.tooEarly);
  return {
    table: [
      ...tooEarly.slice(0, 20).map((one) => ({ 'too early': one })),
      ...portals.map(({ courses, looks, told, courseOf, tooEarly: early }) => ({ courses, looks, 'told too early': early.length, ...courseOf, ...Object.fromEntries(Object.entries(told).map(([stage, times]) => [`told ${stage}`, times])) })),
    ],
    value: tooEarly.length,
    holds: tooEarly.length === 0,
  };
};
