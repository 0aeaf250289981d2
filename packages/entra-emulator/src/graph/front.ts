import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Delays } from '../delays.ts';
import { configurationOf, differs } from '../effects.ts';
import type { Tenant } from '../tenant.ts';
import type { Charge } from '../throttling.ts';
import { audit as writeAudit } from '../pim/engine.ts';
import { GraphRefusal, type Caller, type GraphAnswer, type GraphCall, type GraphRoute } from './route.ts';

/** What the front needs from the emulator around it. */
export interface FrontDeps {
  readonly routes: readonly GraphRoute[];
  tenant(): Tenant;
  now(): Date;
  delays(): Delays;
  newId(): string;
  /** Who the bearer token is for; throws `GraphRefusal` 401. */
  caller(authorization: string | undefined): Promise<Caller>;
  /** What the call costs by the limits of its service. */
  charge(call: { readonly appId: string; readonly method: string; readonly path: string; readonly query: Readonly<Record<string, string>> }): Charge;
  /** Serves a call of a batch with the fault that is due for it, and writes it down; throws where that fault takes the connection of the whole batch. */
  inBatch(req: Request, call: { readonly method: string; readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: unknown }, serve: () => Promise<GraphAnswer>): Promise<GraphAnswer>;
  /** Lets happen what is due. */
  settle(): void;
  /** Keeps the state, before a changing answer leaves. */
  keep(): void;
  baseUrl(): string;
}

const Member = z.strictObject({
  id: z.string().min(1), method: z.string(), url: z.string(), headers: z.record(z.string(), z.string()).optional(), body: z.unknown().optional(), dependsOn: z.array(z.string()).optional(),
});
const Batch = z.strictObject({ requests: z.array(Member).min(1).max(20) });
type Member = z.infer<typeof Member>;

/** What a call is known by, in its headers and in its error. */
interface CallIds { readonly 'request-id': string; readonly 'client-request-id': string }
const idsOf = (ofClient: string | undefined): CallIds => ({ 'request-id': randomUUID(), 'client-request-id': ofClient ?? randomUUID() });

interface Compiled { readonly route: GraphRoute; readonly pattern: RegExp; readonly names: readonly string[]; readonly literal: number }

/** `/groups(uniqueName='{name}')/members/{id}` → a pattern; the more of it is literal, the earlier it is tried. */
function compile(route: GraphRoute): Compiled {
  const names: string[] = [];
  const source = route.path.split(/(\{\w+\})/).map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) return part.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
    names.push(name);
    return "([^/]+?)";
  }).join('');
  return { route, pattern: new RegExp(`^${source}$`, 'i'), names, literal: route.path.replace(/\{\w+\}/g, '').length - names.length * 100 };
}

