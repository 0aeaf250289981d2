import { iso, type Database } from '@gatehouse/db';
import type { FactKind, Observed, Told, ToldKind } from './point-in-time.rules.ts';

/** What was known at an instant, read from the log alone: nothing here asks a table whose rows change. */

type Pool = Pick<Database['pool'], 'query'>;

/** Whose knowledge, and how far the ledger went then: a batch was known where its first leaf is below. */
export interface Known { readonly tenantId: string; readonly leaves: number }

/**
 * The condition that a row was known. Not by when it was received: what is received before an instant can be committed
 * after it. Asked for each row by its key: there are far more batches than rows in question.
 */
const wasKnown = (row: string, leaves: string): string => `(SELECT s.first_leaf FROM ledger_seal AS s WHERE s.tenant_id = ${row}.tenant_id AND s.batch_id = ${row}.batch_id) < ${leaves}::bigint`;

/** The end of the newest month of the log that was dropped; whatever was known of it once, it is not there to answer from. */
export async function findDroppedTo(db: Pool, tenantId: string): Promise<string | null> {
  const { rows: [row] } = await db.query<{ to: string | null }>(`SELECT ${iso(`((max(month) || '-01')::date + interval '1 month')::timestamp AT TIME ZONE 'UTC'`)} AS "to" FROM dropped_month WHERE tenant_id = $1 AND log = 'audit_event'`, [tenantId]);
  return row?.to ?? null;
}

export type ObservedRow = Omit<Observed, 'state'> & { readonly state: string | null };

/** Observations of these kinds about these groups, applications, persons or things; of everything, where nothing is named. */
export async function findObservations(db: Pool, { tenantId, leaves }: Known, kinds: readonly FactKind[], about: { readonly groupIds?: readonly string[]; readonly applicationIds?: readonly string[]; readonly things?: readonly string[] } = {}): Promise<ObservedRow[]> {
  const parameters: unknown[] = [tenantId, leaves, kinds];
  const conditions = Object.entries({ group_id: about.groupIds, application_id: about.applicationIds, thing: about.things }).flatMap(([column, values]) => (values ? [`o.${column} = ANY ($${parameters.push(values)})`] : []));
  const { rows } = await db.query<ObservedRow>(
    `SELECT o.batch_id || '.' || o.ordinal AS id, o.kind, o.thing, o.principal_id AS "principalId", o.group_id AS "groupId", o.application_id AS "applicationId", o.state, ${iso('o.valid_from')} AS "validFrom", o.basis,
       'directory:' || o.event_id AS "eventId", ${iso('o.not_before')} AS "notBefore", ${iso('o.observed_at')} AS "observedAt"
     FROM observation AS o WHERE o.tenant_id = $1 AND o.kind = ANY ($3) ${conditions.map((condition) => `AND ${condition}`).join(' ')} AND ${wasKnown('o', '$2')}
     ORDER BY o.batch_id, o.ordinal`, parameters);
  return rows;
}

/** The value of one of the details that PIM adds, as its JSON has them. */
const detail = (key: string): string => `substring(e.raw from '(?i)"key"\\s*:\\s*"${key}"\\s*,\\s*"value"\\s*:\\s*"([^"]+)"')`;

interface ToldRow {
  id: string; kind: ToldKind; at: string; subject_id: string; subject_name: string | null; group_id: string; group_name: string | null; request_id: string | null;
  starts: string | null; expires: string | null; permanent: boolean; by_pim: boolean; maybe_owner: string | null;
}

const TOLD = `e.source || ':' || e.event_id AS id, e.kind, ${iso('e.activity_at')} AS at, e.subject_id, e.subject_name, e.group_id, e.group_name, e.request_id,
  CASE WHEN e.kind IN ('eligible-added', 'assigned', 'activated') THEN ${detail('StartTime')} END AS starts, CASE WHEN e.kind IN ('eligible-added', 'assigned', 'activated') THEN ${detail('ExpirationTime')} END AS expires,
  e.activity ~* '\\(permanent\\)' OR e.kind = 'member-added' AS permanent, e.actor_name IS NOT DISTINCT FROM 'MS-PIM' AS by_pim, CASE WHEN e.raw ~* '"owner"' THEN e.raw END AS maybe_owner`;
