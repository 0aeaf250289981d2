import { iso } from '@gatehouse/db';
import type { Coverage, HistoryEvent } from '@gatehouse/contracts';
import { countStatement, EVENT, eventOf, eventsStatement, positionOfEvent, type EventRow, type EventSearch, type Listed, type Order } from './events.store.ts';
import type { Position } from '../../core/cursors.ts';
import type { Facet } from './search.rules.ts';
import { run, type Queryable } from './sql.ts';

/**
 * Events in their order; those after the position, where there is one. How common a text is decides how it is looked for,
 * so that such a statement is planned for its very values.
 */
export async function findEvents(db: Queryable, search: EventSearch, page: { readonly after: Position | undefined; readonly order: Order; readonly limit: number }): Promise<Listed<HistoryEvent>[]> {
  const statement = eventsStatement(search, page);
  if (!statement) return [];
  const read = (connection: Queryable): Promise<EventRow[]> => run<EventRow>(connection, statement.text, statement.values);
  const rows = search.drive.by === 'text' ? await planned(db, read) : await read(db);
  return rows.map((row) => ({ row: eventOf(row), position: positionOfEvent(row) }));
}

/** How often a text occurs is looked at by the planner: a plan for any text would read the log from end to end for a rare one. */
export async function planned<T>(db: Queryable, read: (connection: Queryable) => Promise<T>): Promise<T> {
  if ('release' in db) {
    await db.query('SET LOCAL plan_cache_mode = force_custom_plan');
    return read(db);
  }
  const connection = await db.connect();
  let ended = false;
  try {
    await connection.query('BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan');
    const result = await read(connection);
    await connection.query('COMMIT');
    ended = true;
    return result;
  } finally {
    connection.release(!ended);
  }
}

/** The first rows of the list by kind, result and source; more than the limit are not looked at. */
export async function countEvents(db: Queryable, search: EventSearch, limit: number): Promise<Facet[]> {
  const statement = countStatement(search, limit);
  if (!statement) return [];
  const read = (connection: Queryable): Promise<Facet[]> => run<Facet>(connection, statement.text, statement.values);
  return search.drive.by === 'text' ? planned(db, read) : read(db);
}

export interface StoredEvent {
  readonly event: HistoryEvent;
  readonly raw: string;
  readonly ingestedAt: string;
  readonly correlationId: string | null;
  readonly atText: string;
  readonly revisions: readonly { readonly revision: number; readonly raw: string; readonly ingestedAt: string }[];
}

/** One event by its id, each time that it came with another content; the key says in which month it lies. */
export async function findEvent(db: Queryable, tenantId: string, source: string, eventId: string): Promise<StoredEvent | undefined> {
  const [first, ...later] = await run<EventRow & { raw: string; ingested_text: string; correlation_id: string | null }>(db,
    `SELECT ${EVENT}, e.raw, ${iso('e.ingested_at')} AS ingested_text, e.correlation_id FROM audit_event_key AS k
     JOIN audit_event AS e ON e.tenant_id = k.tenant_id AND e.activity_at = k.activity_at AND e.source = k.source AND e.event_id = k.event_id AND e.revision = k.revision
     WHERE k.tenant_id = $1 AND k.source = $2 AND k.event_id = $3 ORDER BY k.revision`,
    [tenantId, source, eventId],
  );
  return first && {
    event: eventOf(first), raw: first.raw, ingestedAt: first.ingested_text, correlationId: first.correlation_id, atText: first.at_text,
    revisions: later.map(({ revision, raw, ingested_text }) => ({ revision, raw, ingestedAt: ingested_text })),
  };
}

/** The directory writes its own entry of what PIM did: same person, same group, this close. */
const TWIN = `interval '2 minutes'`;

/** Events of the same request, of the same correlation, and the twins that another service wrote of the same change; oldest first. */
export async function findRelated(db: Queryable, tenantId: string, { event, correlationId, atText }: StoredEvent, limit = 200): Promise<HistoryEvent[]> {
  const rows = await run<EventRow>(db,
    `SELECT * FROM (
       SELECT ${EVENT} FROM audit_event AS e WHERE e.tenant_id = $1 AND e.request_id = $2
       UNION SELECT ${EVENT} FROM audit_event AS e WHERE e.tenant_id = $1 AND e.correlation_id = $3 AND e.activity_at BETWEEN $4::timestamptz - interval '1 day' AND $4::timestamptz + interval '1 day'
       UNION SELECT ${EVENT} FROM audit_event AS e WHERE e.tenant_id = $1 AND (e.group_id = $5) IS TRUE AND e.subject_id = $6 AND e.activity_at BETWEEN $4::timestamptz - ${TWIN} AND $4::timestamptz + ${TWIN}
     ) AS related WHERE (source, event_id) <> ($7, $8) ORDER BY at_text, batch_id, ordinal LIMIT $9`,
    [tenantId, event.requestId, correlationId, atText, event.groupId, event.subjectId, event.source, event.id.slice(event.source.length + 1), limit],
  );
  return rows.map(eventOf);
}

/**
 * Every event of one activation, oldest first: those of its request, and those of the same person and group while it
 * lasted, since the end and the directory's own entries carry other ids. What belongs to another activation is left out.
 */
