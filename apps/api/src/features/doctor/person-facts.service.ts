import { GraphError, type Graph, type ScheduleInstance, type ScheduleRequest } from '@gatehouse/graph';
import { addMinutes, minutesOf } from '../../core/durations.ts';
import type { AskedFor, GroupFacts, Holding } from './doctor.rules.ts';

/** What PIM and the directory say of one person and some groups. */

export interface Reading {
  readonly graph: Graph;
  /** The person's own token, where they ask for themselves: for PIM, which shows everybody their own. */
  readonly own: Graph | undefined;
  readonly principalId: string;
  readonly now: Date;
}

export type PersonFacts = Pick<GroupFacts, 'eligible' | 'begins' | 'active' | 'member' | 'asked' | 'ended'>;

/** By group. Whatever cannot be read is `undefined`; a sign-in that the person has to make again is thrown. */
export async function readPersonFacts({ graph, own, principalId, now }: Reading, groupIds: readonly string[]): Promise<ReadonlyMap<string, PersonFacts>> {
  if (groupIds.length === 0) return new Map();
  const isTheirs = (one: { readonly principalId: string; readonly accessId: string }): boolean => one.accessId === 'member' && same(one.principalId, principalId);
  /** The person's own list, or what is listed of each group. */
  const listed = async <T extends { readonly principalId: string; readonly accessId: string; readonly groupId: string }>(mine: (() => Promise<readonly T[]>) | undefined, ofGroup: (groupId: string) => Promise<readonly T[]>): Promise<(groupId: string) => readonly T[] | undefined> => {
    if (mine) {
      const all = await unlessRefused(mine());
      return (groupId) => all?.filter((one) => isTheirs(one) && same(one.groupId, groupId));
    }
    const lists = await Promise.all(groupIds.map(async (groupId) => [groupId, await orNotKnown(orNone(ofGroup(groupId)))] as const));
    const byGroup = new Map(lists);
    return (groupId) => byGroup.get(groupId)?.filter(isTheirs);
  };

  const { pim, directory } = graph.together;
  const [eligibilities, assignments, requests, members] = await Promise.all([
    listed(own && (() => own.pim.mine.eligibilities()), pim.eligibilities),
    listed(own && (() => own.pim.mine.assignments()), pim.assignments),
    listed(own && (() => own.pim.mine.requests()), pim.assignmentRequests),
    Promise.all(groupIds.map((groupId) => orNotKnown(directory.isMember(principalId, groupId)))),
  ]);
  const current = (list: readonly ScheduleInstance[] | undefined): Holding | null | undefined => list && (list.map(holdingOf).find((one) => isCurrent(one, now)) ?? null);
  const found = groupIds.map((groupId, index): readonly [string, PersonFacts] => {
    const active = current(assignments(groupId)?.filter((one) => one.memberType === 'direct'));
    const asked = requests(groupId);
    return [groupId, { eligible: current(eligibilities(groupId)), active, member: members[index], asked: asked && newestOf(asked), ended: active === null ? endOf(asked ?? [], now) : undefined }];
  });

  // What has not begun stands in another list, which is worth a call only where there is nothing better.
  if (found.some(([, { eligible, member }]) => eligible || member === true)) return new Map(found);
  const schedules = await listed(own && (() => own.pim.mine.eligibilitySchedules()), pim.eligibilitySchedules);
  return new Map(found.map(([groupId, facts]) => {
    const begins = (schedules(groupId) ?? []).flatMap(({ startsAt }) => instant(startsAt) ?? []).filter((at) => at > now).toSorted((one, other) => one.getTime() - other.getTime())[0];
    return [groupId, { ...facts, begins }];
  }));
}

/** Of groups that are members of these, the first that the person is in, by the group that holds it. */
export async function readNested({ graph, principalId }: Pick<Reading, 'graph' | 'principalId'>, groupIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { directory } = graph.together;
  const inside = await Promise.all(groupIds.map((groupId) => orNotKnown(directory.nestedGroups(groupId))));
  const pairs = groupIds.flatMap((groupId, index) => (inside[index] ?? []).map((nested) => ({ groupId, nested })));
  const members = await Promise.all(pairs.map(({ nested }) => orNotKnown(directory.isMember(principalId, nested.id))));
  return new Map(pairs.flatMap(({ groupId, nested }, index) => (members[index] === true ? [[groupId, nested.displayName] as const] : [])));
}

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

function instant(text: string | undefined): Date | undefined {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : new Date(at);
}

const holdingOf = ({ startsAt, endsAt, memberType }: ScheduleInstance): Holding => ({ startsAt: instant(startsAt), endsAt: instant(endsAt), through: memberType });
const isCurrent = ({ startsAt, endsAt }: Holding, now: Date): boolean => (!startsAt || startsAt <= now) && (!endsAt || endsAt > now);

/** When an activation begins and ends, as it was asked for. */
function spanOf(request: ScheduleRequest): { readonly startsAt: Date; readonly endsAt: Date | undefined } | undefined {
  const startsAt = instant(request.startsAt) ?? instant(request.createdAt);
  if (!startsAt) return undefined;
  const minutes = request.duration === undefined ? undefined : minutesOf(request.duration);
  return { startsAt, endsAt: instant(request.endsAt) ?? (minutes === undefined ? undefined : addMinutes(startsAt, minutes)) };
}

const isActivation = ({ action }: ScheduleRequest): boolean => action.toLowerCase() === 'selfactivate';

function newestOf(requests: readonly ScheduleRequest[]): AskedFor | null {
  const dated = requests.filter((one) => isActivation(one) && one.status !== 'Canceled').flatMap((one) => {
    const at = instant(one.createdAt);
    return at ? [{ status: one.status, at, ...spanOf(one) }] : [];
  });
  return dated.toSorted((one, other) => other.at.getTime() - one.at.getTime())[0] ?? null;
}

/** When the last membership that took effect ended, activated or assigned: at its end, or when somebody ended it before. */
function endOf(requests: readonly ScheduleRequest[], now: Date): Date | undefined {
  const ending = requests.filter(({ action }) => ['selfdeactivate', 'adminremove'].includes(action.toLowerCase())).flatMap(({ createdAt }) => instant(createdAt) ?? []);
  const beginning = requests.filter((one) => isActivation(one) || one.action.toLowerCase() === 'adminassign');
  const ends = beginning.filter(({ status }) => status === 'Provisioned' || status === 'Revoked').flatMap((one) => {
    const span = spanOf(one);
    if (!span) return [];
    const early = ending.filter((at) => at >= span.startsAt && (!span.endsAt || at < span.endsAt)).toSorted((a, b) => a.getTime() - b.getTime())[0];
    return early ?? span.endsAt ?? [];
  });
  return ends.filter((at) => at <= now).toSorted((one, other) => other.getTime() - one.getTime())[0];
}

/** The portal's own reads: whatever is refused or fails is not known. */
export async function orNotKnown<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if (error instanceof GraphError) return undefined;
    throw error;
  });
}

/** A group that PIM does not know has nobody in it there. */
async function orNone<T>(reading: Promise<readonly T[]>): Promise<readonly T[]> {
  return reading.catch((error: unknown) => {
    if (error instanceof GraphError && error.failure === 'not-found') return [];
    throw error;
  });
}

/** Whoever must sign in again does so; any other failure leaves it unknown. */
export async function unlessRefused<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if (error instanceof GraphError && error.failure !== 'not-signed-in' && error.failure !== 'step-up-needed') return undefined;
    throw error;
  });
}
