import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANA, BEN, MAYA, OMAR, startTenant, type Answer, type Send, type TestTenant } from '../testing.ts';

const SCOPES = [
  'Group.ReadWrite.All', 'Directory.Read.All', 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', 'AuthenticationContext.Read.All', 'NetworkAccess.Read.All',
  'RoleManagementPolicy.ReadWrite.AzureADGroup', 'PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup',
].join(' ');
const BATCH = '/v1.0/$batch';
const PIM = '/identityGovernance/privilegedAccess/group';
const GROUP = { displayName: 'Batched', mailEnabled: false, mailNickname: 'batched', securityEnabled: true };
const JSON_BODY = { 'Content-Type': 'application/json' };

interface Part { id: string; method: string; url: string; headers?: Record<string, string>; body?: unknown; dependsOn?: string[] }
interface Reply { id: string; status: number; headers: Record<string, string>; body?: { error?: { code: string }; [name: string]: unknown } }

let tenant: TestTenant;
let maya: Send;
let people: Record<'ana' | 'ben' | 'omar', string>;
let payroll: { id: string; appRoles: { id: string }[] };
let group: string;
beforeEach(async () => {
  tenant = await startTenant();
  maya = await tenant.as(MAYA, SCOPES);
  await maya('PATCH', "/v1.0/groups(uniqueName='batched')", GROUP, { prefer: 'create-if-missing' });
  await tenant.advance('PT1M');
  const { users, servicePrincipals, groups } = await tenant.state();
  const person = (upn: string): string => users.find(({ userPrincipalName }: { userPrincipalName: string }) => userPrincipalName === upn).id;
  people = { ana: person(ANA), ben: person(BEN), omar: person(OMAR) };
  payroll = servicePrincipals.find(({ displayName }: { displayName: string }) => displayName === 'Payroll');
  group = groups.find(({ uniqueName }: { uniqueName: string | null }) => uniqueName === 'batched').id;
  await tenant.clearJournal();
});
afterEach(async () => { await tenant[Symbol.asyncDispose](); });

const policyId = async (): Promise<string> => (await maya('GET', `/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '${group}' and scopeType eq 'Group' and roleDefinitionId eq 'member'`)).body.value[0].policyId;
const rule = (maximumDuration: string) => ({
  '@odata.type': '#microsoft.graph.unifiedRoleManagementPolicyExpirationRule', 'id': 'Expiration_EndUser_Assignment', 'isExpirationRequired': true, maximumDuration,
  'target': { caller: 'EndUser', operations: ['All'], level: 'Assignment', inheritableSettings: [], enforcedSettings: [] },
});
const settings = async (maximumDuration = 'PT2H'): Promise<Part> => ({ id: 'settings', method: 'PATCH', url: `/policies/roleManagementPolicies/${await policyId()}`, headers: JSON_BODY, body: { rules: [rule(maximumDuration)] } });
const eligible = (name: keyof typeof people, duration = 'P30D'): Part => ({
  id: `eligible-${name}`, method: 'POST', url: `${PIM}/eligibilityScheduleRequests`, headers: JSON_BODY,
  body: { accessId: 'member', principalId: people[name], groupId: group, action: 'adminAssign', justification: 'Test', scheduleInfo: { startDateTime: '2026-03-02T09:01:00Z', expiration: { type: 'afterDuration', duration } } },
});
const assigned = (): Part => ({ id: 'assigned', method: 'POST', url: `/servicePrincipals/${payroll.id}/appRoleAssignedTo`, headers: JSON_BODY, body: { principalId: group, resourceId: payroll.id, appRoleId: payroll.appRoles[0]?.id } });
const required = (): Part => ({ id: 'required', method: 'PATCH', url: `/servicePrincipals/${payroll.id}`, headers: JSON_BODY, body: { accountEnabled: false } });

const chained = (parts: readonly Part[]): Part[] => parts.map((part, index) => ({ ...part, ...(index > 0 && { dependsOn: [parts[index - 1]?.id ?? ''] }) }));
const send = (requests: readonly Part[]): Promise<Answer> => maya('POST', BATCH, { requests });
const replies = ({ body }: Answer): Reply[] => body.responses;
const statusesOf = (answer: Answer): Record<string, number> => Object.fromEntries(replies(answer).map(({ id, status }) => [id, status]));
const written = async () => (await tenant.journal()).filter(({ method, url }) => method !== 'GET' && !url.endsWith('$batch')).map(({ method, url, status, effect }) => [method, url.split('/').at(-1), status, effect]);

