import pg from 'pg';

/** What the portal runs as: it adds to the log and reads it, and changes nothing of it. */
export const RUNTIME_ROLE = 'gatehouse_runtime';

/**
 * Gives the roles what they may do with the tables as they are. Answers the role that the portal is to run as, or
 * `undefined` where the login may neither make it nor take it: then the portal could change its own log.
 */
export async function grantRoles(url: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows: [row] } = await client.query<{ granted: boolean }>('SELECT gatehouse_grant() AS granted');
    return row?.granted === true ? RUNTIME_ROLE : undefined;
  } catch (error) {
    // A login that owns not all of the tables may not grant them.
    if (error instanceof Error && 'code' in error && error.code === '42501') return undefined;
    throw error;
  } finally {
    await client.end();
  }
}
