import {
  APPROVAL_LAPSES_AFTER_HOURS, FIVE_MINUTE_FLOOR, saysNothing,
  type AccessEntry, type AccessRequest, type AccessSet, type ActivationPolicy, type MyAccess, type OpenedApplication, type RequestState,
} from '@gatehouse/contracts';
import { addMinutes, inWords, minutesOf, networkEndOf } from '../../core/durations.ts';
import { planKeepGoing, tellUnfinished, type RecordedKeepGoing } from './keep-going.rules.ts';

/** A request as Entra tells of it. */
export interface EntraRequest {
  readonly id: string;
  readonly action: string;
  readonly status: string;
  readonly principalId: string;
  readonly groupId: string;
  readonly accessId: string;
  readonly justification?: string | undefined;
  readonly ticketNumber?: string | undefined;
  readonly createdAt: string;
  readonly completedAt?: string | undefined;
  readonly startsAt?: string | undefined;
  readonly duration?: string | undefined;
  readonly endsAt?: string | undefined;
}

/** An eligibility or an active assignment as Entra tells of it. */
export interface EntraInstance {
  readonly principalId: string;
  readonly groupId: string;
  readonly accessId: string;
  readonly startsAt?: string | undefined;
  readonly endsAt?: string | undefined;
  readonly memberType: 'direct' | 'group';
  readonly assignmentType?: 'activated' | 'assigned' | undefined;
  readonly scheduleId?: string | undefined;
}

/** A request as the portal recorded it. */
export interface RecordedRequest {
  readonly id: string;
  readonly principalId: string;
  readonly groupId: string;
  readonly action: string;
  readonly minutes: number | null;
  readonly startsAt: Date | null;
  readonly justification: string | null;
  readonly ticketNumber: string | null;
  readonly status: string;
  readonly entraRequestId: string | null;
  readonly failure: string | null;
  readonly createdAt: Date;
  readonly provisionedAt: Date | null;
  readonly memberAt: Date | null;
  readonly endsAt: Date | null;
  readonly settledAt: Date | null;
}

/** What of Entra could be read, of one person; `undefined`: it could not. */
export interface EntraView {
  readonly requests: readonly EntraRequest[] | undefined;
  readonly assignments: readonly (EntraInstance & { readonly memberAt?: Date | undefined })[] | undefined;
  /** When the reading of each began; absent: just now. What happened since it does not tell of. */
  readonly requestsAt?: Date | undefined;
  readonly assignmentsAt?: Date | undefined;
}

/** What the catalog knows of a group. */
export interface CatalogFacts {
  readonly name: string;
  /** `null`: could not be read. */
  readonly policy: ActivationPolicy | null;
  readonly readAt: Date;
  /** Authentication context that the policy asks for, `c1` to `c99`. */
  readonly authenticationContext?: string | undefined;
  readonly applications: readonly OpenedApplication[];
}

/** Two clocks that are both right differ by this much at the most. */
const SKEW_SECONDS = 30;
/** How long Entra may take to show a request, or an instance, that it has accepted. */
const SHOWN_WITHIN_MINUTES = 2;
/** Failure of a request that Entra did not look at, because the person was to be verified first. */
export const STEP_UP = 'Microsoft Entra asked to verify that it is you first';

const RANK: Record<RequestState, number> = {
  'asked': 0, 'awaiting-approval': 1, 'scheduled': 2, 'provisioning': 3, 'active': 4,
  'ended': 5, 'denied': 5, 'cancelled': 5, 'lapsed': 5, 'failed': 5,
};
const STATES = Object.keys(RANK) as readonly RequestState[]; // the record above has every state and nothing else

/** Whether nothing will happen to the request any more. */
export const isFinal = (state: RequestState): boolean => RANK[state] === 5;
/** States from which a request may move to this one: never back, never out of a final one. */
export const statesBefore = (state: RequestState): readonly RequestState[] => STATES.filter((other) => RANK[other] < RANK[state]);
export const OPEN_STATES: readonly RequestState[] = STATES.filter((state) => !isFinal(state));

/** The recorded state; a word that we never wrote is no state to act upon. */
export function recordedState(row: Pick<RecordedRequest, 'status'>): RequestState {
  return STATES.find((state) => state === row.status) ?? 'failed';
}

