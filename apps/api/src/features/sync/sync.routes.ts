import { GetSync, SyncNow } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { Sync } from './sync.service.ts';

export function syncRoutes(sync: Sync): Router {
  const router = Router();
  endpoint(router, GetSync, ({ actor }) => sync.status(actor));
  endpoint(router, SyncNow, () => sync.now());
  return router;
}
