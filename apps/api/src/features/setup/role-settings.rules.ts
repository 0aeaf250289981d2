import type { ActivationPolicy, Change, RoleSettings } from '@gatehouse/contracts';
import { durationOf, inWords, minutesOf } from '../../core/durations.ts';

/**
 * A role's settings between two languages: the 17 rules of the PIM policy, and the contract's `RoleSettings`.
 * Rules and fields that we do not know pass through untouched: an incomplete rule has bricked policies before. What we know
 * and a setup has no words for is at Entra's default wherever a setup is applied, and what is not is told (`besidesIn`).
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
    if (!isAsWanted(rule) || besidesOf(rule).length > 0) changed.push({ ...plain(rule), ...change(rule), id });
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

/** What it takes for a policy to be as wanted, in words: settings, and what a setup has no words for. None where `mergeRoleSettings` has none. */
export function describePolicyChanges(rules: readonly PolicyRule[], wanted: RoleSettings): Change[] {
  const merged = mergeRoleSettings(rules, wanted);
  const changes = [...describeChanges(readRoleSettings(rules), wanted), ...describeBesides(rules, withRules(rules, merged))];
  // A rule may be written otherwise and say the same.
  return changes.length > 0 || merged.length === 0 ? changes : [{ field: 'Rules that contradict each other', from: 'present', to: 'removed' }];
}

/** What differs between two policies of what a setup has no words for. */
export function describeBesides(from: readonly PolicyRule[], to: readonly PolicyRule[]): Change[] {
  const [before, after] = [besidesIn(from), besidesIn(to)];
  return [...new Map([...before, ...after].map((one) => [one.key, one])).values()].flatMap(({ key, field, standard }) => {
    const words = (besides: readonly Beside[]): string => besides.find((one) => one.key === key)?.found ?? standard;
    return words(before) === words(after) ? [] : [{ field, from: words(before), to: words(after) }];
  });
}

/** The policy with these rules in place of its own of the same ids. */
export function withRules(rules: readonly PolicyRule[], others: readonly PolicyRule[]): readonly PolicyRule[] {
  return [...new Map([...rules, ...others].map((rule) => [rule.id, rule])).values()];
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
  const said = Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== null));
  return { ...standard, ...said, id, target: { ...record(standard?.['target']), ...record(rule['target']) } };
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

/** Entra's pages print an approver's id under three names; whoever is named otherwise is told as something besides. */
function approversIn(rule: PolicyRule): Approver[] {
  return primaryApprovers(rule).flatMap((one) => approverIn(one) ?? []);
}

function approverIn(value: unknown): Approver | undefined {
  const entry = record(value);
  const type = typeOf(entry);
  if (type !== '' && type !== 'groupmembers' && type !== 'singleuser') return undefined;
  const group = type === 'groupmembers' || (type === '' && entry['groupId'] !== undefined);
  const id = [group ? entry['groupId'] : entry['userId'], entry['id']].find((one) => typeof one === 'string' && one !== '');
  if (typeof id !== 'string') return undefined;
  const name = entry['description'];
  return { id: id.toLowerCase(), kind: group ? 'group' : 'user', displayName: typeof name === 'string' && name !== '' ? name : id.toLowerCase() };
}

/** `#microsoft.graph.singleUser` → `singleuser`. */
const typeOf = (entry: Readonly<Record<string, unknown>>): string => String(entry['@odata.type'] ?? '').toLowerCase().split('.').at(-1) ?? '';
const stagesIn = (rule: PolicyRule): readonly Readonly<Record<string, unknown>>[] => list(record(rule['setting'])['approvalStages']).map(record);
const primaryApprovers = (rule: PolicyRule): readonly unknown[] => list(stagesIn(rule)[0]?.['primaryApprovers']);

function sameApproval(rule: PolicyRule, wanted: RoleSettings['approval']): boolean {
  return (record(rule['setting'])['isApprovalRequired'] === true) === wanted.required
    && sameSet(new Set(approversIn(rule).map((one) => one.id)), new Set(wanted.approvers.map((one) => one.id.toLowerCase())));
}

function approvalFor(rule: PolicyRule, wanted: RoleSettings['approval']): Readonly<Record<string, unknown>> {
  const primaryApprovers = wanted.approvers.map(({ id, kind, displayName }) => (kind === 'group'
    ? { '@odata.type': '#microsoft.graph.groupMembers', groupId: id, description: displayName }
    : { '@odata.type': '#microsoft.graph.singleUser', userId: id, description: displayName }));
  return { setting: { ...record(rule['setting']), ...STANDARD_APPROVAL, isApprovalRequired: wanted.required, approvalStages: [{ ...stagesIn(rule)[0], ...STANDARD_STAGE, primaryApprovers }] } };
}

// --- What a setup has no words for -----------------------------------------------------------------------------------

/** Something of a policy that is not as Entra's default has it, and that no setup can ask for. */
export interface Beside {
  /** Stays the same for the same thing, such as `besides.approval.escalation`. */
  readonly key: string;
  readonly field: string;
  readonly found: string;
  /** How it is where a setup was applied. */
  readonly standard: string;
  /** `approval`: it matters where approval is asked for. */
  readonly weakens: 'always' | 'approval' | 'never';
}

