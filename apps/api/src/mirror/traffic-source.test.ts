import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { GraphError, type TrafficLog } from '@gatehouse/graph';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseTraffic, type ReceivedTraffic } from './traffic-event.ts';
import { syncSource } from './sync.ts';
import { ingestTraffic, readTraffic, trafficSource } from './traffic-source.ts';

let db: TestDatabase;
let tenantId: string;
let now: Date;
beforeAll(async () => { db = await testDatabase(); });
afterAll(async () => { await db[Symbol.asyncDispose](); });
beforeEach(() => {
  tenantId = randomUUID();
  now = new Date('2026-03-02T12:00:00.000Z');
});

const at = (text: string): string => new Date(text).toISOString();
const row = (transactionId: string, createdDateTime: string, more: Readonly<Record<string, unknown>> = {}): ReceivedTraffic => ({
  transactionId, createdDateTime,
  raw: JSON.stringify({ transactionId, createdDateTime, action: 'allow', operationStatus: 'success', trafficType: 'private', userId: 'U-1', userPrincipalName: 'Ana@contoso.example', destinationFQDN: 'FIN-rep.corp.', destinationIp: null, destinationPort: 443, applicationSnapshot: { appId: 'APP-1' }, ...more }),
});

/** A traffic log of small pages, as the port answers it; `onPage` can break a page. */
function trafficLog(rows: (ReceivedTraffic & { readonly visibleFrom?: string })[], { size = 2, onPage = async () => {} }: { size?: number; onPage?: (page: number) => Promise<void> } = {}) {
  const windows: { from: string; to: string }[] = [];
  let pages = 0;
  const traffic: TrafficLog = {
    async privateTraffic(window, nextLink) {
      if (nextLink === undefined) windows.push(window);
      pages += 1;
      await onPage(pages);
      const found = rows
        .filter((one) => new Date(one.visibleFrom ?? one.createdDateTime) <= now && new Date(one.createdDateTime) >= new Date(window.from) && new Date(one.createdDateTime) <= new Date(window.to))
        .sort((one, other) => (one.createdDateTime < other.createdDateTime ? -1 : 1));
      const start = Number(nextLink ?? 0);
      return { items: found.slice(start, start + size), nextLink: start + size < found.length ? String(start + size) : undefined };
    },
  };
  return { traffic, windows, pages: () => pages };
}

async function sync({ traffic }: { traffic: TrafficLog }): Promise<{ state: string; added: number }> {
  const { state, added } = await syncSource({ db, clock: { now: () => now }, tenantId, log: pino({ level: 'silent' }) }, trafficSource({ appGraph: { traffic } }));
  return { state, added };
}
const source = async () => (await db.pool.query(`SELECT * FROM sync_source WHERE tenant_id = $1 AND source = 'traffic'`, [tenantId])).rows[0];
const stored = async () => (await db.pool.query<Record<string, unknown>>('SELECT * FROM network_connection WHERE tenant_id = $1 ORDER BY created_at, event_id', [tenantId])).rows;
const ids = async (): Promise<unknown[]> => (await stored()).map(({ event_id: id }) => id);

test('the first reading takes what Microsoft still keeps, each row as it was sent', async () => {
  const log = trafficLog([row('old', '2026-01-31T11:59:59Z'), row('edge', '2026-01-31T12:00:00.1234567Z'), row('t-2', '2026-02-20T10:00:00Z', { action: 'block' }), row('t-3', '2026-03-02T11:59:00Z')]);
  expect(await sync(log)).toEqual({ state: 'read', added: 3 });
  const [edge, refused] = await stored();
  expect(edge).toMatchObject({
    event_id: 'edge', source: 'traffic', created_at_raw: '2026-01-31T12:00:00.1234567Z', user_id: 'u-1', user_principal_name: 'Ana@contoso.example', action: 'allow', destination_host: 'fin-rep.corp', destination_ip: null, destination_port: 443,
    application_id: 'app-1', application_by: 'log', raw: row('edge', '2026-01-31T12:00:00.1234567Z').raw, received_at: now,
  });
  expect(refused).toMatchObject({ action: 'block' });
  expect(await source()).toMatchObject({ watermark: now.toISOString(), complete_from: at('2026-01-31T12:00:00Z'), closed: null, last_error: null, last_success_at: now, events: '3' });
});

