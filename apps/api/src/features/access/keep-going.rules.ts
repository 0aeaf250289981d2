import { FIVE_MINUTE_FLOOR, type ActivationPolicy, type KeepGoingPlan, type UnfinishedKeepGoing } from '@gatehouse/contracts';
import { addMinutes, inWords } from '../../core/durations.ts';
import { decideActivation, recordedState, type Denial, type EntraInstance, type RecordedRequest } from './access.rules.ts';

/** A wish to keep going as the portal recorded it. */
export interface RecordedKeepGoing {
  readonly id: string;
  readonly principalId: string;
  readonly groupId: string;
  readonly minutes: number;
  readonly justification: string | null;
  readonly ticketNumber: string | null;
  readonly ticketSystem: string | null;
  readonly status: string;
  readonly failure: string | null;
  readonly createdAt: Date;
  readonly workedAt: Date | null;
  readonly endedAt: Date | null;
  readonly activationId: string | null;
}

export interface KeepGoingFacts {
  readonly now: Date;
  /** What is wished for; of the running activation, where nothing was said yet. */
  readonly wish: { readonly minutes: number | null; readonly justification: string; readonly ticketNumber: string | undefined };
  /** `null`: not known. */
  readonly policy: ActivationPolicy | null;
  /** `null`: there is none. `undefined`: could not be read. */
  readonly eligibility: { readonly endsAt: Date | null } | null | undefined;
  /** `null`: there is none. `undefined`: could not be read. */
  readonly active: Pick<EntraInstance, 'startsAt' | 'endsAt' | 'assignmentType'> | null | undefined;
}

export type KeepGoingDecision =
  /** `message`: what the person is to know before. `shortened`: the new one lasts less than the wish. */
  | { readonly allowed: true; readonly minutes: number; readonly shortened: boolean; readonly message: string | null }
  | {
    readonly allowed: false;
    readonly reason: 'not-known' | 'not-active' | 'assigned' | 'not-eligible' | 'eligibility-ends-first' | 'needs-approval' | 'too-early' | Denial['reason'];
    readonly message: string;
    /** Of `too-early`: from when on it can be done, and how long the new one may be. */
    readonly canAt?: Date;
    readonly minutes?: number;
    /** Whether asking once it has ended would do. */
    readonly whenEnded: boolean;
  };

/** Entra takes a while to end, to show it, and to begin: an eligibility that ends within it would leave the person out. */
const GAP_MINUTES = 2;

/**
 * Whether an activation may be ended now so that a new one takes its place. Ending is what cannot be taken back, so that
 * whatever could keep the new one from beginning, and whatever is not known, is a no here.
 */
export function decideKeepGoing({ now, wish, policy, eligibility, active }: KeepGoingFacts): KeepGoingDecision {
  const no = (reason: Extract<KeepGoingDecision, { allowed: false }>['reason'], message: string, more: { whenEnded?: boolean; canAt?: Date; minutes?: number } = {}): KeepGoingDecision =>
    ({ allowed: false, reason, message, whenEnded: false, ...more });
  if (active === null) return no('not-active', 'You do not have this access now, so there is nothing to keep going. Activate it.');
  if (active === undefined || eligibility === undefined) return no('not-known', 'How it stands could not be read from Microsoft Entra, so nothing is ended. Try again in a moment.');
  if (active.assignmentType !== 'activated') return no('assigned', 'This membership was assigned to you, not activated by you: an administrator of the group can change its end.');
  if (eligibility === null) return no('not-eligible', 'You are not eligible for this access any more: once it ends, you cannot activate it again.');
  if (policy === null) return no('not-known', 'What an activation asks for is not known here, so nothing is ended: it might wait for an approver, and you would be out meanwhile. Ask again once it has ended.', { whenEnded: true });
  if (policy.requireApproval) {
    const who = policy.approvers.map(({ displayName }) => displayName).join(' or ') || 'an approver';
    return no('needs-approval', `Each activation waits for approval: if this one ended now, you would be out until ${who} decides. Ask again once it has ended.`, { whenEnded: true });
  }

  if (wish.minutes !== null && wish.minutes > policy.maxMinutes) return no('longer-than-allowed', `This access allows ${inWords(policy.maxMinutes)} at the most.`);
  const wanted = wish.minutes ?? policy.maxMinutes;
  const left = eligibility.endsAt === null ? Infinity : Math.floor((eligibility.endsAt.getTime() - now.getTime()) / 60_000) - GAP_MINUTES;
  const minutes = Math.min(wanted, left);
  const endsAt = active.endsAt === undefined ? undefined : new Date(active.endsAt);
  if (minutes < FIVE_MINUTE_FLOOR || (minutes < wanted && endsAt !== undefined && addMinutes(now, minutes) <= endsAt)) {
    return no('eligibility-ends-first', 'Your eligibility ends too soon: a new activation would end no later than this one. Ask for more time of the eligibility first.');
  }
  if (active.startsAt !== undefined) {
    const canAt = addMinutes(new Date(active.startsAt), FIVE_MINUTE_FLOOR);
    if (now < canAt) return no('too-early', `PIM ends no membership in its first ${inWords(FIVE_MINUTE_FLOOR)}.`, { canAt, minutes, whenEnded: true });
  }
  // As it will be decided once nothing is active and nothing under way: what would be refused then is refused now.
  const activation = decideActivation({ now, wish: { ...wish, minutes, startsAt: undefined }, policy, eligibility, active: false, openRequest: undefined });
  const [denial] = activation.allowed ? [] : activation.denials;
  if (denial) return no(denial.reason, denial.message);
  return { allowed: true, minutes, shortened: minutes < wanted, message: beforehand(policy, minutes < wanted ? minutes : undefined) };
}

