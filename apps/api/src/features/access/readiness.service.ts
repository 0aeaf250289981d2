import { USUAL_DAYS, type RequestReadiness } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { GraphError, type Graph } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { addMinutes } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import type { Asked, Connections } from '../connections/connections.ts';
import { unlessSignInIsNeeded } from './access.service.ts';
import { catalogOf, findOwn } from './access.store.ts';
import { approvalOf, usualOf } from './readiness.rules.ts';
import { usualTimes } from './readiness.store.ts';

export interface ReadinessDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly graphFor: (actor: Actor, scopes: 'access') => Graph;
  /** What the traffic log says of a request. */
  readonly connections: Pick<Connections, 'firstAllowed'>;
}

export type Readiness = ReturnType<typeof createReadiness>;

/** What stands beside a request while somebody waits for it. Reads only: what a request has reached, its state alone says. */
export function createReadiness({ db: { prisma: db }, clock, graphFor, connections }: ReadinessDeps) {
  /** The request's group, its id at Entra, and what the portal recorded of its time. Another person's request answers like none. */
  async function find(graph: Graph, actor: Actor, requestId: string): Promise<Asked> {
    const row = await findOwn(db, actor.tenantId, actor.principalId, requestId);
    if (row) return { principalId: row.principalId, groupId: row.groupId, entraRequestId: row.entraRequestId, provisionedAt: row.provisionedAt, endedAt: row.status === 'ended' ? row.endsAt : null };
    const request = await graph.pim.mine.request(requestId).catch((error: unknown) => {
      if (error instanceof GraphError && (error.failure === 'not-found' || error.failure === 'forbidden')) return undefined;
      throw error;
    });
    if (request?.principalId !== actor.principalId) throw new PortalError('not-found');
    return { principalId: actor.principalId, groupId: request.groupId, entraRequestId: request.id, provisionedAt: null, endedAt: null };
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
      const asked = await find(graph, actor, requestId);
      const { groupId, entraRequestId } = asked;
      const since = addMinutes(clock.now(), -USUAL_DAYS * 24 * 60);
      const [approved, measured, connection] = await Promise.all([
        approval(graph, actor.tenantId, groupId, entraRequestId), usualTimes(db, actor.tenantId, groupId, since), connections.firstAllowed(actor.tenantId, asked),
      ]);
      return { approval: approved, usual: usualOf(measured), connection };
    },
  };
}
