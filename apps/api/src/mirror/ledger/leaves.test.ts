import { testDatabase } from '@gatehouse/db/testing';
import { expect, test } from 'vitest';
import { LOG_TABLES } from './leaves.ts';

test('every log table is sealed, with each of its columns: what PostgreSQL makes of others by itself is left out', async () => {
  await using db = await testDatabase();
  // A log table is one whose rows belong to a batch of the log; partitions are parts of theirs.
  const { rows } = await db.pool.query<{ table: string; columns: string[] }>(
    `SELECT c.relname AS table, array_agg(a.attname::text ORDER BY a.attname::text COLLATE "C") AS columns
     FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND (SELECT count(*) FROM pg_attribute AS own WHERE own.attrelid = c.oid AND (own.attname, own.atttypid) IN (('batch_id', 'bigint'::regtype), ('ordinal', 'integer'::regtype))) = 2
     GROUP BY 1 ORDER BY 1`);
  const sealed = Object.entries(LOG_TABLES).map(([table, columns]) => ({ table, columns: [...columns].sort() })).sort((one, other) => (one.table < other.table ? -1 : 1));
  expect(sealed).toEqual(rows);
});
