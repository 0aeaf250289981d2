import { BATCH_COLUMNS_MAX, BATCH_ROWS_MAX, DEFAULT_TEMPLATE, type BatchFormat } from '@gatehouse/contracts';
import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { safeCell } from '../../core/cells.ts';
import { BESIDE, firstOf, inBrief, isUtf8, located, NOT_UTF8, openFile, parseSource, sourceAt, writeYaml, type LocatedSource, type Mistake } from '../setup/setup.ts';
import { cellOf, fill, RESULT_COLUMNS, suspicious, variablesOf, type Cells, type Variable } from './template.rules.ts';

/** A file of many setups: read to rows, and written again with what became of them. */

/** Between the cells. A spreadsheet of a country that writes 0,5 has semicolons. */
type Delimiter = ',' | ';';

/** How the file is made, to write another one like it. */
export type FileForm =
  | { readonly kind: 'csv'; readonly columns: readonly string[]; readonly template: string | null; readonly delimiter: Delimiter }
  | { readonly kind: 'rows'; readonly template: unknown }
  | { readonly kind: 'setups' };

export interface FileRow {
  readonly line: number;
  /** Of the group; what the row says of it where it is none. */
  readonly name: string;
  /** As it stands in the file: its cells, or its value. */
  readonly written: unknown;
  readonly read: LocatedSource | { readonly mistakes: readonly Mistake[] };
}

export interface BatchFile {
  readonly form: FileForm;
  readonly rows: readonly FileRow[];
}

type Refused = { readonly mistakes: readonly Mistake[] };

const NAME_MAX = 256;
const refused = (line: number, message: string): Refused => ({ mistakes: [{ line, message }] });
const tooMany = (count: number): Refused => refused(1, `The file has ${count.toLocaleString('en')} setups, and a batch has at most ${BATCH_ROWS_MAX.toLocaleString('en')}. Split it.`);

export interface BatchText { readonly format: BatchFormat; readonly text: string; readonly template?: string | undefined }

/** Reads a file. What is wrong with the file as a whole refuses it; what is wrong with one row is that row's. */
export function readBatchFile({ format, text, template }: BatchText): BatchFile | Refused {
  return format === 'csv' ? readCsv(text, template) : readYaml(text);
}

function readYaml(text: string): BatchFile | Refused {
  const file = openFile(text);
  if ('mistakes' in file) return file;
  const content = file.value;
  if (!isFields(content)) return refused(1, 'A file has one setup, or setups: and a list of them, or template: and rows:.');
  const unknown = (known: readonly string[]): readonly Mistake[] => firstOf(Object.keys(content).filter((key) => !known.includes(key) && !(BESIDE as readonly string[]).includes(key)), (key) => ({ line: file.lineOf([], key), message: `${inBrief(key)} is not known here, beside ${known.join(' and ')}.` }));

  if ('setups' in content) {
    const mistakes = unknown(['setups']);
    if (mistakes.length > 0) return { mistakes };
    const count = file.count(['setups']) ?? 0;
    if (count === 0) return refused(file.lineOf(['setups']), 'setups: is a list of at least one setup.');
    if (count > BATCH_ROWS_MAX) return tooMany(count);
    return {
      form: { kind: 'setups' },
      rows: (content['setups'] as unknown[]).map((written, index) => ({ line: file.lineOf(['setups', index]), name: nameOf(written, `setup ${index + 1}`), written, read: sourceAt(file, ['setups', index]) })),
    };
  }
  if ('template' in content || 'rows' in content) {
    const mistakes = unknown(['template', 'rows']);
    if (mistakes.length > 0) return { mistakes };
    const count = file.count(['rows']) ?? 0;
    if (count === 0) return refused(file.lineOf(['rows']), 'rows: is a list of at least one row, each with the values of the template’s variables.');
    if (count > BATCH_ROWS_MAX) return tooMany(count);
    const { template } = content;
    const told = variablesOf(template);
    if (!isFields(template)) return refused(file.lineOf([], 'template'), 'template: is a setup with ${variables} in it.');
    if ('reason' in told) return refused(file.lineOf(['template']), `${told.reason}.`);
    return {
      form: { kind: 'rows', template },
      rows: (content['rows'] as unknown[]).map((written, index): FileRow => {
        const line = file.lineOf(['rows', index]);
        if (!isFields(written)) return { line, name: `row ${index + 1}`, written, read: refused(line, 'A row has a value for each variable of the template.') };
        const cells = new Map(Object.entries(written).filter(([name]) => !RESULT_COLUMNS.includes(name)).map(([name, value]) => [name, asCell(value)] as const));
        const strange = firstOf([...cells].flatMap(([name, cell]) => [
          ...(told.variables.some((one) => one.name === name) ? [] : [[name, ` is no variable of the template; it has ${listed(told.variables)}.`] as const]),
          ...(cell === undefined ? [[name, ': a text, a number or a list of them is expected here.'] as const] : []),
        ]), ([name, message]) => ({ line: file.lineOf(['rows', index], name), message: `${inBrief(name)}${message}` }));
        return rowOf(template, new Map([...cells].flatMap(([name, cell]) => (cell ? [[name, cell] as const] : []))), strange, line, written, `row ${index + 1}`);
      }),
    };
  }
  return { form: { kind: 'setups' }, rows: [{ line: file.lineOf([]), name: nameOf(content, 'setup 1'), written: content, read: sourceAt(file, []) }] };
}

