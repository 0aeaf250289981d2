import type { SetupSummary } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { formatInstant } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton } from '../../ui/states.tsx';
import { OpenSetupFile } from './open-setup-file.tsx';
import { SetupState } from './run-state.tsx';
import { setups } from './setups.queries.ts';

const useStyles = makeStyles({ actions: { display: 'flex', flexWrap: 'wrap', justifyContent: 'center', gap: '8px' }, link: { color: tokens.colorBrandForegroundLink, fontWeight: tokens.fontWeightSemibold }, again: { color: tokens.colorBrandForegroundLink } });

/** Every setup, and the way to a new one. */
export function SetupsPage() {
  const styles = useStyles();
  const navigate = useNavigate();
  const now = useNow();
  const query = useQuery(setups());
  const [refusal, setRefusal] = useState<unknown>(null);
  const create = (
    <div className={styles.actions}>
      <OpenSetupFile onRefused={setRefusal} />
      <Button appearance="primary" onClick={() => void navigate('/setups/new')}>Secure an application</Button>
    </div>
  );
  const columns: readonly Column<SetupSummary>[] = [
    { id: 'name', header: 'Group', cell: ({ id, name }) => <Link className={styles.link} to={`/setups/${id}`} onClick={(event) => { event.stopPropagation(); }}>{name}</Link> },
    { id: 'applications', header: 'Opens', cell: ({ applications }) => applications.join(', ') },
    { id: 'people', header: 'Eligible', cell: ({ eligibleCount }) => (eligibleCount === 1 ? '1 person or group' : `${eligibleCount} people or groups`) },
    { id: 'state', header: 'State', cell: ({ id, lastRun, retiredAt }) => <><SetupState lastRun={lastRun} retiredAt={retiredAt} />{retiredAt !== null && <div><Link className={styles.again} to={`/setups/${id}/edit`} onClick={(event) => { event.stopPropagation(); }}>Apply it again</Link></div>}</> },
    { id: 'changed', header: 'Changed', cell: ({ updatedAt, createdBy }) => `${formatInstant(updatedAt, now)} · ${createdBy}` },
  ];
  return (
    <Page title="Setups" action={query.data && query.data.setups.length > 0 ? create : undefined} lead="A setup is one group: its role settings, who may activate it, and the applications it opens.">
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      <ProblemBar error={refusal} />
      {query.isPending && <ListSkeleton rows={4} />}
      {query.data?.setups.length === 0 && <EmptyState title="Nothing is set up yet" action={create}>One wizard leads from the group to the application that it opens; you see every change before it is made.</EmptyState>}
      {query.data && query.data.setups.length > 0 && <DataTable label="Setups" columns={columns} rows={query.data.setups} rowKey={({ id }) => id} onOpen={({ id }) => void navigate(`/setups/${id}`)} />}
    </Page>
  );
}
