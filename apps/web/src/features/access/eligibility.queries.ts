import { AskForEligibility, CancelEligibilityRequest, ListEndingEligibilities, type CallInput } from '@gatehouse/contracts';
import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { useMutation } from '../../lib/mutation.ts';
import { accessKeys } from './access.queries.ts';

/** Eligibilities that end soon or ended lately. They change by the day, so they are seldom asked for. */
export function endingEligibilities() {
  return queryOptions({ queryKey: [...accessKeys.all, 'eligibility'], queryFn: ({ signal }) => call(ListEndingEligibilities, {}, signal), refetchInterval: 5 * 60_000, staleTime: 60_000 });
}

export function useAskForEligibility() {
  const client = useQueryClient();
  return useMutation({ mutationFn: (body: CallInput<typeof AskForEligibility>['body']) => call(AskForEligibility, { body }), onSettled: () => client.invalidateQueries({ queryKey: [...accessKeys.all, 'eligibility'] }) });
}

export function useTakeBack() {
  const client = useQueryClient();
  // Settled, not only succeeded: what was refused may have been decided meanwhile.
  return useMutation({ mutationFn: (requestId: string) => call(CancelEligibilityRequest, { params: { requestId }, body: {} }), onSettled: () => client.invalidateQueries({ queryKey: [...accessKeys.all, 'eligibility'] }) });
}
