import { afterEach, expect, test } from 'vitest';
import { createThread, type Thread, type ThreadLimits } from './thread.ts';

/** Does what it is asked: answers it, never answers, fails, ends, or fills its memory. */
const module = new URL(`data:text/javascript,${encodeURIComponent(`
  import { parentPort } from 'node:worker_threads';
  let times = 0;
  const kept = [];
  parentPort.on('message', (asked) => {
    times += 1;
    if (asked === 'hang') for (;;);
    if (asked === 'fail') throw new Error('it fails');
    if (asked === 'fill') for (;;) kept.push(new Array(1e5).fill(times));
    parentPort.postMessage([asked, times]);
  });
`)}`);
let thread: Thread;
const begin = (limits: Partial<ThreadLimits> = {}): Thread => (thread = createThread(module, { patienceMs: 20_000, memoryMb: 64, ...limits }));
afterEach(() => thread.stop());

test('answers one after the other, in one thread', async () => {
  const { ask } = begin();
  expect(await Promise.all([ask('a'), ask('b')])).toEqual([{ answer: ['a', 1] }, { answer: ['b', 2] }]);
});

test('what takes too long is given up, and what was asked after it is answered by another thread', async () => {
  const { ask } = begin({ patienceMs: 2_000 });
  expect(await Promise.all([ask('a'), ask('hang'), ask('b')])).toEqual([{ answer: ['a', 1] }, 'too-much', { answer: ['b', 1] }]);
});

test('what takes too much memory is given up, and so is what fails', async () => {
  const { ask } = begin();
  expect(await ask('fill')).toBe('too-much');
  await expect(ask('fail')).rejects.toThrow('it fails');
  expect(await ask('a')).toEqual({ answer: ['a', 1] });
});