/** What of the row is so in the tenant, after everything that is due. */
async function done(): Promise<string[]> {
  await tenant.advance('PT1M');
  const state = await tenant.state();
  const policy = state.pim.policies.find((one: { groupId: string; accessId: string }) => one.groupId === group && one.accessId === 'member');
  return [
    ...(policy.rules.some((one: { id: string; maximumDuration?: string }) => one.id === 'Expiration_EndUser_Assignment' && one.maximumDuration === 'PT2H') ? ['settings'] : []),
    ...(['ana', 'ben', 'omar'] as const).filter((name) => state.pim.schedules.some((one: { groupId: string; principalId: string }) => one.groupId === group && one.principalId === people[name])).map((name) => `eligible-${name}`),
    ...(state.appRoleAssignments.some(({ principalId }: { principalId: string }) => principalId === group) ? ['assigned'] : []),
    ...(state.servicePrincipals.find(({ id }: { id: string }) => id === payroll.id).accountEnabled === false ? ['required'] : []),
  ];
}
const ALL = ['settings', 'eligible-ana', 'eligible-ben', 'eligible-omar', 'assigned', 'required'];
const row = async (): Promise<Part[]> => [await settings(), eligible('ana'), eligible('ben'), eligible('omar'), assigned(), required()];

test('reads of every service travel together, one that is sent as a write among them', async () => {
  const scope = `scopeId eq '${group}' and scopeType eq 'Group'`;
  const reads: [string, string, string?][] = [
    ['group', "/groups(uniqueName='batched')?$select=id,uniqueName"], ['owners', `/groups/${group}/owners?$select=id`], ['me', '/me/transitiveMemberOf'], ['licences', '/subscribedSkus'],
    ['assignments', `/policies/roleManagementPolicyAssignments?$filter=${encodeURIComponent(scope)}&$expand=${encodeURIComponent('policy($expand=rules)')}`],
    ['eligibilities', `${PIM}/eligibilitySchedules?$filter=${encodeURIComponent(`groupId eq '${group}'`)}`], ['requests', `${PIM}/eligibilityScheduleRequests?$filter=groupId%20eq%20%27${group}%27`],
    ['applications', `/servicePrincipals?$filter=${encodeURIComponent("tags/any(t:t eq 'PrivateAccessNonWebApplication')")}&$count=true`, 'eventual'],
    ['opens', `/servicePrincipals/${payroll.id}/appRoleAssignedTo`], ['contexts', '/identity/conditionalAccess/authenticationContextClassReferences'],
    ['none', "/groups(uniqueName='nobody')?$select=id"],
  ];
  const answer = await send([
    ...reads.map(([id, url, level]): Part => ({ id, method: 'GET', url, ...(level !== undefined && { headers: { ConsistencyLevel: level } }) })),
    { id: 'names', method: 'POST', url: '/directoryObjects/getByIds', headers: JSON_BODY, body: { ids: [people.ana, group, '00000000-0000-4000-8000-000000000000'], types: ['user', 'group'] } },
  ]);
  expect(statusesOf(answer)).toEqual({ ...Object.fromEntries(reads.map(([id]) => [id, 200])), none: 404, names: 200 });
  const bodyOf = (id: string) => replies(answer).find((one) => one.id === id)?.body as Record<string, unknown> & { value: Record<string, unknown>[] };
  expect(bodyOf('group')).toMatchObject({ id: group, uniqueName: 'batched' });
  expect(bodyOf('names').value.map(({ id }) => id)).toEqual([people.ana, group]);
  expect(bodyOf('assignments').value.map(({ roleDefinitionId }) => roleDefinitionId)).toEqual(['member', 'owner']);
  expect(bodyOf('applications')['@odata.count']).toBeGreaterThan(3);
  expect(bodyOf('me').value.some((one) => one['@odata.type'] === '#microsoft.graph.directoryRole')).toBe(true);
});

describe('a row of writes, each after the one before', () => {
  test('is done in order', async () => {
    const parts = await row();
    expect(statusesOf(await send(chained(parts)))).toEqual({ 'settings': 200, 'eligible-ana': 201, 'eligible-ben': 201, 'eligible-omar': 201, 'assigned': 201, 'required': 204 });
    expect(await written()).toEqual([
      ['PATCH', expect.stringMatching(/^Group_/), 200, true], ['POST', 'eligibilityScheduleRequests', 201, true], ['POST', 'eligibilityScheduleRequests', 201, true], ['POST', 'eligibilityScheduleRequests', 201, true],
      ['POST', 'appRoleAssignedTo', 201, true], ['PATCH', payroll.id, 204, true],
    ]);
    expect(await done()).toEqual(ALL);
  });

  test('ends at the first refusal: what comes after is answered 424, not tried and not written down', async () => {
    const parts = [await settings(), eligible('ana'), eligible('ben', 'P6M'), eligible('omar'), assigned(), required()];
    const answer = await send(chained(parts));
    expect(statusesOf(answer)).toEqual({ 'settings': 200, 'eligible-ana': 201, 'eligible-ben': 400, 'eligible-omar': 424, 'assigned': 424, 'required': 424 });
    expect(replies(answer).find(({ id }) => id === 'required')?.body?.error?.code).toBe('FailedDependency');
    expect((await written()).map(([, name, status, effect]) => [name, status, effect]).slice(1)).toEqual([['eligibilityScheduleRequests', 201, true], ['eligibilityScheduleRequests', 400, false]]);
    expect(await done()).toEqual(['settings', 'eligible-ana']);
  });

  test('sent a second time, it changes nothing more: what is so already is refused or has no effect', async () => {
    await send(await row());
    await tenant.clearJournal();
    await send(await row());
    expect((await written()).map(([, , , effect]) => effect)).toEqual([false, false, false, false, false, false]);
  });
});

