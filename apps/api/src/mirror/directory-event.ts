import type { EventKind } from '@gatehouse/contracts';
import { isStorable, storable } from '../core/text.ts';
import type { Received } from './source.ts';

/** One event as Entra's audit log has it. */
export type ReceivedEvent = Received;

/** What the mirror knows of one directory audit event. Ids are lower case; what the event does not say is `null`. */
export interface DirectoryEvent {
  readonly id: string;
  /** In UTC with six decimals, so that texts compare as instants do. */
  readonly at: string;
  /** As received, with all its decimals; empty where there was none. */
  readonly atRaw: string;
  readonly activity: string;
  readonly kind: EventKind;
  readonly service: string;
  readonly result: 'success' | 'failure' | 'other';
  readonly reason: string | null;
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly subjectId: string | null;
  readonly subjectName: string | null;
  readonly groupId: string | null;
  readonly groupName: string | null;
  readonly applicationId: string | null;
  readonly applicationName: string | null;
  readonly requestId: string | null;
  readonly correlationId: string | null;
  readonly raw: string;
  /** What is wrong with it as it was received, in words; `null` where nothing is. Words that nobody knows, and parts that are not there, are nothing wrong. */
  readonly defect: string | null;
  // More than a row of the table holds: what the join of activations reads.
  /** Of the end of a membership: the request that had begun it. */
  readonly endsRequestId: string | null;
  readonly asOwner: boolean;
  readonly justification: string | null;
  readonly ticketNumber: string | null;
  readonly ticketSystem: string | null;
  readonly startsAt: string | null;
  readonly expiresAt: string | null;
}

/** PIM's names for the stages of an activation (CONTRACT.md §10), which are the role wording for groups as well. */
const PIM_KINDS: Readonly<Record<string, EventKind>> = {
  'add member to role requested (pim activation)': 'activation-requested',
  'add member to role approval requested (pim activation)': 'approval-requested',
  'add member to role request approved (pim activation)': 'approved',
  'add member to role request denied (pim activation)': 'denied',
  'add member to role completed (pim activation)': 'activated',
  'add member to role canceled (pim activation)': 'activation-cancelled',
  'pim activation request expired': 'request-lapsed',
  'remove member from role requested (pim deactivate)': 'deactivation-requested',
  'remove member from role completed (pim deactivate)': 'deactivated',
  'remove member from role (pim activation expired)': 'expired',
  'update role setting in pim': 'role-settings-changed',
  'pim policy removed': 'role-settings-changed',
  'onboarded resource to pim': 'onboarded',
};

/** Assignments by an administrator; what was only asked for has changed nothing and stays `other`. */
const PIM_PATTERNS: readonly (readonly [RegExp, EventKind])[] = [
  [/^(add|restore) eligible member (to|from) role in pim completed\b/, 'eligible-added'],
  [/^remove eligible member from role in pim completed\b/, 'eligible-removed'],
  [/^(add|restore) member (to|from) role in pim completed\b/, 'assigned'],
  [/^remove member from role in pim completed\b/, 'assignment-removed'],
];

const DIRECTORY_KINDS: Readonly<Record<string, EventKind>> = {
  'add member to group': 'member-added',
  'remove member from group': 'member-removed',
  'create group': 'group-changed', 'add group': 'group-changed', 'update group': 'group-changed', 'delete group': 'group-changed',
  'restore group': 'group-changed', 'hard delete group': 'group-changed', 'add owner to group': 'group-changed', 'remove owner from group': 'group-changed',
  'add app role assignment to group': 'application-changed', 'remove app role assignment from group': 'application-changed',
  'add app role assignment grant to group': 'application-changed', 'remove app role assignment grant from group': 'application-changed',
  'add app role assignment grant to user': 'application-changed', 'remove app role assignment from user': 'application-changed',
};
const DIRECTORY_PATTERN = /^(add|update|delete|restore|hard delete|remove)\b.*\b(application|service principal)\b/;

/** Logs repeat few names: each is looked at once. */
const known = new Map<string, EventKind>();
const MOST_KNOWN = 2_000;

/** What the event means here. */
export function kindOf(activity: string, service: string): EventKind {
  const key = `${service}\n${activity}`;
  const standing = known.get(key);
  if (standing !== undefined) return standing;
  const kind = kindAmong(activity, service);
  if (known.size < MOST_KNOWN) known.set(key, kind);
  return kind;
}