type Aspect = Omit<Beside, 'key' | 'found'> & { readonly is: (rule: PolicyRule) => string };

/**
 * All that a policy holds which is neither a setting nor as Entra has it by default; what is unset is the default. What
 * asks for more than a setup can say (another requirement, an extension) is not told: nobody gets in more easily by it.
 */
export function besidesIn(rules: readonly PolicyRule[]): readonly Beside[] {
  const besides = DEFAULT_RULES.flatMap(({ id }) => besidesOf(complete(id, rules.find((one) => one.id === id))));
  const rule = (id: string): PolicyRule => complete(id, rules.find((one) => one.id === id));
  const both = enabledIn(rule('Enablement_EndUser_Assignment')).has('multifactorauthentication') && rule('AuthenticationContext_EndUser_Assignment')['isEnabled'] === true;
  return both ? [...besides, { key: 'besides.contradiction', field: 'MFA beside an authentication context', found: 'both are on', standard: 'one of them', weakens: 'never' }] : besides;
}

function besidesOf(rule: PolicyRule): readonly Beside[] {
  return Object.entries(aspectsOf(rule.id)).flatMap(([name, { is, ...aspect }]) => {
    const found = is(rule);
    return found === aspect.standard ? [] : [{ ...aspect, key: `besides.${name}`, found }];
  });
}

function aspectsOf(id: string): Readonly<Record<string, Aspect>> {
  // A rule that changes nothing by itself: no setup says anything about it.
  if (id === 'Enablement_Admin_Eligibility') return {};
  const what = RULE_WORDS.get(id) ?? id;
  return {
    [`reach.${id}`]: { field: `${what}: what the rule holds for`, standard: 'everything', weakens: 'always', is: reachWords },
    ...(id === 'Approval_EndUser_Assignment' && APPROVAL_ASPECTS),
    ...(id.startsWith('Expiration_') && { [`limit.${id}`]: { field: what, standard: 'limited', weakens: 'always', is: limitWords } }),
    ...(id.startsWith('Notification_') && { [`mail.${id}`]: { field: `${what}: sent how, and to whom`, standard: 'by mail', weakens: 'always', is: mailKindWords } }),
    ...(id.startsWith('AuthenticationContext_') && { context: { field: 'Authentication context', standard: 'named, or off', weakens: 'always', is: (rule: PolicyRule) => (rule['isEnabled'] === true && text(rule['claimValue']) === '' ? 'on, without a name' : 'named, or off') } }),
  };
}

const STANDARD_APPROVAL = record(DEFAULTS.get('Approval_EndUser_Assignment')?.['setting']);
const STANDARD_STAGE = record(list(STANDARD_APPROVAL['approvalStages'])[0]);
const UNSET: Readonly<Record<string, unknown>> = {};

const APPROVAL_ASPECTS: Readonly<Record<string, Aspect>> = {
  'approval.others': { field: 'Approvers besides', standard: 'nobody', weakens: 'approval', is: (rule) => subjectWords(primaryApprovers(rule).filter((one) => approverIn(one) === undefined)) },
  'approval.backup': { field: 'Approvers who stand in', standard: 'nobody', weakens: 'approval', is: (rule) => subjectWords(primaryApprovers(rule).filter((one) => record(one)['isBackup'] === true)) },
  'approval.escalation': {
    field: 'Requests passed on to others', standard: 'never', weakens: 'approval',
    // How long it takes means nothing while it is off.
    is: (rule) => {
      const { isEscalationEnabled, escalationTimeInMinutes, escalationApprovers } = stagesIn(rule)[0] ?? UNSET;
      const to = list(escalationApprovers);
      if (isEscalationEnabled !== true && to.length === 0) return 'never';
      return `${isEscalationEnabled === true ? `after ${inWords(Number(escalationTimeInMinutes ?? 0))}` : 'not yet'}, to ${subjectWords(to)}`;
    },
  },
  'approval.stages': {
    field: 'Stages of approval', standard: 'one', weakens: 'approval',
    is: (rule) => {
      const [, ...more] = stagesIn(rule);
      return more.length === 0 ? 'one' : `${more.length + 1}, then ${more.map(({ primaryApprovers: people }) => subjectWords(list(people))).join(', then ')}`;
    },
  },
  'approval.mode': {
    field: 'Kind of approval', standard: 'one decision', weakens: 'approval',
    is: (rule) => {
      const { approvalMode, isApprovalRequired } = record(rule['setting']);
      const mode = text(approvalMode);
      // Where nothing is asked for, either word says so.
      return mode === '' || mode.toLowerCase() === 'singlestage' || (mode.toLowerCase() === 'noapproval' && isApprovalRequired !== true) ? 'one decision' : mode;
    },
  },
  'approval.extension': { field: 'Approval to extend', standard: 'not required', weakens: 'never', is: (rule) => required(record(rule['setting'])['isApprovalRequiredForExtension'] === true) },
  'approval.reason': { field: 'Reason for the approver to read', standard: 'required', weakens: 'approval', is: (rule) => required(record(rule['setting'])['isRequestorJustificationRequired'] !== false) },
  'approval.decision': { field: 'Reason for a decision', standard: 'required', weakens: 'approval', is: (rule) => required(stagesIn(rule)[0]?.['isApproverJustificationRequired'] !== false) },
  'approval.timeout': { field: 'Time to decide', standard: '1 day', weakens: 'never', is: (rule) => daysWords(Number(stagesIn(rule)[0]?.['approvalStageTimeOutInDays'] ?? 1)) },
};

