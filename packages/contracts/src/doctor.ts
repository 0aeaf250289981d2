import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { ApplicationKind, Instant } from './words.ts';

/** What a connection needs, in the order in which it is looked at. */
export const PathLinkName = z.enum(['destination', 'segment', 'application', 'assignment-required', 'group', 'eligibility', 'policy', 'active', 'token-age', 'connector', 'traffic-profile']);
export type PathLinkName = z.infer<typeof PathLinkName>;

export const PathLinkState = z.enum([
  'holds', 'broken',
  /** It could not be read, so that it is neither healthy nor broken. */
  'not-known',
  /** An earlier link is broken, or what it is about is not known. */
  'not-reached',
]);
export type PathLinkState = z.infer<typeof PathLinkState>;

export const PathLink = z.object({
  link: PathLinkName,
  state: PathLinkState,
  /** What was seen, or why it was not. */
  sentence: z.string(),
  /** The one thing to do: of a broken link always, of one that is not known where something helps anyway. */
  mend: z.string().nullable(),
});
export type PathLink = z.infer<typeof PathLink>;

export const Transport = z.enum(['tcp', 'udp']);
export type Transport = z.infer<typeof Transport>;

export const PathDiagnosis = z.object({
  readAt: Instant,
  person: z.object({ id: z.string(), displayName: z.string(), userPrincipalName: z.string() }),
  destination: z.object({ host: z.string(), port: z.int(), protocol: Transport }),
  /** The application that takes the destination, where one does. */
  application: z.object({ id: z.string(), displayName: z.string(), kind: ApplicationKind }).nullable(),
  /** The group by which the person has, or would have, the application. */
  group: z.object({ id: z.string(), displayName: z.string() }).nullable(),
  /** Every link, in order. */
  links: z.array(PathLink),
  /** The link to mend first; `null`: nothing that could be seen is broken. */
  broken: PathLinkName.nullable(),
  /** Whether what is broken keeps the person out; an application that lets everybody in is broken and does not. */
  keepsOut: z.boolean(),
  /** Whether the person mends it by activating the group. */
  canActivate: z.boolean(),
  /** What is never looked at, a sentence each. */
  neverSeen: z.array(z.string()),
});
export type PathDiagnosis = z.infer<typeof PathDiagnosis>;

const Path = {
  /** `host:port`, or a URL whose scheme says the port. */
  to: z.string().trim().min(1, 'Name the host and the port, such as fin-rep.corp.example:443').max(2048),
  protocol: Transport.default('tcp'),
};

export const DiagnoseMyPath = {
  method: 'GET', path: '/api/doctor', permission: 'access:use',
  summary: 'Why a host and port open for the signed-in person, or the first thing that keeps them out',
  query: z.strictObject(Path),
  response: PathDiagnosis,
} as const satisfies Endpoint;

/** That somebody looked is itself recorded. */
export const DiagnosePath = {
  method: 'GET', path: '/api/doctor/people/:person', permission: 'path:diagnose',
  summary: 'Why a host and port open for somebody else, or the first thing that keeps them out',
  /** User principal name or object id. */
  params: z.strictObject({ person: z.string().trim().min(1).max(320) }),
  query: z.strictObject(Path),
  response: PathDiagnosis,
} as const satisfies Endpoint;
