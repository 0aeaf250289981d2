import type { Readable } from 'node:stream';
import { to } from 'pg-copy-streams';
import type { Connection } from './database.ts';

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
