import { expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { grantRoles } from './roles.ts';
import { testDatabase } from './testing.ts';

const LOG = ['audit_event', 'log_batch', 'ledger_seal', 'ledger_tile', 'ledger_checkpoint', 'ledger_key'];

test('the portal adds to the log and the ledger and reads them, and can change nothing of them', async () => {
  await using owner = await testDatabase();
  await owner.pool.query(`SELECT ensure_audit_partition('2026-03-01')`);
  const roles = await Promise.all(Array.from({ length: 5 }, () => grantRoles(owner.url)));
  expect(roles).toEqual(Array.from({ length: 5 }, () => 'gatehouse_runtime'));
  const own = await openDatabase({ url: owner.url, role: roles[0], max: 2 });
  try {
    expect((await own.pool.query('SELECT current_user::text AS name')).rows).toEqual([{ name: 'gatehouse_runtime' }]);
    for (const table of [...LOG, 'audit_event_202603']) {
      const isPart = table === 'audit_event_202603';
      if (!isPart) await own.pool.query(`SELECT count(*) FROM ${table}`);
      for (const statement of [`UPDATE ${table} SET tenant_id = tenant_id`, `DELETE FROM ${table}`, `TRUNCATE ${table}`, `ALTER TABLE ${table} ADD COLUMN more int`, `DROP TABLE ${table}`, `CREATE TRIGGER t BEFORE INSERT ON ${table} EXECUTE FUNCTION suppress_redundant_updates_trigger()`]) {
        await expect(own.pool.query(statement), statement).rejects.toThrow(/permission denied|must be owner/);
      }
    }
    // It resets to what the connection began as.
    const connection = await own.pool.connect();
    await connection.query('RESET ROLE');
    await expect(connection.query('DELETE FROM audit_event')).rejects.toThrow(/permission denied/);
    connection.release();
    await own.pool.query(`SELECT ensure_audit_partition('2031-05-01'), ensure_connection_partition('2031-05-01')`);
    await expect(own.pool.query('DELETE FROM audit_event_203105')).rejects.toThrow(/permission denied/);
    await own.pool.query(`INSERT INTO log_batch (tenant_id, log, source, received_at, rows) VALUES ('11111111-2222-4333-8444-555555555555', 'audit_event', 'portal', now(), 1)`);
    await own.pool.query('DELETE FROM log_unsealed');
    await own.pool.query('UPDATE sync_source SET watermark = NULL');
  } finally {
    await own.close();
  }
});
