import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Database } from '@gatehouse/db';
import { testDatabase } from '@gatehouse/db/testing';
import { GraphError, type AuditLog } from '@gatehouse/graph';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadDemoHistory } from './demo-history.ts';
import type { ReceivedEvent } from './directory-event.ts';
import { syncDirectoryAudits, type SyncOutcome } from './sync.ts';
import { pimEvent, story } from './testing.ts';

let db: Database & AsyncDisposable;
let tenantId: string;
let now: Date;
beforeAll(async () => { db = await testDatabase(); });
afterAll(async () => { await db[Symbol.asyncDispose](); });
beforeEach(() => {
  tenantId = randomUUID();
  now = new Date('2026-03-02T12:00:00.000Z');
});

const log = pino({ level: 'silent' });
const at = (text: string): string => new Date(text).toISOString();

/** An audit log of small pages, as the port answers it; `onPage` can break a page, or look at what stands between two. */
function auditLog(events: (ReceivedEvent & { readonly visibleFrom?: string })[], { size = 2, onPage = async () => {} }: { size?: number; onPage?: (page: number) => Promise<void> } = {}) {
  const windows: { from: string; to: string }[] = [];
  let pages = 0;
  const audits: AuditLog = {
    async directoryAudits(window, nextLink) {
      if (nextLink === undefined) windows.push(window);
      pages += 1;
      await onPage(pages);
      const [from, to] = [new Date(window.from), new Date(window.to)];
      const found = events
        .filter((event) => new Date(event.visibleFrom ?? event.activityDateTime) <= now && new Date(event.activityDateTime) >= from && new Date(event.activityDateTime) <= to)
        .sort((one, other) => (one.activityDateTime < other.activityDateTime ? -1 : 1));
      const start = Number(nextLink ?? 0);
      return { items: found.slice(start, start + size), nextLink: start + size < found.length ? String(start + size) : undefined };
    },
  };
  return { audits, windows };
}

const sync = ({ audits }: { audits: AuditLog }): Promise<SyncOutcome> => syncDirectoryAudits({ appGraph: { audits }, db, clock: { now: () => now }, tenantId, log });
const source = async () => (await db.pool.query(`SELECT * FROM sync_source WHERE tenant_id = $1 AND source = 'directory'`, [tenantId])).rows[0];
const stored = async (): Promise<string[]> => (await db.pool.query('SELECT event_id FROM audit_event WHERE tenant_id = $1 ORDER BY event_id', [tenantId])).rows.map((row: { event_id: string }) => row.event_id);
const event = (id: string, when: string, visibleFrom?: string) => ({ ...pimEvent({ id, at: when, activity: 'Process request' }), ...(visibleFrom !== undefined && { visibleFrom }) });

test('the first reading takes all that Entra still holds, in windows without a gap', async () => {
  const entra = auditLog([event('old', '2026-01-01T00:00:00Z'), event('edge', '2026-01-31T12:00:00Z'), ...story('r1', '2026-02-10'), event('new', '2026-03-02T11:59:59Z')]);
  expect(await sync(entra)).toMatchObject({ state: 'read', added: 9 });
  expect(await stored()).not.toContain('old');
  expect(entra.windows[0]?.from).toBe(at('2026-01-31T12:00:00Z'));
  expect(entra.windows.at(-1)?.to).toBe(now.toISOString());
  // Few requests, but not one window of a whole month: what was read stays read.
  expect(entra.windows.length).toBeGreaterThan(3);
  expect(entra.windows.length).toBeLessThan(10);
  for (const [index, { from }] of entra.windows.entries()) if (index > 0) expect(from).toBe(entra.windows[index - 1]?.to);
  expect(await source()).toMatchObject({ watermark: now.toISOString(), complete_from: at('2026-01-31T12:00:00Z'), last_error: null, events: '9', last_success_at: now });
});

