import type { ActivationPolicy, Change, RoleSettings } from '@gatehouse/contracts';
import { durationOf, inWords, minutesOf } from '../../core/durations.ts';

/**
 * The member role's settings between two languages: the 17 rules of the PIM policy, and the contract's `RoleSettings`.
 * Rules and fields that we do not know pass through untouched: an incomplete rule has bricked policies before.
 */

/** A PIM policy rule as Graph prints it. */
export type PolicyRule = Readonly<Record<string, unknown>> & { readonly id: string };

type Approver = RoleSettings['approval']['approvers'][number];
type Occasion = RoleSettings['notifications']['whenEligible'];
type Mail = Occasion['admins'];

const DAY = 24 * 60;
const TYPE = '#microsoft.graph.unifiedRoleManagementPolicy';

const target = (caller: 'Admin' | 'EndUser', level: 'Eligibility' | 'Assignment') =>
  ({ caller, operations: ['All'], level, inheritableSettings: [], enforcedSettings: [] });
const expiration = (id: string, caller: 'Admin' | 'EndUser', level: 'Eligibility' | 'Assignment', maximumDuration: string): PolicyRule =>
  ({ '@odata.type': `${TYPE}ExpirationRule`, id, isExpirationRequired: true, maximumDuration, target: target(caller, level) });
const enablement = (id: string, caller: 'Admin' | 'EndUser', level: 'Eligibility' | 'Assignment', enabledRules: readonly string[]): PolicyRule =>
  ({ '@odata.type': `${TYPE}EnablementRule`, id, enabledRules, target: target(caller, level) });
const notification = (recipientType: string, caller: 'Admin' | 'EndUser', level: 'Eligibility' | 'Assignment'): PolicyRule => ({
  '@odata.type': `${TYPE}NotificationRule`, id: `Notification_${recipientType}_${caller}_${level}`, notificationType: 'Email', recipientType,
  notificationLevel: 'All', isDefaultRecipientsEnabled: true, notificationRecipients: [], target: target(caller, level),
});

/** What a group has before anybody sets anything: what an unset rule or field is read as. */
export const DEFAULT_RULES: readonly PolicyRule[] = [
  expiration('Expiration_EndUser_Assignment', 'EndUser', 'Assignment', 'PT8H'),
  enablement('Enablement_EndUser_Assignment', 'EndUser', 'Assignment', ['Justification']),
  {
    '@odata.type': `${TYPE}ApprovalRule`, id: 'Approval_EndUser_Assignment', target: target('EndUser', 'Assignment'),
    setting: {
      isApprovalRequired: false, isApprovalRequiredForExtension: false, isRequestorJustificationRequired: true, approvalMode: 'SingleStage',
      approvalStages: [{
        approvalStageTimeOutInDays: 1, isApproverJustificationRequired: true, escalationTimeInMinutes: 0, isEscalationEnabled: false,
        primaryApprovers: [], escalationApprovers: [],
      }],
    },
  },
  { '@odata.type': `${TYPE}AuthenticationContextRule`, id: 'AuthenticationContext_EndUser_Assignment', isEnabled: false, claimValue: null, target: target('EndUser', 'Assignment') },
  expiration('Expiration_Admin_Eligibility', 'Admin', 'Eligibility', 'P365D'),
  enablement('Enablement_Admin_Eligibility', 'Admin', 'Eligibility', []),
  expiration('Expiration_Admin_Assignment', 'Admin', 'Assignment', 'P180D'),
  enablement('Enablement_Admin_Assignment', 'Admin', 'Assignment', ['Justification']),
  ...(['Admin', 'Requestor', 'Approver'] as const).flatMap((recipient) => [
    notification(recipient, 'Admin', 'Eligibility'), notification(recipient, 'Admin', 'Assignment'), notification(recipient, 'EndUser', 'Assignment'),
  ]),
];
const DEFAULTS = new Map(DEFAULT_RULES.map((rule) => [rule.id, rule]));

