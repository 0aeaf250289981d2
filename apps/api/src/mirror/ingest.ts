import { hash } from 'node:crypto';
import type { EventKind } from '@gatehouse/contracts';
import { copyRows, copyText, iso, type Connection } from '@gatehouse/db';
import type { Logger } from 'pino';
import { JOINED_KINDS, joinActivations, type ActivationRow } from './activations.ts';
import { inTransaction } from './database.ts';
import { LONGEST_ID, parseDirectoryEvent, type DirectoryEvent } from './directory-event.ts';
import type { Batch, Ingested, Received } from './source.ts';

const SOURCE = 'directory';
const JOINED: ReadonlySet<EventKind> = new Set(JOINED_KINDS);

interface Pair { readonly subjectId: string; readonly groupId: string }

/** An event as it is stored, all but what its batch decides. */
export interface EventRow extends DirectoryEvent {
  /** SHA-256 of the text as received. */
  readonly hash: string;
  /** Its columns, as COPY takes them, in UTF-8. */
  readonly copied: Buffer;
}

/** Reads an event, wherever it comes from. `receivedAt` stands for a time that it has not. */
export function readEvent(received: Received, receivedAt: Date): EventRow {
  const contentHash = hash('sha256', received.raw, 'hex');
  const event = parseDirectoryEvent(received, receivedAt.toISOString().replace('Z', '000Z'));
  // Without an id of its own, or with one that no index takes, an event is known by its content.
  const id = event.id === '' || event.id.length > LONGEST_ID ? `unidentified-${contentHash}` : event.id;
  const copied = Buffer.from(copyText([
    id, event.at, event.atRaw, event.activity, event.kind, event.service, event.result, event.reason, event.actorId, event.actorName, event.subjectId, event.subjectName,
    event.groupId, event.groupName, event.applicationId, event.applicationName, event.requestId, event.correlationId, event.raw, event.defect,
  ]));
  return { ...event, id, hash: contentHash, copied };
}

/** Reads events and takes them into the mirror: the way of whatever sends directory events, such as the demo's earlier history. */
export const ingest = (connection: Connection, log: Pick<Logger, 'warn'>, batch: Batch): Promise<Ingested> =>
  ingestRows(connection, log, { ...batch, events: batch.events.map((received) => readEvent(received, batch.receivedAt)) });

/**
 * Takes events into the mirror, each once, and joins the activations that they concern, in one transaction; of a bulk,
 * whose activations are marked instead, `joinStale` joins them. The same events again change nothing; an id with other
 * content is kept beside what was there as its next revision. The log is only ever inserted to.
 */
export async function ingestRows(connection: Connection, log: Pick<Logger, 'warn'>, { tenantId, events, receivedAt, bulk = false, meanwhile, also }: Batch<EventRow>): Promise<Ingested> {
  const { rounds, seen } = roundsOf(events);
  return inTransaction(connection, async () => {
    const months = [...new Set(rounds.flatMap((rows) => rows.map(({ at }) => `${at.slice(0, 7)}-01`)))].sort();
    // Two batches with events of the same person and group would each join without the other's, and count the same revision.
    await connection.query(`${LOCK}, (SELECT count(ensure_audit_partition(month)::text) FROM unnest($2::date[]) AS month)`, [tenantId, months]);

    const added: EventRow[] = [];
    const revised: EventRow[] = [];
    for (const rows of rounds) {
      const outcome = await insert(connection, { tenantId, receivedAt, meanwhile }, rows);
      added.push(...outcome.added);
      revised.push(...outcome.revised);
    }
    if (revised.length > 0) log.warn({ events: revised.slice(0, 20).map(({ id }) => id), count: revised.length }, 'audit events came again with other content, which is kept beside the first');

    const pairs = pairsOf(added);
    if (bulk) await markStale(connection, tenantId, pairs);
    else await rejoin(connection, tenantId, pairs);

    const outcome: Ingested = {
      added: added.length, known: rounds.reduce((sum, rows) => sum + rows.length, 0) - added.length, revised: revised.length,
      defects: added.filter(({ defect }) => defect !== null).length, kinds: new Set(added.map(({ kind }) => kind)), seen,
    };
    await also?.(connection, outcome);
    return outcome;
  });
}

