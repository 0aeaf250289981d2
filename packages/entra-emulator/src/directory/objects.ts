import { graphRoutes, type GraphAnswer, type GraphCall, type GraphRoute } from '../graph/route.ts';
import { select } from '../odata.ts';
import { BOTH, bad, bodyOf, denied, groupOf, guidOf, isGuid, me, notFound, ONE_QUERY, param, personOf, sameId } from './common.ts';
import { groupsAround, objectView } from './views.ts';

const READ = ['Directory.Read.All'];
const READ_ALL = ['Directory.Read.All', 'Directory.ReadWrite.All'];
const READ_GROUPS = ['GroupMember.Read.All', 'Group.Read.All', 'Group.ReadWrite.All'];
const READ_APPLICATIONS = ['Application.Read.All', 'Application.ReadWrite.All'];

const TYPES = ['user', 'group', 'servicePrincipal', 'application', 'device', 'directoryObject'];

/** A person's groups take a permission for people and one for groups; which of the first, depends on who calls. */
const pairs = (...people: readonly string[]): (readonly string[])[] => people.flatMap((user) => READ_GROUPS.map((group) => [user, group]));
const OF_PERSON: GraphRoute['delegated'] = [...pairs('User.ReadBasic.All', 'User.Read.All'), ...READ_ALL];
const OF_PERSON_APP_ONLY: GraphRoute['application'] = [...pairs('User.Read.All').filter((pair) => !pair.includes('Group.ReadWrite.All')), 'Directory.Read.All'];

const held = ({ caller }: GraphCall): readonly string[] => (caller.kind === 'user' ? caller.scopes : caller.roles);
const meets = (call: GraphCall, wanted: GraphRoute['delegated']): boolean => (wanted ?? []).some((one) => (typeof one === 'string' ? [one] : one).every((each) => held(call).includes(each)));

/** What the reference page asks of a caller for each kind of object. */
function permitted(call: GraphCall, type: unknown): boolean {
  switch (type) {
    case '#microsoft.graph.user': return meets(call, call.caller.kind === 'user' ? OF_PERSON : OF_PERSON_APP_ONLY);
    case '#microsoft.graph.group': return meets(call, [...READ_GROUPS, ...READ_ALL]);
    default: return meets(call, [...READ_APPLICATIONS, ...READ_ALL]);
  }
}

/** Those of the asked groups that contain the object, through other groups too. */
function checkMemberGroups(call: GraphCall, id: string): GraphAnswer {
  const { groupIds } = bodyOf(call, ['groupIds'], 'checkMemberGroups');
  if (!Array.isArray(groupIds) || !groupIds.every(isGuid)) throw bad('groupIds must be a collection of object ids.');
  if (groupIds.length > 20) throw bad('Too many group ids were specified: at most 20 are allowed.', 'Directory_ResultSizeLimitExceeded');
  const around = groupsAround(call.tenant, id);
  return { status: 200, body: { '@odata.context': `${call.base}/$metadata#Collection(Edm.String)`, value: groupIds.filter((one) => around.some((group) => sameId(group.id, one))) } };
}

function objectOf(call: GraphCall): Readonly<Record<string, unknown>> {
  const id = guidOf(param(call, 'id'));
  const found = objectView(call.tenant, id, call.version);
  if (!found) throw notFound(id);
  return found;
}

/** Objects of whichever kind, by id. */
export const objectRoutes = graphRoutes([
  {
    method: 'GET', path: '/directoryObjects/{id}', versions: BOTH, delegated: READ, application: READ, query: ONE_QUERY,
    handle: (call) => ({ status: 200, body: { '@odata.context': `${call.base}/$metadata#directoryObjects/$entity`, ...select(objectOf(call), call.query['$select']) } }),
  },
  {
    method: 'POST', path: '/directoryObjects/getByIds', versions: BOTH, delegated: READ, application: READ,
    handle(call) {
      const { ids, types } = bodyOf(call, ['ids', 'types'], 'getByIds');
      if (!Array.isArray(ids) || !ids.every(isGuid)) throw bad('Invalid GUID in the ids collection.');
      if (ids.length > 1000) throw bad('The ids collection has more than 1000 entries.');
      if (types !== undefined && (!Array.isArray(types) || types.some((type) => !TYPES.includes(String(type))))) throw bad('Invalid value specified for property \'types\'.');
      const wanted = Array.isArray(types) && !types.includes('directoryObject') ? types.map((type) => `#microsoft.graph.${String(type)}`) : undefined;
      const found = [...new Set(ids)].map((id) => objectView(call.tenant, id, call.version)).filter((object) => object !== undefined && (wanted === undefined || wanted.includes(String(object['@odata.type']))));
      return { status: 200, body: { '@odata.context': `${call.base}/$metadata#directoryObjects`, value: found } };
    },
  },
  {
    method: 'POST', path: '/directoryObjects/{id}/checkMemberGroups', versions: BOTH,
    delegated: [...OF_PERSON, ...READ_GROUPS, ...READ_APPLICATIONS], application: [...OF_PERSON_APP_ONLY, 'GroupMember.Read.All', 'Group.Read.All', ...READ_APPLICATIONS],
    handle(call) {
      const object = objectOf(call);
      if (!permitted(call, object['@odata.type'])) throw denied();
      return checkMemberGroups(call, String(object['id']));
    },
  },
  {
    method: 'POST', path: '/me/checkMemberGroups', versions: BOTH, delegated: [...OF_PERSON, ['User.Read', 'GroupMember.Read.All']], application: null,
    handle: (call) => checkMemberGroups(call, me(call).id),
  },
  {
    method: 'POST', path: '/users/{id}/checkMemberGroups', versions: BOTH, delegated: OF_PERSON, application: OF_PERSON_APP_ONLY,
    handle: (call) => checkMemberGroups(call, personOf(call).id),
  },
  {
    method: 'POST', path: '/groups/{id}/checkMemberGroups', versions: BOTH, delegated: [...READ_GROUPS, ...READ_ALL], application: [...READ_GROUPS, ...READ_ALL],
    handle: (call) => checkMemberGroups(call, groupOf(call).id),
  },
]);
