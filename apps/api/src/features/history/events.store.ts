import { iso } from '@gatehouse/db';
import type { EventKind, HistoryEvent } from '@gatehouse/contracts';
import type { Position } from '../../core/cursors.ts';
import { containing } from './history.rules.ts';
import { isOfGroups, isOfPeople, type Drive, type Facet, type Named, type Role } from './search.rules.ts';
import { conditionsOf, type Where } from './sql.ts';

export type Order = 'newest' | 'oldest';

/** A row and where it stands in its list. */
export interface Listed<T> { readonly row: T; readonly position: Position }

/** The conditions of a list of events, in the words of the log. */
export interface EventSearch {
  readonly tenantId: string;
  readonly drive: Drive;
  readonly names: readonly (readonly Named[])[];
  readonly facets: readonly Facet[] | undefined;
  readonly kind?: string | undefined;
  readonly result?: string | undefined;
  readonly source?: string | undefined;
  readonly text?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const STORED = `e.source, e.event_id, e.revision, e.defect, e.activity_at_raw, e.activity, e.kind, e.service, e.result, e.result_reason, e.actor_id, e.actor_name,
  e.subject_id, e.subject_name, e.group_id, e.group_name, e.application_name, e.request_id, e.batch_id, e.ordinal`;
export const EVENT = `${STORED}, ${iso('e.activity_at')} AS at_text`;

export interface EventRow {
  source: 'directory' | 'portal'; event_id: string; revision: number; defect: string | null; activity_at_raw: string; at_text: string; activity: string; kind: EventKind; service: string; result: 'success' | 'failure' | 'other'; result_reason: string | null;
  actor_id: string | null; actor_name: string | null; subject_id: string | null; subject_name: string | null; group_id: string | null; group_name: string | null; application_name: string | null; request_id: string | null; batch_id: string; ordinal: number;
}

/** What is a time nearly always: telling it otherwise takes longer than the rest of a row. */
const DAY_FIRST = /^\d{4}-(?:0\d|1[0-2])-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d+)?Z$/;

export const eventOf = (row: EventRow): HistoryEvent => ({
  id: `${row.source}:${row.event_id}`, source: row.source, revision: row.revision, defect: row.defect,
  // An event whose own time was none is shown with the time at which it was received.
  at: DAY_FIRST.test(row.activity_at_raw) || !Number.isNaN(Date.parse(row.activity_at_raw)) ? row.activity_at_raw : row.at_text,
  activity: row.activity, kind: row.kind, service: row.service, result: row.result, reason: row.result_reason, actorId: row.actor_id, actorName: row.actor_name, subjectId: row.subject_id, subjectName: row.subject_name,
  groupId: row.group_id, groupName: row.group_name, applicationName: row.application_name, requestId: row.request_id,
});

/** What `positionOfEvent` gives, and nothing that is no number where one belongs. */
export const isPositionOfEvent = ([, ...place]: Position): boolean => place.every((number) => /^\d{1,18}$/.test(number));
export const positionOfEvent = (row: EventRow): Position => [row.at_text, row.batch_id, String(row.ordinal)];

/** What each role is known by in the table, exactly as its index says it. */
const KEY: Record<Role, string> = {
  actor: 'coalesce(e.actor_id, e.actor_name)', subject: 'e.subject_id', group: 'coalesce(e.group_id, e.group_name)', application: 'coalesce(e.application_id, e.application_name)',
};
/** The group of an event as the indexes of people say it, and no other: by its hash. */
const GROUP_OF_PERSON = `hashtext(${KEY.group})`;
/** Of an instant, events stand in the order in which the log took them. */
const RANK = ['activity_at', 'batch_id', 'ordinal'] as const;
const ordered = (order: Order): string => RANK.map((column) => `e.${column} ${order === 'newest' ? 'DESC' : 'ASC'}`).join(', ');

export interface Statement { readonly text: string; readonly values: readonly unknown[] }

/** A page of the list, read off one index; `undefined` where nothing can match. */
export function eventsStatement(search: EventSearch, { after, order, limit }: { readonly after: Position | undefined; readonly order: Order; readonly limit: number }): Statement | undefined {
  if (search.drive.by === 'nothing') return undefined;
  const where = whereOf(search);
  if (after) {
    const [at, batch, ordinal] = after.map((part) => where.value(part));
    // By the instant alone the months are left out that lie on the other side.
    where.add(`e.activity_at ${order === 'newest' ? '<=' : '>='} ${at}::timestamptz AND (e.activity_at, e.batch_id, e.ordinal) ${order === 'newest' ? '<' : '>'} (${at}::timestamptz, ${batch}::bigint, ${ordinal}::bigint)`);
  }
  const most = where.value(limit);
  return { text: driven(search, where, { stored: `e.activity_at, ${STORED}`, told: EVENT }, `ORDER BY ${ordered(order)} LIMIT ${most}`), values: where.values };
}

