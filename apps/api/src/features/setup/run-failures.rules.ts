import type { StepKind } from '@gatehouse/contracts';

/** Words of the Graph client for what went wrong. */
type Failure = 'throttled' | 'unavailable' | 'forbidden' | 'not-signed-in' | 'not-found' | 'conflict' | 'policy' | 'step-up-needed' | 'unexpected';

const GROUPS = 'Groups Administrator';
const PIM = 'Groups Administrator (for a role-assignable group: Privileged Role Administrator), or to own the group';
const APPLICATIONS = 'Application Administrator';
const PUBLISHING = 'Application Administrator and Global Secure Access Administrator';

const ROLE: Record<StepKind, string> = {
  'create-group': GROUPS, 'add-owner': GROUPS, 'remove-owner': GROUPS, 'remove-member': GROUPS, 'delete-group': GROUPS,
  'onboard': PIM, 'role-settings': PIM, 'owner-role-settings': PIM, 'assign-eligible': PIM, 'remove-eligible': PIM, 'restore-eligible': PIM, 'restore-role-settings': PIM, 'restore-owner-role-settings': PIM, 'remove-active': PIM, 'remove-owner-eligible': PIM,
  'create-application': APPLICATIONS, 'delete-application': APPLICATIONS, 'require-assignment': APPLICATIONS, 'unrequire-assignment': APPLICATIONS, 'assign-application': APPLICATIONS, 'unassign-application': APPLICATIONS, 'remove-assignee': APPLICATIONS,
  'publish-application': PUBLISHING, 'add-segment': PUBLISHING, 'remove-segment': PUBLISHING,
};

/** Why a step failed and what to do about it, as two sentences for the person. */
export function failureInWords(kind: StepKind, failure: Failure, failedRules: readonly string[] = []): string {
  switch (failure) {
    case 'throttled': return 'Microsoft Entra asks us to slow down. Continue the run in some minutes.';
    case 'unavailable': return 'Microsoft Entra did not answer, so whether this took effect is not known. Continue the run: it looks first, and repeats nothing that is done.';
    case 'forbidden': return `Microsoft Entra says that a permission or directory role is missing. You need ${ROLE[kind]}; continue the run when you have it.`;
    case 'not-signed-in': return 'Your sign-in at Microsoft Entra has ended. Sign in again and continue the run.';
    case 'step-up-needed': return 'Microsoft Entra asks to verify that it is you. Sign in again with MFA and continue the run.';
    case 'not-found': return 'Microsoft Entra does not know one of the parts, or not yet. Continue the run in some minutes; if it stays so, plan the setup again.';
    case 'conflict': return 'Microsoft Entra says that it stands otherwise by now. Continue the run: it looks how it stands.';
    case 'policy': return `The role settings do not allow it${failedRules.length > 0 ? ` (${failedRules.join(', ')})` : ''}. Change the setup and apply it again.`;
    case 'unexpected': return 'Microsoft Entra answered in a way that we do not know, so this is not shown as done. Continue the run; if it stays so, look at the log.';
  }
}
