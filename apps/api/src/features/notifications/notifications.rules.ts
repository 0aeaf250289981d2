import { APPROVAL_LAPSES_AFTER_HOURS } from '@gatehouse/contracts';
import { addMinutes, inWords } from '../../core/durations.ts';

/** A request that waits for a decision, as approvers are told of it. Instants are texts, for it is stored as JSON. */
export interface WaitingRequest {
  readonly requestId: string;
  readonly requesterId: string;
  readonly requesterName: string;
  readonly groupId: string;
  readonly groupName: string;
  /** Names of the applications that the group opens. */
  readonly opens: readonly string[];
  readonly minutes: number | null;
  readonly startsAt: string | null;
  readonly justification: string | null;
  readonly ticketNumber: string | null;
  readonly askedAt: string;
  readonly lapsesAt: string;
}

export type Channel = 'approvers' | 'mail' | 'webhook';

/** One of each: whoever writes it a second time writes nothing. */
export const keyOf = (requestId: string, channel: Channel, recipientId?: string): string => ['approval-waiting', requestId.toLowerCase(), channel, ...(recipientId === undefined ? [] : [recipientId.toLowerCase()])].join(':');

export const lapseOf = (askedAt: Date): Date => addMinutes(askedAt, APPROVAL_LAPSES_AFTER_HOURS * 60);

// --- Trying again ------------------------------------------------------------------------------------------------------

/** After so many tries in vain a notification is given up: about an hour after the first. */
export const MAX_TRIES = 8;
/** While a notification is being sent, nobody else sends it for this long. Longer than a sender may take. In seconds. */
export const LEASE_SECONDS = 120;
const FIRST_PAUSE_SECONDS = 30;
const LONGEST_PAUSE_SECONDS = 60 * 60;

/** When to try again after so many tries; a receiver that names a time is given it, within an hour. */
export function nextTryAt(tries: number, now: Date, retryAfterSeconds = 0): Date {
  const pause = Math.max(FIRST_PAUSE_SECONDS * 2 ** (tries - 1), retryAfterSeconds);
  return addMinutes(now, Math.min(pause, LONGEST_PAUSE_SECONDS) / 60);
}

/** What is known of the request by now: as the portal recorded it, and as the mirror has it. */
export interface RequestStands {
  readonly recorded: string | undefined;
  readonly mirrored: string | undefined;
}

/** Why nobody needs to be told any more; `undefined`: the request waits, as far as is known. */
export function needless({ lapsesAt }: Pick<WaitingRequest, 'lapsesAt'>, { recorded, mirrored }: RequestStands, now: Date): string | undefined {
  if (now >= new Date(lapsesAt)) return 'The request has lapsed.';
  const open = (status: string | undefined): boolean => status === undefined || status === 'asked' || status === 'requested' || status === 'awaiting-approval';
  return open(recorded) && open(mirrored) ? undefined : 'The request does not wait any more.';
}

// --- Words -------------------------------------------------------------------------------------------------------------

/** Line breaks, controls, and marks that turn the direction of writing: with them a reason could pass for lines of ours. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;
const LONGEST = 500;

/** What somebody typed, as one line of plain text. */
export function plain(text: string): string {
  const line = text.replace(UNSEEN, ' ').replace(/ {2,}/g, ' ').trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

/** Where the request is decided; it survives signing in. */
export const linkOf = (publicUrl: string, { requestId }: Pick<WaitingRequest, 'requestId'>): string => `${publicUrl}/approvals?${new URLSearchParams({ request: requestId })}`;

const wanted = ({ opens, groupName }: WaitingRequest): string => plain(opens.length > 0 ? opens.join(', ') : groupName);

/** Who asks for what: a line that holds nothing of the reason. */
export const titleOf = (request: WaitingRequest): string => `${plain(request.requesterName)} asks for ${wanted(request)}`;

/** `2026-03-02 09:00 UTC`: whoever reads it may be anywhere. */
const instantIn = (iso: string): string => `${new Date(iso).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** What an approver wants to know, each with its name. */
function factsOf(request: WaitingRequest): readonly (readonly [string, string])[] {
  return [
    ['Why', request.justification ? plain(request.justification) : 'No reason given'],
    ...(request.ticketNumber ? [['Ticket', plain(request.ticketNumber)] as const] : []),
    ['How long', request.minutes === null ? 'not said' : inWords(request.minutes)],
    ...(request.startsAt !== null && request.startsAt > request.askedAt ? [['From', instantIn(request.startsAt)] as const] : []),
    ['Via', plain(request.groupName)],
    ['Asked', instantIn(request.askedAt)],
    ['Lapses', `${instantIn(request.lapsesAt)}, if nobody decides`],
  ];
}

/** A mail in plain text: nothing in it is markup, and each fact is one line. */
export function mailOf(publicUrl: string, request: WaitingRequest): { readonly subject: string; readonly text: string } {
  const facts = factsOf(request).map(([name, value]) => `${`${name}:`.padEnd(10)}${value}`);
  return {
    subject: titleOf(request),
    text: [`${titleOf(request)}.`, '', ...facts, '', `Approve or deny: ${linkOf(publicUrl, request)}`, '', 'You are an approver of it. Gatehouse sends this once for each request.', ''].join('\n'),
  };
}

/** The body for a webhook by the Standard Webhooks convention. */
export function eventOf(publicUrl: string, request: WaitingRequest): object {
  return {
    type: 'approval.waiting',
    timestamp: request.askedAt,
    data: {
      requestId: request.requestId,
      requester: { id: request.requesterId, name: plain(request.requesterName) },
      group: { id: request.groupId, name: plain(request.groupName) },
      opens: request.opens.map(plain),
      minutes: request.minutes,
      startsAt: request.startsAt,
      reason: request.justification === null ? null : plain(request.justification),
      ticket: request.ticketNumber === null ? null : plain(request.ticketNumber),
      askedAt: request.askedAt,
      lapsesAt: request.lapsesAt,
      url: linkOf(publicUrl, request),
    },
  };
}

interface Run {
  readonly text: string;
  readonly weight?: 'bolder';
  readonly size?: 'medium';
  readonly isSubtle?: boolean;
}

/** Cards fill in what stands in double braces, such as dates, in text runs as well. */
const inCard = (text: string): string => text.replace(/\{(?=\{)/g, '{ ');

/**
 * A message for Teams with an Adaptive Card. Text runs show what they are given as it is; text blocks and fact sets would
 * read Markdown in it, with links of the requester's choice.
 */
export function cardOf(publicUrl: string, request: WaitingRequest): object {
  const line = (...inlines: readonly Run[]): object => ({ type: 'RichTextBlock', inlines: inlines.map((inline) => ({ type: 'TextRun', ...inline, text: inCard(inline.text) })) });
  return {
    type: 'message',
    attachments: [{
      contentType: 'application/vnd.microsoft.card.adaptive',
      contentUrl: null,
      content: {
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
        type: 'AdaptiveCard',
        version: '1.4',
        body: [line({ text: titleOf(request), weight: 'bolder', size: 'medium' }), ...factsOf(request).map(([name, value]) => line({ text: `${name}: `, isSubtle: true }, { text: value }))],
        actions: [{ type: 'Action.OpenUrl', title: 'Approve or deny', url: linkOf(publicUrl, request) }],
      },
    }],
  };
}
