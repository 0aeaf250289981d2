/**
 * What the ledger hashes: each row as PostgreSQL's COPY writes it as text, behind the name of its table. Tables begin with
 * the tenant, the batch and the ordinal, so that a row says by itself where it belongs. The order of the columns is part of
 * the format (docs/ledger-format.md): it never changes. A table that gets a column gets a new name here, such as
 * `audit_event/2`, for the batches from then on.
 */
export const LOG_TABLES = {
  audit_event: [
    'tenant_id', 'batch_id', 'ordinal', 'source', 'event_id', 'revision', 'activity_at', 'activity_at_raw', 'activity', 'kind', 'service', 'result', 'result_reason', 'actor_id', 'actor_name', 'subject_id', 'subject_name',
    'group_id', 'group_name', 'application_id', 'application_name', 'request_id', 'correlation_id', 'raw', 'ingested_at', 'defect',
  ],
  network_connection: [
    'tenant_id', 'batch_id', 'ordinal', 'source', 'event_id', 'created_at', 'created_at_raw', 'user_id', 'user_principal_name', 'action', 'destination_host', 'destination_ip', 'destination_port',
    'application_id', 'application_by', 'raw', 'received_at',
  ],
  observation: [
    'tenant_id', 'batch_id', 'ordinal', 'kind', 'thing', 'principal_id', 'group_id', 'application_id', 'state', 'valid_from', 'valid_to', 'basis', 'event_id', 'not_before', 'observed_at', 'source',
  ],
  dropped_month: [
    'tenant_id', 'batch_id', 'ordinal', 'log', 'month', 'rows', 'leaves', 'first_leaf', 'end_leaf', 'policy', 'planned_at', 'archive', 'archive_sha256', 'archive_bytes', 'verified_at', 'tree_size', 'root', 'dropped_at',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type LogTable = keyof typeof LOG_TABLES;

export const isLogTable = (name: string): name is LogTable => Object.hasOwn(LOG_TABLES, name);

/** The batch itself is the leaf after its rows: how many they are, whence and when they came is sealed with them. */
export const BATCH_TABLE = 'log_batch';
export const BATCH_COLUMNS = ['tenant_id', 'batch_id', 'log', 'source', 'received_at', 'rows'] as const;

/** What a session must be set to before rows are copied out: a row is one text only. */
export const COPY_SETTINGS = `SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1`;

/** The log is not what it was, or not what it says of itself. The message is for people. */
export class LedgerMismatch extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LedgerMismatch';
  }
}

export const NEWLINE = 10;
export const TAB = 9;
const ZERO = 48;

/** A leaf on its way: where it belongs, and its data behind a byte for the prefix of its hash. */
export interface LeafLine {
  readonly batchId: number;
  readonly ordinal: number;
  /** Valid until the next line is taken. */
  readonly prefixed: Buffer;
}

/** Takes the text of COPY apart, chunk by chunk, without copying the lines. */
export class LeafLines {
  /** Begins with a byte that no line needs any more. */
  #rest = Buffer.of(0);
  readonly #idsFrom: number;

  constructor(table: string) {
    this.#idsFrom = table.length + 1 + 36 + 1;
  }

  *take(chunk: Buffer): Generator<LeafLine> {
    const text = Buffer.concat([this.#rest, chunk]);
    let start = 1;
    for (let end = text.indexOf(NEWLINE, start); end >= 0; end = text.indexOf(NEWLINE, start)) {
      const [batchId, afterBatch] = numberAt(text, start + this.#idsFrom);
      const [ordinal] = numberAt(text, afterBatch);
      yield { batchId, ordinal, prefixed: prefixedLeaf(text, start, end) };
      start = end + 1;
    }
    this.#rest = text.subarray(start - 1);
  }
}

/** The line as a leaf, in its place: the byte before it is the prefix, and the table's name ends with a newline. */
export function prefixedLeaf(text: Buffer, start: number, end: number): Buffer {
  text[start - 1] = 0;
  text[text.indexOf(TAB, start)] = NEWLINE;
  return text.subarray(start - 1, end);
}

function numberAt(text: Buffer, at: number): [value: number, after: number] {
  let value = 0;
  let position = at;
  let negative = false;
  if (text[position] === 45) {
    negative = true;
    position++;
  }
  for (let digit = (text[position] ?? TAB) - ZERO; digit >= 0 && digit <= 9; digit = (text[position] ?? TAB) - ZERO) {
    value = value * 10 + digit;
    position++;
  }
  return [negative ? -value : value, position + 1];
}

/** A batch as the log has it: its own line, and how many rows it says to have. */
export interface BatchLine {
  readonly batchId: number;
  readonly log: LogTable;
  readonly rows: number;
  /** As COPY wrote it, with the table's name and without the newline. */
  readonly line: string;
  /** Ordinals of rows that the log says were dropped, from one until before the other; where there are none, nothing. */
  readonly dropped?: readonly (readonly [from: number, to: number])[];
}

/** Reads the line of a batch; throws where it is of no table that the ledger knows. */
export function batchLineOf(line: string): BatchLine {
  const [, , batchId, log = '', , , rows] = line.split('\t');
  if (!isLogTable(log)) throw new LedgerMismatch(`Batch ${batchId ?? ''} is of a log that this build does not know: ${log}.`);
  return { batchId: Number(batchId), log, rows: Number(rows), line };
}

/** A part of a batch in leaf order, by its ordinals; the batch's own leaf comes after its last row and counts as one more. */
export interface Span {
  readonly batch: BatchLine;
  readonly from: number;
  readonly to: number;
}

/** How many leaves a batch has. */
export const leavesOf = ({ rows }: Pick<BatchLine, 'rows'>): number => rows + 1;

/**
 * The leaves from `skip` on, at most so many, out of batches in leaf order.
 */
export function spansOf(batches: readonly BatchLine[], skip: number, most: number): Span[] {
  const spans: Span[] = [];
  let [toSkip, room] = [skip, most];
  for (const batch of batches) {
    const leaves = leavesOf(batch);
    const from = Math.min(toSkip, leaves);
    const to = Math.min(leaves, from + room);
    toSkip -= from;
    room -= to - from;
    if (to > from) spans.push({ batch, from, to });
  }
  return spans;
}

/**
 * Spans that one reading brings in their order: of one table, with rising ids. A span that is cut off behind stands at the
 * end, one that is cut off in front at the beginning.
 */
export function runsOf(spans: readonly Span[]): Span[][] {
  const runs: Span[][] = [];
  for (const span of spans) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run && last && last.batch.log === span.batch.log && last.batch.batchId < span.batch.batchId) run.push(span);
    else runs.push([span]);
  }
  return runs;
}
