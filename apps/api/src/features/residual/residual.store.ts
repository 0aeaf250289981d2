import { violates, type Tx } from '@gatehouse/db';
import { PortalError } from '../../core/errors.ts';
import type { Membership, RecordedRevocation } from './residual.rules.ts';

/** A recorded revocation with what only the database knows of it. */
export interface StoredRevocation extends RecordedRevocation {
  readonly tenantId: string;
  readonly id: string;
  readonly principalName: string;
  readonly justification: string | null;
}

export interface RevocationIntent {
  readonly tenantId: string;
  readonly id: string;
  readonly principalId: string;
  readonly principalName: string;
  readonly groupId: string;
  readonly askedById: string;
  readonly askedBy: string;
  readonly justification: string | null;
  readonly createdAt: Date;
}

/** Records what is about to be done. The database refuses a second one of the same person and group that is under way. */
export async function insertRevocation(tx: Tx, intent: RevocationIntent): Promise<StoredRevocation> {
  try {
    return await tx.revocation.create({ data: { ...intent, status: 'asked' } });
  } catch (error) {
    if (!violates(error, 'revocation_one_open')) throw error;
    throw new PortalError('conflict', { detail: 'This access is being ended right now, perhaps by somebody else. Reload to see how it goes.', cause: error });
  }
}

/** How it ended; only once, but that it took effect is true whatever was thought of it before. */
export async function settleRevocation(tx: Tx, { tenantId, id }: Pick<StoredRevocation, 'tenantId' | 'id'>, outcome: { readonly status: 'revoked' | 'failed'; readonly failure: string | null; readonly revokedAt: Date | null; readonly settledAt: Date }): Promise<boolean> {
  const from = outcome.status === 'revoked' ? ['asked', 'failed'] : ['asked'];
  const { count } = await tx.revocation.updateMany({ where: { tenantId, id, status: { in: from } }, data: outcome });
  return count === 1;
}

/** Remembers that the membership was seen to be gone. */
export async function setGone(db: Tx, { tenantId, id }: Pick<StoredRevocation, 'tenantId' | 'id'>, goneAt: Date): Promise<void> {
  await db.revocation.updateMany({ where: { tenantId, id, goneAt: null }, data: { goneAt } });
}

/** Those that were asked for before then, and of which nothing is known since. */
export async function findAsked(db: Tx, tenantId: string, askedBefore: Date): Promise<readonly StoredRevocation[]> {
  return db.revocation.findMany({ where: { tenantId, status: 'asked', createdAt: { lt: askedBefore } } });
}

/** Revocations since then, of everybody or of one person. */
export async function findRevocations(db: Tx, tenantId: string, since: Date, principalId?: string): Promise<readonly StoredRevocation[]> {
  return db.revocation.findMany({ where: { tenantId, createdAt: { gte: since }, ...(principalId !== undefined && { principalId }) }, orderBy: { createdAt: 'asc' } });
}

/**
 * Memberships that may be there or ended since then, of everybody or of one person: as the portal recorded them and as the
 * mirror has them, so that one may be told of twice.
 */
export async function findMemberships(db: Tx, tenantId: string, endedSince: Date, principalId?: string): Promise<readonly Membership[]> {
  const whose = { tenantId, ...(principalId !== undefined && { principalId }) };
  const [recorded, mirrored] = await Promise.all([
    db.accessRequest.findMany({ where: { ...whose, action: 'activate', OR: [{ status: 'active' }, { status: 'ended', endsAt: { gte: endedSince } }] } }),
    db.activation.findMany({ where: { ...whose, provisionedAt: { not: null }, OR: [{ status: 'active', OR: [{ expiresAt: null }, { expiresAt: { gte: endedSince } }] }, { status: 'ended', endedAt: { gte: endedSince } }] } }),
  ]);
  return [
    ...recorded.map((row) => ({
      requestId: row.entraRequestId, principalId: row.principalId, principalName: row.principalName, groupId: row.groupId,
      since: row.provisionedAt ?? row.startsAt ?? row.createdAt, beganAt: row.provisionedAt, endsAt: row.status === 'active' ? row.endsAt : null, endedAt: row.status === 'ended' ? row.endsAt : null,
    })),
    ...mirrored.flatMap((row) => (row.provisionedAt === null ? [] : [{
      requestId: row.requestId, principalId: row.principalId, principalName: row.principalName, groupId: row.groupId,
      since: row.provisionedAt, beganAt: row.provisionedAt, endsAt: row.expiresAt, endedAt: row.endedAt,
    }])),
  ];
}