// --- Activating ------------------------------------------------------------------------------------------------------

export interface ActivationFacts {
  readonly now: Date;
  readonly wish: { readonly minutes: number; readonly justification: string; readonly startsAt: Date | undefined; readonly ticketNumber: string | undefined };
  /** `null`: not known, so Entra alone decides. */
  readonly policy: ActivationPolicy | null;
  /** `null`: there is none. `undefined`: could not be read. */
  readonly eligibility: { readonly endsAt: Date | null } | null | undefined;
  /** `undefined`: could not be read. */
  readonly active: boolean | undefined;
  /** State of a request of the person for the same group that is not at rest. */
  readonly openRequest: RequestState | undefined;
}

export interface Denial {
  readonly reason:
    | 'not-eligible' | 'eligibility-ends-first' | 'starts-after-eligibility' | 'starts-in-the-past'
    | 'longer-than-allowed' | 'shorter-than-allowed' | 'justification-missing' | 'justification-empty' | 'ticket-missing' | 'already-active' | 'already-asked';
  /** The field of the request that it is about. */
  readonly path: string;
  readonly message: string;
}

export type ActivationDecision =
  | { readonly allowed: true; readonly startsAt: Date; readonly endsAt: Date; readonly later: boolean }
  | { readonly allowed: false; readonly denials: readonly Denial[] };

/** Whether asking Entra makes sense: what is not known is not a reason to refuse, for Entra decides. */
export function decideActivation({ now, wish, policy, eligibility, active, openRequest }: ActivationFacts): ActivationDecision {
  const denials: Denial[] = [];
  const deny = (reason: Denial['reason'], path: string, message: string): void => void denials.push({ reason, path, message });

  // A minute of grace: a form that says "now" is sent a moment later, and clocks differ.
  const inThePast = wish.startsAt !== undefined && wish.startsAt < addMinutes(now, -1);
  const startsAt = wish.startsAt !== undefined && wish.startsAt > now ? wish.startsAt : now;
  const endsAt = addMinutes(startsAt, wish.minutes);

  if (active) deny('already-active', 'body.groupId', 'You have this access already. It cannot be made longer: end it, or ask again when it has ended.');
  else if (openRequest) deny('already-asked', 'body.groupId', ALREADY_ASKED[openRequest] ?? ASKED_A_MOMENT_AGO);
  if (eligibility === null) deny('not-eligible', 'body.groupId', 'You are not eligible for this access, or not any more.');
  if (inThePast) deny('starts-in-the-past', 'body.startsAt', 'The start lies in the past.');
  if (wish.minutes < FIVE_MINUTE_FLOOR) deny('shorter-than-allowed', 'body.minutes', `PIM allows ${inWords(FIVE_MINUTE_FLOOR)} at the least.`);
  if (policy && wish.minutes > policy.maxMinutes) deny('longer-than-allowed', 'body.minutes', `This access allows ${inWords(policy.maxMinutes)} at the most.`);
  if (eligibility?.endsAt && eligibility.endsAt <= startsAt) {
    deny('starts-after-eligibility', 'body.startsAt', 'Your eligibility has ended by then.');
  } else if (eligibility?.endsAt && eligibility.endsAt < endsAt) {
    const left = Math.floor((eligibility.endsAt.getTime() - startsAt.getTime()) / 60_000);
    deny('eligibility-ends-first', 'body.minutes', left < FIVE_MINUTE_FLOOR
      ? `Your eligibility ends before PIM’s least duration of ${inWords(FIVE_MINUTE_FLOOR)} is over.`
      : `Your eligibility ends before that: choose ${inWords(left)} at the most.`);
  }
  if (policy?.requireJustification && wish.justification.trim() === '') deny('justification-missing', 'body.justification', 'Say in a few words why you need it.');
  // Where no reason is asked for, an empty one is only questioned: by the page.
  else if (policy?.requireJustification && saysNothing(wish.justification)) deny('justification-empty', 'body.justification', `What for? “${wish.justification.trim()}” does not say why you need it.`);
  if (policy?.requireTicket && !wish.ticketNumber?.trim()) deny('ticket-missing', 'body.ticket', 'This access asks for a ticket: give its number.');

  return denials.length === 0 ? { allowed: true, startsAt, endsAt, later: startsAt > now } : { allowed: false, denials };
}

