import { z } from 'zod';
import { GraphRefusal, graphRoutes, type GraphAnswer, type GraphCall } from '../graph/route.ts';
import type { Group, GroupChanges, Tenant } from '../tenant.ts';
import { BOTH, bad, isGuid, unsupportedQuery } from './common.ts';
import { GROUP_PROPERTIES, groupView, objectView } from './views.ts';

const READ = ['Group.ReadBasic.All', 'Group.Read.All', 'Group.ReadWrite.All', 'GroupMember.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];

/** Small, so that whoever follows it meets more than one page; how long a page is, Microsoft does not say. */
const PAGE = 8;
const LIFE_MS = 7 * 24 * 60 * 60_000;
const MOST_CHANGES = 20_000;
const MOST_FILTERED = 50;

/** Properties that can change; the others of a group stay as it was made. */
const CHANGEABLE = ['displayName', 'description', 'mailNickname', 'mail', 'uniqueName'] as const;
const RELATIONS = { members: 'memberIds', owners: 'ownerIds' } as const;
type Relation = keyof typeof RELATIONS;
const isRelation = (name: string): name is Relation => Object.hasOwn(RELATIONS, name);
/** Stands among the facets of a group that was not there before. */
const CREATED = 'created';

/** What a link carries. The query options of the first call go on in it. */
const Token = z.strictObject({
  issuedAt: z.int(), select: z.string().optional(), ids: z.array(z.string()).optional(),
  /** Changes up to this one are known; `null`: all groups are told. */
  since: z.string().nullable(),
  /** Of a page: the group that was told last, and the change that the link at the end knows up to. */
  after: z.string().optional(), upTo: z.string().optional(),
});
type Token = z.infer<typeof Token>;

function facetsOf(group: Group, tenant: Tenant): Record<string, string> {
  const view = groupView(group, tenant, { all: true });
  return Object.fromEntries([
    ...CHANGEABLE.map((name) => [name, JSON.stringify(view[name])]),
    ...Object.entries(RELATIONS).flatMap(([relation, ids]) => group[ids].map((id) => [`${relation}/${id}`, ''])),
  ]) as Record<string, string>;
}

/** Writes down what changed since somebody looked last, and forgets what no link asks for any more. */
function look({ tenant, now, newId }: GraphCall): GroupChanges {
  const present = Object.fromEntries(tenant.groups.map((group) => [group.id, facetsOf(group, tenant)]));
  const log = tenant.groupChanges ??= { base: newId(), seen: present, changes: [] };
  for (const groupId of new Set([...Object.keys(log.seen), ...Object.keys(present)])) {
    const [before, after] = [log.seen[groupId], present[groupId]];
    const facets = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].filter((facet) => before?.[facet] !== after?.[facet]);
    if (before === undefined) facets.push(CREATED);
    if (facets.length > 0) log.changes.push({ id: newId(), at: now.toISOString(), groupId, facets });
  }
  log.seen = present;
  // A link that knows less than the change that is dropped here is older than the change, and has run out with it.
  for (let [oldest] = log.changes; oldest && (Date.parse(oldest.at) + LIFE_MS < now.getTime() || log.changes.length > MOST_CHANGES); [oldest] = log.changes) {
    log.base = oldest.id;
    log.changes.shift();
  }
  return log;
}

// --- Tokens ----------------------------------------------------------------------------------------------------------

const write = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url');

function read(text: string): Token {
  try {
    return Token.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch {
    throw bad('Badly formed token.');
  }
}

/** The client is to begin again, at the address in the header. */
const gone = (call: GraphCall, code: string, message: string): GraphRefusal => new GraphRefusal(410, code, message, { Location: `${call.base}/groups/delta?$deltatoken=` });

function valid(call: GraphCall, token: Token, log: GroupChanges): Token {
  if (token.after !== undefined && token.issuedAt + call.delays.nextLink < call.now.getTime()) throw bad('The specified page token value has expired and can no longer be included in your request.', 'Directory_ExpiredPageToken');
  if (token.issuedAt + LIFE_MS < call.now.getTime()) throw gone(call, 'syncStateNotFound', 'The sync state generation is not found; it is older than seven days.');
  const known = token.since ?? token.upTo;
  if (known !== log.base && !log.changes.some(({ id }) => id === known)) throw gone(call, 'resyncRequired', 'Resync required. Replace any local items with the server\'s version.');
  return token;
}

/** The first call: it may name what is tracked, and of which groups. */
function begin({ query }: GraphCall): Pick<Token, 'select' | 'ids'> {
  const { $select: select, $filter: filter } = query;
  return { ...(select !== undefined && { select: selected(select) }), ...(filter !== undefined && { ids: filtered(filter) }) };
}

function selected(text: string): string {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) if (!GROUP_PROPERTIES.includes(name) && !isRelation(name)) throw bad(`Could not find a property named '${name}' on type 'microsoft.graph.group'.`, 'BadRequest');
  return names.join(',');
}

/** Only by id, and no more than 50 of them. */
function filtered(text: string): string[] {
  const ids = text.split(/\s+or\s+/).map((part) => /^\s*id\s+eq\s+'([^']*)'\s*$/.exec(part)?.[1]);
  if (!ids.every(isGuid)) throw unsupportedQuery('Filter is supported for delta queries by id alone.');
  if (ids.length > MOST_FILTERED) throw bad(`A delta query is filtered by ${MOST_FILTERED} objects at most.`);
  return ids.map((id) => id.toLowerCase());
}

