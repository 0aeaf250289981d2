import { PRESETS, SetupSource, type SetupDefinition } from '@gatehouse/contracts';
import { isMap, isPair, isScalar, LineCounter, parseDocument, stringify, visit, type Document } from 'yaml';
import { parseSource, type SourceIssue } from './setup-source.rules.ts';
import { canonical } from './steps.rules.ts';

/** Where a file is wrong: the line, from 1, and what is wrong there. */
export interface Mistake {
  readonly line: number;
  readonly message: string;
}

/** A file of YAML 1.2 or of JSON, which is a part of it. */
export interface OpenFile {
  readonly value: unknown;
  /** Where the value begins, or the key in it; where there is none, what it is missing in. */
  lineOf(path: readonly PropertyKey[], key?: string): number;
  /** How many are in the list there; `undefined` where there is none. */
  count(path: readonly PropertyKey[]): number | undefined;
}

/** A setup of a file, not yet whole: names in it are to be looked up. */
export interface LocatedSource {
  readonly source: SetupSource;
  /** What is found wrong with it later, by its lines. */
  mistakesOf(issues: readonly SourceIssue[]): readonly Mistake[];
}

/** More are not listed: whoever mends these sees the rest. */
const SHOWN = 20;

/** So many are put in the order of their lines: to find the line of each takes the longer the more there are. */
const ORDERED = 500;

/** The first of what is wrong, and how many more there are. `told` is asked for those alone that are shown. */
export function firstOf<T>(all: readonly T[], told: (one: T) => Mistake, total = all.length): readonly Mistake[] {
  const shown = all.slice(0, SHOWN).map(told);
  return total > SHOWN ? [...shown, { line: shown.at(-1)?.line ?? 1, message: `And ${(total - SHOWN).toLocaleString('en')} more.` }] : shown;
}

/** The order in which a person reads a setup; a file that was written twice is the same twice. */
const ORDER = ['group', 'owners', 'roleSettings', 'ownerRoleSettings', 'eligible', 'applications'] as const;

/** What a file says of itself and of what became of it; no part of a setup. */
export const BESIDE = ['$schema', 'result', 'reason'] as const;

/** JSON Schema of such a file: made from the contract that reads it, so that it cannot differ. What only code can check is not in it. */
export const SETUP_FILE_SCHEMA: Record<string, unknown> = (() => {
  const schema = SetupSource.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as { properties?: Record<string, unknown> };
  return { title: 'A setup of Gatehouse', ...schema, properties: { ...Object.fromEntries(BESIDE.map((name) => [name, { type: 'string' }])), ...schema.properties } };
})();

/** A setup as a file. Editors that know the schema help to fill it in. */
export function writeSetupFile(definition: SetupDefinition, format: 'yaml' | 'json', schemaUrl: string): string {
  const ordered = Object.fromEntries(ORDER.map((name) => [name, definition[name]]));
  if (format === 'json') return `${JSON.stringify({ $schema: schemaUrl, ...ordered }, null, 2)}\n`;
  return `# yaml-language-server: $schema=${schemaUrl}\n${writeYaml(ordered)}`;
}

/** Many setups in one file; settings that are a preset's go by its name, for a file is to be read. */
export function writeSetups(sources: readonly (SetupSource | SetupDefinition)[]): string {
  return writeYaml({ setups: sources.map((one) => Object.fromEntries(ORDER.map((name) => [name, name === 'roleSettings' || name === 'ownerRoleSettings' ? briefly(one[name]) : one[name]]))) });
}

export const writeYaml = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

function briefly(settings: SetupSource['roleSettings'] | null): unknown {
  const same = settings !== null && Object.entries(PRESETS).find(([, preset]) => canonical(preset.roleSettings) === canonical(settings));
  return same ? same[0] : settings;
}

