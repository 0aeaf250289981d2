import { PortalError } from '../../core/errors.ts';
import type { Asked, Tasks } from './batch-tasks.ts';

/** Does what it is asked elsewhere, and answers `too-much` where it gave up. */
export interface FileThread {
  ask(asked: Asked): Promise<{ readonly answer: unknown } | 'too-much'>;
  stop(): Promise<void>;
}

/**
 * Files of many setups, read and written in a thread of their own: one of the largest size takes a second or three, and
 * the portal answers nobody while it reads one itself.
 */
export interface BatchFiles {
  read(...args: Parameters<Tasks['read']>): Promise<ReturnType<Tasks['read']>>;
  /** What was found wrong with rows of the file later, by its lines. */
  mistakesIn(...args: Parameters<Tasks['mistakesIn']>): Promise<ReturnType<Tasks['mistakesIn']>>;
  /** The file again, with what became of these of its rows. */
  result(...args: Parameters<Tasks['result']>): Promise<string>;
  /** A file of setups. */
  setups(...args: Parameters<Tasks['setups']>): Promise<string>;
  stop(): Promise<void>;
}

export function createBatchFiles(thread: FileThread): BatchFiles {
  let stopping = false;
  async function ask(asked: Asked): Promise<unknown> {
    if (stopping) throw new PortalError('not-ready', { detail: 'The portal is stopping. Try again in a moment.' });
    const told = await thread.ask(asked);
    if (told === 'too-much') throw new PortalError('invalid-request', { detail: 'The file takes more time or memory to read than a file of setups does. Nothing was taken from it. Split it, and bring in the parts.' });
    return told.answer;
  }
  return {
    read: (...args) => ask({ task: 'read', args }) as Promise<ReturnType<Tasks['read']>>,
    mistakesIn: (...args) => ask({ task: 'mistakesIn', args }) as Promise<ReturnType<Tasks['mistakesIn']>>,
    result: (...args) => ask({ task: 'result', args }) as Promise<string>,
    setups: (...args) => ask({ task: 'setups', args }) as Promise<string>,
    async stop() {
      stopping = true;
      await thread.stop();
    },
  };
}