/** Joins the activations that bulks left, some at a time, each in a transaction of its own. What a crash leaves stands where it stood. */
export async function joinStale(connection: Connection, tenantId: string): Promise<void> {
  for (let left = true; left;) {
    left = await inTransaction(connection, async () => {
      await connection.query(LOCK, [tenantId]);
      const { rows } = await connection.query<Pair>(
        `DELETE FROM activation_stale WHERE (tenant_id, subject_id, group_id) IN (SELECT tenant_id, subject_id, group_id FROM activation_stale WHERE tenant_id = $1 LIMIT 500)
         RETURNING subject_id AS "subjectId", group_id AS "groupId"`, [tenantId]);
      await rejoin(connection, tenantId, rows);
      return rows.length > 0;
    });
  }
}

const LOCK = `SELECT pg_advisory_xact_lock(hashtextextended('gatehouse.ingest:' || $1, 0))`;

/** What came, each content of each id once. The first round holds every id once; a further one, an id's next content. */
function roundsOf(events: readonly EventRow[]): { readonly rounds: readonly EventRow[][]; readonly seen: Ingested['seen'] } {
  const contents = new Map<string, Set<string>>();
  const rounds: EventRow[][] = [];
  const seen: { id: string; at: string }[] = [];
  for (const event of events) {
    const { id, at, defect } = event;
    const hashes = contents.get(id);
    if (hashes?.has(event.hash)) continue;
    if (hashes) hashes.add(event.hash);
    else {
      contents.set(id, new Set([event.hash]));
      if (defect === null) seen.push({ id, at });
    }
    (rounds[(hashes?.size ?? 1) - 1] ??= []).push(event);
  }
  return { rounds, seen };
}

/** First what is known of an event (`EventRow.copied`), then what its batch decides. */
const COLUMNS = `event_id, activity_at, activity_at_raw, activity, kind, service, result, result_reason, actor_id, actor_name, subject_id, subject_name,
  group_id, group_name, application_id, application_name, request_id, correlation_id, raw, defect, tenant_id, source, ingested_at, batch_id, revision, ordinal`;

/**
 * Adds those rows, of different ids, that are new or have another content than every one that is there, as one batch in the
 * order in which they came. Their keys go in first: PostgreSQL then says which those are, and only they travel.
 */
async function insert(connection: Connection, { tenantId, receivedAt, meanwhile }: Pick<Batch, 'tenantId' | 'receivedAt' | 'meanwhile'>, rows: readonly EventRow[]): Promise<{ readonly added: readonly EventRow[]; readonly revised: readonly EventRow[] }> {
  const isFresh = await insertKeys(connection, tenantId, rows);
  const others = rows.filter((row) => !isFresh(row));
  const revisions = others.length === 0 ? NO_REVISIONS : await insertRevisions(connection, tenantId, others);
  const added = revisions.size === 0 && others.length === 0 ? rows : rows.filter((row) => isFresh(row) || revisions.has(row.id));
  if (added.length === 0) return { added, revised: [] };

  const { rows: [batch] } = await connection.query<{ id: string }>(
    `WITH batch AS (INSERT INTO log_batch (tenant_id, log, source, received_at, rows) VALUES ($1, 'audit_event', '${SOURCE}', $2, $3) RETURNING batch_id)
     INSERT INTO log_unsealed (tenant_id, batch_id) SELECT $1, batch_id FROM batch RETURNING batch_id AS id`,
    [tenantId, receivedAt.toISOString(), added.length],
  );
  const common = copyText([tenantId, SOURCE, receivedAt.toISOString(), batch?.id ?? null]);
  const copying = copyRows(connection, `audit_event (${COLUMNS})`, Buffer.concat(added.flatMap(({ copied, id }, ordinal) => [copied, Buffer.from(`\t${common}\t${revisions.get(id) ?? 0}\t${ordinal}\n`)])));
  meanwhile?.();
  await copying;
  return { added, revised: added.filter(({ id }) => revisions.has(id)) };
}

const NO_REVISIONS: ReadonlyMap<string, number> = new Map();

