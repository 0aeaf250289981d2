import type { Answer, DecideApproval, Input, ListApprovals } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { GraphError, outcomeIsUnknown, type Graph } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { addMinutes } from '../../core/durations.ts';
import { PortalError } from '../../core/errors.ts';
import { catalogOf } from '../access/access.ts';
import { record, type PortalEvent } from '../audit/audit.ts';
import { approvalIdOf, decidable, decideApproval, outcomeOf, tellItem, type PendingRequest } from './approvals.rules.ts';
import { countActivations, findConcerned, findDecisions, findHistoryStart, findLastActivations, insertDecision, isOwnRequest, settleDecision, type StoredDecision } from './approvals.store.ts';

export interface ApprovalsDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** The person's own Graph: approvals cannot be read app-only. */
  readonly graphFor: (actor: Actor, scopes: 'approvals') => Graph;
  /** The portal's own Graph, read-only: an approver's token may not read other people's names. */
  readonly appGraph: Pick<Graph, 'directory'>;
  readonly newId: () => string;
}

export type ApprovalsService = ReturnType<typeof createApprovals>;

/** How long one's own decisions stay in the inbox, in days. */
const DECIDED_SHOWN_DAYS = 7;
const OWN_REQUEST = 'Nobody decides their own request. Another approver can.';

type Names = Awaited<ReturnType<Graph['directory']['names']>>;

