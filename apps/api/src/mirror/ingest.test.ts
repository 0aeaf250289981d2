import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { withConnection } from './database.ts';
import type { ReceivedEvent } from './directory-event.ts';
import { ingest, joinStale } from './ingest.ts';
import type { Batch, Ingested } from './source.ts';
import { ANA, memberEvent, OMAR, pimEvent, received, story } from './testing.ts';

const RECEIVED_AT = new Date('2026-03-02T10:00:00.000Z');
let db: TestDatabase;
let tenantId: string;
beforeAll(async () => { db = await testDatabase(); });
afterAll(async () => { await db[Symbol.asyncDispose](); });
// Each test is a tenant of its own.
beforeEach(() => { tenantId = randomUUID(); });

const log = pino({ level: 'silent' });
const take = (events: readonly ReceivedEvent[], also?: Batch['also']): Promise<Ingested> =>
  withConnection(db, (connection) => ingest(connection, log, { tenantId, events, receivedAt: RECEIVED_AT, ...(also && { also }) }));
const events = async () => (await db.pool.query('SELECT * FROM audit_event WHERE tenant_id = $1 ORDER BY activity_at, event_id', [tenantId])).rows;
const activations = async () => (await db.pool.query('SELECT * FROM activation WHERE tenant_id = $1 ORDER BY requested_at', [tenantId])).rows;
const keys = async () => (await db.pool.query('SELECT count(*)::int AS n FROM audit_event_key WHERE tenant_id = $1', [tenantId])).rows[0].n as number;

test('each event is kept once, as it came, however often it comes', async () => {
  const log7 = story('r1', '2026-03-02');
  expect(await take(log7)).toMatchObject({ added: 7, known: 0, revised: 0 });
  expect(await take([...log7, ...log7])).toMatchObject({ added: 0, known: 7, revised: 0 });
  const stored = await events();
  expect(stored.map(({ raw }) => raw)).toEqual(log7.map(({ raw }) => raw));
  expect(stored[0]).toMatchObject({ source: 'directory', activity_at_raw: '2026-03-02T09:00:00.1234567Z', kind: 'activation-requested', service: 'PIM', ingested_at: RECEIVED_AT });
  expect(await keys()).toBe(7);
});

test('the six decimals that PostgreSQL keeps are all there', async () => {
  await take([pimEvent({ id: 'a', at: '2026-03-02T09:00:00.1234567Z', activity: 'x' })]);
  const { rows } = await db.pool.query(`SELECT extract(microseconds FROM activity_at)::int AS us FROM audit_event WHERE tenant_id = $1`, [tenantId]);
  expect(rows).toEqual([{ us: 123_456 }]);
});

test('the same id with other content is kept beside the first as its next revision, and told; any of them again is known', async () => {
  const [first] = story('r1', '2026-03-02');
  if (!first) throw new Error('no story');
  const second = { ...first, raw: first.raw.replace('Month-end', 'Quarter-end') };
  const third = { ...first, raw: first.raw.replace('Month-end', 'Year-end') };
  await take([first]);
  expect(await take([second])).toMatchObject({ added: 1, known: 0, revised: 1 });
  expect(await take([second, first])).toMatchObject({ added: 0, known: 2, revised: 0 });
  expect(await take([third])).toMatchObject({ added: 1, revised: 1 });
  const kept = (await events()).toSorted((one, other) => one.revision - other.revision);
  expect(kept.map(({ raw, revision }) => [revision, raw])).toEqual([[0, first.raw], [1, second.raw], [2, third.raw]]);
  // An activation is what was told of it first.
  expect(await activations()).toMatchObject([{ justification: 'Month-end close' }]);
  // Within one page likewise.
  tenantId = randomUUID();
  expect(await take([first, second, first, third])).toMatchObject({ added: 3, known: 0, revised: 2 });
  expect(await take([third, second, first])).toMatchObject({ added: 0, known: 3 });
});

