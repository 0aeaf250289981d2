import type { HistoryFilter, MonthlyLog, NamesMeant } from '@gatehouse/contracts';
import { bind, copyOut, iso, type Connection, type Database } from '@gatehouse/db';
import { MONTHLY_LOGS } from '../../core/monthly-logs.ts';
import type { LogRow } from './log-row.rules.ts';

/** How far the log went: its last batch, and those before it that were still open and are not part of it. */
export interface Mark { readonly batch: string; readonly open: readonly string[] }

/** What is read out of the log; `names`, what the filters by name meant when it was fixed. */
export interface Selection { readonly tenantId: string; readonly filter: HistoryFilter; readonly names?: NamesMeant; readonly mark: Mark }

/** Ids of batches are handed out before they are committed: of the last so many, those that are missing may still come. */
const OPEN_AMONG = 10_000;

/**
 * Lends a connection on which everything is seen as it stood at the first look, and nothing can be written. The one place
 * where exports touch the log: what they may do is decided here. A reader who leaves leaves the connection to be ended.
 */
export async function withSnapshot<T>(db: Pick<Database, 'pool'>, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await db.pool.connect();
  let ended = false;
  try {
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    // It lasts as long as its reader takes; one who takes nothing is cut off where the bytes are sent. And it begins at once.
    await connection.query(`SELECT set_config('statement_timeout', '0', true), set_config('jit', 'off', true)`);
    const result = await use(connection);
    await connection.query('COMMIT');
    ended = true;
    return result;
  } finally {
    connection.release(!ended);
  }
}

/** The log as it stands now. */
export async function readMark(db: Pick<Database['pool'], 'query'> | Pick<Connection, 'query'>, tenantId: string): Promise<Mark> {
  const { rows: [row] } = await db.query<{ last: string; open: string[] }>(
    `WITH last AS (SELECT coalesce(max(batch_id), 0) AS id FROM log_batch WHERE tenant_id = $1)
     SELECT last.id AS last, coalesce((SELECT array_agg(g::text ORDER BY g) FROM generate_series(greatest(last.id - ${OPEN_AMONG}, 1), last.id) AS g
       WHERE NOT EXISTS (SELECT 1 FROM log_batch AS b WHERE b.tenant_id = $1 AND b.batch_id = g)), '{}') AS open FROM last`, [tenantId]);
  return { batch: row?.last ?? '0', open: row?.open ?? [] };
}

/** What each role is known by in the log, as in the history. */
const KEY_OF_ROLE = { actor: 'coalesce(e.actor_id, e.actor_name)', subject: 'e.subject_id', group: 'coalesce(e.group_id, e.group_name)', application: 'coalesce(e.application_id, e.application_name)' } as const;

type Own = (value: string) => string;
type Condition = (value: string, own: Own, names: NamesMeant) => string;

/** Events of those whom the filter meant when the export was fixed: who is called so later changes nothing. */
function byName(of: keyof NamesMeant): Condition {
  return (_value, own, names) => {
    const roles = [...Map.groupBy(names[of] ?? [], ({ role }) => role)];
    return roles.length === 0 ? 'false' : `(${roles.map(([role, all]) => `${KEY_OF_ROLE[role]} IN (SELECT jsonb_array_elements_text(${own(JSON.stringify(all.map(({ key }) => key)))}::jsonb))`).join(' OR ')})`;
  };
}

/** Every field of the filter, or it does not compile: a field that an export left out would give more than was asked for. Each means what it means in the history. */
const CONDITIONS: Readonly<Record<keyof HistoryFilter, Condition>> = {
  person: byName('person'), group: byName('group'), application: byName('application'),
  kind: (value, own) => `e.kind = ${own(value)}`,
  result: (value, own) => `e.result = ${own(value)}`,
  source: (value, own) => `e.source = ${own(value)}`,
  text: (value, own) => `strpos(e.search, ${own(value.toLowerCase())}) > 0`,
  from: (value, own) => `e.activity_at >= ${own(value)}::timestamptz`,
  to: (value, own) => `e.activity_at < ${own(value)}::timestamptz`,
};

