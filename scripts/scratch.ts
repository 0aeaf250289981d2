/** Where the databases and folders of a test run lie. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const NAME = 'gatehouse-tests-';
/** Far more than a run has been seen to take. */
const ROOM = 6 * 2 ** 30;

/**
 * A folder for one run, in memory where there is room: what tests write is worth nothing a second later, and on a disk they
 * would wait for it. Elsewhere it is the system's folder for such things. What runs left that were cut off is removed.
 */
export function scratchFolder(): string {
  if (!isOfUse()) return mkdtempSync(join(tmpdir(), NAME));
  for (const name of readdirSync(MEMORY)) {
    const pid = Number(new RegExp(`^${NAME}(\\d+)-`).exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) discard(join(MEMORY, name));
  }
  return mkdtempSync(join(MEMORY, `${NAME}${process.pid}-`));
}

export function discard(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function isOfUse(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    // Programs are run from the folder, too.
    const runs = readFileSync('/proc/mounts', 'utf8').split('\n').some((line) => line.split(' ')[1] === MEMORY && !/\bnoexec\b/.test(line));
    return runs && Math.min(bavail * bsize, process.availableMemory()) >= ROOM;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
