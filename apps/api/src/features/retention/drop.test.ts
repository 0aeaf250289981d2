import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { pino } from 'pino';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { checkPack } from '../../../../verify/src/check.ts';
import { verify } from '../../../../verify/src/verify.ts';
import type { Actor } from '../../core/actor.ts';
import { withConnection } from '../../mirror/database.ts';
import { ingest, joinStale } from '../../mirror/ingest.ts';
import { checkLedger } from '../../mirror/ledger/check.ts';
import { inSnapshot } from '../../mirror/ledger/leaf.store.ts';
import { COPY_SETTINGS } from '../../mirror/ledger/leaves.ts';
import { createLedger, originOf, type Ledger } from '../../mirror/ledger/ledger.ts';
import { pimEvent, story } from '../../mirror/testing.ts';
import { ingestTraffic, readTraffic } from '../../mirror/traffic-source.ts';
import { readMark, readPack, sealedPart, withSnapshot } from '../exports/exports.ts';
import { droppedStatement } from '../exports/pack.rules.ts';
import { readDropped } from '../exports/pack.store.ts';
import { countBetween, foldCounts } from '../history/counts.store.ts';
import { readCoverage, readLogState } from '../history/history.ts';
import { createRetention, type Retention } from './retention.service.ts';

const dir = mkdtempSync(join(tmpdir(), 'dropped-'));
afterAll(() => { rmSync(dir, { recursive: true }); });

const tenantId = '11111111-2222-4333-8444-555555555555';
const log = pino({ level: 'silent' });
const maya: Actor = { tenantId, principalId: randomUUID(), name: 'Maya Lindqvist', upn: 'maya', roles: ['SetupAdmin'], accountId: 'maya', device: null };
let db: TestDatabase;
let now: Date;
let ledger: Ledger;
let retention: Retention;
let archives: string;
const clock = { now: () => now };
const retentionOf = (of: TestDatabase): Retention => createRetention({ db: of, clock, newId: () => randomUUID(), tenantId, log, dir: archives, ledgerPart: sealedPart(ledger) });
const take = (events: Parameters<typeof ingest>[2]['events']) => withConnection(db, (connection) => ingest(connection, log, { tenantId, events, receivedAt: now }));
const filler = (prefix: string, count: number, at: string) => Array.from({ length: count }, (_, n) => pimEvent({ id: `${prefix}${n}`, at, activity: 'Something else' }));

/** The log of a portal that has been used: a month whose time is over, in three batches and among others, and more than a tile after it. */
beforeEach(async () => {
  db = await testDatabase();
  now = new Date('2026-03-02T10:00:00Z');
  archives = join(dir, randomUUID());
  ledger = createLedger({ db, clock, systemClock: clock, tenantId, keys: [Buffer.alloc(32, 9)], log });
  retention = retentionOf(db);
  await db.pool.query(`INSERT INTO sync_source (tenant_id, source, complete_from, watermark) VALUES ($1, 'directory', '2018-10-15T00:00:00.0000000Z', '2026-03-02T09:00:00.0000000Z')`, [tenantId]);
  await take(story('old', '2018-11-05'));
  await take([...filler('a', 4, '2025-11-03T00:00:00Z'), ...filler('b', 3, '2018-11-30T23:59:59.999Z'), ...filler('c', 2, '2025-12-01T00:00:00Z'), ...filler('d', 1, '2018-11-01T00:00:00Z')]);
  await take(filler('e', 6, '2018-11-11T00:00:00Z'));
  await take([...story('new', '2026-02-05'), ...filler('f', 300, '2026-02-06T00:00:00Z')]);
  await ledger.seal();
});
afterEach(async () => { await db[Symbol.asyncDispose](); });

