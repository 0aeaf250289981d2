import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFront } from '../graph/front.ts';
import { GraphRefusal, type Caller } from '../graph/route.ts';
import { seedTenant } from '../seed/seed.ts';
import type { Tenant } from '../tenant.ts';
import { directoryRoutes } from './routes.ts';

const NOW = new Date('2026-03-09T10:00:00.000Z');
const SEGMENTS = 'onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments';
const CONNECTOR_GROUPS = '/beta/onPremisesPublishingProfiles/applicationProxy/connectorGroups';

type Answer = { readonly status: number; readonly body: Record<string, unknown> & { readonly value?: Record<string, unknown>[]; readonly error?: { readonly code: string; readonly message: string } } };

let tenant: Tenant;
let server: ReturnType<ReturnType<typeof express>['listen']>;
let base: string;

beforeEach(async () => {
  tenant = seedTenant('demo', NOW);
  const front = createFront({
    routes: directoryRoutes, tenant: () => tenant, now: () => NOW, delays: { directoryToPim: 6000, provisioning: 0, membership: 0, auditVisible: 0 },
    newId: () => crypto.randomUUID(), caller: async (authorization) => callerOf(authorization), settle: () => undefined, keep: () => undefined, baseUrl: () => base,
  });
  const app = express().use(express.json()).use(async (request, response) => {
    const { status, body } = await front.handle(request, response);
    response.status(status).json(body);
  });
  server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
});

/** `Maya Lindqvist` or `Ana Costa`, with what the portal's sign-in grants; a name with a list of scopes; or `app:` with roles. */
function callerOf(authorization = ''): Caller {
  const [who = '', scopes] = authorization.split('|');
  const registration = tenant.applications.find(({ displayName }) => displayName === 'Gatehouse')?.registration;
  if (who === 'app') return { kind: 'app', appId: 'portal', roles: scopes?.split(' ') ?? registration?.applicationRoles ?? [] };
  const user = tenant.users.find(({ displayName }) => displayName === who);
  if (!user) throw new GraphRefusal(401, 'InvalidAuthenticationToken', 'Access token is empty.');
  return { kind: 'user', user, appId: 'portal', scopes: scopes?.split(' ') ?? registration?.delegatedScopes ?? [], acrs: [], amr: ['pwd'], authTime: 0, cp1: true };
}

async function graph(method: string, path: string, options: { as?: string; body?: unknown; headers?: Record<string, string> } = {}): Promise<Answer> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: options.as ?? 'Maya Lindqvist', ...(options.body !== undefined && { 'content-type': 'application/json' }), ...options.headers },
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) as Answer['body'] };
}

