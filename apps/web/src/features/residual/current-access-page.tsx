import { EndAccessNow, ListCurrentAccess, NETWORK_MAY_STAY_OPEN_MINUTES, REVOCATION_TAKES_MINUTES, type CurrentAccess } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { KeyRegular } from '@fluentui/react-icons';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { zodResolver } from '@hookform/resolvers/zod';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { FormProvider, useForm } from 'react-hook-form';
import { call } from '../../lib/api.ts';
import { formatClock, formatCountdown, formatInstant, formatMinutes } from '../../lib/dates.ts';
import { leadsAway, useDrafts } from '../../lib/drafts.ts';
import { useMutation } from '../../lib/mutation.ts';
import { serverNow, useNow, usePermits } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { TextField } from '../../ui/text-field.tsx';

const useStyles = makeStyles({
  small: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
  news: { margin: '0 0 16px' },
  silent: { margin: 0 },
  left: { whiteSpace: 'nowrap' },
});

const KEY = ['current-access'];
const keyOf = ({ principalId, groupId }: CurrentAccess): string => `${principalId} ${groupId}`;
const opens = ({ applications, groupName }: CurrentAccess): string => (applications.length > 0 ? applications.map(({ displayName }) => displayName).join(', ') : groupName);

/** Whose activated access is there now, and where the network may still be open after one; setup admins end both. */
export function CurrentAccessPage() {
  const styles = useStyles();
  const now = useNow();
  const mayEnd = usePermits('current-access:end');
  const query = useQuery({ queryKey: KEY, queryFn: ({ signal }) => call(ListCurrentAccess, {}, signal), refetchInterval: 10_000 });
  const [chosen, setChosen] = useState<CurrentAccess>();
  const [news, setNews] = useState('');
  const columns: readonly Column<CurrentAccess>[] = [
    { id: 'person', header: 'Person', cell: ({ principalName }) => principalName },
    { id: 'opens', header: 'Opens', cell: (item) => <>{opens(item)}<span className={styles.small}>via {item.groupName}</span></> },
    { id: 'state', header: 'State', cell: (item) => <State item={item} now={now} /> },
    { id: 'since', header: 'Member', cell: ({ since, ended, endsAt }) => <>{since === null ? 'not known' : `from ${formatInstant(since, now)}`}<span className={styles.small}>{ended ? `to ${formatInstant(ended.at, now)}` : endsAt === null ? 'no end known' : `ends ${formatInstant(endsAt, now)}`}</span></> },
    ...(mayEnd ? [{ id: 'end', header: 'End', cell: (item: CurrentAccess) => item.revocation?.state !== 'revoked' && <Button aria-label={`End now… the access of ${item.principalName} to ${opens(item)}`} onClick={() => { setNews(''); setChosen(item); }}>End now…</Button> }] : []),
  ];
  const items = query.data?.items ?? [];
  return (
    <Page title="Current access" lead={`Activated memberships that are there now, and those that ended in the last ${formatMinutes(NETWORK_MAY_STAY_OPEN_MINUTES)}, for so long the network may stay open. By the portal’s own record and Entra’s audit log; memberships that somebody assigned are not activations and are not listed.`}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      <p role="status" className={news === '' ? styles.silent : styles.news}>{news}</p>
      {query.isPending && <ListSkeleton rows={3} />}
      {query.data && items.length === 0 && <EmptyState icon={<KeyRegular />} title="Nobody has activated access now">What somebody activates appears here within seconds where it is done in this portal, and with the next reading of the audit log where it is done elsewhere.</EmptyState>}
      {items.length > 0 && <DataTable label="Current access" columns={columns} rows={items} rowKey={keyOf} />}
      {chosen && <EndDialog key={keyOf(chosen)} item={chosen} onClose={() => { setChosen(undefined); }} onEnded={(ended) => { setChosen(undefined); setNews(newsOf(ended)); }} />}
    </Page>
  );
}

