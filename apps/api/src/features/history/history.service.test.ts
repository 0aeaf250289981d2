import { randomUUID } from 'node:crypto';
import { SearchActivations, SearchEvents } from '@gatehouse/contracts';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../core/actor.ts';
import { withConnection } from '../../mirror/database.ts';
import type { ReceivedEvent } from '../../mirror/directory-event.ts';
import { ingest } from '../../mirror/ingest.ts';
import { FINANCE, memberEvent, OMAR, pimEvent, received, story } from '../../mirror/testing.ts';
import { record } from '../audit/audit.ts';
import { createConnections } from '../connections/connections.service.ts';
import { createHistory } from './history.service.ts';

const NOW = new Date('2026-03-02T12:00:00.000Z');
let db: TestDatabase;
let ines: Actor;
beforeAll(async () => { db = await testDatabase(); });
afterAll(async () => { await db[Symbol.asyncDispose](); });
beforeEach(() => { ines = { tenantId: randomUUID(), principalId: randomUUID(), name: 'Ines Moreau', upn: 'ines@contoso.example', roles: ['Auditor'], accountId: 'ines', device: null }; });

const take = (events: readonly ReceivedEvent[], tenantId = ines.tenantId) => withConnection(db, (connection) => ingest(connection, pino({ level: 'silent' }), { tenantId, events, receivedAt: NOW }));
const history = () => createHistory({ db, clock: { now: () => NOW }, connections: createConnections({ db }), readings: { page: async () => {} } });
const search = (query: object) => history().searchEvents(ines, SearchEvents.query.parse(query));
const idsOf = async (query: object): Promise<string[]> => (await search(query)).events.map(({ id }) => id.replace('directory:', '')).sort();
const activations = (query: object) => history().searchActivations(ines, SearchActivations.query.parse(query));

const HR = { id: 'bbbbbbbb-0000-4000-8000-000000000002', name: 'HR_100%' };
const APPLICATION = 'cccccccc-0000-4000-8000-000000000001';
async function catalog(): Promise<void> {
  const { tenantId } = ines;
  await db.prisma.catalogApplication.create({ data: { tenantId, servicePrincipalId: APPLICATION, displayName: 'Finance reports', kind: 'per-app', assignmentRequired: true, segments: [{ host: 'fin-rep.corp.example', ports: '443', protocol: 'tcp' }], readAt: NOW } });
  await db.prisma.catalogGroup.create({ data: { tenantId, groupId: FINANCE.id, displayName: FINANCE.name, readAt: NOW } });
  await db.prisma.catalogAssignment.create({ data: { tenantId, groupId: FINANCE.id, servicePrincipalId: APPLICATION } });
}

