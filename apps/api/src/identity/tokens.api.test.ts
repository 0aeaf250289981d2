import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MAYA, startPortal, type TestPortal } from '../testing.ts';

/** The tenant as the portal reaches it, with a hand on the endpoint of tokens. */
const atTokens = { refreshes: 0, onRefresh: async (): Promise<void> => {}, isDown: false };
const closing: (() => void)[] = [];
async function through(emulatorUrl: string): Promise<string> {
  const answer = async (method: string, path: string, headers: Headers, body: Buffer): Promise<{ status: number; headers: Record<string, string>; text: string }> => {
    // What streams is between the two alone.
    if (path.startsWith('/_emulator/')) return { status: 307, headers: { location: `${emulatorUrl}${path}` }, text: '' };
    if (body.includes('grant_type=refresh_token')) {
      atTokens.refreshes += 1;
      await atTokens.onRefresh();
    }
    if (atTokens.isDown && path.includes('/token')) throw new Error('nobody is there');
    const given = await fetch(`${emulatorUrl}${path}`, { method, headers, ...(body.length > 0 && { body: new Uint8Array(body) }) });
    const text = await given.text();
    return { status: given.status, headers: { 'content-type': given.headers.get('content-type') ?? '' }, text: path.endsWith('/openid-configuration') ? text.replace(/("token_endpoint":\s*")http:\/\/[^/]+/, `$1${url}`) : text };
  };
  const server = createServer((req, res) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const headers = new Headers(Object.entries(req.headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name)).map(([name, value]): [string, string] => [name, String(value)]));
      const { status, headers: given, text } = await answer(req.method ?? '', req.url ?? '', headers, Buffer.concat(chunks));
      res.writeHead(status, given).end(text);
    })().catch(() => { res.destroy(); });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => { server.closeAllConnections(); server.close(); });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return url;
}

let portal: TestPortal;
beforeAll(async () => { portal = await startPortal({ through }); });
beforeEach(async () => {
  await portal.db.pool.query('DELETE FROM session; DELETE FROM token_partition');
  Object.assign(atTokens, { refreshes: 0, onRefresh: async () => {}, isDown: false });
});
afterAll(async () => {
  await portal[Symbol.asyncDispose]();
  for (const close of closing) close();
});

const kept = async () => (await portal.db.pool.query<{ sealed: Buffer; at: Date }>('SELECT sealed, updated_at AS at FROM token_partition')).rows.map(({ sealed, at }) => ({ seal: sealed.toString('hex', 0, 12), at }));

/** Somebody who asks for what needs a token that they do not have yet, while Entra takes its time over it. */
async function asking() {
  const maya = portal.anonymous();
  await maya.signIn(MAYA);
  const [arrived, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  atTokens.onRefresh = () => {
    arrived.resolve();
    return held.promise;
  };
  const asked = maya.get('/api/directory/applications');
  await arrived.promise;
  return { maya, answered: async () => { held.resolve(); await asked; } };
}

test('a token that was fetched is kept for the next call, by the clock of sessions', async () => {
  const maya = portal.anonymous();
  await maya.signIn(MAYA);
  for (const time of ['the first', 'the second']) expect((await maya.get('/api/directory/applications')).status, time).toBe(200);
  expect(atTokens.refreshes).toBe(1);
  const [row] = await kept();
  expect(Math.abs(Date.now() - (row?.at.getTime() ?? 0))).toBeLessThan(24 * 60 * 60_000);
});

test('what was forgotten with a sign-out is not brought back by a call that was under way', async () => {
  const { maya, answered } = await asking();
  expect((await maya.post('/auth/sign-out')).status).toBe(200);
  expect(await kept()).toEqual([]);
  await answered();
  expect(await kept()).toEqual([]);
});

test('what a newer sign-in brought is not taken away by a call that began before it', async () => {
  const { maya, answered } = await asking();
  await maya.signIn(MAYA);
  const newer = await kept();
  // What the same request asks next begins with what is there by then, and may add to it.
  let before: typeof newer | undefined;
  atTokens.onRefresh = async () => { before ??= await kept(); };
  await answered();
  expect(before ?? await kept()).toEqual(newer);
});

test('that the endpoint of tokens does not answer is said to who signs in, and nobody is signed in', async () => {
  const maya = portal.anonymous();
  atTokens.isDown = true;
  await expect(maya.signIn(MAYA)).rejects.toThrow(/ended with 503: .*Microsoft Entra does not answer/);
  expect([(await maya.get('/api/session')).body.person, await kept()]).toEqual([null, []]);
  atTokens.isDown = false;
  await maya.signIn(MAYA);
  expect((await maya.get('/api/session')).body.person.userPrincipalName).toBe(MAYA);
});
