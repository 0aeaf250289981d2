import { graphRoutes, type GraphAnswer, type GraphCall, type GraphRoute } from '../graph/route.ts';
import { listAnswer, select, single } from '../odata.ts';
import type { User } from '../tenant.ts';
import { BOTH, bad, bodyOf, checkAdvanced, denied, isGuid, LIST_QUERY, me, notFound, ONE_QUERY, param, personOf, sameId } from './common.ts';
import { property } from './audits.ts';
import { groupsAround, groupView, objectView, userView } from './views.ts';

const READ_FULLY = ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];
const READ = ['User.ReadBasic.All', ...READ_FULLY];
const SEARCHABLE = ['displayName', 'mail', 'userPrincipalName', 'givenName', 'surname'];
const FILTERABLE = [...SEARCHABLE, 'id', 'jobTitle', 'department', 'accountEnabled', 'userType'];

/** Who may end the sessions of somebody else. */
const SESSION_ENDERS = ['User Administrator', 'Helpdesk Administrator', 'Authentication Administrator', 'Privileged Authentication Administrator', 'Global Administrator'];
const REVOKE = ['User.RevokeSessions.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'];

const grantsOf = ({ caller }: GraphCall): readonly string[] => (caller.kind === 'user' ? caller.scopes : caller.roles);

const isSelf = ({ caller }: GraphCall, user: User): boolean => caller.kind === 'user' && caller.user.id === user.id;

function view(call: GraphCall, user: User): Readonly<Record<string, unknown>> {
  const basic = !isSelf(call, user) && !grantsOf(call).some((grant) => READ_FULLY.includes(grant));
  return userView(user, { all: call.query['$select'] !== undefined, basic });
}

/** With `User.Read` alone a person sees nobody but themselves. */
function seen(call: GraphCall, user: User, more: readonly string[]): User {
  if (!isSelf(call, user) && !grantsOf(call).some((grant) => more.includes(grant))) throw denied();
  return user;
}

