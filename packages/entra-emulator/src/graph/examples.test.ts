import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startDirectory, type Send } from '../directory/testing.ts';
import { openApproval, policiesOf } from '../pim/engine.ts';
import type { PimRequest } from '../tenant.ts';
import { routes } from './routes.ts';

/** Microsoft's published pairs of request and answer, beside the repository where it is developed; a clone by itself has none. */
const FOLDER = join(import.meta.dirname, '../../../../../shared/graph/examples');

interface Example { readonly method: string; readonly version: string; readonly path: string; readonly requestHeaders?: Record<string, string>; readonly requestBody?: unknown; readonly responseStatus: number; readonly responseBody?: unknown }
type Directory = Awaited<ReturnType<typeof startDirectory>>;

/** How an example is replayed on the demo tenant. */
interface Case {
  /** Who calls, with every permission there is; Maya unless said. */
  readonly as?: string;
  /** What is put in the place of ids and names of the example, in address and body; it may prepare the tenant. */
  readonly given?: (directory: Directory, send: Send) => Promise<Record<string, string>> | Record<string, string>;
  /** What must be another body here, and why it is. */
  readonly body?: (body: Record<string, unknown>) => unknown;
  readonly headers?: Record<string, string>;
  /** Another status than printed, which CONTRACT.md names beside it. */
  readonly status?: number;
  /** Properties that the printed answer has and ours does not, as `value/name`. Each must be missing indeed. */
  readonly lacks?: readonly string[];
  /** Its answer is not compared, and why. */
  readonly only?: string;
}

const DAY = 86_400_000;
const named = (directory: Directory, name: string): string => directory.user(name).id;
const FIN = 'FinReport-Controller-SecureAccess';
const JUMP = 'JumpHost-DomainAdmin-SecureAccess';
const finance = (directory: Directory) => {
  const application = directory.tenant.applications.find(({ displayName }) => displayName === 'Finance reports');
  const servicePrincipal = directory.tenant.servicePrincipals.find(({ appId }) => appId === application?.appId);
  if (!application || !servicePrincipal) throw new Error('the seed has no Finance reports');
  return { application, servicePrincipal };
};
const policyId = ({ tenant, group }: Directory, accessId = 'member'): string => policiesOf({ tenant, newId: () => '00000000-0000-4000-8000-00000000aaaa' }, group(FIN).id).find((one) => one.accessId === accessId)?.id ?? '';

/** A request of Ana's for the group, which waits for Omar. */
function waiting({ tenant, user, group }: Directory): PimRequest {
  const request: PimRequest = {
    id: '11111111-2222-4333-8444-555555555555', kind: 'assignment', action: 'selfActivate', accessId: 'member', principalId: user('Ana Costa').id, groupId: group(FIN).id, status: 'PendingApproval',
    createdDateTime: '2026-03-01T08:00:00Z', completedDateTime: null, createdByUserId: user('Ana Costa').id, justification: 'Month-end', ticketInfo: { ticketNumber: null, ticketSystem: null }, isValidationOnly: false, approvalId: null,
    scheduleInfo: { startDateTime: '2026-03-01T08:00:00Z', recurrence: null, expiration: { type: 'afterDuration', endDateTime: null, duration: 'PT2H' } }, targetScheduleId: null, dueAt: null,
  };
  tenant.pim.requests.push(request);
  openApproval({ tenant, now: new Date('2026-03-01T08:00:00Z'), delays: {} as never, newId: () => '' }, request, [{ userId: user('Omar Haddad').id }]);
  return request;
}

/** An application of Private Access that the group's people do not have yet. */
async function newApp(send: Send): Promise<{ application: { id: string; appId: string }; servicePrincipal: { id: string } }> {
  return (await send('/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate', { body: { displayName: 'Replayed' } })).body;
}

