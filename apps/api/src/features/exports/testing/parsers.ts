/** A strict reader of CEF: seven bars that are not escaped, then fields whose names are words. Knows nothing of the writer. */
export function parseCef(line: string): { header: string[]; extension: Record<string, string> } {
  const header: string[] = [];
  let field = '';
  let at = 0;
  for (; at < line.length && header.length < 7; at += 1) {
    const character = line[at];
    if (character === '\\') {
      const next = line[at + 1];
      if (next !== '\\' && next !== '|') throw new Error(`the header escapes ${String(next)}`);
      field += next;
      at += 1;
    } else if (character === '|') {
      header.push(field);
      field = '';
    } else field += character;
  }
  if (header.length !== 7) throw new Error('the header has no seven fields');
  const extension: Record<string, string> = {};
  const text = line.slice(at);
  const starts = [...text.matchAll(/(?:^| )([A-Za-z0-9]+)=/g)].filter((match) => !escaped(text, match.index + match[0].length - 1));
  starts.forEach((match, index) => {
    const value = text.slice(match.index + match[0].length, starts[index + 1]?.index ?? text.length);
    const name = match[1] ?? '';
    if (name in extension) throw new Error(`${name} comes twice`);
    extension[name] = unescaped(value);
  });
  return { header, extension };
}

/** Whether an odd number of backslashes stands before it. */
const escaped = (text: string, at: number): boolean => (/\\*$/.exec(text.slice(0, at))?.[0].length ?? 0) % 2 === 1;

function unescaped(value: string): string {
  let plain = '';
  for (let at = 0; at < value.length; at += 1) {
    if (value[at] === '=') throw new Error('a value has an equals sign that is not escaped');
    if (value[at] !== '\\') { plain += value[at]; continue; }
    at += 1;
    const meaning = { '\\': '\\', '=': '=', 'n': '\n', 'r': '\r' }[value[at] ?? ''];
    if (meaning === undefined) throw new Error(`a value escapes ${String(value[at])}`);
    plain += meaning;
  }
  return plain;
}

/** Keys of CEF's extension dictionary (ArcSight's "Implementing Common Event Format") that are used, each with the longest that it may be. */
const KEYS: Readonly<Record<string, number>> = {
  rt: 13, cat: 1023, outcome: 63, reason: 1023, suid: 1023, suser: 1023, duid: 1023, duser: 1023, externalId: 40, msg: 1023, flexString1: 1023, flexString1Label: 128,
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].flatMap((number) => [[`cs${number}`, 4000], [`cs${number}Label`, 1023]])),
};
const HEADERS = [5, 63, 63, 31, 1023, 512, 2];

/** Everything about a line that CEF does not have so; nothing where it is as it should be. A line that cannot be taken apart throws. */
export function cefFaults(line: string): string[] {
  const { header, extension } = parseCef(line);
  const faults = header.flatMap((text, index) => (text !== '' && text.length <= (HEADERS[index] ?? 0) ? [] : [`field ${index + 1} of the header has ${text.length} characters`]));
  if (header[0] !== 'CEF:0') faults.push('the version is not 0');
  if (!/^(?:\d|10)$/.test(header[6] ?? '')) faults.push('the severity is not 0 to 10');
  if (!/^\d{12,13}$/.test(extension['rt'] ?? '')) faults.push('rt is no time in milliseconds');
  for (const [name, text] of Object.entries(extension)) {
    const longest = KEYS[name];
    if (longest === undefined) faults.push(`${name} is no key of the dictionary`);
    else if (text.length > longest) faults.push(`${name} has ${text.length} characters, more than ${longest}`);
    const other = name.endsWith('Label') ? name.slice(0, -'Label'.length) : /^(?:cs\d|flexString1)$/.test(name) ? `${name}Label` : undefined;
    if (other !== undefined && extension[other] === undefined) faults.push(`${name} stands without ${other}`);
  }
  return faults;
}

/** A syslog receiver's reading of what came (RFC 6587, octet counting; RFC 5424): the messages, or an error at the first octet that does not belong. */
export function parseSyslog(bytes: Buffer): { priority: number; at: string; host: string; app: string; messageId: string; message: string }[] {
  const messages = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = bytes.subarray(at, space).toString('latin1');
    if (!/^[1-9]\d{0,9}$/.test(length)) throw new Error(`${length} is no length of a message`);
    const frame = bytes.subarray(space + 1, space + 1 + Number(length));
    if (frame.length < Number(length)) break;
    const match = /^<(\d{1,3})>1 (\S{1,32}) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) - ([\s\S]*)$/.exec(frame.toString('utf8'));
    if (!match) throw new Error(`this is no message: ${frame.toString('utf8').slice(0, 80)}`);
    if (Number(match[1]) > 191 || String(Number(match[1])) !== match[1]) throw new Error(`${String(match[1])} is no priority`);
    if (!/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/.test(match[2] ?? '')) throw new Error(`${String(match[2])} is no time`);
    messages.push({ priority: Number(match[1]), at: match[2] ?? '', host: match[3] ?? '', app: match[4] ?? '', messageId: match[6] ?? '', message: (match[7] ?? '').replace(/^\uFEFF/, '') });
    at = space + 1 + Number(length);
  }
  return messages;
}
