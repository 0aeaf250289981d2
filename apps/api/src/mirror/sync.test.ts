import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { GraphError, type AuditLog } from '@gatehouse/graph';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadDemoHistory } from './demo-history.ts';
import type { ReceivedEvent } from './directory-event.ts';
import { directorySource } from './directory-source.ts';
import { syncSource, type SyncOutcome } from './sync.ts';
import { pimEvent, story } from './testing.ts';

let db: TestDatabase;
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

const sync = ({ audits }: { audits: AuditLog }): Promise<SyncOutcome> => syncSource({ db, clock: { now: () => now }, tenantId, log }, directorySource({ appGraph: { audits }, log }));
const gaps = async () => (await db.pool.query('SELECT from_at, to_at, filled_to, cause, closed_at, closed_how FROM sync_gap WHERE tenant_id = $1 ORDER BY from_at', [tenantId])).rows;
const source = async () => (await db.pool.query(`SELECT * FROM sync_source WHERE tenant_id = $1 AND source = 'directory'`, [tenantId])).rows[0];
const stored = async (): Promise<string[]> => (await db.pool.query('SELECT event_id FROM audit_event WHERE tenant_id = $1 ORDER BY event_id', [tenantId])).rows.map((row: { event_id: string }) => row.event_id);
const event = (id: string, when: string, visibleFrom?: string) => ({ ...pimEvent({ id, at: when, activity: 'Process request' }), ...(visibleFrom !== undefined && { visibleFrom }) });

