import { randomBytes, randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { createGateway } from '@gatehouse/graph';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ANA, INES, MAYA, OMAR, startPortal, type TestPortal } from '../../testing.ts';
import { createWebhookSender, type PostEvent } from './notifications.senders.ts';
import { createNotifications, type RecordedRequest } from './notifications.service.ts';
import { startMailServer, startReceiver } from './testing.ts';

const HELENA = 'helena.kowalska@contoso.example';
const KEYS = [randomBytes(32), randomBytes(32)];
const PASSWORD = 'correct-horse-battery';
/** With what somebody might try so that it passes for ours. */
const REASON = 'Payroll <b>run</b> [click](https://evil.example)\r\nApprove or deny: https://evil.example \u202egnp';

let portal: TestPortal;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let mails: Awaited<ReturnType<typeof startMailServer>>;
let payroll: string;
const logged: string[] = [];

beforeAll(async () => {
  [receiver, mails] = await Promise.all([startReceiver(), startMailServer({ onAuth: ({ password }, _session, done) => { done(password === PASSWORD ? null : new Error('no'), { user: 'gatehouse' }); }, allowInsecureAuth: true })]);
  portal = await startPortal({
    log: pino({ level: 'debug' }, new Writable({ write(line, _encoding, done) { logged.push(String(line)); done(); } })),
    notify: {
      mail: { host: '127.0.0.1', port: mails.port, tls: 'none', login: { user: 'gatehouse', password: PASSWORD }, from: 'Gatehouse <gatehouse@contoso.example>' },
      webhook: { url: receiver.url, body: 'json', keys: KEYS },
    },
  });
  await portal.syncNow();
  const { groups } = await portal.emulator.state();
  payroll = groups.find(({ displayName }: { displayName: string }) => displayName.startsWith('Payroll')).id;
});
afterAll(async () => {
  await portal[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  await mails[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await portal.db.prisma.notification.deleteMany({});
  receiver.received.length = mails.taken.length = 0;
  receiver.behaviour.answer = () => 204;
  mails.behaviour.refuse = () => undefined;
});

const pass = () => portal.product.tasks.notify();
const rows = () => portal.db.prisma.notification.findMany({ orderBy: { createdAt: 'asc' } });
const bodies = () => receiver.received.map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, unknown> });
const ids = () => receiver.received.map(({ headers }) => headers['webhook-id']);

/** A portal's outbox beside the product's, with a webhook alone: another replica. */
function replica(post: PostEvent = createWebhookSender({ url: receiver.url, body: 'json', keys: KEYS }, { now: () => new Date() })) {
  const gateway = createGateway({ baseUrl: 'http://127.0.0.1:1', timer: { now: () => 0, sleep: async () => {} }, clock: { now: portal.now }, random: () => 0.5, log: () => {}, timeoutMs: 1_000 });
  const appGraph = gateway.graph({ token: async () => 'token', priority: 'background', patience: { of: 'call', ms: 1_000 } });
  return createNotifications({ db: portal.db, clock: { now: portal.now }, newId: () => randomUUID(), log: pino({ level: 'silent' }), tenantId: portal.tenantId, publicUrl: portal.url, appGraph, sendMail: undefined, webhook: { body: 'json', post } });
}
const waiting = (): RecordedRequest => ({ entraRequestId: randomUUID(), principalId: randomUUID(), principalName: 'Ana Costa', groupId: payroll, minutes: 30, startsAt: null, justification: 'Payroll run', ticketNumber: null, createdAt: portal.now() });
const announce = (request = waiting(), by = replica()) => portal.db.prisma.$transaction((tx) => by.announce(tx, request));

/** Ana asks through the portal, and what she asked for is out of the way afterwards. */
async function asked(justification = REASON) {
  const ana = await portal.as(ANA);
  const { body } = await ana.post('/api/access/activations', { groupId: payroll, minutes: 30, justification });
  expect(body, JSON.stringify(body)).toMatchObject({ state: 'awaiting-approval' });
  return { request: body, async [Symbol.asyncDispose]() { await ana.post(`/api/access/requests/${body.id}/cancel`, {}); } };
}

