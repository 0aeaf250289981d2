import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Keys } from './config.ts';

const KeyFile = z.strictObject({ session: z.base64(), token: z.base64() });

/** Keys of the embedded default: made once, kept in the data folder for its owner alone. */
export function keptKeys(dataDir: string): { session: Keys; token: Keys } {
  const file = join(dataDir, 'keys.json');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  try {
    const fresh = { session: randomBytes(32).toString('base64'), token: randomBytes(32).toString('base64') };
    // wx: of two processes that start together one makes the file, the other reads it.
    writeFileSync(file, JSON.stringify(fresh), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const kept = KeyFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  return { session: [Buffer.from(kept.session, 'base64')], token: [Buffer.from(kept.token, 'base64')] };
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
