import { GraphRefusal, type GraphAnswer, type GraphCall } from './graph/route.ts';

type Item = Readonly<Record<string, unknown>>;

export interface ListOptions {
  /** Fragment of `@odata.context`, such as `users`. */
  readonly context: string;
  readonly defaultTop?: number;
  readonly maxTop?: number;
  /** Properties that `$filter` may name; any other is refused. */
  readonly filterable?: readonly string[];
  /** Properties that `$search` may name. */
  readonly searchable?: readonly string[];
}

/** A collection with `$filter`, `$search`, `$orderby`, `$select`, `$count` and pages, as far as the docs name them. */
export function listAnswer(call: GraphCall, items: readonly Item[], { context, defaultTop = 100, maxTop = 999, filterable = [], searchable = [] }: ListOptions): GraphAnswer {
  const { query } = call;
  const advanced = call.headers['consistencylevel']?.toLowerCase() === 'eventual';
  let found = [...items];
  if (query['$filter'] !== undefined) found = applyFilter(found, query['$filter'], filterable);
  if (query['$search'] !== undefined) {
    if (!advanced) throw new GraphRefusal(400, 'Request_UnsupportedQuery', "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'");
    found = applySearch(found, query['$search'], searchable);
  }
  if (query['$orderby'] !== undefined) found = applyOrder(found, query['$orderby'], [...filterable, ...searchable]);

  const top = topOf(query['$top'], defaultTop, maxTop);
  const skip = skipOf(call);
  const page = found.slice(skip, skip + top).map((item) => select(item, query['$select']));
  const more = skip + top < found.length;
  return {
    status: 200,
    body: {
      '@odata.context': `${call.base}/$metadata#${context}`,
      // Without the header the service leaves the count out and says nothing.
      ...(query['$count'] === 'true' && advanced && skip === 0 && { '@odata.count': found.length }),
      ...(more && { '@odata.nextLink': nextLink(call, skip + top) }),
      value: page,
    },
  };
}

/** One object, with `$select`. */
export function single(call: GraphCall, item: Item, context: string, status = 200): GraphAnswer {
  return { status, body: { '@odata.context': `${call.base}/$metadata#${context}/$entity`, ...select(item, call.query['$select']) } };
}

export function select(item: Item, names: string | undefined): Item {
  if (names === undefined) return item;
  const wanted = names.split(',').map((name) => name.trim());
  return Object.fromEntries(Object.entries(item).filter(([name]) => name.startsWith('@') || wanted.includes(name)));
}

function topOf(text: string | undefined, defaultTop: number, maxTop: number): number {
  if (text === undefined) return defaultTop;
  const top = /^\d+$/.test(text) ? Number(text) : 0;
  if (top < 1 || top > maxTop) throw new GraphRefusal(400, 'Request_BadRequest', `Invalid page size specified: '${text}'. Must be between 1 and ${maxTop} inclusive.`);
  return top;
}

function skipOf({ query, now, delays }: GraphCall): number {
  const token = query['$skiptoken'];
  if (token === undefined) return 0;
  const { skip, issuedAt } = readSkipToken(token) ?? {};
  if (skip === undefined || issuedAt === undefined) throw new GraphRefusal(400, 'Request_BadRequest', 'Skip token is not valid.');
  if (issuedAt + delays.nextLink < now.getTime()) throw new GraphRefusal(400, 'Directory_ExpiredPageToken', 'The specified page token value has expired and can no longer be included in your request.');
  return skip;
}

/** What a `$skiptoken` holds, which is nobody's business but the service's. */
export function readSkipToken(token: string): { readonly skip: number; readonly issuedAt: number } | undefined {
  const match = /^p(\d+)@(\d+)$/.exec(Buffer.from(token, 'base64url').toString('utf8'));
  return match ? { skip: Number(match[1]), issuedAt: Number(match[2]) } : undefined;
}

export const skipToken = (skip: number, issuedAt: number): string => Buffer.from(`p${skip}@${issuedAt}`).toString('base64url');

function nextLink(call: GraphCall, skip: number): string {
  const url = new URL(`${call.base}${call.path}`);
  for (const [name, value] of Object.entries(call.query)) if (name !== '$skiptoken') url.searchParams.set(name, value);
  url.searchParams.set('$skiptoken', skipToken(skip, call.now.getTime()));
  return url.href;
}

function applySearch(items: readonly Item[], text: string, searchable: readonly string[]): Item[] {
  const terms = [...text.matchAll(/"([A-Za-z]+):((?:[^"\\]|\\.)*)"/g)].map((match) => ({ name: match[1] ?? '', value: (match[2] ?? '').replace(/\\(.)/g, '$1').toLowerCase() }));
  if (terms.length === 0) throw new GraphRefusal(400, 'Request_BadRequest', `Syntax error: $search terms have the form "property:value" in double quotes.`);
  for (const { name } of terms) if (!searchable.includes(name)) throw new GraphRefusal(400, 'Request_BadRequest', `Property '${name}' is not supported by $search.`);
  const both = / AND /.test(text);
  const hit = (item: Item, { name, value }: { name: string; value: string }): boolean => String(item[name] ?? '').toLowerCase().split(/[\s\-_.@,]+/).some((word) => word.startsWith(value)) || String(item[name] ?? '').toLowerCase().startsWith(value) || String(item[name] ?? '').toLowerCase().includes(` ${value}`);
  return items.filter((item) => (both ? terms.every((term) => hit(item, term)) : terms.some((term) => hit(item, term))));
}

