import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { testDatabase } from '@gatehouse/db/testing';
import express from 'express';
import { SearchEvents, type Input } from '../packages/contracts/src/index.ts';
import { foldCounts } from '../apps/api/src/features/history/counts.store.ts';
import { createConnections } from '../apps/api/src/features/connections/connections.service.ts';
import { createHistory } from '../apps/api/src/features/history/history.service.ts';
import { fillHistory, withoutIndexes } from '../testing/history-rows.ts';
import type { Measure } from './measure.ts';

const SMALL = 100_000;
const LARGE = 10_000_000;
const CHUNK = 100_000;
const ROUNDS = 7;

type Database = Awaited<ReturnType<typeof testDatabase>>;
type Query = Input<typeof SearchEvents>['query'];

/** What an auditor asks for, each in both orders; and the condition that somebody writes by hand who knows the tables, and the ids that the names mean. */
const FILTERS: Record<string, { readonly asked: object; readonly where: string; readonly values: readonly unknown[] }> = {
  'no filter': { asked: {}, where: 'true', values: [] },
  'person': { asked: { person: 'Person 17' }, where: '(subject_id = ANY ($2) OR coalesce(actor_id, actor_name) = ANY ($2))', values: [['p17', ...Array.from({ length: 10 }, (_, n) => `p17${n}`)]] },
  'group': { asked: { group: 'Group 77' }, where: 'coalesce(group_id, group_name) = $2', values: ['g77'] },
  'application': { asked: { application: 'Application 7' }, where: 'coalesce(application_id, application_name) = $2', values: ['a7'] },
  'kind': { asked: { kind: 'denied' }, where: 'kind = $2', values: ['denied'] },
  'result': { asked: { result: 'failure' }, where: 'result = $2', values: ['failure'] },
  'success': { asked: { result: 'success' }, where: 'result = $2', values: ['success'] },
  'source': { asked: { source: 'portal' }, where: 'source = $2', values: ['portal'] },
  'time': { asked: { from: '2026-02-01T00:00:00Z', to: '2026-02-08T00:00:00Z' }, where: 'activity_at >= $2 AND activity_at < $3', values: ['2026-02-01T00:00:00Z', '2026-02-08T00:00:00Z'] },
  'person and group': { asked: { person: 'p17', group: 'Group 77' }, where: '(subject_id = $2 OR coalesce(actor_id, actor_name) = $2) AND coalesce(group_id, group_name) = $3', values: ['p17', 'g77'] },
  'group and kind': { asked: { group: 'Group 77', kind: 'activated' }, where: 'coalesce(group_id, group_name) = $2 AND kind = $3', values: ['g77', 'activated'] },
  'group, result and time': { asked: { group: 'Group 77', result: 'success', from: '2026-01-10T00:00:00Z', to: '2026-03-01T00:00:00Z' }, where: 'coalesce(group_id, group_name) = $2 AND result = $3 AND activity_at >= $4 AND activity_at < $5', values: ['g77', 'success', '2026-01-10T00:00:00Z', '2026-03-01T00:00:00Z'] },
};
const ORDERS = { newest: 'DESC', oldest: 'ASC' } as const;

/** The same page by hand, prepared. */
const byHand = (name: string, order: keyof typeof ORDERS, tenantId: string) => ({
  name: `by hand ${name} ${order}`, values: [tenantId, ...FILTERS[name]?.values ?? []],
  text: `SELECT source, event_id, revision, activity_at_raw, activity, kind, service, result, result_reason, actor_id, actor_name, subject_id, subject_name, group_id, group_name, application_name, request_id, defect,
    to_char(activity_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at_text FROM audit_event WHERE tenant_id = $1 AND ${FILTERS[name]?.where}
    ORDER BY ${['activity_at', 'batch_id', 'ordinal'].map((column) => `${column} ${ORDERS[order]}`).join(', ')} LIMIT 51`,
});

