import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDirectory, type Send } from './testing.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';

describe('objects of the directory', () => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  let maya: Send;
  beforeAll(async () => {
    directory = await startDirectory();
    maya = directory.as('Maya Lindqvist', 'Directory.Read.All');
  });
  afterAll(async () => directory[Symbol.asyncDispose]());

  const principalId = (name: string): string => directory.tenant.servicePrincipals.find(({ displayName }) => displayName === name)?.id ?? '';

  test('are read by id, whatever they are', async () => {
    const read = async (id: string) => (await maya(`/v1.0/directoryObjects/${id}`)).body;
    expect(await read(directory.user('Ana Costa').id)).toMatchObject({ '@odata.type': '#microsoft.graph.user', displayName: 'Ana Costa' });
    expect(await read(directory.group('Engineering').id.toUpperCase())).toMatchObject({ '@odata.type': '#microsoft.graph.group', displayName: 'Engineering' });
    expect(await read(principalId('Payroll'))).toMatchObject({ '@odata.type': '#microsoft.graph.servicePrincipal', displayName: 'Payroll' });
    expect((await maya(`/beta/directoryObjects/${directory.group('Engineering').id}?$select=id`)).body).toEqual({ '@odata.context': expect.stringContaining('directoryObjects/$entity'), '@odata.type': '#microsoft.graph.group', id: directory.group('Engineering').id });
    expect((await directory.as('Maya Lindqvist', 'User.Read.All', 'Group.Read.All')(`/v1.0/directoryObjects/${NOBODY}`)).status).toBe(403);
  });

  test.each(['directoryObjects', 'groups', 'applications', 'servicePrincipals'])('of %s are not there, or not an id at all', async (collection) => {
    const send = directory.as('Maya Lindqvist', 'Directory.Read.All', 'Group.Read.All', 'Application.Read.All');
    expect(await send(`/v1.0/${collection}/${NOBODY}`)).toMatchObject({ status: 404, body: { error: { code: 'Request_ResourceNotFound' } } });
    expect(await send(`/v1.0/${collection}/engineering`)).toMatchObject({ status: 400, body: { error: { code: 'Request_BadRequest', message: `Invalid object identifier 'engineering'.` } } });
  });

  test('people are looked for by any text', async () => {
    expect(await maya('/v1.0/users/engineering')).toMatchObject({ status: 404, body: { error: { code: 'Request_ResourceNotFound' } } });
  });

  test('tell which groups they are in, through other groups too', async () => {
    const [inner, outer, other] = [directory.group('Build team').id, directory.group('Engineering').id, directory.group('Finance team').id];
    const body = { groupIds: [other, outer, inner] };
    const member = directory.tenant.users.find(({ id }) => directory.group('Build team').memberIds.includes(id));
    const asked = (path: string) => maya(`/v1.0${path}/checkMemberGroups`, { body });
    expect((await asked(`/directoryObjects/${member?.id ?? ''}`)).body.value).toEqual([outer, inner]);
    expect((await asked(`/users/${member?.userPrincipalName ?? ''}`)).body.value).toEqual([outer, inner]);
    expect((await asked(`/directoryObjects/${inner}`)).body.value).toEqual([outer]);
    expect((await asked(`/groups/${inner}`)).body.value).toEqual([outer]);
    expect((await asked(`/directoryObjects/${principalId('Payroll')}`)).body.value).toEqual([]);
    expect((await asked(`/directoryObjects/${NOBODY}`)).status).toBe(404);
  });

  test('are asked about at most 20 groups at once', async () => {
    const ask = (count: number) => maya(`/v1.0/directoryObjects/${directory.user('Ana Costa').id}/checkMemberGroups`, { body: { groupIds: Array.from({ length: count }, () => NOBODY) } });
    expect((await ask(20)).status).toBe(200);
    expect(await ask(21)).toMatchObject({ status: 400, body: { error: { code: 'Directory_ResultSizeLimitExceeded' } } });
    expect((await maya(`/v1.0/directoryObjects/${directory.user('Ana Costa').id}/checkMemberGroups`, { body: { groupIds: ['finance'] } })).status).toBe(400);
  });

  test.each([
    ['a person', () => directory.user('Ana Costa').id, ['User.ReadBasic.All', 'GroupMember.Read.All'], 200],
    ['a person', () => directory.user('Ana Costa').id, ['GroupMember.Read.All'], 403],
    ['a person', () => directory.user('Ana Costa').id, ['Application.Read.All'], 403],
    ['a group', () => directory.group('Build team').id, ['GroupMember.Read.All'], 200],
    ['a group', () => directory.group('Build team').id, ['Application.Read.All'], 403],
    ['an application', () => principalId('Payroll'), ['Application.Read.All'], 200],
    ['an application', () => principalId('Payroll'), ['GroupMember.Read.All'], 403],
  ])('%s (%#) is asked about with the permissions for it', async (_what, id, scopes, status) => {
    expect((await directory.as('Maya Lindqvist', ...scopes)(`/v1.0/directoryObjects/${id()}/checkMemberGroups`, { body: { groupIds: [] } })).status).toBe(status);
  });

  test('members and owners are listed as references', async () => {
    const group = directory.group('Engineering');
    const read = directory.as('Maya Lindqvist', 'Group.Read.All');
    expect((await read(`/v1.0/groups/${group.id}/members/$ref`)).body.value).toEqual(group.memberIds.map((id) => ({ '@odata.id': `${directory.url}/v1.0/directoryObjects/${id}` })));
    expect((await read(`/beta/groups/${group.id}/owners/$ref`)).body.value).toEqual(group.ownerIds.map((id) => ({ '@odata.id': `${directory.url}/beta/directoryObjects/${id}` })));
    expect((await read(`/v1.0/groups/${group.id}/members/$ref?$filter=id eq 'x'`)).body.error.code).toBe('Request_UnsupportedQuery');
    expect((await directory.as('Maya Lindqvist', 'Group.ReadBasic.All')(`/v1.0/groups/${group.id}/owners/$ref`)).status).toBe(403);
  });
});