const ASKED_A_MOMENT_AGO = 'You asked for this access a moment ago, and we are looking for Entra’s answer.';
const ALREADY_ASKED: Partial<Record<RequestState, string>> = {
  'awaiting-approval': 'You asked for this access already: it waits for approval.',
  'scheduled': 'You asked for this access already: it begins later. Cancel that request to ask anew.',
  'provisioning': 'You asked for this access already: it is being provisioned.',
  'active': 'You have this access already.',
};

/** Rules of the role settings that Entra found broken, as denials at the field that mends them. */
export function denialsOf(failedRules: readonly string[]): readonly { readonly path: string; readonly message: string }[] {
  return failedRules.map((rule) => RULES[rule] ?? { path: 'body.groupId', message: `A rule of the role settings was not met (${rule}).` });
}

const RULES: Readonly<Record<string, { readonly path: string; readonly message: string }>> = {
  ExpirationRule: { path: 'body.minutes', message: 'The role settings do not allow this duration.' },
  JustificationRule: { path: 'body.justification', message: 'The role settings ask for a reason.' },
  TicketingRule: { path: 'body.ticket', message: 'The role settings ask for a ticket.' },
  MfaRule: { path: 'body.groupId', message: 'The role settings ask for multifactor authentication: sign out, and sign in with it.' },
  EligibilityRule: { path: 'body.groupId', message: 'You are not eligible for this access, or not any more.' },
};

// --- Ending ----------------------------------------------------------------------------------------------------------

export type DeactivationDecision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: 'not-active' | 'assigned' | 'too-early'; readonly message: string; readonly canEndAt?: Date | undefined };

/** Whether asking Entra to end it makes sense. `active` is `null` where there is none, `undefined` where it could not be read. */
export function decideDeactivation({ now, active }: { readonly now: Date; readonly active: Pick<EntraInstance, 'startsAt' | 'assignmentType'> | null | undefined }): DeactivationDecision {
  if (active === undefined) return { allowed: true };
  if (active === null) return { allowed: false, reason: 'not-active', message: 'You do not have this access now, so there is nothing to end.' };
  if (active.assignmentType !== 'activated') return { allowed: false, reason: 'assigned', message: 'This membership was assigned to you, not activated by you: an administrator of the group can end it.' };
  if (!active.startsAt) return { allowed: true };
  const canEndAt = addMinutes(new Date(active.startsAt), FIVE_MINUTE_FLOOR);
  if (now < canEndAt) {
    return { allowed: false, reason: 'too-early', canEndAt, message: `PIM ends no membership in its first ${inWords(FIVE_MINUTE_FLOOR)}: this one can be ended from ${canEndAt.toISOString().slice(11, 19)} UTC on.` };
  }
  return { allowed: true };
}

// --- Where a request stands ------------------------------------------------------------------------------------------

export interface StandingFacts {
  readonly now: Date;
  readonly createdAt: Date;
  readonly startsAt: Date | null;
  /** When the membership is over, as far as is known. */
  readonly endsAt: Date | null;
  /** Whether the active membership is there; `undefined`: not known, or too early to say. */
  readonly present: boolean | undefined;
}

/** Entra's word for a request → ours. `undefined` where Entra's word is not known to us: never a success, never a failure. */
export function stateOf(status: string, { now, createdAt, startsAt, endsAt, present }: StandingFacts): RequestState | undefined {
  const waitsForStart = startsAt !== null && startsAt > now;
  switch (status) {
    case 'PendingApproval':
    case 'PendingAdminDecision':
      return now >= lapseOf(createdAt) ? 'lapsed' : 'awaiting-approval';
    case 'Granted':
    case 'ScheduleCreated':
    case 'PendingProvisioning':
    case 'PendingScheduleCreation':
      return waitsForStart ? 'scheduled' : 'provisioning';
    case 'Provisioned':
      if (waitsForStart && !present) return 'scheduled';
      // No status tells of an end: the membership goes, or its time is over.
      if (endsAt !== null && endsAt <= now) return 'ended';
      return present === false ? 'ended' : 'active';
    case 'Revoked': return 'ended';
    case 'Canceled': return 'cancelled';
    case 'Denied': return 'denied';
    case 'Failed': return 'failed';
    default: return undefined;
  }
}

