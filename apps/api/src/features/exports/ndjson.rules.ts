import { idOf, type LogRow } from './log-row.rules.ts';

/**
 * One event a line, as it was received and never written anew. Line ends between the tokens of its JSON become spaces: the
 * same JSON, of the same length. What is no JSON object is put into one, so that every line can be read.
 */
export function ndjsonRow(row: LogRow): string {
  if (row.defect === null || isObject(row.raw)) return `${row.raw.replaceAll(/[\r\n]/g, ' ')}\n`;
  return `${JSON.stringify({ gatehouse: { eventId: idOf(row), defect: row.defect, received: row.raw } })}\n`;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const LF = 10;
const CR = 13;
const SPACE = 32;
/** What COPY is told to put around a value that has a line end in it; JSON has no such character. */
const MARK = 2;

/** Takes the marks off what COPY wrote, with the line ends between them as spaces, and counts the lines. Nearly every piece is passed on as it is. */
export function ndjsonLineEnds(): (chunk: Buffer) => { bytes: Buffer; lines: number } {
  let within = false;
  return (chunk) => {
    let lines = 0;
    if (!within && !chunk.includes(MARK)) {
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) lines += 1;
      return { bytes: chunk, lines };
    }
    const bytes = Buffer.allocUnsafe(chunk.length);
    let to = 0;
    for (const byte of chunk) {
      if (byte === MARK) {
        within = !within;
        continue;
      }
      if (!within && byte === LF) lines += 1;
      bytes[to] = within && (byte === LF || byte === CR) ? SPACE : byte;
      to += 1;
    }
    return { bytes: bytes.subarray(0, to), lines };
  };
}
