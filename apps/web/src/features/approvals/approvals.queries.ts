import { DecideApproval, ListApprovals, type CallInput } from '@gatehouse/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';

const approvalKeys = { all: ['approvals'] as const };

export function approvals() {
  return queryOptions({
    queryKey: approvalKeys.all,
    queryFn: ({ signal }) => call(ListApprovals, {}, signal),
    refetchInterval: 30_000, // others ask, and other approvers decide
  });
}

export type Decision = CallInput<typeof DecideApproval>['body'];

export function useDecide(approvalId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Decision) => call(DecideApproval, { params: { approvalId }, body }),
    // Settled, not only succeeded: who was too late sees what is still theirs to decide.
    onSettled: () => void client.invalidateQueries({ queryKey: approvalKeys.all }),
  });
}
