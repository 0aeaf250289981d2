import { RoleSettingsAsRead } from '@gatehouse/contracts';
import { violates, type Tx } from '@gatehouse/db';
import { PortalError } from '../../core/errors.ts';

export interface StoredEligibilityRequest {
  readonly tenantId: string;
  readonly id: string;
  readonly principalId: string;
  readonly principalName: string;
  readonly groupId: string;
  readonly action: string;
  readonly until: Date;
  readonly justification: string;
  readonly createdAt: Date;
}

/** Records what is about to be asked. The database refuses a second one of the person for the group that is on its way. */
export async function insertEligibilityRequest(tx: Tx, intent: StoredEligibilityRequest): Promise<StoredEligibilityRequest> {
  try {
    return await tx.eligibilityRequest.create({ data: { ...intent, status: 'asked' } });
  } catch (error) {
    if (!violates(error, 'eligibility_request_one_open')) throw error;
    throw new PortalError('eligibility-refused', { detail: 'You asked for this already, perhaps in another window.', cause: error });
  }
}

/** How the asking ended; only once. */
export async function settleEligibilityRequest(tx: Tx, { tenantId, id }: Pick<StoredEligibilityRequest, 'tenantId' | 'id'>, outcome: { readonly status: 'sent' | 'failed'; readonly entraRequestId: string | null; readonly failure: string | null; readonly settledAt: Date }): Promise<boolean> {
  const { count } = await tx.eligibilityRequest.updateMany({ where: { tenantId, id, status: 'asked' }, data: outcome });
  return count === 1;
}

/** A person's wishes whose answer from Entra is not known. */
export async function findUnanswered(db: Tx, tenantId: string, principalId: string): Promise<readonly StoredEligibilityRequest[]> {
  return db.eligibilityRequest.findMany({ where: { tenantId, principalId, status: 'asked' } });
}

/** The longest eligibility that the role settings of these groups allow, in days; `null` where it is not known, or without a limit. */
export async function maxDaysOf(db: Tx, tenantId: string, groupIds: readonly string[]): Promise<ReadonlyMap<string, number | null>> {
  const groups = await db.catalogGroup.findMany({ where: { tenantId, groupId: { in: [...groupIds] } }, select: { groupId: true, settings: true } });
  return new Map(groups.map(({ groupId, settings }) => [groupId, RoleSettingsAsRead.safeParse(settings).data?.eligibleMaxDays ?? null]));
}
