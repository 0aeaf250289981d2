import { GetSync, ListOddRecords, SyncNow } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { Sync } from './sync.service.ts';

export function syncRoutes(sync: Sync): Router {
  const router = Router();
  endpoint(router, GetSync, ({ actor }) => sync.status(actor));
  endpoint(router, SyncNow, () => sync.now());
  endpoint(router, ListOddRecords, ({ actor, params, query }) => sync.oddRecords(actor, params.source, query));
  return router;
}
