import { execFileSync } from 'node:child_process';

const LOOK_EVERY_MS = 500;

/**
 * Calls `gone` once when the npm that started this process is no more. npm starts a script through a shell that passes
 * no signal on, so a killed npm would leave the portal behind on its port. Ctrl-C needs none of this: it reaches all.
 */
export function whenNpmIsGone(gone: () => void): void {
  const shell = process.ppid;
  const npm = parentOf(shell);
  const timer = setInterval(() => {
    if (process.ppid === shell && (npm === undefined || alive(npm))) return;
    clearInterval(timer);
    gone();
  }, LOOK_EVERY_MS).unref();
}

/** Where the machine has no `ps` (Windows), only the shell is watched. */
function parentOf(pid: number): number | undefined {
  try {
    const parent = Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return parent > 1 ? parent : undefined;
  } catch {
    return undefined;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // There, but of another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
