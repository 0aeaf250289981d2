import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillHistory } from '../../../../../testing/history-rows.ts';
import { activationsStatement } from './activations.store.ts';
import { foldCounts } from './counts.store.ts';
import { countStatement, eventsStatement, type Statement } from './events.store.ts';
import type { Drive, Named, Role } from './search.rules.ts';

interface Node { readonly 'Node Type': string; readonly 'Relation Name'?: string; readonly 'Index Name'?: string; readonly 'Index Cond'?: string; readonly Plans?: readonly Node[] }

const tenantId = randomUUID();
let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await fillHistory(db.pool, { tenantId, events: 30_000, months: 3 });
  await foldCounts(db, tenantId);
  await db.owner.query('VACUUM (ANALYZE) audit_event, activation, log_name, event_count');
}, 60_000);
afterAll(async () => { await db[Symbol.asyncDispose](); });

const LOG = /^(audit_event(_\d+)?|activation)$/;
const reads = (node: Node): boolean => LOG.test(node['Relation Name'] ?? '') || (node.Plans ?? []).some(reads);
const scansOf = (node: Node): Node[] => [...(LOG.test(node['Relation Name'] ?? '') ? [node] : []), ...(node.Plans ?? []).flatMap(scansOf)];
const readsUnlimited = (node: Node): boolean => node['Node Type'] !== 'Limit' && (LOG.test(node['Relation Name'] ?? '') || (node.Plans ?? []).some(readsUnlimited));
const namesSearch = (node: Node): boolean => /search/.test(node['Index Name'] ?? '') || (node.Plans ?? []).some(namesSearch);
/** A trigram index gives rows in no order: what it finds is sorted, and nothing else. */
const isFoundByText = (node: Node): boolean => (node['Node Type'] === 'Bitmap Heap Scan' ? namesSearch(node) : /^(Sort|Append)$/.test(node['Node Type']) && (node.Plans ?? []).every(isFoundByText));

/** What is wrong with the plan: rows of the log that are read from end to end, or sorted to be thrown away. */
function faultsOf(node: Node, byText: boolean): string[] {
  const here = node['Node Type'] === 'Seq Scan' && LOG.test(node['Relation Name'] ?? '') ? ['reads all'] : /Sort/.test(node['Node Type']) && readsUnlimited(node) && !(byText && isFoundByText(node)) ? ['sorts all'] : [];
  return [...here, ...(node.Plans ?? []).flatMap((child) => faultsOf(child, byText))];
}

async function plansOf({ text, values }: Statement, modes: readonly ('generic' | 'custom')[]): Promise<[string, Node][]> {
  const plans: [string, Node][] = [];
  for (const mode of modes) {
    const { rows: [row] } = mode === 'generic' ? await db.reader.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(`EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${text}`) : await db.reader.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(`EXPLAIN (FORMAT JSON) ${text}`, [...values]);
    if (!row) throw new Error('no plan');
    plans.push([mode, row['QUERY PLAN'][0].Plan]);
  }
  return plans;
}

const named = (role: Role, ...keys: string[]): Named[] => keys.map((key) => ({ role, key, events: 10 }));
const FILTERS = {
  one: named('group', 'g1'),
  person: [...named('actor', 'p1', 'MS-PIM'), ...named('subject', 'p1')], group: named('group', 'g1', 'g2'), application: [...named('application', 'a1'), ...named('group', 'g3')],
};
const subsets = <T>(all: readonly T[]): T[][] => all.reduce<T[][]>((sets, one) => [...sets, ...sets.map((set) => [...set, one])], [[]]);
const RANGE = { from: '2026-01-10T00:00:00.000000Z', to: '2026-03-10T00:00:00.000000Z' };

