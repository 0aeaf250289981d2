import type { SetupDefinition } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useEffectEvent } from 'react';
import { useNavigate } from 'react-router';
import { ListSkeleton } from '../../ui/states.tsx';
import { blockedIn, count, isIrreversible, NotBegun, PlanFoot, PlanReview } from './plan-review.tsx';
import { plan, useApply, useReviewed } from './setups.queries.ts';

/** The plan as it stands now, and applying it: every change is in sight before it is made. */
export function ReviewStep({ setupId, definition, onBack, onApplied, onRefused }: { setupId: string | undefined; definition: SetupDefinition; onBack(): void; onApplied(): void; onRefused(error: unknown): void }) {
  const navigate = useNavigate();
  const query = useQuery(plan(definition));
  const apply = useApply(setupId);
  const { current, replaced, understood, understand, replace } = useReviewed(plan(definition).queryKey, query.data);
  const refusal = useEffectEvent(onRefused);
  useEffect(() => { if (query.error) refusal(query.error); }, [query.error]);
  const mayStart = current !== undefined && blockedIn(current) === 0 && !query.isFetching && !apply.isPending && (understood || !isIrreversible(current));
  const start = (): void => {
    if (!current) return;
    apply.mutate({ definition, digest: current.digest, irreversibleUnderstood: understood || !isIrreversible(current) }, {
      onSuccess: (run) => {
        onApplied();
        void navigate(`/runs/${run.id}`);
      },
      onError: (error) => {
        replace(error);
        onRefused(error);
      },
    });
  };
  return (
    <div>
      <NotBegun error={query.error ?? apply.error} onRetry={query.error ? () => void query.refetch() : undefined} />
      {query.isPending && <ListSkeleton rows={6} />}
      {current && (
        <PlanReview plan={current} replaced={replaced} label="Plan" consent="I understand that onboarding the group to PIM cannot be undone" understood={understood} reading={query.isFetching}
          onUnderstood={understand} onRead={() => void query.refetch()} />
      )}
      <PlanFoot plan={current} nothing="Nothing to do: the tenant is as designed">
        <Button onClick={onBack}>Back</Button>
        <Button appearance="primary" disabled={!mayStart} onClick={start}>
          {current && current.changes > 0 ? `Apply ${count(current.changes, 'change')}` : 'Keep and verify'}
        </Button>
      </PlanFoot>
    </div>
  );
}
