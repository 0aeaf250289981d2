import { hash } from 'node:crypto';
import type { Segment } from '@gatehouse/contracts';
import type { Connection } from '@gatehouse/db';
import { logClosedBy, type Graph, type LogClosed } from '@gatehouse/graph';
import { addressOf, tiersFor, type Published } from '../core/destination.ts';
import { inTransaction } from './database.ts';
import type { Batch, Ingested, Received, Source } from './source.ts';
import { DAY } from './sync.rules.ts';
import { parseTraffic, type Connected } from './traffic-event.ts';

/** Name of the traffic log among the sources. */
export const TRAFFIC_SOURCE = 'traffic';

/** The traffic log of Global Secure Access: who was let through to what. The portal does without it where it may not read it. */
export function trafficSource({ appGraph }: { readonly appGraph: Pick<Graph, 'traffic'> }): Source<Row> {
  /** Errors of first pages: a link of a later page may be refused because it is too old. */
  const ofFirstPage = new WeakSet<object>();
  return {
    name: TRAFFIC_SOURCE,
    title: 'Global Secure Access traffic log',
    // As is commonly said (CONTRACT.md §9).
    retentionMs: 30 * DAY,
    // No limit of its own is published; that of the audit log is kept.
    requestsADay: 43_200,
    // A row comes again with other counts of bytes while its connection lasts.
    judgesRecords: false,
    pageSize: 1_000,
    whenForbidden: CLOSED_WORDS['not-permitted'],
    closedBy(error) {
      const why = typeof error === 'object' && error !== null && ofFirstPage.has(error) ? logClosedBy(error) : undefined;
      return why && { why, words: CLOSED_WORDS[why] };
    },
    async page(window, nextLink) {
      const { items, nextLink: following } = await appGraph.traffic.privateTraffic(window, nextLink).catch((error: unknown) => {
        if (nextLink === undefined && error instanceof Error) ofFirstPage.add(error);
        throw error;
      });
      return { items: items.map(({ transactionId, createdDateTime, raw }) => ({ id: transactionId, activityDateTime: createdDateTime, raw })), nextLink: following };
    },
    read: readTraffic,
    ingest: ingestTraffic,
    async newest(connection, tenantId) {
      const { rows: [row] } = await connection.query<{ newest: Date | null }>('SELECT max(created_at) AS newest FROM network_connection WHERE tenant_id = $1 AND source = $2', [tenantId, TRAFFIC_SOURCE]);
      return row?.newest ?? undefined;
    },
    async countByHour(connection, tenantId, { from, to }) {
      const { rows } = await connection.query<{ hour: string; count: number }>(
        `SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS hour, count(*)::int AS count FROM network_connection
         WHERE tenant_id = $1 AND source = $2 AND created_at >= $3 AND created_at <= $4 AND created_at_raw <> '' AND event_id NOT LIKE 'unidentified-%' GROUP BY 1`,
        [tenantId, TRAFFIC_SOURCE, from, to],
      );
      return new Map(rows.map(({ hour, count }) => [hour, count]));
    },
  };
}

const CLOSED_WORDS: Readonly<Record<LogClosed, string>> = {
  'not-permitted': 'The permission NetworkAccess-Reports.Read.All is not granted to Gatehouse. It is optional; Gatehouse asks again once an hour.',
  'not-licensed': 'The licences of the tenant do not include the traffic log. Gatehouse asks again once an hour.',
  'refused': 'Microsoft Graph refuses the traffic log for a reason that Gatehouse does not know; its log has the answer. Gatehouse asks again once an hour.',
};

type Row = Connected & { readonly applicationBy: 'log' | 'segments' | null };

/** Reads a row of the log. `receivedAt` stands for a time that it has not. */
export function readTraffic({ id: transactionId, activityDateTime: createdDateTime, raw }: Received, receivedAt: Date): Row {
  const row = parseTraffic({ transactionId, createdDateTime, raw }, receivedAt.toISOString().replace('Z', '000Z'));
  // Without an id of its own a row is known by its content.
  return { ...row, id: row.id === '' ? `unidentified-${hash('sha256', raw)}` : row.id, applicationBy: row.applicationId === null ? null : 'log' };
}

