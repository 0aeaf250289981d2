import { graphRoutes, type GraphAnswer, type GraphCall } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { AppRoleAssignment, ServicePrincipal } from '../tenant.ts';
import { assignmentEvent } from './audits.ts';
import { APPLICATION_WRITERS, bad, bodyOf, BOTH, groupOf, notFound, personOf, servicePrincipalOf } from './common.ts';
import { READ_APPLICATIONS } from './private-access.ts';
import { assignmentView } from './views.ts';

const LIST = ['$select', '$filter', '$count', '$top', '$skiptoken'];
const FILTERABLE = ['id', 'appRoleId', 'principalId', 'principalType', 'resourceId'];
/** Role of an assignment to an application that declares no roles. */
const NO_ROLE = '00000000-0000-0000-0000-000000000000';

const READ = [...READ_APPLICATIONS, 'AppRoleAssignment.ReadWrite.All'];
const WRITE: readonly (string | readonly string[])[] = [...READ_APPLICATIONS.map((permission) => ['AppRoleAssignment.ReadWrite.All', permission]), 'Directory.ReadWrite.All'];
const READ_OF_PRINCIPAL = ['Directory.Read.All', 'Directory.ReadWrite.All', 'Group.Read.All', 'Group.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All'];
const WRITE_OF_PRINCIPAL = ['AppRoleAssignment.ReadWrite.All', 'Directory.ReadWrite.All'];

/** Who is assigned to which application, from both ends. */
export const assignmentRoutes = graphRoutes([
  {
    method: 'GET', path: '/servicePrincipals/{id}/appRoleAssignedTo', versions: BOTH, delegated: READ, application: READ, query: LIST,
    handle: (call) => listed(call, 'resourceId', servicePrincipalOf(call).id),
  },
  {
    method: 'POST', path: '/servicePrincipals/{id}/appRoleAssignedTo', versions: BOTH, delegated: WRITE, application: WRITE, roles: { anyOf: APPLICATION_WRITERS },
    handle(call) {
      const principal = servicePrincipalOf(call);
      const body = bodyOf(call, ['principalId', 'resourceId', 'appRoleId'], 'AppRoleAssignment');
      if (body['resourceId'] !== principal.id) throw bad("Invalid value specified for property 'resourceId' of resource 'AppRoleAssignment'.");
      return assigned(call, body);
    },
  },
  {
    method: 'DELETE', path: '/servicePrincipals/{id}/appRoleAssignedTo/{assignmentId}', versions: BOTH, delegated: WRITE_OF_PRINCIPAL, application: WRITE_OF_PRINCIPAL, roles: { anyOf: APPLICATION_WRITERS },
    handle: (call) => removed(call, 'resourceId', servicePrincipalOf(call).id),
  },

  {
    method: 'GET', path: '/groups/{id}/appRoleAssignments', versions: BOTH, delegated: READ_OF_PRINCIPAL, application: READ_OF_PRINCIPAL, query: LIST,
    handle: (call) => listed(call, 'principalId', groupOf(call).id),
  },
  {
    method: 'POST', path: '/groups/{id}/appRoleAssignments', versions: BOTH, delegated: WRITE_OF_PRINCIPAL, application: WRITE_OF_PRINCIPAL, roles: { anyOf: APPLICATION_WRITERS },
    handle(call) {
      const group = groupOf(call);
      const body = bodyOf(call, ['principalId', 'resourceId', 'appRoleId'], 'AppRoleAssignment');
      if (body['principalId'] !== group.id) throw bad("Invalid value specified for property 'principalId' of resource 'AppRoleAssignment'.");
      return assigned(call, body);
    },
  },
  {
    method: 'DELETE', path: '/groups/{id}/appRoleAssignments/{assignmentId}', versions: BOTH, delegated: WRITE_OF_PRINCIPAL, application: WRITE_OF_PRINCIPAL, roles: { anyOf: APPLICATION_WRITERS },
    handle: (call) => removed(call, 'principalId', groupOf(call).id),
  },
  {
    method: 'GET', path: '/users/{id}/appRoleAssignments', versions: BOTH, delegated: READ_OF_PRINCIPAL, application: READ_OF_PRINCIPAL, query: LIST,
    handle: (call) => listed(call, 'principalId', personOf(call).id),
  },
]);

const listed = (call: GraphCall, end: 'resourceId' | 'principalId', id: string): GraphAnswer =>
  listAnswer(call, call.tenant.appRoleAssignments.filter((one) => one[end] === id).map((one) => assignmentView(one, call.tenant, call.version)), { context: 'appRoleAssignments', filterable: FILTERABLE });

function assigned(call: GraphCall, { principalId, resourceId, appRoleId }: Record<string, unknown>): GraphAnswer {
  const { tenant } = call;
  if (typeof principalId !== 'string' || typeof resourceId !== 'string' || typeof appRoleId !== 'string') {
    throw bad("The properties 'principalId', 'resourceId' and 'appRoleId' of resource 'AppRoleAssignment' are required.");
  }
  const resource = tenant.servicePrincipals.find(({ id }) => id === resourceId);
  if (!resource) throw notFound(resourceId);
  const principalType = typeOf(call, principalId);
  mustDeclare(resource, appRoleId, principalType);
  if (tenant.appRoleAssignments.some((one) => one.principalId === principalId && one.resourceId === resourceId && one.appRoleId === appRoleId)) {
    throw bad('Permission being assigned already exists on the object');
  }

  const assignment: AppRoleAssignment = { id: call.newId(), appRoleId, principalId, principalType, resourceId, createdDateTime: call.now.toISOString() };
  tenant.appRoleAssignments.push(assignment);
  call.audit(assignmentEvent('add', tenant, assignment, resource));
  return single(call, assignmentView(assignment, tenant, call.version), 'appRoleAssignments', 201);
}

function typeOf({ tenant }: GraphCall, principalId: string): AppRoleAssignment['principalType'] {
  if (tenant.users.some(({ id }) => id === principalId)) return 'User';
  if (tenant.groups.some(({ id }) => id === principalId)) return 'Group';
  if (tenant.servicePrincipals.some(({ id }) => id === principalId)) return 'ServicePrincipal';
  throw notFound(principalId);
}

/** The role that stands for none is for applications that declare none that people can hold. */
function mustDeclare({ appRoles }: ServicePrincipal, appRoleId: string, principalType: AppRoleAssignment['principalType']): void {
  const wanted = principalType === 'ServicePrincipal' ? 'Application' : 'User';
  const fits = appRoles.some(({ id, isEnabled, allowedMemberTypes }) => id === appRoleId && isEnabled && allowedMemberTypes.includes(wanted));
  if (!fits && !(appRoleId === NO_ROLE && appRoles.length === 0)) throw bad('Permission being assigned was not found on application');
}

function removed(call: GraphCall, end: 'resourceId' | 'principalId', id: string): GraphAnswer {
  const { tenant, params } = call;
  const assignmentId = params['assignmentId'] ?? '';
  const assignment = tenant.appRoleAssignments.find((one) => one.id === assignmentId && one[end] === id);
  const resource = tenant.servicePrincipals.find((one) => one.id === assignment?.resourceId);
  if (!assignment || !resource) throw notFound(assignmentId);
  tenant.appRoleAssignments.splice(tenant.appRoleAssignments.indexOf(assignment), 1);
  call.audit(assignmentEvent('remove', tenant, assignment, resource));
  return { status: 204 };
}
