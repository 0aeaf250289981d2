import { isLogTable, LedgerMismatch, type BatchLine, type LogTable } from './leaves.ts';
import type { Range } from './tree.ts';

/** What the log says of a month that was dropped. */
export interface DroppedMonth {
  readonly batchId: number;
  readonly log: LogTable;
  readonly month: string;
  /** Leaves whose rows are gone, in order. */
  readonly leaves: readonly Range[];
  /** The tree when it was dropped, and its root in base64. */
  readonly treeSize: number;
  readonly root: string;
}

/** The columns of the record that the ledger goes by, as PostgreSQL gives them. */
export interface DroppedRow {
  readonly batch_id: string;
  readonly log: string;
  readonly month: string;
  readonly rows: string;
  readonly leaves: string;
  readonly first_leaf: string;
  readonly end_leaf: string;
  readonly tree_size: string;
  readonly root: string;
}

/** Reads the record of a drop; throws where it contradicts itself: then nothing of it is believed. */
export function droppedMonthOf({ batch_id, log, month, rows, leaves: text, first_leaf, end_leaf, tree_size, root }: DroppedRow): DroppedMonth {
  const [batchId, treeSize] = [Number(batch_id), Number(tree_size)];
  const wrong = (what: string): LedgerMismatch => new LedgerMismatch(`The record in batch ${batchId}, that ${month} was dropped, ${what}.`);
  if (!isLogTable(log)) throw wrong('is of no log');
  if (!/^\d+-\d+(,\d+-\d+)*$/.test(text)) throw wrong('does not say which leaves it were');
  const leaves = text.split(',').map((run): Range => {
    const [from = 0, to = 0] = run.split('-').map(Number);
    return [from, to];
  });
  let [end, sum] = [-1, 0];
  for (const [from, to] of leaves) {
    // Two that touch would be one.
    if (from <= end || to <= from) throw wrong('names leaves twice or out of order');
    [end, sum] = [to, sum + to - from];
  }
  if (sum !== Number(rows) || leaves[0]?.[0] !== Number(first_leaf) || end !== Number(end_leaf)) throw wrong(`says ${rows} rows and names ${sum} leaves`);
  if (end > treeSize) throw wrong(`names leaves that the tree of ${treeSize} did not have`);
  return { batchId, log, month, leaves, treeSize, root };
}

/** The leaves that a record names; none where it contradicts itself: then a pack lacks rows, and the verifier says so. */
export function leavesAsStored(row: DroppedRow): readonly Range[] {
  try {
    return droppedMonthOf(row).leaves;
  } catch (error) {
    if (error instanceof LedgerMismatch) return [];
    throw error;
  }
}

/**
 * The batches, which begin one after the other at `firstLeaf`, with the ordinals of their rows that are recorded as dropped.
 * Throws where a record names what no row of its log is.
 */
export function withDropped(batches: readonly BatchLine[], firstLeaf: number, records: readonly DroppedMonth[]): BatchLine[] {
  if (records.length === 0) return [...batches];
  const runs = records.flatMap(({ leaves, log }) => leaves.map(([from, to]) => ({ from, to, log }))).sort((one, other) => one.from - other.from);
  let [at, begins, end] = [0, firstLeaf, -1];
  return batches.map((batch) => {
    const ends = begins + batch.rows;
    const dropped: Range[] = [];
    for (let run = runs[at]; run && run.from <= ends; run = runs[++at]) {
      if (run.from < end) throw new LedgerMismatch(`Leaf ${run.from} is recorded as dropped twice.`);
      end = run.to;
      // What ended before the first of these batches was looked at where it is.
      if (run.to <= begins) continue;
      if (run.from < begins || run.to > ends || run.log !== batch.log) throw new LedgerMismatch(`The leaves from ${run.from} until before ${run.to} are recorded as dropped and are not rows of one batch in ${run.log}.`);
      dropped.push([run.from - begins, run.to - begins]);
    }
    begins = ends + 1;
    return dropped.length === 0 ? batch : { ...batch, dropped };
  });
}

/** Ranges in order, with those that touch or overlap as one. */
export function merged(ranges: readonly Range[]): Range[] {
  const found: Range[] = [];
  for (const [from, to] of ranges.filter((one) => one[1] > one[0]).sort((one, other) => one[0] - other[0])) {
    const last = found.at(-1);
    if (last && from <= last[1]) found.splice(-1, 1, [last[0], Math.max(last[1], to)]);
    else found.push([from, to]);
  }
  return found;
}

/** What lies between the ranges, which are in order, from 0 until before the size. */
export function gapsBetween(ranges: readonly Range[], size: number): Range[] {
  const edges: readonly Range[] = [[0, 0], ...ranges, [size, size]];
  return edges.slice(1).map(([from], at): Range => [edges[at]?.[1] ?? 0, from]).filter(([from, to]) => to > from);
}
