import { createHash, randomBytes } from 'node:crypto';
import { DEMO_DELAYS } from './delays.ts';
import { startEmulator, type EmulatorOptions } from './emulator.ts';

export const MAYA = 'maya.lindqvist@contoso.example';
export const ANA = 'ana.costa@contoso.example';
export const BEN = 'ben.novak@contoso.example';
export const OMAR = 'omar.haddad@contoso.example';
export const START = '2026-03-02T09:00:00.000Z';
export const REDIRECT = 'http://localhost:3000/auth/redirect';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // A test looks into answers freely.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
  readonly body: any;
}

export type Send = (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>;

/** A browser at the sign-in pages: it keeps its one cookie and follows nothing by itself. */
function browser() {
  let cookie = '';
  return async (url: string, form?: Record<string, string>): Promise<{ status: number; location: string | null; html: string }> => {
    const answer = await fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie }, ...(form && { method: 'POST', body: new URLSearchParams(form) }) });
    for (const line of answer.headers.getSetCookie()) cookie = line.split(';')[0] ?? '';
    return { status: answer.status, location: answer.headers.get('location'), html: await answer.text() };
  };
}

/** An emulated tenant over HTTP, its clock standing at `START`, and what a client of it does. */
export async function startTenant(options: EmulatorOptions = {}) {
  const emulator = await startEmulator({ port: 0, seed: 'demo', frozen: true, startAt: START, delays: DEMO_DELAYS, throttling: null, ...options });
  const { url } = emulator;
  const registration = await (await fetch(`${url}/_emulator/registration`)).json() as { tenantId: string; clientId: string; clientSecret: string };
  const authority = `${url}/${registration.tenantId}/oauth2/v2.0`;

  const json = async (path: string, body: unknown): Promise<void> => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  };

  /** The authorization request, as a client would send the browser with it; what is given replaces what is proper. */
  const authorize = (given: Record<string, string | undefined> = {}): { address: string; verifier: string } => {
    const verifier = randomBytes(32).toString('base64url');
    const proper: Record<string, string | undefined> = {
      client_id: registration.clientId, redirect_uri: REDIRECT, response_type: 'code', scope: 'openid profile offline_access User.Read', state: 'the-state', nonce: 'the-nonce',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', ...given,
    };
    const query = new URLSearchParams(Object.entries(proper).filter((pair): pair is [string, string] => pair[1] !== undefined));
    return { address: `${authority}/authorize?${query}`, verifier };
  };

  /** Picks the account, approves what is asked, and answers where the browser is sent back to. */
  const walk = async (upn: string, address: string, open = browser()): Promise<URL> => {
    let page = await open(address);
    for (let hop = 0; hop < 5 && page.location === null; hop += 1) {
      const ticket = /name="ticket" value="([\w-]+)"/.exec(page.html)?.[1];
      const action = /action="([^"]+)"/.exec(page.html)?.[1];
      if (ticket === undefined || action === undefined) throw new Error(`sign-in stops: ${page.status} ${page.html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').slice(-200)}`);
      page = await open(`${url}${action}`, { ticket, upn });
    }
    return new URL(page.location ?? '');
  };

  const token = async (form: Record<string, string | undefined>): Promise<Answer> => {
    const all = { client_id: registration.clientId, client_secret: registration.clientSecret, ...form };
    const answer = await fetch(`${authority}/token`, { method: 'POST', body: new URLSearchParams(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)) });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };

  const redeem = async (upn: string, given: Record<string, string | undefined> = {}, open = browser()): Promise<Answer> => {
    const { address, verifier } = authorize(given);
    const back = await walk(upn, address, open);
    return token({ grant_type: 'authorization_code', code: back.searchParams.get('code') ?? '', redirect_uri: REDIRECT, code_verifier: verifier, claims: given['claims'] });
  };

  const graphWith = (bearer: string | undefined): Send => async (method, path, body, headers = {}) => {
    const answer = await fetch(path.startsWith('http') ? path : `${url}${path}`, {
      method, headers: { ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
  };

  return {
    url, authority, registration, authorize, walk, token, redeem, browser, graphWith,
    /** Graph for a person with these scopes; `claims` as a client sends them to ask for a stronger sign-in. */
    async as(upn: string, scopes: string, claims: Record<string, unknown> = {}): Promise<Send> {
      const answer = await redeem(upn, { scope: `openid profile offline_access ${scopes}`, claims: JSON.stringify({ access_token: { xms_cc: { values: ['CP1'] }, ...claims } }) });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
      return graphWith(answer.body.access_token);
    },
    async asApp(): Promise<Send> {
      return graphWith((await token({ grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' })).body.access_token);
    },
    advance: (duration: string): Promise<void> => json('/_emulator/clock', { advance: duration }),
    /** An access token of a person with these scopes. */
    tokenOf: async (upn: string, scopes: string): Promise<string> => (await redeem(upn, { scope: `openid ${scopes}` })).body.access_token as string,
    faults: (rules: unknown): Promise<void> => json('/_emulator/faults', rules),
    journal: async () => await (await fetch(`${url}/_emulator/journal`)).json() as { method: string; url: string; status: number; headers: Record<string, string>; batch?: string; effect?: boolean }[],
    clearJournal: async (): Promise<void> => { await fetch(`${url}/_emulator/journal`, { method: 'DELETE' }); },
    settings: (wish: unknown): Promise<void> => json('/_emulator/settings', wish),
    /** Whoever is signed in did so that much earlier, such as `PT11M`. */
    signedInEarlier: (age: string): Promise<void> => json('/_emulator/sign-ins', { age }),
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tenant as plain data, to look into freely
    state: async (): Promise<any> => (await fetch(`${url}/_emulator/state`)).json(),
    [Symbol.asyncDispose]: () => emulator.close(),
  };
}

export type TestTenant = Awaited<ReturnType<typeof startTenant>>;
