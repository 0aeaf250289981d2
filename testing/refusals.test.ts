import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFUSALS, type KnownRefusal } from '@gatehouse/graph';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
/** Beside the repository where it is developed; a clone by itself has none. */
const CONTRACT = join(ROOT, '../shared/graph/CONTRACT.md');

const AGAIN: Record<KnownRefusal['again'], string> = { no: 'does not help', later: 'helps after a while', mended: 'helps when that is done' };
const row = ({ code, about, failure, sentence, mend, again }: KnownRefusal): string => `| \`${code}\`${about === undefined ? '' : ` (${about})`} | ${failure} | ${sentence} | ${mend} | ${AGAIN[again]} |`;

test('docs/refusals.md is the catalogue of the code, row by row', () => {
  const rows = readFileSync(join(ROOT, 'docs/refusals.md'), 'utf8').split('\n').filter((line) => line.startsWith('| `'));
  expect(rows).toEqual(REFUSALS.map(row));
});

test('no refusal is there twice, and each says what it means and what to do in whole sentences', () => {
  const keys = REFUSALS.map(({ code, about }) => `${code} ${about ?? ''}`);
  expect(new Set(keys).size).toBe(keys.length);
  for (const { code, sentence, mend } of REFUSALS) expect([code, sentence, mend]).toEqual([code, expect.stringMatching(/^[A-Z].+\.$/), expect.stringMatching(/^[A-Z].+\.$/)]);
});

test.runIf(existsSync(CONTRACT))('every code of the contract’s list is in the catalogue', () => {
  const section = /## 13\. QUIRKS AND ERROR CODES([^]*?)\nThrottling:/.exec(readFileSync(CONTRACT, 'utf8'))?.[1] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| ')).map((line) => line.split('|')[1] ?? '');
  // A code is one word in CamelCase or with the directory's prefix; the rest of the column are symptoms in words.
  const codes = rows.flatMap((cell) => [...cell.matchAll(/`([A-Z][A-Za-z]+(?:_[A-Za-z]+)?)`/g)].map((match) => match[1] ?? ''));
  expect(codes.length).toBeGreaterThan(20);
  const known = new Set(REFUSALS.flatMap(({ code, about }) => [code, ...(about === undefined ? [] : [about])]));
  expect(codes.filter((code) => !known.has(code))).toEqual([]);
});
