import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';
import type { Database } from './database.ts';
import { DatabaseRefusal } from './refusal.ts';

const PRISMA_DIR = join(import.meta.dirname, '../../../prisma');
const MIGRATIONS_DIR = join(PRISMA_DIR, 'migrations');
/** Any number, as long as every portal uses the same: only one migrates at a time. */
const MIGRATION_LOCK = 718_203_441;
/** Held by the script itself: it may still be running when the portal that sent it is dead, and the other lock free. */
const SCRIPT_LOCK = 718_203_442;

interface MigrationsList {
  baseDir: string;
  lockfile: { path: string; content: string };
  shadowDbInitScript: string;
  migrationDirectories: { path: string; migrationFile: { path: string; content: { tag: 'ok'; value: string } } }[];
}

interface SchemaEngine {
  applyMigrations(input: { migrationsList: MigrationsList; filters: { externalTables: string[]; externalEnums: string[] } }): Promise<{ appliedMigrationNames: string[] }>;
  diff(input: unknown): Promise<{ exitCode: number; stdout: string | null }>;
}

interface OpenEngine extends SchemaEngine, AsyncDisposable {
  /** What PostgreSQL said to the last script that failed: the engine tells only where in itself it was. */
  complaint(): unknown;
}

/** The migrations of this build, in order, as Prisma's engine wants them. */
export function migrationsList(): MigrationsList {
  const names = readdirSync(MIGRATIONS_DIR, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
  return {
    baseDir: MIGRATIONS_DIR,
    lockfile: { path: 'migration_lock.toml', content: readFileSync(join(MIGRATIONS_DIR, 'migration_lock.toml'), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: names.map((name) => ({ path: name, migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: readFileSync(join(MIGRATIONS_DIR, name, 'migration.sql'), 'utf8') } } })),
  };
}

let loaded = false;

/** The generated glue holds one instance for the process: a second would pull the memory from under the first. */
function loadEngine(): void {
  if (loaded) return;
  loaded = true;
  const wasm = readFileSync(join(dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')), 'schema_engine_bg.wasm'));
  const engine = engineModule as typeof engineModule & { __wbg_set_wasm(exports: unknown): void };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { './schema_engine_bg.js': engineModule as unknown as WebAssembly.ModuleImports }); // the generated glue is the import object
  engine.__wbg_set_wasm(instance.exports);
  (instance.exports['__wbindgen_start'] as () => void)();
}

/** Prisma's own schema engine, as WebAssembly from its package: nothing is downloaded. Dispose of it: its connections hold locks. */
export async function schemaEngine(url: string): Promise<OpenEngine> {
  loadEngine();
  const schema = join(PRISMA_DIR, 'schema.prisma');
  const { factory, dispose, complaint } = wholeScripts(new PrismaPg({ connectionString: url }));
  const engine = await engineModule.SchemaEngine.new({ datamodels: [[schema, readFileSync(schema, 'utf8')]] }, () => {}, bindMigrationAwareSqlAdapterFactory(factory)) as unknown as SchemaEngine; // typed for this package's use of it
  return { applyMigrations: (input) => engine.applyMigrations(input), diff: (input) => engine.diff(input), complaint, [Symbol.asyncDispose]: dispose };
}

/**
 * The adapter takes a script apart at every semicolon, also inside a function's body. PostgreSQL takes it as a whole,
 * and then all of a migration or nothing of it holds. That it is finished is written in the same transaction: a
 * migration that does not say so left nothing, and can be applied again.
 */
function wholeScripts(factory: PrismaPg): { factory: PrismaPg; dispose: () => Promise<void>; complaint: () => unknown } {
  let complaint: unknown;
  const opened: { dispose(): Promise<void> }[] = [];
  const migrations = new Set(migrationsList().migrationDirectories.map(({ migrationFile }) => migrationFile.content.value));
  for (const method of ['connect', 'connectToShadowDb'] as const) {
    const open = factory[method].bind(factory);
    factory[method] = async () => {
      const adapter = await open();
      adapter.executeScript = async (script) => {
        const whole = migrations.has(script) ? `SELECT pg_advisory_xact_lock(${SCRIPT_LOCK});\n${script}\n;UPDATE _prisma_migrations SET finished_at = now() WHERE finished_at IS NULL AND rolled_back_at IS NULL` : script;
        try {
          await adapter.underlyingDriver().query(whole);
        } catch (error) {
          complaint = error;
          throw error;
        }
      };
      opened.push(adapter);
      return adapter;
    };
  }
  return { factory, dispose: async () => { for (const adapter of opened) await adapter.dispose().catch(() => {}); }, complaint: () => complaint };
}

/**
 * Brings the database to this build's schema, under a lock, so that portals that start together do not disturb each
 * other. `prisma migrate deploy` does the same. Refuses a database that is newer than this build, or another program's.
 */
export async function migrate(url: string): Promise<{ readonly applied: readonly string[] }> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    throw new DatabaseRefusal(`the database does not answer (${error instanceof Error ? error.message : String(error)}). Check that DATABASE_URL is right and that PostgreSQL runs there.`, error);
  }
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const list = migrationsList();
    await client.query('SELECT pg_advisory_xact_lock($1)', [SCRIPT_LOCK]);
    await refuseForeignOrNewer(client, list);
    await using engine = await schemaEngine(url);
    const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList: list, filters: { externalTables: [], externalEnums: [] } }).catch((error: unknown) => {
      const complaint = engine.complaint();
      if (complaint === undefined) {
        // The engine's own table is made outside of the scripts: the server's refusal is the first line of what it says.
        const [line = ''] = error instanceof Error ? error.message.split('\n') : [];
        if (!line.startsWith('ERROR: ')) throw error;
        throw new DatabaseRefusal(`the database does not let us make tables (${line.slice('ERROR: '.length)}). Give the user in DATABASE_URL the right to create in its schema public.`, error);
      }
      throw new DatabaseRefusal(`a migration of the database failed, and nothing of it was kept: ${complaint instanceof Error ? complaint.message : String(complaint)}. Put that right and start again.`, complaint);
    });
    return { applied: appliedMigrationNames };
  } finally {
    await client.end();
  }
}