test('every filter, alone and with the others, in both orders, from the start and from a cursor, is read off an index', async () => {
  const faults: string[] = [];
  let plans = 0;
  for (const filters of [...subsets(['person', 'group', 'application'] as const), ['one'], ['one', 'person']] as const) {
    for (const facets of [{}, { kind: 'denied' }, { result: 'failure' }, { source: 'portal', result: 'success' }, { source: 'directory' }]) {
      for (const text of [undefined, 't4711']) {
        // What leads nothing is most of the log.
        const isDense = text === undefined && Object.keys(facets).every((name) => name === 'source') && filters.length === 0;
        const drives: Drive[] = [...filters.map((_, filter): Drive => ({ by: 'names', filter })), ...(Object.keys(facets).length > 0 ? [{ by: 'facets' } as const] : []), ...(text === undefined ? [] : [{ by: 'text' } as const]), ...(isDense ? [{ by: 'time' } as const] : [])];
        for (const drive of drives) {
          for (const range of [{}, RANGE]) {
            const search = { tenantId, drive, names: filters.map((name) => FILTERS[name]), facets: [{ kind: 'denied', result: 'failure', source: 'portal', events: 1 }], ...facets, ...(text !== undefined && { text }), ...range };
            // Each of both orders and places in turn: they are of one shape.
            const [order, after] = [plans % 4 < 2 ? 'newest' as const : 'oldest' as const, plans % 3 === 0 ? undefined : ['2026-02-10T00:00:00.000000Z', '1', '15'] as const];
            const statement = eventsStatement(search, { after, order, limit: 51 });
            if (!statement) continue;
            for (const [mode, plan] of await plansOf(statement, drive.by === 'text' ? ['custom'] : ['generic', 'custom'])) {
              plans += 1;
              const found = faultsOf(plan, drive.by === 'text');
              if (found.length > 0 || !reads(plan)) faults.push(`${filters.join('+')} ${JSON.stringify({ ...facets, text, drive, range, order, after: after !== undefined })} ${mode}: ${found.join(', ')}`);
            }
          }
        }
      }
    }
  }
  expect(faults).toEqual([]);
  expect(plans).toBeGreaterThan(400);
}, 60_000);

test('of all that somebody did, rows of other groups are not read', async () => {
  const statement = eventsStatement({ tenantId, drive: { by: 'names', filter: 0 }, names: [FILTERS.person, FILTERS.group], facets: undefined, result: 'success', ...RANGE }, { after: undefined, order: 'newest', limit: 51 });
  if (!statement) throw new Error('nothing to read');
  for (const [, plan] of await plansOf(statement, ['generic', 'custom'])) {
    const conditions = scansOf(plan).map((scan) => scan['Index Cond'] ?? '');
    expect(conditions.length).toBeGreaterThan(0);
    expect(conditions.filter((condition) => !condition.includes('hashtext'))).toEqual([]);
  }
});

test('what means more names than can be merged is found in the order of time', async () => {
  const many = [named('group', ...Array.from({ length: 150 }, (_, index) => `g${index}`))];
  const statement = eventsStatement({ tenantId, drive: { by: 'time' }, names: many, facets: undefined, result: 'success' }, { after: undefined, order: 'newest', limit: 51 });
  if (!statement) throw new Error('nothing to read');
  for (const [, plan] of await plansOf(statement, ['generic', 'custom'])) expect(faultsOf(plan, false)).toEqual([]);
});

test('the same of activations', async () => {
  const faults: string[] = [];
  for (const filters of subsets(['person', 'group'] as const)) {
    for (const status of [undefined, 'denied']) {
      for (const text of [undefined, 't4711']) {
        for (const order of ['newest', 'oldest'] as const) {
          for (const after of [undefined, ['2026-02-10T00:00:00.000000Z', 'r5'] as const]) {
            const statement = activationsStatement({ tenantId, names: filters.map((name) => FILTERS[name]), status, text, ...RANGE }, { after, order, limit: 51 });
            if (!statement) continue;
            for (const [mode, plan] of await plansOf(statement, statement.planned ? ['custom'] : ['generic', 'custom'])) {
              const found = faultsOf(plan, statement.planned);
              if (found.length > 0 || !reads(plan)) faults.push(`${filters.join('+')} ${JSON.stringify({ status, text, order, after })} ${mode}: ${found.join(', ')}`);
            }
          }
        }
      }
    }
  }
  expect(faults).toEqual([]);
});

test('counting reads an index, too', async () => {
  const statement = countStatement({ tenantId, drive: { by: 'names', filter: 0 }, names: [FILTERS.person], facets: undefined }, 10_001);
  if (!statement) throw new Error('nothing to count');
  for (const [, plan] of await plansOf(statement, ['generic', 'custom'])) expect(faultsOf(plan, false)).toEqual([]);
});
