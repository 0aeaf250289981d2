import type { Coverage, EventKind, HistoryActivation, HistoryEvent } from '@gatehouse/contracts';
import type { Connection, Database } from '@gatehouse/db';
import type { Position } from '../../core/cursors.ts';
import { containing } from './history.rules.ts';

/** The pool for one statement, or a connection for several that must see the same. */
export type Queryable = Pick<Connection, 'query'> | Pick<Database['pool'], 'query'>;

export interface EventFilter {
  readonly person?: string | undefined;
  readonly group?: string | undefined;
  readonly application?: string | undefined;
  readonly kind?: string | undefined;
  readonly result?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}
export type ActivationFilter = Omit<EventFilter, 'kind' | 'result'> & { readonly status?: string | undefined };

/** A row and where it stands in its list. */
export interface Listed<T> { readonly row: T; readonly position: Position }

/** Conditions and their parameters, numbered as they come. Values never become part of the text. */
function conditionsOf(tenantId: string) {
  const parameters: unknown[] = [tenantId];
  const conditions = ['e.tenant_id = $1'];
  return {
    parameters,
    value: (value: unknown): string => `$${parameters.push(value)}`,
    add: (condition: string): void => { conditions.push(condition); },
    text: (): string => conditions.join(' AND '),
  };
}
type Where = ReturnType<typeof conditionsOf>;

/** An instant of the database as text with all six decimals. The output column must not be named as the stored one: ORDER BY would sort the text. */
const iso = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const EVENT = `e.source, e.event_id, e.activity_at_raw, ${iso('e.activity_at')} AS at_text, e.activity, e.kind, e.service, e.result, e.result_reason, e.actor_id, e.actor_name,
  e.subject_id, e.subject_name, e.group_id, e.group_name, e.application_name, e.request_id`;

interface EventRow {
  source: 'directory' | 'portal'; event_id: string; activity_at_raw: string; at_text: string; activity: string; kind: EventKind; service: string; result: 'success' | 'failure' | 'other'; result_reason: string | null;
  actor_id: string | null; actor_name: string | null; subject_id: string | null; subject_name: string | null; group_id: string | null; group_name: string | null; application_name: string | null; request_id: string | null;
}

const eventOf = (row: EventRow): HistoryEvent => ({
  id: `${row.source}:${row.event_id}`, source: row.source,
  // An event whose own time was none is shown with the time at which it was received.
  at: Number.isNaN(Date.parse(row.activity_at_raw)) ? row.at_text : row.activity_at_raw,
  activity: row.activity, kind: row.kind, service: row.service, result: row.result, reason: row.result_reason, actorId: row.actor_id, actorName: row.actor_name, subjectId: row.subject_id, subjectName: row.subject_name,
  groupId: row.group_id, groupName: row.group_name, applicationName: row.application_name, requestId: row.request_id,
});

function whereEvents(tenantId: string, filter: EventFilter, after: Position | undefined): Where {
  const where = conditionsOf(tenantId);
  if (filter.person) {
    const [id, name] = [where.value(filter.person.toLowerCase()), where.value(containing(filter.person))];
    where.add(`(e.actor_id = ${id} OR e.subject_id = ${id} OR e.actor_name ILIKE ${name} OR e.subject_name ILIKE ${name})`);
  }
  addGroup(where, filter.group);
  if (filter.application) {
    const [id, name] = [where.value(filter.application.toLowerCase()), where.value(containing(filter.application))];
    where.add(`(e.application_id = ${id} OR e.application_name ILIKE ${name} OR e.group_id IN (${groupsOpening(id, name)}))`);
  }
  if (filter.kind) where.add(`e.kind = ${where.value(filter.kind)}`);
  if (filter.result) where.add(`e.result = ${where.value(filter.result)}`);
  if (filter.from) where.add(`e.activity_at >= ${where.value(filter.from)}::timestamptz`);
  if (filter.to) where.add(`e.activity_at < ${where.value(filter.to)}::timestamptz`);
  if (after) where.add(`(e.activity_at, e.source, e.event_id) < (${where.value(after[0])}::timestamptz, ${where.value(after[1])}, ${where.value(after[2])})`);
  return where;
}

function addGroup(where: Where, group: string | undefined): void {
  if (!group) return;
  where.add(`(e.group_id = ${where.value(group.toLowerCase())} OR e.group_name ILIKE ${where.value(containing(group))})`);
}