/** The member role's settings in words, from the rules of its policy. */
export function readRoleSettings(rules: readonly PolicyRule[]): RoleSettings {
  const rule = (id: string): PolicyRule => complete(id, rules.find((one) => one.id === id));
  const onActivation = enabledIn(rule('Enablement_EndUser_Assignment'));
  const onAssignment = enabledIn(rule('Enablement_Admin_Assignment'));
  const context = rule('AuthenticationContext_EndUser_Assignment');
  const contextId = typeof context['claimValue'] === 'string' ? context['claimValue'].toLowerCase() : '';

  return {
    activationMaxMinutes: durationIn(rule('Expiration_EndUser_Assignment')) ?? 480,
    // Entra takes a context beside MFA, and the context then decides.
    activationSignIn: context['isEnabled'] === true && contextId !== '' ? { kind: 'authentication-context', id: contextId }
      : onActivation.has('multifactorauthentication') ? { kind: 'mfa' } : { kind: 'none' },
    requireJustification: onActivation.has('justification'),
    requireTicket: onActivation.has('ticketing'),
    approval: { required: record(rule('Approval_EndUser_Assignment')['setting'])['isApprovalRequired'] === true, approvers: approversIn(rule('Approval_EndUser_Assignment')) },
    eligibleMaxDays: daysIn(rule('Expiration_Admin_Eligibility'), 365),
    activeMaxDays: daysIn(rule('Expiration_Admin_Assignment'), 180),
    activeRequiresMfa: onAssignment.has('multifactorauthentication'),
    activeRequiresJustification: onAssignment.has('justification'),
    notifications: {
      whenEligible: occasionOf('Admin_Eligibility', rule),
      whenAssigned: occasionOf('Admin_Assignment', rule),
      whenActivated: occasionOf('EndUser_Assignment', rule),
    },
  };
}

/**
 * The whole rules that must change for the policy to be as wanted, and nothing else; none where it is so already.
 * Their order is that of the write: what removes a control comes first, since Entra refuses MFA while an
 * authentication context is on (MfaAndAcrsConflict).
 */
export function mergeRoleSettings(rules: readonly PolicyRule[], wanted: RoleSettings): readonly PolicyRule[] {
  const changed: PolicyRule[] = [];
  const set = (id: string, isAsWanted: (rule: PolicyRule) => boolean, change: (rule: PolicyRule) => Readonly<Record<string, unknown>>): void => {
    const rule = complete(id, rules.find((one) => one.id === id));
    if (!isAsWanted(rule)) changed.push({ ...rule, ...change(rule), id });
  };
  const setEnabled = (id: string, flags: Readonly<Record<string, boolean>>): void => set(
    id,
    (rule) => Object.entries(flags).every(([name, on]) => enabledIn(rule).has(name.toLowerCase()) === on),
    (rule) => {
      const ours = new Set(Object.keys(flags).map((name) => name.toLowerCase()));
      const others = list(rule['enabledRules']).filter((name) => typeof name === 'string' && !ours.has(name.toLowerCase()));
      return { enabledRules: [...Object.entries(flags).filter(([, on]) => on).map(([name]) => name), ...others] };
    },
  );
  const setLimit = (id: string, days: number | null): void => set(
    id,
    (rule) => (days === null ? rule['isExpirationRequired'] === false : rule['isExpirationRequired'] !== false && durationIn(rule) === days * DAY),
    () => (days === null ? { isExpirationRequired: false } : { isExpirationRequired: true, maximumDuration: `P${days}D` }),
  );
  const { activationSignIn: signIn } = wanted;
  const setContext = (): void => set(
    'AuthenticationContext_EndUser_Assignment',
    (rule) => (signIn.kind === 'authentication-context'
      ? rule['isEnabled'] === true && String(rule['claimValue']).toLowerCase() === signIn.id
      : rule['isEnabled'] !== true),
    () => (signIn.kind === 'authentication-context' ? { isEnabled: true, claimValue: signIn.id } : { isEnabled: false }),
  );

  if (signIn.kind !== 'authentication-context') setContext();
  setEnabled('Enablement_EndUser_Assignment', { MultiFactorAuthentication: signIn.kind === 'mfa', Justification: wanted.requireJustification, Ticketing: wanted.requireTicket });
  if (signIn.kind === 'authentication-context') setContext();
  set(
    'Expiration_EndUser_Assignment',
    (rule) => rule['isExpirationRequired'] !== false && durationIn(rule) === wanted.activationMaxMinutes,
    () => ({ isExpirationRequired: true, maximumDuration: durationOf(wanted.activationMaxMinutes) }),
  );
  set('Approval_EndUser_Assignment', (rule) => sameApproval(rule, wanted.approval), (rule) => approvalFor(rule, wanted.approval));
  setLimit('Expiration_Admin_Eligibility', wanted.eligibleMaxDays);
  setLimit('Expiration_Admin_Assignment', wanted.activeMaxDays);
  setEnabled('Enablement_Admin_Assignment', { MultiFactorAuthentication: wanted.activeRequiresMfa, Justification: wanted.activeRequiresJustification });
  for (const [occasion, suffix] of OCCASIONS) {
    for (const [person, recipient] of RECIPIENTS) {
      const mail = wanted.notifications[occasion][person];
      set(`Notification_${recipient}_${suffix}`, (rule) => sameMail(mailIn(rule), mail), () => ({
        notificationLevel: mail.criticalOnly ? 'Critical' : 'All', isDefaultRecipientsEnabled: mail.defaultRecipients, notificationRecipients: mail.additionalRecipients,
      }));
    }
  }
  return changed;
}

