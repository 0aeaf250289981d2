import { DecideApproval, ListApprovals } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint } from '../../http/endpoint.ts';
import type { ApprovalsService } from './approvals.service.ts';

export function approvalRoutes(approvals: ApprovalsService): Router {
  const router = Router();
  endpoint(router, ListApprovals, ({ actor }) => approvals.list(actor));
  endpoint(router, DecideApproval, ({ actor, params, body }) => approvals.decide(actor, params.approvalId, body));
  return router;
}
