/**
 * What a checkout needs before it runs: the Prisma client and the built web app. npm runs it after `npm ci`; with
 * `--if-stale` it does only what a later change made necessary. Nothing is downloaded: the generator never calls the
 * schema engine, whose place any existing file may take.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const onlyIfStale = process.argv.includes('--if-stale');

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).filter((name) => name !== 'node_modules' && name !== 'dist').map((name) => newest(join(path, name))));
}

function make(target: string, sources: readonly string[], command: () => void): void {
  const made = existsSync(join(root, target)) ? statSync(join(root, target)).mtimeMs : 0;
  if (onlyIfStale && sources.every((source) => newest(join(root, source)) < made)) return;
  command();
}

/** Runs a package's program under this very Node, whatever Node the machine has. */
function program(path: string, args: readonly string[], env: Record<string, string> = {}): void {
  execFileSync(process.execPath, [join(root, 'node_modules', path), ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });
}

make('packages/db/generated/client.ts', ['prisma/schema.prisma'], () => {
  program('prisma/build/index.js', ['generate', '--schema', 'prisma/schema.prisma'], { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' });
});
make('apps/web/dist/index.html', ['apps/web/src', 'apps/web/index.html', 'apps/web/vite.config.ts', 'packages/contracts/src'], () => {
  program('vite/bin/vite.js', ['build', 'apps/web', '--logLevel', 'warn']);
});
