import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOW, startDirectory } from './testing.ts';

const EVENTUAL = { headers: { consistencylevel: 'eventual' } };

describe('people', () => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  beforeAll(async () => { directory = await startDirectory(); });
  afterAll(async () => directory[Symbol.asyncDispose]());

  test('see themselves, and with User.Read nobody else', async () => {
    const ana = directory.as('Ana Costa', 'User.Read');
    expect((await ana('/v1.0/me')).body).toMatchObject({ displayName: 'Ana Costa', jobTitle: 'Financial analyst', userPrincipalName: 'ana.costa@contoso.example' });
    expect((await ana('/v1.0/me')).body).not.toHaveProperty('accountEnabled');
    expect((await ana('/v1.0/me?$select=id,accountEnabled')).body.accountEnabled).toBe(true);
    expect((await ana(`/v1.0/users/${directory.user('Ben Novak').id}`)).status).toBe(403);
    expect((await ana('/v1.0/users')).status).toBe(403);
    expect((await directory.asApp('User.Read.All')('/v1.0/me')).status).toBe(403);
  });

  test('are found by the beginning of a name; basic rights show the basics', async () => {
    const path = '/v1.0/users?$search="displayName:lopez" OR "mail:katar"&$count=true&$orderby=displayName&$top=5&$select=id,displayName,jobTitle';
    const basic = await directory.as('Maya Lindqvist', 'User.ReadBasic.All')(path, EVENTUAL);
    expect(basic.body).toMatchObject({ '@odata.count': 1, value: [{ displayName: 'Katarína Horváthová', jobTitle: null }] });
    const full = await directory.as('Maya Lindqvist', 'Directory.Read.All')(path, EVENTUAL);
    expect(full.body.value[0].jobTitle).toBe('Build engineer');
    expect((await directory.as('Maya Lindqvist', 'User.ReadBasic.All')(path)).body.error.code).toBe('Request_UnsupportedQuery');
  });

  test('are filtered without the header, but not sorted at the same time', async () => {
    const maya = directory.as('Maya Lindqvist', 'User.ReadBasic.All');
    const filter = `$filter=startswith(displayName,'ana')`;
    expect((await maya(`/v1.0/users?${filter}`)).body.value).toHaveLength(1);
    expect((await maya(`/v1.0/users?${filter}&$orderby=displayName`)).body.error.code).toBe('Request_UnsupportedQuery');
  });

  test('are found by the end of an address, through the index alone', async () => {
    const maya = directory.as('Maya Lindqvist', 'User.ReadBasic.All');
    const path = `/v1.0/users?$filter=endsWith(userPrincipalName,'COSTA@contoso.example')&$count=true`;
    expect((await maya(path, EVENTUAL)).body).toMatchObject({ '@odata.count': 1, value: [{ displayName: 'Ana Costa' }] });
    expect((await maya(path)).body.error.code).toBe('Request_UnsupportedQuery');
  });

  test('pages keep what was selected', async () => {
    const maya = directory.as('Maya Lindqvist', 'User.Read.All');
    const first = await maya('/v1.0/users?$top=20&$select=id,department');
    const second = await maya(first.body['@odata.nextLink']);
    expect(second.body.value[0]).toEqual({ id: expect.any(String), department: expect.any(String) });
  });

  test('are probed for one group: directly by key, transitively by check', async () => {
    const [engineering, build] = [directory.group('Engineering').id, directory.group('Build team').id];
    const mateo = directory.user('Mateo Silva').id;
    const own = directory.as('Mateo Silva', 'User.Read', 'GroupMember.Read.All');
    expect((await own(`/v1.0/me/memberOf/${build}?$select=id`)).body).toMatchObject({ '@odata.type': '#microsoft.graph.group', id: build });
    expect((await own(`/v1.0/me/memberOf/${engineering}?$select=id`))).toMatchObject({ status: 404, body: { error: { code: 'Request_ResourceNotFound' } } });
    expect((await own('/v1.0/me/checkMemberGroups', { body: { groupIds: [build, engineering, directory.group('Finance team').id] } })).body.value).toEqual([build, engineering]);
    expect((await own('/v1.0/me/checkMemberGroups', { body: { groupIds: Array.from({ length: 21 }, () => build) } })).status).toBe(400);

    const path = `/v1.0/users/${mateo}/memberOf/${build}?$select=id`;
    expect((await directory.asApp('User.Read.All')(path)).status).toBe(200);
    expect((await directory.asApp('Directory.Read.All')(path)).status).toBe(403);
    expect((await directory.as('Ana Costa', 'User.Read')(path)).status).toBe(403);
  });

  test('are named by id, of whichever kind; unknown ids are left out', async () => {
    const payroll = directory.tenant.servicePrincipals.find(({ displayName }) => displayName === 'Payroll')?.id;
    const ids = [directory.user('Ana Costa').id, directory.group('Finance team').id, payroll, '00000000-0000-4000-8000-000000000000'];
    const maya = directory.as('Maya Lindqvist', 'Directory.Read.All');
    const { body } = await maya('/v1.0/directoryObjects/getByIds', { body: { ids, types: ['user', 'group', 'servicePrincipal'] } });
    expect(body.value.map((one: { '@odata.type': string; displayName: string }) => [one['@odata.type'], one.displayName])).toEqual([['#microsoft.graph.user', 'Ana Costa'], ['#microsoft.graph.group', 'Finance team'], ['#microsoft.graph.servicePrincipal', 'Payroll']]);
    expect((await maya('/v1.0/directoryObjects/getByIds', { body: { ids, types: ['user'] } })).body.value).toHaveLength(1);
    expect((await directory.as('Ana Costa', 'User.ReadBasic.All')('/v1.0/directoryObjects/getByIds', { body: { ids } })).status).toBe(403);
  });

  test('end their own sessions; those of another only an administrator of people', async () => {
    const ben = directory.user('Ben Novak');
    const path = `/v1.0/users/${ben.id}/revokeSignInSessions`;
    expect((await directory.as('Ana Costa', 'User.RevokeSessions.All')(path, { method: 'POST' })).status).toBe(403);
    expect(ben.signInSessionsValidFromDateTime).not.toBe(NOW.toISOString());
    expect((await directory.as('Erik Sandberg', 'User.RevokeSessions.All')(path, { method: 'POST' })).body.value).toBe(true);
    expect(ben.signInSessionsValidFromDateTime).toBe(NOW.toISOString());
    expect((await directory.as('Ana Costa', 'User.RevokeSessions.All')('/v1.0/me/revokeSignInSessions', { method: 'POST' })).status).toBe(200);
  });
});
