import { Button } from '@fluentui/react-button';
import { MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { ProgressBar } from '@fluentui/react-progress';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from 'react-router';
import { formatInstant } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { Page, Section } from '../../ui/page.tsx';
import { ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { TextLink } from '../../ui/text-link.tsx';
import { NotBegun } from './not-begun.tsx';
import { PlanList } from '../../ui/plan-list.tsx';
import { runState } from './run-state.tsx';
import { run, useContinue, useStop, useWatch } from './setups.queries.ts';
import { isUnknown, UnknownPage } from '../../ui/unknown-page.tsx';

const useStyles = makeStyles({ actions: { display: 'flex', flexWrap: 'wrap', gap: '8px' }, progress: { margin: '12px 0 16px' }, cut: { marginBottom: '16px' }, next: { margin: '8px 0 0', paddingLeft: '20px', lineHeight: '24px' } });

/** One applying of a plan, live: what is done, what waits and for what, what failed and how to mend it. */
export function RunPage() {
  const styles = useStyles();
  const { runId = '' } = useParams();
  const navigate = useNavigate();
  const now = useNow();
  const query = useQuery(run(runId));
  const cut = useWatch(query.data);
  const again = useContinue(runId);
  const stop = useStop(runId);
  const current = query.data;
  if (isUnknown(query.error)) return <UnknownPage what="run" />;
  const settled = current?.steps.filter(({ status }) => status === 'done' || status === 'skipped').length ?? 0;
  const rests = current !== undefined && current.status !== 'running' && current.status !== 'succeeded';
  const stopping = stop.isPending || (current?.status === 'running' && current.stopAskedBy !== null);
  const undoable = current !== undefined && current.status !== 'running' && current.undoes === null && !current.restores && current.undoneBy === null;
  const undo = undoable && <Button onClick={() => void navigate(`/runs/${runId}/undo`)}>Undo this run</Button>;
  const resumable = rests && current.undoneBy === null;
  const action = resumable || undoable
    ? <div className={styles.actions}>{undo}{resumable && <Button appearance="primary" disabled={again.isPending} onClick={() => { again.mutate(); }}>Continue the run</Button>}</div>
    : current?.status === 'running' && <Button disabledFocusable={stopping} onClick={() => { stop.mutate(); }}>{stopping ? 'Stopping after the steps in hand…' : 'Stop after the steps in hand'}</Button>;
  const toSetup = current && <TextLink to={`/setups/${current.setupId}`}>See the setup</TextLink>;
  return (
    <Page title={current ? `${current.undoes !== null ? 'Undo' : current.restores ? 'Restore' : 'Run'}: ${current.setupName}` : 'Run'} action={action}>
      <NotBegun error={query.error ?? again.error ?? stop.error} onRetry={query.error ? () => void query.refetch() : undefined} />
      {query.isPending && <ListSkeleton rows={6} />}
      {current && (
        <>
          <div role="status">
            <StatusBadge tone={runState(current).tone}>{current.status === 'running' ? `${current.undoes !== null ? 'Undoing' : current.restores ? 'Restoring' : 'Applying'}: ${settled} of ${current.steps.length} steps` : runState(current).word}</StatusBadge>
            {' · '}{current.actorName}, {formatInstant(current.createdAt, now)}
          </div>
          {current.undoes !== null && <p>It takes back what <OtherRun id={current.undoes} otherwise="an earlier run" /> made.</p>}
          {current.undoneBy !== null && <p>What it made is taken back by <OtherRun id={current.undoneBy} otherwise="a later run" />.</p>}
          <ProgressBar className={styles.progress} value={settled / Math.max(1, current.steps.length)} color={current.status === 'failed' ? 'error' : current.status === 'succeeded' ? 'success' : 'brand'} aria-label="Steps done" />
          {cut && <MessageBar intent="warning" layout="multiline" className={styles.cut}><MessageBarBody><MessageBarTitle>The live view is cut off.</MessageBarTitle> The run goes on without it; the steps below may be behind. This page connects again by itself.</MessageBarBody></MessageBar>}
          <PlanList label="Steps of the run" steps={current.steps} />
          {current.status === 'succeeded' && (current.undoes !== null || current.restores) && <p>Everything above was read back from Microsoft Entra after it was done. {toSetup}</p>}
          {current.status === 'succeeded' && current.undoes === null && !current.restores && current.undoneBy === null && (
            <Section title="What now">
              <ul className={styles.next}>
                <li>Everything above was read back from Microsoft Entra after it was done.</li>
                <li>Tell the people that they may activate it: they find it under My access by the name of the application.</li>
                <li>Clients of Global Secure Access learn of a new application within 15 min.</li>
                <li>{toSetup}</li>
              </ul>
            </Section>
          )}
          {resumable && <p>{current.status === 'stopped' && `${current.stopAskedBy ?? 'Somebody'} stopped it. `}What is done stays done. Continuing reads the tenant again and does only what is missing; nothing is made twice. {toSetup}</p>}
        </>
      )}
    </Page>
  );
}

/** Leads to another run of the setup, by who began it and when, and how far it is; until that is known by other words. */
function OtherRun({ id, otherwise }: { id: string; otherwise: string }) {
  const now = useNow();
  const other = useQuery(run(id)).data;
  return <><TextLink to={`/runs/${id}`}>{other ? `${other.actorName}’s run of ${formatInstant(other.createdAt, now)}` : otherwise}</TextLink>{other && ` (${runState(other).word.toLowerCase()})`}</>;
}