/** When an undecided request lapses. */
export const lapseOf = (createdAt: Date): Date => addMinutes(createdAt, APPROVAL_LAPSES_AFTER_HOURS * 60);

/** What is newly known of a recorded request. */
export interface Observation {
  readonly state: RequestState;
  readonly entraRequestId: string | null;
  readonly provisionedAt: Date | null;
  readonly endsAt: Date | null;
  readonly failure: string | null;
}

/**
 * Looks a recorded request up in what Entra shows. `others` are Entra's ids of the person's other recorded requests:
 * none of them can be this one.
 */
export function observe(row: RecordedRequest, view: EntraView, now: Date, others: ReadonlySet<string> = new Set()): Observation {
  return row.action === 'deactivate' ? observeDeactivation(row, view, now) : observeActivation(row, view, now, others);
}

function observeActivation(row: RecordedRequest, view: EntraView, now: Date, others: ReadonlySet<string>): Observation {
  const known = { state: recordedState(row), entraRequestId: row.entraRequestId, provisionedAt: row.provisionedAt, endsAt: row.endsAt, failure: row.failure };
  const request = findRequest(row, view.requests, others);
  if (!request) return unseen(row, known, view, now);

  const found = { ...row, entraRequestId: request.id };
  const instance = instanceOf(found, view);
  const startsAt = instant(request.startsAt) ?? row.startsAt;
  const minutes = durationIn(request) ?? row.minutes;
  // One that was approved while nobody looked began when Entra was done with it, and not when it is seen: it may be over.
  const completedAt = instant(request.completedAt);
  const approvedAt = completedAt && startsAt && startsAt > completedAt ? startsAt : completedAt ?? now;
  const begins = instant(instance?.startsAt) ?? row.provisionedAt ?? (known.state === 'awaiting-approval' ? approvedAt : startsAt ?? now);
  const endsAt = instant(instance?.endsAt) ?? row.endsAt ?? (minutes !== null ? addMinutes(begins, minutes) : instant(request.endsAt) ?? null);
  const endedByPerson = deactivatedAt(found, request, view);
  const present = endedByPerson ? false : isPresent(found, view, now);
  const state = stateOf(request.status, { now, createdAt: instant(request.createdAt) ?? row.createdAt, startsAt, endsAt, present });
  if (state === undefined) return overdue({ ...known, entraRequestId: request.id }, row, now);
  const provisioned = state === 'active' || (state === 'ended' && request.status === 'Provisioned');
  return {
    state,
    entraRequestId: request.id,
    // Without the membership's own word when it began: when it was first seen, for it began later than it was asked for.
    // One that has ended by then tells nothing of its beginning.
    provisionedAt: row.provisionedAt ?? (!provisioned ? null : instance ? begins : state === 'active' ? now : null),
    endsAt: state === 'ended' ? earlier(endsAt, endedByPerson ?? now) : provisioned ? endsAt : row.endsAt,
    failure: FAILURES[state] ?? row.failure,
  };
}

/** Entra does not show the request: it may never have arrived, or Entra keeps it no longer. Clock and membership remain. */
function unseen(row: RecordedRequest, known: Observation, view: EntraView, now: Date): Observation {
  if (known.state === 'active') {
    const over = row.endsAt !== null && row.endsAt <= now;
    return over || isPresent(row, view, now) === false ? { ...known, state: 'ended', endsAt: earlier(row.endsAt, now) } : known;
  }
  if (!view.requests) return known;
  if (!row.entraRequestId) {
    return tooOld(row.createdAt, view.requestsAt ?? now) ? { ...known, state: 'failed', failure: 'Entra has no such request: it never arrived. Nothing was changed.' } : known;
  }
  return overdue(known, row, now);
}

/** Gives a request up that Entra says nothing understandable about, once its time is over anyway. */
function overdue(known: Observation, row: RecordedRequest, now: Date): Observation {
  if (known.state === 'awaiting-approval') return now >= lapseOf(row.createdAt) ? { ...known, state: 'lapsed', failure: FAILURES.lapsed ?? null } : known;
  const over = addMinutes(row.startsAt ?? row.createdAt, Math.max(row.minutes ?? 0, APPROVAL_LAPSES_AFTER_HOURS * 60));
  return known.state !== 'active' && now >= over ? { ...known, state: 'failed', failure: 'Entra never said how it ended.' } : known;
}

