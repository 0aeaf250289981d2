import type { Endpoint } from '@gatehouse/contracts';
import type { Request, RequestHandler } from 'express';
import type { Actor } from '../core/actor.ts';
import { SESSION_COOKIE, type Cookies } from './cookies.ts';

const actors = new WeakMap<Request, Actor>();
const contracts = new WeakMap<Request, Endpoint>();

/** Finds out who the request is for; a session that is over is as none. */
export function session(cookies: Cookies, find: (secret: string) => Promise<Actor | undefined>): RequestHandler {
  return async (req, _res, next) => {
    const secret = cookies.read(req, SESSION_COOKIE);
    const actor = secret === undefined ? undefined : await find(secret);
    if (actor) actors.set(req, actor);
    next();
  };
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
