import { idOf, timeOf, type LogRow } from './log-row.rules.ts';

/** What a spreadsheet overlooks before and after what it takes for a formula, a number or a date. */
const OVERLOOKED = '\\u0001-\\u0020\\u007f-\\u00a0\\u00ad\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u2064\\u3000\\ufeff';
/** What stands between and around the digits of a number, an amount, a share, a date or a time. */
const AROUND = `${OVERLOOKED}.,:/()%'\\u2019\\u2030$\\u20ac\\u00a3\\u00a5+\\-`;

const NAMES = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const TRUTHS = ['true', 'false'];
const anyCase = (word: string): string => word.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
/** In full or as three letters. No text can be read as such names in two ways, or a long one would be read in all of them. */
const NAME = `(?:${[...new Set(NAMES.flatMap((name) => [name, name.slice(0, 3)]))].map(anyCase).join('|')})`;

const cases = (letters: string): readonly string[] => [...letters].reduce<readonly string[]>((begun, letter) => begun.flatMap((start) => [start + letter, start + letter.toUpperCase()]), ['']);
const begins = (most: number): string[] => [...new Set([...NAMES, ...TRUTHS].filter(({ length }) => length >= most).map((word) => word.slice(0, most)))];
/** How a cell begins that begins with a letter and must not stand as it is: three letters in any case, and after them no letter or, without regard to case, one of these fours. */
export const LETTERS: { readonly three: readonly string[]; readonly four: readonly string[] } = { three: begins(3).flatMap(cases), four: begins(4) };

/**
 * What a spreadsheet turns into a number, a date, a time, a share or an amount: 0042 loses its zeros, 1234567890123456789
 * its last digits, and 2026-03-02 is shown as somebody else writes days. Here it is anything made of digits, what stands
 * around them, and English names of months and days; a letter more, as in a time with its Z, and it is text everywhere.
 */
const NUMBER = `[${AROUND}]*(?:${NAME}[${AROUND}]+)*(?:${NAME})?[0-9][0-9${AROUND}]*(?:(?:${NAME}|[tT]|[aApP][mM])[0-9${AROUND}]*)*(?:[eE][+\\-]?[0-9]+[${OVERLOOKED}%]*)?$`;
const TRUTH = `[${OVERLOOKED}]*(?:${TRUTHS.map(anyCase).join('|')})[${OVERLOOKED}]*$`;

/**
 * What must not begin a cell as it stands: a formula, what would be converted, and the guard itself, so that it can be
 * taken off again: a cell that begins with an apostrophe has exactly one too many. A quote is guarded so that ends of
 * lines can be told (see `csvLineEnds`). The same pattern serves JavaScript and PostgreSQL.
 */
export const UNSAFE = `^(?:[${OVERLOOKED}]*[=+\\-@\\uff1d\\uff0b\\uff0d\\uff20]|[\\t\\r\\n"']|${NUMBER}|${TRUTH})`;
const unsafe = new RegExp(UNSAFE);
/** No number or date has the dashes of an id, though it may have nothing but digits. */
const id = /^[0-9][\s\S]{7}-[\s\S]{4}-/;

/** One cell that a spreadsheet shows as text and never runs; quoted, whatever it holds (RFC 4180). */
export function csvCell(value: string | null): string {
  // PostgreSQL stores neither.
  const text = (value ?? '').toWellFormed().replaceAll('\u0000', '\uFFFD');
  return `"${(unsafe.test(text) && !id.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
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
  // Never empty, and last for it: see csvLineEnds.
  'Event id': idOf,
};

const line = (cells: readonly string[]): string => `${cells.join(',')}\r\n`;

/** The byte order mark tells spreadsheets that this is UTF-8. */
export const CSV_HEAD = `\uFEFF${line(Object.keys(CSV_COLUMNS).map(csvCell))}`;

export const csvRow = (row: LogRow): string => line(Object.values(CSV_COLUMNS).map((read) => csvCell(read(row))));

const LF = 10;
const CR = 13;
const QUOTE = 34;

/**
 * Makes RFC 4180 of what COPY wrote, whose lines end with LF, and counts them. A line ends where an odd number of quotes
 * stands before LF: a quote within a cell is doubled, no cell begins with a quote or a line end, and the last is never empty.
 */
export function csvLineEnds(): (chunk: Buffer) => { bytes: Buffer; lines: number } {
  /** Quotes at the end of what came before. */
  let before = 0;
  const quotesUpTo = (chunk: Buffer, end: number): number => {
    let at = end;
    while (at > 0 && chunk[at - 1] === QUOTE) at -= 1;
    return end - at + (at === 0 ? before : 0);
  };
  return (chunk) => {
    const ends: number[] = [];
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) if (quotesUpTo(chunk, at) % 2 === 1) ends.push(at);
    const bytes = Buffer.allocUnsafe(chunk.length + ends.length);
    let [from, to] = [0, 0];
    for (const at of ends) {
      to += chunk.copy(bytes, to, from, at);
      bytes[to] = CR;
      bytes[to + 1] = LF;
      to += 2;
      from = at + 1;
    }
    chunk.copy(bytes, to, from);
    before = quotesUpTo(chunk, chunk.length);
    return { bytes, lines: ends.length };
  };
}