function readCsv(text: string, templateText: string | undefined): BatchFile | Refused {
  // Asked before anything is made of it: what another encoding left is no text.
  if (!isUtf8(text)) return refused(1, NOT_UTF8);
  const template = openFile(templateText ?? DEFAULT_TEMPLATE);
  const inTemplate = (line: number, message: string): Refused => refused(line, `Of the template: ${message}`);
  if ('mistakes' in template) return { mistakes: template.mistakes.map(({ line, message }) => ({ line, message: `Of the template: ${message}` })) };
  if (!isFields(template.value)) return inTemplate(1, 'It is a setup with ${variables} in it.');
  const told = variablesOf(template.value);
  if ('reason' in told) return inTemplate(1, `${told.reason}.`);

  let records: readonly CsvLine[];
  const delimiter = delimiterOf(text);
  try {
    records = linesOf(text, delimiter);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return refused(typeof error['lines'] === 'number' ? error['lines'] : 1, `A quote is out of place. A cell with a quote, a ${NAMES[delimiter]} or a line break in it stands in quotes, and a quote within is written twice.`);
  }
  const [header, ...rows] = records;
  if (!header || rows.length === 0) return refused(1, 'The file has a line of columns and a line for each setup.');
  if (rows.length > BATCH_ROWS_MAX) return tooMany(rows.length);
  if (header.record.length > BATCH_COLUMNS_MAX) return refused(header.line, `The file has ${header.record.length.toLocaleString('en')} columns, and a batch reads at most ${BATCH_COLUMNS_MAX}. Leave those that the template has: ${listed(told.variables)}.`);
  const columns = header.record.map((cell) => cell.trim());
  const mistakes = firstOf(headerMistakes(columns, told.variables), (message) => ({ line: header.line, message }));
  if (mistakes.length > 0) return { mistakes };

  return {
    form: { kind: 'csv', columns: columns.filter((column) => !RESULT_COLUMNS.includes(column)), template: templateText ?? null, delimiter },
    rows: rows.map(({ record, line }, index) => {
      const cells = columns.map((column, at) => ({ column, cell: record[at] ?? '' })).filter(({ column }) => !RESULT_COLUMNS.includes(column));
      const strange = firstOf([
        ...(record.length > columns.length ? [`The line has ${record.length} cells, and there are ${columns.length} columns. A cell with a ${NAMES[delimiter]} in it stands in quotes`] : []),
        ...cells.flatMap(({ column, cell }) => suspicious(column, cell) ?? []),
      ], (message) => ({ line, message: `${message}.` }));
      return rowOf(template.value, new Map(cells.map(({ column, cell }) => [column, cellOf(cell)])), strange, line, cells.map(({ cell }) => cell), `row ${index + 1}`);
    }),
  };
}

interface CsvLine { readonly record: readonly string[]; readonly line: number }

const NAMES: Readonly<Record<Delimiter, string>> = { ',': 'comma', ';': 'semicolon' };

/** What the first line with a name in it has between its cells: a column's name has neither. */
function delimiterOf(text: string): Delimiter {
  const header = /^.*[^\s,;].*$/m.exec(text)?.[0] ?? '';
  return header.includes(';') && !header.includes(',') ? ';' : ',';
}

