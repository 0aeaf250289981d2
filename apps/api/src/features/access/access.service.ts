import type { AccessRequest, AccessSet, AccessTarget, ActivationOutcome, Answer, CheckActivation, DeactivateAccess, FindAccess, Input, MyAccess, RequestActivation, RequestActivations, RequestState, SaveAccessSet, SetFavourite } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import { contextClaims, GraphError, MFA_CLAIMS, outcomeIsUnknown, type Graph, type ScheduleRequest } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { durationOf, networkEndOf } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import { record, type PortalEvent } from '../audit/audit.ts';
import {
  activeFor, composeMyAccess, decideActivation, decideDeactivation, denialsOf, eligibilityFor, isDueForLook, isFinal, madeElsewhere, observe,
  recordedFrom, recordedState, STEP_UP, tellRequest,
  type ActivationDecision, type CatalogFacts, type Denial, type EntraInstance, type EntraView, type Observation, type RecordedRequest,
} from './access.rules.ts';
import { findTarget } from './target.rules.ts';
import { findFavourites, findSets, keepFavourite, keepSet, removeSet } from './arranged.store.ts';
import { findUnfinished } from './keep-going.store.ts';
import {
  advance, catalogOf, findEntraIds, findOwn, findOwnRecent, insertIntent, isOpen, publishedIn, refine, setMemberAt,
  type StoredRequest,
} from './access.store.ts';

export interface AccessDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** The person's own Graph, on a token that has the claims where some are named. */
  readonly graphFor: (actor: Actor, scopes: 'access', claims?: string) => Graph;
  /** The portal's own Graph, read-only: names of groups that the catalog does not have. */
  readonly appGraph: Graph;
  readonly newId: () => string;
  readonly announce: Settling['announce'];
}

export type Access = ReturnType<typeof createAccess>;

/** What Entra shows of a person's own. */
interface OwnAccess {
  readonly eligibilities: readonly EntraInstance[] | undefined;
  readonly view: EntraView;
}
const NOTHING_READ: EntraView = { requests: undefined, assignments: undefined };

/** What became of asking for an activation. `running`: it is open, or under way. */
type Attempt = { readonly asked: AccessRequest } | { readonly refused: Error; readonly running: boolean };
const RUNNING: ReadonlySet<Denial['reason']> = new Set<Denial['reason']>(['already-active', 'already-asked']);
/** Activations of one person that are asked for at the same time. */
const AT_A_TIME = 4;

/** How long the page shows how a request went wrong: the hour of `newsOf`. */
const DENIAL_SHOWN_MS = 60 * 60_000;

