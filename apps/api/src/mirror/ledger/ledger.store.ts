import { finished } from 'node:stream/promises';
import { iso, type Connection, type Database } from '@gatehouse/db';
import { to as copyTo } from 'pg-copy-streams';
import { inTransaction } from '../database.ts';
import { droppedMonthOf, withDropped, type DroppedMonth, type DroppedRow } from './drops.ts';
import { BATCH_COLUMNS, BATCH_TABLE, batchLineOf, COPY_SETTINGS, isLogTable, LeafLines, LedgerMismatch, LOG_TABLES, NEWLINE, TAB, leavesOf, prefixedLeaf, runsOf, spansOf, type BatchLine, type Span } from './leaves.ts';
import { Edge, edgeCounts, hashesOf, prefixedLeafHash, TILE, type FullTile, type Range } from './tree.ts';

type Queryable = Pick<Connection, 'query'> | Pick<Database['pool'], 'query'>;

/** The last signed root, and what the tree was then. */
export interface StoredCheckpoint {
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
  readonly signedAt: Date;
}

const CHECKPOINT = 'tree_size AS size, root_hash AS root, note, signed_at';
interface CheckpointRow { size: string; root: Buffer; note: string; signed_at: Date }
const checkpointOf = ({ size, root, note, signed_at }: CheckpointRow): StoredCheckpoint => ({ size: Number(size), root, note, signedAt: signed_at });

export async function latestCheckpoint(db: Queryable, tenantId: string): Promise<StoredCheckpoint | undefined> {
  const { rows: [row] } = await db.query<CheckpointRow>(`SELECT ${CHECKPOINT} FROM ledger_checkpoint WHERE tenant_id = $1 ORDER BY tree_size DESC LIMIT 1`, [tenantId]);
  return row && checkpointOf(row);
}

/** The checkpoint of exactly this size. */
export async function checkpointOfSize(db: Queryable, tenantId: string, size: number): Promise<StoredCheckpoint | undefined> {
  const { rows: [row] } = await db.query<CheckpointRow>(`SELECT ${CHECKPOINT} FROM ledger_checkpoint WHERE tenant_id = $1 AND tree_size = $2`, [tenantId, size]);
  return row && checkpointOf(row);
}

/** Checkpoints of smaller trees, evenly chosen where there are more than that. */
export async function checkpointsUpTo(db: Queryable, tenantId: string, size: number, most: number): Promise<StoredCheckpoint[]> {
  const { rows } = await db.query<CheckpointRow>(
    `SELECT ${CHECKPOINT} FROM (SELECT *, row_number() OVER (ORDER BY tree_size DESC) AS place, count(*) OVER () AS of_all FROM ledger_checkpoint WHERE tenant_id = $1 AND tree_size < $2) AS c
     WHERE (place - 1) % ((of_all + $3 - 1) / $3) = 0 ORDER BY tree_size`,
    [tenantId, size, most],
  );
  return rows.map(checkpointOf);
}

/** The first checkpoint whose tree has the leaf: since then it is known. */
export async function checkpointAfter(db: Queryable, tenantId: string, leaf: number): Promise<StoredCheckpoint | undefined> {
  const { rows: [row] } = await db.query<CheckpointRow>(`SELECT ${CHECKPOINT} FROM ledger_checkpoint WHERE tenant_id = $1 AND tree_size > $2 ORDER BY tree_size LIMIT 1`, [tenantId, leaf]);
  return row && checkpointOf(row);
}

/** The last checkpoint that was signed before the instant. */
export async function checkpointBefore(db: Queryable, tenantId: string, instant: Date): Promise<StoredCheckpoint | undefined> {
  const { rows: [row] } = await db.query<CheckpointRow>(`SELECT ${CHECKPOINT} FROM ledger_checkpoint WHERE tenant_id = $1 AND signed_at < $2 ORDER BY signed_at DESC, tree_size DESC LIMIT 1`, [tenantId, instant]);
  return row && checkpointOf(row);
}

/** What was known at an instant: the batches that the newest checkpoint signed by then has whole. */
export interface Knowledge {
  /** The instant, in UTC with six decimals. */
  readonly at: string;
  /** A batch was known where its first leaf is below. */
  readonly leaves: number;
  /** `null`: nothing was signed by then. */
  readonly checkpoint: { readonly size: number; readonly signedAt: Date } | null;
}

