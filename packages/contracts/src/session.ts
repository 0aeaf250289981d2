import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Instant } from './words.ts';

export const SessionPerson = z.object({
  id: z.string(),
  displayName: z.string(),
  userPrincipalName: z.string(),
  roles: z.array(z.enum(['SetupAdmin', 'Auditor'])),
});
export type SessionPerson = z.infer<typeof SessionPerson>;

/** Only on the emulated tenant. */
export const Demo = z.object({
  /** How far the tenant's clock is ahead of the real one. */
  clockAheadSeconds: z.int(),
  /** Put `host:port` behind it and open it: what the private network would answer. */
  privateResourceUrl: z.string(),
});

export const Session = z.object({
  person: SessionPerson.nullable(),
  tenant: z.object({ id: z.string(), displayName: z.string() }),
  /** The server's clock: what every countdown on the page goes by. */
  now: z.iso.datetime(),
  demo: Demo.nullable(),
});
export type Session = z.infer<typeof Session>;

/**
 * Header by which a page says whose it is, by the person's id. A call in the name of somebody else is refused as
 * `signed-in-as-another`: a session is the browser's, and another tab may have signed them in. Who sends none
 * is taken as signed in: links and streams, which only read.
 */
export const PAGE_OF = 'X-Gatehouse-Page-Of';

export const GetSession = {
  method: 'GET', path: '/api/session', permission: 'public',
  summary: 'Who is signed in, to which tenant, and what time it is',
  response: Session,
} as const satisfies Endpoint;

/** An address within the portal to come back to: a path, never another site. */
export const ReturnTo = z.string().max(2048).regex(/^\/(?![/\\])[^\\\u0000-\u001f]*$/, 'An address within the portal starts with one /');

export const SignIn = {
  method: 'GET', path: '/auth/sign-in', permission: 'public',
  summary: 'Goes to Microsoft Entra to sign in',
  query: z.strictObject({
    returnTo: ReturnTo.default('/'),
    /** Reference of a stronger sign-in that Entra asked for. */
    stepUp: z.uuid().optional(),
    /** Whose account Entra offers first. It proves nothing: who signs in is what Entra says. */
    account: z.email().max(320).optional(),
    /** Show the account picker even if somebody is signed in. */
    switch: z.literal('account').optional(),
  }),
  answers: 'redirect', response: z.undefined(),
} as const satisfies Endpoint;

export const SignInRedirect = {
  method: 'GET', path: '/auth/redirect', permission: 'public',
  summary: 'Where Microsoft Entra sends the browser back to',
  query: z.object({
    code: z.string().optional(),
    state: z.string().optional(),
    error: z.string().optional(),
    error_description: z.string().optional(),
  }),
  answers: 'redirect', response: z.undefined(),
} as const satisfies Endpoint;

/** Ends the session here; the answer says where to go to end it at Microsoft Entra too. */
export const SignOut = {
  method: 'POST', path: '/auth/sign-out', permission: 'session:own',
  summary: 'Ends the session',
  body: z.strictObject({}),
  response: z.object({ signOutUrl: z.string() }),
} as const satisfies Endpoint;

/** A session of the person who asks: a browser that they signed in with, or a command line that they allowed. */
export const OwnSession = z.object({
  id: z.string(),
  kind: z.enum(['browser', 'command line']),
  /** What a command line calls itself; a browser has no name. */
  name: z.string().nullable(),
  /** Where it began; null where that was not written down. */
  address: z.string().nullable(),
  since: Instant,
  /** To the minute. */
  lastUsedAt: Instant,
  /** The latest; without use it ends sooner. */
  endsAt: Instant,
  /** Whether it is the one that asks. */
  isCurrent: z.boolean(),
});
export type OwnSession = z.infer<typeof OwnSession>;

export const ListSessions = {
  method: 'GET', path: '/api/sessions', permission: 'session:manage',
  summary: 'The person’s own sessions, at browsers and command lines; the one that asks first',
  response: z.object({ sessions: z.array(OwnSession) }),
} as const satisfies Endpoint;

export const EndSession = {
  method: 'POST', path: '/api/sessions/:sessionId/end', permission: 'session:manage',
  summary: 'Ends one of the person’s own sessions; a browser’s takes every command line along, as signing out there does',
  params: z.strictObject({ sessionId: z.uuid() }),
  body: z.strictObject({}),
  response: z.object({ ended: z.int() }),
} as const satisfies Endpoint;

export const EndOtherSessions = {
  method: 'POST', path: '/api/sessions/end-others', permission: 'session:manage',
  summary: 'Ends all of the person’s own sessions but the one that asks',
  body: z.strictObject({}),
  response: z.object({ ended: z.int() }),
} as const satisfies Endpoint;

export const AdvanceDemoClock = {
  method: 'POST', path: '/api/demo/clock', permission: 'demo:use',
  summary: 'Moves the emulated tenant and the portal on it forward in time',
  body: z.strictObject({ minutes: z.int().min(1).max(60 * 24 * 31) }),
  response: z.object({ now: z.iso.datetime(), clockAheadSeconds: z.int() }),
} as const satisfies Endpoint;
