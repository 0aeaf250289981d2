import type { Batch, BatchRow } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Checkbox } from '@fluentui/react-checkbox';
import { Link } from '@fluentui/react-link';
import { ProgressBar } from '@fluentui/react-progress';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link as RouterLink, useNavigate, useParams, useSearchParams } from 'react-router';
import { formatInstant } from '../../lib/dates.ts';
import { usePutParam } from '../../lib/search-param.ts';
import { useNow } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { useFocusKept } from '../../ui/focus-kept.ts';
import { Page } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { isUnknown, UnknownPage } from '../../ui/unknown-page.tsx';
import { batch, resultOf, useApplyBatch, useContinueBatch, useStopBatch } from './batches.queries.ts';
import { batchState, isMoving, isStarted, progressOf, setupsInWords, STANDINGS, standingOf, type Standing } from './batches.words.ts';
import { RowPanel } from './row-panel.tsx';

const useStyles = makeStyles({
  actions: { display: 'flex', flexWrap: 'wrap', gap: '8px' },
  state: { display: 'flex', flexWrap: 'wrap', gap: '4px 16px', margin: '0 0 12px' },
  quiet: { color: tokens.colorNeutralForeground2 },
  progress: { margin: '0 0 16px' },
  filter: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '8px', margin: '16px 0 12px' },
  apply: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '8px 16px', padding: '12px 16px', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  sum: { flex: '1 1 280px' },
  sentence: { margin: 0 },
  text: { margin: '0 0 12px', maxWidth: '80ch' },
  small: { display: 'block', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  links: { display: 'flex', gap: '12px' },
  link: { color: tokens.colorBrandForegroundLink },
  more: { marginTop: '12px' },
  name: { textAlign: 'left', lineHeight: 'inherit', overflowWrap: 'anywhere' },
});

/** Many setups in one go: their plans together, applying them, and what became of each. All of it is on the server, so a reload shows the same. */
export function BatchPage() {
  const { batchId = '' } = useParams();
  const navigate = useNavigate();
  const query = useQuery(batch(batchId));
  const stop = useStopBatch(batchId);
  const again = useContinueBatch(batchId);
  const current = query.data;
  useFocusKept(current?.status);
  if (isUnknown(query.error)) return <UnknownPage what="batch" />;
  return (
    <Page title={current?.name ?? 'Many at once'} action={current && <Actions current={current} stopping={stop.isPending || current.stopAskedBy !== null} continuing={again.isPending} onStop={() => { stop.mutate(undefined); }} onContinue={() => { again.mutate(undefined); }} onBack={() => void navigate('/setups/batches')} />}>
      <ProblemBar error={query.error ?? stop.error ?? again.error} {...(query.error && { onRetry: () => void query.refetch() })} />
      {query.isPending && <ListSkeleton rows={6} />}
      {current && <Whole current={current} />}
    </Page>
  );
}

function Actions({ current, stopping, continuing, onStop, onContinue, onBack }: { current: Batch; stopping: boolean; continuing: boolean; onStop(): void; onContinue(): void; onBack(): void }) {
  const styles = useStyles();
  const resumable = current.status === 'stopped' || current.status === 'interrupted' || (current.status === 'finished' && (current.counts.failed ?? 0) > 0);
  const file = isStarted(current) && current.format !== null && !isMoving(current);
  // Refused and blocked ones too: with what is mended in it, the file is the next batch.
  const left = (current.counts.failed ?? 0) + (current.counts.refused ?? 0) + (current.counts.blocked ?? 0);
  return (
    <div className={styles.actions}>
      <Button onClick={onBack}>See all batches</Button>
      {file && left > 0 && <Button as="a" href={resultOf(current.id, 'failed')} download>{`Download the ${left === 1 ? 'row' : `${left} rows`} left`}</Button>}
      {file && <Button as="a" href={resultOf(current.id, 'all')} download>Download the result</Button>}
      {isMoving(current) && <Button disabledFocusable={stopping} onClick={onStop}>{current.status === 'planning' ? (stopping ? 'Stopping the planning…' : 'Stop planning') : stopping ? 'Stopping after the setups in hand…' : 'Stop after the setups in hand'}</Button>}
      {resumable && <Button appearance="primary" disabled={continuing} onClick={onContinue}>Continue the batch</Button>}
    </div>
  );
}

