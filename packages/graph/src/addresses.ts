import { GraphError } from './errors.ts';

/** A string literal of OData: in single quotes, inner quotes doubled. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

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
