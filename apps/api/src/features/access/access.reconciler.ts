import type { Database } from '@gatehouse/db';
import type { Graph } from '@gatehouse/graph';
import type { Logger } from 'pino';
import { observe } from './access.rules.ts';
import { findOpen, type StoredRequest } from './access.store.ts';
import { createFollowing, type Sight } from './following.service.ts';
import { settle, type Settling } from './settling.service.ts';

export interface ReconcilerDeps extends Omit<Settling, 'prisma'> {
  readonly db: Database;
  readonly tenantId: string;
  /** The portal's own Graph, read-only. */
  readonly appGraph: Graph;
  readonly log: Logger;
}

/** Who has the page open looks sooner, and for the person alone. In seconds. */
const PAGES_FIRST_SECONDS = 5;

/**
 * Settles what nobody watches: requests whose answer was lost, that wait for approval, provisioning or start, and
 * memberships whose time is over or that were ended elsewhere. Reads Entra app-only, a group once for all of its requests
 * that are at hand and a request no oftener than its looks are due; repeating it is harmless.
 */
export function createReconciler(deps: ReconcilerDeps) {
  const { db: { prisma: db }, clock, newId, announce, appGraph, log, tenantId } = deps;
  const settling: Settling = { prisma: db, clock, newId, announce };
  const following = createFollowing(settling);

  /** A group's requests and memberships, each read once and only when somebody asks; of them one person's. */
  function sights(): (row: StoredRequest) => Sight {
    const once = <T>(read: (groupId: string) => Promise<readonly T[]>): (groupId: string) => Promise<readonly T[]> => {
      const known = new Map<string, Promise<readonly T[]>>();
      return (groupId) => known.get(groupId) ?? known.set(groupId, read(groupId)).get(groupId) ?? Promise.resolve([]);
    };
    const [requests, assignments] = [once((groupId) => appGraph.pim.assignmentRequests(groupId)), once((groupId) => appGraph.pim.assignments(groupId))];
    return ({ groupId, principalId }) => {
      const own = <T extends { readonly principalId: string }>(things: readonly T[]): readonly T[] => things.filter((thing) => thing.principalId === principalId);
      return {
        requests: async () => own(await requests(groupId)),
        assignments: async () => own(await assignments(groupId)),
        // Not knowing is not a no: a later look probes again.
        isMember: (row) => appGraph.directory.isMember(row.principalId, groupId).catch(() => false),
      };
    };
  }

  return {
    /** One round; answers how many requests moved on. What cannot be read is left for a later look. */
    async settleOpenRequests(): Promise<number> {
      let moved = 0;
      for await (const open of findOpen(db, tenantId)) {
        const standing: StoredRequest[] = [];
        // What needs nobody's answer: time that is over.
        for (const row of open) standing.push(await settle(settling, row, observe(row, { requests: undefined, assignments: undefined }, clock.now())));
        const { rows, failures } = await following.lookWhereDue(standing, sights(), PAGES_FIRST_SECONDS);
        for (const { row: { groupId }, error } of failures) log.warn({ err: error, groupId }, 'a request could not be settled; a later look tries again');
        moved += rows.filter((row, index) => row.status !== open[index]?.status).length;
      }
      return moved;
    },
  };
}

export type Reconciler = ReturnType<typeof createReconciler>;
