import { NETWORK_MAY_STAY_OPEN_MINUTES, TrafficClosed, type HostReached, type TrafficCoverage, type UncoveredConnection, type UnusedActivation } from '@gatehouse/contracts';
import { iso, type Database } from '@gatehouse/db';
import type { Position } from '../../core/cursors.ts';
import { comparable, type Activated, type Judged, type Read, type Span } from './connections.rules.ts';

type Pool = Pick<Database['pool'], 'query'>;

/** A row and where it stands in its list. */
export interface Listed<T> { readonly row: T; readonly position: Position }

/** How far the mirror has the traffic log and the audit log. */
export async function readCoverages(db: Pool, tenantId: string): Promise<{ readonly traffic: TrafficCoverage; readonly directory: Read }> {
  const { rows } = await db.query<{ source: string; complete_from: string | null; watermark: string | null; last_error: string | null; closed: string | null }>(
    // Behind the last gap: of what lies before one, nobody can say that there was nothing.
    `SELECT source, greatest(complete_from::timestamptz, (SELECT max(to_at) FROM sync_gap AS g WHERE g.tenant_id = s.tenant_id AND g.source = s.source AND g.closed_how IS DISTINCT FROM 'filled' AND g.to_at > s.complete_from::timestamptz))::text AS complete_from,
       watermark, last_error, closed FROM sync_source AS s WHERE tenant_id = $1 AND source IN ('traffic', 'directory')`, [tenantId]);
  const of = (source: string): Read & { lastError: string | null; closed: TrafficClosed | null } => {
    const row = rows.find((one) => one.source === source);
    // Without an end nothing is complete, whatever the beginning says.
    const to = comparable(row?.watermark ?? null);
    return { from: to === null ? null : comparable(row?.complete_from ?? null), to, lastError: row?.last_error ?? null, closed: TrafficClosed.safeParse(row?.closed).data ?? null };
  };
  const { from, to } = of('directory');
  return { traffic: of('traffic'), directory: { from, to } };
}

/** An activation of the mirror, by its request id. */
export async function findActivated(db: Pool, tenantId: string, requestId: string): Promise<(Activated & { readonly groupId: string }) | undefined> {
  const { rows: [row] } = await db.query<{ principal_id: string; group_id: string; provisioned: string | null; ended: string | null; expires: string | null }>(
    `SELECT principal_id, group_id, ${iso('provisioned_at')} AS provisioned, ${iso('ended_at')} AS ended, ${iso('expires_at')} AS expires FROM activation WHERE tenant_id = $1 AND request_id = $2`, [tenantId, requestId]);
  return row && { principalId: row.principal_id, groupId: row.group_id, provisionedAt: row.provisioned, endedAt: row.ended, expiresAt: row.expires };
}

/** Applications that the group `$2` opens through Private Access, as the traffic log names them. */
const OPENED_BY_GROUP = `SELECT p.app_id, p.display_name FROM catalog_assignment AS s
  JOIN catalog_application AS p ON p.tenant_id = s.tenant_id AND p.service_principal_id = s.service_principal_id
  WHERE s.tenant_id = $1 AND s.group_id::text = $2 AND p.app_id IS NOT NULL AND p.kind <> 'enterprise'`;

/** What the group opened may be another thing now: an assignment of it was changed since then. */
const changedSince = (group: string, since: string): string =>
  `EXISTS (SELECT 1 FROM audit_event AS change WHERE change.tenant_id = $1 AND change.group_id = ${group} AND change.kind = 'application-changed' AND change.activity_at >= ${since})`;

export interface Through { readonly principalId: string; readonly groupId: string; readonly span: Span }

/** Whether the group opens anything through Private Access, and whether that was changed since. */
export async function findOpening(db: Pool, tenantId: string, groupId: string, since: string): Promise<{ readonly opens: boolean; readonly changedSince: boolean }> {
  const { rows: [row] } = await db.query<{ opens: boolean; changed: boolean }>(`SELECT EXISTS (${OPENED_BY_GROUP}) AS opens, ${changedSince('$2', '$3::timestamptz')} AS changed`, [tenantId, groupId, since]);
  return { opens: row?.opens ?? false, changedSince: row?.changed ?? false };
}

