import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded.ts';
import { migrate } from './migrate.ts';
import { grantRoles } from './roles.ts';
import { clusterOwner, ownerPool, testDatabase } from './testing.ts';

const LOG = ['audit_event', 'audit_event_key', 'network_connection', 'network_connection_key', 'log_batch', 'ledger_seal', 'ledger_tile', 'ledger_checkpoint', 'ledger_key', 'observation'];

test('the portal adds to the log and the ledger and reads them, and can change nothing of them', async () => {
  await using db = await testDatabase();
  await db.pool.query(`SELECT ensure_audit_partition('2026-03-01')`);
  await Promise.all(Array.from({ length: 5 }, () => grantRoles(db.url)));
  expect((await db.pool.query('SELECT current_user::text AS name')).rows).toEqual([{ name: 'gatehouse_runtime' }]);
  for (const table of [...LOG, 'audit_event_202603']) {
    if (table !== 'audit_event_202603') await db.pool.query(`SELECT count(*) FROM ${table}`);
    for (const statement of [`UPDATE ${table} SET tenant_id = tenant_id`, `DELETE FROM ${table}`, `TRUNCATE ${table}`, `ALTER TABLE ${table} ADD COLUMN more int`, `DROP TABLE ${table}`, `CREATE TRIGGER t BEFORE INSERT ON ${table} EXECUTE FUNCTION suppress_redundant_updates_trigger()`]) {
      await expect(db.pool.query(statement), statement).rejects.toThrow(/permission denied|must be owner/);
    }
  }
  // It resets to what the connection began as.
  const connection = await db.pool.connect();
  await connection.query('RESET ROLE');
  await expect(connection.query('DELETE FROM audit_event')).rejects.toThrow(/permission denied/);
  connection.release();
  await db.pool.query(`SELECT ensure_audit_partition('2031-05-01'), ensure_connection_partition('2031-05-01')`);
  await expect(db.pool.query('DELETE FROM audit_event_203105')).rejects.toThrow(/permission denied/);
  await db.pool.query(`INSERT INTO log_batch (tenant_id, log, source, received_at, rows) VALUES ('11111111-2222-4333-8444-555555555555', 'audit_event', 'portal', now(), 1)`);
  await db.pool.query('DELETE FROM log_unsealed');
  await db.pool.query('UPDATE sync_source SET watermark = NULL');
  await expect(db.pool.query('TRUNCATE sync_source')).rejects.toThrow(/permission denied/);
});

test('what runs as the owner looks among the tables of its caller last', async () => {
  await using db = await testDatabase();
  const { rows } = await db.pool.query<{ name: string; path: string }>(`
    SELECT p.oid::regprocedure::text AS name, (SELECT setting FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search_path=%') AS path
    FROM pg_proc AS p WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace ORDER BY 1`);
  expect(rows.map(({ name }) => name)).toEqual(['advance_names_version()', 'drop_log_month(uuid,text,date,text)', 'ensure_audit_partition(date)', 'ensure_connection_partition(date)']);
  for (const { name, path } of rows) expect(path, name).toBe('search_path=pg_catalog, public, pg_temp');
});

test('what is read of the log is read by a role that may write nothing, also where it says that it would', async () => {
  await using db = await testDatabase();
  const connection = await db.reader.connect();
  expect((await connection.query('SELECT current_user::text AS name, (SELECT count(*)::int FROM audit_event) AS n')).rows).toEqual([{ name: 'gatehouse_reader', n: 0 }]);
  await connection.query('SET default_transaction_read_only = off');
  for (const table of ['session', 'sign_in', 'device_sign_in', 'token_partition']) await expect(connection.query(`SELECT FROM ${table}`), table).rejects.toThrow(/permission denied/);
  for (const statement of ['DELETE FROM sync_source', 'DELETE FROM audit_event', `SELECT nextval('log_batch_batch_id_seq')`]) await expect(connection.query(statement), statement).rejects.toThrow(/permission denied/);
  connection.release(true);
});

test('options in the address do not take the roles away', async () => {
  await using db = await testDatabase();
  const own = await openDatabase({ url: `${db.url}?options=-c%20role%3Dnone%20-c%20jit%3Doff&application_name=x`, max: 1 });
  try {
    const shown = `SELECT current_user::text AS name, current_setting('jit') AS jit, current_setting('default_transaction_read_only') AS "readOnly"`;
    expect((await own.pool.query(shown)).rows).toEqual([{ name: 'gatehouse_runtime', jit: 'off', readOnly: 'off' }]);
    expect((await own.reader.query(shown)).rows).toEqual([{ name: 'gatehouse_reader', jit: 'off', readOnly: 'on' }]);
  } finally {
    await own.close();
  }
});