export async function findEventsOf(db: Queryable, tenantId: string, requestId: string, limit = 200): Promise<HistoryEvent[]> {
  const rows = await run<EventRow>(db,
    `SELECT * FROM (
       SELECT ${EVENT} FROM audit_event AS e WHERE e.tenant_id = $1 AND e.request_id = $2
       UNION SELECT ${EVENT} FROM activation AS a JOIN audit_event AS e ON e.tenant_id = a.tenant_id AND (e.group_id = a.group_id) IS TRUE AND e.subject_id = a.principal_id AND e.source = 'directory'
         AND e.activity_at >= a.requested_at
         AND e.activity_at <= CASE WHEN a.ended_at IS NOT NULL THEN a.ended_at + ${TWIN} WHEN a.provisioned_at IS NOT NULL THEN 'infinity' ELSE coalesce(a.decided_at, a.requested_at) + ${TWIN} END
       WHERE a.tenant_id = $1 AND a.request_id = $2
         AND e.kind IN ('activated', 'deactivation-requested', 'deactivated', 'expired', 'assignment-removed', 'member-added', 'member-removed')
         AND NOT EXISTS (SELECT 1 FROM activation AS other WHERE other.tenant_id = $1 AND other.request_id = e.request_id AND other.request_id <> $2)
         -- The directory's entry of the next activation, where that one begins before this one's twins may have come.
         AND NOT EXISTS (SELECT 1 FROM activation AS later WHERE later.tenant_id = $1 AND later.principal_id = a.principal_id AND later.group_id = a.group_id
           AND later.requested_at > a.requested_at AND later.requested_at <= e.activity_at AND e.kind IN ('activated', 'member-added'))
     ) AS events ORDER BY at_text, batch_id, ordinal LIMIT $3`,
    [tenantId, requestId, limit],
  );
  return rows.map(eventOf);
}

/** The first instant after a month such as 2019-11. */
export function endOfMonth(month: string | null): string | null {
  const [year = 0, of = 0] = (month ?? '').split('-').map(Number);
  return month === null ? null : new Date(Date.UTC(year, of, 1)).toISOString();
}

/** How complete the log is; and `namesVersion`, which is another one as soon as a name may mean something else (decision 33). */
export interface LogState { readonly coverage: Coverage; readonly namesVersion: string }

/** From when to when the log is complete, and what is known to be missing. */
export const readCoverage = async (db: Queryable, tenantId: string): Promise<Coverage> => (await readLogState(db, tenantId)).coverage;

/** One statement, for every page of the log says so. */
export async function readLogState(db: Queryable, tenantId: string): Promise<LogState> {
  const [row] = await run<{ names_version: string; complete_from: string | null; watermark: string | null; last_error: string | null; sealed_text: string | null; dropped_month: string | null; is_stopped: boolean; gaps: readonly { readonly from: string; readonly to: string; readonly cause: Coverage['gaps'][number]['cause']; readonly is_open: boolean }[] }>(db,
    `SELECT s.complete_from, s.watermark, s.last_error,
       -- Numbers begin anew in a database that was put back, or behind another server. Rows that wait for their names to be summed up only become more while the number stays.
       concat_ws('/', pg_postmaster_start_time(), 'names_version'::regclass::oid, coalesce((SELECT version FROM names_version WHERE tenant_id = $1), 0), (SELECT coalesce(sum(last_ordinal - first_ordinal + 1), 0) FROM log_unnamed WHERE tenant_id = $1)) AS names_version,
       (SELECT ${iso('signed_at')} FROM ledger_checkpoint WHERE tenant_id = $1 ORDER BY tree_size DESC LIMIT 1) AS sealed_text, (SELECT max(month) FROM dropped_month WHERE tenant_id = $1 AND log = 'audit_event') AS dropped_month,
       EXISTS (SELECT 1 FROM ledger_sealer WHERE tenant_id = $1 AND (alarm IS NOT NULL OR check_found IS NOT NULL)) AS is_stopped,
       coalesce((SELECT json_agg(json_build_object('from', ${iso('g.filled_to')}, 'to', ${iso('g.to_at')}, 'cause', g.cause, 'is_open', g.closed_at IS NULL) ORDER BY g.filled_to) FROM sync_gap AS g
         WHERE g.tenant_id = $1 AND g.source = 'directory' AND g.closed_how IS DISTINCT FROM 'filled' AND g.to_at > coalesce(s.complete_from::timestamptz, 'infinity') AND g.filled_to < g.to_at), '[]') AS gaps
     FROM (SELECT 1) AS one LEFT JOIN sync_source AS s ON s.tenant_id = $1 AND s.source = 'directory'`, [tenantId]);
  if (!row) throw new Error('a row is always there');
  const coverage: Coverage = {
    from: row.complete_from, to: row.watermark, droppedTo: endOfMonth(row.dropped_month), lastError: row.last_error,
    sealedTo: row.sealed_text, isLedgerStopped: row.is_stopped,
    gaps: row.gaps.map(({ from, to, cause, is_open: isOpen }) => ({ from: instant(from), to: instant(to), cause, fillableUntil: isOpen ? new Date(Date.parse(from) + RETENTION_MS).toISOString() : null })),
  };
  return { coverage, namesVersion: row.names_version };
}

const instant = (text: string): string => new Date(text).toISOString();

/** How long Entra keeps its log (P1 and P2). */
const RETENTION_MS = 30 * 24 * 60 * 60_000;

/** Names that the filters can offer: of what is there now, and of groups that are gone but have a history. */
export async function findNames(db: Queryable, tenantId: string, limit = 1000): Promise<{ groups: string[]; applications: string[] }> {
  const { rows: groups } = await db.query<{ name: string }>(
    `SELECT DISTINCT name FROM (SELECT display_name AS name FROM catalog_group WHERE tenant_id = $1 UNION SELECT group_name FROM activation WHERE tenant_id = $1) AS named ORDER BY name LIMIT $2`, [tenantId, limit]);
  const { rows: applications } = await db.query<{ name: string }>('SELECT DISTINCT display_name AS name FROM catalog_application WHERE tenant_id = $1 ORDER BY name LIMIT $2', [tenantId, limit]);
  return { groups: groups.map(({ name }) => name), applications: applications.map(({ name }) => name) };
}