const FROM_TOLD = `FROM audit_event AS e WHERE e.tenant_id = $1 AND e.group_id = ANY ($3) AND e.source = 'directory' AND e.revision = 0 AND e.result <> 'failure' AND e.subject_id IS NOT NULL AND e.activity_at <= $4::timestamptz`;

/**
 * What the audit log tells of the membership of these groups up to the instant. Of activations only those that can still
 * run then: PIM lets none be longer than a day, so that how many there were in all makes no difference.
 */
export async function findTold(db: Pool, { tenantId, leaves }: Known, groupIds: readonly string[], at: string): Promise<Told[]> {
  const { rows } = await db.query<ToldRow>(
    `SELECT ${TOLD} ${FROM_TOLD} AND ${wasKnown('e', '$2')}
       AND (e.kind IN ('eligible-added', 'eligible-removed', 'assigned', 'assignment-removed') OR (e.kind IN ('member-added', 'member-removed') AND e.actor_name IS DISTINCT FROM 'MS-PIM'))
     UNION ALL
     SELECT ${TOLD} ${FROM_TOLD} AND ${wasKnown('e', '$2')} AND e.activity_at > $4::timestamptz - interval '24 hours 5 minutes'
       AND (e.kind IN ('activated', 'deactivated', 'expired') OR (e.kind IN ('member-added', 'member-removed') AND e.actor_name = 'MS-PIM'))`,
    [tenantId, leaves, groupIds, at]);
  return rows.filter(({ maybe_owner: raw }) => raw === null || !isAboutOwners(raw)).map((row) => ({
    id: row.id, kind: row.kind, at: row.at, subjectId: row.subject_id, subjectName: row.subject_name, groupId: row.group_id, groupName: row.group_name, requestId: row.request_id,
    startsAt: instantOf(row.starts), expiresAt: instantOf(row.expires), permanent: row.permanent, byPim: row.by_pim,
  }));
}

/** The text of an instant in UTC with six decimals. */
function instantOf(text: string | null): string | null {
  const found = new Date(text ?? '');
  return Number.isNaN(found.getTime()) || !/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/i.test(text ?? '') ? null : found.toISOString().replace(/Z$/, '000Z');
}

/** Whether an entry of PIM is about the role of owner; one that cannot be read is not. */
function isAboutOwners(raw: string): boolean {
  try {
    const event = JSON.parse(raw) as { targetResources?: readonly { type?: unknown; id?: unknown; displayName?: unknown }[]; additionalDetails?: readonly { key?: unknown; value?: unknown }[] };
    const lower = (value: unknown): string => String(value ?? '').toLowerCase();
    return (event.targetResources ?? []).some(({ type, id, displayName }) => lower(type) === 'role' && (lower(id) === 'owner' || lower(displayName) === 'owner'))
      || (event.additionalDetails ?? []).some(({ key, value }) => lower(key) === 'templateid' && lower(value) === 'owner');
  } catch {
    return false;
  }
}

/** The last name of every application and every group that was ever seen. */
export async function findTargets(db: Pool, tenantId: string, kind: 'application' | 'group', limit = 2000): Promise<{ id: string; name: string; gone: boolean }[]> {
  const { rows } = await db.query<{ id: string; name: string; gone: boolean }>(
    `SELECT s.thing AS id, coalesce(last.state, s.state)::jsonb->>'displayName' AS name, s.state IS NULL AS gone
     FROM observed_state AS s LEFT JOIN LATERAL (
       SELECT o.state FROM observation AS o WHERE s.state IS NULL AND o.tenant_id = s.tenant_id AND o.kind = s.kind AND o.thing = s.thing AND o.state IS NOT NULL ORDER BY o.batch_id DESC, o.ordinal DESC LIMIT 1) AS last ON true
     WHERE s.tenant_id = $1 AND s.kind = $2 ORDER BY name, id LIMIT $3`, [tenantId, kind, limit]);
  return rows.map(({ id, name, gone }) => ({ id, name: name ?? id, gone }));
}
