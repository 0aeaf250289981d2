import { once } from 'node:events';
import { createServer } from 'node:http';
import { copyOut, type Database } from '@gatehouse/db';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { readMark, withSnapshot } from '../apps/api/src/features/exports/log-reader.store.ts';
import { logStream, type StreamFormat } from '../apps/api/src/features/exports/log-stream.ts';
import { withoutIndexes } from '../testing/history-rows.ts';
import type { Measure } from './measure.ts';

const TENANT = '11111111-1111-4111-8111-111111111111';
const ROUNDS = 5;
const FIRST_BYTE_MS = 200;
const GROWTH_MB = 50;

/** CSV and NDJSON of the whole log, by what the exports stream with, against PostgreSQL's own COPY of the same rows in the same order through the same driver; and how much memory the process grows meanwhile. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const rows = quick ? 100_000 : 10_000_000;
  await using db = await testDatabase(templateUrl);
  await fill(db, rows);
  const formats: readonly StreamFormat[] = ['csv', 'ndjson'];
  const mark = await readMark(db.pool, TENANT);
  const table = [];
  const ratios: Record<string, number> = {};
  for (const format of formats) {
    const ofRounds = [];
    const firsts = [];
    const cold = await exported(db, format, mark);
    await raw(db, format);
    let growth = 0;
    for (let round = 0; round < (quick ? ROUNDS : 3); round += 1) {
      globalThis.gc?.();
      const before = process.memoryUsage.rss();
      const ours = await exported(db, format, mark);
      growth = Math.max(growth, (ours.peak - before) / 1e6);
      const baseline = await raw(db, format);
      ofRounds.push(baseline.seconds / ours.seconds);
      firsts.push(ours.firstMs);
      if (ours.rows !== rows) throw new Error(`${format} held ${ours.rows} rows of ${rows}`);
    }
    ratios[format] = median(ofRounds);
    table.push({ format, rows, 'of raw COPY (median)': median(ofRounds), 'from': Math.min(...ofRounds), 'to': Math.max(...ofRounds), 'first byte, cold (ms)': cold.firstMs, 'first byte (ms)': median(firsts), 'RSS growth (MB)': growth });
  }
  return {
    table, value: Math.min(...Object.values(ratios)),
    holds: Object.values(ratios).every((ratio) => ratio >= 0.8) && table.every((row) => row['first byte (ms)'] <= FIRST_BYTE_MS && row['RSS growth (MB)'] <= GROWTH_MB),
  };
};

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;

/** Over real HTTP, to a reader that throws it away. */
async function overHttp(send: (write: (bytes: Buffer) => Promise<void>) => Promise<number>): Promise<{ rows: number; seconds: number; firstMs: number; peak: number }> {
  let rows = 0;
  const server = createServer(async (_req, res) => {
    rows = await send(async (bytes) => { if (!res.write(bytes)) await once(res, 'drain'); });
    res.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const began = performance.now();
  let firstMs = 0;
  let peak = process.memoryUsage.rss();
  let pieces = 0;
  const answer = await fetch(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`);
  for await (const _piece of answer.body ?? []) {
    firstMs ||= performance.now() - began;
    if ((pieces += 1) % 64 === 0) peak = Math.max(peak, process.memoryUsage.rss());
  }
  const seconds = (performance.now() - began) / 1000;
  server.close();
  await once(server, 'close');
  return { rows, seconds, firstMs, peak };
}

const exported = (db: Database, format: StreamFormat, mark: Awaited<ReturnType<typeof readMark>>) => overHttp((write) => withSnapshot(db, async (connection) => {
  let rows = 0;
  for await (const piece of logStream(connection, format, { tenantId: TENANT, filter: {}, mark })) {
    rows += piece.rows;
    if (piece.bytes.length > 0) await write(piece.bytes);
  }
  return rows;
}));

const COLUMNS = {
  csv: `activity_at_raw, source, service, activity, kind, result, result_reason, actor_name, actor_id, subject_name, subject_id, group_name, group_id, application_name, request_id, source || ':' || event_id, defect`,
  ndjson: 'raw',
} as const;

/** The same columns, rows and order, with nothing guarded, as COPY writes them. */
const raw = (db: Database, format: StreamFormat) => overHttp((write) => withSnapshot(db, async (connection) => {
  const copy = copyOut(connection, `SELECT ${format === 'csv' ? COLUMNS.csv : COLUMNS.ndjson} FROM audit_event WHERE tenant_id = '${TENANT}' ORDER BY activity_at, batch_id, ordinal`, format === 'csv' ? 'FORMAT csv' : 'FORMAT text');
  for await (const bytes of copy as AsyncIterable<Buffer>) await write(bytes);
  return 0;
}));

/** Events of a year that look like Entra's: ids, names, reasons, and a text of about one and a half kilobytes each. */
async function fill(db: TestDatabase, rows: number): Promise<void> {
  const connection = await db.owner.connect();
  try {
    await connection.query(`SELECT ensure_audit_partition((date '2025-01-01' + make_interval(months => m))::date) FROM generate_series(0, 11) AS m`);
    const rebuild = await withoutIndexes(connection);
    await connection.query(`INSERT INTO log_batch (tenant_id, batch_id, log, source, received_at, rows) SELECT $1, nextval('log_batch_batch_id_seq'), 'audit_event', 'directory', now(), 1000 FROM generate_series(1, $2::int / 1000)`, [TENANT, rows]);
    await connection.query(
      `INSERT INTO audit_event (tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, result_reason, actor_id, actor_name, subject_id, subject_name, group_id, group_name, request_id, raw, ingested_at, batch_id, ordinal)
       SELECT $1, 'directory', 'PIM_' || md5(n::text) || '_' || n, at, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '0Z', 'Add member to role completed (PIM activation)', 'activated', 'PIM', 'success',
         CASE n % 3 WHEN 0 THEN 'Month-end close, INC-' || n WHEN 1 THEN '-' || n ELSE NULL END, md5((n % 500)::text)::uuid::text, 'Person ' || n % 500, md5((n % 500)::text)::uuid::text, 'Person ' || n % 500,
         md5((n % 60 + 1000)::text)::uuid::text, 'Group-' || n % 60 || '-SecureAccess', md5(n::text)::uuid::text,
         '{"id":"' || md5(n::text) || '","category":"GroupManagement","activityDisplayName":"Add member to role completed (PIM activation)","additionalDetails":[' || repeat('{"key":"' || md5(n::text) || '","value":"' || md5((n + 1)::text) || '"},', 15) || '{"key":"last","value":"1"}]}',
         now(), n / 1000 + 1, n % 1000
       FROM generate_series(0, $2::int - 1) AS n, LATERAL (SELECT timestamptz '2025-01-01 00:00:00+00' + n * (interval '364 days' / $2::int) AS at) AS placed`, [TENANT, rows]);
    await rebuild();
    await connection.query('VACUUM ANALYZE audit_event');
  } finally {
    connection.release();
  }
}
