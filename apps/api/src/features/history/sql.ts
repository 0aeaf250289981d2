import { createHash } from 'node:crypto';
import type { Connection, Database } from '@gatehouse/db';

/** The reading pool for one statement, or a connection for several that must see the same. */
export type Queryable = Pick<Connection, 'query' | 'release'> | Pick<Database['reader'], 'query' | 'connect'>;

const nameOf = new Map<string, string>();

/** Runs a statement that each connection plans once: its text is one of few, whatever the values. */
export async function run<Row extends object>(db: Queryable, text: string, values: readonly unknown[]): Promise<Row[]> {
  let name = nameOf.get(text);
  if (name === undefined) {
    name = `history_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    nameOf.set(text, name);
  }
  const { rows } = await db.query<Row>({ name, text, values: [...values] });
  return rows;
}

/** Conditions and their parameters, numbered as they come. Values never become part of the text. */
export function conditionsOf(tenantId: string) {
  const values: unknown[] = [tenantId];
  const conditions = ['e.tenant_id = $1'];
  return {
    values,
    value: (value: unknown): string => `$${values.push(value)}`,
    add: (condition: string): void => { conditions.push(condition); },
    text: (): string => conditions.join(' AND '),
  };
}
export type Where = ReturnType<typeof conditionsOf>;
