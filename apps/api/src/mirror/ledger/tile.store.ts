import type { Connection } from '@gatehouse/db';
import { readLeaves, sealedBetween, type Queryable } from './leaf.store.ts';
import { LedgerMismatch, spansOf } from './leaves.ts';
import { Edge, edgeCounts, hashesOf, prefixedLeafHash, TILE, type FullTile } from './tree.ts';

/** The leaf hashes of a range, from the rows themselves. Within `inSnapshot`. */
export async function hashLeaves(connection: Connection, tenantId: string, from: number, to: number): Promise<Buffer[]> {
  const { batches, skip } = await sealedBetween(connection, tenantId, from, to);
  const hashes: Buffer[] = [];
  for await (const leaf of readLeaves(connection, tenantId, spansOf(batches, skip, to - from))) hashes.push(leaf ? prefixedLeafHash(leaf) : await keptHash(connection, tenantId, from + hashes.length));
  return hashes;
}

/** The hash of a leaf whose row was dropped. */
async function keptHash(db: Queryable, tenantId: string, leaf: number): Promise<Buffer> {
  const tile = (await storedTiles(db, tenantId, 0, Math.floor(leaf / TILE), Math.floor(leaf / TILE) + 1)).get(Math.floor(leaf / TILE));
  if (!tile) throw new LedgerMismatch(`Leaf ${leaf} was dropped and its hash is not kept.`);
  return hashesOf(tile.hashes)[leaf % TILE] ?? Buffer.of();
}

/** The roots of full tiles, from one until before the other. */
async function tileRoots(db: Queryable, tenantId: string, level: number, from: number, to: number): Promise<Buffer[]> {
  if (to <= from) return [];
  const { rows } = await db.query<{ root: Buffer }>('SELECT root FROM ledger_tile WHERE tenant_id = $1 AND level = $2 AND index >= $3 AND index < $4 ORDER BY index', [tenantId, level, from, to]);
  if (rows.length !== to - from) throw new LedgerMismatch(`Of the tiles ${from} to ${to - 1} of level ${level} only ${rows.length} are there.`);
  return rows.map(({ root }) => root);
}

/** The right edge of the tree of this size: its unfinished leaves anew from the rows, what is above them from the tiles. Within `inSnapshot`. */
export async function readEdge(connection: Connection, tenantId: string, size: number): Promise<Edge> {
  const levels: Buffer[][] = [];
  for (const [level, count] of edgeCounts(size).entries()) {
    const end = Math.floor(size / TILE ** level);
    levels.push(level === 0 ? await hashLeaves(connection, tenantId, size - count, size) : await tileRoots(connection, tenantId, level - 1, end - count, end));
  }
  return new Edge(size, levels);
}

/** The hashes of a tile of the tree of this size: a full one as it is stored, an unfinished one from what is below it. Within `inSnapshot`. */
export async function readTile(connection: Connection, tenantId: string, size: number, level: number, index: number): Promise<Buffer | undefined> {
  const end = Math.min(Math.floor(size / TILE ** level), (index + 1) * TILE);
  const from = index * TILE;
  if (end <= from) return undefined;
  if (end - from === TILE) {
    const { rows: [tile] } = await connection.query<{ hashes: Buffer }>('SELECT hashes FROM ledger_tile WHERE tenant_id = $1 AND level = $2 AND index = $3', [tenantId, level, index]);
    if (!tile) throw new LedgerMismatch(`Tile ${index} of level ${level} is not there.`);
    return tile.hashes;
  }
  return Buffer.concat(level === 0 ? await hashLeaves(connection, tenantId, from, end) : await tileRoots(connection, tenantId, level - 1, from, end));
}

/** Full tiles of a level as they are stored, by their index. */
export async function storedTiles(db: Queryable, tenantId: string, level: number, from: number, to: number): Promise<Map<number, Pick<FullTile, 'hashes' | 'root'>>> {
  const { rows } = await db.query<{ index: string; hashes: Buffer; root: Buffer }>('SELECT index, hashes, root FROM ledger_tile WHERE tenant_id = $1 AND level = $2 AND index >= $3 AND index < $4', [tenantId, level, from, to]);
  return new Map(rows.map(({ index, hashes, root }) => [Number(index), { hashes, root }]));
}

export async function countTiles(db: Queryable, tenantId: string): Promise<number> {
  const { rows: [row] } = await db.query<{ count: string }>('SELECT count(*) FROM ledger_tile WHERE tenant_id = $1', [tenantId]);
  return Number(row?.count);
}
