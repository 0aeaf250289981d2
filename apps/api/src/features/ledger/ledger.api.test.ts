import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LARGE_EXPORT } from '@gatehouse/contracts';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verify } from '../../../../verify/src/verify.ts';
import { withConnection } from '../../mirror/database.ts';
import { ingest } from '../../mirror/ingest.ts';
import { pimEvent } from '../../mirror/testing.ts';
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
  const note = (await maya.get('/api/ledger/checkpoint')).body;
  expect(note).toBe(body.checkpoint.note);
  expect((await maya.get('/api/ledger/keys')).body).toBe(`${body.keys[0]}\n`);
  const tile = await maya.get('/api/ledger/tiles/0/0');
  expect(tile.body.hashes.length).toBe(Math.min(256, body.checkpoint.size));
  expect((await maya.get('/api/ledger/tiles/3/9')).status).toBe(404);
});

test('an event is proved by its leaf, from the page to the verifier; one that is not sealed yet is said to be so', async () => {
  const ines = await portal.as(INES);
  await portal.advance('PT1M');
  await portal.anonymous().signIn(INES);
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
  const answer = await answersOf(portal.url, '--cookie', await ines.jar.getCookieString(portal.url), '--key', key, '--checkpoint', join(folder, 'kept'));
  expect(answer.lines.filter((line) => !line.startsWith('✓'))).toEqual([]);
  expect(answer.code).toBe(0);
  expect(await answersOf(portal.url, '--key', key)).toMatchObject({ code: 2, lines: [expect.stringContaining('an auditor who is signed in')] });
  const { body: { events: [event] } } = await ines.get('/api/history/events?limit=1&kind=portal-export');
  expect(event).toMatchObject({ activity: 'history.exported' });
});

test('a large ledger is taken along soon after a sign-in only', async () => {
  const ines = await portal.as(INES);
  const { body: { keys: [key] } } = await ines.get('/api/ledger');
  const events = Array.from({ length: LARGE_EXPORT }, (_, n) => pimEvent({ id: `large-${n}`, at: portal.now().toISOString(), activity: 'Process request' }));
  await withConnection(portal.db, (connection) => ingest(connection, pino({ level: 'silent' }), { tenantId: portal.tenantId, events, receivedAt: portal.now(), bulk: true }));
  await portal.product.ledger.seal();
  await portal.db.pool.query(`UPDATE session SET authenticated_at = $1 WHERE name = 'Ines Moreau'`, [new Date(Date.now() - 11 * 60_000)]);
  expect((await ines.get('/api/ledger/pack.zip')).body).toMatchObject({ code: 'step-up-required', detail: expect.stringMatching(/^A ledger of more than 10,000 rows/) });
  expect(await answersOf(portal.url, '--cookie', await ines.jar.getCookieString(portal.url), '--key', key)).toMatchObject({ code: 2, lines: [expect.stringContaining('sign in anew')] });
  const page = await (await fetch(`${portal.url}/api/ledger/pack.zip`, { headers: { accept: 'text/html', cookie: await ines.jar.getCookieString(portal.url) } })).text();
  expect(page, 'a link that is refused shows why, and leads back').toMatch(/<a href="\/auth\/sign-in\?stepUp=[\w-]+&#38;returnTo=%2Fsync">Verify<\/a>/);

  await portal.db.pool.query(`UPDATE session SET authenticated_at = NULL WHERE name = 'Ines Moreau'`);
  expect((await ines.get('/api/ledger/pack.zip')).body).toMatchObject({ code: 'sign-in-time-unknown', detail: expect.stringMatching(/^A ledger of more than 10,000 rows .* auth_time/) });
  expect(await answersOf(portal.url, '--cookie', await ines.jar.getCookieString(portal.url), '--key', key)).toMatchObject({ code: 2, lines: [expect.stringContaining('Sync & health says what to mend')] });
});
