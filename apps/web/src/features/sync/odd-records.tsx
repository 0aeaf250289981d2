import { ListOddRecords, type OddRecord } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { formatInstant } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { SidePanel } from '../../ui/side-panel.tsx';
import { EmptyState, ListSkeleton } from '../../ui/states.tsx';

export type OddKind = 'defect' | 'revision';

const useStyles = makeStyles({
  list: { listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: '16px' },
  what: { margin: 0, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere' },
  small: { margin: '0 0 4px', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  raw: { margin: 0, padding: '8px', maxHeight: '160px', overflow: 'auto', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium },
  more: { marginTop: '16px' },
});

/** Records of a source that are odd, each with its text as it was received. */
export function OddRecordsPanel({ source, title, kind, onClose }: { source: string; title: string; kind: OddKind; onClose(): void }) {
  const styles = useStyles();
  const now = useNow();
  const query = useInfiniteQuery({
    queryKey: ['sync', 'odd', source, kind],
    queryFn: ({ signal, pageParam }) => call(ListOddRecords, { params: { source }, query: { kind, ...(pageParam !== undefined && { cursor: pageParam }) } }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const records = query.data?.pages.flatMap((page) => page.records) ?? [];
  return (
    <SidePanel title={kind === 'defect' ? 'Something is wrong with them' : 'Came again with other content'} open onClose={onClose}>
      <p className={styles.small}>{title}. All are kept as they were received.</p>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={3} />}
      {query.isSuccess && records.length === 0 && <EmptyState title="There are none" />}
      <ul className={styles.list}>{records.map((record) => <li key={`${record.id} ${record.revision}`}><Odd record={record} now={now} /></li>)}</ul>
      {query.hasNextPage && <Button className={styles.more} disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{query.isFetchingNextPage ? 'Reading' : 'Show more'}</Button>}
    </SidePanel>
  );
}

function Odd({ record: { id, revision, receivedAt, activity, defect, raw, length }, now }: { record: OddRecord; now: Date }) {
  const styles = useStyles();
  return (
    <>
      <p className={styles.what}>{defect ?? activity}</p>
      <p className={styles.small}>Received {formatInstant(receivedAt, now)}{revision > 0 && ` · revision ${revision}`} · {id}</p>
      <pre className={styles.raw} tabIndex={0} aria-label={`As received: ${id}`}>{raw}{length > raw.length && `\n… ${(length - raw.length).toLocaleString('en-GB')} more characters`}</pre>
    </>
  );
}
