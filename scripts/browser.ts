/** Finds a Chromium for the journeys: one that is named, Playwright's own, the system's, or else one that is installed now. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { chromium } from '@playwright/test';

const SYSTEM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** Path of a browser's program; installs one where there is none. */
export function findBrowser(named: string | undefined): string {
  const found = [named, chromium.executablePath(), ...SYSTEM].find((path) => path !== undefined && path !== '' && existsSync(path));
  if (found !== undefined) return found;
  install();
  const installed = [chromium.executablePath(), ...SYSTEM].find((path) => existsSync(path));
  if (installed === undefined) throw new Error('There is no Chromium, and none could be installed: install one, or name its program in CHROMIUM.');
  return installed;
}

function install(): void {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const quiet = { stdio: 'ignore' as const, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    execFileSync('apt-get', ['update', '-qq'], quiet);
    execFileSync('apt-get', ['install', '-y', '-qq', 'chromium'], quiet);
    return;
  }
  const cli = join(dirname(createRequire(import.meta.url).resolve('@playwright/test/package.json')), 'cli.js');
  execFileSync(process.execPath, [cli, 'install', 'chromium'], { stdio: 'inherit' });
}