const foreign = (names: readonly string[]): DatabaseRefusal => new DatabaseRefusal(`the database holds tables of another program (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}). Give Gatehouse a database of its own in DATABASE_URL. Nothing was changed.`);

async function refuseForeignOrNewer(client: pg.Client, list: MigrationsList): Promise<void> {
  const { rows: tables } = await client.query<{ name: string }>(`SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1`);
  const names = tables.map(({ name }) => name);
  if (!names.includes('_prisma_migrations')) {
    if (names.length > 0) throw foreign(names);
    return;
  }
  const known = new Set(list.migrationDirectories.map(({ path }) => path));
  const { rows } = await client.query<{ name: string }>('SELECT migration_name AS name FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY 1');
  // Other programs keep their migrations in a table of this name too.
  if (rows.length > 0 && !rows.some(({ name }) => known.has(name))) throw foreign(names.filter((name) => name !== '_prisma_migrations'));
  const newer = rows.filter(({ name }) => !known.has(name));
  if (newer.length > 0) throw new DatabaseRefusal(`the database was made by a newer Gatehouse (${newer.map(({ name }) => name).join(', ')}). Start that version, or restore a backup from before the upgrade. Nothing was changed.`);
  // What was cut off left nothing, as `wholeScripts` tells.
  await client.query('UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL AND rolled_back_at IS NULL');
}

/** Whether the database answers and stands at this build's schema; each problem is a sentence. */
export async function migrationState(db: Pick<Database, 'pool'>): Promise<{ readonly problems: readonly string[] }> {
  const { rows } = await db.pool.query<{ name: string }>('SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL');
  const applied = new Set(rows.map(({ name }) => name));
  const missing = migrationsList().migrationDirectories.filter(({ path }) => !applied.has(path));
  return { problems: missing.length === 0 ? [] : [`Migrations are missing: ${missing.map(({ path }) => path).join(', ')}.`] };
}
