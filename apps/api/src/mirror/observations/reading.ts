import type { EventKind } from '@gatehouse/contracts';
import type { Connection, Database } from '@gatehouse/db';
import { GraphError, type Graph, type Schedule, type ScheduleInstance, type ScheduleRequest } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { inTransaction, withConnection } from '../database.ts';
import { instantText } from '../directory-event.ts';
import { observe, stateText, type ObservedKind, type Period, type RequestKind, type ScheduleKind, type Seen } from './observations.ts';

export interface ReadingDeps {
  /** The portal's own Graph, read-only; its calls go behind those of people. */
  readonly appGraph: Pick<Graph, 'together' | 'directory'>;
  readonly db: Pick<Database, 'pool'>;
  readonly clock: Clock;
  readonly tenantId: string;
  readonly log: Pick<Logger, 'warn'>;
}

/** However quiet the log is, each group is read so often: not every change is in it. */
const FULL_EVERY_MS = 24 * 60 * 60_000;
/** Groups of one pass: what is left goes on with the next. With six lists each, a pass asks PIM for 72 of the 200 that it is taken to give in ten seconds. */
const GROUPS_A_PASS = 12;
/** Groups that are read in one round trip: six lists each, of the twenty calls that a batch takes. */
const AT_ONCE = 3;
/** A batch that was received earlier may be committed after one that was received later. */
const LATE_COMMIT_MS = 10 * 60_000;

/**
 * Events after which a group is read anew. Activations are not among them: the log tells of their beginning and of their
 * end, and there are far more of them than of changes. Their requests are read with the group, when it is read next.
 */
const TRIGGERS: readonly EventKind[] = ['eligible-added', 'eligible-removed', 'assigned', 'assignment-removed', 'member-added', 'member-removed', 'onboarded'];
/** What was only asked for, taken back or refused about an assignment has no kind of its own. An activation is none: PIM's entries of those end in other words. */
const ASKED = String.raw`\mmember\M.* in PIM\M`;

/**
 * One pass over the groups that PIM manages: who is eligible for each and a member of it, what PIM was told to give, and what
 * was asked of it. Reads the groups that the audit log named since they were last read, and each once a day besides. What
 * differs from what was seen last goes into the log.
 */
export async function readMemberships(deps: ReadingDeps): Promise<void> {
  const { db, tenantId } = deps;
  await withConnection(db, async (connection) => {
    // Two replicas would ask the same twice; whoever comes second leaves it to the first.
    const lock = [`gatehouse.observations:${tenantId}`];
    const { rows: [got] } = await connection.query<{ locked: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked', lock);
    if (got?.locked !== true) return;
    try {
      await noteCoverage(deps, connection);
      await noteTouched(deps, connection);
      await noteUnmanaged(deps, connection);
      const due = await dueGroups(deps, connection);
      for (let index = 0; index < due.length; index += AT_ONCE) await readGroups(deps, connection, due.slice(index, index + AT_ONCE));
    } catch (error) {
      // What was read is kept, and the next pass goes on: the log itself is read whatever becomes of this.
      if (!(error instanceof GraphError)) throw error;
      deps.log.warn({ failure: error.failure }, 'who is eligible could not be read');
    } finally {
      await connection.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock).catch(() => undefined);
    }
  });
}

/** Since when the audit log is without a gap, as it was known at that time. */
async function noteCoverage({ clock, tenantId }: ReadingDeps, connection: Connection): Promise<void> {
  const { rows: [source] } = await connection.query<{ from: string | null }>(`SELECT complete_from AS "from" FROM sync_source WHERE tenant_id = $1 AND source = 'directory' AND watermark IS NOT NULL`, [tenantId]);
  const from = instantText(source?.from ?? '');
  if (from === undefined) return;
  const now = clock.now();
  await inTransaction(connection, () => observe(connection, {
    tenantId, scope: 'audit-log', beganAt: now, observedAt: now, source: 'mirror', kinds: ['watch'], groupId: null, keeps: ({ thing }) => thing !== 'audit-log',
    found: [{ kind: 'watch', thing: 'audit-log', state: stateText({ completeFrom: from }) }],
  }));
}

