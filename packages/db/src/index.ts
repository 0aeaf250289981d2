export { type Connection, type Database, ensureAuditPartitions, openDatabase, type Tx, violates } from './database.ts';
export { bind, copyOut } from './copy.ts';
export { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts';
export { migrate, migrationState } from './migrate.ts';
export { DatabaseRefusal } from './refusal.ts';
export { Prisma } from '../generated/client.ts';
