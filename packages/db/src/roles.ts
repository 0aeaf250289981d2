import pg from 'pg';
import { DatabaseRefusal } from './refusal.ts';

/** What the portal runs as: it adds to the log and reads it, and changes nothing of it. */
export const RUNTIME_ROLE = 'gatehouse_runtime';
/** What it shows and exports of the log is read as this one, which changes nothing at all. */
export const READER_ROLE = 'gatehouse_reader';

/**
 * Makes the roles, gives them to the login, and lets them do what they may with the tables as they are. Safe to repeat and to
 * race. Refuses where the login may not, with the statements that an administrator is to run.
 */
export async function grantRoles(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ lacking: string }>('SELECT unnest(gatehouse_grant_roles()) AS lacking');
    if (rows.length > 0) throw new DatabaseRefusal(`the user in DATABASE_URL may not give the portal the roles that it runs as, which add to the log and cannot change it. Let an administrator of the database run once: ${rows.map(({ lacking }) => `${lacking};`).join(' ')} Then start again.`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
    throw new DatabaseRefusal(`the user in DATABASE_URL does not own the tables, so that it may not say who else may use them (${error.message}). Let DATABASE_URL name their owner.`, error);
  } finally {
    await client.end();
  }
}
