import type { ExportFormat } from '@gatehouse/contracts';
import type { Connection } from '@gatehouse/db';
import { cefRow } from './cef.rules.ts';
import { CSV_HEAD, csvGuard } from './csv.rules.ts';
import { bulkOf, readMonths, rowsOf, type Selection } from './log-reader.store.ts';
import { ndjsonLineEnds } from './ndjson.rules.ts';
import { ocsfRow } from './ocsf.rules.ts';

/** A piece of a file, with the rows that end in it; `monthEnded` where it is the last of its month. */
export interface Piece { readonly bytes: Buffer; readonly rows: number; readonly monthEnded?: string }

export type StreamFormat = Exclude<ExportFormat, 'pack'>;

const NOTHING = Buffer.alloc(0);

/**
 * A file of events, a piece at a time and no faster than it is taken, month by month in the order of the log's key. The
 * same selection gives the same bytes, whenever it is read; `after` leaves out the months up to that one, and the head.
 */
export async function* logStream(connection: Connection, format: StreamFormat, selection: Selection, after?: string): AsyncGenerator<Piece> {
  if (after === undefined && format === 'csv') yield { bytes: Buffer.from(CSV_HEAD), rows: 0 };
  for (const month of await readMonths(connection, selection.filter)) {
    if (after !== undefined && month.month <= after) continue;
    if (format === 'csv' || format === 'ndjson') {
      const encode = format === 'csv' ? csvGuard() : ndjsonLineEnds();
      for await (const chunk of await bulkOf(connection, format, selection, month)) {
        const { bytes, lines } = encode(chunk);
        yield { bytes, rows: lines };
      }
    } else {
      const encode = format === 'ocsf' ? ocsfRow : cefRow;
      for await (const rows of rowsOf(connection, selection, month)) yield { bytes: Buffer.from(rows.map(encode).join('')), rows: rows.length };
    }
    yield { bytes: NOTHING, rows: 0, monthEnded: month.month };
  }
}
