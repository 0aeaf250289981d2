import { isFormula } from '../../core/cells.ts';

/** A setup with `${variable}` in it, and the rows that make setups of it. */

/** What a row has for a variable: the cell as it is, and its several values. */
export interface Cell {
  readonly text: string;
  readonly values: readonly string[];
}
export type Cells = ReadonlyMap<string, Cell>;

export interface Variable {
  readonly name: string;
  /** It stands outside of any list, and has no default: without a value there is no setup. */
  readonly required: boolean;
}

/** Columns that say what became of a row; they are not read. */
export const RESULT_COLUMNS: readonly string[] = ['result', 'reason'];

const VARIABLE = /\$\{([A-Za-z][\w-]*)(?::-([^{}]*))?\}/g;

export function cellOf(text: string): Cell {
  return { text: text.trim(), values: text.split(';').map((value) => value.trim()).filter((value) => value !== '') };
}

/** The variables of a template in their order, or why it is none. */
export function variablesOf(template: unknown): { readonly variables: readonly Variable[] } | { readonly reason: string } {
  const found = new Map<string, boolean>();
  const broken: string[] = [];
  const look = (node: unknown, inList: boolean): void => {
    if (Array.isArray(node)) for (const one of node) look(one, true);
    else if (typeof node === 'object' && node !== null) for (const one of Object.values(node)) look(one, inList);
    else if (typeof node === 'string') {
      if (node.replaceAll(VARIABLE, '').includes('${')) broken.push(node);
      for (const [, name = '', otherwise] of node.matchAll(VARIABLE)) found.set(name, (found.get(name) ?? false) || (!inList && otherwise === undefined));
    }
  };
  look(template, false);
  const [first] = broken;
  if (first !== undefined) return { reason: `“${first}” has a variable that cannot be read. One is written \${name} or \${name:-default}` };
  const reserved = RESULT_COLUMNS.find((name) => found.has(name));
  if (reserved !== undefined) return { reason: `\${${reserved}} cannot be a variable: a column of that name says what became of a row` };
  if (found.size === 0) return { reason: 'The template has no ${variable}, so that every row would be the same setup' };
  return { variables: [...found].map(([name, required]) => ({ name, required })) };
}

/** An item of a list that is left out, for a cell of its is empty. */
const LEFT_OUT = Symbol('left out');

/** Five hundred people, twenty owners, fifty applications of five hundred destinations would be more; one row of a table is less. */
const ITEMS_MAX = 2_000;

/** A text of the template with its cells in it, and the columns of those. */
class Filled {
  readonly text: string;
  readonly columns: readonly string[];
  constructor(text: string, columns: readonly string[]) {
    this.text = text;
    this.columns = columns;
  }
}

/** The place of a value, within lists and fields. */
export type Path = readonly (string | number)[];

