import { Button } from '@fluentui/react-button';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from 'react-router';
import { Page } from '../../ui/page.tsx';
import { ListSkeleton } from '../../ui/states.tsx';
import { blockedIn, count, isIrreversible, NotBegun, PlanFoot, PlanReview } from './plan-review.tsx';
import { run, undoPlan, useReviewed, useUndo } from './setups.queries.ts';
import { isUnknown, UnknownPage } from './unknown-page.tsx';

/** What it takes to take back what a run made, and doing it: reviewed like any other change. */
export function UndoPage() {
  const { runId = '' } = useParams();
  const navigate = useNavigate();
  const undone = useQuery(run(runId));
  const query = useQuery(undoPlan(runId));
  const undo = useUndo(runId);
  const { current, replaced, understood, understand, replace } = useReviewed(undoPlan(runId).queryKey, query.data);
  if (isUnknown(undone.error)) return <UnknownPage what="run" />;
  const mayStart = current !== undefined && blockedIn(current) === 0 && current.changes > 0 && !query.isFetching && !undo.isPending && (understood || !isIrreversible(current));
  const start = (): void => {
    if (!current) return;
    undo.mutate({ digest: current.digest, irreversibleUnderstood: understood || !isIrreversible(current) }, {
      onSuccess: (next) => { void navigate(`/runs/${next.id}`); },
      onError: replace,
    });
  };
  return (
    <Page title={undone.data ? `Undo: ${undone.data.setupName}` : 'Undo'} lead="What the run made is taken back, and what it changed is put back. What others did since then stays.">
      <NotBegun error={query.error ?? undo.error} onRetry={query.error ? () => void query.refetch() : undefined} />
      {query.isPending && <ListSkeleton rows={4} />}
      {current && (
        <PlanReview plan={current} replaced={replaced} label="Plan of the undo" consent="I understand that a group that is deleted may not come back" understood={understood} reading={query.isFetching}
          onUnderstood={understand} onRead={() => void query.refetch()} />
      )}
      <PlanFoot plan={current} nothing="Nothing to take back: none of it is there any more">
        <Button onClick={() => void navigate(`/runs/${runId}`)}>Back to the run</Button>
        <Button appearance="primary" disabled={!mayStart} onClick={start}>{current && current.changes > 0 ? `Undo ${count(current.changes, 'change')}` : 'Undo'}</Button>
      </PlanFoot>
    </Page>
  );
}
