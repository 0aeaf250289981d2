import type { ActivationPolicy, ApplicationKind, Certainty, PointCoverage, PointEvidence, PointPath, PointReason, PointRow, PointWay, Segment } from '@gatehouse/contracts';
import { tiersFor, type Destination } from '../../core/destination.ts';

/**
 * Who could reach something at an instant, and who had access, from what was observed and what the audit log told. The
 * facts that are passed are all that was known; what is not among them makes no difference to the answer. Instants are
 * texts in UTC with six decimals, so that they compare as instants do; periods are half-open.
 */

export type FactKind = 'eligible' | 'standing' | 'activated' | 'policy' | 'group' | 'assignment' | 'application' | 'segments' | 'principal' | 'watch';

/** One observation: from `validFrom` on the thing was in this state, until an observation of it says otherwise. */
export interface Observed {
  /** `batch.ordinal`. */
  readonly id: string;
  readonly kind: FactKind;
  readonly thing: string;
  readonly principalId: string | null;
  readonly groupId: string | null;
  readonly applicationId: string | null;
  /** As its kind has it; `null`: it was gone. */
  readonly state: unknown;
  readonly validFrom: string;
  readonly basis: 'entra' | 'event' | 'observed';
  readonly eventId: string | null;
  readonly notBefore: string | null;
  readonly observedAt: string;
}

export type ToldKind = 'eligible-added' | 'eligible-removed' | 'assigned' | 'assignment-removed' | 'member-added' | 'member-removed' | 'activated' | 'deactivated' | 'expired';

/** One event of the audit log about the membership of somebody. Neither failures nor owners are among them. */
export interface Told {
  /** `source:eventId`. */
  readonly id: string;
  readonly kind: ToldKind;
  readonly at: string;
  readonly subjectId: string;
  readonly subjectName: string | null;
  readonly groupId: string;
  readonly groupName: string | null;
  readonly requestId: string | null;
  readonly startsAt: string | null;
  readonly expiresAt: string | null;
  /** Said to be without an end. */
  readonly permanent: boolean;
  /** The directory's own entry of what PIM did. */
  readonly byPim: boolean;
}

interface Period { readonly startsAt: string | null; readonly endsAt: string | null }

export type Target = { readonly kind: 'application'; readonly id: string } | { readonly kind: 'group'; readonly id: string } | { readonly kind: 'host'; readonly destination: Destination };

/** PIM lets nothing be activated for longer: without an end that the log tells of, an activation is over after it. */
export const LONGEST_ACTIVATION_MS = 24 * 60 * 60_000;
/** PIM's entry and the directory's tell of the same change within this time of each other. */
const TWIN_MS = 2 * 60_000;

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
/** An instant so much later, with its decimals below a millisecond. */
const later = (instant: string, ms: number): string => `${new Date(Date.parse(instant) + ms).toISOString().slice(0, -1)}${instant.slice(23, 26)}Z`;

/** Observations in the order in which they became known. */
export function inOrder(observations: readonly Observed[]): Observed[] {
  const place = (id: string): readonly [bigint, number] => { const [batch = '0', ordinal = '0'] = id.split('.'); return [BigInt(batch), Number(ordinal)]; };
  return observations.map((one) => ({ one, at: place(one.id) })).sort((a, b) => (a.at[0] < b.at[0] ? -1 : a.at[0] > b.at[0] ? 1 : a.at[1] - b.at[1])).map(({ one }) => one);
}

interface Held {
  readonly state: unknown;
  /** Why it is not certain; `undefined`: it is. */
  readonly doubt: PointReason | undefined;
  /** What says so. */
  readonly by: Observed | undefined;
}

/**
 * The state of one thing at an instant, from its observations in order. Of those that hold at the instant the one that
 * became known last counts. One that was only seen afterwards, and may have begun before, makes it uncertain: then the
 * answer is the state in which there was more.
 */
