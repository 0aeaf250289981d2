import { SIGN_IN_TIME_MEND } from '@gatehouse/contracts';
import type { Actor } from './actor.ts';
import { PortalError } from './errors.ts';

/** So long after somebody proved to Entra who they are, that is believed of what is dangerous (OWASP ASVS 5.0, 7.5.3). */
export const PROOF_MINUTES = 10;

/** `stale`: longer ago than it is believed; `unknown`: Entra did not say, which is as no proof. */
export function proofOf({ authenticatedAt }: Pick<Actor, 'authenticatedAt'>, now: Date): 'fresh' | 'stale' | 'unknown' {
  if (authenticatedAt === undefined) return 'unknown';
  return now.getTime() - authenticatedAt.getTime() <= PROOF_MINUTES * 60_000 ? 'fresh' : 'stale';
}

/**
 * Refuses. Whose proof is stale is asked to prove anew who they are; where Entra does not say, that would bring them back
 * here as they were, again and again, and they are told what to mend. `what` is what is refused, as the beginning of a sentence.
 */
export function proofNeeded(proof: 'stale' | 'unknown', what: string): PortalError {
  const only = `${what} only within ${PROOF_MINUTES} minutes of a sign-in`;
  if (proof === 'unknown') return new PortalError('sign-in-time-unknown', { detail: `${only}, and Microsoft Entra does not say when yours was. ${SIGN_IN_TIME_MEND}` });
  return new PortalError('step-up-required', { detail: `${only}.`, stepUp: { claims: '', anew: true } });
}
