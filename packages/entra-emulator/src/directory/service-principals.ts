import { GraphRefusal, graphRoutes, type GraphAnswer, type GraphCall } from '../graph/route.ts';
import { single } from '../odata.ts';
import type { AppRoleAssignment, ServicePrincipal } from '../tenant.ts';
import { applicationEvent, assignmentEvent, property } from './audits.ts';
import { collectionAnswer, objectAnswer, TEXT, type Collection, WORD } from './collections.ts';
import { APPLICATION_WRITERS, bad, bodyOf, BOTH, EXPANDABLE_QUERY, groupOf, isGuid, LIST_QUERY, notFound, ONE_QUERY, param, sameId, servicePrincipalOf } from './common.ts';
import { assignmentView, servicePrincipalView } from './views.ts';

const READ = ['Application.Read.All', 'Application.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];
const WRITE = ['Application.ReadWrite.All', 'Directory.ReadWrite.All'];
/** Assigning takes the permission for it, and one to read the application that is assigned. */
const ASSIGN = ['Application.Read.All', 'Application.ReadWrite.All', 'Directory.Read.All'].map((read) => ['AppRoleAssignment.ReadWrite.All', read]);
const OF_GROUP = ['AppRoleAssignment.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];
const ASSIGNMENTS_QUERY = ['$filter', '$select', '$top', '$skiptoken', '$count'] as const;
const ASSIGNMENTS: Collection = { context: 'appRoleAssignments', filterable: { principalDisplayName: 'eq startswith', principalId: 'eq', resourceId: 'eq' } };

const assignments = (call: GraphCall, chosen: (assignment: AppRoleAssignment) => boolean): Readonly<Record<string, unknown>>[] => call.tenant.appRoleAssignments.filter(chosen).map((assignment) => assignmentView(assignment, call.tenant, call.version));

const SERVICE_PRINCIPALS: Collection = {
  context: 'servicePrincipals',
  filterable: { displayName: TEXT, id: WORD, appId: WORD, tags: 'eq not ge le startswith', accountEnabled: WORD, servicePrincipalType: 'eq' },
  searchable: ['displayName'],
  orderable: ['displayName'],
  expandable: {
    appRoleAssignedTo: (call, id) => assignments(call, ({ resourceId }) => resourceId === id),
    appRoleAssignments: (call, id) => assignments(call, ({ principalId }) => principalId === id),
  },
  expandsNothingFiltered: true,
};
/** Stands for no role, where the application declares none. */
const NO_ROLE = '00000000-0000-0000-0000-000000000000';

function assign(call: GraphCall, expected: { readonly resourceId?: string; readonly principalId?: string }): GraphAnswer {
  const { tenant } = call;
  const { principalId, resourceId, appRoleId } = bodyOf(call, ['principalId', 'resourceId', 'appRoleId', 'principalType'], 'appRoleAssignment');
  for (const [name, value] of Object.entries({ principalId, resourceId, appRoleId })) if (!isGuid(value)) throw bad(`A value is required for property '${name}' of resource 'AppRoleAssignment'.`);
  const [principalKey, resourceKey, roleKey] = [String(principalId), String(resourceId), String(appRoleId)];
  if (expected.resourceId !== undefined && !sameId(expected.resourceId, resourceKey)) throw bad('The resourceId of the assignment is not the service principal of the request.');
  if (expected.principalId !== undefined && !sameId(expected.principalId, principalKey)) throw bad('The principalId of the assignment is not the object of the request.');

  const resource = servicePrincipalOf(call, resourceKey);
  const group = tenant.groups.find(({ id }) => sameId(id, principalKey));
  const user = tenant.users.find(({ id }) => sameId(id, principalKey));
  const client = tenant.servicePrincipals.find(({ id }) => sameId(id, principalKey));
  const principal = group ?? user ?? client;
  if (!principal) throw notFound(principalKey);
  if (group && !group.securityEnabled) throw bad('Only security groups can be assigned to applications.');
  const declared = resource.appRoles.filter((role) => role.isEnabled);
  const role = declared.find(({ id }) => sameId(id, roleKey));
  const exists = declared.length === 0 ? roleKey === NO_ROLE : role?.allowedMemberTypes.includes(client ? 'Application' : 'User') === true;
  if (!exists) throw bad(`Permission being assigned was not found on application '${resource.appId}'.`);
  if (tenant.appRoleAssignments.some((known) => known.principalId === principal.id && known.resourceId === resource.id && sameId(known.appRoleId, roleKey))) {
    throw bad('Permission being assigned already exists on the object');
  }

  const assignment: AppRoleAssignment = {
    id: call.newId(), appRoleId: role?.id ?? NO_ROLE, principalId: principal.id, principalType: group ? 'Group' : user ? 'User' : 'ServicePrincipal', resourceId: resource.id, createdDateTime: call.now.toISOString(),
  };
  tenant.appRoleAssignments.push(assignment);
  call.audit(assignmentEvent('add', tenant, assignment, resource));
  return single(call, assignmentView(assignment, tenant, call.version), 'appRoleAssignments', 201);
}

function unassign(call: GraphCall, chosen: (assignment: AppRoleAssignment) => boolean): GraphAnswer {
  const { tenant } = call;
  const id = param(call, 'assignmentId');
  const found = tenant.appRoleAssignments.find((assignment) => assignment.id === id && chosen(assignment));
  if (!found) throw notFound(id);
  tenant.appRoleAssignments.splice(tenant.appRoleAssignments.indexOf(found), 1);
  call.audit(assignmentEvent('remove', tenant, found, servicePrincipalOf(call, found.resourceId)));
  return { status: 204 };
}

/** Assignments of which one end is deleted go with it, each with its entry in the log. */
export function dropAssignments(call: GraphCall, chosen: (assignment: AppRoleAssignment) => boolean): void {
  const { tenant } = call;
  for (const gone of tenant.appRoleAssignments.filter(chosen)) {
    tenant.appRoleAssignments.splice(tenant.appRoleAssignments.indexOf(gone), 1);
    call.audit(assignmentEvent('remove', tenant, gone, servicePrincipalOf(call, gone.resourceId)));
  }
}

/** What lets an application that is registered here be signed in to. */
function create(call: GraphCall): GraphAnswer {
  const { tenant } = call;
  const { appId, accountEnabled = true, appRoleAssignmentRequired = false, tags = [] } = bodyOf(call, ['appId', 'accountEnabled', 'appRoleAssignmentRequired', 'tags'], 'ServicePrincipal');
  if (!isGuid(appId)) throw bad(`A value is required for property 'appId' of resource 'ServicePrincipal'.`);
  if (typeof accountEnabled !== 'boolean') throw wrong('accountEnabled');
  if (typeof appRoleAssignmentRequired !== 'boolean') throw wrong('appRoleAssignmentRequired');
  if (!isTexts(tags)) throw wrong('tags');
  const application = tenant.applications.find((one) => sameId(one.appId, appId));
  if (!application) throw bad(`The appId '${appId}' of the service principal does not reference a valid application object.`);
  if (tenant.servicePrincipals.some((one) => sameId(one.appId, appId))) {
    throw new GraphRefusal(409, 'Request_MultipleObjectsWithSameKeyValue', `The service principal cannot be created, updated, or restored because the service principal name ${appId} is already in use.`);
  }
  const made: ServicePrincipal = {
    id: call.newId(), appId: application.appId, displayName: application.displayName, tags: [...tags], accountEnabled, appRoleAssignmentRequired, servicePrincipalType: 'Application', appRoles: structuredClone(application.appRoles),
  };
  tenant.servicePrincipals.push(made);
  call.audit(applicationEvent('Add service principal', made, [property('AppPrincipalId', [], [made.appId])]));
  return single(call, servicePrincipalView(made, tenant, call.version), 'servicePrincipals', 201);
}

const wrong = (name: string): GraphRefusal => bad(`Invalid value specified for property '${name}' of resource 'ServicePrincipal'.`);
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((one) => typeof one === 'string');

function update(call: GraphCall): GraphAnswer {
  const servicePrincipal = servicePrincipalOf(call);
  const values = bodyOf(call, ['appRoleAssignmentRequired', 'accountEnabled', 'tags'], 'ServicePrincipal');
  const next: ServicePrincipal = { ...servicePrincipal };
  for (const name of ['appRoleAssignmentRequired', 'accountEnabled'] as const) {
    const value = values[name];
    if (value === undefined) continue;
    if (typeof value !== 'boolean') throw wrong(name);
    next[name] = value;
  }
  const { tags } = values;
  if (tags !== undefined) {
    if (!isTexts(tags)) throw wrong('tags');
    next.tags = [...tags];
  }
  const names = { appRoleAssignmentRequired: 'AppRoleAssignmentRequired', accountEnabled: 'AccountEnabled', tags: 'Tag' } as const;
  const changes = (['appRoleAssignmentRequired', 'accountEnabled', 'tags'] as const)
    .filter((name) => JSON.stringify(next[name]) !== JSON.stringify(servicePrincipal[name]))
    .map((name) => property(names[name], [servicePrincipal[name]], [next[name]]));
  Object.assign(servicePrincipal, next);
  if (changes.length > 0) call.audit(applicationEvent('Update service principal', servicePrincipal, changes));
  return { status: 204 };
}

const assignedTo = (call: GraphCall) => {
  const { id } = servicePrincipalOf(call);
  return (assignment: AppRoleAssignment): boolean => assignment.resourceId === id;
};
const assignedFrom = (call: GraphCall, { id }: { readonly id: string } = groupOf(call)) => {
  return (assignment: AppRoleAssignment): boolean => assignment.principalId === id;
};

/**
 * The assignments of a service principal to others. To add one, the page of Private Access names a person as the principal
 * and the addressed service principal as what is opened; the reference page has it the other way round. Both are taken.
 */
function assignOwn(call: GraphCall): GraphAnswer {
  const { id } = servicePrincipalOf(call);
  const opened = typeof call.body === 'object' && call.body !== null && 'resourceId' in call.body && typeof call.body.resourceId === 'string' && sameId(call.body.resourceId, id);
  return assign(call, opened ? { resourceId: id } : { principalId: id });
}

/** Enterprise applications, and who is assigned to them. */
export const servicePrincipalRoutes = graphRoutes([
  {
    method: 'GET', path: '/servicePrincipals', versions: BOTH, delegated: READ, application: ['Application.Read.All', 'Application.ReadWrite.All', 'Application.ReadWrite.OwnedBy', 'Directory.Read.All'], query: [...LIST_QUERY, '$expand'],
    handle: (call) => collectionAnswer(call, call.tenant.servicePrincipals.map((one) => servicePrincipalView(one, call.tenant, call.version)), SERVICE_PRINCIPALS),
  },
  {
    method: 'POST', path: '/servicePrincipals', versions: BOTH, delegated: WRITE, application: [...WRITE, 'Application.ReadWrite.OwnedBy'], roles: { anyOf: APPLICATION_WRITERS },
    handle: create,
  },
  {
    method: 'GET', path: `/servicePrincipals(appId='{appId}')`, versions: BOTH, delegated: READ, application: READ, query: EXPANDABLE_QUERY,
    handle(call) {
      const appId = param(call, 'appId');
      const found = call.tenant.servicePrincipals.find((one) => sameId(one.appId, appId));
      if (!found) throw notFound(appId);
      return objectAnswer(call, servicePrincipalView(found, call.tenant, call.version), SERVICE_PRINCIPALS);
    },
  },
  {
    method: 'GET', path: '/servicePrincipals/{id}', versions: BOTH, delegated: READ, application: READ, query: EXPANDABLE_QUERY,
    handle: (call) => objectAnswer(call, servicePrincipalView(servicePrincipalOf(call), call.tenant, call.version), SERVICE_PRINCIPALS),
  },
  {
    method: 'PATCH', path: '/servicePrincipals/{id}', versions: BOTH, delegated: WRITE, application: [...WRITE, 'Application.ReadWrite.OwnedBy'], roles: { anyOf: APPLICATION_WRITERS },
    handle: update,
  },
  {
    method: 'GET', path: '/servicePrincipals/{id}/appRoleAssignedTo', versions: BOTH, delegated: READ, application: READ, query: ASSIGNMENTS_QUERY,
    handle: (call) => collectionAnswer(call, assignments(call, assignedTo(call)), ASSIGNMENTS),
  },
  {
    method: 'GET', path: '/servicePrincipals/{id}/appRoleAssignedTo/{assignmentId}', versions: BOTH, delegated: READ, application: READ, query: ONE_QUERY,
    handle(call) {
      const found = call.tenant.appRoleAssignments.filter(assignedTo(call)).find(({ id }) => id === param(call, 'assignmentId'));
      if (!found) throw notFound(param(call, 'assignmentId'));
      return single(call, assignmentView(found, call.tenant, call.version), 'appRoleAssignments');
    },
  },
  {
    method: 'POST', path: '/servicePrincipals/{id}/appRoleAssignedTo', versions: BOTH, delegated: ASSIGN, application: ASSIGN, roles: { anyOf: APPLICATION_WRITERS },
    handle: (call) => assign(call, { resourceId: servicePrincipalOf(call).id }),
  },
  {
    method: 'DELETE', path: '/servicePrincipals/{id}/appRoleAssignedTo/{assignmentId}', versions: BOTH, delegated: ['AppRoleAssignment.ReadWrite.All'], application: ['AppRoleAssignment.ReadWrite.All'],
    roles: { anyOf: APPLICATION_WRITERS },
    handle: (call) => unassign(call, assignedTo(call)),
  },
  {
    method: 'GET', path: '/servicePrincipals/{id}/appRoleAssignments', versions: BOTH, delegated: READ, application: [...READ, 'Application.ReadWrite.OwnedBy'], query: ASSIGNMENTS_QUERY,
    handle: (call) => collectionAnswer(call, assignments(call, assignedFrom(call, servicePrincipalOf(call))), ASSIGNMENTS),
  },
  {
    method: 'POST', path: '/servicePrincipals/{id}/appRoleAssignments', versions: BOTH, delegated: ASSIGN, application: ASSIGN, roles: { anyOf: APPLICATION_WRITERS },
    handle: assignOwn,
  },
  {
    method: 'GET', path: '/groups/{id}/appRoleAssignments', versions: BOTH, delegated: OF_GROUP, application: OF_GROUP, query: ASSIGNMENTS_QUERY,
    handle: (call) => collectionAnswer(call, assignments(call, assignedFrom(call)), ASSIGNMENTS),
  },
  {
    method: 'POST', path: '/groups/{id}/appRoleAssignments', versions: BOTH, delegated: ['AppRoleAssignment.ReadWrite.All'], application: ['AppRoleAssignment.ReadWrite.All'], roles: { anyOf: APPLICATION_WRITERS },
    handle: (call) => assign(call, { principalId: groupOf(call).id }),
  },
  {
    method: 'DELETE', path: '/groups/{id}/appRoleAssignments/{assignmentId}', versions: BOTH, delegated: ['AppRoleAssignment.ReadWrite.All'], application: ['AppRoleAssignment.ReadWrite.All'],
    roles: { anyOf: APPLICATION_WRITERS },
    handle: (call) => unassign(call, assignedFrom(call)),
  },
]);
