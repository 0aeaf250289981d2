import { setTimeout as sleep } from 'node:timers/promises';
import { testDatabase } from '@gatehouse/db/testing';
import { addBatch, TENANT, testSealer } from '../apps/api/src/mirror/ledger/testing.ts';
import type { Measure } from './measure.ts';

/** Between two looks of the sealer, as in the product. */
const EVERY_MS = 2_000;
const ROWS = 1_000;

/** How far the ledger is behind an ingest that never waits: from the commit of a batch to the commit of the checkpoint that has it. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  await using db = await testDatabase(templateUrl);
  const committed = new Map<number, number>();
  const lags: number[] = [];
  const sealer = testSealer(db);
  const batches = (quick ? 100_000 : 1_000_000) / ROWS;
  let isOver = false;
  const began = performance.now();
  const seal = async (): Promise<void> => {
    await sealer.pass();
    const { rows } = await db.pool.query<{ batch_id: string }>('SELECT batch_id FROM ledger_seal WHERE tenant_id = $1 AND batch_id = ANY ($2::bigint[])', [TENANT, [...committed.keys()]]);
    for (const id of rows.map(({ batch_id }) => Number(batch_id))) {
      lags.push(performance.now() - (committed.get(id) ?? Number.NaN));
      committed.delete(id);
    }
  };
  const sealing = (async () => {
    while (!isOver) {
      await seal();
      await sleep(EVERY_MS);
    }
    await seal();
  })();
  for (let batch = 0; batch < batches; batch++) committed.set(await addBatch(db, ROWS, batch * ROWS), performance.now());
  const rate = (batches * ROWS) / ((performance.now() - began) / 1_000);
  isOver = true;
  await sealing;
  const sorted = lags.toSorted((one, other) => one - other);
  const at = (share: number): number => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN) / 1_000;
  return {
    table: [{ events: batches * ROWS, 'ingested a second': Math.round(rate), 'batches sealed': lags.length, 'median s': at(0.5), 'p95 s': at(0.95), 'most s': at(1) }],
    value: at(1),
    holds: lags.length === batches && at(1) <= 5,
  };
};
