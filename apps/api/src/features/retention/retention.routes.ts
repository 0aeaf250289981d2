import { GetRetention, LiftHold, SetHold, SetRetention } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { Retention } from './retention.service.ts';

export function retentionRoutes(retention: Retention): Router {
  const router = Router();
  endpoint(router, GetRetention, ({ actor }) => retention.get(actor));
  endpoint(router, SetRetention, ({ actor, body }) => retention.setPolicy(actor, body));
  endpoint(router, SetHold, ({ actor, body }) => retention.setHold(actor, body));
  endpoint(router, LiftHold, ({ actor, params }) => retention.liftHold(actor, params.holdId));
  return router;
}