test('later readings begin half an hour before the last one ended, so that what Entra shows late is not missed', async () => {
  const events = [event('first', '2026-03-02T11:50:00Z'), event('late', '2026-03-02T11:45:00Z', '2026-03-02T12:05:00Z')];
  await sync(auditLog(events));
  now = new Date('2026-03-02T12:10:00.000Z');
  const entra = auditLog([...events, event('third', '2026-03-02T12:10:00Z')]);
  expect(await sync(entra)).toMatchObject({ added: 2 });
  expect(entra.windows).toEqual([{ from: at('2026-03-02T11:20:00Z'), to: at('2026-03-02T12:10:00Z') }]);
  expect(await stored()).toEqual(['first', 'late', 'third']);
  expect(await source()).toMatchObject({ events: '3', complete_from: at('2026-01-31T12:00:00Z') });
});

test('the watermark passes a window only with its last page', async () => {
  const events = [...story('r1', '2026-03-02')];
  await sync(auditLog([]));
  now = new Date('2026-03-02T12:30:00.000Z');
  const moved = events.map((one, index) => event(`e${index}`, `2026-03-02T12:0${index}:00Z`));
  const before = (await source()).watermark as string;
  const seen: string[] = [];
  const entra = auditLog(moved, { onPage: async (page) => {
    seen.push((await source()).watermark as string);
    if (page === 3) throw new GraphError('unavailable', 'the connection was cut');
  } });
  await expect(sync(entra)).rejects.toThrow('the connection was cut');
  expect(seen).toEqual([before, before, before]);
  expect(await source()).toMatchObject({ watermark: before, last_error: expect.stringContaining('does not answer') });
  // What came is kept, and the next start brings the rest, each once.
  expect(await stored()).toEqual(['e0', 'e1', 'e2', 'e3']);
  expect(await sync(auditLog(moved))).toMatchObject({ added: 3 });
  expect(await stored()).toHaveLength(7);
  expect(await source()).toMatchObject({ watermark: now.toISOString(), last_error: null, events: '7' });
});

test('a first reading that is cut off goes on where it was, not from the beginning', async () => {
  const events = [event('a', '2026-02-01T00:00:00Z'), event('b', '2026-02-20T00:00:00Z')];
  await expect(sync(auditLog(events, { onPage: async (page) => { if (page === 4) throw new GraphError('throttled', 'too many'); } }))).rejects.toThrow('too many');
  expect(await source()).toMatchObject({ watermark: at('2026-02-07T12:00:00Z'), last_error: expect.stringContaining('slow down') });
  const entra = auditLog(events);
  await sync(entra);
  // From the newest event that is known, for no later one was seen.
  expect(entra.windows[0]?.from).toBe(at('2026-01-31T23:30:00Z'));
  expect(await stored()).toEqual(['a', 'b']);
  expect(await source()).toMatchObject({ complete_from: at('2026-01-31T12:00:00Z') });
});

test('a clock that ran ahead passes over nothing', async () => {
  now = new Date('2026-03-02T14:00:00.000Z');
  await sync(auditLog([event('a', '2026-03-02T11:59:00Z')]));
  now = new Date('2026-03-02T12:10:00.000Z');
  await sync(auditLog([event('b', '2026-03-02T12:01:00Z')]));
  expect(await stored()).toEqual(['a', 'b']);
});

test('a quiet log costs one request a pass, however long it has been quiet', async () => {
  await sync(auditLog([event('a', '2026-02-10T12:00:00Z')]));
  now = new Date('2026-03-02T12:01:00.000Z');
  const entra = auditLog([]);
  await sync(entra);
  expect(entra.windows).toEqual([{ from: at('2026-02-10T11:30:00Z'), to: now.toISOString() }]);
});

test('where the log is dense, the windows get shorter, and the watermark moves on all the same', async () => {
  const dense = Array.from({ length: 60 }, (_, index) => event(`e${index}`, `2026-02-05T10:${String(index).padStart(2, '0')}:00Z`));
  const entra = auditLog(dense);
  expect(await sync(entra)).toMatchObject({ added: 60 });
  const lengths = entra.windows.map(({ from, to }) => (Date.parse(to) - Date.parse(from)) / 86_400_000);
  expect(lengths.slice(0, 4)).toEqual([1, 2, 4, 2]);
});