test('the first reading takes all that Entra still holds, in windows without a gap', async () => {
  const entra = auditLog([event('old', '2026-01-01T00:00:00Z'), event('edge', '2026-01-31T12:00:00Z'), ...story('r1', '2026-02-10'), event('new', '2026-03-02T11:59:59Z')]);
  expect(await sync(entra)).toMatchObject({ state: 'read', added: 9 });
  expect(await stored()).not.toContain('old');
  // The newest day first, which people look at; then from the oldest end, which Entra lets go of first.
  const [newest, ...earlier] = entra.windows;
  expect(newest).toEqual({ from: at('2026-03-01T12:00:00Z'), to: now.toISOString() });
  expect(earlier[0]?.from).toBe(at('2026-01-31T12:00:00Z'));
  expect(earlier.at(-1)?.to).toBe(newest?.from);
  // Few requests, but not one window of a whole month: what was read stays read.
  expect(earlier.length).toBeGreaterThan(3);
  expect(earlier.length).toBeLessThan(10);
  for (const [index, { from }] of earlier.entries()) if (index > 0) expect(from).toBe(earlier[index - 1]?.to);
  expect(await gaps()).toMatchObject([{ cause: 'first-start', closed_how: 'filled' }]);
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

test('a first reading that is cut off goes on where it was, not from the beginning, and claims no more than it has', async () => {
  const events = [event('a', '2026-02-01T00:00:00Z'), event('b', '2026-02-20T00:00:00Z'), event('c', '2026-03-02T11:00:00Z')];
  await expect(sync(auditLog(events, { onPage: async (page) => { if (page === 4) throw new GraphError('throttled', 'too many'); } }))).rejects.toThrow('too many');
  expect(await stored()).toEqual(['a', 'c']);
  expect(await source()).toMatchObject({ watermark: now.toISOString(), complete_from: at('2026-03-01T12:00:00Z'), last_error: expect.stringContaining('slow down') });
  expect(await gaps()).toMatchObject([{ from_at: new Date('2026-01-31T12:00:00Z'), filled_to: new Date('2026-02-03T12:00:00Z'), to_at: new Date('2026-03-01T12:00:00Z'), closed_at: null }]);
  const entra = auditLog(events);
  await sync(entra);
  expect(entra.windows.map(({ from }) => from).slice(0, 2)).toEqual([at('2026-03-02T10:30:00Z'), at('2026-02-03T12:00:00Z')]);
  expect(await stored()).toEqual(['a', 'b', 'c']);
  expect(await source()).toMatchObject({ complete_from: at('2026-01-31T12:00:00Z') });
});

test('a first reading of which not even the newest day came is begun where it was', async () => {
  await expect(sync(auditLog([], { onPage: () => Promise.reject(new GraphError('unavailable', 'away')) }))).rejects.toThrow('away');
  expect(await source()).toMatchObject({ watermark: null, complete_from: null });
  now = new Date('2026-03-02T12:05:00.000Z');
  expect(await sync(auditLog([event('a', '2026-02-01T00:00:00Z'), event('b', '2026-03-02T12:04:00Z')]))).toMatchObject({ added: 2 });
  expect(await gaps()).toHaveLength(1);
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
  const dense = Array.from({ length: 100 }, (_, index) => event(`e${index}`, `2026-02-05T10:${String(index % 60).padStart(2, '0')}:00Z`));
  const entra = auditLog(dense);
  expect(await sync(entra)).toMatchObject({ added: 100 });
  const lengths = entra.windows.map(({ from, to }) => (Date.parse(to) - Date.parse(from)) / 86_400_000);
  expect(lengths.slice(1, 5)).toEqual([1, 2, 4, 2]);
});

test('an outage longer than Entra keeps its log leaves a gap for good, and the rest is filled', async () => {
  await sync(auditLog([event('a', '2026-03-01T00:00:00Z')]));
  now = new Date('2026-05-01T12:00:00.000Z');
  await sync(auditLog([event('lost', '2026-03-20T00:00:00Z'), event('b', '2026-04-10T00:00:00Z'), event('c', '2026-04-30T13:00:00Z')]));
  expect(await stored()).toEqual(['a', 'b', 'c']);
  expect(await source()).toMatchObject({ complete_from: at('2026-01-31T12:00:00Z'), watermark: now.toISOString() });
  expect((await gaps()).slice(1)).toMatchObject([
    { from_at: new Date('2026-03-02T12:00:00Z'), to_at: new Date('2026-04-01T12:00:00Z'), cause: 'outage', closed_how: 'lost' },
    { from_at: new Date('2026-04-01T12:00:00Z'), to_at: new Date('2026-04-30T12:00:00Z'), cause: 'outage', closed_how: 'filled' },
  ]);
});

test('after an outage of days people see the newest day first; what lies before is a gap until it is filled', async () => {
  await sync(auditLog([]));
  now = new Date('2026-03-06T12:00:00.000Z');
  const events = [event('day3', '2026-03-03T10:00:00Z'), event('day6', '2026-03-06T10:00:00Z')];
  await expect(sync(auditLog(events, { onPage: async (page) => { if (page === 2) throw new GraphError('throttled', 'too many'); } }))).rejects.toThrow('too many');
  expect(await stored()).toEqual(['day6']);
  expect((await gaps()).slice(1)).toMatchObject([{ from_at: new Date('2026-03-02T11:30:00Z'), to_at: new Date('2026-03-05T12:00:00Z'), cause: 'outage', closed_at: null }]);
  now = new Date('2026-03-06T12:10:00.000Z');
  await sync(auditLog(events));
  expect(await stored()).toEqual(['day3', 'day6']);
  expect((await gaps()).slice(1)).toMatchObject([{ closed_at: now, closed_how: 'filled' }]);
  expect(await source()).toMatchObject({ complete_from: at('2026-01-31T12:00:00Z') });
});

test('what Entra lets go of before a gap is filled is lost, and only that', async () => {
  await sync(auditLog([]));
  now = new Date('2026-03-10T12:00:00.000Z');
  const away = async (page: number): Promise<void> => { if (page > 1) throw new GraphError('throttled', 'too many'); };
  await expect(sync(auditLog([], { onPage: away }))).rejects.toThrow();
  // New events are read meanwhile, the gap never.
  for (now = new Date('2026-03-11T11:00:00Z'); now < new Date('2026-04-04T00:00:00Z'); now = new Date(now.getTime() + 86_400_000)) await expect(sync(auditLog([], { onPage: away }))).rejects.toThrow();
  await sync(auditLog([event('gone', '2026-03-03T00:00:00Z'), event('kept', '2026-03-07T00:00:00Z')]));
  expect(await stored()).toEqual(['kept']);
  const edge = new Date(now.getTime() - 30 * 86_400_000);
  expect((await gaps()).slice(1)).toMatchObject([
    { from_at: new Date('2026-03-02T11:30:00Z'), to_at: edge, closed_how: 'lost', cause: 'outage' }, { from_at: edge, to_at: new Date('2026-03-09T12:00:00Z'), closed_how: 'filled' },
  ]);
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

describe('answers that are no pages', () => {
  type Broken = Partial<Awaited<ReturnType<AuditLog['directoryAudits']>>> | GraphError;
  /** Every window that holds the instant is answered so. */
  const breaking = (entra: ReturnType<typeof auditLog>, instant: string, broken: () => Broken) => {
    const audits: AuditLog = {
      async directoryAudits(window, nextLink) {
        const page = await entra.audits.directoryAudits(window, nextLink);
        if (window.from > at(instant) || window.to < at(instant)) return page;
        const answer = broken();
        if (answer instanceof GraphError) throw answer;
        return { ...page, ...answer };
      },
    };
    return { audits };
  };
  const bad = '2026-03-02T12:07:10Z';
  const events = [event('before', '2026-03-02T12:05:00Z'), event('in', bad), event('after', '2026-03-02T12:20:00Z')];
  beforeEach(async () => {
    await sync(auditLog([]));
    now = new Date('2026-03-02T12:30:00.000Z');
  });

  test('the clock of whatever answered in place of the source is not believed, by which all would be lost', async () => {
    const entra = auditLog([event('in the outage', '2026-03-03T12:00:00Z')]);
    now = new Date('2026-03-05T12:00:00.000Z');
    let isElsewhere = true;
    const audits: AuditLog = {
      async directoryAudits(window, nextLink) {
        const page = await entra.audits.directoryAudits(window, nextLink);
        if (!isElsewhere) return page;
        isElsewhere = false;
        return { items: [], nextLink: undefined, unreadable: '<html>Bad gateway</html>', date: 'Fri, 27 Nov 2026 12:00:00 GMT' };
      },
    };
    await sync({ audits });
    expect(isElsewhere).toBe(false);
    expect((await gaps()).map(({ closed_how: how }) => how)).not.toContain('lost');
    expect(await stored()).toContain('in the outage');
  });

  test.each([
    ['no JSON', () => ({ items: [], nextLink: undefined, unreadable: '<html>Bad gateway</html>' }), 'unreadable'],
    ['an error within', () => ({ items: [{ id: '', activityDateTime: '', raw: '{"error":{}}' }], nextLink: undefined, brokenOff: true }), 'unreadable'],
    ['silence', () => new GraphError('unavailable', 'no answer'), 'unavailable'],
  ] as const)('a window that is never anything else (%s) holds nothing up: it becomes a gap, is tried again, and filled once it can be', async (_name, broken, cause) => {
    const entra = auditLog(events);
    for (let pass = 0; pass < 12 && (await stored()).includes('after') === false; pass += 1) await sync(breaking(entra, bad, broken)).catch(() => undefined);
    expect(await stored()).toEqual(expect.arrayContaining(['before', 'after']));
    const open = (await gaps()).filter(({ closed_at: closed }) => closed === null);
    expect(open).toMatchObject([{ cause }]);
    const [gap] = open;
    expect(gap.from_at.getTime()).toBeLessThanOrEqual(Date.parse(bad));
    expect(gap.to_at.getTime()).toBeGreaterThanOrEqual(Date.parse(bad));
    expect(gap.to_at.getTime() - gap.from_at.getTime()).toBeLessThanOrEqual(60_000);
    // What came in its place is kept as it came, once.
    const { rows: kept } = await db.pool.query('SELECT raw, defect FROM audit_event WHERE tenant_id = $1 AND defect IS NOT NULL', [tenantId]);
    expect(kept.map(({ raw }) => raw)).toEqual(cause === 'unavailable' ? [] : [_name === 'no JSON' ? '<html>Bad gateway</html>' : '{"error":{}}']);

    now = new Date('2026-03-02T13:40:00.000Z');
    await sync(entra);
    expect(await stored()).toEqual(expect.arrayContaining(['after', 'before', 'in']));
    expect((await gaps()).filter(({ closed_at: closed }) => closed === null)).toEqual([]);
  });

  test('where nothing can be read at all, nothing is given up', async () => {
    const entra = auditLog(events);
    const deaf: AuditLog = { directoryAudits: async () => ({ items: [], unreadable: '<html>Sign in to the proxy</html>' }) };
    for (let pass = 0; pass < 8; pass += 1) await expect(sync({ audits: deaf })).rejects.toThrow('no page');
    expect((await gaps()).filter(({ closed_at: closed }) => closed === null)).toEqual([]);
    expect(await stored()).toEqual([]);
    expect(await source()).toMatchObject({ watermark: at('2026-03-02T12:00:00Z'), last_error: expect.stringContaining('does not understand') });
    await sync(entra);
    expect(await stored()).toEqual(['after', 'before', 'in']);
  });

  test('a link that expired begins the window anew', async () => {
    let expired = 0;
    const entra = auditLog(events, { size: 1 });
    const audits: AuditLog = { async directoryAudits(window, nextLink) {
      if (nextLink !== undefined && (expired += 1) === 1) throw new GraphError('unexpected', 'expired', { status: 400, code: 'Directory_ExpiredPageToken' });
      return entra.audits.directoryAudits(window, nextLink);
    } };
    expect(await sync({ audits })).toMatchObject({ added: 3 });
    expect(entra.windows).toHaveLength(2);
  });
});

describe('clocks that differ', () => {
  const dated = (entra: ReturnType<typeof auditLog>, theirs: () => Date): { audits: AuditLog } => ({ audits: { directoryAudits: async (window, link) => ({ ...await entra.audits.directoryAudits(window, link), date: theirs().toUTCString() }) } });

  test.each([[-60, 'behind'], [60, 'ahead']])('ours is %i min away from theirs (%s): what is new comes all the same, and the mirror claims no more than there is', async (minutes) => {
    const theirs = new Date('2026-03-02T12:00:00.000Z');
    const entra = auditLog([event('a', '2026-03-02T11:59:00Z')]);
    const skewed = dated({ ...entra, audits: { directoryAudits: async (window, link) => {
      const ours = now;
      now = theirs;
      try { return await entra.audits.directoryAudits(window, link); } finally { now = ours; }
    } } }, () => theirs);
    now = new Date(theirs.getTime() + minutes * 60_000);
    await sync(skewed);
    expect(await stored()).toEqual(['a']);
    expect((await source()).watermark).toBe(theirs.toISOString());
  });

  test('one that jumps an hour ahead and back loses nothing of what happened meanwhile', async () => {
    await sync(auditLog([event('a', '2026-03-02T11:59:00Z')]));
    now = new Date('2026-03-02T13:01:00.000Z');
    const events = [event('a', '2026-03-02T11:59:00Z')];
    await sync(auditLog(events));
    now = new Date('2026-03-02T12:02:00.000Z');
    events.push(event('b', '2026-03-02T12:01:30Z'));
    await sync(auditLog(events));
    now = new Date('2026-03-02T14:30:00.000Z');
    events.push(event('c', '2026-03-02T12:03:00Z'), event('d', '2026-03-02T14:29:00Z'));
    await sync(auditLog(events));
    expect(await stored()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('what shows late', () => {
  const MIN = 60_000;
  const pass = async (entra: { audits: AuditLog }): Promise<void> => { await sync(entra); };

  test.each([[29 * MIN, MIN], [3 * 60 * MIN, 60 * MIN], [23 * 60 * MIN, 60 * MIN], [2 * 1440 * MIN, 1440 * MIN], [28.9 * 1440 * MIN, 1440 * MIN]])('late by %i ms, it is there within %i ms of when it shows', async (late, within) => {
    const happened = new Date(now.getTime() - late + 10 * MIN);
    const shows = new Date(now.getTime() + 10 * MIN);
    const entra = auditLog([event('late', happened.toISOString(), shows.toISOString())]);
    await pass(entra);
    // The worst moment to show: just after the look back that would have found it.
    now = new Date(now.getTime() + 9 * MIN);
    await pass(entra);
    const step = within === MIN ? MIN : within / 4;
    let seen: number | undefined;
    for (now = shows; seen === undefined && now.getTime() <= shows.getTime() + within; now = new Date(now.getTime() + step)) {
      await pass(entra);
      if ((await stored()).includes('late')) seen = now.getTime();
    }
    expect(seen).toBeDefined();
  });

  test('an hour of which the source shows less than is stored is read again', async () => {
    const events = Array.from({ length: 8 }, (_, index) => event(`e${index}`, `2026-03-02T08:${String(index * 5).padStart(2, '0')}:00Z`));
    await pass(auditLog(events));
    // One that is new shows behind a page that the source passes over.
    events.push(event('hidden', '2026-03-02T08:50:00Z'));
    const entra = auditLog(events);
    let dropped = 0;
    const audits: AuditLog = { async directoryAudits(window, nextLink) {
      const page = await entra.audits.directoryAudits(window, nextLink);
      return Date.parse(window.to) - Date.parse(window.from) > 12 * 60 * MIN && page.items.length > 0 && dropped === 0 && (dropped += 1) > 0 ? { items: page.items } : page;
    } };
    now = new Date(now.getTime() + 61 * MIN);
    await pass({ audits });
    expect(dropped).toBe(1);
    expect(entra.windows.at(-1)).toEqual({ from: at('2026-03-02T08:00:00Z'), to: at('2026-03-02T09:00:00Z') });
    expect(await stored()).toContain('hidden');
  });

  test('requests are counted by what they were for', async () => {
    const entra = auditLog([]);
    for (let minute = 0; minute < 61; minute += 1) {
      await pass(entra);
      now = new Date(now.getTime() + MIN);
    }
    const { rows } = await db.pool.query('SELECT purpose, requests FROM sync_request_count WHERE tenant_id = $1 ORDER BY 1', [tenantId]);
    expect(rows).toEqual([{ purpose: 'back-fill', requests: 5 }, { purpose: 'late', requests: 1 }, { purpose: 'new', requests: 61 }]);
  });
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
