import type { Database, Tx } from '@gatehouse/db';
import { addMinutes } from '../../core/durations.ts';
import type { EntraInstance, EntraRequest } from './access.rules.ts';
import { NEWS_OF_A_PERSON, PARTS, type OwnAccess, type OwnMembership, type Part } from './own-access.rules.ts';

export type Owner = { readonly tenantId: string; readonly principalId: string };
const of = ({ tenantId, principalId }: Owner): Owner => ({ tenantId, principalId });

/** What is kept of a person, with what a reading is kept by. */
export interface Kept extends OwnAccess {
  /** -1: nothing is kept. */
  readonly version: number;
  readonly stale: boolean;
}

/** An instance or a request with the id that Entra gave it. */
type Identified<T> = T & { readonly id: string };

/** One part, as it was just read. */
export type Reading = InstancesOf<'eligibilities'> | InstancesOf<'assignments'> | RequestsOf<'requests'> | RequestsOf<'eligibility-requests'>;
interface InstancesOf<P extends Part> { readonly part: P; readonly items: readonly Identified<OwnMembership>[] }
interface RequestsOf<P extends Part> { readonly part: P; readonly items: readonly Identified<EntraRequest>[] }

type Item = Awaited<ReturnType<Database['prisma']['ownAccessItem']['findMany']>>[number];

/** More requests than this of one person say nothing new; the newest are kept. */
const MOST_REQUESTS = 500;

export async function findOwnAccess(db: Tx, owner: Owner): Promise<Kept> {
  const [head, items] = await Promise.all([
    db.ownAccess.findUnique({ where: { tenantId_principalId: of(owner) } }),
    db.ownAccessItem.findMany({ where: of(owner) }),
  ]);
  const at: OwnAccess['at'] = {
    ...(head?.eligibilitiesAt && { eligibilities: head.eligibilitiesAt }), ...(head?.assignmentsAt && { assignments: head.assignmentsAt }),
    ...(head?.requestsAt && { requests: head.requestsAt }), ...(head?.eligibilityRequestsAt && { 'eligibility-requests': head.eligibilityRequestsAt }),
  };
  const part = <T>(name: Part, tell: (item: Item) => T): readonly T[] | undefined => (at[name] === undefined ? undefined : items.filter((item) => item.part === name).map(tell));
  return {
    version: head?.version ?? -1, stale: head?.stale ?? false, at,
    eligibilities: part('eligibilities', instanceIn), assignments: part('assignments', instanceIn),
    requests: part('requests', requestIn), eligibilityRequests: part('eligibility-requests', requestIn),
  };
}

/** Keeps what was read, unless something changed since: what was read before a change does not tell of it. */
export async function keepReadings(db: Database['prisma'], owner: Owner, { version, at, readings }: { readonly version: number; readonly at: Date; readonly readings: readonly Reading[] }): Promise<boolean> {
  if (readings.length === 0) return false;
  return db.$transaction(async (tx) => {
    const times = Object.fromEntries(readings.map(({ part }) => [COLUMNS[part], at]));
    // Everything is read again, or what is not stays as doubtful as it was.
    const data = { ...times, ...(readings.length === PARTS.length && { stale: false }) };
    if (version === -1) {
      const { count } = await tx.ownAccess.createMany({ data: [{ ...of(owner), version: 1, ...data }], skipDuplicates: true });
      if (count === 0) return false;
    } else {
      const { count } = await tx.ownAccess.updateMany({ where: { ...of(owner), version }, data: { ...data, version: version + 1 } });
      if (count === 0) return false;
    }
    await tx.ownAccessItem.deleteMany({ where: { ...of(owner), part: { in: readings.map(({ part }) => part) } } });
    await tx.ownAccessItem.createMany({ data: readings.flatMap((reading) => rowsOf(owner, reading)), skipDuplicates: true });
    return true;
  });
}

const COLUMNS = { 'eligibilities': 'eligibilitiesAt', 'assignments': 'assignmentsAt', 'requests': 'requestsAt', 'eligibility-requests': 'eligibilityRequestsAt' } as const satisfies Record<Part, string>;

function rowsOf(owner: Owner, reading: Reading): Item[] {
  const blank = { ...of(owner), part: reading.part, startsAt: null, endsAt: null, memberType: null, assignmentType: null, scheduleId: null, memberAt: null, action: null, status: null, justification: null, ticketNumber: null, duration: null, createdAt: null };
  if (reading.part === 'eligibilities' || reading.part === 'assignments') {
    return reading.items.map(({ id, groupId, accessId, startsAt, endsAt, memberType, assignmentType, scheduleId, memberAt }) => ({
      ...blank, id, groupId, accessId, startsAt: startsAt ?? null, endsAt: endsAt ?? null, memberType, assignmentType: assignmentType ?? null, scheduleId: scheduleId ?? null, memberAt: memberAt ?? null,
    }));
  }
  return reading.items.toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt)).slice(0, MOST_REQUESTS).map(({ id, groupId, accessId, startsAt, endsAt, action, status, justification, ticketNumber, duration, createdAt }) => ({
    ...blank, id, groupId, accessId, startsAt: startsAt ?? null, endsAt: endsAt ?? null, action, status, justification: justification ?? null, ticketNumber: ticketNumber ?? null, duration: duration ?? null, createdAt,
  }));
}

function instanceIn({ principalId, groupId, accessId, startsAt, endsAt, memberType, assignmentType, scheduleId, memberAt }: Item): OwnMembership {
  return {
    principalId, groupId, accessId, startsAt: startsAt ?? undefined, endsAt: endsAt ?? undefined, memberType: memberType === 'group' ? 'group' : 'direct',
    assignmentType: assignmentType === 'activated' || assignmentType === 'assigned' ? assignmentType : undefined, scheduleId: scheduleId ?? undefined, memberAt: memberAt ?? undefined,
  };
}