const GROUP = (directory: Directory): Record<string, string> => ({ '{id}': directory.group('Finance team').id, '{group-id}': directory.group('Finance team').id });
const PIM_LIST = (group: string, example: string, person?: string) => (directory: Directory): Record<string, string> => ({ [example]: directory.group(group).id, ...(person !== undefined && { [person]: named(directory, 'Omar Haddad') }) });
const RULE = (directory: Directory): Record<string, string> => ({ 'DirectoryRole_38d49456-54d4-455d-a8d6-c383c71e0a6d_59d351b1-e819-4262-b298-236f5f9b1a67': policyId(directory) });
/** Of a registration the emulated tenant holds what Private Access and sign-in need: neither secrets nor what other kinds of clients have. */
const REGISTRATION = ['api', 'info', 'keyCredentials', 'optionalClaims', 'parentalControlSettings', 'passwordCredentials', 'publicClient', 'requiredResourceAccess', 'web'];
const under = (prefix: string, names: readonly string[]): string[] => names.map((name) => `${prefix}/${name}`);
/** Of publishing what the application proxy for web sites has, and Private Access has not. */
const WEB_PROXY = [
  'applicationServerTimeout', 'externalUrl', 'internalUrl', 'isHttpOnlyCookieEnabled', 'isPersistentCookieEnabled', 'isSecureCookieEnabled', 'isTranslateHostHeaderEnabled', 'isTranslateLinksInBodyEnabled', 'singleSignOnSettings',
  'verifiedCustomDomainCertificatesMetadata', 'verifiedCustomDomainKeyCredential', 'verifiedCustomDomainPasswordCredential',
];
/** On-premises names and the security identifier of a group, of which nothing here depends. */
const IDENTIFIERS = ['securityIdentifier'];
const conditionalAccess = (directory: Directory): Record<string, string> => {
  directory.user('Maya Lindqvist').directoryRoles.push('Conditional Access Administrator');
  return { 'ba8e7ded-8b0f-4836-ba06-8ff1ecc5c8ba': directory.group('Finance team').id };
};

