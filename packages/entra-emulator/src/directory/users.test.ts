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

  describe('hold directory roles', () => {
    const ROLE = '#microsoft.graph.directoryRole';
    type Held = { readonly '@odata.type': string; readonly id: string; readonly displayName: string | null; readonly roleTemplateId?: string | null };
    const rolesIn = (value: readonly Held[]): Held[] => value.filter((one) => one['@odata.type'] === ROLE);
    const MAYAS = [
      ['Privileged Role Administrator', 'e8611ab8-c189-46e8-94e1-60213ab1f814'], ['Groups Administrator', 'fdd7a751-b60b-444a-984c-02652fe8fa1c'],
      ['Application Administrator', '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3'], ['Global Secure Access Administrator', 'ac434307-12b9-4fa1-a708-88bf58caabc1'],
      ['Authentication Administrator', 'c4e39bd9-1100-46d3-8c65-fb160da0071f'],
    ];

    test.each(['v1.0', 'beta'])('which stand among the groups in %s, directly and transitively', async (version) => {
      const maya = directory.as('Maya Lindqvist', 'Directory.Read.All');
      for (const path of ['/me/memberOf', '/me/transitiveMemberOf', `/users/${directory.user('Maya Lindqvist').id}/transitiveMemberOf`]) {
        const { body } = await maya(`/${version}${path}`);
        expect(rolesIn(body.value).map(({ displayName, roleTemplateId }) => [displayName, roleTemplateId]), path).toEqual(MAYAS);
        expect(rolesIn(body.value)[1]).toMatchObject({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), deletedDateTime: null, description: expect.stringContaining('manage groups') });
      }
      const analyst = await directory.as('Mateo Silva', 'Directory.Read.All')(`/${version}/me/transitiveMemberOf`);
      expect([rolesIn(analyst.body.value), analyst.body.value.length > 0]).toEqual([[], true]);
    });

    test('by an id of the tenant’s own, the same for everybody', async () => {
      const tanaka = directory.user('Yuki Tanaka');
      tanaka.directoryRoles.push('Groups Administrator');
      const [one, other] = [await directory.as('Maya Lindqvist', 'Directory.Read.All')('/v1.0/me/memberOf'), await directory.as('Yuki Tanaka', 'Directory.Read.All')('/v1.0/me/memberOf')];
      tanaka.directoryRoles.pop();
      expect(rolesIn(other.body.value)).toEqual([rolesIn(one.body.value)[1]]);
      expect(rolesIn(other.body.value)[0]?.id).not.toBe(rolesIn(other.body.value)[0]?.roleTemplateId);
      const { id } = rolesIn(other.body.value)[0] ?? {};
      expect((await directory.as('Maya Lindqvist', 'User.Read', 'Directory.Read.All')(`/v1.0/me/memberOf/${id ?? ''}`)).body).toMatchObject({ id, displayName: 'Groups Administrator' });
      expect((await directory.as('Ana Costa', 'User.Read')(`/v1.0/me/memberOf/${id ?? ''}`)).status).toBe(404);
    });

    test('but not custom ones, which are assignments alone', async () => {
      const tanaka = directory.user('Yuki Tanaka');
      tanaka.directoryRoles.push('Contoso Access Steward', 'constructor', 'Security Reader');
      const { body } = await directory.as('Yuki Tanaka', 'Directory.Read.All')('/v1.0/me/transitiveMemberOf');
      tanaka.directoryRoles.splice(0);
      expect(rolesIn(body.value).map(({ roleTemplateId }) => roleTemplateId)).toEqual(['5d6b6bb7-de71-4623-b4af-96380a352509']);
    });

    test('page by page, and as selected', async () => {
      const maya = directory.as('Maya Lindqvist', 'Directory.Read.All');
      const found: Held[] = [];
      let next: string | undefined = '/v1.0/me/transitiveMemberOf?$top=3&$select=id,roleTemplateId';
      for (let pages = 0; next !== undefined && pages < 20; pages += 1) {
        const { body } = await maya(next);
        expect(body.value.length).toBeLessThanOrEqual(3);
        found.push(...body.value);
        next = body['@odata.nextLink'];
      }
      expect(rolesIn(found).map((one) => Object.keys(one))).toEqual(MAYAS.map(() => ['@odata.type', 'id', 'roleTemplateId']));
      expect(rolesIn(found).map(({ roleTemplateId }) => roleTemplateId)).toEqual(MAYAS.map(([, id]) => id));
    });

    test('of which a caller that may not read them is told the type and the id alone; of groups as well', async () => {
      const { body } = await directory.as('Maya Lindqvist', 'User.Read')('/v1.0/me/transitiveMemberOf');
      expect(rolesIn(body.value)[0]).toEqual({ '@odata.type': ROLE, id: expect.any(String), deletedDateTime: null, description: null, displayName: null, roleTemplateId: null });
      const mateo = await directory.as('Mateo Silva', 'User.Read', 'GroupMember.Read.All')('/v1.0/me/memberOf');
      expect(mateo.body.value[0].displayName).toEqual(expect.any(String));
      expect((await directory.as('Mateo Silva', 'User.Read')('/v1.0/me/memberOf')).body.value[0]).toMatchObject({ '@odata.type': '#microsoft.graph.group', id: mateo.body.value[0].id, displayName: null });
    });
  });
});
