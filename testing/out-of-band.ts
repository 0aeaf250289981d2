import { PROPOSED_ROLE_SETTINGS, type RoleSettings, type SetupDefinition } from '@gatehouse/contracts';
import { signInAs } from '../packages/graph/test/emulated-tenant.ts';
import { tokensOf } from '../packages/graph/test/sign-in.ts';

/** What an administrator does to a setup's group and applications past the portal, each by a call of Microsoft Graph's own. */

/** Signs in to Entra and not to the portal. */
export const ERIK = 'erik.sandberg@contoso.example';

export interface OtherAdmin {
  readonly name: string;
  graph(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
}
// The tenant as plain data, to look into freely.
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
type Answer = any;

/** `url` is the emulated tenant's. */
export async function otherAdmin(url: string): Promise<OtherAdmin> {
  const { tenantId, clientId, clientSecret } = await (await fetch(`${url}/_emulator/registration`)).json() as { tenantId: string; clientId: string; clientSecret: string };
  const tokens = tokensOf({ authority: `${url}/${tenantId}/oauth2/v2.0`, clientId, clientSecret, redirectUri: 'http://localhost:1/auth/redirect', graphResource: 'https://graph.microsoft.com', throughSignIn: signInAs });
  const token = await tokens.ofPerson(ERIK, [
    'Group.ReadWrite.All', 'PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup', 'RoleManagementPolicy.ReadWrite.AzureADGroup', 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', 'Directory.ReadWrite.All',
  ]);
  return {
    name: 'Erik Sandberg',
    async graph(method, path, body) {
      const answer = await fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { body: JSON.stringify(body) }) });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text) as unknown;
    },
  };
}

/** Changes rules of the group's members, by their ids. */
export async function changeRules(admin: OtherAdmin, groupId: string, changes: Readonly<Record<string, object>>): Promise<void> {
  const { value: [{ policy }] } = await admin.graph('GET', `/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '${groupId}' and scopeType eq 'Group' and roleDefinitionId eq 'member'&$expand=policy($expand=rules)`) as { value: [{ policy: { id: string; rules: { id: string }[] } }] };
  await admin.graph('PATCH', `/v1.0/policies/roleManagementPolicies/${policy.id}`, { rules: policy.rules.filter(({ id }) => id in changes).map((rule) => ({ ...rule, ...changes[rule.id] })) });
}

/** Where one setup stands in the tenant. */
export interface Site {
  readonly groupId: string;
  /** Of the application that the setup made. */
  readonly servicePrincipalId: string;
  readonly applicationObjectId: string;
  readonly people: Readonly<Record<'ana' | 'ben' | 'omar' | 'ines' | 'rachel', string>>;
  readonly otherGroupId: string;
  /** The tenant's time. */
  readonly now: Date;
}

export interface Edit {
  readonly name: string;
  /** Of the difference that it makes: the only one. */
  readonly kind: string;
  readonly severity: 'bypass' | 'weaker' | 'broken' | 'changed';
  /** What the setup says besides what all of them say. */
  readonly roleSettings?: Partial<RoleSettings>;
  /** Nothing of owners, in place of what all of them say. */
  readonly owners?: 'as they are';
  /** A setup has no words for what it makes, so it cannot be taken into one. */
  readonly besides?: true;
  readonly do: (admin: OtherAdmin, site: Site) => Promise<unknown>;
}

