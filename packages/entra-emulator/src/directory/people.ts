import { graphRoutes, type GraphCall } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { Tenant, User } from '../tenant.ts';
import {
  badRequest, bodyOf, callerOf, denied, groupItem, notFound, READ_GROUPS, READ_USERS, servicePrincipalItem, USER_DEFAULTS, userItem, userOf, withDefaults,
} from './objects.ts';

const LIST = ['$select', '$filter', '$search', '$count', '$orderby', '$top', '$skiptoken'];
const FILTERABLE = ['id', 'displayName', 'givenName', 'surname', 'mail', 'userPrincipalName', 'jobTitle', 'department', 'accountEnabled', 'userType'];
const SEARCHABLE = ['displayName', 'mail', 'userPrincipalName', 'givenName', 'surname'];

/** May revoke the sign-in sessions of somebody else. */
const SESSION_REVOKERS = ['User Administrator', 'Helpdesk Administrator', 'Authentication Administrator', 'Privileged Authentication Administrator', 'Security Administrator', 'Global Administrator'];

const KINDS = ['user', 'group', 'servicePrincipal'] as const;
type Kind = (typeof KINDS)[number];

const LICENCES = [
  { skuPartNumber: 'AAD_PREMIUM_P2', servicePlanName: 'AAD_PREMIUM_P2' },
  { skuPartNumber: 'Entra_Premium_Private_Access', servicePlanName: 'Entra_Premium_Private_Access' },
];

