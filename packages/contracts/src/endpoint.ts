import type { z } from 'zod';

/** What a signed-in person may do. Every one is decided by `permits`, on the server; the page hides what it refuses. */
export type Permission =
  /** Anyone, signed in or not. */
  | 'public'
  /** Anyone who is signed in. */
  | 'session:own'
  /** Seeing and ending one's own sessions, wherever they are. No device may: it ends itself and nothing else. */
  | 'session:manage'
  | 'access:use'
  | 'approval:decide'
  | 'setup:manage'
  /** Allowing a device to act for oneself. Apart from what the device may then do, so that no device allows the next one. */
  | 'device:allow'
  | 'history:read'
  /** Taking the history along, past the page. */
  | 'history:export'
  /** Seeing how long the log is kept. */
  | 'retention:read'
  /** Saying how long the log is kept, and holding months back. */
  | 'retention:manage'
  /** Seeing whose access is open now, and where the network may stay open after it. */
  | 'current-access:read'
  /** Taking somebody’s activated membership away and revoking their sign-ins. */
  | 'current-access:end'
  | 'sync:read'
  /** Looking at the access path of somebody else. */
  | 'path:diagnose'
  /** Only where the tenant is the emulated one; elsewhere the endpoint is not found. */
  | 'demo:use';

/** App roles of the Entra app registration, as they stand in the `roles` claim. */
export type AppRole = 'SetupAdmin' | 'Auditor';

const NEEDS: Record<Permission, readonly AppRole[] | 'nobody-in-particular'> = {
  'public': 'nobody-in-particular',
  'session:own': 'nobody-in-particular',
  'session:manage': 'nobody-in-particular',
  'access:use': 'nobody-in-particular',
  // Being an approver is what Entra says it is: the request itself is checked against Entra's list for the person.
  'approval:decide': 'nobody-in-particular',
  'setup:manage': ['SetupAdmin'],
  'device:allow': ['SetupAdmin'],
  'history:read': ['Auditor'],
  'history:export': ['Auditor'],
  'retention:read': ['SetupAdmin', 'Auditor'],
  // An auditor changes nothing.
  'retention:manage': ['SetupAdmin'],
  'current-access:read': ['SetupAdmin', 'Auditor'],
  'current-access:end': ['SetupAdmin'],
  'sync:read': ['SetupAdmin', 'Auditor'],
  'path:diagnose': ['SetupAdmin', 'Auditor'],
  'demo:use': 'nobody-in-particular',
};

/** Whether somebody with these app roles has the permission. Signing in is checked apart. */
export function permits(permission: Permission, roles: readonly AppRole[]): boolean {
  const needed = NEEDS[permission];
  return needed === 'nobody-in-particular' || needed.some((role) => roles.includes(role));
}

const OF_A_DEVICE: ReadonlySet<Permission> = new Set<Permission>(['public', 'session:own', 'setup:manage']);

/** Whether the session of a device may be used for it at all, whoever allowed the device. */
export function permitsDevice(permission: Permission): boolean {
  return OF_A_DEVICE.has(permission);
}

/** One HTTP endpoint as plain data: the API serves it, the web calls it, the authorisation matrix walks it. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Express path; `/api/…`, but for the pages of sign-in. */
  readonly path: `/${string}`;
  readonly permission: Permission;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Status of success; 200 unless said. */
  readonly status?: 200 | 201 | 202 | 204;
  /** How it answers. `json` unless said; `events` is a stream of server-sent events whose data is `response`. */
  readonly answers?: 'json' | 'events' | 'text' | 'zip' | 'file' | 'redirect';
  /** Of a file that a link leads to: the page with that link. Where the browser is refused the file, it shows why and leads back there. */
  readonly offeredOn?: `/${string}`;
  /** Shape of the JSON answer or of each event. */
  readonly response: z.ZodType;
}

/** What a handler receives, after parsing. */
export type Input<E extends Endpoint> = {
  params: E extends { params: infer S extends z.ZodType } ? z.output<S> : undefined;
  query: E extends { query: infer S extends z.ZodType } ? z.output<S> : undefined;
  body: E extends { body: infer S extends z.ZodType } ? z.output<S> : undefined;
};

/** What a caller passes, before parsing; parts that the endpoint does not have are left out. */
export type CallInput<E extends Endpoint> = (E extends { params: infer S extends z.ZodType } ? { params: z.input<S> } : object) &
  (E extends { query: infer S extends z.ZodType } ? { query?: z.input<S> } : object) &
  (E extends { body: infer S extends z.ZodType } ? { body: z.input<S> } : object);

/** What an answered call gives, after parsing. */
export type Answer<E extends Endpoint> = z.output<E['response']>;
