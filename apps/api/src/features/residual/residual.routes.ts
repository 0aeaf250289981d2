import { EndAccessNow, EndOwnResidualAccess, ListCurrentAccess, ListOwnResidualAccess } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { Residual } from './residual.service.ts';

export function residualRoutes(residual: Residual): Router {
  const router = Router();
  endpoint(router, ListOwnResidualAccess, ({ actor }) => residual.listOwn(actor));
  endpoint(router, EndOwnResidualAccess, ({ actor, body }) => residual.endOwn(actor, body.groupId));
  endpoint(router, ListCurrentAccess, ({ actor }) => residual.list(actor));
  endpoint(router, EndAccessNow, ({ actor, body }) => residual.endFor(actor, body));
  return router;
}
