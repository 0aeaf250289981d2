import { GraphRefusal, type GraphCall } from '../graph/route.ts';
import type { AppRoleAssignment, Application, Group, ServicePrincipal, Tenant, User } from '../tenant.ts';

type Item = Record<string, unknown>;

/** Delegated and application permissions that let one read people, groups or applications, least first. */
export const READ_USERS = ['User.ReadBasic.All', 'User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'] as const;
export const READ_GROUPS = ['GroupMember.Read.All', 'GroupMember.ReadWrite.All', 'Group.Read.All', 'Group.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'] as const;
export const WRITE_GROUPS = ['Group.ReadWrite.All', 'Directory.ReadWrite.All'] as const;
export const WRITE_MEMBERS = ['GroupMember.ReadWrite.All', 'Group.ReadWrite.All', 'Directory.ReadWrite.All'] as const;
export const READ_APPLICATIONS = ['Application.Read.All', 'Application.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'] as const;
export const WRITE_APPLICATIONS = ['Application.ReadWrite.All', 'Directory.ReadWrite.All'] as const;

export const GROUP_WRITERS = ['Groups Administrator', 'User Administrator', 'Directory Writers', 'Identity Governance Administrator', 'Global Administrator'] as const;
export const APPLICATION_WRITERS = ['Application Administrator', 'Cloud Application Administrator', 'Global Administrator'] as const;
/** Publishing over connectors: the cloud role does not reach so far. */
export const PROXY_WRITERS = ['Application Administrator', 'Global Administrator'] as const;

/** What Graph prints of a person when the caller names no properties. */
export const USER_DEFAULTS = 'businessPhones,displayName,givenName,id,jobTitle,mail,mobilePhone,officeLocation,preferredLanguage,surname,userPrincipalName';

export const userItem = (user: User): Item => ({
  businessPhones: [], displayName: user.displayName, givenName: user.givenName, id: user.id, jobTitle: user.jobTitle, mail: user.mail,
  mobilePhone: null, officeLocation: null, preferredLanguage: null, surname: user.surname, userPrincipalName: user.userPrincipalName,
  accountEnabled: user.accountEnabled, department: user.department, userType: user.userType, signInSessionsValidFromDateTime: user.signInSessionsValidFromDateTime,
});

/** `uniqueName` is printed on request alone: that it is among the default properties is documented nowhere. */
export const GROUP_DEFAULTS =
  'id,deletedDateTime,classification,createdDateTime,description,displayName,groupTypes,isAssignableToRole,mail,mailEnabled,mailNickname,membershipRule,membershipRuleProcessingState,onPremisesSyncEnabled,renewedDateTime,securityEnabled,visibility';

export const groupItem = (group: Group, { domain }: Tenant): Item => ({
  id: group.id, deletedDateTime: null, classification: null, createdDateTime: group.createdDateTime, description: group.description, displayName: group.displayName,
  groupTypes: group.groupTypes, isAssignableToRole: group.isAssignableToRole, mail: group.mailEnabled ? `${group.mailNickname}@${domain}` : null,
  mailEnabled: group.mailEnabled, mailNickname: group.mailNickname, membershipRule: group.membershipRule,
  membershipRuleProcessingState: group.membershipRule === null ? null : 'On', onPremisesSyncEnabled: group.onPremisesSyncEnabled,
  renewedDateTime: group.createdDateTime, securityEnabled: group.securityEnabled, visibility: null, uniqueName: group.uniqueName,
});

export const servicePrincipalItem = (principal: ServicePrincipal): Item => ({
  id: principal.id, deletedDateTime: null, accountEnabled: principal.accountEnabled, appDisplayName: principal.displayName, appId: principal.appId,
  appRoleAssignmentRequired: principal.appRoleAssignmentRequired, displayName: principal.displayName, servicePrincipalNames: [principal.appId],
  servicePrincipalType: principal.servicePrincipalType, tags: principal.tags, appRoles: principal.appRoles,
});

export const applicationItem = (application: Application, tenant: Tenant, version: GraphCall['version']): Item => ({
  id: application.id, deletedDateTime: null, appId: application.appId, createdDateTime: application.createdDateTime, displayName: application.displayName,
  publisherDomain: tenant.domain, signInAudience: 'AzureADMyOrg', tags: application.tags, appRoles: application.appRoles,
  ...(version === 'beta' && { onPremisesPublishing: application.onPremisesPublishing }),
});

export function assignmentItem(assignment: AppRoleAssignment, tenant: Tenant, version: GraphCall['version']): Item {
  const nameOf = (id: string): string | null => [...tenant.users, ...tenant.groups, ...tenant.servicePrincipals].find((one) => one.id === id)?.displayName ?? null;
  return {
    id: assignment.id, deletedDateTime: null, appRoleId: assignment.appRoleId,
    [version === 'beta' ? 'creationTimestamp' : 'createdDateTime']: assignment.createdDateTime,
    principalDisplayName: nameOf(assignment.principalId), principalId: assignment.principalId, principalType: assignment.principalType,
    resourceDisplayName: nameOf(assignment.resourceId), resourceId: assignment.resourceId,
  };
}

/** The call as if it named the default properties, where it names none. */
export const withDefaults = (call: GraphCall, properties: string): GraphCall => (call.query['$select'] === undefined ? { ...call, query: { ...call.query, $select: properties } } : call);

/** The text that Graph gives for an object that is not there, and for one that is not there yet. */
export const notFound = (id: string): GraphRefusal =>
  new GraphRefusal(404, 'Request_ResourceNotFound', `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`);

export const badRequest = (message: string): GraphRefusal => new GraphRefusal(400, 'Request_BadRequest', message);

export const denied = (): GraphRefusal => new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');

/** A person by id or by sign-in name. */
export function userOf(call: GraphCall, idOrName: string): User {
  const wanted = idOrName.toLowerCase();
  const user = call.tenant.users.find((one) => one.id === wanted || one.userPrincipalName.toLowerCase() === wanted);
  if (!user) throw notFound(idOrName);
  return user;
}

export function groupOf(call: GraphCall, id = call.params['id'] ?? ''): Group {
  const group = call.tenant.groups.find((one) => one.id === id.toLowerCase());
  if (!group) throw notFound(id);
  return group;
}

export function servicePrincipalOf(call: GraphCall, id = call.params['id'] ?? ''): ServicePrincipal {
  const principal = call.tenant.servicePrincipals.find((one) => one.id === id.toLowerCase());
  if (!principal) throw notFound(id);
  return principal;
}

export function applicationOf(call: GraphCall): Application {
  const id = call.params['id'] ?? '';
  const application = call.tenant.applications.find((one) => one.id === id.toLowerCase());
  if (!application) throw notFound(id);
  return application;
}

/** The person who calls; an app-only token has none. */
export function callerOf(call: GraphCall): User {
  if (call.caller.kind !== 'user') throw new GraphRefusal(400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
  return call.caller.user;
}

/** The body as an object; anything else is refused. */
export function bodyOf(call: GraphCall): Item {
  if (typeof call.body !== 'object' || call.body === null || Array.isArray(call.body)) throw new GraphRefusal(400, 'BadRequest', 'Empty Payload. JSON content expected.');
  return { ...call.body };
}
