import type { BatchRow } from '@gatehouse/contracts';
import { MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { PlanList } from '../../ui/plan-list.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { SidePanel } from '../../ui/side-panel.tsx';
import { ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { TextLink } from '../../ui/text-link.tsx';
import { batchRow } from './batches.queries.ts';
import { STANDINGS, standingOf } from './batches.words.ts';

const useStyles = makeStyles({
  state: { marginBottom: '12px' },
  text: { margin: '8px 0', overflowWrap: 'anywhere' },
  links: { display: 'flex', flexWrap: 'wrap', gap: '4px 16px', margin: '8px 0 16px' },
  bar: { marginBottom: '8px' },
  quiet: { color: tokens.colorNeutralForeground2 },
});

/** One row: how it stands and why, and every step of its plan. */
export function RowPanel({ batchId, row, started, onClose }: { batchId: string; row: BatchRow; started: boolean; onClose(): void }) {
  const styles = useStyles();
  const query = useQuery(batchRow(batchId, row.ordinal, row.status));
  const plan = query.data?.plan;
  const { tone, word } = STANDINGS[standingOf(row, started)];
  return (
    <SidePanel open title={row.name === '' ? `Line ${row.line}` : row.name} onClose={onClose}>
      <div className={styles.state}><StatusBadge tone={tone}>{word}</StatusBadge> <span className={styles.quiet}>· line {row.line}</span></div>
      {row.detail !== null && <p className={styles.text}>{row.detail}</p>}
      {(row.setupId !== null || row.runId !== null) && (
        <div className={styles.links}>
          {row.runId !== null && <TextLink to={`/runs/${row.runId}`}>{row.status === 'failed' ? 'Open its run, to continue it' : 'Open its run'}</TextLink>}
          {row.setupId !== null && <TextLink to={`/setups/${row.setupId}`}>See the setup</TextLink>}
        </div>
      )}
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={4} />}
      {plan?.warnings.map(({ code, message, mend }) => <MessageBar key={`${code}${message}`} intent="warning" layout="multiline" className={styles.bar}><MessageBarBody><MessageBarTitle>{message}</MessageBarTitle> {mend}</MessageBarBody></MessageBar>)}
      {plan && <PlanList label={`Plan of ${row.name}`} steps={plan.steps} />}
      {query.data && plan === null && <p className={styles.text}>{row.status === 'refused' ? 'There is no plan: the row has to be mended in the file first.' : row.status === 'waiting' ? row.detail === null ? 'It has no plan yet.' : 'Continue the batch to plan it.' : 'There is no plan of it.'}</p>}
    </SidePanel>
  );
}
