import { hashPrefixed, rootOfInclusion } from './merkle.ts';
import { openCheckpoint, parseKey, strictBase64 } from './note.ts';
import type { Report } from './check.ts';
import { nameOf } from './rows.ts';

/** Checks the proof of one row, as the portal gives it for an event; `undefined` where the text is none. */
export function checkProof(text: string, trusted: readonly string[] = []): Report | undefined {
  const proof = parsed(text);
  if (!proof) return undefined;
  const problems: string[] = [];
  const proved: string[] = [];
  const own = proof.keys.flatMap((key) => parseKey(key) ?? []);
  const keys = trusted.length > 0 ? trusted.flatMap((key) => parseKey(key) ?? []) : own;
  const checkpoint = openCheckpoint(proof.note, keys);
  if (typeof checkpoint === 'string') return { proved, problems: [`The checkpoint does not hold: ${checkpoint}.`], untold: [] };
  const prefixed = Buffer.from(`\0${proof.data}`);
  const root = rootOfInclusion(proof.leafIndex, checkpoint.size, hashPrefixed(prefixed), proof.hashes);
  if (root?.equals(checkpoint.root) === true) proved.push(`The row ${nameOf(prefixed)} is leaf ${proof.leafIndex} of the ${checkpoint.size.toLocaleString('en-US')} that ${checkpoint.signedBy.join(' and ')} signed at ${checkpoint.signedAt}.`);
  else problems.push(`The row ${nameOf(prefixed)} is not leaf ${proof.leafIndex} of what was signed.`);
  return { proved, problems, untold: trusted.length > 0 ? [] : [`Whether the key ${checkpoint.signedBy.join(', ')} is the portal's: compare it with one that you know from elsewhere (--key).`] };
}

interface Proof {
  readonly leafIndex: number;
  readonly data: string;
  readonly hashes: readonly Buffer[];
  readonly note: string;
  readonly keys: readonly string[];
}

function parsed(text: string): Proof | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { leafIndex, data, hashes, note, keys } = json as Record<string, unknown>;
  if (typeof leafIndex !== 'number' || !Number.isSafeInteger(leafIndex) || typeof data !== 'string' || typeof note !== 'string' || !Array.isArray(hashes) || !Array.isArray(keys)) return undefined;
  const bytes = hashes.map((one) => (typeof one === 'string' ? strictBase64(one) : undefined));
  if (bytes.some((one) => one?.length !== 32)) return undefined;
  return { leafIndex, data, hashes: bytes.flatMap((one) => one ?? []), note, keys: keys.filter((key) => typeof key === 'string') };
}