/** Values and conditions, each value by its number: `@1`. */
function conditionsOf({ tenantId, filter, names = {}, mark }: Selection): { values: string[]; text: string } {
  const values = [tenantId];
  const own = (value: string): string => `@${values.push(value)}@`;
  const conditions = ['e.tenant_id = @1@::uuid', `e.batch_id <= ${own(mark.batch)}::bigint`];
  if (mark.open.length > 0) conditions.push(`e.batch_id <> ALL (${own(`{${mark.open.join(',')}}`)}::bigint[])`);
  for (const [name, value] of Object.entries(filter) as [keyof HistoryFilter, string | undefined][]) if (value !== undefined && value !== '') conditions.push(CONDITIONS[name](value, own, names));
  return { values, text: conditions.join(' AND ') };
}

const filled = (text: string, names: readonly string[]): string => text.replaceAll(/@(\d+)@/g, (_all, number: string) => names[Number(number) - 1] ?? 'NULL');

const EVENT_ID = `e.source || ':' || e.event_id || CASE WHEN e.revision > 0 THEN '#' || e.revision ELSE '' END`;

/** As `CSV_COLUMNS`, before their cells are made safe; none is NULL, which COPY does not quote. */
const CSV = `CASE WHEN e.defect IS NULL AND e.activity_at_raw COLLATE "C" >= '0' AND e.activity_at_raw COLLATE "C" < ':' AND e.activity_at_raw LIKE '__________T%Z' AND strpos(e.activity_at_raw, E'\\n') = 0 THEN e.activity_at_raw ELSE ${iso('e.activity_at')} END,
  e.source, e.service, e.activity, e.kind, e.result, ${['result_reason', 'actor_name', 'actor_id', 'subject_name', 'subject_id', 'group_name', 'group_id', 'application_name', 'request_id', 'defect'].map((column) => `coalesce(e.${column}, '')`).join(', ')}, ${EVENT_ID}`;

/** As `ndjsonRow`, but for what COPY's text format escapes. */
const NDJSON = `CASE WHEN e.defect IS NULL OR e.raw IS JSON OBJECT THEN e.raw ELSE (jsonb_build_object('gatehouse', jsonb_build_object('eventId', ${EVENT_ID}, 'defect', e.defect, 'received', e.raw)))::text END`;

const BULK = {
  csv: { columns: CSV, options: 'FORMAT csv, FORCE_QUOTE *' },
  ndjson: { columns: NDJSON, options: 'FORMAT text' },
} as const;

const ORDER = 'e.activity_at, e.batch_id, e.ordinal';

/** Months of the log, oldest first, each from its first day to the next one's. */
export async function readMonths(connection: Pick<Connection, 'query'>, { from, to }: HistoryFilter = {}): Promise<{ month: string; next: string }[]> {
  const { rows } = await connection.query<{ month: string; next: string }>(
    `SELECT to_char(m, 'YYYY-MM-DD') AS month, to_char(m + interval '1 month', 'YYYY-MM-DD') AS next
     FROM (SELECT to_date(right(c.relname, 6), 'YYYYMM') AS m FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_event'::regclass) AS months
     WHERE ($1::timestamptz IS NULL OR (m + interval '1 month')::timestamp AT TIME ZONE 'UTC' > $1::timestamptz) AND ($2::timestamptz IS NULL OR m::timestamp AT TIME ZONE 'UTC' < $2::timestamptz) ORDER BY m`, [from ?? null, to ?? null]);
  return rows;
}

const within = ({ month, next }: { month: string; next: string }): string => `e.activity_at >= '${month} 00:00:00+00' AND e.activity_at < '${next} 00:00:00+00'`;

/**
 * The rows of a month that are selected, in the order of the log's key. Where all of it is, they are read off the key: left to
 * itself the planner sorts a month on disk first. And values are looked up once, and not for every row, which tells the
 * planner less. Of what a filter leaves few it knows better.
 */
async function inOrder(connection: Connection, selection: Selection, month: { month: string; next: string }): Promise<string> {
  const { values, text } = conditionsOf(selection);
  const names = await bind(connection, values);
  const isAll = Object.entries(selection.filter).every(([name, value]) => name === 'from' || name === 'to' || value === undefined || value === '');
  await connection.query(`SELECT set_config('enable_sort', $1, true)`, [isAll ? 'off' : 'on']);
  return `${filled(`FROM audit_event AS e WHERE ${text}`, isAll ? names.map((name) => `(SELECT ${name})`) : names)} AND ${within(month)} ORDER BY ${ORDER}`;
}