/** Ids of the groups that open an application, by its id or a part of its name. */
const groupsOpening = (id: string, name: string): string =>
  `SELECT s.group_id::text FROM catalog_assignment AS s JOIN catalog_application AS p ON p.tenant_id = s.tenant_id AND p.service_principal_id = s.service_principal_id
   WHERE s.tenant_id = $1 AND (p.service_principal_id::text = ${id} OR p.display_name ILIKE ${name})`;

/** Events, newest first; those after the position, where there is one. */
export async function findEvents(db: Queryable, tenantId: string, filter: EventFilter, after: Position | undefined, limit: number): Promise<Listed<HistoryEvent>[]> {
  const where = whereEvents(tenantId, filter, after);
  const { rows } = await db.query<EventRow>(`SELECT ${EVENT} FROM audit_event AS e WHERE ${where.text()} ORDER BY e.activity_at DESC, e.source DESC, e.event_id DESC LIMIT ${where.value(limit)}`, where.parameters);
  return rows.map((row) => ({ row: eventOf(row), position: [row.at_text, row.source, row.event_id] }));
}

export interface StoredEvent {
  readonly event: HistoryEvent;
  readonly raw: string;
  readonly ingestedAt: string;
  readonly correlationId: string | null;
  readonly atText: string;
}

/** One event by its id; the key says in which month it lies. */
export async function findEvent(db: Queryable, tenantId: string, source: string, eventId: string): Promise<StoredEvent | undefined> {
  const { rows: [row] } = await db.query<EventRow & { raw: string; ingested_text: string; correlation_id: string | null }>(
    `SELECT ${EVENT}, e.raw, ${iso('e.ingested_at')} AS ingested_text, e.correlation_id FROM audit_event_key AS k
     JOIN audit_event AS e ON e.tenant_id = k.tenant_id AND e.activity_at = k.activity_at AND e.source = k.source AND e.event_id = k.event_id AND e.revision = k.revision
     WHERE k.tenant_id = $1 AND k.source = $2 AND k.event_id = $3 AND k.revision = 0`,
    [tenantId, source, eventId],
  );
  return row && { event: eventOf(row), raw: row.raw, ingestedAt: row.ingested_text, correlationId: row.correlation_id, atText: row.at_text };
}

/** The directory writes its own entry of what PIM did: same person, same group, this close. */
const TWIN = `interval '2 minutes'`;

/** Events of the same request, of the same correlation, and the twins that another service wrote of the same change; oldest first. */
export async function findRelated(db: Queryable, tenantId: string, { event, correlationId, atText }: StoredEvent, limit = 200): Promise<HistoryEvent[]> {
  const { rows } = await db.query<EventRow>(
    `SELECT * FROM (
       SELECT ${EVENT} FROM audit_event AS e WHERE e.tenant_id = $1 AND e.request_id = $2
       UNION SELECT ${EVENT} FROM audit_event AS e WHERE e.tenant_id = $1 AND e.correlation_id = $3 AND e.activity_at BETWEEN $4::timestamptz - interval '1 day' AND $4::timestamptz + interval '1 day'
       UNION SELECT ${EVENT} FROM audit_event AS e WHERE e.tenant_id = $1 AND e.group_id = $5 AND e.subject_id = $6 AND e.activity_at BETWEEN $4::timestamptz - ${TWIN} AND $4::timestamptz + ${TWIN}
     ) AS related WHERE (source, event_id) <> ($7, $8) ORDER BY at_text, source, event_id LIMIT $9`,
    [tenantId, event.requestId, correlationId, atText, event.groupId, event.subjectId, event.source, event.id.slice(event.source.length + 1), limit],
  );
  return rows.map(eventOf);
}

const ACTIVATION = `e.request_id, e.principal_id, e.principal_name, e.group_id, e.group_name, coalesce(opened.applications, '{}') AS applications, e.status, ${iso('e.requested_at')} AS requested_text, e.justification, e.ticket_number,
  ${iso('e.expires_at')} AS expires_text, e.decided_by, ${iso('e.decided_at')} AS decided_text, e.decision_reason, ${iso('e.provisioned_at')} AS provisioned_text, ${iso('e.ended_at')} AS ended_text, e.ended_how`;
const FROM_ACTIVATION = `FROM activation AS e LEFT JOIN (
    SELECT s.group_id::text AS group_id, array_agg(p.display_name ORDER BY p.display_name) AS applications FROM catalog_assignment AS s
    JOIN catalog_application AS p ON p.tenant_id = s.tenant_id AND p.service_principal_id = s.service_principal_id WHERE s.tenant_id = $1 GROUP BY s.group_id
  ) AS opened ON opened.group_id = e.group_id`;