/** What differs, a line a field, in words. */
export function describeChanges(from: RoleSettings, to: RoleSettings): Change[] {
  const changes: Change[] = [];
  const say = (field: string, before: string, after: string): void => {
    if (before !== after) changes.push({ field, from: before, to: after });
  };
  const approvers = (settings: RoleSettings): ReadonlySet<string> => new Set(settings.approval.approvers.map((one) => one.id.toLowerCase()));

  say('Activation lasts at most', inWords(from.activationMaxMinutes), inWords(to.activationMaxMinutes));
  say('Sign-in at activation', signInWords(from), signInWords(to));
  say('Reason at activation', required(from.requireJustification), required(to.requireJustification));
  say('Ticket at activation', required(from.requireTicket), required(to.requireTicket));
  say('Approval at activation', required(from.approval.required), required(to.approval.required));
  if (!sameSet(approvers(from), approvers(to))) changes.push({ field: 'Approvers', from: names(from.approval.approvers), to: names(to.approval.approvers) });
  say('Eligible for at most', daysWords(from.eligibleMaxDays), daysWords(to.eligibleMaxDays));
  say('Assigned as active for at most', daysWords(from.activeMaxDays), daysWords(to.activeMaxDays));
  say('MFA to assign as active', required(from.activeRequiresMfa), required(to.activeRequiresMfa));
  say('Reason to assign as active', required(from.activeRequiresJustification), required(to.activeRequiresJustification));
  for (const [occasion, , when] of OCCASIONS) {
    for (const [person, , whom] of RECIPIENTS) {
      const [before, after] = [from.notifications[occasion][person], to.notifications[occasion][person]];
      if (!sameMail(before, after)) changes.push({ field: `Mails to ${whom} when ${when}`, from: mailWords(before), to: mailWords(after) });
    }
  }
  return changes;
}

/** What an activation under these settings will ask for. */
export function activationPolicyOf(settings: RoleSettings): ActivationPolicy {
  return {
    maxMinutes: settings.activationMaxMinutes,
    signIn: settings.activationSignIn.kind,
    requireJustification: settings.requireJustification,
    requireTicket: settings.requireTicket,
    requireApproval: settings.approval.required,
    approvers: settings.approval.approvers.map(({ id, displayName }) => ({ id, displayName })),
  };
}

const OCCASIONS = [
  ['whenEligible', 'Admin_Eligibility', 'somebody is made eligible'],
  ['whenAssigned', 'Admin_Assignment', 'somebody is assigned as active'],
  ['whenActivated', 'EndUser_Assignment', 'somebody activates'],
] as const;
const RECIPIENTS = [
  ['admins', 'Admin', 'administrators'],
  ['person', 'Requestor', 'the person'],
  ['approvers', 'Approver', 'approvers'],
] as const;

/** The rule with whatever it lacks taken from the defaults; a PATCH must carry type and the whole target. */
function complete(id: string, rule: PolicyRule | undefined): PolicyRule {
  const standard = DEFAULTS.get(id);
  if (!rule) return standard ?? { id };
  return { ...standard, ...rule, target: { ...record(standard?.['target']), ...record(rule['target']) } };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): string[] => list(value).filter((one) => typeof one === 'string');
const enabledIn = (rule: PolicyRule): ReadonlySet<string> => new Set(texts(rule['enabledRules']).map((name) => name.toLowerCase()));
const durationIn = (rule: PolicyRule): number | undefined => (typeof rule['maximumDuration'] === 'string' ? minutesOf(rule['maximumDuration']) : undefined);

function daysIn(rule: PolicyRule, standard: number): number | null {
  if (rule['isExpirationRequired'] === false) return null;
  const minutes = durationIn(rule);
  return minutes === undefined ? standard : minutes / DAY;
}

