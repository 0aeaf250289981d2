import type { Request } from 'express';
import type { Actor } from '../core/actor.ts';

const actors = new WeakMap<Request, Actor>();

/** Remembers who the request is for; only the session middleware calls it. */
export function setActor(req: Request, actor: Actor): void {
  actors.set(req, actor);
}

/** The signed-in person of the request, if any. */
export function actorOf(req: Request): Actor | undefined {
  return actors.get(req);
}
