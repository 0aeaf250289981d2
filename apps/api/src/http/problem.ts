import { PROBLEMS, type Permission, type Problem, type ProblemCode } from '@gatehouse/contracts';
import { GraphError, knownRefusal, type GraphFailure } from '@gatehouse/graph';
import type { ErrorRequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Actor } from '../core/actor.ts';
import { PortalError, type PortalErrorDetails, type StepUp } from '../core/errors.ts';
import { actorOf, contractOf, credentialOf } from './session.ts';
import { problemPage } from './problem-page.ts';

/** Failures of Graph that no feature has said better. Every failure, or it does not compile. */
const GRAPH_PROBLEMS: Record<GraphFailure, { readonly code: ProblemCode; readonly detail: string }> = {
  'throttled': { code: 'directory-busy', detail: 'Microsoft Entra asks us to slow down. Nothing was changed. Try again in a moment.' },
  'unavailable': { code: 'directory-unavailable', detail: 'Microsoft Entra does not answer, so what stands there is not known right now. Try again in a moment.' },
  'forbidden': { code: 'directory-forbidden', detail: 'A permission of the portal or a directory role of yours is missing. An administrator of Microsoft Entra can grant it.' },
  'not-signed-in': { code: 'not-signed-in', detail: 'Your sign-in at Microsoft Entra has ended. Sign in again; what you typed stays.' },
  'not-found': { code: 'not-found', detail: 'Microsoft Entra does not know it, or not any more.' },
  'conflict': { code: 'conflict', detail: 'Microsoft Entra says that it stands otherwise by now. Reload to see how.' },
  'policy': { code: 'directory-refused', detail: 'The role settings do not allow it.' },
  'step-up-needed': { code: 'step-up-required', detail: 'Microsoft Entra asks you to verify that it is you. What you typed stays.' },
  'unexpected': { code: 'directory-unexpected', detail: 'Microsoft Entra answered in a way that we do not know. Nothing is shown as done that is not.' },
};

/** Keeps what is demanded and answers the address where the person meets it. */
export type BeginStepUp = (actor: Actor, demand: StepUp, permission: Permission) => Promise<string>;

interface ProblemDeps {
  readonly log: Logger;
  readonly publicUrl: string;
  readonly beginStepUp: BeginStepUp;
}

/** Any thrown value → problem+json (RFC 9457). The one place that knows how failures look to the outside. */
export function problems({ log, publicUrl, beginStepUp }: ProblemDeps): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) return next(error);
    const requestId = String(req.id).slice(0, 8).toUpperCase();
    const bearer = credentialOf(req)?.by === 'bearer';
    const { code, details, cause } = forCarrier(classify(error), bearer, publicUrl);
    const { status, title } = PROBLEMS[code];
    const level = status >= 500 ? 'error' : 'info';
    (req.log ?? log)[level]({ err: cause, code, reference: requestId, graphRequestId: graphRequestIdIn(error) }, `refused: ${code}`);

    const answer = async (): Promise<void> => {
      const actor = actorOf(req);
      const permission = contractOf(req)?.permission ?? 'session:own';
      const signInUrl = code === 'step-up-required' && actor && !bearer ? await beginStepUp(actor, details.stepUp ?? { claims: '' }, permission) : undefined;
      const graphRequestId = graphRequestIdIn(error);
      const body: Problem = {
        type: `urn:gatehouse:problem:${code}`, code, status, title, requestId,
        ...(graphRequestId !== undefined && { graphRequestId }),
        ...(details.detail !== undefined && { detail: details.detail }),
        ...(details.issues !== undefined && { issues: [...details.issues] }),
        ...(details.retryAfterSeconds !== undefined && { retryAfterSeconds: details.retryAfterSeconds }),
        ...(signInUrl !== undefined && { signInUrl }),
        ...(details.plan !== undefined && { plan: details.plan }),
        ...(details.run !== undefined && { run: details.run }),
        ...(details.decided !== undefined && { decided: details.decided }),
      };
      if (details.retryAfterSeconds !== undefined) res.set('Retry-After', String(details.retryAfterSeconds));
      const challenge = bearer ? CHALLENGES[code] : undefined;
      if (challenge !== undefined) res.set('WWW-Authenticate', `Bearer error="${challenge}"`);
      // Entra sends the browser itself to the pages of sign-in, and a link leads it to a file: a person reads the answer there.
      const { answers, offeredOn } = contractOf(req) ?? {};
      if ((answers === 'redirect' || offeredOn !== undefined) && req.accepts(['json', 'html']) === 'html') return void res.status(status).type('html').send(problemPage(body, offeredOn));
      res.status(status).type('application/problem+json').send(JSON.stringify(body));
    };
    answer().catch(next);
  };
}

/** What a bearer token lacks, in the words of RFC 6750 §3.1 and RFC 9470 §3. */
const CHALLENGES: Partial<Record<ProblemCode, string>> = { 'not-signed-in': 'invalid_token', 'step-up-required': 'insufficient_user_authentication', 'not-permitted': 'insufficient_scope' };

interface Classified { readonly code: ProblemCode; readonly details: PortalErrorDetails; readonly cause: unknown }

/** A device cannot follow a browser to Microsoft Entra: it is told where its person can. */
function forCarrier(problem: Classified, bearer: boolean, publicUrl: string): Classified {
  if (!bearer || problem.code !== 'step-up-required') return problem;
  return { ...problem, details: { ...problem.details, detail: `Microsoft Entra asks you to verify that it is you, which needs a browser. Open ${publicUrl}/setups, plan any setup there and verify when you are asked to; then try again here.` } };
}

/** Graph's id of the call, wherever among the causes it is. */
function graphRequestIdIn(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof GraphError && at.details.requestId !== undefined) return at.details.requestId;
  }
  return undefined;
}

function classify(error: unknown): Classified {
  if (error instanceof PortalError) return { code: error.code, details: error.details, cause: error.details.cause ?? error };
  if (error instanceof GraphError) {
    const { code, detail } = GRAPH_PROBLEMS[error.failure];
    const { retryAfterMs, claims } = error.details;
    // Of a code that means several things, the rule that failed or Graph's own text says which.
    const known = knownRefusal(error.details.code, error.details.failedRules?.[0] ?? error.message);
    return {
      code, cause: error,
      details: {
        detail: known?.failure === error.failure ? `${known.sentence} ${known.mend}` : detail,
        ...(retryAfterMs !== undefined && { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) }),
        ...(error.failure === 'step-up-needed' && { stepUp: { claims: claims ?? '' } }),
      },
    };
  }
  // Express and its body parser throw errors with a status of their own: the caller's body is at fault. They hold what was
  // sent, in a field and in their message: a log that repeated it would hold codes and names.
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  const unsaid = new Error(error instanceof Error && 'type' in error && typeof error.type === 'string' ? error.type : 'Express refused the request');
  if (status === 404) return { code: 'not-found', details: {}, cause: unsaid };
  if (status === 413) return { code: 'too-large', details: { detail: 'At most 1 MB can be sent at once.' }, cause: unsaid };
  if (status === 415) return { code: 'unsupported-media-type', details: {}, cause: unsaid };
  if (status === 400) return { code: 'invalid-request', details: { detail: 'The body or the address cannot be read as what it should be.' }, cause: unsaid };
  return { code: 'internal', details: { detail: 'It is in our log under this reference. Nothing is shown as done that is not.' }, cause: error };
}