/** What a person does with their own access. Every act: intent in a transaction, Entra outside of it, outcome in another. */
export function createAccess({ db: { prisma: db }, clock, graphFor, appGraph, newId, announce }: AccessDeps) {
  const settling: Settling = { prisma: db, clock, newId, announce };
  /** When a request was last looked up for its page. Forgotten with the process, which costs a look. */
  const looks = new Map<string, Date>();

  /** Brings recorded requests to where Entra shows them; answers them as they then stand. */
  async function refresh(rows: readonly StoredRequest[], view: EntraView, known: ReadonlySet<string>): Promise<readonly StoredRequest[]> {
    const settled: StoredRequest[] = [];
    for (const row of rows) settled.push(isOpen(row) ? await settle(settling, row, observe(row, view, clock.now(), known)) : row);
    return settled;
  }

  /** The directory's own word that the person is a member; PIM's is no proof. Not knowing is not a no. */
  async function probe(graph: Graph, row: StoredRequest): Promise<StoredRequest> {
    if (recordedState(row) !== 'active' || row.memberAt) return row;
    const member = await graph.directory.isMember(row.principalId, row.groupId).catch(unlessSignInIsNeeded(() => false));
    if (!member) return row;
    const at = clock.now();
    await setMemberAt(db, row, at);
    return { ...row, memberAt: at };
  }

  /** A request that was denied, with the approver's own words where Entra shows them to the person who asked. */
  async function withDecision(graph: Graph, row: StoredRequest): Promise<StoredRequest> {
    // Only while the page shows it: one call for each.
    const shown = (row.settledAt ?? row.createdAt).getTime() > clock.now().getTime() - DENIAL_SHOWN_MS;
    if (recordedState(row) !== 'denied' || row.entraRequestId === null || !shown) return row;
    // The approval has the id of its request (CONTRACT.md §7).
    const approval = await graph.approvals.approval(row.entraRequestId).catch(unlessSignInIsNeeded(() => undefined));
    const stage = approval?.stages.find(({ reviewResult }) => reviewResult === 'Denied');
    return stage?.justification ? { ...row, failure: `${stage.reviewedByName || 'An approver'} denied it: “${stage.justification}”` } : row;
  }

  async function follow(graph: Graph, row: StoredRequest): Promise<StoredRequest> {
    if (!isOpen(row)) return row;
    const known = await findEntraIds(db, row.tenantId, row.principalId);
    const [requests, assignments] = await Promise.all([graph.pim.mine.requests(), graph.pim.mine.assignments()]);
    const settled = await settle(settling, row, observe(row, { requests, assignments }, clock.now(), known));
    return probe(graph, settled);
  }

  /** The same for a page that asks every other second: it looks at Entra now and then, and there at no more than can have changed. */
  async function glance(graph: Graph, row: StoredRequest): Promise<StoredRequest> {
    const now = clock.now();
    if (!isOpen(row) || !isDueForLook(row.createdAt, looks.get(row.id), now)) return row;
    if (looks.size >= 10_000) looks.clear();
    looks.set(row.id, now);
    const over = row.endsAt !== null && row.endsAt <= now;
    if (recordedState(row) === 'active' && !row.memberAt && !over) return probe(graph, row);
    if (recordedState(row) === 'active' || !row.entraRequestId) return follow(graph, row);
    const requests = await graph.pim.mine.requests();
    // Only of what is provisioned there is an active membership to see.
    const provisioned = requests.some(({ id, status }) => id === row.entraRequestId && status === 'Provisioned');
    const assignments = provisioned ? await graph.pim.mine.assignments() : undefined;
    return probe(graph, await settle(settling, row, observe(row, { requests, assignments }, now)));
  }

  /** One of the person's requests as it stands now, recorded here or made elsewhere. Another person's answers like none. */
  async function findRequest(graph: Graph, actor: Actor, requestId: string, look = follow): Promise<{ readonly row: StoredRequest; readonly recorded: boolean }> {
    const row = await findOwn(db, actor.tenantId, actor.principalId, requestId);
    if (row) return { row: await look(graph, row), recorded: true };
    const request = await graph.pim.mine.request(requestId).catch((error: unknown) => {
      if (error instanceof GraphError && (error.failure === 'not-found' || error.failure === 'forbidden')) return undefined;
      throw error;
    });
    const theirs = request && request.principalId === actor.principalId && request.accessId === 'member' && request.action.toLowerCase() === 'selfactivate';
    if (!theirs) throw new PortalError('not-found');
    const elsewhere = recordedFrom(request, { requests: [request], assignments: await graph.pim.mine.assignments() }, clock.now());
    return { row: { ...elsewhere, tenantId: actor.tenantId, principalName: actor.name }, recorded: false };
  }

  async function groupNameOf(tenantId: string, groupId: string): Promise<string> {
    return (await catalogOf(db, tenantId, [groupId])).get(groupId)?.name ?? (await namesOf(appGraph, [groupId])).get(groupId) ?? groupId;
  }

  /** What Entra shows of the person's own; a part that cannot be read is undefined. */
  async function readOwn(graph: Graph): Promise<OwnAccess> {
    const [eligibilities, assignments, requests] = await Promise.all([
      graph.pim.mine.eligibilities().catch(unlessSignInIsNeeded(() => undefined)),
      graph.pim.mine.assignments().catch(unlessSignInIsNeeded(() => undefined)),
      graph.pim.mine.requests().catch(unlessSignInIsNeeded(() => undefined)),
    ]);
    return { eligibilities, view: { requests, assignments } };
  }

  /** What the person may activate, has active and waits for. What could not be read is said, and the rest is shown. */
  async function list(actor: Actor): Promise<MyAccess> {
    const graph = graphFor(actor, 'access');
    // Rows first: what Entra shows is then never older than they are.
    const known = await findEntraIds(db, actor.tenantId, actor.principalId);
    const recent = await findOwnRecent(db, actor.tenantId, actor.principalId);
    const unfinished = await findUnfinished(db, actor.tenantId, actor.principalId);
    const [favourites, sets] = await Promise.all([findFavourites(db, actor), findSets(db, actor)]);
    const reads = await Promise.allSettled([graph.pim.mine.eligibilities(), graph.pim.mine.assignments(), graph.pim.mine.requests()]);
    const failures = reads.flatMap((read) => (read.status === 'rejected' ? [read.reason as unknown] : []));
    for (const failure of failures) unlessSignInIsNeeded(() => undefined)(failure);
    if (failures.length === reads.length) throw failures[0];
    const [eligibilities, assignments, requests] = [valueOf(reads[0]), valueOf(reads[1]), valueOf(reads[2])];

    const view: EntraView = { requests, assignments };
    const rows = await Promise.all((await refresh(recent, view, known)).map((row) => withDecision(graph, row)));
    const recorded = new Set([...known, ...rows.flatMap((row) => row.entraRequestId ?? [])]);
    const all = [...rows, ...madeElsewhere(view, actor.principalId, recorded, clock.now())];

    const groupIds = [...new Set([...(eligibilities ?? []), ...(assignments ?? []), ...all].map((thing) => thing.groupId))];
    const catalog = await catalogOf(db, actor.tenantId, groupIds);
    const nameless = groupIds.filter((groupId) => !catalog.has(groupId));
    return composeMyAccess({ now: clock.now(), eligibilities, view, requests: all, unfinished, catalog, names: await namesOf(appGraph, nameless), favourites, sets });
  }

  /** Asks Entra to activate the person's membership, once. A refusal is an answer; where there is none, it throws. */
  async function attempt(actor: Actor, body: Input<typeof RequestActivation>['body']): Promise<Attempt> {
    const graph = graphFor(actor, 'access');
    const { groupId, minutes, justification } = body;
    const [recent, known, catalog] = await Promise.all([
      findOwnRecent(db, actor.tenantId, actor.principalId), findEntraIds(db, actor.tenantId, actor.principalId), catalogOf(db, actor.tenantId, [groupId]),
    ]);
    const wish = { minutes, justification, startsAt: body.startsAt === undefined ? undefined : new Date(body.startsAt), ticketNumber: body.ticket?.number };
    const decide = (rows: readonly RecordedRequest[], seen: OwnAccess | undefined): ActivationDecision => {
      const open = rows.find((row) => row.action === 'activate' && isOpen(row));
      return decideActivation({
        now: clock.now(), wish,
        policy: catalog.get(groupId)?.policy ?? null,
        eligibility: eligibilityFor(groupId, seen?.eligibilities, clock.now()),
        active: seen?.view.assignments && activeFor(groupId, seen.view.assignments, clock.now()) !== null,
        openRequest: open && recordedState(open),
      });
    };
    // Of a request made elsewhere that says nothing understandable, Entra alone knows whether it is in the way.
    const elsewhere = ({ view }: OwnAccess): readonly RecordedRequest[] => madeElsewhere(view, actor.principalId, known, clock.now()).filter((row) => row.groupId === groupId && row.status !== 'asked');

    // What has ended meanwhile must not stand in the way of asking again: first what the clock alone ends.
    let rows = await refresh(recent.filter((row) => row.groupId === groupId && isOpen(row)), NOTHING_READ, known);
    let seen: OwnAccess | undefined;
    // Entra decides, and is asked before it only where the record knows of something in the way, or the catalog of nothing.
    if (!catalog.has(groupId) || rows.some((row) => row.action === 'activate' && isOpen(row))) {
      seen = await readOwn(graph);
      rows = await refresh(rows, seen.view, known);
    }
    const decision = decide([...rows, ...(seen ? elsewhere(seen) : [])], seen);
    if (!decision.allowed) return { refused: refused(decision.denials), running: decision.denials.some(({ reason }) => RUNNING.has(reason)) };

    const groupName = catalog.get(groupId)?.name ?? (await groupNameOf(actor.tenantId, groupId));
    const intended = await db.$transaction(async (tx) => {
      const row = await insertIntent(tx, {
        tenantId: actor.tenantId, id: newId(), principalId: actor.principalId, principalName: actor.name, groupId, action: 'activate', minutes,
        startsAt: decision.startsAt, justification, ticketNumber: body.ticket?.number ?? null, ticketSystem: body.ticket?.system ?? null, createdAt: clock.now(),
      });
      await record(tx, eventOf(settling, row, 'activation.requested', 'other', { actor, groupName, data: { minutes, justification, ticket: body.ticket?.number } }));
      return row;
    }).catch((error: unknown) => {
      if (error instanceof PortalError && error.code === 'activation-refused') return error;
      throw error;
    });
    if (intended instanceof PortalError) return { refused: intended, running: true };

    try {
      // What the role settings demand of the sign-in is asked for before Entra refuses for want of it.
      const answer = await graphFor(actor, 'access', claimsFor(catalog.get(groupId))).pim.mine.activate({
        principalId: actor.principalId, groupId, startsAt: decision.startsAt.toISOString(), duration: durationOf(minutes), justification, ticket: body.ticket,
      });
      const taken = observe({ ...intended, entraRequestId: answer.id }, { requests: [answer], assignments: undefined }, clock.now());
      return { asked: tellRequest(await settle(settling, intended, taken, { actor, groupName })) };
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      if (outcomeIsUnknown(error)) throw lookingForIt(error);
      let refusal = refusalOf(error);
      if (error.failure === 'conflict' || error.failure === 'policy') {
        // A refusal is explained by what stands in the way; that is worth the reading.
        const after = await readOwn(graph).catch(() => undefined);
        // The answer to a first attempt may have been lost, and this is the answer to its repetition.
        const found = error.failure === 'conflict' && after ? await settle(settling, intended, observe(intended, after.view, clock.now(), known), { actor, groupName }) : intended;
        if (found.entraRequestId) return { asked: tellRequest(await probe(graph, found)) };
        const why = after && decide(elsewhere(after), after);
        if (why && !why.allowed) refusal = { sentence: why.denials.map(({ message }) => message).join(' '), error: refused(why.denials, error) };
      }
      await settle(settling, intended, { ...nothingNew(intended), state: 'failed', failure: refusal.sentence }, {
        // Being asked to verify oneself is a step on the way, and no failure of anybody.
        actor, groupName, ...(error.failure === 'step-up-needed' ? { type: 'activation.step-up-asked', result: 'other' } : { type: 'activation.refused' }),
      });
      return { refused: refusal.error, running: error.failure === 'conflict' };
    }
  }

  return {
    list,

    /** What opens a destination or an application for the person. */
    async find(actor: Actor, { to, application }: Input<typeof FindAccess>['query']): Promise<AccessTarget> {
      const [access, published] = await Promise.all([list(actor), publishedIn(db, actor.tenantId)]);
      return { ...findTarget({ wanted: to === undefined ? { application: application ?? '' } : { to }, entries: access.entries, published }), access };
    },

    /** Asks Entra to activate the person's membership, once, and answers where that request stands. */
    async requestActivation(actor: Actor, body: Input<typeof RequestActivation>['body']): Promise<AccessRequest> {
      const answer = await attempt(actor, body);
      if ('refused' in answer) throw answer.refused;
      return answer.asked;
    },

    /** The same for several, for one reason. What is open or under way is skipped; what goes wrong with one stops no other. */
    async requestActivations(actor: Actor, { items, justification, ticket }: Input<typeof RequestActivations>['body']): Promise<Answer<typeof RequestActivations>> {
      const catalog = await catalogOf(db, actor.tenantId, items.map(({ groupId }) => groupId));
      const needsClaims = ({ groupId }: { readonly groupId: string }): boolean => claimsFor(catalog.get(groupId)) !== undefined;
      const outcomes = new Map<string, ActivationOutcome>();
      const one = async ({ groupId, minutes }: (typeof items)[number]): Promise<void> => {
        const answer = await attempt(actor, { groupId, minutes, justification, ...(ticket && { ticket }) }).catch((error: unknown): Attempt => {
          if (error instanceof PortalError || error instanceof GraphError) return { refused: error, running: false };
          throw error;
        });
        // Nothing was asked for yet: the person verifies once, and then all of it goes out.
        if ('refused' in answer && needsSignIn(answer.refused) && ![...outcomes.values()].some(({ outcome }) => outcome === 'asked')) throw answer.refused;
        outcomes.set(groupId, outcomeOf(groupId, answer));
      };
      // One after another until something was asked for, what asks for a stronger sign-in first; then a few at a time.
      const queue = [...items.filter(needsClaims), ...items.filter((item) => !needsClaims(item))];
      while (queue.length > 0 && ![...outcomes.values()].some(({ outcome }) => outcome === 'asked')) await one(queue.shift() as (typeof items)[number]);
      const rest = async (): Promise<void> => { for (let item = queue.shift(); item; item = queue.shift()) await one(item); };
      await Promise.all(Array.from({ length: AT_A_TIME }, rest));
      return { items: items.flatMap(({ groupId }) => outcomes.get(groupId) ?? []) };
    },

    /** Whether Entra would grant the activation, by Entra's own word. Nothing is recorded, for nothing is asked for. */
    async checkActivation(actor: Actor, body: Input<typeof CheckActivation>['body']): Promise<Answer<typeof CheckActivation>> {
      const catalog = await catalogOf(db, actor.tenantId, [body.groupId]);
      const checked = (verdict: Answer<typeof CheckActivation>['verdict'], issues: Answer<typeof CheckActivation>['issues'] = []): Answer<typeof CheckActivation> => ({ verdict, issues, checkedAt: clock.now().toISOString() });
      try {
        const answer = await graphFor(actor, 'access', claimsFor(catalog.get(body.groupId))).pim.mine.validate({
          principalId: actor.principalId, groupId: body.groupId, startsAt: body.startsAt ?? clock.now().toISOString(), duration: durationOf(body.minutes), justification: body.justification, ticket: body.ticket,
        });
        // What Entra answers is told for roles of Azure only; where the portal knows that approval is asked for, that counts too.
        return checked(answer.status.startsWith('Pending') && answer.status !== 'PendingProvisioning' || catalog.get(body.groupId)?.policy?.requireApproval ? 'would-wait-for-approval' : 'would-activate');
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        if (error.failure === 'step-up-needed') return checked('would-ask-to-verify');
        const { error: refusal } = refusalOf(error);
        if (refusal instanceof PortalError && refusal.code === 'activation-refused') return checked('would-refuse', [...(refusal.details.issues ?? [])]);
        throw error;
      }
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

    /** Where one request stands now, as Entra and the directory say. */
    async request(actor: Actor, requestId: string): Promise<AccessRequest> {
      const graph = graphFor(actor, 'access');
      return tellRequest(await withDecision(graph, (await findRequest(graph, actor, requestId, glance)).row));
    },

    /** Takes a request back that has not begun. */
    async cancel(actor: Actor, requestId: string): Promise<AccessRequest> {
      const graph = graphFor(actor, 'access');
      const { row, recorded } = await findRequest(graph, actor, requestId);
      const state = recordedState(row);
      if ((state !== 'awaiting-approval' && state !== 'scheduled') || !row.entraRequestId) throw cannotCancel(state);

      const groupName = await groupNameOf(actor.tenantId, row.groupId);
      await db.$transaction((tx) => record(tx, eventOf(settling, row, 'cancellation.requested', 'other', { actor, groupName })));
      try {
        await graph.pim.mine.cancel(row.entraRequestId);
      } catch (error) {
        if (!(error instanceof GraphError) || (error.failure !== 'conflict' && error.failure !== 'not-found')) throw error;
        const { row: stands } = await findRequest(graph, actor, requestId);
        if (stands.status !== 'cancelled') throw cannotCancel(recordedState(stands), error);
        return tellRequest(stands);
      }
      if (recorded) return tellRequest(await settle(settling, row, { ...nothingNew(row), state: 'cancelled' }, { actor, groupName }));
      await db.$transaction((tx) => record(tx, eventOf(settling, row, 'activation.cancelled', 'success', { actor, groupName })));
      return tellRequest({ ...row, status: 'cancelled' });
    },

    /** Ends the person's active membership, and proves it as far as the directory shows it already. */
    async deactivate(actor: Actor, groupId: string): Promise<Answer<typeof DeactivateAccess>> {
      const graph = graphFor(actor, 'access');
      const assignments = await graph.pim.mine.assignments().catch(unlessSignInIsNeeded(() => undefined));
      const active = activeFor(groupId, assignments, clock.now());
      const decision = decideDeactivation({ now: clock.now(), active });
      if (!decision.allowed) throw new PortalError('deactivation-refused', { detail: decision.message });

      const groupName = await groupNameOf(actor.tenantId, groupId);
      const intended = await db.$transaction(async (tx) => {
        const row = await insertIntent(tx, {
          tenantId: actor.tenantId, id: newId(), principalId: actor.principalId, principalName: actor.name, groupId, action: 'deactivate', minutes: null,
          startsAt: null, justification: null, ticketNumber: null, ticketSystem: null, createdAt: clock.now(),
        });
        await record(tx, eventOf(settling, row, 'deactivation.requested', 'other', { actor, groupName }));
        return row;
      });
      const fail = async (sentence: string): Promise<void> => void (await settle(settling, intended, { ...nothingNew(intended), state: 'failed', failure: sentence }, { actor, groupName, type: 'deactivation.refused' }));

      let answer: ScheduleRequest | undefined;
      try {
        answer = await graph.pim.mine.deactivate({ principalId: actor.principalId, groupId });
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        if (outcomeIsUnknown(error)) throw new PortalError(error.failure === 'unexpected' ? 'directory-unexpected' : 'directory-unavailable', { detail: 'Microsoft Entra did not answer as it should, so it is not known whether the access has ended. We are looking.', retryAfterSeconds: 10, cause: error });
        if (error.details.code === 'ActiveDurationTooShort') {
          await fail('PIM ends no membership in its first 5 min.');
          throw new PortalError('deactivation-refused', { detail: 'PIM ends no membership in its first 5 min. Try again when they are over.', cause: error });
        }
        // "There is none" after a lost answer, or because its time was over: then it has ended, and that is what was asked for.
        const left = error.failure === 'conflict' ? await graph.pim.mine.assignments().catch(() => undefined) : undefined;
        if (!left || activeFor(groupId, left, clock.now())) {
          await fail(refusalOf(error).sentence);
          throw error.failure === 'conflict' || error.failure === 'policy' ? new PortalError('deactivation-refused', { detail: 'Microsoft Entra does not end this membership now. Reload to see how it stands.', cause: error }) : error;
        }
      }

      const after = await graph.pim.mine.assignments().catch(() => undefined);
      const gone = after !== undefined && !after.some((instance) => instance.groupId === groupId && instance.assignmentType === 'activated');
      if (answer && (answer.status === 'Failed' || answer.status === 'Denied' || answer.status === 'Canceled')) {
        await fail('Microsoft Entra did not end the membership.');
        throw new PortalError('deactivation-refused', { detail: 'Microsoft Entra did not end the membership. Reload to see how it stands.' });
      }
      // A word that we do not know is no proof; the membership's absence is.
      if (answer && answer.status !== 'Revoked' && !gone) throw new PortalError('directory-unexpected', { detail: 'Microsoft Entra did not say that the access has ended. We are looking.' });

      const endedAt = clock.now();
      const ended = { ...nothingNew(intended), state: 'ended', entraRequestId: answer?.id ?? null, endsAt: endedAt } as const;
      const open = (await findOwnRecent(db, actor.tenantId, actor.principalId)).filter((row) => row.groupId === groupId && row.action === 'activate' && (recordedState(row) === 'active' || recordedState(row) === 'provisioning'));
      await db.$transaction(async (tx) => {
        await settleWithin(tx, settling, intended, ended, { actor, groupName, type: 'deactivation.granted' });
        for (const row of open) await settleWithin(tx, settling, row, { ...nothingNew(row), state: 'ended', endsAt: endedAt }, { actor, groupName });
      });

      const member = await graph.directory.isMember(actor.principalId, groupId).catch(() => undefined);
      return { groupId, endedAt: endedAt.toISOString(), networkMayStayOpenUntil: networkEndOf(endedAt).toISOString(), provedGone: gone && member === false };
    },
  };
}

// --- Settling --------------------------------------------------------------------------------------------------------

/** What recording an outcome needs. */
export interface Settling {
  readonly prisma: Database['prisma'];
  readonly clock: Clock;
  readonly newId: () => string;
  /** Has approvers told of a request that waits for them: within the transaction that records it. */
  readonly announce: (tx: Tx, request: StoredRequest) => Promise<void>;
}

interface Teller {
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
/** Who is named where the portal noticed something by itself. */
const PORTAL = { principalId: '00000000-0000-0000-0000-000000000000', name: 'Gatehouse' };

/** Records what became known of a request, forward only, with its audit event; answers the request as it then stands. */
export async function settle(settling: Settling, row: StoredRequest, seen: Observation, teller: Teller = {}): Promise<StoredRequest> {
  if (seen.state === row.status && seen.entraRequestId === row.entraRequestId && same(seen.endsAt, row.endsAt) && same(seen.provisionedAt, row.provisionedAt)) return row;
  return settling.prisma.$transaction((tx) => settleWithin(tx, settling, row, seen, teller));
}

async function settleWithin(tx: Tx, settling: Settling, row: StoredRequest, seen: Observation, teller: Teller): Promise<StoredRequest> {
  const { state, entraRequestId, provisionedAt, endsAt, failure } = seen;
  if (state === row.status) {
    await refine(tx, row, { entraRequestId, provisionedAt, endsAt });
    return { ...row, entraRequestId, provisionedAt, endsAt };
  }
  const settledAt = isFinal(state) ? settling.clock.now() : null;
  const data = { entraRequestId, provisionedAt, endsAt, failure, settledAt };
  if (await advance(tx, row, state, data)) {
    const settled = { ...row, ...data, status: state };
    const { type, result }: (typeof EVENTS)[RequestState] = row.action === 'deactivate' ? { type: state === 'ended' ? 'deactivation.granted' : 'deactivation.failed', result: EVENTS[state].result } : EVENTS[state];
    const groupName = teller.groupName ?? (await catalogOf(tx, row.tenantId, [row.groupId])).get(row.groupId)?.name ?? row.groupId;
    await record(tx, eventOf(settling, settled, teller.type ?? type, teller.result ?? result, { ...teller, groupName }));
    if (state === 'awaiting-approval') await settling.announce(tx, settled);
    return settled;
  }
  // Somebody else was first: what stands is what they wrote.
  return (await tx.accessRequest.findUnique({ where: { tenantId_id: { tenantId: row.tenantId, id: row.id } } })) ?? row;
}

function eventOf({ clock, newId }: Settling, row: StoredRequest, type: PortalEvent['type'], result: PortalEvent['result'], { actor, groupName, data }: Teller): PortalEvent {
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

const nothingNew = (row: StoredRequest): Observation => ({ state: recordedState(row), entraRequestId: row.entraRequestId, provisionedAt: row.provisionedAt, endsAt: row.endsAt, failure: row.failure });
const same = (a: Date | null, b: Date | null): boolean => a?.getTime() === b?.getTime();

// --- What Entra's refusals mean --------------------------------------------------------------------------------------

function cannotCancel(state: RequestState, cause?: unknown): PortalError {
  return new PortalError('conflict', { detail: CANNOT_CANCEL[state] ?? 'Only a request that waits for approval or for its start can be taken back.', cause });
}

const CANNOT_CANCEL: Partial<Record<RequestState, string>> = {
  'asked': 'Entra’s answer to this request is still being looked for.',
  'provisioning': 'It is being provisioned by now. End the access once it is active.',
  'active': 'It is active by now. End the access instead.',
  'ended': 'It has ended by now.',
  'denied': 'An approver has denied it by now.',
  'cancelled': 'It is cancelled already.',
  'lapsed': 'It has lapsed by now: nobody decided in time.',
  'failed': 'It has failed by now.',
};

/** What the sign-in must have proved for an activation, as far as the policy is known. */
export function claimsFor(facts: Pick<CatalogFacts, 'policy' | 'authenticationContext'> | undefined): string | undefined {
  if (facts?.authenticationContext !== undefined) return contextClaims(facts.authenticationContext);
  return facts?.policy?.signIn === 'mfa' ? MFA_CLAIMS : undefined;
}

function lookingForIt(error: GraphError): PortalError {
  return error.failure === 'unavailable'
    ? new PortalError('directory-unavailable', { detail: 'Microsoft Entra did not answer, so it is not known whether your request arrived. We are looking for it: My access shows what we find.', retryAfterSeconds: 10, cause: error })
    : new PortalError('directory-unexpected', { detail: 'Microsoft Entra answered in a way that we do not know. We are looking for your request: My access shows what we find.', cause: error });
}

function refused(denials: readonly { readonly path: string; readonly message: string }[], cause?: unknown): PortalError {
  return new PortalError('activation-refused', { detail: denials.map((denial) => denial.message).join(' '), issues: denials.map(({ path, message }) => ({ path, message })), cause });
}

const CONFLICTS: Readonly<Record<string, string>> = {
  RoleAssignmentExists: 'You have this access already. It cannot be made longer: end it, or ask again when it has ended.',
  PendingRoleAssignmentRequest: 'You asked for this access already, and that request is still under way.',
  RoleAssignmentDoesNotExist: 'You do not have this access now.',
};

/** A final refusal: a sentence for the record, and the error that the person gets. */
function refusalOf(error: GraphError): { readonly sentence: string; readonly error: Error } {
  switch (error.failure) {
    case 'step-up-needed': return { sentence: STEP_UP, error };
    case 'policy': {
      const denials = denialsOf(error.details.failedRules ?? []);
      const told = denials.length > 0 ? denials : [{ path: 'body.groupId', message: 'The role settings do not allow it.' }];
      return { sentence: told.map((denial) => denial.message).join(' '), error: refused(told, error) };
    }
    case 'conflict': {
      const message = CONFLICTS[error.details.code ?? ''] ?? 'Microsoft Entra says that it stands otherwise by now. Reload to see how.';
      return { sentence: message, error: refused([{ path: 'body.groupId', message }], error) };
    }
    case 'not-found': {
      const message = 'PIM does not know this group, or not yet.';
      return { sentence: message, error: refused([{ path: 'body.groupId', message }], error) };
    }
    case 'forbidden': return { sentence: 'A permission is missing.', error };
    case 'not-signed-in': return { sentence: 'The sign-in had ended.', error };
    case 'throttled': return { sentence: 'Microsoft Entra was busy. Nothing was asked for.', error };
    case 'unavailable':
    case 'unexpected': return { sentence: 'Microsoft Entra refused it in a way that we do not know.', error };
  }
}

const needsSignIn = (error: Error): boolean => error instanceof GraphError && (error.failure === 'step-up-needed' || error.failure === 'not-signed-in');

/** What became of one of several. */
function outcomeOf(groupId: string, answer: Attempt): ActivationOutcome {
  if ('asked' in answer) return { groupId, outcome: 'asked', request: answer.asked, reason: null };
  const { refused: error, running } = answer;
  const told = (outcome: ActivationOutcome['outcome'], reason: string): ActivationOutcome => ({ groupId, outcome, request: null, reason });
  if (error instanceof GraphError) return error.failure === 'step-up-needed' ? told('verify', STEP_UP) : told('refused', refusalOf(error).sentence);
  const detail = (error instanceof PortalError ? error.details.detail : undefined) ?? 'It could not be asked for.';
  if (error instanceof PortalError && error.code !== 'activation-refused') return told('unknown', detail);
  return told(running ? 'skipped' : 'refused', detail);
}

/** For reads that the rest can do without: gives `instead`, but never hides that the person must sign in again. */
export function unlessSignInIsNeeded<T>(instead: () => T): (error: unknown) => T {
  return (error) => {
    if (error instanceof GraphError && error.failure !== 'not-signed-in' && error.failure !== 'step-up-needed') return instead();
    throw error;
  };
}

const valueOf = <T>(read: PromiseSettledResult<T>): T | undefined => (read.status === 'fulfilled' ? read.value : undefined);

async function namesOf(graph: Graph, groupIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (groupIds.length === 0) return new Map();
  const names = await graph.directory.names(groupIds).catch(() => undefined);
  return new Map([...(names ?? [])].map(([id, { displayName }]) => [id, displayName]));
}
