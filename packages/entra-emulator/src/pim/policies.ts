import { checkConjunction, filterableNames, type Filterable } from '../filters.ts';
import { listAnswer, single } from '../odata.ts';
import { GraphRefusal, graphRoutes, type GraphAnswer, type GraphCall } from '../graph/route.ts';
import type { Group, PimPolicy } from '../tenant.ts';
import { audit, onboard, policiesOf, type World } from './engine.ts';
import { durationMs, type Rule } from './rules.ts';

const READ = ['RoleManagementPolicy.Read.AzureADGroup', 'RoleManagementPolicy.ReadWrite.AzureADGroup'];
const WRITE = ['RoleManagementPolicy.ReadWrite.AzureADGroup'];
const BOTH = ['v1.0', 'beta'] as const;
const ROLES = ['Privileged Role Administrator', 'Groups Administrator', 'Identity Governance Administrator', 'User Administrator', 'Directory Writers', 'Global Administrator'];

const worldOf = (call: GraphCall): World => ({ tenant: call.tenant, now: call.now, delays: call.delays, newId: () => call.newId() });

const POLICIES = 'policies/roleManagementPolicies';
const ASSIGNMENTS = 'policies/roleManagementPolicyAssignments';
const FILTERABLE: Record<typeof POLICIES | typeof ASSIGNMENTS, Filterable> = { [POLICIES]: { scopeId: 'eq', scopeType: 'eq' }, [ASSIGNMENTS]: { scopeId: 'eq', scopeType: 'eq', roleDefinitionId: 'eq' } };

/** The group that the filter of a list names: `scopeId` and `scopeType` are both required, and a group that the directory has not passed on is unknown. */
function scopeOf(call: GraphCall, list: keyof typeof FILTERABLE): Group {
  const filter = call.query['$filter'] ?? '';
  checkConjunction(filter, FILTERABLE[list]);
  const scopeId = /scopeId\s+eq\s+'([^']+)'/.exec(filter)?.[1];
  if (scopeId === undefined || !/scopeType\s+eq\s+'Group'/i.test(filter)) throw new GraphRefusal(400, 'InvalidFilter', "The $filter query parameter with scopeId and scopeType is required.");
  const group = call.tenant.groups.find(({ id }) => id === scopeId);
  if (!group || new Date(group.knownToPimAt) > call.now) throw new GraphRefusal(404, 'ResourceNotFound', `Resource '${scopeId}' does not exist or one of its queried reference-property objects are not present.`);
  return group;
}

function mayRead(call: GraphCall, group: Group): void {
  if (call.caller.kind === 'app') return;
  const { user } = call.caller;
  if (!group.ownerIds.includes(user.id) && !user.directoryRoles.some((role) => [...ROLES, 'Global Reader'].includes(role))) throw new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
}

const policyView = (policy: PimPolicy, expand = ''): Record<string, unknown> => ({
  id: policy.id, displayName: 'Group', description: 'Group', isOrganizationDefault: false, scopeId: policy.groupId, scopeType: 'Group', lastModifiedDateTime: policy.lastModifiedDateTime,
  lastModifiedBy: policy.lastModifiedDateTime === null ? null : { displayName: 'Administrator', id: null },
  ...(/\brules\b/.test(expand) && { rules: policy.rules }),
  ...(/\beffectiveRules\b/.test(expand) && { effectiveRules: policy.rules }),
});

const assignmentView = (policy: PimPolicy, expand: string | undefined): Record<string, unknown> => ({
  id: `${policy.id}_${policy.accessId}`, policyId: policy.id, scopeId: policy.groupId, scopeType: 'Group', roleDefinitionId: policy.accessId,
  ...(expand?.startsWith('policy') === true && { policy: policyView(policy, expand) }),
});

function policyById(call: GraphCall): { policy: PimPolicy; group: Group } {
  const policy = call.tenant.pim.policies.find(({ id }) => id === call.params['id']);
  const group = policy && call.tenant.groups.find(({ id }) => id === policy.groupId);
  if (!policy || !group || new Date(group.knownToPimAt) > call.now) throw new GraphRefusal(404, 'ResourceNotFound', `The policy '${String(call.params['id'])}' is not found.`);
  mayRead(call, group);
  return { policy, group };
}

