import type { EventKind } from '@gatehouse/contracts';
import type { Connection } from '@gatehouse/db';

/** One record as a source sent it: the JSON text, and the two fields that every record should have (empty where it has not). */
export interface Received {
  readonly id: string;
  /** When it happened, in the source's own text; whatever the source calls the field. */
  readonly activityDateTime: string;
  readonly raw: string;
  /** What `raw` parses to, where somebody has parsed it already. */
  readonly parsed?: unknown;
  /** What is wrong with it, where the reader of the answer saw that. */
  readonly defect?: string;
}

/** A closed window of time: what happened at either end is in it. Instants are ISO 8601 in UTC with three decimals. */
export interface Window { readonly from: string; readonly to: string }

export interface SourcePage {
  readonly items: readonly Received[];
  /** Opaque, and good for a while only. Absent on the last page. */
  readonly nextLink?: string | undefined;
  /** The source's own time when it answered, where it says. */
  readonly date?: string | undefined;
  /** The answer is no page: its whole text. There are no items then. */
  readonly unreadable?: string | undefined;
  /** Among the items the source put an error: others may be missing behind it. */
  readonly brokenOff?: boolean | undefined;
}

/** What one transaction adds to a log: records as they came, or as a source has read them. */
export interface Batch<Row = Received> {
  readonly tenantId: string;
  readonly events: readonly Row[];
  readonly receivedAt: Date;
  /** Much comes at once: what is derived from the events may follow after the transaction, by `settle`. */
  readonly bulk?: boolean;
  /** Called once, when the rows are on their way and the process has nothing to do but to wait for the database. */
  readonly meanwhile?: (() => void) | undefined;
  /** Further writes of the same transaction, such as the watermark: rows and watermark are kept together or not at all. */
  readonly also?: (connection: Connection, outcome: Ingested) => Promise<void>;
}

export interface Ingested {
  readonly added: number;
  /** Records that were in the log already, with this content. */
  readonly known: number;
  /** Of those added: an id that was in the log already with other content, kept beside it. */
  readonly revised: number;
  /** Of those added: something is wrong with them as they were received. */
  readonly defects: number;
  /** What those that were added mean, where the log knows kinds. */
  readonly kinds: ReadonlySet<EventKind>;
  /** Each record that came and has a time of its own, by the id that the log keeps it under. `at` is in UTC with six decimals. */
  readonly seen: readonly { readonly id: string; readonly at: string }[];
}

/**
 * A log somewhere else that is mirrored: data, and three ways to reach it. The sync does the rest: windows, what shows
 * late, gaps, the first reading, and the count of requests.
 */
export interface Source<Row = unknown> {
  /** As in `sync_source`, and never changed. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** How long the source keeps what it logs. */
  readonly retentionMs: number;
  /** The most requests a day that it answers to one application in one tenant. */
  readonly requestsADay: number;
  /** Whether what is wrong with a record, and other content of one that came before, is seen and kept; else what came first stays. */
  readonly judgesRecords: boolean;
  /** The most records on a page. */
  readonly pageSize: number;
  /** Who is to be asked for what, where the source refuses. */
  readonly whenForbidden: string;
  /** Of a source that the portal does without: whether the error says that it is closed to the portal until somebody grants or buys something, why, and in words. It is asked for again an hour later. */
  closedBy?(error: unknown): { readonly why: string; readonly words: string } | undefined;
  /** A page of what happened within the window, in any order; `nextLink` goes on with it. Throws `GraphError`. */
  page(window: Window, nextLink?: string): Promise<SourcePage>;
  /** Makes of a record what `ingest` takes: all that needs no database, for it is done while the page before it is stored. Refuses nothing. */
  read(received: Received, receivedAt: Date): Row;
  /** Adds to the log, each record once, in one transaction that it begins and ends. The same records again add nothing. */
  ingest(connection: Connection, batch: Batch<Row>): Promise<Ingested>;
  /** After the last page of a window, and before a pass begins: what `bulk` left for later. */
  settle?(connection: Connection, tenantId: string): Promise<void>;
  /** When the newest record that the log holds happened. */
  newest(connection: Connection, tenantId: string): Promise<Date | undefined>;
  /** How many different records the log holds of the closed window, by hour: the text of the hour's beginning, such as `2026-03-01T09`. Without what is defective. */
  countByHour(connection: Connection, tenantId: string, window: Window): Promise<ReadonlyMap<string, number>>;
}
