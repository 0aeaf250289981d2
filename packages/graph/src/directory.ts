import { z } from 'zod';
import { anyOf, path, quoted, searchClause } from './addresses.ts';
import { GraphError } from './errors.ts';
import type { Directory, GraphGroup } from './ports.ts';
import { optionalText } from './shapes.ts';
import type { Call } from './call.ts';
import { remove, type Transport } from './transport.ts';

const USER_FIELDS = 'id,displayName,userPrincipalName,jobTitle';
const User = z.object({
  id: z.string(),
  displayName: z.string(),
  userPrincipalName: z.string(),
  jobTitle: optionalText,
});

const GROUP_FIELDS = 'id,displayName,description,mailNickname,mailEnabled,securityEnabled,groupTypes,onPremisesSyncEnabled,isAssignableToRole';
const Group = z
  .object({
    id: z.string(),
    displayName: z.string(),
    description: optionalText,
    mailNickname: optionalText,
    mailEnabled: z.boolean().nullish(),
    securityEnabled: z.boolean().nullish(),
    groupTypes: z.array(z.string()).nullish(),
    onPremisesSyncEnabled: z.boolean().nullish(),
    isAssignableToRole: z.boolean().nullish(),
  })
  .transform(
    (group): GraphGroup => ({
      id: group.id,
      displayName: group.displayName,
      description: group.description,
      mailNickname: group.mailNickname,
      mailEnabled: group.mailEnabled ?? false,
      securityEnabled: group.securityEnabled ?? false,
      dynamicMembership: (group.groupTypes ?? []).some((type) => type.toLowerCase() === 'dynamicmembership'),
      synchronised: group.onPremisesSyncEnabled ?? false,
      roleAssignable: group.isAssignableToRole ?? false,
    }),
  );

const KINDS: ReadonlyMap<string, 'user' | 'group' | 'servicePrincipal'> = new Map([
  ['#microsoft.graph.user', 'user'],
  ['#microsoft.graph.group', 'group'],
  ['#microsoft.graph.servicePrincipal', 'servicePrincipal'],
]);
const Named = z.object({
  '@odata.type': z.string(),
  id: z.string(),
  displayName: optionalText,
  userPrincipalName: optionalText,
  mail: optionalText,
});
const MAX_IDS_A_CALL = 1000;

const Owner = z.object({ id: z.string(), displayName: optionalText }).transform(({ id, displayName }) => ({ id, displayName: displayName ?? id }));
const Held = z.object({ '@odata.type': optionalText, roleTemplateId: optionalText });
/** A subscription that runs out still serves for a while (`Warning`). */
const Sku = z.object({ capabilityStatus: optionalText, servicePlans: z.array(z.object({ servicePlanName: z.string() })) });

/** One page of matches: what a person picks from is short. */
const Page = <S extends z.ZodType>(item: S) => z.object({ value: z.array(item) });

