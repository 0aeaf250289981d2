import { graphRoutes, type GraphAnswer, type GraphCall, type GraphRefusal, type GraphRoute } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { Group } from '../tenant.ts';
import { groupEvent, property, relationEvent } from './audits.ts';
import { collectionAnswer, countAnswer, objectAnswer, TEXT, WORD, type Collection } from './collections.ts';
import { BOTH, bad, bodyOf, denied, EXPANDABLE_QUERY, GROUP_WRITERS, groupOf, isGuid, isOwner, LIST_QUERY, notFound, ONE_QUERY, param, referencedId, sameId } from './common.ts';
import { dropAssignments } from './service-principals.ts';
import { groupView, membersWithin, objectView } from './views.ts';

const READ = ['Group.ReadBasic.All', 'Group.Read.All', 'Group.ReadWrite.All', 'GroupMember.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];
const WRITE = ['Group.ReadWrite.All', 'Directory.ReadWrite.All'];
const READ_MEMBERS = ['GroupMember.ReadBasic.All', 'GroupMember.Read.All', 'GroupMember.ReadWrite.All', 'Group.ReadBasic.All', 'Group.Read.All', 'Group.ReadWrite.All', 'Directory.Read.All'];
const READ_OWNERS = ['GroupMember.Read.All', 'GroupMember.ReadWrite.All', 'Group.Read.All', 'Group.ReadWrite.All', 'Directory.Read.All'];
const WRITE_MEMBERS = ['GroupMember.ReadWrite.All', 'Group.ReadWrite.All', 'Directory.ReadWrite.All'];

const GROUPS: Collection = {
  context: 'groups',
  filterable: {
    displayName: TEXT, description: 'eq ne not ge le startswith', mailNickname: TEXT, mail: TEXT, id: WORD, mailEnabled: WORD, securityEnabled: WORD, groupTypes: 'eq not',
    onPremisesSyncEnabled: WORD, isAssignableToRole: 'eq ne not', createdDateTime: 'eq ne not ge le in', uniqueName: 'eq',
  },
  searchable: ['displayName', 'description', 'mailNickname'],
  orderable: ['displayName'],
  expandable: { members: (call, id) => objectsOf(call, groupOf(call, id).memberIds), owners: (call, id) => objectsOf(call, groupOf(call, id).ownerIds) },
};
const OBJECTS: Collection = { context: 'directoryObjects', filterable: { id: WORD, displayName: TEXT }, searchable: ['displayName'], orderable: ['displayName'], filterIsAdvanced: true };

const PROPERTIES = ['displayName', 'description', 'mailEnabled', 'mailNickname', 'securityEnabled', 'groupTypes', 'isAssignableToRole', 'membershipRule', 'membershipRuleProcessingState', 'uniqueName', 'visibility'];
const BINDS = ['owners@odata.bind', 'members@odata.bind'];
const OBJECT_KINDS = ['users', 'groups', 'servicePrincipals', 'directoryObjects'];

const invalid = (name: string): GraphRefusal => bad(`Invalid value specified for property '${name}' of resource 'Group'.`);

type Values = Readonly<Record<string, unknown>>;

const text = (values: Values, name: string, longest: number): string => {
  const value = values[name];
  // Empty text is no value: null is.
  if (typeof value !== 'string' || value.trim() === '' || value.length > longest) throw invalid(name);
  return value;
};

function nickname(values: Values): string {
  const value = text(values, 'mailNickname', 64);
  if (!/^[\x21-\x7e]+$/.test(value) || /[@()\\[\]";:.<>,\s]/.test(value)) throw invalid('mailNickname');
  return value;
}

const flag = (values: Values, name: string): boolean => {
  const value = values[name];
  if (typeof value !== 'boolean') throw invalid(name);
  return value;
};

function uniqueName(values: Values): string {
  const value = text(values, 'uniqueName', 128);
  if (!/^[A-Za-z0-9._-]+$/.test(value)) throw invalid('uniqueName');
  return value;
}

function bound(call: GraphCall, values: Values, name: string): string[] {
  const references = values[name] ?? [];
  if (!Array.isArray(references)) throw invalid(name);
  return references.map((reference) => {
    const id = referencedId(reference, OBJECT_KINDS);
    if (!objectView(call.tenant, id, call.version)) throw notFound(id);
    return id;
  });
}

function create(call: GraphCall, key: string | undefined): GraphAnswer {
  const values = bodyOf(call, [...PROPERTIES, ...BINDS], 'Group');
  for (const name of ['displayName', 'mailEnabled', 'mailNickname', 'securityEnabled']) {
    if (values[name] === undefined || values[name] === null) throw bad(`A value is required for property '${name}' of resource 'Group'.`);
  }
  const groupTypes = values['groupTypes'] ?? [];
  if (!Array.isArray(groupTypes) || groupTypes.some((type) => type !== 'Unified' && type !== 'DynamicMembership')) throw invalid('groupTypes');
  const [mailEnabled, securityEnabled] = [flag(values, 'mailEnabled'), flag(values, 'securityEnabled')];
  if (mailEnabled !== groupTypes.includes('Unified')) {
    throw bad('The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.');
  }
  if (!mailEnabled && !securityEnabled) throw invalid('securityEnabled');
  const dynamic = groupTypes.includes('DynamicMembership');
  if (dynamic !== (typeof values['membershipRule'] === 'string' && values['membershipRule'] !== '')) throw invalid('membershipRule');

  const isAssignableToRole = values['isAssignableToRole'] === undefined ? false : flag(values, 'isAssignableToRole');
  const unique = key ?? (values['uniqueName'] === undefined || values['uniqueName'] === null ? undefined : uniqueName(values));
  if (isAssignableToRole) assignableToRole(call, unique);
  if (unique !== undefined && call.tenant.groups.some((group) => group.uniqueName === unique)) throw bad('Another object with the same value for property uniqueName already exists.');

  const [owners, members] = [bound(call, values, 'owners@odata.bind'), bound(call, values, 'members@odata.bind')];
  if (owners.length + members.length > 20) throw bad('The number of relationships in a create request is limited to 20.');
  if (dynamic && members.length > 0) throw bad('Members of a group with dynamic membership cannot be set.');
  const { caller } = call;
  if (owners.length === 0 && caller.kind === 'user') owners.push(caller.user.id);

  const group: Group = {
    id: call.newId(), displayName: text(values, 'displayName', 256), description: values['description'] === undefined || values['description'] === null ? null : text(values, 'description', 1024),
    mailNickname: nickname(values), mailEnabled, securityEnabled, groupTypes: groupTypes.map(String), membershipRule: dynamic ? String(values['membershipRule']) : null,
    onPremisesSyncEnabled: null, isAssignableToRole, uniqueName: unique ?? null, createdDateTime: call.now.toISOString(), memberIds: [...new Set(members)], ownerIds: [...new Set(owners)],
    knownToPimAt: new Date(call.now.getTime() + call.delays.directoryToPim).toISOString(), onboardedToPimAt: null,
  };
  call.tenant.groups.push(group);
  call.audit(groupEvent('Create group', group, [property('DisplayName', [], [group.displayName]), property('SecurityEnabled', [], [group.securityEnabled])]));
  for (const id of group.ownerIds) call.audit(relationEvent('Add owner to group', call.tenant, group, id));
  for (const id of group.memberIds) call.audit(relationEvent('Add member to group', call.tenant, group, id));
  return single(call, groupView(group, call.tenant, { all: true }), 'groups', 201);
}

function assignableToRole(call: GraphCall, unique: string | undefined): void {
  const { caller } = call;
  const permitted = caller.kind === 'user'
    ? caller.scopes.includes('RoleManagement.ReadWrite.Directory') && caller.user.directoryRoles.some((role) => role === 'Privileged Role Administrator' || role === 'Global Administrator')
    : caller.roles.includes('RoleManagement.ReadWrite.Directory');
  if (!permitted) throw denied();
  if (unique !== undefined) throw bad('Value for ArmUniqueName cannot be updated for groups assignable to role.');
}

/** Groups that somebody else keeps: Exchange, or the directory on premises. */
function writable(group: Group): Group {
  if (group.onPremisesSyncEnabled === true) throw bad('Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.');
  if (group.mailEnabled && !group.groupTypes.includes('Unified')) throw bad('Cannot Update a mail-enabled security groups and or distribution list.');
  return group;
}

function update(call: GraphCall, group: Group, ignored: readonly string[]): GraphAnswer {
  const values = bodyOf(call, [...PROPERTIES, ...ignored], 'Group');
  writable(group);
  for (const name of ['mailEnabled', 'securityEnabled', 'groupTypes', 'isAssignableToRole', 'membershipRule'] as const) {
    if (values[name] !== undefined && JSON.stringify(values[name]) !== JSON.stringify(group[name])) throw bad(`Property '${name}' is read-only and cannot be set.`);
  }
  const next = { ...group };
  if (values['displayName'] !== undefined) next.displayName = text(values, 'displayName', 256);
  if (values['description'] !== undefined) next.description = values['description'] === null ? null : text(values, 'description', 1024);
  if (values['mailNickname'] !== undefined) next.mailNickname = nickname(values);
  if (values['uniqueName'] !== undefined && values['uniqueName'] !== group.uniqueName) {
    const wanted = uniqueName(values);
    if (group.isAssignableToRole) throw bad('Value for ArmUniqueName cannot be updated for groups assignable to role.');
    if (group.uniqueName !== null) throw bad(`Property 'uniqueName' is read-only and cannot be set.`);
    if (call.tenant.groups.some((other) => other.uniqueName === wanted)) throw bad('Another object with the same value for property uniqueName already exists.');
    next.uniqueName = wanted;
  }
  const changes = (['displayName', 'description', 'mailNickname', 'uniqueName'] as const).filter((name) => next[name] !== group[name]);
  const properties = changes.map((name) => property(`${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, [group[name]], [next[name]]));
  Object.assign(group, next);
  if (changes.length > 0) call.audit(groupEvent('Update group', group, properties));
  return { status: 204 };
}

const byUniqueName = (call: GraphCall): Group | undefined => call.tenant.groups.find((group) => group.uniqueName === param(call, 'uniqueName'));

const UNFINISHED = ['PendingApproval', 'PendingAdminDecision', 'PendingProvisioning', 'Granted'];

function remove(call: GraphCall): GraphAnswer {
  const { tenant } = call;
  const group = writable(groupOf(call));
  call.audit(groupEvent('Delete group', group));
  tenant.groups.splice(tenant.groups.indexOf(group), 1);
  for (const other of tenant.groups) other.memberIds = other.memberIds.filter((id) => id !== group.id);
  dropAssignments(call, ({ principalId }) => principalId === group.id);
  const { pim } = tenant;
  const about = ({ groupId, principalId }: { readonly groupId: string; readonly principalId: string }): boolean => groupId === group.id || principalId === group.id;
  pim.policies = pim.policies.filter(({ groupId }) => groupId !== group.id);
  pim.schedules = pim.schedules.filter((schedule) => !about(schedule));
  // What nobody will decide or carry out any more goes with it; what was done is history.
  const gone = new Set(pim.requests.filter((request) => about(request) && UNFINISHED.includes(request.status)).map(({ id }) => id));
  pim.requests = pim.requests.filter(({ id }) => !gone.has(id));
  pim.approvals = pim.approvals.filter(({ requestId }) => !gone.has(requestId));
  for (const request of pim.requests) if (about(request)) request.dueAt = null;
  return { status: 204 };
}

// --- Members and owners ----------------------------------------------------------------------------------------------

const CASTS = ['user', 'group', 'servicePrincipal'] as const;
type Cast = (typeof CASTS)[number];

const objectsOf = ({ tenant, version }: GraphCall, ids: readonly string[]): Values[] => ids.map((id) => objectView(tenant, id, version)).filter((object) => object !== undefined);

function objectsAnswer(call: GraphCall, ids: readonly string[], cast: Cast | undefined): GraphAnswer {
  if (cast === undefined) return collectionAnswer(call, objectsOf(call, ids), OBJECTS);
  const found = objectsOf(call, ids).filter((object) => object['@odata.type'] === `#microsoft.graph.${cast}`);
  return collectionAnswer(call, found.map(({ '@odata.type': _type, ...rest }) => rest), { ...OBJECTS, context: `${cast}s` });
}

const listRoutes = (relation: 'members' | 'owners' | 'transitiveMembers', grants: readonly string[], idsOf: (call: GraphCall, group: Group) => readonly string[]): GraphRoute[] =>
  [undefined, ...CASTS].map((cast) => ({
    method: 'GET', path: `/groups/{id}/${relation}${cast === undefined ? '' : `/microsoft.graph.${cast}`}`, versions: BOTH, delegated: grants, application: grants, query: LIST_QUERY,
    handle: (call) => objectsAnswer(call, idsOf(call, groupOf(call)), cast),
  }));

/** Addresses in place of the objects. */
function referencesAnswer(call: GraphCall, ids: readonly string[]): GraphAnswer {
  const answer = listAnswer(call, ids.map((id) => ({ id })), { context: 'Collection($ref)' });
  const body = answer.body as { readonly value: readonly { readonly id: string }[] };
  return { ...answer, body: { ...body, value: body.value.map(({ id }) => ({ '@odata.id': `${call.base}/directoryObjects/${id}` })) } };
}

function addTo(call: GraphCall, relation: 'memberIds' | 'ownerIds', words: 'members' | 'owners'): GraphAnswer {
  const group = writable(groupOf(call));
  const { '@odata.id': reference } = bodyOf(call, ['@odata.id'], 'reference');
  const id = referencedId(reference, OBJECT_KINDS);
  if (!objectView(call.tenant, id, call.version)) throw notFound(id);
  if (relation === 'memberIds' && group.groupTypes.includes('DynamicMembership')) throw bad('Members of a group with dynamic membership cannot be set.');
  if (relation === 'memberIds' && group.isAssignableToRole && call.tenant.groups.some((other) => sameId(other.id, id))) throw bad('Groups cannot be members of a group that is assignable to roles.');
  if (relation === 'ownerIds' && call.tenant.groups.some((other) => sameId(other.id, id))) throw bad('The specified object is not supported as an owner of a group.');
  if (group[relation].some((known) => sameId(known, id))) throw bad(`One or more added object references already exist for the following modified properties: '${words}'.`);
  group[relation].push(id.toLowerCase());
  call.audit(relationEvent(relation === 'memberIds' ? 'Add member to group' : 'Add owner to group', call.tenant, group, id.toLowerCase()));
  return { status: 204 };
}

function removeFrom(call: GraphCall, relation: 'memberIds' | 'ownerIds'): GraphAnswer {
  const group = writable(groupOf(call));
  const id = param(call, 'objectId');
  if (!group[relation].some((known) => sameId(known, id))) throw notFound(id);
  if (relation === 'memberIds' && group.groupTypes.includes('DynamicMembership')) throw bad('Members of a group with dynamic membership cannot be set.');
  if (relation === 'ownerIds' && group.ownerIds.length === 1) throw bad('The group must have at least one owner, hence this owner cannot be removed.');
  group[relation] = group[relation].filter((known) => !sameId(known, id));
  call.audit(relationEvent(relation === 'memberIds' ? 'Remove member from group' : 'Remove owner from group', call.tenant, group, id));
  return { status: 204 };
}

/** Of a group that can hold directory roles, only who manages roles, or its owner, changes the people. */
const CHANGE = {
  anyOf: GROUP_WRITERS,
  or: isOwner,
};
const forRoles = (call: GraphCall): void => {
  const group = groupOf(call);
  const { caller } = call;
  if (!group.isAssignableToRole || caller.kind === 'app' || isOwner(call)) return;
  if (!caller.user.directoryRoles.some((role) => role === 'Privileged Role Administrator' || role === 'Global Administrator')) throw denied();
};

const isAll = (call: GraphCall): boolean => call.query['$select'] !== undefined;

/** Groups, their members and owners. */
export const groupRoutes = graphRoutes([
  {
    method: 'GET', path: '/groups', versions: BOTH, delegated: READ, application: READ, query: [...LIST_QUERY, '$expand'],
    handle: (call) => collectionAnswer(call, call.tenant.groups.map((group) => groupView(group, call.tenant, { all: true })), GROUPS, isAll(call) ? undefined : ({ uniqueName: _uniqueName, ...rest }) => rest),
  },
  {
    method: 'GET', path: '/groups/$count', versions: BOTH, delegated: READ, application: READ, query: ['$filter', '$search'],
    handle: (call) => countAnswer(call, call.tenant.groups.map((group) => groupView(group, call.tenant, { all: true })), GROUPS),
  },
  {
    method: 'GET', path: '/groups/{id}/members/$count', versions: BOTH, delegated: READ_MEMBERS, application: READ_MEMBERS, query: ['$filter', '$search'],
    handle: (call) => countAnswer(call, objectsOf(call, groupOf(call).memberIds), OBJECTS),
  },
  {
    method: 'POST', path: '/groups', versions: BOTH, delegated: WRITE, application: ['Group.Create', ...WRITE], roles: { anyOf: GROUP_WRITERS },
    handle: (call) => create(call, undefined),
  },
  {
    method: 'GET', path: `/groups(uniqueName='{uniqueName}')`, versions: BOTH, delegated: READ, application: READ, query: EXPANDABLE_QUERY,
    handle(call) {
      const group = byUniqueName(call);
      if (!group) throw notFound(param(call, 'uniqueName'));
      return objectAnswer(call, groupView(group, call.tenant, { all: isAll(call) }), GROUPS);
    },
  },
  {
    method: 'PATCH', path: `/groups(uniqueName='{uniqueName}')`, versions: BOTH, delegated: WRITE, application: ['Group.Create', ...WRITE],
    roles: { anyOf: GROUP_WRITERS, or: (call) => call.caller.kind === 'user' && (byUniqueName(call)?.ownerIds.includes(call.caller.user.id) ?? false) },
    handle(call) {
      const group = byUniqueName(call);
      // Relationships of a group that is there are left as they are: whether the service would change them is not documented.
      if (group) return update(call, group, BINDS);
      const wanted = (call.headers['prefer'] ?? '').split(',').some((word) => word.trim().toLowerCase() === 'create-if-missing');
      if (!wanted) throw notFound(param(call, 'uniqueName'));
      return create(call, uniqueName({ uniqueName: param(call, 'uniqueName') }));
    },
  },
  {
    method: 'GET', path: '/groups/{id}', versions: BOTH, delegated: READ, application: READ, query: EXPANDABLE_QUERY,
    handle: (call) => objectAnswer(call, groupView(groupOf(call), call.tenant, { all: isAll(call) }), GROUPS),
  },
  {
    method: 'PATCH', path: '/groups/{id}', versions: BOTH, delegated: WRITE, application: WRITE, roles: CHANGE,
    handle: (call) => update(call, groupOf(call), []),
  },
  {
    method: 'DELETE', path: '/groups/{id}', versions: BOTH, delegated: ['Group.ReadWrite.All'], application: ['Group.ReadWrite.All'], roles: CHANGE,
    handle(call) {
      forRoles(call);
      return remove(call);
    },
  },
  ...listRoutes('members', READ_MEMBERS, (_call, group) => group.memberIds),
  ...listRoutes('owners', READ_OWNERS, (_call, group) => group.ownerIds),
  ...listRoutes('transitiveMembers', READ_MEMBERS, (call, group) => membersWithin(call.tenant, group)),
  {
    method: 'GET', path: '/groups/{id}/members/$ref', versions: BOTH, delegated: READ_MEMBERS, application: READ_MEMBERS, query: ['$skiptoken'],
    handle: (call) => referencesAnswer(call, groupOf(call).memberIds),
  },
  {
    method: 'GET', path: '/groups/{id}/owners/$ref', versions: BOTH, delegated: READ_OWNERS, application: READ_OWNERS, query: ['$skiptoken'],
    handle: (call) => referencesAnswer(call, groupOf(call).ownerIds),
  },
  {
    method: 'GET', path: '/groups/{id}/members/{objectId}', versions: BOTH, delegated: READ_MEMBERS, application: READ_MEMBERS, query: ONE_QUERY,
    handle(call) {
      const group = groupOf(call);
      const id = param(call, 'objectId');
      const found = isGuid(id) && group.memberIds.some((known) => sameId(known, id)) ? objectView(call.tenant, id, call.version) : undefined;
      // The service names the group here, not the person.
      if (!found) throw notFound(group.id);
      return single(call, found, 'directoryObjects');
    },
  },
  {
    method: 'POST', path: '/groups/{id}/members/$ref', versions: BOTH, delegated: WRITE_MEMBERS, application: WRITE_MEMBERS, roles: CHANGE,
    handle(call) {
      forRoles(call);
      return addTo(call, 'memberIds', 'members');
    },
  },
  {
    method: 'DELETE', path: '/groups/{id}/members/{objectId}/$ref', versions: BOTH, delegated: WRITE_MEMBERS, application: WRITE_MEMBERS, roles: CHANGE,
    handle(call) {
      forRoles(call);
      return removeFrom(call, 'memberIds');
    },
  },
  {
    method: 'POST', path: '/groups/{id}/owners/$ref', versions: BOTH, delegated: WRITE, application: WRITE, roles: CHANGE,
    handle(call) {
      forRoles(call);
      return addTo(call, 'ownerIds', 'owners');
    },
  },
  {
    method: 'DELETE', path: '/groups/{id}/owners/{objectId}/$ref', versions: BOTH, delegated: WRITE, application: WRITE, roles: CHANGE,
    handle(call) {
      forRoles(call);
      return removeFrom(call, 'ownerIds');
    },
  },
]);
