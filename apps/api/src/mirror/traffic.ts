import { createHash } from 'node:crypto';
import type { Connection, Database } from '@gatehouse/db';
import { GraphError, logClosedBy, type Graph, type LogClosed, type Page } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Segment } from '@gatehouse/contracts';
import type { Clock } from '../core/clock.ts';
import { addressOf, tiersFor, type Published } from '../core/destination.ts';
import { inTransaction, withConnection } from './database.ts';
import { parseTraffic, type Connected, type ReceivedTraffic } from './traffic-event.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The traffic log of Private Access as a source of the mirror: what a reader of closed windows has to know of it. */
export const TRAFFIC = {
  name: 'traffic',
  /** How long Microsoft keeps the log, as is commonly said (CONTRACT.md §9). */
  retentionMs: 30 * DAY,
  /** How late a row may show: each window begins so long before the last one ended. */
  overlapMs: 30 * MINUTE,
  /** How long a log that is closed to the portal is left in peace. */
  closedForMs: HOUR,
  page: (graph: Pick<Graph, 'traffic'>, window: { readonly from: string; readonly to: string }, nextLink?: string): Promise<Page<ReceivedTraffic>> => graph.traffic.privateTraffic(window, nextLink),
} as const;

export interface TrafficDeps {
  /** The portal's own Graph, read-only. */
  readonly appGraph: Pick<Graph, 'traffic'>;
  readonly db: Pick<Database, 'pool'>;
  readonly clock: Clock;
  readonly tenantId: string;
  readonly log: Pick<Logger, 'info'>;
}

export interface TrafficOutcome {
  /** `busy`: another process reads it. `closed`: the portal may not read it, or not yet again. `more`: a later pass goes on. */
  readonly state: 'read' | 'more' | 'busy' | 'closed';
  readonly added: number;
}

/** Length of the first window; the next is twice as long where the log is thin, half as long where it is dense. */
const WINDOW_MS = 12 * HOUR;
const SHORTEST_WINDOW_MS = 5 * MINUTE;
const DENSE_PAGES = 20;
/** A pass ends with the window in which it has read so many: the audit log waits for it. */
const PAGES_A_PASS = 50;
/** A page that says it is followed by itself must not hold the mirror for ever. */
const MAX_PAGES = 100_000;

/**
 * Brings the traffic log into the mirror, up to now or as far as one pass goes. As for the audit log: closed windows, each
 * read to its last page before the watermark passes it, the rows of a page and the state in one transaction. A log that
 * is closed to the portal is no failure: it is written down why, and one call an hour asks whether it still is.
 */
export async function syncTraffic(deps: TrafficDeps): Promise<TrafficOutcome> {
  const { db, clock, tenantId } = deps;
  return withConnection(db, async (connection) => {
    const lock = [`gatehouse.sync:${tenantId}:${TRAFFIC.name}`];
    const { rows: [got] } = await connection.query<{ locked: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked', lock);
    if (got?.locked !== true) return { state: 'busy', added: 0 };
    try {
      const { rows: [before] } = await connection.query<{ closed: LogClosed | null; last_started_at: Date | null }>('SELECT closed, last_started_at FROM sync_source WHERE tenant_id = $1 AND source = $2', [tenantId, TRAFFIC.name]);
      const now = clock.now();
      if (before?.closed && before.last_started_at && Math.abs(now.getTime() - before.last_started_at.getTime()) < TRAFFIC.closedForMs) return { state: 'closed', added: 0 };
      await connection.query(
        'INSERT INTO sync_source (tenant_id, source, last_started_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, source) DO UPDATE SET last_started_at = excluded.last_started_at',
        [tenantId, TRAFFIC.name, now.toISOString()],
      );
      return await readOn(deps, connection, now);
    } catch (error) {
      const closed = error instanceof ClosedLog ? error.why : undefined;
      await connection.query('UPDATE sync_source SET closed = $3, last_error = $4 WHERE tenant_id = $1 AND source = $2', [tenantId, TRAFFIC.name, closed ?? null, closed ? CLOSED_WORDS[closed] : inWords(error)]).catch(() => undefined);
      if (!closed) throw error;
      deps.log.info({ source: TRAFFIC.name, closed }, 'the traffic log is closed to the portal, and is asked for again in an hour');
      return { state: 'closed', added: 0 };
    } finally {
      await connection.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock).catch(() => undefined);
    }
  });
}

