import type { RoleSettings } from '@gatehouse/contracts';
import { formatMinutes } from '../../lib/dates.ts';

/** The role settings that matter to whoever activates, a sentence each. */
export function describeRoleSettings(settings: RoleSettings): string[] {
  const { activationSignIn: signIn, approval } = settings;
  return [
    `at most ${formatMinutes(settings.activationMaxMinutes)}`,
    ...(signIn.kind === 'mfa' ? ['with MFA'] : signIn.kind === 'authentication-context' ? [`with authentication context ${signIn.id}`] : []),
    ...(settings.requireJustification ? ['with a reason'] : []),
    ...(settings.requireTicket ? ['with a ticket'] : []),
    ...(approval.required ? [`approved by ${approval.approvers.map(({ displayName }) => displayName).join(' or ')}`] : ['without approval']),
  ];
}
