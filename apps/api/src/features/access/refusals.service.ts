import type { RequestState } from '@gatehouse/contracts';
import { contextClaims, GraphError, MFA_CLAIMS } from '@gatehouse/graph';
import { PortalError } from '../../core/errors.ts';
import { denialsOf, STEP_UP, type CatalogFacts } from './access.rules.ts';

/** Why a request cannot be taken back, by where it stands. */
export function cannotCancel(state: RequestState, cause?: unknown): PortalError {
  return new PortalError('conflict', { detail: CANNOT_CANCEL[state] ?? 'Only a request that waits for approval or for its start can be taken back.', cause });
}

const CANNOT_CANCEL: Partial<Record<RequestState, string>> = {
  'asked': 'Entra’s answer to this request is still being looked for.',
  'provisioning': 'It is being provisioned by now. End the access once it is active.',
  'active': 'It is active by now. End the access instead.',
  'ended': 'It has ended by now.',
  'denied': 'An approver has denied it by now.',
  'cancelled': 'It is cancelled already.',
  'lapsed': 'It has lapsed by now: nobody decided in time.',
  'failed': 'It has failed by now.',
};

/** What the sign-in must have proved for an activation, as far as the policy is known. */
export function claimsFor(facts: Pick<CatalogFacts, 'policy' | 'authenticationContext'> | undefined): string | undefined {
  if (facts?.authenticationContext !== undefined) return contextClaims(facts.authenticationContext);
  return facts?.policy?.signIn === 'mfa' ? MFA_CLAIMS : undefined;
}

/** Whether the request arrived is not known. */
export function lookingForIt(error: GraphError): PortalError {
  return error.failure === 'unavailable'
    ? new PortalError('directory-unavailable', { detail: 'Microsoft Entra did not answer, so it is not known whether your request arrived. We are looking for it: My access shows what we find.', retryAfterSeconds: 10, cause: error })
    : new PortalError('directory-unexpected', { detail: 'Microsoft Entra answered in a way that we do not know. We are looking for your request: My access shows what we find.', cause: error });
}

/** What stands in the way, each at the field that mends it. */
export function refused(denials: readonly { readonly path: string; readonly message: string }[], cause?: unknown): PortalError {
  return new PortalError('activation-refused', { detail: denials.map((denial) => denial.message).join(' '), issues: denials.map(({ path, message }) => ({ path, message })), cause });
}

const CONFLICTS: Readonly<Record<string, string>> = {
  RoleAssignmentExists: 'You have this access already. It cannot be made longer: end it, or ask again when it has ended.',
  PendingRoleAssignmentRequest: 'You asked for this access already, and that request is still under way.',
  RoleAssignmentDoesNotExist: 'You do not have this access now.',
};

/** A final refusal: a sentence for the record, and the error that the person gets. */
export function refusalOf(error: GraphError): { readonly sentence: string; readonly error: Error } {
  switch (error.failure) {
    case 'step-up-needed': return { sentence: STEP_UP, error };
    case 'policy': {
      const denials = denialsOf(error.details.failedRules ?? []);
      const told = denials.length > 0 ? denials : [{ path: 'body.groupId', message: 'The role settings do not allow it.' }];
      return { sentence: told.map((denial) => denial.message).join(' '), error: refused(told, error) };
    }
    case 'conflict': {
      const message = CONFLICTS[error.details.code ?? ''] ?? 'Microsoft Entra says that it stands otherwise by now. Reload to see how.';
      return { sentence: message, error: refused([{ path: 'body.groupId', message }], error) };
    }
    case 'not-found': {
      const message = 'PIM does not know this group, or not yet.';
      return { sentence: message, error: refused([{ path: 'body.groupId', message }], error) };
    }
    case 'forbidden': return { sentence: 'A permission is missing.', error };
    case 'not-signed-in': return { sentence: 'The sign-in had ended.', error };
    case 'throttled': return { sentence: 'Microsoft Entra was busy. Nothing was asked for.', error };
    case 'unavailable':
    case 'unexpected': return { sentence: 'Microsoft Entra refused it in a way that we do not know.', error };
  }
}

/** Whether the person must sign in, or verify, first. */
export const needsSignIn = (error: Error): boolean => error instanceof GraphError && (error.failure === 'step-up-needed' || error.failure === 'not-signed-in');
/** For reads that the rest can do without: gives `instead`, but never hides that the person must sign in again. */
export function unlessSignInIsNeeded<T>(instead: () => T): (error: unknown) => T {
  return (error) => {
    if (error instanceof GraphError && error.failure !== 'not-signed-in' && error.failure !== 'step-up-needed') return instead();
    throw error;
  };
}
