import { GetSync, SyncNow, type SyncSource } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { formatInstant } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton, StatusBadge } from '../../ui/states.tsx';

const useStyles = makeStyles({ small: { display: 'block', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 } });

/** Where the mirror stands with each source, and a way to read now. */
export function SyncPage() {
  const styles = useStyles();
  const client = useQueryClient();
  const now = useNow();
  const query = useQuery({ queryKey: ['sync'], queryFn: ({ signal }) => call(GetSync, {}, signal), refetchInterval: 5_000 });
  const sync = useMutation({ mutationFn: () => call(SyncNow, { body: {} }), onSettled: () => client.invalidateQueries({ queryKey: ['sync'] }) });
  const columns: readonly Column<SyncSource>[] = [
    { id: 'source', header: 'Source', cell: ({ title }) => title },
    { id: 'state', header: 'State', cell: ({ lastError, lastSuccessAt }) => (lastError !== null ? <StatusBadge tone="bad">{lastError}</StatusBadge> : lastSuccessAt === null ? <StatusBadge tone="busy">Reading for the first time</StatusBadge> : <StatusBadge tone="good">Read</StatusBadge>) },
    { id: 'complete', header: 'Complete', cell: ({ completeFrom, completeTo }) => (completeFrom === null || completeTo === null ? 'Not yet' : <>{formatInstant(completeFrom, now)}<span className={styles.small}>to {formatInstant(completeTo, now)}</span></>) },
    { id: 'last', header: 'Last read', cell: ({ lastSuccessAt }) => (lastSuccessAt === null ? 'Never' : formatInstant(lastSuccessAt, now)) },
    { id: 'events', header: 'Events', cell: ({ events }) => events.toLocaleString() },
  ];
  return (
    <Page title="Sync & health" action={<Button appearance="primary" disabled={sync.isPending} onClick={() => { sync.mutate(); }}>Read now</Button>}>
      <ProblemBar error={query.error ?? sync.error} onRetry={query.error ? () => void query.refetch() : undefined} />
      {query.isPending && <ListSkeleton rows={3} />}
      {query.data?.sources.length === 0 && <EmptyState title="Nothing was read yet">The first pass begins when the portal starts.</EmptyState>}
      {query.data && query.data.sources.length > 0 && <DataTable label="Sources" columns={columns} rows={query.data.sources} rowKey={({ source }) => source} />}
      {query.data && (
        <Section title="Catalog">
          <p>{query.data.catalog.readAt === null ? 'Not read yet.' : `${query.data.catalog.groups} groups that PIM manages and ${query.data.catalog.applications} applications, read ${formatInstant(query.data.catalog.readAt, now)}.`}</p>
        </Section>
      )}
    </Page>
  );
}
