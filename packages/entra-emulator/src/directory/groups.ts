import { graphRoutes, type GraphCall, type GraphRoute } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { Group } from '../tenant.ts';
import { relationEvent } from './audits.ts';
import { createGroup, deleteGroup, referenceOf, updateGroup, writable } from './group-writes.ts';
import {
  badRequest, bodyOf, GROUP_DEFAULTS, GROUP_WRITERS, groupItem, groupOf, notFound, READ_GROUPS, servicePrincipalItem, userItem, withDefaults, WRITE_GROUPS, WRITE_MEMBERS,
} from './objects.ts';

const VERSIONS = ['v1.0', 'beta'] as const;
const LIST = ['$select', '$filter', '$search', '$count', '$orderby', '$top', '$skiptoken'];
const FILTERABLE = ['id', 'displayName', 'mailNickname', 'mail', 'mailEnabled', 'securityEnabled', 'groupTypes', 'isAssignableToRole', 'onPremisesSyncEnabled', 'uniqueName', 'createdDateTime'];
const SEARCHABLE = ['displayName', 'description', 'mailNickname'];
const MEMBER_FIELDS = ['id', 'displayName', 'userPrincipalName', 'mail'];

const isOwner = (call: GraphCall): boolean =>
  call.caller.kind === 'user' && (call.tenant.groups.find(({ id }) => id === call.params['id'])?.ownerIds.includes(call.caller.user.id) ?? false);
const writers: NonNullable<GraphRoute['roles']> = { anyOf: GROUP_WRITERS, or: isOwner };
const creators: NonNullable<GraphRoute['roles']> = { anyOf: [...GROUP_WRITERS, 'Privileged Role Administrator'] };

const byUniqueName = (call: GraphCall): { readonly name: string; readonly group: Group | undefined } => {
  const name = call.params['uniqueName'] ?? '';
  return { name, group: call.tenant.groups.find(({ uniqueName }) => uniqueName === name) };
};

const shown = (call: GraphCall, group: Group, status = 200) => single(withDefaults(call, GROUP_DEFAULTS), groupItem(group, call.tenant), 'groups', status);

/** Security groups, by id and by their unique name. */
export const groupRoutes = graphRoutes([
  {
    method: 'GET', path: '/groups', versions: VERSIONS, delegated: READ_GROUPS, application: READ_GROUPS, query: LIST,
    handle: (call) => listAnswer(withDefaults(call, GROUP_DEFAULTS), call.tenant.groups.map((group) => groupItem(group, call.tenant)), { context: 'groups', filterable: FILTERABLE, searchable: SEARCHABLE }),
  },
  {
    method: 'POST', path: '/groups', versions: VERSIONS, delegated: WRITE_GROUPS, application: ['Group.Create', ...WRITE_GROUPS], roles: creators,
    handle(call) {
      const body = bodyOf(call);
      const { uniqueName = null } = body;
      if (uniqueName !== null && (typeof uniqueName !== 'string' || call.tenant.groups.some((group) => group.uniqueName === uniqueName))) {
        throw badRequest('Another object with the same value for property uniqueName already exists.');
      }
      return shown(call, createGroup(call, body, uniqueName), 201);
    },
  },
  {
    method: 'GET', path: "/groups(uniqueName='{uniqueName}')", versions: VERSIONS, delegated: READ_GROUPS, application: READ_GROUPS, query: ['$select'],
    handle(call) {
      const { name, group } = byUniqueName(call);
      if (!group) throw notFound(name);
      return shown(call, group);
    },
  },
  {
    method: 'PATCH', path: "/groups(uniqueName='{uniqueName}')", versions: VERSIONS, delegated: WRITE_GROUPS, application: ['Group.Create', ...WRITE_GROUPS], roles: creators,
    handle(call) {
      const { name, group } = byUniqueName(call);
      const body = bodyOf(call);
      if (group) {
        updateGroup(call, group, body);
        return { status: 204 };
      }
      // Without the header it is an update, of nothing.
      if (!/(?:^|[,;\s])create-if-missing(?:$|[,;\s])/i.test(call.headers['prefer'] ?? '')) throw notFound(name);
      const made = createGroup(call, body, name);
      return single(withDefaults(call, `${GROUP_DEFAULTS},uniqueName`), groupItem(made, call.tenant), 'groups', 201);
    },
  },
  { method: 'GET', path: '/groups/{id}', versions: VERSIONS, delegated: READ_GROUPS, application: READ_GROUPS, query: ['$select'], handle: (call) => shown(call, groupOf(call)) },
  {
    method: 'PATCH', path: '/groups/{id}', versions: VERSIONS, delegated: WRITE_GROUPS, application: WRITE_GROUPS, roles: writers,
    handle(call) {
      updateGroup(call, groupOf(call), bodyOf(call));
      return { status: 204 };
    },
  },
  {
    method: 'DELETE', path: '/groups/{id}', versions: VERSIONS, delegated: WRITE_GROUPS, application: WRITE_GROUPS, roles: writers,
    handle(call) {
      deleteGroup(call, groupOf(call));
      return { status: 204 };
    },
  },

  ...list('/groups/{id}/members', (call) => groupOf(call).memberIds),
  ...list('/groups/{id}/owners', (call) => groupOf(call).ownerIds),
  ...list('/groups/{id}/transitiveMembers', (call) => membersInside(call, groupOf(call))),
  {
    method: 'GET', path: '/groups/{id}/members/{memberId}', versions: VERSIONS, delegated: READ_GROUPS, application: READ_GROUPS, query: ['$select'],
    handle(call) {
      const memberId = call.params['memberId'] ?? '';
      const group = groupOf(call);
      const [member] = group.memberIds.includes(memberId) ? objects(call, [memberId]) : [];
      if (!member) throw notFound(group.id);
      return single(call, member, 'directoryObjects');
    },
  },
  ...references('members', WRITE_MEMBERS),
  ...references('owners', WRITE_GROUPS),
]);

