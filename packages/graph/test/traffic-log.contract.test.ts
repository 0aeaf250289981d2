import { GraphError, logClosedBy, type Graph, type RawTraffic } from '@gatehouse/graph';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANA, startTenant } from './emulated-tenant.ts';
import { refusal, startScriptedGraph } from './scripted-graph.ts';

const DAY = { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' };
const errorOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined, (error: unknown) => error);

describe('the traffic log of the emulated tenant', () => {
  let tenant: Awaited<ReturnType<typeof startTenant>>;
  let portal: Graph;
  const control = async (path: string, body: unknown): Promise<unknown> => (await fetch(`${tenant.url}/_emulator/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json();
  const since = async (from: string): Promise<RawTraffic[]> => [...(await portal.traffic.privateTraffic({ from, to: tenant.now().toISOString() })).items];
  beforeAll(async () => {
    tenant = await startTenant();
    portal = await tenant.asPortal();
  });
  afterAll(() => tenant[Symbol.asyncDispose]());

  test('has a row of every attempt, after a while, and of nothing that was only asked about', async () => {
    const began = tenant.now().toISOString();
    expect(await control('connections', { user: ANA, to: 'fin-rep.corp.contoso.example:443' })).toMatchObject({ allowed: false });
    await fetch(`${tenant.url}/_emulator/reach?user=${ANA}&to=payroll.corp.contoso.example:443`);
    expect(await since(began), 'not visible yet').toEqual([]);
    await tenant.advance('PT5S');
    const rows = await since(began);
    expect(rows.map(({ raw }) => JSON.parse(raw) as unknown)).toMatchObject([{ action: 'block', userPrincipalName: ANA, destinationFQDN: 'fin-rep.corp.contoso.example', destinationPort: 443, applicationSnapshot: { appId: expect.any(String) } }]);
    for (const { transactionId, createdDateTime, raw } of rows) expect(JSON.parse(raw)).toMatchObject({ transactionId, createdDateTime });
    expect(rows[0]?.createdDateTime).toMatch(/\.\d{7}Z$/);
    expect(rows[0]?.createdDateTime.slice(0, 23)).toBe(began.slice(0, 23));
  });

  test('is a closed window, oldest first', async () => {
    const all = await since('2026-02-20T00:00:00Z');
    expect(all.length).toBeGreaterThan(10);
    expect(all.map((row) => row.createdDateTime)).toEqual(all.map((row) => row.createdDateTime).toSorted());
    const [first, second] = [all[3]?.createdDateTime ?? '', all[6]?.createdDateTime ?? ''];
    expect((await portal.traffic.privateTraffic({ from: first, to: second })).items.map((row) => row.transactionId)).toEqual(all.slice(3, 7).map((row) => row.transactionId));
  });

  test('is closed to a token that lacks the permission, and to a tenant without a licence; each says which', async () => {
    const ana = await tenant.as(ANA, ['User.Read']);
    expect(logClosedBy(await errorOf(ana.traffic.privateTraffic(DAY)))).toBe('not-permitted');
    await control('settings', { licences: { privateAccess: false } });
    expect(logClosedBy(await errorOf(portal.traffic.privateTraffic(DAY)))).toBe('not-licensed');
    await control('settings', { licences: { privateAccess: true } });
    expect((await portal.traffic.privateTraffic(DAY)).items).toBeInstanceOf(Array);
  });
});

test('a page keeps each row as it was sent, and is followed to the next one', async () => {
  const rows = ['{ "transactionId" : "t-1",  "createdDateTime":"2026-03-01T12:00:00.1234567Z", "sentBytes": 12345678901234567890 }', '{"odd":"\\u0041"}'];
  await using server = await startScriptedGraph((call, baseUrl) => ({ text: `{"value":[${rows.join(' ,\n')}]${call.query['$skiptoken'] === undefined ? `,"@odata.nextLink":"${baseUrl}/beta/networkAccess/logs/traffic?$skiptoken=1"` : ''}}` }));
  const page = await server.graph.traffic.privateTraffic(DAY);
  expect(page.items).toEqual([{ transactionId: 't-1', createdDateTime: '2026-03-01T12:00:00.1234567Z', raw: rows[0] }, { transactionId: '', createdDateTime: '', raw: rows[1] }]);
  expect(server.heard[0]).toMatchObject({
    path: '/beta/networkAccess/logs/traffic', headers: { prefer: 'include-unknown-enum-members' },
    query: { $filter: "trafficType eq 'private' and createdDateTime ge 2026-03-01T00:00:00Z and createdDateTime le 2026-03-02T00:00:00Z", $orderby: 'createdDateTime asc', $top: '1000' },
  });
  expect((await server.graph.traffic.privateTraffic(DAY, page.nextLink)).nextLink).toBeUndefined();
});

test.each([
  ['a permission that is missing', { status: 403, json: refusal('Authorization_RequestDenied', 'Insufficient privileges') }, 'not-permitted'],
  ['a licence that is missing', { status: 403, json: refusal('Forbidden', 'The tenant does not have a license for this feature.') }, 'not-licensed'],
  ['a reason that nobody knows', { status: 404, json: refusal('UnknownError', 'No such thing.') }, 'refused'],
  ['too many questions', { status: 429, json: refusal('TooManyRequests', 'Slow down.') }, undefined],
  ['a token that is not taken', { status: 401, json: refusal('InvalidAuthenticationToken', 'Expired.') }, undefined],
  ['a service that is down', { status: 503, json: refusal('ServiceUnavailable', 'Down.') }, undefined],
] as const)('%s closes the log or does not', async (_what, answer, closed) => {
  await using server = await startScriptedGraph(() => answer);
  expect(logClosedBy(await errorOf(server.graph.traffic.privateTraffic(DAY)))).toBe(closed);
});

test('a page of another shape, and an error that is none of Graph’s, close nothing', async () => {
  await using server = await startScriptedGraph([{ json: { value: 'none' } }]);
  const error = await errorOf(server.graph.traffic.privateTraffic(DAY));
  expect(error).toBeInstanceOf(GraphError);
  expect(logClosedBy(error)).toBeUndefined();
  expect(logClosedBy(new Error('no licence'))).toBeUndefined();
});
