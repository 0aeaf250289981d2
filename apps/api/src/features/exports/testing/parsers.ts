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
    messages.push({ priority: Number(match[1]), at: match[2] ?? '', host: match[3] ?? '', app: match[4] ?? '', messageId: match[6] ?? '', message: (match[7] ?? '').replace(/^\uFEFF/, '') });
    at = space + 1 + Number(length);
  }
  return messages;
}