export function heldAt(history: readonly Observed[], at: string): Held {
  const place = history.findLastIndex((one) => one.validFrom <= at);
  const by = history[place];
  const next = history.slice(place + 1).find((one) => one.basis === 'observed' && (one.notBefore === null || one.notBefore <= at));
  if (!next) return { state: by?.state ?? null, doubt: undefined, by };
  const reason = next.notBefore === null && !by ? 'before-first-observation' : 'between-readings';
  return by && by.state !== null ? { state: by.state, doubt: reason, by } : { state: next.state, doubt: reason, by: next };
}

const seen = (one: Observed): PointEvidence[] => [
  { kind: 'observation', id: one.id, at: one.observedAt, what: one.kind },
  ...(one.eventId === null ? [] : [{ kind: 'event' as const, id: one.eventId, at: one.validFrom, what: one.kind }]),
];
const said = (one: Told): PointEvidence => ({ kind: 'event', id: one.id, at: one.at, what: one.kind });
const certain = (reasons: readonly PointReason[]): Certainty => (reasons.some((reason) => DOUBTS.has(reason)) ? 'not-known' : 'observed');
const DOUBTS: ReadonlySet<PointReason> = new Set<PointReason>(['before-first-observation', 'between-readings', 'removal-not-confirmed', 'end-not-known', 'group-not-read', 'opening-not-known']);

/** Observations by thing, in order. */
const byThing = (observations: readonly Observed[], kind: FactKind): Map<string, Observed[]> => Map.groupBy(inOrder(observations.filter((one) => one.kind === kind)), ({ thing }) => thing);

interface ApplicationState { readonly displayName: string; readonly kind: ApplicationKind; readonly assignmentRequired: boolean }

/** An application as it stood, and whether that is known. */
export interface ApplicationThen extends ApplicationState {
  readonly id: string;
  readonly segments: readonly Segment[];
  readonly doubts: readonly PointReason[];
  readonly evidence: readonly PointEvidence[];
}

/** The applications that took what is asked about at the instant. */
export function applicationsAt(target: Target, observations: readonly Observed[], at: string): ApplicationThen[] {
  if (target.kind === 'group') return [];
  const segmentsOf = byThing(observations, 'segments');
  const all = [...byThing(observations, 'application')].flatMap(([id, history]): ApplicationThen[] => {
    const held = heldAt(history, at);
    if (held.state === null || (target.kind === 'application' && id !== target.id)) return [];
    const published = heldAt(segmentsOf.get(id) ?? [], at);
    const doubts = [held.doubt, target.kind === 'host' ? published.doubt : undefined].filter((doubt) => doubt !== undefined);
    return [{
      ...(held.state as ApplicationState), id, segments: (published.state as { segments: readonly Segment[] } | null)?.segments ?? [], doubts: [...new Set(doubts)],
      evidence: [held.by, published.by].flatMap((by) => (by ? seen(by) : [])),
    }];
  });
  if (target.kind === 'application') return all;
  const tiers = tiersFor(target.destination, all);
  // Only the first tier gets the traffic of one port; which is the first is not known where one that may be it is not.
  const [first = []] = tiers;
  const doubtful = tiers.flat().find(({ doubts }) => doubts.length > 0);
  const taking = target.destination.port === undefined || doubtful ? tiers.flat() : first;
  return taking.map((one) => (doubtful && target.destination.port !== undefined && one.doubts.length === 0 ? { ...one, doubts: doubtful.doubts } : one)).sort((one, other) => compare(one.id, other.id));
}

