import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createGateway, type Graph, type Timer } from '@gatehouse/graph';
import { z } from 'zod';
import { SETUP, type Stage } from './contract.ts';
import { tokensOf } from './sign-in.ts';

/** A tenant of one's own, and three people in it (docs/connect-a-tenant.md says how the portal is registered there). */
export interface LiveSettings {
  readonly loginUrl: string;
  readonly graphUrl: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** A loopback address that the registration has. */
  readonly redirectUri: string;
  /** Names by which the three sign in. */
  readonly people: Stage['people'];
  readonly throughSignIn: (upn: string, address: string) => Promise<URL>;
  readonly timer: Timer;
  readonly clock: { now(): Date };
  readonly auditMinutes: number;
}

/** How long what was written may take to be seen: PIM's own word is tens of seconds, at times two minutes. */
const PATIENCE_MS = 5 * 60_000;
const LOOK_EVERY_MS = 5_000;

/** Every object's name begins with this, and with a part that only this run has. */
export const MARK = 'GatehouseContract';

/** Microsoft's tenant as a stage. At the end it removes what it made, and throws where something is left. */
export async function startLiveTenant(settings: LiveSettings): Promise<Stage> {
  const { loginUrl, graphUrl, tenantId, clientId, clientSecret, redirectUri, people, throughSignIn, timer, clock, auditMinutes } = settings;
  const mark = `${MARK}-${randomBytes(4).toString('hex')}`;
  const tokens = tokensOf({ authority: `${loginUrl}/${tenantId}/oauth2/v2.0`, clientId, clientSecret, redirectUri, graphResource: 'https://graph.microsoft.com', throughSignIn });
  const gateway = createGateway({ baseUrl: graphUrl, timer, clock, random: Math.random, log: () => {}, timeoutMs: 60_000 });
  const graphWith = (token: string): Graph => gateway.graph({ token: async () => token, priority: 'person', patience: { of: 'call', ms: 120_000 } });
  let adminToken: string | undefined;

  const eventually = async <T>(look: () => Promise<T>): Promise<T> => {
    const deadline = timer.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await look();
      } catch (error) {
        if (timer.now() > deadline) throw error;
        await timer.sleep(LOOK_EVERY_MS);
      }
    }
  };

  const call = async (method: 'GET' | 'DELETE', path: string): Promise<Response> =>
    fetch(`${graphUrl}/v1.0${path}`, { method, headers: { authorization: `Bearer ${adminToken ?? ''}` } });
  const marked = async (kind: 'groups' | 'applications'): Promise<string[]> => {
    const answer = await call('GET', `/${kind}?$filter=${encodeURIComponent(`startswith(displayName,'${mark}')`)}&$select=id,displayName`);
    return z.object({ value: z.array(z.object({ id: z.string(), displayName: z.string() })) }).parse(await answer.json()).value.filter(({ displayName }) => displayName.startsWith(mark)).map(({ id }) => id);
  };

  return {
    people, mark, auditMinutes, eventually,
    now: () => clock.now(),
    async mail(upn) {
      const answer = await call('GET', `/users/${encodeURIComponent(upn)}?$select=mail`);
      return z.object({ mail: z.string().nullish() }).parse(await answer.json()).mail ?? undefined;
    },
    pass: (minutes) => timer.sleep(minutes * 60_000),
    async as(upn, scopes, claims) {
      const token = await tokens.ofPerson(upn, scopes, claims);
      if (upn === people.admin) adminToken = token;
      return graphWith(token);
    },
    asPortal: async () => graphWith(await tokens.ofPortal()),
    async [Symbol.asyncDispose]() {
      // The run may have taken longer than a token lives.
      adminToken = await tokens.ofPerson(people.admin, SETUP);
      for (const kind of ['groups', 'applications'] as const) {
        for (const id of await marked(kind)) {
          const removed = await call('DELETE', `/${kind}/${id}`);
          if (removed.status !== 204) throw new Error(`${kind} ${id} (${mark}) could not be removed: ${removed.status} ${await removed.text()}`);
        }
        await eventually(async () => {
          const left = await marked(kind);
          if (left.length > 0) throw new Error(`${kind} ${left.join(', ')} (${mark}) are still there`);
        });
      }
    },
  };
}

/** Shows the address in the terminal and waits at the redirect address until the person has signed in. */
export function inBrowser(redirectUri: string, show: (text: string) => void): LiveSettings['throughSignIn'] {
  return async (upn, address) => {
    const { hostname, port, pathname } = new URL(redirectUri);
    const server = createServer();
    server.listen(Number(port || '80'), hostname);
    await once(server, 'listening');
    show(`\nSign in as ${upn}, in a private window:\n${address}\n`);
    try {
      for (;;) {
        const [request, response] = await once(server, 'request') as [{ url?: string }, { end(text: string): void }];
        const back = new URL(request.url ?? '/', redirectUri);
        response.end(back.pathname === pathname ? 'Back to the test.' : '');
        if (back.pathname === pathname) return back;
      }
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };
}
