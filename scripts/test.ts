/** Everything that must hold: types, lint, tests, journeys in a browser. Ends with a line `N passed, N failed`. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findBrowser } from './browser.ts';

const root = join(import.meta.dirname, '..');
const results = join(root, 'test-results');
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

let passed = 0;
let failed = 0;

function step(title: string, path: string, args: readonly string[], env: Record<string, string> = {}): boolean {
  const started = Date.now();
  console.log(`\n── ${title}`);
  const { status } = spawnSync(process.execPath, [join(root, path), ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
  console.log(`── ${title}: ${status === 0 ? 'holds' : 'FAILS'} (${Math.round((Date.now() - started) / 1000)} s)`);
  return status === 0;
}

function check(title: string, path: string, args: readonly string[]): void {
  if (step(title, path, args)) passed += 1;
  else failed += 1;
}

/** Counts of a test runner's JSON; a runner that left none, or ran nothing, has failed. */
function tests(title: string, path: string, args: readonly string[], file: string, read: (report: unknown) => { passed: number; failed: number }, env: Record<string, string> = {}): void {
  const ok = step(title, path, args, env);
  let counts = { passed: 0, failed: 0 };
  try {
    counts = read(JSON.parse(readFileSync(join(results, file), 'utf8')));
  } catch (error) {
    console.log(`no report of ${title}: ${String(error)}`);
  }
  passed += counts.passed;
  failed += ok ? counts.failed : Math.max(1, counts.failed);
  if (ok && counts.passed === 0) failed += 1;
}

check('types', 'node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json']);
check('types of the web app', 'node_modules/typescript/bin/tsc', ['-p', 'apps/web/tsconfig.json']);
check('lint', 'node_modules/eslint/bin/eslint.js', ['.', '--max-warnings', '0']);
tests('tests', 'node_modules/vitest/vitest.mjs', ['run', '--reporter=default', '--reporter=json', '--outputFile.json=test-results/vitest.json'], 'vitest.json', (report) => {
  const { numPassedTests, numFailedTests, numFailedTestSuites } = report as { numPassedTests: number; numFailedTests: number; numFailedTestSuites: number };
  return { passed: numPassedTests, failed: numFailedTests || numFailedTestSuites };
});
check('Graph as published', 'scripts/conformance.ts', []);
check('build of the web app', 'node_modules/vite/bin/vite.js', ['build', 'apps/web', '--logLevel', 'warn']);
tests('journeys in a browser', 'node_modules/@playwright/test/cli.js', ['test'], 'playwright.json', (report) => {
  const { stats } = report as { stats: { expected: number; unexpected: number; flaky: number } };
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky };
}, { CHROMIUM: findBrowser(process.env['CHROMIUM']) });
// What stood on the page of a journey that failed: elsewhere than here nobody can open the trace.
for (const file of globSync('journeys/*/error-context.md', { cwd: results })) console.log(`\n── ${file}\n${readFileSync(join(results, file), 'utf8').slice(0, 12_000)}`);

console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
