import type { HistoryFilter } from '@gatehouse/contracts';
import type { Connection } from '@gatehouse/db';
import { selected, type Selection } from './log-reader.store.ts';
import type { DroppedMonth, PackFacts } from './pack.rules.ts';

type Counted = Pick<PackFacts, 'events' | 'months' | 'kinds' | 'people' | 'groups' | 'hours'>;

/** Months of the range that were dropped, oldest first. */
export async function readDropped(connection: Connection, tenantId: string, { from, to }: Pick<HistoryFilter, 'from' | 'to'>): Promise<DroppedMonth[]> {
  const { rows } = await connection.query<Omit<DroppedMonth, 'rows' | 'droppedAt'> & { rows: string; dropped_at: Date }>(
    `SELECT month, rows, policy, archive, archive_sha256 AS sha256, dropped_at FROM dropped_month WHERE tenant_id = $1 AND log = 'audit_event' AND ($2::text IS NULL OR month >= $2) AND ($3::text IS NULL OR month || '-01T00:00:00.000000Z' < $3) ORDER BY month, dropped_at`,
    [tenantId, from?.slice(0, 7) ?? null, to ?? null]);
  return rows.map(({ dropped_at, ...row }) => ({ ...row, rows: Number(row.rows), droppedAt: dropped_at.toISOString() }));
}

/** How many of the most frequent are named. */
const NAMED = 15;

/** The figures of a pack, each counted from the events that are in it, in one reading of them. */
export async function readFacts(connection: Connection, selection: Selection): Promise<Counted> {
  const from = await selected(connection, selection);
  const { rows } = await connection.query<{ month: string | null; kind: string | null; person: string | null; team: string | null; weekday: number | null; hour: number | null; events: string; activated: string; by: number }>(
    `SELECT month, kind, person, team, weekday, hour, count(*) AS events, count(*) FILTER (WHERE kind_of = 'activated') AS activated, GROUPING(month, kind, person, team, weekday) AS by FROM (
       SELECT to_char(e.activity_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, e.kind, e.kind AS kind_of, coalesce(e.subject_name, e.actor_name) AS person, e.group_name AS team,
         CASE WHEN e.kind = 'activated' THEN extract(isodow FROM e.activity_at AT TIME ZONE 'UTC')::int END AS weekday, CASE WHEN e.kind = 'activated' THEN extract(hour FROM e.activity_at AT TIME ZONE 'UTC')::int END AS hour ${from}) AS e
     GROUP BY GROUPING SETS ((month), (kind), (person), (team), (weekday, hour), ()) ORDER BY events DESC`);
  // GROUPING has a bit, from the left, for each that a row is not grouped by.
  const by = (bits: number) => rows.filter((row) => row.by === bits);
  const hours = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0));
  for (const { weekday, hour, events } of by(0b11110)) {
    const day = weekday === null ? undefined : hours[weekday - 1];
    if (day && hour !== null) day[hour] = Number(events);
  }
  const named = (list: typeof rows, name: 'person' | 'team') => list.flatMap((row) => { const value = row[name]; return value === null ? [] : [{ name: value, events: Number(row.events) }]; }).slice(0, NAMED);
  return {
    events: Number(by(0b11111)[0]?.events ?? 0),
    months: by(0b01111).map((row) => ({ month: row.month ?? '', events: Number(row.events), activated: Number(row.activated) })).sort((one, other) => (one.month < other.month ? -1 : 1)),
    kinds: by(0b10111).map((row) => ({ kind: row.kind ?? '', events: Number(row.events) })),
    people: named(by(0b11011), 'person'), groups: named(by(0b11101), 'team'), hours,
  };
}
