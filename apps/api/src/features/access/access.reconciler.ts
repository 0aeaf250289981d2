import type { Database } from '@gatehouse/db';
import type { Graph } from '@gatehouse/graph';
import type { Logger } from 'pino';
import { observe, recordedState } from './access.rules.ts';
import { settle, type Settling } from './access.service.ts';
import { findEntraIds, findOpen, setMemberAt, type StoredRequest } from './access.store.ts';

export interface ReconcilerDeps extends Omit<Settling, 'prisma'> {
  readonly db: Database;
  readonly tenantId: string;
  /** The portal's own Graph, read-only. */
  readonly appGraph: Graph;
  readonly log: Logger;
}

/** Memberships that are active and proved change rarely: their groups are read this often, in seconds. */
const CALM_SECONDS = 60;

/**
 * Settles what nobody watches: requests whose answer was lost, that wait for approval, provisioning or start, and
 * memberships whose time is over or that were ended elsewhere. Reads Entra app-only; repeating it is harmless.
 */
export function createReconciler(deps: ReconcilerDeps) {
  const { db: { prisma: db }, clock, newId, announce, appGraph, log, tenantId } = deps;
  const settling: Settling = { prisma: db, clock, newId, announce };
  const readAt = new Map<string, number>();

  const isCalm = (row: StoredRequest): boolean => recordedState(row) === 'active' && row.memberAt !== null && row.endsAt !== null && row.endsAt > clock.now();

  async function settleGroup(groupId: string, rows: readonly StoredRequest[]): Promise<number> {
    const [requests, assignments] = await Promise.all([appGraph.pim.assignmentRequests(groupId), appGraph.pim.assignments(groupId)]);
    let moved = 0;
    for (const row of rows) {
      const own = <T extends { readonly principalId: string }>(things: readonly T[]): readonly T[] => things.filter((thing) => thing.principalId === row.principalId);
      const known = row.entraRequestId ? new Set<string>() : await findEntraIds(db, tenantId, row.principalId);
      const settled = await settle(settling, row, observe(row, { requests: own(requests), assignments: own(assignments) }, clock.now(), known));
      if (settled.status !== row.status) moved += 1;
      if (recordedState(settled) !== 'active' || settled.memberAt) continue;
      // Not knowing is not a no: the next round probes again.
      const member = await appGraph.directory.isMember(row.principalId, groupId).catch(() => false);
      if (member) await setMemberAt(db, settled, clock.now());
    }
    return moved;
  }

  return {
    /** One round; answers how many requests moved on. A group that cannot be read is left for the next round. */
    async settleOpenRequests(): Promise<number> {
      const now = clock.now().getTime();
      const groups = Map.groupBy(await findOpen(db, tenantId), (row) => row.groupId);
      for (const groupId of readAt.keys()) if (!groups.has(groupId)) readAt.delete(groupId);
      let moved = 0;
      for (const [groupId, rows] of groups) {
        if (rows.every(isCalm) && now - (readAt.get(groupId) ?? -Infinity) < CALM_SECONDS * 1000) continue;
        try {
          moved += await settleGroup(groupId, rows);
          readAt.set(groupId, now);
        } catch (error) {
          log.warn({ err: error, groupId }, 'requests of a group could not be settled; the next round tries again');
          // What needs nobody's answer: time that is over.
          for (const row of rows) {
            const settled = await settle(settling, row, observe(row, { requests: undefined, assignments: undefined }, clock.now()));
            if (settled.status !== row.status) moved += 1;
          }
        }
      }
      return moved;
    },
  };
}

export type Reconciler = ReturnType<typeof createReconciler>;