/** Takes whole rules: what is missing of a rule makes the policy invalid, and MFA beside an enabled context is refused. */
function changeRules(call: GraphCall, changes: readonly unknown[]): PimPolicy {
  const { policy, group } = policyById(call);
  const { caller } = call;
  if (caller.kind === 'user') {
    const roles = group.isAssignableToRole ? ['Privileged Role Administrator', 'Global Administrator'] : ROLES;
    if (!group.ownerIds.includes(caller.user.id) && !caller.user.directoryRoles.some((role) => roles.includes(role))) throw new GraphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  }
  const invalid = (): GraphRefusal => new GraphRefusal(400, 'InvalidPolicy', 'The policy is invalid.');
  const rules = structuredClone(policy.rules);
  for (const change of changes) {
    if (typeof change !== 'object' || change === null) throw invalid();
    const rule = change as Rule;
    const at = rules.findIndex(({ id }) => id === rule['id']);
    const known = rules[at];
    if (!known || rule['@odata.type'] !== known['@odata.type'] || !isWhole(rule, known)) throw invalid();
    rules[at] = structuredClone(rule);
    // In the order in which they are given: a request that removes the one control before it adds the other is fine.
    if (mfaOn(rules) && contextOn(rules) && rule['id'] === 'Enablement_EndUser_Assignment') throw new GraphRefusal(400, 'MfaAndAcrsConflict', 'The Mfa and Acrs policy settings cannot be enabled simultaneously.');
  }
  const initiator = caller.kind === 'user' ? { user: caller.user } : { app: 'Gatehouse' };
  const world = worldOf(call);
  onboard(world, group, initiator);
  policy.rules = rules;
  policy.lastModifiedDateTime = call.now.toISOString();
  audit(world, initiator, {
    loggedByService: 'PIM', category: 'GroupManagement', activityDisplayName: 'Update role setting in PIM', operationType: 'Update',
    targetResources: [
      { type: 'Role', id: policy.accessId, displayName: policy.accessId === 'owner' ? 'Owner' : 'Member', modifiedProperties: changes.map((change) => ({ displayName: String((change as Rule)['id']), oldValue: null, newValue: JSON.stringify(change) })) },
      { type: 'Group', id: group.id, displayName: group.displayName, modifiedProperties: [] },
    ],
  });
  return policy;
}

const mfaOn = (rules: readonly Rule[]): boolean => ((rules.find(({ id }) => id === 'Enablement_EndUser_Assignment')?.['enabledRules'] ?? []) as string[]).includes('MultiFactorAuthentication');
const contextOn = (rules: readonly Rule[]): boolean => rules.find(({ id }) => id === 'AuthenticationContext_EndUser_Assignment')?.['isEnabled'] === true;

function isWhole(rule: Rule, known: Rule): boolean {
  const target = rule['target'] as { caller?: unknown; level?: unknown; operations?: unknown } | undefined;
  const before = known['target'] as { caller: string; level: string };
  if (!target || String(target.caller) !== before.caller || String(target.level) !== before.level || !Array.isArray(target.operations)) return false;
  const id = String(rule['id']);
  if (id.startsWith('Expiration_')) return typeof rule['isExpirationRequired'] === 'boolean' && durationMs(rule['maximumDuration']) !== undefined;
  if (id.startsWith('Enablement_')) return Array.isArray(rule['enabledRules']) && rule['enabledRules'].every((name) => ['MultiFactorAuthentication', 'Justification', 'Ticketing'].includes(String(name)));
  if (id.startsWith('AuthenticationContext_')) return typeof rule['isEnabled'] === 'boolean' && (rule['isEnabled'] === false || /^c([1-9]|[1-9]\d)$/.test(String(rule['claimValue'])));
  if (id.startsWith('Notification_')) return Array.isArray(rule['notificationRecipients']) && typeof rule['isDefaultRecipientsEnabled'] === 'boolean' && ['All', 'Critical', 'None'].includes(String(rule['notificationLevel']));
  const setting = rule['setting'] as { isApprovalRequired?: unknown; approvalStages?: { primaryApprovers?: unknown[] }[] } | undefined;
  if (typeof setting?.isApprovalRequired !== 'boolean' || !Array.isArray(setting.approvalStages)) return false;
  return !setting.isApprovalRequired || (setting.approvalStages[0]?.primaryApprovers ?? []).length > 0;
}

