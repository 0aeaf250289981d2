/** The product with reload on both sides: the API restarts when its source changes, the web app is served by Vite. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const port = process.env['PORT'] ?? '3000';
const apiPort = String(Number(port) + 1);
const children: ChildProcess[] = [];

function start(args: readonly string[], env: Record<string, string>): void {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  child.once('exit', (code) => { stop(code ?? 0); });
  children.push(child);
}

function stop(code: number): void {
  process.exitCode = code;
  for (const child of children) child.kill('SIGTERM');
}

// The browser stays on one address, as in production: Vite passes on what is not its own.
start(['--watch-path=apps/api/src', '--watch-path=packages', '--watch-preserve-output', 'apps/api/src/main.ts'], { PORT: apiPort, PUBLIC_URL: `http://localhost:${port}` });
start(['node_modules/vite/bin/vite.js', 'apps/web', '--host', '127.0.0.1', '--port', port, '--strictPort'], { API_URL: `http://127.0.0.1:${apiPort}` });
process.on('SIGINT', () => { stop(0); });
process.on('SIGTERM', () => { stop(0); });
