import { iso } from '@gatehouse/db';
import type { RightEvent, SettingsEvent } from './insights.rules.ts';
import { run, type Queryable } from './sql.ts';

const KINDS = ['assigned', 'assignment-removed', 'member-added', 'member-removed', 'eligible-added', 'eligible-removed'];

/** The latest of each kind for each person and group: by them is known who has a right and who gave it. What PIM itself adds to a group is an activation or an assignment, of which it tells in words of its own. */
export function findRights(db: Queryable, tenantId: string): Promise<RightEvent[]> {
  return run<RightEvent>(db,
    `SELECT * FROM (
       SELECT DISTINCT ON (e.subject_id, e.group_id, e.kind) e.source || ':' || e.event_id AS "eventId", e.kind, ${iso('e.activity_at')} AS at, e.actor_name AS "actorName",
         e.subject_id AS "personId", coalesce(e.subject_name, e.subject_id) AS person, e.group_id AS "groupId", coalesce(e.group_name, e.group_id) AS "group"
       FROM unnest($2::text[]) AS k (kind), LATERAL (SELECT * FROM audit_event AS e WHERE e.tenant_id = $1 AND e.kind = k.kind AND e.result = 'success' AND e.source = 'directory' AND e.subject_id IS NOT NULL AND e.group_id IS NOT NULL
         AND (e.kind <> 'member-added' OR e.actor_name IS NULL OR e.actor_name NOT IN ('MS-PIM', 'Azure AD PIM'))) AS e
       ORDER BY e.subject_id, e.group_id, e.kind, e.activity_at DESC
     ) AS latest ORDER BY at, "eventId"`, [tenantId, KINDS]);
}

/** When each person last had each group by activation. */
export async function findLastActivations(db: Queryable, tenantId: string): Promise<Map<string, string>> {
  const rows = await run<{ pair: string; at: string }>(db, `SELECT principal_id || ' ' || group_id AS pair, ${iso('max(provisioned_at)')} AS at FROM activation WHERE tenant_id = $1 AND provisioned_at IS NOT NULL GROUP BY principal_id, group_id`, [tenantId]);
  return new Map(rows.map(({ pair, at }) => [pair, at]));
}

export function findSettingsEvents(db: Queryable, tenantId: string): Promise<SettingsEvent[]> {
  return run<SettingsEvent>(db,
    `SELECT e.source || ':' || e.event_id AS "eventId", ${iso('e.activity_at')} AS at, e.group_id AS "groupId", coalesce(e.group_name, e.group_id) AS "group", e.actor_name AS "actorName", e.actor_id AS "actorId", e.raw
     FROM audit_event AS e WHERE e.tenant_id = $1 AND e.kind = 'role-settings-changed' AND e.result = 'success' AND e.source = 'directory' AND e.group_id IS NOT NULL ORDER BY e.activity_at, e.batch_id, e.ordinal LIMIT 20000`, [tenantId]);
}

export interface FoundActivation { readonly personId: string; readonly person: string; readonly groupId: string; readonly group: string; readonly at: string; readonly requestId: string; readonly times: number; readonly detail: string | null }

/** Activations that began outside of the working hours or at a weekend, as a clock in the zone shows: one a person and group, the newest. */
export function findOutOfHours(db: Queryable, tenantId: string, { from, timeZone, opens, closes }: { readonly from: string; readonly timeZone: string; readonly opens: number; readonly closes: number }): Promise<FoundActivation[]> {
  return run<FoundActivation>(db,
    `SELECT DISTINCT ON (a.principal_id, a.group_id) a.principal_id AS "personId", a.principal_name AS person, a.group_id AS "groupId", a.group_name AS "group", ${iso('a.provisioned_at')} AS at, a.request_id AS "requestId",
       (count(*) OVER (PARTITION BY a.principal_id, a.group_id))::int AS times, to_char(a.local, 'Dy HH24:MI') AS detail
     FROM (SELECT *, provisioned_at AT TIME ZONE $3 AS local FROM activation WHERE tenant_id = $1 AND requested_at >= $2::timestamptz AND provisioned_at IS NOT NULL) AS a
     WHERE extract(isodow FROM a.local) > 5 OR extract(hour FROM a.local) < $4 OR extract(hour FROM a.local) >= $5
     ORDER BY a.principal_id, a.group_id, a.provisioned_at DESC`, [tenantId, from, timeZone, opens, closes]);
}

/** The same reason given at least five times by a person for a group, or one of less than four letters and digits, however often. Case and spaces make no difference. */
export function findRepeatedReasons(db: Queryable, tenantId: string, from: string): Promise<FoundActivation[]> {
  return run<FoundActivation>(db,
    `SELECT principal_id AS "personId", max(principal_name) AS person, group_id AS "groupId", max(group_name) AS "group", ${iso('max(requested_at)')} AS at, (array_agg(request_id ORDER BY requested_at DESC))[1] AS "requestId", count(*)::int AS times,
       (array_agg(justification ORDER BY requested_at DESC))[1] AS detail
     FROM (SELECT *, lower(regexp_replace(trim(coalesce(justification, '')), '\\s+', ' ', 'g')) AS reason FROM activation WHERE tenant_id = $1 AND requested_at >= $2::timestamptz AND coalesce(ticket_number, '') = '') AS a
     GROUP BY principal_id, group_id, reason HAVING count(*) >= 5 OR length(regexp_replace(reason, '[^[:alnum:]]', '', 'g')) < 4`, [tenantId, from]);
}

/** Approved sooner after the request than anybody reads it. */
export function findQuickApprovals(db: Queryable, tenantId: string, from: string, seconds: number): Promise<FoundActivation[]> {
  return run<FoundActivation>(db,
    `SELECT coalesce(decided_by_id, decided_by, '') AS "personId", coalesce(decided_by, 'Not named') AS person, group_id AS "groupId", max(group_name) AS "group", ${iso('max(decided_at)')} AS at, (array_agg(request_id ORDER BY decided_at DESC))[1] AS "requestId",
       count(*)::int AS times, round(min(extract(epoch FROM decided_at - requested_at)))::text AS detail
     FROM activation WHERE tenant_id = $1 AND requested_at >= $2::timestamptz AND decided_at IS NOT NULL AND status <> 'denied' AND decided_at - requested_at < make_interval(secs => $3)
     GROUP BY decided_by_id, decided_by, group_id`, [tenantId, from, seconds]);
}
