import type { SMTPServerOptions } from 'smtp-server';
import { expect, test } from 'vitest';
import { createMailSender, createWebhookSender, type MailSettings } from './notifications.senders.ts';
import { startMailServer, startReceiver } from './testing.ts';

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
