export { bind, copyOut, copyRows, copyText, type CopyValue } from './copy.ts';
export { type Connection, type Database, ensureAuditPartitions, openDatabase, type Tx, violates } from './database.ts';
export { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts';
export { migrate, migrationState } from './migrate.ts';
export { DatabaseRefusal } from './refusal.ts';
export { grantRoles } from './roles.ts';
export { Prisma } from '../generated/client.ts';
export { iso } from './sql.ts';