/** Marks the groups that events name which came in since the last pass. */
async function noteTouched({ clock, tenantId }: ReadingDeps, connection: Connection): Promise<void> {
  const now = clock.now().toISOString();
  await inTransaction(connection, async () => {
    const { rows: [last] } = await connection.query<{ read_at: Date }>(`SELECT read_at FROM observed_scope WHERE tenant_id = $1 AND scope = 'events'`, [tenantId]);
    if (last) {
      await connection.query(
        `UPDATE observed_scope AS s SET touched_at = greatest(s.touched_at, named.at)
         FROM (SELECT e.group_id, max(b.received_at) AS at FROM log_batch AS b JOIN audit_event AS e USING (tenant_id, batch_id)
               WHERE b.tenant_id = $1 AND b.log = 'audit_event' AND b.source = 'directory' AND b.received_at >= $2 AND e.group_id IS NOT NULL
                 AND (e.kind = ANY ($3) OR (e.kind = 'other' AND e.service ILIKE 'PIM' AND e.activity ~* $4))
                 AND NOT (e.kind IN ('member-added', 'member-removed') AND e.actor_name IS NOT DISTINCT FROM 'MS-PIM') GROUP BY 1) AS named
         WHERE s.tenant_id = $1 AND s.scope = 'group:' || named.group_id`,
        [tenantId, new Date(last.read_at.getTime() - LATE_COMMIT_MS).toISOString(), TRIGGERS, ASKED],
      );
    }
    await connection.query(`INSERT INTO observed_scope (tenant_id, scope, read_at) VALUES ($1, 'events', $2) ON CONFLICT (tenant_id, scope) DO UPDATE SET read_at = excluded.read_at`, [tenantId, now]);
  });
}

/** Of a group that PIM manages no more nothing is read: from now on nothing is known of it, which is not the same as that nobody has it. */
async function noteUnmanaged({ clock, tenantId }: ReadingDeps, connection: Connection): Promise<void> {
  const { rows } = await connection.query<{ id: string }>(
    `SELECT s.thing AS id FROM observed_state AS s WHERE s.tenant_id = $1 AND s.kind = 'watch' AND s.group_id IS NOT NULL AND s.state IS NOT NULL
       AND NOT EXISTS (SELECT FROM catalog_group AS g WHERE g.tenant_id = $1 AND g.group_id::text = s.thing)`, [tenantId]);
  for (const { id } of rows) {
    const now = clock.now();
    await inTransaction(connection, async () => {
      await observe(connection, { tenantId, scope: `group:${id}`, beganAt: now, observedAt: now, source: 'graph', kinds: ['watch'], groupId: id, found: [] });
      // Managed again, it is read at once, and nothing is taken as if it had been looked at meanwhile.
      await connection.query('DELETE FROM observed_scope WHERE tenant_id = $1 AND scope = ANY ($2)', [tenantId, [`group:${id}`, `schedules:${id}`, `tried:${id}`]]);
    });
  }
}

/** Those that the log named first, then those that were not tried for longest: one that cannot be read waits for its turn as the others do. */
async function dueGroups({ clock, tenantId }: ReadingDeps, connection: Connection): Promise<string[]> {
  const { rows } = await connection.query<{ id: string }>(
    `SELECT g.group_id::text AS id FROM catalog_group AS g LEFT JOIN observed_scope AS s ON s.tenant_id = g.tenant_id AND s.scope = 'group:' || g.group_id
       LEFT JOIN observed_scope AS p ON p.tenant_id = g.tenant_id AND p.scope = 'schedules:' || g.group_id
       LEFT JOIN observed_scope AS t ON t.tenant_id = g.tenant_id AND t.scope = 'tried:' || g.group_id
     WHERE g.tenant_id = $1 AND (s.read_at IS NULL OR p.read_at IS NULL OR s.touched_at > least(s.read_at, p.read_at) OR least(s.read_at, p.read_at) <= $2)
     ORDER BY (s.touched_at > t.read_at) DESC NULLS LAST, t.read_at NULLS FIRST, g.group_id LIMIT ${GROUPS_A_PASS}`,
    [tenantId, new Date(clock.now().getTime() - FULL_EVERY_MS).toISOString()],
  );
  return rows.map(({ id }) => id);
}

/** What is read whole of a group, and compared by itself: what cannot be read of one part says nothing of the other. */
interface Part {
  readonly groupId: string;
  readonly scope: string;
  readonly kinds: readonly ObservedKind[];
  readonly found: Promise<readonly Seen[]>;
  /** For the operator, where it could not be read. */
  readonly failed: string;
}

