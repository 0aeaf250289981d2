import type { AccessRequest, ActivationOutcome, Answer, CheckActivation, Input, RequestActivation, RequestActivations } from '@gatehouse/contracts';
import { GraphError, outcomeIsUnknown, type Graph } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import { durationOf } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import { record } from '../audit/audit.ts';
import {
  activeFor, decideActivation, eligibilityFor, madeElsewhere, observe, recordedState, STEP_UP, tellRequest,
  type ActivationDecision, type Denial, type EntraView, type RecordedRequest,
} from './access.rules.ts';
import { catalogOf, findEntraIds, findOwnRecent, insertIntent, isOpen, type KnownPolicy, type StoredRequest } from './access.store.ts';
import type { Names } from './names.service.ts';
import type { Shown, OwnAccesses } from './own-access.service.ts';
import { claimsFor, lookingForIt, needsSignIn, refusalOf, refused } from './refusals.service.ts';
import { eventOf, nothingNew, settle, type Settling } from './settling.service.ts';

export interface ActivationDeps extends Settling {
  /** The person's own Graph, on a token that has the claims where some are named. */
  readonly graphFor: (actor: Actor, scopes: 'access', claims?: string) => Graph;
  readonly ownAccess: OwnAccesses;
  readonly names: Names;
}

const NOTHING_READ: EntraView = { requests: undefined, assignments: undefined };
const viewOf = ({ requests, assignments, at }: Shown): EntraView => ({ requests, assignments, requestsAt: at.requests, assignmentsAt: at.assignments });

/** What became of asking for an activation. `running`: it is open, or under way. */
type Attempt = { readonly asked: AccessRequest } | { readonly refused: Error; readonly running: boolean };
const RUNNING: ReadonlySet<Denial['reason']> = new Set<Denial['reason']>(['already-active', 'already-asked']);
/** Activations of one person that are asked for at the same time. */
const AT_A_TIME = 4;

/** What decides whether it is possible. */
const DECIDES = ['eligibilities', 'assignments', 'requests'] as const;

/** Activating: the intent in a transaction, Entra outside of it, the outcome in another. One write, and no reading where Entra takes it. */
export function createActivation({ graphFor, ownAccess, names, ...settling }: ActivationDeps) {
  const { prisma: db, clock, newId } = settling;

  /** Brings recorded requests to where `view` shows them; answers them as they then stand. */
  async function refresh(rows: readonly StoredRequest[], view: EntraView, known: ReadonlySet<string>): Promise<readonly StoredRequest[]> {
    const settled: StoredRequest[] = [];
    for (const row of rows) settled.push(isOpen(row) ? await settle(settling, row, observe(row, view, clock.now(), known)) : row);
    return settled;
  }

  /** Asks Entra to activate the person's membership, once. A refusal is an answer; where there is none, it throws. `live`: role settings that were read just now. */
  async function attempt(actor: Actor, body: Input<typeof RequestActivation>['body'], live?: KnownPolicy): Promise<Attempt> {
    const graph = graphFor(actor, 'access');
    const { groupId, minutes, justification } = body;
    const [recent, known, catalog] = await Promise.all([
      findOwnRecent(db, actor.tenantId, actor.principalId), findEntraIds(db, actor.tenantId, actor.principalId), catalogOf(db, actor.tenantId, [groupId]),
    ]);
    const facts = live ?? catalog.get(groupId);
    const wish = { minutes, justification, startsAt: body.startsAt === undefined ? undefined : new Date(body.startsAt), ticketNumber: body.ticket?.number };
    const decide = (rows: readonly RecordedRequest[], seen: Shown | undefined): ActivationDecision => {
      const open = rows.find((row) => row.action === 'activate' && isOpen(row));
      return decideActivation({
        now: clock.now(), wish,
        policy: facts?.policy ?? null,
        eligibility: eligibilityFor(groupId, seen?.eligibilities, clock.now()),
        active: seen?.assignments && activeFor(groupId, seen.assignments, clock.now()) !== null,
        openRequest: open && recordedState(open),
      });
    };
    // Of a request made elsewhere that says nothing understandable, Entra alone knows whether it is in the way.
    const elsewhere = (shown: Shown): readonly RecordedRequest[] => madeElsewhere(viewOf(shown), actor.principalId, known, clock.now()).filter((row) => row.groupId === groupId && row.status !== 'asked');

    // What has ended meanwhile must not stand in the way of asking again: first what the clock alone ends.
    let rows = await refresh(recent.filter((row) => row.groupId === groupId && isOpen(row)), NOTHING_READ, known);
    let seen: Shown | undefined;
    // Entra decides, and is asked before it only where the record knows of something in the way, or the catalog of nothing.
    if (!catalog.has(groupId) || rows.some((row) => row.action === 'activate' && isOpen(row))) {
      seen = await ownAccess.read(graph, actor, DECIDES);
      rows = await refresh(rows, viewOf(seen), known);
    }
    const decision = decide([...rows, ...(seen ? elsewhere(seen) : [])], seen);
    if (!decision.allowed) return { refused: refused(decision.denials), running: decision.denials.some(({ reason }) => RUNNING.has(reason)) };

    const groupName = catalog.get(groupId)?.name ?? (await names.ofGroups([groupId])).get(groupId) ?? groupId;
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
      const answer = await graphFor(actor, 'access', claimsFor(facts)).pim.mine.activate({
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
        const after = await ownAccess.read(graph, actor, DECIDES).catch(() => undefined);
        // The answer to a first attempt may have been lost, and this is the answer to its repetition.
        const found = error.failure === 'conflict' && after ? await settle(settling, intended, observe(intended, viewOf(after), clock.now(), known), { actor, groupName }) : intended;
        if (found.entraRequestId) return { asked: tellRequest(found) };
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
    /** Asks Entra to activate the person's membership, once, and answers where that request stands. `live`: role settings that were read just now; else the catalog's count. */
    async requestActivation(actor: Actor, body: Input<typeof RequestActivation>['body'], live?: KnownPolicy): Promise<AccessRequest> {
      const answer = await attempt(actor, body, live);
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
  };
}

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
