import type { BatchSummary } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from 'react-router';
import { formatInstant } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { SetupTabs } from '../../ui/tabs.tsx';
import { ALL_SETUPS, batches } from './batches.queries.ts';
import { batchState, countsInWords } from './batches.words.ts';

const useStyles = makeStyles({
  actions: { display: 'inline-flex', flexWrap: 'wrap', gap: '8px' },
  link: { color: tokens.colorBrandForegroundLink, fontWeight: tokens.fontWeightSemibold },
});

/** Files and changes that were of many setups, and the way to a new one. */
export function BatchesPage() {
  const styles = useStyles();
  const navigate = useNavigate();
  const now = useNow();
  const query = useQuery(batches());
  const rows = query.data?.batches ?? [];
  const open = <Button appearance="primary" onClick={() => void navigate('/setups/batches/new')}>Bring in a file</Button>;
  const columns: readonly Column<BatchSummary>[] = [
    { id: 'name', header: 'File or change', width: '28%', cell: ({ id, name }) => <Link className={styles.link} to={`/setups/batches/${id}`} onClick={(event) => { event.stopPropagation(); }}>{name}</Link> },
    { id: 'state', header: 'State', width: '216px', cell: (one) => <StatusBadge tone={batchState(one).tone}>{batchState(one).word}</StatusBadge> },
    { id: 'rows', header: 'Setups', cell: countsInWords },
    { id: 'begun', header: 'Begun', width: '240px', cell: ({ createdAt, actorName }) => `${formatInstant(createdAt, now)} · ${actorName}` },
  ];
  return (
    <Page title="Setups" documentTitle="Setups: many at once" lead="Many setups from one file, or one change of many: planned together, reviewed once, applied in one go." toolbar={<SetupTabs />}
      action={rows.length > 0 && <div className={styles.actions}><Button as="a" href={ALL_SETUPS} download>Download all setups</Button>{open}</div>}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={4} />}
      {query.data && rows.length === 0 && <EmptyState title="Nothing was brought in yet" action={open}>A file lists the setups, a row each; you see what every row would change before anything is made. A change of many setups begins at their settings, side by side.</EmptyState>}
      {rows.length > 0 && <DataTable label="Many at once" columns={columns} rows={rows} rowKey={({ id }) => id} onOpen={({ id }) => void navigate(`/setups/batches/${id}`)} />}
    </Page>
  );
}