function Whole({ current }: { current: Batch }) {
  const styles = useStyles();
  const { done, of } = progressOf(current);
  const { tone, word } = batchState(current);
  const failed = current.counts.failed ?? 0;
  const live = current.status === 'planning' ? `Planning: ${done} of ${setupsInWords(of)}` : current.status === 'running' ? `Applying: ${done} of ${setupsInWords(of)}${failed > 0 ? `, ${failed} failed` : ''}` : word;
  return (
    <>
      <div className={styles.state}><span role="status"><StatusBadge tone={tone}>{live}</StatusBadge></span> <Begun current={current} /></div>
      {(isMoving(current) || current.status === 'stopped' || current.status === 'interrupted') && <ProgressBar className={styles.progress} value={done / Math.max(1, of)} color={failed > 0 ? 'error' : 'brand'} aria-label={current.startedAt === null ? 'Setups planned' : 'Setups applied'} />}
      {current.status === 'planned' && <Apply current={current} />}
      {current.status === 'stopped' && <p className={styles.text}>{current.stopAskedBy ?? 'Somebody'} stopped it{current.startedAt === null ? ' while it was being planned' : ''}. {goingOn(current)}</p>}
      {current.status === 'interrupted' && <p className={styles.text}>{current.detail ?? 'The portal stopped while it was under way.'} {goingOn(current)}</p>}
      {current.status === 'finished' && failed > 0 && <p className={styles.text}>Each row that failed says why. Continuing tries those again; what is done stays done.{current.format !== null && ' What is wrong in the file is mended in the rows left, and brought in as the next batch.'}</p>}
      <Rows current={current} />
    </>
  );
}

/** What continuing means. */
const goingOn = ({ startedAt }: Batch): string => (startedAt === null ? 'Nothing was applied. Continuing plans the rows that are left; then you review all of them.' : 'What is done stays done. Continuing goes on with the rest, and tries again what failed.');

function Begun({ current }: { current: Batch }) {
  const styles = useStyles();
  const now = useNow();
  return <span className={styles.quiet}>{current.actorName}, {formatInstant(current.createdAt, now)}{current.finishedAt !== null && ` to ${formatInstant(current.finishedAt, now)}`}</span>;
}

/** What applying means in sum, and the tick for what cannot be undone. */
function Apply({ current }: { current: Batch }) {
  const styles = useStyles();
  const apply = useApplyBatch(current.id);
  const [understood, setUnderstood] = useState(false);
  const planned = current.rows.filter(({ status }) => status === 'planned');
  const final = planned.filter(({ irreversible }) => irreversible).length;
  const left = current.rows.length - planned.length;
  const sum = (of: 'changes' | 'calls'): number => planned.reduce((total, row) => total + row[of], 0);
  if (planned.length === 0) return <p className={styles.text}>No row has anything to apply. Each says why below.</p>;
  return (
    <>
      <ProblemBar error={apply.error} />
      <div className={styles.apply} role="group" aria-label="Apply">
        <div className={styles.sum}>
          <p className={styles.sentence}>{count(sum('changes'), 'change')} in {setupsInWords(planned.length)}, {count(sum('calls'), 'call')} to Microsoft Graph.{left === 1 ? ' 1 row is left as it is.' : left > 1 ? ` ${left} rows are left as they are.` : ''}</p>
          {final > 0 && <Checkbox checked={understood} onChange={(_event, data) => { setUnderstood(data.checked === true); }} label={`I understand that ${final === 1 ? '1 of them has a step that' : `${final} of them have steps that`} cannot be undone, such as onboarding a group to PIM`} />}
        </div>
        <Button appearance="primary" disabled={apply.isPending || (final > 0 && !understood)} onClick={() => { apply.mutate(understood || final === 0); }}>{`Apply ${setupsInWords(planned.length)}`}</Button>
      </div>
    </>
  );
}

