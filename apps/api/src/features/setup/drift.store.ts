import { Difference, SetupDefinition, type EventKind } from '@gatehouse/contracts';
import { iso, type Database, type Tx } from '@gatehouse/db';
import type { Baseline, DriftEvent } from './drift.rules.ts';

/** What the watch keeps of each setup, and what it asks of the mirror, as rows. */

export interface WatchedSetup {
  readonly id: string;
  readonly name: string;
  readonly definition: SetupDefinition;
  readonly groupId: string;
  readonly updatedAt: Date;
  /** When the last run of it ended. */
  readonly appliedAt: Date | null;
  /** `undefined`: nobody looked yet. */
  readonly seen: Seen | undefined;
  /** Why the look after that failed, or the first. */
  readonly failure: string | null;
}

/** What the last look found. */
export interface Seen {
  readonly lookedAt: Date;
  readonly baseline: Baseline;
  readonly differences: readonly Difference[];
  readonly suspects: readonly string[];
  readonly notSeen: readonly string[];
  readonly askedAt: Date | null;
}

interface Row {
  readonly id: string; readonly name: string; readonly definition: unknown; readonly group_id: string; readonly updated_at: Date; readonly applied_at: Date | null; readonly is_running: boolean;
  readonly looked_at: Date | null; readonly baseline: unknown; readonly differences: unknown; readonly suspects: string[] | null; readonly not_seen: string[] | null; readonly failure: string | null; readonly asked_at: Date | null;
}

/** Setups that stand, with a group; those that a run is just changing are named apart. */
export async function watchedSetups(db: Pick<Database, 'pool'>, tenantId: string): Promise<readonly (WatchedSetup & { readonly isRunning: boolean })[]> {
  const { rows } = await db.pool.query<Row>(
    `SELECT s.id, s.name, s.definition, s.group_id, s.updated_at, d.looked_at, d.baseline, d.differences, d.suspects, d.not_seen, d.failure, d.asked_at,
            (SELECT max(r.finished_at) FROM setup_run r WHERE r.tenant_id = s.tenant_id AND r.setup_id = s.id) AS applied_at,
            EXISTS (SELECT FROM setup_run r WHERE r.tenant_id = s.tenant_id AND r.setup_id = s.id AND r.status = 'running') AS is_running
       FROM setup s LEFT JOIN setup_drift d ON d.tenant_id = s.tenant_id AND d.setup_id = s.id
      WHERE s.tenant_id = $1 AND s.retired_at IS NULL AND s.group_id IS NOT NULL
      ORDER BY d.looked_at NULLS FIRST, s.id`, [tenantId]);
  return rows.map((row) => ({
    id: row.id, name: row.name, definition: SetupDefinition.parse(row.definition), groupId: row.group_id, updatedAt: row.updated_at, appliedAt: row.applied_at, isRunning: row.is_running, failure: row.failure,
    seen: row.looked_at === null ? undefined : {
      lookedAt: row.looked_at, baseline: row.baseline as Baseline, differences: Difference.array().parse(row.differences), suspects: row.suspects ?? [], notSeen: row.not_seen ?? [], askedAt: row.asked_at,
    },
  }));
}

/** What the last look at each setup found, in figures; of a setup whose first look failed, that it did. */
export async function driftFigures(db: Pick<Database, 'pool'>, tenantId: string, setupId?: string): Promise<ReadonlyMap<string, { readonly lookedAt: string | null; readonly differences: number; readonly bypasses: number; readonly notSeen: readonly string[]; readonly failure: string | null; readonly settingsDiffer: boolean | null }>> {
  const { rows } = await db.pool.query<{ setupId: string; lookedAt: Date | null; differences: number; bypasses: number; notSeen: string[]; failure: string | null; settingsDiffer: boolean | null }>(
    `SELECT setup_id AS "setupId", looked_at AS "lookedAt", coalesce(not_seen, '{}') AS "notSeen", failure, coalesce(jsonb_array_length(differences), 0) AS differences,
            coalesce(jsonb_array_length(jsonb_path_query_array(differences, '$[*] ? (@.severity == "bypass")')), 0) AS bypasses,
            jsonb_path_exists(differences, '$[*] ? (@.kind == "role-settings" || @.kind == "owner-role-settings")') AS "settingsDiffer"
       FROM setup_drift WHERE tenant_id = $1 AND ($2::uuid IS NULL OR setup_id = $2::uuid) AND (looked_at IS NOT NULL OR failure IS NOT NULL)`, [tenantId, setupId ?? null]);
  return new Map(rows.map(({ setupId: id, lookedAt, ...figures }) => [id, { ...figures, lookedAt: lookedAt?.toISOString() ?? null }]));
}

