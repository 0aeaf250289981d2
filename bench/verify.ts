import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { to as copyTo } from 'pg-copy-streams';
import { testDatabase } from '@gatehouse/db/testing';
import { withConnection } from '../apps/api/src/mirror/database.ts';
import { createLedger, originOf } from '../apps/api/src/mirror/ledger/ledger.ts';
import { inSnapshot } from '../apps/api/src/mirror/ledger/leaf.store.ts';
import { LOG_TABLES } from '../apps/api/src/mirror/ledger/leaves.ts';
import { ledgerPart } from '../apps/api/src/mirror/ledger/pack.ts';
import { addBatch, TENANT } from '../apps/api/src/mirror/ledger/testing.ts';
import { hashPrefixed, rootOfInclusion } from '../apps/verify/src/merkle.ts';
import { verify } from '../apps/verify/src/verify.ts';
import type { Measure } from './measure.ts';

const ROUNDS = 5;
const ROWS = 1_000;
const PROOFS = 50;

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The verifier over the unpacked pack of the whole ledger, as an auditor runs it, against a plain COPY of the same rows out of the database. */
export const measure: Measure = async ({ quick, templateUrl }) => {
  await using db = await testDatabase(templateUrl);
  const events = quick ? 100_000 : 1_000_000;
  for (let from = 0; from < events; from += ROWS) await addBatch(db, ROWS, from);
  await db.owner.query('ANALYZE audit_event');
  let now = Date.parse('2026-03-02T10:00:00Z');
  const clock = { now: () => new Date(now += 1_000) };
  const ledger = createLedger({ db, clock, systemClock: clock, tenantId: TENANT, keys: [Buffer.alloc(32, 1)], log: pino({ level: 'silent' }) });
  await ledger.seal();
  const checkpoint = await ledger.checkpoint();
  if (!checkpoint) throw new Error('nothing was sealed');

  const raw = (): Promise<number> => withConnection(db, async (connection) => {
    let bytes = 0;
    for await (const chunk of connection.query(copyTo(`COPY (SELECT ${LOG_TABLES.audit_event.join(', ')} FROM audit_event) TO STDOUT`))) bytes += (chunk as Buffer).length;
    return bytes;
  });
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  await withConnection(db, (connection) => inSnapshot(connection, async () => {
    for await (const { name, chunks } of ledgerPart(connection, { tenantId: TENANT, origin: originOf(TENANT), range: {}, keys: [] })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), chunks());
    }
  }));
  const [key = ''] = await ledger.keys();
  const verified = async (): Promise<boolean> => await verify([folder, '--key', key, '--quiet'], { out: () => {}, err: () => {}, cookie: undefined }) === 0;
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };

  let isSound = true;
  const rounds: { raw: number; verify: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push({ raw: await timed(raw), verify: await timed(async () => { isSound = await verified() && isSound; }) });
  const [making, checking]: number[][] = [[], []];
  for (let one = 0; one < PROOFS; one++) {
    let proof: Awaited<ReturnType<typeof ledger.proofOfEvent>>;
    making?.push(await timed(async () => { proof = await ledger.proofOfEvent('directory', `event-${Math.floor((events * (one + 0.5)) / PROOFS)}`); }));
    checking?.push(await timed(async () => {
      const root = proof && rootOfInclusion(proof.leafIndex, checkpoint.size, hashPrefixed(Buffer.from(`\0${proof.data}`)), proof.hashes);
      isSound = root?.equals(checkpoint.root) === true && isSound;
    }));
  }
  rmSync(folder, { recursive: true });
  const value = median(rounds.map((round) => round.raw / round.verify));
  return {
    table: rounds.map((round) => ({ 'COPY, events/s': Math.round(events / (round.raw / 1_000)), 'verified, events/s': Math.round(events / (round.verify / 1_000)), ratio: Number((round.raw / round.verify).toFixed(3)), 'a proof made, ms': Number(median(making ?? []).toFixed(2)), 'a proof checked, ms': Number(median(checking ?? []).toFixed(3)) })),
    value,
    holds: isSound && value >= 0.8 && median(checking ?? []) <= 5,
  };
};