function kindAmong(activity: string, service: string): EventKind {
  const name = activity.trim().replaceAll(/\s+/g, ' ').toLowerCase();
  switch (service.trim().toLowerCase()) {
    case 'pim': return PIM_KINDS[name] ?? PIM_PATTERNS.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
    case 'core directory': return DIRECTORY_KINDS[name] ?? (DIRECTORY_PATTERN.test(name) ? 'application-changed' : 'other');
    default: return 'other';
  }
}

/** Longest id that is taken as it is. */
export const LONGEST_ID = 200;

/** Years in which an audit event can lie: an instant outside is as good as none, and would make a partition of its own. */
const YEARS = [2000, 2200] as const;

/** An instant's text in UTC with six decimals, the seventh cut; `undefined` where it is no instant. Never by way of `Date` alone, which keeps three. */
export function instantText(text: string): string | undefined {
  // Nearly all that comes: a day that every month has, in UTC. `Date` would take most of the time that a page does.
  const [, plain, year = '', decimals = ''] = PLAIN.exec(text) ?? [];
  if (plain !== undefined && year >= String(YEARS[0]) && year < String(YEARS[1])) return `${plain}.${decimals.padEnd(6, '0').slice(0, 6)}Z`;
  return rareInstantText(text);
}

const PLAIN = /^((\d{4})-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?Z$/;

function rareInstantText(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/i.exec(text.trim());
  if (!match) return undefined;
  const [, seconds = '', fraction = '', zone = ''] = match;
  const whole = new Date(`${seconds}${zone.toUpperCase()}`);
  if (Number.isNaN(whole.getTime())) return undefined;
  const year = whole.getUTCFullYear();
  if (year < YEARS[0] || year >= YEARS[1]) return undefined;
  return `${whole.toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}

/** An event of more than this is kept, and marked: nobody writes one by intent. */
const MOST_BYTES = 1024 * 1024;

/** What is wrong with an event so that what it says here may be less than it says, or at another time. Otherwise it is read as far as it goes. */
function defectOf({ defect, raw, id }: ReceivedEvent, value: unknown, foundId: string, atRaw: string): string | null {
  if (defect !== undefined) return defect;
  if (value === undefined) return 'It is no JSON.';
  if (value === null) return 'Nothing stands where an event should be.';
  if (typeof value !== 'object' || Array.isArray(value)) return 'It is no event, but another value.';
  if ('error' in value && foundId === '') return 'An error stands where an event should be.';
  if (foundId === '') return 'It has no id, and is known by its content.';
  if (id.length > LONGEST_ID || foundId.length > LONGEST_ID) return `Its id is longer than ${LONGEST_ID} characters, and it is known by its content.`;
  if (atRaw === '') return 'It has no time, and stands where it was received.';
  if (instantText(atRaw) === undefined) return 'Its time is none, or none that can be; it stands where it was received.';
  if (raw.length > MOST_BYTES / 3 && Buffer.byteLength(raw) > MOST_BYTES) return 'It is larger than 1 MiB.';
  if (!isStorable(raw)) return 'It has characters that no text can hold; they are replaced.';
  return null;
}

/**
 * Reads one event. Nothing is refused: what is missing or of another type is `null`, text that is no JSON is an event of
 * kind `other`, and an instant that is none is replaced by `fallbackAt` (when it was received).
 */
export function parseDirectoryEvent(received: ReceivedEvent, fallbackAt: string): DirectoryEvent {
  const value = received.parsed === undefined ? parsed(received.raw) : received.parsed;
  const event = record(value);
  const details = detailsOf(event['additionalDetails']);
  const activity = text(event['activityDisplayName']) ?? '';
  const service = text(event['loggedByService']) ?? '';
  const kind = kindOf(activity, service);
  const atRaw = storable(received.activityDateTime) || (text(event['activityDateTime']) ?? '');
  const isEnd = kind === 'expired' || kind === 'deactivated' || kind === 'assignment-removed';
  const targets = targetsOf(event['targetResources']);
  const requestTarget = targets.find(({ type }) => type === 'request');
  const role = targets.find(({ type }) => type === 'role');
  const ofRole = (details.get('templateid') ?? role?.id ?? role?.name ?? '').toLowerCase();

  const id = storable(received.id) || (text(event['id']) ?? '');

  return {
    id,
    at: instantText(atRaw) ?? fallbackAt,
    atRaw,
    activity, kind, service,
    result: resultOf(text(event['result'])),
    reason: text(event['resultReason']) ?? details.get('justification') ?? null,
    ...actorIn(record(event['initiatedBy'])),
    ...concernsIn(kind, targets),
    requestId: idText(details.get('requestid') ?? requestTarget?.id ?? details.get('roleassignmentrequestid')),
    correlationId: idText(text(event['correlationId'])),
    raw: storable(received.raw),
    defect: defectOf(received, value, id, atRaw),
    endsRequestId: isEnd ? idText(details.get('roleassignmentrequestid')) : null,
    asOwner: ofRole === 'owner' || role?.name?.toLowerCase() === 'owner',
    justification: details.get('justification') ?? null,
    ticketNumber: details.get('ticketnumber') ?? null,
    ticketSystem: details.get('ticketsystem') ?? null,
    startsAt: instantText(details.get('starttime') ?? '') ?? null,
    expiresAt: instantText(details.get('expirationtime') ?? '') ?? null,
  };
}

interface Target {
  readonly type: string;
  readonly id: string | undefined;
  readonly name: string | undefined;
  /** As received: most are never looked at. */
  readonly modifiedProperties: unknown;
}

/** Person, group and application among the things that the event concerns. */
function concernsIn(kind: EventKind, targets: readonly Target[]): Pick<DirectoryEvent, 'subjectId' | 'subjectName' | 'groupId' | 'groupName' | 'applicationId' | 'applicationName'> {
  const groups = targets.filter(({ type }) => type === 'group');
  const person = targets.find(({ type }) => type === 'user');
  // A group can be the member: it then comes first, as the person would.
  const nested = !person && groups.length > 1 && kind !== 'other' ? groups[0] : undefined;
  const subject = person ?? nested;
  const group = groups.find((one) => one !== nested);
  const application = targets.find(({ type }) => type === 'serviceprincipal') ?? targets.find(({ type }) => type === 'application');
  // The directory's own entry may name the group of a membership in the properties of the member alone.
  const property = (name: string): string | undefined => targets.map(({ modifiedProperties }) => propertyIn(modifiedProperties, name)).find((value) => value !== undefined);
  return {
    subjectId: idText(subject?.id), subjectName: subject?.name ?? null,
    groupId: idText(group?.id ?? property('group.objectid')), groupName: group?.name ?? property('group.displayname') ?? null,
    applicationId: idText(application?.id), applicationName: application?.name ?? null,
  };
}

function targetsOf(value: unknown): Target[] {
  return list(value).map(record).map((target) => {
    const odata = text(target['@odata.type'])?.replace(/^#?microsoft\.graph\.targetresource/i, '');
    return {
      type: (text(target['type']) ?? text(target['Type']) ?? odata ?? '').toLowerCase(),
      id: text(target['id']),
      name: text(target['displayName']) ?? text(target['userPrincipalName']),
      modifiedProperties: target['modifiedProperties'],
    };
  });
}

/** What the last property of that name is set to, or was. */
function propertyIn(modifiedProperties: unknown, name: string): string | undefined {
  return list(modifiedProperties).map(record).filter((property) => (text(property['displayName']) ?? '').toLowerCase() === name)
    .map((property) => text(unquoted(property['newValue'])) ?? text(unquoted(property['oldValue']))).findLast((value) => value !== undefined);
}

/** Values of modified properties are JSON within the JSON. */
function unquoted(value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith('"')) return value;
  const inner = parsed(value);
  return inner === undefined ? value : inner;
}

function actorIn(initiatedBy: Readonly<Record<string, unknown>>): Pick<DirectoryEvent, 'actorId' | 'actorName'> {
  const user = record(initiatedBy['user']);
  const app = record(initiatedBy['app']);
  return {
    actorId: idText(text(user['id']) ?? text(app['servicePrincipalId']) ?? text(app['appId'])),
    actorName: text(user['displayName']) ?? text(user['userPrincipalName']) ?? text(app['displayName']) ?? null,
  };
}

/** The first value of each key, keys in lower case. */
function detailsOf(value: unknown): ReadonlyMap<string, string> {
  const details = new Map<string, string>();
  for (const detail of list(value).map(record)) {
    const key = text(detail['key'])?.toLowerCase();
    const found = text(detail['value']);
    if (key !== undefined && found !== undefined && !details.has(key)) details.set(key, found);
  }
  return details;
}

function resultOf(value: string | undefined): DirectoryEvent['result'] {
  const result = value?.toLowerCase();
  return result === 'success' || result === 'failure' ? result : 'other';
}

/** Ids stand in indexes, which take no row of any length; Entra's are 36 characters. */
const idText = (value: string | undefined): string | null => value?.slice(0, LONGEST_ID).toLowerCase().toWellFormed() ?? null;

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Readonly<Record<string, unknown>> : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Text that says something. */
function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const cleaned = storable(value).trim();
  return cleaned === '' ? undefined : cleaned;
}
