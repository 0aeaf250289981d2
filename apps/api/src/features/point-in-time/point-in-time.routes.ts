import { AskPointInTime, ListPointInTimeTargets } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { PointInTime } from './point-in-time.service.ts';

export function pointInTimeRoutes(pointInTime: PointInTime): Router {
  const router = Router();
  endpoint(router, AskPointInTime, ({ actor, query }) => pointInTime.ask(actor, query));
  endpoint(router, ListPointInTimeTargets, ({ actor }) => pointInTime.targets(actor));
  return router;
}
