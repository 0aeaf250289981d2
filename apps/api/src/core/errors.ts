import type { Plan, Problem, ProblemCode } from '@gatehouse/contracts';

export interface StepUp { readonly claims: string; readonly anew?: boolean }

export interface PortalErrorDetails {
  /** A sentence for the person: what it means and what to do. */
  readonly detail?: string | undefined;
  /** Where the request was wrong, such as `body.minutes`. */
  readonly issues?: readonly { readonly path: string; readonly message: string }[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** Of `step-up-required`: the claims that Entra asked for; `anew`, where the person is to prove again who they are, though Entra knows them. */
  readonly stepUp?: StepUp | undefined;
  /** Of `plan-changed`: the plan as it is now. */
  readonly plan?: Plan | undefined;
  /** Of `run-in-progress`: the run to follow. */
  readonly run?: Problem['run'];
  /** Of `already-decided`: by whom, when and how. */
  readonly decided?: Problem['decided'];
  readonly cause?: unknown;
}

/** A failure that a person is told of. Its code decides status and title; nothing else about it leaves the process. */
export class PortalError extends Error {
  readonly code: ProblemCode;
  readonly details: PortalErrorDetails;

  constructor(code: ProblemCode, details: PortalErrorDetails = {}) {
    super(details.detail ?? code, { cause: details.cause });
    this.name = 'PortalError';
    this.code = code;
    this.details = details;
  }
}

/** Refuses with a reason at one field of the request. */
export function fieldError(code: ProblemCode, path: string, message: string): PortalError {
  return new PortalError(code, { detail: message, issues: [{ path, message }] });
}
