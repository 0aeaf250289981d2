import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGraph } from '@gatehouse/graph';
import type { Graph, GraphLogEntry, GraphOptions } from '@gatehouse/graph';

/** One call as it arrived. */
export interface Heard {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** What to answer: an answer, a dropped connection (before or amid the body), or nothing at all. */
export type Scripted = { readonly status?: number; readonly headers?: Record<string, string>; readonly json?: unknown; readonly text?: string } | 'reset' | 'cut' | 'silence';

/** A server that says what a test tells it to, and a graph that talks to it without waiting. */
export async function startScriptedGraph(script: readonly Scripted[] | ((heard: Heard, baseUrl: string) => Scripted), options: Partial<GraphOptions> = {}) {
  const heard: Heard[] = [];
  const waits: number[] = [];
  const log: GraphLogEntry[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://graph.invalid');
      const text = Buffer.concat(chunks).toString();
      const call: Heard = {
        method: request.method ?? '',
        url: request.url ?? '',
        path: decodeURIComponent(url.pathname),
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
      heard.push(call);
      const answer = typeof script === 'function' ? script(call, baseUrl) : (script[heard.length - 1] ?? { status: 599 });
      if (answer === 'silence') return;
      if (answer === 'reset') {
        response.destroy();
        return;
      }
      if (answer === 'cut') {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"value":[', () => response.destroy());
        return;
      }
      const status = answer.status ?? 200;
      response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'graph-1', ...answer.headers });
      response.end(status === 204 ? undefined : (answer.text ?? JSON.stringify(answer.json ?? {})));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const graph: Graph = createGraph({
    baseUrl,
    token: async () => 'token-1',
    sleep: async (ms) => void waits.push(ms),
    random: () => 0.5,
    log: (entry) => void log.push(entry),
    timeoutMs: 5_000,
    ...options,
  });
  return {
    graph,
    baseUrl,
    heard,
    waits,
    log,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The body of a refusal. */
export const refusal = (code: string, message = 'no'): { error: Record<string, unknown> } => ({
  error: { code, message, innerError: { date: '2026-03-02T12:00:00', 'request-id': 'inner-1' } },
});
