import { graphRoutes, type GraphAnswer, type GraphCall } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { Group, User } from '../tenant.ts';
import { collectionAnswer, countAnswer, TEXT, WORD, type Collection } from './collections.ts';
import { BOTH, denied, LIST_QUERY, me, notFound, ONE_QUERY, param, personOf, sameId } from './common.ts';
import { property } from './audits.ts';
import { rolesOf } from './roles.ts';
import { groupsAround, groupView, userView } from './views.ts';

const READ_FULLY = ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];
const READ = ['User.ReadBasic.All', ...READ_FULLY];
const USERS: Collection = {
  context: 'users',
  filterable: { displayName: TEXT, mail: `${TEXT} endswith`, userPrincipalName: `${TEXT} endswith`, givenName: TEXT, surname: TEXT, id: WORD, jobTitle: TEXT, department: 'eq ne not ge le in', accountEnabled: WORD, userType: WORD },
  searchable: ['displayName', 'mail', 'userPrincipalName', 'givenName', 'surname'],
  orderable: ['displayName', 'userPrincipalName'],
};

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

/** What lets a caller read the object behind a membership; without it, only its id and its type are told. */
const READ_MEMBERSHIPS: Readonly<Record<string, readonly string[]>> = {
  '#microsoft.graph.group': ['GroupMember.Read.All', 'GroupMember.ReadWrite.All', 'Group.Read.All', 'Group.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
  '#microsoft.graph.directoryRole': ['RoleManagement.Read.Directory', 'RoleManagement.ReadWrite.Directory', 'Directory.Read.All', 'Directory.ReadWrite.All'],
};

type Item = Readonly<Record<string, unknown>>;

function toldTo(call: GraphCall, object: Item): Item {
  const readers = READ_MEMBERSHIPS[String(object['@odata.type'])] ?? [];
  if (grantsOf(call).some((grant) => readers.includes(grant))) return object;
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, name === '@odata.type' || name === 'id' ? value : Array.isArray(value) ? [] : null]));
}

const groupItem = (call: GraphCall, group: Group, all: boolean): Item => ({ '@odata.type': '#microsoft.graph.group', ...groupView(group, call.tenant, { all }) });

/** Whether the group directly contains the person, or the person holds the role: exact, by key. */
function membership(call: GraphCall, user: User): GraphAnswer {
  const id = param(call, 'groupId');
  const group = call.tenant.groups.find((one) => sameId(one.id, id));
  const held = group?.memberIds.includes(user.id) === true ? groupItem(call, group, call.query['$select'] !== undefined) : rolesOf(call.tenant, user).find((role) => sameId(String(role['id']), id));
  if (!held) throw notFound(id);
  return single(call, toldTo(call, held), 'directoryObjects');
}

function memberships(call: GraphCall, user: User, transitive: boolean): GraphAnswer {
  const groups = transitive ? groupsAround(call.tenant, user.id) : call.tenant.groups.filter((group) => group.memberIds.includes(user.id));
  const held = [...groups.map((group) => groupItem(call, group, false)), ...rolesOf(call.tenant, user)];
  return listAnswer(call, held.map((one) => toldTo(call, one)), { context: 'directoryObjects' });
}

function revokeSessions(call: GraphCall, user: User): GraphAnswer {
  const before = user.signInSessionsValidFromDateTime;
  user.signInSessionsValidFromDateTime = call.now.toISOString();
  call.audit({
    loggedByService: 'Core Directory', category: 'UserManagement', activityDisplayName: 'Update StsRefreshTokenValidFrom Timestamp', operationType: 'Update',
    targetResources: [{ type: 'User', id: user.id, displayName: user.displayName, userPrincipalName: user.userPrincipalName, modifiedProperties: [property('StsRefreshTokensValidFrom', [before], [user.signInSessionsValidFromDateTime])] }],
  });
  return { status: 200, body: { '@odata.context': `${call.base}/$metadata#Edm.Boolean`, value: true } };
}

/** People: who they are, which groups they are in, which directory roles they hold, and the end of their sessions. */
export const userRoutes = graphRoutes([
  {
    method: 'GET', path: '/me', versions: BOTH, delegated: ['User.Read', 'User.ReadWrite', ...READ], application: null, query: ONE_QUERY,
    handle: (call) => single(call, view(call, me(call)), 'users'),
  },
  {
    method: 'GET', path: '/users', versions: BOTH, delegated: READ, application: READ, query: LIST_QUERY,
    // Filters see what is there, whatever the caller may read of it.
    handle: (call) => collectionAnswer(call, call.tenant.users.map((user) => userView(user, { all: true })), USERS, ({ id }) => view(call, personOf(call, String(id)))),
  },
  {
    method: 'GET', path: '/users/$count', versions: BOTH, delegated: READ, application: READ, query: ['$filter', '$search'],
    handle: (call) => countAnswer(call, call.tenant.users.map((user) => userView(user, { all: true })), USERS),
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
    method: 'POST', path: '/me/revokeSignInSessions', versions: BOTH, delegated: REVOKE, application: null,
    handle: (call) => revokeSessions(call, me(call)),
  },
  {
    method: 'POST', path: '/users/{id}/revokeSignInSessions', versions: BOTH, delegated: REVOKE, application: REVOKE,
    roles: { anyOf: SESSION_ENDERS, or: (call) => isSelf(call, personOf(call)) },
    handle: (call) => revokeSessions(call, personOf(call)),
  },
]);
