import { setTimeout as sleep } from 'node:timers/promises';

/** Looks at another process until it is so; what never becomes so is a failure with a name. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 40_000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await sleep(50);
  }
}
