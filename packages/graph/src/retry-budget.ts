/** What each call may add to the repetitions of all, and how many may be saved up. */
const REPEATS_PER_CALL = 1.3;
const SAVED_UP = 50;

/**
 * How often calls may be repeated in all: at most 1.3 times as often as there are calls. A service in which every second
 * call fails is got through with (on average each call is sent twice); one that is down is not buried under repetitions.
 */
export function createRetryBudget() {
  let left = SAVED_UP;
  return {
    /** A call has begun. */
    deposit(): void {
      left = Math.min(SAVED_UP, left + REPEATS_PER_CALL);
    },
    /** Takes one repetition; `false` when there is none left. */
    withdraw(): boolean {
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}

export type RetryBudget = ReturnType<typeof createRetryBudget>;
