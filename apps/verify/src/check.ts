import { EventLines, linesOf } from './events.ts';
import { HASH_BYTES, hashPrefixed, levelsOf, rootsOfConsistency, Tree } from './merkle.ts';
import { openCheckpoint, parseKey, strictBase64, type Checkpoint, type VerifierKey } from './note.ts';
import { dropOf, isOfDrops, Lines, nameOf, placeOf, type Drop, type Run } from './rows.ts';

/** The files of a pack, wherever they are. */
export interface Pack {
  readonly names: readonly string[];
  stream(name: string): AsyncIterable<Buffer>;
}

export interface Wish {
  /** Public keys that are known from elsewhere; without them those of the pack are believed. */
  readonly keys?: readonly string[] | undefined;
  /** Checkpoints that were kept elsewhere, which the pack must not contradict. */
  readonly older?: readonly string[] | undefined;
  /** An event, as `source:id`, that is to be shown where it is. */
  readonly event?: string | undefined;
  /** The pack was asked for as one of everything, whatever it says of itself. */
  readonly isWhole?: boolean | undefined;
}

export interface Report {
  /** What holds, a sentence each. */
  readonly proved: readonly string[];
  /** What does not; with none of them the pack is sound. */
  readonly problems: readonly string[];
  /** What could not be told by this pack. */
  readonly untold: readonly string[];
}

interface Proofs {
  readonly format: 1 | 2;
  readonly origin: string;
  readonly size: number;
  readonly ranges: readonly (readonly [number, number])[];
  readonly gaps: readonly { readonly from: number; readonly to: number; readonly hashes: readonly Buffer[] }[];
  readonly checkpoints: readonly number[];
  readonly consistency: ReadonlyMap<number, readonly Buffer[]>;
  /** Leaves within the ranges whose rows were dropped. */
  readonly dropped: readonly Run[];
}

/** The pack is not what it says; the message is for people. */
class Broken extends Error {}

const EVENTS = 'events.ndjson';
/** In a pack of everything, and in no other. */
const STRAYS = 'ledger/strays.copy';

