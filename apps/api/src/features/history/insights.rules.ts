import type { Insight } from '@gatehouse/contracts';

/** What the log says of one right of a person to a group, oldest first: made eligible or a member, and taken away again. */
export interface RightEvent {
  readonly eventId: string; readonly kind: string; readonly at: string; readonly actorName: string | null;
  readonly personId: string; readonly person: string; readonly groupId: string; readonly group: string;
}

const nothing = { person: null, personId: null, group: null, groupId: null, at: null, times: 1, eventId: null, requestId: null };
const about = ({ personId, person, groupId, group, at, eventId }: RightEvent) => ({ ...nothing, personId, person, groupId, group, at, eventId });
const pairOf = ({ personId, groupId }: { readonly personId: string; readonly groupId: string }): string => `${personId} ${groupId}`;

const PIM_TWIN_MS = 2 * 60_000;

/** Members who need not activate: assigned as active, or added to the group by hand, and not taken away since. */
export function standingAccess(events: readonly RightEvent[]): Insight[] {
  return [...Map.groupBy(events, pairOf).values()].flatMap((all) => {
    const assigned = lastGiven(all, ['assigned'], ['assignment-removed', 'member-removed']);
    if (assigned) return [{ ...about(assigned), kind: 'standing-access' as const, found: `Assigned as active by ${assigned.actorName ?? 'somebody not named'}` }];
    const given = lastGiven(all, ['member-added'], ['member-removed']);
    return given ? [{ ...about(given), kind: 'standing-access' as const, found: `Added to the group, past PIM, by ${given.actorName ?? 'somebody not named'}` }] : [];
  });
}

/** The latest of the ones that give, where nothing that takes away came after it. */
function lastGiven(all: readonly RightEvent[], gives: readonly string[], takes: readonly string[]): RightEvent | undefined {
  const given = all.filter(({ kind }) => gives.includes(kind)).at(-1);
  if (!given) return undefined;
  // The directory's entry of an earlier end may be written within the twin's time.
  return all.some(({ kind, at }) => takes.includes(kind) && at > given.at && Date.parse(at) - Date.parse(given.at) > (kind === 'member-removed' && gives.includes('assigned') ? PIM_TWIN_MS : 0)) ? undefined : given;
}

/** Who may activate and did not for so long; those whose eligibility is younger than that are let be. */
export function unusedEligibility(events: readonly RightEvent[], lastActivated: ReadonlyMap<string, string>, now: Date, days: number): Insight[] {
  const before = now.getTime() - days * 86_400_000;
  return [...Map.groupBy(events, pairOf)].flatMap(([pair, all]) => {
    const given = lastGiven(all, ['eligible-added'], ['eligible-removed']);
    if (!given || Date.parse(given.at) > before) return [];
    const used = lastActivated.get(pair);
    if (used !== undefined && Date.parse(used) > before) return [];
    return [{ ...about(given), kind: 'unused-eligibility' as const, found: used === undefined ? 'Never activated' : `Last activated ${used.slice(0, 10)}` }];
  });
}

/** What a role-settings entry of PIM says of each rule that it changed: the rule as it then was, as far as it is told. */
export interface SettingsEvent { readonly eventId: string; readonly at: string; readonly groupId: string; readonly group: string; readonly actorName: string | null; readonly actorId: string | null; readonly raw: string }

type Rule = Readonly<Record<string, unknown>>;

/** Changes after which PIM asked for less than before. What the rule was before is known by the entry itself or by an earlier one; where neither says it, nothing is claimed. */
export function weakenedSettings(events: readonly SettingsEvent[]): Insight[] {
  const known = new Map<string, Rule>();
  return events.flatMap((event) => rulesIn(event.raw).flatMap(({ key, before, after }) => {
    const earlier = before ?? known.get(`${event.groupId} ${key}`);
    if (after) known.set(`${event.groupId} ${key}`, after);
    const less = earlier && after ? weakenings(earlier, after) : [];
    return less.length === 0 ? [] : [{ ...nothing, kind: 'settings-weakened' as const, person: event.actorName, personId: event.actorId, group: event.group, groupId: event.groupId, at: event.at, found: less.join('; '), eventId: event.eventId }];
  }));
}

