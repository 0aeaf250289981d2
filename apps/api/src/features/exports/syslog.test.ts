import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { testDatabase } from '@gatehouse/db/testing';
import { afterEach, expect, test } from 'vitest';
import { addRows, HOSTILE, rowWith, TENANT } from './testing/hostile.ts';
import { parseCef, parseSyslog } from './testing/parsers.ts';
import { pauseAfter } from './syslog.rules.ts';
import { createSyslogSender, type SyslogSettings } from './syslog.sender.ts';
import { createSyslog } from './syslog.service.ts';

const open: Server[] = [];
afterEach(async () => { for (const server of open.splice(0)) { server.close(); await once(server, 'close'); } });

/** A receiver that keeps what it reads, a connection each. */
async function receiver(make: (onSocket: (socket: Socket) => void) => Server = (onSocket) => createServer(onSocket), onData: (socket: Socket, connection: number) => void = () => {}): Promise<{ port: number; connections: Buffer[][] }> {
  const connections: Buffer[][] = [];
  const server = make((socket) => {
    const chunks: Buffer[] = [];
    const number = connections.push(chunks);
    socket.on('error', () => {}).on('data', (chunk) => {
      chunks.push(chunk);
      onData(socket, number);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(server);
  return { port: (server.address() as AddressInfo).port, connections };
}

function feedTo(db: Awaited<ReturnType<typeof testDatabase>>, settings: Partial<SyslogSettings> & { port: number }, now = { at: new Date('2026-03-02T10:00:00Z') }) {
  return createSyslog({ db, clock: { now: () => now.at }, tenantId: TENANT, log: { warn: () => {} }, hostName: 'gatehouse.example.com', receiver: { name: 'test', send: createSyslogSender({ host: '127.0.0.1', tls: false, ...settings }) } });
}
const messagesOf = (connections: Buffer[][]) => connections.flatMap((chunks) => parseSyslog(Buffer.concat(chunks)));

test('every event is sent once, in the order of the log, one message an event whatever somebody wrote', async () => {
  await using db = await testDatabase();
  await addRows(db, HOSTILE.map((one) => rowWith({ reason: one, groupName: one, activity: one })));
  await addRows(db, [rowWith({ at: '2020-01-01T00:00:00.000000Z', result: 'failure' })]);
  const { port, connections } = await receiver();
  const feed = feedTo(db, { port });
  await feed.pass();
  const messages = messagesOf(connections);
  expect(messages).toHaveLength(HOSTILE.length + 1);
  const ids = messages.map(({ message }) => parseCef(message).extension['flexString1']);
  const { rows } = await db.pool.query<{ id: string }>(`SELECT 'directory:' || event_id AS id FROM audit_event ORDER BY batch_id, ordinal`);
  expect(ids).toEqual(rows.map(({ id }) => id));
  expect(messages[0]).toMatchObject({ priority: 109, host: 'gatehouse.example.com', app: 'gatehouse', messageId: 'activated', at: '2026-03-02T09:00:00.123456Z' });
  expect(messages.at(-1)).toMatchObject({ priority: 108 });
  expect(await feed.status()).toMatchObject({ sentEvents: HOSTILE.length + 1, waitingBatches: 0, lastError: null, lastSentAt: '2026-03-02T10:00:00.000Z' });
  await feed.pass();
  expect(messagesOf(connections)).toHaveLength(HOSTILE.length + 1);
});

test('what is not known to be read is sent again, after a pause that grows', async () => {
  await using db = await testDatabase();
  await addRows(db, [rowWith({}), rowWith({})]);
  // The first connection is cut while it reads.
  const { port, connections } = await receiver(undefined, (socket, number) => { if (number === 1) socket.resetAndDestroy(); });
  const now = { at: new Date('2026-03-02T10:00:00Z') };
  const feed = feedTo(db, { port }, now);
  await feed.pass();
  expect(await feed.status()).toMatchObject({ sentEvents: 0, waitingBatches: 1, lastError: expect.stringMatching(/cut the connection/), tryAfter: '2026-03-02T10:00:05.000Z' });
  await feed.pass();
  expect(connections).toHaveLength(1);
  now.at = new Date('2026-03-02T10:00:06Z');
  await feed.pass();
  expect(await feed.status()).toMatchObject({ sentEvents: 2, waitingBatches: 0, lastError: null, tryAfter: null });
  expect(parseSyslog(Buffer.concat(connections[1] ?? []))).toHaveLength(2);
  expect([1, 2, 3, 20].map(pauseAfter)).toEqual([5_000, 10_000, 20_000, 600_000]);
});

test('nobody who listens is said as it is', async () => {
  await using db = await testDatabase();
  await addRows(db, [rowWith({})]);
  const { port } = await receiver();
  const server = open.pop();
  server?.close();
  const feed = feedTo(db, { port });
  await feed.pass();
  expect(await feed.status()).toMatchObject({ sentEvents: 0, lastError: 'Nobody listens at the receiver’s address.' });
});

test('a batch that was open when the feed passed it is sent when it is committed', async () => {
  await using db = await testDatabase();
  await addRows(db, [rowWith({})]);
  const { rows: [late] } = await db.pool.query<{ id: string }>(`SELECT nextval('log_batch_batch_id_seq') AS id`);
  await addRows(db, [rowWith({})]);
  const { port, connections } = await receiver();
  const feed = feedTo(db, { port });
  await feed.pass();
  expect(messagesOf(connections)).toHaveLength(2);
  const last = await addRows(db, [rowWith({ actorName: 'Late' })]);
  await db.owner.query('UPDATE audit_event SET batch_id = $1 WHERE batch_id = $2', [late?.id, last]);
  await db.owner.query('UPDATE log_batch SET batch_id = $1 WHERE batch_id = $2', [late?.id, last]);
  await feed.pass();
  expect(messagesOf(connections).map(({ message }) => parseCef(message).extension['suser'])).toEqual(['Ana Costa', 'Ana Costa', 'Late']);
});

test('a batch larger than a round is sent whole', async () => {
  await using db = await testDatabase();
  await addRows(db, Array.from({ length: 2_300 }, (_, index) => rowWith({ reason: String(index) })));
  const { port, connections } = await receiver();
  const feed = feedTo(db, { port });
  await feed.pass();
  expect(messagesOf(connections).map(({ message }) => parseCef(message).extension['reason'])).toEqual(Array.from({ length: 2_300 }, (_, index) => String(index)));
  expect(await feed.status()).toMatchObject({ sentEvents: 2_300, waitingBatches: 0 });
});

test('over TLS only a receiver is sent to whose certificate is trusted', async () => {
  await using db = await testDatabase();
  await addRows(db, [rowWith({})]);
  const folder = mkdtempSync(join(tmpdir(), 'syslog-'));
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', join(folder, 'key'), '-out', join(folder, 'cert')], { stdio: 'ignore' });
    const cert = readFileSync(join(folder, 'cert'), 'utf8');
    const { port, connections } = await receiver((onSocket) => createTlsServer({ key: readFileSync(join(folder, 'key')), cert }, onSocket));
    const now = { at: new Date('2026-03-02T10:00:00Z') };
    const strange = feedTo(db, { host: 'localhost', port, tls: true }, now);
    await strange.pass();
    expect(await strange.status()).toMatchObject({ sentEvents: 0, lastError: expect.stringMatching(/certificate is not trusted/) });
    now.at = new Date('2026-03-02T10:01:00Z');
    const known = feedTo(db, { host: 'localhost', port, tls: true, ca: cert }, now);
    await known.pass();
    expect(await known.status()).toMatchObject({ sentEvents: 1, lastError: null });
    expect(messagesOf(connections)).toHaveLength(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
