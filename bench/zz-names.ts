import startTemplate from '../packages/db/src/testing-global-setup.ts';
import { testDatabase } from '@gatehouse/db/testing';
import { randomUUID } from 'node:crypto';
import { fillHistory, withoutIndexes } from '../testing/history-rows.ts';
import { foldCounts } from '../apps/api/src/features/history/counts.store.ts';
import { namesOf } from '../apps/api/src/features/history/names.store.ts';
import { readCoverage } from '../apps/api/src/features/history/history.store.ts';
let url = '';
const stop = await startTemplate({ provide: (_k: string, u: string) => { url = u; } } as never);
try {
  await using db = await testDatabase(url);
  const tenantId = randomUUID();
  const c = await db.owner.connect();
  const rebuild = await withoutIndexes(c);
  await fillHistory(c, { tenantId, events: 100_000, months: 12 });
  await rebuild(); await foldCounts(db, tenantId);
  await c.query('VACUUM (ANALYZE)'); c.release(true);
  const r = await db.reader.connect();
  const time = async (name: string, f: () => Promise<unknown>) => { for (let i = 0; i < 200; i++) await f(); const u0 = process.cpuUsage(); const t = performance.now(); for (let i = 0; i < 1000; i++) await f(); const { user, system } = process.cpuUsage(u0); console.log(name.padEnd(40), ((performance.now() - t)).toFixed(0), 'us wall', ((user + system) / 1000).toFixed(0), 'us node cpu'); };
  for (const mode of ['auto', 'force_generic_plan', 'force_custom_plan']) {
    await r.query(`SET plan_cache_mode = ${mode}`);
    await time(`${mode} names group`, () => namesOf(r as never, tenantId, { group: 'Group 77' }));
    await time(`${mode} names person`, () => namesOf(r as never, tenantId, { person: 'Person 17' }));
    await time(`${mode} names application`, () => namesOf(r as never, tenantId, { application: 'Application 7' }));
    await time(`${mode} coverage`, () => readCoverage(r as never, tenantId));
    await time(`${mode} select 1`, () => r.query({ name: 'one', text: 'SELECT $1::int', values: [1] }));
  }
  console.log((await r.query(`SELECT name, generic_plans, custom_plans, left(statement, 60) s FROM pg_prepared_statements`)).rows);
  r.release(true);
} finally { await stop(); }
