#!/usr/bin/env node
// Starts the verifier under the Node that the repository brings along: it runs TypeScript, and the machine's own may not.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(main);
} else {
  const node = nodeAbove(dirname(main));
  if (node === undefined) {
    console.error('gatehouse-verify needs the Node that comes with its repository. Run npm ci there, and try again.');
    process.exit(1);
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C in a terminal reaches both; what is sent to this process alone is passed on, and the child decides how it ends.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => { process.exit(code ?? (signal === null ? 1 : 130)); });
}

function nodeAbove(start) {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (let dir = start; ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules', 'node', 'bin', name);
    if (existsSync(candidate)) return candidate;
    if (dir === dirname(dir)) return undefined;
  }
}
