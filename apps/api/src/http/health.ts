import { GetHealth, GetReadiness } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint, raw } from './endpoint.ts';

/** `/healthz`: the process is alive. `/readyz`: it can serve; 503 with the reasons where it cannot. */
export function healthRoutes(reasonsNotReady: () => Promise<readonly string[]>): Router {
  const router = Router();
  endpoint(router, GetHealth, async () => ({ status: 'alive' as const }));
  raw(router, GetReadiness, async (_call, res) => {
    const reasons = await reasonsNotReady();
    res.status(reasons.length === 0 ? 200 : 503).json(GetReadiness.response.parse({ status: reasons.length === 0 ? 'ready' : 'not-ready', reasons }));
  });
  return router;
}
