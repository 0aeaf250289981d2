import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { newestPage, pagesOf, type ListPage, type ListSource } from './history.queries.ts';

const useStyles = makeStyles({
  // Above the rows and not among them: what is said there moves none, and is in sight wherever somebody reads.
  place: { position: 'sticky', top: '32px', zIndex: 1, height: 0, display: 'flex', justifyContent: 'center', outlineStyle: 'none' },
  // On the edge of the list, clear of the heads of its columns.
  button: { height: '24px', transform: 'translateY(-75%)', boxShadow: tokens.shadow8 },
});

interface Props<Row> {
  readonly list: ListSource<Row>;
  readonly rows: readonly Row[];
  readonly noun: 'events' | 'activations';
}

/** How many rows a list lacks that came in since it was read, and the way to let them in: they do not come by themselves. */
export function Newer<Row>({ list, rows, noun }: Props<Row>) {
  const styles = useStyles();
  const client = useQueryClient();
  const place = useRef<HTMLDivElement>(null);
  const { data: newest } = useQuery(newestPage(client, list));
  const missing = newest === undefined ? [] : missingOf(list, rows, newest);

  const letIn = async (page: ListPage<Row>): Promise<void> => {
    const { queryKey } = pagesOf(list);
    // An older page that is under way would bring the rows back that were there when it was asked for.
    await client.cancelQueries({ queryKey, exact: true });
    client.setQueryData(queryKey, { pages: [page], pageParams: [null] });
    void client.invalidateQueries({ queryKey: ['history', 'count'] });
    window.scrollTo(0, 0);
    // The button goes; the keyboard goes on from where it was.
    place.current?.focus({ preventScroll: true });
  };
  return (
    <div ref={place} className={styles.place} role="status" tabIndex={-1}>
      {newest && missing.length > 0 && <Button className={styles.button} appearance="primary" size="small" shape="circular" onClick={() => { void letIn(newest); }}>{words(list, rows, missing, newest, noun)}</Button>}
    </div>
  );
}

/** What of the page is not in the list: all that stands before the last row that both have. Behind it the list was only not read on. */
export function missingOf<Row>({ keyOf, timeOf }: ListSource<Row>, rows: readonly Row[], newest: ListPage<Row>): readonly Row[] {
  const shown = new Set(rows.map(keyOf));
  const last = newest.rows.findLastIndex((row) => shown.has(keyOf(row)));
  if (last >= 0) return newest.rows.slice(0, last).filter((row) => !shown.has(keyOf(row)));
  const [first, newestOfAll] = [rows[0], newest.rows[0]];
  // A list that was read later than the page lacks nothing of it.
  return first !== undefined && newestOfAll !== undefined && Date.parse(timeOf(newestOfAll)) >= Date.parse(timeOf(first)) ? newest.rows : [];
}

function words<Row>({ timeOf }: ListSource<Row>, rows: readonly Row[], missing: readonly Row[], newest: ListPage<Row>, noun: string): string {
  const first = Date.parse(rows[0] === undefined ? '' : timeOf(rows[0]));
  // Entra shows some events late: they are new here, and not the newest.
  const which = missing.every((row) => Date.parse(timeOf(row)) >= first) ? 'newer' : 'more';
  const isAll = missing.length === newest.rows.length && newest.nextCursor !== null;
  return `${missing.length}${isAll ? '+' : ''} ${which} ${missing.length === 1 ? noun.slice(0, -1) : noun}`;
}
