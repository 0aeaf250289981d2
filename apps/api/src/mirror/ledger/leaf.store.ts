import { finished } from 'node:stream/promises';
import type { Connection, Database } from '@gatehouse/db';
import { to as copyTo } from 'pg-copy-streams';
import { inTransaction } from '../database.ts';
import { droppedMonthOf, withDropped, type DroppedMonth, type DroppedRow } from './drops.ts';
import { BATCH_COLUMNS, BATCH_TABLE, batchLineOf, COPY_SETTINGS, isLogTable, LeafLines, LedgerMismatch, LOG_TABLES, NEWLINE, TAB, prefixedLeaf, runsOf, type BatchLine, type Span } from './leaves.ts';
import type { Range } from './tree.ts';

export type Queryable = Pick<Connection, 'query'> | Pick<Database['pool'], 'query'>;

/** Runs the work against one state of the database, in which rows are copied out as the format says. */
export async function inSnapshot<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  return inTransaction(connection, async () => {
    await connection.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    await connection.query(COPY_SETTINGS);
    // A log of years is read in more time than a page's statement may take: the nightly check and a pack would never come to an end.
    await connection.query('SET LOCAL statement_timeout = 0');
    return work();
  });
}

const uuid = (text: string): string => {
  if (!/^[0-9a-f-]{36}$/i.test(text)) throw new RangeError('not a tenant');
  return `'${text}'::uuid`;
};
const bigints = (values: readonly number[]): string => `'{${values.map((value) => {
  if (!Number.isSafeInteger(value)) throw new RangeError('not a number of a batch');
  return value;
}).join(',')}}'::bigint[]`;

/** The text of a COPY, in chunks. COPY takes no parameters: what goes into it was checked above. */
async function* copy(connection: Connection, statement: string): AsyncGenerator<Buffer> {
  const stream = connection.query(copyTo(`COPY (${statement}) TO STDOUT`));
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
  } finally {
    // Whoever has seen enough leaves the rest on the connection, which takes nothing else until it is read.
    if (!stream.readableEnded && stream.errored === null) {
      stream.resume();
      await finished(stream).catch(() => undefined);
    }
  }
}

/** The batches' own lines, in the order of the ids that were asked for. Within `inSnapshot`. */
export async function readBatchLines(connection: Connection, tenantId: string, batchIds: readonly number[]): Promise<BatchLine[]> {
  const found = new Map([...await rawBatchLines(connection, tenantId, batchIds)].map(([batchId, line]) => [batchId, batchLineOf(line)]));
  return batchIds.map((batchId) => {
    const batch = found.get(batchId);
    if (!batch) throw new LedgerMismatch(`Batch ${batchId} is to be in the log and is not.`);
    return batch;
  });
}

/** The statement that copies out a log table's rows of these batches, in leaf order; with bounds by ordinal for the first and the last. */
function rowsStatement(tenantId: string, run: readonly Span[]): string {
  const [first, last] = [run[0], run.at(-1)];
  if (!first || !last) throw new RangeError('nothing to read');
  const { log } = first.batch;
  const bounds = [
    ...(first.from > 0 ? [`NOT (batch_id = ${first.batch.batchId} AND ordinal < ${first.from})`] : []),
    // A whole batch has no bound: a row too many is to be seen.
    ...(last.to < last.batch.rows ? [`NOT (batch_id = ${last.batch.batchId} AND ordinal >= ${last.to})`] : []),
  ];
  const [only] = run.length === 1 ? run : [];
  // Alone, it is read by its ordinals: the part of a large batch, without what stands before it.
  const where = only ? [`batch_id = ${only.batch.batchId}`, ...(only.from > 0 ? [`ordinal >= ${only.from}`] : []), ...(only.to < only.batch.rows ? [`ordinal < ${only.to}`] : [])] : [`batch_id = ANY (${bigints(run.map(({ batch }) => batch.batchId))})`, ...bounds];
  return `SELECT '${log}', ${LOG_TABLES[log].join(', ')} FROM ${log} WHERE tenant_id = ${uuid(tenantId)} AND ${where.join(' AND ')} ORDER BY batch_id, ordinal`;
}

/**
 * Reads the leaves of the spans in their order. Whatever is not as the batches say stops it: a row too many, too few, or
 * of another place. Each leaf's data is valid until the next; `undefined` stands for a row that the log says was dropped.
 * Within `inSnapshot`.
 */
