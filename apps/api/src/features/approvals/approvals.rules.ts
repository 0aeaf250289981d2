import { APPROVAL_LAPSES_AFTER_HOURS, type ActivationPolicy, type ApprovalItem, type Problem } from '@gatehouse/contracts';
import { addMinutes, minutesOf } from '../../core/durations.ts';

/** A request that waits for a decision, as Entra tells of it. */
export interface PendingRequest {
  readonly id: string;
  readonly action: string;
  readonly status: string;
  readonly principalId: string;
  readonly groupId: string;
  readonly accessId: string;
  readonly justification?: string | undefined;
  readonly ticketNumber?: string | undefined;
  readonly approvalId?: string | undefined;
  readonly createdAt: string;
  readonly startsAt?: string | undefined;
  readonly duration?: string | undefined;
}

export interface Stage {
  readonly id: string;
  readonly assignedToMe: boolean;
  readonly status: string;
  readonly reviewResult: string;
  readonly reviewedById?: string | undefined;
  readonly reviewedByName?: string | undefined;
  readonly reviewedAt?: string | undefined;
  readonly justification?: string | undefined;
}

/** A decision as the portal recorded it. */
export interface RecordedDecision {
  readonly approverId: string;
  readonly decision: string;
  readonly justification: string;
  readonly createdAt: Date;
}

/** Entra's approval id of a request; where it prints none, it is the request's own. */
export const approvalIdOf = (request: PendingRequest): string => (request.approvalId ?? request.id).toLowerCase();

const lapseOf = (request: PendingRequest): Date => addMinutes(new Date(request.createdAt), APPROVAL_LAPSES_AFTER_HOURS * 60);

/** Whose request it is stands in the id of the person alone: names and addresses change. */
const isTheirs = (request: Pick<PendingRequest, 'principalId'>, approverId: string): boolean => request.principalId.toLowerCase() === approverId.toLowerCase();

/** Requests that a person may decide: those of others that still wait. Entra's list is taken at its word for the rest. */
export function decidable(requests: readonly PendingRequest[], approverId: string, now: Date): readonly PendingRequest[] {
  return requests.filter((request) => !isTheirs(request, approverId) && request.accessId === 'member' && waits(request, now));
}

const waits = (request: PendingRequest, now: Date): boolean =>
  request.status === 'PendingApproval' && request.action.toLowerCase() === 'selfactivate' && now < lapseOf(request);

export type ApprovalDecisionOutcome =
  | { readonly kind: 'allowed'; readonly stageId: string }
  | { readonly kind: 'own' | 'unknown' | 'lapsed' }
  | { readonly kind: 'decided'; readonly news: string; readonly decided: NonNullable<Problem['decided']> };

export interface ApprovalDecisionFacts {
  readonly now: Date;
  readonly approverId: string;
  /** The request, where it stands in Entra's list for the approver. */
  readonly request: PendingRequest | undefined;
  /** The stages of the approval; empty where there is none. */
  readonly stages: readonly Stage[];
}

/** Whether the person may decide it. Their own is never theirs to decide, whatever Entra lists. */
export function decideApproval({ now, approverId, request, stages }: ApprovalDecisionFacts): ApprovalDecisionOutcome {
  if (request && isTheirs(request, approverId)) return { kind: 'own' };
  const mine = stages.filter((stage) => stage.assignedToMe);
  const decided = mine.find((stage) => stage.reviewResult === 'Approved' || stage.reviewResult === 'Denied');
  if (decided) return { kind: 'decided', news: newsOf(decided), decided: decidedOf(decided) };
  if (!request) return { kind: 'unknown' };
  if (!waits(request, now)) return { kind: 'lapsed' };
  const stage = mine.find((other) => other.status === 'InProgress' && other.reviewResult === 'NotReviewed');
  return stage ? { kind: 'allowed', stageId: stage.id } : { kind: 'unknown' };
}

function decidedOf({ reviewedByName, reviewedAt, reviewResult, justification }: Stage): NonNullable<Problem['decided']> {
  return {
    by: reviewedByName ?? null, at: reviewedAt !== undefined && Number.isFinite(Date.parse(reviewedAt)) ? new Date(reviewedAt).toISOString() : null,
    decision: reviewResult === 'Approved' ? 'approve' : 'deny', justification: justification || null,
  };
}

function newsOf(stage: Stage): string {
  const by = stage.reviewedByName ?? 'Another approver';
  const reason = stage.justification ? ` (“${stage.justification}”)` : '';
  return `${by} has ${stage.reviewResult === 'Approved' ? 'approved' : 'denied'} it already${reason}. Nothing was changed.`;
}

/**
 * How a recorded decision ended whose answer was lost: `undefined` while that is not known. It is not where Entra shows no
 * stage, `undefined`, which it may not do any more once it is decided: only a stage that still waits says that nothing arrived.
 */
export function outcomeOf({ decision, justification, approverId, createdAt }: RecordedDecision, stages: readonly Stage[] | undefined, now: Date): 'decided' | 'failed' | undefined {
  if (stages === undefined || stages.length === 0) return undefined;
  const reviewed = stages.find((stage) => stage.reviewResult === 'Approved' || stage.reviewResult === 'Denied');
  if (reviewed) {
    // Whose it is Entra may leave out; another approver may have decided alike, and in the same words.
    const isTheirs = (reviewed.reviewedById ?? approverId).toLowerCase() === approverId.toLowerCase();
    return isTheirs && reviewed.reviewResult === (decision === 'approve' ? 'Approved' : 'Denied') && (reviewed.justification ?? '') === justification ? 'decided' : 'failed';
  }
  return stages.every((stage) => stage.reviewResult === 'NotReviewed') && now >= addMinutes(createdAt, 2) ? 'failed' : undefined;
}

export interface Telling {
  readonly names: ReadonlyMap<string, { readonly displayName: string; readonly userPrincipalName?: string | undefined }>;
  readonly catalog: ReadonlyMap<string, { readonly name: string; readonly applications: ApprovalItem['applications'] | readonly ApprovalItem['applications'][number][]; readonly policy: ActivationPolicy | null }>;
  readonly lastActivations: ApprovalItem['lastActivations'];
  readonly activations: ApprovalItem['activations'];
}

/** A waiting request as the inbox shows it. */
export function tellItem(request: PendingRequest, { names, catalog, lastActivations, activations }: Telling): ApprovalItem {
  const requester = names.get(request.principalId);
  const group = catalog.get(request.groupId);
  const minutes = request.duration === undefined ? undefined : minutesOf(request.duration);
  return {
    id: approvalIdOf(request),
    requesterId: request.principalId,
    requesterName: requester?.displayName ?? request.principalId,
    requesterDetail: requester?.userPrincipalName ?? null,
    groupId: request.groupId,
    groupName: group?.name ?? names.get(request.groupId)?.displayName ?? request.groupId,
    applications: [...(group?.applications ?? [])],
    justification: request.justification || null,
    ticketNumber: request.ticketNumber || null,
    minutes: minutes === undefined ? null : Math.round(minutes),
    startsAt: request.startsAt === undefined ? null : new Date(request.startsAt).toISOString(),
    askedAt: new Date(request.createdAt).toISOString(),
    lapsesAt: lapseOf(request).toISOString(),
    lastActivations,
    activations,
    policy: group?.policy ?? null,
  };
}
