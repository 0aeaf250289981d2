import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { expect, test } from 'vitest';
import type { TrustedProxies } from '../config.ts';
import { addressOf } from './address.ts';

/** What a portal with that setting takes for the address of a request from this machine. */
async function seen(trustProxy: TrustedProxies, said: string | undefined, host = '127.0.0.1'): Promise<string> {
  const app = express();
  app.set('trust proxy', trustProxy);
  app.get('/', (req, res) => { res.send(addressOf(req)); });
  const server = createServer(app).listen(0, host);
  await once(server, 'listening');
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { headers: said === undefined ? {} : { 'x-forwarded-for': said, 'forwarded': `for=${said}`, 'x-real-ip': said } });
    return await answer.text();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test.each<[string, TrustedProxies, string | undefined, string]>([
  ['nobody is trusted: whoever is connected', 0, '203.0.113.7', '127.0.0.1'],
  ['one proxy: what it added, not what came with the request', 1, '198.51.100.1, 203.0.113.7', '203.0.113.7'],
  ['two proxies: what the outer one added', 2, '198.51.100.1, 203.0.113.7, 10.0.0.1', '203.0.113.7'],
  ['one proxy that says nothing: itself', 1, undefined, '127.0.0.1'],
  ['one proxy that passes on what is no address: itself', 1, '<b>your own computer</b>', '127.0.0.1'],
  ['a list: past those in it, and no further', ['127.0.0.1', '10.0.0.0/8'], '198.51.100.1, 203.0.113.7, 10.1.2.3', '203.0.113.7'],
  ['a list without who is connected', ['10.0.0.0/8'], '203.0.113.7', '127.0.0.1'],
  ['a proxy that adds ports', 1, '203.0.113.7:50123', '203.0.113.7'],
  ['IPv6, with a port and without', 1, '[2001:db8::7]:50123', '2001:db8::7'],
  ['IPv4 in IPv6', 1, '::ffff:203.0.113.7', '203.0.113.7'],
])('%s', async (_title, trustProxy, said, address) => {
  expect(await seen(trustProxy, said)).toBe(address);
});

test('on a socket for both kinds of address it is the plain one', async () => {
  expect(await seen(0, undefined, '::')).toBe('127.0.0.1');
});
