import { sevenDecimals } from '../audits.ts';
import type { AppRoleAssignment, Application, ApplicationSegment, ConnectorGroup, ForwardingProfile, Group, ServicePrincipal, Tenant, User } from '../tenant.ts';

type View = Readonly<Record<string, unknown>>;

/** Instants of the directory's own objects are printed without fractions. */
const seconds = (instant: string): string => instant.replace(/\.\d+Z$/, 'Z');

/** What Graph prints of a person where nothing was selected. */
const USER_DEFAULTS = ['businessPhones', 'displayName', 'givenName', 'jobTitle', 'mail', 'mobilePhone', 'officeLocation', 'preferredLanguage', 'surname', 'userPrincipalName', 'id'];
/** What `User.ReadBasic.All` alone shows; the rest is null. */
const USER_BASICS = ['displayName', 'givenName', 'mail', 'surname', 'userPrincipalName', 'id'];

export function userView(user: User, options: { readonly all: boolean; readonly basic?: boolean }): View {
  const full: View = {
    businessPhones: [], displayName: user.displayName, givenName: user.givenName, jobTitle: user.jobTitle, mail: user.mail, mobilePhone: null, officeLocation: null,
    preferredLanguage: null, surname: user.surname, userPrincipalName: user.userPrincipalName, id: user.id,
    department: user.department, accountEnabled: user.accountEnabled, userType: user.userType, signInSessionsValidFromDateTime: seconds(user.signInSessionsValidFromDateTime),
  };
  const shown = options.all ? full : Object.fromEntries(USER_DEFAULTS.map((name) => [name, full[name]]));
  return options.basic === true ? Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, USER_BASICS.includes(name) ? value : Array.isArray(value) ? [] : null])) : shown;
}

/** Properties of a group that can be selected. */
export const GROUP_PROPERTIES: readonly string[] = [
  'id', 'deletedDateTime', 'classification', 'createdDateTime', 'description', 'displayName', 'expirationDateTime', 'groupTypes', 'isAssignableToRole', 'mail', 'mailEnabled', 'mailNickname',
  'membershipRule', 'membershipRuleProcessingState', 'onPremisesLastSyncDateTime', 'onPremisesSecurityIdentifier', 'onPremisesSyncEnabled', 'preferredDataLocation', 'preferredLanguage', 'proxyAddresses',
  'renewedDateTime', 'resourceBehaviorOptions', 'resourceProvisioningOptions', 'securityEnabled', 'theme', 'visibility', 'onPremisesProvisioningErrors', 'uniqueName',
];

/** A group; its `uniqueName` is printed where it is asked for. */
export function groupView(group: Group, tenant: Tenant, options: { readonly all: boolean }): View {
  const mail = group.mailEnabled ? `${group.mailNickname}@${tenant.domain}` : null;
  return {
    id: group.id, deletedDateTime: null, classification: null, createdDateTime: seconds(group.createdDateTime), description: group.description, displayName: group.displayName,
    expirationDateTime: null, groupTypes: group.groupTypes, isAssignableToRole: group.isAssignableToRole, mail, mailEnabled: group.mailEnabled, mailNickname: group.mailNickname,
    membershipRule: group.membershipRule, membershipRuleProcessingState: group.membershipRule === null ? null : 'On',
    onPremisesLastSyncDateTime: group.onPremisesSyncEnabled === true ? seconds(group.createdDateTime) : null, onPremisesSecurityIdentifier: null, onPremisesSyncEnabled: group.onPremisesSyncEnabled,
    preferredDataLocation: null, preferredLanguage: null, proxyAddresses: mail === null ? [] : [`SMTP:${mail}`], renewedDateTime: seconds(group.createdDateTime),
    resourceBehaviorOptions: [], resourceProvisioningOptions: [], securityEnabled: group.securityEnabled, theme: null, visibility: null, onPremisesProvisioningErrors: [],
    ...(options.all && { uniqueName: group.uniqueName }),
  };
}

const rolesView = (roles: ServicePrincipal['appRoles']): View[] => roles.map((role) => ({ ...role, origin: 'Application' }));

