import { SetupDefinition } from '@gatehouse/contracts';
import { isMap, isPair, isScalar, LineCounter, parseDocument, stringify, type Document } from 'yaml';

/** Where a file is wrong: the line, from 1, and what is wrong there. */
export interface Mistake {
  readonly line: number;
  readonly message: string;
}

export type SetupFile = { readonly definition: SetupDefinition } | { readonly mistakes: readonly Mistake[] };

/** More are not listed: whoever mends these sees the rest. */
const SHOWN = 20;

/** The order in which a person reads a setup; a file that was written twice is the same twice. */
const ORDER = ['group', 'owners', 'roleSettings', 'ownerRoleSettings', 'eligible', 'applications'] as const;

/** JSON Schema of such a file: made from the contract that reads it, so that it cannot differ. What only code can check is not in it. */
export const SETUP_FILE_SCHEMA: Record<string, unknown> = (() => {
  const schema = SetupDefinition.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as { properties?: Record<string, unknown> };
  return { title: 'A setup of Gatehouse', ...schema, properties: { $schema: { type: 'string' }, ...schema.properties } };
})();

/** A setup as a file. Editors that know the schema help to fill it in. */
export function writeSetupFile(definition: SetupDefinition, format: 'yaml' | 'json', schemaUrl: string): string {
  const ordered = Object.fromEntries(ORDER.map((name) => [name, definition[name]]));
  if (format === 'json') return `${JSON.stringify({ $schema: schemaUrl, ...ordered }, null, 2)}\n`;
  return `# yaml-language-server: $schema=${schemaUrl}\n${stringify(ordered, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

/** Reads a setup from YAML 1.2 or JSON, which is a part of it. Whatever is wrong is said with its line, and nothing is taken. */
export function readSetupFile(text: string): SetupFile {
  const lines = new LineCounter();
  const document = parseDocument(text.replace(/^\uFEFF/, ''), { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number | undefined): number => (offset === undefined ? 1 : lines.linePos(offset).line);
  if (text.includes('\u0000')) return { mistakes: [{ line: 1, message: 'This is no text in UTF-8. Save the file as UTF-8 and open it again.' }] };
  if (document.errors.length > 0) return { mistakes: document.errors.slice(0, SHOWN).map(({ pos, message }) => ({ line: at(pos[0]), message: `This is neither YAML nor JSON here: ${inWords(message)}` })) };
  if (!isMap(document.contents)) return { mistakes: [{ line: 1, message: 'A setup has group, roleSettings, eligible and applications. Download one to see how it looks.' }] };

  let value: unknown;
  try {
    // An alias may stand for more than a file holds: a hundred uses are enough for a setup.
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    return { mistakes: [{ line: 1, message: 'The file repeats itself by aliases too often.' }] };
  }
  const { $schema: _schema, ...content } = value as Record<string, unknown>;
  const parsed = SetupDefinition.safeParse(content);
  if (parsed.success) return { definition: parsed.data };

  const mistakes = parsed.error.issues.flatMap((issue): Mistake[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ line: at(offsetOfKey(document, issue.path, key)), message: `${[...path, key].join('.')} is not known here.` }));
    return [{ line: at(offsetOf(document, issue.path)), message: `${path.length === 0 ? '' : `${path.join('.')}: `}${expectation(issue) ?? issue.message}.`.replace(/\.\.$/, '.') }];
  });
  return { mistakes: mistakes.toSorted((a, b) => a.line - b.line).slice(0, SHOWN) };
}

/** In words, where the contract has none of its own. */
function expectation(issue: { readonly code: string; readonly input?: unknown; readonly expected?: unknown; readonly values?: readonly unknown[]; readonly message: string }): string | undefined {
  if (!issue.message.startsWith('Invalid')) return undefined;
  if (issue.code === 'invalid_type') return KINDS[String(issue.expected)] ?? issue.message;
  if (issue.code === 'invalid_value' && issue.values) return `one of ${issue.values.map(String).join(', ')} is expected here`;
  return undefined;
}
const KINDS: Readonly<Record<string, string>> = {
  string: 'a text is expected here', number: 'a number is expected here', int: 'a whole number is expected here', boolean: 'true or false is expected here', array: 'a list is expected here', object: 'fields are expected here',
};

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
const inWords = (message: string): string => `${message.charAt(0).toLowerCase()}${message.slice(1).replace(/\.?\s*$/, '.')}`;
