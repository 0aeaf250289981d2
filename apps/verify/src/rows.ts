const NEWLINE = 10;
const TAB = 9;
/** The largest row that is believed to be one. */
const LONGEST_LINE = 64 << 20;

/** Takes the text of COPY apart into leaves, chunk by chunk, without copying the lines. */
export class Lines {
  /** Begins with a byte that no line needs any more. */
  #rest: Buffer = Buffer.of(0);

  /** Hands on each line as the leaf's data behind a zero byte; it is valid until the next one is handed on. */
  take(chunk: Buffer, onLeaf: (prefixed: Buffer) => void): void {
    const text = Buffer.concat([this.#rest, chunk]);
    let start = 1;
    for (let end = text.indexOf(NEWLINE, start); end >= 0; end = text.indexOf(NEWLINE, start)) {
      text[start - 1] = 0;
      const tab = text.indexOf(TAB, start);
      if (tab >= 0 && tab < end) text[tab] = NEWLINE;
      onLeaf(text.subarray(start - 1, end));
      start = end + 1;
    }
    this.#rest = text.subarray(start - 1);
    if (this.#rest.length > LONGEST_LINE) throw new RangeError('a line without an end');
  }

  /** What stands after the last newline: nothing, where the text is whole. */
  get rest(): number {
    return this.#rest.length - 1;
  }
}

/** Where a row says that it belongs. */
export interface Place {
  readonly batchId: number;
  /** -1 for the batch's own row. */
  readonly ordinal: number;
  /** How many rows the batch says to have, in its own row. */
  readonly rows: number;
}

/** Whether a leaf is of the table. Asked of each: where it is of another, the rest of it is not looked at. */
function beginsWith(prefixed: Buffer, table: Buffer): boolean {
  for (let at = 0; at < table.length; at += 1) if (prefixed[at + 1] !== table[at]) return false;
  return true;
}

const BATCH = Buffer.from('log_batch\n');
const EVENT = Buffer.from('audit_event\n');

/** Whether a leaf is an event. */
export const isEvent = (prefixed: Buffer): boolean => beginsWith(prefixed, EVENT);

/** Reads the place from a leaf; `undefined` where the text is none of a row. */
export function placeOf(prefixed: Buffer): Place | undefined {
  const newline = prefixed.indexOf(NEWLINE, 1);
  if (newline < 0) return undefined;
  // The tenant is 36 characters, a tab follows.
  const from = newline + 38;
  const batchId = numberAt(prefixed, from);
  if (batchId < 0) return undefined;
  if (beginsWith(prefixed, BATCH)) {
    const rows = Number(prefixed.toString('latin1', prefixed.lastIndexOf(TAB) + 1));
    return { batchId, ordinal: -1, rows };
  }
  const ordinal = numberAt(prefixed, prefixed.indexOf(TAB, from) + 1);
  return ordinal < 0 ? undefined : { batchId, ordinal, rows: 0 };
}

/** The number that a tab ends; -1 where none begins there. */
function numberAt(text: Buffer, from: number): number {
  let value = 0;
  let at = from;
  for (let digit = (text[at] ?? TAB) - 48; digit >= 0 && digit <= 9; digit = (text[at] ?? TAB) - 48) {
    value = value * 10 + digit;
    at += 1;
  }
  return at > from && text[at] === TAB ? value : -1;
}

/** Which row it is, for people. */
export function nameOf(prefixed: Buffer): string {
  const [table = '', ...rest] = prefixed.subarray(1).toString().split('\n');
  const [, batchId = '?', ordinal = '?', source = '', id = ''] = rest.join('\n').split('\t');
  return table === 'log_batch' ? `log_batch, batch ${batchId}` : `${table}, ${source}:${id} (batch ${batchId}, row ${ordinal})`;
}

/** Leaves from one until before the other. */
export type Run = readonly [from: number, to: number];

/** What a row of the ledger says was dropped. */
export interface Drop {
  /** Where the row itself is. */
  readonly leaf: number;
  readonly log: string;
  readonly month: string;
  readonly rows: number;
  readonly leaves: readonly Run[];
  readonly policy: string;
  readonly plannedAt: string;
  readonly archive: string;
  readonly sha256: string;
  readonly droppedAt: string;
}

const DROPPED = Buffer.from('dropped_month\n');

/** Whether a leaf is of a batch that records drops: a record, or the batch's own row. */
export const isOfDrops = (prefixed: Buffer): boolean => beginsWith(prefixed, DROPPED) || (beginsWith(prefixed, BATCH) && prefixed.toString('latin1').split('\t')[2] === 'dropped_month');

/** Reads what a leaf records as dropped; `undefined` where it is no such record, `null` where it is one that contradicts itself. */
export function dropOf(prefixed: Buffer, leaf: number): Drop | null | undefined {
  if (!beginsWith(prefixed, DROPPED)) return undefined;
  const [, , , log = '', month = '', rows = '', text = '', first = '', end = '', policy = '', plannedAt = '', archive = '', sha256 = '', , , , , droppedAt = ''] = prefixed.toString('utf8', 1 + DROPPED.length).split('\t');
  if (!/^\d+-\d+(,\d+-\d+)*$/.test(text)) return null;
  const leaves = text.split(',').map((run): Run => {
    const [from = 0, to = 0] = run.split('-').map(Number);
    return [from, to];
  });
  const isInOrder = leaves.every(([from, to], at) => to > from && from > (leaves[at - 1]?.[1] ?? -1));
  const sum = leaves.reduce((all, [from, to]) => all + to - from, 0);
  // Nothing can be dropped that is sealed only with or after the record of it.
  if (!isInOrder || sum !== Number(rows) || leaves[0]?.[0] !== Number(first) || leaves.at(-1)?.[1] !== Number(end) || Number(end) > leaf) return null;
  return { leaf, log, month, rows: sum, leaves, policy, plannedAt, archive, sha256, droppedAt };
}
