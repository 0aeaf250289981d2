import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { rootOfInclusion } from './merkle.ts';

const sha = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const leaves = ['a', 'b', 'c', 'd', 'e'].map((text) => sha(Buffer.of(0), Buffer.from(text)));
const pair = (left: Buffer | undefined, right: Buffer | undefined): Buffer => sha(Buffer.of(1), left ?? Buffer.of(), right ?? Buffer.of());
const [ab, cd] = [pair(leaves[0], leaves[1]), pair(leaves[2], leaves[3])];
const root = pair(pair(ab, cd), leaves[4]).toString('base64');
const text = (...hashes: (Buffer | undefined)[]): string[] => hashes.map((hash) => hash?.toString('base64') ?? '');

test('a leaf leads to the root, in the middle and at the uneven end', async () => {
  expect(await rootOfInclusion(2, 5, 'c', text(leaves[3], ab, leaves[4]))).toBe(root);
  expect(await rootOfInclusion(4, 5, 'e', text(pair(ab, cd)))).toBe(root);
});

test('another text, another place or a hash more leads elsewhere', async () => {
  expect(await rootOfInclusion(2, 5, 'x', text(leaves[3], ab, leaves[4]))).not.toBe(root);
  expect(await rootOfInclusion(3, 5, 'c', text(leaves[3], ab, leaves[4]))).not.toBe(root);
  expect(await rootOfInclusion(2, 5, 'c', text(leaves[3], ab, leaves[4], ab))).toBeUndefined();
  expect(await rootOfInclusion(5, 5, 'c', [])).toBeUndefined();
});
