import { beforeEach, describe, expect, test, afterEach } from 'vitest';
import { startDirectory, type Send } from './testing.ts';

const TEMPLATE = '/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate';
const SEGMENTS = 'onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments';
const USER_ROLE = '18d14569-c3bd-439b-9a66-3a2aee01d14f';
const NO_ROLE = '00000000-0000-0000-0000-000000000000';
const SCOPES = ['Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', 'Directory.ReadWrite.All', 'NetworkAccess.ReadWrite.All', 'AuthenticationContext.Read.All'];

describe('Private Access applications', () => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  let maya: Send;
  beforeEach(async () => {
    directory = await startDirectory();
    maya = directory.as('Maya Lindqvist', ...SCOPES);
  });
  afterEach(async () => directory[Symbol.asyncDispose]());

  const objectId = (name: string): string => directory.tenant.applications.find((one) => one.displayName === name)?.id ?? '';
  const principalId = (name: string): string => directory.tenant.servicePrincipals.find((one) => one.displayName === name)?.id ?? '';
  const connectorGroupId = (name: string): string => directory.tenant.connectorGroups.find((one) => one.name === name)?.id ?? '';
  const tcp443 = (destinationHost: string) => ({ destinationHost, destinationType: 'fqdn', port: 0, ports: ['443-443'], protocol: 'tcp' });

  test('are made in four calls, and then found by their tags', async () => {
    const made = await maya(TEMPLATE, { body: { displayName: 'Ledger' } });
    expect(made).toMatchObject({ status: 201, body: { servicePrincipal: { appRoleAssignmentRequired: true, appRoles: [{ id: USER_ROLE, displayName: 'User' }, { displayName: 'msiam_access' }] } } });
    const path = `/beta/applications/${made.body.application.id}`;
    const connectors = { '@odata.id': `${directory.url}/beta/onPremisesPublishingProfiles/applicationproxy/connectorGroups/${connectorGroupId('EU-1')}` };
    expect((await maya(`${path}/connectorGroup/$ref`, { method: 'PUT', body: connectors })).status).toBe(400);
    expect((await maya(path, { method: 'PATCH', body: { onPremisesPublishing: { applicationType: 'nonwebapp', isAccessibleViaZTNAClient: true } } })).status).toBe(204);
    expect((await maya(`${path}/connectorGroup/$ref`, { method: 'PUT', body: connectors })).status).toBe(204);
    expect(await maya(`${path}/${SEGMENTS}`, { body: tcp443('ledger.corp.contoso.example') })).toMatchObject({ status: 201, body: { destinationHost: 'ledger.corp.contoso.example', ports: ['443-443'] } });

    expect((await maya(`${path}?$select=id,onPremisesPublishing`)).body.onPremisesPublishing).toMatchObject({ applicationType: 'nonwebapp', isAccessibleViaZTNAClient: true });
    expect((await maya(path)).body).not.toHaveProperty('onPremisesPublishing');
    expect((await maya(`/v1.0/applications/${made.body.application.id}?$select=onPremisesPublishing`)).status).toBe(400);
    expect((await maya(`${path}/connectorGroup`)).body.name).toBe('EU-1');
    expect((await maya(`/beta/onPremisesPublishingProfiles/applicationProxy/connectorGroups/${connectorGroupId('EU-1')}/applications`)).body.value.map((one: { displayName: string }) => one.displayName)).toContain('Ledger');
    expect((await maya(`${path}/${SEGMENTS}`)).body.value).toEqual([{ id: expect.any(String), ...tcp443('ledger.corp.contoso.example') }]);

    const tags = `/v1.0/servicePrincipals?$filter=tags/any(t:t eq 'NetworkAccessQuickAccessApplication') or tags/any(t:t eq 'PrivateAccessNonWebApplication')&$count=true&$select=displayName`;
    expect((await maya(tags)).body.error.code).toBe('Request_UnsupportedQuery');
    const found = await maya(tags, { headers: { consistencylevel: 'eventual' } });
    expect(found.body.value.map((one: { displayName: string }) => one.displayName).sort()).toEqual(['Build servers', 'Domain admin jump host', 'Finance reports', 'HR archive', 'Ledger', 'Payroll', 'Quick Access']);
    expect(directory.logged()).toEqual(expect.arrayContaining(['Add application', 'Add service principal', 'Update application']));
  });

  test('are published by who administers both applications and Global Secure Access', async () => {
    directory.user('Ben Novak').directoryRoles = ['Cloud Application Administrator', 'Global Secure Access Administrator'];
    directory.user('Priya Raman').directoryRoles = ['Application Administrator'];
    for (const name of ['Ben Novak', 'Priya Raman', 'Ana Costa']) {
      const answer = await directory.as(name, ...SCOPES)(`/beta/applications/${objectId('Payroll')}/${SEGMENTS}`, { body: tcp443('pay2.corp.contoso.example') });
      expect(answer.status, name).toBe(403);
    }
    expect((await directory.asApp('Application.Read.All')(`/beta/applications/${objectId('Payroll')}/${SEGMENTS}`, { body: tcp443('pay2.corp.contoso.example') })).status).toBe(403);
    expect((await directory.asApp('Application.ReadWrite.All')(`/beta/applications/${objectId('Payroll')}/${SEGMENTS}`, { body: tcp443('pay2.corp.contoso.example') })).status).toBe(201);
  });

  test.each<[string, () => string, () => object]>([
    ['made', () => TEMPLATE, () => ({ displayName: 'Mine' })],
    ['published', () => `/beta/applications/${objectId('Payroll')}`, () => ({ onPremisesPublishing: {} })],
    ['given connectors', () => `/beta/applications/${objectId('Payroll')}/connectorGroup/$ref`, () => ({})],
    ['given destinations', () => `/beta/applications/${objectId('Payroll')}/${SEGMENTS}`, () => tcp443('a.contoso.example')],
    ['opened to everybody', () => `/v1.0/servicePrincipals/${principalId('Payroll')}`, () => ({ appRoleAssignmentRequired: false })],
    ['given a group', () => `/v1.0/servicePrincipals/${principalId('Payroll')}/appRoleAssignedTo`, () => ({ principalId: directory.group('Engineering').id, resourceId: principalId('Payroll'), appRoleId: USER_ROLE })],
  ])('are not %s by somebody who has every permission and no role', async (what, path, body) => {
    const method = { published: 'PATCH', 'opened to everybody': 'PATCH', 'given connectors': 'PUT' }[what] ?? 'POST';
    const before = JSON.stringify(directory.tenant);
    expect(await directory.as('Ana Costa', ...SCOPES)(path(), { method, body: body() })).toMatchObject({ status: 403, body: { error: { code: 'Authorization_RequestDenied' } } });
    expect(JSON.stringify(directory.tenant)).toBe(before);
  });

  test.each([
    ['the same name and port', tcp443('fin-rep.corp.contoso.example')],
    ['the same name in capitals', tcp443('FIN-REP.corp.contoso.example')],
    ['a wildcard over it', tcp443('*.corp.contoso.example')],
    ['a range of ports around it', { ...tcp443('fin-rep.corp.contoso.example'), ports: ['400-500'] }],
    ['a name under another application’s wildcard', { ...tcp443('agent1.build.corp.contoso.example'), ports: ['1-65535'] }],
    ['an address in another application’s network', { destinationHost: '10.20.0.9', destinationType: 'ipAddress', ports: ['22-22'], protocol: 'tcp,udp' }],
    ['a network around it', { destinationHost: '10.20.0.0/16', destinationType: 'ipRangeCidr', ports: ['1-65535'], protocol: 'tcp' }],
    ['a range of addresses that touches it', { destinationHost: '10.19.0.1-10.20.0.0', destinationType: 'ipRange', ports: ['22-22'], protocol: 'tcp' }],
  ])('do not overlap: %s', async (_what, segment) => {
    const answer = await maya(`/beta/applications/${objectId('HR archive')}/${SEGMENTS}`, { body: segment });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'ApplicationSegmentOverlap' } } });
    expect(directory.tenant.applications.find((one) => one.displayName === 'HR archive')?.segments).toHaveLength(1);
  });

  test.each([
    ['another port', { ...tcp443('fin-rep.corp.contoso.example'), ports: ['8443-8443'] }],
    ['another protocol', { ...tcp443('fin-rep.corp.contoso.example'), protocol: 'udp' }],
    ['a name beside it', tcp443('fin-rep2.corp.contoso.example')],
    ['what Quick Access covers', tcp443('wiki.corp.contoso.example')],
    ['a range of addresses beside it', { destinationHost: '10.20.1.0..10.20.1.9', destinationType: 'ipRange', ports: ['22-22'], protocol: 'tcp' }],
  ])('may have %s', async (_what, segment) => {
    expect((await maya(`/beta/applications/${objectId('HR archive')}/${SEGMENTS}`, { body: segment })).status).toBe(201);
  });

  test.each([
    ['a port alone', { ports: ['443'] }],
    ['port 0', { ports: ['0-443'] }],
    ['a port above 65535', { ports: ['443-65536'] }],
    ['ports the wrong way round', { ports: ['500-400'] }],
    ['no port', { ports: [] }],
    ['another protocol', { protocol: 'icmp' }],
    ['a NetBIOS name', { destinationHost: 'finrep' }],
    ['a scheme', { destinationHost: 'https://fin.contoso.example' }],
    ['an address as a name', { destinationHost: '10.1.2.3' }],
    ['a network that is none', { destinationHost: '10.1.2.0/33', destinationType: 'ipRangeCidr' }],
    ['a suffix outside Quick Access', { destinationHost: 'corp.contoso.example', destinationType: 'dnsSuffix' }],
    ['an unknown type', { destinationType: 'ip' }],
    ['an unknown property', { colour: 'red' }],
  ])('are refused %s', async (_what, change) => {
    const answer = await maya(`/beta/applications/${objectId('HR archive')}/${SEGMENTS}`, { body: { ...tcp443('new.corp.contoso.example'), ...change } });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'Request_BadRequest' } } });
  });

  test('change and lose a segment', async () => {
    const path = `/beta/applications/${objectId('Finance reports')}/${SEGMENTS}`;
    const [segment] = (await maya(path)).body.value as readonly { readonly id: string }[];
    expect((await maya(`${path}/${segment?.id}`, { method: 'PATCH', body: { protocol: 'tcp,udp' } })).status).toBe(204);
    expect((await maya(`${path}/${segment?.id}`)).body.protocol).toBe('tcp,udp');
    expect((await maya(`${path}/${segment?.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await maya(`${path}/${segment?.id}`)).status).toBe(404);
  });

  test('take a group once, in a role that they declare', async () => {
    const [resourceId, groupId] = [principalId('Finance reports'), directory.group('Finance team').id];
    const assign = (body: unknown, send = maya) => send(`/v1.0/servicePrincipals/${resourceId}/appRoleAssignedTo`, { body });
    const wish = { principalId: groupId, resourceId, appRoleId: USER_ROLE };
    expect((await assign({ ...wish, appRoleId: NO_ROLE })).status).toBe(400);
    expect((await assign({ ...wish, resourceId: principalId('Payroll') })).status).toBe(400);
    expect((await assign({ ...wish, principalId: NO_ROLE })).status).toBe(404);
    const made = await assign(wish);
    expect(made).toMatchObject({ status: 201, body: { principalType: 'Group', principalDisplayName: 'Finance team', resourceDisplayName: 'Finance reports', createdDateTime: expect.any(String) } });
    expect((await assign(wish)).body.error.message).toBe('Permission being assigned already exists on the object');
    expect((await maya(`/v1.0/groups/${groupId}/appRoleAssignments`)).body.value.map((one: { resourceDisplayName: string }) => one.resourceDisplayName).sort()).toEqual(['Finance planning', 'Finance reports']);
    expect(directory.logged()).toContain('Add app role assignment to group');
    expect((await maya(`/v1.0/servicePrincipals/${resourceId}/appRoleAssignedTo/${made.body.id}`, { method: 'DELETE' })).status).toBe(204);

    const without = { principalId: groupId, resourceId: principalId('Contoso Travel') };
    expect((await maya(`/v1.0/groups/${groupId}/appRoleAssignments`, { body: { ...without, appRoleId: USER_ROLE } })).status).toBe(400);
    expect((await maya(`/v1.0/groups/${groupId}/appRoleAssignments`, { body: { ...without, appRoleId: NO_ROLE } })).status).toBe(201);
  });

  test('are assigned with both permissions, and an administrator’s role', async () => {
    const resourceId = principalId('Finance reports');
    const body = { principalId: directory.group('Finance team').id, resourceId, appRoleId: USER_ROLE };
    const path = `/v1.0/servicePrincipals/${resourceId}/appRoleAssignedTo`;
    expect((await directory.as('Maya Lindqvist', 'AppRoleAssignment.ReadWrite.All')(path, { body })).status).toBe(403);
    expect((await directory.as('Maya Lindqvist', 'Application.Read.All')(path, { body })).status).toBe(403);
    expect((await directory.as('Ana Costa', ...SCOPES)(path, { body })).status).toBe(403);
    expect((await directory.as('Maya Lindqvist', 'AppRoleAssignment.ReadWrite.All', 'Application.Read.All')(path, { body })).status).toBe(201);
  });

  test('say whether assignment is required, and change it', async () => {
    const path = `/v1.0/servicePrincipals/${principalId('Payroll')}`;
    expect((await maya(path, { method: 'PATCH', body: { appRoleAssignmentRequired: 'no' } })).status).toBe(400);
    expect((await maya(path, { method: 'PATCH', body: { appRoleAssignmentRequired: false } })).status).toBe(204);
    expect((await maya(`${path}?$select=appRoleAssignmentRequired`)).body.appRoleAssignmentRequired).toBe(false);
    expect(directory.logged()).toEqual(['Update service principal']);
  });

  test('lose a segment alone, not one that is not theirs', async () => {
    const path = `/beta/applications/${objectId('Build servers')}/${SEGMENTS}`;
    const [first, second] = (await maya(path)).body.value as readonly { readonly id: string }[];
    expect((await maya(`/beta/applications/${objectId('Payroll')}/${SEGMENTS}/${first?.id ?? ''}`, { method: 'DELETE' })).status).toBe(404);
    expect((await directory.as('Ana Costa', ...SCOPES)(`${path}/${first?.id ?? ''}`, { method: 'DELETE' })).status).toBe(403);
    expect((await maya(`${path}/${first?.id ?? ''}`, { method: 'DELETE' })).status).toBe(204);
    expect((await maya(`${path}/${first?.id ?? ''}`, { method: 'DELETE' })).status).toBe(404);
    expect((await maya(path)).body.value.map(({ id }: { id: string }) => id)).toEqual([second?.id]);
    expect(directory.logged()).toEqual(['Update application']);
  });

  test('lose an assignment once, from where it is', async () => {
    const [resourceId, groupId] = [principalId('Finance reports'), directory.group('Finance team').id];
    const made = await maya(`/v1.0/servicePrincipals/${resourceId}/appRoleAssignedTo`, { body: { principalId: groupId, resourceId, appRoleId: USER_ROLE } });
    expect((await maya(`/v1.0/servicePrincipals/${principalId('Payroll')}/appRoleAssignedTo/${made.body.id}`, { method: 'DELETE' })).status).toBe(404);
    const path = `/v1.0/servicePrincipals/${resourceId}/appRoleAssignedTo/${made.body.id}`;
    expect((await directory.as('Ana Costa', ...SCOPES)(path, { method: 'DELETE' })).status).toBe(403);
    expect([(await maya(path, { method: 'DELETE' })).status, (await maya(path, { method: 'DELETE' })).status]).toEqual([204, 404]);
    expect(directory.logged().slice(-1)).toEqual(['Remove app role assignment from group']);
  });

  test('go with their enterprise application and who is assigned to it, each with its entry in the log', async () => {
    const [id, resourceId] = [objectId('Payroll'), principalId('Payroll')];
    const { tenant } = directory;
    const others = tenant.appRoleAssignments.filter((one) => one.resourceId !== resourceId).length;
    const own = tenant.appRoleAssignments.length - others;
    expect(own).toBeGreaterThan(0);
    expect((await directory.as('Ana Costa', ...SCOPES)(`/v1.0/applications/${id}`, { method: 'DELETE' })).status).toBe(403);
    expect((await maya(`/v1.0/applications/${id}`, { method: 'DELETE' })).status).toBe(204);
    for (const path of [`/v1.0/applications/${id}`, `/v1.0/servicePrincipals/${resourceId}`, `/v1.0/servicePrincipals/${resourceId}/appRoleAssignedTo`]) expect((await maya(path)).status, path).toBe(404);
    expect((await maya(`/v1.0/applications/${id}`, { method: 'DELETE' })).status).toBe(404);
    expect(tenant.appRoleAssignments).toHaveLength(others);
    expect(directory.logged()).toEqual(['Delete application', ...Array.from({ length: own }, () => 'Remove app role assignment from group'), 'Remove service principal']);
    expect((await maya(`/v1.0/groups/${directory.group('Payroll-Operator-SecureAccess').id}/appRoleAssignments`)).body.value).toEqual([]);
  });

  test('Quick Access stays the only one', async () => {
    const made = await maya(TEMPLATE, { body: { displayName: 'Another' } });
    const body = { onPremisesPublishing: { applicationType: 'quickaccessapp', isAccessibleViaZTNAClient: true } };
    expect((await maya(`/beta/applications/${made.body.application.id}`, { method: 'PATCH', body })).status).toBe(400);
  });

  test('connectors are read by people alone, in beta', async () => {
    const path = '/onPremisesPublishingProfiles/applicationProxy/connectorGroups';
    expect((await maya(`/beta${path}`)).body.value.map((one: { name: string }) => one.name)).toEqual(['Default', 'EU-1', 'US-1']);
    expect((await maya(`/beta${path}/${connectorGroupId('US-1')}/members`)).body.value.map((one: { status: string }) => one.status)).toEqual(['active', 'inactive']);
    expect((await maya(`/v1.0${path}`)).status).toBe(501);
    expect((await directory.asApp('Directory.ReadWrite.All')(`/beta${path}`)).status).toBe(403);
    expect((await directory.as('Maya Lindqvist', 'Directory.Read.All')(`/beta${path}`)).status).toBe(403);
  });

  test('the network’s state is read by who looks after it', async () => {
    const path = `/beta/networkAccess/forwardingProfiles`;
    expect((await maya('/beta/networkAccess/tenantStatus')).body.onboardingStatus).toBe('onboarded');
    const [profile] = (await maya(`${path}?$filter=trafficForwardingType eq 'private'`)).body.value as readonly { readonly id: string; readonly state: string }[];
    expect(profile?.state).toBe('enabled');
    expect((await maya(`${path}/${profile?.id}`, { method: 'PATCH', body: { state: 'disabled' } })).status).toBe(204);
    expect((await maya(`${path}/${profile?.id}`)).body.state).toBe('disabled');
    expect((await directory.as('Ana Costa', ...SCOPES)(path)).status).toBe(403);
    expect((await directory.asApp('NetworkAccess.Read.All')(path)).status).toBe(200);
    expect((await maya('/v1.0/identity/conditionalAccess/authenticationContextClassReferences')).body.value).toMatchObject([{ id: 'c1', displayName: 'Privileged access' }]);
  });
});