test('the rows of a batch are numbered from nought without a hole, also where some were known', async () => {
  const all = story('r1', '2026-03-02');
  await take(all.slice(2, 4));
  await take(all);
  const { rows } = await db.pool.query(
    `SELECT b.rows, b.log, array_agg(e.ordinal ORDER BY e.ordinal) AS ordinals FROM log_batch AS b JOIN log_unsealed AS u USING (tenant_id, batch_id) JOIN audit_event AS e USING (tenant_id, batch_id)
     WHERE tenant_id = $1 GROUP BY batch_id, b.rows, b.log ORDER BY batch_id`, [tenantId]);
  expect(rows).toEqual([{ rows: 2, log: 'audit_event', ordinals: [0, 1] }, { rows: 5, log: 'audit_event', ordinals: [0, 1, 2, 3, 4] }]);
});

test('who may only insert into the log and read it takes pages in, revisions among them', async () => {
  const all = story('r1', '2026-03-02');
  await take(all);
  const changed = all.map((one) => ({ ...one, raw: one.raw.replace('success', 'failure') }));
  expect(await withConnection(db, (connection) => ingest(connection, log, { tenantId, events: [...all, ...changed], receivedAt: RECEIVED_AT }))).toMatchObject({ added: 7, revised: 7, known: 7 });
  for (const table of ['audit_event', 'audit_event_key', 'log_batch']) await expect(db.pool.query(`DELETE FROM ${table}`)).rejects.toThrow('permission denied');
});

test('of a bulk the activations follow, in however many steps', async () => {
  await withConnection(db, async (connection) => {
    await ingest(connection, log, { tenantId, events: story('r1', '2026-03-02'), receivedAt: RECEIVED_AT, bulk: true });
    expect(await activations()).toEqual([]);
    await joinStale(connection, tenantId);
  });
  expect(await activations()).toMatchObject([{ status: 'ended', decided_by: OMAR.name }]);
  expect((await db.pool.query('SELECT 1 FROM activation_stale WHERE tenant_id = $1', [tenantId])).rows).toEqual([]);
});

test('what is wrong with an event is said beside it; a word that nobody knows is nothing wrong', async () => {
  const at = '2026-03-02T09:00:00Z';
  const none = { id: '', activityDateTime: '' };
  const dirty: (readonly [ReceivedEvent, string | null])[] = [
    [{ ...none, raw: '{"broken' }, 'no JSON'], [{ ...none, raw: 'null' }, 'Nothing stands'], [{ ...none, raw: '7' }, 'another value'], [{ ...none, raw: '{"error":{"code":"UnknownError"}}' }, 'An error stands'],
    [{ ...none, raw: '{"a":1}' }, 'no id'], [received('i'.repeat(300), at, {}), 'longer than 200'], [received('no-time', '', {}), 'no time'], [received('soon', 'soon', {}), 'time is none'], [received('big', at, { text: 'x'.repeat(1_100_000) }), '1 MiB'],
    [received('strange', at, { result: 'unknownFutureValue', activityDisplayName: 'What nobody knows', initiatedBy: null, targetResources: [null, 7], additionalDetails: {} }), null],
    [received('seven', '2026-03-02T09:00:00.1234567Z', {}), null],
  ];
  expect(await take(dirty.map(([event]) => event))).toMatchObject({ added: dirty.length, defects: 9, seen: [{ id: 'strange' }, { id: 'seven', at: '2026-03-02T09:00:00.123456Z' }] });
  const { rows } = await db.pool.query('SELECT raw, defect FROM audit_event WHERE tenant_id = $1 ORDER BY ordinal', [tenantId]);
  for (const [index, [event, defect]] of dirty.entries()) expect(rows[index]).toEqual({ raw: event.raw, defect: defect === null ? null : expect.stringContaining(defect) });
});

test('months come into being with their events, the last instant of one included', async () => {
  await take([
    pimEvent({ id: 'a', at: '2024-01-31T23:59:59.9999999Z', activity: 'x' }), pimEvent({ id: 'b', at: '2024-02-01T00:00:00Z', activity: 'x' }), pimEvent({ id: 'c', at: '2031-12-31T23:30:00-01:00', activity: 'x' }),
  ]);
  const { rows } = await db.pool.query(`SELECT event_id AS id, tableoid::regclass::text AS part FROM audit_event WHERE tenant_id = $1 ORDER BY 1`, [tenantId]);
  expect(rows).toEqual([{ id: 'a', part: 'audit_event_202401' }, { id: 'b', part: 'audit_event_202402' }, { id: 'c', part: 'audit_event_203201' }]);
});

