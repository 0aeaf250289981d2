import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, test } from 'vitest';
import { createMailSender, createWebhookSender, type MailSettings } from './notifications.senders.ts';
import { certificateFor, startMailServer, startReceiver, startSilence } from './testing.ts';

const MAIL = { id: 'e0000000-0000-4000-8000-000000000001', to: 'omar@contoso.example', subject: 'Ana Costa asks for Payroll', text: 'Why: Payroll run\n' };
const settings = (port: number, more: Partial<MailSettings> = {}): MailSettings => ({ host: '127.0.0.1', port, tls: 'none', login: undefined, from: 'gatehouse@contoso.example', ...more });

test('a mail goes to one address, however it is written', async () => {
  await using server = await startMailServer();
  const send = createMailSender(settings(server.port));
  await send(MAIL);
  expect(server.taken).toMatchObject([{ from: 'gatehouse@contoso.example', to: ['omar@contoso.example'] }]);
  await send({ ...MAIL, to: 'omar@contoso.example, eve@evil.example' }).catch(() => undefined);
  expect(server.taken.flatMap(({ to }) => to)).not.toContain('eve@evil.example');
});

test('where TLS is asked for, nothing is said without it, nor to whom cannot prove who they are', async () => {
  // Each would take the mail, and any password.
  const willing = { allowInsecureAuth: true, onAuth: (_auth, _session, done) => { done(null, { user: 'gatehouse' }); } } satisfies SMTPServerOptions;
  await using plainServer = await startMailServer(willing);
  await using selfSigned = await startMailServer({ ...willing, disabledCommands: [] });
  await using fromTheStart = await startMailServer({ ...willing, secure: true });
  const login = { user: 'gatehouse', password: 's3cret' };
  for (const [server, tls] of [[plainServer, 'upgraded'], [selfSigned, 'upgraded'], [fromTheStart, 'from-the-start']] as const) {
    await expect(createMailSender(settings(server.port, { tls, login }))(MAIL)).rejects.toMatchObject({ name: 'DeliveryFailure', final: false });
    expect(server.taken).toEqual([]);
  }
});

describe('a certificate that the machine trusts', () => {
  const before = getCACertificates('default');
  afterEach(() => { setDefaultCACertificates(before); });
  const login = { user: 'gatehouse', password: 's3cret' };
  const start = (tls: MailSettings['tls'], certificate: ReturnType<typeof certificateFor>) => startMailServer({ ...certificate, secure: tls === 'from-the-start', disabledCommands: [], onAuth: ({ password }, _session, done) => { done(null, password === login.password ? { user: 'gatehouse' } : undefined); } });

  test.each(['upgraded', 'from-the-start'] as const)('lets a mail through, TLS %s', async (tls) => {
    const certificate = certificateFor('127.0.0.1');
    await using server = await start(tls, certificate);
    setDefaultCACertificates([...before, certificate.cert]);
    await createMailSender(settings(server.port, { tls, login }))(MAIL);
    expect(server.taken).toMatchObject([{ to: ['omar@contoso.example'], secure: true }]);
  });

  test('is one of the server that was asked for, and no other', async () => {
    const certificate = certificateFor('127.0.0.2');
    await using server = await start('upgraded', certificate);
    setDefaultCACertificates([...before, certificate.cert]);
    await expect(createMailSender(settings(server.port, { tls: 'upgraded', login }))(MAIL)).rejects.toMatchObject({ name: 'DeliveryFailure', final: false });
    expect(server.taken).toEqual([]);
  });
});

test('a mail server that takes the connection and says nothing is left, and tried again', async () => {
  await using silence = await startSilence();
  await expect(createMailSender(settings(silence.port), 50)(MAIL)).rejects.toMatchObject({ message: 'The mail server does not answer as it should (ETIMEDOUT).', final: false });
}, 5_000);

test('a password that is refused is not repeated, not even as the cause is told', async () => {
  await using server = await startMailServer({ allowInsecureAuth: true, onAuth: ({ password }, _session, done) => { done(new Error(`wrong: ${password}`)); } });
  const failure = await createMailSender(settings(server.port, { login: { user: 'gatehouse', password: 's3cret' } }))(MAIL).catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: 'The mail server refuses the name or password in SMTP_URL.', final: false });
});

test('a mail server that is not there is tried again', async () => {
  let port: number;
  {
    await using server = await startMailServer();
    port = server.port;
  }
  await expect(createMailSender(settings(port))(MAIL)).rejects.toMatchObject({ message: 'The mail server does not answer as it should (ESOCKET).', final: false });
});

test('a webhook without keys is not signed', async () => {
  await using receiver = await startReceiver();
  await createWebhookSender({ url: receiver.url, body: 'teams', keys: [] }, { now: () => new Date() })('id', {});
  expect(receiver.received[0]?.headers).toMatchObject({ 'webhook-id': 'id' });
  expect(receiver.received[0]?.headers['webhook-signature']).toBeUndefined();
});

test.each(['a receiver that takes the event and never answers', 'a server that never says a word'])('%s is left after the time it has, and tried again', async (who) => {
  await using receiver = await startReceiver();
  await using silence = await startSilence();
  receiver.behaviour.answer = () => 'nothing';
  const url = who.startsWith('a receiver') ? receiver.url : `http://127.0.0.1:${silence.port}/hook`;
  await expect(createWebhookSender({ url, body: 'json', keys: [] }, { now: () => new Date() }, 50)('id', {})).rejects.toMatchObject({ message: 'The webhook did not answer within 0.05 s.', final: false });
}, 5_000);
