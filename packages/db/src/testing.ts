import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { openDatabase, type Database } from './database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the cluster of this test run, database `gatehouse_template`. */
    templateUrl: string;
  }
}

/**
 * A database of the test's own, copied from the migrated template (about 0.1 s), dropped when it is disposed of. Outside of
 * a test run the caller says where a template is.
 */
export async function testDatabase(templateUrl: string = inject('templateUrl')): Promise<Database & AsyncDisposable> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(templateUrl, `CREATE DATABASE ${name} TEMPLATE gatehouse_template`);
  const database = await openDatabase({ url: templateUrl.replace(/\/[^/]*$/, `/${name}`), max: 8 });
  return {
    ...database,
    async [Symbol.asyncDispose]() {
      await database.close();
      await administer(templateUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function administer(templateUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: templateUrl.replace(/\/[^/]*$/, '/postgres') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
