import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase, type TestDatabase } from '@gatehouse/db/testing';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { withConnection } from '../../api/src/mirror/database.ts';
import { inSnapshot } from '../../api/src/mirror/ledger/leaf.store.ts';
import { createLedger, type Ledger } from '../../api/src/mirror/ledger/ledger.ts';
import { ledgerPart, zipOf } from '../../api/src/mirror/ledger/pack.ts';
import { addBatch, ORIGIN, TENANT } from '../../api/src/mirror/ledger/testing.ts';
import { verify } from './verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-check-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

async function run(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await verify(args, { out: (line) => { lines.push(line); }, err: (line) => { lines.push(line); }, cookie: undefined });
  return { code, lines };
}

async function bytesOf(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** Six rows of one batch, and so seven leaves; and what a portal gives as its ledger's part of a pack. */
async function sealed(db: TestDatabase, change = 'SELECT'): Promise<{ ledger: Ledger; files: Map<string, Buffer> }> {
  const clock = { now: () => new Date('2026-03-02T10:00:00Z') };
  const ledger = createLedger({ db, clock, systemClock: clock, tenantId: TENANT, keys: [Buffer.alloc(32, 1)], log: pino({ level: 'silent' }) });
  await addBatch(db, 6, 0);
  await db.owner.query(change);
  await ledger.seal();
  const files = new Map<string, Buffer>();
  await withConnection(db, (connection) => inSnapshot(connection, async () => {
    for await (const { name, chunks } of ledgerPart(connection, { tenantId: TENANT, origin: ORIGIN, range: {}, keys: [] })) files.set(name, await bytesOf(chunks()));
  }));
  return { ledger, files };
}

const zipped = (db: TestDatabase, files: ReadonlyMap<string, Buffer>): Promise<Buffer> =>
  bytesOf(zipOf(db, async function* all() { for (const [name, content] of files) yield { name, chunks: () => [content] }; }));

/** The pack with the rows of these ranges alone; between them, and before and after them, the hashes of leaves as gaps. */
function withRanges(files: ReadonlyMap<string, Buffer>, ranges: readonly (readonly [number, number])[], gaps: readonly (readonly [number, number])[], isWhole: boolean): Map<string, Buffer> {
  const [rows, hashes] = ['ledger/rows/000000000000-000000000007.copy', 'ledger/hashes/000000000000-000000000007'].map((name) => files.get(name) ?? Buffer.of());
  const made = new Map([...files].filter(([name]) => !/^ledger\/(rows|hashes)\//.test(name) && (isWhole || name !== 'ledger/strays.copy')));
  for (const [from, to] of ranges) {
    const name = `${String(from).padStart(12, '0')}-${String(to).padStart(12, '0')}`;
    made.set(`ledger/hashes/${name}`, hashes?.subarray(from * 32, to * 32) ?? Buffer.of());
    made.set(`ledger/rows/${name}.copy`, Buffer.from((rows?.toString() ?? '').split('\n').slice(from, to).map((row) => `${row}\n`).join('')));
  }
  const proofs = JSON.parse(files.get('ledger/proofs.json')?.toString() ?? '') as object;
  const told = gaps.map(([from, to]) => ({ from, to, hashes: [hashes?.subarray(from * 32, to * 32).toString('base64')] }));
  return made.set('ledger/proofs.json', Buffer.from(`${JSON.stringify({ ...proofs, ranges, gaps: told })}\n`));
}

test('a row that was taken out is not excused by the pack, which calls it a gap', async () => {
  await using db = await testDatabase();
  const { ledger, files } = await sealed(db);
  const [key = ''] = await ledger.keys();
  const kept = join(folder, 'kept');
  writeFileSync(kept, (await ledger.checkpoint())?.note ?? '');
  const told = async (pack: ReadonlyMap<string, Buffer>) => {
    writeFileSync(join(folder, 'pack.zip'), await zipped(db, pack));
    return run(join(folder, 'pack.zip'), '--key', key, '--checkpoint', kept, '--quiet');
  };
  expect(await told(files)).toEqual({ code: 0, lines: [] });
  const within = [[[0, 3], [4, 7]], [[3, 4]]] as const;
  expect(await told(withRanges(files, ...within, true))).toEqual({ code: 1, lines: ['✗ This is to be all of the ledger, and the rows from leaf 3 until before 4 are not here: ledger/proofs.json calls them a gap.'] });
  expect(await told(withRanges(files, ...within, false))).toEqual({ code: 1, lines: [expect.stringMatching(/^✗ The rows from leaf 4 on .* rows of the pack were left out\.$/)] });
  // What lies before and after the rows of a part is no matter of its own, and of a whole it is.
  const part = withRanges(files, [[1, 6]], [[0, 1], [6, 7]], false);
  expect(await told(part)).toEqual({ code: 0, lines: [] });
  expect(await told(withRanges(files, [[1, 6]], [[0, 1], [6, 7]], true))).toMatchObject({ code: 1 });
  // A portal that is asked for its ledger owes all of it, and cannot answer with a part.
  const zip = await zipped(db, part);
  const portal = createServer((_request, answer) => { answer.end(zip); }).listen(0, '127.0.0.1');
  await once(portal, 'listening');
  try {
    const { port } = portal.address() as AddressInfo;
    expect(await run(`http://127.0.0.1:${port}`, '--key', key, '--quiet')).toEqual({ code: 1, lines: [expect.stringMatching(/^✗ This is to be all of the ledger, and the rows from leaf 0 until before 1/)] });
  } finally {
    portal.close();
    portal.closeAllConnections();
  }
});

test('a line of the events that is there twice is called so, and rows of the same content have a line each', async () => {
  await using db = await testDatabase();
  const { ledger, files } = await sealed(db, `UPDATE audit_event SET raw = '{"id":"event-0"}' WHERE ordinal = 1; UPDATE audit_event SET raw = '{"id":"event-0"}', defect = 'shape' WHERE ordinal = 0`);
  const [key = ''] = await ledger.keys();
  const told = async (...lines: readonly string[]) => {
    writeFileSync(join(folder, 'events.zip'), await zipped(db, new Map(files).set('events.ndjson', Buffer.from(lines.map((line) => `${line}\n`).join('')))));
    return run(join(folder, 'events.zip'), '--key', key, '--quiet');
  };
  const [plain, wrapped] = ['{"id":"event-0"}', JSON.stringify({ gatehouse: { eventId: 'directory:event-0', defect: 'shape', received: '{"id":"event-0"}' } })];
  expect(await told(plain, plain)).toEqual({ code: 0, lines: [] });
  expect(await told(plain, wrapped)).toEqual({ code: 0, lines: [] });
  for (const lines of [[plain, plain, plain], [wrapped, wrapped], [plain, plain, wrapped]]) {
    expect(await told(...lines), lines.join()).toEqual({ code: 1, lines: [expect.stringMatching(/^✗ 1 line of events\.ndjson is in no row that is proved, the first of them line \d: changed, there twice/)] });
  }
});
