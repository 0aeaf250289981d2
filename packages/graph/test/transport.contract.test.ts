import { GraphError } from '@gatehouse/graph';
import { describe, expect, test } from 'vitest';
import { refusal, startScriptedGraph } from './scripted-graph.ts';

const wish = { principalId: 'p-1', groupId: 'g-1', startsAt: '2026-03-02T12:00:00Z', duration: 'PT1H', justification: 'Month end' };
const received = { id: 'r-1', action: 'selfActivate', status: 'Provisioned', principalId: 'p-1', groupId: 'g-1', accessId: 'member', createdDateTime: '2026-03-02T12:00:00Z' };
const ana = { id: 'u-1', displayName: 'Ana Costa', userPrincipalName: 'ana.costa@contoso.example', jobTitle: null };
const rules = [{ id: 'Expiration_EndUser_Assignment', maximumDuration: 'PT1H' }];

const failureFrom = async (promise: Promise<unknown>): Promise<GraphError> => {
  const outcome = await promise.then(() => undefined, (error: unknown) => error);
  expect(outcome).toBeInstanceOf(GraphError);
  return outcome as GraphError;
};

describe('what is sent', () => {
  test('a bearer token, an id of its own for each attempt, and never a cookie', async () => {
    await using server = await startScriptedGraph([{ status: 503, headers: { 'set-cookie': 'stick=1' } }, { json: ana }]);
    await server.graph.directory.me();
    const [first, second] = server.heard;
    expect(first?.headers.authorization).toBe('Bearer token-1');
    expect(first?.headers['client-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(second?.headers['client-request-id']).not.toBe(first?.headers['client-request-id']);
    expect(second?.headers.cookie).toBeUndefined();
  });

  test('the token is asked for anew on every attempt', async () => {
    let count = 0;
    await using server = await startScriptedGraph([{ status: 503 }, { json: ana }], { token: async () => `token-${(count += 1)}` });
    await server.graph.directory.me();
    expect(server.heard.map((call) => call.headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  test('without a token nothing is sent, and why there is none is kept', async () => {
    await using server = await startScriptedGraph([], { token: () => Promise.reject(new GraphError('step-up-needed', 'x', { claims: '{}' })) });
    expect(await failureFrom(server.graph.directory.me())).toMatchObject({ failure: 'step-up-needed', details: { claims: '{}' } });
    expect(server.heard).toEqual([]);
  });

  test('values are quoted for OData and encoded for the address', async () => {
    await using server = await startScriptedGraph(() => ({ json: { value: [] } }));
    await server.graph.directory.groupByMailNickname("o'neil & co?$top=5#/x");
    expect(server.heard[0]?.query).toEqual({ $filter: "mailNickname eq 'o''neil & co?$top=5#/x'", $top: '1', $select: expect.any(String) });
    await server.graph.directory.searchUsers(' say "hi" \\ https://x ', 5);
    expect(server.heard[1]).toMatchObject({
      path: '/v1.0/users',
      query: { $search: '"displayName:say \\"hi\\" \\\\ https://x" OR "mail:say \\"hi\\" \\\\ https://x"', $count: 'true', $top: '5' },
      headers: { consistencylevel: 'eventual' },
    });
  });

  test('an id cannot lead to another address', async () => {
    await using server = await startScriptedGraph(() => ({ status: 404, json: refusal('Request_ResourceNotFound') }));
    await server.graph.directory.group("../users/u-1?x='#");
    expect(server.heard[0]?.url).toMatch(/^\/v1\.0\/groups\/\.\.%2Fusers%2Fu-1%3Fx%3D'%23\?/);
    for (const id of ['..', '.', '']) expect((await failureFrom(server.graph.directory.isMember('u-1', id))).failure).toBe('not-found');
    expect(server.heard).toHaveLength(1);
  });
});

describe('what is repeated', () => {
  test('a throttled call, no earlier than Graph says', async () => {
    await using server = await startScriptedGraph([{ status: 429, headers: { 'retry-after': '7' } }, { json: ana }]);
    expect((await server.graph.directory.me()).displayName).toBe('Ana Costa');
    expect(server.waits).toEqual([7_125]);
  });

  test('a throttled POST, for nothing was done', async () => {
    await using server = await startScriptedGraph([{ status: 429, headers: { 'retry-after': '1' } }, { status: 201, json: received }]);
    expect((await server.graph.pim.mine.activate(wish)).status).toBe('Provisioned');
    expect(server.heard).toHaveLength(2);
  });

  test('not a call that is to wait longer than a person would', async () => {
    await using server = await startScriptedGraph([{ status: 429, headers: { 'retry-after': '120' }, json: refusal('TooManyRequests') }]);
    expect(await failureFrom(server.graph.directory.me())).toMatchObject({ failure: 'throttled', details: { retryAfterMs: 120_000 } });
    expect(server.waits).toEqual([]);
  });

  test.each(['reset', 'cut', { status: 503 }, { status: 504 }, { status: 500 }] as const)('a GET after %o, with growing waits', async (trouble) => {
    await using server = await startScriptedGraph([trouble, trouble, trouble, { json: ana }]);
    expect((await server.graph.directory.me()).id).toBe('u-1');
    expect(server.waits).toEqual([500, 1_000, 2_000]);
  });

  test('a call at most four times', async () => {
    await using server = await startScriptedGraph(() => ({ status: 503 }));
    expect((await failureFrom(server.graph.directory.me())).failure).toBe('unavailable');
    expect(server.heard).toHaveLength(4);
  });

  test.each(['reset', 'cut', { status: 500 }, { status: 503 }, { status: 504 }] as const)('never a POST after %o: it may have been done', async (trouble) => {
    await using server = await startScriptedGraph([trouble, { status: 201, json: received }]);
    expect((await failureFrom(server.graph.pim.mine.activate(wish))).failure).toBe('unavailable');
    expect(server.heard).toHaveLength(1);
  });

  test('a PATCH that says what shall be, and not one that decides', async () => {
    await using server = await startScriptedGraph([{ status: 503 }, { status: 200 }, { status: 503 }, { status: 204 }]);
    await server.graph.pim.updatePolicy('policy-1', rules);
    expect(server.heard.map((call) => call.body)).toEqual([{ rules }, { rules }]);
    expect((await failureFrom(server.graph.approvals.decide('a-1', 's-1', 'Approve', 'ok'))).failure).toBe('unavailable');
    expect(server.heard).toHaveLength(3);
  });

  test('a policy that is gone after a lost answer is not called missing: the lost one may have moved it', async () => {
    await using server = await startScriptedGraph([{ status: 504 }, { status: 404, json: refusal('ResourceNotFound') }, { status: 404, json: refusal('ResourceNotFound') }]);
    expect((await failureFrom(server.graph.pim.updatePolicy('policy-1', rules))).failure).toBe('unavailable');
    expect((await failureFrom(server.graph.pim.updatePolicy('policy-1', rules))).failure).toBe('not-found');
  });

  test('nothing that Graph refuses', async () => {
    for (const status of [400, 401, 403, 404, 409, 501]) {
      await using server = await startScriptedGraph(() => ({ status, json: refusal('Whatever') }));
      await failureFrom(server.graph.directory.me());
      expect(server.heard).toHaveLength(1);
    }
  });
});

describe('what is not believed', () => {
  test('silence: the attempt ends, and a POST is not sent again', async () => {
    await using server = await startScriptedGraph(() => 'silence', { timeoutMs: 50 });
    expect((await failureFrom(server.graph.pim.mine.activate(wish))).failure).toBe('unavailable');
    expect(server.log).toMatchObject([{ method: 'POST', failure: 'timeout', attempt: 1 }]);
  });

  test('silence that lasts is listened to twice, for somebody waits behind it', async () => {
    await using server = await startScriptedGraph(() => 'silence', { timeoutMs: 50 });
    expect((await failureFrom(server.graph.directory.me())).failure).toBe('unavailable');
    expect(server.heard).toHaveLength(2);
  });

  test.each([
    ['broken JSON', { text: '{"id":' }],
    ['a page of HTML', { text: '<html></html>' }],
    ['another shape', { json: { id: 7 } }],
    ['an empty body', { text: '' }],
  ])('%s in a 200', async (_what, answer) => {
    await using server = await startScriptedGraph([answer]);
    expect((await failureFrom(server.graph.directory.me())).failure).toBe('unexpected');
    expect(server.heard).toHaveLength(1);
  });

  test('a redirect is not followed', async () => {
    await using other = await startScriptedGraph(() => ({ json: ana }));
    await using server = await startScriptedGraph([{ status: 302, headers: { location: `${other.baseUrl}/v1.0/me` } }]);
    expect((await failureFrom(server.graph.directory.me())).failure).toBe('unexpected');
    expect(other.heard).toEqual([]);
  });

  test('a next page on another host gets neither call nor token', async () => {
    await using other = await startScriptedGraph(() => ({ json: { value: [] } }));
    for (const link of [`${other.baseUrl}/v1.0/x`, 'https://graph.microsoft.com/v1.0/x', '/v1.0/x', 'nonsense']) {
      await using server = await startScriptedGraph([{ json: { value: [], '@odata.nextLink': link } }]);
      expect((await failureFrom(server.graph.pim.mine.requests())).failure).toBe('unexpected');
      expect((await failureFrom(server.graph.audits.directoryAudits({ from: 'a', to: 'b' }, link))).failure).toBe('unexpected');
      expect(server.heard).toHaveLength(1);
    }
    expect(other.heard).toEqual([]);
  });

  test('pages that go in a circle', async () => {
    await using server = await startScriptedGraph((_call, baseUrl) => ({ json: { value: [], '@odata.nextLink': `${baseUrl}/v1.0/again` } }));
    expect((await failureFrom(server.graph.pim.mine.requests())).failure).toBe('unexpected');
    expect(server.heard).toHaveLength(2);
  });
});

describe('lists', () => {
  test('pages are followed as they are given, with the consistency of the first', async () => {
    const next = "/v1.0/servicePrincipals?$skiptoken=a%2Bb%3D%3D&$skiptoken=2&b&$select=id";
    const application = (id: string) => ({ id, appId: `app-${id}`, displayName: id, tags: ['PrivateAccessNonWebApplication'], accountEnabled: true, appRoleAssignmentRequired: true, appRoles: [] });
    await using server = await startScriptedGraph((call, baseUrl) =>
      call.url.includes('skiptoken') ? { json: { value: [application('2')] } } : { json: { value: [application('1')], '@odata.nextLink': `${baseUrl}${next}` } },
    );
    expect((await server.graph.applications.privateAccess()).map((found) => found.displayName)).toEqual(['1', '2']);
    expect(server.heard[1]?.url).toBe(next);
    expect(server.heard.map((call) => call.headers.consistencylevel)).toEqual(['eventual', 'eventual']);
  });

  test('an empty page with a link is not the end', async () => {
    await using server = await startScriptedGraph((call, baseUrl) =>
      call.url.includes('page=2') ? { json: { value: [received] } } : { json: { value: [], '@odata.nextLink': `${baseUrl}/v1.0/x?page=2` } },
    );
    expect(await server.graph.pim.mine.requests()).toHaveLength(1);
  });

  test('a page that breaks off with an error is not a page: it is asked for again, and refused when it stays so', async () => {
    const brokenOff = { json: { value: [received], error: { code: 'UnknownError', message: 'failed in the middle' } } };
    await using once = await startScriptedGraph([brokenOff, { json: { value: [received, { ...received, id: 'r-2' }] } }]);
    expect(await once.graph.pim.mine.requests()).toHaveLength(2);
    await using always = await startScriptedGraph(() => brokenOff);
    expect((await failureFrom(always.graph.pim.mine.requests())).failure).toBe('unavailable');
    expect((await failureFrom(always.graph.audits.directoryAudits({ from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' }))).failure).toBe('unavailable');
  });

  test('an error that an item speaks of is the item’s own', async () => {
    const item = { id: 'e-1', activityDateTime: '2026-03-01T10:00:00Z', additionalDetails: [{ key: 'answer', value: '{"error":{"code":"x"}}' }], error: { code: 'y' } };
    await using server = await startScriptedGraph([{ json: { value: [item] } }]);
    expect((await server.graph.audits.directoryAudits({ from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' })).items).toHaveLength(1);
  });

  test('words are read in any casing, and a new status is unknown', async () => {
    await using server = await startScriptedGraph([{ json: { value: [{ ...received, action: 'SelfActivate', accessId: 'Member', status: 'provisioned' }, { ...received, status: 'BrandNew' }] } }]);
    expect(await server.graph.pim.mine.requests()).toMatchObject([{ action: 'selfActivate', accessId: 'member', status: 'Provisioned' }, { status: 'unknown' }]);
  });
});

test('each attempt is logged without body, query or token', async () => {
  await using server = await startScriptedGraph([{ status: 503, json: refusal('ServiceUnavailable') }, { json: { value: [] } }]);
  await server.graph.directory.searchUsers('ana', 5);
  expect(server.log).toEqual([
    { method: 'GET', path: '/v1.0/users', status: 503, attempt: 1, durationMs: expect.any(Number), clientRequestId: server.heard[0]?.headers['client-request-id'], requestId: 'graph-1', failure: 'unavailable (ServiceUnavailable)' },
    { method: 'GET', path: '/v1.0/users', status: 200, attempt: 2, durationMs: expect.any(Number), clientRequestId: server.heard[1]?.headers['client-request-id'], requestId: 'graph-1', failure: undefined },
  ]);
});

describe('a group is ensured', () => {
  const group = { id: 'g-1', displayName: 'FinReport', mailNickname: 'finreport', mailEnabled: false, securityEnabled: true, groupTypes: [], onPremisesSyncEnabled: null, isAssignableToRole: false };
  const wanted = { uniqueName: "fin'report", displayName: 'FinReport', mailNickname: 'finreport', ownerIds: ['u-1'] };
  const missing = { status: 404, json: refusal('Request_ResourceNotFound') };

  test('by creating it under its natural key', async () => {
    await using server = await startScriptedGraph([missing, { status: 201, json: group }]);
    expect(await server.graph.directory.ensureGroup(wanted)).toMatchObject({ created: true, group: { id: 'g-1', dynamicMembership: false } });
    expect(server.heard[1]).toMatchObject({
      method: 'PATCH',
      path: "/v1.0/groups(uniqueName='fin''report')",
      headers: { prefer: 'create-if-missing' },
      body: { mailEnabled: false, securityEnabled: true, groupTypes: [], 'owners@odata.bind': [`${server.baseUrl}/v1.0/users/u-1`] },
    });
  });

  test('by finding it, without a write', async () => {
    await using server = await startScriptedGraph([{ json: group }]);
    expect((await server.graph.directory.ensureGroup(wanted)).created).toBe(false);
    expect(server.heard.map((call) => call.method)).toEqual(['GET']);
  });

  test('when the answer was lost, once', async () => {
    await using server = await startScriptedGraph([missing, 'reset', { status: 204 }, { json: group }]);
    expect(await server.graph.directory.ensureGroup(wanted)).toMatchObject({ created: true, group: { id: 'g-1' } });
  });
});

describe('directory audits', () => {
  test('keep each event’s text as it was received, dirty ones too', async () => {
    const events = [
      '{ "id":"PIM_1", "activityDateTime":"2026-03-02T12:00:00.1234567Z", "resultReason":"}],\\"\\u00e9", "n":12345678901234567890 }',
      '{"activityDateTime":null,"id":7}',
      'null',
    ];
    await using server = await startScriptedGraph((_call, baseUrl) => ({ text: `{"@odata.context":"x","value":[${events.join(',\n')}],"@odata.nextLink":"${baseUrl}/v1.0/auditLogs/directoryAudits?$skiptoken=1"}` }));
    const page = await server.graph.audits.directoryAudits({ from: '2026-03-02T11:00:00Z', to: '2026-03-02T12:00:00Z' });
    expect(page.items).toEqual([
      { id: 'PIM_1', activityDateTime: '2026-03-02T12:00:00.1234567Z', raw: events[0] },
      { id: '', activityDateTime: '', raw: events[1] },
      { id: '', activityDateTime: '', raw: 'null' },
    ]);
    expect(server.heard[0]?.query).toEqual({
      $filter: 'activityDateTime ge 2026-03-02T11:00:00Z and activityDateTime le 2026-03-02T12:00:00Z',
      $orderby: 'activityDateTime asc',
      $top: '1000',
    });
    await server.graph.audits.directoryAudits({ from: 'a', to: 'b' }, page.nextLink);
    expect(server.heard[1]?.url).toBe('/v1.0/auditLogs/directoryAudits?$skiptoken=1');
  });

  test('of a page with broken JSON are unexpected', async () => {
    await using server = await startScriptedGraph([{ text: '{"value":[{"id":"1"},{"id":]}' }]);
    expect((await failureFrom(server.graph.audits.directoryAudits({ from: 'a', to: 'b' }))).failure).toBe('unexpected');
  });
});

test('a person’s own request is sought among their own', async () => {
  await using server = await startScriptedGraph(() => ({ json: { value: [received] } }));
  expect(await server.graph.pim.mine.request('r-1')).toMatchObject({ id: 'r-1' });
  expect(await server.graph.pim.mine.request('r-2')).toBeUndefined();
  expect(new Set(server.heard.map((call) => call.path))).toEqual(new Set(["/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests/filterByCurrentUser(on='principal')"]));
});