/** Beta has another name for the scopes that it offers. */
export function servicePrincipalView(found: ServicePrincipal, tenant: Tenant, version: 'v1.0' | 'beta'): View {
  return {
    id: found.id, deletedDateTime: null, accountEnabled: found.accountEnabled, alternativeNames: [], appDisplayName: found.displayName, appId: found.appId,
    appOwnerOrganizationId: tenant.id, appRoleAssignmentRequired: found.appRoleAssignmentRequired, displayName: found.displayName, homepage: null, loginUrl: null, logoutUrl: null,
    notificationEmailAddresses: [], preferredSingleSignOnMode: null, replyUrls: [], servicePrincipalNames: [found.appId], servicePrincipalType: found.servicePrincipalType,
    signInAudience: 'AzureADMyOrg', tags: found.tags, tokenEncryptionKeyId: null, addIns: [], appRoles: rolesView(found.appRoles), keyCredentials: [], [version === 'beta' ? 'publishedPermissionScopes' : 'oauth2PermissionScopes']: [], passwordCredentials: [],
  };
}

/** An application; how it is published is printed by beta alone, and only where it is asked for. */
export function applicationView(found: Application, options: { readonly publishing: boolean }): View {
  return {
    id: found.id, deletedDateTime: null, appId: found.appId, createdDateTime: seconds(found.createdDateTime), displayName: found.displayName, description: null, groupMembershipClaims: null,
    identifierUris: [], isFallbackPublicClient: false, signInAudience: 'AzureADMyOrg', tags: found.tags, tokenEncryptionKeyId: null, addIns: [], appRoles: rolesView(found.appRoles),
    ...(options.publishing && { onPremisesPublishing: publishingView(found) }),
  };
}

export const publishingView = (found: Application): View | null =>
  found.onPremisesPublishing && { ...found.onPremisesPublishing, externalAuthenticationType: 'aadPreAuthentication', isOnPremPublishingEnabled: true };

export const segmentView = (segment: ApplicationSegment): View => ({ ...segment });

export const connectorGroupView = ({ id, name, isDefault, region }: ConnectorGroup): View => ({ id, name, connectorGroupType: 'applicationProxy', isDefault, region });

export function forwardingProfileView({ servicePrincipalId, ...profile }: ForwardingProfile, tenant: Tenant): View {
  const client = tenant.servicePrincipals.find(({ id }) => id === servicePrincipalId);
  return { ...profile, associations: [], servicePrincipal: client ? { id: client.id, appId: client.appId } : null };
}

/** Beta has another name for when it was made. */
export function assignmentView(assignment: AppRoleAssignment, tenant: Tenant, version: 'v1.0' | 'beta'): View {
  const principal = [...tenant.users, ...tenant.groups, ...tenant.servicePrincipals].find(({ id }) => id === assignment.principalId);
  const resource = tenant.servicePrincipals.find(({ id }) => id === assignment.resourceId);
  const common = {
    id: assignment.id, appRoleId: assignment.appRoleId, principalDisplayName: principal?.displayName ?? null, principalId: assignment.principalId, principalType: assignment.principalType,
    resourceDisplayName: resource?.displayName ?? null, resourceId: assignment.resourceId,
  };
  const made = sevenDecimals(new Date(assignment.createdDateTime));
  return version === 'beta' ? { ...common, creationTimestamp: made } : { ...common, deletedDateTime: null, createdDateTime: made };
}

/** A directory object of whichever kind, with its type; undefined where there is none. */
export function objectView(tenant: Tenant, id: string, version: 'v1.0' | 'beta'): View | undefined {
  const wanted = id.toLowerCase();
  const user = tenant.users.find((one) => one.id.toLowerCase() === wanted);
  if (user) return { '@odata.type': '#microsoft.graph.user', ...userView(user, { all: false }) };
  const group = tenant.groups.find((one) => one.id.toLowerCase() === wanted);
  if (group) return { '@odata.type': '#microsoft.graph.group', ...groupView(group, tenant, { all: false }) };
  const servicePrincipal = tenant.servicePrincipals.find((one) => one.id.toLowerCase() === wanted);
  return servicePrincipal && { '@odata.type': '#microsoft.graph.servicePrincipal', ...servicePrincipalView(servicePrincipal, tenant, version) };
}

/** The groups that contain the object, directly or through groups in them. */
export function groupsAround(tenant: Tenant, id: string): Group[] {
  const found = new Set<Group>();
  const climb = (memberId: string): void => {
    for (const group of tenant.groups) {
      if (found.has(group) || !group.memberIds.includes(memberId)) continue;
      found.add(group);
      climb(group.id);
    }
  };
  climb(id);
  return [...found];
}

/** Ids of all members, those of groups inside among them. */
export function membersWithin(tenant: Tenant, group: Group): string[] {
  const found = new Set<string>();
  const descend = (one: Group): void => {
    for (const id of one.memberIds) {
      if (found.has(id)) continue;
      found.add(id);
      const inner = tenant.groups.find((candidate) => candidate.id === id);
      if (inner) descend(inner);
    }
  };
  descend(group);
  return [...found];
}
