import { parentPort } from 'node:worker_threads';
import { done, type Asked } from './features/batches/batch-tasks.ts';

/** The thread that reads and writes files of many setups. */
parentPort?.on('message', (asked: Asked) => { parentPort?.postMessage(done(asked)); });