test('later readings begin half an hour before the last one ended, and what is known stays as it came', async () => {
  const rows = [row('first', '2026-03-02T11:50:00Z'), { ...row('late', '2026-03-02T11:45:00Z'), visibleFrom: '2026-03-02T12:05:00Z' }];
  await sync(trafficLog(rows));
  now = new Date('2026-03-02T12:10:00.000Z');
  const log = trafficLog([...rows.slice(1), row('first', '2026-03-02T11:50:00Z', { sentBytes: 9 })]);
  expect(await sync(log)).toEqual({ state: 'read', added: 1 });
  expect(log.windows[0]).toEqual({ from: at('2026-03-02T11:20:00Z'), to: at('2026-03-02T12:10:00Z') });
  expect(await ids()).toEqual(['late', 'first']);
  expect((await stored())[1]?.['raw']).not.toContain('sentBytes');
});

describe('a log that is closed to the portal', () => {
  const forbidden = (message: string) => trafficLog([], { onPage: async () => { throw new GraphError('forbidden', message, { status: 403 }); } });

  test.each([['not-permitted', 'Insufficient privileges', 'NetworkAccess-Reports.Read.All'], ['not-licensed', 'no license', 'licences of the tenant']])('as %s is said to be off, and costs one call an hour', async (closed, message, words) => {
    const log = forbidden(message);
    expect(await sync(log)).toEqual({ state: 'closed', added: 0 });
    expect(await source()).toMatchObject({ closed, last_error: expect.stringContaining(words), watermark: null, last_success_at: null });
    for (let minute = 1; minute < 60; minute += 1) {
      now = new Date(now.getTime() + 60_000);
      expect(await sync(log)).toEqual({ state: 'closed', added: 0 });
    }
    expect(log.pages()).toBe(1);
    now = new Date(now.getTime() + 60_000);
    await sync(log);
    expect(log.pages()).toBe(2);
  });

  test('is read once it is opened, from where it stopped', async () => {
    await sync(trafficLog([row('t-1', '2026-03-02T11:50:00Z')]));
    now = new Date('2026-03-02T12:10:00.000Z');
    await sync(forbidden('Insufficient privileges'));
    expect(await source(), 'what was read stays read').toMatchObject({ closed: 'not-permitted', watermark: at('2026-03-02T12:00:00Z') });
    now = new Date('2026-03-02T13:10:00.000Z');
    expect(await sync(trafficLog([row('t-2', '2026-03-02T12:05:00Z')]))).toEqual({ state: 'read', added: 1 });
    expect(await source()).toMatchObject({ closed: null, last_error: null, complete_from: at('2026-01-31T12:00:00Z') });
  });

  test('is not what a link of a later page says that has become too old', async () => {
    await sync(trafficLog([]));
    now = new Date('2026-03-02T12:10:00.000Z');
    const log = trafficLog([1, 2, 3, 4, 5].map((n) => row(`t-${n}`, '2026-03-02T12:05:00Z')), { onPage: async (page) => { if (page % 2 === 0) throw new GraphError('unexpected', 'expired', { status: 410 }); } });
    await expect(sync(log)).rejects.toThrow(GraphError);
    expect(await source()).toMatchObject({ closed: null });
  });

  test('for longer than Microsoft keeps it leaves a gap that stays', async () => {
    await sync(trafficLog([]));
    now = new Date('2026-04-10T12:00:00.000Z');
    await sync(trafficLog([]));
    expect((await db.pool.query('SELECT from_at, to_at, closed_how FROM sync_gap WHERE tenant_id = $1 AND cause = $2', [tenantId, 'outage'])).rows).toContainEqual({ from_at: new Date('2026-03-02T12:00:00Z'), to_at: new Date('2026-03-11T12:00:00Z'), closed_how: 'lost' });
  });
});

test('two that read at once: one reads, and each row is there once', async () => {
  const gate = Promise.withResolvers<undefined>();
  const slow = trafficLog([row('t-1', '2026-03-02T11:50:00Z')], { onPage: async () => { await gate.promise; } });
  const first = sync(slow);
  await expect.poll(async () => (await source())?.last_started_at).toEqual(now);
  expect(await sync(trafficLog([row('t-1', '2026-03-02T11:50:00Z')]))).toEqual({ state: 'busy', added: 0 });
  gate.resolve(undefined);
  expect(await first).toEqual({ state: 'read', added: 1 });
});