function beforehand({ signIn }: ActivationPolicy, shortened: number | undefined): string | null {
  const sentences = [
    ...(shortened === undefined ? [] : [`Your eligibility ends soon, so that the new activation has ${inWords(shortened)}.`]),
    ...(signIn === 'none' ? [] : ['Microsoft Entra may ask you to verify that it is you: that comes before anything ends.']),
  ];
  return sentences.length > 0 ? sentences.join(' ') : null;
}

/** The same decision in the form of the page: what to offer on an open activation. */
export function planKeepGoing(facts: Omit<KeepGoingFacts, 'wish'>, running: Pick<RecordedRequest, 'minutes' | 'justification' | 'ticketNumber'> | undefined): KeepGoingPlan {
  const { policy } = facts;
  // A running activation may have more than the role settings allow by now: the next one has what they allow.
  const had = running?.minutes ?? null;
  const minutes = had !== null && policy !== null ? Math.min(had, policy.maxMinutes) : had;
  // What only the form can bring is not missed before there is one.
  const asked = { minutes, justification: 'to be said', ticketNumber: 'to be said' };
  const decision = decideKeepGoing({ ...facts, wish: asked });
  const common = { justification: running?.justification ?? null, ticketNumber: running?.ticketNumber ?? null };
  const shorter = (next: number): boolean => had !== null && next < had;
  if (decision.allowed) return { way: 'now', message: decision.message, possibleAt: null, minutes: decision.minutes, shortened: shorter(decision.minutes), ...common };
  if (decision.canAt && decision.minutes !== undefined) return { way: 'now', message: decision.message, possibleAt: decision.canAt.toISOString(), minutes: decision.minutes, shortened: shorter(decision.minutes), ...common };
  return { way: decision.whenEnded ? 'when-ended' : 'no', message: decision.message, possibleAt: null, minutes: decision.whenEnded ? minutes ?? policy?.maxMinutes ?? null : null, shortened: false, ...common };
}

// --- What a wish left -------------------------------------------------------------------------------------------------

/** After that nobody is at it any more: a request to the portal is answered within a minute. */
export const LEASE_MINUTES = 2;
/** A wish that lay so long after the end is not gone on with: the person has seen that they are out. */
const LAPSES_AFTER_MINUTES = 60;

export type KeepGoingStanding =
  | { readonly status: 'open'; readonly endedAt: Date | null; readonly busy: boolean; readonly refusal: string | null }
  | { readonly status: 'done'; readonly endedAt: Date | null; readonly activationId: string }
  | { readonly status: 'failed' | 'lapsed'; readonly endedAt: Date | null; readonly failure: string };

/** Where a wish stands, by what the portal recorded of its two steps since: this tells after a crash as well. */
export function standingOf(row: RecordedKeepGoing, requests: readonly RecordedRequest[], now: Date): KeepGoingStanding {
  const since = requests.filter((request) => request.groupId === row.groupId && request.principalId === row.principalId && request.createdAt >= row.createdAt);
  const busy = row.workedAt !== null && now < addMinutes(row.workedAt, LEASE_MINUTES);
  const activation = since.find((request) => request.action === 'activate' && recordedState(request) !== 'failed');
  const ends = since.filter((request) => request.action === 'deactivate');
  const ended = ends.find((request) => recordedState(request) === 'ended');
  const endedAt = row.endedAt ?? ended?.endsAt ?? null;
  if (activation) return { status: 'done', endedAt, activationId: activation.id };
  if (busy) return { status: 'open', endedAt, busy, refusal: null };
  if (endedAt !== null) {
    if (now >= addMinutes(endedAt, LAPSES_AFTER_MINUTES)) return { status: 'lapsed', endedAt, failure: 'The membership ended, and the new activation was not asked for within an hour.' };
    const newest = since.filter((request) => request.action === 'activate').reduce<RecordedRequest | undefined>((best, request) => (best && best.createdAt > request.createdAt ? best : request), undefined);
    return { status: 'open', endedAt, busy, refusal: newest?.failure ?? null };
  }
  const failed = ends.find((request) => recordedState(request) === 'failed');
  if (failed) return { status: 'failed', endedAt, failure: failed.failure ?? 'Microsoft Entra did not end the membership.' };
  if (ends.length === 0 && now >= addMinutes(row.createdAt, LEASE_MINUTES)) return { status: 'failed', endedAt, failure: 'It stopped before anything was ended.' };
  return { status: 'open', endedAt, busy, refusal: null };
}

/** An open wish as it is answered; `undefined` where there is nothing to tell any more. */
export function tellUnfinished(row: RecordedKeepGoing, requests: readonly RecordedRequest[], now: Date): UnfinishedKeepGoing | undefined {
  const standing = standingOf(row, requests, now);
  if (standing.status !== 'open') return undefined;
  const { endedAt, busy, refusal } = standing;
  return {
    state: endedAt === null ? 'ending' : 'ended', askedAt: row.createdAt.toISOString(), endedAt: endedAt?.toISOString() ?? null,
    minutes: row.minutes, justification: row.justification || null, busy, message: sentenceOf(endedAt !== null, busy, refusal),
  };
}

function sentenceOf(ended: boolean, busy: boolean, refusal: string | null): string {
  if (busy) return ended ? 'Your membership has ended, and the new activation is being asked for.' : 'Your membership is being ended, so that a new activation can begin.';
  if (!ended) return 'It is not known yet whether your membership has ended. The new activation was not asked for.';
  return refusal === null ? 'Your membership has ended, and the new activation was not asked for: ask now.' : `Your membership has ended, and the new activation was refused: ${refusal}`;
}
