import { describe, expect, test } from 'vitest';
import { consistencyRanges, Edge, EMPTY_ROOT, hashesOf, inclusionRanges, leafHash, nodeHash, perfectRoot, rootsOf, subtreesOf, TILE, type ReadTile } from './tree.ts';

/** The leaves of the reference tests of Certificate Transparency, and the roots that they give. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((hex) => Buffer.from(hex, 'hex'));
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d', 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125', 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77', 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4', '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef', 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c', '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** As the RFC defines it, from all leaves at once. */
function rootByDefinition(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return EMPTY_ROOT;
  const [only] = leaves;
  if (only && leaves.length === 1) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(rootByDefinition(leaves.slice(0, split)), rootByDefinition(leaves.slice(split)));
}

const numbered = (count: number): Buffer[] => Array.from({ length: count }, (_, at) => leafHash(Buffer.from(`leaf ${at}`)));

test('gives the roots of the reference tests', () => {
  const edge = new Edge();
  expect(edge.root().toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  for (const [at, leaf] of LEAVES.entries()) {
    edge.add(leafHash(leaf));
    expect(edge.root().toString('hex')).toBe(ROOTS[at]);
  }
});

test('an edge of any size has the root of the definition, and tells of each tile once', () => {
  const leaves = numbered(3 * TILE + 17);
  const edge = new Edge();
  const tiles = leaves.flatMap((leaf) => edge.add(leaf));
  expect(tiles.map(({ level, index }) => [level, index])).toEqual([[0, 0], [0, 1], [0, 2]]);
  expect(tiles.every(({ hashes, root }) => perfectRoot(hashesOf(hashes)).equals(root))).toBe(true);
  for (const size of [1, 2, 3, 255, 256, 257, 511, 512, 513, leaves.length]) {
    const one = new Edge();
    for (const leaf of leaves.slice(0, size)) one.add(leaf);
    expect(one.root().equals(rootByDefinition(leaves.slice(0, size))), `size ${size}`).toBe(true);
  }
});

test('tiles of the second level are numbered in their own row', () => {
  const edge = new Edge();
  const leaf = leafHash(Buffer.from('one'));
  const above = Array.from({ length: 2 * TILE * TILE }, () => edge.add(leaf)).flat().filter(({ level }) => level > 0);
  expect(above.map(({ level, index }) => [level, index])).toEqual([[1, 0], [1, 1]]);
});

test('an edge that does not fit its size is refused', () => {
  expect(() => new Edge(2, [[leafHash(Buffer.from('one'))]])).toThrow(/2 hashes at its edge, not 1/);
});

describe('proofs', () => {
  const leaves = numbered(TILE + 40);
  const readTile: ReadTile = async (level, index) => (level === 0 ? leaves.slice(index * TILE, (index + 1) * TILE) : [rootByDefinition(leaves.slice(0, TILE))]);

  test('subtrees cover a range without a gap', () => {
    for (const [from, to] of [[0, 1], [0, 296], [3, 17], [255, 257], [5, 5]] as const) {
      let at: number = from;
      for (const { level, index } of subtreesOf(from, to)) {
        expect(index * 2 ** level).toBe(at);
        at += 2 ** level;
      }
      expect(at).toBe(to);
    }
  });

  test('the roots of an inclusion proof lead from the leaf to the root', async () => {
    for (const size of [1, 2, 7, 8, 256, 257, 296]) {
      for (const leaf of [0, 1, 6, 255, 256, 295].filter((one) => one < size)) {
        const ranges = inclusionRanges(leaf, size);
        const roots = await rootsOf(ranges, readTile);
        const root = roots.reduce((below, beside, at) => ((ranges[at]?.[0] ?? 0) > leaf ? nodeHash(below, beside) : nodeHash(beside, below)), leaves[leaf] ?? EMPTY_ROOT);
        expect(root.equals(rootByDefinition(leaves.slice(0, size))), `${leaf} of ${size}`).toBe(true);
      }
    }
  });

  test('the roots of a consistency proof give both roots', async () => {
    for (const [older, size] of [[1, 2], [3, 7], [4, 7], [6, 8], [256, 296], [200, 296], [257, 290]] as const) {
      const ranges = consistencyRanges(older, size);
      const roots = await rootsOf(ranges, readTile);
      const parts = ranges.map(([from, to], at) => ({ from, to, root: roots[at] ?? EMPTY_ROOT }));
      const beginsWhole = !parts.some(({ to }) => to === older);
      const before = [...(beginsWhole ? [{ from: 0, to: older, root: rootByDefinition(leaves.slice(0, older)) }] : []), ...parts.filter(({ to }) => to <= older)].sort((one, other) => one.from - other.from);
      const olderRoot = before.slice(0, -1).reduceRight((right, { root }) => nodeHash(root, right), before.at(-1)?.root ?? EMPTY_ROOT);
      expect(olderRoot.equals(rootByDefinition(leaves.slice(0, older))), `${older} of ${size}`).toBe(true);
    }
    expect(consistencyRanges(5, 5)).toEqual([]);
  });
});
