import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { until } from './until.ts';

const ROOT = join(import.meta.dirname, '../../..');
const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-npm-'));
let npm: ChildProcess | undefined;

afterEach(() => {
  // The whole group, should the portal have outlived its npm.
  if (npm?.pid !== undefined) try { process.kill(-npm.pid, 'SIGKILL'); } catch { /* all of it is gone */ }
  rmSync(dataDir, { recursive: true, force: true });
});

test.each(['SIGTERM', 'SIGKILL'] as const)('npm start, whose npm gets %s, leaves no portal on the port', async (signal) => {
  // Without prestart: the build is not what is tested, and another test may be reading it.
  const child = spawn('npm', ['start', '--ignore-scripts'], { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'silent' } });
  npm = child;
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
  const url = await until('ready', () => /ready: (http:\S+)/.exec(out)?.[1]);
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
  await until('nobody answers', () => fetch(`${url}/healthz`).then(() => undefined, () => true));
  await until('the process group is gone', () => { try { process.kill(-(child.pid ?? 0), 0); return undefined; } catch { return true; } });
  expect(out).not.toContain('did not start');
});
