import type { ActivationPolicy } from '@gatehouse/contracts';

/** What an activation asks for beside a reason, in words: `MFA`, `approval by Omar Haddad`. */
export function asksOf({ signIn, requireTicket, requireApproval, approvers }: ActivationPolicy): string[] {
  return [
    ...(signIn === 'mfa' ? ['MFA'] : signIn === 'authentication-context' ? ['stronger sign-in'] : []),
    ...(requireTicket ? ['ticket'] : []),
    ...(requireApproval ? [approvers.length > 0 ? `approval by ${approvers.map(({ displayName }) => displayName).join(' or ')}` : 'approval'] : []),
  ];
}