test('the same row twice, at once and with another time, is there once', async () => {
  const taken = await Promise.all([1, 2, 3].map(async (n) => {
    const connection = await db.pool.connect();
    try {
      const { transactionId: id, createdDateTime: activityDateTime, raw } = row('t-1', `2026-0${n}-02T11:50:00Z`);
      return (await ingestTraffic(connection, { tenantId, receivedAt: now, events: [readTraffic({ id, activityDateTime, raw }, now)] })).added;
    } finally {
      connection.release();
    }
  }));
  expect(taken.toSorted()).toEqual([0, 0, 1]);
  expect(await stored()).toHaveLength(1);
});

test('where the log names no application, the one whose segments take the destination is kept; another port takes none', async () => {
  const application = (appId: string, kind: string, segments: unknown[]) => db.prisma.catalogApplication.create({ data: { tenantId, servicePrincipalId: randomUUID(), appId, displayName: appId, kind, assignmentRequired: true, segments: segments as [], readAt: now } });
  await application('fin', 'per-app', [{ host: 'fin-rep.corp', ports: ['443', '3380-3390'], protocol: 'tcp' }]);
  await application('quick', 'quick-access', [{ host: '*.corp', ports: ['443'], protocol: 'tcp' }, { host: '10.1.0.0/16', ports: ['22'], protocol: 'tcp' }]);
  for (const twin of ['twin-1', 'twin-2']) await application(twin, 'per-app', [{ host: 'shared.corp', ports: ['22'], protocol: 'tcp' }]);
  const to = (id: string, more: Readonly<Record<string, unknown>>) => row(id, '2026-03-02T11:50:00Z', { applicationSnapshot: null, ...more });
  await sync(trafficLog([
    to('a', {}), to('b', { destinationPort: 3389 }), to('c', { destinationPort: 22 }), to('d', { destinationFQDN: 'other.corp' }), to('e', { destinationFQDN: null, destinationIp: '10.1.2.3', destinationPort: 22 }),
    to('f', { destinationFQDN: 'shared.corp', destinationPort: 22 }), to('g', { destinationPort: null }), to('h', { applicationSnapshot: { appId: 'own' } }),
  ], { size: 20 }));
  expect((await stored()).map((one) => [one['event_id'], one['application_id'], one['application_by']])).toEqual([
    ['a', 'fin', 'segments'], ['b', 'fin', 'segments'], ['c', null, null], ['d', 'quick', 'segments'], ['e', 'quick', 'segments'], ['f', null, null], ['g', null, null], ['h', 'own', 'log'],
  ]);
});

test('whatever a row says, it is kept: what is dirty is null', () => {
  const parse = (raw: string, received: Partial<ReceivedTraffic> = {}) => parseTraffic({ transactionId: 't-1', createdDateTime: '2026-03-02T11:50:00.1234567Z', raw, ...received }, '2026-03-02T12:00:00.000000Z');
  const nothing = { userId: null, userPrincipalName: null, action: 'other', host: null, ip: null, port: null, applicationId: null };
  for (const raw of ['', '[]', '"x"', '{"action":5,"userId":{},"destinationPort":"443","applicationSnapshot":"x"}', '{"destinationPort":70000,"applicationSnapshot":{}}']) expect(parse(raw)).toEqual({ id: 't-1', at: '2026-03-02T11:50:00.123456Z', atRaw: '2026-03-02T11:50:00.1234567Z', ...nothing, raw });
  expect(parse('{"createdDateTime":"yesterday"}', { createdDateTime: '' })).toMatchObject({ at: '2026-03-02T12:00:00.000000Z', atRaw: 'yesterday' });
  const actionOf = (action: string, operationStatus = 'success') => parse(JSON.stringify({ action, operationStatus })).action;
  expect(['allow', 'Allowed', 'block', 'denied', 'bypass', 'alert', 'unknownFutureValue'].map((word) => actionOf(word))).toEqual(['allow', 'allow', 'block', 'block', 'other', 'other', 'other']);
  expect(actionOf('allow', 'failure'), 'allowed and then failed reached nothing for sure').toBe('other');
  expect(parse('{"applicationSnapshot":{"appId":"00000000-0000-0000-0000-000000000000"},"userPrincipalName":"a\\u0000b"}')).toMatchObject({ applicationId: null, userPrincipalName: 'a\uFFFDb' });
});
