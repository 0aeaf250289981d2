import type { SetupDefinition } from '@gatehouse/contracts';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useEffectEvent } from 'react';
import { useNavigate } from 'react-router';
import { MessageBar, MessageBarActions, MessageBarBody } from '@fluentui/react-message-bar';
import { isProblem } from '../../lib/api.ts';
import { TextLink } from '../../ui/text-link.tsx';
import { PlanReview, type ReviewWords } from './plan-review.tsx';
import { plan, useApply, type Existing } from './setups.queries.ts';

const WORDS: ReviewWords = { list: 'Plan', verb: 'Apply', nothing: 'Nothing to do: the tenant is as designed', nothingVerb: 'Keep and verify', back: 'Back' };

/** The plan as it stands now, and applying it: every change is in sight before it is made. */
export function ReviewStep({ existing, definition, onBack, onApplied, onRefused }: { existing: Existing | undefined; definition: SetupDefinition; onBack(): void; onApplied(): void; onRefused(error: unknown): void }) {
  const navigate = useNavigate();
  const query = useQuery(plan(definition));
  const apply = useApply(existing, definition);
  const refusal = useEffectEvent(onRefused);
  useEffect(() => { if (query.error) refusal(query.error); }, [query.error]);
  return (
    <>
      <PlanReview query={query} queryKey={plan(definition).queryKey} begin={apply} words={WORDS} onBack={onBack} onRefused={onRefused}
        onBegun={({ id }) => {
          onApplied();
          void navigate(`/runs/${id}`);
        }} />
      {existing && isProblem(apply.error, 'conflict') && (
        <MessageBar layout="multiline">
          <MessageBarBody>What you filled in is kept in this tab. When you have seen what the setup says now, choose Discard here and change it from there.</MessageBarBody>
          <MessageBarActions><TextLink to={`/setups/${existing.setupId}`}>Open the setup</TextLink></MessageBarActions>
        </MessageBar>
      )}
    </>
  );
}