function observeDeactivation(row: RecordedRequest, view: EntraView, now: Date): Observation {
  const known = { state: recordedState(row), entraRequestId: row.entraRequestId, provisionedAt: null, endsAt: row.endsAt, failure: row.failure };
  const request = view.requests?.find((other) => (row.entraRequestId ? other.id === row.entraRequestId : isDeactivation(other, row) && notBefore(other, row.createdAt)));
  // What was read before the asking proves no end.
  const gone = view.assignments && (view.assignmentsAt ?? now) >= row.createdAt && !view.assignments.some((instance) => isActivated(instance, row.groupId));
  if (request?.status === 'Revoked' || gone) return { ...known, state: 'ended', entraRequestId: request?.id ?? row.entraRequestId, endsAt: instant(request?.createdAt) ?? now };
  if (view.requests && view.assignments && tooOld(row.createdAt, view.assignmentsAt ?? now)) return { ...known, state: 'failed', failure: 'Entra did not end the membership.' };
  return known;
}

/** What is said of a denial until the approver's own words are known. */
export const DENIED = 'An approver denied it.';
const FAILURES: Partial<Record<RequestState, string>> = {
  denied: DENIED,
  lapsed: `Nobody decided within ${APPROVAL_LAPSES_AFTER_HOURS} h.`,
  failed: 'Microsoft Entra could not carry it out.',
};

/** The request of Entra that a recorded intent led to: by id, or by all that is known of it. */
function findRequest(row: RecordedRequest, requests: readonly EntraRequest[] | undefined, others: ReadonlySet<string>): EntraRequest | undefined {
  if (row.entraRequestId) return requests?.find((request) => request.id === row.entraRequestId);
  return requests?.find((request) =>
    isActivation(request, row.groupId) && request.principalId === row.principalId && !others.has(request.id)
    && (request.justification ?? '') === (row.justification ?? '') && (request.ticketNumber ?? '') === (row.ticketNumber ?? '')
    && notBefore(request, row.createdAt));
}

const notBefore = (request: EntraRequest, at: Date): boolean => new Date(request.createdAt).getTime() >= at.getTime() - SKEW_SECONDS * 1000;
const tooOld = (at: Date, now: Date): boolean => now >= addMinutes(at, SHOWN_WITHIN_MINUTES);
const isMember = (thing: { readonly accessId: string }): boolean => thing.accessId.toLowerCase() === 'member';
const isActivation = (request: EntraRequest, groupId: string): boolean => isMember(request) && request.groupId === groupId && request.action.toLowerCase() === 'selfactivate';
const isDeactivation = (request: EntraRequest, row: Pick<RecordedRequest, 'groupId' | 'principalId'>): boolean =>
  isMember(request) && request.groupId === row.groupId && request.principalId === row.principalId && request.action.toLowerCase() === 'selfdeactivate';
const isActivated = (instance: EntraInstance, groupId: string): boolean => isMember(instance) && instance.groupId === groupId && instance.assignmentType === 'activated';

/** The active membership that the request made. A schedule whose id names another known request belongs to that one. */
function instanceOf(row: Pick<RecordedRequest, 'entraRequestId' | 'groupId'>, { requests = [], assignments }: EntraView): EntraInstance | undefined {
  return assignments?.find((instance) => {
    if (!isActivated(instance, row.groupId)) return false;
    const made = instance.scheduleId?.toLowerCase();
    if (!made || (row.entraRequestId && made.endsWith(row.entraRequestId.toLowerCase()))) return true;
    return !requests.some((other) => other.id !== row.entraRequestId && made.endsWith(other.id.toLowerCase()));
  });
}

/** Whether the membership stands. PIM shows it a moment after it accepted it, so its absence counts only in what was read later. */
function isPresent(row: RecordedRequest, view: EntraView, now: Date): boolean | undefined {
  if (!view.assignments) return undefined;
  if (instanceOf(row, view)) return true;
  const readAt = view.assignmentsAt ?? now;
  const since = row.provisionedAt;
  return (row.memberAt && row.memberAt <= readAt) || (since && tooOld(since, readAt)) ? false : undefined;
}

