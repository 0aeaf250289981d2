import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fingerprints, keptKeys, keptLedgerKeys, seal, unseal } from './keys.ts';

const first = randomBytes(32);
const second = randomBytes(32);

test('a blob opens with any key of the ring, and with no other', () => {
  const sealed = seal([first], 'token:ana', 'refresh token');
  expect(unseal([second, first], 'token:ana', sealed)).toBe('refresh token');
  expect(unseal([second], 'token:ana', sealed)).toBeUndefined();
});

test('a blob that was moved to another person does not open', () => {
  expect(unseal([first], 'token:ben', seal([first], 'token:ana', 'refresh token'))).toBeUndefined();
});

test('a blob with one bit changed does not open', () => {
  const sealed = seal([first], 'token:ana', 'refresh token');
  for (const at of [0, 13, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(unseal([first], 'token:ana', changed), `byte ${at}`).toBeUndefined();
  }
});

test('a fingerprint is of its purpose and key', () => {
  const [ofSession] = fingerprints([first], 'session', 'secret');
  expect(fingerprints([first], 'sign-in', 'secret')[0].equals(ofSession)).toBe(false);
  expect(fingerprints([second, first], 'session', 'secret')[1]?.equals(ofSession)).toBe(true);
});

test('keys of the embedded default are made once and are for their owner alone', () => {
  const dir = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'data');
  const made = keptKeys(dir);
  expect(keptKeys(dir)).toEqual(made);
  expect(statSync(join(dir, 'keys.json')).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['keys.json']);
});

test('the key of the ledger is made once, in a file of its own for its owner alone', () => {
  const dir = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'data');
  const made = keptLedgerKeys(dir);
  expect(keptLedgerKeys(dir)).toEqual(made);
  expect(statSync(join(dir, 'ledger-key')).mode & 0o777).toBe(0o600);
  writeFileSync(join(dir, 'ledger-key'), 'half');
  expect(() => keptLedgerKeys(dir)).toThrow(/does not hold the ledger's key/);
});
