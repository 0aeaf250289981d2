import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from './embedded.ts';
import { migrate } from './migrate.ts';
import { grantRoles } from './roles.ts';

/** One real PostgreSQL for the whole run, with a migrated template that each test copies. It holds nothing worth a sync to disk. */
export default async function setup(project: { provide(key: 'templateUrl', value: string): void }): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
  const postgres = await startEmbeddedPostgres({ dataDir, settings: ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200', 'shared_buffers=128MB'] });
  const templateUrl = postgres.url.replace(/\/[^/]*$/, '/gatehouse_template');
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query('CREATE DATABASE gatehouse_template');
  await client.end();
  await migrate(templateUrl);
  await grantRoles(templateUrl);
  project.provide('templateUrl', templateUrl);
  return async () => {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}
