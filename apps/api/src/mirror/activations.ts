import type { DirectoryEvent } from './directory-event.ts';

/** One activation from request to end. Instants are texts in UTC with six decimals. */
export interface ActivationRow {
  readonly requestId: string;
  readonly principalId: string;
  readonly principalName: string;
  readonly groupId: string;
  readonly groupName: string;
  readonly status: 'requested' | 'awaiting-approval' | 'scheduled' | 'active' | 'denied' | 'cancelled' | 'lapsed' | 'failed' | 'ended';
  readonly requestedAt: string;
  readonly justification: string | null;
  readonly ticketNumber: string | null;
  readonly ticketSystem: string | null;
  readonly startsAt: string | null;
  readonly expiresAt: string | null;
  readonly decidedById: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
  readonly decisionReason: string | null;
  readonly provisionedAt: string | null;
  readonly endedAt: string | null;
  readonly endedHow: 'deactivated' | 'expired' | 'removed' | null;
}

type JoinedEvent = Omit<DirectoryEvent, 'raw'>;

/** Kinds that tell of an activation, in the order in which those of one instant happened. */
const ORDER: readonly DirectoryEvent['kind'][] = [
  'activation-requested', 'approval-requested', 'approved', 'denied', 'activation-cancelled', 'request-lapsed', 'activated', 'assigned', 'member-added',
  'deactivation-requested', 'deactivated', 'expired', 'assignment-removed', 'member-removed',
];
/** What the join reads; events of other kinds make no difference to it. */
export const JOINED_KINDS: readonly DirectoryEvent['kind'][] = ORDER;

/** PIM's entry and the directory's tell of the same change within this time of each other, in milliseconds. PIM allows no end before five minutes. */
const TWIN_MS = 2 * 60_000;
/** Who writes the directory's entry of a membership that PIM gives or ends. */
const PIM_IN_DIRECTORY = 'MS-PIM';
/** A start later than this after the request was meant to be later. */
const LATER_MS = 60_000;

type Draft = { -readonly [Key in keyof ActivationRow]: ActivationRow[Key] } & {
  approvalAsked: boolean;
  refused: 'denied' | 'cancelled' | 'lapsed' | 'failed' | null;
  /** PIM told of the beginning. */
  began: boolean;
};

/**
 * The activations of one person and one group, from every event of the two. The same set of events gives the same rows,
 * in whatever order and however often they are passed: each batch that brings more just joins again.
 *
 * The end of a membership carries a request id of its own, so it closes the activation that it names as begun, or else the
 * latest open one that was asked for at or before it. The directory's own entries are evidence where PIM's are missing.
 */
export function joinActivations(events: readonly JoinedEvent[]): ActivationRow[] {
  const timeline = [...new Map(events.filter((event) => ORDER.includes(event.kind) && !event.asOwner).map((event) => [event.id, event])).values()].sort(byTime);
  const timesOf = (...kinds: DirectoryEvent['kind'][]): number[] => timeline.filter((event) => kinds.includes(event.kind) && event.result !== 'failure').map((event) => Date.parse(event.at));
  const begins = timesOf('activated', 'assigned');
  const ends = timesOf('deactivated', 'expired', 'assignment-removed');
  const near = (event: JoinedEvent, times: readonly number[]): boolean => times.some((time) => Math.abs(time - Date.parse(event.at)) <= TWIN_MS);
  const drafts = new Map<string, Draft>();

  for (const event of timeline) {
    switch (event.kind) {
      case 'member-added':
        // An administrator who adds a member by hand answers nobody's request.
        if (event.actorName === PIM_IN_DIRECTORY && !near(event, begins)) provision(latestOpen(drafts, event), event);
        break;
      case 'deactivated':
      case 'expired':
        if (event.result !== 'failure') end(named(drafts, event) ?? latestOpen(drafts, event), event);
        break;
      case 'assignment-removed':
        // It may as well end what an administrator assigned.
        if (event.result !== 'failure') end(named(drafts, event) ?? latestOpen(drafts, event, 'provisioned'), event);
        break;
      case 'member-removed':
        if (!near(event, ends)) end(latestOpen(drafts, event, 'provisioned'), event);
        break;
      case 'deactivation-requested':
      case 'assigned':
        break;
      default:
        stage(drafts, event);
    }
  }
  return [...drafts.values()].map(settled).sort((one, other) => compare(one.requestedAt, other.requestedAt) || compare(one.requestId, other.requestId));
}