export async function* readLeaves(connection: Connection, tenantId: string, spans: readonly Span[]): AsyncGenerator<Buffer | undefined> {
  for (const run of runsOf(spans)) {
    let at = 0;
    let ordinal = run[0]?.from ?? 0;
    /** The leaves up to the next row that is to be there: dropped ones, and those of batches whose last row has been read. */
    const upToNextRow = function* (): Generator<Buffer | undefined> {
      for (let span = run[at]; span; span = run[at]) {
        const last = Math.min(span.to, span.batch.rows);
        const dropped = droppedAt(span, ordinal);
        // Runs do not touch: behind one comes a row, or the end.
        for (const end = Math.min(last, dropped?.[1] ?? 0); ordinal < end; ordinal++) yield undefined;
        if (ordinal < last) return;
        if (span.to > span.batch.rows) yield closingLeaf(span.batch);
        at += 1;
        ordinal = run[at]?.from ?? 0;
      }
    };
    yield* upToNextRow();
    const lines = new LeafLines(run[0]?.batch.log ?? '');
    for await (const chunk of copy(connection, rowsStatement(tenantId, run))) {
      for (const line of lines.take(chunk)) {
        const span = run[at];
        if (!span || line.batchId < span.batch.batchId || (line.batchId === span.batch.batchId && line.ordinal < ordinal)) throw new LedgerMismatch(`Batch ${line.batchId} has a row more than it says: number ${line.ordinal}.`);
        if (line.batchId !== span.batch.batchId || line.ordinal !== ordinal) throw new LedgerMismatch(missing(span, ordinal));
        yield line.prefixed;
        ordinal += 1;
        yield* upToNextRow();
      }
    }
    const span = run[at];
    if (span) throw new LedgerMismatch(missing(span, ordinal));
  }
}

/** The dropped ordinals of the span's batch that this one is among. */
const droppedAt = ({ batch }: Span, ordinal: number): readonly [from: number, to: number] | undefined => batch.dropped?.find(([from, to]) => from <= ordinal && ordinal < to);

const missing = ({ batch }: Span, ordinal: number): string => `Batch ${batch.batchId} says to have ${batch.rows} rows, and row number ${ordinal} is not in ${batch.log}.`;

/**
 * The lines of these leaves as they are stored, whatever was done to them: in their order by the seals, the line of each
 * batch behind its rows. Within `inSnapshot`.
 */
export async function* readAsStored(connection: Connection, tenantId: string, from: number, to: number): AsyncGenerator<Buffer> {
  const { rows: seals } = await connection.query<{ batch_id: string; first_leaf: string; next_leaf: string | null }>(
    `SELECT * FROM (SELECT batch_id, first_leaf, lead(first_leaf) OVER (ORDER BY first_leaf) AS next_leaf FROM ledger_seal WHERE tenant_id = $1
       AND first_leaf >= coalesce((SELECT max(first_leaf) FROM ledger_seal WHERE tenant_id = $1 AND first_leaf <= $2), 0)
       AND first_leaf <= coalesce((SELECT min(first_leaf) FROM ledger_seal WHERE tenant_id = $1 AND first_leaf >= $3), $3)) AS s WHERE first_leaf < $3 ORDER BY first_leaf`,
    [tenantId, from, to],
  );
  const lines = await rawBatchLines(connection, tenantId, seals.map(({ batch_id }) => Number(batch_id)));
  const spans = seals.map(({ batch_id, first_leaf, next_leaf }): Span => {
    const [batchId, first] = [Number(batch_id), Number(first_leaf)];
    const line = lines.get(batchId) ?? '';
    const [, , , log = '', , , rows = '0'] = line.split('\t');
    const leaves = next_leaf === null ? Number(rows) + 1 : Number(next_leaf) - first;
    return { batch: { batchId, log: isLogTable(log) ? log : 'audit_event', rows: leaves - 1, line }, from: Math.max(0, from - first), to: Math.min(leaves, to - first) };
  });
  for (const run of runsOf(spans)) {
    let at = 0;
    const closingBefore = function* (batchId: number): Generator<Buffer> {
      for (let span = run[at]; span && span.batch.batchId < batchId; span = run[++at]) if (span.to > span.batch.rows && span.batch.line !== '') yield Buffer.from(`${span.batch.line}\n`);
    };
    const rows = new LeafLines(run[0]?.batch.log ?? '');
    for await (const chunk of copy(connection, rowsStatement(tenantId, run))) {
      const text: Buffer[] = [];
      for (const { batchId, prefixed } of rows.take(chunk)) {
        text.push(...closingBefore(batchId), asLine(prefixed));
      }
      if (text.length > 0) yield Buffer.concat(text);
    }
    yield* closingBefore(Number.POSITIVE_INFINITY);
  }
}

/** A leaf as a line of COPY again. */
function asLine(prefixed: Buffer): Buffer {
  const line = Buffer.alloc(prefixed.length, NEWLINE);
  prefixed.copy(line, 0, 1);
  line[line.indexOf(NEWLINE)] = TAB;
  return line;
}

async function rawBatchLines(connection: Connection, tenantId: string, batchIds: readonly number[]): Promise<Map<number, string>> {
  const chunks: Buffer[] = [];
  if (batchIds.length > 0) for await (const chunk of copy(connection, `SELECT '${BATCH_TABLE}', ${BATCH_COLUMNS.join(', ')} FROM log_batch WHERE tenant_id = ${uuid(tenantId)} AND batch_id = ANY (${bigints(batchIds)})`)) chunks.push(chunk);
  return new Map(Buffer.concat(chunks).toString().split('\n').filter((line) => line !== '').map((line) => [Number(line.split('\t')[2]), line]));
}

