import { randomUUID } from 'node:crypto';
import { GetExceptions } from '@gatehouse/contracts';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../core/actor.ts';
import { belongs, later } from './connections.rules.ts';
import { createConnections } from './connections.service.ts';

let db: TestDatabase;
let ines: Actor;
beforeAll(async () => {
  db = await testDatabase();
  for (const month of ['2026-02-01', '2026-03-01']) await db.pool.query('SELECT ensure_connection_partition($1::date), ensure_audit_partition($1::date)', [month]);
});
afterAll(async () => { await db[Symbol.asyncDispose](); });
beforeEach(() => { ines = { tenantId: randomUUID(), principalId: randomUUID(), name: 'Ines Moreau', upn: 'ines@contoso.example', roles: ['Auditor'], accountId: 'ines', device: null }; });

const day = (time: string): string => `2026-03-02T${time}.000000Z`;
const connections = () => createConnections({ db });
const exceptions = (query: object = {}) => connections().exceptions(ines, GetExceptions.query.parse(query));

async function group(...apps: readonly string[]): Promise<string> {
  const [groupId, tenantId] = [randomUUID(), ines.tenantId];
  await db.prisma.catalogGroup.create({ data: { tenantId, groupId, displayName: `Group of ${apps.join(' and ')}`, readAt: new Date() } });
  for (const appId of apps) {
    const known = await db.prisma.catalogApplication.findFirst({ where: { tenantId, appId } });
    const application = known ?? await db.prisma.catalogApplication.create({ data: { tenantId, servicePrincipalId: randomUUID(), appId, displayName: appId.toUpperCase(), kind: appId === 'web' ? 'enterprise' : 'per-app', assignmentRequired: true, segments: [], readAt: new Date() } });
    await db.prisma.catalogAssignment.create({ data: { tenantId, groupId, servicePrincipalId: application.servicePrincipalId } });
  }
  return groupId;
}

async function activation(groupId: string, provisionedAt: string | null, endedAt: string | null, more: { principalId?: string; expiresAt?: string } = {}): Promise<string> {
  const requestId = randomUUID();
  await db.prisma.activation.create({ data: {
    tenantId: ines.tenantId, requestId, principalId: more.principalId ?? 'ana', principalName: 'Ana Costa', groupId, groupName: 'Group', status: endedAt === null ? 'active' : 'ended', requestedAt: provisionedAt ?? day('09:00:00'),
    provisionedAt, endedAt, expiresAt: more.expiresAt ?? null,
  } });
  return requestId;
}

async function connection(id: string, createdAt: string, applicationId: string | null, more: { userId?: string | null; action?: string; host?: string; port?: number } = {}): Promise<void> {
  await db.pool.query(
    `INSERT INTO network_connection (tenant_id, source, event_id, created_at, created_at_raw, user_id, user_principal_name, action, destination_host, destination_port, application_id, application_by, raw, received_at, batch_id, ordinal)
     VALUES ($1, 'traffic', $2, $3::timestamptz, $3::text, $4, $5, $6, $7, $8, $9::text, CASE WHEN $9::text IS NULL THEN NULL ELSE 'log' END, '{}', $3::timestamptz, 0, 0)`,
    [ines.tenantId, id, createdAt, more.userId === undefined ? 'ana' : more.userId, 'ana@contoso.example', more.action ?? 'allow', more.host ?? 'fin-rep.corp', more.port ?? 443, applicationId],
  );
}

async function read(source: 'traffic' | 'directory', completeFrom: string | null = '2026-02-01T00:00:00.000Z', watermark: string | null = '2026-03-20T00:00:00.000Z', closed: string | null = null): Promise<void> {
  await db.prisma.syncSource.create({ data: { tenantId: ines.tenantId, source, completeFrom, watermark, closed } });
}

const changed = (groupId: string, activityAt: string) => db.prisma.auditEvent.create({ data: { tenantId: ines.tenantId, source: 'directory', eventId: randomUUID(), activityAt, activityAtRaw: activityAt, activity: 'Remove app role assignment from group', kind: 'application-changed', service: 'Core Directory', result: 'success', groupId, raw: '{}', ingestedAt: activityAt, batchId: 0, ordinal: 0 } });