export const policyRoutes = graphRoutes([
  {
    method: 'GET', path: '/policies/roleManagementPolicyAssignments', versions: BOTH, delegated: READ, application: READ, query: ['$filter', '$expand', '$select', '$top', '$skiptoken'],
    handle(call): GraphAnswer {
      const group = scopeOf(call, ASSIGNMENTS);
      mayRead(call, group);
      return listAnswer(call, policiesOf(call, group.id).map((policy) => assignmentView(policy, call.query['$expand'])), { context: ASSIGNMENTS, filterable: filterableNames(FILTERABLE[ASSIGNMENTS]) });
    },
  },
  {
    method: 'GET', path: '/policies/roleManagementPolicyAssignments/{id}', versions: BOTH, delegated: READ, application: READ, query: ['$expand', '$select'],
    handle(call): GraphAnswer {
      const policy = call.tenant.pim.policies.find(({ id, accessId }) => `${id}_${accessId}` === call.params['id']);
      const group = policy && call.tenant.groups.find(({ id }) => id === policy.groupId);
      if (!policy || !group || new Date(group.knownToPimAt) > call.now) throw new GraphRefusal(404, 'ResourceNotFound', `The policy assignment '${String(call.params['id'])}' is not found.`);
      mayRead(call, group);
      return single(call, assignmentView(policy, call.query['$expand']), ASSIGNMENTS);
    },
  },
  {
    // Nothing of a group's policy is inherited: what is in effect are its own rules.
    method: 'GET', path: '/policies/roleManagementPolicies/{id}/effectiveRules', versions: BOTH, delegated: READ, application: READ, query: ['$select'],
    handle: (call) => listAnswer(call, policyById(call).policy.rules, { context: `${POLICIES}/effectiveRules` }),
  },
  {
    method: 'GET', path: '/policies/roleManagementPolicies', versions: BOTH, delegated: READ, application: READ, query: ['$filter', '$expand', '$select'],
    handle(call): GraphAnswer {
      const group = scopeOf(call, POLICIES);
      mayRead(call, group);
      return listAnswer(call, policiesOf(call, group.id).map((policy) => policyView(policy, call.query['$expand'])), { context: POLICIES, filterable: filterableNames(FILTERABLE[POLICIES]) });
    },
  },
  {
    method: 'GET', path: '/policies/roleManagementPolicies/{id}', versions: BOTH, delegated: READ, application: READ, query: ['$expand', '$select'],
    handle: (call) => single(call, policyView(policyById(call).policy, call.query['$expand']), POLICIES),
  },
  {
    method: 'PATCH', path: '/policies/roleManagementPolicies/{id}', versions: BOTH, delegated: WRITE, application: WRITE,
    handle(call): GraphAnswer {
      policyById(call);
      const rules = (call.body as { rules?: unknown }).rules;
      if (!Array.isArray(rules) || rules.length === 0) throw new GraphRefusal(400, 'InvalidPolicy', 'The policy is invalid.');
      return { status: 200, body: { '@odata.context': `${call.base}/$metadata#policies/roleManagementPolicies/$entity`, ...policyView(changeRules(call, rules)) } };
    },
  },
  {
    method: 'GET', path: '/policies/roleManagementPolicies/{id}/rules', versions: BOTH, delegated: READ, application: READ, query: ['$select'],
    handle: (call) => listAnswer(call, policyById(call).policy.rules, { context: `${POLICIES}/rules` }),
  },
  {
    method: 'GET', path: '/policies/roleManagementPolicies/{id}/rules/{ruleId}', versions: BOTH, delegated: READ, application: READ,
    handle(call): GraphAnswer {
      const rule = policyById(call).policy.rules.find(({ id }) => id === call.params['ruleId']);
      if (!rule) throw new GraphRefusal(404, 'ResourceNotFound', `The rule '${String(call.params['ruleId'])}' is not found.`);
      return { status: 200, body: rule };
    },
  },
  {
    method: 'PATCH', path: '/policies/roleManagementPolicies/{id}/rules/{ruleId}', versions: BOTH, delegated: WRITE, application: WRITE,
    handle(call): GraphAnswer {
      const rule = { id: call.params['ruleId'], ...(call.body as Rule) };
      // A body that speaks of another rule than its address changes neither.
      if (rule.id !== call.params['ruleId']) throw new GraphRefusal(400, 'InvalidPolicy', 'The policy is invalid.');
      const policy = changeRules(call, [rule]);
      return { status: 200, body: policy.rules.find(({ id }) => id === call.params['ruleId']) };
    },
  },
]);
