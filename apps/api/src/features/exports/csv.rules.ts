import { FORMULA, OVERLOOKED } from '../../core/cells.ts';
import { idOf, timeOf, type LogRow } from './log-row.rules.ts';

/** What stands between and around the digits of a number, an amount, a share, a date or a time. */
const AROUND = `${OVERLOOKED}.,:/()%'\\u2019\\u2030$\\u20ac\\u00a3\\u00a5+\\-`;

const NAMES = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const TRUTHS = ['true', 'false'];
const anyCase = (word: string): string => word.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
/** In full or as three letters. No text can be read as such names in two ways, or a long one would be read in all of them. */
const NAME = `(?:${[...new Set(NAMES.flatMap((name) => [name, name.slice(0, 3)]))].map(anyCase).join('|')})`;

/**
 * What a spreadsheet turns into a number, a date, a time, a share or an amount: 0042 loses its zeros, 1234567890123456789
 * its last digits, and 2026-03-02 is shown as somebody else writes days. Here it is anything made of digits, what stands
 * around them, and English names of months and days; a letter more, as in a time with its Z, and it is text everywhere.
 */
const NUMBER = `[${AROUND}]*(?:${NAME}[${AROUND}]+)*(?:${NAME})?[0-9][0-9${AROUND}]*(?:(?:${NAME}|[tT]|[aApP][mM])[0-9${AROUND}]*)*(?:[eE][+\\-]?[0-9]+[${OVERLOOKED}%]*)?$`;
const TRUTH = `[${OVERLOOKED}]*(?:${TRUTHS.map(anyCase).join('|')})[${OVERLOOKED}]*$`;

/**
 * What must not begin a cell as it stands: a formula, what would be converted, and the guard itself, so that it can be
 * taken off again: a cell that begins with an apostrophe has exactly one too many. A quote is guarded as it always was, so
 * that what was taken in part goes on where it ended.
 */
const UNSAFE = new RegExp(`^(?:${FORMULA}|["']|${NUMBER}|${TRUTH})`);
/** No number or date has the dashes of an id, though it may have nothing but digits. */
const ID = /^[0-9][\s\S]{7}-[\s\S]{4}-/;
const isUnsafe = (text: string): boolean => UNSAFE.test(text) && !ID.test(text);

/** One cell that a spreadsheet shows as text and never runs; quoted, whatever it holds (RFC 4180). */
export function csvCell(value: string | null): string {
  // PostgreSQL stores neither.
  const text = (value ?? '').toWellFormed().replaceAll('\u0000', '\uFFFD');
  return `"${(isUnsafe(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

/** The columns of a file of events, in order. */
export const CSV_COLUMNS: Readonly<Record<string, (row: LogRow) => string | null>> = {
  'Time (UTC)': timeOf,
  'Source': (row) => row.source,
  'Service': (row) => row.service,
  'Activity': (row) => row.activity,
  'Kind': (row) => row.kind,
  'Result': (row) => row.result,
  'Reason': (row) => row.reason,
  'Actor': (row) => row.actorName,
  'Actor id': (row) => row.actorId,
  'Person': (row) => row.subjectName,
  'Person id': (row) => row.subjectId,
  'Group': (row) => row.groupName,
  'Group id': (row) => row.groupId,
  'Application': (row) => row.applicationName,
  'Request id': (row) => row.requestId,
  'Defect': (row) => row.defect,
  'Event id': idOf,
};

/** The byte order mark tells spreadsheets that this is UTF-8. */
export const CSV_HEAD = `\uFEFF${Object.keys(CSV_COLUMNS).map(csvCell).join(',')}\r\n`;

const [QUOTE, LF, CR, APOSTROPHE, DASH, Z] = [34, 10, 13, 39, 45, 90];
const NOTHING = Buffer.alloc(0);

const isLetter = (byte: number): boolean => (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
const lower = (byte: number): number => byte | 0x20;
const packed = (word: string): number => [...word].reduce((all, letter) => all << 8 | letter.charCodeAt(0), 0);
/** How names and truths begin, each as a number. */
const [THREES, FOURS] = [3, 4].map((most) => new Set([...NAMES, ...TRUTHS].filter(({ length }) => length >= most).map((word) => packed(word.slice(0, most))))) as [Set<number>, Set<number>];

/** Whether a cell of these bytes may be unsafe: what `UNSAFE` takes begins with no letter, or with a name or a truth. Only what may be is read as text. */
function mayBeUnsafe(bytes: Buffer, from: number, end: number): boolean {
  if (from === end) return false;
  const [a, b, c, d] = [bytes[from] ?? 0, bytes[from + 1] ?? 0, bytes[from + 2] ?? 0, bytes[from + 3] ?? 0];
  // A time with its Z; digits with the dashes of an id: where a character is more than one byte, they stand elsewhere.
  if (a >= 48 && a <= 57) return bytes[end - 1] !== Z && !(bytes[from + 8] === DASH && bytes[from + 13] === DASH && end - from > 13 && isAscii(bytes, from, from + 13));
  if (!isLetter(a)) return true;
  if (!isLetter(b) || !isLetter(c)) return false;
  const three = (lower(a) << 16) | (lower(b) << 8) | lower(c);
  return THREES.has(three) && (!isLetter(d) || FOURS.has((three << 8) | lower(d)));
}

function isAscii(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if ((bytes[at] ?? 0) > 127) return false;
  return true;
}

/**
 * Makes a file of events of what COPY wrote with every cell quoted: each cell as `csvCell` has it, lines that end as RFC
 * 4180 says, and counted. What belongs to a line that is not over is kept for the next piece.
 */
export function csvGuard(): (chunk: Buffer) => { bytes: Buffer; lines: number } {
  let rest: Buffer = NOTHING;
  return (chunk) => {
    const read = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    // Where a byte is added: an apostrophe, or, told by a negative number, a CR. Those of a line that is not over are not.
    const added: number[] = [];
    let [whole, lines, over] = [0, 0, 0];
    for (let at = 0; at < read.length;) {
      const first = at + 1;
      let end = first;
      // A quote within a cell is doubled, and makes none unsafe.
      for (;;) {
        while (end < read.length && read[end] !== QUOTE) end += 1;
        if (read[end + 1] !== QUOTE) break;
        end += 2;
      }
      if (end + 1 >= read.length) break;
      if (mayBeUnsafe(read, first, end) && isUnsafe(read.toString('utf8', first, end))) added.push(first);
      at = end + 2;
      if (read[end + 1] !== LF) continue;
      added.push(-(end + 1));
      [whole, lines, over] = [added.length, lines + 1, at];
    }
    rest = read.subarray(over);
    const bytes = Buffer.allocUnsafe(over + whole);
    let [from, to] = [0, 0];
    for (let index = 0; index < whole; index += 1) {
      const place = added[index] ?? 0;
      const upTo = Math.abs(place);
      to += read.copy(bytes, to, from, upTo);
      bytes[to] = place > 0 ? APOSTROPHE : CR;
      to += 1;
      from = upTo;
    }
    read.copy(bytes, to, from, over);
    return { bytes, lines };
  };
}