test('hosts of an activation: whoever else, whatever else and whenever else stays out; of the same host one row', async () => {
  await read('traffic');
  const finance = await group('fin', 'web');
  await group('hr');
  const requestId = await activation(finance, day('09:00:00'), day('09:30:00'));
  await connection('before', '2026-03-02T08:59:59.999999Z', 'fin');
  await connection('first', day('09:00:00'), 'fin');
  await connection('last', day('11:00:00'), 'fin');
  await connection('after', '2026-03-02T11:00:00.000001Z', 'fin');
  await connection('rdp', day('09:05:00'), 'fin', { port: 3389 });
  for (const [id, more] of [['ben', { userId: 'ben' }], ['refused', { action: 'block' }], ['unsure', { action: 'other' }]] as const) await connection(id, day('09:10:00'), 'fin', more);
  await connection('hr', day('09:10:00'), 'hr', { host: 'hr-arch.corp' });
  expect(await connections().ofActivation(ines.tenantId, requestId)).toEqual({
    reached: [
      { host: 'fin-rep.corp', port: 443, applicationName: 'FIN', firstAt: day('09:00:00'), lastAt: day('11:00:00'), count: 2 },
      { host: 'fin-rep.corp', port: 3389, applicationName: 'FIN', firstAt: day('09:05:00'), lastAt: day('09:05:00'), count: 1 },
    ],
    cause: null, complete: true, changedSince: false, more: false, coverage: { from: '2026-02-01T00:00:00.000000Z', to: '2026-03-20T00:00:00.000000Z', lastError: null, closed: null },
  });
  expect(await connections().firstAllowed(ines.tenantId, { principalId: 'ANA', groupId: finance.toUpperCase(), entraRequestId: null, provisionedAt: new Date('2026-03-02T09:00:00.001Z'), endedAt: null })).toEqual({ firstAllowedAt: day('09:05:00') });
  expect(await connections().firstAllowed(ines.tenantId, { principalId: 'ana', groupId: finance, entraRequestId: requestId, provisionedAt: null, endedAt: null })).toEqual({ firstAllowedAt: day('09:00:00') });
});

test('a first connection is never claimed before there is one, and not knowing is not none', async () => {
  const finance = await group('fin');
  const asked = { principalId: 'ana', groupId: finance, entraRequestId: null, provisionedAt: new Date(day('09:00:00')), endedAt: new Date(day('09:30:00')) };
  const first = () => connections().firstAllowed(ines.tenantId, asked);
  expect(await first(), 'nobody has read the log').toBeNull();
  await read('traffic', '2026-02-01T00:00:00.000Z', '2026-03-02T09:10:00.000Z');
  for (const [id, time, action] of [['early', '08:59:59', 'allow'], ['refused', '09:10:00', 'block'], ['late', '11:00:01', 'allow']] as const) await connection(id, day(time), 'fin', { action });
  expect(await first()).toEqual({ firstAllowedAt: null });
  expect(await connections().firstAllowed(ines.tenantId, { ...asked, provisionedAt: null }), 'what has not begun').toEqual({ firstAllowedAt: null });
  await db.prisma.syncSource.updateMany({ where: { tenantId: ines.tenantId }, data: { closed: 'not-permitted' } });
  expect(await first(), 'the log was closed').toBeNull();
  await connection('there', day('09:20:00'), 'fin');
  expect(await first(), 'what was read before counts').toEqual({ firstAllowedAt: day('09:20:00') });
});

