import { ExportLedger, GetEventProof, GetLedger, GetLedgerCheckpoint, GetLedgerConsistency, GetLedgerKeys, GetLedgerTile } from '@gatehouse/contracts';
import { Router, type Response } from 'express';
import { sendFile } from '../../http/download.ts';
import { endpoint, raw } from '../../http/endpoint.ts';
import type { LedgerReading } from './ledger.service.ts';

export function ledgerRoutes(ledger: LedgerReading): Router {
  const router = Router();
  endpoint(router, GetLedger, () => ledger.state());
  raw(router, GetLedgerCheckpoint, async (_call, res) => { text(res, await ledger.note()); });
  raw(router, GetLedgerKeys, async (_call, res) => { text(res, await ledger.keys()); });
  endpoint(router, GetLedgerTile, ({ params }) => ledger.tile(params.level, params.index));
  endpoint(router, GetLedgerConsistency, ({ query }) => ledger.consistency(query.from, query.to));
  endpoint(router, GetEventProof, ({ params }) => ledger.proofOfEvent(params.eventId));
  raw(router, ExportLedger, async ({ actor, query }, res) => { await sendFile(res, { ...await ledger.pack(actor, query), contentType: 'application/zip' }); });
  return router;
}

function text(res: Response, body: string): void {
  res.status(200).set({ 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }).send(body);
}