const keysOf = (rows: readonly EventRow[]): [string[], string[], string[]] => [rows.map(({ id }) => id), rows.map((row) => `\\x${row.hash}`), rows.map(({ at }) => at)];
const CAME = 'unnest($2::text[], $3::bytea[], $4::timestamptz[]) AS came (event_id, content_hash, activity_at)';

/** Answers which of the rows have an id that was not there. */
async function insertKeys(connection: Connection, tenantId: string, rows: readonly EventRow[]): Promise<(row: EventRow) => boolean> {
  // The ids come back only where they say something: as a rule everything is new.
  const { rows: [fresh] } = await connection.query<{ count: number; ids: string[] | null }>(
    `WITH fresh AS (
       INSERT INTO audit_event_key (tenant_id, source, event_id, revision, content_hash, activity_at)
       SELECT $1, '${SOURCE}', event_id, 0, content_hash, activity_at FROM ${CAME} ON CONFLICT DO NOTHING RETURNING event_id
     ) SELECT count(*)::int AS count, CASE WHEN count(*) < $5 THEN array_agg(event_id) END AS ids FROM fresh`,
    [tenantId, ...keysOf(rows), rows.length],
  );
  if (fresh?.count === rows.length) return () => true;
  const ids = new Set(fresh?.ids);
  return ({ id }) => ids.has(id);
}

/** Answers the revision of each row whose id was there, with other content. */
async function insertRevisions(connection: Connection, tenantId: string, rows: readonly EventRow[]): Promise<ReadonlyMap<string, number>> {
  const { rows: added } = await connection.query<{ id: string; revision: number }>(
    `INSERT INTO audit_event_key (tenant_id, source, event_id, revision, content_hash, activity_at)
     SELECT $1, '${SOURCE}', came.event_id, max(k.revision) + 1, came.content_hash, came.activity_at
     FROM ${CAME} JOIN audit_event_key AS k ON k.tenant_id = $1 AND k.source = '${SOURCE}' AND k.event_id = came.event_id
     GROUP BY came.event_id, came.content_hash, came.activity_at HAVING bool_and(k.content_hash <> came.content_hash)
     RETURNING event_id AS id, revision`,
    [tenantId, ...keysOf(rows)],
  );
  return new Map(added.map(({ id, revision }) => [id, revision]));
}

/** People and groups of whose activations the rows tell. */
function pairsOf(rows: readonly EventRow[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { kind, subjectId, groupId } of rows) {
    if (subjectId !== null && groupId !== null && JOINED.has(kind)) pairs.set(`${subjectId}/${groupId}`, { subjectId, groupId });
  }
  return [...pairs.values()];
}

async function markStale(connection: Connection, tenantId: string, pairs: readonly Pair[]): Promise<void> {
  if (pairs.length === 0) return;
  await connection.query(
    'INSERT INTO activation_stale (tenant_id, subject_id, group_id) SELECT $1, * FROM unnest($2::text[], $3::text[]) ON CONFLICT DO NOTHING',
    [tenantId, pairs.map(({ subjectId }) => subjectId), pairs.map(({ groupId }) => groupId)],
  );
}

/** Joins every person and group anew, from what was received first of each event. */
async function rejoin(connection: Connection, tenantId: string, pairs: readonly Pair[]): Promise<void> {
  if (pairs.length === 0) return;
  const subjects = pairs.map(({ subjectId }) => subjectId);
  const groups = pairs.map(({ groupId }) => groupId);
  const { rows: stored } = await connection.query<{ id: string; at: string; at_raw: string; raw: string; subject_id: string; group_id: string }>(
    `SELECT e.event_id AS id, ${iso('e.activity_at')} AS at, e.activity_at_raw AS at_raw, e.raw, e.subject_id, e.group_id
     FROM audit_event AS e JOIN unnest($2::text[], $3::text[]) AS pair (subject_id, group_id) ON e.subject_id = pair.subject_id AND e.group_id = pair.group_id
     WHERE e.tenant_id = $1 AND e.source = '${SOURCE}' AND e.revision = 0 AND e.kind = ANY ($4::text[])`,
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