test('what is dirty is kept, and nothing beside it is lost', async () => {
  const dirty: ReceivedEvent[] = [
    { id: '', activityDateTime: '', raw: '{"broken' }, { id: '', activityDateTime: '', raw: 'null' }, received('no-time', 'soon', { activityDisplayName: 'x' }),
    received('nul\u0000', '2026-03-02T09:00:00Z', { activityDisplayName: 'a\u0000b\ud800', loggedByService: 'PIM', targetResources: [{ type: 'Group', id: 'g'.repeat(10_000), displayName: 'n'.repeat(100_000) }] }),
    received('i'.repeat(10_000), '2026-03-02T09:00:00Z', {}), received('far', '0001-01-01T00:00:00Z', {}),
    { id: 'raw-nul', activityDateTime: '', raw: 'a\u0000b' },
  ];
  expect(await take([...dirty, ...story('r1', '2026-03-02')])).toMatchObject({ added: 14 });
  expect(await take(dirty)).toMatchObject({ added: 0, known: 7, revised: 0 });
  const kept = await events();
  expect(kept).toHaveLength(14);
  expect(kept.find(({ event_id: id }) => id === 'no-time')).toMatchObject({ activity_at: RECEIVED_AT, activity_at_raw: 'soon', kind: 'other' });
});

test('activations are joined in the same transaction, and again with what comes later, in whatever order', async () => {
  const parts = story('r1', '2026-03-02');
  for (const part of parts.toReversed()) await take([part]);
  const late = await activations();
  expect(late).toHaveLength(1);
  expect(late[0]).toMatchObject({ request_id: 'r1', principal_id: ANA.id, status: 'ended', ended_how: 'deactivated', decided_by: OMAR.name, justification: 'Month-end close', ticket_number: 'INC-4711' });

  tenantId = randomUUID();
  await take(parts);
  expect((await activations()).map(({ tenant_id: _, ...row }) => row)).toEqual(late.map(({ tenant_id: _, ...row }) => row));
});

test('a request id that a log gives to two people does not stop the page', async () => {
  const mine = pimEvent({ id: 'a', at: '2026-03-02T09:00:00Z', activity: 'Add member to role requested (PIM activation)', requestId: 'r1' });
  const theirs = pimEvent({ id: 'b', at: '2026-03-02T09:00:01Z', activity: 'Add member to role requested (PIM activation)', requestId: 'r1', subject: OMAR });
  expect(await take([mine, theirs])).toMatchObject({ added: 2 });
  tenantId = randomUUID();
  await take([mine]);
  expect(await take([theirs])).toMatchObject({ added: 1 });
  expect(await activations()).toMatchObject([{ request_id: 'r1', principal_id: ANA.id }]);
});

test('a transaction that breaks at its end leaves neither events, keys, activations nor state', async () => {
  await take([memberEvent({ id: 'before', at: '2026-03-02T08:00:00Z', change: 'added' })]);
  await expect(take(story('r1', '2026-03-02'), async (connection) => {
    await connection.query(`INSERT INTO sync_source (tenant_id, source, watermark) VALUES ($1, 'directory', '2026-03-02T10:00:00Z')`, [tenantId]);
    throw new Error('cut off');
  })).rejects.toThrow('cut off');
  expect(await events()).toHaveLength(1);
  expect(await keys()).toBe(1);
  expect(await activations()).toEqual([]);
  expect((await db.pool.query('SELECT 1 FROM sync_source WHERE tenant_id = $1', [tenantId])).rows).toEqual([]);
  expect(await take(story('r1', '2026-03-02'))).toMatchObject({ added: 7 });
});

test('pages that come in at the same time lose nothing of each other', async () => {
  const parts = story('r1', '2026-03-02');
  await Promise.all([...parts, ...parts].map((part) => take([part])));
  expect(await events()).toHaveLength(7);
  expect(await activations()).toMatchObject([{ status: 'ended', decided_by: OMAR.name }]);
});
