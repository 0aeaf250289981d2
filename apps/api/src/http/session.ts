import type { Endpoint } from '@gatehouse/contracts';
import type { Request, RequestHandler } from 'express';
import type { Actor } from '../core/actor.ts';
import { PortalError } from '../core/errors.ts';
import { SESSION_COOKIE, type Cookies } from './cookies.ts';

const actors = new WeakMap<Request, Actor>();
const contracts = new WeakMap<Request, Endpoint>();
const credentials = new WeakMap<Request, Credential>();

/** A session's secret and what carries it: a browser's cookie comes along by itself, a device's bearer token never does (RFC 6750 §2.1). */
export interface Credential {
  readonly by: 'cookie' | 'bearer';
  readonly secret: string;
}

export type FindSession = (credential: Credential) => Promise<Actor | undefined>;

/** Finds out who the request is for; a session that is over is as none. */
export function session(cookies: Cookies, find: FindSession): RequestHandler {
  return async (req, _res, next) => {
    const cookie = cookies.read(req, SESSION_COOKIE);
    const bearer = bearerOf(req);
    // Two people in one request: whichever was meant, the other must not be able to slip in (RFC 6750 §2).
    if (cookie !== undefined && bearer !== undefined) throw new PortalError('invalid-request', { detail: 'The request has both a session’s cookie and a bearer token. Send one of them.' });
    const credential: Credential | undefined = bearer !== undefined ? { by: 'bearer', secret: bearer } : cookie !== undefined ? { by: 'cookie', secret: cookie } : undefined;
    if (credential) {
      credentials.set(req, credential);
      const actor = await find(credential);
      if (actor) actors.set(req, actor);
    }
    next();
  };
}

/** The token of an `Authorization: Bearer` header, and of nothing else; one that is malformed is as a wrong one. */
function bearerOf(req: Request): string | undefined {
  const match = /^Bearer(?: +(?<token>.*))?$/i.exec(req.headers.authorization ?? '');
  return match ? match.groups?.['token'] ?? '' : undefined;
}

/** What the request proves itself with, whether or not a session goes with it. */
export function credentialOf(req: Request): Credential | undefined {
  return credentials.get(req);
}

/** The signed-in person of the request, if any. */
export function actorOf(req: Request): Actor | undefined {
  return actors.get(req);
}

/** Remembers which contract serves the request; only `endpoint` calls it. */
export function setContract(req: Request, contract: Endpoint): void {
  contracts.set(req, contract);
}

/** The contract that serves the request, once its route is reached. */
export function contractOf(req: Request): Endpoint | undefined {
  return contracts.get(req);
}
