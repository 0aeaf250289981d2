import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { Prisma } from '../generated/client.ts';
import { ensureAuditPartitions, openDatabase } from './database.ts';
import { migrate, migrationsList, migrationState, schemaEngine } from './migrate.ts';
import { grantRoles } from './roles.ts';
import { testDatabase } from './testing.ts';

const made: string[] = [];

async function administer(statement: string, database = 'postgres'): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: inject('templateUrl').replace(/\/[^/]*$/, `/${database}`) });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}

async function emptyDatabase(): Promise<string> {
  const name = `empty_${randomBytes(6).toString('hex')}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE template0`);
  made.push(name);
  return inject('templateUrl').replace(/\/[^/]*$/, `/${name}`);
}

afterEach(async () => {
  for (const name of made.splice(0)) await administer(`DROP DATABASE ${name} WITH (FORCE)`);
});

const nameOf = (url: string): string => url.split('/').at(-1) ?? '';

/** The newest migration. */
const NEWEST = {
  /** What PostgreSQL says where it is applied once more. */
  twice: 'relation "names_version" already exists',
  /** What it writes into the catalog. */
  wrote: `pg_class WHERE relname = 'names_version'`,
  undo: 'DROP FUNCTION advance_names_version CASCADE; DROP TABLE names_version',
};

test('an empty database is brought to this build, and a second call applies nothing', async () => {
  const url = await emptyDatabase();
  expect((await migrate(url)).applied).toEqual(migrationsList().migrationDirectories.map(({ path }) => path));
  expect((await migrate(url)).applied).toEqual([]);
});

test('of portals that start together, each ends with the same schema and one applied it', async () => {
  const url = await emptyDatabase();
  const answers = await Promise.all(Array.from({ length: 20 }, () => migrate(url)));
  expect(answers.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
});

test('kill -9 in the middle of a migration: the next start waits for what the server still works on, and ends it', async () => {
  const url = await emptyDatabase();
  const barrier = new pg.Client({ connectionString: url });
  await barrier.connect();
  const waiting = async (what: string): Promise<number> => (await administer(`SELECT 1 FROM pg_stat_activity WHERE datname = '${nameOf(url)}' AND wait_event_type = 'Lock' AND wait_event = '${what}'`)).rowCount ?? 0;
  try {
    // A table of that name which is not committed: the script stands still at its own.
    await barrier.query('BEGIN; CREATE TABLE session ()');
    const portal = spawn(process.execPath, ['--input-type=module', '-e', `
      const { migrate } = await import(${JSON.stringify(join(import.meta.dirname, 'migrate.ts'))});
      await migrate(process.env.URL);`], { stdio: 'inherit', env: { URL: url } });
    await expect.poll(() => waiting('transactionid'), { timeout: 20_000 }).toBe(1);
    const gone = once(portal, 'exit');
    portal.kill('SIGKILL');
    await gone;
    const next = migrate(url);
    await expect.poll(() => waiting('advisory'), { timeout: 20_000 }).toBe(1);
    await barrier.query('ROLLBACK');
    await next;
  } finally {
    await barrier.end();
  }
  await grantRoles(url);
  const db = await openDatabase({ url });
  expect(await migrationState(db)).toEqual({ problems: [] });
  expect(await db.prisma.auditEventKey.findMany()).toEqual([]);
  await db.close();
});

/** The database as it stood while the last migration was under way. */
async function cutOff(url: string): Promise<string> {
  const last = migrationsList().migrationDirectories.at(-1)?.path ?? '';
  await migrate(url);
  await administer(`UPDATE _prisma_migrations SET finished_at = NULL, applied_steps_count = 0 WHERE migration_name = '${last}'`, nameOf(url));
  return last;
}

test('a migration that was begun and left nothing is applied again', async () => {
  const url = await emptyDatabase();
  const last = await cutOff(url);
  await administer(NEWEST.undo, nameOf(url));
  expect((await migrate(url)).applied).toEqual([last]);
  expect((await migrate(url)).applied).toEqual([]);
});

test('a migration that fails is refused in a sentence each time, and the rows stay', async () => {
  const url = await emptyDatabase();
  await cutOff(url);
  await administer(`INSERT INTO sync_source (tenant_id, source) VALUES ('11111111-2222-4333-8444-555555555555', 'directory')`, nameOf(url));
  // What it adds first is there already, or what it takes away is gone, so that it fails.
  for (let time = 1; time <= 2; time++) await expect(migrate(url)).rejects.toThrow(new RegExp(`nothing of it was kept: ${NEWEST.twice}\\. Put that right`));
  expect((await administer('SELECT source FROM sync_source', nameOf(url))).rows).toEqual([{ source: 'directory' }]);
  await administer(NEWEST.undo, nameOf(url));
  expect((await migrate(url)).applied).toHaveLength(1);
});

test('that a migration is finished is written in its own transaction', async () => {
  const url = await emptyDatabase();
  await cutOff(url);
  await administer(`${NEWEST.undo};
    CREATE SCHEMA watch; CREATE TABLE watch.finished (xid xid8);
    CREATE FUNCTION watch.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO watch.finished VALUES (pg_current_xact_id()); RETURN NULL; END $$;
    CREATE TRIGGER look AFTER UPDATE ON _prisma_migrations FOR EACH ROW WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION watch.look()`, nameOf(url));
  await migrate(url);
  const { rows } = await administer(`SELECT EXISTS (SELECT FROM ${NEWEST.wrote} AND xmin = f.xid::xid) AS same FROM watch.finished f`, nameOf(url));
  expect(rows).toEqual([{ same: true }]);
});

test('a database with tables of another program is refused and left as it is', async () => {
  const url = await emptyDatabase();
  await administer('CREATE TABLE invoices (id int)', nameOf(url));
  await expect(migrate(url)).rejects.toThrow(/tables of another program \(invoices\)/);
  expect((await administer(`SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'public'`, nameOf(url))).rows).toEqual([{ n: 1 }]);
});

test('a database that a newer build made is refused and left as it is', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  await administer(`INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count) VALUES ('1', 'x', '29991231000000_later', now(), now(), 1)`, nameOf(url));
  await expect(migrate(url)).rejects.toThrow(/made by a newer Gatehouse \(29991231000000_later\)/);
});

