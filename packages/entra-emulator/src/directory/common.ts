import { GraphRefusal, type GraphCall } from '../graph/route.ts';
import type { Application, Group, ServicePrincipal, User } from '../tenant.ts';

export const BOTH = ['v1.0', 'beta'] as const;
export const BETA = ['beta'] as const;

/** Query options of a collection and of one object. */
export const LIST_QUERY = ['$filter', '$search', '$orderby', '$select', '$count', '$top', '$skiptoken'] as const;
export const ONE_QUERY = ['$select'] as const;
export const EXPANDABLE_QUERY = [...ONE_QUERY, '$expand'] as const;

export const bad = (message: string, code = 'Request_BadRequest'): GraphRefusal => new GraphRefusal(400, code, message);

export const notFound = (id: string): GraphRefusal =>
  new GraphRefusal(404, 'Request_ResourceNotFound', `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`);

export const denied = (): GraphRefusal => new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');

export const unsupportedQuery = (message: string): GraphRefusal => bad(message, 'Request_UnsupportedQuery');

export const sameId = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

export const param = (call: GraphCall, name: string): string => call.params[name] ?? '';

/** An address with something else where an id belongs is malformed, and not about what does not exist. */
export function guidOf(id: string): string {
  if (!isGuid(id)) throw bad(`Invalid object identifier '${id}'.`);
  return id;
}

function byId<T extends { readonly id: string }>(objects: readonly T[], id: string): T {
  guidOf(id);
  const found = objects.find((object) => sameId(object.id, id));
  if (!found) throw notFound(id);
  return found;
}

export const groupOf = (call: GraphCall, id = param(call, 'id')): Group => byId(call.tenant.groups, id);
export const applicationOf = (call: GraphCall, id = param(call, 'id')): Application => byId(call.tenant.applications, id);
export const servicePrincipalOf = (call: GraphCall, id = param(call, 'id')): ServicePrincipal => byId(call.tenant.servicePrincipals, id);

/** By id or by user principal name. */
export function personOf(call: GraphCall, key = param(call, 'id')): User {
  const found = call.tenant.users.find((user) => sameId(user.id, key) || sameId(user.userPrincipalName, key));
  if (!found) throw notFound(key);
  return found;
}

/** The signed-in person; calls about oneself have no other caller. */
export function me(call: GraphCall): User {
  if (call.caller.kind !== 'user') throw bad('/me request is only valid with delegated authentication flow.', 'BadRequest');
  return call.caller.user;
}

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isGuid = (text: unknown): text is string => typeof text === 'string' && GUID.test(text);

/** The body as an object of known properties; Graph refuses a name that its type does not have. */
export function bodyOf(call: GraphCall, known: readonly string[], type: string): Readonly<Record<string, unknown>> {
  const { body } = call;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw bad('Empty Payload. JSON content expected.', 'BadRequest');
  const values = body as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(values)) {
    if (!known.includes(name) && name !== '@odata.type') throw bad(`Invalid property '${name}' for the type '${type}'.`);
  }
  return values;
}

/** The id at the end of a reference such as `https://graph.microsoft.com/v1.0/directoryObjects/{id}`. */
export function referencedId(reference: unknown, kinds: readonly string[]): string {
  const match = typeof reference === 'string' ? /^https?:\/\/[^/]+\/(?:v1\.0|beta)\/(.+)\/([^/]+)$/.exec(reference) : null;
  const [, kind = '', id = ''] = match ?? [];
  if (!kinds.some((known) => sameId(known, kind)) || !isGuid(id)) throw bad(`Invalid object reference: '${String(reference)}'.`);
  return id;
}

/** One of the directory roles that may change any group. */
export const GROUP_WRITERS = ['Groups Administrator', 'User Administrator', 'Directory Writers', 'Privileged Role Administrator', 'Global Administrator'] as const;
export const APPLICATION_WRITERS = ['Application Administrator', 'Cloud Application Administrator', 'Global Administrator'] as const;
/** A Cloud Application Administrator cannot manage application proxy settings. */
export const PROXY_WRITERS = ['Application Administrator', 'Global Administrator'] as const;
export const NETWORK_WRITERS = ['Global Secure Access Administrator', 'Security Administrator', 'Global Administrator'] as const;
export const NETWORK_READERS = ['Global Secure Access Administrator', 'Security Administrator', 'Global Reader', 'Security Reader', 'Global Administrator'] as const;

export const isOwner = (call: GraphCall): boolean => {
  const { caller } = call;
  return caller.kind === 'user' && call.tenant.groups.some((group) => sameId(group.id, param(call, 'id')) && group.ownerIds.includes(caller.user.id));
};
