import { CreateExport, DownloadExport, EstimateExport, GetExport, ListExports } from '@gatehouse/contracts';
import { Router, type Response } from 'express';
import { taken } from '../../http/download.ts';
import { endpoint, raw } from '../../http/endpoint.ts';
import type { Download, Exports, Sink } from './exports.service.ts';

export function exportRoutes(exports: Exports): Router {
  const router = Router();
  endpoint(router, ListExports, ({ actor }) => exports.list(actor));
  endpoint(router, EstimateExport, ({ actor, query }) => exports.estimate(actor, query));
  endpoint(router, CreateExport, ({ actor, body }) => exports.create(actor, body));
  endpoint(router, GetExport, ({ actor, params }) => exports.get(actor, params.exportId));
  raw(router, DownloadExport, async ({ actor, params, query }, res) => send(res, await exports.download(actor, params.exportId, query)));
  return router;
}

/** Sends a file as fast as the reader takes it. One that breaks off is cut, so that nobody takes it for whole. */
async function send(res: Response, download: Download): Promise<void> {
  res.status(200).set({ 'Content-Type': download.type, 'Content-Disposition': `attachment; filename="${download.fileName}"`, 'Cache-Control': 'no-store' });
  if (download.kind === 'file') {
    const { socket } = res;
    const before = socket?.bytesWritten ?? 0;
    // Whole files lie there: parts of them are sent as HTTP asks for them.
    const error = await new Promise<Error | undefined>((resolve) => { res.sendFile(download.path, { dotfiles: 'allow', cacheControl: false }, resolve); });
    const asked = res.headersSent ? Number(res.get('Content-Length') ?? 0) : 0;
    const [, offset = '0'] = /^bytes (\d+)-/.exec(res.get('Content-Range') ?? '') ?? [];
    // What a reader who left was sent is told by the connection alone, which counts the headers too.
    await download.ended({ offset: Number(offset), bytes: error ? Math.min(asked, (socket?.bytesWritten ?? 0) - before) : asked, whole: error === undefined });
    if (error && !res.headersSent) throw error;
    return;
  }
  // At once, before the first row is found: whoever waits sees that it begins.
  res.flushHeaders();
  try {
    await download.send(sinkOf(res));
    res.end();
  } catch {
    res.destroy();
  }
}

function sinkOf(res: Response): Sink {
  return {
    get gone() { return res.destroyed; },
    async write(bytes) {
      if (res.destroyed || res.write(bytes)) return;
      await taken(res);
    },
  };
}
