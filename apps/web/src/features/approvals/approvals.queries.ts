import { DecideApproval, ListApprovals, type ApprovalItem, type CallInput } from '@gatehouse/contracts';
import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { call, pageOfNow } from '../../lib/api.ts';
import { leadsAway } from '../../lib/drafts.ts';
import { useMutation } from '../../lib/mutation.ts';

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

/** How one of several decisions ended; `untried`: Entra asked for a sign-in before its turn. */
export interface End {
  readonly item: ApprovalItem;
  readonly outcome: 'decided' | 'failed' | 'untried';
  readonly error?: unknown;
}

/**
 * Decides several requests, one after the other, each as if it were alone: one that is refused stops no other. Only that the
 * person must sign in or verify stops the rest, for it would stop each of them, and that the page became another's.
 */
export function useDecideSeveral() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ items, ...body }: Decision & { readonly items: readonly ApprovalItem[] }): Promise<readonly End[]> => {
      const ends: End[] = [];
      const whose = pageOfNow();
      let stopped = false;
      for (const item of items) {
        if (stopped || pageOfNow() !== whose) {
          ends.push({ item, outcome: 'untried' });
          continue;
        }
        try {
          await call(DecideApproval, { params: { approvalId: item.id }, body });
          ends.push({ item, outcome: 'decided' });
        } catch (error) {
          stopped = leadsAway(error);
          ends.push({ item, outcome: stopped ? 'untried' : 'failed', error });
        }
      }
      return ends;
    },
    onSettled: () => void client.invalidateQueries({ queryKey: approvalKeys.all }),
  });
}
