import type { Connection, Database } from '@gatehouse/db';
import { pino } from 'pino';
import { signerOf, type Signer } from './note.ts';
import { createSealer, type Sealer, type SealerDeps } from './sealer.ts';

export const TENANT = '11111111-2222-4333-8444-555555555555';
export const ORIGIN = `gatehouse/${TENANT}`;
export const signer = (seed = 1): Signer => signerOf(ORIGIN, Buffer.alloc(32, seed));

/**
 * One committed batch of events with text that COPY must escape, and about as much of it as Entra sends; answers its id.
 * `from` numbers the events, so that no two batches have the same.
 */
export async function addBatch(db: { readonly pool: Pick<Connection, 'query'> | Pick<Database['pool'], 'query'> }, rows: number, from: number, { at = '2026-03-02T09:00:00Z', source = 'directory', bytes = 600 }: { readonly at?: string; readonly source?: string; readonly bytes?: number } = {}): Promise<number> {
  await db.pool.query('SELECT ensure_audit_partition($1::date)', [`${at.slice(0, 7)}-01`]);
  const { rows: [batch] } = await db.pool.query<{ batch_id: string }>(
    `WITH batch AS (INSERT INTO log_batch (tenant_id, log, source, received_at, rows) VALUES ($1, 'audit_event', $4, $5, $2) RETURNING batch_id),
     unsealed AS (INSERT INTO log_unsealed SELECT $1, batch_id FROM batch),
     event AS (SELECT n, 'event-' || n AS id, $5::timestamptz + n * interval '1 millisecond' AS at, '{"id":"event-' || n || '","tab":"a' || chr(9) || 'b","path":"c:\\dir","more":"' || repeat('x', $6) || '"}' AS raw FROM generate_series($3::int, $3 + $2 - 1) AS n),
     key AS (INSERT INTO audit_event_key (tenant_id, source, event_id, content_hash, activity_at) SELECT $1, $4, id, sha256(convert_to(raw, 'UTF8')), at FROM event),
     row AS (INSERT INTO audit_event (tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, result_reason, actor_id, actor_name, raw, ingested_at, batch_id, ordinal)
       SELECT $1, $4, id, at, at::text, 'Add member to role', 'activated', 'PIM', 'success', CASE WHEN n % 3 = 0 THEN E'line one\\nline two' END, gen_random_uuid()::text, 'Ana Costa', raw, $5, batch_id, n - $3 FROM event, batch)
     SELECT batch_id FROM batch`,
    [TENANT, rows, from, source, at, bytes],
  );
  return Number(batch?.batch_id);
}

/** A sealer whose clock moves on by a second each time it is asked. */
export function testSealer(db: Pick<Database, 'pool'>, more: Partial<SealerDeps> = {}): Sealer {
  let now = Date.parse('2026-03-02T10:00:00Z');
  return createSealer({ db, clock: { now: () => new Date(now += 1000) }, tenantId: TENANT, origin: ORIGIN, signers: [signer()], log: pino({ level: 'silent' }), ...more });
}