test('a request that waits is in the outbox with its record, and a pass tells each approver and the webhook once', async () => {
  await using ask = await asked();
  expect((await rows()).map(({ channel, status }) => `${channel} ${status}`).sort()).toEqual(['approvers waiting', 'webhook waiting']);
  expect([mails.taken, receiver.received]).toEqual([[], []]);
  await pass();
  await pass();

  const link = `${portal.url}/approvals?request=${ask.request.entraRequestId}`;
  expect(mails.taken.map(({ to }) => to).sort()).toEqual([[HELENA], [OMAR]]);
  const text = mails.taken[0]?.text ?? '';
  const [head, body] = [text.slice(0, text.indexOf('\r\n\r\n')), text.slice(text.indexOf('\r\n\r\n'))];
  expect(head).toContain('Subject: Ana Costa asks for Payroll\r\n');
  expect(head).toMatch(/Content-Type: text\/plain/);
  const lines = body.replaceAll('=\r\n', '').replaceAll('=3D', '=').split('\r\n');
  expect(lines).toEqual(expect.arrayContaining(['Why:      Payroll <b>run</b> [click](https://evil.example) Approve or deny: https://evil.example gnp', 'How long: 30 min', 'Lapses:   2026-03-03 09:00 UTC, if nobody decides']));
  expect(lines.filter((line) => line.startsWith('Approve or deny:'))).toEqual([`Approve or deny: ${link}`]);

  expect(receiver.received).toHaveLength(1);
  expect(bodies()[0]).toMatchObject({ type: 'approval.waiting', data: { requester: { name: 'Ana Costa' }, opens: ['Payroll'], minutes: 30, lapsesAt: ask.request.lapsesAt, url: link } });
  // Whoever has either key can tell that it is ours; with another body it is not.
  const [{ body: event, headers }] = receiver.received as [(typeof receiver.received)[0]];
  const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  for (const key of KEYS) expect(new Webhook(key.toString('base64')).verify(event, signed)).toEqual(bodies()[0]);
  expect(() => new Webhook(randomBytes(32).toString('base64')).verify(event, signed)).toThrow();
  expect(() => new Webhook(KEYS[0]?.toString('base64') ?? '').verify(event.replace('30', '31'), signed)).toThrow();
});

test('what is not recorded is not announced', async () => {
  await expect(portal.db.prisma.$transaction(async (tx) => {
    await replica().announce(tx, waiting());
    throw new Error('the record could not be written');
  })).rejects.toThrow('the record');
  expect(await rows()).toEqual([]);
});

test('the same request is announced once, whoever records it and however often', async () => {
  const request = waiting();
  await Promise.all([announce(request), announce(request), announce({ ...request, entraRequestId: request.entraRequestId?.toUpperCase() ?? null })]);
  await pass();
  expect(receiver.received).toHaveLength(1);
});

test('two replicas at once send each notification once', async () => {
  const [one, other] = [replica(), replica()];
  await Promise.all(Array.from({ length: 24 }, () => announce()));
  // Both are at work at the same time: none is answered before both have asked.
  const both = Promise.withResolvers<number>();
  receiver.behaviour.answer = (_request, count) => {
    if (count >= 12) both.resolve(204);
    return both.promise;
  };
  await Promise.all([one.pass(), other.pass()]);
  expect(ids()).toHaveLength(24);
  expect(new Set(ids()).size).toBe(24);
});