/** Checks everything that a pack says, with nothing but the pack, and what the wish brings from elsewhere. */
export async function checkPack(pack: Pack, wish: Wish = {}): Promise<Report> {
  const proved: string[] = [];
  const problems: string[] = [];
  const untold: string[] = [];
  const report = { proved, problems, untold };
  try {
    const inPack = (await textOf(pack, 'ledger/keys')).split('\n').slice(0, -1);
    if ((await textOf(pack, 'ledger/keys')) !== inPack.map((line) => `${line}\n`).join('')) throw new Broken('ledger/keys does not end with a line');
    const keys = keysOf(inPack, 'ledger/keys');
    const trusted = wish.keys && wish.keys.length > 0 ? keysOf(wish.keys, 'what was given as a key') : keys;

    const checkpoint = opened(await textOf(pack, 'ledger/checkpoint'), trusted, 'The checkpoint');
    proved.push(`The checkpoint of ${counted(checkpoint.size, 'leaf', 'leaves')} is signed by ${checkpoint.signedBy.join(' and ')} at ${checkpoint.signedAt}.`);
    if (trusted === keys) untold.push(`Whether the key ${checkpoint.signedBy.join(', ')} is the portal's: the pack brings it along. Compare it with one that you know from elsewhere (--key), or give a checkpoint that you kept (--checkpoint).`);

    const proofs = proofsOf(await textOf(pack, 'ledger/proofs.json'));
    if (proofs.origin !== checkpoint.origin || proofs.size !== checkpoint.size) throw new Broken(`ledger/proofs.json is of ${proofs.origin} with ${proofs.size} leaves, and the checkpoint of ${checkpoint.origin} with ${checkpoint.size}`);

    /** Roots to be had on the way, of earlier checkpoints. */
    const earlier: { readonly name: string; readonly checkpoint: Checkpoint; readonly isInPack: boolean }[] = [];
    for (const size of proofs.checkpoints) {
      const one = opened(await textOf(pack, `ledger/checkpoints/${size}`), keys, `The earlier checkpoint of ${size} leaves`);
      if (one.size !== size) throw new Broken(`ledger/checkpoints/${size} is of ${one.size} leaves`);
      earlier.push({ name: `the earlier checkpoint of ${counted(size, 'leaf', 'leaves')}`, checkpoint: one, isInPack: true });
    }
    for (const note of wish.older ?? []) {
      // The key that signed it may be an older one, which the pack still knows.
      const one = openCheckpoint(note, [...trusted, ...keys]);
      if (typeof one === 'string') problems.push(`A checkpoint that was kept elsewhere is not of this ledger: ${one}.`);
      else earlier.push({ name: `the checkpoint of ${counted(one.size, 'leaf', 'leaves')} that was kept elsewhere`, checkpoint: one, isInPack: false });
    }
    for (const { name, checkpoint: one } of earlier) {
      if (one.origin !== checkpoint.origin) problems.push(`${upper(name)} is of another ledger: ${one.origin}.`);
      else if (one.size > checkpoint.size) problems.push(`${upper(name)} has more than this pack, which ends at ${checkpoint.size}: the end was cut off, or an older state was put back.`);
    }

    const expectedNames = new Set(['ledger/keys', 'ledger/checkpoint', 'ledger/proofs.json', STRAYS, ...proofs.checkpoints.map((size) => `ledger/checkpoints/${size}`)]);
    const events = pack.names.includes(EVENTS) ? new EventLines() : undefined;
    const walk = await walkTree(pack, proofs, new Set(earlier.map(({ checkpoint: one }) => one.size)), expectedNames, wish.event, events);
    for (const name of pack.names) if (name.startsWith('ledger/') && !expectedNames.has(name)) problems.push(`${name} is not a part of the format.`);
    problems.push(...walk.problems, ...faultsOfGaps(proofs, walk.apart, wish.isWhole === true || pack.names.includes(STRAYS)), ...faultsOfDrops(proofs, walk.drops));

    if (walk.root.equals(checkpoint.root)) {
      proved.push(`${counted(walk.rows, 'row', 'rows')} in ${counted(walk.batches, 'batch', 'batches')} are what was signed, and nothing${proofs.dropped.length > 0 ? ' else' : ''} is missing${proofs.gaps.length === 0 ? '' : ` between leaf ${proofs.ranges.map(([from, to]) => `${from} and ${to}`).join(', nor between ')}`}.`);
      for (const drop of walk.drops) if (proofs.dropped.length > 0) proved.push(`${counted(drop.rows, 'row', 'rows')} of ${drop.log} of ${drop.month} were dropped at ${drop.droppedAt}, announced at ${drop.plannedAt}, kept for months: ${drop.policy}. Leaf ${drop.leaf} records it. The rows are in the archive ${drop.archive} with SHA-256 ${drop.sha256}.`);
    } else if (walk.problems.length === 0) problems.push('The rows are not what was signed: with the hashes beside them they give another root. Both were changed.');
    else problems.push('The rows do not give the root that was signed.');

    let holding = 0;
    for (const { name, checkpoint: one, isInPack } of earlier) {
      if (one.origin !== checkpoint.origin || one.size > checkpoint.size) continue;
      const direct = one.size === 0 ? new Tree().root() : walk.roots.get(one.size);
      const proof = proofs.consistency.get(one.size);
      const chain = proof && rootsOfConsistency(one.size, checkpoint.size, one.root, proof);
      if (direct === undefined && proof === undefined) {
        (isInPack ? problems : untold).push(`Whether ${name} is the beginning of this ledger: the pack has no proof of it. Ask the portal: /api/ledger/consistency?from=${one.size}&to=${checkpoint.size}.`);
      } else if ((direct !== undefined && !direct.equals(one.root)) || (proof !== undefined && !(chain?.older.equals(one.root) === true && chain.newer.equals(checkpoint.root)))) problems.push(`${upper(name)} is not the beginning of this ledger: what it signed was changed since.`);
      else if (isInPack) holding += 1;
      else proved.push(`${upper(name)}, of ${one.signedAt}, is the beginning of this ledger.`);
    }
    if (holding > 0) proved.push(`${counted(holding, 'earlier checkpoint is a beginning', 'earlier checkpoints are beginnings')} of this one.`);
    if (wish.event !== undefined) {
      if (walk.event === undefined) untold.push(`Where the event ${wish.event} is: it is not in this pack.`);
      else proved.push(`The event ${wish.event} is leaf ${walk.event.leaf}: ${walk.event.hash.toString('hex')}.`);
    }
    await checkStrays(pack, proofs, problems);
    if (events) await checkEvents(pack, events, report);
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    problems.push(`${error.message}.`);
  }
  return report;
}

