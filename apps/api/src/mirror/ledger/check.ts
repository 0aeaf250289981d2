import type { Connection } from '@gatehouse/db';
import { keyRows, latestCheckpoint, signedRoots } from './checkpoint.store.ts';
import { readDroppedMonths, readLeaves, sealedBetween } from './leaf.store.ts';
import { findUnaccounted } from './ledger.store.ts';
import { countTiles, storedTiles } from './tile.store.ts';
import { LedgerMismatch, spansOf } from './leaves.ts';
import { isVerifierKey, openCheckpoint } from './note.ts';
import { Edge, HASH_BYTES, prefixedLeafHash, TILE, type FullTile } from './tree.ts';

export interface Checked {
  /** Leaves of the newest signed tree. */
  readonly size: number;
  /** What is wrong, a sentence each. */
  readonly found: readonly string[];
}

/** Leaves that are read with one statement. */
const AT_ONCE = 65_536;

/**
 * Reads the whole ledger anew and compares all that is stored of it: rows, tiles, checkpoints, keys; and looks for rows
 * that it will never number. Within `inSnapshot`.
 */
export async function checkLedger(connection: Connection, { tenantId, origin, verifierKeys }: { readonly tenantId: string; readonly origin: string; readonly verifierKeys: readonly string[] }): Promise<Checked> {
  const found: string[] = [];
  const latest = await latestCheckpoint(connection, tenantId);
  const size = latest?.size ?? 0;
  const keys = await keyRows(connection, tenantId);
  found.push(...keys.filter(([id, key]) => !isVerifierKey(key, id)).map(([id]) => `The public key ${id} is none.`));
  if (latest && !openCheckpoint(latest.note, keys.map(([, key]) => key))) found.push('The public key that signed the last checkpoint is not kept any more.');
  try {
    await checkTree(connection, tenantId, origin, size, [...verifierKeys, ...keys.map(([, key]) => key)]);
  } catch (error) {
    if (!(error instanceof LedgerMismatch)) throw error;
    found.push(error.message);
  }
  found.push(...await findUnaccounted(connection, tenantId));
  return { size, found };
}

/** Everything that is stored of the tree, compared with the rows; the tiles say which row it is that differs. */
async function checkTree(connection: Connection, tenantId: string, origin: string, size: number, verifierKeys: readonly string[]): Promise<void> {
  const edge = new Edge();
  const signed = await signedRoots(connection, tenantId);
  for (const { month, treeSize, root } of await readDroppedMonths(connection, tenantId, 0, Number.MAX_SAFE_INTEGER)) {
    if (signed.get(treeSize)?.root.toString('base64') !== root) throw new LedgerMismatch(`The record that ${month} was dropped names a tree of ${treeSize} leaves that was never signed.`);
  }
  let tiles = 0;
  let previous = 0;
  for (let from = 0; from < size; from += AT_ONCE) {
    const to = Math.min(size, from + AT_ONCE);
    const known = await storedTiles(connection, tenantId, 0, from / TILE, Math.ceil(to / TILE));
    const { batches, skip } = await sealedBetween(connection, tenantId, from, to);
    const full: FullTile[] = [];
    for await (const prefixed of readLeaves(connection, tenantId, spansOf(batches, skip, to - from))) {
      const leaf = edge.size;
      const at = (leaf % TILE) * HASH_BYTES;
      const expected = known.get(Math.floor(leaf / TILE))?.hashes.subarray(at, at + HASH_BYTES);
      // Of a row that the log itself says was dropped the hash is left. A false one gives a root that was not signed.
      const hashed = prefixed ? prefixedLeafHash(prefixed) : Buffer.from(expected ?? []);
      if (!prefixed && !expected) throw new LedgerMismatch(`Leaf ${leaf} was dropped and its hash is not kept.`);
      if (prefixed && expected && !hashed.equals(expected)) throw new LedgerMismatch(`Leaf ${leaf} is not what was sealed: ${nameOfLeaf(prefixed)}.`);
      full.push(...edge.add(hashed));
      const stored = signed.get(edge.size);
      if (!stored) continue;
      signed.delete(edge.size);
      const opened = openCheckpoint(stored.note, verifierKeys);
      const root = edge.root();
      if (opened?.origin !== origin || opened.size !== edge.size || !opened.root.equals(root) || !stored.root.equals(root) || opened.signedAt.getTime() !== stored.signedAt.getTime()) throw new LedgerMismatch(`The rows do not give what the checkpoint of ${edge.size} leaves signed.`);
      if (opened.previous !== previous) throw new LedgerMismatch(`The checkpoint of ${opened.previous} leaves is missing before that of ${edge.size}.`);
      previous = edge.size;
    }
    for (const tile of full) {
      tiles += 1;
      const stored = tile.level === 0 ? known.get(tile.index) : (await storedTiles(connection, tenantId, tile.level, tile.index, tile.index + 1)).get(tile.index);
      if (!stored?.hashes.equals(tile.hashes) || !stored.root.equals(tile.root)) throw new LedgerMismatch(`Tile ${tile.index} of level ${tile.level} is not that of what is below.`);
    }
  }
  const [left] = signed.keys();
  if (left !== undefined) throw new LedgerMismatch(`There is a checkpoint of ${left} leaves, which the tree never had.`);
  if (await countTiles(connection, tenantId) !== tiles) throw new LedgerMismatch('There are tiles that the tree does not have.');
}

/** Which row a leaf is, in words. */
function nameOfLeaf(prefixed: Buffer): string {
  const [table, row = ''] = prefixed.subarray(1).toString().split('\n');
  const [, batchId, ordinal, source, id] = row.split('\t');
  return table === 'log_batch' ? `the end of batch ${batchId ?? ''}` : `row ${ordinal ?? ''} of batch ${batchId ?? ''} in ${table ?? ''}, ${source ?? ''}:${id ?? ''}`;
}