/** Opens YAML or JSON. What is neither is said with its line, and nothing is taken. */
export function openFile(text: string): OpenFile | { readonly mistakes: readonly Mistake[] } {
  if (!isUtf8(text)) return { mistakes: [{ line: 1, message: NOT_UTF8 }] };
  const lines = new LineCounter();
  const at = (offset: number | undefined): number => (offset === undefined ? 1 : lines.linePos(offset).line);
  // The parser compares each key with every other one of its map, which takes minutes for some ten thousand of them.
  const document = parseDocument(text.replace(/^\uFEFF/, ''), { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  if (isTooDeep(document)) return { mistakes: [{ line: 1, message: 'The file has lists and fields within each other far deeper than a setup has them.' }] };
  if (document.errors.length > 0) return { mistakes: firstOf(document.errors, ({ pos, message }) => ({ line: at(pos[0]), message: `This is neither YAML nor JSON here: ${begunSmall(message)}` })) };
  const repeated = keysTwice(document);
  if (repeated.length > 0) return { mistakes: firstOf(repeated, ({ offset, key }) => ({ line: at(offset), message: `${inBrief(key)} is there twice.` })) };
  try {
    // An alias may stand for more than a file holds: a hundred uses are enough.
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    // An escape may name what no text has, and no database keeps.
    if (!holdsText(value)) return { mistakes: [{ line: 1, message: 'The file has the code of a character that is none, such as \\u0000.' }] };
    return {
      value,
      lineOf: (path, key) => at(key === undefined ? offsetOf(document, path) : offsetOfKey(document, path, key)),
      count: (path) => {
        const list = path.reduce<unknown>((node, key) => (node as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
        return Array.isArray(list) ? list.length : undefined;
      },
    };
  } catch {
    return { mistakes: [{ line: 1, message: 'The file repeats itself by aliases too often.' }] };
  }
}

/** Ten are enough for any setup; some thousands would be more than the stack of who reads them holds. */
const DEEPEST = 100;

function isTooDeep(document: Document): boolean {
  let found = document.errors.some(({ message }) => /call stack/.test(message));
  visit(document, {
    Collection: (_key, _node, path) => {
      found ||= path.length > DEEPEST;
      return found ? visit.BREAK : undefined;
    },
  });
  return found;
}

interface KeyTwice { readonly offset: number | undefined; readonly key: string }

function keysTwice(document: Document): KeyTwice[] {
  const found: KeyTwice[] = [];
  visit(document, {
    Map: (_key, { items }) => {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (seen.has(name)) found.push({ offset: key.range?.[0], key: name });
        seen.add(name);
      }
    },
  });
  return found;
}

/** A word of the file within a sentence: it may be as long as the file. */
export const inBrief = (word: string): string => (word.length > 60 ? `${word.slice(0, 60)}…` : word);

/** What another encoding leaves, read as UTF-8, is no text: zeros, and signs that stand for what cannot be read. */
export const isUtf8 = (text: string): boolean => text.isWellFormed() && !/[\u0000\uFFFD]/.test(text);
export const NOT_UTF8 = 'This is no text in UTF-8. Save the file as UTF-8 and open it again.';

function holdsText(value: unknown): boolean {
  if (typeof value === 'string') return isUtf8(value);
  return typeof value !== 'object' || value === null || Object.entries(value).every(([key, one]) => isUtf8(key) && holdsText(one));
}

/** Reads the setup that stands there in the file. */
export function sourceAt(file: OpenFile, path: readonly (string | number)[]): LocatedSource | { readonly mistakes: readonly Mistake[] } {
  const value = path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], file.value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { mistakes: [{ line: file.lineOf(path), message: 'A setup has group, roleSettings, eligible and applications. Download one to see how it looks.' }] };
  return located(parseSource(Object.fromEntries(Object.entries(value).filter(([key]) => !(BESIDE as readonly string[]).includes(key)))), (inner, key) => file.lineOf([...path, ...inner], key));
}

/** What was read, with the lines of what is wrong. `nameOf`: what a place is called where the file has it. */
export function located(parsed: ReturnType<typeof parseSource>, lineOf: OpenFile['lineOf'], nameOf = (path: SourceIssue['path']): string => path.join('.')): LocatedSource | { readonly mistakes: readonly Mistake[] } {
  const toldOf = ({ path, key, message }: SourceIssue): Mistake => (key === undefined
    ? { line: lineOf(path), message: `${path.length === 0 ? '' : `${nameOf(path)}: `}${message}.`.replace(/\.\.$/, '.') }
    : { line: lineOf(path, key), message: `${[...path, inBrief(key)].join('.')} ${message}.` });
  const mistakesOf = (issues: readonly SourceIssue[]): readonly Mistake[] => {
    // Several values that one cell made are wrong in the same way: that is one thing to mend.
    const told = [...new Map(issues.slice(0, ORDERED).map(toldOf).map((mistake) => [`${mistake.line} ${mistake.message}`, mistake])).values()].toSorted((a, b) => a.line - b.line);
    return firstOf(told, (mistake) => mistake, told.length + Math.max(0, issues.length - ORDERED));
  };
  return 'source' in parsed ? { source: parsed.source, mistakesOf } : { mistakes: mistakesOf(parsed.issues) };
}

/** Reads a file of one setup. Whatever is wrong is said with its line, and nothing is taken. */
export function readSetupFile(text: string): LocatedSource | { readonly mistakes: readonly Mistake[] } {
  const file = openFile(text);
  return 'mistakes' in file ? file : sourceAt(file, []);
}

/** Where the value begins; where it is missing, what it is missing in. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range as readonly number[] | undefined : undefined;
    if (range) return range[0];
  }
  return undefined;
}

function offsetOfKey(document: Document, path: readonly PropertyKey[], key: string): number | undefined {
  const map: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(map)) return offsetOf(document, path);
  const pair = map.items.find((one) => isPair(one) && isScalar(one.key) && String(one.key.value) === key);
  return pair && isScalar(pair.key) ? pair.key.range?.[0] : offsetOf(document, path);
}

/** The parser's sentence, begun small and without its own full stop. */
const begunSmall = (message: string): string => `${message.charAt(0).toLowerCase()}${message.slice(1).replace(/\.?\s*$/, '.')}`;