interface ActivationRow {
  request_id: string; principal_id: string; principal_name: string; group_id: string; group_name: string; applications: string[]; status: HistoryActivation['status']; requested_text: string; justification: string | null; ticket_number: string | null;
  expires_text: string | null; decided_by: string | null; decided_text: string | null; decision_reason: string | null; provisioned_text: string | null; ended_text: string | null; ended_how: HistoryActivation['endedHow'];
}

const activationOf = (row: ActivationRow): HistoryActivation => ({
  requestId: row.request_id, principalId: row.principal_id, principalName: row.principal_name, groupId: row.group_id, groupName: row.group_name, applications: row.applications, status: row.status, requestedAt: row.requested_text,
  justification: row.justification, ticketNumber: row.ticket_number, expiresAt: row.expires_text, decidedBy: row.decided_by, decidedAt: row.decided_text, decisionReason: row.decision_reason, provisionedAt: row.provisioned_text,
  endedAt: row.ended_text, endedHow: row.ended_how,
});

/** Activations, the newest asked for first; those after the position, where there is one. */
export async function findActivations(db: Queryable, tenantId: string, filter: ActivationFilter, after: Position | undefined, limit: number): Promise<Listed<HistoryActivation>[]> {
  const where = conditionsOf(tenantId);
  if (filter.person) {
    const [id, name] = [where.value(filter.person.toLowerCase()), where.value(containing(filter.person))];
    where.add(`(e.principal_id = ${id} OR e.decided_by_id = ${id} OR e.principal_name ILIKE ${name} OR e.decided_by ILIKE ${name})`);
  }
  addGroup(where, filter.group);
  if (filter.application) where.add(`e.group_id IN (${groupsOpening(where.value(filter.application.toLowerCase()), where.value(containing(filter.application)))})`);
  if (filter.status) where.add(`e.status = ${where.value(filter.status)}`);
  if (filter.from) where.add(`e.requested_at >= ${where.value(filter.from)}::timestamptz`);
  if (filter.to) where.add(`e.requested_at < ${where.value(filter.to)}::timestamptz`);
  if (after) {
    const [at, id] = [where.value(after[0]), where.value(after[1])];
    // As the index runs: instants downwards, ids upwards.
    where.add(`e.requested_at <= ${at}::timestamptz AND (e.requested_at < ${at}::timestamptz OR e.request_id > ${id})`);
  }
  const { rows } = await db.query<ActivationRow>(`SELECT ${ACTIVATION} ${FROM_ACTIVATION} WHERE ${where.text()} ORDER BY e.requested_at DESC, e.request_id LIMIT ${where.value(limit)}`, where.parameters);
  return rows.map((row) => ({ row: activationOf(row), position: [row.requested_text, row.request_id] }));
}

export async function findActivation(db: Queryable, tenantId: string, requestId: string): Promise<HistoryActivation | undefined> {
  const { rows: [row] } = await db.query<ActivationRow>(`SELECT ${ACTIVATION} ${FROM_ACTIVATION} WHERE e.tenant_id = $1 AND e.request_id = $2`, [tenantId, requestId]);
  return row && activationOf(row);
}

/**
 * Every event of one activation, oldest first: those of its request, and those of the same person and group while it
 * lasted, since the end and the directory's own entries carry other ids. What belongs to another activation is left out.
 */
export async function findEventsOf(db: Queryable, tenantId: string, requestId: string, limit = 200): Promise<HistoryEvent[]> {
  const { rows } = await db.query<EventRow>(
    `SELECT * FROM (
       SELECT ${EVENT} FROM audit_event AS e WHERE e.tenant_id = $1 AND e.request_id = $2
       UNION SELECT ${EVENT} FROM activation AS a JOIN audit_event AS e ON e.tenant_id = a.tenant_id AND e.group_id = a.group_id AND e.subject_id = a.principal_id AND e.source = 'directory'
         AND e.activity_at >= a.requested_at
         AND e.activity_at <= CASE WHEN a.ended_at IS NOT NULL THEN a.ended_at + ${TWIN} WHEN a.provisioned_at IS NOT NULL THEN 'infinity' ELSE coalesce(a.decided_at, a.requested_at) + ${TWIN} END
       WHERE a.tenant_id = $1 AND a.request_id = $2
         AND e.kind IN ('activated', 'deactivation-requested', 'deactivated', 'expired', 'assignment-removed', 'member-added', 'member-removed')
         AND NOT EXISTS (SELECT 1 FROM activation AS other WHERE other.tenant_id = $1 AND other.request_id = e.request_id AND other.request_id <> $2)
         -- The directory's entry of the next activation, where that one begins before this one's twins may have come.
         AND NOT EXISTS (SELECT 1 FROM activation AS later WHERE later.tenant_id = $1 AND later.principal_id = a.principal_id AND later.group_id = a.group_id
           AND later.requested_at > a.requested_at AND later.requested_at <= e.activity_at AND e.kind IN ('activated', 'member-added'))
     ) AS events ORDER BY at_text, source, event_id LIMIT $3`,
    [tenantId, requestId, limit],
  );
  return rows.map(eventOf);
}