// --- The answer ------------------------------------------------------------------------------------------------------

type Item = Readonly<Record<string, unknown>>;

const related = (tenant: Tenant, id: string, removed: boolean): Item => {
  const found = objectView(tenant, id, 'v1.0');
  return { '@odata.type': found?.['@odata.type'] ?? '#microsoft.graph.group', id, ...(removed && { '@removed': { reason: 'deleted' } }) };
};

/** A group as it is now; of its relations what was touched, or all. */
function told(tenant: Tenant, group: Group, { select, minimal, touched }: { readonly select: string | undefined; readonly minimal: boolean; readonly touched: ReadonlySet<string> | undefined }): Item {
  const names = select?.split(',');
  const view = groupView(group, tenant, { all: names !== undefined });
  const whole = touched === undefined || touched.has(CREATED);
  // What was never set is not told, nor what did not change where the caller wants no more.
  const shown = Object.entries(view).filter(([name, value]) => name !== 'id' && (names?.includes(name) ?? true) && (whole || !minimal || touched.has(name)) && (value !== null || touched?.has(name) === true));
  const relations = Object.keys(RELATIONS).filter(isRelation).filter((relation) => names?.includes(relation) ?? relation === 'members').flatMap((relation) => {
    const present = group[RELATIONS[relation]];
    const ids = whole ? present : [...touched].filter((facet) => facet.startsWith(`${relation}/`)).map((facet) => facet.slice(relation.length + 1));
    return ids.length === 0 ? [] : [[`${relation}@delta`, ids.map((id) => related(tenant, id, !present.includes(id)))]];
  });
  return { ...Object.fromEntries(shown), id: group.id, ...Object.fromEntries(relations) as Item };
}

/** A facet that is tracked by what was selected. */
const isTracked = (select: string | undefined) => (facet: string): boolean => {
  const name = facet.split('/')[0] ?? '';
  return name === CREATED || (select?.split(',').includes(name) ?? !['owners', 'uniqueName'].includes(name));
};

/** The groups of a round, each with what was touched of it; in the order of their ids, so that a page goes on where the last one ended. */
function round(tenant: Tenant, log: GroupChanges, { since, select, ids }: Token): { readonly id: string; readonly touched: ReadonlySet<string> | undefined }[] {
  const inOrder = <T extends { readonly id: string }>(groups: T[]): T[] => groups.filter(({ id }) => ids?.includes(id) ?? true).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (since === null) return inOrder(tenant.groups.map(({ id }) => ({ id, touched: undefined })));
  const touched = new Map<string, Set<string>>();
  for (const { groupId, facets } of log.changes.slice(log.changes.findIndex(({ id }) => id === since) + 1)) {
    touched.set(groupId, new Set([...(touched.get(groupId) ?? []), ...facets]));
  }
  const isThere = (id: string): boolean => tenant.groups.some((group) => group.id === id);
  return inOrder([...touched].map(([id, facets]) => ({ id, touched: facets })).filter(({ id, touched: facets }) => (isThere(id) ? [...facets].some(isTracked(select)) : !facets.has(CREATED))));
}

function delta(call: GraphCall): GraphAnswer {
  const { query, tenant, now } = call;
  const { $skiptoken: skip, $deltatoken, $deltaToken = $deltatoken } = query;
  const link = skip ?? ($deltaToken === '' || $deltaToken === 'latest' ? undefined : $deltaToken);
  // The options of the first call are in the link.
  if (link !== undefined && Object.keys(query).length > 1) throw unsupportedQuery('A token of a delta query cannot be combined with other query options.');
  const log = look(call);
  const token = link === undefined ? { issuedAt: now.getTime(), since: null, ...begin(call) } : valid(call, read(link), log);
  const minimal = token.since !== null && (call.headers['prefer'] ?? '').split(/[,;]/).some((word) => word.trim().toLowerCase() === 'return=minimal');

  const { after = '', upTo = log.changes.at(-1)?.id ?? log.base, issuedAt: _issued, ...rest } = token;
  const left = $deltaToken === 'latest' ? [] : round(tenant, log, token).filter(({ id }) => id > after);
  const page = left.slice(0, PAGE);
  const next = { ...rest, issuedAt: now.getTime() };
  const last = page.at(-1);
  const more = left.length > page.length && last !== undefined;
  return {
    status: 200,
    body: {
      '@odata.context': `${call.base}/$metadata#groups${token.select === undefined ? '' : `(${token.select})`}`,
      ...(more
        ? { '@odata.nextLink': `${call.base}/groups/delta?$skiptoken=${write({ ...next, after: last.id, upTo })}` }
        : { '@odata.deltaLink': `${call.base}/groups/delta?$deltatoken=${write({ ...next, since: upTo })}` }),
      value: page.map(({ id, touched }) => {
        const group = tenant.groups.find((one) => one.id === id);
        return group ? told(tenant, group, { select: token.select, minimal, touched }) : { id, '@removed': { reason: 'deleted' } };
      }),
    },
  };
}

/** What changed among the groups since the caller asked last (CONTRACT.md §2). */
export const groupDeltaRoutes = graphRoutes((['/groups/delta', '/groups/delta()'] as const).map((path) => ({
  method: 'GET', path, versions: BOTH, delegated: READ, application: READ, query: ['$select', '$filter', '$deltatoken', '$deltaToken', '$skiptoken'],
  handle: delta,
})));