/** Entra's pages print an approver's id under three names; whoever has none is not an approver whom we could keep apart. */
function approversIn(rule: PolicyRule): Approver[] {
  return primaryApprovers(rule).flatMap((one) => approverIn(one) ?? []);
}

function approverIn(value: unknown): Approver | undefined {
  const entry = record(value);
  const group = String(entry['@odata.type']).toLowerCase().endsWith('groupmembers');
  const id = [group ? entry['groupId'] : entry['userId'], entry['id']].find((one) => typeof one === 'string' && one !== '');
  if (typeof id !== 'string') return undefined;
  const name = entry['description'];
  return { id: id.toLowerCase(), kind: group ? 'group' : 'user', displayName: typeof name === 'string' && name !== '' ? name : id.toLowerCase() };
}

function primaryApprovers(rule: PolicyRule): readonly unknown[] {
  return list(record(list(record(rule['setting'])['approvalStages'])[0])['primaryApprovers']);
}

function sameApproval(rule: PolicyRule, wanted: RoleSettings['approval']): boolean {
  return (record(rule['setting'])['isApprovalRequired'] === true) === wanted.required
    && sameSet(new Set(approversIn(rule).map((one) => one.id)), new Set(wanted.approvers.map((one) => one.id.toLowerCase())));
}

function approvalFor(rule: PolicyRule, wanted: RoleSettings['approval']): Readonly<Record<string, unknown>> {
  const setting = record(rule['setting']);
  const [first, ...others] = list(setting['approvalStages']);
  const standard = record(list(record(DEFAULTS.get('Approval_EndUser_Assignment')?.['setting'])['approvalStages'])[0]);
  const primary = [
    ...wanted.approvers.map(({ id, kind, displayName }) => (kind === 'group'
      ? { '@odata.type': '#microsoft.graph.groupMembers', groupId: id, description: displayName }
      : { '@odata.type': '#microsoft.graph.singleUser', userId: id, description: displayName })),
    // Such as the requester's manager: nothing that we could have shown, so nothing that anybody asked to remove.
    ...primaryApprovers(rule).filter((one) => approverIn(one) === undefined),
  ];
  return { setting: { ...setting, isApprovalRequired: wanted.required, approvalStages: [{ ...standard, ...record(first), primaryApprovers: primary }, ...others] } };
}

function occasionOf(suffix: string, rule: (id: string) => PolicyRule): Occasion {
  const mail = (recipient: string): Mail => mailIn(rule(`Notification_${recipient}_${suffix}`));
  return { admins: mail('Admin'), person: mail('Requestor'), approvers: mail('Approver') };
}

function mailIn(rule: PolicyRule): Mail {
  const level = String(rule['notificationLevel']).toLowerCase();
  if (level === 'none') return { defaultRecipients: false, additionalRecipients: [], criticalOnly: false };
  return { defaultRecipients: rule['isDefaultRecipientsEnabled'] !== false, additionalRecipients: texts(rule['notificationRecipients']), criticalOnly: level === 'critical' };
}

function sameMail(one: Mail, other: Mail): boolean {
  const addresses = (mail: Mail): ReadonlySet<string> => new Set(mail.additionalRecipients.map((address) => address.toLowerCase()));
  return one.defaultRecipients === other.defaultRecipients && one.criticalOnly === other.criticalOnly && sameSet(addresses(one), addresses(other));
}

const sameSet = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean => one.size === other.size && [...one].every((member) => other.has(member));

const required = (is: boolean): string => (is ? 'required' : 'not required');
const daysWords = (days: number | null): string => (days === null ? 'permanent allowed' : days === 1 ? '1 day' : `${days} days`);
const names = (approvers: readonly Approver[]): string => (approvers.length === 0 ? 'nobody' : approvers.map((one) => one.displayName).join(', '));

function signInWords({ activationSignIn: signIn }: RoleSettings): string {
  if (signIn.kind === 'authentication-context') return `authentication context ${signIn.id.toLowerCase()}`;
  return signIn.kind === 'mfa' ? 'MFA' : 'nothing more';
}

function mailWords(mail: Mail): string {
  const recipients = [...(mail.defaultRecipients ? ['default recipients'] : []), ...mail.additionalRecipients];
  if (recipients.length === 0) return 'nobody';
  return `${recipients.join(', ')}${mail.criticalOnly ? ' (critical mails only)' : ''}`;
}
