import type { Connection, Database } from '@gatehouse/db';
import { GraphError, type AppAssignment, type ApplicationSegment, type Graph, type GraphApplication } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import { storable } from '../core/text.ts';
import { readRoleSettings } from '../features/setup/setup.ts';
import { inTransaction, withConnection } from './database.ts';
import { observeCatalog } from './observations/catalog.ts';

export interface CatalogDeps {
  /** The portal's own Graph, read-only. */
  readonly appGraph: Pick<Graph, 'pim' | 'directory' | 'applications'>;
  readonly db: Pick<Database, 'pool'>;
  readonly clock: Clock;
  readonly tenantId: string;
  readonly log: Pick<Logger, 'warn'>;
}

/** How many groups or applications are read at once. */
const AT_ONCE = 4;

export interface GroupRow {
  readonly groupId: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly settings: unknown;
  /** Whether the settings were read; those that could not be read stay as they were. */
  readonly settingsRead: boolean;
}

export interface ApplicationRow {
  readonly servicePrincipalId: string;
  readonly appId: string;
  readonly displayName: string;
  readonly kind: string;
  readonly assignmentRequired: boolean;
  readonly segments: readonly { readonly host: string; readonly ports: readonly string[]; readonly protocol: string }[];
}

export interface AssignmentRow {
  readonly groupId: string;
  readonly servicePrincipalId: string;
}

/**
 * Reads which groups PIM manages, what their activation asks for, and which applications they open, and puts it in the
 * place of what was known, in one transaction. A reading that breaks off changes nothing. It is as old as its beginning:
 * what a reading that began later found meanwhile stays.
 */
export async function syncCatalog(deps: CatalogDeps): Promise<void> {
  const { appGraph, db, clock, tenantId } = deps;
  const beganAt = clock.now();
  const [groupIds, published] = await Promise.all([appGraph.pim.onboardedGroups(), appGraph.applications.privateAccess()]);
  const managed = [...new Set(groupIds.map(lower))];
  const groups = (await eachOf(managed, (groupId) => readGroup(deps, groupId))).flatMap((group) => group ?? []);

  const segments = await appGraph.applications.segmentsOfAll(published.map(({ appId }) => appId));
  const opened = await eachOf(published, async (application) => ({
    row: applicationRow(application, segments.get(application.appId) ?? []),
    assignments: await orElse(appGraph.applications.assignmentsOf(application.servicePrincipalId), []),
  }));
  const ofGroups = await eachOf(groups, ({ groupId }) => orElse(appGraph.applications.assignmentsOfGroup(groupId), []));
  const assignments = assignmentsOf(groups, [...opened.flatMap((one) => one.assignments), ...ofGroups.flat()]);
  // Enterprise applications are read where one of the groups opens them.
  const others = [...new Set(assignments.map((one) => one.servicePrincipalId))].filter((id) => !opened.some((one) => one.row.servicePrincipalId === id));
  const enterprise = (await eachOf(others, (id) => appGraph.applications.application(id))).flatMap((application) => (application ? [applicationRow(application, [])] : []));

  await withConnection(db, (connection) => inTransaction(connection, async () => {
    await lockCatalog(connection, tenantId);
    const applications = [...opened.map((one) => one.row), ...enterprise];
    await upsertGroups(connection, tenantId, groups, beganAt);
    await upsertApplications(connection, tenantId, applications, beganAt);
    await connection.query('DELETE FROM catalog_group WHERE tenant_id = $1 AND group_id <> ALL ($2::uuid[]) AND read_at <= $3', [tenantId, groups.map((one) => one.groupId), beganAt.toISOString()]);
    await connection.query('DELETE FROM catalog_application WHERE tenant_id = $1 AND service_principal_id <> ALL ($2::uuid[]) AND read_at <= $3', [tenantId, applications.map((one) => one.servicePrincipalId), beganAt.toISOString()]);
    await replaceAssignments(connection, tenantId, undefined, assignments, beganAt);
    await observeCatalog(connection, { tenantId, beganAt, observedAt: clock.now(), groups, applications, assignments });
  }));
}

/** Reads one group anew: after a setup was applied, or where the catalog is seen to be behind. A group that is gone, or that PIM does not manage, leaves. */
export async function refreshGroup(deps: CatalogDeps, id: string): Promise<void> {
  const { appGraph, db, clock, tenantId } = deps;
  const groupId = lower(id);
  const beganAt = clock.now();
  const [managed, group, granted] = await Promise.all([appGraph.pim.onboardedGroups(), readGroup(deps, groupId), orElse(appGraph.applications.assignmentsOfGroup(groupId), [])]);
  const groups = group && managed.map(lower).includes(groupId) ? [group] : [];
  const assignments = assignmentsOf(groups, granted);
  const applications = await eachOf([...new Set(assignments.map((one) => one.servicePrincipalId))], async (servicePrincipalId) => {
    const application = await appGraph.applications.application(servicePrincipalId);
    return application && applicationRow(application, application.kind === 'enterprise' ? [] : await orElse(appGraph.applications.segments(application.appId), []));
  });
  await withConnection(db, (connection) => inTransaction(connection, async () => {
    await lockCatalog(connection, tenantId);
    await upsertGroups(connection, tenantId, groups, beganAt);
    await upsertApplications(connection, tenantId, applications.flatMap((row) => row ?? []), beganAt);
    if (groups.length === 0) await connection.query('DELETE FROM catalog_group WHERE tenant_id = $1 AND group_id = $2::uuid AND read_at <= $3', [tenantId, groupId, beganAt.toISOString()]);
    await replaceAssignments(connection, tenantId, groupId, assignments, beganAt);
  }));
}

const lower = (id: string): string => id.toLowerCase();

