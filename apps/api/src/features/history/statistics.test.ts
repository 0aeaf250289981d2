import { randomUUID } from 'node:crypto';
import { CountEvents, GetEventStatistics, GetTimeline, ListInsights, SearchActivations, SearchEvents } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../core/actor.ts';
import { withConnection } from '../../mirror/database.ts';
import type { ReceivedEvent } from '../../mirror/directory-event.ts';
import { ingest } from '../../mirror/ingest.ts';
import { ANA, FINANCE, memberEvent, OMAR, pimEvent, story } from '../../mirror/testing.ts';
import { record } from '../audit/audit.ts';
import { countBetween, foldCounts } from './counts.store.ts';
import { createConnections } from '../connections/connections.service.ts';
import { createHistory } from './history.service.ts';

const NOW = new Date('2026-03-31T12:00:00.000Z');
let db: TestDatabase;
let ines: Actor;
beforeAll(async () => { db = await testDatabase(); });
afterAll(async () => { await db[Symbol.asyncDispose](); });
beforeEach(() => { ines = { tenantId: randomUUID(), principalId: randomUUID(), name: 'Ines Moreau', upn: 'ines@contoso.example', roles: ['Auditor'], accountId: 'ines', device: null }; });

const take = (events: readonly ReceivedEvent[]) => withConnection(db, (connection) => ingest(connection, pino({ level: 'silent' }), { tenantId: ines.tenantId, events, receivedAt: NOW }));
const history = (of: Database = db) => createHistory({ db: of, connections: createConnections({ db: of }), readings: { page: async () => {} }, clock: { now: () => NOW } });
const count = (query: object) => history().countEvents(ines, CountEvents.query.parse(query));
const search = (query: object) => history().searchEvents(ines, SearchEvents.query.parse(query));
const idsOf = async (query: object): Promise<string[]> => (await search(query)).events.map(({ id }) => id.replace('directory:', ''));

