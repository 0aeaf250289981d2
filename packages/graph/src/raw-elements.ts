/**
 * The elements of the top-level `value` array of a JSON object, each as the text that was received.
 * `JSON.parse` would lose it: order and spacing, escapes, seven-digit fractions, numbers beyond a double.
 * The text must be JSON (the caller has parsed it); `undefined` when it is no object with such an array.
 */
export function rawElements(json: string): readonly string[] | undefined {
  let at = skipSpace(json, 0);
  if (json[at] !== '{') return undefined;
  at = skipSpace(json, at + 1);
  let elements: readonly string[] | undefined;
  while (json[at] === '"') {
    const keyEnd = endOfString(json, at);
    const key: unknown = JSON.parse(json.slice(at, keyEnd));
    // Over the colon, to the member's value.
    at = skipSpace(json, skipSpace(json, keyEnd) + 1);
    // A repeated key: the last one counts, as for JSON.parse.
    if (key === 'value') elements = json[at] === '[' ? elementsOfArray(json, at) : undefined;
    at = skipSpace(json, endOfValue(json, at));
    if (json[at] !== ',') break;
    at = skipSpace(json, at + 1);
  }
  return elements;
}

function elementsOfArray(json: string, start: number): readonly string[] {
  const elements: string[] = [];
  let at = skipSpace(json, start + 1);
  while (at < json.length && json[at] !== ']') {
    const end = endOfValue(json, at);
    elements.push(json.slice(at, end));
    at = skipSpace(json, end);
    if (json[at] === ',') at = skipSpace(json, at + 1);
  }
  return elements;
}

const QUOTE = 0x22, COMMA = 0x2C, OPEN_LIST = 0x5B, CLOSE_LIST = 0x5D, OPEN_OBJECT = 0x7B, CLOSE_OBJECT = 0x7D;

/** Index after the value that begins at `start`. Brackets are only counted, for the text is known to be JSON. By codes and not by characters: a page has a million. */
function endOfValue(json: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < json.length) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(json, at);
      if (depth === 0) return at;
      continue;
    }
    if (code === OPEN_OBJECT || code === OPEN_LIST) depth += 1;
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      // The bracket of what surrounds a number or a word.
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (code === COMMA || isSpace(json[at]))) return at;
    at += 1;
  }
  return at;
}

/** Index after the closing quote. A quote is escaped when an odd number of backslashes stands before it. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = json.indexOf('"', at);
    if (quote === -1) return json.length;
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function skipSpace(json: string, start: number): number {
  let at = start;
  while (isSpace(json[at])) at += 1;
  return at;
}

const isSpace = (character: string | undefined): boolean => character === ' ' || character === '\n' || character === '\r' || character === '\t';
