import { CountEvents, ExportActivations, ExportEvents, GetActivation, GetEvent, GetEventStatistics, GetTimeline, ListHistoryNames, ListInsights, SearchActivations, SearchEvents } from '@gatehouse/contracts';
import { Router, type Response } from 'express';
import { endpoint, raw } from '../../http/endpoint.ts';
import type { CsvExport, History } from './history.service.ts';

/** A reader who takes nothing for so long is gone, and gives the connection to the database back. */
const STALLED_MS = 60_000;

export function historyRoutes(history: History): Router {
  const router = Router();
  endpoint(router, SearchEvents, ({ actor, query }) => history.searchEvents(actor, query));
  raw(router, ExportEvents, async ({ actor, query }, res) => send(res, await history.exportEvents(actor, query)));
  endpoint(router, CountEvents, ({ actor, query }) => history.countEvents(actor, query));
  endpoint(router, GetEvent, ({ actor, params }) => history.event(actor, params.eventId));
  endpoint(router, SearchActivations, ({ actor, query }) => history.searchActivations(actor, query));
  raw(router, ExportActivations, async ({ actor, query }, res) => send(res, await history.exportActivations(actor, query)));
  endpoint(router, GetActivation, ({ actor, params }) => history.activation(actor, params.requestId));
  endpoint(router, GetEventStatistics, ({ actor, query }) => history.statistics(actor, query));
  endpoint(router, GetTimeline, ({ actor, query }) => history.timeline(actor, query));
  endpoint(router, ListInsights, ({ actor, query }) => history.insights(actor, query));
  endpoint(router, ListHistoryNames, ({ actor }) => history.names(actor));
  return router;
}

/** Sends the pieces as fast as the reader takes them. A file that breaks off is cut, so that nobody takes it for whole. */
async function send(res: Response, { fileName, chunks }: CsvExport): Promise<void> {
  res.status(200).set({ 'Content-Type': 'text/csv; charset=utf-8', 'Content-Disposition': `attachment; filename="${fileName}"`, 'Cache-Control': 'no-store' });
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

function taken(res: Response): Promise<void> {
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
