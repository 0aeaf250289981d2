import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Delays } from '../delays.ts';
import type { Tenant } from '../tenant.ts';
import { audit as writeAudit } from '../pim/engine.ts';
import { GraphRefusal, type Caller, type GraphAnswer, type GraphCall, type GraphRoute } from './route.ts';

/** What the front needs from the emulator around it. */
export interface FrontDeps {
  readonly routes: readonly GraphRoute[];
  tenant(): Tenant;
  now(): Date;
  readonly delays: Delays;
  newId(): string;
  /** Who the bearer token is for; throws `GraphRefusal` 401. */
  caller(authorization: string | undefined): Promise<Caller>;
  /** Lets happen what is due. */
  settle(): void;
  /** Keeps the state, before a changing answer leaves. */
  keep(): void;
  baseUrl(): string;
}

const Batch = z.object({
  requests: z.array(z.object({ id: z.string(), method: z.string(), url: z.string(), headers: z.record(z.string(), z.string()).optional(), body: z.unknown().optional(), dependsOn: z.unknown().optional() })),
});

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
    try {
      const caller = await deps.caller(wish.authorization);
      const found = find(wish.method, wish.version, wish.path);
      if (!found) throw new GraphRefusal(501, 'NotImplemented', `The emulated tenant does not know ${wish.method} /${wish.version}${wish.path}.`);
      const { route } = found.match;
      for (const name of Object.keys(wish.query)) if (!(route.query ?? []).includes(name)) throw new GraphRefusal(400, 'Request_UnsupportedQuery', `Unsupported query option '${name}'.`);
      permit(route, caller);
      if (['POST', 'PATCH', 'PUT'].includes(wish.method) && wish.body === undefined && !/\/(cancel|revokeSignInSessions)$/i.test(wish.path)) throw new GraphRefusal(400, 'BadRequest', 'Empty Payload. JSON content expected.');
      deps.settle();
      const call: GraphCall = {
        version: wish.version as 'v1.0', tenant: deps.tenant(), caller, now: deps.now(), delays: deps.delays, path: wish.path, params: found.params, query: wish.query, headers: wish.headers, body: wish.body ?? {}, base: `${deps.baseUrl()}/${wish.version}`,
        newId: () => deps.newId(),
        audit: (event) => {
          const initiator = event.initiatedBy ?? (caller.kind === 'user' ? { user: caller.user } : { app: 'Gatehouse' });
          writeAudit({ tenant: deps.tenant(), now: deps.now(), delays: deps.delays, newId: () => deps.newId() }, initiator, event);
        },
      };
      const role = route.roles;
      if (role && caller.kind === 'user' && !caller.user.directoryRoles.some((name) => role.anyOf.includes(name)) && role.or?.(call) !== true) throw new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
      return route.handle(call);
    } catch (error) {
      if (!(error instanceof GraphRefusal)) throw error;
      return errorAnswer(error, wish.ids);
    }
  };

  const errorAnswer = ({ status, code, message, headers }: GraphRefusal, ids: CallIds): GraphAnswer => ({ status, headers, body: { error: { code, message, innerError: { date: deps.now().toISOString().slice(0, 19), ...ids } } } });

  const headersOf = (ids: CallIds): Record<string, string> => ({ ...ids, Date: deps.now().toUTCString(), 'OData-Version': '4.0', 'Cache-Control': 'private' });

  const batch = async (version: string, body: unknown, authorization: string | undefined, ids: CallIds): Promise<GraphAnswer> => {
    const parsed = Batch.safeParse(body);
    const requests = parsed.success ? parsed.data.requests : [];
    if (requests.length === 0 || requests.length > 20 || new Set(requests.map(({ id }) => id)).size !== requests.length) return errorAnswer(new GraphRefusal(400, 'BadRequest', 'A batch has 1 to 20 requests with ids of their own.'), ids);
    if (requests.some(({ dependsOn }) => dependsOn !== undefined)) return errorAnswer(new GraphRefusal(501, 'NotImplemented', 'The emulated tenant does not know dependsOn in a batch.'), ids);
    const responses = [];
    for (const request of requests) {
      const url = new URL(`${deps.baseUrl()}/${version}/${request.url.replace(/^\//, '')}`);
      const headers = Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
      const one = await answer({ method: request.method.toUpperCase(), version, path: url.pathname.slice(version.length + 1), query: Object.fromEntries(url.searchParams), headers, body: request.body, authorization, ids: idsOf(headers['client-request-id'] ?? ids['client-request-id']) });
      responses.push({ id: request.id, status: one.status, headers: { 'Content-Type': 'application/json', ...one.headers }, body: one.body });
    }
    return { status: 200, body: { responses } };
  };

  return {
    async handle(req: Request, res: Response): Promise<GraphAnswer> {
      const version = req.path.split('/')[1] ?? '';
      // Clients may encode the signs of a key, as in `(on=%27principal%27)`.
      const path = req.path.slice(version.length + 1).replaceAll(/%(27|28|29|24)/g, (sign) => decodeURIComponent(sign));
      const ids = idsOf(req.get('client-request-id'));
      const headers = Object.fromEntries(Object.entries(req.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
      const body: unknown = req.body;
      const result = path === '/$batch' && req.method === 'POST'
        ? await batch(version, body, req.get('authorization'), ids)
        : await answer({ method: req.method, version, path, query: Object.fromEntries(new URLSearchParams(req.url.split('?')[1] ?? '')), headers, body, authorization: req.get('authorization'), ids });
      if (req.method !== 'GET') deps.keep();
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

function decode(text: string): string {
  try {
    return decodeURIComponent(text).replaceAll("''", "'");
  } catch {
    throw new GraphRefusal(400, 'BadRequest', 'The address is not well formed.');
  }
}

/** The permission in the token, in Graph's words. */
function permit(route: GraphRoute, caller: Caller): void {
  const wanted = caller.kind === 'user' ? route.delegated : route.application;
  const held = caller.kind === 'user' ? caller.scopes : caller.roles;
  const denied = new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  if (wanted === null) throw denied;
  if (wanted.length > 0 && !wanted.some((one) => (typeof one === 'string' ? held.includes(one) : one.every((each) => held.includes(each))))) throw denied;
}
