import { USUAL_DAYS, type RequestReadiness } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { GraphError, type Graph } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { addMinutes } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import { unlessSignInIsNeeded } from './refusals.service.ts';
import { recordedState } from './access.rules.ts';
import { catalogOf, findOwn, type StoredRequest } from './access.store.ts';
import { setApproval, takeRead } from './following.store.ts';
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
  /** A request that was made elsewhere; the id at Entra is its own. Another person's answers like none. */
  async function elsewhere(graph: Graph, actor: Actor, requestId: string): Promise<{ readonly groupId: string; readonly id: string }> {
    const request = await graph.pim.mine.request(requestId).catch((error: unknown) => {
      if (error instanceof GraphError && (error.failure === 'not-found' || error.failure === 'forbidden')) return undefined;
      throw error;
    });
    if (request?.principalId !== actor.principalId) throw new PortalError('not-found');
    return request;
  }

  /** Who approved, where the role settings ask for it. */
  async function approval(graph: Graph, tenantId: string, groupId: string, entraRequestId: string): Promise<RequestReadiness['approval']> {
    // Where the role settings ask for no approval there is none to be read.
    if ((await catalogOf(db, tenantId, [groupId])).get(groupId)?.policy?.requireApproval === false) return null;
    // The approval has the id of its request (CONTRACT.md §7).
    const found = await graph.approvals.approval(entraRequestId).catch(unlessSignInIsNeeded(() => undefined));
    return approvalOf(found?.stages);
  }

  /** The same of a request on record: read once, when nobody is waited for any more, and within what the request may cost. */
  async function recordedApproval(graph: Graph, row: StoredRequest): Promise<RequestReadiness['approval']> {
    if (row.approvedAt) return { by: row.approvedBy, at: row.approvedAt.toISOString() };
    if (row.entraRequestId === null || ['asked', 'awaiting-approval'].includes(recordedState(row))) return null;
    if ((await catalogOf(db, row.tenantId, [row.groupId])).get(row.groupId)?.policy?.requireApproval === false || !(await takeRead(db, row, clock.now()))) return null;
    const approved = await approval(graph, row.tenantId, row.groupId, row.entraRequestId);
    if (approved) await setApproval(db, row, { by: approved.by, at: approved.at === null ? null : new Date(approved.at) });
    return approved;
  }

  return {
    async ofRequest(actor: Actor, requestId: string): Promise<RequestReadiness> {
      const graph = graphFor(actor, 'access');
      const row = await findOwn(db, actor.tenantId, actor.principalId, requestId);
      const { groupId, id } = row ?? (await elsewhere(graph, actor, requestId));
      const since = addMinutes(clock.now(), -USUAL_DAYS * 24 * 60);
      const [approved, measured] = await Promise.all([
        row ? recordedApproval(graph, row) : approval(graph, actor.tenantId, groupId, id),
        usualTimes(db, actor.tenantId, groupId, since),
      ]);
      return { approval: approved, usual: usualOf(measured), connection: null };
    },
  };
}