async function prepared(templateUrl: string, events: number): Promise<{ db: Database; tenantId: string; seconds: number }> {
  const db = await testDatabase(templateUrl);
  const tenantId = randomUUID();
  const connection = await db.owner.connect();
  const started = performance.now();
  try {
    const rebuild = await withoutIndexes(connection);
    for (let from = 0; from < events; from += CHUNK) await fillHistory(connection, { tenantId, events: Math.min(CHUNK, events - from), months: 12, from });
    await rebuild();
    await foldCounts(db, tenantId);
    // What autovacuum does within minutes.
    await connection.query('VACUUM (ANALYZE)');
  } finally {
    connection.release(true);
  }
  return { db, tenantId, seconds: (performance.now() - started) / 1000 };
}

const historyOf = (db: Database) => createHistory({ db, connections: createConnections({ db }), readings: { page: async () => {} }, clock: { now: () => new Date('2026-04-01T00:00:00Z') } });
const actorOf = (tenantId: string) => ({ tenantId, principalId: randomUUID(), name: 'Ines', upn: 'ines', roles: ['Auditor' as const], accountId: 'ines', device: null });
const p95 = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? 0;
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function timed(work: () => Promise<unknown>, times: number): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const from = performance.now();
    await work();
    took.push(performance.now() - from);
  }
  return took;
}

const fetched = (url: string): Promise<void> => new Promise((resolve, reject) => {
  get(url, (res) => { res.resume().on('end', () => { if (res.statusCode === 200) resolve(); else reject(new Error(`${url} answered ${res.statusCode}`)); }); }).on('error', reject);
});
/** The same as eight people write it, in letters of different cases: each is another filter to the portal, which keeps what it meant until something changes that. */
const written = (asked: object, person: number): Record<string, string> => Object.fromEntries(Object.entries(asked as Record<string, string>).map(([name, value]) => [name, ['person', 'group', 'application'].includes(name) ? [...value].map((letter, at) => ((person >> at) & 1 ? letter.toUpperCase() : letter.toLowerCase())).join('') : value]));

/** So many requests, eight at a time: milliseconds each took, and requests a second. */
async function driven(urls: readonly string[]): Promise<{ times: number[]; rate: number }> {
  const times: number[] = [];
  const from = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let url = urls[next++]; url !== undefined; url = urls[next++]) {
      const of = url;
      times.push(...await timed(() => fetched(of), 1));
    }
  }));
  return { times, rate: (urls.length * 1000) / (performance.now() - from) };
}

