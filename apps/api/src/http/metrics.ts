import { GetMetrics } from '@gatehouse/contracts';
import type { GraphLogEntry, Priority } from '@gatehouse/graph';
import { Router, type RequestHandler } from 'express';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { raw } from './endpoint.ts';
import { contractOf } from './session.ts';

export interface MetricsDeps {
  /** When the mirror last read the tenant to the end, by source; asked for at each scrape, from the database. */
  readonly lastSuccesses: () => Promise<readonly { source: string; at: Date }[]>;
  /** How many stretches of time are missing from the mirror: being filled, or gone for good; likewise. */
  readonly gaps: () => Promise<readonly { source: string; state: 'open' | 'lost'; count: number }[]>;
}

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Figures for Prometheus: numbers only, no name, id or address of anybody. Labels are the contract's path and Graph's
 * method, so their count is bounded whatever is asked for. Names and units follow Prometheus' naming rules (seconds, `_total`).
 */
export function createMetrics({ lastSuccesses, gaps }: MetricsDeps) {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const registers = [register];
  const requests = new Histogram({
    name: 'gatehouse_http_request_duration_seconds', help: 'Requests answered, by contract; "unserved" is what no contract serves.',
    labelNames: ['method', 'path', 'status'] as const, buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30], registers,
  });
  const graph = new Histogram({
    name: 'gatehouse_graph_attempt_duration_seconds', help: 'Attempts of Microsoft Graph calls; status 0 is no answer.',
    labelNames: ['method', 'status'] as const, buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15], registers,
  });
  const queue = new Histogram({
    name: 'gatehouse_graph_queue_duration_seconds', help: 'How long Microsoft Graph calls waited for room within the limits, by whose they are: those of people go first.',
    labelNames: ['caller'] as const, buckets: [0.05, 0.5, 1, 2.5, 5, 10, 30, 60], registers,
  });
  const repeated = new Counter({ name: 'gatehouse_graph_repeated_attempts_total', help: 'Attempts that repeat an earlier one.', registers });
  new Gauge({
    name: 'gatehouse_sync_last_success_timestamp_seconds', help: 'When the mirror last read the tenant to the end, as a Unix time.',
    labelNames: ['source'] as const, registers,
    async collect() {
      this.reset();
      for (const { source, at } of await lastSuccesses()) this.set({ source }, at.getTime() / 1000);
    },
  });
  new Gauge({
    name: 'gatehouse_sync_gaps', help: 'Stretches of time that are missing from the mirror: "open" can still be filled, "lost" stays.',
    labelNames: ['source', 'state'] as const, registers,
    async collect() {
      this.reset();
      for (const { source, state, count } of await gaps()) this.set({ source, state }, count);
    },
  });

  return {
    /** Counts every request, also those that are refused before a route is reached. */
    countRequests: ((req, res, next) => {
      const end = requests.startTimer();
      res.once('close', () => {
        const contract = contractOf(req);
        end({ method: contract?.method ?? 'any', path: contract?.path ?? 'unserved', status: String(res.statusCode) });
      });
      next();
    }) satisfies RequestHandler,
    countGraphAttempt({ method, status, durationMs, attempt }: GraphLogEntry): void {
      graph.observe({ method, status: String(status ?? 0) }, durationMs / 1000);
      if (attempt > 1) repeated.inc();
    },
    countGraphWait({ priority, waitedMs }: { readonly priority: Priority; readonly waitedMs: number }): void {
      queue.observe({ caller: priority }, waitedMs / 1000);
    },
    routes(): Router {
      const router = Router();
      raw(router, GetMetrics, async (_call, res) => {
        res.type(register.contentType).send(await register.metrics());
      });
      return router;
    },
  };
}