/** A stage before the end: asked, decided, provisioned. */
function stage(drafts: Map<string, Draft>, event: JoinedEvent): void {
  const draft = event.requestId === null ? latestOpen(drafts, event) : drafts.get(event.requestId) ?? begin(drafts, event, event.requestId);
  if (!draft) return;
  draft.principalName = event.subjectName ?? draft.principalName;
  draft.groupName = event.groupName ?? draft.groupName;
  draft.ticketNumber ??= event.ticketNumber;
  draft.ticketSystem ??= event.ticketSystem;
  draft.startsAt ??= event.startsAt;
  draft.expiresAt ??= event.expiresAt;

  switch (event.kind) {
    case 'activation-requested':
      draft.justification = event.justification ?? event.reason ?? draft.justification;
      if (event.result === 'failure') draft.refused = 'failed';
      break;
    case 'approval-requested':
      draft.approvalAsked = true;
      break;
    case 'approved':
    case 'denied':
      draft.approvalAsked = true;
      if (event.kind === 'denied') draft.refused = 'denied';
      Object.assign(draft, { decidedById: event.actorId, decidedBy: event.actorName, decidedAt: event.at, decisionReason: event.reason });
      break;
    case 'activation-cancelled':
      draft.refused = 'cancelled';
      break;
    case 'request-lapsed':
      draft.refused = 'lapsed';
      break;
    default:
      if (event.result === 'failure') {
        draft.refused ??= 'failed';
        break;
      }
      // What was decided later than it was asked for also starts and ends later.
      draft.expiresAt = draft.began ? draft.expiresAt : expiryFrom(draft, event);
      draft.startsAt = event.startsAt ?? draft.startsAt;
      draft.began = true;
      draft.justification ??= event.justification ?? event.reason;
      provision(draft, event);
  }
}

/**
 * When the activation runs out, as PIM tells of its beginning. Where PIM repeats what was asked for, that is a length: it
 * counts from the beginning, which an approval moves.
 */
function expiryFrom({ startsAt, expiresAt }: Draft, event: JoinedEvent): string | null {
  if (event.expiresAt !== null && event.expiresAt !== expiresAt) return event.expiresAt;
  if (startsAt === null || expiresAt === null || event.at <= startsAt) return expiresAt;
  return new Date(Date.parse(event.at) + Date.parse(expiresAt) - Date.parse(startsAt)).toISOString().replace(/Z$/, '000Z');
}

function begin(drafts: Map<string, Draft>, event: JoinedEvent, requestId: string): Draft {
  const draft: Draft = {
    requestId, principalId: event.subjectId ?? '', principalName: event.subjectId ?? '', groupId: event.groupId ?? '', groupName: event.groupId ?? '',
    status: 'requested', requestedAt: event.at, justification: null, ticketNumber: null, ticketSystem: null, startsAt: null, expiresAt: null,
    decidedById: null, decidedBy: null, decidedAt: null, decisionReason: null, provisionedAt: null, endedAt: null, endedHow: null,
    approvalAsked: false, refused: null, began: false,
  };
  drafts.set(requestId, draft);
  return draft;
}

/** The first proof stands, and none comes after the end. */
function provision(draft: Draft | undefined, event: JoinedEvent): void {
  if (draft && draft.endedAt === null) draft.provisionedAt ??= event.at;
}

function end(draft: Draft | undefined, event: JoinedEvent): void {
  if (!draft || draft.endedAt !== null) return;
  draft.endedAt = event.at;
  // Without PIM's word for it, a membership that went when its time was over has expired.
  const timeWasOver = draft.expiresAt !== null && Date.parse(event.at) >= Date.parse(draft.expiresAt) - TWIN_MS;
  draft.endedHow = event.kind === 'deactivated' ? 'deactivated' : event.kind === 'expired' || (event.kind === 'member-removed' && timeWasOver) ? 'expired' : 'removed';
}

/** The activation that an end names as the one it ends. */
function named(drafts: Map<string, Draft>, event: JoinedEvent): Draft | undefined {
  return [event.endsRequestId, event.requestId].flatMap((id) => (id === null ? [] : drafts.get(id) ?? [])).at(0);
}

/** The newest activation that could be running when the event happened. The timeline has brought none that came later. */
function latestOpen(drafts: Map<string, Draft>, event: JoinedEvent, proof?: 'provisioned'): Draft | undefined {
  return [...drafts.values()]
    .filter((draft) => draft.endedAt === null && (draft.provisionedAt !== null || (proof === undefined && draft.refused === null)))
    .reduce<Draft | undefined>((latest, draft) => (latest === undefined || latest.requestedAt < draft.requestedAt || (latest.requestedAt === draft.requestedAt && latest.requestId < draft.requestId) ? draft : latest), undefined);
}

function settled({ approvalAsked, refused, began: _began, ...draft }: Draft): ActivationRow {
  const startsLater = (after: string): boolean => draft.startsAt !== null && Date.parse(draft.startsAt) - Date.parse(after) > LATER_MS;
  const status = (): ActivationRow['status'] => {
    if (draft.endedAt !== null) return 'ended';
    if (draft.provisionedAt !== null) return startsLater(draft.provisionedAt) ? 'scheduled' : 'active';
    if (refused !== null) return refused;
    if (approvalAsked && draft.decidedAt === null) return 'awaiting-approval';
    return startsLater(draft.decidedAt ?? draft.requestedAt) ? 'scheduled' : 'requested';
  };
  const is = status();
  // What never began does not run out.
  return { ...draft, status: is, expiresAt: ['scheduled', 'active', 'ended'].includes(is) ? draft.expiresAt : null };
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** Total, so that the order of arrival cannot matter. */
function byTime(one: JoinedEvent, other: JoinedEvent): number {
  return compare(one.at, other.at) || ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind) || compare(one.id, other.id);
}
