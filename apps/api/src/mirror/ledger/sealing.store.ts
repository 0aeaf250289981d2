import type { Connection } from '@gatehouse/db';
import { inTransaction } from '../database.ts';
import type { StoredCheckpoint } from './checkpoint.store.ts';
import { readBatchLines, type Queryable } from './leaf.store.ts';
import { LedgerMismatch, leavesOf, type BatchLine } from './leaves.ts';
import type { FullTile } from './tree.ts';

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

/** Keeps why nothing is signed any more, or that nothing is wrong again; answers whether that is news. */
export async function setAlarm(db: Queryable, tenantId: string, alarm: string | null, at: Date): Promise<boolean> {
  const { rowCount } = await db.query('UPDATE ledger_sealer SET alarm = $2, alarm_at = CASE WHEN $2::text IS NULL THEN NULL ELSE coalesce(alarm_at, $3) END WHERE tenant_id = $1 AND alarm IS DISTINCT FROM $2::text', [tenantId, alarm, at]);
  return (rowCount ?? 0) > 0;
}