const CASES: Readonly<Record<string, Case>> = {
  'activation--assignmentschedulerequest-filterbycurrentuser-pendingapproval': {
    as: 'Ana Costa', given: (directory) => ({ 'd5f0ad2e-6b34-401b-b6da-0c8fc2c5a3fc': waiting(directory).groupId }), lacks: ['value/createdDateTIme', 'value/completedDateTIme'],
  },
  'activation--get-assignmentschedulerequest': { given: (directory) => ({ '34e963f6-150f-cf79-678c-6fcaf978bb49': waiting(directory).id }) },
  'activation--list-assignmentscheduleinstances': { given: PIM_LIST(FIN, '2b5ed229-4072-478d-9504-a047ebd4b07d') },
  'activation--list-assignmentschedules': {
    given: (directory) => {
      const omar = named(directory, 'Omar Haddad');
      const groupId = directory.group(FIN).id;
      directory.tenant.pim.schedules.push({ id: `${groupId}_member_x`, kind: 'assignment', accessId: 'member', principalId: omar, groupId, assignmentType: 'assigned', memberType: 'direct', createdUsing: 'x', createdDateTime: '2026-03-01T08:00:00Z', startDateTime: '2026-03-01T08:00:00Z', endDateTime: null, activatedUsing: null });
      return { '2b5ed229-4072-478d-9504-a047ebd4b07d': groupId, '3cce9d87-3986-4f19-8335-7ed075408ca2': omar };
    },
  },
  'activation--post-assignmentschedulerequest-selfactivate': { as: 'Ana Costa', given: (directory) => ({ '2b5ed229-4072-478d-9504-a047ebd4b07d': directory.group('Build-Engineer-SecureAccess').id, '3cce9d87-3986-4f19-8335-7ed075408ca2': named(directory, 'Ana Costa') }) },
  'application--application-list--get_web_count': { given: () => ({ 'displayName:Web': 'displayName:Fin' }), lacks: ['value/publisherDomain'] },
  'application--application-list--list_application': { lacks: ['value/publisherDomain'] },
  'application--application-post-applications--create_application_from_applications': { lacks: [...REGISTRATION, 'applicationTemplateId', 'isDeviceOnlyAuthSupported', 'publisherDomain'] },
  'application--applicationtemplate-instantiate--applicationtemplate_instantiate': { given: () => ({ '{id}': '8adf8e6e-67b2-4cf2-a259-e3dc5476c621' }), lacks: [...under('application', [...REGISTRATION, 'isDeviceOnlyAuthSupported', 'publisherDomain']), ...under('servicePrincipal', ['endpoints', 'info', 'publisherName'])] },
  'approleassignment--assign-user-to-private-app': {
    status: 201, given: (directory) => ({ 'a8cac399-cde5-4516-a674-819503c61313': finance(directory).servicePrincipal.id, '4628e7df-dff3-407c-a08f-75f08c0806dc': named(directory, 'Ana Costa'), '18d14569-c3bd-439b-9a66-3a2aee01d14f': finance(directory).servicePrincipal.appRoles.find(({ displayName }) => displayName === 'User')?.id ?? '' }),
  },
  'approleassignment--group-delete-approleassignments--group_delete_approleassignment': {
    given: (directory) => ({ '/groups/{id}/': `/groups/${directory.group(FIN).id}/`, '{id}': directory.tenant.appRoleAssignments.find(({ principalId }) => principalId === directory.group(FIN).id)?.id ?? '' }),
  },
  'approleassignment--serviceprincipal-delete-approleassignedto--serviceprincipal_delete_approleassignedto': {
    given: (directory) => ({ '{resource-SP-id}': finance(directory).servicePrincipal.id, '{appRoleAssignment-id}': directory.tenant.appRoleAssignments.find(({ resourceId }) => resourceId === finance(directory).servicePrincipal.id)?.id ?? '' }),
  },
  'approleassignment--serviceprincipal-post-approleassignedto--serviceprincipal_create_approleassignedto': {
    given: (directory) => ({ '9028d19c-26a9-4809-8e3f-20ff73e2d75e': finance(directory).servicePrincipal.id, '33ad69f9-da99-4bed-acd0-3f24235cb296': directory.group('Finance team').id, 'ef7437e6-4f94-4a0a-a110-a439eb2aa8f7': finance(directory).servicePrincipal.appRoles.find(({ displayName }) => displayName === 'User')?.id ?? '' }),
  },
  'approval--assignmentapprovals-filterbycurrentuser-group': { as: 'Omar Haddad', given: (directory) => { waiting(directory); return {}; } },
  'audit--beta-directoryaudit-list--get_directoryaudits': { as: 'Ines Moreau' },
  // `Type` is a slip of the page for `type`, which stands beside it.
  'audit--directoryaudit-list--get_directoryaudit_2': { as: 'Ines Moreau', lacks: ['value/targetResources/Type'] },
  'audit--signin-list--list_signins': {
    as: 'Ines Moreau',
    given: (directory) => {
      directory.tenant.signIns = [{ id: '1', correlationId: '2', createdDateTime: '2026-03-02T08:00:00.000Z', userId: named(directory, 'Ana Costa'), appId: finance(directory).application.appId, errorCode: 0, failureReason: null, acrs: [] }] as never;
      return {};
    },
  },
  'batch--batch-first-request': { only: 'its calls are about files, tasks and mail; that each is answered by its id is what holds' },
  'conditionalaccess--beta-authenticationcontextclassreference-get--get_authenticationcontextclassreference': {},
  'conditionalaccess--beta-conditionalaccessroot-list-authenticationcontextclassreferences--get_authenticationcontextclassreference': {},
  'conditionalaccess--conditionalaccessroot-list-policies--get_policies': {},
  'conditionalaccess--conditionalaccessroot-post-policies--create_conditionalaccesspolicy_from_conditionalaccessroot_2': { given: conditionalAccess },
  // An older answer: these two names are in no metadata by now.
  'conditionalaccess--conditionalaccessroot-post-policies--create_conditionalaccesspolicy_from_conditionalaccessroot_4': { given: conditionalAccess, lacks: ['conditions/applications/includeProtectionLevels', 'conditions/times'] },
  'customextension--post-customextensions-groups': { body: (body) => ({ id: '7b1a1f0e-3c2d-4e5f-8a9b-0c1d2e3f4a5b', ...body }) },
  'directory--directoryobject-getbyids--directoryobject_getById': {
    given: (directory) => ({ '84b80893874940a3-97b7-68513b600544': named(directory, 'Ana Costa'), '5d6059b6368d-45f8-91e18e07d485f1d0': named(directory, 'Ben Novak') }), lacks: ['value/accountEnabled'],
  },
  'directory--subscribedsku-list--get_subscribedskus': {},
  'directory--user-get--get_user_1': { given: (directory) => ({ '{id | userPrincipalName}': named(directory, 'Ana Costa') }) },
  'directory--user-get--get_user_2': { given: (directory) => ({ '{id | userPrincipalName}': named(directory, 'Ana Costa') }), lacks: ['postalCode'] },
  'eligibility--eligibilityschedulerequest-filterbycurrentuser': { as: 'Omar Haddad', given: (directory) => { eligible(directory); return {}; } },
  'eligibility--list-eligibilityscheduleinstances': { given: PIM_LIST(FIN, '2b5ed229-4072-478d-9504-a047ebd4b07d') },
  'eligibility--list-eligibilityschedules-select': { given: PIM_LIST(FIN, '2b5ed229-4072-478d-9504-a047ebd4b07d', '3cce9d87-3986-4f19-8335-7ed075408ca2') },
  'eligibility--post-eligibilityschedulerequest-adminassign': { given: (directory) => ({ '3cce9d87-3986-4f19-8335-7ed075408ca2': named(directory, 'Ben Novak'), '2b5ed229-4072-478d-9504-a047ebd4b07d': directory.group(FIN).id, '2023-02-06T19:25:00.000Z': '2026-03-02T19:25:00.000Z', '2023-02-07T19:56:00.000Z': new Date(Date.parse('2026-03-02T19:56:00Z') + DAY).toISOString() }) },
  'errors--count-segment-without-consistencylevel': {},
  'errors--member-probe-404': { given: (directory) => ({ '013dd0eb-eba5-4ccc-bffd-e1eadbc1e8dd': directory.group('Finance team').id, '11c6d408-3a58-4367-9b5d-60ba1cf3594a': named(directory, 'Ines Moreau') }) },
  'errors--revokesigninsessions-403': { as: 'Ana Costa', given: (directory) => ({ '{id}': named(directory, 'Ben Novak') }) },
  'errors--uniquename-role-assignable-400': {
    given: (directory) => {
      directory.group('Finance team').isAssignableToRole = true;
      return GROUP(directory);
    },
    body: () => ({ uniqueName: 'a-name' }),
  },
  'groups--group-delete--delete_group': { given: GROUP },
  'groups--group-delete-members--delete_member_from_group': { given: (directory) => ({ ...GROUP(directory), '{directory-object-id}': directory.group('Finance team').memberIds[0] ?? '' }) },
  'groups--group-delta--group_delta': { lacks: ['value/classification', 'value/mail'] },
  'groups--group-delta--group_delta_minimal': {},
  'groups--group-list--get_a_count': { given: () => ({ "'a'": "'f'" }) },
  'groups--group-list--get_groups': {},
  'groups--group-list--get_video_count-2': { given: () => ({ 'displayName:Video': 'displayName:Fin' }) },
  'groups--group-list-transitivemembers--get_group_transitivemembers': { given: GROUP },
  'groups--group-list-transitivemembers--get_tier_count': { given: (directory) => ({ ...GROUP(directory), 'displayName:tier': `displayName:${directory.tenant.users.find(({ id }) => id === directory.group('Finance team').memberIds[0])?.givenName ?? ''}` }) },
  'groups--group-post-groups--create_group': { lacks: ['creationOptions'] },
  'groups--group-post-groups--create_role_enabled_group': { lacks: IDENTIFIERS },
  'groups--group-post-members--add_member_to_group': { given: (directory) => ({ '/directoryObjects/{id}': `/directoryObjects/${named(directory, 'Ines Moreau')}`, ...GROUP(directory) }) },
  'groups--group-post-owners--create_owner_from_group': { given: (directory) => ({ '/users/{id}': `/users/${named(directory, 'Ines Moreau')}`, ...GROUP(directory) }) },
  'groups--group-upsert--upsert_create_prepopulated_group': { headers: { Prefer: 'create-if-missing' }, given: people, lacks: [...IDENTIFIERS, 'createdByAppId', 'infoCatalogs', 'isManagementRestricted', 'onPremisesDomainName', 'onPremisesNetBiosName', 'onPremisesSamAccountName', 'organizationId', 'writebackConfiguration'] },
  'groups--group-upsert--upsert_group_create': { lacks: IDENTIFIERS },
  'groups--group-upsert--upsert_update_prepopulated_group': {
    given: async (directory, send) => {
      await send("/v1.0/groups(uniqueName='uniqueName')", { method: 'PATCH', headers: { Prefer: 'create-if-missing' }, body: { displayName: 'Role assignable group', groupTypes: ['Unified'], mailEnabled: true, securityEnabled: true, mailNickname: 'contosohelpdeskadministrators' } });
      return people(directory);
    },
    body: ({ isAssignableToRole: _immutable, ...body }) => body,
  },
  'membership--directoryobject-checkmembergroups': {
    given: (directory) => ({ '4562bcc8-c436-4f95-b7c0-4f8ce89dca5e': directory.group('Finance team').memberIds[0] ?? '', 'f448435d-3ca7-4073-8152-a1fd73c0fd09': directory.group('Finance team').id }),
  },
  'membership--me-checkmembergroups': { as: 'Omar Haddad', given: (directory) => { directory.group('Finance team').memberIds.push(named(directory, 'Omar Haddad')); return { 'fee2c45b-915a-4a64b130f4eb9e75525e': directory.group('Finance team').id, '4fe90ae065a-478b9400e0a0e1cbd540': directory.group(JUMP).id }; } },
  'networkaccess--get-tenantstatus': {},
  'networkaccess--list-forwardingprofiles-private': {},
  'networkaccess--list-logs-traffic': {
    // `policy` and `policyRule` are as an older version of the type had them; headers and sessions are the web's.
    as: 'Ines Moreau', lacks: ['value/headers', 'value/policy', 'value/policyRule', 'value/sessionId'],
    given: (directory) => {
      directory.tenant.visits = [{ transactionId: 't', connectionId: 'c', createdDateTime: '2026-03-02T08:00:00.000Z', visibleAt: '2026-03-02T08:00:00.000Z', userId: named(directory, 'Ana Costa'), host: 'fin-rep.corp.contoso.example', port: 443, allowed: true, appId: finance(directory).application.appId }];
      return {};
    },
  },
  'onboarding--beta-list-groupresources': {},
  'policy--list-rolemanagementpolicies-group': { given: (directory) => ({ '60bba733-f09d-49b7-8445-32369aa066b3': directory.group(FIN).id }) },
  'policy--list-rolemanagementpolicyassignments-group-expand-rules': { given: (directory) => ({ '7e526275-97a8-4dc6-932a-4db521cccf96': directory.group(FIN).id }) },
  'policy--patch-policy-group-rules': { given: (directory) => ({ 'Group_60bba733-f09d-49b7-8445-32369aa066b3_f21b26d9-9ff9-4af1-b1d4-bddf28591369': policyId(directory), ...people(directory) }) },
  'policy--patch-rule-enablement-admin-assignment': { given: RULE, status: 200 },
  'policy--patch-rule-expiration-admin-eligibility': { given: RULE, status: 200 },
  'policy--patch-rule-expiration-enduser-assignment': { given: RULE, status: 200 },
  'policy--unifiedrolemanagementpolicy-get--get_unifiedrolemanagementpolicy': { given: (directory) => ({ 'Directory_cab01047-8ad9-4792-8e42-569340767f1b_70c808b5-0d35-4863-a0ba-07888e99d448': policyId(directory) }) },
  'policy--unifiedrolemanagementpolicyassignment-get--get_unifiedrolemanagementpolicyassignment_expand_all_relationships': { given: (directory) => ({ 'Directory_cab01047-8ad9-4792-8e42-569340767f1b_70c808b5-0d35-4863-a0ba-07888e99d448_62e90394-69f5-4237-9190-012177145e10': `${policyId(directory)}_member` }) },
  'policy--unifiedrolemanagementpolicyrule-get--get_unifiedrolemanagementpolicyrule': { given: (directory) => ({ 'DirectoryRole_cab01047-8ad9-4792-8e42-569340767f1b_70c808b5-0d35-4863-a0ba-07888e99d448': policyId(directory) }) },
  'privateaccess--beta-connector-list--get_connectors_1': {},
  'privateaccess--beta-connectorgroup-get--get_connectorgroup': { given: (directory) => ({ '{id}': directory.tenant.connectorGroups[0]?.id ?? '' }) },
  'privateaccess--beta-connectorgroup-list-applications--get_applications': { given: (directory) => ({ '{id}': finance(directory).application.connectorGroupId ?? '' }), lacks: under('value/onPremisesPublishing', WEB_PROXY) },
  'privateaccess--create-segment-fqdn-tutorial': { given: (directory) => ({ 'bf21f7e9-9d25-4da2-82ab-7fdd85049f83': finance(directory).application.id }), status: 201 },
  'privateaccess--instantiate-private-app': { lacks: [...under('application', [...REGISTRATION, 'defaultRedirectUri', 'samlMetadataUrl', 'verifiedPublisher']), ...under('servicePrincipal', ['info', 'preferredTokenSigningKeyThumbprint', 'samlSingleSignOnSettings', 'verifiedPublisher'])] },
  'privateaccess--patch-application-nonwebapp': { given: async (_directory, send) => ({ 'bf21f7e9-9d25-4da2-82ab-7fdd85049f83': (await newApp(send)).application.id }) },
  'privateaccess--patch-onpremisespublishing-dns': { given: (directory) => ({ 'bf21f7e9-9d25-4da2-82ab-7fdd85049f83': directory.tenant.applications.find(({ onPremisesPublishing }) => onPremisesPublishing?.applicationType === 'quickaccessapp')?.id ?? '' }) },
  'privateaccess--update-segment-protocol': { given: (directory) => ({ 'bf21f7e9-9d25-4da2-82ab-7fdd85049f83': finance(directory).application.id, '{segmentID}': finance(directory).application.segments[0]?.id ?? '' }) },
  'revocation--user-revokesigninsessions': {},
  'serviceprincipal--serviceprincipal-list--get_team_count': { given: () => ({ 'displayName:Team': 'displayName:Fin' }) },
  'serviceprincipal--serviceprincipal-list--list_serviceprincipal': {},
  'serviceprincipal--serviceprincipal-update--update_serviceprincipal': { given: (directory) => ({ '{id}': finance(directory).servicePrincipal.id }) },
};