/** What one month holds, as PostgreSQL writes it: it is only passed on. */
export async function bulkOf(connection: Connection, what: keyof typeof BULK, selection: Selection, month: { month: string; next: string }): Promise<AsyncIterable<Buffer>> {
  const { columns, options } = BULK[what];
  return copyOut(connection, `SELECT ${columns} ${await inOrder(connection, selection, month)}`, options);
}

/** A month of a log, from its first day to the next one's. */
export interface WholeMonth { readonly tenantId: string; readonly log: MonthlyLog; readonly month: string; readonly next: string }

async function ofMonth(connection: Connection, { tenantId, log, month, next }: WholeMonth): Promise<string> {
  const [tenant = ''] = await bind(connection, [tenantId]);
  const { instant } = MONTHLY_LOGS[log];
  return `FROM ${log} AS e WHERE e.tenant_id = ${tenant}::uuid AND e.${instant} >= '${month} 00:00:00+00' AND e.${instant} < '${next} 00:00:00+00'`;
}

/** Whole rows of a month as COPY's text format has them: `\\copy … from` takes them back. */
export async function wholeRowsOf(connection: Connection, month: WholeMonth): Promise<AsyncIterable<Buffer>> {
  return copyOut(connection, `SELECT e.* ${await ofMonth(connection, month)} ORDER BY e.batch_id, e.ordinal`, 'FORMAT text');
}

const ROW = `e.source, e.event_id AS "eventId", e.revision, ${iso('e.activity_at')} AS at, e.activity_at_raw AS "atRaw", e.activity, e.kind, e.service, e.result, e.result_reason AS reason, e.actor_id AS "actorId", e.actor_name AS "actorName",
  e.subject_id AS "subjectId", e.subject_name AS "subjectName", e.group_id AS "groupId", e.group_name AS "groupName", e.application_id AS "applicationId", e.application_name AS "applicationName", e.request_id AS "requestId", e.correlation_id AS "correlationId", e.raw, e.defect`;

/** The source of a query over a selection: `FROM audit_event AS e WHERE …`, with its values bound. */
export async function selected(connection: Connection, selection: Selection): Promise<string> {
  const { values, text } = conditionsOf(selection);
  return filled(`FROM audit_event AS e WHERE ${text}`, await bind(connection, values));
}

const ROWS_AT_ONCE = 500;

