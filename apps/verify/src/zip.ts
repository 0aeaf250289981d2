import { open, type FileHandle } from 'node:fs/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { Readable } from 'node:stream';

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly at: number;
}

/** The file is no ZIP, or a damaged one. */
export class Unreadable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unreadable';
  }
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const U32 = 0xffffffff;
const CHUNK = 1 << 18;

const big = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

/** A ZIP's files, by the directory at its end; also of more than 4 GB. Their checksums are checked as they are read. */
export class Zip {
  readonly #file: FileHandle;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(file: FileHandle, entries: ReadonlyMap<string, Entry>) {
    this.#file = file;
    this.#entries = entries;
  }

  static async open(path: string): Promise<Zip> {
    const file = await open(path, 'r');
    try {
      return new Zip(file, await directoryOf(file));
    } catch (error) {
      await file.close();
      throw error instanceof RangeError ? new Unreadable('the directory of the ZIP is damaged') : error;
    }
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async *stream(name: string): AsyncGenerator<Buffer> {
    const entry = this.#entries.get(name);
    if (!entry) throw new Unreadable(`${name} is not in the ZIP`);
    const head = await readAt(this.#file, entry.at, 30);
    if (head.readUInt32LE(0) !== LOCAL) throw new Unreadable(`${name} does not begin where the ZIP says`);
    const begins = entry.at + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
    const packed = this.#bytes(begins, entry.compressed);
    if (entry.method !== 0 && entry.method !== 8) throw new Unreadable(`${name} is packed in an unknown way`);
    let crc = 0;
    let size = 0;
    const unpacked: AsyncIterable<Buffer> = entry.method === 0 ? packed : Readable.from(packed).pipe(createInflateRaw());
    try {
      for await (const chunk of unpacked) {
        crc = crc32(chunk, crc);
        size += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) throw new Unreadable(`${name} cannot be unpacked`);
      throw error;
    }
    if (crc !== entry.crc || size !== entry.size) throw new Unreadable(`${name} is damaged: its checksum is another`);
  }

  async *#bytes(at: number, length: number): AsyncGenerator<Buffer> {
    for (let done = 0; done < length; done += CHUNK) yield await readAt(this.#file, at + done, Math.min(CHUNK, length - done));
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, at);
  if (bytesRead !== length) throw new Unreadable('the ZIP is cut off');
  return bytes;
}

async function directoryOf(file: FileHandle): Promise<Map<string, Entry>> {
  const { size } = await file.stat();
  const tailLength = Math.min(size, 65_557);
  const tail = await readAt(file, size - tailLength, tailLength);
  let end = -1;
  for (let at = tail.length - 22; at >= 0 && end < 0; at--) if (tail.readUInt32LE(at) === END) end = at;
  if (end < 0) throw new Unreadable('it is no ZIP');
  let [count, length, begins] = [tail.readUInt16LE(end + 10), tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (end >= 20 && tail.readUInt32LE(end - 20) === LOCATOR_64) {
    const large = await readAt(file, big(tail, end - 12), 56);
    if (large.readUInt32LE(0) !== END_64) throw new Unreadable('the directory of the ZIP is damaged');
    [count, length, begins] = [big(large, 32), big(large, 40), big(large, 48)];
  }
  if (begins + length > size) throw new Unreadable('the directory of the ZIP is damaged');
  const directory = await readAt(file, begins, length);
  const entries = new Map<string, Entry>();
  let at = 0;
  for (let entry = 0; entry < count; entry++) {
    if (directory.readUInt32LE(at) !== CENTRAL) throw new Unreadable('the directory of the ZIP is damaged');
    const [nameLength, extraLength, commentLength] = [directory.readUInt16LE(at + 28), directory.readUInt16LE(at + 30), directory.readUInt16LE(at + 32)];
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    let [compressed, unpacked, offset] = [directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 42)];
    // What does not fit into 32 bits stands in an extra field, in this order.
    for (let extra = at + 46 + nameLength; extra < at + 46 + nameLength + extraLength; extra += 4 + directory.readUInt16LE(extra + 2)) {
      if (directory.readUInt16LE(extra) !== 1) continue;
      let value = extra + 4;
      const next = (): number => big(directory, (value += 8) - 8);
      if (unpacked === U32) unpacked = next();
      if (compressed === U32) compressed = next();
      if (offset === U32) offset = next();
    }
    if (entries.has(name)) throw new Unreadable(`${name} is in the ZIP twice`);
    if (!name.endsWith('/')) entries.set(name, { method: directory.readUInt16LE(at + 10), crc: directory.readUInt32LE(at + 16), compressed, size: unpacked, at: offset });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}