function State({ item: { ended, revocation, endsAt }, now }: { item: CurrentAccess; now: Date }) {
  const styles = useStyles();
  const more = revocation?.state === 'failed' ? `Ending it failed: ${revocation.failure ?? 'why is not known'}` : revocation?.state === 'asked' ? `${revocation.askedBy} is ending it since ${formatInstant(revocation.askedAt, now)}` : undefined;
  if (!ended) {
    const left = endsAt === null ? undefined : Date.parse(endsAt) - now.getTime();
    return <><StatusBadge tone="good">Open</StatusBadge>{left !== undefined && left > 0 && <span className={`${styles.small} ${styles.left}`}>{formatCountdown(left)} left</span>}{more !== undefined && <span className={styles.small}>{more}</span>}</>;
  }
  if (revocation?.revokedAt && revocation.takesEffectBy) {
    return <><StatusBadge tone="quiet">Sign-ins revoked</StatusBadge><span className={styles.small}>{formatInstant(revocation.revokedAt, now)} by {revocation.askedBy}. Closed on current Windows clients by {formatClock(revocation.takesEffectBy)}, on others by {formatClock(ended.networkMayStayOpenUntil)}.</span></>;
  }
  return <><StatusBadge tone="warn">Ended, network may stay open</StatusBadge><span className={styles.small}>until {formatInstant(ended.networkMayStayOpenUntil, now)}</span>{more !== undefined && <span className={styles.small}>{more}</span>}</>;
}

const newsOf = (item: CurrentAccess): string => {
  const closed = item.revocation?.takesEffectBy && item.ended ? ` Connections close on current Windows clients by ${formatClock(item.revocation.takesEffectBy)}, on others by ${formatClock(item.ended.networkMayStayOpenUntil)}.` : '';
  return `${item.principalName}, ${opens(item)}: the membership is gone and the sign-ins are revoked.${closed}`;
};

const Reason = EndAccessNow.body.pick({ justification: true });

function EndDialog({ item, onClose, onEnded }: { item: CurrentAccess; onClose(): void; onEnded(ended: CurrentAccess): void }) {
  const client = useQueryClient();
  const drafts = useDrafts();
  const draft = `end-access.${keyOf(item)}`;
  const form = useForm({ resolver: zodResolver(Reason), defaultValues: drafts.read(draft, Reason) ?? { justification: '' } });
  const { mutate, isPending, error } = useMutation({
    mutationFn: (justification: string) => call(EndAccessNow, { body: { principalId: item.principalId, groupId: item.groupId, justification } }),
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
  });
  const close = (): void => {
    drafts.forget(draft);
    onClose();
  };
  const end = form.handleSubmit(({ justification }) => {
    mutate(justification, {
      onSuccess: (ended) => {
        drafts.forget(draft);
        onEnded(ended);
      },
      onError: (refusal) => { if (leadsAway(refusal)) drafts.keep(draft, { justification }); },
    });
  });
  return (
    <ConfirmDialog title={`End ${item.principalName}’s access to ${opens(item)} now`} confirm={isPending ? 'Ending' : 'End now'} open busy={isPending} onConfirm={() => void end()} onClose={close}>
      <ProblemBar error={error} />
      <p>{item.ended ? `The membership of ${item.groupName} ended at ${formatClock(item.ended.at)}.` : `The membership of ${item.groupName} is taken away.`} When the directory shows that it is gone, all sign-ins of {item.principalName} are revoked: every application on every device asks to sign in again.</p>
      <p>Open connections close within {formatMinutes(REVOCATION_TAKES_MINUTES)} on Windows clients that know continuous access evaluation. Others may stay open until {formatClock(item.ended?.networkMayStayOpenUntil ?? new Date(serverNow().getTime() + NETWORK_MAY_STAY_OPEN_MINUTES * 60_000).toISOString())}.</p>
      <FormProvider {...form}><form noValidate onSubmit={(event) => { event.preventDefault(); void end(); }}><TextField<{ justification: string }> name="justification" label="Why" required placeholder="Laptop stolen, incident number" /></form></FormProvider>
    </ConfirmDialog>
  );
}
