import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { GraphError, type Graph, type Schedule, type ScheduleInstance, type ScheduleRequest } from '@gatehouse/graph';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inTransaction, withConnection } from '../database.ts';
import { ingest } from '../ingest.ts';
import { ANA, FINANCE, pimEvent } from '../testing.ts';
import { changesOf, dated, observe, stateText, type Change, type Reading, type Seen, type Telling } from './observations.ts';
import { membershipsOf, readMemberships, requestsOf, schedulesOf } from './reading.ts';

type Span = readonly [startsAt: string | null, endsAt: string | null];
const periods = (...list: readonly Span[]): string => stateText({ periods: list.map(([startsAt, endsAt]) => ({ startsAt, endsAt })) });
const day = (n: number): string => `2026-03-${String(n).padStart(2, '0')}T00:00:00.000000Z`;

describe('what differs', () => {
  test('is what is new, what is otherwise, and what is gone', () => {
    const known = [{ kind: 'group', thing: 'a', state: '{"x":1}' }, { kind: 'group', thing: 'b', state: '{"x":1}' }, { kind: 'group', thing: 'c', state: null }, { kind: 'group', thing: 'd', state: '{"x":1}' }] as const;
    const found: Seen[] = [{ kind: 'group', thing: 'a', groupId: 'a', state: '{"x":1}' }, { kind: 'group', thing: 'b', groupId: 'b', state: '{"x":2}' }, { kind: 'group', thing: 'e', groupId: 'e', state: '{"x":1}' }];
    expect(changesOf(known, found).map(({ thing, state, before }) => [thing, before, state])).toEqual([['b', '{"x":1}', '{"x":2}'], ['e', undefined, '{"x":1}'], ['d', '{"x":1}', null]]);
  });

  test('the same state is the same text, whatever the order of its keys', () => {
    expect(stateText({ b: 1, a: { d: [2, 1], c: 'x\u0000' } })).toBe(stateText({ a: { c: 'x\uFFFD', d: [2, 1] }, b: 1 }));
  });
});

describe('from when a change holds', () => {
  const eligible = (state: string | null, before?: string | null): Change => ({ kind: 'eligible', thing: 'g/p/direct', groupId: 'g', principalId: 'p', applicationId: null, state, before });
  const event = (n: number, more: Partial<Telling> = {}): Telling => ({ id: `e${n}`, at: day(n), kind: 'eligible-removed', subjectId: 'p', groupId: 'g', applicationId: null, requestId: null, ...more });
  const between = (events: readonly Telling[] = []) => ({ notBefore: day(3), observedAt: day(9), events });

  test('is Entra’s word where it has one', () => {
    expect(dated(eligible(periods([day(1), day(20)])), between())).toMatchObject({ validFrom: day(1), validTo: day(20), basis: 'entra' });
    expect(dated(eligible(null, periods([day(1), day(5)])), between([event(4)])), 'its time was over').toMatchObject({ validFrom: day(5), basis: 'entra' });
  });

  test('is the one event that tells of it, between the two readings and about the same person', () => {
    const removed = eligible(null, periods([day(1), null]));
    expect(dated(removed, between([event(2), event(6), event(7, { subjectId: 'q' }), event(8, { groupId: 'h' }), event(5, { kind: 'activated' })]))).toMatchObject({ validFrom: day(6), basis: 'event', eventId: 'e6' });
  });

  test('is somewhere between, where several or none tell of it', () => {
    const removed = eligible(null, periods([day(1), null]));
    expect(dated(removed, between([event(5), event(7)]))).toMatchObject({ validFrom: day(7), basis: 'observed', eventId: null, notBefore: day(5) });
    expect(dated(removed, between())).toMatchObject({ validFrom: day(9), basis: 'observed', notBefore: day(3) });
    expect(dated(eligible(periods([null, null])), { ...between([event(5)]), notBefore: null }), 'never looked at before').toMatchObject({ validFrom: day(9), basis: 'observed', notBefore: null });
  });
});