const memberOfQuery = ['$select'] as const;
const READ_OTHERS_GROUPS = ['User.Read.All', 'GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];

/** Whether the group directly contains the person: exact, by key. */
function membership(call: GraphCall, user: User): GraphAnswer {
  const groupId = param(call, 'groupId');
  const group = call.tenant.groups.find((one) => sameId(one.id, groupId));
  if (!group?.memberIds.includes(user.id)) throw notFound(groupId);
  return single(call, { '@odata.type': '#microsoft.graph.group', ...groupView(group, call.tenant, { all: call.query['$select'] !== undefined }) }, 'directoryObjects');
}

function memberships(call: GraphCall, user: User, transitive: boolean): GraphAnswer {
  const groups = transitive ? groupsAround(call.tenant, user.id) : call.tenant.groups.filter((group) => group.memberIds.includes(user.id));
  return listAnswer(call, groups.map((group) => ({ '@odata.type': '#microsoft.graph.group', ...groupView(group, call.tenant, { all: false }) })), { context: 'directoryObjects' });
}

/** Those of the asked groups that contain the person, through other groups too. */
function checkMemberGroups(call: GraphCall, user: User): GraphAnswer {
  const { groupIds } = bodyOf(call, ['groupIds'], 'checkMemberGroups');
  if (!Array.isArray(groupIds) || !groupIds.every(isGuid)) throw bad('groupIds must be a collection of object ids.');
  if (groupIds.length > 20) throw bad('Too many group ids were specified: at most 20 are allowed.', 'Directory_ResultSizeLimitExceeded');
  const around = groupsAround(call.tenant, user.id);
  return { status: 200, body: { '@odata.context': `${call.base}/$metadata#Collection(Edm.String)`, value: groupIds.filter((id) => around.some((group) => sameId(group.id, id))) } };
}

const CHECK_GRANTS: GraphRoute['delegated'] = [
  ...['User.ReadBasic.All', 'User.Read.All'].flatMap((user) => ['GroupMember.Read.All', 'Group.Read.All', 'Group.ReadWrite.All'].map((group) => [user, group])),
  'Directory.Read.All', 'Directory.ReadWrite.All',
];

function revokeSessions(call: GraphCall, user: User): GraphAnswer {
  const before = user.signInSessionsValidFromDateTime;
  user.signInSessionsValidFromDateTime = call.now.toISOString();
  call.audit({
    loggedByService: 'Core Directory', category: 'UserManagement', activityDisplayName: 'Update StsRefreshTokenValidFrom Timestamp', operationType: 'Update',
    targetResources: [{ type: 'User', id: user.id, displayName: user.displayName, userPrincipalName: user.userPrincipalName, modifiedProperties: [property('StsRefreshTokensValidFrom', [before], [user.signInSessionsValidFromDateTime])] }],
  });
  return { status: 200, body: { '@odata.context': `${call.base}/$metadata#Edm.Boolean`, value: true } };
}

/** People: who they are, which groups they are in, and the end of their sessions. */
export const userRoutes = graphRoutes([
  {
    method: 'GET', path: '/me', versions: BOTH, delegated: ['User.Read', 'User.ReadWrite', ...READ], application: null, query: ONE_QUERY,
    handle: (call) => single(call, view(call, me(call)), 'users'),
  },
  {
    method: 'GET', path: '/users', versions: BOTH, delegated: READ, application: READ, query: LIST_QUERY,
    handle(call) {
      checkAdvanced(call);
      const people = call.tenant.users.map((user) => ({ ...userView(user, { all: true }) }));
      // Filters see what is there, whatever the caller may read of it.
      const answer = listAnswer({ ...call, query: Object.fromEntries(Object.entries(call.query).filter(([name]) => name !== '$select')) }, people, { context: 'users', filterable: FILTERABLE, searchable: SEARCHABLE });
      const body = answer.body as { readonly value: readonly { readonly id: string }[]; readonly '@odata.nextLink'?: string };
      const next = body['@odata.nextLink'] === undefined ? undefined : new URL(body['@odata.nextLink']);
      if (call.query['$select'] !== undefined) next?.searchParams.set('$select', call.query['$select']);
      return { ...answer, body: { ...body, ...(next && { '@odata.nextLink': next.href }), value: body.value.map(({ id }) => select(view(call, personOf(call, id)), call.query['$select'])) } };
    },
  },
  {
    method: 'GET', path: '/users/{id}', versions: BOTH, delegated: ['User.Read', ...READ], application: READ, query: ONE_QUERY,
    handle: (call) => single(call, view(call, seen(call, personOf(call), READ)), 'users'),
  },
  {
    method: 'GET', path: '/me/memberOf', versions: BOTH, delegated: ['User.Read', 'GroupMember.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'], application: null, query: ['$select', '$top', '$count', '$skiptoken'],
    handle: (call) => memberships(call, me(call), false),
  },
  {
    method: 'GET', path: '/me/transitiveMemberOf', versions: BOTH, delegated: ['User.Read', 'User.Read.All', 'GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'], application: null, query: ['$select', '$top', '$count', '$skiptoken'],
    handle: (call) => memberships(call, me(call), true),
  },
  {
    method: 'GET', path: '/users/{id}/transitiveMemberOf', versions: BOTH, delegated: READ_OTHERS_GROUPS, application: ['User.Read.All', 'GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'], query: ['$select', '$top', '$count', '$skiptoken'],
    handle: (call) => memberships(call, personOf(call), true),
  },
  {
    method: 'GET', path: '/me/memberOf/{groupId}', versions: BOTH, delegated: ['User.Read', 'User.Read.All'], application: null, query: memberOfQuery,
    handle: (call) => membership(call, me(call)),
  },
  {
    method: 'GET', path: '/users/{id}/memberOf/{groupId}', versions: BOTH, delegated: ['User.Read'], application: ['User.Read.All'], query: memberOfQuery,
    handle: (call) => membership(call, seen(call, personOf(call), READ_OTHERS_GROUPS)),
  },
  {
    method: 'POST', path: '/me/checkMemberGroups', versions: BOTH, delegated: [...CHECK_GRANTS, ['User.Read', 'GroupMember.Read.All']], application: null,
    handle: (call) => checkMemberGroups(call, me(call)),
  },
  {
    method: 'POST', path: '/users/{id}/checkMemberGroups', versions: BOTH, delegated: CHECK_GRANTS, application: [...['GroupMember.Read.All', 'Group.Read.All'].map((group) => ['User.Read.All', group]), 'Directory.Read.All'],
    handle: (call) => checkMemberGroups(call, personOf(call)),
  },
  {
    method: 'POST', path: '/me/revokeSignInSessions', versions: BOTH, delegated: REVOKE, application: null,
    handle: (call) => revokeSessions(call, me(call)),
  },
  {
    method: 'POST', path: '/users/{id}/revokeSignInSessions', versions: BOTH, delegated: REVOKE, application: REVOKE,
    roles: { anyOf: SESSION_ENDERS, or: (call) => isSelf(call, personOf(call)) },
    handle: (call) => revokeSessions(call, personOf(call)),
  },
  {
    method: 'POST', path: '/directoryObjects/getByIds', versions: BOTH, delegated: ['Directory.Read.All'], application: ['Directory.Read.All'],
    handle(call) {
      const { ids, types } = bodyOf(call, ['ids', 'types'], 'getByIds');
      if (!Array.isArray(ids) || !ids.every(isGuid)) throw bad('Invalid GUID in the ids collection.');
      if (ids.length > 1000) throw bad('The ids collection has more than 1000 entries.');
      if (types !== undefined && (!Array.isArray(types) || types.some((type) => !['user', 'group', 'servicePrincipal', 'application', 'device', 'directoryObject'].includes(String(type))))) throw bad('Invalid value specified for property \'types\'.');
      const wanted = Array.isArray(types) && !types.includes('directoryObject') ? types.map((type) => `#microsoft.graph.${String(type)}`) : undefined;
      const found = [...new Set(ids)].map((id) => objectView(call.tenant, id)).filter((object) => object !== undefined && (wanted === undefined || wanted.includes(String(object['@odata.type']))));
      return { status: 200, body: { '@odata.context': `${call.base}/$metadata#directoryObjects`, value: found } };
    },
  },
]);
