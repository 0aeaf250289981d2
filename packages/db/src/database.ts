import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient, type Prisma } from '../generated/client.ts';
import { DatabaseRefusal } from './refusal.ts';
import { READER_ROLE, RUNTIME_ROLE } from './roles.ts';

/** A transaction of Prisma's client: what a store function takes first. */
export type Tx = Prisma.TransactionClient;

/** One connection of the pool, for a transaction in plain SQL. */
export type Connection = pg.PoolClient;

/** One pool, for Prisma and for plain SQL alike, and one that can only read. */
export interface Database {
  readonly url: string;
  readonly prisma: PrismaClient;
  readonly pool: pg.Pool;
  /** For what is shown and exported of the log: PostgreSQL refuses every write of its connections. */
  readonly reader: pg.Pool;
  close(): Promise<void>;
}

/** Read only. Its statements are made so that one plan is good for all values: planning each anew would take longer than reading a page. */
const READER_OPTIONS = '-c default_transaction_read_only=on -c plan_cache_mode=force_generic_plan';

/**
 * Opens the database as the portal's roles, which `grantRoles` made: that is what every connection may do, also after RESET
 * ROLE. Refuses where connections do not begin in them. No statement runs longer than 30 s; a connection that the server cut
 * is replaced, not a crash.
 */
export async function openDatabase({ url, max = 10, onError = () => {} }: { readonly url: string; readonly max?: number; readonly onError?: (error: Error) => void }): Promise<Database> {
  const settings = { statement_timeout: 30_000, connectionTimeoutMillis: 10_000 };
  const pool = new pg.Pool({ ...settings, connectionString: withOptions(url, `-c role=${RUNTIME_ROLE}`), max, application_name: 'gatehouse' });
  const reader = new pg.Pool({ ...settings, connectionString: withOptions(url, `${READER_OPTIONS} -c role=${READER_ROLE}`), max: Math.max(3, Math.ceil(max / 2)), application_name: 'gatehouse reader' });
  for (const one of [pool, reader]) {
    // Without a listener an idle connection that the server ends would end the process.
    one.on('error', onError);
    // Nor may one that somebody holds, such as the listener of the job queue.
    one.on('connect', (client) => { client.on('error', onError); });
  }
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  const database: Database = {
    url, prisma, pool, reader,
    async close() {
      await prisma.$disconnect();
      await Promise.all([pool.end(), reader.end()]);
    },
  };
  try {
    await Promise.all([refuseOtherRole(pool, RUNTIME_ROLE), refuseOtherRole(reader, READER_ROLE)]);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/** The address's own options come first, so that ours stand: pg would take the address's alone. */
function withOptions(url: string, options: string): string {
  const parts = new URL(url);
  parts.searchParams.set('options', [...parts.searchParams.getAll('options'), options].join(' '));
  return parts.href;
}

/** Poolers may drop what a connection asks for, and then it is the login's, which can change the log. */
async function refuseOtherRole(pool: pg.Pool, role: string): Promise<void> {
  const { rows: [row] } = await pool.query<{ name: string }>('SELECT current_user::text AS name');
  if (row?.name !== role) throw new DatabaseRefusal(`connections to the database do not begin in the role ${role}, as they ask for. Let DATABASE_URL lead to PostgreSQL itself, or to a pooler that passes the startup parameter "options" on.`);
}

/** Whether the error is PostgreSQL's refusal by the named constraint or unique index, thrown by Prisma or by the pool. */
export function violates(error: unknown, constraint: string): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('constraint' in error && error.constraint === constraint) return true;
  return namesConstraint('meta' in error ? error.meta : undefined, constraint);
}

/** Prisma's driver adapter says it deep inside: `meta.driverAdapterError.cause.constraint.index`, or in the original message. */
function namesConstraint(value: unknown, constraint: string, depth = 0): boolean {
  if (typeof value === 'string') return value === constraint || value.includes(`"${constraint}"`);
  if (typeof value !== 'object' || value === null || depth > 6) return false;
  return [...Object.values(value), ...(value instanceof Error ? [value.message, value.cause] : [])].some((part) => namesConstraint(part, constraint, depth + 1));
}

/** Makes sure that the month of each instant has its partition of `audit_event`. Safe to repeat and to race, also within transactions: always in the same order. */
export async function ensureAuditPartitions(connection: Pick<pg.Pool | pg.PoolClient, 'query'>, instants: readonly Date[]): Promise<void> {
  const months = [...new Set(instants.map((instant) => `${instant.toISOString().slice(0, 7)}-01`))].sort();
  for (const month of months) await connection.query('SELECT ensure_audit_partition($1::date)', [month]);
}