/** When the person ended it themselves, here or elsewhere. Entra refuses to ask while something is active, so an end after the asking is its end. */
function deactivatedAt(row: RecordedRequest, request: EntraRequest, { requests = [], assignments }: EntraView): Date | undefined {
  if (assignments && instanceOf(row, { requests, assignments })) return undefined;
  return requests
    .filter((other) => isDeactivation(other, row) && other.status === 'Revoked')
    .map((other) => new Date(other.createdAt))
    .find((at) => at > new Date(request.createdAt));
}

const instant = (text: string | undefined): Date | undefined => (text === undefined || Number.isNaN(Date.parse(text)) ? undefined : new Date(text));
const earlier = (a: Date | null, b: Date): Date => (a && a < b ? a : b);
function durationIn(request: EntraRequest): number | undefined {
  const minutes = request.duration === undefined ? undefined : minutesOf(request.duration);
  return minutes === undefined ? undefined : Math.round(minutes);
}

/** A request that was made elsewhere, in the form of a recorded one, so that both are told alike. */
export function recordedFrom(request: EntraRequest, view: EntraView, now: Date): RecordedRequest {
  const startsAt = instant(request.startsAt) ?? null;
  const createdAt = new Date(request.createdAt);
  const blank: RecordedRequest = {
    id: request.id, principalId: request.principalId, groupId: request.groupId, action: 'activate', minutes: durationIn(request) ?? null, startsAt,
    justification: request.justification ?? null, ticketNumber: request.ticketNumber ?? null, status: 'asked', entraRequestId: request.id,
    failure: null, createdAt, provisionedAt: request.status === 'Provisioned' ? startsAt ?? createdAt : null, memberAt: null, endsAt: null, settledAt: null,
  };
  const seen = observeActivation(blank, view, now, new Set());
  return { ...blank, status: seen.state, provisionedAt: seen.provisionedAt, endsAt: seen.endsAt, failure: seen.failure };
}

/** The person's own activations among Entra's requests that no recorded one stands for. */
export function madeElsewhere(view: EntraView, principalId: string, recorded: ReadonlySet<string>, now: Date): readonly RecordedRequest[] {
  return (view.requests ?? [])
    .filter((request) => request.principalId === principalId && isActivation(request, request.groupId) && !recorded.has(request.id))
    .map((request) => recordedFrom(request, view, now));
}

/** A request as it is answered. */
export function tellRequest(row: RecordedRequest): AccessRequest {
  const state = recordedState(row);
  return {
    id: row.id,
    entraRequestId: row.entraRequestId,
    groupId: row.groupId,
    state,
    askedAt: row.createdAt.toISOString(),
    startsAt: row.startsAt?.toISOString() ?? null,
    minutes: row.minutes,
    justification: row.justification || null,
    ticketNumber: row.ticketNumber || null,
    provisionedAt: row.provisionedAt?.toISOString() ?? null,
    memberAt: row.memberAt?.toISOString() ?? null,
    endsAt: row.endsAt?.toISOString() ?? null,
    lapsesAt: state === 'awaiting-approval' ? lapseOf(row.createdAt).toISOString() : null,
    failure: row.failure,
  };
}

// --- My access -------------------------------------------------------------------------------------------------------

export interface MyAccessFacts {
  readonly now: Date;
  /** `undefined`: could not be read. */
  readonly eligibilities: readonly EntraInstance[] | undefined;
  /** When their reading began; absent: just now. */
  readonly eligibilitiesAt?: Date | undefined;
  readonly view: EntraView;
  /** Readings that failed just now; what is shown of them is older. */
  readonly unread?: ReadonlySet<string>;
  /** Recorded requests and those made elsewhere, as they stand now. */
  readonly requests: readonly RecordedRequest[];
  /** Wishes to keep going that are not at rest. */
  readonly unfinished?: readonly RecordedKeepGoing[];
  readonly catalog: ReadonlyMap<string, CatalogFacts>;
  /** Names of groups that the catalog does not have. */
  readonly names: ReadonlyMap<string, string>;
  /** What the person arranged for themselves. */
  readonly favourites: ReadonlySet<string>;
  readonly sets: readonly AccessSet[];
}

