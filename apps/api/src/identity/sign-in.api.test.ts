import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCookies } from '../http/cookies.ts';
import { ANA, BEN, MAYA, startPortal, type TestPortal } from '../testing.ts';

let portal: TestPortal;
beforeAll(async () => { portal = await startPortal(); });
afterAll(async () => { await portal[Symbol.asyncDispose](); });

const cookieOf = async (client: { jar: { getCookies(url: string): Promise<{ key: string; value: string }[]> } }, name: string): Promise<string | undefined> => (await client.jar.getCookies(portal.url)).find(({ key }) => key === name)?.value;

test('signing in gives a new session each time, and the one before is over', async () => {
  const client = portal.anonymous();
  await client.signIn(ANA);
  const first = await cookieOf(client, 'gatehouse');
  await client.signIn(ANA);
  const second = await cookieOf(client, 'gatehouse');
  expect(first).toMatch(/^[\w-]{43}$/);
  expect(second).not.toBe(first);
  const withOld = await fetch(`${portal.url}/api/session`, { headers: { cookie: `gatehouse=${first}` } });
  expect((await withOld.json()).person).toBeNull();
  expect((await client.get('/api/session')).body.person.userPrincipalName).toBe(ANA);
});

test('signing out ends the session here and sends the browser to end the one there', async () => {
  const client = portal.anonymous();
  await client.signIn(BEN);
  const secret = await cookieOf(client, 'gatehouse');
  const { body } = await client.post('/auth/sign-out');
  expect(body.signOutUrl).toContain(`/${portal.tenantId}/oauth2/v2.0/logout?`);
  const again = await fetch(`${portal.url}/api/access`, { headers: { cookie: `gatehouse=${secret}` } });
  expect([again.status, (await again.json()).code]).toEqual([401, 'not-signed-in']);
  const { rows } = await portal.db.pool.query("SELECT 1 FROM token_partition WHERE partition LIKE $1", [`%${(await portal.emulator.state()).users.find((one: { userPrincipalName: string }) => one.userPrincipalName === BEN).id}%`]);
  expect(rows, 'tokens that nobody needs are gone').toEqual([]);
});

describe('the way back from Entra', () => {
  /** Begins a sign-in and stops before the code is handed over: where the browser would go, and its binding cookie. */
  async function begun(): Promise<{ back: string; binding: string }> {
    const start = await fetch(`${portal.url}/auth/sign-in?returnTo=/access`, { redirect: 'manual' });
    const binding = start.headers.getSetCookie().find((line) => line.startsWith('gatehouse-sign-in='))?.split(';')[0] ?? '';
    const picker = await fetch(start.headers.get('location') ?? '');
    const ticket = /name="ticket" value="([\w-]+)"/.exec(await picker.text())?.[1] ?? '';
    const picked = await fetch(`${portal.emulator.url}/_signin/account`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ ticket, upn: MAYA }) });
    return { back: picked.headers.get('location') ?? '', binding };
  }
  /** As a browser that was refused comes back. */
  async function refused(answer: Record<string, string>): Promise<{ status: number; location: string | null; page: string }> {
    const { back, binding } = await begun();
    const url = new URL(back);
    url.searchParams.delete('code');
    for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
    const reply = await fetch(url, { redirect: 'manual', headers: { cookie: binding, accept: 'text/html' } });
    return { status: reply.status, location: reply.headers.get('location'), page: await reply.text() };
  }
  const open = async (address: string, cookie?: string): Promise<{ status: number; session: boolean }> => {
    const answer = await fetch(address, { redirect: 'manual', headers: cookie === undefined ? {} : { cookie } });
    return { status: answer.status, session: answer.headers.getSetCookie().some((line) => line.startsWith('gatehouse=')) };
  };

  test('is gone once, in the browser that began it', async () => {
    const { back, binding } = await begun();
    expect(await open(back), 'another browser').toEqual({ status: 400, session: false });
    expect(await open(back, 'gatehouse-sign-in=made-up')).toEqual({ status: 400, session: false });
    expect(await open(back, binding)).toEqual({ status: 302, session: true });
    expect(await open(back, binding), 'a second time').toEqual({ status: 400, session: false });
  });

  test.each([
    [{ error: 'access_denied', error_description: 'AADSTS65004: User declined to consent to access the app.' }],
    [{ error: 'access_denied', error_subcode: 'cancel' }],
    [{ error: 'access_denied', error_description: 'the user canceled the authentication' }],
  ])('of who turned back (%j) leads to where they were', async (answer) => {
    expect(await refused(answer)).toMatchObject({ status: 302, location: '/access' });
  });

  test.each([
    ['access_denied', 'AADSTS50105: Your administrator has configured the application to block users.', 502, /permission or role is missing.*You are not assigned to Gatehouse in Microsoft Entra.*\(AADSTS50105\)/s],
    ['consent_required', 'AADSTS65001: The user or administrator has not consented.', 502, /Nobody has consented to a permission.*\(AADSTS65001\)/s],
    ['consent_required', '', 502, /Nobody has consented to a permission.*\(consent_required\)/s],
    ['access_denied', 'AADSTS90094: Administrator consent is required.', 502, /Nobody has consented to a permission.*\(AADSTS90094\)/s],
    ['server_error', 'AADSTS90033: A transient error has occurred.', 503, /could not sign you in right now \(AADSTS90033\)/],
    ['temporarily_unavailable', '', 503, /could not sign you in right now \(temporarily_unavailable\)/],
    ['access_denied', 'AADSTS53003: Access has been blocked by Conditional Access policies.', 502, /gives this reason: AADSTS53003\./],
    ['<script>alert(1)</script>', 'AADSTS1<script>alert(1)</script>', 502, /gives this reason: AADSTS1\./],
    ['<script>alert(1)</script>', '<b>anything</b>', 502, /gives this reason: no code\./],
  ])('of who was refused says so: %s, %j', async (error, description, status, words) => {
    const answer = await refused({ error, error_description: description });
    expect([answer.status, answer.location]).toEqual([status, null]);
    expect(answer.page).toMatch(words);
    expect(answer.page).not.toMatch(/<script|<b>/);
  });

  test('without a code and without a reason is no sign-in either', async () => {
    expect(await refused({})).toMatchObject({ status: 502, location: null });
  });

  test('takes no state that was not given out, and no other code', async () => {
    const { back, binding } = await begun();
    const other = new URL(back);
    other.searchParams.set('state', 'made-up');
    expect(await open(other.href, binding)).toEqual({ status: 400, session: false });
    const forged = new URL(back);
    forged.searchParams.set('code', 'made-up');
    const { status, session } = await open(forged.href, binding);
    expect(status, 'Entra refuses it: nobody is signed in').toBe(401);
    expect(session).toBe(false);
  });
});