/** The same rows one by one, for what PostgreSQL cannot write itself. */
export async function* rowsOf(connection: Connection, selection: Selection, month: { month: string; next: string }): AsyncGenerator<readonly LogRow[]> {
  await connection.query(`DECLARE exported NO SCROLL CURSOR FOR SELECT ${ROW} ${await inOrder(connection, selection, month)}`);
  for (;;) {
    const { rows } = await connection.query<LogRow>(`FETCH ${ROWS_AT_ONCE} FROM exported`);
    if (rows.length > 0) yield rows;
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await connection.query('CLOSE exported');
}

/** Events of batches, in the order in which the log took them; of each those from one ordinal on, so many ordinals long. */
export async function rowsOfBatches(db: Pick<Database['pool'], 'query'> | Pick<Connection, 'query'>, tenantId: string, batches: readonly string[], from: number, most: number): Promise<LogRow[]> {
  const { rows } = await db.query<LogRow>(`SELECT ${ROW} FROM audit_event AS e WHERE e.tenant_id = $1 AND e.batch_id = ANY ($2::bigint[]) AND e.ordinal >= $3 AND e.ordinal < $4 ORDER BY e.batch_id, e.ordinal`, [tenantId, batches, from, from + most]);
  return rows;
}

/** The leaves of the ledger from the first batch of a selection to the end of the last, with those of dropped months of its time, and how many of its rows are among them or wait to be sealed. */
export async function readLeafRange(connection: Connection, of: Selection | WholeMonth): Promise<{ from: number; to: number; sealed: number; waiting: number }> {
  const from = 'log' in of ? await ofMonth(connection, of) : await selected(connection, of);
  const { log, span } = 'log' in of ? { log: of.log, span: { from: of.month, to: of.next } } : { log: 'audit_event', span: of.filter };
  const { rows: [row] } = await connection.query<{ from: string | null; to: string | null; sealed: string | null; waiting: string | null }>(
    `SELECT min(s.first_leaf) AS from, max(s.first_leaf + b.rows + 1) AS to, sum(of.rows) FILTER (WHERE s.first_leaf IS NOT NULL) AS sealed, sum(of.rows) FILTER (WHERE s.first_leaf IS NULL) AS waiting
     FROM (SELECT e.tenant_id, e.batch_id, count(*) AS rows ${from} GROUP BY 1, 2) AS of
     JOIN log_batch AS b ON b.tenant_id = of.tenant_id AND b.batch_id = of.batch_id LEFT JOIN ledger_seal AS s ON s.tenant_id = of.tenant_id AND s.batch_id = of.batch_id`);
  const { rows: [dropped] } = await connection.query<{ from: string | null; to: string | null }>(
    `SELECT min(first_leaf) AS from, max(end_leaf) AS to FROM dropped_month WHERE tenant_id = $1 AND log = $4 AND ($2::text IS NULL OR month >= $2) AND ($3::text IS NULL OR month || '-01T00:00:00.000000Z' < $3)`,
    [of.tenantId, span.from?.slice(0, 7) ?? null, span.to ?? null, log]);
  const known = (...leaves: readonly (string | null | undefined)[]): number[] => leaves.flatMap((leaf) => (leaf === null || leaf === undefined ? [] : [Number(leaf)]));
  const [begins, ends] = [known(row?.from, dropped?.from), known(row?.to, dropped?.to)];
  return { from: begins.length === 0 ? 0 : Math.min(...begins), to: Math.max(0, ...ends), sealed: Number(row?.sealed ?? 0), waiting: Number(row?.waiting ?? 0) };
}

/**
 * Whether a selection holds more than so many rows. `withNeighbours`: with the rows of every batch from its first to its
 * last, as the proofs of a pack have them.
 */
export async function holdsMoreThan(connection: Connection, selection: Selection, most: number, { withNeighbours }: { readonly withNeighbours: boolean }): Promise<boolean> {
  const from = await selected(connection, selection);
  const { rows: [counted] } = await connection.query<{ rows: string }>(`SELECT count(*) AS rows FROM (SELECT 1 ${from} LIMIT ${most + 1}) AS counted`);
  const isMore = Number(counted?.rows ?? 0) > most;
  if (isMore || !withNeighbours) return isMore;
  const { rows: [spanned] } = await connection.query<{ rows: string }>(
    `SELECT coalesce(sum(b.rows), 0) AS rows FROM (SELECT min(e.batch_id) AS first, max(e.batch_id) AS last ${from}) AS span JOIN log_batch AS b ON b.tenant_id = $1 AND b.batch_id BETWEEN span.first AND span.last`, [selection.tenantId]);
  return Number(spanned?.rows ?? 0) > most;
}

/** Counted to so many rows, beyond them as the database estimates. */
const COUNTED_TO = 10_000;

/** How much a selection holds: rows, and the bytes of what was received. */
export async function readSize(connection: Connection, selection: Selection): Promise<{ rows: number; exact: boolean; bytes: number }> {
  const query = `SELECT octet_length(e.raw) AS bytes ${await selected(connection, selection)}`;
  const { rows: [counted] } = await connection.query<{ rows: string; bytes: string }>(`SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes FROM (${query} LIMIT ${COUNTED_TO + 1}) AS counted`);
  const [rows, bytes] = [Number(counted?.rows ?? 0), Number(counted?.bytes ?? 0)];
  if (rows <= COUNTED_TO) return { rows, exact: true, bytes };
  const { rows: [plan] } = await connection.query<{ 'QUERY PLAN': { Plan: { 'Plan Rows': number } }[] }>(`EXPLAIN (FORMAT json) ${query}`);
  const estimated = Math.max(rows, Math.round(plan?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? rows));
  return { rows: estimated, exact: false, bytes: Math.round(estimated * (bytes / rows)) };
}
