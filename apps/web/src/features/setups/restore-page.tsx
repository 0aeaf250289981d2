import { Button } from '@fluentui/react-button';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { Page } from '../../ui/page.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { isUnknown, UnknownPage } from '../../ui/unknown-page.tsx';
import { PlanReview, type ReviewWords } from './plan-review.tsx';
import { restorePlan, setup, useRestore } from './setups.queries.ts';

const WORDS: ReviewWords = { list: 'Plan of the restore', verb: 'Restore with', unread: 'Restore', nothing: 'Nothing to restore: in these points the tenant is as the setup says by now', nothingVerb: 'Verify it', back: 'Back to the setup' };

/** What it takes to make the tenant what the setup says in the chosen points, and doing it: reviewed like any other change. */
export function RestorePage() {
  const { setupId = '' } = useParams();
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const chosen = search.getAll('keys').filter((key) => key !== '');
  const one = useQuery(setup(setupId));
  const query = useQuery(restorePlan(setupId, chosen));
  const restore = useRestore(setupId, chosen);
  const back = (): void => { void navigate(`/setups/${setupId}`); };
  if (isUnknown(one.error)) return <UnknownPage what="setup" />;
  return (
    <Page title={one.data ? `Restore: ${one.data.name}` : 'Restore a setup'} lead={chosen.length > 0 && `The tenant becomes what the setup says in ${chosen.length === 1 ? 'the difference' : `the ${chosen.length} differences`} that you chose. All else stays as it is.`}>
      {chosen.length === 0
        ? <EmptyState title="No difference is chosen" action={<Button appearance="primary" onClick={back}>See the differences</Button>}>The page of the setup lists what differs; what you choose there is planned here.</EmptyState>
        : <PlanReview query={query} queryKey={restorePlan(setupId, chosen).queryKey} begin={restore} words={WORDS} finalFirst onBack={back} onBegun={({ id }) => void navigate(`/runs/${id}`)} />}
    </Page>
  );
}