function requestIn({ id, principalId, groupId, accessId, action, status, justification, ticketNumber, startsAt, endsAt, duration, createdAt }: Item): EntraRequest {
  return {
    id, principalId, groupId, accessId, action: action ?? '', status: status ?? '', createdAt: createdAt ?? '', justification: justification ?? undefined, ticketNumber: ticketNumber ?? undefined,
    startsAt: startsAt ?? undefined, endsAt: endsAt ?? undefined, duration: duration ?? undefined,
  };
}

/** Makes every reading that is under way outdated, and waits for whoever changes what is kept; `stale`: that is outdated, too. */
export async function moveOwnAccess(tx: Tx, owner: Owner, stale = false): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO own_access (tenant_id, principal_id, version, stale) VALUES (${owner.tenantId}::uuid, ${owner.principalId}::uuid, 1, ${stale})
    ON CONFLICT (tenant_id, principal_id) DO UPDATE SET version = own_access.version + 1, stale = own_access.stale OR ${stale}`;
}

/** Has everything of a person read anew before it is shown again. */
export const doubtOwnAccess = (tx: Tx, owner: Owner): Promise<void> => moveOwnAccess(tx, owner, true);

/** The same for everybody whom the setup of a group names as eligible. */
export async function doubtEligibleOf(tx: Tx, tenantId: string, groupId: string): Promise<void> {
  await tx.$executeRaw`
    UPDATE own_access SET version = version + 1, stale = true FROM setup, jsonb_array_elements(setup.definition->'eligible') AS eligible
    WHERE own_access.tenant_id = ${tenantId}::uuid AND setup.tenant_id = ${tenantId}::uuid AND setup.group_id = ${groupId}::uuid AND own_access.principal_id::text = lower(eligible->>'principalId')`;
}

/** Puts in an activated membership that was seen to begin, unless it is there. Has `moveOwnAccess` before it. */
export async function putActivated(tx: Tx, owner: Owner, instance: Pick<EntraInstance, 'groupId' | 'startsAt' | 'endsAt'> & { readonly id: string; readonly entraRequestId: string | null }): Promise<void> {
  const standing = await tx.ownAccessItem.findMany({ where: { ...of(owner), part: 'assignments', groupId: instance.groupId, assignmentType: 'activated' }, select: { endsAt: true } });
  if (standing.some(({ endsAt }) => endsAt === null || instance.endsAt === undefined || Date.parse(endsAt) >= Date.parse(instance.endsAt) - 60_000)) return;
  await tx.ownAccessItem.deleteMany({ where: { ...of(owner), part: 'assignments', groupId: instance.groupId, assignmentType: 'activated' } });
  await tx.ownAccessItem.createMany({ skipDuplicates: true, data: rowsOf(owner, { part: 'assignments', items: [{
    id: instance.id, principalId: owner.principalId, groupId: instance.groupId, accessId: 'member', startsAt: instance.startsAt, endsAt: instance.endsAt, memberType: 'direct', assignmentType: 'activated',
    // As Entra names schedules: by the request that made them (CONTRACT.md §5).
    scheduleId: instance.entraRequestId === null ? undefined : `${instance.groupId}_member_${instance.entraRequestId}`,
  }] }) });
}

/** Takes out an activated membership that has ended. Has `moveOwnAccess` before it. */
export async function dropActivated(tx: Tx, owner: Owner, groupId: string, endedAt: Date): Promise<void> {
  const standing = await tx.ownAccessItem.findMany({ where: { ...of(owner), part: 'assignments', groupId, assignmentType: 'activated' }, select: { id: true, startsAt: true } });
  // One that began later is another one.
  const ended = standing.filter(({ startsAt }) => startsAt === null || new Date(startsAt) < endedAt).map(({ id }) => id);
  await tx.ownAccessItem.deleteMany({ where: { ...of(owner), part: 'assignments', id: { in: ended } } });
}

/** Marks a request as taken back. */
export async function putCancelled(tx: Tx, owner: Owner, part: 'requests' | 'eligibility-requests', requestId: string): Promise<void> {
  await moveOwnAccess(tx, owner);
  await tx.ownAccessItem.updateMany({ where: { ...of(owner), part, id: requestId }, data: { status: 'Canceled' } });
}

/**
 * Whether the audit log tells of something that the readings do not: it came in since, and did not happen long before
 * them. What the portal asked for itself is on record, and what MS-PIM enters in the directory has an event of its own.
 */
export async function hasNews(db: Tx, { tenantId, principalId }: Owner, readAt: Date): Promise<boolean> {
  const [news] = await db.$queryRaw<{ found: boolean }[]>`
    SELECT EXISTS (
      SELECT FROM audit_event AS e
      WHERE e.tenant_id = ${tenantId}::uuid AND e.subject_id = ${principalId} AND e.activity_at >= ${addMinutes(readAt, -LATE_MINUTES)} AND e.ingested_at > ${readAt}
        AND (e.source = 'directory' AND e.kind = ANY(${[...NEWS_OF_A_PERSON]}) AND coalesce(e.actor_name, '') <> 'MS-PIM' OR e.source = 'portal' AND e.activity LIKE 'revocation.%')
        AND NOT EXISTS (SELECT FROM access_request AS r WHERE r.tenant_id = e.tenant_id AND r.entra_request_id = e.request_id AND r.principal_id = ${principalId}::uuid)
    ) AS found`;
  return news?.found ?? false;
}

/** How long before a reading something can have happened that the reading did not show yet. */
const LATE_MINUTES = 5;
