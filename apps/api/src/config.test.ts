import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, parseConfig } from './config.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const REAL = {
  PUBLIC_URL: 'https://gatehouse.example.com', DATABASE_URL: 'postgresql://u:p@db:5432/g', SESSION_KEYS: KEY, TOKEN_KEYS: KEY, LEDGER_KEY: KEY,
  ENTRA_TENANT_ID: '11111111-2222-4333-8444-555555555555', ENTRA_CLIENT_ID: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee', ENTRA_CLIENT_SECRET: 's3cret',
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('with no settings at all it is the demo: embedded database, emulated tenant, loopback only', () => {
  expect(parseConfig({})).toMatchObject({ port: 3000, publicUrl: 'http://localhost:3000', databaseUrl: undefined, tenant: { kind: 'emulated', url: undefined }, host: '127.0.0.1', sessionKeys: undefined });
});

test('with a tenant it listens for everyone and knows the cloud', () => {
  expect(parseConfig({ ...REAL, ENTRA_CLOUD: 'usgov' })).toMatchObject({ host: '::', tenant: { kind: 'entra', loginUrl: 'https://login.microsoftonline.us', graphUrl: 'https://graph.microsoft.us', credential: { kind: 'secret', secret: 's3cret' } } });
});

test.each<[string | undefined, unknown]>([[undefined, 0], ['', 0], ['0', 0], ['2', 2], ['10.0.0.0/8, 192.168.1.7,::1', ['10.0.0.0/8', '192.168.1.7', '::1']]])('TRUST_PROXY=%s trusts %s', (text, trusted) => {
  expect(parseConfig({ ...(text !== undefined && { TRUST_PROXY: text }) }).trustProxy).toEqual(trusted);
});

test.each(['true', '*', '10', '-1', '1.5', 'loopback', 'proxy.example.com', '0.0.0.0/0', '::/0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.1,', '10.0.0.1/8/8'])('TRUST_PROXY=%s is refused in a sentence', (text) => {
  expect(problemsOf({ TRUST_PROXY: text })).toEqual([expect.stringMatching(/^TRUST_PROXY is neither a number of proxies .* such as 1 or 10\.0\.0\.0\/8/)]);
});

test('every wrong setting is named, not just the first', () => {
  const problems = problemsOf({ ...REAL, LOG_LEVEL: 'loud', PORT: 'web', PUBLIC_URL: 'gatehouse', DATABASE_URL: 'mysql://x', SESSION_KEYS: 'short', ENTRA_CLIENT_ID: 'me', ENTRA_CLOUD: 'mars', ENTRA_TENANT_ID: 'contoso' });
  for (const name of ['LOG_LEVEL', 'PORT', 'PUBLIC_URL', 'DATABASE_URL', 'SESSION_KEYS', 'ENTRA_CLIENT_ID', 'ENTRA_CLOUD', 'ENTRA_TENANT_ID']) {
    expect(problems.filter((problem) => problem.startsWith(`${name} `)), name).toHaveLength(1);
  }
});

test('notifications are off until they are set, each on its own', () => {
  expect(parseConfig({}).notify).toEqual({ mail: undefined, webhook: undefined });
  const secret = `whsec_${KEY}`;
  expect(parseConfig({ ...REAL, SMTP_URL: 'smtp://gate%40house:p%3Ass@mail.example.com', MAIL_FROM: 'Gatehouse <gatehouse@example.com>' }).notify).toEqual({
    mail: { host: 'mail.example.com', port: 587, tls: 'upgraded', login: { user: 'gate@house', password: 'p:ss' }, from: 'Gatehouse <gatehouse@example.com>' }, webhook: undefined,
  });
  expect(parseConfig({ ...REAL, SMTP_URL: 'smtps://mail.example.com', MAIL_FROM: 'g@example.com' }).notify.mail).toMatchObject({ port: 465, tls: 'from-the-start', login: undefined });
  expect(parseConfig({ SMTP_URL: 'smtp://127.0.0.1:2525', MAIL_FROM: 'g@example.com' }).notify.mail).toMatchObject({ host: '127.0.0.1', port: 2525, tls: 'none' });
  expect(parseConfig({ ...REAL, NOTIFY_WEBHOOK_URL: 'https://hooks.example.com/a?b=c', NOTIFY_WEBHOOK_SECRET: `${secret}, ${KEY}` }).notify.webhook).toEqual({ url: 'https://hooks.example.com/a?b=c', body: 'json', keys: [Buffer.alloc(32, 7), Buffer.alloc(32, 7)] });
  expect(parseConfig({ ...REAL, NOTIFY_WEBHOOK_URL: 'https://flow.example.com/', NOTIFY_WEBHOOK_KIND: 'teams' }).notify.webhook).toMatchObject({ body: 'teams', keys: [] });
});