/** Ends a pass at the first page of a window that is refused for good. */
class ClosedLog extends Error {
  readonly why: LogClosed;

  constructor(why: LogClosed, cause: unknown) {
    super(`the traffic log is closed: ${why}`, { cause });
    this.why = why;
  }
}

async function readOn(deps: TrafficDeps, connection: Connection, now: Date): Promise<TrafficOutcome> {
  const start = await startOf(connection, deps.tenantId, now);
  let added = 0;
  let pages = 0;
  let length = WINDOW_MS;
  // What lies before the watermark was read and holds little that is new: it takes no windows of its own.
  let to = Math.max(start.watermark, start.from.getTime()) + length;
  for (let from = start.from; ;) {
    const end = new Date(Math.min(to, now.getTime()));
    const outcome = await drain(deps, connection, from, end, start.completeFrom);
    added += outcome.added;
    pages += outcome.pages;
    if (end >= now) return { state: 'read', added };
    if (pages >= PAGES_A_PASS) return { state: 'more', added };
    if (outcome.pages === 1) length *= 2;
    else if (outcome.pages > DENSE_PAGES) length = Math.max(SHORTEST_WINDOW_MS, length / 2);
    // Closed at both ends: a row of this very instant comes twice and is kept once.
    from = end;
    to = end.getTime() + length;
  }
}

/** Where to begin, and since when the mirror has the log without a gap. */
async function startOf(connection: Connection, tenantId: string, now: Date): Promise<{ from: Date; watermark: number; completeFrom: string }> {
  const { rows: [source] } = await connection.query<{ watermark: string | null; complete_from: string | null; newest: Date | null }>(
    'SELECT watermark, complete_from, (SELECT max(created_at) FROM network_connection WHERE tenant_id = $1 AND source = $2) AS newest FROM sync_source WHERE tenant_id = $1 AND source = $2',
    [tenantId, TRAFFIC.name],
  );
  const oldestKept = new Date(now.getTime() - TRAFFIC.retentionMs);
  if (!source?.watermark) return { from: oldestKept, watermark: 0, completeFrom: source?.complete_from ?? oldestKept.toISOString() };

  // By the log's own time as well as by our clock: a clock that once ran ahead must not have us pass over rows.
  const watermark = new Date(source.watermark).getTime();
  const sure = Math.min(watermark, now.getTime(), source.newest?.getTime() ?? Infinity);
  const from = new Date(Math.max(sure - TRAFFIC.overlapMs, oldestKept.getTime()));
  const gap = watermark < oldestKept.getTime();
  return { from, watermark, completeFrom: gap ? oldestKept.toISOString() : source.complete_from ?? from.toISOString() };
}

async function drain({ appGraph, clock, tenantId }: TrafficDeps, connection: Connection, from: Date, to: Date, completeFrom: string): Promise<{ added: number; pages: number }> {
  const window = { from: from.toISOString(), to: to.toISOString() };
  let added = 0;
  let nextLink: string | undefined;
  for (let page = 1; ; page += 1) {
    // Outside any transaction: the answer may take its time. A link of a page may be refused because it is too old.
    const { items, nextLink: following } = await TRAFFIC.page(appGraph, window, nextLink).catch((error: unknown) => {
      const closed = nextLink === undefined ? logClosedBy(error) : undefined;
      throw closed ? new ClosedLog(closed, error) : error;
    });
    if (following !== undefined && (following === nextLink || page >= MAX_PAGES)) throw new GraphError('unexpected', 'the pages of the traffic log do not end');
    const last = following === undefined;
    added += await ingestTraffic(connection, {
      tenantId, rows: items, receivedAt: clock.now(),
      also: async (same, rows) => {
        await same.query('UPDATE sync_source SET events = events + $3, closed = NULL WHERE tenant_id = $1 AND source = $2', [tenantId, TRAFFIC.name, rows]);
        if (!last) return;
        await same.query(
          'UPDATE sync_source SET watermark = $3, complete_from = $4, last_success_at = $5, last_error = NULL WHERE tenant_id = $1 AND source = $2',
          [tenantId, TRAFFIC.name, window.to, completeFrom, clock.now().toISOString()],
        );
      },
    });
    if (last) return { added, pages: page };
    nextLink = following;
  }
}

