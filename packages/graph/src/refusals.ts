import type { GraphFailure } from './errors.ts';

/** One refusal that Microsoft documents or that was seen: what it is to the portal, and what a person is told. */
export interface KnownRefusal {
  /** Graph's `error.code`. */
  readonly code: string;
  /** Where one code has several meanings: a rule of the policy, or a part of the message. */
  readonly about?: string;
  readonly failure: GraphFailure;
  /** What it means for the person. */
  readonly sentence: string;
  /** What to do next. */
  readonly mend: string;
  /** Whether the same call helps: not at all, after a while, or once the mend is done. */
  readonly again: 'no' | 'later' | 'mended';
}

const OURS = { failure: 'unexpected', mend: 'It is a fault of the portal and is in its log: tell whoever runs it.', again: 'no' } as const;
const POLICY = { code: 'RoleAssignmentRequestPolicyValidationFailed', failure: 'policy', again: 'mended' } as const;

/** The catalogue: every refusal that the portal names (codes and words: CONTRACT.md §13). docs/refusals.md is the same, to read. */
export const REFUSALS: readonly KnownRefusal[] = [
  { ...POLICY, sentence: 'The role settings of the group do not allow it.', mend: 'Look at the group’s role settings, and ask for what they allow.' },
  { ...POLICY, about: 'ExpirationRule', sentence: 'The role settings do not allow this duration.', mend: 'Choose a shorter one, or one with an end.' },
  { ...POLICY, about: 'JustificationRule', sentence: 'The role settings ask for a reason.', mend: 'Give one.' },
  { ...POLICY, about: 'TicketingRule', sentence: 'The role settings ask for a ticket.', mend: 'Give its number.' },
  { ...POLICY, about: 'MfaRule', failure: 'step-up-needed', sentence: 'The role settings ask for multifactor authentication.', mend: 'Verify that it is you.' },
  { ...POLICY, about: 'EligibilityRule', sentence: 'You are not eligible for this access, or not any more.', mend: 'Ask a setup admin to make you eligible.' },
  { ...POLICY, about: 'ApprovalRule', sentence: 'An approver has to agree first.', mend: 'Wait for the decision.' },
  { code: 'RoleAssignmentRequestAcrsValidationFailed', failure: 'step-up-needed', sentence: 'The role settings ask for a stronger sign-in.', mend: 'Verify that it is you.', again: 'mended' },
  { code: 'RoleAssignmentExists', failure: 'conflict', sentence: 'This access is there already.', mend: 'Reload to see until when.', again: 'no' },
  { code: 'PendingRoleAssignmentRequest', failure: 'conflict', sentence: 'A request for this access is under way already.', mend: 'Wait for it, or take it back.', again: 'no' },
  { code: 'RoleAssignmentDoesNotExist', failure: 'conflict', sentence: 'This access is not there, or not yet.', mend: 'Reload to see how it stands.', again: 'later' },
  { code: 'ActiveDurationTooShort', failure: 'conflict', sentence: 'PIM ends no access within five minutes of its beginning.', mend: 'Try again when the five minutes are over.', again: 'later' },
  { code: 'ResourceIsLocked', failure: 'conflict', sentence: 'The group is locked against changes.', mend: 'Ask an administrator of Microsoft Entra who locked it.', again: 'later' },
  { code: 'MfaAndAcrsConflict', failure: 'conflict', sentence: 'MFA and an authentication context exclude each other in role settings.', mend: 'Choose one of them.', again: 'mended' },
  { code: 'RoleNotFound', failure: 'not-found', sentence: 'PIM does not know this role of the group.', mend: 'Plan the setup again.', again: 'no' },
  { code: 'SubjectNotFound', failure: 'not-found', sentence: 'PIM does not know the person or group, or not yet.', mend: 'Try again in some minutes: the directory passes new ones on with a delay.', again: 'later' },
  { code: 'ResourceNotFound', failure: 'not-found', sentence: 'PIM does not know it, or not yet.', mend: 'Try again in some minutes: the directory passes new groups on with a delay.', again: 'later' },
  { code: 'Request_ResourceNotFound', failure: 'not-found', sentence: 'Microsoft Entra does not know it, or not any more.', mend: 'Reload to see what is there.', again: 'later' },
  { code: 'InvalidRoleAssignmentRequest', sentence: 'Microsoft Entra could not make sense of the request.', ...OURS },
  { code: 'InvalidPolicy', sentence: 'Microsoft Entra could not make sense of the role settings.', ...OURS },
  { code: 'Request_UnsupportedQuery', sentence: 'Microsoft Entra does not support the question that was asked.', ...OURS },
  { code: 'Request_BadRequest', sentence: 'Microsoft Entra could not make sense of the call.', ...OURS },
  { code: 'Request_BadRequest', about: 'already exist', failure: 'conflict', sentence: 'It is a member or assigned already.', mend: 'Nothing: it is as it should be.', again: 'no' },
  { code: 'Authorization_RequestDenied', failure: 'forbidden', sentence: 'A permission of the portal or a directory role of yours is missing.', mend: 'An administrator of Microsoft Entra can grant it.', again: 'mended' },
  { code: 'UnauthorizedAccessException', failure: 'forbidden', sentence: 'PIM says that a directory role of yours is missing.', mend: 'An administrator of Microsoft Entra can grant it.', again: 'mended' },
  { code: 'InsufficientPermissions', failure: 'forbidden', sentence: 'PIM says that a permission is missing.', mend: 'An administrator of Microsoft Entra can grant it.', again: 'mended' },
  { code: 'AadPremiumLicenseRequired', failure: 'forbidden', sentence: 'The tenant has no licence for this.', mend: 'It takes Microsoft Entra ID P2 or Microsoft Entra ID Governance.', again: 'mended' },
  { code: 'InvalidAuthenticationToken', failure: 'not-signed-in', sentence: 'Your sign-in at Microsoft Entra has ended.', mend: 'Sign in again; what you typed stays.', again: 'mended' },
  { code: 'TooManyRequests', failure: 'throttled', sentence: 'Microsoft Entra asks us to slow down. Nothing was changed.', mend: 'Try again in a moment.', again: 'later' },
];

/** The refusal of this code, and of this rule or message where the code has several. */
export function knownRefusal(code: string | undefined, about?: string): KnownRefusal | undefined {
  const ofCode = REFUSALS.filter((one) => one.code === code);
  return ofCode.find((one) => one.about !== undefined && about?.includes(one.about) === true) ?? ofCode.find((one) => one.about === undefined);
}