/** The groups that opened these applications at the instant, or the group that is asked about, with what activating it asked for. */
export function pathsAt(target: Target, applications: readonly ApplicationThen[], observations: readonly Observed[], at: string): PointPath[] {
  const [names, policies] = [byThing(observations, 'group'), byThing(observations, 'policy')];
  const pathOf = (groupId: string, application: ApplicationThen | undefined, by: Held | undefined): PointPath => {
    const policy = heldAt(policies.get(groupId) ?? [], at);
    const doubts = [...new Set([...(application?.doubts ?? []), ...(by?.doubt ? [by.doubt] : [])])];
    return {
      group: { id: groupId, name: nameOf(names.get(groupId) ?? [], at) ?? groupId },
      application: application ? { id: application.id, name: application.displayName, kind: application.kind, assignmentRequired: application.assignmentRequired, segments: [...application.segments] } : null,
      certainty: certain(doubts), reasons: doubts,
      policy: policy.state as ActivationPolicy | null, policyCertainty: policy.doubt === undefined && policy.state !== null ? 'observed' : 'not-known',
      evidence: [...(application?.evidence ?? []), ...(by?.by ? seen(by.by) : []), ...(policy.by ? seen(policy.by) : [])],
    };
  };
  if (target.kind === 'group') return [pathOf(target.id, undefined, undefined)];
  const assignments = [...byThing(observations, 'assignment')];
  return applications.flatMap((application) => assignments.flatMap(([, history]) => {
    const [one] = history;
    if (!one || one.applicationId !== application.id || one.groupId === null) return [];
    const held = heldAt(history, at);
    return held.state === null ? [] : [pathOf(one.groupId, application, held)];
  })).sort((one, other) => compare(one.group.name, other.group.name) || compare(one.group.id, other.group.id) || compare(one.application?.id ?? '', other.application?.id ?? ''));
}

/** The name at the instant, else the first that was seen. */
function nameOf(history: readonly Observed[], at: string): string | undefined {
  const held = heldAt(history, at);
  const state = (held.state ?? history.findLast((one) => one.state !== null)?.state ?? null) as { displayName: string | null } | null;
  return state?.displayName ?? undefined;
}

/** What is known of one person, or group, and one group. */
interface Pair {
  readonly principalId: string;
  readonly groupId: string;
  readonly observations: readonly Observed[];
  readonly told: readonly Told[];
  /** When the group was first read. */
  readonly readFrom: string | undefined;
}

type Found = Pick<PointRow, 'way' | 'reasons' | 'from' | 'until' | 'requestId' | 'evidence'>;

const periodsAt = (state: unknown, at: string): Period[] => ((state as { periods: readonly Period[] } | null)?.periods ?? []).filter(({ startsAt, endsAt }) => (startsAt === null || startsAt <= at) && (endsAt === null || at < endsAt));

/** Eligible, or a standing member: as it was read, and where the log tells of a later change, as it tells. */
function holdingAt({ principalId, groupId, observations, told, readFrom }: Pair, at: string, way: 'eligible' | 'standing'): Found[] {
  const things = byThing(observations, way);
  const direct = `${groupId}/${principalId}/direct`;
  // Who has it through another group is told of by no event about them.
  const others = [...things].filter(([thing]) => thing !== direct).flatMap(([, history]) => asRead(way, heldAt(history, at), at));
  return [...others, ...directlyAt(things.get(direct) ?? [], told, readFrom, at, way)];
}

function asRead(way: 'eligible' | 'standing', { state, doubt, by }: Held, at: string, more: readonly PointReason[] = [], evidence: readonly PointEvidence[] = []): Found[] {
  const [period] = periodsAt(state, at);
  if (!period || !by) return [];
  // What was there at the first look began nobody knows when.
  const from = period.startsAt ?? (by.basis === 'observed' && by.notBefore === null ? null : by.validFrom);
  return [{ way, reasons: [`${way}-as-read`, ...(doubt ? [doubt] : []), ...more], from, until: period.endsAt, requestId: null, evidence: [...seen(by), ...evidence] }];
}

