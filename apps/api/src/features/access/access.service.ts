import type { AccessRequest, AccessSet, AccessTarget, Answer, FindAccess, Input, MyAccess, SaveAccessSet, SetFavourite } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { GraphError, type Graph } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { PortalError } from '../../core/errors.ts';
import { composeMyAccess, madeElsewhere, observe, recordedFrom, tellRequest, type EntraRequest, type EntraView } from './access.rules.ts';
import { catalogOf, findEntraIds, findOwn, findOwnRecent, isOpen, publishedIn, type StoredRequest } from './access.store.ts';
import { createActivation } from './activation.service.ts';
import { findFavourites, findSets, keepFavourite, keepSet, removeSet } from './arranged.store.ts';
import { createEnding } from './ending.service.ts';
import { createFollowing, isFollowed, ownSight } from './following.service.ts';
import { findUnfinished } from './keep-going.store.ts';
import type { Names } from './names.service.ts';
import type { OwnAccesses, Shown } from './own-access.service.ts';
import { unlessSignInIsNeeded } from './refusals.service.ts';
import { settle, type Settling } from './settling.service.ts';
import { findTarget } from './target.rules.ts';

export interface AccessDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** The person's own Graph, on a token that has the claims where some are named. */
  readonly graphFor: (actor: Actor, scopes: 'access', claims?: string) => Graph;
  readonly ownAccess: OwnAccesses;
  readonly names: Names;
  readonly newId: () => string;
  readonly announce: Settling['announce'];
}

export type Access = ReturnType<typeof createAccess>;

const NOTHING_READ: EntraView = { requests: undefined, assignments: undefined };
const viewOf = ({ requests, assignments, at }: Shown): EntraView => ({ requests, assignments, requestsAt: at.requests, assignmentsAt: at.assignments });

