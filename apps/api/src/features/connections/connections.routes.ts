import { GetExceptions } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { Connections } from './connections.service.ts';

export function connectionRoutes(connections: Connections): Router {
  const router = Router();
  endpoint(router, GetExceptions, ({ actor, query }) => connections.exceptions(actor, query));
  return router;
}
