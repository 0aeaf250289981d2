import { createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';

/** The algorithm byte of Ed25519 in C2SP signed-note. */
const ED25519 = 1;
/** What stands before the 32 bytes of a key in DER: RFC 8410. */
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

/** A key that signs notes, under a name. */
export interface Signer {
  readonly name: string;
  /** The first four bytes of the hash over name and key, in hex: what a signature line is found by. */
  readonly keyId: string;
  /** The public half as others keep it: `name+id+key`. */
  readonly verifierKey: string;
  sign(text: string): Buffer;
}

/** A signer of the 32 bytes that an Ed25519 key is made from. */
export function signerOf(name: string, seed: Uint8Array): Signer {
  const privateKey = createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' });
  const publicBytes = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length);
  const typed = Buffer.concat([Buffer.of(ED25519), publicBytes]);
  const keyId = keyIdOf(name, typed);
  return { name, keyId, verifierKey: `${name}+${keyId}+${typed.toString('base64')}`, sign: (text) => sign(null, Buffer.from(text), privateKey) };
}

const keyIdOf = (name: string, typed: Uint8Array): string => hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer').subarray(0, 4).toString('hex');

/** A checkpoint of C2SP tlog-checkpoint, with the time of its signing and the size of the one before as extension lines. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  readonly signedAt: Date;
  /** The size of the checkpoint before it, 0 for the first: none can be taken away in between. */
  readonly previous: number;
}

/** The checkpoint as a note, signed by every signer. */
export function signCheckpoint({ origin, size, root, signedAt, previous }: Checkpoint, signers: readonly Signer[]): string {
  const text = `${origin}\n${size}\n${root.toString('base64')}\ntime ${signedAt.toISOString()}\nprevious ${previous}\n`;
  return `${text}\n${signers.map((signer) => `— ${signer.name} ${Buffer.concat([Buffer.from(signer.keyId, 'hex'), signer.sign(text)]).toString('base64')}\n`).join('')}`;
}

/** The checkpoint of a note that one of the keys signed; `undefined` where none of them did, or where it is no checkpoint. */
export function openCheckpoint(note: string, verifierKeys: readonly string[]): Checkpoint | undefined {
  const end = note.lastIndexOf('\n\n');
  if (end < 0) return undefined;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split('\n');
  const keys = verifierKeys.flatMap((one) => verifierOf(one) ?? []);
  const isSigned = lines.some((line) => {
    const [, name, blob = ''] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = Buffer.from(blob, 'base64');
    const key = keys.find((one) => one.name === name && one.keyId === bytes.subarray(0, 4).toString('hex'));
    return key !== undefined && verify(null, Buffer.from(text), key.publicKey, bytes.subarray(4));
  });
  const [origin, size, root, time, before] = text.split('\n');
  const [, signedAt] = /^time (\S+)$/.exec(time ?? '') ?? [];
  const [, previous] = /^previous (\d{1,16})$/.exec(before ?? '') ?? [];
  if (!isSigned || previous === undefined || origin === undefined || !/^(0|[1-9]\d{0,15})$/.test(size ?? '') || root === undefined || signedAt === undefined) return undefined;
  return { origin, size: Number(size), root: Buffer.from(root, 'base64'), signedAt: new Date(signedAt), previous: Number(previous) };
}

function verifierOf(text: string): { readonly name: string; readonly keyId: string; readonly publicKey: KeyObject } | undefined {
  const [, name, keyId, encoded = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const typed = Buffer.from(encoded, 'base64');
  if (name === undefined || keyId === undefined || typed.length !== 33 || typed[0] !== ED25519 || keyIdOf(name, typed) !== keyId) return undefined;
  return { name, keyId, publicKey: createPublicKey({ key: Buffer.concat([PUBLIC_DER, typed.subarray(1)]), format: 'der', type: 'spki' }) };
}

/** Whether the text is a public key, and the one of that id. */
export const isVerifierKey = (text: string, keyId: string): boolean => verifierOf(text)?.keyId === keyId;
