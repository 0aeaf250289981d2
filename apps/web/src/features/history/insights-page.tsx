import { InsightKind, type Answer, type Insight, type ListInsights } from '@gatehouse/contracts';
import { Field } from '@fluentui/react-field';
import { Select } from '@fluentui/react-select';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { formatDay, formatInstant } from '../../lib/dates.ts';
import { usePutParam } from '../../lib/search-param.ts';
import { useNow } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { ListSkeleton } from '../../ui/states.tsx';
import { HistoryPage } from './history-page.tsx';
import { insights } from './history.queries.ts';

const useStyles = makeStyles({
  tools: { display: 'flex', flexWrap: 'wrap', gap: '8px 12px', margin: '12px 0' },
  note: { margin: '0 0 8px', color: tokens.colorNeutralForeground2, maxWidth: '72ch' },
  link: { color: tokens.colorBrandForegroundLink, overflowWrap: 'anywhere' },
});

const DAYS = [30, 90, 180, 366] as const;
const [OPENS, CLOSES] = [7, 19];

/** What is looked for, and by which rule: an auditor can say why a row is there. */
const RULES: Record<InsightKind, { readonly title: string; readonly rule: (days: number) => string; readonly none: string }> = {
  'standing-access': { title: 'Access without activating', rule: () => 'Assigned as active, or added to the group past PIM, and not taken away since.', none: 'The log shows nobody with standing access.' },
  'unused-eligibility': { title: 'Eligible and not activated', rule: (days) => `Made eligible more than ${days} days ago and not activated in the last ${days} days.`, none: 'Everybody who is eligible activated.' },
  'out-of-hours': { title: 'Outside of working hours', rule: (days) => `Activations that began before ${OPENS}:00, from ${CLOSES}:00 on or at a weekend, by your clock, in the last ${days} days.`, none: 'All activations began in working hours.' },
  'repeated-reason': { title: 'Reasons that say nothing', rule: (days) => `Without a ticket: the same reason five times or more for one group, or one of less than four letters or digits, in the last ${days} days.`, none: 'No reason was repeated so often.' },
  'quick-approval': { title: 'Approved at once', rule: (days) => `Decided less than 10 seconds after the request, in the last ${days} days.`, none: 'No approval was that quick.' },
  'settings-weakened': { title: 'Settings that ask for less', rule: () => 'Changes of role settings after which less was asked for than before. Where the log does not say what was before, nothing is claimed.', none: 'The log shows no setting that was weakened.' },
};

/** What stands out in the log, each by a rule that is written above it. */
export function InsightsPage() {
  const styles = useStyles();
  const now = useNow();
  const [search] = useSearchParams();
  const put = usePutParam();
  const days = DAYS.find((one) => String(one) === search.get('days')) ?? 90;
  const query = useQuery(insights({ days, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, opens: OPENS, closes: CLOSES }));
  return (
    <HistoryPage title="History: insights" coverage={query.data?.coverage}>
      <div className={styles.tools}>
        <Field label="Look back"><Select value={String(days)} onChange={(_event, { value }) => { put('days', value); }}>{DAYS.map((one) => <option key={one} value={one}>{one === 366 ? 'A year' : `${one} days`}</option>)}</Select></Field>
      </div>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={8} />}
      {query.data && <p className={styles.note}>{query.data.knownSince === null ? 'Nothing was read from Microsoft Entra yet, so nothing is known.' : `Known since ${formatDay(query.data.knownSince)}: what was given or set before that is not in the log, and cannot be here.`}</p>}
      {query.data && InsightKind.options.map((kind) => <Found key={kind} kind={kind} data={query.data} days={days} now={now} />)}
    </HistoryPage>
  );
}

function Found({ kind, data, days, now }: { kind: InsightKind; data: Answer<typeof ListInsights>; days: number; now: Date }) {
  const styles = useStyles();
  const rows = data.insights.filter((one) => one.kind === kind);
  const total = data.totals.find((one) => one.kind === kind)?.total ?? rows.length;
  const { title, rule, none } = RULES[kind];
  const columns: readonly Column<Insight>[] = [
    { id: 'who', header: 'Who', width: '176px', cell: ({ person }) => person ?? 'Not named' },
    { id: 'group', header: 'Group', width: '280px', cell: ({ group }) => group ?? '' },
    { id: 'found', header: 'What', cell: ({ found }) => found },
    { id: 'times', header: 'Times', width: '64px', cell: ({ times }) => times },
    { id: 'at', header: kind === 'standing-access' || kind === 'unused-eligibility' ? 'Since' : 'Last', width: '136px', cell: (one) => <Evidence one={one} now={now} /> },
  ];
  return (
    <Section title={`${title} (${total})`}>
      <p className={styles.note}>{rule(days)}</p>
      {rows.length === 0 ? <p className={styles.note}>{data.knownSince === null ? 'Not known.' : none}</p> : <DataTable label={title} columns={columns} rows={rows} rowKey={({ personId, groupId, eventId, requestId }) => `${personId} ${groupId} ${eventId} ${requestId}`} />}
      {total > rows.length && <p className={styles.note}>The newest {rows.length} of {total}.</p>}
    </Section>
  );
}

/** Each row leads to what shows it. */
function Evidence({ one, now }: { one: Insight; now: Date }) {
  const styles = useStyles();
  const words = one.at === null ? 'See it' : formatInstant(one.at, now);
  if (one.requestId !== null) return <Link className={styles.link} to={`/history/activations?${new URLSearchParams({ activation: one.requestId })}`}>{words}</Link>;
  if (one.eventId !== null) return <Link className={styles.link} to={`/history?${new URLSearchParams({ event: one.eventId })}`}>{words}</Link>;
  return <>{words}</>;
}
