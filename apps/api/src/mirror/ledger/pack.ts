import { Readable } from 'node:stream';
import type { Connection, Database } from '@gatehouse/db';
import { ZipFile } from 'yazl';
import { withConnection } from '../database.ts';
import { gapsBetween, leavesAsStored, merged } from './drops.ts';
import { checkpointBefore, checkpointOfSize, checkpointsUpTo, knownKeys, latestCheckpoint } from './checkpoint.store.ts';
import { inSnapshot, leavesOfBatches, readAsStored, readDroppedRows, readStrays } from './leaf.store.ts';
import { readTile } from './tile.store.ts';
import { consistencyRanges, hashesOf, rootsOf, subtreesOf, TILE, HASH_BYTES, type Range, type ReadTile } from './tree.ts';

/** A file of a pack: its text comes when it is asked for, in chunks. */
export interface PackFile {
  readonly name: string;
  chunks(): AsyncIterable<Buffer> | Iterable<Buffer>;
}

export interface LedgerPartOptions {
  readonly tenantId: string;
  readonly origin: string;
  /** What was sealed from one instant until before the other; without them, everything. */
  readonly range: { readonly from?: Date | undefined; readonly to?: Date | undefined };
  /** These leaves instead, where they are given. */
  readonly leaves?: readonly [from: number, to: number];
  /** Public keys that may sign, besides those that did. */
  readonly keys: readonly string[];
}

/** Leaves of one file of rows: some megabytes of text. */
const LEAVES_A_FILE = 16 * TILE;
/** Earlier checkpoints that go with a pack. */
const EARLIER = 200;

/**
 * The ledger's part of an evidence pack, file by file, as docs/ledger-format.md has it. Rows are written as they are
 * stored: whether they are what was signed is for the verifier to say. Within `inSnapshot`; read the files in their order.
 */
export async function* ledgerPart(connection: Connection, { tenantId, origin, range, leaves, keys }: LedgerPartOptions): AsyncGenerator<PackFile> {
  const checkpoint = await latestCheckpoint(connection, tenantId);
  const size = checkpoint?.size ?? 0;
  const before = range.from && await checkpointBefore(connection, tenantId, range.from);
  const after = range.to && await checkpointBefore(connection, tenantId, range.to);
  const [from, to] = leaves ?? [range.from ? before?.size ?? 0 : 0, range.to ? after?.size ?? 0 : size];
  const tiles: ReadTile = async (level, index) => hashesOf(await readTile(connection, tenantId, size, level, index) ?? Buffer.alloc(0));
  const text = (name: string, content: string): PackFile => ({ name: `ledger/${name}`, chunks: () => [Buffer.from(content)] });

  if (!checkpoint) return;
  yield text('checkpoint', checkpoint.note);
  yield text('keys', [...new Set([...await knownKeys(connection, tenantId), ...keys])].map((key) => `${key}\n`).join(''));

  // Rows that were dropped are not here; the record of it is, wherever it stands.
  const drops = await readDroppedRows(connection, tenantId, from, to);
  const dropped = drops.flatMap(leavesAsStored).map(([start, end]): Range => [Math.max(start, from), Math.min(end, to)]).filter(([start, end]) => end > start).sort((one, other) => one[0] - other[0]);
  const ranges = merged([[from, to] as const, ...await leavesOfBatches(connection, tenantId, drops.map(({ batch_id }) => Number(batch_id)))].map(([start, end]): Range => [start, Math.min(end, size)]));
  const gaps = gapsBetween(ranges, size);
  // Also where a part and the records of what was dropped of it come to everything.
  const isAll = gaps.length === 0;

  const earlier = isAll ? await checkpointsUpTo(connection, tenantId, size, EARLIER) : (await Promise.all([from, to].map((at) => checkpointOfSize(connection, tenantId, at)))).flatMap((one) => (one && one.size < size ? [one] : []));
  for (const one of earlier) yield text(`checkpoints/${one.size}`, one.note);

  const proofs = {
    format: dropped.length > 0 ? 2 : 1, origin, size, ranges,
    gaps: [] as object[], checkpoints: [] as number[], consistency: [] as object[], ...(dropped.length > 0 && { dropped }),
  };
  for (const [start, end] of gaps) {
    const hashes = await rootsOf(subtreesOf(start, end).map(({ level, index }) => [index * 2 ** level, (index + 1) * 2 ** level] as const), tiles);
    proofs.gaps.push({ from: start, to: end, hashes: hashes.map((one) => one.toString('base64')) });
  }
  proofs.checkpoints.push(...earlier.map((one) => one.size));
  // Where every row is there, every earlier root can be had from the rows.
  if (!isAll) for (const one of earlier) proofs.consistency.push({ size: one.size, hashes: (await rootsOf(consistencyRanges(one.size, size), tiles)).map((hash) => hash.toString('base64')) });
  yield text('proofs.json', `${JSON.stringify(proofs)}\n`);

  for (const [begins, ends] of ranges) {
    for (let next = begins; next < ends;) {
      // Each file keeps where it begins: it may be read when the others are known.
      const start = next;
      const end = Math.min(ends, (Math.floor(start / LEAVES_A_FILE) + 1) * LEAVES_A_FILE);
      const name = `${String(start).padStart(12, '0')}-${String(end).padStart(12, '0')}`;
      yield { name: `ledger/hashes/${name}`, chunks: () => storedHashes(connection, tenantId, size, start, end) };
      yield { name: `ledger/rows/${name}.copy`, chunks: () => readAsStored(connection, tenantId, start, end) };
      next = end;
    }
  }
  if (isAll) {
    yield { name: 'ledger/strays.copy', chunks: () => readStrays(connection, tenantId) };
  }
}

