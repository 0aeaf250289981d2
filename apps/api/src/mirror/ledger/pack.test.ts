import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { testDatabase } from '@gatehouse/db/testing';
import { afterAll, expect, test } from 'vitest';
import { verify } from '../../../../verify/src/verify.ts';
import { pino } from 'pino';
import { createLedger, type Ledger } from './ledger.ts';
import { addBatch, TENANT } from './testing.ts';
import type { Database } from '@gatehouse/db';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-pack-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

function ledgerOf(db: Database, seed = 1): { ledger: Ledger; clock: { now: () => Date } } {
  let now = Date.parse('2026-03-02T10:00:00Z');
  const clock = { now: () => new Date(now += 1000) };
  return { clock, ledger: createLedger({ db, clock, systemClock: clock, tenantId: TENANT, keys: [Buffer.alloc(32, seed)], log: pino({ level: 'silent' }) }) };
}

async function kept(name: string, chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Buffer.concat(all));
  return file;
}

async function run(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await verify(args, { out: (line) => { lines.push(line); }, err: (line) => { lines.push(line); }, cookie: undefined });
  return { code, lines };
}

test('a pack of all, and one of a part, hold by the verifier, with every earlier checkpoint', async () => {
  await using db = await testDatabase();
  const { ledger, clock } = ledgerOf(db);
  let rows = 0;
  const notes: string[] = [];
  const instants: Date[] = [];
  for (const count of [300, 1, 4200, 77]) {
    instants.push(clock.now());
    await addBatch(db, count, rows);
    rows += count;
    await ledger.seal();
    notes.push((await ledger.checkpoint())?.note ?? '');
  }
  const file = await kept('all.zip', ledger.pack({}));
  writeFileSync(join(folder, 'kept.log'), notes.map((note) => `${note}\n`).join(''));
  const [key = ''] = await ledger.keys();
  const all = await run(file, '--key', key, '--checkpoint', join(folder, 'kept.log'), '--event', 'directory:event-4501');
  expect(all.lines.filter((line) => !line.startsWith('✓'))).toEqual([]);
  expect(all).toMatchObject({ code: 0 });
  expect(all.lines.join('\n')).toMatch(/4,578 rows in 4 batches are what was signed, and nothing is missing/);
  expect(all.lines.join('\n')).toMatch(/event directory:event-4501 is leaf 4504/);
  const part = await run(await kept('part.zip', ledger.pack({ from: instants[1], to: instants[3] })), '--key', key);
  expect(part.lines.filter((line) => !line.startsWith('✓'))).toEqual([]);
  expect(part.lines.join('\n')).toMatch(/4,201 rows in 2 batches are what was signed, and nothing is missing between leaf 301 and 4504/);
  expect(part.lines.join('\n')).toMatch(/2 earlier checkpoints are beginnings of this one/);
  const proof = await ledger.proofOfEvent('directory', 'event-299');
  writeFileSync(join(folder, 'proof.json'), JSON.stringify({ leafIndex: proof?.leafIndex, data: proof?.data, hashes: proof?.hashes.map((hash) => hash.toString('base64')), note: proof?.checkpoint.note, keys: await ledger.keys() }));
  expect(await run(join(folder, 'proof.json'), '--key', key)).toMatchObject({ code: 0, lines: [expect.stringMatching(/directory:event-299 .* is leaf 299 of the 4,582/)] });
  expect(await ledger.check()).toEqual([]);
  await db.owner.query(`UPDATE audit_event SET actor_name = 'Eve' WHERE event_id = 'event-1000'`);
  expect(await ledger.check()).toEqual(['Leaf 1002 is not what was sealed: row 699 of batch 3 in audit_event, directory:event-1000.']);
  // New rows are sealed on; what was found stays said until a check finds nothing.
  await ledger.seal();
  expect((await ledger.state()).found).toBe('Leaf 1002 is not what was sealed: row 699 of batch 3 in audit_event, directory:event-1000.');
  const after = await run(await kept('after.zip', ledger.pack({})), '--key', key);
  expect(after).toMatchObject({ code: 1 });
  expect(after.lines[0]).toMatch(/The first row that is wrong is leaf 1002: audit_event, directory:event-1000 .* Its content is not what was sealed/);
});
