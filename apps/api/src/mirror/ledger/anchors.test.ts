import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase } from '@gatehouse/db/testing';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { afterAll, expect, test } from 'vitest';
import { createWebhookSender } from '../../features/notifications/notifications.senders.ts';
import { lastInFile } from './anchors.ts';
import { createLedger } from './ledger.ts';
import { addBatch, TENANT } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-anchors-'));
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

test('checkpoints go to the log, the file and the webhook, and a failure is kept and made good later', async () => {
  const taken: { headers: Record<string, string>; body: string }[] = [];
  const lines: string[] = [];
  let status = 500;
  const secret = Buffer.alloc(32, 3);
  await using receiver = await listening((headers, body) => { taken.push({ headers, body }); return status; });
  await using db = await testDatabase();
  await addBatch(db, 3, 0);
  let now = Date.now();
  const systemClock = { now: () => new Date(now) };
  const file = join(folder, 'data', 'checkpoints.log');
  const ledger = createLedger({
    db, clock: systemClock, systemClock, tenantId: TENANT, keys: [Buffer.alloc(32, 9)], file, post: createWebhookSender({ url: receiver.url, body: 'json', keys: [secret] }, { now: () => new Date() }),
    log: pino({ level: 'info' }, { write: (line: string) => { lines.push(line); } }),
  });
  await ledger.seal();
  expect((await ledger.state()).anchors.map(({ kind, error }) => [kind, error])).toEqual([['file', null], ['log', null], ['webhook', 'The webhook answered 500.']]);
  const note = (await ledger.checkpoint())?.note ?? '';
  expect(readFileSync(file, 'utf8')).toBe(`${note}\n`);
  status = 200;
  await ledger.seal();
  expect(taken).toHaveLength(1);
  now += 61_000;
  await ledger.seal();
  expect((await ledger.state()).anchors.find(({ kind }) => kind === 'webhook')).toMatchObject({ error: null, size: (await ledger.checkpoint())?.size });
  const posted = new Webhook(secret.toString('base64')).verify(taken.at(-1)?.body ?? '', taken.at(-1)?.headers ?? {});
  expect(posted).toMatchObject({ type: 'ledger.checkpoint', data: { note } });
  // What a crash cut short is not taken for the last one.
  appendFileSync(file, note.slice(0, 40));
  expect(await lastInFile(file)).toBe(note);
});

async function listening(answer: (headers: Record<string, string>, body: string) => number): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    res.writeHead(answer(req.headers as Record<string, string>, Buffer.concat(chunks).toString())).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, [Symbol.asyncDispose]: async () => { await new Promise((resolve) => { server.close(resolve); }); } };
}