/** Examples of what the emulated tenant does not have. */
const NOT_REPLAYED: Readonly<Record<string, string>> = {
  'approval--approvals-filterbycurrentuser-entitlement': 'entitlement management is another service; its types are those of PIM for Groups, which are replayed',
  'approval--beta-approval-list-steps--get_approvalstep_1': 'as above',
  'approval--list-approval-stages': 'as above',
  'customextension--callout-group-approved': 'a call from Microsoft to the customer, which the emulated tenant does not make',
  'customextension--callout-group-autoapproved': 'as above',
  'customextension--callout-group-denied': 'as above',
  'directory--user-list--get_signinname_users': 'identities are those of customers’ directories (B2C)',
  'errors--throttled-429': 'throttling has a test of its own (throttling.api.test.ts)',
  'policy--list-rolemanagementpolicies-directoryrole': 'policies of directory roles are another scope',
  'subscriptions--subscription-post-subscriptions--create_subscription_from_subscriptions': 'about mail; that none is ever taken here has a test of its own',
  'subscriptions--subscription-update--update_subscription': 'as above',
};

function people(directory: Directory): Record<string, string> {
  const ids = directory.tenant.users.map(({ id }) => id);
  return { '26be1845-4119-4801-a799-aea79d09f1a2': ids[0] ?? '', 'ff7cb387-6688-423c-8188-3da9532a73cc': ids[1] ?? '', '69456242-0067-49d3-ba96-9de6f2728e14': ids[2] ?? '', '99e44b05-c10b-4e95-a523-e2732bbaba1e': ids[0] ?? '' };
}

