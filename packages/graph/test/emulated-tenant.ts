import { createGateway } from '@gatehouse/graph';
import type { Graph, GraphLogEntry } from '@gatehouse/graph';
import { DEMO_DELAYS, startEmulator } from '@gatehouse/entra-emulator';
import { JSDOM } from 'jsdom';
import { CookieJar } from 'tough-cookie';
import { z } from 'zod';
import { skippingTimer } from './scripted-graph.ts';
import { tokensOf } from './sign-in.ts';

export const MAYA = 'maya.lindqvist@contoso.example';
export const ANA = 'ana.costa@contoso.example';
export const OMAR = 'omar.haddad@contoso.example';

const START = '2026-03-02T09:00:00.000Z';
const REDIRECT = 'http://localhost:1/auth/redirect';
const Registration = z.object({ tenantId: z.string(), clientId: z.string(), clientSecret: z.string() });

/** An emulated tenant with a standing clock, and Graph for whoever signs in there. */
export async function startTenant() {
  const emulator = await startEmulator({ port: 0, seed: 'demo', frozen: true, delays: DEMO_DELAYS, throttling: null, startAt: START });
  const registration = Registration.parse(await (await fetch(`${emulator.url}/_emulator/registration`)).json());
  const authority = `${emulator.url}/${registration.tenantId}/oauth2/v2.0`;
  const log: GraphLogEntry[] = [];
  let now = START;

  const tokens = tokensOf({
    authority, clientId: registration.clientId, clientSecret: registration.clientSecret, redirectUri: REDIRECT, graphResource: 'https://graph.microsoft.com',
    throughSignIn: signInAs,
  });
  const gateway = createGateway({ baseUrl: emulator.url, timer: skippingTimer(), clock: { now: () => new Date(now) }, random: Math.random, log: (entry) => void log.push(entry), timeoutMs: 10_000 });
  const graphWith = (token: string): Graph => gateway.graph({ token: async () => token, priority: 'person', patience: { of: 'call', ms: 60_000 } });

  return {
    url: emulator.url,
    registration, authority, gateway,
    now: () => new Date(now),
    log,
    as: async (upn: string, scopes: readonly string[], claims: Record<string, unknown> = {}): Promise<Graph> => graphWith(await tokens.ofPerson(upn, scopes, claims)),
    asPortal: async (): Promise<Graph> => graphWith(await tokens.ofPortal()),
    async advance(duration: string): Promise<void> {
      const answer = await fetch(`${emulator.url}/_emulator/clock`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ advance: duration }) });
      ({ now } = z.object({ now: z.string() }).parse(await answer.json()));
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

/** Walks the sign-in pages as the person, to where they lead back. */
export async function signInAs(upn: string, start: string): Promise<URL> {
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
      if (next.href.startsWith(REDIRECT)) return next;
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
