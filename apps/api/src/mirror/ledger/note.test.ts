import { createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { openCheckpoint, signCheckpoint, signerOf } from './note.ts';

const seed = Buffer.alloc(32, 5);
const signer = signerOf('gatehouse/contoso', seed);
const checkpoint = { origin: 'gatehouse/contoso', size: 12, root: Buffer.alloc(32, 1), signedAt: new Date('2026-03-02T09:00:00Z'), previous: 7 };

test('a checkpoint is five lines, an empty one, and a signature line each, as C2SP has it', () => {
  const note = signCheckpoint(checkpoint, [signer]);
  const [text = '', signature = ''] = note.split('\n\n');
  expect(text).toBe(`gatehouse/contoso\n12\n${checkpoint.root.toString('base64')}\ntime 2026-03-02T09:00:00.000Z\nprevious 7`);
  const [, name, blob = ''] = /^— (\S+) (\S+)\n$/.exec(signature) ?? [];
  expect(name).toBe(signer.name);
  const bytes = Buffer.from(blob, 'base64');
  expect(bytes.subarray(0, 4).toString('hex')).toBe(signer.keyId);
  const raw = Buffer.from(signer.verifierKey.split('+').slice(2).join('+'), 'base64').subarray(1);
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
  expect(verify(null, Buffer.from(`${text}\n`), publicKey, bytes.subarray(4))).toBe(true);
});

test('it opens with any key that signed it, and with no other', () => {
  const other = signerOf('gatehouse/contoso', Buffer.alloc(32, 6));
  const note = signCheckpoint(checkpoint, [other, signer]);
  expect(openCheckpoint(note, [signer.verifierKey])).toEqual(checkpoint);
  expect(openCheckpoint(note, [other.verifierKey])).toEqual(checkpoint);
  expect(openCheckpoint(note, [signerOf('gatehouse/contoso', Buffer.alloc(32, 7)).verifierKey])).toBeUndefined();
  // The same key under another name is another key.
  expect(openCheckpoint(note, [signerOf('gatehouse/fabrikam', seed).verifierKey])).toBeUndefined();
});

test('one that was altered at any byte of its text does not open', () => {
  const note = signCheckpoint(checkpoint, [signer]);
  for (let at = 0; at < note.indexOf('\n\n'); at++) {
    const altered = `${note.slice(0, at)}${note[at] === 'x' ? 'y' : 'x'}${note.slice(at + 1)}`;
    expect(openCheckpoint(altered, [signer.verifierKey]), `character ${at}`).toBeUndefined();
  }
});