/** Numbers that are the same each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => { state = (state * 1_103_515_245 + 12_345) % 2_147_483_648; return state / 2_147_483_648; };
}

describe('what was counted as it came in', () => {
  test('equals what a count of the events themselves finds, whatever came late, came again, was taken back or is folded when', async () => {
    const random = numbers(4711);
    const activities = ['Add member to role requested (PIM activation)', 'Add member to role completed (PIM activation)', 'Something else'];
    const events = Array.from({ length: 300 }, (_, n) => pimEvent({
      id: `e${n}`, at: new Date(Date.UTC(2026, 0, 1) + random() * 89 * 86_400_000).toISOString().replace('Z', '1234Z'), activity: activities[n % 3] ?? '', requestId: `r${n}`, result: n % 7 === 0 ? 'failure' : 'success', subject: n % 2 === 0 ? ANA : OMAR,
    }));
    // Exactly on the edges of quarters, days and months, too.
    events.push(...['2026-02-01T00:00:00Z', '2026-02-01T00:14:59.999999Z', '2026-02-28T23:45:00Z', '2026-03-01T00:00:00Z'].map((at, n) => pimEvent({ id: `edge${n}`, at, activity: 'x' })));
    for (let start = 0; start < events.length; start += 60) {
      await take(events.slice(start, start + 60));
      // Some came before.
      await take(events.slice(Math.max(0, start - 10), start + 5));
      if (start % 120 === 0) await history().fold(ines.tenantId);
    }
    await db.prisma.$transaction((tx) => record(tx, { id: randomUUID(), at: new Date('2026-02-03T10:00:00Z'), actor: ines, type: 'session.begun', kind: 'portal-sign-in', result: 'success' }));
    // A row of the log that came again with other content, and one whose transaction went wrong.
    const again = `INSERT INTO audit_event (tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, raw, ingested_at, revision, batch_id, ordinal)
      SELECT tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, 'failure', '{}', now(), 1, batch_id, 100000 FROM audit_event WHERE tenant_id = $1 AND event_id IN ('e1', 'e2')`;
    await db.pool.query(again, [ines.tenantId]);
    await withConnection(db, async (connection) => {
      await connection.query('BEGIN');
      await connection.query(again.replaceAll(`'e1', 'e2'`, `'e3', 'e4'`), [ines.tenantId]);
      await connection.query('ROLLBACK');
    });

    const raw = async (from: string, to: string): Promise<string[]> => (await db.pool.query<{ row: string }>(
      `SELECT concat_ws(' ', kind, result, source, count(*)) AS row FROM audit_event WHERE tenant_id = $1 AND activity_at >= $2 AND activity_at < $3 GROUP BY kind, result, source ORDER BY 1`, [ines.tenantId, from, to])).rows.map(({ row }) => row);
    const counted = async (from: string | undefined, to: string | undefined): Promise<string[]> => (await countBetween(db.reader, ines.tenantId, from, to)).map(({ kind, result, source, events: found }) => `${kind} ${result} ${source} ${found}`).toSorted();
    const instant = (): string => `${new Date(Date.UTC(2026, 0, 1) + random() * 89 * 86_400_000).toISOString().slice(0, -1)}000Z`;
    const ranges = [...Array.from({ length: 15 }, () => [instant(), instant()] as const), ['2026-02-01T00:00:00.000000Z', '2026-03-01T00:00:00.000000Z'] as const, ['2026-02-01T00:14:59.999999Z', '2026-02-28T23:45:00.000001Z'] as const];
    for (const again of ['partly folded', 'folded', 'more beside what is folded', 'folded twice']) {
      if (again.startsWith('more')) {
        await take(Array.from({ length: 40 }, (_, n) => pimEvent({ id: `more${n}`, at: instant(), activity: activities[1] ?? '', requestId: `m${n}` })));
        // As a month that is dropped is taken off.
        await db.pool.query(`INSERT INTO event_count_delta (tenant_id, kind, result, source, bucket, events) SELECT $1, kind, result, source, date_bin('15 minutes', activity_at, '2000-01-01T00:00:00Z'), -1 FROM audit_event WHERE tenant_id = $1 AND event_id LIKE 'more1%'`, [ines.tenantId]);
        await db.owner.query(`DELETE FROM audit_event WHERE tenant_id = $1 AND event_id LIKE 'more1%'`, [ines.tenantId]);
      }
      expect(await counted(undefined, undefined), again).toEqual(await raw('2000-01-01', '2100-01-01'));
      for (const [from, to] of ranges) expect(await counted(from, to), `${again} ${from} ${to}`).toEqual(await raw(from, to));
      for (const timeZone of ['UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'America/New_York']) {
        const told = await history().statistics(ines, GetEventStatistics.query.parse({ timeZone }));
        const { rows } = await db.pool.query(`SELECT extract(isodow FROM activity_at AT TIME ZONE $2)::int AS weekday, extract(hour FROM activity_at AT TIME ZONE $2)::int AS hour, count(*)::int AS events FROM audit_event WHERE tenant_id = $1 AND kind = 'activated' GROUP BY 1, 2 ORDER BY 1, 2`, [ines.tenantId, timeZone]);
        expect(told.hours, `${again} ${timeZone}`).toEqual(rows);
        const { rows: months } = await db.pool.query(`SELECT to_char(activity_at AT TIME ZONE $2, 'YYYY-MM') AS month, count(*)::int AS events FROM audit_event WHERE tenant_id = $1 AND kind = 'activated' GROUP BY 1 ORDER BY 1`, [ines.tenantId, timeZone]);
        expect(told.months).toEqual(months);
      }
      // In slices, as after a long time in which nothing was summed up.
      await foldCounts(db, ines.tenantId, again === 'partly folded' ? { counts: 100, rows: 1 } : { counts: 1, rows: 100 });
      expect((await db.pool.query('SELECT 1 FROM event_count_delta WHERE tenant_id = $1 UNION ALL SELECT 1 FROM log_unnamed WHERE tenant_id = $1', [ines.tenantId])).rows, again).toEqual([]);
    }
    const { rows: named } = await db.pool.query(`SELECT key, sum(events)::int AS events FROM log_name WHERE tenant_id = $1 AND role = 'subject' GROUP BY key ORDER BY key`, [ines.tenantId]);
    expect(named).toEqual((await db.pool.query(`SELECT subject_id AS key, count(*)::int AS events FROM audit_event WHERE tenant_id = $1 AND subject_id IS NOT NULL GROUP BY 1 ORDER BY 1`, [ines.tenantId])).rows);
  }, 30_000);

  test('two that fold at once count nothing twice', async () => {
    await take(Array.from({ length: 20 }, (_, n) => pimEvent({ id: `e${n}`, at: `2026-03-02T09:00:${10 + n}Z`, activity: 'x' })));
    await Promise.all(Array.from({ length: 4 }, () => history().fold(ines.tenantId)));
    expect(await count({})).toMatchObject({ events: 20, is: 'exact' });
  });

  test('a zone that nobody knows is refused at its field', async () => {
    await expect(history().statistics(ines, GetEventStatistics.query.parse({ timeZone: 'Mars/Olympus' }))).rejects.toMatchObject({ code: 'invalid-request', details: { issues: [{ path: 'query.timeZone' }] } });
  });
});

describe('counts beside the list', () => {
  test('say how many there are and of which kinds, each as if it were not filtered by', async () => {
    await take([...story('r1', '2026-03-02'), pimEvent({ id: 'omar', at: '2026-03-03T09:00:00Z', activity: 'Add member to role requested (PIM activation)', requestId: 'r2', subject: OMAR, result: 'failure' })]);
    const all = await count({});
    expect(all).toMatchObject({ events: 8, is: 'exact', facetsOf: 'all' });
    expect(await count({ result: 'failure' })).toMatchObject({ events: 1, facets: { kind: [{ value: 'activation-requested', events: 1 }], result: all.facets.result } });
    expect(await count({ person: 'omar', kind: 'activated' })).toMatchObject({ events: 0, is: 'exact', facets: { kind: [{ value: 'activation-requested', events: 1 }, { value: 'approved', events: 1 }] } });
    expect((await count({ group: FINANCE.name, from: '2026-03-03T00:00:00Z' })).events).toBe(1);
    expect((await count({ text: 'inc-4711' })).events).toBe((await search({ text: 'inc-4711' })).events.length);
  });

  test('end at ten thousand where nobody added them up', async () => {
    await db.pool.query(`SELECT ensure_audit_partition('2026-03-01')`);
    await db.pool.query(`INSERT INTO audit_event (tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, subject_id, subject_name, raw, ingested_at, batch_id, ordinal)
      SELECT $1, 'directory', 'e' || n, timestamptz '2026-03-02 00:00:00Z' + make_interval(secs => n), '', 'x', CASE WHEN n % 2 = 0 THEN 'other' ELSE 'activated' END, 'PIM', 'success', 'p1', 'Ana', '{}', now(), 1, n FROM generate_series(1, 10001) AS n`, [ines.tenantId]);
    expect(await count({ person: 'ana' })).toMatchObject({ events: 10_000, is: 'more', facetsOf: 'some' });
    expect(await count({ person: 'ana', kind: 'activated' })).toMatchObject({ events: 5_001, is: 'exact' });
    expect(await count({})).toMatchObject({ events: 10_001, is: 'exact', facetsOf: 'all' });
  });
});

describe('free text', () => {
  beforeEach(async () => {
    await take([
      ...story('r1', '2026-03-02'), pimEvent({ id: 'other', at: '2026-03-03T09:00:00Z', activity: 'Add member to role requested (PIM activation)', requestId: 'r2', subject: OMAR, reason: 'Größe 100% prüfen', details: { TicketNumber: 'CHG-99' } }),
    ]);
  });
  test.each([
    ['MONTH-END', ['r1-1']], ['inc-4711', ['r1-1']], ['CHG-9', ['other']], ['GRÖSSE', []], ['größe', ['other']], ['100%', ['other']], ['100_', []], ['nth-e', ['r1-1']],
  ])('%s', async (text, expected) => {
    const found = (await idsOf({ text })).sort();
    expect(expected.every((id) => found.includes(id))).toBe(true);
    if (expected.length === 0) expect(found).toEqual([]);
    expect(found.some((id) => id === 'other')).toBe(expected.includes('other'));
    const { activations } = await history().searchActivations(ines, SearchActivations.query.parse({ text }));
    expect(activations.map(({ requestId }) => requestId)).toEqual(expected.map((id) => (id === 'other' ? 'r2' : 'r1')));
  });
  test('with a name it is both, whichever is looked for first', async () => {
    expect(await idsOf({ text: 'CHG-9', person: 'omar' })).toEqual(['other']);
    expect(await idsOf({ text: 'CHG-9', person: ANA.id, kind: 'activated' })).toEqual([]);
  });
  test.each(['ab', 'a-b', '%%%'])('%s is too short to be looked up', async (text) => {
    await expect(search({ text })).rejects.toMatchObject({ code: 'invalid-request', details: { issues: [{ path: 'query.text' }] } });
  });
});

test('the oldest first is the newest first turned round, over all pages and all ways in', async () => {
  await take(Array.from({ length: 30 }, (_, n) => pimEvent({ id: `e${n}`, at: `2026-0${1 + n % 3}-02T09:00:0${n % 4}Z`, activity: 'Add member to role requested (PIM activation)', requestId: `r${n}`, subject: n % 2 === 0 ? ANA : OMAR })));
  for (const filter of [{}, { person: 'o' }, { kind: 'activation-requested' }, { group: FINANCE.id }, { text: 'month' }]) {
    const newest = await idsOf({ ...filter, limit: 200 });
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof search>> = await search({ ...filter, limit: 7, order: 'oldest', ...(cursor !== null && { cursor }) });
      walked.push(...page.events.map(({ id }) => id.replace('directory:', '')));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(walked, JSON.stringify(filter)).toEqual(newest.toReversed());
  }
});

test('whom the log named otherwise once is found by that name with all that is theirs', async () => {
  await take([pimEvent({ id: 'before', at: '2026-03-01T09:00:00Z', activity: 'x', subject: { id: ANA.id, name: 'Ana Costa' } }), pimEvent({ id: 'after', at: '2026-03-02T09:00:00Z', activity: 'x', subject: { id: ANA.id, name: 'Ana Lindqvist' } })]);
  expect(await idsOf({ person: 'lindqvist' })).toEqual(['after', 'before']);
});

test('nothing that reads the history can write, nor reads it by another way', async () => {
  await take(story('r1', '2026-03-02'));
  await expect(db.reader.query('DELETE FROM audit_event')).rejects.toMatchObject({ code: '25006' });
  await expect(db.reader.query('CREATE TEMP TABLE t AS SELECT 1')).rejects.toMatchObject({ code: '25006' });
  const readOnly = history({ ...db, get pool(): never { throw new Error('the writing pool'); } });
  const range = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' };
  expect((await readOnly.searchEvents(ines, SearchEvents.query.parse({ person: 'ana', group: 'fin', application: 'x', text: 'month' }))).events).toEqual([]);
  expect((await readOnly.countEvents(ines, CountEvents.query.parse({ text: 'month' }))).events).toBeGreaterThan(0);
  expect((await readOnly.searchActivations(ines, SearchActivations.query.parse({ text: 'month' }))).activations).toHaveLength(1);
  expect((await readOnly.activation(ines, 'r1')).events.length).toBeGreaterThan(4);
  expect((await readOnly.event(ines, 'directory:r1-1')).related.length).toBeGreaterThan(3);
  expect((await readOnly.timeline(ines, GetTimeline.query.parse(range))).lanes).toHaveLength(1);
  await readOnly.statistics(ines, GetEventStatistics.query.parse(range));
  await readOnly.insights(ines, ListInsights.query.parse({}));
  await readOnly.names(ines);
});

test('an event that came again with other content shows each time that it came', async () => {
  await take([pimEvent({ id: 'e1', at: '2026-03-02T09:00:00Z', activity: 'x' })]);
  const { tenantId } = ines;
  await db.pool.query(`INSERT INTO audit_event_key (tenant_id, source, event_id, revision, content_hash, activity_at) SELECT tenant_id, source, event_id, 1, content_hash, activity_at FROM audit_event_key WHERE tenant_id = $1`, [tenantId]);
  await db.pool.query(`INSERT INTO audit_event (tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, raw, ingested_at, revision, batch_id, ordinal)
    SELECT tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, '{"other":true}', now(), 1, batch_id, 1 FROM audit_event WHERE tenant_id = $1`, [tenantId]);
  expect((await search({})).events.map(({ id, revision }) => [id, revision])).toEqual([['directory:e1', 1], ['directory:e1', 0]]);
  const first = await search({ limit: 1 });
  expect((await search({ limit: 1, cursor: first.nextCursor ?? undefined })).events.map(({ revision }) => revision)).toEqual([0]);
  expect(await history().event(ines, 'directory:e1')).toMatchObject({ event: { revision: 0 }, revisions: [{ revision: 1, raw: '{"other":true}' }] });
});

describe('timeline', () => {
  const timeline = (query: object) => history().timeline(ines, GetTimeline.query.parse(query));
  test('has what lay in the span, also what began before it or has not ended', async () => {
    await take([...story('r1', '2026-03-02'), pimEvent({ id: 'open', at: '2026-03-05T09:00:00Z', activity: 'Add member to role completed (PIM activation)', requestId: 'r2', subject: OMAR })]);
    const requests = async (from: string, to: string): Promise<string[]> => (await timeline({ from, to })).lanes.flatMap(({ bars }) => bars.map(({ requestId }) => requestId)).sort();
    expect(await requests('2026-03-01T00:00:00Z', '2026-03-31T00:00:00Z')).toEqual(['r1', 'r2']);
    expect(await requests('2026-03-02T09:05:00Z', '2026-03-02T09:06:00Z')).toEqual(['r1']);
    expect(await requests('2026-03-03T00:00:00Z', '2026-03-04T00:00:00Z')).toEqual([]);
    expect(await requests('2026-03-09T00:00:00Z', '2026-03-10T00:00:00Z')).toEqual(['r2']);
    expect((await timeline({ from: '2026-03-01T00:00:00Z', to: '2026-03-31T00:00:00Z', person: 'omar' })).lanes.map(({ name }) => name)).toEqual([OMAR.name]);
    expect((await timeline({ from: '2026-03-01T00:00:00Z', to: '2026-03-31T00:00:00Z', by: 'application' })).lanes).toMatchObject([{ name: FINANCE.name, bars: [{}, {}] }]);
  });
});

test('insights, from the log alone', async () => {
  const by = (name: string) => ({ user: { id: `id of ${name}`, displayName: name, userPrincipalName: '', ipAddress: null, roles: [] }, app: null });
  await take([
    memberEvent({ id: 'hand', at: '2026-01-02T09:00:00Z', change: 'added', by: by('Maya Lindqvist'), subject: OMAR }),
    pimEvent({ id: 'eligible', at: '2025-11-02T09:00:00Z', activity: 'Add eligible member to role in PIM completed (permanent)', by: by('Maya Lindqvist') }),
    ...[1, 2, 3, 4, 5].flatMap((n) => [
      pimEvent({ id: `asked${n}`, at: `2026-03-0${n}T22:00:00Z`, activity: 'Add member to role requested (PIM activation)', requestId: `r${n}`, subject: OMAR, reason: n % 2 === 0 ? 'Work ' : 'work', details: {} }),
      pimEvent({ id: `approved${n}`, at: `2026-03-0${n}T22:00:0${n + 4}Z`, activity: 'Add member to role request approved (PIM activation)', requestId: `r${n}`, subject: OMAR, by: by('Ines Moreau') }),
      pimEvent({ id: `active${n}`, at: `2026-03-0${n}T22:01:00Z`, activity: 'Add member to role completed (PIM activation)', requestId: `r${n}`, subject: OMAR }),
    ]),
  ]);
  const answer = await history().insights(ines, ListInsights.query.parse({ days: 60 }));
  expect(answer.insights.map(({ kind, person, times }) => [kind, person, times]).sort()).toEqual([
    ['out-of-hours', OMAR.name, 5], ['quick-approval', 'Ines Moreau', 5], ['repeated-reason', OMAR.name, 5], ['standing-access', OMAR.name, 1], ['unused-eligibility', ANA.name, 1],
  ]);
  // In Honolulu it was midday.
  expect((await history().insights(ines, ListInsights.query.parse({ days: 60, timeZone: 'Pacific/Honolulu' }))).insights.filter(({ kind }) => kind === 'out-of-hours')).toMatchObject([{ times: 1 }]);
});
