import { ENDPOINTS, type Endpoint } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAYA, startPortal, type Client, type TestPortal } from '../src/testing.ts';

let portal: TestPortal;
let client: Client;
beforeAll(async () => {
  portal = await startPortal();
  client = await portal.as(MAYA);
});
afterAll(async () => { await portal[Symbol.asyncDispose](); });

const unsafe = Object.entries(ENDPOINTS).filter(([, { method }]) => method !== 'GET');
const pathOf = ({ path }: Endpoint): string => path.replace(/:[A-Za-z]+/g, 'ffffffff-1111-4111-8111-ffffffffffff');

/** Ways in which another site, or a page that is not ours, could send a request with the person's cookie. */
const FORGERIES: Record<string, { headers: (url: string) => Record<string, string>; body?: string }> = {
  'no proof at all': { headers: () => ({ 'content-type': 'application/json' }) },
  'no header of ours': { headers: (url) => ({ 'content-type': 'application/json', origin: url }) },
  'a foreign origin': { headers: () => ({ 'content-type': 'application/json', origin: 'https://evil.example', 'x-requested-with': 'gatehouse' }) },
  'the same host on another port': { headers: () => ({ 'content-type': 'application/json', origin: 'http://localhost:1', 'x-requested-with': 'gatehouse' }) },
  'an opaque origin': { headers: () => ({ 'content-type': 'application/json', origin: 'null', 'x-requested-with': 'gatehouse' }) },
  'cross-site by Fetch Metadata': { headers: (url) => ({ 'content-type': 'application/json', origin: url, 'sec-fetch-site': 'cross-site', 'x-requested-with': 'gatehouse' }) },
  'same-site by Fetch Metadata': { headers: (url) => ({ 'content-type': 'application/json', origin: url, 'sec-fetch-site': 'same-site', 'x-requested-with': 'gatehouse' }) },
  'typed into the address bar': { headers: (url) => ({ 'content-type': 'application/json', origin: url, 'sec-fetch-site': 'none', 'x-requested-with': 'gatehouse' }) },
  'a text body': { headers: (url) => ({ 'content-type': 'text/plain', origin: url, 'sec-fetch-site': 'same-origin', 'x-requested-with': 'gatehouse' }) },
  'a form body': { headers: (url) => ({ 'content-type': 'application/x-www-form-urlencoded', origin: url, 'sec-fetch-site': 'same-origin', 'x-requested-with': 'gatehouse' }), body: 'minutes=1' },
  'a multipart body': { headers: (url) => ({ 'content-type': 'multipart/form-data; boundary=x', origin: url, 'sec-fetch-site': 'same-origin', 'x-requested-with': 'gatehouse' }), body: '--x--' },
};

describe.each(unsafe)('%s', (_name, contract) => {
  test.each(Object.entries(FORGERIES))('refuses %s', async (_title, { headers, body }) => {
    await portal.emulator.clearJournal();
    const answer = await fetch(`${portal.url}${pathOf(contract)}`, {
      method: contract.method, body: body ?? '{}', redirect: 'manual',
      headers: { ...headers(portal.url), cookie: await client.jar.getCookieString(portal.url) },
    });
    expect(answer.status).toBe(403);
    expect((await answer.json()).code).toBe('cross-site');
    expect(await portal.emulator.journal()).toEqual([]);
  });
});

test('a method override in a header or the query does not make a GET unsafe', async () => {
  const before = portal.now().toISOString();
  const answer = await fetch(`${portal.url}/api/demo/clock?_method=POST&minutes=5`, { headers: { 'x-http-method-override': 'POST', cookie: await client.jar.getCookieString(portal.url) } });
  expect(answer.status).toBe(404);
  expect(portal.now().toISOString()).toBe(before);
});

test('the Cookie header never reaches Graph', async () => {
  await portal.emulator.clearJournal();
  await client.get('/api/access');
  const journal = await portal.emulator.journal();
  expect(journal.length).toBeGreaterThan(0);
  expect(journal.filter(({ headers }) => 'cookie' in headers)).toEqual([]);
});
