/** What went wrong with a Graph call, in the portal's eight words. */
export type GraphFailure =
  /** Graph asked us to slow down; `retryAfterMs` says for how long where Graph said so. */
  | 'throttled'
  /** No answer, a time-out, or a 5xx: what the call did is not known. */
  | 'unavailable'
  /** The token lacks a permission, or the person a directory role. */
  | 'forbidden'
  /** The token is refused or the grant is gone: the person signs in again. */
  | 'not-signed-in'
  | 'not-found'
  /** It is there already, is decided already, or does not stand as the call supposed. */
  | 'conflict'
  /** A rule of the role's policy says no; `failedRules` names them. */
  | 'policy'
  /** Entra wants a stronger sign-in; `claims` is to be sent to it. */
  | 'step-up-needed'
  /** An answer of another shape, or a refusal that we do not know. */
  | 'unexpected';

export interface GraphErrorDetails {
  readonly status?: number | undefined;
  /** Graph's own `error.code`. */
  readonly code?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly failedRules?: readonly string[] | undefined;
  readonly claims?: string | undefined;
  /** Graph's `request-id`, for the log and for support. */
  readonly requestId?: string | undefined;
  /** `false`: the call never left, so that nothing can have come of it. */
  readonly sent?: false | undefined;
  readonly cause?: unknown;
}

/** Whether Graph may have done what it was asked: there was no answer, or none that can be read. A refusal is an answer. */
export function outcomeIsUnknown({ failure, details: { status, sent } }: GraphError): boolean {
  if (sent === false) return false;
  return failure === 'unavailable' || (failure === 'unexpected' && (status === undefined || status < 400));
}

/** The one error that leaves this package. Its message is for the log, never for a person. */
export class GraphError extends Error {
  readonly failure: GraphFailure;
  readonly details: GraphErrorDetails;

  constructor(failure: GraphFailure, message: string, details: GraphErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'GraphError';
    this.failure = failure;
    this.details = details;
  }
}
