import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import yazl from 'yazl';
import type { PackedFile } from './pack.rules.ts';

/** A file of a pack: its name, and its content when its turn comes. One at a time, so that all may read by one connection. */
export interface PackPart { readonly name: string; readonly content: () => AsyncIterable<Buffer> | Promise<AsyncIterable<Buffer>> }

export interface WrittenPack { readonly sha256: string; readonly bytes: number; readonly files: readonly PackedFile[] }

interface Writing {
  readonly at: Date;
  readonly manifest: (files: readonly PackedFile[]) => string;
  /** Aborted where the file is not wanted any more. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a ZIP of the parts, and last of all a manifest of them, beside the place where it belongs: whoever had it written
 * puts it there in one step, once it is whole. What breaks off leaves no file. Nothing of it is held in memory but what is on
 * its way.
 */
export async function writePack(path: string, parts: readonly PackPart[], { at, manifest, signal }: Writing): Promise<WrittenPack> {
  await mkdir(dirname(path), { recursive: true });
  const zip = new yazl.ZipFile();
  const files: PackedFile[] = [];
  const failed = Promise.withResolvers<never>();
  // Where nothing waits for it any more, its rejection is nobody's.
  failed.promise.catch(() => undefined);
  zip.on('error', failed.reject);
  const options = { mtime: at, forceDosTimestamp: true, mode: 0o100644 };
  for (const { name, content } of parts) {
    zip.addReadStreamLazy(name, options, (done) => {
      const measured = measuring((measure) => { files.push({ name, ...measure }); });
      pipeline(Readable.from(chunksOf(content), { objectMode: false }), measured).catch(failed.reject);
      done(null, measured);
    });
  }
  zip.addReadStreamLazy('manifest.json', options, (done) => { done(null, Readable.from([Buffer.from(manifest(files))])); });
  zip.end();

  let whole: Measure = { bytes: 0, sha256: '' };
  try {
    await Promise.race([pipeline(zip.outputStream, measuring((measure) => { whole = measure; }), createWriteStream(path, { mode: 0o600, flush: true }), { ...(signal && { signal }) }), failed.promise]);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { ...whole, files };
}

interface Measure { readonly bytes: number; readonly sha256: string }

/** Lets bytes through, and says at their end how many they were and their hash. */
function measuring(ended: (measure: Measure) => void): Transform {
  const hash = createHash('sha256');
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      bytes += chunk.length;
      next(null, chunk);
    },
    flush(next) {
      ended({ bytes, sha256: hash.digest('hex') });
      next();
    },
  });
}

async function* chunksOf(content: PackPart['content']): AsyncGenerator<Buffer> {
  yield* await content();
}

/** What a pack on disk holds, read back to the last byte: the hash of the file, and each of its files as it unpacks. */
export async function readPack(path: string): Promise<{ sha256: string; files: (PackedFile & { readonly lines: number })[]; manifest: string }> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  const zip = await yauzl.openPromise(path);
  const files = [];
  let manifest = '';
  for await (const entry of zip.eachEntry()) {
    const one = createHash('sha256');
    let [bytes, lines] = [0, 0];
    const kept: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry) as AsyncIterable<Buffer>) {
      one.update(chunk);
      bytes += chunk.length;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
      if (entry.fileName === 'manifest.json') kept.push(chunk);
    }
    if (entry.fileName === 'manifest.json') manifest = Buffer.concat(kept).toString('utf8');
    else files.push({ name: entry.fileName, bytes, lines, sha256: one.digest('hex') });
  }
  return { sha256: hash.digest('hex'), files, manifest };
}