describe('connections without an activation', () => {
  const ids = async (query: object = {}) => (await exceptions({ list: 'traffic', ...query })).traffic?.rows.map(({ id }) => id);

  test('are those to what PIM-managed groups open, by who was not covered; a page leads to the next one', async () => {
    await read('traffic');
    await read('directory', '2026-01-01T00:00:00.000Z');
    const finance = await group('fin');
    await group('fin', 'pay');
    await db.prisma.catalogApplication.create({ data: { tenantId: ines.tenantId, servicePrincipalId: randomUUID(), appId: 'open', displayName: 'For all', kind: 'per-app', assignmentRequired: false, segments: [], readAt: new Date() } });
    await activation(finance, day('09:00:00'), day('09:30:00'));
    await connection('first-instant', day('09:00:00'), 'fin');
    await connection('covered', day('09:10:00'), 'fin');
    await connection('last-instant', day('11:00:00'), 'fin');
    await connection('before', '2026-03-02T08:59:59.999999Z', 'fin');
    await connection('other-application', day('09:20:00'), 'pay');
    await connection('other-person', day('09:20:00'), 'fin', { userId: 'ben' });
    await connection('after-the-tail', '2026-03-02T11:00:00.000001Z', 'fin');
    for (const [id, application, more] of [['no-group-opens-it', 'open', {}], ['unknown', null, {}], ['refused', 'fin', { action: 'block', userId: 'ben' }], ['nobody', 'fin', { userId: null }]] as const) await connection(id, day('09:20:00'), application, more);
    const all = ['after-the-tail', 'other-person', 'other-application', 'before'];
    expect(await ids()).toEqual(all);
    const walked: unknown[] = [];
    let cursor: string | null = null;
    do {
      const page: NonNullable<Awaited<ReturnType<typeof exceptions>>['traffic']> | null = (await exceptions({ list: 'traffic', limit: 1, ...(cursor !== null && { cursor }) })).traffic;
      walked.push(...page?.rows.map(({ id }) => id) ?? []);
      cursor = page?.nextCursor ?? null;
    } while (cursor !== null);
    expect(walked).toEqual(all);
    expect((await exceptions()).traffic?.rows[1]).toEqual({ id: 'other-person', at: day('09:20:00'), principalId: 'ben', principalName: 'ana@contoso.example', host: 'fin-rep.corp', port: 443, applicationName: 'FIN', groups: ['Group of fin', 'Group of fin and pay'] });
  });

  test('are not what an activation may have opened then: of a group that was changed since or is gone', async () => {
    await read('traffic');
    await read('directory', '2026-01-01T00:00:00.000Z');
    await group('fin');
    const before = await group('pay');
    await activation(before, day('09:00:00'), day('09:30:00'));
    await activation(randomUUID(), day('14:00:00'), day('14:30:00'));
    await connection('once', day('09:10:00'), 'fin');
    await connection('gone', day('14:10:00'), 'fin');
    expect(await ids()).toEqual(['once']);
    await changed(before, day('08:00:00'));
    expect(await ids(), 'a change before says nothing').toEqual(['once']);
    await changed(before, day('12:00:00'));
    expect(await ids()).toEqual([]);
  });

  test('are claimed only where both logs were read, early and late enough', async () => {
    await group('fin');
    for (const time of ['00:00:00', '12:00:00', '23:30:00']) await connection(time, day(time), 'fin');
    expect(await exceptions()).toMatchObject({ traffic: { rows: [], judged: null }, activations: { rows: [], judged: null }, cause: 'not-read' });
    await read('traffic', '2026-03-02T00:00:00.000Z', '2026-03-03T00:00:00.000Z');
    expect(await ids(), 'whether there were activations is not known').toEqual([]);
    await read('directory', '2026-02-28T22:30:00.001Z', '2026-03-03T00:00:00.000Z');
    expect(await exceptions()).toMatchObject({ traffic: { judged: { from: '2026-03-02T00:00:00.001000Z', to: '2026-03-02T23:00:00.000000Z' } }, cause: null });
    expect(await ids()).toEqual(['12:00:00']);
  });
});

