/** Hashes of the ledger's tree (RFC 6962), by the browser itself. */
async function sha256(...parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
const base64Of = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** The root that a leaf and the hashes beside its way up lead to, in base64. */
export async function rootOfInclusion(leaf: number, size: number, data: string, hashes: readonly string[]): Promise<string | undefined> {
  let hash = await sha256(Uint8Array.of(0), new TextEncoder().encode(data));
  // By the way of RFC 9162, 2.1.3.2: the last leaf of a level without a partner goes up alone.
  let [at, last] = [leaf, size - 1];
  if (leaf > last) return undefined;
  for (const beside of hashes.map(bytesOf)) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      hash = await sha256(Uint8Array.of(1), beside, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else hash = await sha256(Uint8Array.of(1), hash, beside);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 ? base64Of(hash) : undefined;
}