/** The hashes of these leaves as the tiles have them, which tells which row it is that differs. */
async function* storedHashes(connection: Connection, tenantId: string, size: number, from: number, to: number): AsyncGenerator<Buffer> {
  for (let index = Math.floor(from / TILE); index * TILE < to; index++) {
    // One that is not there is left out: the verifier sees that it is missing, and the pack is made all the same.
    const tile = await readTile(connection, tenantId, size, 0, index).catch(() => undefined);
    if (tile) yield tile.subarray(Math.max(0, from - index * TILE) * HASH_BYTES, (to - index * TILE) * HASH_BYTES);
    else return;
  }
}

/** The files as a ZIP, in chunks as fast as they are taken; holds one connection, and one state of the database, until then. */
export async function* zipOf(db: Pick<Database, 'pool'>, files: (connection: Connection) => AsyncIterable<PackFile>): AsyncGenerator<Buffer> {
  const zip = new ZipFile();
  const failed = new AbortController();
  const written = withConnection(db, (connection) => inSnapshot(connection, async () => {
    for await (const { name, chunks } of files(connection)) {
      if (failed.signal.aborted) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      failed.signal.addEventListener('abort', () => { resolve(); }, { once: true });
      // The next file is asked for once this one is taken: a reader who is slow holds everything up, and nothing piles up.
      zip.addReadStreamLazy(name, { mtime: EPOCH }, (answer) => { answer(null, Readable.from(throughEnd(chunks(), resolve, reject))); });
      await promise;
    }
    zip.end();
  }));
  written.catch((error: unknown) => { (zip.outputStream as Readable).destroy(error instanceof Error ? error : new Error(String(error))); });
  try {
    for await (const chunk of zip.outputStream as Readable) yield chunk as Buffer;
  } finally {
    failed.abort();
    await written.catch(() => undefined);
  }
}

/** The same rows make the same file. */
const EPOCH = new Date('2026-01-01T00:00:00Z');

async function* throughEnd(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, done: () => void, failed: (error: unknown) => void): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
    done();
  } catch (error) {
    failed(error);
    throw error;
  } finally {
    done();
  }
}