test('a pooler that drops what a connection asks for is refused, for its connections could change the log', async () => {
  await using db = await testDatabase();
  const { hostname, port } = new URL(db.url);
  const pooler = createServer((client) => {
    const server = connect(Number(port), hostname);
    client.once('data', (startup: Buffer) => {
      const words = startup.subarray(8).toString().split('\0');
      const at = words.indexOf('options');
      const rest = Buffer.from(words.toSpliced(at, 2).join('\0'));
      const head = Buffer.from(startup.subarray(0, 8));
      head.writeUInt32BE(rest.length + 8);
      server.write(Buffer.concat([head, rest]));
      client.pipe(server).pipe(client);
    });
    for (const one of [client, server]) one.on('error', () => {});
  });
  pooler.listen(0, '127.0.0.1');
  await once(pooler, 'listening');
  const url = new URL(db.url);
  url.port = String((pooler.address() as AddressInfo).port);
  await expect(openDatabase({ url: url.href })).rejects.toThrow(/^connections to the database do not begin in the role gatehouse_(runtime|reader), as they ask for\. Let DATABASE_URL lead to PostgreSQL itself/);
  pooler.close();
});

describe('on a server where nobody has made the roles yet', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-roles-'));
  let server: EmbeddedPostgres;
  beforeAll(async () => { server = await startEmbeddedPostgres({ dataDir, settings: ['fsync=off'] }); });
  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** The portal's login, with a migrated database, and whoever administers the server. */
  async function login(rights: string, owns: 'database' | 'tables' = 'database') {
    const name = `portal-${randomUUID().slice(0, 8)}`;
    const administrator = clusterOwner(server.url);
    await administrator.query(`CREATE ROLE "${name}" LOGIN PASSWORD 'x' ${rights}`);
    await administrator.query(`CREATE DATABASE "${name}"${owns === 'database' ? ` OWNER "${name}"` : ''}`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    const inDatabase = ownerPool(url.href);
    if (owns === 'tables') await inDatabase.query(`GRANT CREATE ON DATABASE "${name}" TO "${name}"; GRANT CREATE ON SCHEMA public TO "${name}"`);
    url.username = name;
    url.password = 'x';
    await migrate(url.href);
    const dropRoles = async (): Promise<void> => { await inDatabase.query('DROP OWNED BY gatehouse_runtime, gatehouse_reader; DROP ROLE gatehouse_runtime, gatehouse_reader'); };
    return {
      url: url.href, name, administrator, dropRoles,
      async [Symbol.asyncDispose]() {
        await dropRoles();
        await inDatabase.end();
        await administrator.end();
      },
    };
  }

  const refusalOf = async (url: string): Promise<string> => grantRoles(url).then(() => 'none', String);
  const statementsOf = (refused: string): string => /run once: (.*;) Then start again\.$/.exec(refused)?.[1] ?? '';

  async function worksAsBoth(url: string): Promise<void> {
    await grantRoles(url);
    const db = await openDatabase({ url, max: 1 });
    try {
      await db.pool.query('CREATE SCHEMA queue; DELETE FROM session');
      await expect(db.pool.query('DELETE FROM audit_event')).rejects.toThrow(/permission denied/);
      expect((await db.reader.query('SELECT count(*)::int AS n, current_user::text AS name FROM audit_event')).rows).toEqual([{ n: 0, name: 'gatehouse_reader' }]);
    } finally {
      await db.close();
    }
  }

  test('a login that may make roles takes both, and again where a backup came back without them', async () => {
    await using portal = await login('CREATEROLE');
    // What is everybody's unless an administrator says otherwise.
    await portal.administrator.query(`REVOKE ALL ON DATABASE "${portal.name}" FROM PUBLIC`);
    await worksAsBoth(portal.url);
    await portal.dropRoles();
    await worksAsBoth(portal.url);
  });

  test('a login that may make none is refused with what an administrator is to run, and that is enough', async () => {
    await using portal = await login('');
    const refused = await refusalOf(portal.url);
    expect(refused).toBe(`DatabaseRefusal: the user in DATABASE_URL may not give the portal the roles that it runs as, which add to the log and cannot change it. Let an administrator of the database run once: CREATE ROLE gatehouse_runtime NOLOGIN; GRANT gatehouse_runtime TO "${portal.name}"; CREATE ROLE gatehouse_reader NOLOGIN; GRANT gatehouse_reader TO "${portal.name}"; Then start again.`);
    await portal.administrator.query(statementsOf(refused));
    await worksAsBoth(portal.url);
  });

  test('so is one that may make roles and owns the tables only', async () => {
    await using portal = await login('CREATEROLE', 'tables');
    const refused = await refusalOf(portal.url);
    expect(statementsOf(refused)).toBe(`GRANT CREATE ON DATABASE "${portal.name}" TO gatehouse_runtime;`);
    await portal.administrator.query(statementsOf(refused));
    await worksAsBoth(portal.url);
  });

  test('one that does not own the tables is told so', async () => {
    await using portal = await login('CREATEROLE');
    await worksAsBoth(portal.url);
    await portal.administrator.query(`CREATE ROLE other LOGIN PASSWORD 'x'`);
    const url = new URL(portal.url);
    url.username = 'other';
    expect(await refusalOf(url.href)).toMatch(/^DatabaseRefusal: the user in DATABASE_URL does not own the tables, .*\. Let DATABASE_URL name their owner\.$/);
  });
});
