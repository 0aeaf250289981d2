import { iso, type Database } from '@gatehouse/db';
import { LedgerMismatch } from './leaves.ts';
import type { Queryable } from './leaf.store.ts';


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

/** Every public key that ever signed, oldest first. */
export async function knownKeys(db: Queryable, tenantId: string): Promise<string[]> {
  const { rows } = await db.query<{ verifier_key: string }>('SELECT verifier_key FROM ledger_key WHERE tenant_id = $1 ORDER BY first_used_at, key_id', [tenantId]);
  return rows.map(({ verifier_key }) => verifier_key);
}
