import { GraphError, outcomeIsUnknown, type Graph } from '@gatehouse/graph';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { PUBLISHED_LIMITS } from '../src/allowance.ts';
import { refusal, startScriptedGraph, type Heard, type Scripted } from './scripted-graph.ts';

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

  test('whose call it is: the background says that it can wait', async () => {
    await using server = await startScriptedGraph(() => ({ json: ana }));
    await server.graph.directory.me();
    await server.graphFor({ priority: 'background' }).directory.me();
    expect(server.heard.map((call) => call.headers['x-ms-throttle-priority'])).toEqual(['High', 'Low']);
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

  test('a person’s call goes ahead of what the background queued before it', async () => {
    let now = 0;
    const sleepers: (() => void)[] = [];
    const timer = { now: () => now, sleep: (): Promise<void> => new Promise((wake) => { sleepers.push(wake); }) };
    const admitted: string[] = [];
    const limits = { ...PUBLISHED_LIMITS, directory: { units: 20, windowMs: 10_000 } };
    await using server = await startScriptedGraph(() => ({ json: ana }), { timer, limits, patience: { of: 'call', ms: 600_000 }, onAdmitted: ({ priority }) => void admitted.push(priority) });
    const background = server.graphFor({ priority: 'background' });
    const jobs = Array.from({ length: 40 }, () => background.directory.me());
    // Of twenty, four are left to people; what is above that waits.
    await Promise.all(jobs.slice(0, 16));
    await Promise.all([1, 2, 3, 4].map(() => server.graph.directory.me()));
    expect(admitted).toEqual([...Array.from({ length: 16 }, () => 'background'), ...Array.from({ length: 4 }, () => 'person')]);
    const late = server.graph.directory.me();
    const pass = (): void => {
      now += 10_000;
      for (const wake of sleepers.splice(0)) wake();
    };
    await Promise.resolve();
    pass();
    await late;
    expect(admitted[20]).toBe('person');
    await Promise.all(jobs.slice(0, 31));
    pass();
    await Promise.all(jobs);
  });

  test('what the background asks of a service that has throttled it waits until the time that was named; people do not', async () => {
    await using server = await startScriptedGraph((call) => (call.path === '/v1.0/organization' ? { status: 429, headers: { 'retry-after': '30' } } : { json: ana }));
    const background = server.graphFor({ priority: 'background', patience: { of: 'call', ms: 10_000 } });
    expect((await failureFrom(background.directory.organization())).failure).toBe('throttled');
    await server.graph.directory.me();
    expect(server.waits).toEqual([]);
    expect(await failureFrom(background.directory.me())).toMatchObject({ failure: 'throttled', details: { sent: false } });
    await server.graphFor({ priority: 'background', patience: { of: 'call', ms: 60_000 } }).directory.me();
    expect(server.waits).toEqual([30_000]);
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

  test('a call until its time is over, each wait obeyed', async () => {
    await using server = await startScriptedGraph(() => ({ status: 503, headers: { 'retry-after': '5' } }));
    expect((await failureFrom(server.graph.directory.me())).failure).toBe('unavailable');
    // 30 s hold five waits of a little more than 5 s.
    expect(server.waits).toEqual([5_125, 5_125, 5_125, 5_125, 5_125]);
    expect(server.heard).toHaveLength(6);
  });

  test('no call of an action when the time of the action is over; it is not sent, and nothing can have come of it', async () => {
    await using server = await startScriptedGraph(() => ({ status: 429, headers: { 'retry-after': '29' } }), { patience: { of: 'action', ms: 30_000 } });
    await failureFrom(server.graph.directory.me());
    const failure = await failureFrom(server.graph.directory.group('g-1'));
    expect(failure).toMatchObject({ failure: 'throttled' });
    expect(server.waits).toEqual([29_125]);
  });

  test('no more in all than the budget gives, whoever asks', async () => {
    await using server = await startScriptedGraph(() => ({ status: 503 }));
    for (let count = 0; count < 20; count += 1) await failureFrom(server.graphFor({}).directory.me());
    // Fifty that were saved up, and 1.3 for each of the twenty calls.
    expect(server.heard.length - 20).toBeLessThanOrEqual(50 + 26);
    expect(server.heard.length - 20).toBeGreaterThan(50);
  });

  test('over a new connection after 503, and over one that is open otherwise', async () => {
    const ports: unknown[] = [];
    const answers = [200, 200, 503, 200, 500, 200];
    await using server = await startScriptedGraph((call) => {
      ports.push(call.port);
      return { status: answers[ports.length - 1] ?? 599, json: ana };
    });
    for (let count = 0; count < 4; count += 1) await server.graph.directory.me();
    expect(ports).toHaveLength(6);
    expect(ports.slice(3).filter((port) => ports.slice(0, 3).includes(port))).toEqual([]);
    expect(ports.slice(3, 5)).toContain(ports[5]);
  });

  test('a PATCH that says what shall be', async () => {
    await using server = await startScriptedGraph([{ status: 503 }, { status: 200 }]);
    await server.graph.pim.updatePolicy('policy-1', rules);
    expect(server.heard.map((call) => call.body)).toEqual([{ rules }, { rules }]);
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

describe('a write that must not be done twice', () => {
  const LOST = ['reset', 'cut', { status: 500 }, { status: 503 }, { status: 504 }, { status: 507 }] as const;
  const writes = (heard: readonly Heard[]): number => heard.filter(({ method }) => method !== 'GET').length;

  test.each(LOST)('is looked for after %o, and taken for done where it is found', async (trouble) => {
    await using server = await startScriptedGraph([trouble, { json: { value: [{ ...received, justification: 'Month end' }] } }]);
    expect(await server.graph.pim.mine.activate(wish)).toMatchObject({ id: 'r-1', status: 'Provisioned' });
    expect(server.heard.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(server.heard[1]?.query).toEqual({ $filter: "groupId eq 'g-1'" });
  });

  test.each(LOST)('is sent again after %o where it is not found', async (trouble) => {
    await using server = await startScriptedGraph([trouble, { json: { value: [] } }, { status: 201, json: received }]);
    expect(await server.graph.pim.mine.activate(wish)).toMatchObject({ id: 'r-1' });
    expect(server.heard.map(({ method }) => method)).toEqual(['POST', 'GET', 'POST']);
  });

  test.each([
    ['of before', { createdDateTime: '2026-03-02T11:57:00Z' }], ['with another reason', { justification: 'Other' }], ['with a ticket', { ticketInfo: { ticketNumber: 'CHG1' } }],
    ['that was taken back', { status: 'Canceled' }], ['that was denied', { status: 'Denied' }], ['that failed', { status: 'Failed' }], ['for another role', { accessId: 'owner' }], ['to end it', { action: 'selfDeactivate' }], ['of another person', { principalId: 'p-2' }],
  ])('is not taken for a request %s', async (_what, other) => {
    await using server = await startScriptedGraph([{ status: 504 }, { json: { value: [{ ...received, justification: 'Month end', id: 'r-0', ...other }] } }, { status: 201, json: received }]);
    expect((await server.graph.pim.mine.activate(wish)).id).toBe('r-1');
  });

  test('is the newer of two that say the same, whichever Graph lists first', async () => {
    const older = { ...received, id: 'r-0', justification: 'Month end', createdDateTime: '2026-03-02T11:59:10.1234567Z' };
    const newer = { ...older, id: 'r-1', createdDateTime: '2026-03-02T12:00:00Z' };
    for (const value of [[older, newer], [newer, older]]) {
      await using server = await startScriptedGraph([{ status: 504 }, { json: { value } }]);
      expect((await server.graph.pim.mine.activate(wish)).id).toBe('r-1');
    }
  });

  test.each(['{"id":', '<html></html>', '{"id":7}'])('is looked for after a 2xx that cannot be read: %s', async (text) => {
    await using done = await startScriptedGraph([{ status: 201, text }, { json: { value: [{ ...received, justification: 'Month end' }] } }]);
    expect((await done.graph.pim.mine.activate(wish)).id).toBe('r-1');
    await using undone = await startScriptedGraph([{ status: 201, text }, { json: { value: [] } }]);
    expect((await failureFrom(undone.graph.pim.mine.activate(wish))).failure).toBe('unexpected');
    expect(writes(undone.heard)).toBe(1);
  });

  test('a page of somebody else is no decision', async () => {
    await using server = await startScriptedGraph([{ status: 200, text: '<html></html>' }, { json: { value: [{ id: 's-1', status: 'InProgress', reviewResult: 'NotReviewed' }] } }]);
    expect((await failureFrom(server.graph.approvals.decide('a-1', 's-1', 'Approve', 'ok'))).failure).toBe('unexpected');
  });

  test('the time left of an action is a whole number of milliseconds to nobody', async () => {
    await using server = await startScriptedGraph([{ status: 429, headers: { 'retry-after': '29' } }, { json: ana }], { random: () => 0.123456789 });
    expect((await server.graph.directory.me()).id).toBe('u-1');
  });

  test('is not sent again while it cannot be looked for', async () => {
    await using server = await startScriptedGraph((call) => (call.method === 'GET' ? { status: 403, json: refusal('Authorization_RequestDenied') } : { status: 504 }));
    expect((await failureFrom(server.graph.pim.mine.activate(wish))).failure).toBe('unavailable');
    expect(writes(server.heard)).toBe(1);
  });

  test('is looked for once more where its repetition is told that it is there', async () => {
    await using server = await startScriptedGraph([
      { status: 504 }, { json: { value: [] } }, { status: 400, json: refusal('RoleAssignmentExists') }, { json: { value: [{ ...received, justification: 'Month end' }] } },
    ]);
    expect((await server.graph.pim.mine.activate(wish)).id).toBe('r-1');
    expect(writes(server.heard)).toBe(2);
  });

  test('and that nobody finds is not called refused: it is not known', async () => {
    await using server = await startScriptedGraph((call) => (call.method === 'GET' ? { json: { value: [] } } : server.heard.length === 1 ? { status: 504 } : { status: 400, json: refusal('RoleAssignmentExists') }));
    const failure = await failureFrom(server.graph.pim.mine.activate(wish));
    expect([failure.failure, outcomeIsUnknown(failure)]).toEqual(['unavailable', true]);
    expect(writes(server.heard)).toBe(2);
  });

  test('a decision is ours where it stands as we said it, with our words', async () => {
    const stage = (justification: string) => ({ json: { value: [{ id: 's-1', status: 'Completed', reviewResult: 'Approved', justification }] } });
    await using ours = await startScriptedGraph([{ status: 504 }, stage('ok')]);
    await ours.graph.approvals.decide('a-1', 's-1', 'Approve', 'ok');
    expect(writes(ours.heard)).toBe(1);
    await using other = await startScriptedGraph([{ status: 504 }, stage('by somebody else'), { status: 409, json: refusal('Conflict') }, stage('by somebody else')]);
    expect((await failureFrom(other.graph.approvals.decide('a-1', 's-1', 'Approve', 'ok'))).failure).toBe('unavailable');
  });

  test('a taking back is done where the request is taken back', async () => {
    await using server = await startScriptedGraph([{ status: 504 }, { json: { value: [{ ...received, status: 'Canceled' }] } }]);
    await server.graph.pim.mine.cancel('r-1');
    expect(writes(server.heard)).toBe(1);
  });

  test('a new application is looked for four times, for the index lags, before another one is made', async () => {
    const servicePrincipal = { id: 'sp-1', appId: 'app-1', displayName: 'Archive' };
    const none = { json: { value: [] } };
    await using late = await startScriptedGraph([{ status: 504 }, none, none, none, { json: { value: [servicePrincipal] } }]);
    expect(await late.graph.applications.instantiate('Archive')).toMatchObject({ servicePrincipalId: 'sp-1', kind: 'per-app' });
    expect(writes(late.heard)).toBe(1);
    await using never = await startScriptedGraph([{ status: 504 }, none, none, none, none, { status: 201, json: { application: { id: 'o-1', appId: 'app-1' }, servicePrincipal } }]);
    expect(await never.graph.applications.instantiate('Archive')).toMatchObject({ servicePrincipalId: 'sp-1' });
    expect(writes(never.heard)).toBe(2);
  });

  test('silence: looked for, and not waited for a third time', async () => {
    await using server = await startScriptedGraph((call) => (call.method === 'GET' ? { json: { value: [] } } : 'silence'), { timeoutMs: 50 });
    expect((await failureFrom(server.graph.pim.mine.activate(wish))).failure).toBe('unavailable');
    expect(server.heard.map(({ method }) => method)).toEqual(['POST', 'GET', 'POST', 'GET']);
  });
});

describe('a batch', () => {
  const inBatch = (call: Heard) => z.object({ requests: z.array(z.looseObject({ id: z.string(), method: z.string(), url: z.string() })) }).parse(call.body).requests;
  const groups = ['g-1', 'g-2', 'g-3'].map((id) => ({ id, name: id }));
  const connector = (id: string) => ({ value: [{ id, machineName: `machine-${id}`, status: 'active' }] });
  const connectorGroups = (rest: (call: Heard) => Scripted) => (call: Heard): Scripted => (call.method === 'GET' && call.path.endsWith('/connectorGroups') ? { json: { value: groups } } : rest(call));
  const named = async (graph: Graph) => (await graph.applications.connectorGroups()).map(({ id, connectors }) => [id, connectors.map((one) => one.id)]);

  test('reads at once, each answer by its id whatever the order', async () => {
    await using server = await startScriptedGraph(connectorGroups((call) => ({ json: { responses: inBatch(call).map(({ id }) => ({ id, status: 200, headers: {}, body: connector(id) })).toReversed() } })));
    expect(await named(server.graph)).toEqual([['g-1', ['0']], ['g-2', ['1']], ['g-3', ['2']]]);
    expect(server.heard).toHaveLength(2);
    expect(inBatch(server.heard[1] as Heard).every((one) => one['dependsOn'] === undefined)).toBe(true);
  });

  test('has twenty calls at the most', async () => {
    const many = Array.from({ length: 45 }, (_, index) => ({ id: `g-${index}`, name: 'G' }));
    await using server = await startScriptedGraph((call) => (call.method === 'GET' ? { json: { value: many } } : { json: { responses: inBatch(call).map(({ id }) => ({ id, status: 200, body: connector(id) })) } }));
    await server.graph.applications.connectorGroups();
    expect(server.heard.slice(1).map((call) => inBatch(call).length)).toEqual([20, 20, 5]);
  });

  test('what is throttled, failed or missing in it is asked for by itself, no earlier than Graph says; the rest is not asked again', async () => {
    await using server = await startScriptedGraph(connectorGroups((call) => {
      if (call.method === 'GET') return { json: connector(call.path.split('/').at(-2) ?? '') };
      return { json: { responses: [{ id: '0', status: 429, headers: { 'Retry-After': '9' } }, { id: '2', status: 200, body: connector('2') }] } };
    }));
    expect(await named(server.graph)).toEqual([['g-1', ['g-1']], ['g-2', ['g-2']], ['g-3', ['2']]]);
    expect(Math.min(...server.waits)).toBeGreaterThanOrEqual(9_000);
    expect(server.heard.slice(2).map(({ path }) => path.split('/').at(-2)).sort()).toEqual(['g-1', 'g-2']);
  });

  test('an answer in it that has an error in place of its end is no page, and is asked for by itself', async () => {
    await using server = await startScriptedGraph(connectorGroups((call) => {
      if (call.method === 'GET') return { json: connector(call.path.split('/').at(-2) ?? '') };
      return { json: { responses: ['0', '1', '2'].map((id) => ({ id, status: 200, body: id === '1' ? { value: [], ...refusal('UnknownError') } : connector(id) })) } };
    }));
    expect(await named(server.graph)).toEqual([['g-1', ['0']], ['g-2', ['g-2']], ['g-3', ['2']]]);
  });

  test('what is refused in it is refused, and not asked again', async () => {
    await using server = await startScriptedGraph(connectorGroups(() => ({ json: { responses: [0, 1, 2].map((id) => ({ id: String(id), status: 403, body: refusal('Authorization_RequestDenied') })) } })));
    expect(await failureFrom(server.graph.applications.connectorGroups())).toMatchObject({ failure: 'forbidden', details: { code: 'Authorization_RequestDenied' } });
    expect(server.heard).toHaveLength(2);
  });

  const published = { connectorGroupId: 'c-1', displayName: 'Archive' };
  const found = { json: { value: [{ id: 'o-1', appId: 'app-1' }] } };
  test('writes one after the other', async () => {
    await using server = await startScriptedGraph([found, { json: { responses: [{ id: '1', status: 204 }, { id: '0', status: 204 }] } }]);
    await server.graph.applications.publish('app-1', published);
    expect(inBatch(server.heard[1] as Heard)).toMatchObject([{ id: '0', method: 'PATCH', url: '/applications/o-1' }, { id: '1', method: 'PUT', url: '/applications/o-1/connectorGroup/$ref', dependsOn: ['0'], headers: { 'Content-Type': 'application/json' } }]);
  });

  test('goes on with the writes where one of them failed in passing', async () => {
    await using server = await startScriptedGraph([found, { json: { responses: [{ id: '0', status: 503, headers: { 'Retry-After': '5' } }, { id: '1', status: 424 }] } }, { status: 204 }, { status: 204 }]);
    await server.graph.applications.publish('app-1', published);
    expect(server.heard.slice(2).map(({ method }) => method)).toEqual(['PATCH', 'PUT']);
    expect(server.waits).toHaveLength(1);
    expect(server.waits[0]).toBeGreaterThanOrEqual(5_000);
  });

  test('ends at the write that is refused', async () => {
    await using server = await startScriptedGraph([found, { json: { responses: [{ id: '0', status: 403, body: refusal('Authorization_RequestDenied') }, { id: '1', status: 424 }] } }]);
    expect((await failureFrom(server.graph.applications.publish('app-1', published))).failure).toBe('forbidden');
    expect(server.heard).toHaveLength(2);
  });

  const user = (id: string) => ({ ...ana, id });
  const eligible = (graph: Graph, principalId: string) => graph.inOrder.pim.assignEligible({ groupId: 'g-1', principalId, expiry: { startsAt: '2026-03-02T12:00:00Z' }, justification: 'Setup' });
  const assigned = (principalId: string) => ({ ...received, action: 'adminAssign', principalId, justification: 'Setup' });
  const writes = (heard: readonly Heard[]): string[] => heard.flatMap((call) => (call.path.endsWith('$batch') ? inBatch(call).map(({ body }) => (body as { principalId: string }).principalId) : call.method === 'POST' ? [(call.body as { principalId: string }).principalId] : []));

  test('holds the reads that are asked for in one turn, whatever they are; what follows goes in the next', async () => {
    await using server = await startScriptedGraph((call) => ({ json: { responses: inBatch(call).map(({ id, url }) => ({ id, status: 200, body: url.startsWith('/me') ? ana : url.startsWith('/directoryObjects') ? { value: [{ '@odata.type': '#microsoft.graph.user', ...user('u-2') }] } : { value: [] } })) } }));
    const { directory, pim } = server.graph.together;
    const [me, names] = await Promise.all([directory.me(), directory.names(['u-2']), pim.eligibilities('g-1').then(() => Promise.all([directory.nestedGroups('g-1'), directory.owners('g-1')]))]);
    expect([me.id, names.get('u-2')?.displayName]).toEqual(['u-1', 'Ana Costa']);
    expect(server.heard.map((call) => inBatch(call).map(({ method }) => method))).toEqual([['GET', 'POST', 'GET'], ['GET', 'GET']]);
  });

  test('keeps apart what is of another version, and a single one goes as it is', async () => {
    await using server = await startScriptedGraph((call) => ({ json: call.path.endsWith('$batch') ? { responses: inBatch(call).map(({ id }) => ({ id, status: 200, body: { value: [] } })) } : { value: [] } }));
    const { directory, pim } = server.graph.together;
    await Promise.all([pim.onboardedGroups(), pim.eligibilities('g-1'), directory.owners('g-1')]);
    expect(server.heard.map(({ path }) => path)).toEqual(['/v1.0/$batch', '/beta/identityGovernance/privilegedAccess/group/resources']);
  });

  test('holds no write among reads, and no read among writes', async () => {
    await using server = await startScriptedGraph((call) => (call.method === 'GET' ? { json: ana } : { status: 201, json: assigned('u-1') }));
    await Promise.all([server.graph.inOrder.directory.me(), server.graph.inOrder.directory.me(), server.graph.together.pim.removeEligible({ groupId: 'g-1', principalId: 'u-1', justification: 'Setup' }), server.graph.together.pim.removeEligible({ groupId: 'g-1', principalId: 'u-1', justification: 'Setup' })]);
    expect(server.heard.filter(({ path }) => path.endsWith('$batch'))).toEqual([]);
  });

  test('of writes that failed in passing goes on with that one alone, then with the rest together', async () => {
    const answers = [
      { responses: [{ id: '0', status: 201, body: assigned('u-0') }, { id: '1', status: 429, headers: { 'Retry-After': '3' } }, { id: '2', status: 424 }, { id: '3', status: 424 }] },
      assigned('u-1'),
      { responses: [{ id: '0', status: 201, body: assigned('u-2') }, { id: '1', status: 201, body: assigned('u-3') }] },
    ];
    await using server = await startScriptedGraph(answers.map((json) => ({ json })));
    expect((await Promise.all(['u-0', 'u-1', 'u-2', 'u-3'].map((id) => eligible(server.graph, id)))).map(({ principalId }) => principalId)).toEqual(['u-0', 'u-1', 'u-2', 'u-3']);
    expect(writes(server.heard)).toEqual(['u-0', 'u-1', 'u-2', 'u-3', 'u-1', 'u-2', 'u-3']);
    expect(server.waits[0]).toBeGreaterThanOrEqual(3_000);
  });

  test('of writes ends at the first that is refused; those behind it were never sent', async () => {
    await using server = await startScriptedGraph([{ json: { responses: [{ id: '0', status: 201, body: assigned('u-0') }, { id: '1', status: 403, body: refusal('Authorization_RequestDenied') }, { id: '2', status: 424 }] } }]);
    const results = await Promise.allSettled([...Array(25).keys()].map((index) => eligible(server.graph, `u-${index}`)));
    expect(results.slice(0, 3)).toMatchObject([{ status: 'fulfilled' }, { reason: { failure: 'forbidden' } }, { reason: { details: { sent: false } } }]);
    expect(results.at(-1)).toMatchObject({ reason: { details: { sent: false } } });
    expect(server.heard).toHaveLength(1);
  });

  test('of writes whose answer is lost, part or whole, is looked for piece by piece before anything is sent again', async () => {
    const lost = { responses: [{ id: '0', status: 504, body: refusal('UnknownError') }, { id: '1', status: 424 }] };
    for (const first of [{ json: lost }, 'reset'] as const) {
      await using server = await startScriptedGraph((call): Scripted => {
        if (call.path.endsWith('$batch')) return first;
        // The first had been done, the second had not.
        if (call.method === 'GET') return { json: { value: (call.query['$filter'] ?? '').includes("'u-0'") ? [{ ...assigned('u-0'), createdDateTime: '2100-01-01T00:00:00Z' }] : [] } };
        return { status: 201, json: assigned('u-1') };
      });
      expect((await Promise.all(['u-0', 'u-1'].map((id) => eligible(server.graph, id)))).map(({ principalId }) => principalId)).toEqual(['u-0', 'u-1']);
      expect(writes(server.heard)).toEqual(['u-0', 'u-1', 'u-1']);
    }
  });
});

describe('what is not believed', () => {

  test('silence that lasts is listened to twice, for somebody waits behind it', async () => {
    await using server = await startScriptedGraph(() => 'silence', { timeoutMs: 50 });
    expect((await failureFrom(server.graph.directory.me())).failure).toBe('unavailable');
    expect(server.heard).toHaveLength(2);
  });

  test.each([['broken JSON', '{"id":'], ['a page of HTML', '<html></html>'], ['another shape', '{"id":7}'], ['an empty body', '']])('%s in a 200', async (_what, body) => {
    await using server = await startScriptedGraph([{ text: body }]);
    const failure = await failureFrom(server.graph.directory.me());
    expect(failure).toMatchObject({ failure: 'unexpected', details: { requestId: 'graph-1' } });
    expect(server.heard).toHaveLength(1);
    // The whole of it is told apart from the failure, whose message anybody may log.
    expect(server.unreadable).toEqual([{ method: 'GET', path: '/v1.0/me', status: 200, requestId: 'graph-1', body }]);
    if (body !== '') expect(failure.message).not.toContain(body);
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
  const first = server.heard[0]?.headers['client-request-id'];
  expect(server.log).toEqual([
    { method: 'GET', path: '/v1.0/users', status: 503, attempt: 1, durationMs: expect.any(Number), clientRequestId: first, firstRequestId: first, requestId: 'graph-1', failure: 'unavailable (ServiceUnavailable)' },
    { method: 'GET', path: '/v1.0/users', status: 200, attempt: 2, durationMs: expect.any(Number), clientRequestId: server.heard[1]?.headers['client-request-id'], firstRequestId: first, requestId: 'graph-1', failure: undefined },
  ]);
});

describe('a group is ensured', () => {
  const group = { id: 'g-1', displayName: 'FinReport', mailNickname: 'finreport', mailEnabled: false, securityEnabled: true, groupTypes: [], onPremisesSyncEnabled: null, isAssignableToRole: false };
  const wanted = { uniqueName: "fin'report", displayName: 'FinReport', mailNickname: 'finreport', ownerIds: ['u-1'] };
  const missing = { status: 404, json: refusal('Request_ResourceNotFound') };

  test('by creating it under its natural key', async () => {
    await using server = await startScriptedGraph([{ status: 201, json: group }]);
    expect(await server.graph.directory.ensureGroup(wanted)).toMatchObject({ created: true, group: { id: 'g-1', dynamicMembership: false } });
    expect(server.heard).toHaveLength(1);
    expect(server.heard[0]).toMatchObject({
      method: 'PATCH',
      path: "/v1.0/groups(uniqueName='fin''report')",
      headers: { prefer: 'create-if-missing' },
      body: { mailEnabled: false, securityEnabled: true, groupTypes: [], 'owners@odata.bind': [`${server.baseUrl}/v1.0/users/u-1`] },
    });
  });

  test('by reading it, where it was there', async () => {
    await using server = await startScriptedGraph([{ status: 204 }, { json: group }]);
    expect(await server.graph.directory.ensureGroup(wanted)).toMatchObject({ created: false, group: { id: 'g-1' } });
  });

  test('when the answer was lost, once: owners are never named to a group that is there', async () => {
    await using there = await startScriptedGraph(['reset', { json: group }]);
    expect(await there.graph.directory.ensureGroup(wanted)).toMatchObject({ created: true, group: { id: 'g-1' } });
    expect(there.heard.map((call) => call.method)).toEqual(['PATCH', 'GET']);
    await using notThere = await startScriptedGraph(['reset', missing, { status: 201, json: group }]);
    expect(await notThere.graph.directory.ensureGroup(wanted)).toMatchObject({ created: true });
    expect(notThere.heard.map((call) => call.method)).toEqual(['PATCH', 'GET', 'PATCH']);
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
      { id: 'PIM_1', activityDateTime: '2026-03-02T12:00:00.1234567Z', raw: events[0], parsed: expect.objectContaining({ id: 'PIM_1', resultReason: '}],"é' }) },
      { id: '', activityDateTime: '', raw: events[1], parsed: { activityDateTime: null, id: 7 } },
      { id: '', activityDateTime: '', raw: 'null', parsed: null },
    ]);
    expect(server.heard[0]?.query).toEqual({
      $filter: 'activityDateTime ge 2026-03-02T11:00:00Z and activityDateTime le 2026-03-02T12:00:00Z',
      $orderby: 'activityDateTime asc',
      $top: '1000',
    });
    await server.graph.audits.directoryAudits({ from: 'a', to: 'b' }, page.nextLink);
    expect(server.heard[1]?.url).toBe('/v1.0/auditLogs/directoryAudits?$skiptoken=1');
  });

  test('of a page with broken JSON are none, and its whole text is given to whoever keeps it', async () => {
    const text = '{"value":[{"id":"1"},{"id":]}';
    await using server = await startScriptedGraph([{ text }]);
    expect(await server.graph.audits.directoryAudits({ from: 'a', to: 'b' })).toMatchObject({ items: [], unreadable: text });
  });
});

test('a person’s own request is sought among their own', async () => {
  await using server = await startScriptedGraph(() => ({ json: { value: [received] } }));
  expect(await server.graph.pim.mine.request('r-1')).toMatchObject({ id: 'r-1' });
  expect(await server.graph.pim.mine.request('r-2')).toBeUndefined();
  expect(new Set(server.heard.map((call) => call.path))).toEqual(new Set(["/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests/filterByCurrentUser(on='principal')"]));
});