/** Takes rows into the mirror, each once, in one transaction. The same rows again change nothing. */
export async function ingestTraffic(connection: Connection, { tenantId, events, receivedAt, meanwhile, also }: Batch<Row>): Promise<Ingested> {
  const rows = new Map<string, Row>();
  for (const row of events) if (!rows.has(row.id)) rows.set(row.id, row);
  const months = [...new Set([...rows.values()].map(({ at }) => `${at.slice(0, 7)}-01`))].sort();
  // By itself, so that who reads the table waits for the partition alone and not for the rows.
  if (months.length > 0) await connection.query('SELECT ensure_connection_partition(month) FROM unnest($1::date[]) AS month', [months]);
  const named = await withApplications(connection, tenantId, [...rows.values()]);
  return inTransaction(connection, async () => {
    const added = named.length === 0 ? 0 : await insert(connection, { tenantId, receivedAt, meanwhile }, named);
    const outcome: Ingested = {
      added, known: rows.size - added, revised: 0, defects: 0, kinds: new Set(),
      seen: named.filter(({ id, atRaw }) => atRaw !== '' && !id.startsWith('unidentified-')).map(({ id, at }) => ({ id, at })),
    };
    await also?.(connection, outcome);
    return outcome;
  });
}

/** What the log does not say: which application takes the destination, by what the catalog knows now. Where several might, none is named. */
async function withApplications(connection: Connection, tenantId: string, rows: readonly Row[]): Promise<readonly Row[]> {
  if (rows.every(({ applicationId }) => applicationId !== null)) return rows;
  const { rows: published } = await connection.query<Published & { readonly segments: readonly Segment[] }>(
    `SELECT app_id AS id, kind, segments FROM catalog_application WHERE tenant_id = $1 AND app_id IS NOT NULL AND kind <> 'enterprise'`, [tenantId]);
  return rows.map((row) => {
    const host = row.host ?? row.ip;
    if (row.applicationId !== null || host === null || row.port === null) return row;
    const [first] = tiersFor({ host, isAddress: addressOf(host) !== undefined, port: row.port, protocol: undefined }, published);
    const [application] = first ?? [];
    return first?.length === 1 && application ? { ...row, applicationId: application.id, applicationBy: 'segments' } : row;
  });
}

/**
 * The page travels as one parameter and is taken apart in SQL. A row that comes again while its connection lasts says
 * other bytes than before: what came first stays.
 */
async function insert(connection: Connection, { tenantId, receivedAt, meanwhile }: Pick<Batch, 'tenantId' | 'receivedAt' | 'meanwhile'>, rows: readonly Row[]): Promise<number> {
  const inserting = connection.query(
    `WITH row AS (SELECT value AS r, ordinality AS place FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY),
     fresh AS (
       INSERT INTO network_connection_key (tenant_id, source, event_id, created_at)
       SELECT $1, '${TRAFFIC_SOURCE}', r->>'id', (r->>'at')::timestamptz FROM row
       ON CONFLICT (tenant_id, source, event_id) DO NOTHING RETURNING event_id
     ),
     batch AS (
       INSERT INTO log_batch (tenant_id, log, source, received_at, rows)
       SELECT $1, 'network_connection', '${TRAFFIC_SOURCE}', $3, count(*) FROM fresh HAVING count(*) > 0 RETURNING batch_id
     ),
     unsealed AS (INSERT INTO log_unsealed (tenant_id, batch_id) SELECT $1, batch_id FROM batch)
     INSERT INTO network_connection (tenant_id, source, event_id, created_at, created_at_raw, user_id, user_principal_name, action,
       destination_host, destination_ip, destination_port, application_id, application_by, raw, received_at, batch_id, ordinal)
     SELECT $1, '${TRAFFIC_SOURCE}', r->>'id', (r->>'at')::timestamptz, r->>'atRaw', r->>'userId', r->>'userPrincipalName', r->>'action',
       r->>'host', r->>'ip', (r->>'port')::int, r->>'applicationId', r->>'applicationBy', r->>'raw', $3, batch_id, row_number() OVER (ORDER BY place) - 1
     FROM row JOIN fresh ON fresh.event_id = r->>'id', batch`,
    [tenantId, JSON.stringify(rows), receivedAt.toISOString()],
  );
  meanwhile?.();
  return (await inserting).rowCount ?? 0;
}
