import type { Actor } from './actor.ts';
import { PortalError } from './errors.ts';

/** So long after somebody proved to Entra who they are, that is believed of what is dangerous (OWASP ASVS 5.0, 7.5.3). */
export const PROOF_MINUTES = 10;

/** `stale`: longer ago than it is believed; `unknown`: Entra did not say, which is as no proof. */
export function proofOf({ authenticatedAt }: Pick<Actor, 'authenticatedAt'>, now: Date): 'fresh' | 'stale' | 'unknown' {
  if (authenticatedAt === undefined) return 'unknown';
  return now.getTime() - authenticatedAt.getTime() <= PROOF_MINUTES * 60_000 ? 'fresh' : 'stale';
}

/** Refuses, and asks the person to prove anew who they are. `what` is what is refused, as the beginning of a sentence. */
export function proofNeeded(proof: 'stale' | 'unknown', what: string): PortalError {
  const why = proof === 'stale'
    ? `${what} within ${PROOF_MINUTES} minutes of a sign-in only.`
    : `${what} within ${PROOF_MINUTES} minutes of a sign-in only, and Microsoft Entra did not say when yours was. Where this comes again after verifying, the app registration lacks the optional claim auth_time.`;
  return new PortalError('step-up-required', { detail: why, stepUp: { claims: '', anew: true } });
}