/** Answers Graph calls by the table of routes: token, permission, role, query, body, then the handler. */
export function createFront(deps: FrontDeps) {
  const compiled = deps.routes.map(compile).toSorted((a, b) => b.literal - a.literal);

  const find = (method: string, version: string, path: string): { match: Compiled; params: Record<string, string> } | undefined => {
    for (const match of compiled) {
      if (match.route.method !== method || !match.route.versions.includes(version as 'v1.0')) continue;
      const found = match.pattern.exec(path);
      if (!found) continue;
      return { match, params: Object.fromEntries(match.names.map((name, index) => [name, decode(found[index + 1] ?? '')])) };
    }
    return undefined;
  };

  /** One call, also one of a batch. */
  const answer = async (wish: { method: string; version: string; path: string; query: Record<string, string>; headers: Record<string, string | undefined>; body: unknown; authorization: string | undefined; ids: CallIds }): Promise<GraphAnswer> => {
    let charged: Readonly<Record<string, string>> = {};
    let effect = false;
    const written = (result: GraphAnswer): GraphAnswer => ({ ...result, headers: { ...charged, ...result.headers }, ...(wish.method !== 'GET' && { effect }) });
    try {
      const caller = await deps.caller(wish.authorization);
      const { refused, headers } = deps.charge({ ...wish, appId: caller.appId });
      charged = headers;
      if (refused) throw new GraphRefusal(429, 'TooManyRequests', 'Too many requests.');
      const found = find(wish.method, wish.version, wish.path);
      if (!found) throw new GraphRefusal(501, 'NotImplemented', `The emulated tenant does not know ${wish.method} /${wish.version}${wish.path}.`);
      const { route } = found.match;
      const query = queryOf(route, wish.query);
      permit(route, caller);
      if (['POST', 'PATCH', 'PUT'].includes(wish.method) && wish.body === undefined && !/\/(cancel|revokeSignInSessions)$/i.test(wish.path)) throw new GraphRefusal(400, 'BadRequest', 'Empty Payload. JSON content expected.');
      deps.settle();
      const call: GraphCall = {
        version: wish.version as 'v1.0', tenant: deps.tenant(), caller, now: deps.now(), delays: deps.delays(), path: wish.path, params: found.params, query, headers: wish.headers, body: wish.body ?? {}, base: `${deps.baseUrl()}/${wish.version}`,
        newId: () => deps.newId(),
        audit: (event) => {
          const initiator = event.initiatedBy ?? (caller.kind === 'user' ? { user: caller.user } : { app: 'Gatehouse' });
          writeAudit({ tenant: deps.tenant(), now: deps.now(), delays: deps.delays(), newId: () => deps.newId() }, initiator, event);
        },
      };
      const role = route.roles;
      if (role && caller.kind === 'user' && !caller.user.directoryRoles.some((name) => role.anyOf.includes(name)) && role.or?.(call) !== true) throw new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
      // What was due has happened by now: whatever differs afterwards, this call did, also where it was refused half-way.
      const before = wish.method === 'GET' ? undefined : configurationOf(call.tenant);
      let result: GraphAnswer;
      try {
        result = route.handle(call);
      } finally {
        effect = before !== undefined && differs(before, configurationOf(call.tenant));
      }
      return written(result);
    } catch (error) {
      if (!(error instanceof GraphRefusal)) throw error;
      return written(errorAnswer(error, wish.ids));
    }
  };

  const errorAnswer = ({ status, code, message, headers }: GraphRefusal, ids: CallIds): GraphAnswer => ({ status, headers, body: { error: { code, message, innerError: { date: deps.now().toISOString().slice(0, 19), ...ids } } } });

  const headersOf = (ids: CallIds): Record<string, string> => ({ ...ids, Date: deps.now().toUTCString(), 'OData-Version': '4.0', 'Cache-Control': 'private' });

  const batch = async (req: Request, version: string, ids: CallIds): Promise<GraphAnswer> => {
    const parsed = Batch.safeParse(req.body);
    const requests = parsed.success ? parsed.data.requests : [];
    if (requests.length === 0 || new Set(requests.map(({ id }) => id)).size !== requests.length) return errorAnswer(new GraphRefusal(400, 'BadRequest', 'A batch has 1 to 20 requests with ids of their own.'), ids);
    if (!isOrdered(requests)) return errorAnswer(new GraphRefusal(400, 'BadRequest', 'The requests of a batch depend on none, each on the one before, or all on the same one.'), ids);

    const statuses = new Map<string, number>();
    const responses = [];
    for (const request of requests) {
      const failed = (request.dependsOn ?? []).some((id) => (statuses.get(id) ?? 0) >= 400);
      const memberIds = idsOf(ids['client-request-id']);
      const one = failed ? errorAnswer(new GraphRefusal(424, 'FailedDependency', 'Failed Dependency'), memberIds) : await member(req, version, request, memberIds);
      statuses.set(request.id, one.status);
      responses.push({ id: request.id, status: one.status, headers: { 'Content-Type': 'application/json', ...one.headers }, ...(one.body !== undefined && { body: one.body }) });
    }
    // In any order: a client that counts on another one is to find out here.
    return { status: 200, body: { responses: responses.toReversed() } };
  };

  const member = async (req: Request, version: string, request: Member, ids: CallIds): Promise<GraphAnswer> => {
    const url = new URL(`${deps.baseUrl()}/${version}/${request.url.replace(/^\//, '')}`);
    const headers = Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
    const path = unescapedSigns(url.pathname.slice(version.length + 1));
    const method = request.method.toUpperCase();
    if (path === '/$batch') return errorAnswer(new GraphRefusal(400, 'BadRequest', 'A batch cannot hold a batch.'), ids);
    if (request.body !== undefined && !/^application\/json/i.test(headers['content-type'] ?? '')) return errorAnswer(new GraphRefusal(400, 'BadRequest', 'A request of a batch that has a body has the header Content-Type: application/json.'), ids);
    const wish = { method, version, path, query: Object.fromEntries(url.searchParams), headers, body: request.body, authorization: req.get('authorization'), ids };
    const one = await deps.inBatch(req, { method, url: `${url.pathname}${url.search}`, headers: { ...headers, 'client-request-id': ids['client-request-id'] }, body: request.body }, () => answer(wish));
    return { ...one, headers: { ...ids, ...one.headers } };
  };

  return {
    async handle(req: Request, res: Response): Promise<GraphAnswer> {
      const version = req.path.split('/')[1] ?? '';
      const path = unescapedSigns(req.path.slice(version.length + 1));
      const ids = idsOf(req.get('client-request-id'));
      const headers = Object.fromEntries(Object.entries(req.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
      const body: unknown = req.body;
      const result = await (path === '/$batch' && req.method === 'POST'
        ? batch(req, version, ids)
        : answer({ method: req.method, version, path, query: Object.fromEntries(new URLSearchParams(req.url.split('?')[1] ?? '')), headers, body, authorization: req.get('authorization'), ids })
      ).finally(() => { if (req.method !== 'GET') deps.keep(); });
      res.set({ ...headersOf(ids), ...result.headers });
      return result;
    },
    /** A call that got no further than its body. */
    unreadable(req: Request, res: Response, refusal: GraphRefusal): GraphAnswer {
      const ids = idsOf(req.get('client-request-id'));
      res.set(headersOf(ids));
      return errorAnswer(refusal, ids);
    },
  };
}

/** Clients may encode the signs of a key, as in `(on=%27principal%27)`. */
const unescapedSigns = (path: string): string => path.replaceAll(/%(27|28|29|24)/g, (sign) => decodeURIComponent(sign));

/** The three shapes that a batch may have: none depends on another, each on the one before it, or all on the first. */
function isOrdered(requests: readonly Member[]): boolean {
  const [first, ...rest] = requests;
  if ((first?.dependsOn ?? []).length > 0) return false;
  const after = (before: (index: number) => string | undefined): boolean => rest.every(({ dependsOn }, index) => dependsOn?.length === 1 && dependsOn[0] === before(index));
  return rest.every(({ dependsOn }) => (dependsOn ?? []).length === 0) || after((index) => requests[index]?.id) || after(() => first?.id);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text).replaceAll("''", "'");
  } catch {
    throw new GraphRefusal(400, 'BadRequest', 'The address is not well formed.');
  }
}

/** The options by the names that the call knows; their case does not matter, as the published examples show. */
function queryOf(route: GraphRoute, asked: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(asked).map(([name, value]) => {
    const known = (route.query ?? []).find((one) => one.toLowerCase() === name.toLowerCase());
    if (known === undefined) throw new GraphRefusal(400, 'Request_UnsupportedQuery', `Unsupported query option '${name}'.`);
    return [known, value];
  }));
}

/** The permission in the token, in Graph's words. */
function permit(route: GraphRoute, caller: Caller): void {
  const wanted = caller.kind === 'user' ? route.delegated : route.application;
  const held = caller.kind === 'user' ? caller.scopes : caller.roles;
  const denied = new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  if (wanted === null) throw denied;
  if (wanted.length > 0 && !wanted.some((one) => (typeof one === 'string' ? held.includes(one) : one.every((each) => held.includes(each))))) throw denied;
}
