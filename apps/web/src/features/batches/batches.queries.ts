import { ApplyBatch, ContinueBatch, CreateBatch, ExportSetups, GetBatch, GetBatchFile, GetBatchRow, ListBatches, StopBatch, type Batch, type CallInput } from '@gatehouse/contracts';
import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { addressOf, call } from '../../lib/api.ts';
import { useMutation } from '../../lib/mutation.ts';
import { isMoving } from './batches.words.ts';

const keys = { all: ['batches'] as const };

/** Between two readings of a batch that goes on, and of a list that has one. */
const LIVE_MS = 1_500;
const LIST_MS = 5_000;

export const batches = () => queryOptions({ queryKey: [...keys.all, 'list'], queryFn: ({ signal }) => call(ListBatches, {}, signal), refetchInterval: ({ state }) => (state.data?.batches.some(isMoving) ? LIST_MS : false) });

export const batch = (batchId: string) => queryOptions({ queryKey: [...keys.all, 'one', batchId], queryFn: ({ signal }) => call(GetBatch, { params: { batchId } }, signal), refetchInterval: ({ state }) => (state.data && isMoving(state.data) ? LIVE_MS : false) });

/** One row with its plan, as it stands: `stamp` is whatever tells that it moved. */
export const batchRow = (batchId: string, ordinal: number, stamp: string) => queryOptions({ queryKey: [...keys.all, 'row', batchId, ordinal, stamp], queryFn: ({ signal }) => call(GetBatchRow, { params: { batchId, ordinal } }, signal) });

/** Reads a file and begins to plan what is in it. */
export function useCreateBatch() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: CallInput<typeof CreateBatch>['body']) => call(CreateBatch, { body }),
    onSuccess: (made) => { client.setQueryData(batch(made.id).queryKey, made); },
    onSettled: () => client.invalidateQueries({ queryKey: [...keys.all, 'list'] }),
  });
}

/** A step of the batch; what it answers stands where the query's answer stands. Setups change with it. */
function useBatchStep<Input>(batchId: string, step: (input: Input) => Promise<Batch>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: step,
    onSuccess: (next) => { client.setQueryData(batch(batchId).queryKey, next); },
    onSettled: () => Promise.all([keys.all, ['setups']].map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}

export const useApplyBatch = (batchId: string) => useBatchStep(batchId, (irreversibleUnderstood: boolean) => call(ApplyBatch, { params: { batchId }, body: { irreversibleUnderstood } }));
export const useContinueBatch = (batchId: string) => useBatchStep(batchId, () => call(ContinueBatch, { params: { batchId }, body: {} }));
export const useStopBatch = (batchId: string) => useBatchStep(batchId, () => call(StopBatch, { params: { batchId }, body: {} }));

/** Where the result is downloaded from, and all setups as a file that a batch reads. */
export const resultOf = (batchId: string, rows: 'all' | 'failed'): string => addressOf(GetBatchFile, { params: { batchId }, query: { rows } });
export const ALL_SETUPS = addressOf(ExportSetups, {});
