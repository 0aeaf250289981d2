import type { RequestHandler } from 'express';
import { PortalError } from '../core/errors.ts';
import { credentialOf } from './session.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Header that only a script of the same origin can send without a CORS preflight, which the portal never grants. */
export const REQUESTED_WITH = 'x-requested-with';

/**
 * Every unsafe request proves that it comes from this portal's own pages: Fetch Metadata where the browser sends it, the
 * Origin, a header of our own, and a JSON body. It runs before a body is read, and denies what it does not know. What comes
 * with a bearer token alone was sent by who holds the token: no browser adds one by itself, and no other site may.
 */
export function csrf(publicUrl: string): RequestHandler {
  return (req, _res, next) => {
    if (SAFE.has(req.method)) return next();
    const site = req.get('sec-fetch-site');
    const sameOrigin = req.get('origin') === publicUrl && (site === undefined || site === 'same-origin');
    const ours = req.get(REQUESTED_WITH) === 'gatehouse';
    const json = req.is('application/json') === 'application/json';
    const bearer = credentialOf(req)?.by === 'bearer';
    next(((sameOrigin && ours) || bearer) && json ? undefined : new PortalError('cross-site', { detail: 'Open the portal in its own tab and try again there.' }));
  };
}
