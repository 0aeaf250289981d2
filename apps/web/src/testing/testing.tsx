import { webLightTheme } from '@fluentui/react-theme';
import { PAGE_OF, PROBLEMS, type Endpoint, type Problem, type ProblemCode, type Session } from '@gatehouse/contracts';
import { QueryClientProvider } from '@tanstack/react-query';
import { render, type RenderResult } from '@testing-library/react';
import { Suspense, type ReactNode } from 'react';
import { MemoryRouter } from 'react-router';
import { vi } from 'vitest';
import type { z } from 'zod';
import { GetSession } from '@gatehouse/contracts';
import { QueryClient } from '../lib/query-client.ts';
import { Fluent } from '../ui/fluent.tsx';

/** One call that the page made. */
export interface SeenCall {
  readonly endpoint: Endpoint;
  readonly url: string;
  readonly body: unknown;
  /** Whose page it is, as the call says. */
  readonly pageOf: string | null;
}

export type Handler = { endpoint: Endpoint; answer: (call: SeenCall) => Promise<Response> | Response };

/** Answers a call by its contract: what the API could not promise, this cannot either. */
export function answers<E extends Endpoint>(endpoint: E, value: z.input<E['response']> | ((call: SeenCall) => z.input<E['response']>)): Handler {
  return {
    endpoint,
    answer: (call) => Response.json(endpoint.response.parse(typeof value === 'function' ? (value as (call: SeenCall) => unknown)(call) : value), { status: endpoint.status ?? 200 }),
  };
}

/** Refuses a call as the API would. */
export function refuses(endpoint: Endpoint, code: ProblemCode, more: Partial<Problem> = {}): Handler {
  const { status, title } = PROBLEMS[code];
  return { endpoint, answer: () => Response.json({ type: `urn:gatehouse:problem:${code}`, code, status, title, requestId: '4F2A91BC', ...more }, { status }) };
}

/** Never answers: for what a page shows while it waits. */
export function waits(endpoint: Endpoint): Handler {
  return { endpoint, answer: () => new Promise<Response>(() => {}) };
}

export const ANA: Session = {
  person: { id: 'a0000000-0000-4000-8000-000000000001', displayName: 'Ana Costa', userPrincipalName: 'ana.costa@contoso.example', roles: [] },
  tenant: { id: 't', displayName: 'Contoso' }, now: '2026-03-02T09:00:00.000Z', demo: null,
};

/** Renders a page with the API answering as told; later handlers of an endpoint come before earlier ones. A call that none answers fails the test. */
export function renderPage(page: ReactNode, { path = '/', session = ANA, api = [] }: { path?: string; session?: Session; api?: readonly Handler[] } = {}): RenderResult & { calls: SeenCall[]; use(...more: Handler[]): void } {
  const fake = fakeApi([...api, answers(GetSession, session)]);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false }, mutations: { retry: false } } });
  const result = render(
    <Fluent theme={webLightTheme}>
      <QueryClientProvider client={client}>
        <MemoryRouter initialEntries={[path]}>
          <Suspense fallback="…">{page}</Suspense>
        </MemoryRouter>
      </QueryClientProvider>
    </Fluent>,
  );
  return { ...result, ...fake };
}

/** Takes the place of `fetch` for the test. A call that none answers fails, as the portal not answering would. */
export function fakeApi(api: readonly Handler[]): { calls: SeenCall[]; use(...more: Handler[]): void } {
  const handlers = [...api];
  const calls: SeenCall[] = [];
  vi.stubGlobal('fetch', async (input: string | URL, init: RequestInit = {}) => {
    const url = String(input);
    const found = handlers.find(({ endpoint }) => endpoint.method === (init.method ?? 'GET') && matches(endpoint.path, url.split('?')[0] ?? ''));
    if (!found) throw new Error(`nobody answers ${init.method ?? 'GET'} ${url}`);
    const seen: SeenCall = { endpoint: found.endpoint, url, body: init.body === undefined || init.body === null ? undefined : JSON.parse(String(init.body)), pageOf: new Headers(init.headers).get(PAGE_OF) };
    calls.push(seen);
    return found.answer(seen);
  });
  return { calls, use: (...more) => { handlers.unshift(...more); } };
}

function matches(pattern: string, path: string): boolean {
  return new RegExp(`^${pattern.replace(/:[A-Za-z]+/g, '[^/]+').replaceAll('.', '\\.')}$`).test(path);
}
