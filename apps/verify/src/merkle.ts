import { hash } from 'node:crypto';

export const HASH_BYTES = 32;

/** Through text of one character a byte: a buffer that OpenSSL makes by itself takes twice as long as the hash. */
const sha256 = (data: Uint8Array): Buffer => Buffer.from(hash('sha256', data, 'binary'), 'latin1');

/** RFC 6962: the hash of a leaf, whose data stands behind a zero byte already. */
export const hashPrefixed = (prefixed: Uint8Array): Buffer => sha256(prefixed);

const pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** RFC 6962: the hash of two nodes. */
export function hashPair(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

/** A tree that grows to the right, as the roots of the perfect trees that it consists of. */
export class Tree {
  readonly #levels: number[] = [];
  readonly #roots: Buffer[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a perfect tree of 2^level leaves, where one of that size may begin. */
  add(hashed: Buffer, level = 0): void {
    if (this.#size % 2 ** level !== 0) throw new RangeError(`no perfect tree of 2^${level} leaves begins at leaf ${this.#size}`);
    this.#size += 2 ** level;
    let joined = hashed;
    let at = level;
    while (this.#levels.at(-1) === at) {
      this.#levels.pop();
      joined = hashPair(this.#roots.pop() ?? joined, joined);
      at += 1;
    }
    this.#levels.push(at);
    this.#roots.push(joined);
  }

  root(): Buffer {
    const last = this.#roots.at(-1);
    return last ? this.#roots.slice(0, -1).reduceRight((right, left) => hashPair(left, right), last) : sha256(Buffer.alloc(0));
  }
}

/** Levels of the fewest perfect trees that the leaves from one until before the other fall into. */
export function levelsOf(from: number, to: number): number[] {
  const levels: number[] = [];
  for (let at = from; at < to; at += 2 ** (levels.at(-1) ?? 0)) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= to) level += 1;
    levels.push(level);
  }
  return levels;
}

const split = (size: number): number => {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
};

/** The root that an inclusion proof (RFC 6962, 2.1.1) leads to; `undefined` where it has not as many hashes as it must. */
export function rootOfInclusion(leaf: number, size: number, leafHash: Buffer, hashes: readonly Buffer[]): Buffer | undefined {
  if (leaf >= size) return undefined;
  const rest = [...hashes];
  const climb = (at: number, count: number): Buffer | undefined => {
    if (count === 1) return leafHash;
    const half = split(count);
    const isLeft = at < half;
    const below = isLeft ? climb(at, half) : climb(at - half, count - half);
    const beside = rest.shift();
    if (!below || !beside) return undefined;
    return isLeft ? hashPair(below, beside) : hashPair(beside, below);
  };
  const root = climb(leaf, size);
  return rest.length === 0 ? root : undefined;
}

/** Both roots that a consistency proof (RFC 6962, 2.1.2) leads to, where the older root is known; `undefined` where it is no proof. */
export function rootsOfConsistency(older: number, size: number, olderRoot: Buffer, hashes: readonly Buffer[]): { readonly older: Buffer; readonly newer: Buffer } | undefined {
  if (older > size || older < 1) return undefined;
  if (older === size) return hashes.length === 0 ? { older: olderRoot, newer: olderRoot } : undefined;
  const rest = [...hashes];
  const climb = (at: number, count: number, isWhole: boolean): { older: Buffer; newer: Buffer } | undefined => {
    if (at === count) {
      const own = isWhole ? olderRoot : rest.shift();
      return own && { older: own, newer: own };
    }
    const half = split(count);
    if (at <= half) {
      const left = climb(at, half, isWhole);
      const right = rest.shift();
      return left && right && { older: left.older, newer: hashPair(left.newer, right) };
    }
    const right = climb(at - half, count - half, false);
    const left = rest.shift();
    return left && right && { older: hashPair(left, right.older), newer: hashPair(left, right.newer) };
  };
  const roots = climb(older, size, true);
  return rest.length === 0 ? roots : undefined;
}
