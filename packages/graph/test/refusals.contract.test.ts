import { createGateway, type Graph, GraphError, type GraphFailure } from '@gatehouse/graph';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { SETUP } from './contract.ts';
import { ANA, MAYA, OMAR, startTenant } from './emulated-tenant.ts';
import { skippingTimer } from './scripted-graph.ts';

/**
 * Every refusal of CONTRACT.md §13: the tenant gives it, brought there by what somebody does wherever that is possible, in
 * Graph's words; and the layer names it. What the pages say of each is apps/api/test/refusals.api.test.ts.
 */
const BEN = 'ben.novak@contoso.example';
const ACCESS = ['User.Read', 'PrivilegedEligibilitySchedule.Read.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup'];
const START = '2026-03-02T09:00:00Z';

interface World {
  readonly tenant: Awaited<ReturnType<typeof startTenant>>;
  readonly maya: Graph;
  readonly ana: Graph;
  readonly ben: Graph;
  readonly omar: Graph;
  readonly id: (name: string) => string;
}
interface Row {
  readonly what: string;
  readonly ask: (world: World) => Promise<unknown>;
  readonly status: number;
  readonly code: string;
  readonly message: string | RegExp;
  readonly failure: GraphFailure;
  readonly failedRules?: readonly string[];
  /** Where no state brings the tenant to it: why. */
  readonly byFault?: string;
  readonly headers?: Record<string, string>;
}

const activate = (graph: Graph, person: string, group: string, more: object = {}) => ({ id }: World): Promise<unknown> =>
  graph.pim.mine.activate({ principalId: id(person), groupId: id(group), startsAt: START, duration: 'PT30M', justification: 'Month-end', ...more });
const make = (who: 'ana' | 'ben' | 'omar', person: string, group: string, more: object = {}) => (world: World): Promise<unknown> => activate(world[who], person, group, more)(world);
const eligible = (principal: string, more: object = {}) => ({ maya, id }: World): Promise<unknown> =>
  maya.pim.assignEligible({ groupId: id('Build-Engineer-SecureAccess'), principalId: id(principal), expiry: { startsAt: START, endsAt: '2026-05-01T09:00:00Z' }, justification: 'Team', ...more });
const rule = async ({ maya, id }: World, group: string, ruleId: string, change: object): Promise<void> => {
  const policy = await maya.pim.policy(id(group), 'member');
  await maya.pim.updatePolicy(policy.policyId, policy.rules.filter((one) => one.id === ruleId).map((one) => ({ ...one, ...change })));
};

const POLICY = { status: 400, code: 'RoleAssignmentRequestPolicyValidationFailed', failure: 'policy' } as const;
const failed = (name: string): Pick<Row, 'message' | 'failedRules'> => ({ message: `The following policy rules failed: ["${name}"]`, failedRules: [name] });
const MISSING = /^Resource '.+' does not exist or one of its queried reference-property objects are not present\.$/;
const NOBODY = '00000000-0000-4000-8000-000000000000';