const PIM = '/v1.0/identityGovernance/privilegedAccess/group';
const DAY = 24 * 60 * 60_000;
const reference = (id: string) => ({ '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` });
const pimRequest = (kind: 'eligibility' | 'assignment', action: string, days: number | null, who: (site: Site) => string, accessId = 'member') => (admin: OtherAdmin, site: Site): Promise<unknown> => admin.graph('POST', `${PIM}/${kind}ScheduleRequests`, {
  accessId, principalId: who(site), groupId: site.groupId, action, justification: 'Past the portal',
  ...(action !== 'adminRemove' && { scheduleInfo: { startDateTime: site.now.toISOString(), expiration: days === null ? { type: 'noExpiration' } : { type: 'afterDateTime', endDateTime: new Date(site.now.getTime() + days * DAY).toISOString() } } }),
});

type Rule = Record<string, unknown> & { readonly id: string };
/** Changes one rule of a policy, the others untouched. */
const rule = (id: string, change: (rule: Rule) => Record<string, unknown>, role = 'member') => async (admin: OtherAdmin, { groupId }: Site): Promise<unknown> => {
  const { value: [{ policy }] } = await admin.graph('GET', `/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '${groupId}' and scopeType eq 'Group' and roleDefinitionId eq '${role}'&$expand=policy($expand=rules)`) as { value: [{ policy: { id: string; rules: Rule[] } }] };
  const found = policy.rules.find((one) => one.id === id);
  if (!found) throw new Error(`no rule ${id}`);
  return admin.graph('PATCH', `/v1.0/policies/roleManagementPolicies/${policy.id}`, { rules: [{ ...found, ...change(found) }] });
};
const without = (name: string) => (found: Rule): Record<string, unknown> => ({ enabledRules: (found['enabledRules'] as string[]).filter((one) => one !== name) });
interface Stage { readonly primaryApprovers: readonly unknown[] }
interface Setting { readonly approvalStages: readonly Stage[] }
const approvalOf = (change: (setting: Setting) => Record<string, unknown>) => rule('Approval_EndUser_Assignment', (found) => ({ setting: { ...found['setting'] as Setting, ...change(found['setting'] as Setting) } }));
const stageWith = (change: (stage: Stage) => Record<string, unknown>) => approvalOf(({ approvalStages }) => ({ approvalStages: approvalStages.map((one) => ({ ...one, ...change(one) })) }));
const APPROVED = { approval: { required: true, approvers: [] } };
const approval = (change: Record<string, unknown>) => approvalOf(() => change);
const stage = (userId: string) => [{ approvalStageTimeOutInDays: 1, isApproverJustificationRequired: true, escalationTimeInMinutes: 0, isEscalationEnabled: false, primaryApprovers: [{ '@odata.type': '#microsoft.graph.singleUser', userId }], escalationApprovers: [] }];
const segmentsOf = ({ applicationObjectId }: Site): string => `/beta/applications/${applicationObjectId}/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments`;
const segment = (destinationHost: string, destinationType: string, port: number) => ({ destinationHost, destinationType, ports: [`${port}-${port}`], protocol: 'tcp' });
const servicePrincipal = (change: Record<string, unknown>) => (admin: OtherAdmin, { servicePrincipalId }: Site): Promise<unknown> => admin.graph('PATCH', `/v1.0/servicePrincipals/${servicePrincipalId}`, change);

export const EDITS: readonly Edit[] = [
  { name: 'a person is added to the group', kind: 'member-added', severity: 'bypass', do: (admin, { groupId, people }) => admin.graph('POST', `/v1.0/groups/${groupId}/members/$ref`, reference(people.rachel)) },
  { name: 'a group is nested in it', kind: 'nested-group', severity: 'changed', do: (admin, { groupId, otherGroupId }) => admin.graph('POST', `/v1.0/groups/${groupId}/members/$ref`, reference(otherGroupId)) },
  { name: 'somebody is assigned as active for a time', kind: 'active-assigned', severity: 'bypass', do: pimRequest('assignment', 'adminAssign', 30, ({ people }) => people.rachel) },
  { name: 'somebody is assigned as active for good', kind: 'active-assigned', severity: 'bypass', roleSettings: { activeMaxDays: null }, do: pimRequest('assignment', 'adminAssign', null, ({ people }) => people.rachel) },
  { name: 'an owner is added', kind: 'owner-added', severity: 'bypass', do: (admin, { groupId, people }) => admin.graph('POST', `/v1.0/groups/${groupId}/owners/$ref`, reference(people.rachel)) },
  { name: 'an owner is removed', kind: 'owner-removed', severity: 'changed', do: (admin, { groupId, people }) => admin.graph('DELETE', `/v1.0/groups/${groupId}/owners/${people.ines}/$ref`) },
  { name: 'somebody is made eligible as an owner', kind: 'owner-eligible', severity: 'weaker', do: pimRequest('eligibility', 'adminAssign', 30, ({ people }) => people.rachel, 'owner') },
  { name: 'activations may last longer', kind: 'role-settings', severity: 'weaker', do: rule('Expiration_EndUser_Assignment', () => ({ maximumDuration: 'PT8H' })) },
  { name: 'MFA is not asked for any more', kind: 'role-settings', severity: 'weaker', do: rule('Enablement_EndUser_Assignment', without('MultiFactorAuthentication')) },
  { name: 'no reason is asked for any more', kind: 'role-settings', severity: 'weaker', do: rule('Enablement_EndUser_Assignment', without('Justification')) },
  { name: 'no ticket is asked for any more', kind: 'role-settings', severity: 'weaker', roleSettings: { requireTicket: true }, do: rule('Enablement_EndUser_Assignment', without('Ticketing')) },
  { name: 'approval is switched off', kind: 'role-settings', severity: 'weaker', roleSettings: { approval: { required: true, approvers: [] } }, do: approval({ isApprovalRequired: false }) },
  { name: 'another approver decides', kind: 'role-settings', severity: 'weaker', roleSettings: { approval: { required: true, approvers: [] } }, do: (admin, site) => approval({ approvalStages: stage(site.people.rachel) })(admin, site) },
  { name: 'somebody who is named without an id may approve as well', kind: 'role-settings', severity: 'weaker', besides: true, roleSettings: APPROVED, do: stageWith(({ primaryApprovers }) => ({ primaryApprovers: [...primaryApprovers, { '@odata.type': '#microsoft.graph.requestorManager', managerLevel: 1 }] })) },
  { name: 'requests are passed on to another approver', kind: 'role-settings', severity: 'weaker', besides: true, roleSettings: APPROVED, do: (admin, site) => stageWith(() => ({ isEscalationEnabled: true, escalationTimeInMinutes: 60, escalationApprovers: [{ '@odata.type': '#microsoft.graph.singleUser', userId: site.people.rachel }] }))(admin, site) },
  { name: 'a context takes the place of MFA', kind: 'role-settings', severity: 'weaker', do: async (admin, site) => { await rule('Enablement_EndUser_Assignment', without('MultiFactorAuthentication'))(admin, site); await rule('AuthenticationContext_EndUser_Assignment', () => ({ isEnabled: true, claimValue: 'c1' }))(admin, site); } },
  { name: 'the settings of Owner ask for less, of whom the setup says nothing', kind: 'owner-role-settings', severity: 'weaker', owners: 'as they are', do: rule('Enablement_EndUser_Assignment', () => ({ enabledRules: [] }), 'owner') },
  { name: 'permanent eligibility is allowed', kind: 'role-settings', severity: 'weaker', do: rule('Expiration_Admin_Eligibility', () => ({ isExpirationRequired: false })) },
  { name: 'permanent assignment is allowed', kind: 'role-settings', severity: 'weaker', do: rule('Expiration_Admin_Assignment', () => ({ isExpirationRequired: false })) },
  { name: 'whoever assigns needs no MFA any more', kind: 'role-settings', severity: 'weaker', roleSettings: { activeRequiresMfa: true }, do: rule('Enablement_Admin_Assignment', without('MultiFactorAuthentication')) },
  { name: 'administrators get no mail at an activation', kind: 'role-settings', severity: 'weaker', do: rule('Notification_Admin_EndUser_Assignment', () => ({ isDefaultRecipientsEnabled: false })) },
  { name: 'the settings of Owner ask for less', kind: 'owner-role-settings', severity: 'weaker', do: rule('Enablement_EndUser_Assignment', without('MultiFactorAuthentication'), 'owner') },
  { name: 'somebody else is made eligible', kind: 'eligible-added', severity: 'weaker', do: pimRequest('eligibility', 'adminAssign', 30, ({ people }) => people.rachel) },
  { name: 'an eligibility is ended', kind: 'eligible-removed', severity: 'broken', do: pimRequest('eligibility', 'adminRemove', null, ({ people }) => people.ben) },
  { name: 'an eligibility is shortened', kind: 'eligible-shortened', severity: 'broken', do: pimRequest('eligibility', 'adminUpdate', 5, ({ people }) => people.ben) },
  { name: 'an eligibility is extended', kind: 'eligible-extended', severity: 'weaker', do: pimRequest('eligibility', 'adminUpdate', 300, ({ people }) => people.ben) },
  { name: 'the application lets in everybody', kind: 'assignment-not-required', severity: 'bypass', do: servicePrincipal({ appRoleAssignmentRequired: false }) },
  { name: 'sign-in to the application is turned off', kind: 'application-disabled', severity: 'broken', do: servicePrincipal({ accountEnabled: false }) },
  {
    name: 'the application is closed to the group', kind: 'application-unassigned', severity: 'broken', do: async (admin, { servicePrincipalId, groupId }) => {
      const { value } = await admin.graph('GET', `/v1.0/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo`) as { value: { id: string; principalId: string }[] };
      await admin.graph('DELETE', `/v1.0/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo/${value.find(({ principalId }) => principalId === groupId)?.id ?? ''}`);
    },
  },
  {
    name: 'somebody is assigned to the application directly', kind: 'assignee-added', severity: 'bypass', do: async (admin, { servicePrincipalId, people }) => {
      const { appRoles } = await admin.graph('GET', `/v1.0/servicePrincipals/${servicePrincipalId}?$select=appRoles`) as { appRoles: { id: string }[] };
      return admin.graph('POST', `/v1.0/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo`, { principalId: people.rachel, resourceId: servicePrincipalId, appRoleId: appRoles[0]?.id ?? '00000000-0000-0000-0000-000000000000' });
    },
  },
  { name: 'a wide destination is added', kind: 'destination-added', severity: 'weaker', do: (admin, site) => admin.graph('POST', segmentsOf(site), segment('10.77.0.0/16', 'ipRangeCidr', 22)) },
  {
    name: 'a destination is removed', kind: 'destination-removed', severity: 'broken', do: async (admin, site) => {
      const { value } = await admin.graph('GET', segmentsOf(site)) as { value: { id: string; ports: string[] }[] };
      await admin.graph('DELETE', `${segmentsOf(site)}/${value.find(({ ports }) => ports.includes('3389-3389'))?.id ?? ''}`);
    },
  },
  { name: 'the application is deleted', kind: 'application-gone', severity: 'broken', do: (admin, { applicationObjectId }) => admin.graph('DELETE', `/v1.0/applications/${applicationObjectId}`) },
  { name: 'the group gets another name', kind: 'group-renamed', severity: 'changed', do: (admin, { groupId }) => admin.graph('PATCH', `/v1.0/groups/${groupId}`, { displayName: 'Renamed past the portal' }) },
  { name: 'the group is deleted', kind: 'group-gone', severity: 'broken', do: (admin, { groupId }) => admin.graph('DELETE', `/v1.0/groups/${groupId}`) },
];

/** The setup that an edit is done to, under a name of its own: two people, two owners, settings of both roles, and an application that it makes. */
export function definitionFor(edit: Pick<Edit, 'roleSettings' | 'owners'>, number: number, people: Site['people'], connectorGroup: { readonly id: string; readonly displayName: string }): SetupDefinition {
  const name = `Watch-${String(number).padStart(3, '0')}-SecureAccess`;
  const roleSettings = { ...PROPOSED_ROLE_SETTINGS, ...edit.roleSettings };
  return {
    group: { kind: 'new', displayName: name, mailNickname: name, description: '' },
    owners: [{ principalId: people.omar, displayName: 'Omar Haddad' }, { principalId: people.ines, displayName: 'Ines Moreau' }],
    roleSettings: roleSettings.approval.required ? { ...roleSettings, approval: { required: true, approvers: [{ id: people.omar, kind: 'user', displayName: 'Omar Haddad' }] } } : roleSettings,
    ownerRoleSettings: edit.owners === 'as they are' ? null : PROPOSED_ROLE_SETTINGS,
    eligible: [{ principalId: people.ana, kind: 'user', displayName: 'Ana Costa', days: 90 }, { principalId: people.ben, kind: 'user', displayName: 'Ben Novak', days: 90 }],
    applications: [{ kind: 'new', displayName: `Watched ${number}`, connectorGroupId: connectorGroup.id, connectorGroupName: connectorGroup.displayName, segments: [{ host: `watched-${number}.corp.contoso.example`, ports: '443', protocol: 'tcp' }, { host: `watched-${number}.corp.contoso.example`, ports: '3389', protocol: 'tcp' }] }],
  };
}