export interface TrafficBatch {
  readonly tenantId: string;
  readonly rows: readonly ReceivedTraffic[];
  readonly receivedAt: Date;
  /** Further writes of the same transaction, such as the watermark. */
  readonly also?: (connection: Connection, added: number) => Promise<void>;
}

type Row = Connected & { readonly applicationBy: 'log' | 'segments' | null };

/** Takes rows into the mirror, each once, in one transaction; answers how many were new. The same rows again change nothing. */
export async function ingestTraffic(connection: Connection, { tenantId, rows: received, receivedAt, also }: TrafficBatch): Promise<number> {
  const fallbackAt = receivedAt.toISOString().replace('Z', '000Z');
  const rows = new Map<string, Row>();
  for (const one of received) {
    const row = parseTraffic(one, fallbackAt);
    // Without an id of its own a row is known by its content.
    const id = row.id === '' ? `unidentified-${createHash('sha256').update(one.raw).digest('hex')}` : row.id;
    if (!rows.has(id)) rows.set(id, { ...row, id, applicationBy: row.applicationId === null ? null : 'log' });
  }
  const months = [...new Set([...rows.values()].map(({ at }) => `${at.slice(0, 7)}-01`))].sort();
  // By itself, so that who reads the table waits for the partition alone and not for the rows.
  if (months.length > 0) await connection.query('SELECT ensure_connection_partition(month) FROM unnest($1::date[]) AS month', [months]);
  const known = await withApplications(connection, tenantId, [...rows.values()]);
  return inTransaction(connection, async () => {
    const added = known.length === 0 ? 0 : await insert(connection, tenantId, receivedAt, known);
    await also?.(connection, added);
    return added;
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
async function insert(connection: Connection, tenantId: string, receivedAt: Date, rows: readonly Row[]): Promise<number> {
  const { rowCount } = await connection.query(
    `WITH row AS (SELECT value AS r FROM jsonb_array_elements($2::jsonb)),
     fresh AS (
       INSERT INTO network_connection_key (tenant_id, source, event_id, created_at)
       SELECT $1, '${TRAFFIC.name}', r->>'id', (r->>'at')::timestamptz FROM row
       ON CONFLICT (tenant_id, source, event_id) DO NOTHING RETURNING event_id
     )
     INSERT INTO network_connection (tenant_id, source, event_id, created_at, created_at_raw, user_id, user_principal_name, action,
       destination_host, destination_ip, destination_port, application_id, application_by, raw, received_at)
     SELECT $1, '${TRAFFIC.name}', r->>'id', (r->>'at')::timestamptz, r->>'atRaw', r->>'userId', r->>'userPrincipalName', r->>'action',
       r->>'host', r->>'ip', (r->>'port')::int, r->>'applicationId', r->>'applicationBy', r->>'raw', $3
     FROM row JOIN fresh ON fresh.event_id = r->>'id'`,
    [tenantId, JSON.stringify(rows), receivedAt.toISOString()],
  );
  return rowCount ?? 0;
}

const CLOSED_WORDS: Readonly<Record<LogClosed, string>> = {
  'not-permitted': 'The permission NetworkAccess-Reports.Read.All is not granted to Gatehouse. It is optional; Gatehouse asks again once an hour.',
  'not-licensed': 'The licences of the tenant do not include the traffic log. Gatehouse asks again once an hour.',
  'refused': 'Microsoft Graph refuses the traffic log for a reason that Gatehouse does not know; its log has the answer. Gatehouse asks again once an hour.',
};

const FAILURES: Readonly<Record<string, string>> = {
  'throttled': 'Microsoft Graph asked Gatehouse to slow down. It goes on where it stopped.',
  'unavailable': 'Microsoft Graph does not answer. Gatehouse tries again.',
  'not-signed-in': 'Microsoft Entra refused Gatehouse\'s own sign-in: check its client id and its secret or certificate.',
  'unexpected': 'Microsoft Graph answered something that Gatehouse does not understand. It tries again.',
};

function inWords(error: unknown): string {
  return (error instanceof GraphError ? FAILURES[error.failure] : undefined) ?? 'The traffic log could not be read. Gatehouse tries again; its log says why.';
}
