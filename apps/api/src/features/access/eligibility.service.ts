import type { Answer, AskForEligibility, CancelEligibilityRequest, EndingEligibility, Input, ListEndingEligibilities } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { GraphError, outcomeIsUnknown, type Graph } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { addMinutes } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import { record, type PortalEvent } from '../audit/audit.ts';
import type { EntraRequest } from './access.rules.ts';
import { catalogOf } from './access.store.ts';
import { decideAsk, endingEligibilities, isWaiting, tellEligibility, whomToAsk, type EligibilityFacts } from './eligibility.rules.ts';
import { findUnanswered, insertEligibilityRequest, maxDaysOf, settleEligibilityRequest, type StoredEligibilityRequest } from './eligibility.store.ts';
import type { Names } from './names.service.ts';
import type { OwnAccesses, Shown } from './own-access.service.ts';
import { doubtOwnAccess, putCancelled } from './own-access.store.ts';

export interface EligibilityDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly graphFor: (actor: Actor, scopes: 'access' | 'ask-for-eligibility') => Graph;
  readonly ownAccess: OwnAccesses;
  /** Names of groups, and of who owns them. */
  readonly names: Names;
}

export type Eligibility = ReturnType<typeof createEligibility>;

interface Known {
  readonly facts: readonly EligibilityFacts[];
  /** `undefined`: could not be read. */
  readonly requests: readonly EntraRequest[] | undefined;
  readonly readAt: Date;
}

/** How long Entra may take to show a request that it has accepted. */
const SHOWN_WITHIN_MINUTES = 2;

