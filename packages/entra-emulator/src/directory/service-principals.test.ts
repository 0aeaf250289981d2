import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startDirectory, type Send } from './testing.ts';

const USER_ROLE = '18d14569-c3bd-439b-9a66-3a2aee01d14f';
const READER = { id: '11111111-2222-4333-8444-555555555555', displayName: 'Reader', description: 'Reads', value: 'Reader', isEnabled: true, allowedMemberTypes: ['Application'] };

describe('applications and their service principals', () => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  let maya: Send;
  beforeEach(async () => {
    directory = await startDirectory();
    maya = directory.as('Maya Lindqvist', 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All');
  });
  afterEach(async () => directory[Symbol.asyncDispose]());

  const principalId = (name: string): string => directory.tenant.servicePrincipals.find(({ displayName }) => displayName === name)?.id ?? '';

  test('the template of custom applications is in the gallery, and no other', async () => {
    const path = '/v1.0/applicationTemplates';
    expect((await maya(`${path}/8adf8e6e-67b2-4cf2-a259-e3dc5476c621`)).body).toMatchObject({ id: '8adf8e6e-67b2-4cf2-a259-e3dc5476c621', displayName: 'Custom', supportedSingleSignOnModes: expect.any(Array) });
    expect((await maya(`${path}/8adf8e6e-67b2-4cf2-a259-e3dc5476c620`)).status).toBe(404);
    expect((await directory.as('Maya Lindqvist', 'User.Read')(`${path}/8adf8e6e-67b2-4cf2-a259-e3dc5476c621`)).status).toBe(403);
  });

  test('are registered by themselves, and enter the tenant once', async () => {
    const made = await maya('/v1.0/applications', { body: { displayName: 'Ledger API', appRoles: [READER] } });
    expect(made).toMatchObject({ status: 201, body: { displayName: 'Ledger API', signInAudience: 'AzureADMyOrg', tags: [], appRoles: [READER] } });
    const { appId } = made.body;
    expect((await maya(`/v1.0/servicePrincipals(appId='${appId}')`)).status).toBe(404);
    expect(await maya('/v1.0/servicePrincipals', { body: { appId, tags: ['HideApp'] } })).toMatchObject({ status: 201, body: { appId, displayName: 'Ledger API', tags: ['HideApp'], appRoleAssignmentRequired: false, accountEnabled: true, appRoles: [READER] } });
    expect((await maya(`/v1.0/servicePrincipals(appId='${appId}')`)).status).toBe(200);
    expect(await maya('/v1.0/servicePrincipals', { body: { appId } })).toMatchObject({ status: 409, body: { error: { code: 'Request_MultipleObjectsWithSameKeyValue' } } });
    expect(directory.logged()).toEqual(['Add application', 'Add service principal']);
  });

  test.each<[string, string, object, string]>([
    ['an application without a name', 'applications', {}, '\'displayName\''],
    ['an application with an empty name', 'applications', { displayName: ' ' }, '\'displayName\''],
    ['an application with what is unknown', 'applications', { displayName: 'x', colour: 'red' }, '\'colour\''],
    ['an application for other tenants', 'applications', { displayName: 'x', signInAudience: 'AzureADMultipleOrgs' }, '\'signInAudience\''],
    ['a role without an id', 'applications', { displayName: 'x', appRoles: [{ ...READER, id: 'reader' }] }, '\'appRoles\''],
    ['a role for nobody', 'applications', { displayName: 'x', appRoles: [{ ...READER, allowedMemberTypes: [] }] }, '\'allowedMemberTypes\''],
    ['a role for devices', 'applications', { displayName: 'x', appRoles: [{ ...READER, allowedMemberTypes: ['User', 'Device'] }] }, '\'allowedMemberTypes\''],
    ['two roles of one value', 'applications', { displayName: 'x', appRoles: [READER, { ...READER, id: USER_ROLE }] }, 'duplicate value'],
    ['a service principal of nothing', 'servicePrincipals', {}, '\'appId\''],
    ['a service principal of what is not registered', 'servicePrincipals', { appId: USER_ROLE }, 'does not reference a valid application'],
    ['a service principal with what is unknown', 'servicePrincipals', { appId: USER_ROLE, colour: 'red' }, '\'colour\''],
    ['a service principal that is half enabled', 'servicePrincipals', { appId: USER_ROLE, accountEnabled: 'yes' }, '\'accountEnabled\''],
  ])('%s is refused', async (_what, collection, body, message) => {
    const answer = await maya(`/v1.0/${collection}`, { body });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'Request_BadRequest', message: expect.stringContaining(message) } } });
  });

  test.each(['applications', 'servicePrincipals'])('%s are made by who administers applications, with the permission for it', async (collection) => {
    const body = { displayName: 'Mine', appId: USER_ROLE };
    expect((await directory.as('Ana Costa', 'Application.ReadWrite.All')(`/v1.0/${collection}`, { body })).status).toBe(403);
    expect((await directory.as('Maya Lindqvist', 'Application.Read.All')(`/v1.0/${collection}`, { body })).status).toBe(403);
    expect((await directory.asApp('Application.ReadWrite.OwnedBy')(`/v1.0/${collection}`, { body })).status).toBe(400);
  });

  test('are assigned to each other, once, to a role for applications', async () => {
    const [client, resource] = [principalId('Payroll'), principalId('HR archive')];
    directory.tenant.servicePrincipals.find(({ id }) => id === resource)?.appRoles.push({ ...READER, allowedMemberTypes: ['Application'] });
    const path = `/v1.0/servicePrincipals/${client}/appRoleAssignments`;
    const assign = (appRoleId: string) => maya(path, { body: { principalId: client, resourceId: resource, appRoleId } });
    expect((await assign(USER_ROLE)).body.error.message).toContain('was not found on application');
    expect(await assign(READER.id)).toMatchObject({ status: 201, body: { principalType: 'ServicePrincipal', principalDisplayName: 'Payroll', resourceDisplayName: 'HR archive' } });
    expect((await assign(READER.id)).body.error).toMatchObject({ code: 'Request_BadRequest', message: 'Permission being assigned already exists on the object' });
    expect((await maya(path)).body.value).toMatchObject([{ principalId: client, resourceId: resource }]);
    expect((await maya(`/v1.0/servicePrincipals/${resource}/appRoleAssignments`)).body.value).toEqual([]);
    expect((await maya(`/v1.0/servicePrincipals/${resource}/appRoleAssignedTo?$filter=startswith(principalDisplayName,'Pay')`)).body.value).toMatchObject([{ principalDisplayName: 'Payroll' }]);
    expect(directory.logged()).toEqual(['Add app role assignment to service principal']);
  });

  test('are opened to a person as the page of Private Access has it', async () => {
    const resource = principalId('Payroll');
    const body = { principalId: directory.user('Ben Novak').id, principalType: 'User', appRoleId: USER_ROLE, resourceId: resource };
    expect(await maya(`/beta/servicePrincipals/${resource}/appRoleAssignments`, { body })).toMatchObject({ status: 201, body: { principalType: 'User', principalDisplayName: 'Ben Novak', creationTimestamp: expect.any(String) } });
    expect(await maya(`/beta/servicePrincipals/${principalId('HR archive')}/appRoleAssignments`, { body })).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining('principalId') } } });
    expect((await directory.as('Maya Lindqvist', 'AppRoleAssignment.ReadWrite.All')(`/beta/servicePrincipals/${resource}/appRoleAssignments`, { body })).status).toBe(403);
    expect((await directory.as('Ana Costa', 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All')(`/beta/servicePrincipals/${resource}/appRoleAssignments`, { body })).status).toBe(403);
  });
});