/** Everything that one person may open, has open, waits for, or had open a moment ago: one entry a group. */
export function composeMyAccess(facts: MyAccessFacts): MyAccess {
  const { now, eligibilities = [], view } = facts;
  const activations = facts.requests.filter((row) => row.action === 'activate');
  const current = eligibilities.filter((instance) => isMember(instance) && isCurrent(instance, now));
  const assignments = (view.assignments ?? []).filter((instance) => isMember(instance) && isCurrent(instance, now));

  const groupIds = new Set([...current, ...assignments].map((instance) => instance.groupId));
  for (const row of activations) if (newsOf(row, now) || endOf(row, now) || activeByRecord(row, view, now)) groupIds.add(row.groupId);

  for (const row of facts.unfinished ?? []) if (tellUnfinished(row, facts.requests, now)) groupIds.add(row.groupId);

  const entries = [...groupIds].map((groupId) => entryOf(groupId, facts, activations, current, assignments));
  const readings = [facts.eligibilitiesAt, view.assignmentsAt, view.requestsAt].map((at) => at?.getTime() ?? now.getTime());
  return {
    readAt: new Date(Math.min(...readings)).toISOString(),
    entries: entries.sort((a, b) => titleOf(a).localeCompare(titleOf(b), 'en') || a.groupId.localeCompare(b.groupId)),
    sets: [...facts.sets],
    notKnown: notKnownOf(facts),
  };
}

/** What could not be read, and what is shown in its place. */
function notKnownOf({ eligibilities, view, unread }: MyAccessFacts): string[] {
  const failed = (part: 'eligibilities' | 'assignments' | 'requests', known: unknown): boolean => known === undefined || unread?.has(part) === true;
  return [
    ...(failed('eligibilities', eligibilities) ? [`What you are eligible for could not be read from Microsoft Entra${eligibilities ? '; shown is what the portal read last.' : ', so this list may be too short.'}`] : []),
    ...(failed('assignments', view.assignments) ? ['What you have active now could not be read from Microsoft Entra; shown is what the portal saw last.'] : []),
    ...(failed('requests', view.requests) ? [`Your requests could not be read from Microsoft Entra; shown are those made here, as the portal saw them last.`] : []),
  ];
}

function entryOf(groupId: string, facts: MyAccessFacts, activations: readonly RecordedRequest[], eligibilities: readonly EntraInstance[], assignments: readonly EntraInstance[]): AccessEntry {
  const { now, view, catalog, names } = facts;
  const known = catalog.get(groupId);
  const eligibility = longest(eligibilities.filter((instance) => instance.groupId === groupId));
  const assignment = longest(assignments.filter((instance) => instance.groupId === groupId));
  const own = activations.filter((row) => row.groupId === groupId).sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  const running = own.find((row) => recordedState(row) === 'active');
  const active = assignment ? activeOf(assignment, running) : activeOfRecord(own.find((row) => activeByRecord(row, view, now)));
  const newest = own[0];
  const stopped = facts.unfinished?.find((row) => row.groupId === groupId);
  const end = active ? undefined : own.map((row) => endOf(row, now)).find((at) => at !== undefined);
  return {
    groupId,
    groupName: known?.name ?? names.get(groupId) ?? groupId,
    applications: [...(known?.applications ?? [])],
    eligibility: eligibility ? { endsAt: instant(eligibility.endsAt)?.toISOString() ?? null, through: eligibility.memberType } : null,
    policy: known?.policy ?? null,
    policyReadAt: known?.policy ? known.readAt.toISOString() : null,
    active,
    request: newest && newsOf(newest, now) ? tellRequest(newest) : null,
    lastJustification: own.find((row) => row.justification)?.justification ?? null,
    lastMinutes: own.find((row) => row.minutes !== null && wasPossible(row))?.minutes ?? null,
    lastAskedAt: own.find(wasPossible)?.createdAt.toISOString() ?? null,
    favourite: facts.favourites.has(groupId),
    ended: end ? { at: end.toISOString(), networkMayStayOpenUntil: networkEndOf(end).toISOString() } : null,
    keepGoing: assignment?.assignmentType === 'activated' ? planKeepGoing({ now, policy: known?.policy ?? null, eligibility: facts.eligibilities && (eligibility ? { endsAt: instant(eligibility.endsAt) ?? null } : null), active: assignment }, running) : null,
    unfinished: (stopped && tellUnfinished(stopped, facts.requests, now)) ?? null,
  };
}

