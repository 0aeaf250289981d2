import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto';

/** A public key as C2SP signed-note writes it: `name+id+key`. */
export interface VerifierKey {
  readonly text: string;
  readonly name: string;
  readonly id: string;
  readonly publicKey: KeyObject;
}

/** The bytes of base64 that is written in the one way it can be; else `undefined`. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

export function parseKey(text: string): VerifierKey | undefined {
  const [, name = '', id = '', encoded = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const typed = strictBase64(encoded);
  // 1 is Ed25519, followed by the 32 bytes of the key.
  if (typed?.length !== 33 || typed[0] !== 1) return undefined;
  if (hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer').subarray(0, 4).toString('hex') !== id) return undefined;
  return { text, name, id, publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: typed.subarray(1).toString('base64url') }, format: 'jwk' }) };
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** As the log wrote it. */
  readonly signedAt: string;
  /** The keys, of those that are known, that signed it. */
  readonly signedBy: readonly string[];
}

/** A signed checkpoint, or in a sentence what is wrong with it. Signatures of unknown keys say nothing; one of a known key that is wrong says no. */
export function openCheckpoint(note: string, keys: readonly VerifierKey[]): Checkpoint | string {
  const [, text = '', signatures = ''] = /^([\s\S]*\n)\n((?:— [^\n]*\n)+)$/.exec(note) ?? [];
  if (text === '') return 'it is no signed note';
  const signedBy: string[] = [];
  for (const line of signatures.trimEnd().split('\n')) {
    const [, name, encoded = ''] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = strictBase64(encoded);
    if (name === undefined || !bytes || bytes.length < 5) return 'a signature line of it cannot be read';
    const key = keys.find((one) => one.name === name && one.id === bytes.subarray(0, 4).toString('hex'));
    if (!key) continue;
    if (!verify(null, Buffer.from(text), key.publicKey, bytes.subarray(4))) return `the signature of ${key.name}+${key.id} is not of this text`;
    signedBy.push(`${key.name}+${key.id}`);
  }
  if (signedBy.length === 0) return 'none of the known keys signed it';
  const [, origin = '', size = '', encodedRoot = '', signedAt = ''] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([^\n]+)\ntime ([^\n]+)\n(?:[^\n]+\n)*$/.exec(text) ?? [];
  const root = strictBase64(encodedRoot);
  if (root?.length !== 32) return 'what was signed is no checkpoint';
  return { origin, size: Number(size), root, signedAt, signedBy };
}

/** The notes of a file: one, or several with an empty line after each, as the portal appends them. */
export function notesOf(text: string): string[] {
  const notes: string[] = [];
  let note = '';
  for (const line of text.split('\n')) {
    if (line === '' && note.includes('\n— ')) {
      notes.push(note);
      note = '';
    } else if (line !== '' || note !== '') note += `${line}\n`;
  }
  return [...notes, ...(note.trim() === '' ? [] : [`${note.trimEnd()}\n`])];
}