function applyOrder(items: readonly Item[], text: string, sortable: readonly string[]): Item[] {
  const [name = '', direction = 'asc'] = text.trim().split(/\s+/);
  if (!sortable.includes(name) || !/^(asc|desc)$/.test(direction)) throw new GraphRefusal(400, 'Request_UnsupportedQuery', `Sorting by '${text}' is not supported.`);
  const sign = direction === 'desc' ? -1 : 1;
  return items.toSorted((a, b) => sign * String(a[name] ?? '').localeCompare(String(b[name] ?? '')));
}

// $filter, as a small recursive descent: or ← and ← not ← comparison, function, any(), parentheses.

type Test = (item: Item) => boolean;

/** The items that the filter keeps; an operator, function or property that is not known is refused as Graph refuses it. */
export function applyFilter<T extends Item>(items: readonly T[], text: string, filterable: readonly string[]): T[] {
  const tokens = tokenize(text);
  let at = 0;
  const peek = (): string | undefined => tokens[at];
  const take = (expected?: string): string => {
    const token = tokens[at];
    if (token === undefined || (expected !== undefined && token !== expected)) throw syntax(text);
    at += 1;
    return token;
  };
  const property = (name: string, variable?: string): ((item: Item) => unknown) => {
    if (variable !== undefined && name === variable) return (item) => item['$it'];
    const path = variable !== undefined && name.startsWith(`${variable}/`) ? name.slice(variable.length + 1) : name;
    if (variable === undefined && !filterable.includes(path)) throw new GraphRefusal(400, 'Request_UnsupportedQuery', `Unsupported or invalid query filter clause specified for property '${path}' of resource.`);
    return (item) => path.split('/').reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined), variable === undefined ? item : (item['$it'] as unknown));
  };

  const or = (variable?: string): Test => {
    let left = and(variable);
    while (peek() === 'or') {
      take();
      const [before, right] = [left, and(variable)];
      left = (item) => before(item) || right(item);
    }
    return left;
  };
  const and = (variable?: string): Test => {
    let left = unary(variable);
    while (peek() === 'and') {
      take();
      const [before, right] = [left, unary(variable)];
      left = (item) => before(item) && right(item);
    }
    return left;
  };
  const unary = (variable?: string): Test => {
    if (peek() === 'not') {
      take();
      const inner = unary(variable);
      return (item) => !inner(item);
    }
    if (peek() === '(') {
      take();
      const inner = or(variable);
      take(')');
      return inner;
    }
    const name = take();
    if (/^(?:starts|ends)[wW]ith$/.test(name)) {
      const atStart = name.startsWith('s');
      take('(');
      const value = property(take(), variable);
      take(',');
      const part = String(literal(take(), text)).toLowerCase();
      take(')');
      return (item) => {
        const whole = String(value(item) ?? '').toLowerCase();
        return atStart ? whole.startsWith(part) : whole.endsWith(part);
      };
    }
    if (name.endsWith('/any')) {
      take('(');
      const inner = take();
      take(':');
      const list = property(name.slice(0, -4), variable);
      const test = or(inner);
      take(')');
      return (item) => {
        const values = list(item);
        return Array.isArray(values) && values.some((one: unknown) => test({ $it: one }));
      };
    }
    const value = property(name, variable);
    const operator = take();
    if (operator === 'in') {
      take('(');
      const values = [literal(take(), text)];
      while (peek() === ',') {
        take();
        values.push(literal(take(), text));
      }
      take(')');
      return (item) => values.some((one) => compare(value(item), one) === 0);
    }
    const wanted = literal(take(), text);
    switch (operator) {
      case 'eq': return (item) => compare(value(item), wanted) === 0;
      case 'ne': return (item) => compare(value(item), wanted) !== 0;
      case 'ge': return (item) => compare(value(item), wanted) >= 0;
      case 'le': return (item) => compare(value(item), wanted) <= 0;
      default: throw new GraphRefusal(400, 'Request_UnsupportedQuery', `Unsupported Query. The operator '${operator}' is not supported.`);
    }
  };

  const test = or();
  if (at !== tokens.length) throw syntax(text);
  return items.filter(test);
}

function tokenize(text: string): string[] {
  const tokens = text.match(/'(?:[^']|'')*'|[A-Za-z_$][\w/$.@]*|\d{4}-\d{2}-\d{2}T[\d:.]+Z?|-?\d+(?:\.\d+)?|[(),:]|\S/g) ?? [];
  if (tokens.some((token) => /^[^\w'(),:$-]/.test(token))) throw syntax(text);
  return tokens;
}

function literal(token: string, text: string): unknown {
  if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
  if (token === 'null') return null;
  if (token === 'true' || token === 'false') return token === 'true';
  if (/^\d{4}-/.test(token)) return token;
  if (/^-?\d/.test(token)) return Number(token);
  throw syntax(text);
}

/** Instants are compared with all their decimals; text without regard to case, as the directory does. */
function compare(left: unknown, right: unknown): number {
  if (left === undefined || left === null || right === null) return (left ?? null) === right ? 0 : Number.NaN;
  if (typeof left === 'boolean' || typeof left === 'number') return left === right ? 0 : Number(left) - Number(right);
  const [a, b] = [comparable(String(left)), comparable(String(right))];
  return a === b ? 0 : a < b ? -1 : 1;
}

function comparable(text: string): string {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?Z$/.exec(text);
  return match ? `${match[1]}.${(match[2] ?? '').padEnd(9, '0')}` : text.toLowerCase();
}

function syntax(text: string): GraphRefusal {
  return new GraphRefusal(400, 'BadRequest', `Invalid filter clause: Syntax error in '${text}'.`);
}