const WORDS: Readonly<Record<string, string>> = { MultiFactorAuthentication: 'MFA', Justification: 'a reason', Ticketing: 'a ticket' };

/** In what the rule asks for less than it did. */
export function weakenings(before: Rule, after: Rule): string[] {
  const list = (rule: Rule, name: string): unknown[] => (Array.isArray(rule[name]) ? rule[name] : []);
  const setting = (rule: Rule): Rule => recordOf(rule['setting']);
  const approval = (rule: Rule): boolean => setting(rule)['isApprovalRequired'] === true;
  const [minutesBefore, minutesAfter] = [minutesOf(before['maximumDuration']), minutesOf(after['maximumDuration'])];
  return [
    ...list(before, 'enabledRules').filter((one) => !list(after, 'enabledRules').includes(one)).map((one) => `no longer asks for ${WORDS[String(one)] ?? String(one)}`),
    ...(approval(before) && !approval(after) ? ['no longer asks for approval'] : []),
    ...(before['isEnabled'] === true && after['isEnabled'] === false ? ['no longer asks for the authentication context'] : []),
    ...(before['isExpirationRequired'] === true && after['isExpirationRequired'] === false ? ['no longer has to end'] : []),
    ...(minutesBefore !== undefined && minutesAfter !== undefined && minutesAfter > minutesBefore ? [`may last ${minutesAfter} min, before ${minutesBefore} min`] : []),
  ];
}

function rulesIn(raw: string): { readonly key: string; readonly before: Rule | undefined; readonly after: Rule | undefined }[] {
  const event = recordOf(parsed(raw));
  return listOf(event['targetResources']).map(recordOf).flatMap((target) => listOf(target['modifiedProperties']).map(recordOf).flatMap((property) => {
    const [before, after] = [ruleOf(property['oldValue']), ruleOf(property['newValue'])];
    const name = typeof property['displayName'] === 'string' ? property['displayName'] : undefined;
    // Owners and members have settings of their own.
    return name === undefined ? [] : [{ key: `${typeof target['id'] === 'string' ? target['id'] : ''} ${name}`, before, after }];
  }));
}

function ruleOf(value: unknown): Rule | undefined {
  const rule = recordOf(typeof value === 'string' ? parsed(value) : value);
  return Object.keys(rule).length > 0 ? rule : undefined;
}

/** Minutes of an ISO duration of days, hours and minutes. */
function minutesOf(value: unknown): number | undefined {
  const match = typeof value === 'string' ? /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$/.exec(value) : null;
  return match ? Number(match[1] ?? 0) * 1440 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0) : undefined;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
const recordOf = (value: unknown): Rule => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Rule : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** An activation, or several alike, that a rule found in the log. */
interface Found { readonly personId: string; readonly person: string; readonly groupId: string; readonly group: string; readonly at: string; readonly requestId: string; readonly times: number; readonly detail: string | null }

const of = (kind: Insight['kind'], words: (one: Found) => string) => (found: readonly Found[]): Insight[] =>
  found.map((one) => ({ ...nothing, kind, person: one.person, personId: one.personId, group: one.group, groupId: one.groupId, at: one.at, found: words(one), times: one.times, requestId: one.requestId }));

export const outOfHours = of('out-of-hours', ({ detail }) => `Last began ${detail ?? 'at a time not known'}`);
export const repeatedReasons = of('repeated-reason', ({ detail }) => (detail === null || detail.trim() === '' ? 'No reason' : `“${detail.slice(0, 200)}”`));
export const quickApprovals = of('quick-approval', ({ detail }) => `Approved ${detail ?? '?'} s after the request`);

/** The newest hundred of each kind. */
export function toldOf(found: readonly Insight[], most = 100): Insight[] {
  return [...Map.groupBy(found, ({ kind }) => kind).values()].flatMap((all) => all.toSorted((a, b) => ((a.at ?? '') > (b.at ?? '') ? -1 : 1)).slice(0, most));
}
