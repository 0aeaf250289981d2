import type { ApprovalItem } from '@gatehouse/contracts';
import type { Tx } from '@gatehouse/db';
import { addMinutes } from '../../core/durations.ts';

export interface StoredDecision {
  readonly tenantId: string;
  readonly id: string;
  readonly approvalId: string;
  readonly approverId: string;
  readonly approverName: string;
  readonly decision: string;
  readonly justification: string;
  readonly status: string;
  readonly createdAt: Date;
  readonly settledAt: Date | null;
}

/** Records what an approver is about to ask of Entra. */
export async function insertDecision(tx: Tx, decision: Omit<StoredDecision, 'status' | 'settledAt'>): Promise<StoredDecision> {
  return tx.approvalDecision.create({ data: { ...decision, status: 'asked' } });
}

/** Says how it ended, once: false means that it was settled already. */
export async function settleDecision(tx: Tx, row: Pick<StoredDecision, 'tenantId' | 'id'>, status: 'decided' | 'failed', at: Date): Promise<boolean> {
  const { count } = await tx.approvalDecision.updateMany({ where: { tenantId: row.tenantId, id: row.id, status: 'asked' }, data: { status, settledAt: at } });
  return count === 1;
}

/** An approver's own decisions since an instant, newest first: those that stand, and those whose answer was lost. */
export async function findDecisions(db: Tx, tenantId: string, approverId: string, since: Date): Promise<readonly StoredDecision[]> {
  return db.approvalDecision.findMany({ where: { tenantId, approverId, createdAt: { gte: since }, status: { in: ['asked', 'decided'] } }, orderBy: { createdAt: 'desc' }, take: 100 });
}

/** Whether the portal recorded the request behind an approval as the person's own; by the portal's id of it, too. */
export async function isOwnRequest(db: Tx, tenantId: string, principalId: string, approvalId: string): Promise<boolean> {
  return (await db.accessRequest.count({ where: { tenantId, principalId, OR: [{ entraRequestId: approvalId }, { id: approvalId }] } })) > 0;
}

/** The newest activations of a group by a person, from the mirror; not the one that waits. */
export async function findLastActivations(db: Tx, tenantId: string, principalId: string, groupId: string, exceptRequestId: string): Promise<ApprovalItem['lastActivations']> {
  const rows = await db.activation.findMany({
    where: { tenantId, principalId, groupId, requestId: { not: exceptRequestId } },
    orderBy: { requestedAt: 'desc' },
    take: 3,
    select: { requestedAt: true, status: true, justification: true },
  });
  return rows.map((row) => ({ ...row, requestedAt: row.requestedAt.toISOString() }));
}

const DAY_MINUTES = 24 * 60;

/** How often a person had a group, of what the mirror has: requests that led to a membership. */
export async function countActivations(db: Tx, tenantId: string, principalId: string, groupId: string, now: Date): Promise<ApprovalItem['activations']> {
  const since = (days: number): Promise<number> => db.activation.count({ where: { tenantId, principalId, groupId, provisionedAt: { gte: addMinutes(now, -days * DAY_MINUTES) } } });
  const [last30Days, last90Days] = await Promise.all([since(30), since(90)]);
  return { last30Days, last90Days };
}

/** Since when the history that activations are joined from is without a gap. */
export async function findHistoryStart(db: Tx, tenantId: string): Promise<string | null> {
  const [source, gap] = await Promise.all([
    db.syncSource.findUnique({ where: { tenantId_source: { tenantId, source: 'directory' } }, select: { completeFrom: true } }),
    db.syncGap.findFirst({ where: { tenantId, source: 'directory', OR: [{ closedHow: null }, { closedHow: 'lost' }] }, orderBy: { toAt: 'desc' }, select: { toAt: true } }),
  ]);
  const completeFrom = source?.completeFrom ?? null;
  return completeFrom !== null && gap && gap.toAt > new Date(completeFrom) ? gap.toAt.toISOString() : completeFrom;
}

/** Whom and what decided approvals concerned, as far as the mirror or the recorded requests know. */
export async function findConcerned(db: Tx, tenantId: string, approvalIds: readonly string[]): Promise<ReadonlyMap<string, { readonly requesterName: string; readonly groupName: string | null }>> {
  const among = { in: [...approvalIds] };
  const [requests, activations] = await Promise.all([
    db.accessRequest.findMany({ where: { tenantId, entraRequestId: among }, select: { entraRequestId: true, principalName: true, groupId: true } }),
    db.activation.findMany({ where: { tenantId, requestId: among }, select: { requestId: true, principalName: true, groupName: true } }),
  ]);
  const groups = await db.catalogGroup.findMany({ where: { tenantId, groupId: { in: requests.map((row) => row.groupId) } }, select: { groupId: true, displayName: true } });
  const nameOf = new Map(groups.map((group) => [group.groupId, group.displayName]));
  return new Map([
    ...requests.map((row) => [row.entraRequestId ?? '', { requesterName: row.principalName, groupName: nameOf.get(row.groupId) ?? null }] as const),
    ...activations.map((row) => [row.requestId, { requesterName: row.principalName, groupName: row.groupName }] as const),
  ]);
}