interface Walked {
  readonly root: Buffer;
  readonly rows: number;
  readonly batches: number;
  readonly roots: ReadonlyMap<number, Buffer>;
  readonly problems: readonly string[];
  /** What rows of the ledger say was dropped. */
  readonly drops: readonly Drop[];
  /** Where the ranges begin that hold more than records of drops. */
  readonly apart: readonly number[];
  readonly event: { readonly leaf: number; readonly hash: Buffer } | undefined;
}

/** What is seen of leaves that come one after the other: whether each is in its place. The first that is not is named. */
class LeafCheck {
  readonly tree = new Tree();
  readonly roots = new Map<number, Buffer>();
  readonly problems: string[] = [];
  readonly #sizes: ReadonlySet<number>;
  rows = 0;
  batches = 0;
  #batchId = -1;
  #ordinal = -1;

  constructor(sizes: ReadonlySet<number> = new Set()) {
    this.#sizes = sizes;
  }

  /** A perfect tree of leaves that are not at hand. */
  skip(hashed: Buffer, level: number): void {
    this.tree.add(hashed, level);
    // What comes next may be any row.
    [this.#batchId, this.#ordinal] = [-1, -1];
    this.#note();
  }

  /** A leaf, and the hashes among which the one that it is known by begins at a place, where one is. */
  take(prefixed: Buffer, known: Buffer | undefined, at = 0): Buffer {
    const hashed = hashPrefixed(prefixed);
    if (this.problems.length === 0) this.#look(prefixed, known === undefined || (at + HASH_BYTES <= known.length && hashed.compare(known, at, at + HASH_BYTES) === 0));
    this.tree.add(hashed);
    this.#note();
    return hashed;
  }

  #note(): void {
    if (this.#sizes.has(this.tree.size)) this.roots.set(this.tree.size, this.tree.root());
  }

  #look(prefixed: Buffer, isKnown: boolean): void {
    const place = placeOf(prefixed);
    const wrong = (what: string): void => { this.problems.push(`The first row that is wrong is leaf ${this.tree.size}: ${nameOf(prefixed)}. ${what}`); };
    if (!place) return wrong('It is no row of the log.');
    const isBegun = this.#batchId >= 0;
    const isEnd = place.ordinal < 0;
    if (isEnd) this.batches += 1;
    else this.rows += 1;
    if (isBegun && place.batchId !== this.#batchId) return wrong(`Batch ${this.#batchId} has not ended: row ${this.#ordinal + 1} of it, or its end, is missing.`);
    if (isBegun && !isEnd && place.ordinal !== this.#ordinal + 1) return wrong(place.ordinal > this.#ordinal + 1 ? `Row ${this.#ordinal + 1} of batch ${place.batchId} is missing before it.` : 'It stands where another row was, or twice.');
    if (!isBegun && place.ordinal > 0 && this.tree.size > 0 && this.#ordinal === -2) return wrong(`Row 0 of batch ${place.batchId} is missing before it.`);
    if (isBegun && isEnd && place.rows !== this.#ordinal + 1) return wrong(`The batch says to have ${place.rows} rows, and ${this.#ordinal + 1} are here.`);
    if (!isKnown) return wrong('Its content is not what was sealed.');
    this.#batchId = isEnd ? -1 : place.batchId;
    // -2 says that the leaf before was the end of a batch: the next one begins with its row 0.
    this.#ordinal = isEnd ? -2 : place.ordinal;
    return undefined;
  }
}

async function walkTree(pack: Pack, proofs: Proofs, sizes: ReadonlySet<number>, expectedNames: Set<string>, event: string | undefined, events: EventLines | undefined): Promise<Walked> {
  const check = new LeafCheck(sizes);
  const problems: string[] = [];
  const drops: Drop[] = [];
  const apart: number[] = [];
  let found: Walked['event'];
  let run = 0;
  /** Takes the hashes of dropped leaves, where some come next. */
  const skipDropped = (to: number, hashes: Buffer, start: number): void => {
    for (let next = proofs.dropped[run]; next && next[0] <= check.tree.size && check.tree.size < to; next = proofs.dropped[run]) {
      const at = (check.tree.size - start) * HASH_BYTES;
      const hashed = hashes.subarray(at, at + HASH_BYTES);
      if (hashed.length < HASH_BYTES) throw new Broken(`The hash of leaf ${check.tree.size}, which was dropped, is missing`);
      check.skip(Buffer.from(hashed), 0);
      if (check.tree.size >= next[1]) run += 1;
    }
  };
  const wanted = event === undefined ? undefined : Buffer.from(`\t${event.slice(0, event.indexOf(':'))}\t${event.slice(event.indexOf(':') + 1)}\t`);
  const files = pack.names.flatMap((name) => {
    const [, from, to] = /^ledger\/rows\/(\d{12})-(\d{12})\.copy$/.exec(name) ?? [];
    return from === undefined ? [] : [{ name, from: Number(from), to: Number(to) }];
  }).sort((one, other) => one.from - other.from);
  const parts = [...proofs.gaps.map((gap) => ({ ...gap, isGap: true as const })), ...proofs.ranges.map(([from, to]) => ({ from, to, isGap: false as const }))].sort((one, other) => one.from - other.from);
  for (const part of parts) {
    if (part.from !== check.tree.size || part.to <= part.from) throw new Broken(`ledger/proofs.json leaves out what is at leaf ${check.tree.size}`);
    if (part.isGap) {
      const levels = levelsOf(part.from, part.to);
      if (levels.length !== part.hashes.length) throw new Broken(`ledger/proofs.json has ${part.hashes.length} hashes for the leaves ${part.from} to ${part.to}, and not ${levels.length}`);
      for (const [at, level] of levels.entries()) check.skip(part.hashes[at] ?? Buffer.of(), level);
      continue;
    }
    // A leaf whose row was dropped is no record of it either.
    let isOfRecords = overlapsOf(proofs.dropped, [[part.from, part.to]]).length === 0;
    while (check.tree.size < part.to) {
      const file = files.find(({ from, to }) => from === check.tree.size && to > from && to <= part.to);
      if (!file) throw new Broken(`The rows from leaf ${check.tree.size} are not in the pack`);
      const hashesName = file.name.replace('/rows/', '/hashes/').replace(/\.copy$/, '');
      expectedNames.add(file.name).add(hashesName);
      const hashes = await bytesOf(pack, hashesName);
      const lines = new Lines();
      let last = '';
      skipDropped(file.to, hashes, file.from);
      for await (const chunk of pack.stream(file.name)) {
        lines.take(chunk, (prefixed) => {
          const at = (check.tree.size - file.from) * HASH_BYTES;
          // More lines than leaves: the rest is not looked at one by one.
          if (check.tree.size < file.to) {
            const hashed = check.take(prefixed, hashes, at);
            events?.add(prefixed);
            isOfRecords &&= isOfDrops(prefixed);
            const drop = dropOf(prefixed, check.tree.size - 1);
            if (drop === null) problems.push(`Leaf ${check.tree.size - 1} is to record a drop and cannot be read.`);
            else if (drop) drops.push(drop);
            if (wanted && prefixed.indexOf(wanted) > 0) found = { leaf: check.tree.size - 1, hash: hashed };
            skipDropped(file.to, hashes, file.from);
          } else if (last === '') last = nameOf(prefixed);
        });
        if (last !== '') break;
      }
      problems.push(...check.problems.splice(0, problems.length === 0 ? 1 : 0));
      if (last !== '') throw new Broken([...problems, `${file.name} has a row too many: ${last}`].join(' '));
      if (lines.rest > 0) throw new Broken([...problems, `${file.name} ends within a row`].join(' '));
      if (check.tree.size < file.to) throw new Broken([...problems, `${file.name} ends after leaf ${check.tree.size - 1}, ${file.to - check.tree.size} rows too early`].join(' '));
      if (hashes.length !== (file.to - file.from) * HASH_BYTES) problems.push(`${hashesName} has not one hash a row.`);
    }
    if (!isOfRecords) apart.push(part.from);
  }
  if (check.tree.size !== proofs.size) throw new Broken(`The pack ends at leaf ${check.tree.size}, and the ledger has ${proofs.size}`);
  return { root: check.tree.root(), rows: check.rows, batches: check.batches, roots: check.roots, problems, drops, apart, event: found };
}

/**
 * Nothing is known of the rows in a gap but a hash: whoever may put one anywhere can leave out any row. A pack of everything
 * has none; another one has the rows of one span, and apart from them only records of what was dropped of it.
 */
function faultsOfGaps({ gaps: [gap] }: Proofs, [, second]: readonly number[], isWhole: boolean): string[] {
  if (isWhole && gap) return [`This is to be all of the ledger, and the rows from leaf ${gap.from} until before ${gap.to} are not here: ledger/proofs.json calls them a gap.`];
  return second === undefined ? [] : [`The rows from leaf ${second} on are no records of drops, and a gap lies between them and others: rows of the pack were left out.`];
}

/** Every leaf without a row is recorded as dropped by a row of the ledger itself, once; and of what is recorded nothing is here. */
function faultsOfDrops({ ranges, dropped }: Proofs, drops: readonly Drop[]): string[] {
  const recorded = drops.flatMap(({ leaves }) => leaves).sort(([one], [other]) => one - other);
  const twice = recorded.find(([from], at) => from < (recorded[at - 1]?.[1] ?? 0));
  if (twice) return [`Leaf ${twice[0]} is recorded as dropped twice.`];
  const expected = overlapsOf(recorded, ranges);
  for (let at = 0; at < Math.max(expected.length, dropped.length); at++) {
    const [one, other] = [expected[at], dropped[at]];
    if (other && (!one || other[0] < one[0] || (other[0] === one[0] && other[1] > one[1]))) return [`Rows are missing from leaf ${one?.[0] === other[0] ? one[1] : other[0]} on, and no row of the ledger says that they were dropped.`];
    if (one && (one[0] !== other?.[0] || one[1] !== other[1])) return [`The ledger says that the rows from leaf ${one[0]} until before ${one[1]} were dropped, and not all of them are gone.`];
  }
  return [];
}

/** What of the runs lies in the ranges; both are in order. */
function overlapsOf(runs: readonly Run[], ranges: readonly Run[]): Run[] {
  const found: Run[] = [];
  let at = 0;
  for (const [from, to] of ranges) {
    while ((runs[at]?.[1] ?? Number.POSITIVE_INFINITY) <= from) at += 1;
    for (let next = at, run = runs[next]; run && run[0] < to; run = runs[++next]) found.push([Math.max(run[0], from), Math.min(run[1], to)]);
  }
  return found;
}

async function checkStrays(pack: Pack, proofs: Proofs, problems: string[]): Promise<void> {
  if (!pack.names.includes(STRAYS)) {
    if (proofs.gaps.length === 0) problems.push(`${STRAYS} is missing: whether there are rows outside of the ledger is not told.`);
    return;
  }
  const lines = new Lines();
  let first: string | undefined;
  for await (const chunk of pack.stream(STRAYS)) lines.take(chunk, (prefixed) => { first ??= nameOf(prefixed); });
  if (first !== undefined || lines.rest > 0) problems.push(`The log has rows that the ledger does not know, the first of them ${first ?? 'unreadable'}.`);
}

/** The events of an evidence pack, beside the ledger's part of it: each line is to be a row that was walked, and no row is two. */
async function checkEvents(pack: Pack, events: EventLines, { proved, problems }: { proved: string[]; problems: string[] }): Promise<void> {
  let [lines, strange, first] = [0, 0, 0];
  for await (const line of linesOf(pack.stream(EVENTS))) {
    lines += 1;
    if (events.take(line)) continue;
    strange += 1;
    first ||= lines;
  }
  if (strange === 0) proved.push(`${counted(lines, `line of ${EVENTS} is`, `lines of ${EVENTS} are`)} among these rows.`);
  else problems.push(`${counted(strange, `line of ${EVENTS} is`, `lines of ${EVENTS} are`)} in no row that is proved, the first of them line ${first}: changed, there twice, or not sealed when the pack was made.`);
}

async function bytesOf(pack: Pack, name: string): Promise<Buffer> {
  if (!pack.names.includes(name)) throw new Broken(`${name} is missing`);
  const chunks: Buffer[] = [];
  for await (const chunk of pack.stream(name)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const textOf = async (pack: Pack, name: string): Promise<string> => (await bytesOf(pack, name)).toString();

export function keysOf(lines: readonly string[], where: string): VerifierKey[] {
  return lines.map((line) => {
    const key = parseKey(line);
    if (!key) throw new Broken(`${where} has a line that is no public key: ${line.slice(0, 80)}`);
    return key;
  });
}

function opened(note: string, keys: readonly VerifierKey[], what: string): Checkpoint {
  const checkpoint = openCheckpoint(note, keys);
  if (typeof checkpoint === 'string') throw new Broken(`${what} does not hold: ${checkpoint}`);
  return checkpoint;
}

const counted = (count: number, one: string, many: string): string => `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
const upper = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** The file must be written as JSON is written without choices: what is not read by anybody cannot be changed by anybody. */
function proofsOf(text: string): Proofs {
  const bad = new Broken('ledger/proofs.json is not of the format');
  const record = (value: unknown, keys: readonly string[]): Record<string, unknown> => {
    if (typeof value !== 'object' || value === null || Object.keys(value).join() !== keys.join()) throw bad;
    return value as Record<string, unknown>;
  };
  const list = (value: unknown): unknown[] => {
    if (!Array.isArray(value)) throw bad;
    return value;
  };
  const size = (value: unknown): number => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw bad;
    return value;
  };
  const hashes = (value: unknown): Buffer[] => list(value).map((one) => {
    const bytes = typeof one === 'string' ? strictBase64(one) : undefined;
    if (bytes?.length !== HASH_BYTES) throw bad;
    return bytes;
  });
  const runs = (value: unknown): Run[] => list(value).map((range) => {
    const [from, to, ...more] = list(range).map(size);
    if (from === undefined || to === undefined || to <= from || more.length > 0) throw bad;
    return [from, to];
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw bad;
  }
  if (`${JSON.stringify(json)}\n` !== text) throw bad;
  const format = typeof json === 'object' && json !== null && 'format' in json && json.format === 2 ? 2 : 1;
  const all = record(json, ['format', 'origin', 'size', 'ranges', 'gaps', 'checkpoints', 'consistency', ...(format === 2 ? ['dropped'] : [])]);
  if (all['format'] !== format || typeof all['origin'] !== 'string') throw bad;
  const consistency = list(all['consistency']).map((one) => record(one, ['size', 'hashes'])).map((one) => [size(one['size']), hashes(one['hashes'])] as const);
  const checkpoints = list(all['checkpoints']).map(size);
  if (consistency.some(([of]) => !checkpoints.includes(of)) || new Set(checkpoints).size !== checkpoints.length) throw bad;
  const dropped = format === 2 ? runs(all['dropped']) : [];
  if (dropped.some(([from], at) => from < (dropped[at - 1]?.[1] ?? 0))) throw bad;
  return {
    format, origin: all['origin'], size: size(all['size']), ranges: runs(all['ranges']), dropped,
    gaps: list(all['gaps']).map((one) => record(one, ['from', 'to', 'hashes'])).map((gap) => ({ from: size(gap['from']), to: size(gap['to']), hashes: hashes(gap['hashes']) })),
    checkpoints, consistency: new Map(consistency),
  };
}
