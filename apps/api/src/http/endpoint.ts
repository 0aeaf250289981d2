import { PAGE_OF, type Endpoint, type Input } from '@gatehouse/contracts';
import type { NextFunction, Request, Response, Router } from 'express';
import type { z } from 'zod';
import type { Actor } from '../core/actor.ts';
import { may } from '../core/actor.ts';
import { PortalError } from '../core/errors.ts';
import { actorOf, setContract } from './session.ts';

type Caller<E extends Endpoint> = E extends { permission: 'public' } ? { actor: Actor | undefined } : { actor: Actor };

/** Routes registered through this file, for the authorisation matrix: one without a contract is found by its absence. */
const served = new WeakMap<Router, Endpoint[]>();
export const endpointsOf = (router: Router): readonly Endpoint[] => served.get(router) ?? [];

/**
 * Serves one contract as JSON: signed in, permitted, parsed, handled, and the answer checked against the contract.
 * A handler that answers something else than it promised is a bug of ours (500), never the caller's fault.
 */
export function endpoint<const E extends Endpoint>(
  router: Router,
  contract: E,
  handle: (call: Input<E> & Caller<E>) => Promise<z.input<E['response']>>,
): void {
  raw(router, contract, async (call, res) => {
    const answer = await handle(call);
    res.status(contract.status ?? 200).json(contract.response.parse(answer));
  });
}

/** Serves one contract whose answer is not JSON (redirect, CSV, server-sent events): the handler writes it. */
export function raw<const E extends Endpoint>(
  router: Router,
  contract: E,
  handle: (call: Input<E> & Caller<E>, res: Response, req: Request) => Promise<void>,
): void {
  const method = contract.method.toLowerCase() as Lowercase<E['method']>;
  served.set(router, [...endpointsOf(router), contract]);
  router[method](contract.path, async (req: Request, res: Response, _next: NextFunction) => {
    setContract(req, contract);
    const actor = permitted(req, contract);
    const call = {
      params: parsed('params', contract.params, req.params),
      query: parsed('query', contract.query, req.query),
      body: parsed('body', contract.body, req.body),
      actor,
    } as Input<E> & Caller<E>; // the parses above are what the type says, part by part
    await handle(call, res, req);
  });
}

function permitted(req: Request, contract: Endpoint): Actor | undefined {
  const actor = actorOf(req);
  if (contract.permission === 'public') return actor;
  if (!actor) throw new PortalError('not-signed-in');
  const pageOf = req.get(PAGE_OF);
  if (pageOf !== undefined && pageOf !== actor.principalId) throw new PortalError('signed-in-as-another', { detail: `Another tab signed in ${actor.name}, and nothing was done here. Do it in that name, or sign in as who you were.` });
  if (!may(actor, contract.permission)) throw new PortalError('not-permitted', actor.device === null ? {} : { detail: 'A device that you allowed may manage setups, where you may, and nothing else. Do this in the portal.' });
  return actor;
}

function parsed(part: string, shape: z.ZodType | undefined, value: unknown): unknown {
  if (!shape) return undefined;
  const result = shape.safeParse(value ?? {});
  if (result.success) return result.data;
  throw new PortalError('invalid-request', {
    // A field that is not known is named by its own path, as every other wrong field is.
    issues: result.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [part, ...issue.path, key].join('.'), message: 'There is no such field' }))
      : [{ path: [part, ...issue.path].join('.'), message: issue.message }])),
  });
}