/** What a person does with their own access. Every act: intent in a transaction, Entra outside of it, outcome in another. */
export function createAccess({ db: { prisma: db }, clock, graphFor, ownAccess, names, newId, announce }: AccessDeps) {
  const settling: Settling = { prisma: db, clock, newId, announce };
  const following = createFollowing(settling);

  /** Brings recorded requests to where Entra shows them; where it was not read, to where the clock does. */
  async function refresh(rows: readonly StoredRequest[], view: EntraView, known: ReadonlySet<string>): Promise<readonly StoredRequest[]> {
    const settled: StoredRequest[] = [];
    for (const row of rows) settled.push(isOpen(row) ? await settle(settling, row, observe(row, view, clock.now(), known)) : row);
    return settled;
  }

  /** One of the person's requests as Entra shows it now. Another person's answers like none. */
  async function findRequest(graph: Graph, actor: Actor, requestId: string): Promise<{ readonly row: StoredRequest; readonly recorded: boolean }> {
    const row = await findOwn(db, actor.tenantId, actor.principalId, requestId);
    if (!row) return { row: elsewhere(actor, await requestOfEntra(graph, actor, requestId), { assignments: await graph.pim.mine.assignments() }), recorded: false };
    if (!isOpen(row)) return { row, recorded: true };
    const known = await findEntraIds(db, row.tenantId, row.principalId);
    const [requests, assignments] = await Promise.all([graph.pim.mine.requests(), graph.pim.mine.assignments()]);
    return { row: await settle(settling, row, observe(row, { requests, assignments }, clock.now(), known)), recorded: true };
  }

  /** A request that was made elsewhere, among the person's own. */
  async function requestOfEntra(graph: Graph, actor: Actor, requestId: string): Promise<EntraRequest> {
    const request = await graph.pim.mine.request(requestId).catch((error: unknown) => {
      if (error instanceof GraphError && (error.failure === 'not-found' || error.failure === 'forbidden')) return undefined;
      throw error;
    });
    if (!request || !isTheirs(request, actor)) throw new PortalError('not-found');
    return request;
  }

  const isTheirs = (request: EntraRequest, actor: Actor): boolean => request.principalId === actor.principalId && request.accessId === 'member' && request.action.toLowerCase() === 'selfactivate';

  const elsewhere = (actor: Actor, request: EntraRequest, view: Omit<EntraView, 'requests'>): StoredRequest => ({
    ...recordedFrom(request, { requests: [request], ...view }, clock.now()), tenantId: actor.tenantId, principalName: actor.name, lookedAt: null, approvedBy: null, approvedAt: null,
  });

  /** What the person may activate, has active and waits for. What could not be read is said, and the rest is shown. */
  async function list(actor: Actor, fresh = false): Promise<MyAccess> {
    const graph = graphFor(actor, 'access');
    // Rows first: what Entra shows is then never older than they are.
    const known = await findEntraIds(db, actor.tenantId, actor.principalId);
    const recent = await findOwnRecent(db, actor.tenantId, actor.principalId);
    const [unfinished, favourites, sets] = await Promise.all([findUnfinished(db, actor.tenantId, actor.principalId), findFavourites(db, actor), findSets(db, actor)]);
    const shown = await ownAccess.show(graph, actor, { fresh, following: recent.some((row) => isFollowed(row, clock.now())) });

    // What was read moves everything on; else only the clock does, and looks for what is under way.
    const moved = await refresh(recent, shown.wasRead ? viewOf(shown) : NOTHING_READ, known);
    const { rows, failures } = shown.wasRead ? { rows: moved, failures: [] } : await following.lookWhereDue(moved, () => ownSight(graph));
    for (const { error } of failures) unlessSignInIsNeeded(() => undefined)(error);
    const recorded = new Set([...known, ...rows.flatMap((row) => row.entraRequestId ?? [])]);
    // What moved on by itself, or by a look, has changed what is kept.
    const { eligibilities, requests, assignments, at } = !shown.wasRead && rows.some((row, index) => row !== recent[index]) ? await ownAccess.kept(actor) : shown;
    const view: EntraView = { requests, assignments, requestsAt: at.requests, assignmentsAt: at.assignments };
    const all = [...rows, ...madeElsewhere(view, actor.principalId, recorded, clock.now())];

    const groupIds = [...new Set([...(eligibilities ?? []), ...(view.assignments ?? []), ...all].map((thing) => thing.groupId))];
    const catalog = await catalogOf(db, actor.tenantId, groupIds);
    const nameless = groupIds.filter((groupId) => !catalog.has(groupId));
    const mine = composeMyAccess({
      now: clock.now(), eligibilities, eligibilitiesAt: at.eligibilities, view, unread: shown.unread, requests: all, unfinished, catalog, names: await names.ofGroups(nameless), favourites, sets,
    });
    return failures.length === 0 ? mine : { ...mine, notKnown: [...mine.notKnown, 'How a request of yours stands could not be read from Microsoft Entra just now; shown is what the portal saw last.'] };
  }

  return {
    list,
    ...createActivation({ ...settling, graphFor, ownAccess, names }),
    ...createEnding({ ...settling, graphFor, names, findRequest }),

    /** What opens a destination or an application for the person. */
    async find(actor: Actor, { to, application }: Input<typeof FindAccess>['query']): Promise<AccessTarget> {
      const [access, published] = await Promise.all([list(actor), publishedIn(db, actor.tenantId)]);
      return { ...findTarget({ wanted: to === undefined ? { application: application ?? '' } : { to }, entries: access.entries, published }), access };
    },

    /** Keeps a group at the top of the person's list, or no longer. */
    async setFavourite(actor: Actor, { groupId, favourite }: Input<typeof SetFavourite>['body']): Promise<Answer<typeof SetFavourite>> {
      await keepFavourite(db, actor, groupId, favourite, clock.now());
      return { groupId, favourite };
    },

    /** Saves what the person activates together, in the place of their set of that name. */
    async saveSet(actor: Actor, { name, groupIds }: Input<typeof SaveAccessSet>['body']): Promise<AccessSet> {
      return keepSet(db, actor, { id: newId(), name, groupIds: [...new Set(groupIds)] }, clock.now());
    },

    /** Removes one of the person's sets. Another person's answers like none. */
    async removeSet(actor: Actor, setId: string): Promise<AccessSet> {
      const removed = await removeSet(db, actor, setId);
      if (!removed) throw new PortalError('not-found');
      return removed;
    },

    /** Where one request stands: what is on record, and what Entra says where a look is due. */
    async request(actor: Actor, requestId: string): Promise<AccessRequest> {
      const graph = graphFor(actor, 'access');
      const row = await findOwn(db, actor.tenantId, actor.principalId, requestId);
      if (row) {
        const moved = await refresh([row], NOTHING_READ, new Set());
        const { rows, failures } = await following.lookWhereDue(moved, () => ownSight(graph));
        if (failures[0]) throw failures[0].error;
        return tellRequest(rows[0] ?? row);
      }
      const shown = await ownAccess.show(graph, actor);
      const request = shown.requests?.find(({ id }) => id === requestId);
      if (request && isTheirs(request, actor)) return tellRequest(elsewhere(actor, request, { assignments: shown.assignments, assignmentsAt: shown.at.assignments }));
      // Made elsewhere a moment ago, or nobody's: only a reading tells.
      return tellRequest(elsewhere(actor, await requestOfEntra(graph, actor, requestId), { assignments: await graph.pim.mine.assignments() }));
    },
  };
}