const idOf = (displayName: string): string => [...tenant.users, ...tenant.groups].find((one) => one.displayName === displayName)?.id ?? '';
const application = (displayName: string) => {
  const found = tenant.applications.find((one) => one.displayName === displayName);
  const principal = tenant.servicePrincipals.find((one) => one.displayName === displayName);
  if (!found || !principal) throw new Error(`no application ${displayName}`);
  return { id: found.id, appId: found.appId, servicePrincipalId: principal.id };
};
const refusal = ({ status, body }: Answer) => [status, body.error?.code, body.error?.message];
const DENIED = [403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'];
const seniorAnalyst = { displayName: 'FinReport-SeniorAnalyst-SecureAccess', mailEnabled: false, mailNickname: 'FinReport-SeniorAnalyst-SecureAccess', securityEnabled: true, groupTypes: [] };

test('people are found by the beginning of a name only with the header that asks for the index', async () => {
  const address = `/v1.0/users?$search=${encodeURIComponent('"displayName:øst" OR "mail:øst"')}&$count=true&$orderby=displayName&$top=5&$select=id,displayName`;
  expect(refusal(await graph('GET', address))[1]).toBe('Request_UnsupportedQuery');
  const found = await graph('GET', address, { headers: { ConsistencyLevel: 'eventual' } });
  expect(found.body.value).toEqual([{ id: idOf('Søren Østergaard'), displayName: 'Søren Østergaard' }]);
  expect(found.body['@odata.count']).toBe(1);
});

test('/me prints the default properties, and other people need more than User.Read', async () => {
  const me = await graph('GET', '/v1.0/me', { as: 'Ana Costa|User.Read' });
  expect(me.body).toMatchObject({ userPrincipalName: 'ana.costa@contoso.example', jobTitle: 'Financial analyst' });
  expect(me.body).not.toHaveProperty('accountEnabled');
  expect(refusal(await graph('GET', `/v1.0/users/${idOf('Ben Novak')}`, { as: 'Ana Costa|User.Read' }))).toEqual(DENIED);
  expect((await graph('GET', '/v1.0/users/ben.novak@contoso.example')).body['id']).toBe(idOf('Ben Novak'));
});

test('names come for known ids alone', async () => {
  const ids = [idOf('Ana Costa'), idOf('Finance team'), application('Payroll').servicePrincipalId, '00000000-0000-4000-8000-000000000000'];
  const { body } = await graph('POST', '/v1.0/directoryObjects/getByIds', { as: 'app', body: { ids, types: ['user', 'group', 'servicePrincipal'] } });
  expect(body.value?.map((one) => [one['@odata.type'], one['displayName']])).toEqual([['#microsoft.graph.user', 'Ana Costa'], ['#microsoft.graph.group', 'Finance team'], ['#microsoft.graph.servicePrincipal', 'Payroll']]);
});

test('an upsert makes the group once and changes it after that', async () => {
  const address = "/v1.0/groups(uniqueName='gatehouse-42')";
  const wish = { body: { ...seniorAnalyst, 'owners@odata.bind': [`${base}/v1.0/users/${idOf('Maya Lindqvist')}`] } };
  expect(refusal(await graph('PATCH', address, wish))[1]).toBe('Request_ResourceNotFound');

  const made = await graph('PATCH', address, { ...wish, headers: { prefer: 'create-if-missing' } });
  expect([made.status, made.body['uniqueName']]).toEqual([201, 'gatehouse-42']);
  const again = await graph('PATCH', address, { body: { description: 'Second' }, headers: { prefer: 'create-if-missing' } });
  expect(again.status).toBe(204);
  const read = await graph('GET', `${address}?$select=id,description,uniqueName`);
  expect(read.body).toMatchObject({ id: made.body['id'], description: 'Second', uniqueName: 'gatehouse-42' });

  const group = tenant.groups.find(({ id }) => id === made.body['id']);
  expect(group?.ownerIds).toEqual([idOf('Maya Lindqvist')]);
  expect(group?.knownToPimAt).toBe('2026-03-09T10:00:06.000Z');
  expect(tenant.directoryAudits.slice(-3).map(({ entry }) => entry.activityDisplayName)).toEqual(['Create group', 'Add owner to group', 'Update group']);
});

test.for([
  [{ ...seniorAnalyst, mailNickname: undefined }, "A value is required for property 'mailNickname' of resource 'Group'."],
  [{ ...seniorAnalyst, mailNickname: 'two words' }, "Invalid value specified for property 'mailNickname' of resource 'Group'."],
  [{ ...seniorAnalyst, displayName: 'x'.repeat(257) }, "Invalid value specified for property 'displayName' of resource 'Group'."],
] as const)('a group that Graph would not make is refused: %#', async ([body, message]) => {
  expect(refusal(await graph('PATCH', "/v1.0/groups(uniqueName='x')", { body, headers: { prefer: 'create-if-missing' } }))).toEqual([400, 'Request_BadRequest', message]);
});

test('making a group takes a directory role, changing one its owner or a role', async () => {
  expect(refusal(await graph('POST', '/v1.0/groups', { as: 'Ana Costa', body: seniorAnalyst }))).toEqual(DENIED);
  expect(refusal(await graph('POST', '/v1.0/groups', { body: { ...seniorAnalyst, isAssignableToRole: true } }))).toEqual(DENIED);
  const address = `/v1.0/groups/${idOf('Finance team')}`;
  expect(refusal(await graph('PATCH', address, { as: 'Ana Costa', body: { description: 'Mine' } }))).toEqual(DENIED);
  tenant.groups.find(({ displayName }) => displayName === 'Finance team')?.ownerIds.push(idOf('Ana Costa'));
  expect((await graph('PATCH', address, { as: 'Ana Costa', body: { description: 'Mine' } })).status).toBe(204);
  expect(refusal(await graph('PATCH', `/v1.0/groups/${idOf('CORP-FileShare-Finance')}`, { body: { description: 'x' } }))[2]).toContain('on-premises mastered');
});

test('a member is added once and probed directly, and nested membership counts in checkMemberGroups alone', async () => {
  const [group, ana, mateo] = [idOf('Engineering'), idOf('Ana Costa'), idOf('Mateo Silva')];
  const body = { '@odata.id': `${base}/v1.0/directoryObjects/${ana}` };
  expect(refusal(await graph('GET', `/v1.0/users/${ana}/memberOf/${group}?$select=id`))[0]).toBe(404);
  expect((await graph('POST', `/v1.0/groups/${group}/members/$ref`, { body })).status).toBe(204);
  expect(refusal(await graph('POST', `/v1.0/groups/${group}/members/$ref`, { body }))).toEqual([400, 'Request_BadRequest', "One or more added object references already exist for the following modified properties: 'members'."]);
  expect((await graph('GET', `/v1.0/users/${ana}/memberOf/${group}?$select=id`)).body['id']).toBe(group);
  expect((await graph('DELETE', `/v1.0/groups/${group}/members/${ana}/$ref`)).status).toBe(204);
  expect((await graph('GET', `/v1.0/groups/${group}/members/${ana}`)).status).toBe(404);

  expect((await graph('GET', `/v1.0/users/${mateo}/memberOf/${group}`)).status).toBe(404);
  const checked = await graph('POST', `/v1.0/users/${mateo}/checkMemberGroups`, { as: 'app', body: { groupIds: [group] } });
  expect(checked.body.value).toEqual([group]);
  expect((await graph('GET', `/v1.0/groups/${group}/members/microsoft.graph.group`)).body.value?.map((one) => one['displayName'])).toEqual(['Build team']);
});

test('private access applications are found by their tags', async () => {
  const filter = encodeURIComponent("tags/any(t:t eq 'NetworkAccessQuickAccessApplication') or tags/any(t:t eq 'PrivateAccessNonWebApplication')");
  const { body } = await graph('GET', `/v1.0/servicePrincipals?$filter=${filter}&$count=true&$select=displayName`, { as: 'app', headers: { ConsistencyLevel: 'eventual' } });
  expect(body.value?.map((one) => one['displayName'])).toEqual(['Quick Access', 'Finance reports', 'Payroll', 'Build servers', 'HR archive', 'Domain admin jump host']);
  expect(body['@odata.count']).toBe(6);
});

test('an application is made, published, given connectors, destinations and a group', async () => {
  const made = await graph('POST', '/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate', { body: { displayName: 'Ledger' } });
  expect(made.status).toBe(201);
  const { id, servicePrincipalId } = application('Ledger');
  const early = await graph('POST', `/beta/applications/${id}/${SEGMENTS}`, { body: {} });
  expect(early.status).toBe(400);
  expect((await graph('PATCH', `/beta/applications/${id}`, { body: { onPremisesPublishing: { applicationType: 'nonwebapp', isAccessibleViaZTNAClient: true } } })).status).toBe(204);

  const groups = await graph('GET', CONNECTOR_GROUPS);
  const europe = groups.body.value?.find((one) => one['name'] === 'EU-1')?.['id'];
  expect((await graph('PUT', `/beta/applications/${id}/connectorGroup/$ref`, { body: { '@odata.id': `${base}${CONNECTOR_GROUPS}/${String(europe)}` } })).status).toBe(204);
  expect((await graph('GET', `${CONNECTOR_GROUPS}/${String(europe)}/members`)).body.value?.map((one) => one['status'])).toEqual(['active', 'active']);
  expect((await graph('GET', `${CONNECTOR_GROUPS}/${String(europe)}/applications`)).body.value?.map((one) => one['displayName'])).toContain('Ledger');

  const segment = { destinationHost: 'ledger.corp.contoso.example', destinationType: 'fqdn', port: 0, ports: ['443-443'], protocol: 'tcp' };
  expect((await graph('POST', `/beta/applications/${id}/${SEGMENTS}`, { body: segment })).status).toBe(201);
  expect((await graph('GET', `/beta/applications/${id}/${SEGMENTS}`)).body.value).toEqual([{ id: expect.any(String) as string, ...segment }]);

  const assignment = { principalId: idOf('Finance team'), resourceId: servicePrincipalId, appRoleId: '18d14569-c3bd-439b-9a66-3a2aee01d14f' };
  expect(await graph('POST', `/v1.0/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo`, { body: assignment })).toMatchObject({ status: 201, body: { principalType: 'Group', principalDisplayName: 'Finance team', resourceDisplayName: 'Ledger' } });
  expect(refusal(await graph('POST', `/v1.0/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo`, { body: assignment }))).toEqual([400, 'Request_BadRequest', 'Permission being assigned already exists on the object']);
  const undeclared = { ...assignment, principalId: idOf('Engineering'), appRoleId: '00000000-0000-0000-0000-000000000000' };
  expect((await graph('POST', `/v1.0/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo`, { body: undeclared })).status).toBe(400);
  expect((await graph('GET', `/v1.0/groups/${idOf('Finance team')}/appRoleAssignments`)).body.value?.map((one) => one['resourceDisplayName'])).toContain('Ledger');
});

test.for([
  [{ destinationHost: 'fin-rep.corp.contoso.example', destinationType: 'fqdn', ports: ['400-500'], protocol: 'tcp' }, "of the application 'Finance reports'"],
  [{ destinationHost: '10.20.0.7', destinationType: 'ipAddress', ports: ['22-22'], protocol: 'tcp,udp' }, "of the application 'Build servers'"],
  [{ destinationHost: 'agent1.build.corp.contoso.example', destinationType: 'fqdn', ports: ['1-65535'], protocol: 'tcp' }, "of the application 'Build servers'"],
  [{ destinationHost: 'FILESERVER', destinationType: 'fqdn', ports: ['445-445'], protocol: 'tcp' }, "property 'destinationHost'"],
  [{ destinationHost: 'a.contoso.example', destinationType: 'fqdn', ports: ['443'], protocol: 'tcp' }, "property 'ports'"],
  [{ destinationHost: 'a.contoso.example', destinationType: 'fqdn', ports: ['443-443'], protocol: 'icmp' }, "property 'protocol'"],
] as const)('a destination that is none, or somebody else’s, is refused: %#', async ([segment, words]) => {
  const answer = await graph('POST', `/beta/applications/${application('Payroll').id}/${SEGMENTS}`, { body: { port: 0, ...segment } });
  expect(answer.status).toBe(400);
  expect(answer.body.error?.message).toContain(words);
});

test('Quick Access may hold a destination that an application of its own holds too', async () => {
  const body = { destinationHost: 'fin-rep.corp.contoso.example', destinationType: 'fqdn', port: 0, ports: ['443-443'], protocol: 'tcp' };
  expect((await graph('POST', `/beta/applications/${application('Quick Access').id}/${SEGMENTS}`, { body })).status).toBe(201);
});

test('connectors are for delegated callers alone, publishing for application administrators', async () => {
  expect(refusal(await graph('GET', CONNECTOR_GROUPS, { as: 'app|Directory.ReadWrite.All' }))).toEqual(DENIED);
  const { id, servicePrincipalId } = application('Payroll');
  const { id: groupId } = tenant.groups.find(({ displayName }) => displayName === 'Engineering') ?? { id: '' };
  const writes: readonly (readonly [method: string, path: string, body: object])[] = [
    ['POST', '/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate', { displayName: 'Mine' }],
    ['PATCH', `/beta/applications/${id}`, { onPremisesPublishing: {} }],
    ['PUT', `/beta/applications/${id}/connectorGroup/$ref`, {}],
    ['POST', `/beta/applications/${id}/${SEGMENTS}`, { destinationHost: 'a.contoso.example', destinationType: 'fqdn', port: 0, ports: ['443-443'], protocol: 'tcp' }],
    ['PATCH', `/v1.0/servicePrincipals/${servicePrincipalId}`, { appRoleAssignmentRequired: false }],
    ['POST', `/v1.0/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo`, { principalId: groupId, resourceId: servicePrincipalId, appRoleId: '18d14569-c3bd-439b-9a66-3a2aee01d14f' }],
  ];
  for (const [method, path, body] of writes) expect(refusal(await graph(method, path, { as: 'Ana Costa', body })), path).toEqual(DENIED);
});

test('the private profile, the contexts, and ending sessions', async () => {
  const profiles = await graph('GET', `/beta/networkAccess/forwardingProfiles?$filter=${encodeURIComponent("trafficForwardingType eq 'private'")}`);
  expect(profiles.body.value).toMatchObject([{ state: 'enabled', trafficForwardingType: 'private' }]);
  expect((await graph('GET', '/v1.0/identity/conditionalAccess/authenticationContextClassReferences')).body.value).toMatchObject([{ id: 'c1', isAvailable: true }]);

  const revoke = `/v1.0/users/${idOf('Ben Novak')}/revokeSignInSessions`;
  expect(refusal(await graph('POST', revoke, { as: 'Ana Costa' }))).toEqual(DENIED);
  expect((await graph('POST', revoke, { as: 'Erik Sandberg' })).body.value).toBe(true);
  expect((await graph('GET', `/v1.0/users/${idOf('Ben Novak')}?$select=signInSessionsValidFromDateTime`)).body['signInSessionsValidFromDateTime']).toBe(NOW.toISOString());
});