test.each<[string, Record<string, string>]>([
  ['MAIL_FROM', { SMTP_URL: 'smtps://user:s3cret@mail.example.com' }],
  ['MAIL_FROM', { SMTP_URL: 'smtps://mail.example.com', MAIL_FROM: 'a@example.com, b@example.com' }],
  ['MAIL_FROM', { SMTP_URL: 'smtps://mail.example.com', MAIL_FROM: 'Gatehouse <gatehouse@example.com' }],
  ['SMTP_URL', { MAIL_FROM: 'gatehouse@example.com' }],
  ['SMTP_URL', { SMTP_URL: 'mail.example.com:s3cret', MAIL_FROM: 'gatehouse@example.com' }],
  ['SMTP_URL', { SMTP_URL: 'https://user:s3cret@mail.example.com', MAIL_FROM: 'gatehouse@example.com' }],
  ['SMTP_URL', { SMTP_URL: 'smtps://mail.example.com/?tls.rejectUnauthorized=false', MAIL_FROM: 'gatehouse@example.com' }],
  ['SMTP_URL', { SMTP_URL: 'smtps://user:%zzs3cret@mail.example.com', MAIL_FROM: 'gatehouse@example.com' }],
  ['NOTIFY_WEBHOOK_SECRET', { NOTIFY_WEBHOOK_URL: 'https://hooks.example.com' }],
  ['NOTIFY_WEBHOOK_SECRET', { NOTIFY_WEBHOOK_URL: 'https://hooks.example.com', NOTIFY_WEBHOOK_SECRET: 'whsec_s3cret' }],
  ['NOTIFY_WEBHOOK_URL', { NOTIFY_WEBHOOK_SECRET: `whsec_${KEY}` }],
  ['NOTIFY_WEBHOOK_URL', { NOTIFY_WEBHOOK_URL: 'http://hooks.example.com', NOTIFY_WEBHOOK_SECRET: KEY }],
  ['NOTIFY_WEBHOOK_URL', { NOTIFY_WEBHOOK_URL: 'https://u:s3cret@hooks.example.com', NOTIFY_WEBHOOK_SECRET: KEY }],
  ['NOTIFY_WEBHOOK_KIND', { NOTIFY_WEBHOOK_URL: 'https://hooks.example.com', NOTIFY_WEBHOOK_SECRET: KEY, NOTIFY_WEBHOOK_KIND: 'slack' }],
])('%s is refused in a sentence that repeats no secret: %j', (name, env) => {
  const problems = problemsOf({ ...REAL, ...env });
  expect(problems).toHaveLength(1);
  expect(problems[0]?.startsWith(`${name} `)).toBe(true);
  expect(problems[0]).not.toContain('s3cret');
});

