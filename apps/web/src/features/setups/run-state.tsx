import type { RunStatus } from '@gatehouse/contracts';
import { formatDay } from '../../lib/dates.ts';
import { StatusBadge, type Tone } from '../../ui/states.tsx';

const RUN_STATES: Record<RunStatus, { tone: Tone; word: string }> = {
  running: { tone: 'busy', word: 'Under way' }, succeeded: { tone: 'good', word: 'Applied and verified' }, failed: { tone: 'bad', word: 'Failed' }, interrupted: { tone: 'warn', word: 'Unfinished' }, stopped: { tone: 'warn', word: 'Stopped' },
};

/** What became of one run. */
export function runState({ status, undoes, restores }: { status: RunStatus; undoes: string | null; restores?: boolean }): { tone: Tone; word: string } {
  if (restores === true && status === 'succeeded') return { tone: 'good', word: 'Restored and verified' };
  return undoes !== null && status === 'succeeded' ? { tone: 'good', word: 'Undone and verified' } : RUN_STATES[status];
}

const LAST_RUN: Record<RunStatus, string> = { running: 'Run under way', succeeded: 'Applied and verified', failed: 'Last run failed', interrupted: 'Run unfinished', stopped: 'Run stopped' };

/** How far a setup is, by its last run. */
export function SetupState({ lastRun, retiredAt }: { lastRun: { status: RunStatus } | null; retiredAt: string | null }) {
  if (retiredAt !== null && lastRun?.status !== 'running') return <StatusBadge tone="quiet">Taken back on {formatDay(retiredAt)}</StatusBadge>;
  return lastRun === null ? <StatusBadge tone="quiet">Never applied</StatusBadge> : <StatusBadge tone={RUN_STATES[lastRun.status].tone}>{LAST_RUN[lastRun.status]}</StatusBadge>;
}