test('an outage longer than Entra keeps its log is a gap, and the mirror says since when it is complete', async () => {
  await sync(auditLog([event('a', '2026-03-01T00:00:00Z')]));
  now = new Date('2026-05-01T12:00:00.000Z');
  await sync(auditLog([event('lost', '2026-03-20T00:00:00Z'), event('b', '2026-04-30T00:00:00Z')]));
  expect(await stored()).toEqual(['a', 'b']);
  expect(await source()).toMatchObject({ complete_from: at('2026-04-01T12:00:00Z'), watermark: now.toISOString() });
});

test('while one process reads, another leaves it alone', async () => {
  const second: SyncOutcome[] = [];
  const entra = auditLog([event('a', '2026-03-02T11:00:00Z')], { onPage: async (page) => { if (page === 1) second.push(await sync(auditLog([]))); } });
  expect(await sync(entra)).toMatchObject({ state: 'read', added: 1 });
  expect(second).toMatchObject([{ state: 'busy', added: 0 }]);
  // And afterwards the way is free.
  expect(await sync(auditLog([]))).toMatchObject({ state: 'read' });
});

test('pages that go round in a circle are an error, not a mirror that never ends', async () => {
  const audits: AuditLog = { directoryAudits: async () => ({ items: [], nextLink: 'again' }) };
  await expect(sync({ audits })).rejects.toThrow('do not end');
  expect(await source()).toMatchObject({ watermark: null, last_error: expect.stringContaining('does not understand') });
});

test.each(['forbidden', 'not-signed-in'] as const)('a refusal (%s) says who can do what', async (failure) => {
  await expect(sync({ audits: { directoryAudits: () => Promise.reject(new GraphError(failure, 'no')) } })).rejects.toThrow('no');
  expect((await source()).last_error).toMatch(/AuditLog\.Read\.All|secret or certificate/);
});

describe('the demo\'s earlier history', () => {
  async function serving(lines: readonly string[], status = 200) {
    const asked: string[] = [];
    const server = createServer((req, res) => {
      asked.push(req.url ?? '');
      res.writeHead(status, { 'content-type': 'application/x-ndjson' });
      // Cut in the middle of lines, as a network does.
      const text = lines.join('\n');
      for (let index = 0; index < text.length; index += 777) res.write(text.slice(index, index + 777));
      res.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async [Symbol.asyncDispose]() { await new Promise((resolve) => { server.close(resolve); }); },
    };
  }
  const earlier = [...story('r1', '2025-10-01'), ...story('r2', '2025-11-01')].map(({ raw }) => raw);
  const load = (emulatorUrl: string) => loadDemoHistory({ db, tenantId, emulatorUrl, log, now: () => now });

  test('is put in once, and the mirror is complete since then', async () => {
    await using tenant = await serving(earlier);
    await sync(auditLog([]));
    expect(await load(tenant.url)).toEqual({ added: 14 });
    expect(await load(tenant.url)).toEqual({ added: 0 });
    expect(tenant.asked).toEqual(['/_emulator/history?months=6']);
    expect(await source()).toMatchObject({ complete_from: '2025-10-01T09:00:00.123456Z', watermark: now.toISOString(), events: '14' });
    const { rows } = await db.pool.query('SELECT status FROM activation WHERE tenant_id = $1', [tenantId]);
    expect(rows).toEqual([{ status: 'ended' }, { status: 'ended' }]);
  });

  test('put in before the first reading it leaves that one its thirty days', async () => {
    await using tenant = await serving(earlier);
    await load(tenant.url);
    const entra = auditLog([event('a', '2026-02-01T00:00:00Z')]);
    expect(await sync(entra)).toMatchObject({ added: 1 });
    expect(await source()).toMatchObject({ complete_from: '2025-10-01T09:00:00.123456Z', events: '15' });
  });

  test('that could not be read is read with the next start', async () => {
    await using broken = await serving([], 500);
    await expect(load(broken.url)).rejects.toThrow('answered 500');
    await using tenant = await serving(earlier);
    expect(await load(tenant.url)).toEqual({ added: 14 });
  });
});