/** The setup of one row, with the columns that a value of it is made of, or what speaks against it. */
export function fill(template: unknown, cells: Cells): { readonly value: unknown; columnsAt(path: Path): readonly string[] } | { readonly reasons: readonly string[] } {
  const reasons = new Set<string>();
  let made = 0;

  const filled = (node: unknown, row: Cells, inList: boolean): unknown => {
    if (typeof node === 'string') return text(node, row, inList);
    if (Array.isArray(node)) return node.flatMap((item) => items(item, row));
    if (typeof node !== 'object' || node === null) return node;
    const entries = Object.entries(node).map(([key, one]) => [key, filled(one, row, inList)] as const);
    return entries.some(([, one]) => one === LEFT_OUT) ? LEFT_OUT : Object.fromEntries(entries);
  };

  const text = (node: string, row: Cells, inList: boolean): unknown => {
    let isLeftOut = false;
    const columns = new Set<string>();
    const result = node.replaceAll(VARIABLE, (_all, name: string, otherwise: string | undefined) => {
      columns.add(name);
      const given = row.get(name)?.text ?? '';
      if (given === '' && otherwise === undefined) {
        if (inList) isLeftOut = true;
        else reasons.add(`${name} is empty, and there is no setup without it`);
      }
      return given === '' ? otherwise ?? '' : given;
    });
    return isLeftOut ? LEFT_OUT : new Filled(result, [...columns]);
  };

  const items = (item: unknown, row: Cells): unknown[] => {
    const several = [...ownVariables(item)].flatMap(([name, otherwise]) => {
      const values = row.get(name)?.values ?? [];
      return [{ name, values: values.length > 0 ? values : otherwise === undefined ? [] : [otherwise] }];
    });
    const times = Math.max(1, ...several.map(({ values }) => values.length));
    const uneven = several.find(({ values }) => values.length > 1 && values.length !== times);
    if (uneven) {
      const longest = several.find(({ values }) => values.length === times);
      reasons.add(`${longest?.name ?? ''} has ${times} values and ${uneven.name} has ${uneven.values.length}: give each as many, or one for all`);
      return [];
    }
    // Lists within lists multiply: far above what a setup holds, it is nobody's setup.
    made += times;
    if (made > ITEMS_MAX) {
      reasons.add(`its lists have more than ${ITEMS_MAX} entries in all`);
      return [];
    }
    return Array.from({ length: times }, (_, index) => {
      const own = new Map(several.flatMap(({ name, values }) => (values.length === 0 ? [] : [[name, cellOfOne(values[index] ?? values[0] ?? '')] as const])));
      return filled(item, new Map([...row, ...own]), true);
    }).filter((one) => one !== LEFT_OUT);
  };

  const whole = filled(template, cells, false);
  return reasons.size > 0 ? { reasons: [...reasons] } : { value: plain(whole), columnsAt: (path) => { const made = filledIn(at(whole, path)); return made.length > 0 ? made : columnsOf(template, path); } };
}

function plain(node: unknown): unknown {
  if (node instanceof Filled) return node.text;
  if (Array.isArray(node)) return node.map(plain);
  return typeof node === 'object' && node !== null ? Object.fromEntries(Object.entries(node).map(([key, one]) => [key, plain(one)])) : node;
}

const at = (root: unknown, path: Path): unknown => path.reduce<unknown>((node, key) => (typeof node === 'object' && node !== null ? (node as Record<string | number, unknown>)[key] : undefined), root);

/** What would stand there: the columns without a default, which are to be filled in; where each has one, all of them. */
function columnsOf(template: unknown, path: Path): readonly string[] {
  const list = path.findIndex((key) => typeof key === 'number');
  const found = variablesIn(at(template, list < 0 ? path : path.slice(0, list)));
  const open = found.filter(([, otherwise]) => otherwise === undefined);
  return distinct((open.length > 0 ? open : found).map(([name]) => name));
}

function variablesIn(node: unknown): (readonly [name: string, otherwise: string | undefined])[] {
  if (typeof node === 'string') return [...node.matchAll(VARIABLE)].map(([, name = '', otherwise]) => [name, otherwise] as const);
  return typeof node === 'object' && node !== null ? Object.values(node).flatMap(variablesIn) : [];
}

function filledIn(node: unknown): readonly string[] {
  if (node instanceof Filled) return node.columns;
  return typeof node === 'object' && node !== null ? distinct(Object.values(node).flatMap(filledIn)) : [];
}

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)];

const cellOfOne = (value: string): Cell => ({ text: value, values: [value] });

/** Variables of an item with their defaults; those of lists within it are theirs. */
function ownVariables(item: unknown, found = new Map<string, string | undefined>()): ReadonlyMap<string, string | undefined> {
  if (typeof item === 'string') for (const [, name = '', otherwise] of item.matchAll(VARIABLE)) found.set(name, found.get(name) ?? otherwise);
  else if (typeof item === 'object' && item !== null && !Array.isArray(item)) for (const one of Object.values(item)) ownVariables(one, found);
  return found;
}

/**
 * Why a cell is refused, if it is: opened by the next one in a spreadsheet it would be run. One that was made harmless
 * with an apostrophe is none that anybody wrote either.
 */
export function suspicious(column: string, cell: string): string | undefined {
  return isFormula(cell.startsWith('\'') ? cell.slice(1) : cell) ? `${column} begins like a formula (${JSON.stringify(cell.trim().slice(0, 20))}). A cell begins with none of = + - @, a tab or a line break` : undefined;
}
