import type { Response } from 'express';

/** A file on its way: its name, and its bytes or its text in pieces. */
export interface Download {
  readonly fileName: string;
  readonly contentType: string;
  readonly chunks: AsyncIterable<string | Uint8Array>;
}

/** A reader who takes nothing for so long is gone, and gives the connection to the database back. */
const STALLED_MS = 60_000;

/** Sends the pieces as fast as the reader takes them. A file that breaks off is cut, so that nobody takes it for whole. */
export async function sendFile(res: Response, { fileName, contentType, chunks }: Download): Promise<void> {
  res.status(200).set({ 'Content-Type': contentType, 'Content-Disposition': `attachment; filename="${fileName}"`, 'Cache-Control': 'no-store' });
  try {
    for await (const chunk of chunks) {
      if (res.destroyed) return;
      if (!res.write(chunk)) await taken(res);
    }
    res.end();
  } catch (error) {
    if (!res.headersSent) throw error;
    res.destroy();
  }
}

/** Waits until the reader has taken what was written, or is gone. */
export function taken(res: Response): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => { res.destroy(); }, STALLED_MS);
    const go = (): void => {
      clearTimeout(stalled);
      res.off('drain', go).off('close', go);
      resolve();
    };
    res.on('drain', go).on('close', go);
  });
}
