import type { EventKind } from '@gatehouse/contracts';
import type { Connection, Database } from '@gatehouse/db';
import { GraphError, type Graph } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import { withConnection } from './database.ts';
import { instantText } from './directory-event.ts';
import { ingest } from './ingest.ts';

export interface SyncDeps {
  /** The portal's own Graph, read-only. */
  readonly appGraph: Pick<Graph, 'audits'>;
  readonly db: Pick<Database, 'pool'>;
  readonly clock: Clock;
  readonly tenantId: string;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** Name of Entra's audit log among the sources. */
export const DIRECTORY_SOURCE = 'directory';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Microsoft shows an event up to 15 min after it happened: each window begins twice that before the last one ended. */
const OVERLAP_MS = 30 * MINUTE;
/** How long Entra keeps its log (P1 and P2). */
const RETENTION_MS = 30 * DAY;
/** Length of the first window of a reading. The next is twice as long where the log is thin, half as long where it is dense: the watermark moves on every few pages, in few requests. */
const WINDOW_MS = DAY;
const SHORTEST_WINDOW_MS = 5 * MINUTE;
const DENSE_PAGES = 20;
/** A page that says it is followed by itself must not hold the mirror for ever. */
const MAX_PAGES = 100_000;

export interface SyncOutcome {
  /** `busy`: another process reads the log at this moment. */
  readonly state: 'read' | 'busy';
  readonly added: number;
  readonly kinds: ReadonlySet<EventKind>;
}

/**
 * Brings Entra's audit log into the mirror, up to now. Closed windows, each read to its last page before the watermark
 * passes it; the rows of a page, the activations joined from them and the state of the source are one transaction. What
 * a crash leaves is a window that is read again, and events that are known already. One page is held at a time.
 */
export async function syncDirectoryAudits(deps: SyncDeps): Promise<SyncOutcome> {
  const { db, clock, tenantId } = deps;
  return withConnection(db, async (connection) => {
    // Held by this connection, and lost with it: a process that is cut off writes nothing more either.
    const lock = [`gatehouse.sync:${tenantId}`];
    const { rows: [got] } = await connection.query<{ locked: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked', lock);
    if (got?.locked !== true) return { state: 'busy', added: 0, kinds: new Set() };
    try {
      await connection.query(
        `INSERT INTO sync_source (tenant_id, source, last_started_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, source) DO UPDATE SET last_started_at = excluded.last_started_at`,
        [tenantId, DIRECTORY_SOURCE, clock.now().toISOString()],
      );
      return await readToNow(deps, connection);
    } catch (error) {
      await connection.query('UPDATE sync_source SET last_error = $3 WHERE tenant_id = $1 AND source = $2', [tenantId, DIRECTORY_SOURCE, inWords(error)]).catch(() => undefined);
      throw error;
    } finally {
      await connection.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock).catch(() => undefined);
    }
  });
}

async function readToNow(deps: SyncDeps, connection: Connection): Promise<SyncOutcome> {
  const now = deps.clock.now();
  const start = await startOf(connection, deps.tenantId, now);
  let added = 0;
  const kinds = new Set<EventKind>();
  let length = WINDOW_MS;
  // What lies before the watermark was read and holds little that is new: it takes no windows of its own.
  let to = Math.max(start.watermark, start.from.getTime()) + length;
  for (let from = start.from; ;) {
    const end = new Date(Math.min(to, now.getTime()));
    const outcome = await drain(deps, connection, from, end, start.completeFrom);
    added += outcome.added;
    for (const kind of outcome.kinds) kinds.add(kind);
    if (end >= now) return { state: 'read', added, kinds };
    if (outcome.pages === 1) length *= 2;
    else if (outcome.pages > DENSE_PAGES) length = Math.max(SHORTEST_WINDOW_MS, length / 2);
    // Closed at both ends: an event of this very instant comes twice and is kept once.
    from = end;
    to = end.getTime() + length;
  }
}

/** Where to begin, and since when the mirror is without a gap. */
async function startOf(connection: Connection, tenantId: string, now: Date): Promise<{ from: Date; watermark: number; completeFrom: string }> {
  const { rows: [source] } = await connection.query<{ watermark: string | null; complete_from: string | null; newest: Date | null }>(
    `SELECT watermark, complete_from, (SELECT max(activity_at) FROM audit_event WHERE tenant_id = $1 AND source = $2) AS newest FROM sync_source WHERE tenant_id = $1 AND source = $2`,
    [tenantId, DIRECTORY_SOURCE],
  );
  const oldestKept = new Date(now.getTime() - RETENTION_MS);
  if (!source?.watermark) return { from: oldestKept, watermark: 0, completeFrom: source?.complete_from ?? oldestKept.toISOString() };

  // By the log's own time as well as by our clock: a clock that once ran ahead must not have us pass over events.
  const watermark = new Date(source.watermark).getTime();
  const sure = Math.min(watermark, now.getTime(), source.newest?.getTime() ?? Infinity);
  const from = new Date(Math.max(sure - OVERLAP_MS, oldestKept.getTime()));
  // What happened between is no longer in Entra: the mirror is complete only from here on, and says so.
  const gap = watermark < oldestKept.getTime();
  return { from, watermark, completeFrom: gap ? oldestKept.toISOString() : source.complete_from ?? from.toISOString() };
}

async function drain({ appGraph, clock, tenantId, log }: SyncDeps, connection: Connection, from: Date, to: Date, completeFrom: string): Promise<{ added: number; pages: number; kinds: ReadonlySet<EventKind> }> {
  const window = { from: from.toISOString(), to: to.toISOString() };
  const kinds = new Set<EventKind>();
  let added = 0;
  let nextLink: string | undefined;
  for (let page = 1; ; page += 1) {
    // Outside any transaction: the answer may take its time.
    const { items, nextLink: following } = await appGraph.audits.directoryAudits(window, nextLink);
    if (following !== undefined && (following === nextLink || page >= MAX_PAGES)) throw new GraphError('unexpected', 'the pages of the audit log do not end');
    const last = following === undefined;
    const outcome = await ingest(connection, log, {
      tenantId, events: items, receivedAt: clock.now(),
      also: async (same, { added: rows }) => {
        await same.query('UPDATE sync_source SET events = events + $3 WHERE tenant_id = $1 AND source = $2', [tenantId, DIRECTORY_SOURCE, rows]);
        if (!last) return;
        await same.query(
          'UPDATE sync_source SET watermark = $3, complete_from = $4, last_success_at = $5, last_error = NULL WHERE tenant_id = $1 AND source = $2',
          [tenantId, DIRECTORY_SOURCE, window.to, completeFrom, clock.now().toISOString()],
        );
      },
    });
    added += outcome.added;
    for (const kind of outcome.kinds) kinds.add(kind);
    if (last) return { added, pages: page, kinds };
    nextLink = following;
  }
}

const FAILURES: Readonly<Record<string, string>> = {
  'throttled': 'Microsoft Graph asked Gatehouse to slow down. It goes on where it stopped.',
  'unavailable': 'Microsoft Graph does not answer. Gatehouse tries again.',
  'forbidden': 'Gatehouse is not allowed to read the audit log: grant it AuditLog.Read.All as an application permission, with admin consent.',
  'not-signed-in': 'Microsoft Entra refused Gatehouse\'s own sign-in: check its client id and its secret or certificate.',
  'unexpected': 'Microsoft Graph answered something that Gatehouse does not understand. It tries again.',
};

/** For the page: what is wrong and who can do what about it. Details are in the log. */
export function inWords(error: unknown): string {
  if (error instanceof GraphError) return FAILURES[error.failure] ?? 'Microsoft Graph refused to answer. Gatehouse tries again.';
  return 'The audit log could not be read. Gatehouse tries again; its log says why.';
}

/** Marks since when the mirror holds everything, where an earlier history was put in by other means. */
export async function extendCoverage(connection: Connection, tenantId: string, from: string, events: number): Promise<void> {
  if (instantText(from) === undefined) return;
  await connection.query(
    `INSERT INTO sync_source (tenant_id, source, complete_from, events) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id, source) DO UPDATE SET events = sync_source.events + excluded.events,
       complete_from = CASE WHEN sync_source.complete_from IS NULL OR sync_source.complete_from::timestamptz > excluded.complete_from::timestamptz THEN excluded.complete_from ELSE sync_source.complete_from END`,
    [tenantId, DIRECTORY_SOURCE, from, events],
  );
}
