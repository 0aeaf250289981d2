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
const BACKSLASH = 92;
/** What COPY's text format writes after a backslash, and what it stands for here: line ends between tokens are spaces. */
const ESCAPED = new Map([['n', ' '], ['r', ' '], ['t', '\t'], ['b', '\b'], ['f', '\f'], ['v', '\v'], ['\\', '\\']].map(([of = '', to = '']) => [of.charCodeAt(0), to.charCodeAt(0)]));

/** Takes COPY's escapes off, so that a line is the text as it was received, and counts the lines. A piece without any is passed on as it is. */
export function ndjsonLineEnds(): (chunk: Buffer) => { bytes: Buffer; lines: number } {
  let open = false;
  return (chunk) => {
    let lines = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) lines += 1;
    let escape = chunk.indexOf(BACKSLASH);
    if (!open && escape < 0) return { bytes: chunk, lines };
    const bytes = Buffer.allocUnsafe(chunk.length);
    let [from, to] = [0, 0];
    const put = (at: number): void => {
      const byte = chunk[at] ?? 0;
      bytes[to] = ESCAPED.get(byte) ?? byte;
      to += 1;
      from = at + 1;
    };
    if (open && chunk.length > 0) put(0);
    if (chunk.length > 0) open = false;
    for (escape = chunk.indexOf(BACKSLASH, from); escape >= 0; escape = chunk.indexOf(BACKSLASH, from)) {
      to += chunk.copy(bytes, to, from, escape);
      from = escape + 1;
      if (from === chunk.length) open = true;
      else put(from);
    }
    to += chunk.copy(bytes, to, from);
    return { bytes: bytes.subarray(0, to), lines };
  };
}
