import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DIRECTORY_TO_PIM_MS, NOW, startDirectory, type Send } from './testing.ts';

const WISH = { displayName: 'FinReport-SeniorAnalyst-SecureAccess', mailNickname: 'FinReport-SeniorAnalyst-SecureAccess', mailEnabled: false, securityEnabled: true, groupTypes: [] };
const EVENTUAL = { headers: { consistencylevel: 'eventual' } };

describe('groups', () => {
  let directory: Awaited<ReturnType<typeof startDirectory>>;
  let maya: Send;
  let ana: Send;
  beforeAll(async () => {
    directory = await startDirectory();
    maya = directory.as('Maya Lindqvist', 'Group.ReadWrite.All');
    ana = directory.as('Ana Costa', 'Group.ReadWrite.All');
  });
  afterAll(async () => directory[Symbol.asyncDispose]());

  const reference = (id: string) => ({ '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` });

  test('are made by key once, and found by it', async () => {
    const path = `/v1.0/groups(uniqueName='gatehouse-finreport')`;
    expect(await maya(path)).toMatchObject({ status: 404, body: { error: { code: 'Request_ResourceNotFound' } } });
    expect((await maya(path, { method: 'PATCH', body: WISH })).status).toBe(404);
    const body = { ...WISH, 'owners@odata.bind': [`${directory.url}/v1.0/users/${directory.user('Omar Haddad').id}`] };
    const made = await maya(path, { method: 'PATCH', body, headers: { prefer: 'create-if-missing' } });
    expect(made).toMatchObject({ status: 201, body: { displayName: WISH.displayName, uniqueName: 'gatehouse-finreport', mailEnabled: false, groupTypes: [] } });
    expect(await maya(path, { method: 'PATCH', body, headers: { prefer: 'create-if-missing' } })).toEqual({ status: 204, body: undefined });
    expect((await maya(path)).body.id).toBe(made.body.id);
    expect(directory.group(WISH.displayName)).toMatchObject({ ownerIds: [directory.user('Omar Haddad').id], onboardedToPimAt: null, knownToPimAt: new Date(NOW.getTime() + DIRECTORY_TO_PIM_MS).toISOString() });
    expect(directory.logged()).toEqual(['Create group', 'Add owner to group']);
  });

  test.each([
    ['no name', { displayName: undefined }, 'A value is required for property \'displayName\''],
    ['a name of 257 characters', { displayName: 'x'.repeat(257) }, '\'displayName\''],
    ['a nickname with a space', { mailNickname: 'Fin Report' }, '\'mailNickname\''],
    ['a nickname with an at sign', { mailNickname: 'fin@report' }, '\'mailNickname\''],
    ['a nickname of 65 characters', { mailNickname: 'x'.repeat(65) }, '\'mailNickname\''],
    ['a nickname beyond ASCII', { mailNickname: 'Lohnbüro' }, '\'mailNickname\''],
    ['an empty description', { description: '' }, '\'description\''],
    ['mail without Unified', { mailEnabled: true }, 'mail-enabled groups'],
    ['a rule without dynamic membership', { membershipRule: 'x' }, '\'membershipRule\''],
    ['an unknown property', { colour: 'red' }, '\'colour\''],
    ['21 relationships', { 'members@odata.bind': Array.from({ length: 21 }, () => `https://graph.microsoft.com/v1.0/users/ID`) }, 'limited to 20'],
  ])('are refused with %s', async (_what, change, message) => {
    const text = JSON.stringify({ ...WISH, ...change }).replaceAll('ID', directory.user('Ana Costa').id);
    const answer = await maya('/v1.0/groups', { body: JSON.parse(text) });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'Request_BadRequest' } } });
    expect(answer.body.error.message).toContain(message);
  });

  test('are made by who administers groups, with the permission for it', async () => {
    expect((await ana('/v1.0/groups', { body: WISH })).status).toBe(403);
    expect((await directory.as('Maya Lindqvist', 'Group.Read.All')('/v1.0/groups', { body: WISH })).status).toBe(403);
    expect((await directory.asApp('Group.Create')('/v1.0/groups', { body: WISH })).status).toBe(201);
    expect((await directory.as('Maya Lindqvist', 'Group.ReadWrite.All')('/v1.0/groups', { body: { ...WISH, isAssignableToRole: true } })).status).toBe(403);
  });

  test('are changed by their owner or who administers groups, unless they come from elsewhere', async () => {
    const group = directory.group('Finance team');
    const change = (send: Send, id = group.id) => send(`/v1.0/groups/${id}`, { method: 'PATCH', body: { description: 'Mine' } });
    expect((await change(ana)).status).toBe(403);
    expect(group.description).not.toBe('Mine');
    group.ownerIds.push(directory.user('Ana Costa').id);
    expect((await change(ana)).status).toBe(204);
    expect((await maya(`/v1.0/groups/${group.id}`)).body.description).toBe('Mine');
    expect(await change(maya, directory.group('CORP-FileShare-Finance').id)).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining('on-premises mastered') } } });
    group.ownerIds.pop();
  });

  test('keep their unique name, and none that holds roles takes one', async () => {
    const path = `/v1.0/groups/${directory.group('Finance team').id}`;
    expect((await maya(path, { method: 'PATCH', body: { uniqueName: 'finance' } })).status).toBe(204);
    expect((await maya(path, { method: 'PATCH', body: { uniqueName: 'other' } })).status).toBe(400);
    expect((await maya(path, { method: 'PATCH', body: { uniqueName: 'finance', description: 'People who count' } })).status).toBe(204);
    expect((await maya(`${path}?$select=id,description`)).body).toEqual({ '@odata.context': expect.any(String), id: directory.group('Finance team').id, description: 'People who count' });
    directory.group('Engineering').isAssignableToRole = true;
    expect((await maya(`/v1.0/groups/${directory.group('Engineering').id}`, { method: 'PATCH', body: { uniqueName: 'engineering' } })).body.error.message).toBe('Value for ArmUniqueName cannot be updated for groups assignable to role.');
    directory.group('Engineering').isAssignableToRole = false;
  });

  test('take a member once, and only one who exists', async () => {
    const { id } = directory.group('Finance team');
    const body = reference(directory.user('Ben Novak').id);
    expect((await maya(`/v1.0/groups/${id}/members/$ref`, { body })).status).toBe(204);
    expect(await maya(`/v1.0/groups/${id}/members/$ref`, { body })).toMatchObject({ status: 400, body: { error: { message: `One or more added object references already exist for the following modified properties: 'members'.` } } });
    expect((await maya(`/v1.0/groups/${id}/members/$ref`, { body: reference('00000000-0000-4000-8000-000000000000') })).status).toBe(404);
    expect((await maya(`/v1.0/groups/${id}/members/${directory.user('Ben Novak').id}`)).status).toBe(200);
    expect((await maya(`/v1.0/groups/${id}/members/${directory.user('Ben Novak').id}/$ref`, { method: 'DELETE' })).status).toBe(204);
    expect((await maya(`/v1.0/groups/${id}/members/${directory.user('Ben Novak').id}`)).body.error).toMatchObject({ code: 'Request_ResourceNotFound', message: expect.stringContaining(id) });
    expect((await ana(`/v1.0/groups/${id}/members/$ref`, { body })).status).toBe(403);
  });

  test('kept elsewhere are not written: dynamic, synchronised, mail-enabled', async () => {
    for (const name of ['All employees', 'CORP-FileShare-Finance', 'Finance announcements']) {
      expect((await maya(`/v1.0/groups/${directory.group(name).id}/members/$ref`, { body: reference(directory.user('Nadia Rahman').id) })).status, name).toBe(400);
    }
  });

  test('keep their last owner', async () => {
    const group = directory.group('Build team');
    const own = `/v1.0/groups/${group.id}/owners`;
    expect((await maya(`${own}/${directory.user('Maya Lindqvist').id}/$ref`, { method: 'DELETE' })).status).toBe(400);
    expect((await maya(`${own}/$ref`, { body: reference(directory.user('Grace Kim').id) })).status).toBe(204);
    // An owner without any directory role may change the group.
    const grace = directory.as('Grace Kim', 'Group.ReadWrite.All');
    expect((await grace(`${own}/${directory.user('Maya Lindqvist').id}/$ref`, { method: 'DELETE' })).status).toBe(204);
    expect(group.ownerIds).toEqual([directory.user('Grace Kim').id]);
  });

  test('show members of one kind, and those inside inner groups', async () => {
    const { id } = directory.group('Engineering');
    expect((await maya(`/v1.0/groups/${id}/members/microsoft.graph.group`)).body.value.map((group: { displayName: string }) => group.displayName)).toEqual(['Build team']);
    const names = (await maya(`/v1.0/groups/${id}/transitiveMembers/microsoft.graph.user?$count=true`, EVENTUAL)).body;
    expect(names['@odata.count']).toBe(6);
    expect(names.value.map((user: { displayName: string }) => user.displayName)).toContain('Mateo Silva');
    expect((await maya(`/v1.0/groups/${id}/members?$filter=displayName eq 'Grace Kim'`)).body.error.code).toBe('Request_UnsupportedQuery');
  });

  test('are searched with the header for it alone, and paged', async () => {
    expect((await maya('/v1.0/groups?$search="displayName:SecureAccess"')).body.error.code).toBe('Request_UnsupportedQuery');
    const found = await maya('/v1.0/groups?$search="displayName:payroll"&$count=true&$orderby=displayName&$select=id,displayName', EVENTUAL);
    expect(found.body).toMatchObject({ '@odata.count': 1, value: [{ displayName: 'Payroll-Operator-SecureAccess' }] });
    const [first, rest] = [await maya('/v1.0/groups?$top=5&$select=displayName'), [] as unknown[]];
    let next = first.body['@odata.nextLink'] as string | undefined;
    while (next !== undefined) {
      const page = await maya(next);
      rest.push(...page.body.value);
      next = page.body['@odata.nextLink'];
    }
    expect(first.body.value.length + rest.length).toBe(directory.tenant.groups.length);
  });

  test('take an owner once, only a person who exists, and only from who may change the group', async () => {
    const group = directory.group('Finance team');
    const own = `/v1.0/groups/${group.id}/owners`;
    const body = reference(directory.user('Ben Novak').id);
    expect((await ana(`${own}/$ref`, { body })).status).toBe(403);
    expect((await maya(`${own}/$ref`, { body })).status).toBe(204);
    expect(await maya(`${own}/$ref`, { body })).toMatchObject({ status: 400, body: { error: { code: 'Request_BadRequest', message: `One or more added object references already exist for the following modified properties: 'owners'.` } } });
    expect((await maya(`${own}/$ref`, { body: reference('00000000-0000-4000-8000-000000000000') })).status).toBe(404);
    expect((await maya(`${own}/$ref`, { body: reference(directory.group('Engineering').id) })).status).toBe(400);
    expect((await maya(`${own}?$select=id`)).body.value.map(({ id }: { id: string }) => id)).toEqual(group.ownerIds);
    expect((await maya(`${own}/${directory.user('Ben Novak').id}/$ref`, { method: 'DELETE' })).status).toBe(204);
    expect((await maya(`${own}/${directory.user('Ben Novak').id}/$ref`, { method: 'DELETE' })).status).toBe(404);
    expect(await maya(`${own}/${directory.user('Maya Lindqvist').id}/$ref`, { method: 'DELETE' })).toMatchObject({ status: 400, body: { error: { message: 'The group must have at least one owner, hence this owner cannot be removed.' } } });
    expect(group.ownerIds).toEqual([directory.user('Maya Lindqvist').id]);
    expect(directory.logged()).toEqual(expect.arrayContaining(['Add owner to group', 'Remove owner from group']));
  });

  describe('go with everything that hangs on them', () => {
    test('policies, schedules and assignments, each assignment with its entry in the log', async () => {
      const { id } = directory.group('QuickAccess-Helpdesk-SecureAccess');
      const { pim } = directory.tenant;
      expect([pim.policies, pim.schedules].map((list) => list.some(({ groupId }) => groupId === id))).toEqual([true, true]);
      const done = pim.requests.filter(({ groupId, status }) => groupId === id && status === 'Provisioned').length;
      const before = directory.logged().length;
      expect((await ana(`/v1.0/groups/${id}`, { method: 'DELETE' })).status).toBe(403);
      expect((await maya(`/v1.0/groups/${id}`, { method: 'DELETE' })).status).toBe(204);
      expect((await maya(`/v1.0/groups/${id}`)).status).toBe(404);
      expect((await maya(`/v1.0/groups/${id}`, { method: 'DELETE' })).status).toBe(404);
      expect(directory.tenant.appRoleAssignments.some(({ principalId }) => principalId === id)).toBe(false);
      expect([pim.policies, pim.schedules].map((list) => list.some(({ groupId }) => groupId === id))).toEqual([false, false]);
      expect(directory.logged().slice(before)).toEqual(['Delete group', 'Remove app role assignment from group']);
      // What was done stays to be read.
      expect(pim.requests.filter(({ groupId }) => groupId === id)).toHaveLength(done);
    });

    test('but those that can hold directory roles only from who manages roles, or an owner', async () => {
      const group = directory.group('Engineering');
      group.isAssignableToRole = true;
      group.ownerIds = [directory.user('Ana Costa').id];
      directory.user('Ben Novak').directoryRoles.push('Groups Administrator');
      const ben = directory.as('Ben Novak', 'Group.ReadWrite.All');
      expect((await ben(`/v1.0/groups/${group.id}`, { method: 'DELETE' })).status).toBe(403);
      group.isAssignableToRole = false;
      expect((await ben(`/v1.0/groups/${group.id}`, { method: 'DELETE' })).status).toBe(204);
      directory.user('Ben Novak').directoryRoles.pop();
    });

    test('requests that wait, with their approvals, also where the group was to be eligible elsewhere', async () => {
      const { tenant } = directory;
      const [payroll, build] = [directory.group('Payroll-Operator-SecureAccess'), directory.group('Build team')];
      const like = tenant.pim.requests.find(({ groupId }) => groupId === payroll.id);
      if (!like) throw new Error('nobody has asked for payroll');
      const ask = (id: string, more: Partial<typeof like>) => tenant.pim.requests.push({ ...like, id, dueAt: '2026-03-02T10:00:00.000Z', ...more });
      ask('waits', { status: 'PendingApproval' });
      ask('later', { status: 'Granted' });
      ask('elsewhere', { groupId: directory.group('Build-Engineer-SecureAccess').id, principalId: build.id, kind: 'eligibility', status: 'Provisioned' });
      ask('another', { groupId: directory.group('HRArchive-Reader-SecureAccess').id, status: 'PendingApproval' });
      for (const id of ['waits', 'another']) tenant.pim.approvals.push({ id, requestId: id, approverUserIds: [], stage: { id, status: 'InProgress', reviewResult: 'NotReviewed', reviewedById: null, reviewedDateTime: null, justification: null } });
      for (const { id } of [payroll, build]) expect((await maya(`/v1.0/groups/${id}`, { method: 'DELETE' })).status).toBe(204);
      expect(tenant.pim.requests.slice(-2).map(({ id, dueAt }) => [id, dueAt])).toEqual([['elsewhere', null], ['another', '2026-03-02T10:00:00.000Z']]);
      expect(tenant.pim.requests.some(({ id }) => id === 'waits' || id === 'later')).toBe(false);
      expect(tenant.pim.approvals.filter(({ id }) => id === 'waits' || id === 'another').map(({ id }) => id)).toEqual(['another']);
      expect(tenant.pim.schedules.some(({ principalId }) => principalId === build.id)).toBe(false);
      expect(tenant.groups.some(({ memberIds }) => memberIds.includes(build.id))).toBe(false);
    });
  });
});
