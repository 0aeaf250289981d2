import { AcceptDrift, ApplySetup, CheckAllSetups, CheckSetup, ContinueRun, CreateSetup, ExportSetup, GetRun, GetSetup, GetSetupDrift, GetSetupMatrix, GetSetupSchema, ListDrift, ListSetups, PlanRestore, PlanSetup, PlanUndo, ReadSetupFile, RestoreSetup, StopRun, UndoRun, WatchRun } from '@gatehouse/contracts';
import { Router } from 'express';
import { endpoint, raw } from '../../http/endpoint.ts';
import type { Drift } from './drift.service.ts';
import type { Setups } from './setup.service.ts';

/** Keeps proxies from cutting a stream in which nothing happens. */
const HEARTBEAT_MS = 15_000;

export function setupRoutes(setups: Setups, drift: Drift): Router {
  const router = Router();
  endpoint(router, ListSetups, ({ actor }) => setups.list(actor));
  endpoint(router, GetSetup, ({ actor, params }) => setups.get(actor, params.setupId));
  endpoint(router, GetSetupMatrix, ({ actor }) => setups.matrix(actor));
  endpoint(router, PlanSetup, ({ actor, body }) => setups.plan(actor, body.definition));
  endpoint(router, CreateSetup, ({ actor, body }) => setups.create(actor, body));
  endpoint(router, ApplySetup, ({ actor, params, body }) => setups.apply(actor, params.setupId, { ...body, unchangedSince: new Date(body.unchangedSince) }));
  endpoint(router, GetRun, ({ actor, params }) => setups.run(actor, params.runId));
  endpoint(router, StopRun, ({ actor, params }) => setups.stopRun(actor, params.runId));
  endpoint(router, ContinueRun, ({ actor, params }) => setups.continueRun(actor, params.runId));

  endpoint(router, PlanUndo, ({ actor, params }) => setups.planUndo(actor, params.runId));
  endpoint(router, UndoRun, ({ actor, params, body }) => setups.undo(actor, params.runId, body));

  endpoint(router, ListDrift, () => drift.list());
  endpoint(router, GetSetupDrift, ({ params }) => drift.get(params.setupId));
  endpoint(router, CheckSetup, ({ actor, params }) => drift.check(actor, params.setupId));
  endpoint(router, CheckAllSetups, () => drift.checkAll());
  endpoint(router, AcceptDrift, ({ actor, params, body }) => drift.accept(actor, params.setupId, body.keys));
  endpoint(router, PlanRestore, ({ actor, params, body }) => setups.planRestore(actor, params.setupId, body.keys));
  endpoint(router, RestoreSetup, ({ actor, params, body }) => setups.restore(actor, params.setupId, body));

  endpoint(router, ReadSetupFile, ({ actor, body }) => setups.readFile(actor, body.text));
  endpoint(router, GetSetupSchema, async () => setups.fileSchema());
  raw(router, ExportSetup, async ({ actor, params, query }, res) => {
    const { fileName, text } = await setups.file(actor, params.setupId, query.format);
    res.status(200).set({ 'Content-Type': query.format === 'json' ? 'application/json; charset=utf-8' : 'application/yaml; charset=utf-8', 'Content-Disposition': `attachment; filename="${fileName}"`, 'Cache-Control': 'no-store' }).send(text);
  });

  raw(router, WatchRun, async ({ actor, params }, res) => {
    // Before the first byte, so that an unknown run is answered as a problem.
    await setups.run(actor, params.runId);
    const gone = new AbortController();
    res.on('close', () => { gone.abort(); });
    res.status(200).set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    res.flushHeaders();
    const heartbeat = setInterval(() => { res.write(': alive\n\n'); }, HEARTBEAT_MS);
    try {
      for await (const run of setups.watch(actor, params.runId, gone.signal)) res.write(`data: ${JSON.stringify(WatchRun.response.parse(run))}\n\n`);
    } finally {
      clearInterval(heartbeat);
      res.end();
    }
  });
  return router;
}
