import type { Answer, Input, KeepGoing } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { GraphError, type Graph } from '@gatehouse/graph';
import { PORTAL, type Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { durationOf } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import { record, type PortalEvent } from '../audit/audit.ts';
import { readRoleSettings } from '../setup/setup.ts';
import { activeFor, denialsOf, eligibilityFor } from './access.rules.ts';
import type { Access } from './access.service.ts';
import { catalogOf, findOwnRecent, policyIn, type KnownPolicy } from './access.store.ts';
import { claimsFor } from './refusals.service.ts';
import { decideKeepGoing, standingOf, type KeepGoingStanding } from './keep-going.rules.ts';
import { findAllUnfinished, findUnfinished, insertKeepGoing, isSecondWish, layDown, setEnded, settleKeepGoing, takeUp, type StoredKeepGoing } from './keep-going.store.ts';

export interface KeepGoingDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly access: Access;
  readonly graphFor: (actor: Actor, scopes: 'access', claims?: string) => Graph;
  /** The portal's own Graph, read-only: the role settings as they are now. */
  readonly appGraph: Graph;
  /** Waits between two looks at what Entra does in its own time. */
  readonly wait: (ms: number) => Promise<void>;
}

export type KeepGoingOn = ReturnType<typeof createKeepGoing>;

/** How often, and how far apart in milliseconds, Entra is looked at for a membership that is to be gone. */
const LOOKS = 10;
const BETWEEN_LOOKS_MS = 2_000;

/**
 * Keeps an access going: Entra makes no activation longer, so that it is ended, proved gone and activated again. Whatever
 * can keep the second from beginning is asked before the first ends; what a crash leaves between is told, and gone on with.
 */
