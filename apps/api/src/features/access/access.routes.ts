import { AskForEligibility, CancelAccessRequest, DeactivateAccess, GetAccessRequest, KeepGoing, ListEndingEligibilities, ListMyAccess, RequestActivation } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { Access } from './access.service.ts';
import type { Eligibility } from './eligibility.service.ts';
import type { KeepGoingOn } from './keep-going.service.ts';

export function accessRoutes(access: Access, keepGoing: KeepGoingOn, eligibility: Eligibility): Router {
  const router = Router();
  endpoint(router, ListMyAccess, ({ actor }) => access.list(actor));
  endpoint(router, RequestActivation, ({ actor, body }) => access.requestActivation(actor, body));
  endpoint(router, GetAccessRequest, ({ actor, params }) => access.request(actor, params.requestId));
  endpoint(router, CancelAccessRequest, ({ actor, params }) => access.cancel(actor, params.requestId));
  endpoint(router, DeactivateAccess, ({ actor, body }) => access.deactivate(actor, body.groupId));
  endpoint(router, KeepGoing, ({ actor, body }) => keepGoing.keepGoing(actor, body));
  endpoint(router, ListEndingEligibilities, ({ actor }) => eligibility.list(actor));
  endpoint(router, AskForEligibility, ({ actor, body }) => eligibility.ask(actor, body));
  return router;
}