/** Keeps what a look found, unless a later one was kept meanwhile, or the setup was changed under it; `false` then. Holds the setup's row: who changes it waits. */
export async function keepLook(tx: Tx, tenantId: string, setup: Pick<WatchedSetup, 'id' | 'updatedAt'>, look: Omit<Seen, 'askedAt'>): Promise<boolean> {
  const kept = await tx.$queryRaw<unknown[]>`
    INSERT INTO setup_drift (tenant_id, setup_id, looked_at, baseline, differences, suspects, not_seen)
    SELECT tenant_id, id, ${look.lookedAt}, ${JSON.stringify(look.baseline)}::jsonb, ${JSON.stringify(look.differences)}::jsonb, ${look.suspects}::text[], ${look.notSeen}::text[]
      FROM setup WHERE tenant_id = ${tenantId}::uuid AND id = ${setup.id}::uuid AND updated_at = ${setup.updatedAt} AND retired_at IS NULL
       AND NOT EXISTS (SELECT FROM setup_run r WHERE r.tenant_id = setup.tenant_id AND r.setup_id = setup.id AND r.status = 'running')
       FOR UPDATE OF setup
    ON CONFLICT (tenant_id, setup_id) DO UPDATE
      SET looked_at = excluded.looked_at, baseline = excluded.baseline, differences = excluded.differences, suspects = excluded.suspects, not_seen = excluded.not_seen, failure = NULL
      WHERE setup_drift.looked_at IS NULL OR setup_drift.looked_at <= excluded.looked_at
    RETURNING 1`;
  return kept.length > 0;
}

/** Says beside what the last look found, if there was one, that a later one could not be made. */
export async function keepFailure(db: Pick<Database, 'pool'>, tenantId: string, setupId: string, sentence: string): Promise<void> {
  await db.pool.query(
    `INSERT INTO setup_drift (tenant_id, setup_id, looked_at, baseline, differences, suspects, not_seen, failure) VALUES ($1, $2, NULL, '{}', '[]', '{}', '{}', $3)
     ON CONFLICT (tenant_id, setup_id) DO UPDATE SET failure = excluded.failure`, [tenantId, setupId, sentence]);
}

/** Marks every setup for a look; answers how many there are. */
export async function askForLooks(db: Pick<Database, 'pool'>, tenantId: string, at: Date): Promise<number> {
  await db.pool.query('UPDATE setup_drift SET asked_at = $2, failure = NULL WHERE tenant_id = $1', [tenantId, at.toISOString()]);
  const { rows } = await db.pool.query<{ count: number }>('SELECT count(*)::int AS count FROM setup WHERE tenant_id = $1 AND retired_at IS NULL AND group_id IS NOT NULL', [tenantId]);
  return rows[0]?.count ?? 0;
}

/** Whom events that came into the mirror since then concern: nothing is asked of Graph for it. */
export async function touchedSince(db: Pick<Database, 'pool'>, tenantId: string, since: Date, kinds: readonly EventKind[]): Promise<readonly { readonly groupId: string | null; readonly applicationId: string | null; readonly applicationName: string | null; readonly at: Date }[]> {
  const { rows } = await db.pool.query<{ groupId: string | null; applicationId: string | null; applicationName: string | null; at: Date }>(
    `SELECT group_id AS "groupId", application_id AS "applicationId", lower(application_name) AS "applicationName", max(ingested_at) AS at
       FROM log_batch AS b JOIN audit_event AS e USING (tenant_id, batch_id)
       WHERE b.tenant_id = $1 AND b.source = 'directory' AND b.received_at >= $2 AND kind = ANY ($3) GROUP BY 1, 2, 3`, [tenantId, since.toISOString(), kinds]);
  return rows;
}

/** A change that nobody put back is found by its newest event, however long ago: this many are looked through. */
const EVENTS = 500;

/** Events that may explain the differences of a setup, newest first. */
export async function eventsAbout(db: Pick<Database, 'pool'>, tenantId: string, about: { readonly groupId: string; readonly applicationIds: readonly string[]; readonly applicationNames: readonly string[] }, kinds: readonly EventKind[]): Promise<readonly DriftEvent[]> {
  const { rows } = await db.pool.query<DriftEvent>(
    `SELECT event_id AS "eventId", ${iso('activity_at')} AS at, activity, kind, actor_name AS "actorName", subject_id AS "subjectId", group_id AS "groupId", application_id AS "applicationId", application_name AS "applicationName"
       FROM audit_event
      WHERE tenant_id = $1 AND source = 'directory' AND result = 'success' AND kind = ANY ($5) AND (group_id = $2 OR application_id = ANY ($3) OR lower(application_name) = ANY ($4))
      ORDER BY activity_at DESC LIMIT ${EVENTS}`, [tenantId, about.groupId, about.applicationIds, about.applicationNames, kinds]);
  return rows;
}
