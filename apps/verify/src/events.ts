import { createHmac, randomBytes } from 'node:crypto';
import { isEvent } from './rows.ts';

/** Where a row of the log has what was received, what is wrong with it, and its name, by the columns of the format. */
const COLUMNS = { source: 3, eventId: 4, revision: 5, raw: 23, defect: 25 } as const;
const NEWLINE = 10;
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const text = (cell: string): string => cell.replaceAll(/\\(.)/gs, (_all, letter: string) => ESCAPES[letter] ?? letter);
const oneLine = (received: string): string => received.replaceAll(/[\r\n]/g, ' ');

/** Which lines of a file of events are rows of the log that were walked, each row for one line. */
export class EventLines {
  /** Nobody who makes a pack knows the key: half of a hash is enough. */
  readonly #key = randomBytes(32);
  /** How many rows may be written so and have no line yet. */
  readonly #open = new Map<string, number>();

  /** A leaf whose place in the tree is checked elsewhere. */
  add(prefixed: Buffer): void {
    if (!isEvent(prefixed)) return;
    const cells = prefixed.toString('utf8', prefixed.indexOf(NEWLINE, 1) + 1).split('\t');
    const cell = (name: keyof typeof COLUMNS): string => cells[COLUMNS[name]] ?? '';
    const raw = text(cell('raw'));
    this.#add(oneLine(raw));
    if (cell('defect') === '\\N') return;
    const id = `${text(cell('source'))}:${text(cell('eventId'))}${cell('revision') === '0' ? '' : `#${cell('revision')}`}`;
    this.#add(wrapped(id, text(cell('defect')), raw));
  }

  /** Whether the line is a row that none before it was. */
  take(line: string): boolean {
    const inside = unwrapped(line);
    // A row that may be written in two ways is written in one of them.
    return (inside !== undefined && this.#use([wrapped(inside.eventId, inside.defect, inside.received), oneLine(inside.received)])) || this.#use([line]);
  }

  #use(texts: readonly string[]): boolean {
    const hashes = texts.map((one) => this.#hash(one));
    const counts = hashes.map((hashed) => this.#open.get(hashed) ?? 0);
    if (counts.includes(0)) return false;
    for (const [at, hashed] of hashes.entries()) this.#open.set(hashed, (counts[at] ?? 0) - 1);
    return true;
  }

  #add(text: string): void {
    const hashed = this.#hash(text);
    this.#open.set(hashed, (this.#open.get(hashed) ?? 0) + 1);
  }

  #hash(of: string): string {
    return createHmac('sha256', this.#key).update(of).digest('base64').slice(0, 22);
  }
}

const wrapped = (id: string, defect: string, received: string): string => `gatehouse${JSON.stringify([id, defect, received])}`;

/** What could not be read as JSON stands in an object; `undefined` for a line that is as it was received. */
function unwrapped(line: string): { readonly eventId: string; readonly defect: string; readonly received: string } | undefined {
  if (!/^\{\s*"gatehouse"/.test(line)) return undefined;
  try {
    const all: unknown = JSON.parse(line);
    if (typeof all !== 'object' || all === null || Object.keys(all).join() !== 'gatehouse' || !('gatehouse' in all)) return undefined;
    const inside = all.gatehouse;
    if (typeof inside !== 'object' || inside === null || Object.keys(inside).sort().join() !== 'defect,eventId,received') return undefined;
    const { eventId, defect, received } = inside as Record<string, unknown>;
    return { eventId: String(eventId), defect: String(defect), received: String(received) };
  } catch {
    return undefined;
  }
}

/** The lines of a file, each without its end. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let open: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      yield Buffer.concat([...open, chunk.subarray(start, end)]).toString();
      open = [];
      start = end + 1;
    }
    if (start < chunk.length) open.push(chunk.subarray(start));
  }
  if (open.length > 0) yield Buffer.concat(open).toString();
}
