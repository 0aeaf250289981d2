import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** A thread that does one thing after the other; what would hold up everybody else is done there. */
export interface Thread {
  /** What it answers; `too-much` where that took more time or memory than it has, and nothing is left of it. */
  ask(asked: unknown): Promise<{ readonly answer: unknown } | 'too-much'>;
  /** Resolves when what was asked is answered; nothing is to be asked after it. */
  stop(): Promise<void>;
}

export interface ThreadLimits {
  /** For one answer. */
  readonly patienceMs: number;
  readonly memoryMb: number;
}

/** The module answers each message of its parent's with one. It begins with the first, and anew where it was lost. */
export function createThread(module: URL, { patienceMs, memoryMb }: ThreadLimits): Thread {
  let running: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();

  function begun(): Worker {
    const worker = new Worker(module, { resourceLimits: { maxOldGenerationSizeMb: memoryMb } });
    const forget = (): void => { if (running === worker) running = undefined; };
    worker.on('error', forget);
    worker.on('exit', forget);
    // It keeps no process alive that has nothing else to do.
    worker.unref();
    return worker;
  }

  async function answered(asked: unknown): Promise<{ readonly answer: unknown } | 'too-much'> {
    const worker = running ??= begun();
    try {
      worker.postMessage(asked);
      const [answer]: unknown[] = await once(worker, 'message', { signal: AbortSignal.timeout(patienceMs) });
      return { answer };
    } catch (error) {
      await worker.terminate();
      if (isTooMuch(error)) return 'too-much';
      throw error;
    }
  }

  return {
    ask(asked) {
      const answer = last.then(() => answered(asked));
      last = answer.catch(() => undefined);
      return answer;
    },
    async stop() {
      await last;
      await running?.terminate();
    },
  };
}

const isTooMuch = (error: unknown): boolean => error instanceof Error && (error.name === 'AbortError' || ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'));