test('a database that does not answer is refused in a sentence', async () => {
  await expect(migrate('postgresql://nobody@127.0.0.1:1/none')).rejects.toThrow(/does not answer/);
});

test('missing migrations are named', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  await grantRoles(url);
  await administer('DELETE FROM _prisma_migrations', nameOf(url));
  const db = await openDatabase({ url });
  expect((await migrationState(db)).problems).toHaveLength(1);
  await db.close();
});

test('the migrations and schema.prisma say the same', async () => {
  const [bySchema, byMigrations] = [await emptyDatabase(), await emptyDatabase()];
  await migrate(byMigrations);
  const schema = join(import.meta.dirname, '../../../prisma/schema.prisma');
  {
    await using engine = await schemaEngine(bySchema);
    const { stdout } = await engine.diff({
      from: { tag: 'empty' }, to: { tag: 'schemaDatamodel', files: [{ path: schema, content: readFileSync(schema, 'utf8') }], configDir: join(schema, '..') },
      script: true, shadowDatabaseUrl: null, exitCode: null, filters: { externalTables: [], externalEnums: [] },
    });
    await administer(stdout ?? '', nameOf(bySchema));
  }
  const columns = `SELECT table_name, column_name, data_type, datetime_precision, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 1, 2`;
  const wanted = (await administer(columns, nameOf(bySchema))).rows;
  expect(wanted.length).toBeGreaterThan(100);
  expect((await administer(columns, nameOf(byMigrations))).rows).toEqual(wanted);
  // Indexes that Prisma declares; the partial ones and those of expressions are said in SQL alone.
  const indexes = `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' AND indexdef NOT LIKE '%WHERE%' AND indexdef NOT LIKE '%USING gin%' ORDER BY 1`;
  const normal = (rows: { indexname: string; indexdef: string }[]) => rows.map(({ indexname, indexdef }) => [indexname, indexdef.replace('ON ONLY', 'ON')]);
  expect(normal((await administer(indexes, nameOf(byMigrations))).rows)).toEqual(normal((await administer(indexes, nameOf(bySchema))).rows));
});

test('tenant_id leads every key and index of ours that is ordered', async () => {
  await using db = await testDatabase();
  const { rows } = await db.pool.query<{ index: string; first: string }>(`
    SELECT i.relname AS index, a.attname AS first
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0] JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
    WHERE n.nspname = 'public' AND t.relname <> '_prisma_migrations'`);
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter(({ first }) => first !== 'tenant_id')).toEqual([]);
});

test('every model can be read', async () => {
  await using db = await testDatabase();
  for (const model of Object.values(Prisma.ModelName)) {
    const delegate = db.prisma[`${model.charAt(0).toLowerCase()}${model.slice(1)}` as 'session'];
    expect(await delegate.findMany({ take: 1 }), model).toEqual([]);
  }
});

describe('partitions of the audit table', () => {
  const insert = (at: string): string => `INSERT INTO audit_event (tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, raw, ingested_at, batch_id, ordinal)
    VALUES ('11111111-2222-4333-8444-555555555555', 'directory', 'e-${at}', '${at}', '${at}', 'a', 'other', 'PIM', 'success', '{}', now(), 1, 0)`;

  test('are made once, also when several ask at once, and take both edges of a month', async () => {
    await using db = await testDatabase();
    await Promise.all(Array.from({ length: 20 }, () => ensureAuditPartitions(db.pool, [new Date('2026-02-11T00:00:00Z'), new Date('2026-03-01T00:00:00Z')])));
    await db.pool.query(insert('2026-02-01T00:00:00Z'));
    await db.pool.query(insert('2026-02-28T23:59:59.999999Z'));
    await db.pool.query(insert('2026-03-01T00:00:00Z'));
    const { rows } = await db.pool.query(`SELECT tableoid::regclass::text AS part, count(*)::int AS n FROM audit_event GROUP BY 1 ORDER BY 1`);
    expect(rows).toEqual([{ part: 'audit_event_202602', n: 2 }, { part: 'audit_event_202603', n: 1 }]);
  });

  test('a month without one refuses, rather than putting the event elsewhere', async () => {
    await using db = await testDatabase();
    await expect(db.pool.query(insert('2020-01-01T00:00:00Z'))).rejects.toThrow(/no partition/);
  });
});