function directlyAt(history: readonly Observed[], told: readonly Told[], readFrom: string | undefined, at: string, way: 'eligible' | 'standing'): Found[] {
  const isOn = ({ kind, byPim }: Told): boolean => (way === 'eligible' ? kind === 'eligible-added' : kind === 'assigned' || (kind === 'member-added' && !byPim));
  const isOff = ({ kind, byPim }: Told): boolean => (way === 'eligible' ? kind === 'eligible-removed' : kind === 'assignment-removed' || (kind === 'member-removed' && !byPim));
  const last = told.findLast((one) => one.at <= at && (isOn(one) || isOff(one)));
  const held = heldAt(history, at);
  const settled = held.by && held.by.validFrom <= at ? held.by : undefined;
  if (!last) return asRead(way, held, at);
  // The log may know since when, of what was only seen to be there.
  if (settled && settled.validFrom >= last.at) return asRead(way, held, at, [], isOn(last) ? [said(last)] : []).map((found) => ({ ...found, from: found.from ?? (isOn(last) ? last.at : null) }));

  if (isOff(last)) return settled && !history.some(({ validFrom }) => validFrom >= last.at) ? asRead(way, held, at, ['removal-not-confirmed'], [said(last)]) : [];
  // What the first reading of the group did not find was over by then.
  if (!settled && readFrom !== undefined && readFrom <= at && last.at < readFrom) return asRead(way, held, at);
  const read = asRead(way, held, at, [], [said(last)]);
  if (settled && read.length > 0 && held.doubt === undefined) return read;
  if ((last.startsAt !== null && at < last.startsAt) || (last.expiresAt !== null && last.expiresAt <= at)) return read;
  const endKnown = last.permanent || last.expiresAt !== null;
  return [{ way, reasons: [`${way}-as-logged`, ...(endKnown ? [] : ['end-not-known' as const])], from: last.startsAt ?? last.at, until: last.expiresAt, requestId: null, evidence: [said(last)] }];
}

/** An activation that runs: as the log tells of it, or as it was read. */
function activationAt({ observations, told }: Pair, at: string): Found[] {
  const isOff = ({ kind }: Told): boolean => kind === 'deactivated' || kind === 'expired' || kind === 'assignment-removed' || kind === 'member-removed';
  const begins = told.filter(({ kind }) => kind === 'activated' || kind === 'assigned');
  // The directory's entry stands for PIM's where that one is missing.
  const isOrphan = (one: Told): boolean => one.kind === 'member-added' && one.byPim && !begins.some((begin) => Math.abs(Date.parse(begin.at) - Date.parse(one.at)) <= TWIN_MS);
  const begun = told.filter((one) => one.at <= at && (one.kind === 'activated' || isOrphan(one))).at(-1);
  const endedSince = (instant: string): boolean => told.some((one) => isOff(one) && instant < one.at && one.at <= at);
  if (begun && later(begun.at, LONGEST_ACTIVATION_MS) > at && !endedSince(begun.at)) {
    const until = endOf(begun);
    if (until === null || at < until) return [{ way: 'activated', reasons: ['activation-as-logged', ...(until === null ? ['end-not-known' as const] : [])], from: begun.at, until, requestId: begun.requestId, evidence: [said(begun)] }];
  }
  return [...byThing(observations, 'activated').values()].flatMap((history): Found[] => {
    const held = heldAt(history, at);
    const period = periodsAt(held.state, at).at(-1);
    if (!period || !held.by || endedSince(period.startsAt ?? held.by.validFrom)) return [];
    return [{ way: 'activated', reasons: ['activation-as-read', ...(held.doubt ? [held.doubt] : [])], from: period.startsAt, until: period.endsAt, requestId: null, evidence: seen(held.by) }];
  }).slice(0, 1);
}

/** When an activation was to end, as its beginning tells: what was granted later than it was to start also ends later. */
function endOf({ at, startsAt, expiresAt }: Told): string | null {
  if (expiresAt === null || startsAt === null || at <= startsAt) return expiresAt;
  return later(at, Date.parse(expiresAt) - Date.parse(startsAt));
}

export interface Facts {
  readonly observations: readonly Observed[];
  readonly told: readonly Told[];
}

