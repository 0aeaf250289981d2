import { DIRECTORY_LATE_MINUTES, NETWORK_MAY_STAY_OPEN_MINUTES, TRAFFIC_LATE_MINUTES, type Answer, type GetExceptions, type UncoveredConnection, type UnusedActivation } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Link } from '@fluentui/react-link';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useInfiniteQuery, type UseInfiniteQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { formatDay, formatInstant, formatMinutes, formatSeconds } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton } from '../../ui/states.tsx';
import { eachOnce, useOpened } from './history-list.tsx';
import { HistoryPage } from './history-page.tsx';
import { exceptions } from './history.queries.ts';
import { destinationOf, noConnections } from './history.words.ts';
import { StoryPanel } from './story-panel.tsx';

const useStyles = makeStyles({
  time: { whiteSpace: 'nowrap', textAlign: 'left', lineHeight: 'inherit' },
  quiet: { color: tokens.colorNeutralForeground2 },
  small: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
  lead: { margin: '0 0 4px', maxWidth: '72ch' },
  judged: { margin: '0 0 12px', maxWidth: '72ch', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
  more: { marginTop: '12px' },
});

type Page = Answer<typeof GetExceptions>;

/** Where the traffic log and the activations do not fit together. */
export function ExceptionsPage() {
  const styles = useStyles();
  const now = useNow();
  const { opened, open, close } = useOpened('activation');
  const [traffic, activations] = [useInfiniteQuery(exceptions('traffic')), useInfiniteQuery(exceptions('activations'))];
  const connections: readonly Column<UncoveredConnection>[] = [
    { id: 'when', header: 'When', width: '112px', cell: ({ at }) => <>{formatSeconds(at)}<span className={styles.small}>{formatDay(at)}</span></> },
    { id: 'who', header: 'Who', cell: ({ principalName }) => principalName },
    { id: 'what', header: 'Reached', cell: (one) => <>{destinationOf(one)}<span className={styles.small}>{one.applicationName}</span></> },
    { id: 'groups', header: 'Opened by', cell: ({ groups }) => groups.join(', ') },
  ];
  const unused: readonly Column<UnusedActivation>[] = [
    {
      id: 'when', header: 'Ended', width: '112px',
      cell: ({ requestId, endedAt }) => <Link as="button" className={styles.time} onClick={(event) => { event.stopPropagation(); open(requestId); }}>{formatSeconds(endedAt)}<span className={styles.small}>{formatDay(endedAt)}</span></Link>,
    },
    { id: 'who', header: 'Who', width: '144px', cell: ({ principalName }) => principalName },
    { id: 'what', header: 'Could reach', cell: ({ applications, groupName }) => <>{applications.join(', ')}<span className={styles.small}>{groupName}</span></> },
    { id: 'why', header: 'Reason', cell: ({ justification }) => justification ?? <span className={styles.quiet}>No reason recorded</span> },
    { id: 'long', header: 'Lasted', cell: ({ provisionedAt, endedAt }) => formatMinutes(Math.max(1, Math.round((Date.parse(endedAt) - Date.parse(provisionedAt)) / 60_000))) },
  ];
  const first = traffic.data?.pages[0] ?? activations.data?.pages[0];
  return (
    <HistoryPage title="History: exceptions" coverage={first && { ...first.coverage, droppedTo: null, gaps: [], sealedTo: null, isLedgerStopped: false }} of="traffic log" off={first?.coverage.closed !== null}>
      <Section title="Connections without an activation">
        <p className={styles.lead}>Somebody was let through to what a PIM-managed group opens, and no activation of theirs covered it: they are a member for good, or were let in past PIM.</p>
        <List
          query={traffic} noun="connections" pageOf={({ traffic: page }) => page} columns={connections} rowKey={({ id }) => id} empty="No connection without an activation was found"
          judged={(judged) => `Looked at: connections from ${formatInstant(judged.from, now)} to ${formatInstant(judged.to, now)}. Later ones wait ${formatMinutes(DIRECTORY_LATE_MINUTES)} for activations that Microsoft shows late.`}
        />
      </Section>
      <Section title="Activations without a connection">
        <p className={styles.lead}>An access was activated and its person reached nothing of it: perhaps it was not needed, or did not work.</p>
        <List
          query={activations} noun="activations" pageOf={({ activations: page }) => page} columns={unused} rowKey={({ requestId }) => requestId} onOpen={({ requestId }) => { open(requestId); }} empty="No activation without a connection was found"
          judged={(judged) => `Looked at: activations that began from ${formatInstant(judged.from, now)} on and ended by ${formatInstant(judged.to, now)}. Later ones wait ${formatMinutes(NETWORK_MAY_STAY_OPEN_MINUTES + TRAFFIC_LATE_MINUTES)}: the network may stay open, and the traffic log comes late.`}
        />
      </Section>
      {opened !== undefined && <StoryPanel requestId={opened} onClose={close} />}
    </HistoryPage>
  );
}

interface Judged { readonly from: string; readonly to: string }
interface ListProps<Row> {
  readonly query: UseInfiniteQueryResult<{ pages: Page[] }>;
  readonly noun: string;
  /** What stands where nothing was found. */
  readonly empty: string;
  readonly columns: readonly Column<Row>[];
  pageOf(page: Page): { readonly rows: readonly Row[]; readonly judged: Judged | null } | null;
  judged(judged: Judged): ReactNode;
  rowKey(row: Row): string;
  onOpen?(row: Row): void;
}

/** One of the two lists: what was looked at, what was found, and the way to what is older. */
function List<Row>({ query, noun, empty, columns, pageOf, judged, rowKey, onOpen }: ListProps<Row>) {
  const styles = useStyles();
  const pages = query.data?.pages ?? [];
  const [first] = pages;
  const rows = eachOnce(pages.flatMap((page) => pageOf(page)?.rows ?? []), rowKey);
  const time = first && pageOf(first)?.judged;
  return (
    <>
      {time && <p className={styles.judged}>{judged(time)}</p>}
      {!query.isFetchNextPageError && <ProblemBar error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <ListSkeleton rows={4} />}
      {first && !time && <EmptyState title="Nothing can be said yet">{first.cause === null ? 'Too little of the logs was read: whether something does not fit takes a day and more of the audit log, and two hours of the traffic log.' : first.cause === 'not-read' ? 'The traffic log was not read yet.' : noConnections(first.cause)}</EmptyState>}
      {time && rows.length === 0 && <EmptyState title={empty}>What does not fit together is listed here, newest first.</EmptyState>}
      {rows.length > 0 && <DataTable label={`${noun.charAt(0).toUpperCase()}${noun.slice(1)}`} columns={columns} rows={rows} rowKey={rowKey} {...(onOpen && { onOpen })} />}
      {query.isFetchNextPageError && <ProblemBar error={query.error} onRetry={() => void query.fetchNextPage()} />}
      {query.hasNextPage && !query.isFetchNextPageError && <Button className={styles.more} disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{query.isFetchingNextPage ? `Reading older ${noun}` : `Older ${noun}`}</Button>}
    </>
  );
}
