import type { EventKind } from '@gatehouse/contracts';
import type { Tx } from '@gatehouse/db';
import { addMinutes } from '../../core/durations.ts';
import type { StoredRequest } from './access.store.ts';
import { MOST_READS, READS_WITHIN_MINUTES } from './following.rules.ts';

type Key = Pick<StoredRequest, 'tenantId' | 'id'>;

/** Takes the look that is due: false where somebody else, in another window or portal, has taken it. */
export async function takeLook(db: Tx, { tenantId, id, lookedAt }: Key & Pick<StoredRequest, 'lookedAt'>, now: Date): Promise<boolean> {
  const { count } = await db.accessRequest.updateMany({ where: { tenantId, id, lookedAt }, data: { lookedAt: now } });
  return count === 1;
}

/** Takes one reading of those that the request may cost; false where they are used up. The row's lock has everybody count the same. */
export async function takeRead(db: Tx, { tenantId, id }: Key, now: Date): Promise<boolean> {
  const since = addMinutes(now, -READS_WITHIN_MINUTES);
  const taken = await db.$executeRaw`
    UPDATE access_request SET reads = array_append(ARRAY(SELECT at FROM unnest(reads) AS at WHERE at > ${since}), ${now}::timestamptz)
    WHERE tenant_id = ${tenantId}::uuid AND id = ${id}::uuid AND (SELECT count(*) FROM unnest(reads) AS at WHERE at > ${since}) < ${MOST_READS}`;
  return taken === 1;
}

/** Keeps what became known of a request that was denied. */
export async function setFailure(db: Tx, { tenantId, id, status }: Key & Pick<StoredRequest, 'status'>, failure: string): Promise<void> {
  await db.accessRequest.updateMany({ where: { tenantId, id, status }, data: { failure } });
}

/** Remembers who approved it; the first time stands. */
export async function setApproval(db: Tx, { tenantId, id }: Key, { by, at }: { readonly by: string | null; readonly at: Date | null }): Promise<void> {
  await db.accessRequest.updateMany({ where: { tenantId, id, approvedAt: null }, data: { approvedBy: by, approvedAt: at } });
}

/** Events that move a request on, and those that end a membership before its time. */
const MOVES: readonly EventKind[] = ['approved', 'denied', 'activated', 'activation-cancelled', 'request-lapsed', 'portal-approval'];
const ENDS: readonly EventKind[] = ['deactivated', 'assignment-removed', 'member-removed'];

/** When the audit log, or the portal's own approvals, last told of something that these requests do not say; by their id. */
export async function newsOf(db: Tx, tenantId: string, rows: readonly StoredRequest[]): Promise<ReadonlyMap<string, Date>> {
  if (rows.length === 0) return new Map();
  const found = await db.$queryRaw<{ id: string; at: Date }[]>`
    SELECT r.id, max(e.ingested_at) AS at
    FROM access_request AS r JOIN audit_event AS e ON e.tenant_id = r.tenant_id AND e.subject_id = r.principal_id::text AND e.activity_at >= r.created_at
    WHERE r.tenant_id = ${tenantId}::uuid AND r.id = ANY(${rows.map(({ id }) => id)}::uuid[])
      AND (r.status <> 'active' AND e.request_id = lower(r.entra_request_id) AND e.kind = ANY(${[...MOVES]})
        OR r.status = 'active' AND e.group_id = r.group_id::text AND e.kind = ANY(${[...ENDS]}) AND e.activity_at > r.provisioned_at AND coalesce(e.actor_name, '') <> 'MS-PIM')
    GROUP BY r.id`;
  return new Map(found.map(({ id, at }) => [id, at]));
}
