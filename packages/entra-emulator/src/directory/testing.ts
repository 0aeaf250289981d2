import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { NO_DELAYS } from '../delays.ts';
import { createFront } from '../graph/front.ts';
import { GraphRefusal, type Caller, type GraphRoute } from '../graph/route.ts';
import { randomFrom } from '../seed/random.ts';
import { seedTenant } from '../seed/seed.ts';
import type { Group, Tenant, User } from '../tenant.ts';
import { directoryRoutes } from './routes.ts';

export const DIRECTORY_TO_PIM_MS = 6_000;
export const NOW = new Date('2026-03-02T09:00:00.000Z');

export interface Answer {
  readonly status: number;
  // A test looks into answers freely.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
  readonly body: any;
}

/** Sends one call; a body makes it a POST unless the method is said. */
export type Send = (path: string, options?: { readonly method?: string; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }) => Promise<Answer>;

/** The directory's calls, or others, over HTTP on the demo tenant, by callers whose tokens are believed: sign-in has tests of its own. */
export async function startDirectory(routes: readonly GraphRoute[] = directoryRoutes) {
  const random = randomFrom('directory');
  const tenant: Tenant = seedTenant('demo', NOW, () => random.guid());
  const callers: Caller[] = [];
  const front = createFront({
    routes, tenant: () => tenant, now: () => NOW, newId: () => random.guid(), settle: () => {}, keep: () => {}, baseUrl: () => url,
    delays: () => ({ ...NO_DELAYS, directoryToPim: DIRECTORY_TO_PIM_MS }), charge: () => ({ refused: false, headers: {} }), inBatch: (_req, _call, serve) => serve(),
    async caller(authorization) {
      const caller = callers[Number(authorization?.replace('Bearer ', ''))];
      if (!caller) throw new GraphRefusal(401, 'InvalidAuthenticationToken', 'Access token is empty.');
      return caller;
    },
  });
  const app = express();
  app.set('query parser', false);
  app.use(express.json({ strict: false }), async (req, res) => {
    const answer = await front.handle(req, res);
    res.status(answer.status).json(answer.body);
  });
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const sendAs = (caller: Caller): Send => {
    const token = callers.push(caller) - 1;
    return async (path, { method, body, headers } = {}) => {
      const answer = await fetch(path.startsWith('http') ? path : `${url}${path}`, {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
    };
  };
  const user = (name: string): User => {
    const found = tenant.users.find((one) => one.displayName === name);
    if (!found) throw new Error(`nobody is called ${name}`);
    return found;
  };

  return {
    tenant, url, user,
    group(name: string): Group {
      const found = tenant.groups.find((one) => one.displayName === name);
      if (!found) throw new Error(`no group is called ${name}`);
      return found;
    },
    as: (name: string, ...scopes: readonly string[]): Send => sendAs({ kind: 'user', user: user(name), appId: 'portal', scopes, acrs: [], amr: ['pwd'], authTime: 0, cp1: true }),
    asApp: (...roles: readonly string[]): Send => sendAs({ kind: 'app', appId: 'portal', roles }),
    /** Names of what was logged since the seed. */
    logged: (): string[] => tenant.directoryAudits.filter(({ entry }) => entry.activityDateTime.startsWith(NOW.toISOString().slice(0, 23))).map(({ entry }) => entry.activityDisplayName),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