/** Who could reach it, and who had access: each person and way once for each group. */
export function peopleAt(paths: readonly PointPath[], { observations, told }: Facts, at: string): { readonly could: PointRow[]; readonly had: PointRow[] } {
  const groups = new Map(paths.map(({ group }) => [group.id, group]));
  const watches = byThing(observations, 'watch');
  const persons = byThing(observations, 'principal');
  const key = (groupId: string, principalId: string): string => `${groupId}/${principalId}`;
  const ofPair = Map.groupBy(observations.filter((one) => one.principalId !== null && one.groupId !== null), (one) => key(one.groupId ?? '', one.principalId ?? ''));
  const toldOfPair = Map.groupBy([...told].sort((one, other) => compare(one.at, other.at) || compare(one.id, other.id)), (one) => key(one.groupId, one.subjectId));
  const names = new Map([...told].sort((one, other) => compare(one.at, other.at) || compare(one.id, other.id)).flatMap((one) => (one.subjectName === null ? [] : [[one.subjectId, one.subjectName] as const])));

  const rows = [...new Set([...ofPair.keys(), ...toldOfPair.keys()])].flatMap((pair): PointRow[] => {
    const [groupId = '', principalId = ''] = pair.split('/');
    const group = groups.get(groupId);
    if (!group) return [];
    const watch = watches.get(groupId) ?? [];
    const about: Pair = { groupId, principalId, observations: ofPair.get(pair) ?? [], told: toldOfPair.get(pair) ?? [], readFrom: watch[0]?.validFrom };
    const unread = watch.length > 0 && watch.findLast((one) => one.validFrom <= at)?.state === null;
    // A path that is not known makes nobody certain; one that is known is enough.
    const opening = paths.filter((path) => path.group.id === groupId);
    const doubts: readonly PointReason[] = opening.some(({ certainty }) => certainty === 'observed') ? [] : ['opening-not-known'];
    const name = nameOf(persons.get(principalId) ?? [], at);
    return [...holdingAt(about, at, 'eligible'), ...holdingAt(about, at, 'standing'), ...activationAt(about, at)].map((found) => {
      const reasons = [...new Set([...found.reasons, ...(unread && found.reasons.some((reason) => reason.endsWith('-as-read')) ? ['group-not-read' as const] : []), ...doubts])];
      return {
        ...found, reasons, certainty: certain(reasons), group,
        principal: { id: principalId, name: name ?? names.get(principalId) ?? principalId, kind: kindOf(persons.get(principalId) ?? []) },
      };
    });
  });
  const once = [...new Map(rows.sort(better).map((row) => [`${row.group.id} ${row.principal.id} ${row.way}`, row])).values()].sort(byName);
  return { could: once, had: once.filter(({ way }) => way !== 'eligible') };
}

/** Of two lines about the same the certain one is kept, which comes last. */
const better = (one: PointRow, other: PointRow): number => Number(one.certainty === 'observed') - Number(other.certainty === 'observed');
const WAYS: readonly PointWay[] = ['activated', 'standing', 'eligible'];
/** What is certain first; then by name, and by all that there is, so that the order is always the same. */
const byName = (one: PointRow, other: PointRow): number => better(other, one) || compare(one.principal.name.toLowerCase(), other.principal.name.toLowerCase()) || compare(one.principal.id, other.principal.id) || WAYS.indexOf(one.way) - WAYS.indexOf(other.way) || compare(one.group.id, other.group.id);

function kindOf(history: readonly Observed[]): PointRow['principal']['kind'] {
  return (history.findLast((one) => one.state !== null)?.state as { kind: PointRow['principal']['kind'] } | undefined)?.kind ?? 'unknown';
}

/** Since when there are facts of each kind. Months of the log that were dropped are not known any more, whatever was known then. */
export function coverageOf(paths: readonly PointPath[], { observations }: Pick<Facts, 'observations'>, at: string, droppedTo: string | null = null): PointCoverage {
  const watches = byThing(observations, 'watch');
  const groups = [...new Map(paths.map(({ group }) => [group.id, group])).values()];
  const log = watches.get('audit-log')?.findLast((one) => one.state !== null)?.state as { completeFrom: string } | undefined;
  return {
    eventsFrom: log === undefined ? null : droppedTo !== null && droppedTo > log.completeFrom ? droppedTo : log.completeFrom,
    applicationsFrom: watches.get('catalog')?.[0]?.validFrom ?? null,
    groups: groups.map((group) => {
      const watch = watches.get(group.id) ?? [];
      const then = watch.findLast((one) => one.validFrom <= at);
      return { ...group, from: watch[0]?.validFrom ?? null, readThen: then !== undefined && then.state !== null };
    }),
  };
}
