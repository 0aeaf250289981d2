import type { OwnSession } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { formatAgo, formatInstant } from '../../lib/dates.ts';
import { useNow, useSignOut } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { ownSessions, useEndSessions } from './device.queries.ts';

const useStyles = makeStyles({
  name: { fontWeight: tokens.fontWeightSemibold },
  small: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
  news: { margin: '0 0 16px', color: tokens.colorNeutralForeground2, ':empty': { margin: 0 }, ':focus': { outline: 'none' } },
});

/** Where a person is signed in, and the way to end it from here. */
export function SessionsPage() {
  const styles = useStyles();
  const now = useNow();
  const query = useQuery(ownSessions());
  const end = useEndSessions();
  const signOut = useSignOut();
  const news = useRef<HTMLParagraphElement>(null);
  // The row goes with its button: who used the keyboard goes on at what became of it.
  const send = (one?: OwnSession) => { end.mutate(one, { onSuccess: () => { news.current?.focus(); } }); };
  const all = query.data?.sessions ?? [];
  const columns: readonly Column<OwnSession>[] = [
    { id: 'what', header: 'Device', width: '26%', cell: (one) => <Name one={one} /> },
    { id: 'address', header: 'From', cell: ({ address }) => address ?? 'Not known' },
    { id: 'since', header: 'Since', cell: ({ since }) => formatInstant(since, now) },
    { id: 'used', header: 'Last used', cell: ({ lastUsedAt }) => formatAgo(lastUsedAt, now) },
    { id: 'ends', header: 'Ends at the latest', cell: ({ endsAt }) => formatInstant(endsAt, now) },
    {
      id: 'end', header: 'End it', width: '112px', cell: (one) => (one.isCurrent
        ? <Button size="small" disabledFocusable={signOut.isPending} onClick={() => { signOut.mutate(); }}>Sign out</Button>
        : <Button size="small" aria-label={`End ${nameOf(one)}, since ${formatInstant(one.since, now)}`} disabledFocusable={end.isPending} onClick={() => { send(one); }}>End</Button>),
    },
  ];
  return (
    <Page title="Signed-in devices" lead="Browsers where you signed in to Gatehouse, and command lines that you allowed. Each ends after 30 min without use. Ending a browser ends your command lines too."
      action={all.length > 1 && <Button appearance="primary" disabledFocusable={end.isPending} onClick={() => { send(); }}>End all others</Button>}>
      <ProblemBar error={end.error ?? signOut.error} />
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      <p ref={news} role="status" tabIndex={-1} className={styles.news}>{end.isSuccess && newsOf(end.data.ended)}</p>
      {query.isPending && <ListSkeleton rows={2} />}
      {all.length > 0 && <DataTable label="Signed-in devices" columns={columns} rows={all} rowKey={({ id }) => id} />}
    </Page>
  );
}

function Name({ one }: { one: OwnSession }) {
  const styles = useStyles();
  return (
    <>
      <span className={styles.name}>{one.name ?? 'Browser'}</span>
      {one.kind === 'command line' && <span className={styles.small}>Command line, as it calls itself</span>}
      {one.isCurrent && <span className={styles.small}><StatusBadge tone="good">This browser</StatusBadge></span>}
    </>
  );
}

const nameOf = ({ name, address }: OwnSession): string => name ?? (address === null ? 'the browser' : `the browser at ${address}`);

function newsOf(ended: number): string {
  if (ended === 0) return 'Nothing else was signed in.';
  return ended === 1 ? '1 device was signed out.' : `${ended} devices were signed out.`;
}
