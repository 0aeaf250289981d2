import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { Actor } from '../../core/actor.ts';
import { readPack, type LedgerPart } from '../exports/exports.ts';
import { addRows, rowWith, TENANT } from '../exports/testing/hostile.ts';
import { createRetention, type Retention } from './retention.service.ts';

const dir = mkdtempSync(join(tmpdir(), 'archive-'));
afterAll(() => { rmSync(dir, { recursive: true }); });

/** Archives of a log without a ledger. */
const notSealed: LedgerPart = { seal: async () => {}, filesOf: async () => [] };

let db: TestDatabase;
let now: Date;
let retention: Retention;
const maya: Actor = { tenantId: TENANT, principalId: randomUUID(), name: 'Maya Lindqvist', upn: 'maya', roles: ['SetupAdmin'], accountId: 'maya', device: null };

beforeEach(async () => {
  db = await testDatabase();
  now = new Date('2026-03-02T10:00:00Z');
  retention = createRetention({ db, clock: { now: () => now }, newId: () => randomUUID(), tenantId: TENANT, log: { warn: () => {} }, dir: join(dir, randomUUID()), ledgerPart: notSealed });
  await addRows(db, [rowWith({ at: '2018-11-05T00:00:00.000000Z', reason: 'a\nb\\.' }), rowWith({ at: '2018-11-30T23:59:59.999999Z' }), rowWith({ at: '2025-11-05T00:00:00.000000Z' })]);
});
afterEach(async () => { await db[Symbol.asyncDispose](); });

const months = async (): Promise<string[]> => (await db.pool.query<{ name: string }>(`SELECT c.relname AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_event'::regclass ORDER BY 1`)).rows.map(({ name }) => name.slice(-6));
const said = async (): Promise<string[]> => (await db.pool.query<{ activity: string }>(`SELECT activity FROM audit_event WHERE source = 'portal' ORDER BY batch_id`)).rows.map(({ activity }) => activity);
const drops = async () => (await retention.get(maya)).drops;
const later = async (at: string): Promise<void> => {
  now = new Date(at);
  await retention.pass();
};

test('a month whose time is over is announced, archived and read back, each on record, and stays as long as the ledger has not sealed it', async () => {
  await retention.pass();
  expect(await drops()).toMatchObject([{ month: '2018-11', status: 'verified', rows: 2, held: false, dueAt: '2026-04-01T10:00:00.000Z', error: null }]);
  const file = (await drops())[0]?.file ?? '';
  expect(existsSync(file)).toBe(true);
  await later('2026-04-02T10:00:00Z');
  expect(await months()).toEqual(expect.arrayContaining(['201811', '202511']));
  expect(await drops()).toMatchObject([{ month: '2018-11', status: 'verified', droppedAt: null, refusal: 'not-sealed' }]);
  expect(await said()).toEqual(['retention.drop-planned', 'retention.month-archived']);
  expect(readdirSync(join(file, '..'))).toHaveLength(1);
});

test('however many months of the other log are gone, a month is announced and archived once', async () => {
  await db.owner.query(
    `INSERT INTO month_archive (tenant_id, log, month, status, planned_at, due_at, file, sha256, bytes, rows, verified_at, dropped_at)
     SELECT $1, 'network_connection', (date '2019-01-01' + make_interval(months => m))::date, 'dropped', '2020-01-01Z', '2020-03-01Z', 'a.zip', 'ab', 1, 1, '2020-02-01Z', '2020-03-01Z' FROM generate_series(1, 300) AS m`, [TENANT]);
  await retention.pass();
  await later('2026-03-03T10:00:00Z');
  expect(await said()).toEqual(['retention.drop-planned', 'retention.month-archived']);
});

test('what comes in after the archive was made is archived too', async () => {
  await retention.pass();
  await addRows(db, [rowWith({ at: '2018-11-07T00:00:00.000000Z' })]);
  await later('2026-04-01T10:00:00Z');
  expect(await drops()).toMatchObject([{ status: 'verified', rows: 3 }]);
});