/**
 * What was known at the instant, the same for ever: before it is told, the instant is closed, so that nothing is signed at or
 * before it any more, whoever is about to. Without an instant: what is known now. `undefined`: the instant is still to come.
 * `aheadMs`: how far the tenant's time is ahead of real time, as a demo's is. A clock that is further ahead of the database's
 * than a minute is not believed: checkpoints would be signed in its time for good.
 */
export async function closeKnowledge(db: Database['pool'], tenantId: string, { now, aheadMs }: { readonly now: Date; readonly aheadMs: number }, instant?: string): Promise<Knowledge | undefined> {
  // A clock that was put back may be behind what was signed or told already.
  const { rows: [asked] } = await db.query<{ at: string; is_to_come: boolean }>(
    `SELECT ${iso('t.at')} AS at, t.at > t.until AS is_to_come FROM (SELECT coalesce($3::timestamptz, u.until) AS at, u.until
       FROM (SELECT greatest(least($2::timestamptz, clock_timestamp() + $4 * interval '1 millisecond' + interval '1 minute'), (SELECT max(signed_at) FROM ledger_checkpoint WHERE tenant_id = $1), (SELECT known_to FROM ledger_sealer WHERE tenant_id = $1)) AS until) AS u) AS t`, [tenantId, now, instant ?? null, aheadMs]);
  if (!asked || asked.is_to_come) return undefined;
  const { at } = asked;
  // Waits for a checkpoint that is being written, and is seen by the next.
  await db.query('INSERT INTO ledger_sealer AS s (tenant_id, known_to) VALUES ($1, $2) ON CONFLICT (tenant_id) DO UPDATE SET known_to = excluded.known_to WHERE coalesce(s.known_to < excluded.known_to, true)', [tenantId, at]);
  const { rows: [row] } = await db.query<{ size: string; signed_at: Date; leaves: string }>(
    `SELECT c.tree_size AS size, c.signed_at, CASE WHEN s.first_leaf + b.rows + 1 > c.tree_size THEN s.first_leaf ELSE c.tree_size END AS leaves
     FROM (SELECT tree_size, signed_at FROM ledger_checkpoint WHERE tenant_id = $1 AND signed_at <= $2 ORDER BY signed_at DESC, tree_size DESC LIMIT 1) AS c
     LEFT JOIN LATERAL (SELECT batch_id, first_leaf FROM ledger_seal WHERE tenant_id = $1 AND first_leaf < c.tree_size ORDER BY first_leaf DESC LIMIT 1) AS s ON true
     LEFT JOIN log_batch AS b ON b.tenant_id = $1 AND b.batch_id = s.batch_id`, [tenantId, at]);
  return { at, leaves: Number(row?.leaves ?? 0), checkpoint: row ? { size: Number(row.size), signedAt: row.signed_at } : null };
}

/** Whether there is anything for the sealer. */
export async function isSomethingToSeal(db: Queryable, tenantId: string): Promise<boolean> {
  const { rows: [row] } = await db.query<{ some: boolean }>('SELECT EXISTS (SELECT 1 FROM log_unsealed WHERE tenant_id = $1) OR EXISTS (SELECT 1 FROM ledger_sealer WHERE tenant_id = $1 AND alarm IS NOT NULL) AS some', [tenantId]);
  return row?.some === true;
}

/** By the database's clock: how long the others leave alone whoever seals. */
const LEASE = `interval '10 seconds'`;

/**
 * Takes the lead: its number, or `undefined` where somebody else seals. One that is dead has lost its lock; one that stands
 * still keeps it, and is passed by when its time is over: what it writes later has an older number.
 */
export async function takeLead(connection: Connection, tenantId: string): Promise<number | undefined> {
  const { rows: [lock] } = await connection.query<{ locked: boolean }>(`SELECT pg_try_advisory_lock(hashtextextended('gatehouse.seal:' || $1, 0)) AS locked`, [tenantId]);
  const { rows: [lead] } = await connection.query<{ fence: string }>(
    `INSERT INTO ledger_sealer AS s (tenant_id, fence, held_until) VALUES ($1, 1, clock_timestamp() + ${LEASE})
     ON CONFLICT (tenant_id) DO UPDATE SET fence = s.fence + 1, held_until = clock_timestamp() + ${LEASE}
     WHERE $2 OR s.held_until IS NULL OR s.held_until < clock_timestamp() RETURNING fence`,
    [tenantId, lock?.locked === true],
  );
  return lead === undefined ? undefined : Number(lead.fence);
}