function activeOf(instance: EntraInstance & { readonly memberAt?: Date | undefined }, running: RecordedRequest | undefined): NonNullable<AccessEntry['active']> {
  const since = instant(instance.startsAt);
  const canEndAt = instance.assignmentType === 'activated' && since ? addMinutes(since, FIVE_MINUTE_FLOOR) : undefined;
  return {
    since: since?.toISOString() ?? null,
    endsAt: instant(instance.endsAt)?.toISOString() ?? null,
    canEndAt: canEndAt?.toISOString() ?? null,
    memberAt: (instance.assignmentType === 'activated' && running?.memberAt || instance.memberAt)?.toISOString() ?? null,
    permanent: instance.assignmentType !== 'activated',
  };
}

function activeOfRecord(row: RecordedRequest | undefined): AccessEntry['active'] {
  if (!row) return null;
  const since = row.provisionedAt;
  return { since: since?.toISOString() ?? null, endsAt: row.endsAt?.toISOString() ?? null, canEndAt: since ? addMinutes(since, FIVE_MINUTE_FLOOR).toISOString() : null, memberAt: row.memberAt?.toISOString() ?? null, permanent: false };
}

/** Active as far as the portal saw; counts only while Entra cannot be asked, or does not show the membership yet. */
const activeByRecord = (row: RecordedRequest, view: EntraView, now: Date): boolean =>
  recordedState(row) === 'active' && row.endsAt !== null && row.endsAt > now && (!view.assignments || isPresent(row, view, now) !== false);

/** Whether the person still waits for it, or has not had the time to see how it went wrong. */
function newsOf(row: RecordedRequest, now: Date): boolean {
  const state = recordedState(row);
  if (state === 'active' || state === 'ended' || state === 'cancelled') return false;
  if (!isFinal(state)) return true;
  return row.failure !== STEP_UP && (row.settledAt ?? row.createdAt) > addMinutes(now, -60);
}

/** What Entra refused is nothing to offer again; what its person was only to be verified for first is. */
const wasPossible = (row: RecordedRequest): boolean => recordedState(row) !== 'failed' || row.failure === STEP_UP;

function endOf(row: RecordedRequest, now: Date): Date | undefined {
  if (recordedState(row) !== 'ended' || !row.endsAt || row.endsAt > now) return undefined;
  return networkEndOf(row.endsAt) > now ? row.endsAt : undefined;
}

function isCurrent(instance: EntraInstance, now: Date): boolean {
  const startsAt = instant(instance.startsAt);
  const endsAt = instant(instance.endsAt);
  return (!startsAt || startsAt <= now) && (!endsAt || endsAt > now);
}

/** The one that lasts longest; without an end, longest of all. */
function longest(instances: readonly EntraInstance[]): EntraInstance | undefined {
  const end = (instance: EntraInstance): number => instant(instance.endsAt)?.getTime() ?? Infinity;
  return instances.reduce<EntraInstance | undefined>((best, instance) => (best && end(best) >= end(instance) ? best : instance), undefined);
}

/** The person's eligibility for a group at an instant: `null`: none, `undefined`: could not be read. */
export function eligibilityFor(groupId: string, eligibilities: readonly EntraInstance[] | undefined, now: Date): { readonly endsAt: Date | null } | null | undefined {
  if (!eligibilities) return undefined;
  const best = longest(eligibilities.filter((instance) => isMember(instance) && instance.groupId === groupId && isCurrent(instance, now)));
  return best ? { endsAt: instant(best.endsAt) ?? null } : null;
}

/** The person's active membership of a group; of several, the one that they activated. */
export function activeFor(groupId: string, assignments: readonly EntraInstance[] | undefined, now: Date): EntraInstance | null | undefined {
  if (!assignments) return undefined;
  const active = assignments.filter((instance) => isMember(instance) && instance.groupId === groupId && isCurrent(instance, now));
  return active.find((instance) => instance.assignmentType === 'activated') ?? active[0] ?? null;
}

const titleOf = (entry: AccessEntry): string => entry.applications[0]?.displayName ?? entry.groupName;