test.each(['https://evil.example/', '//evil.example/', '/\\evil.example', 'access', '/\u0009/evil.example', '/%0d%0aSet-Cookie:x'].map((address) => [address]))('after signing in nobody is sent to %j', async (returnTo) => {
  const answer = await fetch(`${portal.url}/auth/sign-in?returnTo=${encodeURIComponent(returnTo)}`, { redirect: 'manual', headers: { accept: 'application/json' } });
  if (returnTo.startsWith('/%')) return expect(answer.status, 'encoded, it is an address of our own').toBe(302);
  expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
});

test('an account that is named is offered first, and proves nothing', async () => {
  const begin = (account: string): Promise<Response> => fetch(`${portal.url}/auth/sign-in?account=${encodeURIComponent(account)}`, { redirect: 'manual', headers: { accept: 'application/json' } });
  const answer = await begin(ANA);
  expect(new URL(answer.headers.get('location') ?? '').searchParams.get('login_hint')).toBe(ANA);
  expect(answer.headers.getSetCookie().filter((line) => line.startsWith('gatehouse='))).toEqual([]);
  expect((await begin('ana&prompt=none')).status).toBe(400);
});

test('tokens are only on the server: sealed, a partition a person, and in no answer', async () => {
  const [ana, maya] = [await portal.as(ANA), await portal.as(MAYA)];
  const answers = [await ana.get('/api/access'), await ana.get('/api/session'), await maya.get('/api/directory/applications')];
  for (const { body, headers } of answers) expect(JSON.stringify([body, [...headers]])).not.toMatch(/eyJ[\w-]{10,}\./);
  const { rows } = await portal.db.pool.query<{ partition: string; sealed: Buffer }>('SELECT partition, sealed FROM token_partition');
  expect(rows.length).toBeGreaterThanOrEqual(2);
  expect(new Set(rows.map(({ partition }) => partition)).size).toBe(rows.length);
  for (const { sealed } of rows) expect(sealed.toString('latin1')).not.toMatch(/eyJ|secret|AccessToken/);
});

test.each([[true, '__Host-gatehouse'], [false, 'gatehouse']])('cookies with https %s', async (secure, name) => {
  const cookies = createCookies(secure);
  const app = express().get('/', (_req, res) => { cookies.setSession(res, 'the-secret', 60); cookies.setBinding(res, 'the-binding'); res.end(); });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const [session, binding] = (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).headers.getSetCookie();
  server.close();
  for (const cookie of [session, binding]) {
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; Path=\//);
    expect(cookie).not.toMatch(/Domain/i);
    expect(/; Secure/.test(cookie ?? '')).toBe(secure);
  }
  expect(session).toMatch(new RegExp(`^${name}=the-secret;.*SameSite=Strict`));
  expect(binding).toMatch(/SameSite=Lax/);
});
