import type { Connection, Database } from '@gatehouse/db';

/** Runs the work in one transaction of the connection; whatever it throws leaves nothing behind. */
export async function inTransaction<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await connection.query('BEGIN');
  try {
    const result = await work();
    await connection.query('COMMIT');
    return result;
  } catch (error) {
    // The first error is the one to tell; a connection that is gone has rolled back by itself.
    await connection.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Lends a connection of the pool; one that failed is closed instead of being lent again in an unknown state. */
export async function withConnection<T>(db: Pick<Database, 'pool'>, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await db.pool.connect();
  let failed = true;
  try {
    const result = await work(connection);
    failed = false;
    return result;
  } finally {
    connection.release(failed);
  }
}