function eligible({ tenant, user, group }: Directory): void {
  const request = waiting({ tenant, user, group } as Directory);
  Object.assign(request, { kind: 'eligibility', action: 'adminAssign', principalId: user('Omar Haddad').id, status: 'Provisioned' });
}

const put = (text: string, given: Record<string, string>): string => Object.entries(given).reduce((all, [from, to]) => all.replaceAll(from, to), text);

/** What the printed answer has and ours has not, or has as another kind of value; null stands for any. */
function differences(printed: unknown, ours: unknown, at = ''): string[] {
  if (printed === null || (ours === null && at !== '')) return [];
  if (Array.isArray(printed)) {
    if (!Array.isArray(ours)) return [`${at} is no list`];
    if (printed.length === 0) return [];
    // A list within an object may be empty; the list that was asked for may not.
    if (ours.length === 0) return at === 'value' ? [`${at} is empty`] : [];
    // The printed ones are of one kind; the nearest of ours is to be like each.
    return [...new Set(printed.flatMap((one) => ours.map((other) => differences(one, other, at)).toSorted((a, b) => a.length - b.length)[0] ?? []))];
  }
  if (typeof printed === 'object') {
    if (typeof ours !== 'object' || Array.isArray(ours)) return [`${at} is no object`];
    return Object.entries(printed).filter(([name]) => !name.includes('@') || name === '@odata.count').flatMap(([name, value]) => {
      const path = at === '' ? name : `${at}/${name}`;
      return name in (ours ?? {}) ? differences(value, (ours as Record<string, unknown>)[name], path) : [path];
    });
  }
  return typeof printed === typeof ours ? [] : [`${at} is ${typeof ours}`];
}