/** People, the organisation, and names by id. */
export const peopleRoutes = graphRoutes([
  {
    method: 'GET', path: '/me', versions: ['v1.0', 'beta'], delegated: ['User.Read', ...READ_USERS], application: null, query: ['$select'],
    handle: (call) => single(withDefaults(call, USER_DEFAULTS), userItem(callerOf(call)), 'users'),
  },
  {
    method: 'GET', path: '/users', versions: ['v1.0', 'beta'], delegated: READ_USERS, application: READ_USERS, query: LIST,
    handle: (call) => listAnswer(withDefaults(call, USER_DEFAULTS), call.tenant.users.map(userItem), { context: 'users', filterable: FILTERABLE, searchable: SEARCHABLE }),
  },
  {
    method: 'GET', path: '/users/{id}', versions: ['v1.0', 'beta'], delegated: ['User.Read', ...READ_USERS], application: READ_USERS, query: ['$select'],
    handle(call) {
      const user = userOf(call, call.params['id'] ?? '');
      // `User.Read` is for oneself.
      if (call.caller.kind === 'user' && call.caller.user.id !== user.id && !holds(call, READ_USERS)) throw denied();
      return single(withDefaults(call, USER_DEFAULTS), userItem(user), 'users');
    },
  },
  {
    method: 'GET', path: '/organization', versions: ['v1.0', 'beta'], delegated: ['User.Read', 'Organization.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
    application: ['Organization.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'], query: ['$select'],
    handle: (call) => listAnswer(call, [organizationItem(call.tenant)], { context: 'organization' }),
  },
  {
    method: 'GET', path: '/subscribedSkus', versions: ['v1.0', 'beta'], delegated: ['LicenseAssignment.Read.All', 'Organization.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
    application: ['LicenseAssignment.Read.All', 'Organization.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'], query: ['$select'],
    handle: (call) => listAnswer(call, licences(call.tenant), { context: 'subscribedSkus' }),
  },
  {
    method: 'POST', path: '/directoryObjects/getByIds', versions: ['v1.0', 'beta'], delegated: ['Directory.Read.All', 'Directory.ReadWrite.All'], application: ['Directory.Read.All', 'Directory.ReadWrite.All'],
    handle(call) {
      const { ids, types = KINDS } = bodyOf(call);
      if (!isTexts(ids) || ids.length === 0 || !isTexts(types)) throw badRequest("Invalid value specified for property 'ids' of resource.");
      if (ids.length > 1000) throw badRequest('The number of ids is limited to 1000.');
      // Unknown ids are left out without a word.
      const value = KINDS.filter((kind) => types.some((type) => type.toLowerCase() === kind.toLowerCase())).flatMap((kind) => objectsOf(call.tenant, kind).filter(({ id }) => ids.includes(String(id))));
      return { status: 200, body: { '@odata.context': `${call.base}/$metadata#directoryObjects`, value } };
    },
  },

  ...(['/me', '/users/{id}'] as const).flatMap((prefix) => graphRoutes([
    {
      method: 'GET', path: `${prefix}/memberOf/{groupId}`, versions: ['v1.0', 'beta'], delegated: ['User.Read', ...READ_GROUPS],
      application: prefix === '/me' ? null : ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'], query: ['$select'],
      handle(call) {
        const [user, groupId] = [personOf(call), call.params['groupId'] ?? ''];
        const group = call.tenant.groups.find(({ id }) => id === groupId);
        // The answer for a group that is not there and for one without this member is the same.
        if (!group?.memberIds.includes(user.id)) throw notFound(groupId);
        return single(call, { '@odata.type': '#microsoft.graph.group', ...groupItem(group, call.tenant) }, 'directoryObjects');
      },
    },
    {
      method: 'GET', path: `${prefix}/memberOf`, versions: ['v1.0', 'beta'], delegated: ['User.Read', ...READ_GROUPS],
      application: prefix === '/me' ? null : ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'], query: ['$select', '$top', '$skiptoken'],
      handle(call) {
        const user = personOf(call);
        const groups = call.tenant.groups.filter(({ memberIds }) => memberIds.includes(user.id));
        return listAnswer(call, groups.map((group) => ({ '@odata.type': '#microsoft.graph.group', ...groupItem(group, call.tenant) })), { context: 'directoryObjects' });
      },
    },
    {
      method: 'POST', path: `${prefix}/checkMemberGroups`, versions: ['v1.0', 'beta'],
      delegated: ['User.Read', 'Directory.Read.All', 'Directory.ReadWrite.All', ...READ_USERS.flatMap((user) => ['GroupMember.Read.All', 'Group.Read.All', 'Group.ReadWrite.All'].map((group) => [user, group]))],
      application: prefix === '/me' ? null : ['Directory.Read.All', 'Directory.ReadWrite.All', ['User.Read.All', 'GroupMember.Read.All'], ['User.Read.All', 'Group.Read.All']],
      handle(call) {
        const user = personOf(call);
        const { groupIds } = bodyOf(call);
        if (!isTexts(groupIds)) throw badRequest("Invalid value specified for property 'groupIds' of resource.");
        if (groupIds.length > 20) throw badRequest('The number of group ids is limited to 20.');
        const held = groupsAround(call.tenant, user.id);
        return { status: 200, body: { '@odata.context': `${call.base}/$metadata#Collection(Edm.String)`, value: groupIds.filter((id) => held.has(id)) } };
      },
    },
    {
      method: 'POST', path: `${prefix}/revokeSignInSessions`, versions: ['v1.0', 'beta'], delegated: ['User.RevokeSessions.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'],
      application: prefix === '/me' ? null : ['User.RevokeSessions.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'],
      handle(call) {
        const user = personOf(call);
        if (call.caller.kind === 'user' && call.caller.user.id !== user.id && !call.caller.user.directoryRoles.some((role) => SESSION_REVOKERS.includes(role))) throw denied();
        user.signInSessionsValidFromDateTime = call.now.toISOString();
        return { status: 200, body: { '@odata.context': `${call.base}/$metadata#Edm.Boolean`, value: true } };
      },
    },
  ])),
]);

const personOf = (call: GraphCall): User => (call.params['id'] === undefined ? callerOf(call) : userOf(call, call.params['id']));

const holds = (call: GraphCall, permissions: readonly string[]): boolean =>
  (call.caller.kind === 'user' ? call.caller.scopes : call.caller.roles).some((one) => permissions.includes(one));

const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((one) => typeof one === 'string');

function objectsOf(tenant: Tenant, kind: Kind): Record<string, unknown>[] {
  const items = {
    user: () => tenant.users.map(userItem),
    group: () => tenant.groups.map((group) => groupItem(group, tenant)),
    servicePrincipal: () => tenant.servicePrincipals.map(servicePrincipalItem),
  }[kind]();
  return items.map((item) => ({ '@odata.type': `#microsoft.graph.${kind}`, ...item }));
}

const organizationItem = ({ id, displayName, domain }: Tenant): Record<string, unknown> => ({
  id, displayName, tenantType: 'AAD', countryLetterCode: 'SE',
  verifiedDomains: [{ name: domain, type: 'Managed', isDefault: true, isInitial: true, capabilities: 'Email, OfficeCommunicationsOnline' }],
  assignedPlans: LICENCES.map(({ servicePlanName }) => ({ capabilityStatus: 'Enabled', service: servicePlanName })),
});

const licences = (tenant: Tenant): Record<string, unknown>[] =>
  LICENCES.map(({ skuPartNumber, servicePlanName }) => ({
    id: `${tenant.id}_${skuPartNumber}`, accountId: tenant.id, appliesTo: 'User', capabilityStatus: 'Enabled', skuPartNumber,
    consumedUnits: tenant.users.length, prepaidUnits: { enabled: 100, suspended: 0, warning: 0, lockedOut: 0 },
    servicePlans: [{ servicePlanName, provisioningStatus: 'Success', appliesTo: 'User' }],
  }));

/** Ids of the groups that somebody is in, directly or through groups in groups. */
export function groupsAround(tenant: Tenant, memberId: string): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [memberId];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const { id, memberIds } of tenant.groups) {
      if (found.has(id) || !memberIds.includes(next)) continue;
      found.add(id);
      waiting.push(id);
    }
  }
  return found;
}
