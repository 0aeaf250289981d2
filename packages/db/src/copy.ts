import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from, to } from 'pg-copy-streams';
import type { Connection } from './database.ts';

/** A value of a row that is copied: text as it stands, a number, a truth, or nothing. */
export type CopyValue = string | number | null;

/** The values of a row, or of some of its columns that stand together, as COPY takes them. Rows may be written long before they are copied. */
export function copyText(values: readonly CopyValue[]): string {
  let text = '';
  for (let column = 0; column < values.length; column += 1) {
    if (column > 0) text += '\t';
    const value = values[column];
    text += value === null || value === undefined ? '\\N' : typeof value === 'number' ? String(value) : SPECIAL.test(value) ? value.replace(EACH_SPECIAL, escaped) : value;
  }
  return text;
}

/** Copies rows, each as `copyText` writes it and a line end, into the columns: the quickest way in. `target` is our own text, such as `log (id, raw)`, and never a value. */
export async function copyRows(connection: Connection, target: string, rows: Buffer): Promise<void> {
  await pipeline([rows], connection.query(from(`COPY ${target} FROM STDIN`)));
}

const SPECIAL = /[\\\t\n\r]/;
const EACH_SPECIAL = /[\\\t\n\r]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const escaped = (character: string): string => ESCAPES[character] ?? character;

/**
 * What a query finds as PostgreSQL itself writes it, in pieces, as fast as they are taken. The query holds no values: COPY
 * takes no parameters, so they are bound before it with `bind`.
 */
export function copyOut(connection: Connection, query: string, options: string): Readable {
  return connection.query(to(`COPY (${query}) TO STDOUT (${options})`));
}

/** Binds values for the rest of the transaction, and answers the expression that stands for each in a query: values never become part of its text. */
export async function bind(connection: Pick<Connection, 'query'>, values: readonly string[]): Promise<string[]> {
  const names = values.map((_value, index) => `gatehouse.bound_${index + 1}`);
  if (names.length > 0) await connection.query(`SELECT ${names.map((name, index) => `set_config('${name}', $${index + 1}, true)`).join(', ')}`, [...values]);
  return names.map((name) => `current_setting('${name}')`);
}