const ROWS: readonly Row[] = [
  { what: 'ExpirationRule: eligible for ever, where the policy has an end', ask: async (world) => world.maya.pim.assignEligible({ groupId: world.id('Payroll-Operator-SecureAccess'), principalId: world.id('Ben Novak'), expiry: { startsAt: START }, justification: 'Team' }), ...POLICY, ...failed('ExpirationRule') },
  { what: 'ExpirationRule: an activation that is too long', ask: make('ana', 'Ana Costa', 'Build-Engineer-SecureAccess', { duration: 'PT9H' }), ...POLICY, ...failed('ExpirationRule') },
  { what: 'JustificationRule', ask: make('ana', 'Ana Costa', 'Build-Engineer-SecureAccess', { justification: undefined }), ...POLICY, ...failed('JustificationRule') },
  { what: 'TicketingRule', ask: make('ana', 'Ana Costa', 'HRArchive-Reader-SecureAccess'), ...POLICY, ...failed('TicketingRule') },
  { what: 'MfaRule', ask: make('ben', 'Ben Novak', 'JumpHost-DomainAdmin-SecureAccess'), ...POLICY, ...failed('MfaRule'), failure: 'step-up-needed' },
  { what: 'EligibilityRule', ask: make('ana', 'Ana Costa', 'JumpHost-DomainAdmin-SecureAccess', { duration: 'PT30M' }), ...POLICY, message: /^The following policy rules failed: \["EligibilityRule"/, failedRules: ['EligibilityRule', 'MfaRule'] },
  { what: 'an authentication context that was not proved', ask: make('omar', 'Omar Haddad', 'FinReport-Controller-SecureAccess'), status: 400, code: 'RoleAssignmentRequestAcrsValidationFailed', message: /^&claims=%7B%22access_token%22%3A%7B%22acrs%22/, failure: 'step-up-needed' },
  {
    what: 'a second activation',
    ask: async (world) => {
      await make('ana', 'Ana Costa', 'Build-Engineer-SecureAccess')(world);
      await world.tenant.advance('PT10S');
      await make('ana', 'Ana Costa', 'Build-Engineer-SecureAccess')(world);
    },
    status: 400, code: 'RoleAssignmentExists', message: 'The Role assignment already exists.', failure: 'conflict',
  },
  { what: 'an end before the five minutes are over', ask: ({ ana, id }) => ana.pim.mine.deactivate({ principalId: id('Ana Costa'), groupId: id('Build-Engineer-SecureAccess') }), status: 400, code: 'ActiveDurationTooShort', message: 'The Active duration is too short. Miniumum Required is 5 minutes.', failure: 'conflict' },
  {
    what: 'a request beside one that waits',
    ask: async (world) => {
      await make('ana', 'Ana Costa', 'Payroll-Operator-SecureAccess')(world);
      await make('ana', 'Ana Costa', 'Payroll-Operator-SecureAccess')(world);
    },
    status: 400, code: 'PendingRoleAssignmentRequest', message: 'There is already an existing pending Role assignment request.', failure: 'conflict',
  },
  { what: 'the end of what is not active', ask: ({ ben, id }) => ben.pim.mine.deactivate({ principalId: id('Ben Novak'), groupId: id('Build-Engineer-SecureAccess') }), status: 400, code: 'RoleAssignmentDoesNotExist', message: 'The Role assignment does not exist.', failure: 'conflict' },
  { what: 'a person whom PIM does not know', ask: (world) => eligible('nobody')({ ...world, id: (name) => (name === 'nobody' ? NOBODY : world.id(name)) }), status: 404, code: 'SubjectNotFound', message: 'The subject is not found.', failure: 'not-found' },
  { what: 'a role that is unknown', ask: ({ maya }) => maya.pim.onboardedGroups(), status: 400, code: 'RoleNotFound', message: 'The role is not found.', failure: 'not-found', byFault: 'the portal names no role but member' },
  { what: 'a locked group', ask: ({ maya }) => maya.pim.onboardedGroups(), status: 400, code: 'ResourceIsLocked', message: 'The resource is locked.', failure: 'conflict', byFault: 'who locks one is not documented' },
  { what: 'months, which PIM does not take', ask: make('ana', 'Ana Costa', 'Payroll-Operator-SecureAccess', { duration: 'P6M' }), status: 400, code: 'InvalidRoleAssignmentRequest', message: 'The role assignment request is invalid.', failure: 'unexpected' },
  { what: 'MFA beside an authentication context', ask: (world) => rule(world, 'FinReport-Controller-SecureAccess', 'Enablement_EndUser_Assignment', { enabledRules: ['Justification', 'MultiFactorAuthentication'] }), status: 400, code: 'MfaAndAcrsConflict', message: 'The Mfa and Acrs policy settings cannot be enabled simultaneously.', failure: 'conflict' },
  { what: 'a rule that is none', ask: (world) => rule(world, 'FinReport-Controller-SecureAccess', 'Expiration_EndUser_Assignment', { maximumDuration: 'P6M' }), status: 400, code: 'InvalidPolicy', message: 'The policy is invalid.', failure: 'unexpected' },
  {
    what: 'a group that the directory has not passed on to PIM',
    ask: async ({ maya }) => {
      const { group } = await maya.directory.ensureGroup({ uniqueName: 'brand-new', displayName: 'Brand-New', mailNickname: 'brand-new', ownerIds: [(await maya.directory.me()).id] });
      await maya.pim.assignEligible({ groupId: group.id, principalId: (await maya.directory.me()).id, expiry: { startsAt: START, endsAt: '2026-05-01T09:00:00Z' }, justification: 'Team' });
    },
    status: 404, code: 'ResourceNotFound', message: MISSING, failure: 'not-found',
  },
  { what: 'what the directory does not have', ask: ({ maya }) => maya.applications.assignmentsOf(NOBODY), status: 404, code: 'Request_ResourceNotFound', message: MISSING, failure: 'not-found' },
  { what: 'a policy by the id that it had', ask: ({ maya }) => maya.pim.updatePolicy('Group_x_y', [{ id: 'Expiration_EndUser_Assignment' }]), status: 404, code: 'ResourceNotFound', message: /not found/, failure: 'not-found' },
  { what: 'a tenant without a licence', ask: ({ maya, id }) => maya.pim.eligibilities(id('Build-Engineer-SecureAccess')), status: 400, code: 'AadPremiumLicenseRequired', message: 'The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.', failure: 'forbidden', byFault: 'the demo tenant has its licences' },
  { what: 'a permission that the token lacks', ask: ({ ana }) => ana.directory.groupByMailNickname('any'), status: 403, code: 'Authorization_RequestDenied', message: 'Insufficient privileges to complete the operation.', failure: 'forbidden' },
  { what: 'a role that the person lacks', ask: async ({ tenant, id }) => (await tenant.as(BEN, SETUP)).pim.eligibilities(id('Payroll-Operator-SecureAccess')), status: 403, code: 'Authorization_RequestDenied', message: 'Insufficient privileges to complete the operation.', failure: 'forbidden' },
  { what: 'PIM’s own word for a missing role', ask: ({ maya }) => maya.pim.onboardedGroups(), status: 403, code: 'UnauthorizedAccessException', message: 'Attempted to perform an unauthorized operation.', failure: 'forbidden', byFault: 'when PIM uses it is not verified' },
  { what: 'PIM’s own word for a missing permission', ask: ({ maya }) => maya.pim.onboardedGroups(), status: 403, code: 'InsufficientPermissions', message: 'The permissions are insufficient.', failure: 'forbidden', byFault: 'when PIM uses it is not verified' },
  {
    what: 'an assignment to an application that is there',
    ask: async ({ maya, id }) => {
      const finance = await maya.applications.privateAccessByName('Finance reports');
      await maya.applications.assignGroup({ groupId: id('FinReport-Controller-SecureAccess'), servicePrincipalId: finance?.servicePrincipalId ?? '', appRoleId: finance?.assignableRoleId ?? '' });
    },
    status: 400, code: 'Request_BadRequest', message: 'Permission being assigned already exists on the object', failure: 'conflict',
  },
  { what: 'a member who is one', ask: ({ maya, id }) => maya.directory.group(id('Finance team')), status: 400, code: 'Request_BadRequest', message: "One or more added object references already exist for the following modified properties: 'members'.", failure: 'conflict', byFault: 'the portal adds no members past PIM' },
  { what: 'a search without the consistency that it takes', ask: ({ maya }) => maya.directory.searchUsers('ana', 5), status: 400, code: 'Request_UnsupportedQuery', message: "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'", failure: 'unexpected', byFault: 'the layer always sends the header' },
  { what: 'a token that has expired', ask: ({ maya }) => maya.directory.me(), status: 401, code: 'InvalidAuthenticationToken', message: 'Lifetime validation failed, the token is expired.', failure: 'not-signed-in', byFault: 'tokens live by real time' },
  {
    what: 'a token that is none', status: 401, code: 'InvalidAuthenticationToken', message: /.+/, failure: 'not-signed-in',
    ask: ({ tenant }) => createGateway({ baseUrl: tenant.url, timer: skippingTimer(), clock: { now: tenant.now }, random: Math.random, log: () => {}, timeoutMs: 5_000 }).graph({ token: async () => 'nonsense', priority: 'person', patience: { of: 'call', ms: 1_000 } }).directory.me(),
  },
  {
    what: 'a claims challenge of continuous access evaluation', ask: ({ maya }) => maya.directory.me(), status: 401, code: 'InvalidAuthenticationToken', message: 'Continuous access evaluation resulted in challenge.', failure: 'step-up-needed', byFault: 'nothing in the tenant is a signal to Graph',
    headers: { 'WWW-Authenticate': `Bearer realm="", error="insufficient_claims", claims="${btoa('{"access_token":{"nbf":{"essential":true,"value":"1"}}}')}"` },
  },
  {
    what: 'too many requests', status: 429, code: 'TooManyRequests', message: /./, failure: 'throttled',
    async ask({ tenant, maya }) {
      await fetch(`${tenant.url}/_emulator/settings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ throttling: { directory: { units: 1, windowMs: 600_000, retryAfter: true } } }) });
      try {
        await maya.directory.me();
        await maya.directory.me();
      } finally {
        await fetch(`${tenant.url}/_emulator/settings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ throttling: null }) });
      }
    },
  },
];

