import { ApplyBatch, ChangeSetups, ContinueBatch, CreateBatch, ExportSetups, GetBatch, GetBatchFile, GetBatchRow, ListBatches, StopBatch } from '@gatehouse/contracts';
import { Router, type Response } from 'express';
import { endpoint, raw } from '../../http/endpoint.ts';
import type { Batches } from './batches.service.ts';

export function batchRoutes(batches: Batches): Router {
  const router = Router();
  endpoint(router, CreateBatch, ({ actor, body }) => batches.create(actor, body));
  endpoint(router, ChangeSetups, ({ actor, body }) => batches.change(actor, body));
  endpoint(router, ListBatches, ({ actor }) => batches.list(actor));
  endpoint(router, GetBatch, ({ actor, params }) => batches.get(actor, params.batchId));
  endpoint(router, GetBatchRow, ({ actor, params }) => batches.row(actor, params.batchId, params.ordinal));
  endpoint(router, ApplyBatch, ({ actor, params, body }) => batches.apply(actor, params.batchId, body.irreversibleUnderstood));
  endpoint(router, ContinueBatch, ({ actor, params }) => batches.continue(actor, params.batchId));
  endpoint(router, StopBatch, ({ actor, params }) => batches.stopBatch(actor, params.batchId));
  raw(router, GetBatchFile, async ({ actor, params, query }, res) => {
    const { fileName, text, format } = await batches.file(actor, params.batchId, query.rows);
    send(res, fileName, text, format);
  });
  raw(router, ExportSetups, async ({ actor }, res) => { send(res, 'setups.yaml', await batches.export(actor), 'yaml'); });
  return router;
}

function send(res: Response, fileName: string, text: string, format: 'csv' | 'yaml'): void {
  res.status(200).set({ 'Content-Type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/yaml; charset=utf-8', 'Content-Disposition': `attachment; filename="${fileName}"`, 'Cache-Control': 'no-store' }).send(text);
}
