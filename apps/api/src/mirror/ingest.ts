import { createHash } from 'node:crypto';
import type { EventKind } from '@gatehouse/contracts';
import type { Connection } from '@gatehouse/db';
import type { Logger } from 'pino';
import { JOINED_KINDS, joinActivations, type ActivationRow } from './activations.ts';
import { inTransaction } from './database.ts';
import { LONGEST_ID, parseDirectoryEvent, type DirectoryEvent, type ReceivedEvent } from './directory-event.ts';

export interface Batch {
  readonly tenantId: string;
  readonly events: readonly ReceivedEvent[];
  readonly receivedAt: Date;
  /** Further writes of the same transaction, such as the watermark: rows and watermark are kept together or not at all. */
  readonly also?: (connection: Connection, outcome: Ingested) => Promise<void>;
}

export interface Ingested {
  readonly added: number;
  /** Events that were in the mirror already. */
  readonly known: number;
  /** Events whose id was in the mirror with other content: what was stored first stays. */
  readonly changed: number;
  readonly kinds: ReadonlySet<EventKind>;
}

const SOURCE = 'directory';

/**
 * Takes events into the mirror, each once, and joins the activations anew that they concern, in one transaction. Pages of
 * Graph and the demo's earlier history come in by this one way. The same events again change nothing.
 */
export async function ingest(connection: Connection, log: Pick<Logger, 'warn'>, { tenantId, events, receivedAt, also }: Batch): Promise<Ingested> {
  const fallbackAt = receivedAt.toISOString().replace('Z', '000Z');
  const rows = new Map<string, DirectoryEvent & { readonly hash: string }>();
  const revised = new Set<string>();
  for (const received of events) {
    const hash = createHash('sha256').update(received.raw).digest('hex');
    const event = parseDirectoryEvent(received, fallbackAt);
    // Without an id of its own, or with one that no index takes, an event is known by its content.
    const id = event.id === '' || event.id.length > LONGEST_ID ? `unidentified-${hash}` : event.id;
    const standing = rows.get(id);
    if (!standing) rows.set(id, { ...event, id, hash });
    else if (standing.hash !== hash) revised.add(id);
  }

  return inTransaction(connection, async () => {
    // Two batches with events of the same person and group would each join without the other's.
    await connection.query(`SELECT pg_advisory_xact_lock(hashtextextended('gatehouse.ingest:' || $1, 0))`, [tenantId]);
    const added = rows.size === 0 ? [] : await insertEvents(connection, tenantId, receivedAt, [...rows.values()]);
    const fresh = new Set(added);
    const known = [...rows.values()].filter((row) => !fresh.has(row));
    for (const id of await findRevised(connection, tenantId, known)) revised.add(id);
    if (revised.size > 0) log.warn({ events: [...revised].slice(0, 20), count: revised.size }, 'audit events came again with other content; what was stored first stays');
    await rejoin(connection, tenantId, added);
    const outcome: Ingested = { added: added.length, known: known.length, changed: revised.size, kinds: new Set(added.map(({ kind }) => kind)) };
    await also?.(connection, outcome);
    return outcome;
  });
}

type Row = DirectoryEvent & { readonly hash: string };

/** Inserts what is new and answers it. The page travels as one parameter and is taken apart in SQL. */
async function insertEvents(connection: Connection, tenantId: string, receivedAt: Date, rows: readonly Row[]): Promise<Row[]> {
  const months = [...new Set(rows.map(({ at }) => `${at.slice(0, 7)}-01`))];
  await connection.query('SELECT ensure_audit_partition(month) FROM unnest($1::date[]) AS month', [months]);
  const { rows: inserted } = await connection.query<{ id: string }>(
    `WITH event AS (SELECT value AS e, ordinality AS place FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY),
     fresh AS (
       INSERT INTO audit_event_key (tenant_id, source, event_id, content_hash, activity_at)
       SELECT $1, '${SOURCE}', e->>'id', decode(e->>'hash', 'hex'), (e->>'at')::timestamptz FROM event
       ON CONFLICT (tenant_id, source, event_id, revision) DO NOTHING RETURNING event_id
     ),
     batch AS (
       INSERT INTO log_batch (tenant_id, log, source, received_at, rows)
       SELECT $1, 'audit_event', '${SOURCE}', $3, count(*) FROM fresh HAVING count(*) > 0 RETURNING batch_id
     ),
     unsealed AS (INSERT INTO log_unsealed (tenant_id, batch_id) SELECT $1, batch_id FROM batch)
     INSERT INTO audit_event (tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, result_reason,
       actor_id, actor_name, subject_id, subject_name, group_id, group_name, application_id, application_name, request_id, correlation_id, raw, ingested_at, batch_id, ordinal)
     SELECT $1, '${SOURCE}', e->>'id', (e->>'at')::timestamptz, e->>'atRaw', e->>'activity', e->>'kind', e->>'service', e->>'result', e->>'reason',
       e->>'actorId', e->>'actorName', e->>'subjectId', e->>'subjectName', e->>'groupId', e->>'groupName', e->>'applicationId', e->>'applicationName',
       e->>'requestId', e->>'correlationId', e->>'raw', $3, batch_id, row_number() OVER (ORDER BY place) - 1
     FROM event JOIN fresh ON fresh.event_id = e->>'id', batch
     RETURNING event_id AS id`,
    [tenantId, JSON.stringify(rows), receivedAt.toISOString()],
  );
  const ids = new Set(inserted.map(({ id }) => id));
  return rows.filter(({ id }) => ids.has(id));
}