describe('activations without a connection', () => {
  const found = async () => (await exceptions({ list: 'activations' })).activations?.rows.map(({ requestId }) => requestId);

  test('are those that are over, and whose person reached nothing of it', async () => {
    await read('traffic');
    const finance = await group('fin');
    await group('hr');
    const unused = await activation(finance, day('09:00:00'), day('09:30:00'));
    await activation(finance, day('12:00:00'), day('12:30:00'));
    const second = await activation(finance, day('15:00:00'), day('15:30:00'));
    await activation(finance, day('18:00:00'), null);
    await activation(await group('web'), day('09:00:00'), day('09:30:00'));
    await connection('used', day('12:10:00'), 'fin');
    await connection('tail', day('11:00:00'), 'hr');
    await connection('refused', day('15:10:00'), 'fin', { action: 'block' });
    await connection('other', day('15:10:00'), 'fin', { userId: 'ben' });
    expect(await found()).toEqual([second, unused]);
    expect((await exceptions({ list: 'activations' })).activations?.rows[0]).toMatchObject({ principalName: 'Ana Costa', applications: ['FIN'], provisionedAt: day('15:00:00'), endedAt: day('15:30:00') });
  });

  test.each([
    ['in the network’s tail', () => connection('x', day('11:00:00'), 'fin')],
    ['that was neither let through nor refused', () => connection('x', day('09:10:00'), 'fin', { action: 'other' })],
    ['to an application that nobody knows', () => connection('x', day('09:10:00'), 'gone')],
    ['to a destination without an application', () => connection('x', day('09:10:00'), null)],
    ['of a person whom the log does not name', () => connection('x', day('09:10:00'), 'fin', { userId: null })],
  ])('are not claimed where there is one %s', async (_what, make) => {
    await read('traffic');
    await activation(await group('fin'), day('09:00:00'), day('09:30:00'));
    expect(await found()).toHaveLength(1);
    await make();
    expect(await found()).toEqual([]);
  });

  test('are not claimed where the group’s applications were changed since, nor where the log was not read for the whole time', async () => {
    const finance = await group('fin');
    await activation(finance, day('09:00:00'), day('09:30:00'));
    expect(await found()).toEqual([]);
    await read('traffic', '2026-03-02T09:00:00.000Z', '2026-03-02T11:30:00.000Z');
    expect(await found()).toHaveLength(1);
    const source = (data: object) => db.prisma.syncSource.updateMany({ where: { tenantId: ines.tenantId }, data });
    await source({ completeFrom: '2026-03-02T09:00:00.001Z' });
    expect(await found()).toEqual([]);
    await source({ completeFrom: '2026-03-02T09:00:00.000Z', watermark: '2026-03-02T11:29:59.999Z' });
    expect(await found()).toEqual([]);
    await source({ watermark: '2026-03-02T11:30:00.000Z' });
    await changed(finance, day('10:00:00'));
    expect(await found()).toEqual([]);
  });
});

test('the database and the rules are of one mind, whatever happened', async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.record({ who: fc.constantFrom('ana', 'ben'), app: fc.constantFrom('fin', 'hr'), minute: fc.integer({ min: 0, max: 400 }), length: fc.integer({ min: 5, max: 60 }) }), { maxLength: 4 }),
    fc.array(fc.record({ who: fc.constantFrom('ana', 'ben'), app: fc.constantFrom('fin', 'hr'), minute: fc.integer({ min: 0, max: 600 }) }), { maxLength: 6 }),
    async (activations, attempts) => {
      ines = { ...ines, tenantId: randomUUID() };
      await read('traffic');
      await read('directory', '2026-01-01T00:00:00.000Z');
      const groups = { fin: await group('fin'), hr: await group('hr') };
      const made: { requestId: string; app: string; principalId: string; provisionedAt: string; endedAt: string; expiresAt: null }[] = [];
      for (const { who, app, minute, length } of activations) {
        const [provisionedAt, endedAt] = [later(day('00:00:00'), minute), later(day('00:00:00'), minute + length)];
        made.push({ requestId: await activation(groups[app], provisionedAt, endedAt, { principalId: who }), app, principalId: who, provisionedAt, endedAt, expiresAt: null });
      }
      const tried = attempts.map(({ who, app, minute }, index) => ({ id: `c-${index}`, userId: who, applicationId: app, at: later(day('00:00:00'), minute) }));
      for (const { id, at, applicationId, userId } of tried) await connection(id, at, applicationId, { userId });
      const { traffic, activations: unused } = await exceptions();
      expect(traffic?.rows.map(({ id }) => id).toSorted()).toEqual(tried.filter((one) => !made.some((each) => belongs(one, each, new Set([each.app])))).map(({ id }) => id).toSorted());
      expect(unused?.rows.map(({ requestId }) => requestId).toSorted()).toEqual(made.filter((each) => !tried.some((one) => belongs(one, each, new Set([each.app])))).map(({ requestId }) => requestId).toSorted());
    },
  ), { numRuns: 15 });
});

test('a cursor of another list is refused, and one without its list', async () => {
  await expect(exceptions({ list: 'traffic', cursor: 'zzz' })).rejects.toMatchObject({ code: 'invalid-request' });
  expect(GetExceptions.query.safeParse({ cursor: 'abc' }).success).toBe(false);
});
