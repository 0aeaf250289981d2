import type { RequestState } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import { PORTAL, type Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { record, type PortalEvent } from '../audit/audit.ts';
import { isFinal, recordedState, type Observation } from './access.rules.ts';
import { advance, catalogOf, refine, type StoredRequest } from './access.store.ts';
import { dropActivated, moveOwnAccess, putActivated } from './own-access.store.ts';

/** What recording an outcome needs. */
export interface Settling {
  readonly prisma: Database['prisma'];
  readonly clock: Clock;
  readonly newId: () => string;
  /** Has approvers told of a request that waits for them: within the transaction that records it. */
  readonly announce: (tx: Tx, request: StoredRequest) => Promise<void>;
}

export interface Teller {
  /** The person whose act it is; absent: the portal noticed it. */
  readonly actor?: Actor;
  readonly groupName?: string;
  readonly type?: PortalEvent['type'];
  readonly result?: PortalEvent['result'];
  readonly data?: Readonly<Record<string, unknown>>;
}

const EVENTS: Record<RequestState, { readonly type: PortalEvent['type']; readonly result: PortalEvent['result'] }> = {
  'asked': { type: 'activation.requested', result: 'other' },
  'awaiting-approval': { type: 'activation.awaiting-approval', result: 'other' },
  'scheduled': { type: 'activation.scheduled', result: 'other' },
  'provisioning': { type: 'activation.accepted', result: 'other' },
  'active': { type: 'activation.granted', result: 'success' },
  'ended': { type: 'activation.ended', result: 'success' },
  'denied': { type: 'activation.denied', result: 'failure' },
  'cancelled': { type: 'activation.cancelled', result: 'success' },
  'lapsed': { type: 'activation.lapsed', result: 'failure' },
  'failed': { type: 'activation.failed', result: 'failure' },
};

/** Records what became known of a request, forward only, with its audit event; answers the request as it then stands. */
export async function settle(settling: Settling, row: StoredRequest, seen: Observation, teller: Teller = {}): Promise<StoredRequest> {
  if (seen.state === row.status && seen.entraRequestId === row.entraRequestId && same(seen.endsAt, row.endsAt) && same(seen.provisionedAt, row.provisionedAt)) return row;
  return settling.prisma.$transaction((tx) => settleWithin(tx, settling, row, seen, teller));
}

/** The same within a transaction; what the person's own access shows moves with it. */
export async function settleWithin(tx: Tx, settling: Settling, row: StoredRequest, seen: Observation, teller: Teller): Promise<StoredRequest> {
  const { state, entraRequestId, provisionedAt, endsAt, failure } = seen;
  // Before the request's own row, as everywhere: of two that wait for each other neither would end.
  if (state === 'active' || state === 'ended') await moveOwnAccess(tx, row);
  if (state === row.status) {
    await refine(tx, row, { entraRequestId, provisionedAt, endsAt });
    const refined = { ...row, entraRequestId, provisionedAt, endsAt };
    await show(tx, refined);
    return refined;
  }
  const settledAt = isFinal(state) ? settling.clock.now() : null;
  const data = { entraRequestId, provisionedAt, endsAt, failure, settledAt };
  if (await advance(tx, row, state, data)) {
    const settled = { ...row, ...data, status: state };
    const { type, result }: (typeof EVENTS)[RequestState] = row.action === 'deactivate' ? { type: state === 'ended' ? 'deactivation.granted' : 'deactivation.failed', result: EVENTS[state].result } : EVENTS[state];
    const groupName = teller.groupName ?? (await catalogOf(tx, row.tenantId, [row.groupId])).get(row.groupId)?.name ?? row.groupId;
    await record(tx, eventOf(settling, settled, teller.type ?? type, teller.result ?? result, { ...teller, groupName }));
    if (state === 'awaiting-approval') await settling.announce(tx, settled);
    await show(tx, settled);
    return settled;
  }
  // Somebody else was first: what stands is what they wrote.
  return (await tx.accessRequest.findUnique({ where: { tenantId_id: { tenantId: row.tenantId, id: row.id } } })) ?? row;
}

/** Has what is kept of a person's own access show what was recorded, without a look at Entra. */
async function show(tx: Tx, row: StoredRequest): Promise<void> {
  const state = recordedState(row);
  if (state === 'active' && row.provisionedAt) await putActivated(tx, row, { id: row.id, entraRequestId: row.entraRequestId, groupId: row.groupId, startsAt: row.provisionedAt.toISOString(), endsAt: row.endsAt?.toISOString() });
  if (state === 'ended' && row.endsAt) await dropActivated(tx, row, row.groupId, row.endsAt);
}

/** The audit event of something that became of a request. */
export function eventOf({ clock, newId }: Settling, row: StoredRequest, type: PortalEvent['type'], result: PortalEvent['result'], { actor, groupName, data }: Teller): PortalEvent {
  return {
    id: newId(),
    at: clock.now(),
    actor: actor ?? { ...PORTAL, tenantId: row.tenantId },
    type,
    kind: 'portal-access',
    result,
    reason: row.failure ?? undefined,
    subject: { id: row.principalId, name: row.principalName },
    group: { id: row.groupId, name: groupName ?? row.groupId },
    requestId: row.entraRequestId ?? row.id,
    data: { ...data, request: row.id },
  };
}

/** A request as it stands, for what is to be said of it besides. */
export const nothingNew = (row: StoredRequest): Observation => ({ state: recordedState(row), entraRequestId: row.entraRequestId, provisionedAt: row.provisionedAt, endsAt: row.endsAt, failure: row.failure });
const same = (a: Date | null, b: Date | null): boolean => a?.getTime() === b?.getTime();