describe('paging', () => {
  test('of many events at the same instant none is lost or repeated, whatever the size of a page', async () => {
    const same = Array.from({ length: 25 }, (_, index) => pimEvent({ id: `same-${index}`, at: '2026-03-02T09:00:00.1234567Z', activity: 'x' }));
    const close = Array.from({ length: 25 }, (_, index) => pimEvent({ id: `close-${index}`, at: `2026-03-02T09:00:00.12345${index % 10}9Z`, activity: 'x' }));
    await take([...same, ...close, pimEvent({ id: 'february', at: '2026-02-28T23:59:59Z', activity: 'x' })]);
    const whole = (await search({ limit: 200 })).events.map(({ id }) => id);
    expect(new Set(whole).size).toBe(51);
    expect(whole.at(-1)).toBe('directory:february');
    for (const limit of [1, 7, 50, 51]) {
      const walked: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof search>> = await search({ limit, ...(cursor !== null && { cursor }) });
        walked.push(...page.events.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(walked).toEqual(whole);
    }
  });

  test('events of the same instant stand in the order in which the log took them', async () => {
    for (const id of ['m', 'z', 'a']) await take([`${id}2`, `${id}1`].map((one) => pimEvent({ id: one, at: '2026-03-02T09:00:00Z', activity: 'x' })));
    const taken = ['m2', 'm1', 'z2', 'z1', 'a2', 'a1'].map((id) => `directory:${id}`);
    expect((await search({ order: 'oldest' })).events.map(({ id }) => id)).toEqual(taken);
    expect((await search({})).events.map(({ id }) => id)).toEqual(taken.toReversed());
  });

  test('what is newer than the page that was read does not move the next one', async () => {
    await take([1, 2, 3, 4].map((n) => pimEvent({ id: `e${n}`, at: `2026-03-02T09:00:0${n}Z`, activity: 'x' })));
    const first = await search({ limit: 2 });
    await take([pimEvent({ id: 'newer', at: '2026-03-02T10:00:00Z', activity: 'x' })]);
    expect((await search({ limit: 2, cursor: first.nextCursor ?? undefined })).events.map(({ id }) => id)).toEqual(['directory:e2', 'directory:e1']);
  });

  test('activations asked for at the same instant', async () => {
    await take(Array.from({ length: 9 }, (_, index) => pimEvent({ id: `a${index}`, at: '2026-03-02T09:00:00.1234567Z', activity: 'Add member to role requested (PIM activation)', requestId: `r${index}` })));
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof activations>> = await activations({ limit: 2, ...(cursor !== null && { cursor }) });
      walked.push(...page.activations.map(({ requestId }) => requestId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(walked).toEqual(Array.from({ length: 9 }, (_, index) => `r${8 - index}`));
  });

  test('a cursor of another list, or of nobody, is refused at its field', async () => {
    await take(story('r1', '2026-03-02'));
    const { nextCursor } = await search({ limit: 1 });
    for (const cursor of ['nonsense', nextCursor]) await expect(activations({ cursor })).rejects.toMatchObject({ code: 'invalid-request', details: { issues: [{ path: 'query.cursor' }] } });
    for (const place of [['1', 'x'], ['-1', '0'], ['1', ''], ['9'.repeat(19), '0']]) {
      const cursor = Buffer.from(JSON.stringify(['2026-03-02T09:00:00.000000Z', ...place])).toString('base64url');
      await expect(search({ cursor }), place.join()).rejects.toMatchObject({ code: 'invalid-request', details: { issues: [{ path: 'query.cursor' }] } });
    }
  });
});

describe('filters', () => {
  const seed = async (): Promise<void> => {
    await take([
      pimEvent({ id: 'ana', at: '2026-03-01T09:00:00Z', activity: 'Add member to role requested (PIM activation)', requestId: 'r1' }),
      pimEvent({ id: 'omar', at: '2026-03-02T09:00:00Z', activity: 'Add member to role requested (PIM activation)', requestId: 'r2', subject: OMAR, group: HR, by: { user: { id: OMAR.id, displayName: OMAR.name, userPrincipalName: '', ipAddress: null, roles: [] }, app: null }, result: 'failure' }),
      memberEvent({ id: 'twin', at: '2026-03-03T09:00:00Z', change: 'added', group: HR }),
    ]);
    await catalog();
  };
  test.each([
    [{}, ['ana', 'omar', 'twin']],
    [{ person: 'omar' }, ['omar']], [{ person: OMAR.id.toUpperCase() }, ['omar']], [{ person: 'MS-PIM' }, ['twin']], [{ person: 'nobody' }, []],
    [{ group: 'senioranalyst' }, ['ana']], [{ group: FINANCE.id }, ['ana']],
    [{ group: '100%' }, ['omar', 'twin']], [{ group: '0_%' }, []], [{ group: 'HR_' }, ['omar', 'twin']], [{ group: 'H%0' }, []], [{ group: '\\' }, []],
    [{ application: 'finance rep' }, ['ana']], [{ application: APPLICATION }, ['ana']], [{ application: 'Payroll' }, []], [{ application: 'FIN-REP.corp' }, ['ana']], [{ application: 'tcp' }, []],
    [{ kind: 'member-added' }, ['twin']], [{ result: 'failure' }, ['omar']],
    [{ from: '2026-03-02T09:00:00Z' }, ['omar', 'twin']], [{ to: '2026-03-02T09:00:00Z' }, ['ana']], [{ from: '2026-03-01T10:00:00+01:00', to: '2026-03-02T09:00:00.000001Z' }, ['ana', 'omar']],
    [{ person: 'Ana', group: 'HR', kind: 'member-added' }, ['twin']],
    [{ person: `'; DROP TABLE audit_event; --` }, []],
  ])('%j', async (query, expected) => {
    await seed();
    expect(await idsOf(query)).toEqual(expected);
  });

  test('what somebody did with one group is told from what they did with another whose id hashes alike', async () => {
    const { rows: [alike] } = await db.reader.query<{ one: string; other: string }>(`SELECT min(id) AS one, max(id) AS other FROM (SELECT 'g-' || n AS id FROM generate_series(1, 400000) AS n) AS made GROUP BY hashtext(id) HAVING count(*) > 1 LIMIT 1`);
    const [one, other] = [alike?.one ?? '', alike?.other ?? ''];
    const of = (id: string, group: string) => pimEvent({ id, at: '2026-03-02T09:00:00Z', activity: 'Add member to role requested (PIM activation)', group: { id: group, name: group } });
    await take([of('e1', one), of('e2', other), of('e3', 'g-0')]);
    for (const person of ['Ana', OMAR.name]) {
      const found = person === 'Ana' ? [['e1'], ['e2']] : [[], []];
      expect([await idsOf({ person, group: one }), await idsOf({ person, group: other })]).toEqual(found);
    }
  });

  test('what a filter means is looked up once, by lists and counts together, until something changes it', async () => {
    await seed();
    let lookUps = 0;
    const reader = new Proxy(db.reader, {
      get: (pool, name) => (name === 'query' ? (asked: { text: string }) => {
        if (/FROM log_name\b/.test(asked.text)) lookUps += 1;
        return pool.query(asked);
      } : Reflect.get(pool, name)),
    });
    const both = createHistory({ db: { ...db, reader }, clock: { now: () => NOW }, connections: createConnections({ db }), readings: { page: async () => {} } });
    const ask = async (filter: object = { group: 'HR' }) => { const [list, count] = await Promise.all([both.searchEvents(ines, SearchEvents.query.parse(filter)), both.countEvents(ines, filter)]); return [list.events.length, count.events]; };
    expect([await ask(), await ask(), lookUps]).toEqual([[2, 2], [2, 2], 1]);
    await take([memberEvent({ id: 'later', at: '2026-03-03T10:00:00Z', change: 'added', group: { id: 'dddddddd-0000-4000-8000-000000000009', name: 'HR payroll' } })]);
    expect([await ask(), await ask(), lookUps]).toEqual([[3, 3], [3, 3], 2]);
    expect([await ask({ kind: 'member-added' }), await ask({ group: 'HR', kind: 'member-added' }), await ask({ group: 'HR', kind: 'activated' }), lookUps]).toEqual([[2, 2], [2, 2], [0, 0], 3]);
    await both.fold(ines.tenantId);
    expect([await ask(), await ask(), lookUps]).toEqual([[3, 3], [3, 3], 4]);
  });

  test('what comes in while somebody looks up is not missed by who asks after it', async () => {
    await take([memberEvent({ id: 'before', at: '2026-03-03T09:00:00Z', change: 'added', group: HR })]);
    const gate = Promise.withResolvers<undefined>();
    const begun = Promise.withResolvers<undefined>();
    let lookUps = 0;
    const reader = new Proxy(db.reader, {
      get: (pool, name) => (name === 'query' ? async (asked: { text: string }) => {
        if (!/FROM log_name\b/.test(asked.text) || ++lookUps > 1) return pool.query(asked);
        // The first look-up is of the moment before the event, and told late.
        const early = await pool.query(asked);
        begun.resolve(undefined);
        await gate.promise;
        return early;
      } : Reflect.get(pool, name)),
    });
    const one = createHistory({ db: { ...db, reader }, clock: { now: () => NOW }, connections: createConnections({ db }), readings: { page: async () => {} } });
    const ask = async () => (await one.searchEvents(ines, SearchEvents.query.parse({ group: 'HR' }))).events.map(({ id }) => id);
    const first = ask();
    await begun.promise;
    await take([memberEvent({ id: 'between', at: '2026-03-03T10:00:00Z', change: 'added', group: { id: 'dddddddd-0000-4000-8000-000000000009', name: 'HR payroll' } })]);
    const meanwhile = ask();
    expect(await meanwhile).toEqual(['directory:between', 'directory:before']);
    gate.resolve(undefined);
    await first;
    expect(await ask()).toEqual(['directory:between', 'directory:before']);
  });

  test('nothing that is kept outlives a change of what it means', async () => {
    await seed();
    const { tenantId } = ines;
    const PAYROLL = { id: 'dddddddd-0000-4000-8000-000000000009', name: 'HR payroll' };
    const PORTAL = 'cccccccc-0000-4000-8000-000000000002';
    const key = { tenantId_servicePrincipalId: { tenantId, servicePrincipalId: PORTAL } };
    const changes: Record<string, () => Promise<unknown>> = {
      'nothing': async () => {},
      'an event of a group that nobody knew': () => take([memberEvent({ id: 'first', at: '2026-03-03T10:00:00Z', change: 'added', group: PAYROLL })]),
      'a kind and a result of which there were none': () => take([pimEvent({ id: 'denied', at: '2026-03-03T11:00:00Z', activity: 'Add member to role request denied (PIM activation)', result: 'failure' })]),
      'sums': () => history().fold(tenantId),
      'an event after the sums': () => take([memberEvent({ id: 'second', at: '2026-03-03T12:00:00Z', change: 'removed', group: PAYROLL })]),
      'an action in the portal': () => db.prisma.$transaction((tx) => record(tx, { id: randomUUID(), at: NOW, actor: ines, type: 'history.exported', kind: 'portal-export', result: 'success', data: {} })),
      'an application': () => db.prisma.catalogApplication.create({ data: { tenantId, servicePrincipalId: PORTAL, displayName: 'Payroll', kind: 'per-app', assignmentRequired: true, segments: [{ host: 'pay.corp.example', ports: '443', protocol: 'tcp' }], readAt: NOW } }),
      'a group that opens it': () => db.prisma.catalogAssignment.create({ data: { tenantId, groupId: PAYROLL.id, servicePrincipalId: PORTAL } }),
      'another name of it': () => db.prisma.catalogApplication.update({ where: key, data: { displayName: 'Wages' } }),
      'other hosts': () => db.prisma.catalogApplication.update({ where: key, data: { segments: [{ host: 'wages.corp.example' }] } }),
      'a group that opens it no more': () => db.prisma.catalogAssignment.deleteMany({ where: { tenantId, servicePrincipalId: PORTAL } }),
      'no application': () => db.prisma.catalogApplication.deleteMany({ where: { tenantId } }),
      'sums once more': () => history().fold(tenantId),
      'an event that names nobody': () => take([received('nobody', '2026-03-04T10:00:00Z', { id: 'nobody', activityDisplayName: 'Add member to role request denied (PIM activation)', activityDateTime: '2026-03-04T10:00:00Z', loggedByService: 'PIM', result: 'failure' })]),
      'as many in the place of those that waited': async () => { await history().fold(tenantId); await take([memberEvent({ id: 'third', at: '2026-03-04T12:00:00Z', change: 'added', group: { id: 'dddddddd-0000-4000-8000-000000000010', name: 'Payroll archive' } })]); },
      'sums at last': () => history().fold(tenantId),
      'names taken off the sums, as of a month that is dropped': () => db.owner.query('DELETE FROM log_name WHERE tenant_id = $1', [tenantId]),
    };
    const filters = [{ group: 'payroll' }, { person: 'Ines' }, { person: 'Ana' }, { application: 'fin-rep' }, { application: 'pay.corp' }, { application: 'wages' }, { application: 'Payroll' }, { kind: 'denied' }, { result: 'failure' }, { group: 'HR', kind: 'member-removed' }, { source: 'portal' }] as const;
    const longLived = history();
    const told = async (of: ReturnType<typeof history>) => Promise.all(filters.map(async (filter) => {
      const [list, count] = await Promise.all([of.searchEvents(ines, SearchEvents.query.parse(filter)), of.countEvents(ines, filter)]);
      return `${JSON.stringify(filter)} ${list.events.map(({ id }) => id).join()} ${count.events}`;
    }));
    let before = '';
    const without: string[] = [];
    for (const [name, change] of Object.entries(changes)) {
      await change();
      const anew = await told(history());
      expect(await told(longLived), name).toEqual(anew);
      if (anew.join() === before) without.push(name);
      before = anew.join();
    }
    // All others change an answer.
    expect(without).toEqual(['sums', 'an application', 'sums once more', 'sums at last']);
  });

  test('of activations', async () => {
    await seed();
    const found = async (query: object): Promise<string[]> => (await activations(query)).activations.map(({ requestId }) => requestId);
    expect(await found({})).toEqual(['r2', 'r1']);
    expect(await found({ person: 'ana' })).toEqual(['r1']);
    expect(await found({ application: 'Finance' })).toEqual(['r1']);
    expect(await found({ group: 'HR_1' })).toEqual(['r2']);
    expect(await found({ status: 'failed' })).toEqual(['r2']);
    expect(await found({ from: '2026-03-01T09:00:00Z', to: '2026-03-02T09:00:00Z' })).toEqual(['r1']);
    expect((await activations({ person: 'ana' })).activations[0]?.applications).toEqual(['Finance reports']);
  });

  test('a character that no text in the database has is refused, not an error of ours', async () => {
    await expect(search({ person: 'a\u0000' })).rejects.toMatchObject({ code: 'invalid-request', details: { issues: [{ path: 'query.person' }] } });
    await expect(history().event(ines, 'directory:a\u0000')).rejects.toMatchObject({ code: 'not-found' });
    await expect(history().activation(ines, 'a\u0000')).rejects.toMatchObject({ code: 'not-found' });
  });

  test.each([{ from: '0000-01-01T00:00:00Z' }, { to: '0001-01-01T00:00:00+23:00' }])('an instant that the database does not know (%j) is refused', async (query) => {
    await expect(search(query)).rejects.toMatchObject({ code: 'invalid-request', details: { issues: [{ path: `query.${Object.keys(query)[0]}` }] } });
  });

  test('a zone that only ISO 8601 knows is one like any other', async () => {
    await seed();
    expect(await idsOf({ from: '2026-03-02T06:00:00-03:00', to: '2026-03-03T08:00:00.5+23:00' })).toEqual(['omar']);
  });

  test('another tenant\'s events are nobody\'s here', async () => {
    await take(story('r1', '2026-03-02'), randomUUID());
    expect(await idsOf({})).toEqual([]);
    await expect(history().event(ines, 'directory:r1-1')).rejects.toMatchObject({ code: 'not-found' });
    await expect(history().activation(ines, 'r1')).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('one of them', () => {
  test('an event with the text that came, and what belongs to it', async () => {
    const parts = story('r1', '2026-03-02');
    await take([...parts, ...story('r2', '2026-02-02')]);
    const found = await history().event(ines, 'directory:r1-4');
    expect(found.raw).toBe(parts[3]?.raw);
    expect(found.event).toMatchObject({ at: '2026-03-02T09:01:02.1234567Z', kind: 'activated' });
    // The stages of the same request, and the directory's own entry of the same change.
    expect(found.related.map(({ id }) => id)).toEqual(['directory:r1-1', 'directory:r1-2', 'directory:r1-3', 'directory:r1-5']);
  });

  test.each(['directory:unknown', 'unknown', 'portal:r1-1', 'elsewhere:r1-1', 'directory:'])('%s is not found', async (id) => {
    await take(story('r1', '2026-03-02'));
    await expect(history().event(ines, id)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('an activation with its whole story, and nothing of the next one', async () => {
    await take([...story('r1', '2026-03-02'), pimEvent({ id: 'next', at: '2026-03-02T09:20:30Z', activity: 'Add member to role requested (PIM activation)', requestId: 'r2' }), pimEvent({ id: 'next-done', at: '2026-03-02T09:20:31Z', activity: 'Add member to role completed (PIM activation)', requestId: 'r2' }), memberEvent({ id: 'next-twin', at: '2026-03-02T09:20:33Z', change: 'added' })]);
    const { activation, events } = await history().activation(ines, 'R1');
    expect(activation).toMatchObject({ requestId: 'r1', status: 'ended', endedHow: 'deactivated', decidedBy: OMAR.name });
    expect(events.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `directory:r1-${n}`));
    expect((await history().activation(ines, 'r2')).events.map(({ id }) => id)).toEqual(['directory:next', 'directory:next-done', 'directory:next-twin']);
  });

  test('names that the filters offer: of the catalog, and of groups that only history knows', async () => {
    await catalog();
    await take([pimEvent({ id: 'a', at: '2026-03-02T09:00:00Z', activity: 'Add member to role requested (PIM activation)', requestId: 'r', group: HR })]);
    expect(await history().names(ines)).toEqual({ groups: [FINANCE.name, HR.name], applications: ['Finance reports'] });
  });

  test('coverage says how far the mirror reaches, also where that is nothing', async () => {
    expect((await search({})).coverage).toEqual({ from: null, to: null, droppedTo: null, lastError: null, gaps: [], sealedTo: null, isLedgerStopped: false });
    await db.prisma.syncSource.create({ data: { tenantId: ines.tenantId, source: 'directory', completeFrom: '2026-02-01T00:00:00.0000000Z', watermark: NOW.toISOString(), lastError: 'It does not answer.' } });
    const { coverage } = SearchEvents.response.parse(await search({}));
    expect(coverage).toEqual({ from: '2026-02-01T00:00:00.0000000Z', to: NOW.toISOString(), droppedTo: null, lastError: 'It does not answer.', gaps: [], sealedTo: null, isLedgerStopped: false });
  });

  test('coverage names what is missing, and neither what was filled nor what lies before it begins', async () => {
    const gap = { tenantId: ines.tenantId, source: 'directory', cause: 'outage', noticedAt: NOW };
    const stretch = (from: string, to: string, filledTo = from) => ({ fromAt: new Date(from), toAt: new Date(to), filledTo: new Date(filledTo) });
    await db.prisma.syncSource.upsert({ where: { tenantId_source: { tenantId: ines.tenantId, source: 'directory' } }, create: { tenantId: ines.tenantId, source: 'directory', completeFrom: '2026-02-01T00:00:00.0000000Z', watermark: NOW.toISOString() }, update: {} });
    await db.prisma.syncGap.createMany({ data: [
      { ...gap, ...stretch('2026-01-10T00:00:00Z', '2026-01-20T00:00:00Z'), closedAt: NOW, closedHow: 'lost' },
      { ...gap, ...stretch('2026-02-03T00:00:00Z', '2026-02-04T00:00:00Z'), closedAt: NOW, closedHow: 'lost' },
      { ...gap, ...stretch('2026-02-05T00:00:00Z', '2026-02-06T00:00:00Z'), closedAt: NOW, closedHow: 'filled' },
      { ...gap, ...stretch('2026-02-10T00:00:00Z', '2026-02-12T00:00:00Z', '2026-02-11T00:00:00Z') },
    ] });
    const { coverage } = SearchEvents.response.parse(await search({}));
    expect(coverage.gaps).toEqual([
      { from: '2026-02-03T00:00:00.000Z', to: '2026-02-04T00:00:00.000Z', cause: 'outage', fillableUntil: null },
      { from: '2026-02-11T00:00:00.000Z', to: '2026-02-12T00:00:00.000Z', cause: 'outage', fillableUntil: '2026-03-13T00:00:00.000Z' },
    ]);
  });
});

describe('the portal\'s own events', () => {
  const event = (id: string) => ({ id, at: new Date('2027-05-31T23:59:59.999Z'), actor: ines, type: 'activation.requested', kind: 'portal-access', result: 'other', reason: 'a\u0000b\ud800', group: { id: FINANCE.id.toUpperCase(), name: FINANCE.name }, data: { b: 1, a: { d: 1, c: 2 } } } as const);

  test('stand beside the directory\'s, in the month they belong to, with their text in canonical order', async () => {
    await db.prisma.$transaction((tx) => record(tx, event('one')));
    const { raw, event: stored } = await history().event(ines, 'portal:one');
    expect(stored).toMatchObject({ groupId: FINANCE.id, reason: 'a\uFFFDb\uFFFD', kind: 'portal-access' });
    expect(Object.keys(JSON.parse(raw) as object)).toEqual(['actor', 'at', 'data', 'group', 'id', 'kind', 'reason', 'result', 'service', 'type']);
    expect(raw).toContain('"data":{"a":{"c":2,"d":1},"b":1,"client":{"kind":"browser"}}');
    const { rows } = await db.pool.query(`SELECT content_hash = sha256(convert_to(e.raw, 'UTF8')) AS same FROM audit_event_key AS k JOIN audit_event AS e USING (tenant_id, source, event_id) WHERE tenant_id = $1`, [ines.tenantId]);
    expect(rows).toEqual([{ same: true }]);
  });

  test('go with the transaction of the change they tell of', async () => {
    await expect(db.prisma.$transaction(async (tx) => {
      await record(tx, event('two'));
      throw new Error('the change failed');
    })).rejects.toThrow('the change failed');
    await expect(history().event(ines, 'portal:two')).rejects.toMatchObject({ code: 'not-found' });
    await expect(db.prisma.$transaction(async (tx) => { await record(tx, event('three')); await record(tx, event('three')); })).rejects.toThrow();
    await expect(history().event(ines, 'portal:three')).rejects.toMatchObject({ code: 'not-found' });
  });
});
