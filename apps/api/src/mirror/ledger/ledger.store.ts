import { LOG_TABLES } from './leaves.ts';
import type { Queryable } from './leaf.store.ts';

/** Whether the record of a drop waits to be sealed. */
export async function isDropToSeal(db: Queryable, tenantId: string): Promise<boolean> {
  const { rowCount } = await db.query('SELECT 1 FROM log_unsealed AS u JOIN log_batch AS b ON b.tenant_id = u.tenant_id AND b.batch_id = u.batch_id WHERE u.tenant_id = $1 AND b.log = \'dropped_month\' LIMIT 1', [tenantId]);
  return rowCount === 1;
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