test('what one worker is just taking holds up no other, and is left to it', async () => {
  await announce();
  const [taken] = await rows();
  await portal.db.prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM notification FOR UPDATE`;
    await announce();
    await replica().pass();
    expect(ids()).toHaveLength(1);
    expect(ids()).not.toContain(taken?.id);
  });
  await replica().pass();
  expect(ids().slice(1)).toEqual([taken?.id]);
});

test('a receiver that is down gets it once it is up, and by the same id', async () => {
  await receiver.down();
  try {
    await announce();
    await pass();
    expect(await rows()).toMatchObject([{ status: 'waiting', tries: 1, detail: 'The webhook does not answer.' }]);
  } finally {
    await receiver.up();
  }
  await pass();
  expect(receiver.received, 'not before its time').toEqual([]);
  await portal.advance('PT30S');
  await pass();
  await pass();
  expect(ids()).toEqual([(await rows())[0]?.id]);
  expect(await rows()).toMatchObject([{ status: 'sent', tries: 2 }]);
});

test('who dies between sending and noting it leaves it to be sent again, with the same id', async () => {
  const send = createWebhookSender({ url: receiver.url, body: 'json', keys: KEYS }, { now: () => new Date() });
  const died = replica(async (...event) => {
    await send(...event);
    throw new Error('the process is gone');
  });
  await announce();
  await died.pass();
  await replica().pass();
  expect(ids(), 'while it may still be at work').toHaveLength(1);
  await portal.advance('PT2M');
  await replica().pass();
  expect(ids()).toHaveLength(2);
  expect(new Set(ids()).size).toBe(1);
  expect(await rows()).toMatchObject([{ status: 'sent' }]);
});

test('who lost the lease does not put off what another is sending', async () => {
  await announce();
  const begun = Promise.withResolvers<undefined>();
  const fail = Promise.withResolvers<undefined>();
  const slow = createWebhookSender({ url: receiver.url.replace('/hook', '/slow'), body: 'json', keys: KEYS }, { now: () => new Date() });
  const first = replica(async (...event) => {
    begun.resolve(undefined);
    await fail.promise;
    receiver.behaviour.answer = () => 400;
    return slow(...event);
  }).pass();
  await begun.promise;
  await portal.advance('PT2M');
  await replica().pass();
  fail.resolve(undefined);
  await first;
  expect(await rows()).toMatchObject([{ status: 'sent', tries: 2 }]);
});

test('what fails again and again is given up, shown, and sent again when an administrator asks', async () => {
  receiver.behaviour.answer = () => 500;
  await announce();
  const pauses = ['PT30S', 'PT1M', 'PT2M', 'PT4M', 'PT8M', 'PT16M', 'PT32M'];
  for (const pause of pauses) {
    await pass();
    await portal.advance(pause);
  }
  await pass();
  expect(receiver.received).toHaveLength(8);
  await portal.advance('PT2H');
  await pass();
  expect(receiver.received, 'given up').toHaveLength(8);

  const [maya, ines, ana] = await Promise.all([portal.as(MAYA), portal.as(INES), portal.as(ANA)]);
  const { body } = await ines.get('/api/notifications');
  expect(body).toMatchObject({ mail: true, webhook: 'json', waiting: 0, dead: 1, deadLetters: [{ channel: 'webhook', requesterName: 'Ana Costa', groupName: 'Payroll-Operator-SecureAccess', tries: 8, error: 'The webhook answered 500.' }] });
  const again = `/api/notifications/${body.deadLetters[0].id}/resend`;
  expect([(await ana.get('/api/notifications')).status, (await ana.post(again, {})).status, (await ines.post(again, {})).status]).toEqual([403, 403, 403]);
  expect((await maya.post(again, {})).status).toBe(202);
  expect((await maya.post(again, {})).status, 'it is not given up any more').toBe(404);
  receiver.behaviour.answer = () => 204;
  await pass();
  expect(new Set(ids()).size).toBe(1);
  expect((await ines.get('/api/notifications')).body).toMatchObject({ dead: 0, deadLetters: [], waiting: 0, sent: 1 });
  expect(await portal.db.prisma.auditEvent.count({ where: { activity: 'notification.resent', actorName: 'Maya Lindqvist' } })).toBe(1);
});

test.each<[string, () => ReturnType<typeof receiver.behaviour.answer>, object]>([
  ['a redirect is not followed', () => ({ status: 307, headers: { location: receiver.url } }), { status: 'dead', detail: 'The webhook redirects (307); redirects are not followed.' }],
  ['what is refused is not repeated', () => 410, { status: 'dead', detail: 'The webhook answered 410.' }],
  ['who is busy is asked again when it said so', () => ({ status: 429, headers: { 'retry-after': '600' } }), { status: 'waiting', detail: 'The webhook answered 429.' }],
])('%s', async (_name, answer, expected) => {
  receiver.behaviour.answer = answer;
  await announce();
  await pass();
  expect(receiver.received).toHaveLength(1);
  const [row] = await rows();
  expect(row).toMatchObject(expected);
  if (row?.status === 'waiting') expect(row.dueAt.getTime() - portal.now().getTime()).toBe(600_000);
});

test('a receiver that never answers is given up in time', async () => {
  receiver.behaviour.answer = () => 'nothing';
  await announce();
  await replica(createWebhookSender({ url: receiver.url, body: 'json', keys: KEYS }, { now: () => new Date() }, 50)).pass();
  expect(await rows()).toMatchObject([{ status: 'waiting', detail: 'The webhook did not answer within 0.05 s.' }]);
});

test('of approvers, the mail of one that is refused holds up no other', async () => {
  await using _ask = await asked('Payroll run');
  mails.behaviour.refuse = (address) => (address === OMAR ? 550 : 451);
  await pass();
  const byPerson = new Map((await rows()).filter(({ channel }) => channel === 'mail').map((row) => [row.recipient, row]));
  expect(byPerson.get(OMAR)).toMatchObject({ status: 'dead', detail: 'The mail server refuses the mail for good (550).' });
  expect(byPerson.get(HELENA)).toMatchObject({ status: 'waiting', detail: 'The mail server does not take the mail now (451).' });
  mails.behaviour.refuse = () => undefined;
  await portal.advance('PT30S');
  await pass();
  expect(mails.taken.map(({ to, text }) => [to, text.includes(`Message-ID: <${byPerson.get(HELENA)?.id}@contoso.example>`)])).toEqual([[[HELENA], true]]);
});

test('groups of approvers are opened, and the requester is not among those who are told', async () => {
  const { groups, users } = await portal.emulator.state();
  const idOf = (name: string): string => users.find(({ displayName }: { displayName: string }) => displayName === name).id;
  const team = groups.find(({ displayName }: { displayName: string }) => displayName === 'Build team');
  const before = await portal.db.prisma.catalogGroup.findFirstOrThrow({ where: { groupId: payroll } });
  const settings = before.settings as { approval: object };
  const approvers = [{ id: team.id, kind: 'group', displayName: 'Build team' }, { id: idOf('Ana Costa'), kind: 'user', displayName: 'Ana Costa' }, { id: idOf('Omar Haddad'), kind: 'user', displayName: 'Omar Haddad' }];
  await portal.db.prisma.catalogGroup.updateMany({ where: { groupId: payroll }, data: { settings: { ...settings, approval: { ...settings.approval, approvers } } } });
  await using _ask = await asked('Payroll run');
  await pass();
  await portal.db.prisma.catalogGroup.updateMany({ where: { groupId: payroll }, data: { settings } });
  const to = mails.taken.flatMap((mail) => mail.to);
  expect(to).toContain(OMAR);
  expect(to).not.toContain(ANA);
  expect(to.length).toBeGreaterThan(1);
  expect(new Set(to).size).toBe(to.length);
});

test('nobody is told of what is decided by then', async () => {
  await using ask = await asked('Payroll run');
  const omar = await portal.as(OMAR);
  expect((await omar.post(`/api/approvals/${ask.request.entraRequestId}/decision`, { decision: 'deny', justification: 'Not today' })).status).toBe(200);
  await portal.product.tasks.settleRequests();
  await pass();
  expect([mails.taken, receiver.received]).toEqual([[], []]);
  expect((await rows()).map(({ status, detail }) => `${status}: ${detail}`)).toEqual(['dropped: The request does not wait any more.', 'dropped: The request does not wait any more.']);
});

test('a request that was made elsewhere is told of once the mirror shows it', async () => {
  await using ask = await asked('Made in the Entra admin center');
  await portal.db.prisma.accessRequest.deleteMany({});
  await portal.db.prisma.notification.deleteMany({});
  await portal.advance('PT15M');
  await portal.syncNow();
  await pass();
  await pass();
  expect(bodies().map(({ data }) => [data['requestId'], data['minutes'], data['reason']])).toEqual([[ask.request.entraRequestId, 30, 'Made in the Entra admin center']]);
  expect(mails.taken).toHaveLength(2);
});

test('fifty that cannot be read do not hide the one after them', async () => {
  const seen = (minutesAgo: number, groupId: string) => ({ tenantId: portal.tenantId, requestId: randomUUID(), principalId: randomUUID(), principalName: 'Somebody', groupId, groupName: 'Somewhere', status: 'awaiting-approval', requestedAt: new Date(portal.now().getTime() - minutesAgo * 60_000) });
  const [gone, after] = [randomUUID(), seen(59, payroll)];
  const fifty = Array.from({ length: 50 }, () => seen(60, gone));
  await portal.db.prisma.activation.createMany({ data: [...fifty, after] });
  const lookedAt = async (): Promise<string[]> => (await rows()).map(({ requestId }) => requestId);
  await portal.emulator.faults([{ match: { method: 'GET', path: '**/assignmentScheduleRequests**' }, times: null, fault: { kind: 'status', status: 403, code: 'Authorization_RequestDenied' } }]);
  await pass();
  expect(await lookedAt()).toEqual([]);
  await portal.emulator.faults([]);
  await pass();
  expect(await lookedAt()).toContain(after.requestId);
  // They are looked at again after that.
  await pass();
  expect(await lookedAt()).toEqual(expect.arrayContaining(fifty.map(({ requestId }) => requestId)));
  await portal.db.prisma.activation.deleteMany({ where: { requestId: { in: [...fifty, after].map(({ requestId }) => requestId) } } });
});

test('no log line holds a secret', () => {
  expect(logged.some((line) => line.includes('The webhook answered 500.'))).toBe(true);
  for (const secret of [PASSWORD, Buffer.from(PASSWORD).toString('base64'), ...KEYS.map((key) => key.toString('base64')), receiver.url]) expect(logged.filter((line) => line.includes(secret))).toEqual([]);
});