test('a hold keeps a month, and lifting it announces the drop anew', async () => {
  await retention.pass();
  const hold = await retention.setHold(maya, { reason: 'Case 7', fromMonth: '2018-01', toMonth: '2018-12' });
  await later('2026-04-02T00:00:00Z');
  expect(await drops()).toMatchObject([{ month: '2018-11', status: 'verified', held: true }]);
  await retention.liftHold(maya, hold.id);
  await later('2026-04-03T00:00:00Z');
  expect(await drops()).toMatchObject([{ status: 'verified', held: false, dueAt: '2026-05-02T00:00:00.000Z' }]);
  await expect(retention.liftHold(maya, hold.id)).rejects.toMatchObject({ code: 'not-found' });
  expect(await said()).toEqual(expect.arrayContaining(['retention.hold-set', 'retention.hold-lifted']));
});

test('a longer policy takes back what was announced', async () => {
  await retention.pass();
  await retention.setPolicy(maya, { source: 'directory', months: 120 });
  await later('2026-04-02T00:00:00Z');
  expect(await drops()).toEqual([]);
  expect(await months()).toContain('201811');
});

test('the database takes no month without a month of notice', async () => {
  await retention.pass();
  await expect(db.pool.query(`UPDATE month_archive SET due_at = planned_at`)).rejects.toThrow(/month_archive_notice/);
});

test('an archive that does not read back whole keeps the month', async () => {
  const broken = createRetention({
    db, clock: { now: () => now }, newId: () => randomUUID(), tenantId: TENANT, log: { warn: () => {} }, dir: join(dir, 'broken'),
    ledgerPart: { ...notSealed, filesOf: async () => [{ name: 'LEDGER.txt', content: async function* fails() { yield Buffer.from('half'); throw new Error('the disk is full'); } }] },
  });
  await broken.pass();
  expect(await drops()).toMatchObject([{ month: '2018-11', status: 'planned', file: null, error: expect.stringMatching(/It stays/) }]);
  expect(readdirSync(join(dir, 'broken'))).toEqual([]);
  now = new Date('2026-05-01T00:00:00Z');
  await broken.pass();
  expect(await months()).toContain('201811');
  expect(await said()).toContain('retention.archive-failed');
});

test('a month that cannot be archived is tried less and less often, and its fault is on record once', async () => {
  let [tries, fault] = [0, 'ENOSPC' as string | undefined];
  const retried = createRetention({
    db, clock: { now: () => now }, newId: () => randomUUID(), tenantId: TENANT, log: { warn: () => {} }, dir: join(dir, 'retried'),
    ledgerPart: { ...notSealed, filesOf: async (...all) => {
      tries += 1;
      if (fault !== undefined) throw Object.assign(new Error('it cannot be written'), { code: fault });
      return notSealed.filesOf(...all);
    } },
  });
  const failures = async (): Promise<number> => (await said()).filter((one) => one === 'retention.archive-failed').length;
  /** What the sweep does in so many hours, every five minutes. */
  const sweep = async (hours: number): Promise<number> => {
    const before = tries;
    for (let pass = 0; pass < hours * 12; pass += 1) {
      now = new Date(now.getTime() + 5 * 60_000);
      await retried.pass();
    }
    return tries - before;
  };
  expect([await sweep(3), await failures()], 'after nothing, 10, 20, 40 and 80 minutes').toEqual([5, 1]);
  now = new Date(now.getTime() + 7 * 24 * 60 * 60_000);
  fault = 'EACCES';
  await retried.pass();
  expect([await drops(), await failures()], 'another fault').toMatchObject([[{ status: 'planned', error: expect.stringContaining('(EACCES)') }], 2]);
  fault = undefined;
  now = new Date(now.getTime() + 24 * 60 * 60_000);
  await retried.pass();
  expect([await drops(), await failures()]).toMatchObject([[{ status: 'verified', error: null }], 2]);
});

test('an archive holds a line a row, and one changed byte of it shows', async () => {
  await retention.pass();
  const [drop] = await drops();
  const file = drop?.file ?? '';
  const whole = await readPack(file);
  expect(whole.files.find(({ name }) => name === 'audit_event.copy')?.lines).toBe(2);
  expect(whole.sha256).toBe(drop?.sha256);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  expect(await readPack(file).then(({ sha256 }) => sha256, () => 'unreadable')).not.toBe(drop?.sha256);
});