describe('from when a schedule or a request is as it is', () => {
  const change = (kind: Change['kind'], state: object | null, before?: object): Change => ({ kind, thing: 'g/p/r1', groupId: 'g', principalId: 'p', applicationId: null, state: state && stateText(state), before: before && stateText(before) });
  const told = (n: number, requestId: string | null, kind: Telling['kind'] = 'other'): Telling => ({ id: `e${n}`, at: day(n), kind, subjectId: 'p', groupId: 'g', applicationId: null, requestId });
  const between = { notBefore: day(3), observedAt: day(9), events: [] as Telling[] };

  test.each<readonly [string, Change, { readonly notBefore?: null; readonly events?: readonly Telling[] }, object]>([
    ['a schedule: when it was made', change('eligibility-schedule', { createdAt: day(4), endsAt: day(30) }), {}, { validFrom: day(4), validTo: day(30), basis: 'entra' }],
    ['one that says to be older than the look that did not find it: since then', change('eligibility-schedule', { createdAt: day(2), endsAt: null }), {}, { validFrom: day(9), validTo: null, basis: 'observed', notBefore: day(3) }],
    ['one that was there at the first look: when it was made', change('assignment-schedule', { createdAt: day(2), endsAt: null }), { notBefore: null }, { validFrom: day(2), basis: 'entra' }],
    ['other dates: the event that tells of them', change('eligibility-schedule', { createdAt: day(1), endsAt: day(30) }, { createdAt: day(1), endsAt: day(20) }), { events: [told(5, null, 'eligible-added')] }, { validFrom: day(5), validTo: day(30), basis: 'event', eventId: 'e5' }],
    ['gone when its time was over: then', change('assignment-schedule', null, { endsAt: day(5) }), {}, { validFrom: day(5), validTo: null, basis: 'entra' }],
    ['gone before its time: between the readings', change('assignment-schedule', null, { endsAt: day(20) }), {}, { validFrom: day(9), basis: 'observed', notBefore: day(3) }],
    ['a request that Entra is done with: since it is', change('assignment-request', { createdAt: day(1), completedAt: day(4) }, { createdAt: day(1), completedAt: null }), {}, { validFrom: day(4), basis: 'entra' }],
    ['one that was done with before, and is otherwise now: since it was seen', change('assignment-request', { createdAt: day(1), completedAt: day(2), status: 'Revoked' }, { createdAt: day(1), completedAt: day(2), status: 'Provisioned' }), {}, { validFrom: day(9), basis: 'observed', notBefore: day(3) }],
    ['a request that waits: not before it was made', change('eligibility-request', { createdAt: day(6), completedAt: null }), {}, { validFrom: day(9), basis: 'observed', notBefore: day(6) }],
    ['the event with its id, and no other of the same person', change('eligibility-request', { createdAt: day(6), completedAt: null }), { events: [told(6, 'r1'), told(7, 'r2'), told(8, null)] }, { validFrom: day(6), basis: 'event', eventId: 'e6' }],
    ['forgotten by Entra: between the readings', change('eligibility-request', null, { createdAt: day(1), completedAt: day(2) }), {}, { validFrom: day(9), basis: 'observed', notBefore: day(3) }],
  ])('%s', (_what, one, more, expected) => {
    expect(dated(one, { ...between, ...more })).toMatchObject(expected);
  });
});

test('schedules and requests are things by their ids, owners among them, each once; the words are Entra’s', () => {
  const schedule: Schedule = { id: 'S', principalId: 'P', groupId: 'G', accessId: 'owner', memberType: 'direct', createdUsing: 'r', createdAt: '0001-01-01T08:00:00Z', startsAt: '2026-01-01T00:00:00.1234567Z', duration: 'P9D', status: 'Provisioned' };
  expect(schedulesOf('eligibility-schedule', 'g', [schedule, schedule])).toEqual([{
    kind: 'eligibility-schedule', thing: 'g/p/S', groupId: 'g', principalId: 'p',
    state: stateText({ accessId: 'owner', memberType: 'direct', assignmentType: null, status: 'Provisioned', requestId: 'r', createdAt: null, startsAt: '2026-01-01T00:00:00.123456Z', endsAt: null, duration: 'P9D' }),
  }]);
  const request: ScheduleRequest = { id: 'R', principalId: 'P', groupId: 'G', accessId: 'member', action: 'selfActivate', status: 'unknown', statusAsGiven: 'TimedOut', createdBy: 'Q', createdAt: '2026-01-01T00:00:00Z', justification: 'Month end' };
  expect(requestsOf('assignment-request', 'g', [request, request]).map(({ thing, state }) => [thing, JSON.parse(state) as unknown])).toEqual([['g/p/R', {
    accessId: 'member', action: 'selfActivate', status: 'TimedOut', createdBy: 'q', createdAt: '2026-01-01T00:00:00.000000Z', completedAt: null, startsAt: null, endsAt: null, duration: null, approvalId: null, justification: 'Month end', ticketNumber: null, ticketSystem: null,
  }]]);
});