/** The two parts of a group, all six lists asked for in one turn. */
function partsOf(pim: Graph['pim'], groupId: string, now: Date): Part[] {
  const schedules = pim.eligibilitySchedules(groupId);
  const memberships = Promise.all([pim.eligibilities(groupId), schedules, pim.assignments(groupId)]);
  const scheduled = Promise.all([schedules, pim.assignmentSchedules(groupId), pim.eligibilityRequests(groupId), pim.assignmentRequests(groupId)]);
  return [
    {
      groupId, scope: `group:${groupId}`, kinds: ['eligible', 'standing', 'activated', 'watch'], failed: 'who is eligible for a group could not be read',
      found: memberships.then(([eligibilities, given, assignments]) => [...membershipsOf(groupId, eligibilities, given, assignments, now), { kind: 'watch', thing: groupId, groupId, state: stateText({ read: true }) }]),
    },
    {
      groupId, scope: `schedules:${groupId}`, kinds: ['eligibility-schedule', 'assignment-schedule', 'eligibility-request', 'assignment-request'], failed: 'the schedules and requests of a group could not be read',
      found: scheduled.then(([eligibility, assignment, forEligibility, forAssignment]) => [
        ...schedulesOf('eligibility-schedule', groupId, eligibility), ...schedulesOf('assignment-schedule', groupId, assignment),
        ...requestsOf('eligibility-request', groupId, forEligibility), ...requestsOf('assignment-request', groupId, forAssignment),
      ]),
    },
  ];
}

async function readGroups({ appGraph, clock, tenantId, log }: ReadingDeps, connection: Connection, groupIds: readonly string[]): Promise<void> {
  const beganAt = clock.now();
  await connection.query(`INSERT INTO observed_scope (tenant_id, scope, read_at) SELECT $1, 'tried:' || id, $3 FROM unnest($2::text[]) AS id ON CONFLICT (tenant_id, scope) DO UPDATE SET read_at = excluded.read_at`, [tenantId, groupIds, beganAt.toISOString()]);
  const { pim } = appGraph.together;
  const parts = groupIds.flatMap((groupId) => partsOf(pim, groupId, beganAt));
  const readings = await Promise.allSettled(parts.map(async ({ found, ...part }) => ({ ...part, found: await found })));
  const read = readings.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  // Names are asked for of those who are in a group, not of everybody who ever asked.
  const members = read.filter(({ kinds }) => kinds.includes('eligible')).flatMap(({ found }) => found.flatMap(({ principalId }) => principalId ?? []));
  const names = await namesOf(appGraph, connection, tenantId, members);
  if (names.length > 0) {
    await inTransaction(connection, () => observe(connection, { tenantId, scope: 'principals', beganAt, observedAt: clock.now(), source: 'graph', kinds: ['principal'], groupId: null, found: names, keeps: 'all' }));
  }
  for (const { groupId, scope, kinds, found } of read) {
    await inTransaction(connection, () => observe(connection, { tenantId, scope, beganAt, observedAt: clock.now(), source: 'graph', kinds, groupId, found }));
  }
  for (const [index, one] of readings.entries()) {
    if (one.status === 'fulfilled') continue;
    const failure: unknown = one.reason;
    // One group that cannot be read holds up nobody else; what concerns all of them ends the pass.
    if (!(failure instanceof GraphError) || failure.failure === 'throttled' || failure.failure === 'unavailable' || failure.failure === 'not-signed-in') throw failure;
    log.warn({ groupId: parts[index]?.groupId, failure: failure.failure }, parts[index]?.failed);
  }
}

/** Names of those who were never named before: a name is asked for once. */
async function namesOf(appGraph: Pick<Graph, 'directory'>, connection: Connection, tenantId: string, ids: readonly string[]): Promise<Seen[]> {
  const asked = [...new Set(ids)];
  const { rows } = await connection.query<{ id: string }>(`SELECT id FROM unnest($2::text[]) AS id WHERE NOT EXISTS (SELECT FROM observed_state AS s WHERE s.tenant_id = $1 AND s.kind = 'principal' AND s.thing = id)`, [tenantId, asked]);
  if (rows.length === 0) return [];
  const names = await appGraph.directory.names(rows.map(({ id }) => id));
  const found = new Map([...names].map(([id, one]) => [id.toLowerCase(), one]));
  // Who is gone has no name to ask for again.
  return rows.map(({ id }) => ({ kind: 'principal', thing: id, principalId: id, state: stateText({ kind: found.get(id)?.kind ?? 'unknown', displayName: found.get(id)?.displayName ?? null }) }));
}

