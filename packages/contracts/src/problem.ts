import { z } from 'zod';
import { Plan } from './setup.ts';
import { Instant } from './words.ts';

/** Every way in which a request can fail. A code without a status and a title does not compile. */
export const PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'not-signed-in': { status: 401, title: 'Sign in to continue' },
  'step-up-required': { status: 401, title: 'Verify that it is you' },
  'not-permitted': { status: 403, title: 'Your role does not allow this' },
  'cross-site': { status: 403, title: 'The request did not come from this portal' },
  'sign-in-time-unknown': { status: 403, title: 'Microsoft Entra does not say when you signed in' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Not offered here' },
  'activation-refused': { status: 409, title: 'This access cannot be activated' },
  'deactivation-refused': { status: 409, title: 'This access cannot be ended yet' },
  'keep-going-refused': { status: 409, title: 'This access cannot be kept going now' },
  'eligibility-refused': { status: 409, title: 'This cannot be asked for' },
  'revocation-refused': { status: 409, title: 'This access cannot be closed now' },
  'already-decided': { status: 409, title: 'This request is already decided' },
  'plan-changed': { status: 409, title: 'The tenant changed since this plan was shown' },
  'plan-blocked': { status: 409, title: 'The plan has a step that cannot be done' },
  'run-in-progress': { status: 409, title: 'A run of this setup is under way' },
  'undo-refused': { status: 409, title: 'This run cannot be undone' },
  'signed-in-as-another': { status: 409, title: 'Somebody else is signed in here by now' },
  'conflict': { status: 409, title: 'Somebody else changed this first' },
  'too-large': { status: 413, title: 'The request is too large' },
  'too-many-attempts': { status: 429, title: 'Too many attempts' },
  'unsupported-media-type': { status: 415, title: 'The request is not JSON' },
  'directory-refused': { status: 502, title: 'Microsoft Entra refused the operation' },
  'directory-unexpected': { status: 502, title: 'Microsoft Entra answered in a way we do not know' },
  'directory-forbidden': { status: 502, title: 'Microsoft Entra says a permission or role is missing' },
  'directory-busy': { status: 503, title: 'Microsoft Entra is busy' },
  'directory-unavailable': { status: 503, title: 'Microsoft Entra does not answer' },
  'not-ready': { status: 503, title: 'The portal is not ready yet' },
  'internal': { status: 500, title: 'Something went wrong on our side' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457 problem details, with the portal's extension members. */
export const Problem = z.object({
  type: z.string(),
  code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
  status: z.int(),
  title: z.string(),
  /** A sentence for the person: what it means for them and what to do. */
  detail: z.string().optional(),
  /** Short reference to copy; the log has it. */
  requestId: z.string(),
  /** Microsoft Graph's own id of the call that failed, for Microsoft's support. */
  graphRequestId: z.string().optional(),
  /** Where the request was wrong; `path` is that of the field, such as `body.minutes`. */
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  /** Of `step-up-required`: where to go; it comes back to the page with the same address. */
  signInUrl: z.string().optional(),
  /** Of `already-decided`: who decided what, and when, as far as Entra says. */
  decided: z.object({ by: z.string().nullable(), at: Instant.nullable(), decision: z.enum(['approve', 'deny']), justification: z.string().nullable() }).optional(),
  /** Of 503: when it is worth trying again. */
  retryAfterSeconds: z.int().optional(),
  /** Of `plan-changed`: the plan as it is now. */
  plan: Plan.optional(),
  /** Of `run-in-progress`: who is at it since when, and the run to follow. Of `undo-refused`: the run that stands in the way, where there is one. */
  run: z.object({ id: z.string(), setupId: z.string(), actorName: z.string(), startedAt: Instant }).optional(),
});
export type Problem = z.infer<typeof Problem>;