/** A list of people and groups, and the same list cut down to one kind. */
function list(path: string, idsOf: (call: GraphCall) => readonly string[]): readonly GraphRoute[] {
  const kinds = [undefined, 'user', 'group', 'servicePrincipal'] as const;
  return kinds.map((kind): GraphRoute => ({
    method: 'GET', path: kind === undefined ? path : `${path}/microsoft.graph.${kind}`, versions: VERSIONS, delegated: READ_GROUPS, application: READ_GROUPS, query: LIST,
    handle(call) {
      const found = objects(call, idsOf(call)).filter((one) => kind === undefined || one['@odata.type'] === `#microsoft.graph.${kind}`);
      return listAnswer(call, found, { context: kind === undefined ? 'directoryObjects' : `${kind}s`, filterable: MEMBER_FIELDS, searchable: ['displayName', 'mail'] });
    },
  }));
}

function objects({ tenant }: GraphCall, ids: readonly string[]): Record<string, unknown>[] {
  return ids.flatMap((id): Record<string, unknown>[] => {
    const user = tenant.users.find((one) => one.id === id);
    if (user) return [{ '@odata.type': '#microsoft.graph.user', ...userItem(user) }];
    const group = tenant.groups.find((one) => one.id === id);
    if (group) return [{ '@odata.type': '#microsoft.graph.group', ...groupItem(group, tenant) }];
    const principal = tenant.servicePrincipals.find((one) => one.id === id);
    return principal ? [{ '@odata.type': '#microsoft.graph.servicePrincipal', ...servicePrincipalItem(principal) }] : [];
  });
}

/** Everybody and everything in the group and in the groups inside it, each once. */
function membersInside({ tenant }: GraphCall, group: Group): readonly string[] {
  const found = new Set<string>();
  const waiting = [group];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const id of next.memberIds) {
      if (found.has(id)) continue;
      found.add(id);
      const inner = tenant.groups.find((one) => one.id === id);
      if (inner) waiting.push(inner);
    }
  }
  return [...found];
}

/** Adding and removing one member or owner. */
function references(relation: 'members' | 'owners', permissions: readonly string[]): readonly GraphRoute[] {
  const word = relation === 'members' ? 'member' : 'owner';
  const idsOf = (group: Group): string[] => (relation === 'members' ? group.memberIds : group.ownerIds);
  const checked = (call: GraphCall): Group => {
    const group = groupOf(call);
    writable(group);
    if (relation === 'members' && group.groupTypes.includes('DynamicMembership')) throw badRequest('Insufficient privileges to update members: the group has dynamic membership.');
    return group;
  };

  return graphRoutes([
    {
      method: 'POST', path: `/groups/{id}/${relation}/$ref`, versions: VERSIONS, delegated: permissions, application: permissions, roles: writers,
      handle(call) {
        const group = checked(call);
        const id = referenceOf(call, bodyOf(call)['@odata.id']);
        if (idsOf(group).includes(id)) throw badRequest(`One or more added object references already exist for the following modified properties: '${relation}'.`);
        idsOf(group).push(id);
        call.audit(relationEvent(`Add ${word} to group`, call.tenant, group, id));
        return { status: 204 };
      },
    },
    {
      method: 'DELETE', path: `/groups/{id}/${relation}/{memberId}/$ref`, versions: VERSIONS, delegated: permissions, application: permissions, roles: writers,
      handle(call) {
        const group = checked(call);
        const id = call.params['memberId'] ?? '';
        const place = idsOf(group).indexOf(id);
        if (place < 0) throw notFound(id);
        if (relation === 'owners' && group.ownerIds.length === 1) throw badRequest('The group must have at least one owner, hence this owner cannot be removed.');
        idsOf(group).splice(place, 1);
        call.audit(relationEvent(`Remove ${word} from group`, call.tenant, group, id));
        return { status: 204 };
      },
    },
  ]);
}