/** When somebody was first let through to what a group opens, within the span. */
export async function findFirstAllowed(db: Pool, tenantId: string, { principalId, groupId, span }: Through): Promise<string | null> {
  const { rows: [row] } = await db.query<{ first: string | null }>(
    `SELECT ${iso('min(c.created_at)')} AS first FROM network_connection AS c
     WHERE c.tenant_id = $1 AND c.user_id = $3 AND c.action = 'allow' AND c.application_id IN (SELECT app_id FROM (${OPENED_BY_GROUP}) AS opened)
       AND c.created_at >= $4::timestamptz AND c.created_at <= coalesce($5::timestamptz, 'infinity')`,
    [tenantId, groupId, principalId, span.from, span.until],
  );
  return row?.first ?? null;
}

/** Where somebody was let through to of what a group opens, within the span; the first reached first. */
export async function findHostsReached(db: Pool, tenantId: string, { principalId, groupId, span }: Through, limit: number): Promise<HostReached[]> {
  const { rows } = await db.query<{ host: string | null; port: number | null; application: string; first: string; last: string; count: number }>(
    `SELECT coalesce(c.destination_host, c.destination_ip) AS host, c.destination_port AS port, opened.display_name AS application, ${iso('min(c.created_at)')} AS first, ${iso('max(c.created_at)')} AS last, count(*)::int AS count
     FROM network_connection AS c JOIN (${OPENED_BY_GROUP}) AS opened ON opened.app_id = c.application_id
     WHERE c.tenant_id = $1 AND c.user_id = $3 AND c.action = 'allow' AND c.created_at >= $4::timestamptz AND c.created_at <= coalesce($5::timestamptz, 'infinity')
     GROUP BY 1, 2, 3 ORDER BY min(c.created_at), 1, 2 LIMIT $6`,
    [tenantId, groupId, principalId, span.from, span.until, limit],
  );
  return rows.map(({ host, port, application, first, last, count }) => ({ host, port, applicationName: application, firstAt: first, lastAt: last, count }));
}

const TAIL = `interval '${NETWORK_MAY_STAY_OPEN_MINUTES} minutes'`;

/**
 * Connections that were let through, within the time, to what PIM-managed groups open, while no activation of that person
 * covered them; newest first. An activation of a group whose assignments were changed since, or that is gone, may have
 * opened it then: it counts as covering.
 */
export async function findUncovered(db: Pool, tenantId: string, judged: Judged, after: Position | undefined, limit: number): Promise<Listed<UncoveredConnection>[]> {
  const { rows } = await db.query<{ event_id: string; at: string; user_id: string; upn: string | null; host: string | null; port: number | null; application: string; groups: string[] }>(
    `WITH opened AS (
       SELECT p.app_id, p.display_name, array_agg(s.group_id::text) AS group_ids, array_agg(g.display_name ORDER BY g.display_name) AS groups
       FROM catalog_application AS p JOIN catalog_assignment AS s ON s.tenant_id = p.tenant_id AND s.service_principal_id = p.service_principal_id
       JOIN catalog_group AS g ON g.tenant_id = s.tenant_id AND g.group_id = s.group_id
       WHERE p.tenant_id = $1 AND p.app_id IS NOT NULL AND p.kind <> 'enterprise' GROUP BY p.app_id, p.display_name
     )
     SELECT c.event_id, ${iso('c.created_at')} AS at, c.user_id, c.user_principal_name AS upn, coalesce(c.destination_host, c.destination_ip) AS host, c.destination_port AS port, opened.display_name AS application, opened.groups
     FROM network_connection AS c JOIN opened ON opened.app_id = c.application_id
     WHERE c.tenant_id = $1 AND c.action = 'allow' AND c.user_id IS NOT NULL AND c.created_at >= $2::timestamptz AND c.created_at <= $3::timestamptz
       AND ($4::timestamptz IS NULL OR (c.created_at, c.event_id) < ($4::timestamptz, $5::text))
       AND NOT EXISTS (
         SELECT 1 FROM activation AS a WHERE a.tenant_id = $1 AND a.principal_id = c.user_id
           AND a.provisioned_at <= c.created_at AND c.created_at <= coalesce(a.ended_at, a.expires_at, 'infinity') + ${TAIL}
           AND (a.group_id = ANY (opened.group_ids) OR ${changedSince('a.group_id', 'c.created_at')}
             OR NOT EXISTS (SELECT 1 FROM catalog_group AS g WHERE g.tenant_id = $1 AND g.group_id::text = a.group_id)))
     ORDER BY c.created_at DESC, c.event_id DESC LIMIT $6`,
    [tenantId, judged.from, judged.to, after?.[0] ?? null, after?.[1] ?? null, limit],
  );
  return rows.map((row) => ({
    row: { id: row.event_id, at: row.at, principalId: row.user_id, principalName: row.upn ?? row.user_id, host: row.host, port: row.port, applicationName: row.application, groups: row.groups },
    position: [row.at, row.event_id],
  }));
}

