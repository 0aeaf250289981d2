import { AskForEligibility, CancelAccessRequest, CancelEligibilityRequest, CheckActivation, DeactivateAccess, FindAccess, GetAccessRequest, GetRequestReadiness, KeepGoing, ListEndingEligibilities, ListMyAccess, RemoveAccessSet, RequestActivation, RequestActivations, SaveAccessSet, SetFavourite } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { Access } from './access.service.ts';
import type { Eligibility } from './eligibility.service.ts';
import type { KeepGoingOn } from './keep-going.service.ts';
import type { Readiness } from './readiness.service.ts';

export function accessRoutes(access: Access, readiness: Readiness, keepGoing: KeepGoingOn, eligibility: Eligibility): Router {
  const router = Router();
  endpoint(router, ListMyAccess, ({ actor, query }) => access.list(actor, query.fresh === 'yes'));
  endpoint(router, RequestActivation, ({ actor, body }) => access.requestActivation(actor, body));
  endpoint(router, RequestActivations, ({ actor, body }) => access.requestActivations(actor, body));
  endpoint(router, CheckActivation, ({ actor, body }) => access.checkActivation(actor, body));
  endpoint(router, GetAccessRequest, ({ actor, params }) => access.request(actor, params.requestId));
  endpoint(router, GetRequestReadiness, ({ actor, params }) => readiness.ofRequest(actor, params.requestId));
  endpoint(router, CancelAccessRequest, ({ actor, params }) => access.cancel(actor, params.requestId));
  endpoint(router, DeactivateAccess, ({ actor, body }) => access.deactivate(actor, body.groupId));
  endpoint(router, FindAccess, ({ actor, query }) => access.find(actor, query));
  endpoint(router, SetFavourite, ({ actor, body }) => access.setFavourite(actor, body));
  endpoint(router, SaveAccessSet, ({ actor, body }) => access.saveSet(actor, body));
  endpoint(router, RemoveAccessSet, ({ actor, params }) => access.removeSet(actor, params.setId));
  endpoint(router, KeepGoing, ({ actor, body }) => keepGoing.keepGoing(actor, body));
  endpoint(router, ListEndingEligibilities, ({ actor }) => eligibility.list(actor));
  endpoint(router, AskForEligibility, ({ actor, body }) => eligibility.ask(actor, body));
  endpoint(router, CancelEligibilityRequest, ({ actor, params }) => eligibility.cancel(actor, params.requestId));
  return router;
}
