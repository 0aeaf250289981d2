import yauzl from 'yauzl';

/** The files of a pack, and what its manifest says of them. */
export async function unpacked(bytes: Buffer): Promise<{ files: Record<string, Buffer>; manifest: { files: { name: string; sha256: string; bytes: number }[] } }> {
  const zip = await yauzl.fromBufferPromise(bytes);
  const files: Record<string, Buffer> = {};
  for await (const entry of zip.eachEntry()) {
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
    files[entry.fileName] = Buffer.concat(chunks);
  }
  return { files, manifest: JSON.parse(files['manifest.json']?.toString() ?? '{}') };
}
