import { USUAL_DAYS, type RequestReadiness } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { GraphError, type Graph } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { addMinutes } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import { unlessSignInIsNeeded } from './refusals.service.ts';
import { catalogOf, findOwn } from './access.store.ts';
import { approvalOf, usualOf } from './readiness.rules.ts';
import { usualTimes } from './readiness.store.ts';

export interface ReadinessDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly graphFor: (actor: Actor, scopes: 'access') => Graph;
}

export type Readiness = ReturnType<typeof createReadiness>;

/** What stands beside a request while somebody waits for it. Reads only: what a request has reached, its state alone says. */
export function createReadiness({ db: { prisma: db }, clock, graphFor }: ReadinessDeps) {
  /** The request's group and its id at Entra. Another person's request answers like none. */
  async function find(graph: Graph, actor: Actor, requestId: string): Promise<{ readonly groupId: string; readonly entraRequestId: string | null }> {
    const row = await findOwn(db, actor.tenantId, actor.principalId, requestId);
    if (row) return row;
    const request = await graph.pim.mine.request(requestId).catch((error: unknown) => {
      if (error instanceof GraphError && (error.failure === 'not-found' || error.failure === 'forbidden')) return undefined;
      throw error;
    });
    if (request?.principalId !== actor.principalId) throw new PortalError('not-found');
    return { groupId: request.groupId, entraRequestId: request.id };
  }

  async function approval(graph: Graph, tenantId: string, groupId: string, entraRequestId: string | null): Promise<RequestReadiness['approval']> {
    if (entraRequestId === null) return null;
    // Where the role settings ask for no approval there is none to be read.
    if ((await catalogOf(db, tenantId, [groupId])).get(groupId)?.policy?.requireApproval === false) return null;
    // The approval has the id of its request (CONTRACT.md §7).
    const found = await graph.approvals.approval(entraRequestId).catch(unlessSignInIsNeeded(() => undefined));
    return approvalOf(found?.stages);
  }

  return {
    async ofRequest(actor: Actor, requestId: string): Promise<RequestReadiness> {
      const graph = graphFor(actor, 'access');
      const { groupId, entraRequestId } = await find(graph, actor, requestId);
      const since = addMinutes(clock.now(), -USUAL_DAYS * 24 * 60);
      const [approved, measured] = await Promise.all([approval(graph, actor.tenantId, groupId, entraRequestId), usualTimes(db, actor.tenantId, groupId, since)]);
      return { approval: approved, usual: usualOf(measured), connection: null };
    },
  };
}
