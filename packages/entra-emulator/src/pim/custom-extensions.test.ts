import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDirectory, type Send } from '../directory/testing.ts';
import { customExtensionRoutes } from './custom-extensions.ts';
import { legacyPimRoutes } from './legacy.ts';

const PATH = '/beta/identityGovernance/privilegedAccess/customExtensions';
const ID = '7b1a1f0e-3c2d-4e5f-8a9b-0c1d2e3f4a5b';
const WISH = {
  'id': ID, '@odata.type': '#microsoft.graph.roleManagementCustomCalloutExtension', 'displayName': 'Tickets', 'description': 'Asks the desk', 'resourceType': 'entraGroups',
  'endpointConfiguration': { '@odata.type': '#microsoft.graph.httpRequestEndpoint', 'targetUrl': 'https://desk.contoso.example/pim' },
  'authenticationConfiguration': { '@odata.type': '#microsoft.graph.azureAdTokenAuthentication', 'resourceId': `api://desk.contoso.example/${ID}` }, 'customAttributes': [],
};

describe('custom extensions', () => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  let maya: Send;
  beforeAll(async () => {
    directory = await startDirectory([...customExtensionRoutes, ...legacyPimRoutes]);
    maya = directory.as('Maya Lindqvist', 'PrivilegedAccess-CustomExt.ReadWrite.All', 'PrivilegedAccess.ReadWrite.AzureADGroup');
  });
  afterAll(async () => directory[Symbol.asyncDispose]());

  test.each<[string, object, string]>([
    ['no id', { id: undefined }, 'Id property needs to have a GUID value.'], ['an id that is none', { id: '7' }, 'Id property needs to have a GUID value.'], ['no name', { displayName: '' }, "'displayName'"],
    ['an address without encryption', { endpointConfiguration: { targetUrl: 'http://desk.contoso.example/pim' } }, "'endpointConfiguration'"],
    ['a resource of another host', { authenticationConfiguration: { resourceId: `api://evil.example/${ID}` } }, 'The resourceId is not present'],
    ['a resource without the client id', { authenticationConfiguration: { resourceId: 'api://desk.contoso.example/desk' } }, 'The resourceId is not present'],
    ['another kind of resource', { resourceType: 'mailboxes' }, "'resourceType'"], ['a word that is not known', { colour: 'red' }, "'colour'"],
  ])('with %s are refused', async (_what, change, message) => {
    expect(await maya(PATH, { body: { ...WISH, ...change } })).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining(message) } } });
  });

  test('are made once, read, changed and removed', async () => {
    expect(await maya(PATH, { body: WISH })).toMatchObject({ status: 201, body: { id: ID, displayName: 'Tickets' } });
    expect((await maya(PATH, { body: WISH })).status).toBe(400);
    expect((await maya(`${PATH}?$filter=resourceType eq 'entraRoles'`)).body.value).toEqual([]);
    expect((await maya(`${PATH}/${ID}`, { method: 'PATCH', body: { displayName: 'Desk' } })).status).toBe(204);
    expect((await maya(`${PATH}/${ID}`, { method: 'PATCH', body: { endpointConfiguration: { targetUrl: 'http://x' } } })).status).toBe(400);
    expect((await maya(`${PATH}/${ID}`)).body).toMatchObject({ displayName: 'Desk', endpointConfiguration: { targetUrl: 'https://desk.contoso.example/pim' } });
    expect((await maya(`${PATH}/${ID}`, { method: 'DELETE' })).status).toBe(204);
    expect((await maya(`${PATH}/${ID}`)).status).toBe(404);
  });

  test('take a permission and a role', async () => {
    expect((await directory.as('Maya Lindqvist', 'PrivilegedAccess-CustomExt.Read.All')(PATH, { body: WISH })).status).toBe(403);
    expect((await directory.as('Ana Costa', 'PrivilegedAccess-CustomExt.ReadWrite.All')(PATH, { body: WISH })).status).toBe(403);
    expect((await directory.as('Maya Lindqvist', 'PrivilegedAccess-CustomExt.Read.All')(PATH)).status).toBe(200);
  });

  test('the legacy interface lists what PIM manages, and registers a group once and for all', async () => {
    const resources = '/beta/privilegedAccess/aadGroups/resources';
    const team = directory.group('Finance team');
    const listed = async (): Promise<string[]> => (await maya(resources)).body.value.map(({ externalId }: { externalId: string }) => externalId);
    expect(await listed()).not.toContain(team.id);
    expect((await maya(`${resources}/register`, { body: { externalId: team.id } })).status).toBe(204);
    expect(await listed()).toContain(team.id);
    expect((await maya(`${resources}/register`, { body: { externalId: team.id } })).status).toBe(204);
    expect((await listed()).filter((id) => id === team.id)).toHaveLength(1);
    expect((await maya(`${resources}/register`, { body: {} })).status).toBe(400);
    expect((await maya(`${resources}/register`, { body: { externalId: '00000000-0000-4000-8000-000000000000' } })).status).toBe(404);
    expect((await maya('/beta/privilegedAccess/aadRoles/resources')).status).toBe(404);
    expect((await directory.as('Ana Costa', 'PrivilegedAccess.ReadWrite.AzureADGroup')(`${resources}/register`, { body: { externalId: directory.group('Build team').id } })).status).toBe(403);
    expect((await directory.asApp('PrivilegedAccess.ReadWrite.AzureADGroup')(resources)).status).toBe(403);
  });
});