/** Pages of the history against the same statements by hand; depth, size, free text, counts and statistics against what they stand for. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  const small = await prepared(templateUrl, SMALL);
  const large = quick ? small : await prepared(templateUrl, LARGE);
  const events = quick ? SMALL : LARGE;
  const { db, tenantId } = large;
  const history = historyOf(db);
  const actor = actorOf(tenantId);
  const rows: { name: string; measured: string; value: number; bar: string; holds: boolean }[] = [];
  // A fast answer that is wrong does not hold.
  const tell = (name: string, measured: string, value: number, bar: number, { more = false, isRight = true } = {}): void => { rows.push({ name, measured, value: Number(value.toFixed(3)), bar: `${more ? '>=' : '<='} ${bar}`, holds: isRight && (more ? value >= bar : value <= bar) }); };

  // Express with the product's own parsing and answer check, without the session; and node:http with the hand-written statement. Same pool of the same size.
  const app = express().disable('x-powered-by').disable('etag').get('/api', (req, res, next) => { history.searchEvents(actor, SearchEvents.query.parse(req.query)).then((answer) => { res.json(SearchEvents.response.parse(answer)); }, next); });
  const ours = createServer(app).listen(0, '127.0.0.1');
  const hand = createServer((req, res) => {
    const asked = new URL(req.url ?? '', 'http://localhost').searchParams;
    db.reader.query(byHand(asked.get('filter') ?? '', asked.get('order') === 'oldest' ? 'oldest' : 'newest', tenantId)).then(({ rows: found }) => { res.setHeader('Content-Type', 'application/json').end(JSON.stringify(found)); }, () => { res.writeHead(500).end(); });
  }).listen(0, '127.0.0.1');
  await Promise.all([once(ours, 'listening'), once(hand, 'listening')]);
  const [ourUrl, handUrl] = [ours, hand].map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`);
  const pages = Object.entries(FILTERS).flatMap(([filter, { asked }]) => Object.keys(ORDERS).map((order) => ({ filter, order, asked })));
  const urlsOf = ({ filter, order, asked }: (typeof pages)[number]): readonly (readonly string[])[] => [(person: number) => `${ourUrl}?${new URLSearchParams({ ...written(asked, person), order })}`, () => `${handUrl}?${new URLSearchParams({ filter, order })}`].map((urlOf) => Array.from({ length: quick ? 150 : 40 }, (_, n) => urlOf(n % 8)));
  // Both are compiled before any of it counts: the first page would bear that for all.
  for (const page of pages) for (const urls of urlsOf(page)) await driven(urls);
  // Each against its own by hand: over all of them, one that is slow by hand would hide what the others cost.
  const compared: { page: string; p95: number; rate: number }[] = [];
  for (const page of pages) {
    const [p95s, rates]: [number[], number[]] = [[], []];
    const [ourPage, handPage] = urlsOf(page);
    for (let round = 0; round < ROUNDS; round += 1) {
      const [a, b] = [await driven(ourPage ?? []), await driven(handPage ?? [])];
      // The first round warms both.
      if (round > 0) { p95s.push(p95(a.times) / p95(b.times)); rates.push(a.rate / b.rate); }
    }
    compared.push({ page: `${page.filter}, ${page.order}`, p95: median(p95s), rate: median(rates) });
  }
  const [slowest, rarest] = [compared.toSorted((a, b) => b.p95 - a.p95)[0], compared.toSorted((a, b) => a.rate - b.rate)[0]];
  tell('list-p95', `page of 50 through Express to the hand-written statement on node:http, of ${compared.length} filters x orders the worst (${slowest?.page}); median ${median(compared.map((one) => one.p95)).toFixed(2)}`, slowest?.p95 ?? NaN, 2);
  tell('list-rate', `the same, requests a second, the worst (${rarest?.page}); median ${median(compared.map(({ rate }) => rate)).toFixed(2)}`, rarest?.rate ?? NaN, 0.6, { more: true });
  // The same where something was just written, so that what the filter means is looked up anew: one request at a time.
  const anew: typeof rows = [];
  for (const filter of Object.keys(FILTERS)) {
    const [ourUrlOf, handUrlOf] = [`${ourUrl}?${new URLSearchParams({ ...FILTERS[filter]?.asked })}`, `${handUrl}?${new URLSearchParams({ filter, order: 'newest' })}`];
    const [a, b]: [number[], number[]] = [[], []];
    for (let n = 0; n < 50; n += 1) {
      await db.owner.query('INSERT INTO names_version AS v (tenant_id, version) VALUES ($1, 1) ON CONFLICT (tenant_id) DO UPDATE SET version = v.version + 1', [tenantId]);
      a.push(...await timed(() => fetched(ourUrlOf), 1));
      b.push(...await timed(() => fetched(handUrlOf), 1));
    }
    anew.push({ name: `${filter}, looked up anew`, measured: 'median and p95 to the statement by hand, one at a time; there is no bar', value: Number((median(a) / median(b)).toFixed(3)), bar: (p95(a) / p95(b)).toFixed(2), holds: true });
  }
  ours.close(); hand.close();

  const page = (of: Database, whose: string) => (query: object) => historyOf(of).searchEvents(actorOf(whose), SearchEvents.query.parse(query) as Query);
  const deepAt = Buffer.from(JSON.stringify(['2025-09-01T00:00:00.000000Z', '1', '0'])).toString('base64url');
  // In turns, and the median: of one turn, a pause of the machine would be the figure.
  const turns: { first: number; deep: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) turns.push({ first: p95(await timed(() => page(db, tenantId)({}), 200)), deep: p95(await timed(() => page(db, tenantId)({ cursor: deepAt }), 200)) });
  const first = median(turns.map((turn) => turn.first));
  tell('depth', 'p95 of a page half-way down to that of the first', median(turns.map((turn) => turn.deep / turn.first)), 1.3);
  const all = async (of: Database, whose: string): Promise<number> => { const times: number[] = []; for (const { asked } of Object.values(FILTERS)) times.push(...await timed(() => page(of, whose)(asked), 20)); return p95(times); };
  await all(small.db, small.tenantId); await all(db, tenantId);
  tell('size', `p95 at ${events} events to that at ${SMALL}`, await all(db, tenantId) / await all(small.db, small.tenantId), 1.5);

  const [text, like] = [{ text: `inc-${events - 99}` }, `SELECT * FROM audit_event WHERE tenant_id = $1 AND search LIKE $2 ORDER BY activity_at DESC LIMIT 51`];
  const searched = median(await timed(() => page(db, tenantId)(text), 15));
  tell('search', 'free text to hand SQL with the same index', searched / median(await timed(() => db.pool.query(like, [tenantId, `%${text.text}%`]), 15)), 1.5);

  const exact = median(await timed(() => db.pool.query('SELECT count(*) FROM audit_event WHERE tenant_id = $1', [tenantId]), 5));
  const counted = median(await timed(() => history.countEvents(actor, {}), 30));
  const { events: told } = await history.countEvents(actor, {});
  tell('counts', `shown total (exact: ${told === events}) to count(*), times faster`, exact / counted, 300, { more: true, isRight: told === events });

  const raw = `SELECT extract(isodow FROM activity_at AT TIME ZONE 'Asia/Kolkata')::int AS weekday, extract(hour FROM activity_at AT TIME ZONE 'Asia/Kolkata')::int AS hour, count(*)::int AS events FROM audit_event WHERE tenant_id = $1 AND kind = 'activated' GROUP BY 1, 2 ORDER BY 1, 2`;
  const slow = median(await timed(() => db.pool.query(raw, [tenantId]), 5));
  const asked = { kind: 'activated' as const, timeZone: 'Asia/Kolkata' };
  // A zone is summed up from the first time on that somebody asks for it; the portal does it with its next fold.
  await history.statistics(actor, asked);
  await foldCounts(db, tenantId);
  const quickly = median(await timed(() => history.statistics(actor, asked), 15));
  const same = JSON.stringify((await db.pool.query(raw, [tenantId])).rows) === JSON.stringify((await history.statistics(actor, asked)).hours);
  tell('stats', `heat map and months (equal: ${same}) to a raw GROUP BY, times faster`, slow / quickly, 100, { more: true, isRight: same });

  await db[Symbol.asyncDispose]();
  if (!quick) await small.db[Symbol.asyncDispose]();
  const value = rows[0]?.value ?? 0;
  return { table: [...compared.map((one) => ({ name: one.page, measured: 'p95 and requests a second, to the statement by hand', value: one.p95, bar: one.rate.toFixed(2), holds: one.p95 <= 2 && one.rate >= 0.6 })), ...anew, ...rows, { name: 'made', measured: `${events} events in SQL, seconds`, value: Math.round(large.seconds), bar: '', holds: true }, { name: 'times', measured: `first page p95 ${first.toFixed(1)} ms, count ${counted.toFixed(1)} ms, statistics ${quickly.toFixed(1)} ms, count(*) ${exact.toFixed(0)} ms`, value: 0, bar: '', holds: true }], value, holds: rows.every(({ holds }) => holds) };
};