export async function leaveLead(connection: Connection, tenantId: string, fence: number): Promise<void> {
  await connection.query('UPDATE ledger_sealer SET held_until = NULL WHERE tenant_id = $1 AND fence = $2', [tenantId, fence]);
  await connection.query(`SELECT pg_advisory_unlock(hashtextextended('gatehouse.seal:' || $1, 0))`, [tenantId]);
}

/** Somebody else has taken over since: nothing was written. */
export class LeadLost extends Error {
  constructor() {
    super('somebody else has taken over the sealing');
    this.name = 'LeadLost';
  }
}

/** Runs the work against one state of the database, in which rows are copied out as the format says. */
export async function inSnapshot<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  return inTransaction(connection, async () => {
    await connection.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    await connection.query(COPY_SETTINGS);
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

/** Whether the record of a drop waits to be sealed. */
export async function isDropToSeal(db: Queryable, tenantId: string): Promise<boolean> {
  const { rowCount } = await db.query('SELECT 1 FROM log_unsealed AS u JOIN log_batch AS b ON b.tenant_id = u.tenant_id AND b.batch_id = u.batch_id WHERE u.tenant_id = $1 AND b.log = \'dropped_month\' LIMIT 1', [tenantId]);
  return rowCount === 1;
}

/** The leaves of batches that are sealed, the batch's own among them, in order. */
export async function leavesOfBatches(db: Queryable, tenantId: string, batchIds: readonly number[]): Promise<Range[]> {
  const { rows } = await db.query<{ from: string; to: string }>(
    `SELECT s.first_leaf AS from, s.first_leaf + b.rows + 1 AS to FROM ledger_seal AS s JOIN log_batch AS b ON b.tenant_id = s.tenant_id AND b.batch_id = s.batch_id WHERE s.tenant_id = $1 AND s.batch_id = ANY ($2::bigint[]) ORDER BY 1`,
    [tenantId, batchIds],
  );
  return rows.map(({ from, to }) => [Number(from), Number(to)]);
}

/** The leaf hashes of a range, from the rows themselves. Within `inSnapshot`. */
export async function hashLeaves(connection: Connection, tenantId: string, from: number, to: number): Promise<Buffer[]> {
  const { batches, skip } = await sealedBetween(connection, tenantId, from, to);
  const hashes: Buffer[] = [];
  for await (const leaf of readLeaves(connection, tenantId, spansOf(batches, skip, to - from))) hashes.push(leaf ? prefixedLeafHash(leaf) : await keptHash(connection, tenantId, from + hashes.length));
  return hashes;
}

/** The hash of a leaf whose row was dropped. */
async function keptHash(db: Queryable, tenantId: string, leaf: number): Promise<Buffer> {
  const tile = (await storedTiles(db, tenantId, 0, Math.floor(leaf / TILE), Math.floor(leaf / TILE) + 1)).get(Math.floor(leaf / TILE));
  if (!tile) throw new LedgerMismatch(`Leaf ${leaf} was dropped and its hash is not kept.`);
  return hashesOf(tile.hashes)[leaf % TILE] ?? Buffer.of();
}

/** The roots of full tiles, from one until before the other. */
async function tileRoots(db: Queryable, tenantId: string, level: number, from: number, to: number): Promise<Buffer[]> {
  if (to <= from) return [];
  const { rows } = await db.query<{ root: Buffer }>('SELECT root FROM ledger_tile WHERE tenant_id = $1 AND level = $2 AND index >= $3 AND index < $4 ORDER BY index', [tenantId, level, from, to]);
  if (rows.length !== to - from) throw new LedgerMismatch(`Of the tiles ${from} to ${to - 1} of level ${level} only ${rows.length} are there.`);
  return rows.map(({ root }) => root);
}

/** The right edge of the tree of this size: its unfinished leaves anew from the rows, what is above them from the tiles. Within `inSnapshot`. */
export async function readEdge(connection: Connection, tenantId: string, size: number): Promise<Edge> {
  const levels: Buffer[][] = [];
  for (const [level, count] of edgeCounts(size).entries()) {
    const end = Math.floor(size / TILE ** level);
    levels.push(level === 0 ? await hashLeaves(connection, tenantId, size - count, size) : await tileRoots(connection, tenantId, level - 1, end - count, end));
  }
  return new Edge(size, levels);
}

/** The hashes of a tile of the tree of this size: a full one as it is stored, an unfinished one from what is below it. Within `inSnapshot`. */
export async function readTile(connection: Connection, tenantId: string, size: number, level: number, index: number): Promise<Buffer | undefined> {
  const end = Math.min(Math.floor(size / TILE ** level), (index + 1) * TILE);
  const from = index * TILE;
  if (end <= from) return undefined;
  if (end - from === TILE) {
    const { rows: [tile] } = await connection.query<{ hashes: Buffer }>('SELECT hashes FROM ledger_tile WHERE tenant_id = $1 AND level = $2 AND index = $3', [tenantId, level, index]);
    if (!tile) throw new LedgerMismatch(`Tile ${index} of level ${level} is not there.`);
    return tile.hashes;
  }
  return Buffer.concat(level === 0 ? await hashLeaves(connection, tenantId, from, end) : await tileRoots(connection, tenantId, level - 1, from, end));
}

/** Full tiles of a level as they are stored, by their index. */
export async function storedTiles(db: Queryable, tenantId: string, level: number, from: number, to: number): Promise<Map<number, Pick<FullTile, 'hashes' | 'root'>>> {
  const { rows } = await db.query<{ index: string; hashes: Buffer; root: Buffer }>('SELECT index, hashes, root FROM ledger_tile WHERE tenant_id = $1 AND level = $2 AND index >= $3 AND index < $4', [tenantId, level, from, to]);
  return new Map(rows.map(({ index, hashes, root }) => [Number(index), { hashes, root }]));
}

export async function countTiles(db: Queryable, tenantId: string): Promise<number> {
  const { rows: [row] } = await db.query<{ count: string }>('SELECT count(*) FROM ledger_tile WHERE tenant_id = $1', [tenantId]);
  return Number(row?.count);
}

/** Every checkpoint by its size. */
export async function signedRoots(db: Queryable, tenantId: string): Promise<Map<number, StoredCheckpoint>> {
  const { rows } = await db.query<CheckpointRow & { is_uneven: boolean }>(`SELECT ${CHECKPOINT}, date_trunc('milliseconds', signed_at) <> signed_at AS is_uneven FROM ledger_checkpoint WHERE tenant_id = $1`, [tenantId]);
  // What is signed has milliseconds.
  const uneven = rows.find(({ is_uneven }) => is_uneven);
  if (uneven) throw new LedgerMismatch(`The checkpoint of ${uneven.size} leaves was not signed at the time that stands beside it.`);
  return new Map(rows.map(checkpointOf).map((one) => [one.size, one]));
}

/** The public keys as they are stored, by their ids. */
export async function keyRows(db: Queryable, tenantId: string): Promise<[id: string, key: string][]> {
  const { rows } = await db.query<{ key_id: string; verifier_key: string }>('SELECT key_id, verifier_key FROM ledger_key WHERE tenant_id = $1', [tenantId]);
  return rows.map(({ key_id, verifier_key }) => [key_id, verifier_key]);
}

/** What is to be sealed next: batches in the order of their leaves to come, the first of them perhaps sealed in part. */
export interface Queue {
  readonly batches: readonly BatchLine[];
  /** Leaves of the first batch that the tree has already. */
  readonly skip: number;
  /** Batches that stand in the queue and are sealed whole. */
  readonly done: readonly number[];
  /** Whether no more batches wait than these. */
  readonly isAll: boolean;
}

/** Batches read at once; their rows come in parts, however many they are. */
const BATCHES_AT_ONCE = 2_000;

/** Within `inSnapshot`. Throws where the seals do not end where the tree of this size does. */
export async function readQueue(connection: Connection, tenantId: string, size: number): Promise<Queue> {
  const { rows: [last] } = await connection.query<{ batch_id: string; first_leaf: string }>('SELECT batch_id, first_leaf FROM ledger_seal WHERE tenant_id = $1 ORDER BY first_leaf DESC LIMIT 1', [tenantId]);
  const lastId = last === undefined ? undefined : Number(last.batch_id);
  const { rows } = await connection.query<{ batch_id: string; is_sealed: boolean }>(
    `SELECT u.batch_id, EXISTS (SELECT 1 FROM ledger_seal AS s WHERE s.tenant_id = $1 AND s.batch_id = u.batch_id) AS is_sealed FROM log_unsealed AS u WHERE u.tenant_id = $1 ORDER BY u.batch_id LIMIT ${BATCHES_AT_ONCE}`,
    [tenantId],
  );
  const fresh = rows.filter(({ is_sealed }) => !is_sealed).map(({ batch_id }) => Number(batch_id));
  const [lastBatch, ...batches] = await readBatchLines(connection, tenantId, [...(lastId === undefined ? [] : [lastId]), ...fresh]).then((found) => (lastId === undefined ? [undefined, ...found] : found));
  const isAll = rows.length < BATCHES_AT_ONCE;
  const done = rows.filter(({ is_sealed }) => is_sealed).map(({ batch_id }) => Number(batch_id));
  const [begins, ends] = last === undefined || lastBatch === undefined ? [-1, 0] : [Number(last.first_leaf), Number(last.first_leaf) + leavesOf(lastBatch)];
  if (begins >= size || ends < size) throw new LedgerMismatch(`The last sealed batch has the leaves from ${begins} until before ${ends}, and the last checkpoint is of ${size}.`);
  if (lastBatch === undefined || ends === size) return { batches: batches.flatMap((batch) => batch ?? []), skip: 0, done, isAll };
  return { batches: [lastBatch, ...batches.flatMap((batch) => batch ?? [])], skip: size - begins, done: done.filter((batchId) => batchId !== lastId), isAll };
}

export interface Sealed {
  readonly fence: number;
  readonly seals: readonly { readonly batchId: number; readonly firstLeaf: number }[];
  readonly tiles: readonly FullTile[];
  /** Batches that have all of their leaves now. */
  readonly done: readonly number[];
  readonly keys: readonly { readonly keyId: string; readonly verifierKey: string }[];
}

/**
 * Keeps what was sealed, all or nothing, and only as long as nobody else has taken over; answers the checkpoint. It is signed
 * while nobody can ask what was known, after the instant (`null`: none) that was asked for last.
 */
export async function insertSealed(connection: Connection, tenantId: string, { fence, seals, tiles, done, keys }: Sealed, sign: (after: Date | null) => StoredCheckpoint): Promise<StoredCheckpoint> {
  return inTransaction(connection, async () => {
    // One that stands still in the middle of it must not hold up whoever takes over.
    await connection.query(`SET LOCAL idle_in_transaction_session_timeout = '10s'`);
    const { rows: [lead] } = await connection.query<{ known_to: Date | null }>(`UPDATE ledger_sealer SET held_until = clock_timestamp() + ${LEASE} WHERE tenant_id = $1 AND fence = $2 RETURNING known_to`, [tenantId, fence]);
    if (!lead) throw new LeadLost();
    const checkpoint = sign(lead.known_to);
    await connection.query('INSERT INTO ledger_seal (tenant_id, batch_id, first_leaf) SELECT $1, * FROM unnest($2::bigint[], $3::bigint[])', [tenantId, seals.map(({ batchId }) => batchId), seals.map(({ firstLeaf }) => firstLeaf)]);
    await connection.query(
      'INSERT INTO ledger_tile (tenant_id, level, index, hashes, root) SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::bytea[], $5::bytea[])',
      [tenantId, tiles.map(({ level }) => level), tiles.map(({ index }) => index), tiles.map(({ hashes }) => hashes), tiles.map(({ root }) => root)],
    );
    await connection.query(
      'INSERT INTO ledger_checkpoint (tenant_id, tree_size, root_hash, note, signed_at) VALUES ($1, $2, $3, $4, $5)',
      [tenantId, checkpoint.size, checkpoint.root, checkpoint.note, checkpoint.signedAt],
    );
    await connection.query(
      'INSERT INTO ledger_key (tenant_id, key_id, verifier_key, first_used_at) SELECT $1, k.id, k.key, $4 FROM unnest($2::text[], $3::text[]) AS k (id, key) ON CONFLICT (tenant_id, key_id) DO NOTHING',
      [tenantId, keys.map(({ keyId }) => keyId), keys.map(({ verifierKey }) => verifierKey), checkpoint.signedAt],
    );
    await connection.query('DELETE FROM log_unsealed WHERE tenant_id = $1 AND batch_id = ANY ($2::bigint[])', [tenantId, done]);
    return checkpoint;
  });
}

/** Batches that were queued though they are sealed. */
export async function dequeue(db: Queryable, tenantId: string, batchIds: readonly number[]): Promise<void> {
  if (batchIds.length > 0) await db.query('DELETE FROM log_unsealed WHERE tenant_id = $1 AND batch_id = ANY ($2::bigint[])', [tenantId, batchIds]);
}

/** Every public key that ever signed, oldest first. */
export async function knownKeys(db: Queryable, tenantId: string): Promise<string[]> {
  const { rows } = await db.query<{ verifier_key: string }>('SELECT verifier_key FROM ledger_key WHERE tenant_id = $1 ORDER BY first_used_at, key_id', [tenantId]);
  return rows.map(({ verifier_key }) => verifier_key);
}

/** Keeps why nothing is signed any more, or that nothing is wrong again; answers whether that is news. */
export async function setAlarm(db: Queryable, tenantId: string, alarm: string | null, at: Date): Promise<boolean> {
  const { rowCount } = await db.query('UPDATE ledger_sealer SET alarm = $2, alarm_at = CASE WHEN $2::text IS NULL THEN NULL ELSE coalesce(alarm_at, $3) END WHERE tenant_id = $1 AND alarm IS DISTINCT FROM $2::text', [tenantId, alarm, at]);
  return (rowCount ?? 0) > 0;
}

export interface AnchorState {
  readonly kind: 'log' | 'file' | 'webhook';
  readonly size: number;
  readonly anchoredAt: Date | null;
  readonly error: string | null;
}

export async function setAnchor(db: Queryable, tenantId: string, kind: AnchorState['kind'], size: number, at: Date, error: string | null): Promise<void> {
  await db.query(
    `INSERT INTO ledger_anchor AS a (tenant_id, kind, tree_size, anchored_at, tried_at, error) VALUES ($1, $2, CASE WHEN $5::text IS NULL THEN $3::bigint ELSE 0 END, CASE WHEN $5::text IS NULL THEN $4::timestamptz END, $4, $5)
     ON CONFLICT (tenant_id, kind) DO UPDATE SET tried_at = $4, error = $5, tree_size = CASE WHEN $5::text IS NULL THEN $3::bigint ELSE a.tree_size END, anchored_at = CASE WHEN $5::text IS NULL THEN $4::timestamptz ELSE a.anchored_at END`,
    [tenantId, kind, size, at, error],
  );
}

export interface LedgerRow {
  readonly size: number;
  readonly signedAt: Date | null;
  readonly unsealedBatches: number;
  readonly oldestUnsealedAt: Date | null;
  readonly alarm: string | null;
  readonly alarmAt: Date | null;
  readonly checkedAt: Date | null;
  readonly found: string | null;
  readonly anchors: readonly AnchorState[];
}

/** Where the ledger stands, for people. */
export async function readLedger(db: Queryable, tenantId: string): Promise<LedgerRow> {
  const { rows: [row] } = await db.query<{ size: string | null; signed_at: Date | null; unsealed: string; oldest: Date | null; alarm: string | null; alarm_at: Date | null; checked_at: Date | null; check_found: string | null }>(
    `SELECT c.tree_size AS size, c.signed_at, u.unsealed, u.oldest, s.alarm, s.alarm_at, s.checked_at, s.check_found
     FROM (SELECT count(*) AS unsealed, min(b.received_at) AS oldest FROM log_unsealed AS q LEFT JOIN log_batch AS b ON b.tenant_id = q.tenant_id AND b.batch_id = q.batch_id WHERE q.tenant_id = $1) AS u
     LEFT JOIN (SELECT tree_size, signed_at FROM ledger_checkpoint WHERE tenant_id = $1 ORDER BY tree_size DESC LIMIT 1) AS c ON true
     LEFT JOIN ledger_sealer AS s ON s.tenant_id = $1`,
    [tenantId],
  );
  const { rows: anchors } = await db.query<{ kind: AnchorState['kind']; tree_size: string; anchored_at: Date | null; error: string | null }>('SELECT kind, tree_size, anchored_at, error FROM ledger_anchor WHERE tenant_id = $1 ORDER BY kind', [tenantId]);
  return {
    size: Number(row?.size ?? 0), signedAt: row?.signed_at ?? null, unsealedBatches: Number(row?.unsealed ?? 0), oldestUnsealedAt: row?.oldest ?? null,
    alarm: row?.alarm ?? null, alarmAt: row?.alarm_at ?? null, checkedAt: row?.checked_at ?? null, found: row?.check_found ?? null,
    anchors: anchors.map(({ kind, tree_size, anchored_at, error }) => ({ kind, size: Number(tree_size), anchoredAt: anchored_at, error })),
  };
}

/** Where the rows of an event are in the tree: each revision of it has a leaf. Those that are not sealed yet have none. */
export async function leavesOfEvent(db: Queryable, tenantId: string, source: string, eventId: string): Promise<{ readonly batchId: number; readonly ordinal: number; readonly leaf: number | null }[]> {
  const { rows } = await db.query<{ batch_id: string; ordinal: number; leaf: string | null }>(
    `SELECT e.batch_id, e.ordinal, s.first_leaf + e.ordinal AS leaf FROM audit_event_key AS k
     JOIN audit_event AS e ON e.tenant_id = k.tenant_id AND e.activity_at = k.activity_at AND e.source = k.source AND e.event_id = k.event_id AND e.revision = k.revision
     LEFT JOIN ledger_seal AS s ON s.tenant_id = e.tenant_id AND s.batch_id = e.batch_id
     WHERE k.tenant_id = $1 AND k.source = $2 AND k.event_id = $3 ORDER BY k.revision`,
    [tenantId, source, eventId],
  );
  return rows.map(({ batch_id, ordinal, leaf }) => ({ batchId: Number(batch_id), ordinal, leaf: leaf === null ? null : Number(leaf) }));
}

/**
 * Rows of the log that the ledger will never number: of a batch that is neither sealed nor queued, or that the log does
 * not have at all. A few of them, in words.
 */
export async function findUnaccounted(db: Queryable, tenantId: string, most = 20): Promise<string[]> {
  const { rows: batches } = await db.query<{ batch_id: string }>(
    `SELECT b.batch_id FROM log_batch AS b WHERE b.tenant_id = $1
       AND NOT EXISTS (SELECT 1 FROM ledger_seal AS s WHERE s.tenant_id = $1 AND s.batch_id = b.batch_id)
       AND NOT EXISTS (SELECT 1 FROM log_unsealed AS u WHERE u.tenant_id = $1 AND u.batch_id = b.batch_id) ORDER BY 1 LIMIT ${most}`,
    [tenantId],
  );
  const found = batches.map(({ batch_id }) => `Batch ${batch_id} is neither sealed nor queued.`);
  for (const table of Object.keys(LOG_TABLES)) {
    const { rows: strays } = await db.query<{ batch_id: string; ordinal: number }>(
      `SELECT e.batch_id, e.ordinal FROM ${table} AS e WHERE e.tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM log_batch AS b WHERE b.tenant_id = $1 AND b.batch_id = e.batch_id AND b.log = '${table}') ORDER BY 1, 2 LIMIT ${most}`,
      [tenantId],
    );
    found.push(...strays.map(({ batch_id, ordinal }) => `Row ${ordinal} of batch ${batch_id} in ${table} belongs to no batch of that log.`));
  }
  return found.slice(0, most);
}

/** Keeps that everything was read anew and found whole. */
export async function setChecked(db: Queryable, tenantId: string, at: Date, size: number): Promise<void> {
  await db.query('UPDATE ledger_sealer SET checked_at = $2, checked_size = $3 WHERE tenant_id = $1', [tenantId, at, size]);
}

/** Keeps what a check found, until one finds nothing: while it stands, no month is dropped. Answers whether that is news. */
export async function setFound(db: Queryable, tenantId: string, found: string | null): Promise<boolean> {
  const { rowCount } = await db.query('UPDATE ledger_sealer SET check_found = $2 WHERE tenant_id = $1 AND check_found IS DISTINCT FROM $2::text', [tenantId, found]);
  return (rowCount ?? 0) > 0;
}
