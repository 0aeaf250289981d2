import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from 'react-router';
import { Page } from '../../ui/page.tsx';
import { PlanReview, type ReviewWords } from './plan-review.tsx';
import { run, undoPlan, useUndo } from './setups.queries.ts';
import { isUnknown, UnknownPage } from '../../ui/unknown-page.tsx';

const WORDS: ReviewWords = { list: 'Plan of the undo', verb: 'Undo', nothing: 'Nothing to take back: none of it is there any more', nothingVerb: 'Mark it as undone', back: 'Back to the run' };

/** What it takes to take back what a run made, and doing it: reviewed like any other change. */
export function UndoPage() {
  const { runId = '' } = useParams();
  const navigate = useNavigate();
  const undone = useQuery(run(runId));
  const query = useQuery(undoPlan(runId));
  const undo = useUndo(runId);
  if (isUnknown(undone.error)) return <UnknownPage what="run" />;
  return (
    <Page title={undone.data ? `Undo: ${undone.data.setupName}` : 'Undo a run'} lead="What the run made is taken back, and what it changed is put back. What others did since stays.">
      <PlanReview query={query} queryKey={undoPlan(runId).queryKey} begin={undo} words={WORDS} finalFirst onBack={() => void navigate(`/runs/${runId}`)} onBegun={({ id }) => void navigate(`/runs/${id}`)} />
    </Page>
  );
}
