import { Segment } from '@gatehouse/contracts';
import type { Tx } from '@gatehouse/db';
import type { Place } from './doctor.rules.ts';

/** Private Access applications of the catalog that were read since then. */
export async function findPlaces(db: Tx, tenantId: string, since: Date): Promise<readonly Place[]> {
  const rows = await db.catalogApplication.findMany({ where: { tenantId, kind: { in: ['quick-access', 'per-app'] }, readAt: { gte: since } } });
  return rows.map((row): Place => ({
    id: row.servicePrincipalId, displayName: row.displayName, kind: row.kind === 'quick-access' ? 'quick-access' : 'per-app',
    segments: Segment.array().catch([]).parse(row.segments),
  }));
}

/** Groups of setups that are to open the application. */
export async function findDesignedGroups(db: Tx, tenantId: string, application: { readonly id: string; readonly displayName: string }): Promise<readonly string[]> {
  const names = (wish: Record<string, string>) => ({ definition: { path: ['applications'], array_contains: [wish] } });
  const rows = await db.setup.findMany({
    where: { tenantId, retiredAt: null, groupId: { not: null }, OR: [names({ servicePrincipalId: application.id.toLowerCase() }), names({ kind: 'new', displayName: application.displayName })] },
    select: { groupId: true },
  });
  return rows.flatMap(({ groupId }) => groupId ?? []);
}

/** When the person's eligibility for each of the groups ended last, as the mirror has it. */
export async function findEligibilityEnds(db: Tx, tenantId: string, principalId: string, groupIds: readonly string[]): Promise<ReadonlyMap<string, Date>> {
  const rows = await db.auditEvent.findMany({
    where: { tenantId, subjectId: principalId.toLowerCase(), groupId: { in: [...groupIds] }, kind: 'eligible-removed', result: 'success' },
    select: { groupId: true, activityAt: true }, orderBy: { activityAt: 'asc' },
  });
  return new Map(rows.flatMap(({ groupId, activityAt }) => (groupId === null ? [] : [[groupId, activityAt] as const])));
}