async function readGroup({ appGraph, log }: CatalogDeps, groupId: string): Promise<GroupRow | undefined> {
  const group = await appGraph.directory.group(groupId);
  if (!group) return undefined;
  const common = { groupId, displayName: storable(group.displayName), description: group.description === undefined ? null : storable(group.description) };
  try {
    return { ...common, settings: readRoleSettings((await appGraph.pim.policy(groupId, 'member')).rules), settingsRead: true };
  } catch (error) {
    // One group's policy that cannot be read (a new group is not known to PIM at once) holds up nobody else's.
    if (!(error instanceof GraphError) || (error.failure !== 'not-found' && error.failure !== 'forbidden' && error.failure !== 'unexpected')) throw error;
    log.warn({ groupId, failure: error.failure }, 'the role settings of a group could not be read');
    return { ...common, settings: null, settingsRead: false };
  }
}

function applicationRow(application: GraphApplication, segments: readonly ApplicationSegment[]): ApplicationRow {
  return {
    servicePrincipalId: lower(application.servicePrincipalId), appId: lower(application.appId), displayName: storable(application.displayName), kind: application.kind, assignmentRequired: application.assignmentRequired,
    segments: segments.map(({ destinationHost, ports, protocol }) => ({ host: storable(destinationHost), ports: ports.map((range) => /^(\d+)-\1$/.exec(range)?.[1] ?? range), protocol })),
  };
}

function assignmentsOf(groups: readonly GroupRow[], assignments: readonly AppAssignment[]): AssignmentRow[] {
  const managed = new Set(groups.map(({ groupId }) => groupId));
  const found = assignments
    .map(({ principalId, servicePrincipalId }) => ({ groupId: lower(principalId), servicePrincipalId: lower(servicePrincipalId) }))
    .filter(({ groupId }) => managed.has(groupId));
  return [...new Map(found.map((row) => [`${row.groupId}/${row.servicePrincipalId}`, row])).values()];
}

/** What was deleted between one call and the next has nothing more to tell. */
async function orElse<T>(call: Promise<readonly T[]>, instead: readonly T[]): Promise<readonly T[]> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof GraphError && error.failure === 'not-found') return instead;
    throw error;
  }
}

async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let index = 0; index < items.length; index += AT_ONCE) results.push(...await Promise.all(items.slice(index, index + AT_ONCE).map(work)));
  return results;
}

async function lockCatalog(connection: Connection, tenantId: string): Promise<void> {
  await connection.query(`SELECT pg_advisory_xact_lock(hashtextextended('gatehouse.catalog:' || $1, 0))`, [tenantId]);
}

async function upsertGroups(connection: Connection, tenantId: string, groups: readonly GroupRow[], readAt: Date): Promise<void> {
  await connection.query(
    `INSERT INTO catalog_group (tenant_id, group_id, display_name, description, settings, read_at)
     SELECT $1, (g->>'groupId')::uuid, g->>'displayName', g->>'description', nullif(g->'settings', 'null'::jsonb), $3 FROM jsonb_array_elements($2::jsonb) AS g
     ON CONFLICT (tenant_id, group_id) DO UPDATE SET display_name = excluded.display_name, description = excluded.description,
       settings = CASE WHEN catalog_group.group_id = ANY ($4::uuid[]) THEN excluded.settings ELSE catalog_group.settings END,
       read_at = CASE WHEN catalog_group.group_id = ANY ($4::uuid[]) THEN excluded.read_at ELSE catalog_group.read_at END
       WHERE catalog_group.read_at <= excluded.read_at`,
    [tenantId, JSON.stringify(groups), readAt.toISOString(), groups.filter(({ settingsRead }) => settingsRead).map(({ groupId }) => groupId)],
  );
}

async function upsertApplications(connection: Connection, tenantId: string, applications: readonly ApplicationRow[], readAt: Date): Promise<void> {
  await connection.query(
    `INSERT INTO catalog_application (tenant_id, service_principal_id, app_id, display_name, kind, assignment_required, segments, read_at)
     SELECT $1, (a->>'servicePrincipalId')::uuid, a->>'appId', a->>'displayName', a->>'kind', (a->>'assignmentRequired')::boolean, a->'segments', $3 FROM jsonb_array_elements($2::jsonb) AS a
     ON CONFLICT (tenant_id, service_principal_id) DO UPDATE SET app_id = excluded.app_id, display_name = excluded.display_name, kind = excluded.kind, assignment_required = excluded.assignment_required, segments = excluded.segments, read_at = excluded.read_at
       WHERE catalog_application.read_at <= excluded.read_at`,
    [tenantId, JSON.stringify(applications), readAt.toISOString()],
  );
}

/** All assignments, or those of one group; without those of groups that a later reading found. */
async function replaceAssignments(connection: Connection, tenantId: string, groupId: string | undefined, assignments: readonly AssignmentRow[], readAt: Date): Promise<void> {
  const later = 'SELECT group_id FROM catalog_group WHERE tenant_id = $1 AND read_at > $3';
  await connection.query(`DELETE FROM catalog_assignment WHERE tenant_id = $1 AND ($2::uuid IS NULL OR group_id = $2::uuid) AND group_id NOT IN (${later})`, [tenantId, groupId ?? null, readAt.toISOString()]);
  await connection.query(
    `INSERT INTO catalog_assignment (tenant_id, group_id, service_principal_id)
     SELECT $1, (a->>'groupId')::uuid, (a->>'servicePrincipalId')::uuid FROM jsonb_array_elements($2::jsonb) AS a WHERE (a->>'groupId')::uuid NOT IN (${later})`,
    [tenantId, JSON.stringify(assignments), readAt.toISOString()],
  );
}
