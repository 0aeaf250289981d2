import { CreateExport, EstimateExport, ListExports, type CallInput } from '@gatehouse/contracts';
import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { useMutation } from '../../lib/mutation.ts';

export type ExportQuery = NonNullable<CallInput<typeof EstimateExport>['query']>;

/** The latest exports; read again soon while a pack is being made, and else as the feed goes on. */
export const exportList = () => queryOptions({
  queryKey: ['exports', 'list'],
  queryFn: ({ signal }) => call(ListExports, {}, signal),
  refetchInterval: ({ state }) => (state.data?.exports.some(({ status }) => status === 'building') ? 1_500 : 15_000),
});

export const estimate = (filter: ExportQuery) => queryOptions({ queryKey: ['exports', 'estimate', filter], queryFn: ({ signal }) => call(EstimateExport, { query: filter }, signal) });

export function useCreateExport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: CallInput<typeof CreateExport>['body']) => call(CreateExport, { body }),
    onSettled: () => client.invalidateQueries({ queryKey: ['exports', 'list'] }),
  });
}