/**
 * Who is eligible for the group, stands in it, or has it activated, as things to observe: of one person all periods of one
 * kind are one thing, so that an extension is a change and not an end with a beginning.
 */
export function membershipsOf(groupId: string, eligibilities: readonly ScheduleInstance[], schedules: readonly ScheduleInstance[], assignments: readonly ScheduleInstance[], now: Date): Seen[] {
  const things = new Map<string, { readonly seen: Omit<Seen, 'state'>; readonly periods: Map<string, Period> }>();
  const add = (kind: 'eligible' | 'standing' | 'activated', { principalId: id, memberType, startsAt, endsAt }: ScheduleInstance): void => {
    const principalId = id.toLowerCase();
    const thing = `${groupId}/${principalId}/${memberType}`;
    const one = things.get(`${kind} ${thing}`) ?? { seen: { kind, thing, principalId, groupId }, periods: new Map() };
    const period = { startsAt: instant(startsAt), endsAt: instant(endsAt) };
    one.periods.set(stateText(period), period);
    things.set(`${kind} ${thing}`, one);
  };
  const isMember = ({ accessId }: ScheduleInstance): boolean => accessId === 'member';
  for (const one of eligibilities.filter(isMember)) add('eligible', one);
  const begun = new Set(eligibilities.map(({ scheduleId }) => scheduleId));
  // What has not begun has a schedule and no instance yet.
  for (const one of schedules.filter(isMember)) if (!begun.has(one.scheduleId) && one.startsAt !== undefined && Date.parse(one.startsAt) > now.getTime()) add('eligible', one);
  for (const one of assignments.filter(isMember)) add(one.assignmentType === 'activated' ? 'activated' : 'standing', one);
  return [...things.values()].map(({ seen, periods }) => ({ ...seen, state: stateText({ periods: [...periods].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, period]) => period) }) }));
}

/** What PIM was told to give, of members and of owners, as things to observe. Pages that change while they are read may hold one twice. */
export function schedulesOf(kind: ScheduleKind, groupId: string, schedules: readonly Schedule[]): Seen[] {
  return onceEach(schedules.map(({ id, principalId, accessId, memberType, assignmentType = null, status = null, createdUsing = null, createdAt, startsAt, endsAt, duration = null }) => seenOf(kind, groupId, principalId, id, {
    accessId, memberType, assignmentType, status, requestId: createdUsing, createdAt: instant(createdAt), startsAt: instant(startsAt), endsAt: instant(endsAt), duration,
  })));
}

/** What was asked of PIM, and what became of it. Entra forgets requests after some weeks: that one is gone says no more than that. */
export function requestsOf(kind: RequestKind, groupId: string, requests: readonly ScheduleRequest[]): Seen[] {
  return onceEach(requests.map(({ id, principalId, accessId, action, status, statusAsGiven = status, createdBy = null, createdAt, completedAt, startsAt, endsAt, duration = null, approvalId = null, justification = null, ticketNumber = null, ticketSystem = null }) => seenOf(kind, groupId, principalId, id, {
    accessId, action, status: statusAsGiven, createdBy: createdBy?.toLowerCase() ?? null, createdAt: instant(createdAt), completedAt: instant(completedAt), startsAt: instant(startsAt), endsAt: instant(endsAt), duration, approvalId, justification, ticketNumber, ticketSystem,
  })));
}

function seenOf(kind: ObservedKind, groupId: string, principalIdAsGiven: string, id: string, state: object): Seen {
  const principalId = principalIdAsGiven.toLowerCase();
  return { kind, thing: `${groupId}/${principalId}/${id}`, principalId, groupId, state: stateText(state) };
}

const onceEach = (things: readonly Seen[]): Seen[] => [...new Map(things.map((one) => [one.thing, one])).values()];

const instant = (text: string | undefined): string | null => (text === undefined ? null : instantText(text) ?? null);