export async function readCoverage(db: Queryable, tenantId: string): Promise<Coverage> {
  const { rows: [row] } = await db.query<{ complete_from: string | null; watermark: string | null; last_error: string | null; sealed_text: string | null; is_stopped: boolean }>(
    `SELECT s.complete_from, s.watermark, s.last_error, (SELECT ${iso('max(signed_at)')} FROM ledger_checkpoint WHERE tenant_id = $1) AS sealed_text,
       EXISTS (SELECT 1 FROM ledger_sealer WHERE tenant_id = $1 AND alarm IS NOT NULL) AS is_stopped
     FROM (SELECT 1) AS one LEFT JOIN sync_source AS s ON s.tenant_id = $1 AND s.source = 'directory'`, [tenantId]);
  const { rows: gaps } = await db.query<{ from_at: Date; to_at: Date; cause: Coverage['gaps'][number]['cause']; is_open: boolean }>(
    `SELECT filled_to AS from_at, to_at, cause, closed_at IS NULL AS is_open FROM sync_gap WHERE tenant_id = $1 AND source = 'directory' AND closed_how IS DISTINCT FROM 'filled' AND to_at > $2::timestamptz AND filled_to < to_at ORDER BY from_at`,
    [tenantId, row?.complete_from ?? 'infinity'],
  );
  return {
    from: row?.complete_from ?? null, to: row?.watermark ?? null, lastError: row?.last_error ?? null,
    sealedTo: row?.sealed_text ?? null, isLedgerStopped: row?.is_stopped === true,
    gaps: gaps.map(({ from_at: from, to_at: to, cause, is_open: isOpen }) => ({ from: from.toISOString(), to: to.toISOString(), cause, fillableUntil: isOpen ? new Date(from.getTime() + RETENTION_MS).toISOString() : null })),
  };
}

/** How long Entra keeps its log (P1 and P2). */
const RETENTION_MS = 30 * 24 * 60 * 60_000;

/** Names that the filters can offer: of what is there now, and of groups that are gone but have a history. */
export async function findNames(db: Queryable, tenantId: string, limit = 1000): Promise<{ groups: string[]; applications: string[] }> {
  const { rows: groups } = await db.query<{ name: string }>(
    `SELECT DISTINCT name FROM (SELECT display_name AS name FROM catalog_group WHERE tenant_id = $1 UNION SELECT group_name FROM activation WHERE tenant_id = $1) AS named ORDER BY name LIMIT $2`, [tenantId, limit]);
  const { rows: applications } = await db.query<{ name: string }>('SELECT DISTINCT display_name AS name FROM catalog_application WHERE tenant_id = $1 ORDER BY name LIMIT $2', [tenantId, limit]);
  return { groups: groups.map(({ name }) => name), applications: applications.map(({ name }) => name) };
}

/**
 * All rows of a list, a page at a time, as they stood at the first: what is written meanwhile does not show, so nothing is
 * lost or doubled. Holds one connection until the reader is done or gone.
 */
export async function* snapshotOf<T>(db: Database, page: (connection: Queryable, after: Position | undefined, limit: number) => Promise<Listed<T>[]>, size = 1000): AsyncGenerator<T[]> {
  const connection = await db.pool.connect();
  let ended = false;
  try {
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    for (let after: Position | undefined; ;) {
      const rows = await page(connection, after, size);
      if (rows.length > 0) yield rows.map(({ row }) => row);
      after = rows.at(-1)?.position;
      if (rows.length < size) break;
    }
    await connection.query('COMMIT');
    ended = true;
  } finally {
    // A reader who left leaves an open transaction: the connection goes with it.
    connection.release(!ended);
  }
}
