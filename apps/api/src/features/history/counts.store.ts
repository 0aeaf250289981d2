import type { Connection, Database } from '@gatehouse/db';
import { spansOf, type Span } from './counts.rules.ts';
import type { Facet } from './search.rules.ts';
import { run, type Queryable } from './sql.ts';

/** Counts are kept by these; each is a whole number of the one before it. */
const QUARTER = `interval '15 minutes'`;
const startOf = (grain: 'day' | 'month', column: string): string => `date_trunc('${grain}', ${column}, 'UTC')`;

/** What a clock of the zone shows at a quarter of an hour: its hour of the week, and its month. */
const onClock = (bucket: string, zone: string): string => `LATERAL (SELECT ${bucket} AT TIME ZONE ${zone} AS local) AS clock,
  LATERAL (VALUES (0, extract(isodow FROM local)::int, extract(hour FROM local)::int), ((extract(year FROM local) * 100 + extract(month FROM local))::int, 0, 0)) AS told (month, weekday, hour)`;

/** So many counts, and the names of about so many rows, are summed up in one transaction. More might not be done within a statement's time, and then never. */
const AT_ONCE = { counts: 100_000, rows: 100_000 };

/**
 * Brings the sums up to date with what was counted since, some at a time, each in a transaction of its own: a reader finds
 * each event in one of the two. Only one does it at a time; writers add meanwhile.
 */
export async function foldCounts({ pool }: Pick<Database, 'pool'>, tenantId: string, most = AT_ONCE): Promise<void> {
  const connection = await pool.connect();
  let ended = false;
  try {
    for (let left = true; left;) left = await foldSome(connection, tenantId, most);
    ended = true;
  } finally {
    connection.release(!ended);
  }
}

/** One transaction of it; answers whether there may be more. What fails leaves it open, for the connection is closed then. */
async function foldSome(connection: Connection, tenantId: string, most: typeof AT_ONCE): Promise<boolean> {
  await connection.query('BEGIN');
  await connection.query(`SELECT pg_advisory_xact_lock(hashtextextended('gatehouse.counts:' || $1, 0))`, [tenantId]);
  const { rows: [counts] } = await connection.query<{ taken: number; takes_away: boolean }>(
    `WITH taken AS (DELETE FROM event_count_delta WHERE tenant_id = $1 AND delta_id IN (SELECT delta_id FROM event_count_delta WHERE tenant_id = $1 ORDER BY delta_id LIMIT $2) RETURNING kind, result, source, bucket, events),
     clocks AS (
       INSERT INTO event_clock AS c (tenant_id, time_zone, kind, result, source, month, weekday, hour, events)
       SELECT $1, time_zone, kind, result, source, month, weekday, hour, sum(events) FROM taken CROSS JOIN (SELECT time_zone FROM clock_zone WHERE tenant_id = $1 AND is_counted) AS z, ${onClock('bucket', 'time_zone')}
       GROUP BY 2, 3, 4, 5, 6, 7, 8
       ON CONFLICT (tenant_id, time_zone, kind, result, source, month, weekday, hour) DO UPDATE SET events = c.events + excluded.events
     ),
     sums AS (
       INSERT INTO event_count AS c (tenant_id, grain, kind, result, source, bucket, events)
       SELECT $1, grain, kind, result, source, at, sum(events)
       FROM taken, LATERAL (VALUES ('quarter', bucket), ('day', ${startOf('day', 'bucket')}), ('month', ${startOf('month', 'bucket')}), ('all', 'epoch'::timestamptz)) AS of_grain (grain, at)
       GROUP BY grain, kind, result, source, at
       ON CONFLICT (tenant_id, grain, kind, result, source, bucket) DO UPDATE SET events = c.events + excluded.events
     )
     SELECT count(*)::int AS taken, coalesce(bool_or(events < 0), false) AS takes_away FROM taken`, [tenantId, most.counts]);
  // A zone that was asked for since begins with all that is summed up by now.
  await connection.query(
    `WITH begun AS (UPDATE clock_zone SET is_counted = true WHERE tenant_id = $1 AND NOT is_counted RETURNING time_zone)
     INSERT INTO event_clock (tenant_id, time_zone, kind, result, source, month, weekday, hour, events)
     SELECT $1, time_zone, kind, result, source, month, weekday, hour, sum(events)
     FROM begun CROSS JOIN (SELECT kind, result, source, bucket, events FROM event_count WHERE tenant_id = $1 AND grain = 'quarter') AS counted, ${onClock('bucket', 'time_zone')} GROUP BY 2, 3, 4, 5, 6, 7, 8`, [tenantId]);
  const { rows: [names] } = await connection.query<{ taken: number; standing: number }>(
    `WITH taken AS (DELETE FROM log_unnamed AS u WHERE tenant_id = $1 AND (batch_id, first_ordinal) IN (
         SELECT batch_id, first_ordinal FROM (SELECT batch_id, first_ordinal, sum(last_ordinal - first_ordinal + 1) OVER (ORDER BY batch_id, first_ordinal ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM log_unnamed WHERE tenant_id = $1) AS queue
         WHERE before IS NULL OR before < $2) RETURNING u),
     sums AS (
       INSERT INTO log_name AS n (tenant_id, role, key, name, events) SELECT $1, named.role, named.key, named.name, count(*) FROM taken, names_of_batch(taken.u) AS named GROUP BY 2, 3, 4
       ON CONFLICT (tenant_id, role, key, name) DO UPDATE SET events = n.events + excluded.events
     )
     SELECT count(*)::int AS taken, (SELECT count(*)::int FROM log_unnamed WHERE tenant_id = $1) AS standing FROM taken`, [tenantId, most.rows]);
  // What a dropped month leaves nothing of is not kept as nothing.
  if (counts?.takes_away === true) await connection.query('DELETE FROM event_count WHERE tenant_id = $1 AND events = 0', [tenantId]);
  await connection.query('COMMIT');
  return (counts?.taken ?? 0) >= most.counts || (names?.standing ?? 0) > (names?.taken ?? 0);
}

