import type { Answer, ListApprovals } from '@gatehouse/contracts';
import { CheckmarkCircleRegular } from '@fluentui/react-icons';
import { MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { formatInstant } from '../../lib/dates.ts';
import { serverNow } from '../../lib/session.ts';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { ApprovalCard } from './approval-card.tsx';
import { approvals } from './approvals.queries.ts';

const useStyles = makeStyles({
  cards: { display: 'grid', gap: '16px', maxWidth: '880px' },
  news: { marginBottom: '16px' },
  decided: { marginTop: '32px', maxWidth: '880px' },
  summary: { cursor: 'pointer', padding: '8px 0', fontWeight: tokens.fontWeightSemibold },
  list: { listStyle: 'none', margin: 0, padding: 0 },
  row: { display: 'grid', gridTemplateColumns: '112px minmax(0, 1fr) auto', gap: '4px 16px', padding: '8px 0', overflowWrap: 'anywhere', ':not(:last-child)': { borderBottom: `1px solid ${tokens.colorNeutralStroke3}` }, '@media (max-width: 640px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
  when: { color: tokens.colorNeutralForeground2, fontVariantNumeric: 'tabular-nums' },
});

/** Requests that wait for the signed-in person's decision, and what they decided lately. */
export function ApprovalsPage() {
  const styles = useStyles();
  const query = useQuery(approvals());
  const [news, setNews] = useState<{ title: string; text: string }>();
  return (
    <Page title="Approvals">
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {news && <MessageBar intent="info" layout="multiline" className={styles.news} role="status"><MessageBarBody><MessageBarTitle>{news.title}</MessageBarTitle> {news.text}</MessageBarBody></MessageBar>}
      {query.isPending && <ListSkeleton rows={3} />}
      {query.data && query.data.items.length === 0 && <EmptyState icon={<CheckmarkCircleRegular />} title="Nothing waits for your decision">When somebody asks for access that you approve, it appears here for 24 h. Your own requests go to other approvers.</EmptyState>}
      {query.data && query.data.items.length > 0 && <div className={styles.cards}>{query.data.items.map((item) => <ApprovalCard key={item.id} item={item} onNews={setNews} />)}</div>}
      {query.data && query.data.decided.length > 0 && <Decided rows={query.data.decided} />}
    </Page>
  );
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
