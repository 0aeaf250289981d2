import type { Answer, ApprovalItem, ListApprovals } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { AlertOffRegular, AlertRegular, CheckmarkCircleRegular } from '@fluentui/react-icons';
import { MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { ApiError } from '../../lib/api.ts';
import { formatInstant } from '../../lib/dates.ts';
import { useDraft } from '../../lib/drafts.ts';
import { serverNow } from '../../lib/session.ts';
import { useFocusKept } from '../../ui/focus-kept.ts';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { ApprovalCard } from './approval-card.tsx';
import { switchBrowserNotifications, useBrowserNotifications } from './approvals.browser.ts';
import { approvals, type End } from './approvals.queries.ts';
import { newsOf, wantedOf, whenOf } from './approvals.words.ts';
import { DecideSeveral, SEVERAL, Several } from './decide-several.tsx';

const useStyles = makeStyles({
  cards: { display: 'grid', gap: '16px', maxWidth: '880px' },
  news: { marginBottom: '16px' },
  ends: { margin: '4px 0 0', paddingLeft: '20px', overflowWrap: 'anywhere' },
  blocked: { margin: 0, maxWidth: '40ch', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  decided: { marginTop: '32px', maxWidth: '880px' },
  summary: { cursor: 'pointer', padding: '8px 0', fontWeight: tokens.fontWeightSemibold },
  list: { listStyle: 'none', margin: 0, padding: 0 },
  row: { display: 'grid', gridTemplateColumns: '112px minmax(0, 1fr) auto', gap: '4px 16px', padding: '8px 0', overflowWrap: 'anywhere', ':not(:last-child)': { borderBottom: `1px solid ${tokens.colorNeutralStroke3}` }, '@media (max-width: 640px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
  when: { color: tokens.colorNeutralForeground2, fontVariantNumeric: 'tabular-nums' },
});

interface News { readonly title: string; readonly text: string }
type Inbox = Answer<typeof ListApprovals>;

/** Requests that wait for the signed-in person's decision, and what they decided lately. */
export function ApprovalsPage() {
  const styles = useStyles();
  const query = useQuery(approvals());
  const [search] = useSearchParams();
  const [news, setNews] = useState<readonly News[]>([]);
  const [failed, setFailed] = useState<readonly End[]>([]);
  // What was selected before a verification, once, and no longer than one of it waits: another round has a reason of its own.
  const before = useDraft(SEVERAL, Several);
  const [ids, setIds] = useState<ReadonlySet<string>>(() => new Set(before?.ids));
  const linkedId = search.get('request')?.toLowerCase();
  const items = query.data?.items ?? [];
  // Who has decided a request had the focus on a button of its card.
  useFocusKept(items.map(({ id }) => id).join());
  const selected = items.filter(({ id }) => ids.has(id));

  /** What was decided is news, as is what others had decided; the rest stays selected, with its reason. */
  const tell = (decision: 'approve' | 'deny', ends: readonly End[]): void => {
    const done = ends.filter(({ outcome }) => outcome === 'decided').map(({ item }) => `${item.requesterName}: ${wantedOf(item)}.`);
    const late = ends.flatMap(({ item, error }) => { const told = newsOf(error, serverNow()); return told ? [{ title: told.title, text: `${item.requesterName}: ${wantedOf(item)}. ${told.text}` }] : []; });
    const rest = ends.filter(({ outcome, error }) => outcome !== 'decided' && !newsOf(error, serverNow()));
    setNews([...(done.length > 0 ? [{ title: `${decision === 'approve' ? 'Approved' : 'Denied'}${done.length > 1 ? ` ${done.length}` : ''}`, text: done.join(' ') }] : []), ...late]);
    setFailed(rest);
    setIds(new Set(rest.map(({ item }) => item.id)));
  };

  return (
    <Page title="Approvals" action={<BrowserNotifications />}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {news.length > 0 && <MessageBar intent="info" layout="multiline" className={styles.news} role="status"><MessageBarBody>{news.map(({ title, text }) => <div key={`${title}${text}`}><MessageBarTitle>{title}</MessageBarTitle> {text}</div>)}</MessageBarBody></MessageBar>}
      <NotDecided ends={failed} />
      {query.isPending && <ListSkeleton rows={3} />}
      {/* Who has just decided it has read so. */}
      {query.data && linkedId !== undefined && news.length === 0 && <Linked id={linkedId} inbox={query.data} />}
      {query.data && items.length === 0 && <EmptyState icon={<CheckmarkCircleRegular />} title="Nothing waits for your decision">When somebody asks for access that you approve, it appears here for 24 h. Your own requests go to other approvers.</EmptyState>}
      {items.length > 1 && <DecideSeveral items={items} selected={selected} reason={selected.length > 0 ? before?.justification ?? '' : ''} onSelect={(chosen) => { setIds(new Set(chosen)); }} onEnds={tell} />}
      {query.data && items.length > 0 && (
        <div className={styles.cards}>
          {items.map((item) => (
            <ApprovalCard
              key={item.id} item={item} inbox={query.data} linked={item.id === linkedId} onNews={(one) => { setNews([one]); }}
              selection={items.length > 1 ? { selected: ids.has(item.id), onChange: (chosen) => { setIds(chosen ? new Set([...ids, item.id]) : new Set([...ids].filter((id) => id !== item.id))); } } : undefined}
            />
          ))}
        </div>
      )}
      {query.data && query.data.decided.length > 0 && <Decided rows={query.data.decided} />}
    </Page>
  );
}

/** Of several, those that are not decided: each says why. One that asks for a verification offers it, and the rest follow it. */
function NotDecided({ ends }: { ends: readonly End[] }) {
  const styles = useStyles();
  const verify = ends.find(({ outcome, error }) => outcome === 'untried' && error !== undefined);
  const refused = ends.filter(({ outcome }) => outcome === 'failed');
  return (
    <>
      {verify && <ProblemBar error={verify.error} />}
      {refused.length > 0 && (
        <MessageBar intent="error" layout="multiline" className={styles.news} role="alert">
          <MessageBarBody>
            <MessageBarTitle>{refused.length === 1 ? '1 request is not decided' : `${refused.length} requests are not decided`}</MessageBarTitle>
            <ul className={styles.ends}>{refused.map(({ item, error }) => <li key={item.id}>{item.requesterName}: {wantedOf(item)}. {whyNot(error)}</li>)}</ul>
          </MessageBarBody>
        </MessageBar>
      )}
    </>
  );
}

function whyNot(error: unknown): string {
  if (!(error instanceof ApiError)) return 'It is not known why. Reload to see how it stands.';
  const { title, detail, requestId } = error.problem;
  return [`${title}.`, detail, requestId && `Ref ${requestId}`].filter(Boolean).join(' ');
}

/** A link named a request that does not wait here: what became of it, as far as it shows. */
function Linked({ id, inbox }: { id: string; inbox: Inbox }) {
  const styles = useStyles();
  if (inbox.items.some((item: ApprovalItem) => item.id === id)) return null;
  const mine = inbox.decided.find((row) => row.id.toLowerCase() === id);
  return (
    <MessageBar intent="info" layout="multiline" className={styles.news} role="status">
      <MessageBarBody>
        <MessageBarTitle>The request of this link does not wait for you</MessageBarTitle>{' '}
        {mine ? `You ${mine.decision === 'approve' ? 'approved' : 'denied'} it ${whenOf(mine.decidedAt, serverNow())}: “${mine.justification}”.` : 'It is decided, was taken back, has lapsed, or is for other approvers.'}
      </MessageBarBody>
    </MessageBar>
  );
}

/** Switches notifications of this browser; the browser is asked for its leave on this click and at no other time. */
function BrowserNotifications() {
  const styles = useStyles();
  const state = useBrowserNotifications();
  if (state === 'not-offered') return null;
  if (state === 'blocked') return <p className={styles.blocked}>This browser blocks notifications of the portal; its settings for this site can allow them.</p>;
  return state === 'on'
    ? <Button icon={<AlertOffRegular />} onClick={() => void switchBrowserNotifications(false)}>Stop notifying me here</Button>
    : <Button icon={<AlertRegular />} title="Tells you of new requests while the portal is open in this browser" onClick={() => void switchBrowserNotifications(true)}>Notify me in this browser</Button>;
}

function Decided({ rows }: { rows: Answer<typeof ListApprovals>['decided'] }) {
  const styles = useStyles();
  const now = serverNow();
  return (
    <details className={styles.decided}>
      <summary className={styles.summary}>Decided here in the last 7 days ({rows.length})</summary>
      <ul className={styles.list}>
        {rows.map(({ id, decision, justification, decidedAt, requesterName, groupName }) => (
          <li key={id} className={styles.row}>
            <StatusBadge tone={decision === 'approve' ? 'good' : 'bad'}>{decision === 'approve' ? 'Approved' : 'Denied'}</StatusBadge>
            <span>{[requesterName ?? 'Somebody', groupName].filter(Boolean).join(' · ')} · “{justification}”</span>
            <span className={styles.when}>{formatInstant(decidedAt, now)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
