import { listAnswer, single } from '../odata.ts';
import { GraphRefusal, graphRoutes, type GraphAnswer, type GraphCall, type GraphRoute } from '../graph/route.ts';
import type { PimApproval, User } from '../tenant.ts';
import { auditRequest, policiesOf, provision, userOf } from './engine.ts';
import { approverGivesReason } from './rules.ts';

const BASE = '/identityGovernance/privilegedAccess/group/assignmentApprovals';
const READ = ['PrivilegedAssignmentSchedule.Read.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup'];
const WRITE = ['PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup'];
const BOTH = ['v1.0', 'beta'] as const;
const NOBODY = '00000000-0000-0000-0000-000000000000';

const me = (call: GraphCall): User => {
  if (call.caller.kind !== 'user') throw new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  return call.caller.user;
};

function stageView(call: GraphCall, { stage, approverUserIds }: PimApproval): Record<string, unknown> {
  const reviewer = stage.reviewedById === null ? undefined : userOf(call.tenant, stage.reviewedById);
  return {
    id: stage.id, assignedToMe: approverUserIds.includes(me(call).id), displayName: null, justification: stage.justification ?? '', reviewResult: stage.reviewResult, reviewedDateTime: stage.reviewedDateTime, status: stage.status,
    reviewedBy: { id: reviewer?.id ?? NOBODY, displayName: reviewer?.displayName ?? '' },
  };
}

const approvalById = (call: GraphCall): PimApproval | undefined => call.tenant.pim.approvals.find(({ id }) => id === call.params['id']);

function approvalOf(call: GraphCall): PimApproval {
  const approval = approvalById(call);
  const { id } = me(call);
  const request = approval && call.tenant.pim.requests.find((one) => one.id === approval.requestId);
  if (!approval || (!approval.approverUserIds.includes(id) && request?.principalId !== id)) throw new GraphRefusal(404, 'ResourceNotFound', `The approval '${String(call.params['id'])}' is not found.`);
  return approval;
}

const view = (call: GraphCall, approval: PimApproval) => ({ id: approval.id, [call.version === 'beta' ? 'steps' : 'stages']: [stageView(call, approval)] });

function decide(call: GraphCall): GraphAnswer {
  // Who may not decide is told so (403), not that there is nothing (404): the update's page lists both.
  const approval = approvalById(call) ?? approvalOf(call);
  const { stage } = approval;
  if (call.params['stageId'] !== stage.id) throw new GraphRefusal(404, 'ResourceNotFound', `The stage '${String(call.params['stageId'])}' is not found.`);
  const reviewer = me(call);
  const request = call.tenant.pim.requests.find(({ id }) => id === approval.requestId);
  if (!request || request.principalId === reviewer.id || !approval.approverUserIds.includes(reviewer.id)) throw new GraphRefusal(403, 'Authorization_RequestDenied', 'The caller is not an approver of the request.');
  if (stage.status !== 'InProgress') throw new GraphRefusal(409, 'Conflict', 'The approval stage is already completed.');
  const { reviewResult, justification } = call.body as { reviewResult?: string; justification?: string };
  if (reviewResult !== 'Approve' && reviewResult !== 'Deny') throw new GraphRefusal(400, 'InvalidRequest', 'The reviewResult is invalid.');
  const policy = policiesOf(call, request.groupId).find(({ accessId }) => accessId === request.accessId);
  if (policy !== undefined && approverGivesReason(policy) && (typeof justification !== 'string' || justification.trim() === '')) throw new GraphRefusal(400, 'InvalidRequest', 'The justification is required.');

  stage.status = 'Completed';
  stage.reviewResult = reviewResult === 'Approve' ? 'Approved' : 'Denied';
  stage.reviewedById = reviewer.id;
  stage.reviewedDateTime = call.now.toISOString();
  stage.justification = justification ?? '';
  const world = { tenant: call.tenant, now: call.now, delays: call.delays, newId: () => call.newId() };
  request.dueAt = null;
  if (reviewResult === 'Approve') {
    provision(world, request);
    auditRequest(world, request, 'Add member to role request approved (PIM activation)', 'ActivateRole', { user: reviewer }, { reason: stage.justification });
  } else {
    request.status = 'Denied';
    request.completedDateTime = call.now.toISOString();
    auditRequest(world, request, 'Add member to role request denied (PIM activation)', 'ActivateRole', { user: reviewer }, { reason: stage.justification });
  }
  return { status: 204 };
}

/** The documentation of v1.0 writes `steps` where its metadata has `stages`; both are taken in both versions. */
const stageRoutes = (['stages', 'steps'] as const).flatMap((name): GraphRoute[] => [
  { method: 'GET', path: `${BASE}/{id}/${name}`, versions: BOTH, delegated: READ, application: null, query: ['$select'], handle: (call) => listAnswer(call, [stageView(call, approvalOf(call))], { context: `identityGovernance/privilegedAccess/group/assignmentApprovals/${name}` }) },
  {
    method: 'GET', path: `${BASE}/{id}/${name}/{stageId}`, versions: BOTH, delegated: READ, application: null,
    handle(call): GraphAnswer {
      const approval = approvalOf(call);
      if (approval.stage.id !== call.params['stageId']) throw new GraphRefusal(404, 'ResourceNotFound', `The stage '${String(call.params['stageId'])}' is not found.`);
      return single(call, stageView(call, approval), `identityGovernance/privilegedAccess/group/assignmentApprovals/${name}`);
    },
  },
  { method: 'PATCH', path: `${BASE}/{id}/${name}/{stageId}`, versions: BOTH, delegated: WRITE, application: null, handle: decide },
]);

export const approvalRoutes = graphRoutes([
  {
    // In the metadata, and on no page: what the person may see.
    method: 'GET', path: BASE, versions: BOTH, delegated: READ, application: null, query: ['$filter', '$select', '$expand', '$top', '$skiptoken'],
    handle(call): GraphAnswer {
      const { id: mine } = me(call);
      const seen = call.tenant.pim.approvals.filter(({ approverUserIds, requestId }) => approverUserIds.includes(mine) || call.tenant.pim.requests.some((request) => request.id === requestId && request.principalId === mine));
      return listAnswer(call, seen.map((approval) => view(call, approval)), { context: 'identityGovernance/privilegedAccess/group/assignmentApprovals' });
    },
  },
  {
    method: 'GET', path: `${BASE}/filterByCurrentUser(on='{on}')`, versions: BOTH, delegated: READ, application: null, query: ['$filter', '$select', '$expand', '$top', '$skiptoken'],
    handle(call): GraphAnswer {
      if (call.params['on'] !== 'approver') throw new GraphRefusal(400, 'InvalidParameter', `The value '${String(call.params['on'])}' of parameter 'on' is not supported.`);
      return listAnswer(call, call.tenant.pim.approvals.filter(({ approverUserIds }) => approverUserIds.includes(me(call).id)).map((approval) => view(call, approval)), { context: 'identityGovernance/privilegedAccess/group/assignmentApprovals' });
    },
  },
  { method: 'GET', path: `${BASE}/{id}`, versions: BOTH, delegated: READ, application: null, query: ['$select', '$expand'], handle: (call) => single(call, view(call, approvalOf(call)), 'identityGovernance/privilegedAccess/group/assignmentApprovals') },
  ...stageRoutes,
]);