let world: World;
beforeAll(async () => {
  const tenant = await startTenant();
  const state = z.object({ users: z.array(z.object({ id: z.string(), displayName: z.string() })), groups: z.array(z.object({ id: z.string(), displayName: z.string() })) }).parse(await (await fetch(`${tenant.url}/_emulator/state`)).json());
  const ids = new Map([...state.users, ...state.groups].map((one) => [one.displayName, one.id]));
  world = {
    tenant, maya: await tenant.as(MAYA, SETUP), ana: await tenant.as(ANA, ACCESS), ben: await tenant.as(BEN, ACCESS), omar: await tenant.as(OMAR, ACCESS),
    id(name) {
      const id = ids.get(name);
      if (id === undefined) throw new Error(`the seed has no ${name}`);
      return id;
    },
  };
});
afterAll(async () => world.tenant[Symbol.asyncDispose]());

const Journal = z.array(z.object({ status: z.number(), answer: z.unknown() }));
const Refused = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

test.each(ROWS.map((row) => [row.what, row] as const))('%s', async (_what, { ask, status, code, message, failure, failedRules, byFault, headers }) => {
  const { tenant } = world;
  await fetch(`${tenant.url}/_emulator/journal`, { method: 'DELETE' });
  if (byFault !== undefined) await tenant.faults([{ match: { path: '**' }, times: null, fault: { kind: 'status', status, code, message, ...(headers && { headers }) } }]);
  const outcome = await ask(world).then(() => undefined, (error: unknown) => error);
  await tenant.faults([]);

  const [last] = Journal.parse(await (await fetch(`${tenant.url}/_emulator/journal`)).json()).filter((entry) => entry.status >= 400).slice(-1);
  const { error } = Refused.parse(last?.answer);
  expect([last?.status, error.code]).toEqual([status, code]);
  if (typeof message === 'string') expect(error.message).toBe(message);
  else expect(error.message).toMatch(message);

  expect(outcome).toBeInstanceOf(GraphError);
  expect(outcome).toMatchObject({ failure, details: { code, ...(failedRules && { failedRules }) } });
});

test('ApprovalRule is no refusal: the request waits', async () => {
  expect((await world.ana.pim.mine.requests()).map(({ status }) => status)).toContain('PendingApproval');
});
