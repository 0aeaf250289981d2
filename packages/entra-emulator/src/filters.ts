import { GraphRefusal } from './graph/route.ts';

/** Properties that `$filter` may name, each with the operators that its page lists for it; what holds within `any()` stands as `list/property`. */
export type Filterable = Readonly<Record<string, string>>;

const refused = (property: string, operator: string): GraphRefusal =>
  new GraphRefusal(400, 'Request_UnsupportedQuery', `Unsupported or invalid query filter clause specified for property '${property}': the operator '${operator}' is not supported.`);

/** Refuses an operator that the page of the property does not list. Properties that are not known at all, and the syntax, are `applyFilter`'s matter. */
export function checkOperators(filter: string | undefined, filterable: Filterable): void {
  if (filter === undefined) return;
  const bare = filter.replaceAll(/'(?:[^']|'')*'/g, "''");
  const lists = new Map([...bare.matchAll(/([\w/]+)\/any\(\s*(\w+)\s*:/g)].map(([, list = '', variable = '']) => [variable, list]));
  const named = (name: string): string => {
    const [variable = '', ...rest] = name.split('/');
    const list = lists.get(variable);
    return list === undefined ? name : [list, ...rest].join('/');
  };
  const negated = /\bnot\b/.test(bare);
  const used = [
    ...[...bare.matchAll(/([\w/]+)\s+(eq|ne|gt|ge|lt|le|in|has)\b/g)].map(([, name = '', operator = '']) => [named(name), operator] as const),
    ...[...bare.matchAll(/(\w+)\(\s*([\w/]+)\s*,/g)].map(([, operator = '', name = '']) => [named(name), operator.toLowerCase()] as const),
  ].flatMap(([name, operator]) => (negated ? [[name, operator], [name, 'not']] as const : [[name, operator]] as const));
  for (const [name, operator] of used) {
    const allowed = filterable[name]?.split(' ');
    const within = [...lists.values()].some((list) => name === list || name.startsWith(`${list}/`));
    if (allowed === undefined ? within : !allowed.includes(operator)) throw refused(name, operator);
  }
}

/** The same where the docs show conditions joined by `and` alone, as PIM's lists do. */
export function checkConjunction(filter: string | undefined, filterable: Filterable): void {
  checkOperators(filter, filterable);
  if (filter !== undefined && /\b(or|not)\b/.test(filter.replaceAll(/'(?:[^']|'')*'/g, "''"))) throw new GraphRefusal(400, 'InvalidFilter', 'The $filter query parameter joins its conditions with and.');
}

/** The names that `applyFilter` is to know. */
export const filterableNames = (filterable: Filterable): string[] => [...new Set(Object.keys(filterable).flatMap((name) => (name.includes('/') ? [name, name.split('/')[0] ?? ''] : [name])))];
