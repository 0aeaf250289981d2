import type { EventKind } from '@gatehouse/contracts';
import type { Connection, Database } from '@gatehouse/db';
import { GraphError, type Graph, type ScheduleInstance } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { inTransaction, withConnection } from '../database.ts';
import { instantText } from '../directory-event.ts';
import { observe, stateText, type Period, type Seen } from './observations.ts';

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
/** Groups of one pass: what is left goes on with the next, so that a full pass holds up nothing else. */
const GROUPS_A_PASS = 40;
/** Groups that are read in one round trip: three calls each, of the twenty that a batch takes. */
const AT_ONCE = 6;
/** A batch that was received earlier may be committed after one that was received later. */
const LATE_COMMIT_MS = 10 * 60_000;

/**
 * Events after which a group is read anew. Activations are not among them: the log tells of their beginning and of their
 * end, and there are far more of them than of changes.
 */
const TRIGGERS: readonly EventKind[] = ['eligible-added', 'eligible-removed', 'assigned', 'assignment-removed', 'member-added', 'member-removed', 'onboarded'];

/**
 * One pass over who is eligible for, and a member of, the groups that PIM manages. Reads the groups that the audit log named
 * since they were last read, and each once a day besides. What differs from what was seen last goes into the log.
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
               WHERE b.tenant_id = $1 AND b.log = 'audit_event' AND b.source = 'directory' AND b.received_at >= $2 AND e.kind = ANY ($3) AND e.group_id IS NOT NULL
                 AND NOT (e.kind IN ('member-added', 'member-removed') AND e.actor_name IS NOT DISTINCT FROM 'MS-PIM') GROUP BY 1) AS named
         WHERE s.tenant_id = $1 AND s.scope = 'group:' || named.group_id`,
        [tenantId, new Date(last.read_at.getTime() - LATE_COMMIT_MS).toISOString(), TRIGGERS],
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
      await connection.query('DELETE FROM observed_scope WHERE tenant_id = $1 AND scope = $2', [tenantId, `group:${id}`]);
    });
  }
}

/** Those that the log named first, then those that were not read for longest. */
async function dueGroups({ clock, tenantId }: ReadingDeps, connection: Connection): Promise<string[]> {
  const { rows } = await connection.query<{ id: string }>(
    `SELECT g.group_id::text AS id FROM catalog_group AS g LEFT JOIN observed_scope AS s ON s.tenant_id = g.tenant_id AND s.scope = 'group:' || g.group_id
     WHERE g.tenant_id = $1 AND (s.read_at IS NULL OR s.touched_at > s.read_at OR s.read_at <= $2)
     ORDER BY (s.touched_at > s.read_at) DESC NULLS LAST, s.read_at NULLS FIRST, g.group_id LIMIT ${GROUPS_A_PASS}`,
    [tenantId, new Date(clock.now().getTime() - FULL_EVERY_MS).toISOString()],
  );
  return rows.map(({ id }) => id);
}

async function readGroups({ appGraph, clock, tenantId, log }: ReadingDeps, connection: Connection, groupIds: readonly string[]): Promise<void> {
  const beganAt = clock.now();
  const { pim } = appGraph.together;
  const readings = await Promise.allSettled(groupIds.map(async (groupId) => {
    const [eligibilities, schedules, assignments] = await Promise.all([pim.eligibilities(groupId), pim.eligibilitySchedules(groupId), pim.assignments(groupId)]);
    return { groupId, found: membershipsOf(groupId, eligibilities, schedules, assignments, beganAt) };
  }));
  const read = readings.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const names = await namesOf(appGraph, connection, tenantId, read.flatMap(({ found }) => found.flatMap(({ principalId }) => principalId ?? [])));
  if (names.length > 0) {
    await inTransaction(connection, () => observe(connection, { tenantId, scope: 'principals', beganAt, observedAt: clock.now(), source: 'graph', kinds: ['principal'], groupId: null, found: names, keeps: 'all' }));
  }
  for (const { groupId, found } of read) {
    const watched: Seen = { kind: 'watch', thing: groupId, groupId, state: stateText({ read: true }) };
    await inTransaction(connection, () => observe(connection, { tenantId, scope: `group:${groupId}`, beganAt, observedAt: clock.now(), source: 'graph', kinds: ['eligible', 'standing', 'activated', 'watch'], groupId, found: [...found, watched] }));
  }
  for (const [index, one] of readings.entries()) {
    if (one.status === 'fulfilled') continue;
    const failure: unknown = one.reason;
    // One group that cannot be read holds up nobody else; what concerns all of them ends the pass.
    if (!(failure instanceof GraphError) || failure.failure === 'throttled' || failure.failure === 'unavailable' || failure.failure === 'not-signed-in') throw failure;
    log.warn({ groupId: groupIds[index], failure: failure.failure }, 'who is eligible for a group could not be read');
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

const instant = (text: string | undefined): string | null => (text === undefined ? null : instantText(text) ?? null);