function linesOf(text: string, delimiter: Delimiter): CsvLine[] {
  const lines: CsvLine[] = [];
  let before = 0;
  parse(text, {
    bom: true, delimiter, relax_column_count: true, record_delimiter: ['\r\n', '\n', '\r'],
    on_record: (record: readonly string[], info) => {
      if (record.some((cell) => cell.trim() !== '')) lines.push({ record, line: before + 1 });
      before = info.lines;
      return null;
    },
  });
  return lines;
}

function headerMistakes(columns: readonly string[], variables: readonly Variable[]): string[] {
  const repeated = columns.filter((column, index) => columns.indexOf(column) !== index);
  const unknown = columns.filter((column) => !RESULT_COLUMNS.includes(column) && !variables.some(({ name }) => name === column));
  const missing = variables.filter(({ name, required }) => required && !columns.includes(name));
  return [
    ...unknown.map((column) => (column === '' ? 'A column has no name.' : `${inBrief(column)} is no column of the template; it has ${listed(variables)}.`)),
    ...[...new Set(repeated)].map((column) => `The column ${inBrief(column)} is there twice.`),
    ...missing.map(({ name }) => `The column ${name} is missing.`),
  ];
}

/** A row with the setup that it makes, or with why it makes none. */
function rowOf(template: unknown, cells: Cells, strange: readonly Mistake[], line: number, written: unknown, otherwise: string): FileRow {
  const filled = fill(template, cells);
  const name = nameOf('value' in filled ? filled.value : undefined, [...cells.values()].find(({ text }) => text !== '')?.text ?? otherwise);
  if (strange.length > 0) return { line, name, written, read: { mistakes: strange } };
  if ('reasons' in filled) return { line, name, written, read: { mistakes: filled.reasons.map((reason) => ({ line, message: `${reason}.` })) } };
  return { line, name, written, read: located(parseSource(filled.value, true), () => line, (path) => columnsIn(filled.columnsAt(path), path)) };
}

const isFields = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const listed = (variables: readonly Variable[]): string => inWords(variables.map(({ name }) => name));
/** So many names are read in a sentence. */
const NAMED = 20;
const inWords = (names: readonly string[]): string => `${names.slice(0, NAMED).map(inBrief).join(', ')}${names.length > NAMED ? ` and ${names.length - NAMED} more` : ''}`;
/** By the columns that are to be mended; where none made the value, it is the template's own. */
const columnsIn = (columns: readonly string[], path: readonly (string | number)[]): string => (columns.length > 0 ? inWords(columns) : `${path.join('.')} of the template`);

function asCell(value: unknown): ReturnType<typeof cellOf> | undefined {
  const plain = (one: unknown): string | undefined => (one === null || one === undefined ? '' : ['string', 'number', 'boolean'].includes(typeof one) ? String(one) : undefined);
  if (!Array.isArray(value)) {
    const text = plain(value);
    return text === undefined ? undefined : cellOf(text);
  }
  const values = value.map(plain);
  return values.every((one) => one !== undefined) ? { text: values.join('; '), values: values.filter((one) => one !== '') } : undefined;
}

function nameOf(setup: unknown, otherwise: string): string {
  const group = isFields(setup) ? setup['group'] : undefined;
  const name = isFields(group) && typeof group['displayName'] === 'string' ? group['displayName'].trim() : '';
  return (name === '' ? otherwise : name).slice(0, NAME_MAX);
}

/** Writes a file of the same form, with what became of each row: what it says of that is not read again. */
export function writeBatchFile(form: FileForm, rows: readonly { readonly written: unknown; readonly result: string; readonly reason: string }[]): string {
  if (form.kind === 'csv') {
    const lines = rows.map(({ written, result, reason }) => [...(written as readonly string[]), result, reason]);
    return stringify([[...form.columns, ...RESULT_COLUMNS], ...lines].map((line) => line.map(safeCell)), { record_delimiter: '\r\n', delimiter: form.delimiter, quoted_match: /[,;]/ });
  }
  const told = rows.map(({ written, result, reason }) => (isFields(written) ? { ...written, result, ...(reason === '' ? { reason: undefined } : { reason }) } : written));
  return writeYaml(form.kind === 'rows' ? { template: form.template, rows: told } : { setups: told });
}
