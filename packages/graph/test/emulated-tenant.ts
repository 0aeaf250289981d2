import { createHash, randomBytes } from 'node:crypto';
import { createGateway } from '@gatehouse/graph';
import type { Graph, GraphLogEntry } from '@gatehouse/graph';
import { DEMO_DELAYS, startEmulator } from '@gatehouse/entra-emulator';
import { JSDOM } from 'jsdom';
import { CookieJar } from 'tough-cookie';
import { z } from 'zod';
import { skippingTimer } from './scripted-graph.ts';

export const MAYA = 'maya.lindqvist@contoso.example';
export const ANA = 'ana.costa@contoso.example';
export const OMAR = 'omar.haddad@contoso.example';

const REDIRECT = 'http://localhost:1/auth/redirect';
const Registration = z.object({ tenantId: z.string(), clientId: z.string(), clientSecret: z.string() });
const Token = z.object({ access_token: z.string() });

/** An emulated tenant with a standing clock, and Graph for whoever signs in there. */
export async function startTenant() {
  const emulator = await startEmulator({ port: 0, seed: 'demo', frozen: true, delays: DEMO_DELAYS, throttling: null, startAt: '2026-03-02T09:00:00.000Z' });
  const registration = Registration.parse(await (await fetch(`${emulator.url}/_emulator/registration`)).json());
  const authority = `${emulator.url}/${registration.tenantId}/oauth2/v2.0`;
  const log: GraphLogEntry[] = [];

  const redeem = async (grant: Record<string, string>): Promise<string> => {
    const body = new URLSearchParams({ client_id: registration.clientId, client_secret: registration.clientSecret, ...grant });
    const answer = await fetch(`${authority}/token`, { method: 'POST', body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`no token: ${text}`);
    return Token.parse(JSON.parse(text)).access_token;
  };
  const gateway = createGateway({ baseUrl: emulator.url, timer: skippingTimer(), clock: { now: () => new Date() }, random: Math.random, log: (entry) => void log.push(entry), timeoutMs: 10_000 });
  const graphWith = (token: string): Graph => gateway.graph({ token: async () => token, priority: 'person', patience: { of: 'call', ms: 60_000 } });

  return {
    url: emulator.url,
    log,
    async as(upn: string, scopes: readonly string[], claims: Record<string, unknown> = {}): Promise<Graph> {
      const verifier = randomBytes(32).toString('base64url');
      const scope = [...scopes, 'openid', 'profile', 'offline_access'].join(' ');
      const query = new URLSearchParams({
        client_id: registration.clientId,
        redirect_uri: REDIRECT,
        response_type: 'code',
        response_mode: 'query',
        scope,
        state: 'state-1',
        nonce: 'nonce-1',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        client_info: '1',
        claims: JSON.stringify({ ...claims, access_token: { xms_cc: { values: ['CP1'] }, ...(claims['access_token'] as object | undefined) } }),
      });
      const code = await signInAs(upn, `${authority}/authorize?${query}`);
      return graphWith(await redeem({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: verifier, scope }));
    },
    async asPortal(): Promise<Graph> {
      return graphWith(await redeem({ grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' }));
    },
    async advance(duration: string): Promise<void> {
      await fetch(`${emulator.url}/_emulator/clock`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ advance: duration }) });
    },
    async faults(rules: readonly unknown[]): Promise<void> {
      const answer = await fetch(`${emulator.url}/_emulator/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(rules) });
      if (!answer.ok) throw new Error(await answer.text());
    },
    async [Symbol.asyncDispose]() {
      await emulator.close();
    },
  };
}

/** Walks the sign-in pages as the person and answers the code. */
async function signInAs(upn: string, start: string): Promise<string> {
  const jar = new CookieJar(undefined, { allowSpecialUseDomain: true });
  let url = start;
  let init: RequestInit = {};
  for (let hop = 0; hop < 20; hop += 1) {
    const cookie = await jar.getCookieString(url);
    const answer = await fetch(url, { ...init, redirect: 'manual', headers: cookie === '' ? {} : { cookie } });
    for (const line of answer.headers.getSetCookie()) await jar.setCookie(line, url);
    const html = await answer.text();
    const location = answer.headers.get('location');
    if (location !== null) {
      const next = new URL(location, url);
      if (next.href.startsWith(REDIRECT)) {
        const code = next.searchParams.get('code');
        if (code === null) throw new Error(`sign-in of ${upn} was refused: ${next.search}`);
        return code;
      }
      url = next.href;
      init = {};
      continue;
    }
    const { document } = new JSDOM(html, { url }).window;
    const forms = [...document.querySelectorAll('form')].filter((form) => form.method === 'post');
    const form = forms.find((candidate) => candidate.outerHTML.includes(upn)) ?? (forms.length === 1 ? forms[0] : undefined);
    if (!form) throw new Error(`sign-in of ${upn} stops at ${url}: ${answer.status} ${document.body.textContent.slice(0, 200)}`);
    const values = new URLSearchParams();
    for (const input of form.querySelectorAll('input')) if (input.name !== '') values.append(input.name, input.value);
    const buttons = [...form.querySelectorAll('button')];
    const button = buttons.find((candidate) => candidate.outerHTML.includes(upn)) ?? buttons[0];
    if (button?.name) values.append(button.name, button.value);
    url = form.action;
    init = { method: 'POST', body: values };
  }
  throw new Error(`sign-in of ${upn} did not end`);
}
