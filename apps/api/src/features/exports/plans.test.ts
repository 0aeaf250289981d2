import { randomUUID } from 'node:crypto';
import type { HistoryFilter } from '@gatehouse/contracts';
import type { Connection } from '@gatehouse/db';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillHistory } from '../../../../../testing/history-rows.ts';
import { bulkOf, readSize, withSnapshot, type Selection } from './log-reader.store.ts';

interface Node { readonly 'Node Type': string; readonly 'Index Name'?: string; readonly Plans?: readonly Node[] }

const EVENTS = 30_000;
const tenantId = randomUUID();
let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await fillHistory(db.pool, { tenantId, events: EVENTS, months: 1 });
  await db.owner.query('VACUUM (ANALYZE) audit_event');
}, 60_000);
afterAll(async () => { await db[Symbol.asyncDispose](); });

const selection = (filter: HistoryFilter): Selection => ({ tenantId, filter, mark: { batch: '1', open: [] } });
const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** How PostgreSQL reads a month for a file. */
async function planOf(filter: HistoryFilter): Promise<Node[]> {
  return withSnapshot(db, async (connection) => {
    let statement = '';
    const watched = new Proxy(connection, { get: (target, name) => (name === 'query' ? (asked: { readonly text?: string }, ...rest: unknown[]) => { statement = asked.text ?? statement; return (target.query as (...all: unknown[]) => unknown).call(target, asked, ...rest); } : Reflect.get(target, name) as unknown) }) as Connection;
    for await (const _chunk of await bulkOf(watched, 'ndjson', selection(filter), { month: '2026-03-01', next: '2026-04-01' }));
    const [, query = ''] = /^COPY \(([\s\S]*)\) TO STDOUT/.exec(statement) ?? [];
    const { rows: [row] } = await connection.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(`EXPLAIN (FORMAT JSON) ${query}`);
    return row ? nodesOf(row['QUERY PLAN'][0].Plan) : [];
  });
}

test.each<HistoryFilter>([{}, { from: '2026-03-02T00:00:00Z' }, { from: '2026-03-02T00:00:00Z', to: '2026-03-30T00:00:00Z' }])('all of a month is read in its order off the key, with nothing sorted before the first byte: %o', async (filter) => {
  const nodes = await planOf(filter);
  expect(nodes.map((node) => node['Node Type']).filter((type) => /Sort|Seq Scan/.test(type))).toEqual([]);
  expect(nodes.flatMap((node) => node['Index Name'] ?? [])).toEqual([expect.stringMatching(/_pkey$/)]);
});

test('what a filter leaves few of is found by an index of its own, and those few are sorted', async () => {
  const nodes = await planOf({ kind: 'denied' });
  expect(nodes.flatMap((node) => node['Index Name'] ?? [])).toEqual([expect.not.stringMatching(/_pkey$/)]);
});

test('more than is counted is estimated to within a tenth, with a filter and without', async () => {
  const size = async (filter: HistoryFilter): Promise<number> => {
    const { rows, exact } = await withSnapshot(db, (connection) => readSize(connection, selection(filter)));
    expect(exact).toBe(false);
    return rows;
  };
  const half = await db.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM audit_event WHERE tenant_id = $1 AND activity_at >= '2026-03-16T00:00:00Z'`, [tenantId]);
  for (const [filter, truth] of [[{}, EVENTS], [{ from: '2026-03-16T00:00:00Z' }, half.rows[0]?.n ?? 0]] as const) expect(Math.abs(await size(filter) - truth) / truth, JSON.stringify(filter)).toBeLessThan(0.1);
});
