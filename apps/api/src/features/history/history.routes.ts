import { CountEvents, GetActivation, GetEvent, GetEventStatistics, GetTimeline, ListHistoryNames, ListInsights, SearchActivations, SearchEvents } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { History } from './history.service.ts';

export function historyRoutes(history: History): Router {
  const router = Router();
  endpoint(router, SearchEvents, ({ actor, query }) => history.searchEvents(actor, query));
  endpoint(router, CountEvents, ({ actor, query }) => history.countEvents(actor, query));
  endpoint(router, GetEvent, ({ actor, params }) => history.event(actor, params.eventId));
  endpoint(router, SearchActivations, ({ actor, query }) => history.searchActivations(actor, query));
  endpoint(router, GetActivation, ({ actor, params }) => history.activation(actor, params.requestId));
  endpoint(router, GetEventStatistics, ({ actor, query }) => history.statistics(actor, query));
  endpoint(router, GetTimeline, ({ actor, query }) => history.timeline(actor, query));
  endpoint(router, ListInsights, ({ actor, query }) => history.insights(actor, query));
  endpoint(router, ListHistoryNames, ({ actor }) => history.names(actor));
  return router;
}
