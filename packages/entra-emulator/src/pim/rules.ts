import type { AccessId, PimPolicy } from '../tenant.ts';

/** A policy rule exactly as Graph prints it. */
export type Rule = Record<string, unknown>;

const TYPE = '#microsoft.graph.unifiedRoleManagementPolicy';

const target = (caller: 'Admin' | 'EndUser', level: 'Eligibility' | 'Assignment') => ({ caller, operations: ['All'], level, inheritableSettings: [], enforcedSettings: [] });

const expiration = (id: string, required: boolean, maximumDuration: string, on: object): Rule => ({ '@odata.type': `${TYPE}ExpirationRule`, id, isExpirationRequired: required, maximumDuration, target: on });
const enablement = (id: string, enabledRules: string[], on: object): Rule => ({ '@odata.type': `${TYPE}EnablementRule`, id, enabledRules, target: on });
const notification = (recipient: string, caller: 'Admin' | 'EndUser', level: 'Eligibility' | 'Assignment'): Rule => ({
  '@odata.type': `${TYPE}NotificationRule`, id: `Notification_${recipient}_${caller}_${level}`, notificationType: 'Email', recipientType: recipient,
  notificationLevel: 'All', isDefaultRecipientsEnabled: true, notificationRecipients: [], target: target(caller, level),
});

/** The 17 rules of a group's role with their documented defaults (CONTRACT.md §4.1). */
export function defaultRules(): Rule[] {
  return [
    expiration('Expiration_Admin_Eligibility', true, 'P365D', target('Admin', 'Eligibility')),
    enablement('Enablement_Admin_Eligibility', [], target('Admin', 'Eligibility')),
    ...['Admin', 'Requestor', 'Approver'].map((recipient) => notification(recipient, 'Admin', 'Eligibility')),
    expiration('Expiration_Admin_Assignment', true, 'P180D', target('Admin', 'Assignment')),
    enablement('Enablement_Admin_Assignment', ['Justification'], target('Admin', 'Assignment')),
    ...['Admin', 'Requestor', 'Approver'].map((recipient) => notification(recipient, 'Admin', 'Assignment')),
    expiration('Expiration_EndUser_Assignment', true, 'PT8H', target('EndUser', 'Assignment')),
    enablement('Enablement_EndUser_Assignment', ['Justification'], target('EndUser', 'Assignment')),
    {
      '@odata.type': `${TYPE}ApprovalRule`, id: 'Approval_EndUser_Assignment', target: target('EndUser', 'Assignment'),
      setting: {
        isApprovalRequired: false, isApprovalRequiredForExtension: false, isRequestorJustificationRequired: true, approvalMode: 'SingleStage',
        approvalStages: [{ approvalStageTimeOutInDays: 1, isApproverJustificationRequired: true, escalationTimeInMinutes: 0, isEscalationEnabled: false, primaryApprovers: [], escalationApprovers: [] }],
      },
    },
    { '@odata.type': `${TYPE}AuthenticationContextRule`, id: 'AuthenticationContext_EndUser_Assignment', isEnabled: false, claimValue: null, target: target('EndUser', 'Assignment') },
    ...['Admin', 'Requestor', 'Approver'].map((recipient) => notification(recipient, 'EndUser', 'Assignment')),
  ];
}

/** Both policies of a group, as they are before anybody changed them. */
export function defaultPolicies(groupId: string, newId: () => string): PimPolicy[] {
  return (['member', 'owner'] as const).map((accessId: AccessId) => ({ id: `Group_${groupId}_${newId()}`, groupId, accessId, rules: defaultRules(), lastModifiedDateTime: null }));
}

export const ruleOf = (policy: PimPolicy, id: string): Rule => policy.rules.find((rule) => rule['id'] === id) ?? {};

/** What activating asks for, read from the rules. */
export function activationRules(policy: PimPolicy): { maximumDuration: string; enabled: readonly string[]; approvers: readonly { userId?: string; groupId?: string }[] | undefined; context: string | undefined } {
  const approval = (ruleOf(policy, 'Approval_EndUser_Assignment')['setting'] ?? {}) as { isApprovalRequired?: boolean; approvalStages?: { primaryApprovers?: Record<string, unknown>[] }[] };
  const context = ruleOf(policy, 'AuthenticationContext_EndUser_Assignment');
  return {
    maximumDuration: String(ruleOf(policy, 'Expiration_EndUser_Assignment')['maximumDuration'] ?? 'PT8H'),
    enabled: (ruleOf(policy, 'Enablement_EndUser_Assignment')['enabledRules'] ?? []) as string[],
    approvers: approval.isApprovalRequired === true
      ? (approval.approvalStages?.[0]?.primaryApprovers ?? []).map((one) => ({ ...(typeof (one['userId'] ?? one['id']) === 'string' && !('groupId' in one) && { userId: String(one['userId'] ?? one['id']) }), ...(typeof one['groupId'] === 'string' && { groupId: one['groupId'] }) }))
      : undefined,
    context: context['isEnabled'] === true && typeof context['claimValue'] === 'string' ? context['claimValue'] : undefined,
  };
}

/** Whether approvers must say why; they must unless the rule says otherwise. */
export function approverGivesReason(policy: PimPolicy): boolean {
  const setting = ruleOf(policy, 'Approval_EndUser_Assignment')['setting'] as { approvalStages?: { isApproverJustificationRequired?: boolean }[] } | undefined;
  return setting?.approvalStages?.[0]?.isApproverJustificationRequired !== false;
}

/** ISO 8601 duration → milliseconds; `undefined` for what PIM does not take (years, months, nothing). */
export function durationMs(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text);
  if (!match || text === 'P' || text.endsWith('T')) return undefined;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000;
}
