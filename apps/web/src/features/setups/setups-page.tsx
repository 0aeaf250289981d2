import type { Answer, ListSetups, SetupSummary } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { formatAgo, formatInstant } from '../../lib/dates.ts';
import { serverNow, useNow } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton } from '../../ui/states.tsx';
import { SetupTabs } from '../../ui/tabs.tsx';
import { Health, isCompared } from './health.tsx';
import { OpenSetupFile } from './open-setup-file.tsx';
import { SetupState } from './run-state.tsx';
import { setups, useCheckAll } from './setups.queries.ts';

const useStyles = makeStyles({ summary: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '4px 16px', margin: '0 0 12px', minHeight: '32px' }, sentence: { flex: '1 1 240px' }, actions: { display: 'inline-flex', flexWrap: 'wrap', gap: '8px' }, link: { color: tokens.colorBrandForegroundLink, fontWeight: tokens.fontWeightSemibold }, again: { color: tokens.colorBrandForegroundLink } });

/** Every setup, and the way to a new one. */
export function SetupsPage() {
  const styles = useStyles();
  const navigate = useNavigate();
  const now = useNow();
  const [search, setSearch] = useSearchParams();
  const [asked, setAsked] = useState<Date>();
  const base = useQuery(setups());
  const following = asked !== undefined && now.getTime() - asked.getTime() < FOLLOWED_MS && (base.data?.setups ?? []).some((one) => isCompared(one) && !isLooked(one, asked));
  const query = useQuery({ ...setups(), ...(following && { refetchInterval: WHILE_CHECKING_MS }) });
  const checkAll = useCheckAll();
  // From before it was asked for: the first looks may come before the answer that they will.
  const check = (): void => {
    const askedAt = serverNow();
    checkAll.mutate(undefined, { onSuccess: () => { setAsked(askedAt); } });
  };
  const all = query.data?.setups ?? [];
  const only = search.has('differs');
  const shown = only ? all.filter((one) => isCompared(one) && (one.drift?.differences ?? 0) > 0) : all;
  const [refusal, setRefusal] = useState<unknown>(null);
  const create = (
    <div className={styles.actions}>
      {all.some(isCompared) && <Button disabled={checkAll.isPending || following} onClick={check}>Check all setups</Button>}
      <OpenSetupFile onRefused={setRefusal} />
      <Button appearance="primary" onClick={() => void navigate('/setups/new')}>Secure an application</Button>
    </div>
  );
  const columns: readonly Column<SetupSummary>[] = [
    { id: 'name', header: 'Group', cell: ({ id, name }) => <Link className={styles.link} to={`/setups/${id}`} onClick={(event) => { event.stopPropagation(); }}>{name}</Link> },
    { id: 'applications', header: 'Opens', cell: ({ applications }) => applications.join(', ') },
    { id: 'people', header: 'Eligible', cell: ({ eligibleCount }) => (eligibleCount === 1 ? '1 person or group' : `${eligibleCount} people or groups`) },
    { id: 'state', header: 'State', cell: ({ id, lastRun, retiredAt, drift }) => <>{isCompared({ lastRun, retiredAt }) && <Health drift={drift} />}<SetupState lastRun={lastRun} retiredAt={retiredAt} />{retiredAt !== null && <div><Link className={styles.again} to={`/setups/${id}/edit`} onClick={(event) => { event.stopPropagation(); }}>Apply it again</Link></div>}</> },
    { id: 'changed', header: 'Changed', cell: ({ updatedAt, createdBy }) => `${formatInstant(updatedAt, now)} · ${createdBy}` },
  ];
  return (
    <Page title="Setups" action={query.data && query.data.setups.length > 0 ? create : undefined} lead="A setup is one group: its role settings, who may activate it, and the applications it opens." toolbar={<SetupTabs />}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      <ProblemBar error={refusal ?? checkAll.error} />
      {query.isPending && <ListSkeleton rows={4} />}
      {query.data?.setups.length === 0 && <EmptyState title="Nothing is set up yet" action={create}>One wizard leads from the group to the application that it opens; you see every change before it is made.</EmptyState>}
      {all.some(isCompared) && (
        <div className={styles.summary}>
          <span className={styles.sentence} role="status">{following ? `Comparing the tenant with every setup: ${all.filter((one) => isCompared(one) && isLooked(one, asked)).length} of ${all.filter(isCompared).length}` : inWords(all, now)}</span>
          <Checkbox label="Only those that differ" checked={only} onChange={(_event, data) => { setSearch(data.checked === true ? { differs: '' } : {}, { replace: true }); }} />
        </div>
      )}
      {all.length > 0 && shown.length === 0 && <EmptyState title="No setup differs">As far as the last looks saw, the tenant is what the setups say.</EmptyState>}
      {shown.length > 0 && <DataTable label="Setups" columns={columns} rows={shown} rowKey={({ id }) => id} onOpen={({ id }) => void navigate(`/setups/${id}`)} />}
    </Page>
  );
}

/** A background that does not come round in this time is not waited for. */
const FOLLOWED_MS = 5 * 60_000;
const WHILE_CHECKING_MS = 3_000;

const isLooked = ({ drift }: SetupSummary, since: Date): boolean => drift !== null && drift.lookedAt !== null && Date.parse(drift.lookedAt) >= since.getTime();

/** How the setups are, taken together, the most urgent first; all is well no longer than the oldest look says so. */
function inWords(setups: Answer<typeof ListSetups>['setups'], now: Date): string {
  const compared = setups.filter(isCompared);
  const count = (number: number, one: string, many: string): string[] => (number === 0 ? [] : [number === 1 ? `1 setup ${one}` : `${number} setups ${many}`]);
  const words = [
    ...count(compared.filter(({ drift }) => (drift?.bypasses ?? 0) > 0).length, 'can be got into past PIM', 'can be got into past PIM'),
    ...count(compared.filter(({ drift }) => drift !== null && drift.differences > 0 && drift.bypasses === 0).length, 'differs', 'differ'),
    ...count(compared.filter(({ drift }) => drift !== null && drift.failure !== null && drift.lookedAt !== null).length, 'could not be looked at again', 'could not be looked at again'),
    ...count(compared.filter(({ drift }) => drift !== null && drift.lookedAt === null).length, 'could not be looked at yet', 'could not be looked at yet'),
    ...count(compared.filter(({ drift }) => drift === null).length, 'was not looked at yet', 'were not looked at yet'),
  ];
  if (words.length > 0) return `${words.join(', ')}.`;
  const looks = compared.flatMap(({ drift }) => (drift === null ? [] : [drift]));
  const oldest = looks.reduce((so, { lookedAt }) => (lookedAt !== null && lookedAt < so ? lookedAt : so), now.toISOString());
  return `All setups are as designed${looks.some(({ notSeen }) => notSeen.length > 0) ? ', as far as could be seen' : ''}, looked at ${formatAgo(oldest, now)}.`;
}