/** Eligibilities of the person that end soon or ended lately, and asking an administrator for more of them. */
export function createEligibility({ db: { prisma: db }, clock, newId, graphFor, ownAccess, names }: EligibilityDeps) {
  /** What stands must be known; without the requests it is not known what was asked, so that nothing ended is told. */
  function factsOf({ eligibilities, eligibilityRequests: requests, at, unread }: Shown): Known {
    if (!eligibilities) throw new PortalError('directory-unavailable', { detail: 'What you are eligible for could not be read from Microsoft Entra.', retryAfterSeconds: 10 });
    const readAt = [at.eligibilities, at['eligibility-requests']].reduce<Date>((oldest, one) => (one && one < oldest ? one : oldest), clock.now());
    return { facts: endingEligibilities({ now: clock.now(), instances: eligibilities, requests: requests ?? [] }), requests: unread.has('eligibility-requests') ? undefined : requests, readAt };
  }

  const readNow = async (actor: Actor): Promise<Known> => factsOf(await ownAccess.read(graphFor(actor, 'access'), actor, ['eligibilities', 'eligibility-requests']));

  const ownersOf = (groupId: string): Promise<readonly string[]> => names.ofOwners(groupId);

  async function tell(tenantId: string, facts: readonly EligibilityFacts[]): Promise<EndingEligibility[]> {
    const groupIds = facts.map(({ groupId }) => groupId);
    const [catalog, maxDays] = await Promise.all([catalogOf(db, tenantId, groupIds), maxDaysOf(db, tenantId, groupIds)]);
    const nameless = groupIds.filter((groupId) => !catalog.has(groupId));
    const named = await names.ofGroups(nameless);
    return Promise.all(facts.map(async (one) => tellEligibility(one, {
      groupName: catalog.get(one.groupId)?.name ?? named.get(one.groupId) ?? one.groupId,
      applications: [...(catalog.get(one.groupId)?.applications ?? [])],
      maxDays: maxDays.get(one.groupId) ?? null,
      askInstead: one.through === 'group' ? await ownersOf(one.groupId) : [],
    })));
  }

  const eventOf = (actor: Actor, row: StoredEligibilityRequest, groupName: string, type: PortalEvent['type'], result: PortalEvent['result'], reason?: string): PortalEvent => ({
    id: newId(), at: clock.now(), actor, type, kind: 'portal-access', result, reason, group: { id: row.groupId, name: groupName },
    subject: { id: row.principalId, name: row.principalName }, requestId: row.id,
    data: { action: row.action, until: row.until.toISOString(), justification: row.justification },
  });

  async function settle(actor: Actor, row: StoredEligibilityRequest, groupName: string, outcome: { readonly sent: string } | { readonly failure: string; readonly type: 'eligibility.refused' | 'eligibility.failed' }): Promise<void> {
    await db.$transaction(async (tx) => {
      const sent = 'sent' in outcome;
      const first = await settleEligibilityRequest(tx, row, { status: sent ? 'sent' : 'failed', entraRequestId: sent ? outcome.sent : null, failure: sent ? null : outcome.failure, settledAt: clock.now() });
      if (first) await record(tx, sent ? eventOf(actor, row, groupName, 'eligibility.sent', 'other') : eventOf(actor, row, groupName, outcome.type, 'failure', outcome.failure));
    });
  }

  /** Settles wishes whose answer was lost, by what Entra shows. */
  async function settleUnanswered(actor: Actor, requests: readonly EntraRequest[] | undefined, readAt: Date): Promise<void> {
    const rows = await findUnanswered(db, actor.tenantId, actor.principalId);
    if (rows.length === 0 || !requests) return;
    const catalog = await catalogOf(db, actor.tenantId, rows.map(({ groupId }) => groupId));
    for (const row of rows) {
      const found = requests.find((request) => request.groupId === row.groupId && request.action === (row.action === 'extend' ? 'selfExtend' : 'selfRenew') && request.justification === row.justification && Date.parse(request.createdAt) >= row.createdAt.getTime() - 30_000);
      const groupName = catalog.get(row.groupId)?.name ?? row.groupId;
      if (found) await settle(actor, row, groupName, { sent: found.id });
      else if (readAt >= addMinutes(row.createdAt, SHOWN_WITHIN_MINUTES)) await settle(actor, row, groupName, { failure: 'Entra has no such request: it never arrived.', type: 'eligibility.failed' });
    }
  }

  return {
    /** What ends within a fortnight or ended within a month, what can be asked for, and what was. */
    async list(actor: Actor): Promise<Answer<typeof ListEndingEligibilities>> {
      const { facts, requests, readAt } = factsOf(await ownAccess.show(graphFor(actor, 'access'), actor));
      await settleUnanswered(actor, requests, readAt);
      return {
        readAt: readAt.toISOString(), items: await tell(actor.tenantId, facts),
        notKnown: requests ? [] : ['What was asked about your eligibilities could not be read from Microsoft Entra, and neither what has ended.'],
      };
    },

    /** Asks an administrator, once; answers how it then stands. */
    async ask(actor: Actor, { groupId, days, justification }: Input<typeof AskForEligibility>['body']): Promise<EndingEligibility> {
      const { facts, requests, readAt } = await readNow(actor);
      if (!requests) throw new PortalError('directory-unavailable', { detail: 'What was asked before could not be read from Microsoft Entra, so nothing was asked now.', retryAfterSeconds: 10 });
      await settleUnanswered(actor, requests, readAt);
      const known = facts.find((one) => one.groupId === groupId);
      const [catalog, maxDays] = await Promise.all([catalogOf(db, actor.tenantId, [groupId]), maxDaysOf(db, actor.tenantId, [groupId])]);
      const decision = decideAsk({ now: clock.now(), facts: known, days, maxDays: maxDays.get(groupId) ?? null });
      if (!decision.allowed) throw refused(decision.reason === 'through-group' ? `${decision.message} ${whomToAsk(await ownersOf(groupId))}` : decision.message, decision.reason === 'longer-than-allowed' ? 'body.days' : 'body.groupId');

      const groupName = catalog.get(groupId)?.name ?? groupId;
      const row = await db.$transaction(async (tx) => {
        const made = await insertEligibilityRequest(tx, { tenantId: actor.tenantId, id: newId(), principalId: actor.principalId, principalName: actor.name, groupId, action: decision.action, until: decision.until, justification, createdAt: clock.now() });
        await record(tx, eventOf(actor, made, groupName, 'eligibility.requested', 'other'));
        return made;
      });
      try {
        const answer = await graphFor(actor, 'ask-for-eligibility').pim.mine.askForEligibility({
          principalId: actor.principalId, groupId, action: decision.action === 'extend' ? 'selfExtend' : 'selfRenew',
          startsAt: decision.startsAt.toISOString(), endsAt: decision.until.toISOString(), justification,
        });
        await settle(actor, row, groupName, { sent: answer.id });
      } catch (error) {
        await doubtOwnAccess(db, actor);
        if (!(error instanceof GraphError)) throw error;
        if (outcomeIsUnknown(error)) throw new PortalError('directory-unavailable', { detail: 'Microsoft Entra did not answer as it should, so it is not known whether your wish arrived. Reload in a minute: the page shows what is found.', retryAfterSeconds: 10, cause: error });
        const sentence = await sentenceOf(error, groupId);
        await settle(actor, row, groupName, { failure: sentence ?? 'Microsoft Entra did not take it.', type: 'eligibility.refused' });
        throw sentence === undefined ? error : refused(sentence, 'body.groupId', error);
      }
      const after = (await readNow(actor)).facts.find((one) => one.groupId === groupId) ?? known;
      const [item] = after ? await tell(actor.tenantId, [after]) : [];
      if (!item) throw new PortalError('directory-unexpected', { detail: 'Microsoft Entra took your wish and does not show it. Reload in a minute.' });
      return item;
    },

    /** Takes a wish back that waits for an administrator. Another person's answers like none. */
    async cancel(actor: Actor, requestId: string): Promise<Answer<typeof CancelEligibilityRequest>> {
      const { requests } = await readNow(actor);
      const wish = requests?.find(({ id, action }) => id === requestId && (action === 'selfExtend' || action === 'selfRenew'));
      if (!wish) throw requests ? new PortalError('not-found') : new PortalError('directory-unavailable', { detail: 'What you asked could not be read from Microsoft Entra, so nothing was taken back.', retryAfterSeconds: 10 });
      if (!isWaiting(wish)) throw decidedByNow();
      const { groupId } = wish;
      const groupName = (await catalogOf(db, actor.tenantId, [groupId])).get(groupId)?.name ?? groupId;
      const event = (type: PortalEvent['type'], result: PortalEvent['result']): PortalEvent => ({
        id: newId(), at: clock.now(), actor, type, kind: 'portal-access', result, group: { id: groupId, name: groupName }, subject: { id: actor.principalId, name: actor.name }, requestId,
      });
      await db.$transaction((tx) => record(tx, event('eligibility.cancellation-requested', 'other')));
      try {
        await graphFor(actor, 'ask-for-eligibility').pim.mine.cancelEligibilityRequest(requestId);
      } catch (error) {
        await doubtOwnAccess(db, actor);
        if (!(error instanceof GraphError)) throw error;
        if (error.failure === 'conflict' || error.failure === 'not-found') throw decidedByNow(error);
        // Entra documents the call for those who manage the group, and does not say whether a person may make it for their own.
        if (error.failure === 'forbidden') throw new PortalError('eligibility-refused', { detail: `Microsoft Entra does not let you take this back yourself. ${whomToAsk(await ownersOf(groupId))}`, cause: error });
        throw error;
      }
      await db.$transaction(async (tx) => {
        await putCancelled(tx, actor, 'eligibility-requests', requestId);
        await record(tx, event('eligibility.cancelled', 'success'));
      });
      return { requestId, groupId };
    },
  };

  /** Entra's no in words; `undefined` where it is none of this feature's own. */
  async function sentenceOf(error: GraphError, groupId: string): Promise<string | undefined> {
    switch (error.failure) {
      case 'conflict': return error.details.code === 'PendingRoleAssignmentRequest' ? 'You asked already: an administrator decides.' : 'Microsoft Entra says that it stands otherwise by now. Reload to see how.';
      case 'policy': return 'The role settings of the group do not allow that long: ask for less.';
      case 'forbidden':
      case 'not-found': return `Microsoft Entra does not let you ask for this yourself. ${whomToAsk(await ownersOf(groupId))}`;
      default: return undefined;
    }
  }
}

const decidedByNow = (cause?: unknown): PortalError => new PortalError('conflict', { detail: 'It waits for nobody any more: it was decided or taken back by now. Reload to see how it stands.', cause });

function refused(detail: string, path: string, cause?: unknown): PortalError {
  return new PortalError('eligibility-refused', { detail, issues: [{ path, message: detail }], cause });
}
