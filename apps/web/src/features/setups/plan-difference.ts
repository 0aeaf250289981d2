import type { Plan, PlanStep } from '@gatehouse/contracts';

export interface PlanDifference {
  /** By the step's key, a word for each that was not in the plan before, or otherwise. */
  readonly marks: ReadonlyMap<string, 'New' | 'Changed'>;
  /** Titles of those that are no longer in it. */
  readonly gone: readonly string[];
}

/** In what a plan differs from the one that was seen before it. */
export function differenceOf(seen: Plan, now: Plan): PlanDifference {
  const before = new Map(seen.steps.map((step) => [step.key, shownOf(step)]));
  const after = new Set(now.steps.map(({ key }) => key));
  return {
    marks: new Map(now.steps.flatMap((step) => {
      const was = before.get(step.key);
      return was === shownOf(step) ? [] : [[step.key, was === undefined ? 'New' : 'Changed'] as const];
    })),
    gone: seen.steps.filter(({ key }) => !after.has(key)).map(({ title }) => title),
  };
}

/** What a person sees of a step: which others it waits for changes with them, and is not said. */
const shownOf = ({ verdict, title, changes, calls, irreversible, blocked }: PlanStep): string => JSON.stringify([verdict, title, changes, calls, irreversible, blocked]);