test('all periods of a person are one thing; what has not begun is there; an owner is none', () => {
  const one = (id: string, more: Partial<ScheduleInstance> = {}): ScheduleInstance => ({ id, principalId: 'P', groupId: 'G', accessId: 'member', memberType: 'direct', scheduleId: id, ...more });
  const found = membershipsOf('g', [one('1', { startsAt: '2026-01-01T00:00:00Z' }), one('2', { accessId: 'owner' }), one('3', { memberType: 'group' })],
    [one('1', { startsAt: '2026-01-01T00:00:00Z' }), one('4', { startsAt: '2026-09-01T00:00:00Z', endsAt: '2026-10-01T00:00:00Z' })],
    [one('5', { assignmentType: 'activated' }), one('6', { assignmentType: 'assigned' })], new Date('2026-03-01'));
  expect(found.map(({ kind, thing, state }) => [kind, thing, (JSON.parse(state) as { periods: unknown[] }).periods.length])).toEqual([['eligible', 'g/p/direct', 2], ['eligible', 'g/p/group', 1], ['activated', 'g/p/direct', 1], ['standing', 'g/p/direct', 1]]);
});

describe('kept', () => {
  let db: TestDatabase;
  let tenantId: string;
  beforeAll(async () => { db = await testDatabase(); });
  afterAll(async () => { await db[Symbol.asyncDispose](); });
  beforeEach(() => { tenantId = randomUUID(); });
  const log = pino({ level: 'silent' });
  const rows = async () => (await db.pool.query<{ kind: string; state: string | null; basis: string; event_id: string | null; valid_from: Date }>('SELECT kind, state, basis, event_id, valid_from FROM observation WHERE tenant_id = $1 ORDER BY batch_id, ordinal', [tenantId])).rows;
  const keep = (beganAt: string, found: readonly Seen[], more: Partial<Reading> = {}) => withConnection(db, (connection) => inTransaction(connection, () => observe(connection, { tenantId, scope: 'group:g', beganAt: new Date(beganAt), observedAt: new Date(beganAt), source: 'graph', kinds: ['eligible'], groupId: 'g', found, ...more })));
  const eligible = (...list: readonly Span[]): Seen => ({ kind: 'eligible', thing: 'g/p/direct', groupId: 'g', principalId: 'p', state: periods(...list) });

  test('a row for each difference, in a batch that waits to be sealed; the same again adds nothing', async () => {
    expect([await keep(day(1), [eligible([day(1), null])]), await keep(day(2), [eligible([day(1), null])]), await keep(day(3), [])]).toEqual([{ rows: 1 }, { rows: 0 }, { rows: 1 }]);
    expect((await rows()).map(({ state, basis }) => [state, basis])).toEqual([[periods([day(1), null]), 'entra'], [null, 'observed']]);
    const { rows: batches } = await db.pool.query(`SELECT b.log, b.rows, u.batch_id IS NOT NULL AS unsealed FROM log_batch AS b LEFT JOIN log_unsealed AS u USING (tenant_id, batch_id) WHERE tenant_id = $1 ORDER BY batch_id`, [tenantId]);
    expect(batches).toEqual([{ log: 'observation', rows: 1, unsealed: true }, { log: 'observation', rows: 1, unsealed: true }]);
  });

  test('a reading that began before one that is kept changes nothing', async () => {
    await keep(day(3), [eligible([day(1), null])]);
    expect(await keep(day(2), [])).toEqual({ rows: 0 });
    expect(await rows()).toHaveLength(1);
  });

  test('what cannot be kept whole is not kept at all', async () => {
    await expect(withConnection(db, (connection) => inTransaction(connection, async () => {
      await observe(connection, { tenantId, scope: 'group:g', beganAt: new Date(day(1)), observedAt: new Date(day(1)), source: 'graph', kinds: ['eligible'], groupId: 'g', found: [eligible([day(1), null])] });
      throw new Error('cut off');
    }))).rejects.toThrow('cut off');
    expect(await rows()).toEqual([]);
    expect(await keep(day(1), [eligible([day(1), null])])).toEqual({ rows: 1 });
  });

  const LISTS = ['eligibilities', 'eligibilitySchedules', 'assignments', 'assignmentSchedules', 'eligibilityRequests', 'assignmentRequests'] as const;
  type ListName = typeof LISTS[number];
  const given = (id: string, more: Partial<Schedule> = {}): Schedule => ({ id, principalId: ANA.id, groupId: FINANCE.id, accessId: 'member', memberType: 'direct', startsAt: '2026-01-01T00:00:00Z', scheduleId: id, createdAt: '2026-01-01T00:00:00Z', status: 'Provisioned', ...more });
  const request = (id: string, more: Partial<ScheduleRequest> = {}): ScheduleRequest => ({ id, principalId: ANA.id, groupId: FINANCE.id, accessId: 'member', action: 'adminAssign', status: 'Provisioned', createdAt: '2026-01-01T00:00:00Z', completedAt: '2026-01-01T00:00:00Z', ...more });
  const SCHEDULES = ['eligibility-schedule', 'assignment-schedule', 'eligibility-request', 'assignment-request'];

  /** A tenant of one group, and what is asked of it. */
  function smallTenant() {
    const tenant = {
      now: new Date('2026-03-02T12:00:00Z'), refuse: undefined as GraphError | undefined, refused: LISTS as readonly ListName[], lists: [] as string[],
      eligible: [{ id: '1', principalId: ANA.id, groupId: FINANCE.id, accessId: 'member', memberType: 'direct', startsAt: '2026-01-01T00:00:00Z', scheduleId: '1' }] as ScheduleInstance[],
      eligibilitySchedules: [given('1')], assignmentSchedules: [] as Schedule[], eligibilityRequests: [request('r1')], assignmentRequests: [] as ScheduleRequest[],
    };
    const ask = async <T>(list: ListName, groupId: string, value: readonly T[]): Promise<readonly T[]> => {
      tenant.lists.push(`${list} ${groupId}`);
      if (tenant.refuse && tenant.refused.includes(list)) throw tenant.refuse;
      return groupId === FINANCE.id ? value : [];
    };
    const pim: Pick<Graph['pim'], ListName> = {
      eligibilities: (id) => ask('eligibilities', id, tenant.eligible), assignments: (id) => ask('assignments', id, []),
      eligibilitySchedules: (id) => ask('eligibilitySchedules', id, tenant.eligibilitySchedules), assignmentSchedules: (id) => ask('assignmentSchedules', id, tenant.assignmentSchedules),
      eligibilityRequests: (id) => ask('eligibilityRequests', id, tenant.eligibilityRequests), assignmentRequests: (id) => ask('assignmentRequests', id, tenant.assignmentRequests),
    };
    const directory = { names: async (ids: readonly string[]) => new Map(ids.map((id) => [id, { kind: 'user' as const, displayName: `Name of ${id}` }])) };
    const ports: { together: { pim: Partial<Graph['pim']> }; directory: Partial<Graph['directory']> } = { together: { pim }, directory };
    const manage = (ids: readonly string[]) => db.pool.query(`INSERT INTO catalog_group (tenant_id, group_id, display_name, read_at) SELECT $1, id, 'G', now() FROM unnest($2::uuid[]) AS id`, [tenantId, ids]);
    const pass = () => readMemberships({ appGraph: ports as Pick<Graph, 'together' | 'directory'>, db, clock: { now: () => tenant.now }, tenantId, log });
    const hear = (events: Parameters<typeof ingest>[2]['events']) => withConnection(db, (connection) => ingest(connection, log, { tenantId, events, receivedAt: tenant.now }));
    const later = (minutes: number): void => { tenant.now = new Date(tenant.now.getTime() + minutes * 60_000); };
    /** The groups that were read, each with all its lists. */
    const asked = (): string[] => {
      const groups = [...Map.groupBy(tenant.lists.splice(0), (one) => one.split(' ')[1] ?? '')];
      for (const [id, lists] of groups) expect(new Set(lists)).toEqual(new Set(LISTS.map((list) => `${list} ${id}`)));
      return groups.map(([id]) => id);
    };
    /** What the log has of schedules and requests since the last time. */
    let seen = 0;
    const news = async () => (await rows()).slice(seen, seen = (await rows()).length).filter(({ kind }) => SCHEDULES.includes(kind)).map(({ kind, state }) => `${kind}${state === null ? ' gone' : ''}`).sort();
    return { tenant, manage, pass, hear, later, asked, news };
  }

  test('after an event the group that it names is read, and the change dated by it; nothing else is asked', async () => {
    const { tenant, manage, pass, hear, later, asked } = smallTenant();
    const other = randomUUID();
    await manage([FINANCE.id, other]);
    await pass();
    expect(asked().sort()).toEqual([FINANCE.id, other].sort());
    later(1);
    await pass();
    expect(asked(), 'nothing happened').toEqual([]);
    later(1);
    const at = tenant.now.toISOString();
    tenant.eligible = [];
    later(1);
    await hear([pimEvent({ id: 'e1', at, activity: 'Remove eligible member from role in PIM completed (permanent)', requestId: 'r' }), pimEvent({ id: 'e2', at, activity: 'Add member to role completed (PIM activation)', requestId: 's', group: { id: other, name: 'Other' } })]);
    later(1);
    await pass();
    expect(asked(), 'an activation says all by itself').toEqual([FINANCE.id]);
    expect((await rows()).filter(({ kind }) => kind === 'eligible').map(({ state, basis, event_id, valid_from }) => [state === null, basis, event_id, valid_from.toISOString()])).toEqual([[false, 'entra', null, '2026-01-01T00:00:00.000Z'], [true, 'event', 'e1', at]]);
    later(1);
    await pass();
    expect(asked()).toEqual([]);
  });

  test('each group is read once a day besides, a part of them a pass', async () => {
    const { tenant, manage, pass, later, asked } = smallTenant();
    await manage(Array.from({ length: 30 }, () => randomUUID()));
    await pass();
    const lists = tenant.lists.length;
    const first = asked();
    await pass();
    await pass();
    expect([first.length, lists, new Set([...first, ...asked()]).size], 'far from the 200 that PIM is taken to give').toEqual([12, 72, 30]);
    later(24 * 60);
    await pass();
    expect(asked()).toHaveLength(12);
  });

  test('a refusal of one group holds up nobody; one that concerns all ends the pass, and the next goes on', async () => {
    const { tenant, manage, pass, asked } = smallTenant();
    await manage([FINANCE.id]);
    for (const failure of ['not-found', 'throttled'] as const) {
      tenant.refuse = new GraphError(failure, 'no');
      await pass();
      expect((await rows()).filter(({ kind }) => kind !== 'watch')).toEqual([]);
    }
    tenant.refuse = undefined;
    asked();
    await pass();
    expect(asked()).toEqual([FINANCE.id]);
    expect((await rows()).map(({ kind }) => kind)).toEqual(['principal', 'eligible', 'watch', 'eligibility-schedule', 'eligibility-request']);
  });

  test('groups that can never be read wait for their turn as the others do', async () => {
    const { tenant, manage, pass, later, asked } = smallTenant();
    await manage(Array.from({ length: 30 }, () => randomUUID()));
    tenant.refuse = new GraphError('not-found', 'no');
    const turns: string[] = [];
    for (let passes = 0; passes < 3; passes += 1) {
      await pass();
      turns.push(...asked());
      later(1);
    }
    expect(new Set(turns.slice(0, 30)).size).toBe(30);
  });

  test('of a group that PIM manages no more it is on record that nothing is read', async () => {
    const { manage, pass, later } = smallTenant();
    await manage([FINANCE.id]);
    await pass();
    await db.pool.query('DELETE FROM catalog_group WHERE tenant_id = $1', [tenantId]);
    later(1);
    await pass();
    expect((await rows()).filter(({ kind }) => kind === 'watch').map(({ state }) => state)).toEqual(['{"read":true}', null]);
    await manage([FINANCE.id]);
    later(1);
    await pass();
    expect((await rows()).filter(({ kind }) => kind === 'watch')).toHaveLength(3);
  });

  test('schedules and requests of a group are read when the log names it, by whatever was asked, and not for an activation', async () => {
    const { tenant, manage, pass, hear, later, asked, news } = smallTenant();
    await manage([FINANCE.id]);
    await pass();
    expect([asked(), await news()]).toEqual([[FINANCE.id], ['eligibility-request', 'eligibility-schedule']]);
    const acts: readonly (readonly [activity: string, requestId: string, change: () => unknown, expected: string[]])[] = [
      ['Add member to role in PIM completed (timebound)', 'r2', () => [tenant.assignmentSchedules.push(given('2', { assignmentType: 'assigned' })), tenant.assignmentRequests.push(request('r2'))], ['assignment-request', 'assignment-schedule']],
      ['Update eligible member in PIM requested (extend)', 'r3', () => tenant.eligibilityRequests.push(request('r3', { action: 'selfExtend', status: 'PendingAdminDecision', completedAt: undefined })), ['eligibility-request']],
      ['Update member in PIM denied by admin (extend/renew)', 'r3', () => tenant.eligibilityRequests.splice(1, 1, request('r3', { action: 'selfExtend', status: 'Denied', completedAt: tenant.now.toISOString() })), ['eligibility-request']],
    ];
    for (const [index, [activity, requestId, change, expected]] of acts.entries()) {
      later(1);
      change();
      await hear([pimEvent({ id: `e${index}`, at: tenant.now.toISOString(), activity, requestId })]);
      later(1);
      await pass();
      expect([asked(), await news()], activity).toEqual([[FINANCE.id], expected]);
    }
    later(1);
    tenant.assignmentRequests.push(request('r4', { action: 'selfActivate' }));
    await hear([pimEvent({ id: 'a', at: tenant.now.toISOString(), activity: 'Add member to role completed (PIM activation)', requestId: 'r4' }), pimEvent({ id: 'b', at: tenant.now.toISOString(), activity: 'Add member to role requested (PIM activation)', requestId: 'r4' })]);
    later(1);
    await pass();
    expect([asked(), await news()], 'an activation says all by itself').toEqual([[], []]);
  });

  test('what no event told of is found with the reading of the day; what is as it was is not written again; what is gone is told', async () => {
    const { tenant, manage, pass, later, asked, news } = smallTenant();
    await manage([FINANCE.id]);
    await pass();
    await news();
    tenant.assignmentRequests.push(request('r4', { action: 'selfActivate' }));
    tenant.eligibilitySchedules = [];
    later(24 * 60 - 1);
    await pass();
    expect([asked().length, await news()]).toEqual([1, []]);
    later(1);
    await pass();
    expect([asked(), await news()]).toEqual([[FINANCE.id], ['assignment-request', 'eligibility-schedule gone']]);
    later(24 * 60);
    await pass();
    expect([asked(), await news()], 'nothing new').toEqual([[FINANCE.id], []]);
    tenant.eligibilityRequests = [];
    tenant.assignmentRequests = [];
    later(24 * 60);
    await pass();
    expect(await news()).toEqual(['assignment-request gone', 'eligibility-request gone']);
  });

  test('schedules and requests that cannot be read keep nobody from knowing who is eligible, and are read as soon as they can be', async () => {
    const { tenant, manage, pass, asked, later } = smallTenant();
    await manage([FINANCE.id, ...Array.from({ length: 12 }, () => randomUUID())]);
    [tenant.refuse, tenant.refused] = [new GraphError('unexpected', 'no'), ['assignmentRequests']];
    await pass();
    await pass();
    const read = (await rows()).map(({ kind }) => kind);
    expect([read.filter((kind) => kind !== 'watch'), read.filter((kind) => kind === 'watch').length], 'nor does it hold up another group').toEqual([['principal', 'eligible'], 13]);
    later(1);
    tenant.refuse = undefined;
    asked();
    await pass();
    await pass();
    expect(asked()).toHaveLength(13);
    expect((await rows()).filter(({ kind }) => SCHEDULES.includes(kind)).map(({ kind, basis, valid_from }) => [kind, basis, valid_from.toISOString()])).toEqual([['eligibility-schedule', 'entra', '2026-01-01T00:00:00.000Z'], ['eligibility-request', 'entra', '2026-01-01T00:00:00.000Z']]);
  });
});
