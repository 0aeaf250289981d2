import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Keys } from './config.ts';

const Key = z.base64().refine((text) => Buffer.from(text, 'base64').length === 32);
const KeyFile = z.strictObject({ session: Key, token: Key });

/** The file of the kept keys is something else; the message says what to do. */
export class KeysRefusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeysRefusal';
  }
}

/** Keys of the embedded default: made once, kept in the data folder for its owner alone. */
export function keptKeys(dataDir: string): { session: Keys; token: Keys } {
  const file = keptFile(dataDir, 'keys.json', () => JSON.stringify({ session: randomBytes(32).toString('base64'), token: randomBytes(32).toString('base64') }));
  const kept = KeyFile.safeParse(parsedJson(readFileSync(file, 'utf8'))).data;
  if (!kept) throw new KeysRefusal(`the file ${file} does not hold the keys that Gatehouse keeps there. Put it back from a backup, or remove it: then everybody signs in again.`);
  return { session: [Buffer.from(kept.session, 'base64')], token: [Buffer.from(kept.token, 'base64')] };
}

/** The key of the ledger of the embedded default, apart from the others: what it signed is worth nothing once it is lost. */
export function keptLedgerKeys(dataDir: string): Keys {
  const file = keptFile(dataDir, 'ledger-key', () => `${randomBytes(32).toString('base64')}\n`);
  const keys = readFileSync(file, 'utf8').trim().split(',').map((key) => Key.safeParse(key.trim()).data);
  const [first, ...rest] = keys.flatMap((key) => (key === undefined ? [] : [Buffer.from(key, 'base64')]));
  if (!first || rest.length + 1 !== keys.length) throw new KeysRefusal(`the file ${file} does not hold the ledger's key. Put it back from a backup: without it what was sealed so far can be checked, and not gone on with.`);
  return [first, ...rest];
}

/** The file of that name, made of `fresh` where there is none. */
function keptFile(dataDir: string, name: string, fresh: () => string): string {
  const file = join(dataDir, name);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) {
    // Written whole under another name first: a disk that is full, or a kill, leaves no half of a key behind.
    const whole = `${file}.${process.pid}.new`;
    try {
      writeFileSync(whole, fresh(), { mode: 0o600, flush: true });
      // Of two processes that start together one gives its file the name, the other reads it.
      linkSync(whole, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(whole, { force: true });
    }
  }
  return file;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Encrypts with AES-256-GCM; `context` (tenant, person, purpose) is authenticated, so a blob moved to another row does not open. */
export function seal(keys: Keys, context: string, text: string): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keys[0], iv).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]);
}

/** The text, or `undefined` where none of the keys opens it in this context. */
export function unseal(keys: Keys, context: string, sealed: Uint8Array): string | undefined {
  const bytes = Buffer.from(sealed);
  for (const key of keys) {
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
    } catch {
      // Not this key, or not this context: the next key decides.
    }
  }
  return undefined;
}

/** What the database keeps instead of a secret that a browser holds; one for each key, newest first. */
export function fingerprints(keys: Keys, purpose: string, secret: string): [Buffer, ...Buffer[]] {
  const of = (key: Buffer): Buffer => createHmac('sha256', key).update(`${purpose}\0${secret}`).digest();
  const [first, ...rest] = keys;
  return [of(first), ...rest.map(of)];
}

/** 256 random bits that fit into a cookie or an address. */
export const newSecret = (): string => randomBytes(32).toString('base64url');