const pass = async (at: string, by = retention): Promise<void> => {
  now = new Date(at);
  await by.pass();
};
/** Announced, archived, and checked in the night: nothing is left but to drop it. */
const makeReady = async (): Promise<void> => {
  await pass('2026-03-02T10:00:00Z');
  now = new Date('2026-03-03T02:00:00Z');
  expect(await ledger.check()).toEqual([]);
  now = new Date('2026-04-02T10:00:00Z');
};
const drops = async () => (await retention.get(maya)).drops;
const said = async (): Promise<string[]> => (await db.pool.query<{ activity: string }>(`SELECT activity FROM audit_event WHERE source = 'portal' ORDER BY batch_id`)).rows.map(({ activity }) => activity);
const inMonth = async (month = '2018-11'): Promise<number> => (await db.pool.query(`SELECT 1 FROM audit_event WHERE to_char(activity_at AT TIME ZONE 'UTC', 'YYYY-MM') = $1`, [month])).rowCount ?? 0;

async function bytesOf(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Buffer> {
  const all = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function check(pack: AsyncIterable<Buffer> | string): Promise<{ code: number; lines: string }> {
  const file = typeof pack === 'string' ? pack : join(dir, `${randomUUID()}.zip`);
  if (typeof pack !== 'string') writeFileSync(file, await bytesOf(pack));
  const lines: string[] = [];
  const code = await verify([file, '--key', (await ledger.keys())[0] ?? ''], { out: (line) => { lines.push(line); }, err: (line) => { lines.push(line); }, cookie: undefined });
  return { code, lines: lines.join('\n') };
}

test('the portal’s own role drops a month whose notice is over, and the ledger vouches for the rest', async () => {
  await makeReady();
  await pass('2026-04-02T10:00:00Z');
  await expect(db.pool.query('DELETE FROM audit_event')).rejects.toThrow(/permission denied/);
  await expect(db.pool.query('INSERT INTO dropped_month SELECT * FROM dropped_month')).rejects.toThrow(/permission denied/);
  await expect(db.reader.query(`SELECT drop_log_month($1, 'audit_event', '2018-11-01', '')`, [tenantId])).rejects.toThrow(/permission denied/);
  expect(await inMonth()).toBe(0);
  const [drop] = await drops();
  expect(drop).toMatchObject({ month: '2018-11', status: 'dropped', rows: 17, refusal: null, error: null });
  expect(await said()).toEqual(['retention.drop-planned', 'retention.month-archived', 'retention.month-dropped']);
  expect((await db.pool.query('SELECT month, rows::int, leaves, archive_sha256, policy FROM dropped_month')).rows).toEqual([{ month: '2018-11', rows: 17, leaves: '0-7,12-15,17-18,19-25', archive_sha256: drop?.sha256, policy: 'directory 84' }]);
  expect((await db.pool.query(`SELECT 1 FROM audit_event_key WHERE activity_at < '2019-01-01'`)).rowCount).toBe(0);

  await take(filler('g', 5, '2026-04-02T00:00:00Z'));
  await ledger.seal();
  expect(await ledger.check()).toEqual([]);
  expect((await ledger.state()).alarm).toBeNull();
  const all = await check(ledger.pack({}));
  expect(all.lines).toMatch(/nothing else is missing/);
  expect(all.lines).toContain(`17 rows of audit_event of 2018-11 were dropped at`);
  expect(all.lines).toContain(String(drop?.sha256));
  expect(all.code).toBe(0);
  // The archive proves its rows by itself, with the leaves that they had.
  const archive = await check(drop?.file ?? '');
  expect(archive.lines).toMatch(/17 lines of events.ndjson are among these rows/);
  expect(archive.code).toBe(0);
  // Nothing is left to do.
  await pass('2026-04-03T10:00:00Z');
  expect(await said()).toHaveLength(3);
});

test('a pack of a part, whose record of the drop lies behind it, holds too; and what is done beside the drop is found', async () => {
  await makeReady();
  await pass('2026-04-02T10:00:00Z');
  await ledger.seal();
  await take(filler('g', 5, '2026-04-02T00:00:00Z'));
  await ledger.seal();
  const part = await withConnection(db, async (connection) => {
    await connection.query('BEGIN');
    const all = [];
    for await (const file of ledger.part(connection, [3, 26])) {
      all.push([file.name, await bytesOf(file.chunks())] as const);
    }
    await connection.query('ROLLBACK');
    return new Map(all);
  });
  const packOf = (files: ReadonlyMap<string, Buffer>) => ({ names: [...files.keys()], stream: async function* stream(name: string) { yield files.get(name) ?? Buffer.of(); } });
  const report = await checkPack(packOf(part), { keys: await ledger.keys() });
  expect(report.problems).toEqual([]);
  expect(report.proved.join('\n')).toMatch(/nothing else is missing between leaf 3 and 26, nor between \d+ and \d+/);
  // Nothing that it selects is left: its leaves, and the record of what became of them, are.
  const selection = { tenantId, filter: { from: '2018-11-01T00:00:00.000000Z', to: '2018-12-01T00:00:00.000000Z' }, mark: await readMark(db.pool, tenantId) };
  const [gone, dropped] = await withSnapshot(db, async (connection) => {
    const files = new Map<string, Buffer>();
    for (const { name, content } of await sealedPart(ledger).filesOf(connection, selection)) files.set(name, await bytesOf(await content()));
    return [files, await readDropped(connection, tenantId, selection.filter)] as const;
  });
  const ofGone = await checkPack(packOf(gone), { keys: await ledger.keys() });
  expect(ofGone.problems).toEqual([]);
  expect(ofGone.proved.join(' ')).toMatch(/17 rows of audit_event of 2018-11 were dropped/);
  const [drop] = await drops();
  expect(droppedStatement(dropped)).toMatch(new RegExp(`^ 17 rows from 2018-11-01 to the end of 2018-11 were dropped on .* UTC under the retention policy \\(months kept: directory 84\\); they are in the archive audit_event-2018-11-${tenantId}\\.zip with SHA-256 ${drop?.sha256}\\.$`));

  // Without the record, or with a row more that is said to be dropped, it does not.
  const proofs = JSON.parse(part.get('ledger/proofs.json')?.toString() ?? '') as { ranges: [number, number][]; dropped: [number, number][] };
  for (const dropped of [proofs.dropped.slice(1), proofs.dropped.map(([from, to], at) => (at === 1 ? [from, to + 1] : [from, to])), [...proofs.dropped, [25, 26]]]) {
    const { problems } = await checkPack(packOf(new Map(part).set('ledger/proofs.json', Buffer.from(`${JSON.stringify({ ...proofs, dropped })}\n`))), { keys: await ledger.keys() });
    expect(problems, JSON.stringify(dropped)).not.toEqual([]);
  }
  // By the portal's own check, each alone. Leaf 18 is the batch's row behind a dropped one, 8 to 11 are rows between two runs.
  const grow = `UPDATE dropped_month SET leaves = '0-7,11-15,17-18,19-25', rows = rows + 1`;
  const record = (queue: string): string => `WITH made AS (INSERT INTO log_batch (tenant_id, log, source, received_at, rows) VALUES ('${tenantId}', 'dropped_month', 'retention', now(), 1) RETURNING batch_id)${queue}
    INSERT INTO dropped_month SELECT d.tenant_id, made.batch_id, 0, log, '2025-11', 4, '8-12', 8, 12, policy, planned_at, archive, archive_sha256, archive_bytes, verified_at, tree_size, root, dropped_at FROM dropped_month AS d, made`;
  const findings: readonly (readonly [change: string, found: RegExp])[] = [
    [`DELETE FROM audit_event WHERE event_id = 'a3'`, /row number 3 is not in audit_event/],
    [`DROP TABLE audit_event_202511`, /row number 0 is not in audit_event/],
    [`${grow}; DELETE FROM audit_event WHERE event_id = 'a3'`, /do not give what the checkpoint/],
    [`${grow}`, /has a row more than it says: number 3/],
    [`INSERT INTO audit_event (tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, raw, ingested_at, batch_id, ordinal) SELECT tenant_id, source, 'back', '2026-02-06Z', '', activity, kind, service, result, raw, ingested_at, batch_id, 5 FROM audit_event WHERE event_id = 'a3'`, /row more than it says: number 5/],
    [`DELETE FROM dropped_month`, /row number 0 is not in audit_event/],
    [`UPDATE dropped_month SET rows = rows + 1`, /says 18 rows and names 17 leaves/],
    [`UPDATE dropped_month SET leaves = '0-7,12-15,17-19,20-25'`, /are not rows of one batch in audit_event/],
    [`UPDATE dropped_month SET log = 'observation'`, /are not rows of one batch in observation/],
    [`UPDATE dropped_month SET tree_size = tree_size - 1`, /was never signed/],
    [`UPDATE dropped_month SET archive_sha256 = 'ff'`, /do not give what the checkpoint/],
    [`UPDATE ledger_tile SET hashes = set_byte(hashes, 3, get_byte(hashes, 3) # 1) WHERE level = 0 AND index = 0`, /do not give what the checkpoint/],
    // A record that is in no sealed batch and in no queue is none.
    [`${record('')}; DELETE FROM audit_event WHERE event_id IN ('a0', 'a1', 'a2', 'a3')`, /row number 0 is not in audit_event/],
    [`${record('')}`, /Batch \d+ is neither sealed nor queued/],
    [`${record(", queued AS (INSERT INTO log_unsealed SELECT '" + tenantId + "', batch_id FROM made)")}`, /row more than it says: number 0/],
  ];
  await withConnection({ pool: db.owner }, async (connection) => {
    for (const [change, found] of findings) {
      await connection.query('BEGIN');
      await connection.query(change);
      await connection.query('SET LOCAL ROLE gatehouse_runtime');
      await connection.query(COPY_SETTINGS);
      const checked = await checkLedger(connection, { tenantId, origin: originOf(tenantId), verifierKeys: await ledger.keys() });
      await connection.query('ROLLBACK');
      expect(checked.found.join(' '), change).toMatch(found);
    }
  });
});

test('a pack of a part that comes to everything with the record of the drop is one of everything', async () => {
  await makeReady();
  await db.pool.query(`SELECT drop_log_month($1, 'audit_event', '2018-11-01', $2)`, [tenantId, (await drops())[0]?.sha256]);
  await ledger.seal();
  const { rows: [record] } = await db.pool.query<{ first: number }>(`SELECT s.first_leaf::int AS first FROM ledger_seal AS s JOIN log_batch AS b USING (tenant_id, batch_id) WHERE b.log = 'dropped_month'`);
  const part = new Map<string, Buffer>();
  await withConnection(db, (connection) => inSnapshot(connection, async () => {
    for await (const { name, chunks } of ledger.part(connection, [0, record?.first ?? 0])) part.set(name, await bytesOf(chunks()));
  }));
  const { problems } = await checkPack({ names: [...part.keys()], stream: async function* stream(name: string) { yield part.get(name) ?? Buffer.of(); } }, { keys: await ledger.keys() });
  expect([problems, part.has('ledger/strays.copy')]).toEqual([[], true]);
});

test('the database refuses by itself, and says why', async () => {
  await makeReady();
  const sha256 = (await drops())[0]?.sha256 ?? '';
  const asked = (change: string, hash = sha256): Promise<string> => withConnection({ pool: db.owner }, async (connection) => {
    await connection.query('BEGIN');
    if (change !== '') await connection.query(change);
    await connection.query('SET LOCAL ROLE gatehouse_runtime');
    const { rows: [row] } = await connection.query<{ outcome: string }>(`SELECT drop_log_month($1, 'audit_event', '2018-11-01', $2) AS outcome`, [tenantId, hash]);
    const { rowCount } = await connection.query('SELECT 1 FROM dropped_month');
    await connection.query('ROLLBACK');
    expect(rowCount, change).toBe(row?.outcome === 'dropped' ? 1 : 0);
    return row?.outcome ?? '';
  });
  const other = `'99999999-2222-4333-8444-555555555555'`;
  const hold = (from: string, to: string): string => `INSERT INTO legal_hold (tenant_id, id, reason, from_month, to_month, set_at, set_by) VALUES ('${tenantId}', gen_random_uuid(), 'x', ${from}, ${to}, now(), 'x')`;
  expect(await asked('')).toBe('dropped');
  const refused: readonly (readonly [change: string, word: string])[] = [
    [`DELETE FROM month_archive`, 'not-announced'],
    [`UPDATE month_archive SET status = 'dropped'`, 'dropped-before'],
    [hold('NULL', 'NULL'), 'held'],
    [hold(`'2018-11-01'`, `'2018-11-01'`), 'held'],
    // Any role may make temporary tables: what it calls like one of ours is not asked.
    [`${hold('NULL', 'NULL')}; CREATE TEMPORARY TABLE legal_hold (LIKE legal_hold) ON COMMIT DROP; GRANT SELECT, UPDATE ON pg_temp.legal_hold TO PUBLIC`, 'held'],
    [`CREATE TEMPORARY TABLE month_archive ON COMMIT DROP AS TABLE month_archive; GRANT SELECT, UPDATE ON pg_temp.month_archive TO PUBLIC; UPDATE public.month_archive SET status = 'planned'`, 'not-archived'],
    [`UPDATE month_archive SET due_at = now() + interval '1 minute'`, 'no-notice'],
    [`ALTER TABLE month_archive DROP CONSTRAINT month_archive_notice; UPDATE month_archive SET planned_at = now() - interval '29 days 23 hours', due_at = planned_at`, 'no-notice'],
    [`UPDATE month_archive SET status = 'planned'`, 'not-archived'],
    [`UPDATE month_archive SET error = 'It did not read back'`, 'not-archived'],
    [`UPDATE month_archive SET rows = rows + 1`, 'not-archived'],
    [`UPDATE month_archive SET verified_at = '2026-03-01T00:00:00Z'`, 'not-archived'],
    [`INSERT INTO retention_policy (tenant_id, source, months, changed_at, changed_by) VALUES ('${tenantId}', 'directory', 600, now(), 'x')`, 'not-over'],
    [`UPDATE audit_event SET tenant_id = ${other} WHERE event_id = 'b1'; UPDATE month_archive SET rows = rows - 1`, 'other-tenants'],
    [`DELETE FROM ledger_seal WHERE first_leaf = 8`, 'not-sealed'],
    // In the tree, and its tile is not complete.
    [`DELETE FROM ledger_checkpoint WHERE tree_size > 250; INSERT INTO ledger_checkpoint SELECT tenant_id, 255, root_hash, note, signed_at FROM (SELECT '${tenantId}'::uuid AS tenant_id, '\\x'::bytea AS root_hash, '' AS note, now() AS signed_at) AS c`, 'not-sealed'],
    [`UPDATE ledger_sealer SET alarm = 'Leaf 3 is not what was sealed.'`, 'not-checked'],
    [`UPDATE ledger_sealer SET check_found = 'Leaf 3 is not what was sealed.'`, 'not-checked'],
    [`UPDATE ledger_sealer SET checked_at = '2026-03-02T09:59:59Z'`, 'not-checked'],
    [`UPDATE ledger_sealer SET checked_size = 20`, 'not-checked'],
  ];
  const answered: [change: string, word: string][] = [];
  for (const [change] of refused) answered.push([change, await asked(change)]);
  expect(answered).toEqual(refused);
  expect(await asked('', 'another hash')).toBe('not-archived');
  // Holds that are lifted, or of other months, are none.
  expect(await asked(`${hold(`'2018-12-01'`, 'NULL')}; ${hold('NULL', `'2018-10-01'`)}; ${hold('NULL', 'NULL').replace('set_at,', 'lifted_at, set_at,').replace('now(),', 'now(), now(),')}`)).toBe('dropped');
  expect(await inMonth()).toBe(17);
});

test.each(['summed up', 'summed up but for a batch', 'not summed up yet'])('portals that drop at once drop once; counts, names and activations, %s, are then those of the rows that are left, and pages say from when they are complete', async (how) => {
  await makeReady();
  if (how !== 'not summed up yet') await foldCounts(db, tenantId);
  if (how === 'summed up but for a batch') {
    await db.owner.query(`WITH u AS (INSERT INTO log_unnamed SELECT tenant_id, batch_id, min(ordinal), max(ordinal), min(activity_at), max(activity_at) FROM audit_event
        WHERE batch_id = (SELECT max(batch_id) FROM audit_event WHERE activity_at < '2018-12-01T00:00:00Z') GROUP BY 1, 2 RETURNING log_unnamed AS batch)
      UPDATE log_name AS n SET events = n.events - gone.events FROM (SELECT named.role, named.key, named.name, count(*) AS events FROM u, names_of_batch(u.batch) AS named GROUP BY 1, 2, 3) AS gone WHERE n.role = gone.role AND n.key = gone.key AND n.name = gone.name`);
  }
  const sha256 = (await drops())[0]?.sha256 ?? '';
  const { namesVersion } = await readLogState(db.reader, tenantId);
  const outcomes = await Promise.all([1, 2, 3].map(() => db.pool.query<{ outcome: string }>(`SELECT drop_log_month($1, 'audit_event', '2018-11-01', $2) AS outcome`, [tenantId, sha256]).then(({ rows: [row] }) => row?.outcome)));
  expect(outcomes.toSorted()).toEqual(['dropped', 'dropped-before', 'dropped-before']);
  expect((await readLogState(db.reader, tenantId)).namesVersion).not.toBe(namesVersion);
  await Promise.all([retention.pass(), retentionOf(db).pass()]);
  expect((await db.pool.query('SELECT 1 FROM dropped_month')).rowCount).toBe(1);
  await withConnection(db, (connection) => joinStale(connection, tenantId));
  const raw = (await db.pool.query<{ row: string }>(`SELECT concat_ws(' ', kind, result, source, count(*)) AS row FROM audit_event GROUP BY kind, result, source ORDER BY 1`)).rows.map(({ row }) => row);
  const names = `SELECT role, key, sum(events)::int AS events FROM (SELECT role, key, events FROM log_name UNION ALL SELECT named.role, named.key, 1 FROM log_unnamed AS u, names_of_batch(u) AS named) AS n GROUP BY 1, 2 HAVING sum(events) <> 0 ORDER BY 1, 2`;
  const rawNames = (await db.pool.query(`SELECT role, key, count(*)::int AS events FROM audit_event, LATERAL (VALUES ('actor', coalesce(actor_id, actor_name)), ('subject', subject_id), ('group', coalesce(group_id, group_name)), ('application', coalesce(application_id, application_name))) AS n (role, key) WHERE key IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`)).rows;
  for (const again of ['not folded', 'folded']) {
    expect((await countBetween(db.reader, tenantId, undefined, undefined)).map(({ kind, result, source, events }) => `${kind} ${result} ${source} ${events}`).toSorted(), again).toEqual(raw.toSorted());
    expect(await countBetween(db.reader, tenantId, '2018-01-01T00:00:00.000000Z', '2019-01-01T00:00:00.000000Z'), again).toEqual([]);
    expect((await db.pool.query(names)).rows, again).toEqual(rawNames);
    await foldCounts(db, tenantId);
  }
  expect((await db.pool.query(`SELECT 1 FROM event_count WHERE events <= 0 UNION ALL SELECT 1 FROM log_name WHERE events <= 0`)).rowCount).toBe(0);
  expect((await db.pool.query('SELECT request_id FROM activation')).rows).toEqual([{ request_id: 'new' }]);
  expect(await readCoverage(db.reader, tenantId)).toMatchObject({ from: '2018-12-01T00:00:00.000Z', droppedTo: '2018-12-01T00:00:00.000Z' });
});

test('months of the traffic log are dropped by a policy of their own, and the audit log of the same month stays', async () => {
  const connections = (day: string, count: number) => Array.from({ length: count }, (_, n) => readTraffic({ id: `${day}-${n}`, activityDateTime: `${day}T10:00:00Z`, raw: JSON.stringify({ transactionId: `${day}-${n}`, createdDateTime: `${day}T10:00:00Z`, action: 'allow' }) }, now));
  const took = (day: string, count: number) => withConnection(db, (connection) => ingestTraffic(connection, { tenantId, receivedAt: now, events: connections(day, count) }));
  await db.pool.query(`INSERT INTO sync_source (tenant_id, source, complete_from, watermark) VALUES ($1, 'traffic', '2018-10-15T00:00:00.0000000Z', '2026-03-02T09:00:00.0000000Z')`, [tenantId]);
  await retention.setPolicy(maya, { source: 'directory', months: 600 });
  await took('2018-11-05', 5);
  await took('2019-01-01', 3);
  await took('2026-02-05', 2);
  await take(filler('h', 300, '2026-02-07T00:00:00Z'));
  await ledger.seal();
  await retention.setPolicy(maya, { source: 'traffic', months: 87 });
  await makeReady();
  expect(await drops()).toMatchObject([{ log: 'network_connection', month: '2018-11', status: 'verified', rows: 5 }]);
  const archive = (await drops())[0]?.file ?? '';
  expect(await retention.get(maya)).toMatchObject({ policies: [{ source: 'directory', months: 600 }, { source: 'portal', months: 84 }, { source: 'traffic', months: 87 }] });
  const outcome = (log: string, month: string) => db.pool.query<{ outcome: string }>('SELECT drop_log_month($1, $2, $3, $4) AS outcome', [tenantId, log, month, 'x']).then(({ rows: [row] }) => row?.outcome);
  // Neither of another log, nor of what is no log, nor with another archive.
  expect([await outcome('audit_event', '2018-11-01'), await outcome('session', '2018-11-01'), await outcome('network_connection', '2019-01-01'), await outcome('network_connection', '2018-11-01')]).toEqual(['not-announced', 'not-announced', 'not-announced', 'not-archived']);

  await pass('2026-04-02T10:00:00Z');
  expect(await drops()).toMatchObject([{ log: 'network_connection', month: '2018-11', status: 'dropped', rows: 5, refusal: null }]);
  expect((await db.pool.query(`SELECT to_char(created_at, 'YYYY-MM-DD') AS day, count(*)::int AS rows FROM network_connection GROUP BY 1 ORDER BY 1`)).rows).toEqual([{ day: '2019-01-01', rows: 3 }, { day: '2026-02-05', rows: 2 }]);
  expect((await db.pool.query('SELECT count(*)::int AS keys FROM network_connection_key')).rows).toEqual([{ keys: 5 }]);
  expect(await inMonth()).toBe(17);
  expect((await db.pool.query(`SELECT source, complete_from FROM sync_source ORDER BY source`)).rows).toEqual([{ source: 'directory', complete_from: '2018-10-15T00:00:00.0000000Z' }, { source: 'traffic', complete_from: '2018-12-01T00:00:00.000Z' }]);
  // The audit log has lost nothing, and says so.
  expect((await readCoverage(db.reader, tenantId)).droppedTo).toBeNull();
  await ledger.seal();
  expect(await ledger.check()).toEqual([]);
  const [all, kept] = [await check(ledger.pack({})), await check(archive)];
  expect(all.lines).toContain('5 rows of network_connection of 2018-11 were dropped at');
  expect([all.code, kept.code], kept.lines).toEqual([0, 0]);
  const files = await readPack(archive);
  expect(files.files.map(({ name, lines }) => [name, lines])).toEqual(expect.arrayContaining([['network_connection.copy', 5]]));
  expect(files.files.map(({ name }) => name)).not.toContain('events.ndjson');
});

test('whatever breaks off between archive and drop loses nothing, and the next pass goes on', async () => {
  await makeReady();
  const [before] = await drops();
  // It dies with everything done and nothing committed.
  await withConnection(db, async (connection) => {
    await connection.query('BEGIN');
    await connection.query(`SELECT drop_log_month($1, 'audit_event', '2018-11-01', $2)`, [tenantId, before?.sha256]);
    await connection.query('ROLLBACK');
  });
  expect(await inMonth()).toBe(17);
  expect(await ledger.check()).toEqual([]);
  // The archive is gone meanwhile: it is made anew, and waits for the next check of the night.
  rmSync(before?.file ?? '');
  await pass('2026-04-02T10:01:00Z');
  expect(existsSync(before?.file ?? '')).toBe(true);
  await pass('2026-04-02T10:05:00Z');
  expect(await drops()).toMatchObject([{ status: 'verified', refusal: 'not-checked' }]);
  // Somebody reads the log for long: it is not waited for.
  now = new Date('2026-04-03T02:00:00Z');
  await ledger.check();
  await withConnection(db, async (connection) => {
    await connection.query('BEGIN');
    await connection.query('SELECT 1 FROM audit_event LIMIT 1');
    await pass('2026-04-03T03:00:00Z');
    await connection.query('ROLLBACK');
  });
  expect(await drops()).toMatchObject([{ status: 'verified', refusal: 'failed' }]);
  await pass('2026-04-03T03:05:00Z');
  expect(await drops()).toMatchObject([{ status: 'dropped', refusal: null }]);
  expect(await said()).toContain('retention.month-dropped');
});

test('a hold that is set after the notice keeps a month, and so does what the last check found, also when the sealer goes on', async () => {
  await makeReady();
  const hold = await retention.setHold(maya, { reason: 'Case 7', fromMonth: '2018-11', toMonth: null });
  await pass('2026-04-02T10:00:00Z');
  expect(await drops()).toMatchObject([{ status: 'verified', held: true }]);
  await retention.liftHold(maya, hold.id);
  await pass('2026-04-03T10:00:00Z');
  expect(await drops()).toMatchObject([{ status: 'verified', held: false, dueAt: '2026-05-02T10:00:00.000Z', refusal: null }]);
  await db.owner.query(`UPDATE audit_event SET actor_name = 'Eve' WHERE event_id = 'old-1'`);
  expect(await ledger.check()).toHaveLength(1);
  await ledger.seal();
  await pass('2026-05-03T10:00:00Z');
  expect(await drops()).toMatchObject([{ status: 'verified', refusal: 'not-checked' }]);
  await db.owner.query(`UPDATE audit_event SET actor_name = 'Ana Costa' WHERE event_id = 'old-1'`);
  expect(await ledger.check()).toEqual([]);
  await pass('2026-05-03T10:00:00Z');
  expect(await drops()).toMatchObject([{ status: 'dropped' }]);
});

test('rows of a dropped month that come in later get a notice, an archive and a record of their own', async () => {
  await makeReady();
  await pass('2026-04-02T10:00:00Z');
  const [first] = await drops();
  await take([...story('late', '2018-11-06'), ...filler('h', 300, '2026-04-01T00:00:00Z')]);
  await ledger.seal();
  await pass('2026-04-04T10:00:00Z');
  expect(await drops()).toMatchObject([{ status: 'verified', rows: 7, dueAt: '2026-05-04T10:00:00.000Z', file: expect.stringMatching(/-2\.zip$/) }]);
  now = new Date('2026-04-05T02:00:00Z');
  expect(await ledger.check()).toEqual([]);
  await pass('2026-05-05T10:00:00Z');
  const [second] = await drops();
  expect(second).toMatchObject({ status: 'dropped', rows: 7 });
  expect((await check(second?.file ?? '')).code).toBe(0);
  expect(existsSync(first?.file ?? '')).toBe(true);
  await ledger.seal();
  expect(await ledger.check()).toEqual([]);
  const all = await check(ledger.pack({}));
  expect(all.lines).toMatch(/7 rows of audit_event of 2018-11 were dropped/);
  expect(all.code).toBe(0);
});