const RULE_WORDS: ReadonlyMap<string, string> = new Map([
  ['Expiration_EndUser_Assignment', 'Activation lasts at most'], ['Enablement_EndUser_Assignment', 'What an activation asks for'], ['Approval_EndUser_Assignment', 'Approval at activation'],
  ['AuthenticationContext_EndUser_Assignment', 'Sign-in at activation'], ['Expiration_Admin_Eligibility', 'Eligible for at most'], ['Expiration_Admin_Assignment', 'Assigned as active for at most'],
  ['Enablement_Admin_Assignment', 'What assigning as active asks for'],
  ...OCCASIONS.flatMap(([, suffix, when]) => RECIPIENTS.map(([, recipient, whom]) => [`Notification_${recipient}_${suffix}`, `Mails to ${whom} when ${when}`] as const)),
]);

/** A rule that was narrowed holds for some of what it is about and not for the rest. */
function reachWords({ id, target: of, ...rule }: PolicyRule): string {
  const { caller, level, operations, targetObjects } = record(of);
  const { caller: whose, level: ofWhat } = record(DEFAULTS.get(id)?.['target']);
  const only = [
    ...(sameWord(caller, whose) ? [] : [`what ${text(caller)} does`]), ...(sameWord(level, ofWhat) ? [] : [`the level ${text(level)}`]),
    ...(texts(operations).length === 0 || texts(operations).some((one) => one.toLowerCase() === 'all') ? [] : [`the operations ${texts(operations).join(', ')}`]),
    ...(list(targetObjects).length === 0 && list(rule['targetObjects']).length === 0 ? [] : ['some objects']),
  ];
  return only.length === 0 ? 'everything' : `only ${only.join(', ')}`;
}

function limitWords(rule: PolicyRule): string {
  const { id, isExpirationRequired, maximumDuration } = rule;
  // That eligibilities and assignments may be permanent, a setup can say.
  if (isExpirationRequired === false) return id === 'Expiration_EndUser_Assignment' ? 'no limit' : 'limited';
  return durationIn(rule) === undefined && text(maximumDuration) !== '' ? `${text(maximumDuration)}, which is no length that PIM takes` : 'limited';
}

function mailKindWords({ id, notificationType, recipientType, notificationLevel }: PolicyRule): string {
  const standard = DEFAULTS.get(id) ?? UNSET;
  const others = [
    ...(sameWord(notificationType, standard['notificationType']) ? [] : [`as ${text(notificationType)}`]), ...(sameWord(recipientType, standard['recipientType']) ? [] : [`to ${text(recipientType)}`]),
    ...(['', 'all', 'critical', 'none'].includes(text(notificationLevel).toLowerCase()) ? [] : [`at the level ${text(notificationLevel)}`]),
  ];
  return others.length === 0 ? 'by mail' : others.join(', ');
}

/** The rule where nothing besides is in it. */
function plain(rule: PolicyRule): PolicyRule {
  const { targetObjects: _whole, ...of } = record(rule['target']);
  const { caller, level, operations } = record(DEFAULTS.get(rule.id)?.['target']);
  const reach = reachWords(rule) === 'everything' ? {} : { target: { ...of, caller, level, operations } };
  const { notificationType, recipientType } = DEFAULTS.get(rule.id) ?? UNSET;
  return { ...rule, ...reach, ...(rule.id.startsWith('Notification_') && mailKindWords(rule) !== 'by mail' && { notificationType, recipientType }) };
}

/** An approver of any kind, such as the requester's manager, in words. */
function subjectWords(subjects: readonly unknown[]): string {
  if (subjects.length === 0) return 'nobody';
  return subjects.map((one) => approverIn(one)?.displayName ?? otherWords(record(one))).join(', ');
}

function otherWords(entry: Readonly<Record<string, unknown>>): string {
  const type = typeOf(entry);
  const name = text(entry['description']);
  const known = type === 'requestormanager' ? 'the requester’s manager' : type === 'singleuser' ? 'a person without an id' : type === 'groupmembers' ? 'a group without an id' : type === '' ? 'somebody of no kind' : `subjects of the kind ${type}`;
  return name === '' ? known : `${known} (${name})`;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
/** Unset is the default. */
const sameWord = (is: unknown, standard: unknown): boolean => text(is) === '' || text(is).toLowerCase() === text(standard).toLowerCase();

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