/** The approver's inbox and decisions. Who is an approver is what Entra says: the list that it gives to the person. */
export function createApprovals({ db: { prisma: db }, clock, graphFor, appGraph, newId }: ApprovalsDeps) {
  /** Names are a courtesy: without them the ids are shown. */
  async function namesOf(ids: readonly string[]): Promise<Names> {
    if (ids.length === 0) return new Map();
    return appGraph.directory.names([...new Set(ids)]).catch((error: unknown) => {
      if (error instanceof GraphError) return new Map();
      throw error;
    });
  }

  function eventOf(actor: Actor, row: StoredDecision, type: PortalEvent['type'], result: PortalEvent['result'], concerned: { request: PendingRequest; requesterName: string; groupName: string } | undefined, reason?: string): PortalEvent {
    return {
      id: newId(), at: clock.now(), actor, type, kind: 'portal-approval', result, reason,
      subject: concerned && { id: concerned.request.principalId, name: concerned.requesterName },
      group: concerned && { id: concerned.request.groupId, name: concerned.groupName },
      requestId: concerned?.request.id ?? row.approvalId,
      data: { approval: row.approvalId, decision: row.decision, justification: row.justification },
    };
  }

  /** Decisions whose answer was lost: Entra shows now whether they arrived. */
  async function settleLost(graph: Graph, actor: Actor, rows: readonly StoredDecision[]): Promise<readonly StoredDecision[]> {
    const settled: StoredDecision[] = [];
    for (const row of rows) {
      if (row.status === 'decided') {
        settled.push(row);
        continue;
      }
      const outcome = outcomeOf(row, await stagesOf(graph, row.approvalId).catch(() => undefined), clock.now());
      if (!outcome) continue;
      await db.$transaction(async (tx) => {
        if (await settleDecision(tx, row, outcome, clock.now())) await record(tx, eventOf(actor, row, outcome === 'decided' ? DECIDED[row.decision] ?? 'approval.decided' : 'approval.failed', outcome === 'decided' ? 'success' : 'failure', undefined));
      });
      if (outcome === 'decided') settled.push({ ...row, status: outcome, settledAt: clock.now() });
    }
    return settled;
  }

  return {
    /** What waits for the person's decision, and what they decided lately. */
    async list(actor: Actor): Promise<Answer<typeof ListApprovals>> {
      const graph = graphFor(actor, 'approvals');
      const now = clock.now();
      const pending = decidable(await graph.approvals.pendingForMe(), actor.principalId, now);
      const catalog = await catalogOf(db, actor.tenantId, pending.map((request) => request.groupId));
      const [names, recorded] = await Promise.all([
        namesOf(pending.flatMap((request) => (catalog.has(request.groupId) ? [request.principalId] : [request.principalId, request.groupId]))),
        findDecisions(db, actor.tenantId, actor.principalId, addMinutes(now, -DECIDED_SHOWN_DAYS * 24 * 60)),
      ]);
      const items = await Promise.all(pending.map(async (request) => {
        const [lastActivations, activations] = await Promise.all([
          findLastActivations(db, actor.tenantId, request.principalId, request.groupId, request.id),
          countActivations(db, actor.tenantId, request.principalId, request.groupId, now),
        ]);
        return tellItem(request, { names, catalog, lastActivations, activations });
      }));

      const decided = await settleLost(graph, actor, recorded);
      const concerned = await findConcerned(db, actor.tenantId, decided.map((row) => row.approvalId));
      return {
        readAt: now.toISOString(),
        historyFrom: await findHistoryStart(db, actor.tenantId),
        items: items.sort((a, b) => a.askedAt.localeCompare(b.askedAt) || a.id.localeCompare(b.id)),
        decided: decided.map((row) => ({
          id: row.approvalId,
          decision: row.decision === 'approve' ? 'approve' as const : 'deny' as const,
          justification: row.justification,
          decidedAt: (row.settledAt ?? row.createdAt).toISOString(),
          requesterName: concerned.get(row.approvalId)?.requesterName ?? null,
          groupName: concerned.get(row.approvalId)?.groupName ?? null,
        })),
      };
    },

    /** Passes the person's decision on to Entra, once. */
    async decide(actor: Actor, approvalId: string, { decision, justification }: Input<typeof DecideApproval>['body']): Promise<Answer<typeof DecideApproval>> {
      if (await isOwnRequest(db, actor.tenantId, actor.principalId, approvalId)) throw new PortalError('not-permitted', { detail: OWN_REQUEST });
      const graph = graphFor(actor, 'approvals');
      const request = (await graph.approvals.pendingForMe()).find((other) => approvalIdOf(other) === approvalId);
      const outcome = decideApproval({ now: clock.now(), approverId: actor.principalId, request, stages: (await stagesOf(graph, approvalId)) ?? [] });
      if (outcome.kind === 'own') throw new PortalError('not-permitted', { detail: OWN_REQUEST });
      if (outcome.kind === 'decided') throw new PortalError('already-decided', { detail: outcome.news, decided: outcome.decided });
      if (outcome.kind === 'lapsed') throw new PortalError('already-decided', { detail: 'The request has lapsed: nobody decided in time. The person can ask again.' });
      if (outcome.kind !== 'allowed' || !request) throw new PortalError('not-found');

      const [catalog, names] = await Promise.all([catalogOf(db, actor.tenantId, [request.groupId]), namesOf([request.principalId, request.groupId])]);
      const concerned = {
        request,
        requesterName: names.get(request.principalId)?.displayName ?? request.principalId,
        groupName: catalog.get(request.groupId)?.name ?? names.get(request.groupId)?.displayName ?? request.groupId,
      };
      const intended = await db.$transaction(async (tx) => {
        const row = await insertDecision(tx, { tenantId: actor.tenantId, id: newId(), approvalId, approverId: actor.principalId, approverName: actor.name, decision, justification, createdAt: clock.now() });
        await record(tx, eventOf(actor, row, 'approval.requested', 'other', concerned));
        return row;
      });
      const conclude = async (status: 'decided' | 'failed', type: PortalEvent['type'], reason?: string): Promise<void> => {
        await db.$transaction(async (tx) => {
          if (await settleDecision(tx, intended, status, clock.now())) await record(tx, eventOf(actor, intended, type, status === 'decided' ? 'success' : 'failure', concerned, reason));
        });
      };

      try {
        await graph.approvals.decide(approvalId, outcome.stageId, decision === 'approve' ? 'Approve' : 'Deny', justification);
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        if (outcomeIsUnknown(error)) throw new PortalError(error.failure === 'unexpected' ? 'directory-unexpected' : 'directory-unavailable', { detail: 'Microsoft Entra did not answer as it should, so it is not known whether your decision arrived. Reload to see whether the request still waits.', retryAfterSeconds: 10, cause: error });
        if (error.failure !== 'conflict') {
          await conclude('failed', 'approval.refused', 'Microsoft Entra refused it.');
          throw error;
        }
        const now = decideApproval({ now: clock.now(), approverId: actor.principalId, request, stages: (await stagesOf(graph, approvalId).catch(() => undefined)) ?? [] });
        const news = now.kind === 'decided' ? now.news : 'The request is decided by now. Nothing was changed.';
        await conclude('failed', 'approval.refused', news);
        throw new PortalError('already-decided', { detail: news, ...(now.kind === 'decided' && { decided: now.decided }), cause: error });
      }
      await conclude('decided', DECIDED[decision] ?? 'approval.decided');
      return { id: approvalId, decision, decidedAt: clock.now().toISOString() };
    },
  };
}

const DECIDED: Readonly<Record<string, PortalEvent['type']>> = { approve: 'approval.approved', deny: 'approval.denied' };

/** The stages of an approval; `undefined` where Entra does not show it to the person. */
async function stagesOf(graph: Graph, approvalId: string) {
  try {
    return (await graph.approvals.approval(approvalId))?.stages;
  } catch (error) {
    if (error instanceof GraphError && (error.failure === 'forbidden' || error.failure === 'not-found')) return undefined;
    throw error;
  }
}
