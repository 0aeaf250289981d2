import type { Batch, BatchRow, BatchSummary } from '@gatehouse/contracts';
import { at } from '../../../testing/fixtures.ts';
import { GUID } from '../../../testing/samples.ts';

export const aRow = (ordinal: number, more: Partial<BatchRow> = {}): BatchRow => ({
  ordinal, line: ordinal + 2, name: `Group-${ordinal}`, status: 'planned', detail: null, setupId: null, runId: null, changes: 5, calls: 8, irreversible: false, warnings: 0, ...more,
});

/** A batch with these rows; its counts are theirs. It was begun where its state says nothing else. */
export function aBatch(rows: BatchRow[], more: Partial<Batch> = {}): Batch {
  const counts: Batch['counts'] = {};
  for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
  return { id: GUID(1), name: 'finance.csv', format: 'csv', status: 'planned', actorName: 'Maya Lindqvist', createdAt: at(-3), startedAt: ['planning', 'planned'].includes(more.status ?? 'planned') ? null : at(-2), finishedAt: null, stopAskedBy: null, detail: null, rows, counts, ...more };
}

export const summaryOf = (batch: Batch): BatchSummary => ({ ...batch, rows: batch.rows.length });
