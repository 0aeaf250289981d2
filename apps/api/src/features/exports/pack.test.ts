import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { until } from '../../../test/until.ts';
import { findExport, insertExport } from './exports.store.ts';
import type { LedgerPart } from './ledger-part.ts';
import { readMark } from './log-reader.store.ts';
import { createPacks, type Packs } from './pack.service.ts';
import { addRows, rowWith, TENANT } from './testing/hostile.ts';

const MINUTE_MS = 60_000;
let db: TestDatabase;
let dir: string;
let now: number;
let warned: string[];
const holding: (() => void)[] = [];
beforeEach(async () => {
  // What a maker says by the clock is said when a test lets the time pass.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  db = await testDatabase();
  dir = mkdtempSync(join(tmpdir(), 'packs-'));
  now = Date.parse('2026-03-02T10:00:00Z');
  warned = [];
  await addRows(db, [rowWith({}), rowWith({ reason: 'Year-end close' })]);
});
afterEach(async () => {
  vi.useRealTimers();
  for (const goOn of holding.splice(0)) goOn();
  await db[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

/** A portal that makes packs. Its packs hold a file of its own, and half-way through it wait until they are let go on. */
function maker(name: string, { isHeld = false, aheadMs = (): number => 0 } = {}): { packs: Packs; begun: Promise<void>; goOn: () => void } {
  const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  if (isHeld) holding.push(held.resolve);
  else held.resolve();
  const ledgerPart: LedgerPart = {
    seal: async () => {},
    filesOf: async () => [{ name: `${name}.txt`, content: async function* content() {
      yield Buffer.from(name);
      begun.resolve();
      await held.promise;
      yield Buffer.from(name);
    } }],
  };
  const packs = createPacks({
    db, clock: { now: () => new Date(now + aheadMs()) }, systemClock: { now: () => new Date(now) }, newId: () => randomUUID(), tenantId: TENANT, nameOfTenant: async () => 'Contoso', dir, ledgerPart,
    log: { warn: (_fields: object, text?: string) => { warned.push(text ?? ''); } },
  });
  return { packs, begun: begun.promise, goOn: held.resolve };
}

async function asked(): Promise<string> {
  const one = { tenantId: TENANT, id: randomUUID(), format: 'pack' as const, filter: {}, names: {}, askedById: randomUUID(), askedBy: 'Ines Moreau', askedAt: new Date(now), mark: await readMark(db.pool, TENANT) };
  await db.prisma.$transaction((tx) => insertExport(tx, one));
  return one.id;
}
const told = async (id: string) => (await findExport(db.prisma, TENANT, id))?.told;
const hashOf = (packs: Packs, id: string): string => createHash('sha256').update(readFileSync(packs.pathOf(id))).digest('hex');
const said = async (): Promise<string[]> => (await db.pool.query<{ activity: string }>(`SELECT activity FROM audit_event WHERE source = 'portal' ORDER BY batch_id`)).rows.map(({ activity }) => activity);

test.each(['first', 'last'] as const)('of two who make one pack, it is the one that was not taken for dead whose file and hash are kept, where the other ends %s', async (end) => {
  const id = await asked();
  const [dead, alive] = [maker('dead', { isHeld: true }), maker('alive', { isHeld: true })];
  const passes = new Map([[dead, dead.packs.pass()]]);
  await dead.begun;
  now += 6 * MINUTE_MS;
  passes.set(alive, alive.packs.pass());
  await alive.begun;
  expect(readdirSync(dir), 'each writes a file of its own').toHaveLength(2);

  for (const one of end === 'first' ? [dead, alive] : [alive, dead]) {
    one.goOn();
    await passes.get(one);
    if (one === dead && end === 'first') expect(await told(id), 'it is still being made').toMatchObject({ status: 'building', sha256: null });
  }
  expect(readdirSync(dir)).toEqual([`${id}.zip`]);
  expect(readFileSync(alive.packs.pathOf(id)).includes('alive.txt')).toBe(true);
  expect(await told(id)).toMatchObject({ status: 'ready', sha256: hashOf(alive.packs, id) });
  expect(await said()).toEqual(['history.pack-made']);
  expect(warned).toEqual(['an evidence pack was given up: another process has begun it anew']);
});

test('who makes a pack is heard of while it takes, and a demo whose clock jumps takes nobody for dead', async () => {
  const id = await asked();
  let aheadMs = 0;
  const [first, second] = [maker('first', { isHeld: true, aheadMs: () => aheadMs }), maker('second', { aheadMs: () => aheadMs })];
  const made = first.packs.pass();
  await first.begun;
  aheadMs = 24 * 60 * MINUTE_MS;
  await second.packs.pass();
  const leaseUntil = async (): Promise<number> => (await db.pool.query<{ at: Date }>('SELECT lease_until AS at FROM export')).rows[0]?.at.getTime() ?? 0;
  for (let minutes = 0; minutes < 12; minutes += 4) {
    now += 4 * MINUTE_MS;
    vi.advanceTimersByTime(MINUTE_MS);
    await until('it is heard of', async () => (await leaseUntil() === now + 5 * MINUTE_MS ? true : undefined));
    await second.packs.pass();
  }
  first.goOn();
  await made;
  expect(await told(id)).toMatchObject({ status: 'ready', rows: 2, sha256: hashOf(first.packs, id) });
  expect([await said(), warned]).toEqual([['history.pack-made'], []]);
});

test('who learns half-way that somebody else makes the pack gives it up at once', async () => {
  const id = await asked();
  const [dead, alive] = [maker('dead', { isHeld: true }), maker('alive')];
  const given = dead.packs.pass();
  await dead.begun;
  now += 6 * MINUTE_MS;
  await alive.packs.pass();
  vi.advanceTimersByTime(MINUTE_MS);
  await given;
  expect(await told(id)).toMatchObject({ status: 'ready', sha256: hashOf(alive.packs, id) });
  expect([readdirSync(dir), await said()]).toEqual([[`${id}.zip`], ['history.pack-made']]);
});

test('in one process the sweep begins after what is being made, however long that takes', async () => {
  const id = await asked();
  const one = maker('one', { isHeld: true });
  one.packs.begin();
  await one.begun;
  now += 6 * MINUTE_MS;
  const swept = one.packs.pass();
  one.goOn();
  await swept;
  expect(await told(id)).toMatchObject({ status: 'ready', sha256: hashOf(one.packs, id) });
  expect([await said(), warned]).toEqual([['history.pack-made'], []]);
});

test('files of makers who died are removed, and no other', async () => {
  const id = await asked();
  now += MINUTE_MS;
  const other = await asked();
  const held = maker('held', { isHeld: true });
  const made = held.packs.pass();
  await held.begun;
  const [writing = ''] = readdirSync(dir);
  const dead = [`${id}.zip.part`, `${id}.zip.${randomUUID()}.part`, `${other}.zip.${randomUUID()}.part`];
  const notOurs = [`${randomUUID()}.zip.${randomUUID()}.part`, 'notes.txt'];
  for (const name of [...dead, ...notOurs]) writeFileSync(join(dir, name), 'x');
  await maker('next').packs.pass();
  expect(readdirSync(dir).sort()).toEqual([...notOurs, writing, `${other}.zip`].sort());
  held.goOn();
  await made;
  expect(readdirSync(dir).sort()).toEqual([...notOurs, `${id}.zip`, `${other}.zip`].sort());
});