describe('the fault of one call', () => {
  test('with a status and a time to come back stands in its own answer', async () => {
    await tenant.faults([{ match: { method: 'POST', path: '**/eligibilityScheduleRequests', nth: 2 }, fault: { kind: 'status', status: 429, code: 'TooManyRequests', retryAfter: 7 } }]);
    const answer = await send(await row());
    expect(statusesOf(answer)).toEqual({ 'settings': 200, 'eligible-ana': 201, 'eligible-ben': 429, 'eligible-omar': 201, 'assigned': 201, 'required': 204 });
    expect(replies(answer).find(({ id }) => id === 'eligible-ben')?.headers['Retry-After']).toBe('7');
    expect(await done()).toEqual(ALL.filter((one) => one !== 'eligible-ben'));
  });

  test('with a status after the effect ends a row of which the call itself is done', async () => {
    await tenant.faults([{ match: { method: 'POST', path: '**/eligibilityScheduleRequests', nth: 2 }, fault: { kind: 'status', status: 504, effect: 'after' } }]);
    expect(statusesOf(await send(chained(await row())))).toEqual({ 'settings': 200, 'eligible-ana': 201, 'eligible-ben': 504, 'eligible-omar': 424, 'assigned': 424, 'required': 424 });
    expect((await written()).at(-1)).toEqual(['POST', 'eligibilityScheduleRequests', 504, true]);
    expect(await done()).toEqual(['settings', 'eligible-ana', 'eligible-ben']);
  });

  test.each([['before', ['settings', 'eligible-ana']], ['after', ['settings', 'eligible-ana', 'eligible-ben']]] as const)('that cuts the connection %s its effect takes the whole batch along', async (effect, left) => {
    await tenant.faults([{ match: { method: 'POST', path: '**/eligibilityScheduleRequests', nth: 2 }, fault: { kind: 'reset', effect } }]);
    expect(await send(await row()).then(() => 'answered', () => 'cut')).toBe('cut');
    expect((await written()).at(-1)).toEqual(['POST', 'eligibilityScheduleRequests', 0, effect === 'after']);
    expect((await tenant.journal()).at(-1)).toMatchObject({ method: 'POST', url: BATCH, status: 0 });
    expect(await done()).toEqual(left);
    // The fault is used up: what is left is done by the next try.
    await send(await row());
    expect(await done()).toEqual(ALL);
  });

  test.each([['before', ['settings']], ['after', ['settings', 'eligible-ana']]] as const)('that leaves it without an answer %s its effect leaves the batch without one', async (effect, left) => {
    await tenant.faults([{ match: { path: '**/eligibilityScheduleRequests', nth: 1 }, fault: { kind: 'timeout', effect } }]);
    const patience = new AbortController();
    const requests = chained(await row());
    const call = fetch(`${tenant.url}${BATCH}`, {
      method: 'POST', signal: patience.signal, headers: { 'authorization': `Bearer ${await tenant.tokenOf(MAYA, SCOPES)}`, 'content-type': 'application/json' }, body: JSON.stringify({ requests }),
    }).then(() => 'answered', () => 'nothing');
    await expect.poll(async () => (await tenant.journal()).at(-1)).toMatchObject({ url: BATCH, status: 0 });
    patience.abort();
    expect(await call).toBe('nothing');
    expect((await written()).at(-1)).toEqual(['POST', 'eligibilityScheduleRequests', 0, effect === 'after']);
    expect(await done()).toEqual(left);
  });

  test('is found by version and path, a key among it', async () => {
    await tenant.faults([{ match: { method: 'GET', path: "/v1.0/groups(uniqueName='batched')" }, times: null, fault: { kind: 'status', status: 503 } }]);
    expect(statusesOf(await send([
      { id: 'plain', method: 'GET', url: "/groups(uniqueName='batched')" }, { id: 'encoded', method: 'GET', url: '/groups(uniqueName=%27batched%27)?$select=id' }, { id: 'other', method: 'GET', url: `/groups/${group}` },
    ]))).toEqual({ plain: 503, encoded: 503, other: 200 });
  });
});

test('what a lost batch had done is kept at once, as over a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'emulated-tenant-'));
  try {
    const stateFile = join(folder, 'tenant.json');
    await using one = await startTenant({ stateFile });
    const admin = await one.as(MAYA, SCOPES);
    await one.faults([{ match: { path: '**/groups', nth: 2 }, fault: { kind: 'reset', effect: 'after' } }]);
    const make = (id: string): Part => ({ id, method: 'POST', url: '/groups', headers: JSON_BODY, body: { ...GROUP, displayName: `Kept ${id}`, mailNickname: `kept-${id}` } });
    expect(await admin('POST', BATCH, { requests: [make('1'), make('2'), make('3')] }).then(() => 'answered', () => 'cut')).toBe('cut');
    const kept = readFileSync(stateFile, 'utf8');
    expect(['Kept 1', 'Kept 2', 'Kept 3'].filter((name) => kept.includes(name))).toEqual(['Kept 1', 'Kept 2']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
