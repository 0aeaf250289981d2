import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { openDatabase, type Database } from './database.ts';
import { RUNTIME_ROLE } from './roles.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the cluster of this test run, database `gatehouse_template`. */
    templateUrl: string;
  }
}

/** What the product gets, as it gets it: it may do no more here than in a process of its own. */
export interface TestDatabase extends Database, AsyncDisposable {
  /** For what a test does and no portal may: tamper with the log, make triggers, look into other connections. Never for the product. */
  readonly owner: pg.Pool;
}

/**
 * A database of the test's own, copied from the migrated template (about 0.1 s), dropped when it is disposed of. Outside of
 * a test run the caller says where a template is.
 */
export async function testDatabase(templateUrl: string = inject('templateUrl')): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const url = templateUrl.replace(/\/[^/]*$/, `/${name}`);
  // What the roles may do with the tables is copied with them; what they may do with the database is not.
  await administer(url, `CREATE DATABASE ${name} TEMPLATE gatehouse_template`, `GRANT CREATE ON DATABASE ${name} TO ${RUNTIME_ROLE}`);
  const database = await openDatabase({ url, max: 8 });
  const owner = ownerPool(url);
  return {
    ...database, owner,
    async [Symbol.asyncDispose]() {
      await Promise.all([database.close(), owner.end()]);
      await administer(url, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** Connections to the test's database that wait for a lock. */
export async function countWaiting({ owner }: Pick<TestDatabase, 'owner'>): Promise<number> {
  const { rowCount } = await owner.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
  return rowCount ?? 0;
}

/** The owner at the cluster's own database, whatever becomes of that of the address. */
export function clusterOwner(url: string): pg.Pool & AsyncDisposable {
  const pool = ownerPool(url.replace(/\/[^/]*$/, '/postgres'));
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}

/** Connections as the login of the address is, whatever the test does to them. */
export function ownerPool(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 4, application_name: 'owner' });
  // Of connections that a test cuts.
  pool.on('error', () => {});
  pool.on('connect', (client) => { client.on('error', () => {}); });
  return pool;
}

async function administer(url: string, ...statements: readonly string[]): Promise<void> {
  await using owner = clusterOwner(url);
  for (const statement of statements) await owner.query(statement);
}
