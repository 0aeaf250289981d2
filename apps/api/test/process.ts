import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from './until.ts';

/** The repository, which a process of the product is started in. */
export const ROOT = join(import.meta.dirname, '../../..');

/** The product as a process of the operating system's, and what it has said so far. */
export type ProductProcess = ChildProcess & { out: () => string; err: () => string };

export function startProcess(env: Record<string, string>): ProductProcess {
  const child = spawn(process.execPath, ['apps/api/src/main.ts'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', LOG_LEVEL: 'warn', ...env } });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
  child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString(); });
  return Object.assign(child, { out: () => out, err: () => err });
}

/** With what it ended; `null` where a signal ended it. */
export async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** Its address, when it says that it is ready. */
export const ready = (child: ProductProcess): Promise<string> => until('the product is ready', () => {
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${child.err()}`);
  return /ready: (http:\S+)/.exec(child.out())?.[1];
});

const KEY = Buffer.alloc(32, 7).toString('base64');
export const withDatabase = (url: string): Record<string, string> => ({ DATABASE_URL: url, SESSION_KEYS: KEY, TOKEN_KEYS: KEY, LEDGER_KEY: KEY, PORT: '0' });