/**
 * Events between two instants, exactly: whole months, days and quarters from the sums, what is left at the edges from the
 * events themselves. One statement, so that nothing is counted twice while sums are brought up to date.
 */
export function countBetween(db: Queryable, tenantId: string, from: string | undefined, to: string | undefined): Promise<Facet[]> {
  if (from === undefined && to === undefined) return run<Facet>(db, COUNT_ALL, [tenantId]);
  const spans = spansOf(from, to);
  const [edges, sums] = [spans.filter(({ grain }) => grain === 'event'), spans.filter(({ grain }) => grain !== 'event')];
  const columns = (list: readonly Span[]): readonly string[][] => [list.map((span) => span.from), list.map((span) => span.to)];
  return run<Facet>(db,
    `SELECT kind, result, source, sum(events)::float8 AS events FROM (
       SELECT c.kind, c.result, c.source, c.events FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) AS s (grain, a, b)
         JOIN event_count AS c ON c.tenant_id = $1 AND c.grain = s.grain AND c.bucket >= s.a AND c.bucket < s.b
       UNION ALL SELECT d.kind, d.result, d.source, d.events FROM unnest($3::timestamptz[], $4::timestamptz[]) AS s (a, b) JOIN event_count_delta AS d ON d.tenant_id = $1 AND d.bucket >= s.a AND d.bucket < s.b
       UNION ALL SELECT e.kind, e.result, e.source, 1 FROM unnest($5::timestamptz[], $6::timestamptz[]) AS s (a, b),
         LATERAL (SELECT e.kind, e.result, e.source FROM audit_event AS e WHERE e.tenant_id = $1 AND e.activity_at >= s.a AND e.activity_at < s.b OFFSET 0) AS e
     ) AS counted GROUP BY 1, 2, 3 HAVING sum(events) <> 0`, [tenantId, sums.map(({ grain }) => grain), ...columns(sums), ...columns(edges)]);
}

/** Which kinds, results and sources occur together in the log of the tenant ($1), over all time, and how often. */
const COUNT_ALL = `SELECT kind, result, source, sum(events)::float8 AS events FROM (
    SELECT kind, result, source, events FROM event_count WHERE tenant_id = $1 AND grain = 'all' UNION ALL SELECT kind, result, source, events FROM event_count_delta WHERE tenant_id = $1
  ) AS counted GROUP BY 1, 2, 3 HAVING sum(events) <> 0`;

