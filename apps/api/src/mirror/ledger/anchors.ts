import { appendFile, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { StoredCheckpoint } from './checkpoint.store.ts';
import type { AnchorState } from './ledger.store.ts';

/** A place outside of the database that checkpoints go to: whoever holds one there can tell that the past was changed. */
export interface Anchor {
  readonly kind: AnchorState['kind'];
  /** In real time, how long after one checkpoint the next is sent at the earliest. */
  readonly everyMs: number;
  /** Resolves once the checkpoint is there; what goes wrong is said in a sentence without secrets. */
  send(checkpoint: StoredCheckpoint): Promise<void>;
}

const A_MINUTE_MS = 60_000;

/** One structured line of the log, which whoever runs the portal collects elsewhere. */
export function logAnchor(log: Pick<Logger, 'info'>): Anchor {
  return {
    kind: 'log', everyMs: A_MINUTE_MS,
    send: async ({ size, root, note }) => { log.info({ checkpoint: { size, root: root.toString('base64'), note } }, 'ledger checkpoint'); },
  };
}

/** A file that is only ever appended to: notes, an empty line after each. */
export function fileAnchor(file: string): Anchor {
  return {
    kind: 'file', everyMs: 0,
    async send({ note }) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await appendFile(file, `${note}\n`, { mode: 0o600, flush: true });
    },
  };
}

/** Longer than any note with a few signatures. */
const TAIL_BYTES = 16_384;

/** The last whole note of such a file; `undefined` where there is none. */
export async function lastInFile(file: string): Promise<string | undefined> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    const { size } = await handle.stat();
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    await handle.read(tail, 0, tail.length, size - tail.length);
    return notesOf(tail.toString()).at(-1);
  } finally {
    await handle.close();
  }
}

/** The notes of a file of notes. One that a crash cut short, or of which only the end is there, is none. */
export const notesOf = (text: string): string[] => [...text.matchAll(/(?<=^|\n)[^\s—][^\n]*\n\d+\n[A-Za-z0-9+/=]+\n(?:[^\n—][^\n]*\n)*\n(?:— \S+ \S+\n)+(?=\n)/g)].map(([note]) => note);

/** Posts an event, as the notifications do. */
export type Post = (id: string, body: object) => Promise<void>;

export function webhookAnchor(post: Post, newId: () => string): Anchor {
  return {
    kind: 'webhook', everyMs: A_MINUTE_MS,
    send: ({ size, root, note, signedAt }) => post(newId(), { type: 'ledger.checkpoint', timestamp: signedAt.toISOString(), data: { size, root: root.toString('base64'), note } }),
  };
}
