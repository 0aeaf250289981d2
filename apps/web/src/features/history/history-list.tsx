import type { Coverage } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { makeStyles } from '@griffel/react';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';
import { usePutParam } from '../../lib/search-param.ts';
import { LongTable, type Column } from '../../ui/data-table.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { Awaiting, EmptyState, ListSkeleton } from '../../ui/states.tsx';
import type { Filter } from './filter-bar.tsx';
import { newestPage, pagesOf, type ListSource } from './history.queries.ts';
import { Newer } from './newer.tsx';
import { lackOf, shownOf } from './newest.rules.ts';

const useStyles = makeStyles({
  more: { marginTop: '12px' },
  after: { marginTop: '12px' },
});

/** Which one is open beside the list, as the address says: a colleague can be sent the very event. */
export function useOpened(name: string): { opened: string | undefined; open(id: string): void; close(): void } {
  const [search] = useSearchParams();
  const put = usePutParam();
  const opened = search.get(name) ?? '';
  // A page gives the focus to its title when it opens: what the address opens beside it comes after, and keeps it.
  const [isPageThere, setIsPageThere] = useState(false);
  useEffect(() => { setIsPageThere(true); }, []);
  return { opened: opened === '' || !isPageThere ? undefined : opened, open: (id) => { put(name, id, opened !== ''); }, close: () => { put(name, undefined); } };
}

/** The rows of all pages, each once: what moved between two pages while they were read is not told twice. */
export function eachOnce<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Row[] {
  return [...new Map(rows.map((row) => [keyOf(row), row])).values()];
}

/** A list as it is shown: the pages that were read of it, held against its newest one. */
export function useHistoryList<Row>(list: ListSource<Row>) {
  const query = useInfiniteQuery({ ...pagesOf(list), placeholderData: keepPreviousData });
  const pages = query.data?.pages ?? [];
  const isWatched = list.order === 'newest' && !query.isPlaceholderData && pages.some(({ rows }) => rows.length > 0);
  const { data } = useQuery({ ...newestPage(list), enabled: isWatched });
  const newest = isWatched ? data : undefined;
  return { list, query, newest, shown: shownOf(list, pages, newest) };
}

interface Props<Row> {
  readonly label: string;
  readonly noun: 'events' | 'activations';
  readonly view: ReturnType<typeof useHistoryList<Row>>;
  readonly filter: Filter;
  readonly columns: readonly Column<Row>[];
  onOpen(row: Row): void;
}

/** The four states of a list of the history, and the way to what is older: by scrolling there, or by a button. */
export function HistoryList<Row>({ label, noun, view: { list, query, newest, shown }, filter, columns, onOpen }: Props<Row>) {
  const styles = useStyles();
  const { rows, coverage } = shown;
  const stale = query.isPlaceholderData;
  const canReadOn = query.hasNextPage && !stale && !query.isFetchNextPageError;
  return (
    <>
      {!query.isFetchNextPageError && <ProblemBar error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <ListSkeleton rows={8} />}
      {stale && rows.length === 0 && <ListSkeleton rows={8} />}
      {query.isSuccess && !stale && rows.length === 0 && <Nothing noun={noun} filter={filter} coverage={coverage} />}
      {rows.length > 0 && (
        <Awaiting isStale={stale}>
          {newest && <Newer list={list} label={label} newest={newest} lack={lackOf(list, shown, newest, noun)} />}
          <LongTable label={label} columns={columns} rows={rows} rowKey={list.keyOf} onOpen={onOpen} isWhole={!query.hasNextPage} onNearEnd={() => { if (canReadOn && !query.isFetching) void query.fetchNextPage({ cancelRefetch: false }); }} />
        </Awaiting>
      )}
      {query.isFetchNextPageError && <div className={styles.after}><ProblemBar error={query.error} onRetry={() => void query.fetchNextPage()} /></div>}
      {canReadOn && <Button className={styles.more} disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{query.isFetchingNextPage ? `Reading older ${noun}` : `Older ${noun}`}</Button>}
    </>
  );
}

/** An empty list says what it looked for; one of a record that nobody read yet does not claim that nothing happened. */
function Nothing({ noun, filter, coverage }: { noun: string; filter: Filter; coverage: Coverage | undefined }) {
  if (coverage?.to === null) return <EmptyState title="Nothing was read yet">The first pass of the mirror brings the last 30 days. Whether there are {noun} is not known until then.</EmptyState>;
  if (filter.words === '') return <EmptyState title={`No ${noun} yet`}>What happens in Microsoft Entra is here some minutes later.</EmptyState>;
  return <EmptyState title={`No ${noun} match`} action={<Button onClick={filter.clear}>Show all {noun}</Button>}>Looked for: {filter.words}.</EmptyState>;
}
