import { randomUUID } from 'node:crypto';
import { GetSync, ListOddRecords } from '@gatehouse/contracts';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Actor } from '../../core/actor.ts';
import { withConnection } from '../../mirror/database.ts';
import { ingest } from '../../mirror/ingest.ts';
import type { Received } from '../../mirror/source.ts';
import { pimEvent } from '../../mirror/testing.ts';
import { createSync } from './sync.service.ts';

const NOW = new Date('2026-03-02T12:00:00.000Z');
const LOOKS = { halfHourEvery: 1, dayEvery: 60, wholeEvery: 1440, wholeDays: 30 };
const log = pino({ level: 'silent' });
let db: TestDatabase;
let tenantId: string;
beforeAll(async () => { db = await testDatabase(); });
afterAll(async () => { await db[Symbol.asyncDispose](); });
beforeEach(() => { tenantId = randomUUID(); });

const service = () => createSync({ db, clock: { now: () => NOW }, wakeSync: async () => {}, sources: () => [{ name: 'directory', title: 'Audit log', retentionMs: 30 * 86_400_000, requestsADay: 43_200, judgesRecords: true, looksBack: () => LOOKS }] });
const ines = (): Actor => ({ tenantId, accountId: 'ines', principalId: 'ines', name: 'Ines Moreau', upn: 'ines@contoso.example', roles: ['Auditor'], device: null });
const take = (events: readonly Received[]) => withConnection(db, (connection) => ingest(connection, log, { tenantId, events, receivedAt: NOW }));

test('a source that was never read is there, with nothing known', async () => {
  expect(GetSync.response.parse(await service().status(ines())).sources).toEqual([{
    source: 'directory', title: 'Audit log', completeFrom: null, completeTo: null, lastSuccessAt: null, lastError: null, off: false, events: 0, gaps: [], firstReading: null,
    requests: { new: 0, late: 0, backFill: 0, aDay: 43_200 }, looksBack: LOOKS, defects: 0, revisions: 0,
  }]);
});

test('gaps that are open or lost are there, filled ones are not; the first reading is none of them', async () => {
  const gap = { tenantId, source: 'directory', noticedAt: NOW };
  const at = (text: string): Date => new Date(text);
  await db.prisma.syncGap.createMany({ data: [
    { ...gap, cause: 'first-start', fromAt: at('2026-01-31T00:00:00Z'), toAt: at('2026-03-01T00:00:00Z'), filledTo: at('2026-02-10T00:00:00Z') },
    { ...gap, cause: 'outage', fromAt: at('2026-01-01T00:00:00Z'), toAt: at('2026-01-02T00:00:00Z'), filledTo: at('2026-01-01T00:00:00Z'), closedAt: NOW, closedHow: 'lost' },
    { ...gap, cause: 'outage', fromAt: at('2026-01-05T00:00:00Z'), toAt: at('2026-01-06T00:00:00Z'), filledTo: at('2026-01-06T00:00:00Z'), closedAt: NOW, closedHow: 'filled' },
    { ...gap, cause: 'unreadable', fromAt: at('2026-03-01T10:00:00Z'), toAt: at('2026-03-01T10:01:00Z'), filledTo: at('2026-03-01T10:00:00Z') },
  ] });
  await db.prisma.syncRequestCount.createMany({ data: [
    { tenantId, source: 'directory', day: at('2026-03-02T00:00:00Z'), purpose: 'late', requests: 7 }, { tenantId, source: 'directory', day: at('2026-03-01T00:00:00Z'), purpose: 'late', requests: 99 },
  ] });
  const { sources: [source] } = GetSync.response.parse(await service().status(ines()));
  expect(source).toMatchObject({
    firstReading: { from: '2026-01-31T00:00:00.000Z', readTo: '2026-02-10T00:00:00.000Z', to: '2026-03-01T00:00:00.000Z' }, requests: { new: 0, late: 7, backFill: 0 },
    gaps: [{ cause: 'outage', fillableUntil: null }, { cause: 'unreadable', fillableUntil: '2026-03-31T10:00:00.000Z' }],
  });
  expect(await service().gaps(tenantId)).toEqual(expect.arrayContaining([{ source: 'directory', state: 'open', count: 1 }, { source: 'directory', state: 'lost', count: 1 }]));
});

test('odd records come page by page, last received first, each once and with its text', async () => {
  const broken = Array.from({ length: 45 }, (_, index) => ({ id: '', activityDateTime: '', raw: `{"broken ${index}` }));
  for (const some of [broken.slice(0, 30), broken.slice(30)]) await take(some);
  const one = pimEvent({ id: 'a', at: '2026-03-02T09:00:00Z', activity: 'x' });
  await take([one, { ...one, raw: `${one.raw} ` }, { id: 'huge', activityDateTime: '2026-03-02T09:00:00Z', raw: `{"id":"huge","a":"${'x'.repeat(1_100_000)}"}` }]);

  const read = async (kind: 'defect' | 'revision') => {
    const pages: string[][] = [];
    for (let cursor: string | undefined; ;) {
      const { records, nextCursor } = ListOddRecords.response.parse(await service().oddRecords(ines(), 'directory', { kind, cursor }));
      pages.push(records.map(({ raw }) => raw.slice(0, 20)));
      if (nextCursor === null) return pages;
      cursor = ListOddRecords.query.parse({ kind, cursor: nextCursor }).cursor;
    }
  };
  const defects = await read('defect');
  expect(defects.map(({ length }) => length)).toEqual([20, 20, 6]);
  expect(new Set(defects.flat()).size).toBe(46);
  expect(defects[0]?.slice(0, 2)).toEqual(['{"id":"huge","a":"xx', '{"broken 44']);
  const { records: [huge] } = await service().oddRecords(ines(), 'directory', { kind: 'defect' });
  expect(huge).toMatchObject({ length: 1_100_020, defect: expect.stringContaining('1 MiB') });
  expect(huge?.raw).toHaveLength(4_000);
  expect((await service().oddRecords(ines(), 'directory', { kind: 'revision' })).records).toMatchObject([{ id: 'a', revision: 1, defect: null }]);
  // Another tenant's are nobody's here.
  tenantId = randomUUID();
  expect(await read('defect')).toEqual([[]]);
});