/** How many of the first `limit` rows have which kind, result and source: in no order, so that the index alone may do. */
export function countStatement(search: EventSearch, limit: number): Statement | undefined {
  if (search.drive.by === 'nothing') return undefined;
  const where = whereOf(search);
  const most = where.value(limit);
  return { text: `SELECT kind, result, source, count(*)::float8 AS events FROM (${driven(search, where, { stored: 'e.activity_at, e.batch_id, e.ordinal, e.kind, e.result, e.source', told: 'e.kind, e.result, e.source' }, `LIMIT ${most}`)}) AS first GROUP BY 1, 2, 3`, values: where.values };
}

/** Rows where the expressions are one of the keys, each the same place of every list. */
interface Part { readonly on: readonly string[]; readonly keys: readonly (readonly string[])[] }

/** The index that leads, and each other condition in a form that no index takes, as `IS TRUE` is: which one is read is decided here and nowhere else. */
function driven({ drive, names, facets = [] }: EventSearch, where: Where, { stored, told }: { readonly stored: string; readonly told: string }, tail: string): string {
  const parts: Part[] = drive.by === 'names' ? partsByRole(names[drive.filter] ?? []).map(([role, keys]) => ({ on: [KEY[role]], keys: [keys] }))
    : drive.by === 'facets' ? [{ on: ['e.kind', 'e.result', 'e.source'], keys: [facets.map(({ kind }) => kind), facets.map(({ result }) => result), facets.map(({ source }) => source)] }] : [];
  const [first, ...others] = parts;
  if (!first || (others.length === 0 && first.keys[0]?.length === 1)) {
    first?.on.forEach((expression, at) => { where.add(`${expression} = ${where.value(first.keys[at]?.[0])}`); });
    return `SELECT ${told} FROM audit_event AS e WHERE ${where.text()} ${tail}`;
  }
  const pages = parts.map(({ on, keys }) => `SELECT e.* FROM unnest(${keys.map((list) => `${where.value(list)}::text[]`).join(', ')}) AS k (${on.map((_, at) => `key${at}`).join(', ')}),
    LATERAL (SELECT ${stored} FROM audit_event AS e WHERE ${where.text()} AND ${on.map((expression, at) => `${expression} = k.key${at}`).join(' AND ')} ${tail}) AS e`);
  // Each gives a page at the most; the page of all is among them. Who acts on themselves is in two of them.
  const rank = RANK.map((column) => `e.${column}`).join(', ');
  return `SELECT DISTINCT ON (${rank}) ${told} FROM (${pages.join(' UNION ALL ')}) AS e ${tail.startsWith('ORDER') ? tail : `ORDER BY ${rank} ${tail}`}`;
}

const partsByRole = (list: readonly Named[]): [Role, string[]][] => [...Map.groupBy(list, ({ role }) => role)].map(([role, all]) => [role, all.map(({ key }) => key)]);

function whereOf({ tenantId, drive, names, kind, result, source, text, from, to }: EventSearch): Where {
  const where = conditionsOf(tenantId);
  names.forEach((list, filter) => {
    if (drive.by === 'names' && drive.filter === filter) return;
    const parts = partsByRole(list).map(([role, keys]) => ({ role, keys: where.value(keys) }));
    // Looked at in the index, before any row is read.
    if (drive.by === 'names' && isOfPeople(names[drive.filter]) && isOfGroups(list)) parts.forEach(({ keys }) => { where.add(`${GROUP_OF_PERSON} = ANY (ARRAY(SELECT hashtext(key) FROM unnest(${keys}::text[]) AS key))`); });
    where.add(`(${parts.map(({ role, keys }) => `${KEY[role]} = ANY (${keys}::text[])`).join(' OR ')}) IS TRUE`);
  });
  if (drive.by !== 'facets') for (const [column, value] of Object.entries({ kind, result, source })) if (value !== undefined) where.add(drive.by === 'time' ? `e.${column} = ${where.value(value)}` : `(e.${column} = ${where.value(value)}) IS TRUE`);
  if (text !== undefined) where.add(drive.by === 'text' ? `e.search LIKE ${where.value(containing(text.toLowerCase()))}` : `strpos(e.search, ${where.value(text.toLowerCase())}) > 0`);
  if (from !== undefined) where.add(`e.activity_at >= ${where.value(from)}::timestamptz`);
  if (to !== undefined) where.add(`e.activity_at < ${where.value(to)}::timestamptz`);
  return where;
}