/** People and groups. */
export function createDirectory(transport: Transport): Directory {
  const search = (address: string, fields: string, properties: readonly string[], text: string, limit: number): Call => ({
    method: 'GET',
    version: 'v1.0',
    path: address,
    query: {
      // An empty search is refused; all of them, from the beginning, is what it would mean.
      ...(text.trim() !== '' && { $search: properties.map((property) => searchClause(property, text.trim())).join(' OR ') }),
      $count: 'true',
      $orderby: 'displayName',
      $top: String(limit),
      $select: fields,
    },
    eventual: true,
  });

  const groupByUniqueName = (uniqueName: string) =>
    transport.find({ method: 'GET', version: 'v1.0', path: path`/groups(uniqueName=${quoted(uniqueName)})`, query: { $select: `${GROUP_FIELDS},uniqueName` } }, Group);

  const owners = (groupId: string): Promise<readonly { readonly id: string; readonly displayName: string }[]> =>
    transport.list({ method: 'GET', version: 'v1.0', path: path`/groups/${groupId}/owners`, query: { $select: 'id,displayName' } }, Owner);

  const gone = (call: Call): Promise<void> => remove(transport, call);

  return {
    me: () => transport.read({ method: 'GET', version: 'v1.0', path: '/me', query: { $select: USER_FIELDS } }, User),

    async organization() {
      const call: Call = { method: 'GET', version: 'v1.0', path: '/organization', query: { $select: 'id,displayName' } };
      const { value } = await transport.read(call, Page(z.object({ id: z.string(), displayName: z.string() })));
      if (value[0] === undefined) throw new GraphError('unexpected', 'GET /organization: no organization');
      return value[0];
    },

    async searchUsers(text, limit) {
      const { value } = await transport.read(search('/users', USER_FIELDS, ['displayName', 'mail'], text, limit), Page(User));
      return value.slice(0, limit);
    },

    async searchGroups(text, limit) {
      const { value } = await transport.read(search('/groups', GROUP_FIELDS, ['displayName'], text, limit), Page(Group));
      return value.slice(0, limit);
    },

    group: async (id) => transport.find({ method: 'GET', version: 'v1.0', path: path`/groups/${id}`, query: { $select: GROUP_FIELDS } }, Group),

    groupByUniqueName: async (uniqueName) => groupByUniqueName(uniqueName),

    async groupByMailNickname(mailNickname) {
      const query = { $filter: `mailNickname eq ${quoted(mailNickname)}`, $top: '1', $select: GROUP_FIELDS };
      const { value } = await transport.read({ method: 'GET', version: 'v1.0', path: '/groups', query }, Page(Group));
      return value[0];
    },

    async usersByPrincipalName(names) {
      const asked = anyOf('userPrincipalName', names).map(($filter) => transport.together.list({ method: 'GET', version: 'v1.0', path: '/users', query: { $filter, $select: USER_FIELDS } }, User));
      return (await Promise.all(asked)).flat();
    },

    async groupsByName(displayNames) {
      const asked = anyOf('displayName', displayNames).map(($filter) => transport.together.list({ method: 'GET', version: 'v1.0', path: '/groups', query: { $filter, $select: GROUP_FIELDS } }, Group));
      return (await Promise.all(asked)).flat();
    },

    async ensureGroup(wish) {
      const call: Call = {
        method: 'PATCH',
        version: 'v1.0',
        path: path`/groups(uniqueName=${quoted(wish.uniqueName)})`,
        prefer: 'create-if-missing',
        body: {
          displayName: wish.displayName,
          mailNickname: wish.mailNickname,
          ...(wish.description !== undefined && { description: wish.description }),
          mailEnabled: false,
          securityEnabled: true,
          groupTypes: [],
          ...(wish.ownerIds.length > 0 && { 'owners@odata.bind': wish.ownerIds.map((id) => `${transport.baseUrl}/v1.0${path`/users/${id}`}`) }),
        },
      };
      // What naming owners does to a group that is there is not documented: after a lost answer it is looked for first.
      const made = await transport.write<{ group: GraphGroup; created: boolean } | 'there already'>(
        call,
        (answer) => (answer.status === 201 ? { group: transport.parse(call, answer, Group), created: true } : 'there already'),
        async () => {
          const group = await groupByUniqueName(wish.uniqueName);
          return group && { group, created: true };
        },
      );
      if (made !== 'there already') return made;
      // 204 carries no body: somebody made it since the caller looked.
      const group = await groupByUniqueName(wish.uniqueName);
      if (!group) throw new GraphError('unavailable', `PATCH ${call.path}: the group is there and cannot be read yet`);
      return { group, created: false };
    },

    deleteGroup: async (groupId) => gone({ method: 'DELETE', version: 'v1.0', path: path`/groups/${groupId}`, absolute: true }),

    owners,

    async addOwner(groupId, userId) {
      const call: Call = { method: 'POST', version: 'v1.0', path: path`/groups/${groupId}/owners/$ref`, body: { '@odata.id': `${transport.baseUrl}/v1.0${path`/directoryObjects/${userId}`}` } };
      await transport.write(call, () => true, async () => ((await owners(groupId)).some(({ id }) => id.toLowerCase() === userId.toLowerCase()) ? true : undefined)).catch((error: unknown) => {
        if (!(error instanceof GraphError && error.failure === 'conflict')) throw error;
      });
    },

    removeOwner: async (groupId, userId) => gone({ method: 'DELETE', version: 'v1.0', path: path`/groups/${groupId}/owners/${userId}/$ref`, absolute: true }),

    removeMember: async (groupId, principalId) => gone({ method: 'DELETE', version: 'v1.0', path: path`/groups/${groupId}/members/${principalId}/$ref`, absolute: true }),

    members: async (groupId) => (await transport.list({ method: 'GET', version: 'v1.0', path: path`/groups/${groupId}/members`, query: { $select: 'id' } }, z.object({ id: z.string() }))).map(({ id }) => id),

    async myRoles() {
      const held = await transport.list({ method: 'GET', version: 'v1.0', path: '/me/transitiveMemberOf', query: { $top: '999' } }, Held);
      return new Set(held.flatMap((one) => (one['@odata.type'] === '#microsoft.graph.directoryRole' && one.roleTemplateId ? [one.roleTemplateId.toLowerCase()] : [])));
    },

    async servicePlans() {
      const skus = await transport.list({ method: 'GET', version: 'v1.0', path: '/subscribedSkus', query: { $select: 'capabilityStatus,servicePlans' } }, Sku);
      return new Set(skus.filter(({ capabilityStatus }) => ['enabled', 'warning'].includes(capabilityStatus?.toLowerCase() ?? 'enabled')).flatMap(({ servicePlans }) => servicePlans.map(({ servicePlanName }) => servicePlanName)));
    },

    async names(ids) {
      const names = new Map<string, { readonly kind: 'user' | 'group' | 'servicePrincipal'; readonly displayName: string; readonly userPrincipalName?: string | undefined; readonly mail?: string | undefined }>();
      const wanted = [...new Set(ids)];
      for (let start = 0; start < wanted.length; start += MAX_IDS_A_CALL) {
        const body = { ids: wanted.slice(start, start + MAX_IDS_A_CALL), types: ['user', 'group', 'servicePrincipal'] };
        const { value } = await transport.read({ method: 'POST', version: 'v1.0', path: '/directoryObjects/getByIds', body, reads: true }, Page(Named));
        for (const found of value) {
          const kind = KINDS.get(found['@odata.type']);
          // Without the permission to read it, an object comes without its name.
          if (kind === undefined || found.displayName === undefined) continue;
          names.set(found.id, { kind, displayName: found.displayName, userPrincipalName: found.userPrincipalName, mail: found.mail });
        }
      }
      return names;
    },

    nestedGroups: async (groupId) => transport.list({ method: 'GET', version: 'v1.0', path: path`/groups/${groupId}/members/microsoft.graph.group`, query: { $select: GROUP_FIELDS } }, Group),

    async isMember(userId, groupId) {
      const call: Call = { method: 'GET', version: 'v1.0', path: path`/users/${userId}/memberOf/${groupId}`, query: { $select: 'id' } };
      return (await transport.find(call, z.object({ id: z.string() }))) !== undefined;
    },

    async revokeSignIns(userId) {
      const call: Call = { method: 'POST', version: 'v1.0', path: userId === 'me' ? '/me/revokeSignInSessions' : path`/users/${userId}/revokeSignInSessions` };
      // The answer's Boolean is always true; any success counts. After a lost answer it is simply asked again.
      await transport.write(call, () => true, async () => undefined);
    },

    async signInsValidFrom(userId) {
      const call: Call = { method: 'GET', version: 'v1.0', path: path`/users/${userId}`, query: { $select: 'id,signInSessionsValidFromDateTime' } };
      return (await transport.read(call, z.object({ signInSessionsValidFromDateTime: z.string().nullish() }))).signInSessionsValidFromDateTime ?? undefined;
    },
  };
}