/** So many rows stand in the page at first; a thousand at once would make it slow. */
const AT_ONCE = 100;

function Rows({ current }: { current: Batch }) {
  const styles = useStyles();
  const [search] = useSearchParams();
  const put = usePutParam();
  const [shown, setShown] = useState(AT_ONCE);
  const started = isStarted(current);
  const standings = (Object.keys(STANDINGS) as Standing[]).map((standing) => [standing, current.rows.filter((row) => standingOf(row, started) === standing).length] as const).filter(([, number]) => number > 0);
  const only = standings.find(([standing]) => standing === search.get('show'))?.[0];
  const matching = only === undefined ? current.rows : current.rows.filter((row) => standingOf(row, started) === only);
  const opened = current.rows.find(({ ordinal }) => String(ordinal) === search.get('row'));
  const open = ({ ordinal }: BatchRow): void => { put('row', String(ordinal)); };
  const columns: readonly Column<BatchRow>[] = [
    { id: 'group', header: 'Group', width: '28%', cell: (row) => <Link as="button" className={styles.name} onClick={(event) => { event.stopPropagation(); open(row); }}>{row.name === '' ? 'Not named' : row.name}</Link> },
    { id: 'line', header: current.format === null ? 'Place' : 'Line', width: '64px', cell: ({ line }) => line },
    { id: 'state', header: 'State', width: '160px', cell: (row) => { const { tone, word } = STANDINGS[standingOf(row, started)]; return <StatusBadge tone={tone}>{word}</StatusBadge>; } },
    { id: 'changes', header: 'Changes', width: '160px', cell: ({ changes, calls, irreversible }) => (changes === 0 ? '' : <>{count(changes, 'change')}, {count(calls, 'call')}{irreversible && !started && <span className={styles.small}>Cannot be undone</span>}</>) },
    { id: 'why', header: 'Why', cell: ({ detail, warnings }) => (detail === null && warnings === 0 ? '' : <>{detail}{warnings > 0 && <span className={styles.small}>{count(warnings, 'warning')}</span>}</>) },
    ...(started ? [{ id: 'links', header: 'See', width: '120px', cell: ({ runId, setupId, name }: BatchRow) => (runId === null && setupId === null ? '' : (
      <div className={styles.links}>
        {setupId !== null && <To to={`/setups/${setupId}`} label={`Setup of ${name}`}>Setup</To>}
        {runId !== null && <To to={`/runs/${runId}`} label={`Run of ${name}`}>Run</To>}
      </div>
    )) }] : []),
  ];
  return (
    <>
      <div className={styles.filter} role="group" aria-label="Show">
        <Filter on={only === undefined} onClick={() => { put('show', undefined); }}>{`All ${current.rows.length}`}</Filter>
        {standings.map(([standing, number]) => <Filter key={standing} on={only === standing} onClick={() => { put('show', standing); }}>{`${STANDINGS[standing].word} ${number}`}</Filter>)}
      </div>
      {current.rows.length === 0 ? <EmptyState title="There is no row in it" /> : <DataTable label="Setups of the batch" columns={columns} rows={matching.slice(0, shown)} rowKey={({ ordinal }) => String(ordinal)} onOpen={open} />}
      {matching.length > shown && <Button className={styles.more} onClick={() => { setShown(shown + AT_ONCE); }}>{`Show ${Math.min(AT_ONCE, matching.length - shown)} more of ${matching.length}`}</Button>}
      {opened && <RowPanel batchId={current.id} row={opened} started={started} onClose={() => { put('row', undefined); }} />}
    </>
  );
}

/** A link within a row, whose own click opens the row. */
function To({ to, label, children }: { to: string; label: string; children: string }) {
  const styles = useStyles();
  return <RouterLink className={styles.link} to={to} aria-label={label} onClick={(event) => { event.stopPropagation(); }}>{children}</RouterLink>;
}

function Filter({ on, onClick, children }: { on: boolean; onClick(): void; children: string }) {
  return <Button size="small" shape="circular" appearance={on ? 'primary' : 'outline'} aria-pressed={on} onClick={onClick}>{children}</Button>;
}

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
