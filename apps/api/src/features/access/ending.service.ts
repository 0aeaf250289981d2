import type { AccessRequest, Answer, DeactivateAccess } from '@gatehouse/contracts';
import { GraphError, outcomeIsUnknown, type Graph, type ScheduleRequest } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import { networkEndOf } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import { record } from '../audit/audit.ts';
import { activeFor, decideDeactivation, recordedState, tellRequest } from './access.rules.ts';
import { catalogOf, findOwnRecent, insertIntent, type StoredRequest } from './access.store.ts';
import type { Names } from './names.service.ts';
import { doubtOwnAccess, putCancelled } from './own-access.store.ts';
import { cannotCancel, refusalOf, unlessSignInIsNeeded } from './refusals.service.ts';
import { eventOf, nothingNew, settle, settleWithin, type Settling } from './settling.service.ts';

export interface EndingDeps extends Settling {
  readonly graphFor: (actor: Actor, scopes: 'access') => Graph;
  readonly names: Names;
  /** One of the person's requests as Entra shows it now; another person's is not found. */
  readonly findRequest: (graph: Graph, actor: Actor, requestId: string) => Promise<{ readonly row: StoredRequest; readonly recorded: boolean }>;
}

/** Taking back what has not begun, and ending what is active. */
export function createEnding({ graphFor, names, findRequest, ...settling }: EndingDeps) {
  const { prisma: db, clock, newId } = settling;

  async function groupNameOf(tenantId: string, groupId: string): Promise<string> {
    return (await catalogOf(db, tenantId, [groupId])).get(groupId)?.name ?? (await names.ofGroups([groupId])).get(groupId) ?? groupId;
  }

  return {
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
        // Whatever became of it: what is kept of the person's own does not tell of it.
        await doubtOwnAccess(db, actor);
        if (!(error instanceof GraphError) || (error.failure !== 'conflict' && error.failure !== 'not-found')) throw error;
        const { row: stands } = await findRequest(graph, actor, requestId);
        if (stands.status !== 'cancelled') throw cannotCancel(recordedState(stands), error);
        return tellRequest(stands);
      }
      if (recorded) return tellRequest(await settle(settling, row, { ...nothingNew(row), state: 'cancelled' }, { actor, groupName }));
      const { entraRequestId } = row;
      await db.$transaction(async (tx) => {
        await putCancelled(tx, actor, 'requests', entraRequestId);
        await record(tx, eventOf(settling, row, 'activation.cancelled', 'success', { actor, groupName }));
      });
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
        await doubtOwnAccess(db, actor);
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
      if (answer && answer.status !== 'Revoked' && !gone) await doubtOwnAccess(db, actor);
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
