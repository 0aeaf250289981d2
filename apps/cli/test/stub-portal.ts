import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PROBLEMS, type Endpoint, type Problem, type ProblemCode } from '@gatehouse/contracts';
import type { z } from 'zod';

export interface SeenCall {
  readonly endpoint: Endpoint;
  readonly url: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
export interface Handler {
  readonly endpoint: Endpoint;
  readonly answer: (call: SeenCall) => { status: number; body: unknown; location?: string };
}

/** Answers a call by its contract: what the portal could not promise, this cannot either. */
export function answers<E extends Endpoint>(endpoint: E, value: z.input<E['response']> | ((call: SeenCall) => z.input<E['response']>)): Handler {
  return { endpoint, answer: (call) => ({ status: endpoint.status ?? 200, body: endpoint.response.parse(typeof value === 'function' ? (value as (call: SeenCall) => unknown)(call) : value) }) };
}

/** Refuses a call as the portal would. */
export function refuses(endpoint: Endpoint, code: ProblemCode, more: Partial<Problem> = {}): Handler {
  const { status, title } = PROBLEMS[code];
  return { endpoint, answer: () => ({ status, body: { type: `urn:gatehouse:problem:${code}`, code, status, title, requestId: '4F2A91BC', ...more } }) };
}

/** Something at an address that answers by the contracts alone; requests that no contract takes fail the test by a 500. */
export async function stubPortal(...handlers: readonly Handler[]) {
  const calls: SeenCall[] = [];
  const known = [...handlers];
  const server = createServer((req, res) => {
    void (async () => {
      let text = '';
      for await (const chunk of req) text += String(chunk);
      const url = req.url ?? '';
      const found = known.find(({ endpoint }) => endpoint.method === req.method && matches(endpoint.path, url.split('?')[0] ?? ''));
      if (!found) return void res.writeHead(500).end(`nobody answers ${req.method} ${url}`);
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      found.endpoint.body?.parse(body);
      const call: SeenCall = { endpoint: found.endpoint, url, body, headers: req.headers };
      calls.push(call);
      const answer = found.answer(call);
      const json = found.endpoint.answers !== 'text' || answer.status >= 400;
      res.writeHead(answer.status, { 'content-type': json ? 'application/json' : 'text/plain', ...(answer.location !== undefined && { location: answer.location }) }).end(json ? JSON.stringify(answer.body) : String(answer.body));
    })().catch((error: unknown) => { res.writeHead(500).end(String(error)); });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    calls,
    use: (...more: readonly Handler[]) => { known.unshift(...more); },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

function matches(pattern: string, path: string): boolean {
  return new RegExp(`^${pattern.replaceAll('.', '\\.').replace(/:[A-Za-z]+/g, '[^/]+')}$`).test(path);
}