/** At most so many: one is enough to be told. */
const STRAYS = 1_000;

/** Rows of the log that are in no sealed batch and wait in no queue, as lines. Within `inSnapshot`. */
export async function* readStrays(connection: Connection, tenantId: string): AsyncGenerator<Buffer> {
  const tables = [...Object.entries(LOG_TABLES), [BATCH_TABLE, BATCH_COLUMNS] as const];
  for (const [table, columns] of tables) {
    yield* copy(connection, `SELECT '${table}', ${columns.join(', ')} FROM ${table} AS e WHERE tenant_id = ${uuid(tenantId)}
      AND NOT EXISTS (SELECT 1 FROM ledger_seal AS s WHERE s.tenant_id = e.tenant_id AND s.batch_id = e.batch_id) AND NOT EXISTS (SELECT 1 FROM log_unsealed AS u WHERE u.tenant_id = e.tenant_id AND u.batch_id = e.batch_id) LIMIT ${STRAYS}`);
  }
}

function closingLeaf({ line }: BatchLine): Buffer {
  const text = Buffer.from(`\0${line}`);
  return prefixedLeaf(text, 1, text.length);
}

/** The sealed batches that hold leaves from `from` until before `to`, and how many leaves of the first come before. */
export async function sealedBetween(connection: Connection, tenantId: string, from: number, to: number): Promise<{ readonly batches: BatchLine[]; readonly skip: number }> {
  if (to <= from) return { batches: [], skip: 0 };
  const { rows } = await connection.query<{ batch_id: string; first_leaf: string }>(
    `SELECT batch_id, first_leaf FROM ledger_seal WHERE tenant_id = $1 AND first_leaf < $3
       AND first_leaf >= coalesce((SELECT max(first_leaf) FROM ledger_seal WHERE tenant_id = $1 AND first_leaf <= $2), 0) ORDER BY first_leaf`,
    [tenantId, from, to],
  );
  const batches = await readBatchLines(connection, tenantId, rows.map(({ batch_id }) => Number(batch_id)));
  let expected = Number(rows[0]?.first_leaf ?? 0);
  const skip = from - expected;
  for (const [at, batch] of batches.entries()) {
    const firstLeaf = Number(rows[at]?.first_leaf);
    if (firstLeaf !== expected) throw new LedgerMismatch(`Batch ${batch.batchId} begins at leaf ${firstLeaf} and not at ${expected}, where the one before it ends.`);
    expected += batch.rows + 1;
  }
  if (skip < 0 || expected < to) throw new LedgerMismatch(`The ledger has leaves that no batch has: ${skip < 0 ? from : expected}.`);
  return { batches: withDropped(batches, from - skip, await readDroppedMonths(connection, tenantId, from - skip, expected)), skip };
}

/** What the log says was dropped of these leaves, as far as its record is sealed or waits to be. Throws where a record contradicts itself. */
export const readDroppedMonths = async (db: Queryable, tenantId: string, from: number, to: number): Promise<DroppedMonth[]> => (await readDroppedRows(db, tenantId, from, to)).map(droppedMonthOf);

/** The records as they are stored, whatever was done to them. */
export async function readDroppedRows(db: Queryable, tenantId: string, from: number, to: number): Promise<DroppedRow[]> {
  const { rows } = await db.query<DroppedRow>(
    `SELECT d.batch_id, d.log, d.month, d.rows, d.leaves, d.first_leaf, d.end_leaf, d.tree_size, d.root FROM dropped_month AS d
     WHERE d.tenant_id = $1 AND d.end_leaf > $2 AND d.first_leaf < $3
       AND (EXISTS (SELECT 1 FROM ledger_seal AS s WHERE s.tenant_id = d.tenant_id AND s.batch_id = d.batch_id) OR EXISTS (SELECT 1 FROM log_unsealed AS u WHERE u.tenant_id = d.tenant_id AND u.batch_id = d.batch_id)) ORDER BY d.batch_id, d.ordinal`,
    [tenantId, from, to],
  );
  return rows;
}

/** The leaves of batches that are sealed, the batch's own among them, in order. */
export async function leavesOfBatches(db: Queryable, tenantId: string, batchIds: readonly number[]): Promise<Range[]> {
  const { rows } = await db.query<{ from: string; to: string }>(
    `SELECT s.first_leaf AS from, s.first_leaf + b.rows + 1 AS to FROM ledger_seal AS s JOIN log_batch AS b ON b.tenant_id = s.tenant_id AND b.batch_id = s.batch_id WHERE s.tenant_id = $1 AND s.batch_id = ANY ($2::bigint[]) ORDER BY 1`,
    [tenantId, batchIds],
  );
  return rows.map(({ from, to }) => [Number(from), Number(to)]);
}
