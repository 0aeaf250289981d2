import { GraphRefusal, type GraphCall } from '../graph/route.ts';
import type { PimRequest, PimSchedule, User } from '../tenant.ts';
import { auditRequest, endOf, provision, type World } from './engine.ts';

type Kind = 'eligibility' | 'assignment';

/** What routes.ts has found out about the request. */
export interface Change {
  readonly kind: Kind;
  readonly action: string;
  readonly request: PimRequest;
  /** What there is to change, where there is something. */
  readonly standing: PimSchedule | undefined;
  /** Whether somebody asked for the same, and an administrator has not decided. */
  readonly waiting: PimRequest | undefined;
  readonly world: World;
  readonly initiator: { readonly user: User } | { readonly app: string };
}

const refuse = (code: string, message: string): GraphRefusal => new GraphRefusal(400, code, message);
const missing = (): GraphRefusal => refuse('RoleAssignmentDoesNotExist', 'The Role assignment does not exist.');
const words = (kind: Kind): string => (kind === 'eligibility' ? 'Update eligible member in PIM' : 'Update member in PIM');

/** What the audit log calls a request that was taken back. */
export function cancelledWords({ action, kind }: PimRequest): string {
  switch (action) {
    case 'selfExtend': return `${words(kind)} canceled (extend)`;
    case 'selfRenew': return `${kind === 'eligibility' ? 'Add eligible member' : 'Add member'} to role in PIM canceled (renew)`;
    default: return 'Add member to role canceled (PIM activation)';
  }
}

export const BY_ADMIN = ['adminUpdate', 'adminExtend', 'adminRenew'] as const;
export const BY_PERSON = ['selfExtend', 'selfRenew'] as const;

/** An activation is not changed: only what an administrator assigned is extended or renewed (CONTRACT.md §0.7). */
export const changeable = (kind: Kind, schedule: PimSchedule): boolean => kind === 'eligibility' || schedule.assignmentType === 'assigned';

const DAY = 86_400_000;
/** A person asks for more time in these days before the end, and for a new time in these after it. */
const EXTENDED_WITHIN = 14 * DAY;
const RENEWED_WITHIN = 30 * DAY;

/** Whether there was an assignment that has ended: that is renewed, where one that stands is extended. */
const hasEnded = (call: GraphCall, request: Target): boolean => givenTo(call, request).length > 0;

type Target = Pick<PimRequest, 'kind' | 'groupId' | 'principalId' | 'accessId'>;

/** What an administrator gave, oldest first. */
const givenTo = (call: GraphCall, { kind, groupId, principalId, accessId }: Target, also: readonly string[] = []): PimRequest[] =>
  call.tenant.pim.requests.filter((one) => one.kind === kind && one.groupId === groupId && one.principalId === principalId && one.accessId === accessId && (one.status === 'Provisioned' || also.includes(one.status)) && one.action !== 'selfActivate');

/** When the last one ran out; of one that was taken away it is not said, for that has not run out. */
function ranOut(call: GraphCall, target: Target): Date | undefined {
  const last = givenTo(call, target, ['Revoked']).at(-1);
  return last === undefined || last.action === 'adminRemove' ? undefined : endOf(last);
}

/** An administrator gives a standing assignment other dates, more time, or a new time after its end. Answers the request, which takes effect later. */
export function changeByAdmin(call: GraphCall, { kind, action, request, standing, waiting, world, initiator }: Change): PimRequest {
  if (action === 'adminRenew') {
    if (standing) throw refuse('RoleAssignmentExists', 'The Role assignment already exists.');
    if (!hasEnded(call, request)) throw missing();
  } else if (!standing) throw missing();
  if (action === 'adminExtend' && standing) {
    const end = endOf(request);
    if (standing.endDateTime === null || (end !== undefined && end <= new Date(standing.endDateTime))) throw refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
  }
  if (request.isValidationOnly) return { ...request, status: 'Granted' };
  if (kind === 'assignment') provision(world, request);
  else Object.assign(request, { status: 'Provisioned', completedDateTime: call.now.toISOString(), dueAt: new Date(call.now.getTime() + call.delays.provisioning).toISOString() });
  if (waiting) {
    Object.assign(waiting, { status: 'Granted', completedDateTime: call.now.toISOString() });
    auditRequest(world, waiting, 'Update member in PIM approved by admin (extend/renew)', 'Assign', initiator);
  } else if (action === 'adminUpdate') auditRequest(world, request, `${kind === 'eligibility' ? 'Add eligible member' : 'Add member'} to role in PIM completed (${endOf(request) === undefined ? 'permanent' : 'timebound'})`, 'Assign', initiator);
  else auditRequest(world, request, action === 'adminRenew' ? `${kind === 'eligibility' ? 'Add eligible member' : 'Add member'} to role in PIM completed (renew)` : `${words(kind)} requested (extend)`, 'Assign', initiator);
  return request;
}

/** A person asks for more time: an administrator decides, and until then nothing changes. */
export function askByPerson(call: GraphCall, { kind, action, request, standing, waiting, world, initiator }: Change): PimRequest {
  const { caller } = call;
  if (caller.kind !== 'user' || caller.user.id !== request.principalId) throw refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
  if (action === 'selfExtend') {
    if (!standing || standing.endDateTime === null) throw missing();
    const [end, wished] = [new Date(standing.endDateTime), endOf(request)];
    if (end.getTime() - call.now.getTime() > EXTENDED_WITHIN || wished === undefined || wished <= end) throw refuse('InvalidRoleAssignmentRequest', 'The role assignment request is invalid.');
  }
  if (action === 'selfRenew') {
    if (standing) throw refuse('RoleAssignmentExists', 'The Role assignment already exists.');
    const end = ranOut(call, request);
    if (!end || call.now.getTime() - end.getTime() > RENEWED_WITHIN) throw missing();
  }
  if (waiting) throw refuse('PendingRoleAssignmentRequest', 'There is already an existing pending Role assignment request.');
  if (request.justification === null) throw refuse('RoleAssignmentRequestPolicyValidationFailed', 'The following policy rules failed: ["JustificationRule"]');
  request.status = 'PendingAdminDecision';
  if (!request.isValidationOnly) auditRequest(world, request, action === 'selfExtend' ? `${words(kind)} requested (extend)` : `${kind === 'eligibility' ? 'Add eligible member' : 'Add member'} to role in PIM requested (renew)`, 'Assign', initiator);
  return request;
}