export function createKeepGoing({ db: { prisma: db }, clock, newId, access, graphFor, appGraph, wait }: KeepGoingDeps) {
  const eventOf = (row: StoredKeepGoing, type: PortalEvent['type'], result: PortalEvent['result'], groupName: string, actor?: Actor, reason?: string): PortalEvent => ({
    id: newId(), at: clock.now(), actor: actor ?? { ...PORTAL, tenantId: row.tenantId }, type, kind: 'portal-access', result, reason,
    subject: { id: row.principalId, name: row.principalName }, group: { id: row.groupId, name: groupName }, requestId: row.id,
    data: { minutes: row.minutes, justification: row.justification, ticket: row.ticketNumber },
  });

  async function groupNameOf(tenantId: string, groupId: string): Promise<string> {
    return (await catalogOf(db, tenantId, [groupId])).get(groupId)?.name ?? groupId;
  }

  async function settle(row: StoredKeepGoing, standing: Exclude<KeepGoingStanding, { status: 'open' }>, actor?: Actor): Promise<void> {
    const groupName = await groupNameOf(row.tenantId, row.groupId);
    const failure = standing.status === 'done' ? null : standing.failure;
    const activationId = standing.status === 'done' ? standing.activationId : null;
    const type = { done: 'keep-going.finished', failed: 'keep-going.failed', lapsed: 'keep-going.lapsed' } as const;
    await db.$transaction(async (tx) => {
      const first = await settleKeepGoing(tx, row, { status: standing.status, failure, activationId, settledAt: clock.now() });
      if (first) await record(tx, eventOf(row, type[standing.status], standing.status === 'done' ? 'success' : 'failure', groupName, actor, failure ?? undefined));
    });
  }

  /** Settles what its recorded steps have settled; answers where it stands. */
  async function look(row: StoredKeepGoing, actor?: Actor): Promise<KeepGoingStanding> {
    const standing = standingOf(row, await findOwnRecent(db, row.tenantId, row.principalId), clock.now());
    if (standing.status !== 'open') await settle(row, standing, actor);
    return standing;
  }

  /** The role settings as they are now: the catalog's may be some minutes old. */
  async function policyNow(groupId: string): Promise<KnownPolicy> {
    const rules = await appGraph.pim.policy(groupId, 'member').then((policy) => policy.rules, () => undefined);
    return rules === undefined ? { policy: null } : policyIn(readRoleSettings(rules));
  }

  /** Decides on what is there now, has Entra check the new activation, and records the wish. Nothing has ended before that. */
  async function begin(actor: Actor, body: Input<typeof KeepGoing>['body']): Promise<{ readonly row: StoredKeepGoing; readonly known: KnownPolicy } | undefined> {
    const { groupId, justification, ticket } = body;
    const { pim } = graphFor(actor, 'access');
    const [eligibilities, assignments, known] = await Promise.all([pim.mine.eligibilities().catch(unlessSignInIsNeeded), pim.mine.assignments().catch(unlessSignInIsNeeded), policyNow(groupId)]);
    const decision = decideKeepGoing({
      now: clock.now(), policy: known.policy, wish: { minutes: body.minutes, justification, ticketNumber: ticket?.number },
      eligibility: eligibilityFor(groupId, eligibilities, clock.now()), active: activeFor(groupId, assignments, clock.now()),
    });
    if (!decision.allowed) throw refused(decision.message, PATHS[decision.reason]);

    // A stronger sign-in, or a rule that we do not know, is asked for before anything ends.
    await graphFor(actor, 'access', claimsFor(known)).pim.mine
      .validate({ principalId: actor.principalId, groupId, startsAt: clock.now().toISOString(), duration: durationOf(decision.minutes), justification, ticket })
      .then((checked) => {
        if (checked.status === 'PendingApproval' || checked.status === 'PendingAdminDecision') throw refused('The new activation would wait for approval, and you would be out meanwhile. Ask again once it has ended.');
      })
      .catch((error: unknown) => {
        // That there is one is what is to be ended: every other check was passed.
        if (error instanceof GraphError && error.details.code === 'RoleAssignmentExists') return;
        if (error instanceof GraphError && error.failure === 'policy') throw refused(sentencesOf(error), undefined, error);
        throw error;
      });

    const groupName = await groupNameOf(actor.tenantId, groupId);
    try {
      const row = await db.$transaction(async (tx) => {
        const made = await insertKeepGoing(tx, {
          tenantId: actor.tenantId, id: newId(), principalId: actor.principalId, principalName: actor.name, groupId, minutes: decision.minutes,
          justification, ticketNumber: ticket?.number ?? null, ticketSystem: ticket?.system ?? null, createdAt: clock.now(),
        });
        await record(tx, eventOf(made, 'keep-going.requested', 'other', groupName, actor));
        return made;
      });
      return { row, known };
    } catch (error) {
      if (isSecondWish(error)) return undefined;
      throw error;
    }
  }

  /** Until PIM and the directory both show no membership. */
  async function provedGone({ pim, directory }: Graph, { principalId, groupId }: StoredKeepGoing): Promise<boolean> {
    for (let looked = 1; ; looked++) {
      const [assignments, member] = await Promise.all([pim.mine.assignments().catch(unlessSignInIsNeeded), directory.isMember(principalId, groupId).catch(unlessSignInIsNeeded)]);
      if (assignments && activeFor(groupId, assignments, clock.now()) === null && member === false) return true;
      if (looked === LOOKS) return false;
      await wait(BETWEEN_LOOKS_MS);
    }
  }

  /** From wherever it stands to the new activation, or as far as Entra lets it. */
  async function goOn(actor: Actor, row: StoredKeepGoing, known: KnownPolicy, endedBefore: Date | null): Promise<Answer<typeof KeepGoing>> {
    const { groupId, justification } = row;
    const graph = graphFor(actor, 'access');
    let endedAt = endedBefore;
    if (endedAt === null) {
      const assignments = await graph.pim.mine.assignments();
      // What looks assigned may be the directory lagging behind: there is nothing of ours to end.
      if (activeFor(groupId, assignments, clock.now())?.assignmentType === 'activated') {
        try {
          await access.deactivate(actor, groupId);
        } catch (error) {
          if (!(error instanceof PortalError) || error.code !== 'deactivation-refused') throw error;
          await settle(row, { status: 'failed', endedAt: null, failure: error.details.detail ?? error.message }, actor);
          throw refused(`${error.details.detail ?? 'Microsoft Entra does not end this membership now.'} You have the access still.`, undefined, error);
        }
      }
      if (!(await provedGone(graph, row))) return { groupId, state: 'ending', endedAt: null, requestId: null, message: 'Microsoft Entra still shows the membership, so that a new activation would be refused. Go on in a moment.' };
      endedAt = clock.now();
      await setEnded(db, row, endedAt);
    }

    const eligibility = eligibilityFor(groupId, await graph.pim.mine.eligibilities().catch(unlessSignInIsNeeded), clock.now());
    const left = eligibility?.endsAt ? Math.floor((eligibility.endsAt.getTime() - clock.now().getTime()) / 60_000) : Infinity;
    try {
      const made = await access.requestActivation(actor, {
        groupId, minutes: Math.min(row.minutes, left), justification: justification ?? '',
        ...(row.ticketNumber !== null && { ticket: { number: row.ticketNumber, system: row.ticketSystem ?? '' } }),
      }, known);
      await settle(row, { status: 'done', endedAt, activationId: made.id }, actor);
      return { groupId, state: 'asked', endedAt: endedAt.toISOString(), requestId: made.id, message: made.state === 'awaiting-approval' ? 'Your membership has ended, and the new activation waits for approval: you are out until then.' : 'Your membership has ended, and the new activation is asked for.' };
    } catch (error) {
      const standing = await look(row, actor);
      if (standing.status === 'done') return { groupId, state: 'asked', endedAt: endedAt.toISOString(), requestId: standing.activationId, message: 'Your membership has ended, and the new activation was asked for; Microsoft Entra’s answer is being looked for.' };
      if (!(error instanceof PortalError) || error.code !== 'activation-refused') throw error;
      throw refused(`Your membership has ended, and the new activation was not taken: ${error.details.detail ?? 'Microsoft Entra refused it.'}`, undefined, error);
    }
  }

  return {
    /** Ends the person's activation and activates again. Asked twice, or after a stop on the way, it goes on from where it stands. */
    async keepGoing(actor: Actor, body: Input<typeof KeepGoing>['body']): Promise<Answer<typeof KeepGoing>> {
      const { groupId } = body;
      const before = (await findUnfinished(db, actor.tenantId, actor.principalId)).find((row) => row.groupId === groupId);
      const standing = before && (await look(before, actor));
      const stands = before && standing?.status === 'open' ? { row: before, endedAt: standing.endedAt } : undefined;
      if (stands && !(await takeUp(db, stands.row, clock.now()))) throw underWay();
      const begun = stands ? undefined : await begin(actor, body);
      const row = stands?.row ?? begun?.row;
      if (!row) throw underWay();
      try {
        return await goOn(actor, row, begun?.known ?? (await policyNow(groupId)), stands?.endedAt ?? null);
      } finally {
        await layDown(db, row);
      }
    },

    /** Settles wishes that nobody goes on with, by what became of their steps. Answers how many. */
    async settleUnfinished(tenantId: string): Promise<number> {
      let settled = 0;
      for (const row of await findAllUnfinished(db, tenantId)) if ((await look(row)).status !== 'open') settled += 1;
      return settled;
    },
  };
}

const underWay = (): PortalError => new PortalError('conflict', { detail: 'This access is being kept going right now, perhaps in another window. My access shows how it goes.' });

const PATHS: Partial<Record<string, string>> = { 'longer-than-allowed': 'body.minutes', 'eligibility-ends-first': 'body.minutes', 'justification-missing': 'body.justification', 'justification-empty': 'body.justification', 'ticket-missing': 'body.ticket' };

function refused(detail: string, path = 'body.groupId', cause?: unknown): PortalError {
  return new PortalError('keep-going-refused', { detail, issues: [{ path, message: detail }], cause });
}

const sentencesOf = (error: GraphError): string => denialsOf(error.details.failedRules ?? []).map(({ message }) => message).join(' ') || 'The role settings do not allow a new activation.';

/** For what is not known without it; never hides that the person must sign in again. */
function unlessSignInIsNeeded(error: unknown): undefined {
  if (error instanceof GraphError && error.failure !== 'not-signed-in' && error.failure !== 'step-up-needed') return undefined;
  throw error;
}