async function findRevised(connection: Connection, tenantId: string, rows: readonly Row[]): Promise<string[]> {
  if (rows.length === 0) return [];
  const { rows: found } = await connection.query<{ id: string }>(
    `SELECT k.event_id AS id FROM unnest($2::text[], $3::text[]) AS seen (id, hash)
     JOIN audit_event_key AS k ON k.tenant_id = $1 AND k.source = '${SOURCE}' AND k.event_id = seen.id
     WHERE k.content_hash <> decode(seen.hash, 'hex')`,
    [tenantId, rows.map(({ id }) => id), rows.map(({ hash }) => hash)],
  );
  return found.map(({ id }) => id);
}

/** Joins every person and group anew of which there is something new. */
async function rejoin(connection: Connection, tenantId: string, added: readonly Row[]): Promise<void> {
  const pairs = new Map<string, { readonly subjectId: string; readonly groupId: string }>();
  for (const { kind, subjectId, groupId } of added) {
    if (subjectId !== null && groupId !== null && JOINED_KINDS.includes(kind)) pairs.set(`${subjectId}/${groupId}`, { subjectId, groupId });
  }
  if (pairs.size === 0) return;
  const subjects = [...pairs.values()].map(({ subjectId }) => subjectId);
  const groups = [...pairs.values()].map(({ groupId }) => groupId);
  const { rows: stored } = await connection.query<{ id: string; at: string; at_raw: string; raw: string; subject_id: string; group_id: string }>(
    `SELECT e.event_id AS id, to_char(e.activity_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, e.activity_at_raw AS at_raw, e.raw, e.subject_id, e.group_id
     FROM audit_event AS e JOIN unnest($2::text[], $3::text[]) AS pair (subject_id, group_id) ON e.subject_id = pair.subject_id AND e.group_id = pair.group_id
     WHERE e.tenant_id = $1 AND e.source = '${SOURCE}' AND e.kind = ANY ($4::text[])`,
    [tenantId, subjects, groups, JOINED_KINDS],
  );
  const ofPair = Map.groupBy(stored, (row) => `${row.subject_id}/${row.group_id}`);
  const activations = new Map<string, ActivationRow>();
  for (const rows of ofPair.values()) {
    const events = rows.map((row) => ({ ...parseDirectoryEvent({ id: row.id, activityDateTime: row.at_raw, raw: row.raw }, row.at), id: row.id, at: row.at }));
    // A request id belongs to one person and one group; where a log says otherwise, the first stands.
    for (const activation of joinActivations(events)) if (!activations.has(activation.requestId)) activations.set(activation.requestId, activation);
  }
  await connection.query(
    `DELETE FROM activation AS a USING unnest($2::text[], $3::text[]) AS pair (subject_id, group_id)
     WHERE a.tenant_id = $1 AND a.principal_id = pair.subject_id AND a.group_id = pair.group_id`,
    [tenantId, subjects, groups],
  );
  await connection.query(
    `INSERT INTO activation (tenant_id, request_id, principal_id, principal_name, group_id, group_name, status, requested_at, justification, ticket_number, ticket_system,
       starts_at, expires_at, decided_by_id, decided_by, decided_at, decision_reason, provisioned_at, ended_at, ended_how)
     SELECT $1, a->>'requestId', a->>'principalId', a->>'principalName', a->>'groupId', a->>'groupName', a->>'status', (a->>'requestedAt')::timestamptz,
       a->>'justification', a->>'ticketNumber', a->>'ticketSystem', (a->>'startsAt')::timestamptz, (a->>'expiresAt')::timestamptz,
       a->>'decidedById', a->>'decidedBy', (a->>'decidedAt')::timestamptz, a->>'decisionReason', (a->>'provisionedAt')::timestamptz, (a->>'endedAt')::timestamptz, a->>'endedHow'
     FROM jsonb_array_elements($2::jsonb) AS a
     ON CONFLICT (tenant_id, request_id) DO NOTHING`,
    [tenantId, JSON.stringify([...activations.values()])],
  );
}