/** Found before: to look for one, PostgreSQL reads all of its files. */
const zones = new Set<string>();

/** Whether PostgreSQL has a time zone of the name; it takes no abbreviation as one. */
export async function isZone(db: Queryable, name: string): Promise<boolean> {
  if (!zones.has(name) && (await run(db, 'SELECT 1 FROM pg_timezone_names WHERE name = $1', [name])).length > 0) zones.add(name);
  return zones.has(name);
}

/** Zones of one tenant that are counted; whoever asks for another one waits for the quarters to be added up. */
const MOST_ZONES = 8;

/** Has the zone counted from the next fold on. */
export async function countZone({ pool }: Pick<Database, 'pool'>, tenantId: string, timeZone: string): Promise<void> {
  await pool.query('INSERT INTO clock_zone (tenant_id, time_zone, is_counted) SELECT $1, $2, false WHERE (SELECT count(*) FROM clock_zone WHERE tenant_id = $1) < $3 ON CONFLICT DO NOTHING', [tenantId, timeZone, MOST_ZONES]);
}

/** Whether `readStatistics` of all time finds the zone counted; once it is, it stays so. */
export const isCounted = async (db: Queryable, tenantId: string, timeZone: string): Promise<boolean> =>
  (await run(db, 'SELECT 1 FROM clock_zone WHERE tenant_id = $1 AND time_zone = $2 AND is_counted', [tenantId, timeZone])).length > 0;

export interface CountedHour { readonly weekday: number; readonly hour: number; readonly events: number }
export interface CountedMonth { readonly month: string; readonly events: number }

interface Told { readonly weekday: number; readonly hour: number; readonly month: number; readonly events: number }
interface Statistics { readonly hours: readonly CountedHour[]; readonly months: readonly CountedMonth[] }

/**
 * Events of one kind by weekday and hour, and by month, as a clock in the time zone shows them: sums of quarters of an hour,
 * from the first quarter that begins at or after `from` to the last that ends at or before `to`.
 */
export async function readStatistics(db: Queryable, tenantId: string, { kind, result, source, from, to, timeZone }: { readonly kind: string; readonly result?: string | undefined; readonly source?: string | undefined; readonly from?: string | undefined; readonly to?: string | undefined; readonly timeZone: string }): Promise<Statistics> {
  const common = [tenantId, kind, result ?? null, source ?? null, timeZone];
  const wanted = '($3::text IS NULL OR result = $3) AND ($4::text IS NULL OR source = $4)';
  const quarters = (conditions: string): string => `SELECT month, weekday, hour, events FROM (
      SELECT bucket, result, source, events FROM event_count WHERE tenant_id = $1 AND grain = 'quarter' AND kind = $2 UNION ALL SELECT bucket, result, source, events FROM event_count_delta WHERE tenant_id = $1 AND kind = $2
    ) AS counted, ${onClock('bucket', '$5')} WHERE ${wanted} AND ${conditions}`;
  const clocks = `SELECT month, weekday, hour, events FROM event_clock WHERE tenant_id = $1 AND time_zone = $5 AND kind = $2 AND ${wanted}
    UNION ALL SELECT month, weekday, hour, events FROM event_count_delta, ${onClock('bucket', '$5')} WHERE tenant_id = $1 AND kind = $2 AND ${wanted}`;
  const told = (parts: string): string => `SELECT month, weekday, hour, sum(events)::float8 AS events FROM (${parts}) AS told GROUP BY month, weekday, hour HAVING sum(events) <> 0 ORDER BY month, weekday, hour`;
  const rows = from === undefined && to === undefined && await isCounted(db, tenantId, timeZone)
    ? await run<Told>(db, told(clocks), common)
    : await run<Told>(db, told(quarters(`($6::timestamptz IS NULL OR bucket >= $6::timestamptz) AND ($7::timestamptz IS NULL OR bucket + ${QUARTER} <= $7::timestamptz)`)), [...common, from ?? null, to ?? null]);
  return {
    hours: rows.flatMap(({ weekday, hour, month, events }) => (month === 0 ? [{ weekday, hour, events }] : [])),
    months: rows.flatMap(({ month, events }) => (month === 0 ? [] : [{ month: `${Math.floor(month / 100)}-${String(month % 100).padStart(2, '0')}`, events }])),
  };
}
