import type { AccessEntry, AccessTarget } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { Input } from '@fluentui/react-input';
import { MessageBar, MessageBarBody } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useId, useState, type ReactNode } from 'react';
import { Navigate, useNavigate, useParams, useSearchParams } from 'react-router';
import { useNow } from '../../lib/session.ts';
import { Page, Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ListSkeleton } from '../../ui/states.tsx';
import { accessTarget, myAccess, type Target } from './access.queries.ts';
import { titleOf } from './access.words.ts';
import { Rows } from './access-row.tsx';
import { RowDialogs } from './row-dialogs.tsx';
import { ClosedRow, OpenRow, WaitingRow } from './rows.tsx';

const useStyles = makeStyles({
  bars: { display: 'grid', gap: '8px', marginBottom: '16px' },
  text: { margin: '0 0 16px', maxWidth: '72ch', overflowWrap: 'anywhere' },
  form: { display: 'flex', flexWrap: 'wrap', gap: '8px', alignItems: 'end' },
  field: { width: '360px', maxWidth: '100%' },
  // Below both: within the field it would push the button off the line of the input.
  hint: { flexBasis: '100%', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
});

/** Where a link such as `/go?to=host:443` or `/go/finance-reports` leads: to the activation where that is plain, else to a page that says why not. */
export function GoPage() {
  const { application } = useParams();
  const [search] = useSearchParams();
  const to = search.get('to')?.trim() ?? '';
  return application !== undefined ? <Going key={application} target={{ application }} wanted={application} /> : to !== '' ? <Going key={to} target={{ to }} wanted={to} /> : <Asking />;
}

function Going({ target, wanted }: { target: Target; wanted: string }) {
  const query = useQuery(accessTarget(target));
  if (query.data) return <RowDialogs><Found found={query.data} target={target} /></RowDialogs>;
  return (
    <Page title={`Go to ${wanted}`}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={1} />}
    </Page>
  );
}

function Found({ found: { wanted, outcome, groupIds, access }, target }: { found: AccessTarget; target: Target }) {
  const styles = useStyles();
  const client = useQueryClient();
  const navigate = useNavigate();
  // What was read a moment ago is what My access shows first.
  const [ready, setReady] = useState(false);
  useEffect(() => {
    client.setQueryData(myAccess().queryKey, access);
    setReady(true);
  }, [client, access]);

  const entries = groupIds.flatMap((groupId) => access.entries.find((entry) => entry.groupId === groupId) ?? []);
  const [first] = entries;
  const toMyAccess = <Button appearance="primary" onClick={() => void navigate('/access')}>See My access</Button>;
  const unread = access.notKnown.length > 0 && <div className={styles.bars}>{access.notKnown.map((sentence) => <MessageBar key={sentence} intent="warning" layout="multiline"><MessageBarBody>{sentence}</MessageBarBody></MessageBar>)}</div>;

  if (outcome === 'malformed') return (
    <Page title="This names no machine">
      <p className={styles.text}>“{wanted}” is no host, no host with a port, and no address of a page.</p>
      <Destination />
    </Page>
  );
  if (!first) return (
    <Page title={`Nothing of yours opens ${wanted}`} action={toMyAccess}>
      {unread}
      <p className={styles.text}>{'to' in target
        ? `You are not eligible for anything that opens ${wanted}, or not any more. Check the name and the port, or ask the people who run it.`
        : 'You are not eligible for an application of that name, or not any more. Ask the people who run it.'}</p>
      <Destination />
    </Page>
  );
  if (outcome === 'activate') return ready ? <Navigate to={`/access?activate=${first.groupId}`} replace /> : null;
  if (outcome === 'open') return <Open title={wantedOf(target, wanted, first)} entries={entries} action={toMyAccess} />;
  if (outcome === 'waiting') return (
    <Page title={`${wantedOf(target, wanted, first)}: you asked for it already`} action={toMyAccess}>
      <Section title="Waiting"><Rows label="Waiting">{entries.map((entry) => <WaitingRow key={entry.groupId} entry={entry} />)}</Rows></Section>
    </Page>
  );
  return (
    <Page title={`${entries.length} of yours open ${wanted}`} action={toMyAccess}>
      {unread}
      <p className={styles.text}>None of them is plainly the smallest. Choose the one that you need.</p>
      <Section title="You may open"><Rows label="You may open">{entries.map((entry) => <ClosedRow key={entry.groupId} entry={entry} onActivate={() => void navigate(`/access?activate=${entry.groupId}`)} />)}</Rows></Section>
    </Page>
  );
}

/** By the clock too: what is over is not called open until the list is read again. */
function Open({ title, entries, action }: { title: string; entries: readonly AccessEntry[]; action: ReactNode }) {
  const styles = useStyles();
  const navigate = useNavigate();
  const now = useNow().getTime();
  const running = entries.flatMap(({ active }) => (active && (active.endsAt === null || Date.parse(active.endsAt) > now) ? [active] : []));
  const isMember = running.some(({ memberAt }) => memberAt !== null);
  const [word, text] = running.length === 0 ? ['ending', 'The time is over, and the membership is about to go.']
    : isMember ? ['open', 'You have the access already: connect. Still refused? Reconnect the Global Secure Access client.']
    : ['activated', 'The access is activated, and the directory does not show you as a member yet: a connection may be refused until it does.'];
  return (
    <Page title={`${title} is ${word}`} action={action}>
      <p className={styles.text}>{text}</p>
      <Section title="Open now"><Rows label="Open now">{entries.map((entry) => <OpenRow key={entry.groupId} entry={entry} onEnded={(news) => void navigate('/access', { state: { news } })} />)}</Rows></Section>
    </Page>
  );
}

const wantedOf = (target: Target, wanted: string, entry: AccessEntry): string => ('to' in target ? wanted : titleOf(entry));

function Asking() {
  return (
    <Page title="Go to a host">
      <Destination />
    </Page>
  );
}

/** The address is the state: what is asked for here is a link that can be passed on. */
function Destination() {
  const styles = useStyles();
  const navigate = useNavigate();
  const [to, setTo] = useState('');
  const hint = useId();
  return (
    <form className={styles.form} onSubmit={(event) => {
      event.preventDefault();
      if (to.trim() !== '') void navigate(`/go?${new URLSearchParams({ to: to.trim() })}`);
    }}>
      <Field label="Host, with its port" className={styles.field}>
        <Input aria-describedby={hint} value={to} maxLength={500} autoComplete="off" onChange={(_event, { value }) => { setTo(value); }} />
      </Field>
      <Button type="submit">Find it</Button>
      <span id={hint} className={styles.hint}>Such as fin-rep.corp.example:443, or the address of a page</span>
    </form>
  );
}
