import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verify } from '../../../../verify/src/verify.ts';
import { createLedger } from '../../mirror/ledger/ledger.ts';
import { INES, MAYA, startPortal, type TestPortal } from '../../testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-ledger-'));
const answersOf = async (...args: string[]): Promise<{ code: number; lines: string[] }> => {
  const lines: string[] = [];
  return { code: await verify(args, { out: (line) => { lines.push(line); }, err: (line) => { lines.push(line); }, cookie: undefined }), lines };
};

let portal: TestPortal;
beforeAll(async () => {
  portal = await startPortal();
  await portal.syncNow();
  await portal.as(INES);
  await portal.product.ledger.seal();
});
afterAll(async () => {
  await portal[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('the ledger says where it stands, and its checkpoint and keys can be taken as text', async () => {
  const maya = await portal.as(MAYA);
  const { body } = await maya.get('/api/ledger');
  expect(body).toMatchObject({ alarm: null, checkpoint: { size: expect.any(Number), note: expect.stringContaining(`gatehouse/${portal.tenantId}`) }, anchors: [{ kind: 'log', size: expect.any(Number), error: null }], keys: [expect.stringContaining(`gatehouse/${portal.tenantId}+`)] });
  const note = await fetchText('/api/ledger/checkpoint');
  expect(note).toBe(body.checkpoint.note);
  expect(await fetchText('/api/ledger/keys')).toBe(`${body.keys[0]}\n`);
  const tile = await maya.get('/api/ledger/tiles/0/0');
  expect(tile.body.hashes.length).toBe(Math.min(256, body.checkpoint.size));
  expect((await maya.get('/api/ledger/tiles/3/9')).status).toBe(404);
});

test('an event is proved by its leaf, from the page to the verifier; one that is not sealed yet is said to be so', async () => {
  const ines = await portal.as(INES);
  const { body: { events: [event] } } = await ines.get('/api/history/events?limit=1&kind=portal-sign-in');
  const { body: before } = await ines.get(`/api/ledger/events/${encodeURIComponent(event.id)}`);
  expect(before).toEqual({ proof: null });
  await portal.product.ledger.seal();
  const { body: { proof } } = await ines.get(`/api/ledger/events/${encodeURIComponent(event.id)}`);
  expect(proof.data.startsWith('audit_event\n')).toBe(true);
  const file = join(folder, 'proof.json');
  writeFileSync(file, JSON.stringify(proof));
  expect((await answersOf(file, '--key', proof.keys[0])).code).toBe(0);
  writeFileSync(file, JSON.stringify({ ...proof, data: proof.data.replace('session.begun', 'session.ended') }));
  expect((await answersOf(file, '--key', proof.keys[0])).code).toBe(1);
});

test('two signed trees are proved to be one, and a size that nobody signed is not found', async () => {
  const ines = await portal.as(INES);
  const { rows: [row] } = await portal.db.pool.query<{ first: number; last: number }>('SELECT min(tree_size)::int AS first, max(tree_size)::int AS last FROM ledger_checkpoint');
  const { body } = await ines.get(`/api/ledger/consistency?from=${row?.first}&to=${row?.last}`);
  expect(body).toMatchObject({ from: { size: row?.first }, to: { size: row?.last } });
  expect((await ines.get('/api/ledger/consistency?from=1&to=2')).status).toBe(404);
  expect((await ines.get('/api/ledger/consistency?from=5&to=2')).status).toBe(400);
});

test('the verifier reads a portal that runs, with the cookie of an auditor and not without', async () => {
  const ines = await portal.as(INES);
  const { body: { keys: [key], checkpoint } } = await ines.get('/api/ledger');
  writeFileSync(join(folder, 'kept'), checkpoint.note);
  const answer = await answersOf(portal.url, '--cookie', await ines.cookies(), '--key', key, '--checkpoint', join(folder, 'kept'));
  expect(answer.lines.filter((line) => !line.startsWith('✓'))).toEqual([]);
  expect(answer.code).toBe(0);
  expect(await answersOf(portal.url, '--key', key)).toMatchObject({ code: 2, lines: [expect.stringContaining('an auditor who is signed in')] });
  const { body: { events: [event] } } = await ines.get('/api/history/events?limit=1&kind=portal-export');
  expect(event).toMatchObject({ activity: 'history.exported' });
});

test('checkpoints go to the log, the file and the webhook, and a failure is kept and made good later', async () => {
  const taken: { headers: Record<string, string>; body: string }[] = [];
  const lines: string[] = [];
  let status = 500;
  const secret = Buffer.alloc(32, 3);
  await using receiver = await listening((headers, body) => { taken.push({ headers, body }); return status; });
  const { createWebhookSender } = await import('../notifications/notifications.senders.ts');
  let now = Date.now();
  const systemClock = { now: () => new Date(now) };
  const file = join(folder, 'data', 'checkpoints.log');
  const ledger = createLedger({
    db: portal.db, clock: { now: () => portal.now() }, systemClock, tenantId: portal.tenantId, keys: [Buffer.alloc(32, 9)], file, post: createWebhookSender({ url: receiver.url, body: 'json', keys: [secret] }, { now: () => new Date() }),
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
  const { lastInFile } = await import('../../mirror/ledger/anchors.ts');
  expect(await lastInFile(file)).toBe(note);
});

const fetchText = async (path: string): Promise<string> => (await fetch(`${portal.url}${path}`, { headers: { cookie: await (await portal.as(INES)).cookies() } })).text();

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
