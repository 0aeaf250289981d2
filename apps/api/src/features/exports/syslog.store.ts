import type { Connection, Database } from '@gatehouse/db';

const FEED = 'syslog';
/** A batch that was open so long ago will not be committed any more. */
const OPEN_AT_MOST = `interval '1 hour'`;

type Queryable = Pick<Database['pool'], 'query'> | Pick<Connection, 'query'>;

export interface FeedState { readonly sentBatch: string; readonly sentEvents: number; readonly lastSentAt: Date | null; readonly lastError: string | null; readonly failures: number; readonly tryAfter: Date | null }

interface Row { sent_batch: string; sent_events: string; last_sent_at: Date | null; last_error: string | null; failures: number; try_after: Date | null }

/** Where the feed stands; one that never ran begins before the first batch. */
export async function readFeed(db: Queryable, tenantId: string): Promise<FeedState> {
  const { rows: [row] } = await db.query<Row>('SELECT sent_batch, sent_events, last_sent_at, last_error, failures, try_after FROM log_feed WHERE tenant_id = $1 AND feed = $2', [tenantId, FEED]);
  return row
    ? { sentBatch: row.sent_batch, sentEvents: Number(row.sent_events), lastSentAt: row.last_sent_at, lastError: row.last_error, failures: row.failures, tryAfter: row.try_after }
    : { sentBatch: '0', sentEvents: 0, lastSentAt: null, lastError: null, failures: 0, tryAfter: null };
}

/** Batches to send next, in order: those that were open when the feed passed them, then those behind it. So many rows in all, or one batch that is larger. */
export async function nextBatches(db: Queryable, tenantId: string, most: number, rows: number): Promise<string[]> {
  const { rows: found } = await db.query<{ batch_id: string }>(
    `SELECT batch_id FROM (
       SELECT b.batch_id, sum(b.rows) OVER (ORDER BY b.batch_id) AS total, row_number() OVER (ORDER BY b.batch_id) AS place FROM (
         SELECT b.batch_id, b.rows FROM log_batch AS b
         WHERE b.tenant_id = $1 AND b.log = 'audit_event' AND (b.batch_id > coalesce((SELECT sent_batch FROM log_feed WHERE tenant_id = $1 AND feed = $2), 0)
           OR b.batch_id IN (SELECT batch_id FROM log_feed_open WHERE tenant_id = $1 AND feed = $2))
         ORDER BY b.batch_id LIMIT $3) AS b) AS next WHERE place = 1 OR total <= $4 ORDER BY batch_id`, [tenantId, FEED, most, rows]);
  return found.map(({ batch_id: id }) => id);
}

export async function countWaiting(db: Queryable, tenantId: string): Promise<number> {
  const { rows: [row] } = await db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM log_batch WHERE tenant_id = $1 AND log = 'audit_event' AND batch_id > coalesce((SELECT sent_batch FROM log_feed WHERE tenant_id = $1 AND feed = $2), 0)`, [tenantId, FEED]);
  return row?.n ?? 0;
}

/** The receiver has them: the feed moves past them, and remembers which before that point may still come. In the caller's transaction. */
export async function noteSent(connection: Pick<Connection, 'query'>, tenantId: string, batches: readonly string[], events: number, now: Date): Promise<void> {
  await connection.query('INSERT INTO log_feed (tenant_id, feed) VALUES ($1, $2) ON CONFLICT DO NOTHING', [tenantId, FEED]);
  await connection.query(
    `INSERT INTO log_feed_open (tenant_id, feed, batch_id, seen_at)
     SELECT $1, $2, g, $4 FROM log_feed AS f, generate_series(f.sent_batch + 1, (SELECT max(b) FROM unnest($3::bigint[]) AS b)) AS g
     WHERE f.tenant_id = $1 AND f.feed = $2 AND NOT EXISTS (SELECT 1 FROM log_batch AS b WHERE b.tenant_id = $1 AND b.batch_id = g) ON CONFLICT DO NOTHING`, [tenantId, FEED, batches, now]);
  await connection.query(`DELETE FROM log_feed_open WHERE tenant_id = $1 AND feed = $2 AND (batch_id = ANY ($3::bigint[]) OR seen_at < $4::timestamptz - ${OPEN_AT_MOST})`, [tenantId, FEED, batches, now]);
  await connection.query(
    `UPDATE log_feed SET sent_batch = greatest(sent_batch, (SELECT max(b) FROM unnest($3::bigint[]) AS b)), sent_events = sent_events + $4, last_sent_at = $5, last_error = NULL, failures = 0, try_after = NULL
     WHERE tenant_id = $1 AND feed = $2`, [tenantId, FEED, batches, events, now]);
}

export async function noteFailure(db: Queryable, tenantId: string, error: string, failures: number, tryAfter: Date): Promise<void> {
  await db.query(
    `INSERT INTO log_feed (tenant_id, feed, last_error, failures, try_after) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (tenant_id, feed) DO UPDATE SET last_error = excluded.last_error, failures = excluded.failures, try_after = excluded.try_after`, [tenantId, FEED, error, failures, tryAfter]);
}
