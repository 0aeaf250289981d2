import type { Coverage } from '@gatehouse/contracts';
import type { ListPage, ListSource } from './history.queries.ts';

/** A list as it is shown beside its newest page. */
export interface Shown<Row> {
  /** Each row once, as it was read last, where it stood first. */
  readonly rows: readonly Row[];
  readonly coverage: Coverage | undefined;
  /** Rows that the newest page has and the list lacks. */
  readonly came: readonly Row[];
  /** Whether rows are shown that are not in the list any more: they are of another state by now, or their month was dropped. */
  readonly isOutdated: boolean;
}

/** Holds the pages of a list, newest first, against its newest page. No row comes or goes by that. */
export function shownOf<Row>({ keyOf, timeOf }: Pick<ListSource<Row>, 'keyOf' | 'timeOf'>, pages: readonly ListPage<Row>[], newest: ListPage<Row> | undefined): Shown<Row> {
  const instantOf = (row: Row): number => Date.parse(timeOf(row));
  // What moved between two pages while they were read is not told twice.
  const shown = new Map(pages.flatMap(({ rows, readAt }) => rows.map((row) => [keyOf(row), { row, readAt }] as const)));
  const listed = [...shown.values()];
  if (!newest) return { rows: listed.map(({ row }) => row), coverage: pages[0]?.coverage, came: [], isOutdated: false };

  const now = new Map(newest.rows.map((row) => [keyOf(row), row]));
  const [lastListed, lastOfNewest] = [listed.at(-1)?.row, newest.rows.at(-1)];
  // Behind its last row a list was only not read on, and behind its last one the newest page says nothing.
  const isListed = (row: Row): boolean => pages.at(-1)?.nextCursor === null || (lastListed !== undefined && instantOf(row) >= instantOf(lastListed));
  const isTold = (row: Row): boolean => newest.nextCursor === null || (lastOfNewest !== undefined && instantOf(row) > instantOf(lastOfNewest));
  return {
    rows: listed.map(({ row, readAt }) => (newest.readAt >= readAt ? now.get(keyOf(row)) : undefined) ?? row),
    coverage: newest.readAt >= (pages[0]?.readAt ?? 0) ? newest.coverage : pages[0]?.coverage,
    came: newest.rows.filter((row) => !shown.has(keyOf(row)) && isListed(row)),
    isOutdated: listed.some(({ row, readAt }) => newest.readAt >= readAt && !now.has(keyOf(row)) && isTold(row)),
  };
}

/** What the list lacks, in words; empty where it lacks nothing. Entra shows some events late: they are new here, and not the newest. */
export function lackOf<Row>({ timeOf }: Pick<ListSource<Row>, 'timeOf'>, { rows, came, isOutdated }: Shown<Row>, newest: ListPage<Row>, noun: 'events' | 'activations'): string {
  if (came.length === 0) return isOutdated ? `Show the ${noun} as they are now` : '';
  const first = Date.parse(rows[0] === undefined ? '' : timeOf(rows[0]));
  const which = came.every((row) => Date.parse(timeOf(row)) >= first) ? 'newer' : 'more';
  const isMore = came.length === newest.rows.length && newest.nextCursor !== null;
  return `${came.length}${isMore ? '+' : ''} ${which} ${came.length === 1 ? noun.slice(0, -1) : noun}`;
}
