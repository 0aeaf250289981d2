import { CancelAccessRequest, DeactivateAccess, GetAccessRequest, KeepGoing, ListMyAccess, RequestActivation } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { Access } from './access.service.ts';
import type { KeepGoingOn } from './keep-going.service.ts';

export function accessRoutes(access: Access, keepGoing: KeepGoingOn): Router {
  const router = Router();
  endpoint(router, ListMyAccess, ({ actor }) => access.list(actor));
  endpoint(router, RequestActivation, ({ actor, body }) => access.requestActivation(actor, body));
  endpoint(router, GetAccessRequest, ({ actor, params }) => access.request(actor, params.requestId));
  endpoint(router, CancelAccessRequest, ({ actor, params }) => access.cancel(actor, params.requestId));
  endpoint(router, DeactivateAccess, ({ actor, body }) => access.deactivate(actor, body.groupId));
  endpoint(router, KeepGoing, ({ actor, body }) => keepGoing.keepGoing(actor, body));
  return router;
}
