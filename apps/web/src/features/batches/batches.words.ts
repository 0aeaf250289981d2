import type { Batch, BatchRow, BatchStatus, BatchSummary } from '@gatehouse/contracts';
import type { Tone } from '../../ui/states.tsx';

/** Whether it goes on by itself. */
export const isMoving = ({ status }: { status: BatchStatus }): boolean => status === 'planning' || status === 'running';

export const setupsInWords = (count: number): string => (count === 1 ? '1 setup' : `${count} setups`);

/** How a row stands, as it is filtered by: a plan either makes a setup or changes one, and after the start it is one to come. */
export type Standing = 'create' | 'change' | 'to-come' | Exclude<BatchRow['status'], 'planned'>;

export const STANDINGS: Record<Standing, { tone: Tone; word: string }> = {
  'waiting': { tone: 'busy', word: 'Waits for its plan' }, 'refused': { tone: 'bad', word: 'Refused' }, 'failed': { tone: 'bad', word: 'Failed' }, 'blocked': { tone: 'bad', word: 'Blocked' },
  'running': { tone: 'busy', word: 'Under way' }, 'to-come': { tone: 'quiet', word: 'To come' }, 'create': { tone: 'good', word: 'Create' }, 'change': { tone: 'busy', word: 'Change' }, 'done': { tone: 'good', word: 'Done' }, 'nothing': { tone: 'quiet', word: 'Nothing to do' },
};

/** `started`: whether somebody applied the batch. */
export function standingOf({ status, setupId }: Pick<BatchRow, 'status' | 'setupId'>, started: boolean): Standing {
  if (status !== 'planned') return status;
  return started ? 'to-come' : setupId === null ? 'create' : 'change';
}

/** Whether somebody applied it; what is finished without that had nothing to apply. */
export const isStarted = ({ status, startedAt }: Pick<BatchSummary, 'status' | 'startedAt'>): boolean => startedAt !== null || status === 'finished';

/** How the batch stands. `counts` says what of a finished one did not work out. */
export function batchState({ status, startedAt, counts }: Pick<BatchSummary, 'status' | 'startedAt' | 'counts'>): { tone: Tone; word: string } {
  const { failed = 0, refused = 0, blocked = 0, done = 0, planned = 0 } = counts;
  const left = refused + blocked;
  switch (status) {
    case 'planning': return { tone: 'busy', word: 'Being planned' };
    case 'planned': return planned === 0 ? { tone: 'quiet', word: 'Nothing to apply' } : { tone: 'warn', word: 'Planned, not applied yet' };
    case 'running': return { tone: 'busy', word: 'Under way' };
    case 'stopped': return { tone: 'warn', word: startedAt === null ? 'Planning stopped' : 'Stopped' };
    case 'interrupted': return { tone: 'warn', word: startedAt === null ? 'Not planned to the end' : 'Unfinished' };
    case 'finished':
      if (failed > 0) return { tone: 'bad', word: `${failed} failed` };
      if (left > 0) return { tone: 'warn', word: `${done > 0 ? `${done} applied and verified` : 'Nothing was applied'}, ${left} left out` };
      return done > 0 ? { tone: 'good', word: 'Applied and verified' } : { tone: 'quiet', word: 'Nothing was applied' };
  }
}

/** The counts of a batch in a list: `10 rows: 7 done, 2 failed, 1 refused`. */
export function countsInWords({ rows, counts }: BatchSummary): string {
  const order = ['done', 'running', 'planned', 'waiting', 'failed', 'blocked', 'refused', 'nothing'] as const;
  const words = { done: 'done', running: 'under way', planned: 'to apply', waiting: 'waiting for a plan', failed: 'failed', blocked: 'blocked', refused: 'refused', nothing: 'with nothing to do' };
  const parts = order.flatMap((status) => ((counts[status] ?? 0) > 0 ? [`${counts[status]} ${words[status]}`] : []));
  return `${rows === 1 ? '1 row' : `${rows} rows`}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

/** How far it is, of what there is to do: of the planning every row, of the applying what is applied at all. */
export function progressOf({ startedAt, rows }: Batch): { done: number; of: number } {
  if (startedAt === null) return { done: rows.filter((row) => row.status !== 'waiting').length, of: rows.length };
  const applied = rows.filter((row) => ['planned', 'running', 'done', 'failed'].includes(row.status));
  return { done: applied.filter((row) => row.status === 'done' || row.status === 'failed').length, of: applied.length };
}
