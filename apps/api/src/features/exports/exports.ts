/** The front door of the exports: how a part of the log is written to a file and read back. */
export { sealedPart, type LedgerPart } from './ledger-part.ts';
export { readMark, wholeRowsOf, withSnapshot } from './log-reader.store.ts';
export { logStream } from './log-stream.ts';
export { readPack, writePack } from './pack.writer.ts';
export type { PackedFile } from './pack.rules.ts';