// What a role-assignable group takes is asked for in its handler.
const scopes = [...new Set([...routes.flatMap(({ delegated }) => (delegated ?? []).flat()), 'RoleManagement.ReadWrite.Directory'])];
const names = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name !== 'index.json').map((name) => name.replace(/\.json$/, '')) : [];

describe.runIf(names.length > 0)('the published examples', () => {
  test('are replayed, or named with the reason why not', () => {
    expect(names.filter((name) => CASES[name] === undefined && NOT_REPLAYED[name] === undefined)).toEqual([]);
    expect([...Object.keys(CASES), ...Object.keys(NOT_REPLAYED)].filter((name) => !names.includes(name))).toEqual([]);
  });

  test.each(names.filter((name) => NOT_REPLAYED[name] === undefined))('%s', async (name) => {
    const example = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Example;
    const { as = 'Maya Lindqvist', given, body, headers, status, lacks = [], only } = CASES[name] ?? {};
    await using directory = await startDirectory(routes);
    const send = directory.as(as, ...scopes);
    const facts = await given?.(directory, send) ?? {};
    const requestBody: unknown = example.requestBody === undefined || example.requestBody === null ? undefined : JSON.parse(put(JSON.stringify(example.requestBody), facts));
    const answer = await send(put(`/${example.version}${example.path}`, facts), {
      method: example.method, headers: { ...example.requestHeaders, ...headers },
      ...((requestBody !== undefined || body) && { body: body ? body((requestBody ?? {}) as Record<string, unknown>) : requestBody }),
    });
    expect([answer.status, answer.body?.error?.message], JSON.stringify(answer.body)).toEqual([status ?? example.responseStatus, (example.responseBody as { error?: unknown } | null)?.error === undefined ? undefined : expect.any(String)]);
    if (only !== undefined || answer.status === 204) return;
    expect(differences(example.responseBody ?? null, answer.body ?? null).toSorted()).toEqual([...lacks].toSorted());
    if (example.responseStatus >= 400) expect(answer.body.error.code).toBe((example.responseBody as { error: { code: string } }).error.code);
  });
});
