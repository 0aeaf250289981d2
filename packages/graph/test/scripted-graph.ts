import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway } from '@gatehouse/graph';
import type { Action, GatewayOptions, Graph, GraphLogEntry, Timer, UnreadableAnswer } from '@gatehouse/graph';

/** One call as it arrived. */
export interface Heard {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** The client's port: another one is another connection. */
  readonly port: number | undefined;
}

/** What to answer: an answer, a dropped connection (before or amid the body), or nothing at all. */
export type Scripted = { readonly status?: number; readonly headers?: Record<string, string>; readonly json?: unknown; readonly text?: string } | 'reset' | 'cut' | 'silence';

/** Time that is gone as soon as it is waited for. */
export function skippingTimer(waits: number[] = []): Timer {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms) => {
      waits.push(ms);
      now += ms;
    },
  };
}

/** A server that says what a test tells it to, and a graph that talks to it without waiting. */
export async function startScriptedGraph(script: readonly Scripted[] | ((heard: Heard, baseUrl: string) => Scripted), options: Partial<GatewayOptions & Action> = {}) {
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
        port: request.socket.remotePort,
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
  const unreadable: UnreadableAnswer[] = [];
  const gateway = createGateway({
    baseUrl,
    timer: skippingTimer(waits),
    clock: { now: () => new Date('2026-03-02T12:00:00Z') },
    random: () => 0.5,
    log: (entry) => void log.push(entry),
    onUnreadable: (answer) => void unreadable.push(answer),
    timeoutMs: 5_000,
    ...options,
  });
  const action: Action = { token: async () => 'token-1', priority: 'person', patience: { of: 'call', ms: 30_000 }, ...options };
  const graph: Graph = gateway.graph(action);
  return {
    graph,
    /** The same gateway for another action. */
    graphFor: (other: Partial<Action>): Graph => gateway.graph({ ...action, ...other }),
    unreadable,
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
