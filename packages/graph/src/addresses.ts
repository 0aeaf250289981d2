import { GraphError } from './errors.ts';

/** A string literal of OData: in single quotes, inner quotes doubled. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** How many values the directory takes within one `in`: more is refused. */
const VALUES_OF_IN = 15;

/** `$filter`s that together find every object whose property is one of the values; none where there are no values. */
export function anyOf(property: string, values: readonly string[]): string[] {
  const filters: string[] = [];
  for (let start = 0; start < values.length; start += VALUES_OF_IN) filters.push(`${property} in (${values.slice(start, start + VALUES_OF_IN).map(quoted).join(',')})`);
  return filters;
}

/** A `$search` clause: in double quotes, with backslash and double quote escaped. */
export const searchClause = (property: string, text: string): string =>
  `"${property}:${text.replaceAll(/[\\"]/g, (character) => `\\${character}`)}"`;

/**
 * An address below the version, each inserted value percent-encoded as one segment (or as one key literal).
 * Values can come from a browser: `.` and `..` survive encoding and would move the call to another address, so no object has such an id.
 */
export function path(fixed: TemplateStringsArray, ...values: readonly string[]): string {
  let address = fixed[0] ?? '';
  values.forEach((value, index) => {
    if (/^\.{0,2}$/.test(value)) throw new GraphError('not-found', `"${value}" is no id`);
    address += encodeURIComponent(value) + (fixed[index + 1] ?? '');
  });
  return address;
}
