import { z } from 'zod';
import { path } from './addresses.ts';
import { PIM, ScheduleRequestShape } from './pim-groups.ts';
import type { Call } from './call.ts';
import type { Approval, Approvals } from './ports.ts';
import { openWord, optionalText } from './shapes.ts';
import type { Transport } from './transport.ts';

const Stage = z
  .object({
    id: z.string(),
    assignedToMe: z.boolean().nullish(),
    status: openWord(['Initializing', 'InProgress', 'Completed', 'Expired']),
    reviewResult: openWord(['NotReviewed', 'Approved', 'Denied']),
    reviewedBy: z.object({ id: optionalText, displayName: optionalText }).nullish(),
    reviewedDateTime: optionalText,
    justification: optionalText,
  })
  .transform((stage) => ({
    id: stage.id,
    assignedToMe: stage.assignedToMe ?? false,
    status: stage.status,
    reviewResult: stage.reviewResult,
    reviewedById: stage.reviewedBy?.id,
    reviewedByName: stage.reviewedBy?.displayName,
    reviewedAt: stage.reviewedDateTime,
    justification: stage.justification,
  }));

/** Decisions on other people's requests. Delegated only: Graph knows no approver but a person. */
export function createApprovals(transport: Transport): Approvals {
  /** The stages are the approval; read as a list they come without asking for them to be expanded. */
  const approval = async (approvalId: string): Promise<Approval | undefined> => {
    const shape = z.object({ value: z.array(Stage) });
    const found = await transport.find({ method: 'GET', version: 'v1.0', path: `${PIM}${path`/assignmentApprovals/${approvalId}/stages`}` }, shape);
    return found && { id: approvalId, stages: found.value };
  };

  return {
    pendingForMe: () =>
      transport.list(
        {
          method: 'GET',
          version: 'v1.0',
          path: `${PIM}/assignmentScheduleRequests/filterByCurrentUser(on='approver')`,
          query: { $filter: "status eq 'PendingApproval'" },
          prefer: 'include-unknown-enum-members',
        },
        ScheduleRequestShape,
      ),

    approval,

    /** A second one would be told that it is decided, and not by whom: after a lost answer it is looked whether it is ours. */
    async decide(approvalId, stageId, decision, justification) {
      const call: Call = {
        method: 'PATCH',
        version: 'v1.0',
        path: `${PIM}${path`/assignmentApprovals/${approvalId}/stages/${stageId}`}`,
        body: { reviewResult: decision, justification },
      };
      const result = decision === 'Approve' ? 'Approved' : 'Denied';
      const isOurs = async (): Promise<true | undefined> => {
        const stage = (await approval(approvalId))?.stages.find(({ id }) => id === stageId);
        return stage?.reviewResult === result && stage.justification === justification ? true : undefined;
      };
      await transport.write(call, () => true, isOurs);
    },
  };
}