describe('one wrong setting at a time', () => {
  test.each<[string, Record<string, string>, string]>([
    ['port out of range', { PORT: '70000' }, 'PORT'],
    ['public address with a path', { ...REAL, PUBLIC_URL: 'https://example.com/gatehouse' }, 'PUBLIC_URL'],
    ['http on the network', { ...REAL, PUBLIC_URL: 'http://gatehouse.example.com' }, 'PUBLIC_URL'],
    ['the demo on a public address', { PUBLIC_URL: 'https://gatehouse.example.com' }, 'PUBLIC_URL'],
    ['a database without keys', { DATABASE_URL: 'postgresql://u:p@db/g', TOKEN_KEYS: KEY, LEDGER_KEY: KEY }, 'SESSION_KEYS'],
    ['a database without a key for the ledger', { DATABASE_URL: 'postgresql://u:p@db/g', SESSION_KEYS: KEY, TOKEN_KEYS: KEY }, 'LEDGER_KEY'],
    ['checkpoints to Teams', { LEDGER_WEBHOOK_URL: 'https://hooks.example.com', LEDGER_WEBHOOK_KIND: 'teams', LEDGER_WEBHOOK_SECRET: `whsec_${KEY}` }, 'LEDGER_WEBHOOK_KIND'],
    ['half a tenant', { ENTRA_CLIENT_SECRET: 'x' }, 'ENTRA_TENANT_ID'],
    ['no credential', { ...REAL, ENTRA_CLIENT_SECRET: '' }, 'ENTRA_CLIENT_SECRET'],
    ['two credentials', { ...REAL, ENTRA_CLIENT_CERTIFICATE: '/x.pem' }, 'ENTRA_CLIENT_SECRET'],
    ['a certificate that is not there', { ...REAL, ENTRA_CLIENT_SECRET: '', ENTRA_CLIENT_CERTIFICATE: '/nowhere.pem' }, 'ENTRA_CLIENT_CERTIFICATE'],
    ['an emulator on the network', { EMULATOR_URL: 'http://10.0.0.1:4000' }, 'EMULATOR_URL'],
    ['an emulator beside a tenant', { ...REAL, EMULATOR_URL: 'http://127.0.0.1:4000' }, 'EMULATOR_URL'],
  ])('%s', (_title, env, name) => {
    const problems = problemsOf(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} `));
  });
});

test('a PEM file without a certificate is refused with a sentence, and its content is not repeated', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'key.pem');
  const pem = String(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(file, pem);
  const problems = problemsOf({ ...REAL, ENTRA_CLIENT_SECRET: '', ENTRA_CLIENT_CERTIFICATE: file });
  expect(problems).toHaveLength(1);
  expect(problems[0]).not.toContain(pem.split('\n')[1]);
});

test('a syslog receiver is an address with its port, encrypted or not', () => {
  expect(parseConfig({}).syslog).toBeUndefined();
  expect(parseConfig({ ...REAL, SYSLOG_URL: 'syslog+tls://siem.example.com' }).syslog).toEqual({ host: 'siem.example.com', port: 6514, tls: true, ca: undefined });
  expect(parseConfig({ ...REAL, SYSLOG_URL: 'syslog+tcp://[::1]:5140/' }).syslog).toEqual({ host: '::1', port: 5140, tls: false, ca: undefined });
  for (const SYSLOG_URL of ['syslog://host:514', 'siem.example.com', 'syslog+tls://user:secret@host', 'syslog+tcp://host:0', 'syslog+tcp://host:70000', 'syslog+tcp://host/path']) {
    expect(() => parseConfig({ ...REAL, SYSLOG_URL })).toThrow(/SYSLOG_URL is not the address of a syslog receiver/);
  }
  expect(() => parseConfig({ ...REAL, SYSLOG_CA: '/none.pem' })).toThrow(/SYSLOG_URL is missing while SYSLOG_CA is set/);
  expect(() => parseConfig({ ...REAL, SYSLOG_URL: 'syslog+tcp://host', SYSLOG_CA: '/none.pem' })).toThrow(/not encrypted/);
  expect(() => parseConfig({ ...REAL, SYSLOG_URL: 'syslog+tls://host', SYSLOG_CA: '/none.pem' })).toThrow(/SYSLOG_CA is not a readable file/);
});