/**
 * Activations that began and ended within the time, and of which the traffic log has no connection; what ended last first.
 * Left out is what cannot be sure: a group whose assignments were changed since, and a person with a connection that may
 * belong here: not refused, and to an application that nobody knows.
 */
export async function findUnused(db: Pool, tenantId: string, judged: Judged, after: Position | undefined, limit: number): Promise<Listed<UnusedActivation>[]> {
  const { rows } = await db.query<{ request_id: string; principal_id: string; principal_name: string; group_name: string; applications: string[]; justification: string | null; provisioned: string; ended: string }>(
    `SELECT a.request_id, a.principal_id, a.principal_name, a.group_name, opened.names AS applications, a.justification, ${iso('a.provisioned_at')} AS provisioned, ${iso('a.ended_at')} AS ended
     FROM activation AS a
     CROSS JOIN LATERAL (
       SELECT array_agg(p.app_id) AS app_ids, array_agg(p.display_name ORDER BY p.display_name) AS names FROM catalog_assignment AS s
       JOIN catalog_application AS p ON p.tenant_id = s.tenant_id AND p.service_principal_id = s.service_principal_id
       WHERE s.tenant_id = $1 AND s.group_id::text = a.group_id AND p.app_id IS NOT NULL AND p.kind <> 'enterprise'
     ) AS opened
     WHERE a.tenant_id = $1 AND a.status = 'ended' AND a.provisioned_at >= $2::timestamptz AND a.ended_at <= $3::timestamptz AND opened.app_ids IS NOT NULL
       AND ($4::timestamptz IS NULL OR (a.ended_at, a.request_id) < ($4::timestamptz, $5::text))
       AND NOT ${changedSince('a.group_id', 'a.provisioned_at')}
       AND NOT EXISTS (
         SELECT 1 FROM network_connection AS c WHERE c.tenant_id = $1 AND (c.user_id = a.principal_id OR c.user_id IS NULL) AND c.action <> 'block'
           AND c.created_at >= a.provisioned_at AND c.created_at <= a.ended_at + ${TAIL}
           AND (c.application_id IS NULL OR c.application_id = ANY (opened.app_ids)
             OR NOT EXISTS (SELECT 1 FROM catalog_application AS p WHERE p.tenant_id = $1 AND p.app_id = c.application_id)))
     ORDER BY a.ended_at DESC, a.request_id DESC LIMIT $6`,
    [tenantId, judged.from, judged.to, after?.[0] ?? null, after?.[1] ?? null, limit],
  );
  return rows.map((row) => ({
    row: { requestId: row.request_id, principalId: row.principal_id, principalName: row.principal_name, groupName: row.group_name, applications: row.applications, justification: row.justification, provisionedAt: row.provisioned, endedAt: row.ended },
    position: [row.ended, row.request_id],
  }));
}
