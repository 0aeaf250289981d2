import { checkOperators, filterableNames, type Filterable } from '../filters.ts';
import type { GraphAnswer, GraphCall } from '../graph/route.ts';
import { listAnswer, select, single } from '../odata.ts';
import { bad, unsupportedQuery } from './common.ts';

type Item = Readonly<Record<string, unknown>>;

/** The query options that the page of a collection names. */
export interface Collection {
  readonly context: string;
  readonly filterable: Filterable;
  /** Properties that `$search` may name. */
  readonly searchable?: readonly string[];
  /** Properties that `$orderby` may name. */
  readonly orderable?: readonly string[];
  /** Every filter needs the index behind advanced queries. */
  readonly filterIsAdvanced?: boolean;
  /** What `$expand` may name, and the objects that it prints. */
  readonly expandable?: Readonly<Record<string, (call: GraphCall, id: string) => readonly Item[]>>;
  /** `$filter` together with `$expand` prints empty lists, and says nothing (CONTRACT.md §8.1). */
  readonly expandsNothingFiltered?: boolean;
}

/** Operators on text of the directory. */
export const TEXT = 'eq ne not ge le in startswith';
export const WORD = 'eq ne not in';

/** Filters and sorting that only the index behind advanced queries answers: it takes the header and `$count=true`. */
function checkAdvanced({ query, headers }: GraphCall, { filterIsAdvanced = false, orderable = [] }: Collection): void {
  const { $filter: filter, $orderby: orderby, $search: search, $count: count } = query;
  const advanced = headers['consistencylevel']?.toLowerCase() === 'eventual' && count === 'true';
  const bare = filter?.replaceAll(/'(?:[^']|'')*'/g, "''");
  if (bare !== undefined && !advanced && (filterIsAdvanced || /\bne\b|\bnot\b|\bendswith\(|(?<!groupTypes)\/any\(/i.test(bare))) {
    throw unsupportedQuery('Unsupported Query. This filter needs the header ConsistencyLevel: eventual and $count=true.');
  }
  if (orderby === undefined) return;
  if (!orderable.includes(orderby.trim().split(/\s+/)[0] ?? '')) throw unsupportedQuery(`Sorting by '${orderby}' is not supported.`);
  if ((filter !== undefined || search !== undefined) && !advanced) throw unsupportedQuery('Sorting not supported for current query. It needs the header ConsistencyLevel: eventual and $count=true.');
}

const MOST_EXPANDED = 20;

/** `$expand=members` or `members($select=id)`: of an item the first objects alone, and no link to more. */
function expansion(call: GraphCall, { expandable = {}, expandsNothingFiltered = false }: Collection): (id: string) => Item {
  const { $expand: text = '', $filter: filter } = call.query;
  const wishes = text.split(/,(?![^(]*\))/).filter((wish) => wish !== '').map((wish) => {
    const [, name = '', names] = /^\s*(\w+)(?:\(\$select=([\w,]+)\))?\s*$/.exec(wish) ?? [];
    const objects = Object.hasOwn(expandable, name) ? expandable[name] : undefined;
    if (!objects) throw bad(`Parsing OData Select and Expand failed: '${wish}' cannot be expanded.`, 'BadRequest');
    return { name, names, objects };
  });
  const hidden = expandsNothingFiltered && filter !== undefined;
  return (id) => Object.fromEntries(wishes.map(({ name, names, objects }) => [name, hidden ? [] : objects(call, id).slice(0, MOST_EXPANDED).map((one) => select(one, names))]));
}

/** A collection; each item is printed by `view` after it was filtered and sorted whole. */
export function collectionAnswer(call: GraphCall, items: readonly Item[], collection: Collection, view: (item: Item) => Item = (item) => item): GraphAnswer {
  const { context, filterable, searchable = [] } = collection;
  checkOperators(call.query['$filter'], filterable);
  checkAdvanced(call, collection);
  const expand = expansion(call, collection);
  const { $select: names, ...query } = call.query;
  const answer = listAnswer({ ...call, query }, items, { context, filterable: filterableNames(filterable), searchable });
  const body = answer.body as { readonly value: readonly Item[]; readonly '@odata.nextLink'?: string };
  const next = body['@odata.nextLink'] === undefined ? undefined : new URL(body['@odata.nextLink']);
  if (names !== undefined) next?.searchParams.set('$select', names);
  return { ...answer, body: { ...body, ...(next && { '@odata.nextLink': next.href }), value: body.value.map((item) => ({ ...select(view(item), names), ...expand(String(item['id'])) })) } };
}

/** One object of a collection, with `$select` and `$expand`. */
export function objectAnswer(call: GraphCall, item: Item, collection: Collection): GraphAnswer {
  const answer = single(call, item, collection.context);
  return { ...answer, body: { ...(answer.body as Item), ...expansion(call, collection)(String(item['id'])) } };
}

/** The number alone, under `$count` as a segment. */
export function countAnswer(call: GraphCall, items: readonly Item[], collection: Collection): GraphAnswer {
  if (call.headers['consistencylevel']?.toLowerCase() !== 'eventual') throw bad('$count is not currently supported.');
  const { body } = collectionAnswer({ ...call, query: { ...call.query, $count: 'true' } }, items, collection);
  return { status: 200, body: (body as { readonly '@odata.count': number })['@odata.count'] };
}
