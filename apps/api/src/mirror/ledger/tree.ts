import { hash } from 'node:crypto';

/** How many hashes a tile holds, and how many levels of the tree it spans. */
export const TILE = 256;
const TILE_LEVELS = 8;

export const HASH_BYTES = 32;

/** Through text of one character a byte: a buffer that OpenSSL makes by itself takes twice as long as the hash. */
const sha256 = (data: Uint8Array): Buffer => Buffer.from(hash('sha256', data, 'binary'), 'latin1');

/** The root of a tree without leaves. */
export const EMPTY_ROOT = sha256(Buffer.alloc(0));

/** RFC 6962: what a leaf is hashed with before its data, so that no leaf can be taken for a node. */
export const LEAF_PREFIX = 0;

/** The hash of a leaf. */
export const leafHash = (data: Uint8Array): Buffer => sha256(Buffer.concat([Buffer.of(LEAF_PREFIX), data]));

/** The same where the data stands in a buffer behind its prefix already: nothing is copied. */
export const prefixedLeafHash = (prefixed: Uint8Array): Buffer => sha256(prefixed);

const node = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** The hash of the two below. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return sha256(node);
}

/** 256 hashes of a level that are complete, with the root over them. */
export interface FullTile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Buffer;
  readonly root: Buffer;
}

/** The root over the hashes, which are a power of two in number. */
export function perfectRoot(hashes: readonly Uint8Array[]): Buffer {
  let row = hashes;
  while (row.length > 1) {
    const above: Buffer[] = [];
    for (let at = 0; at + 1 < row.length; at += 2) above.push(nodeHash(row[at] ?? EMPTY_ROOT, row[at + 1] ?? EMPTY_ROOT));
    row = above;
  }
  return Buffer.from(row[0] ?? EMPTY_ROOT);
}

/** The hashes of a tile, one by one. */
export const hashesOf = (tile: Uint8Array): Buffer[] => Array.from({ length: tile.length / HASH_BYTES }, (_, at) => Buffer.from(tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)));

/**
 * The right edge of a tree: of each level of tiles the hashes that do not fill a tile yet. It is all that is needed to add
 * leaves and to tell the root, however large the tree is.
 */
export class Edge {
  readonly #levels: Buffer[][];
  #size: number;

  /** `levels[n]` are the hashes of the unfinished tile of level n, as many as the size says. */
  constructor(size = 0, levels: readonly (readonly Buffer[])[] = []) {
    this.#size = size;
    this.#levels = levels.map((level) => [...level]);
    for (const [level, count] of edgeCounts(size).entries()) {
      if ((this.#levels[level]?.length ?? 0) !== count) throw new RangeError(`level ${level} of a tree of ${size} leaves has ${count} hashes at its edge, not ${this.#levels[level]?.length ?? 0}`);
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a leaf; answers the tiles that it completes, lowest first. */
  add(leaf: Buffer): FullTile[] {
    const full: FullTile[] = [];
    let hashed = leaf;
    for (let level = 0; ; level++) {
      const row = (this.#levels[level] ??= []);
      row.push(hashed);
      if (row.length < TILE) break;
      const index = Math.floor(this.#size / TILE ** (level + 1));
      hashed = perfectRoot(row);
      full.push({ level, index, hashes: Buffer.concat(row), root: hashed });
      this.#levels[level] = [];
    }
    this.#size += 1;
    return full;
  }

  /** The root over all leaves so far. */
  root(): Buffer {
    // The perfect subtrees that the tree falls into, the largest first.
    const peaks: Buffer[] = [];
    for (const row of this.#levels.toReversed()) {
      let at = 0;
      for (let width = TILE / 2; width >= 1; width /= 2) {
        if ((row.length & width) === 0) continue;
        peaks.push(perfectRoot(row.slice(at, at + width)));
        at += width;
      }
    }
    return rootOfPeaks(peaks);
  }
}

/** How many hashes stand at the edge of each level of tiles in a tree of this size. */
export function edgeCounts(size: number): number[] {
  const counts: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / TILE)) counts.push(rest % TILE);
  return counts;
}

function rootOfPeaks(peaks: readonly Buffer[]): Buffer {
  const last = peaks.at(-1);
  if (last === undefined) return EMPTY_ROOT;
  return peaks.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

/** A perfect subtree: 2^level leaves, beginning with leaf index × 2^level. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** The fewest perfect subtrees that the leaves from `from` until before `to` fall into, in order. */
export function subtreesOf(from: number, to: number): Subtree[] {
  const found: Subtree[] = [];
  for (let at = from; at < to;) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= to) level++;
    found.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return found;
}

/** Leaves from the first until before the second. */
export type Range = readonly [from: number, to: number];

const splitOf = (size: number): number => {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
};

/** RFC 6962, 2.1.1: whose roots, from the leaf upwards, prove that the leaf is in a tree of this size. */
export function inclusionRanges(leaf: number, size: number): Range[] {
  const found: Range[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (leaf < middle) {
      found.unshift([middle, to]);
      to = middle;
    } else {
      found.unshift([from, middle]);
      from = middle;
    }
  }
  return found;
}

/** RFC 6962, 2.1.2: whose roots prove that the tree of the older size is the beginning of the other. */
export function consistencyRanges(older: number, size: number): Range[] {
  if (older === 0 || older === size) return [];
  const found: Range[] = [];
  let [from, to] = [0, size];
  let isWhole = true;
  while (older !== to) {
    const middle = from + splitOf(to - from);
    if (older <= middle) {
      found.unshift([middle, to]);
      to = middle;
    } else {
      found.unshift([from, middle]);
      from = middle;
      isWhole = false;
    }
  }
  return isWhole ? found : [[from, to], ...found];
}

/** What the proofs are made from: hashes of a tile of this level and index, as many as the tree has. */
export type ReadTile = (level: number, index: number) => Promise<readonly Buffer[]>;

/** The root of each range, by as few tiles as they need, one after the other: they may come over one connection. */
export async function rootsOf(ranges: readonly Range[], readTile: ReadTile): Promise<Buffer[]> {
  const tiles = new Map<string, readonly Buffer[]>();
  const subtree = async ({ level, index }: Subtree): Promise<Buffer> => {
    const tileLevel = Math.floor(level / TILE_LEVELS);
    const width = 2 ** (level % TILE_LEVELS);
    const first = index * width;
    const tileIndex = Math.floor(first / TILE);
    const key = `${tileLevel}/${tileIndex}`;
    const hashes = tiles.get(key) ?? await readTile(tileLevel, tileIndex);
    tiles.set(key, hashes);
    return perfectRoot(hashes.slice(first % TILE, (first % TILE) + width));
  };
  const roots: Buffer[] = [];
  for (const [from, to] of ranges) {
    const peaks: Buffer[] = [];
    for (const one of subtreesOf(from, to)) peaks.push(await subtree(one));
    roots.push(rootOfPeaks(peaks));
  }
  return roots;
}
