import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { SyslogSettings } from './features/exports/syslog.sender.ts';
import type { MailSettings, WebhookSettings } from './features/notifications/notifications.senders.ts';

/** A national cloud of Microsoft: where people sign in, and where Graph is. */
const CLOUDS = {
  global: { login: 'https://login.microsoftonline.com', graph: 'https://graph.microsoft.com' },
  usgov: { login: 'https://login.microsoftonline.us', graph: 'https://graph.microsoft.us' },
  'usgov-dod': { login: 'https://login.microsoftonline.us', graph: 'https://dod-graph.microsoft.us' },
  china: { login: 'https://login.chinacloudapi.cn', graph: 'https://microsoftgraph.chinacloudapi.cn' },
} as const;

/** 32-byte keys, newest first: the first writes, all of them read. */
export type Keys = readonly [Buffer, ...Buffer[]];

export type ClientCredential =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'certificate'; readonly thumbprintSha256: string; readonly privateKey: string; readonly x5c: string };

export type Tenant =
  | { readonly kind: 'entra'; readonly tenantId: string; readonly clientId: string; readonly credential: ClientCredential; readonly loginUrl: string; readonly graphUrl: string }
  /** The emulated tenant: one of our own, or the one at `url`. */
  | { readonly kind: 'emulated'; readonly url: string | undefined };

/** Whose `X-Forwarded-For` is believed: that of so many proxies in front of the portal, or of those at the addresses; 0 is nobody's. */
export type TrustedProxies = number | readonly string[];

/** Every setting of the process, parsed once. */
export interface Config {
  readonly port: number;
  /** Without a slash at the end. */
  readonly publicUrl: string;
  /** `undefined`: PostgreSQL is embedded, in the data folder. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  /** Where packs and archives of the log lie; the data folder unless it is set. */
  readonly filesDir: string;
  /** Who is sent the log as it grows; `undefined`: nobody. */
  readonly syslog: SyslogSettings | undefined;
  /** `undefined`: made and kept in the data folder. */
  readonly sessionKeys: Keys | undefined;
  readonly tokenKeys: Keys | undefined;
  /** 32 bytes each, from which the keys are made that sign the ledger's checkpoints. */
  readonly ledgerKeys: Keys | undefined;
  /** Where checkpoints are posted to; off unless it is set. */
  readonly ledgerWebhook: WebhookSettings | undefined;
  readonly tenant: Tenant;
  /** How approvers are told of requests; each on its own, and off unless it is set. */
  readonly notify: { readonly mail: MailSettings | undefined; readonly webhook: WebhookSettings | undefined };
  /** A portal on the emulated tenant listens on loopback only: anybody may sign in there. */
  readonly host: string;
  readonly logLevel: string;
  readonly startedByNpm: boolean;
  readonly trustProxy: TrustedProxies;
}

/** All that is wrong with the settings, a sentence each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const port = z.string().regex(/^\d{1,5}$/).transform(Number).refine((value) => value <= 65_535);
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Reads the settings; throws `ConfigError` with everything that is wrong, not just the first. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const given = (name: string): string | undefined => env[name]?.trim() || undefined;
  const wrong = (name: string, what: string): undefined => {
    problems.push(`${name} ${what}`);
    return undefined;
  };

  const portNumber = port.safeParse(given('PORT') ?? '3000').data ?? wrong('PORT', 'is not a port: give a number from 0 to 65535') ?? 0;
  const publicUrl = given('PUBLIC_URL') ?? `http://localhost:${portNumber}`;
  const publicAddress = addressOf(publicUrl) ?? wrong('PUBLIC_URL', 'is not an address: give the one that people open, such as https://gatehouse.example.com');
  if (publicAddress && (publicAddress.pathname !== '/' || publicAddress.search || publicAddress.hash)) wrong('PUBLIC_URL', 'has a path: the portal is served at the root of its host');
  if (publicAddress && publicAddress.protocol === 'http:' && !LOOPBACK.has(publicAddress.hostname)) wrong('PUBLIC_URL', 'is http: session cookies need https anywhere but on localhost');

  const databaseUrl = given('DATABASE_URL');
  if (databaseUrl && !/^postgres(ql)?:$/.test(addressOf(databaseUrl)?.protocol ?? '')) wrong('DATABASE_URL', 'is not a PostgreSQL address: give postgresql://user:password@host:5432/database');

  const keys = (name: string): Keys | undefined => {
    const text = given(name);
    if (!text) return databaseUrl ? wrong(name, 'is missing: with DATABASE_URL set, give 32 random bytes as base64 (openssl rand -base64 32); several, newest first, separated by commas') : undefined;
    const [first, ...rest] = text.split(',').map((key) => Buffer.from(key.trim(), 'base64'));
    if (!first || [first, ...rest].some((key) => key.length !== 32)) return wrong(name, 'is not a list of 32-byte keys in base64: make one with openssl rand -base64 32');
    return [first, ...rest];
  };
  const sessionKeys = keys('SESSION_KEYS');
  const tokenKeys = keys('TOKEN_KEYS');
  const ledgerKeys = keys('LEDGER_KEY');
  const logLevel = LOG_LEVELS.find((level) => level === (given('LOG_LEVEL') ?? 'info')) ?? wrong('LOG_LEVEL', `is not one of ${LOG_LEVELS.join(', ')}`);
  const trustProxy = parseTrustProxy(given('TRUST_PROXY')) ?? wrong('TRUST_PROXY', 'is neither a number of proxies from 0 to 9 nor a list of addresses, such as 1 or 10.0.0.0/8, 192.168.1.7: name the proxies that stand in front of the portal, never everybody');
  const tenant = parseTenant(given, wrong, publicAddress);
  const syslog = parseSyslog(given, wrong);
  const notify = { mail: parseMail(given, wrong), webhook: parseWebhook(given, wrong, 'NOTIFY_WEBHOOK', ['json', 'teams']) };
  const ledgerWebhook = parseWebhook(given, wrong, 'LEDGER_WEBHOOK', ['json']);

  if (problems.length > 0 || !tenant || !publicAddress || !logLevel || trustProxy === undefined) throw new ConfigError(problems);
  return {
    port: portNumber,
    publicUrl: publicAddress.origin,
    databaseUrl,
    dataDir: resolve(given('DATA_DIR') ?? '.data'),
    filesDir: resolve(given('FILES_DIR') ?? given('DATA_DIR') ?? '.data'),
    syslog,
    sessionKeys,
    tokenKeys,
    ledgerKeys,
    ledgerWebhook,
    tenant,
    notify,
    host: tenant.kind === 'emulated' ? '127.0.0.1' : '::',
    logLevel,
    startedByNpm: given('npm_lifecycle_event') !== undefined,
    trustProxy,
  };
}

function parseTrustProxy(text: string | undefined): TrustedProxies | undefined {
  if (text === undefined) return 0;
  if (/^\d$/.test(text)) return Number(text);
  const addresses = text.split(',').map((address) => address.trim());
  return addresses.every(isNetwork) ? addresses : undefined;
}

/** An address or a network of addresses; the whole of the internet is none. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  return most > 0 && !address.includes('%') && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= most));
}

function parseTenant(given: (name: string) => string | undefined, wrong: (name: string, what: string) => undefined, publicAddress: URL | undefined): Tenant | undefined {
  const tenantId = given('ENTRA_TENANT_ID');
  const emulatorUrl = given('EMULATOR_URL');
  if (!tenantId) {
    for (const name of ['ENTRA_CLIENT_ID', 'ENTRA_CLIENT_SECRET', 'ENTRA_CLIENT_CERTIFICATE']) {
      if (given(name)) wrong('ENTRA_TENANT_ID', `is missing while ${name} is set: give the tenant's id, or leave both out to run on the emulated tenant`);
    }
    const emulator = emulatorUrl === undefined ? undefined : addressOf(emulatorUrl);
    if (emulatorUrl && (!emulator || emulator.protocol !== 'http:' || !LOOPBACK.has(emulator.hostname))) return wrong('EMULATOR_URL', 'is not an http address on loopback, such as http://127.0.0.1:4000: an emulated tenant lets anybody sign in');
    if (publicAddress && !LOOPBACK.has(publicAddress.hostname)) return wrong('PUBLIC_URL', 'is not on localhost: a portal on the emulated tenant lets anybody sign in, so it serves this machine only. For a real tenant set ENTRA_TENANT_ID');
    return { kind: 'emulated', url: emulator?.origin };
  }

  if (emulatorUrl) wrong('EMULATOR_URL', 'and ENTRA_TENANT_ID exclude each other: a portal with a tenant never talks to an emulator');
  if (!z.guid().safeParse(tenantId).success) wrong('ENTRA_TENANT_ID', 'is not a directory (tenant) id: it is a GUID');
  const clientId = given('ENTRA_CLIENT_ID') ?? wrong('ENTRA_CLIENT_ID', 'is missing: give the application (client) id of the app registration');
  if (clientId && !z.guid().safeParse(clientId).success) wrong('ENTRA_CLIENT_ID', 'is not an application (client) id: it is a GUID');
  const cloudName = given('ENTRA_CLOUD') ?? 'global';
  const cloud = Object.entries(CLOUDS).find(([name]) => name === cloudName)?.[1] ?? wrong('ENTRA_CLOUD', `is not one of ${Object.keys(CLOUDS).join(', ')}`);
  const credential = parseCredential(given, wrong);
  if (!clientId || !cloud || !credential) return undefined;
  return { kind: 'entra', tenantId: tenantId.toLowerCase(), clientId, credential, loginUrl: cloud.login, graphUrl: cloud.graph };
}

function parseCredential(given: (name: string) => string | undefined, wrong: (name: string, what: string) => undefined): ClientCredential | undefined {
  const secret = given('ENTRA_CLIENT_SECRET');
  const certificate = given('ENTRA_CLIENT_CERTIFICATE');
  if (secret && certificate) return wrong('ENTRA_CLIENT_SECRET', 'and ENTRA_CLIENT_CERTIFICATE exclude each other: give one, better the certificate');
  if (secret) return { kind: 'secret', secret };
  if (!certificate) return wrong('ENTRA_CLIENT_SECRET', 'or ENTRA_CLIENT_CERTIFICATE is missing: the portal signs in to Entra with a client secret, or with a PEM file of certificate and private key');
  try {
    const pem = readFileSync(certificate, 'utf8');
    return {
      kind: 'certificate',
      thumbprintSha256: new X509Certificate(pem).fingerprint256.replaceAll(':', ''),
      privateKey: String(createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' })),
      x5c: pem.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/)?.[0] ?? '',
    };
  } catch (error) {
    return wrong('ENTRA_CLIENT_CERTIFICATE', `is not a readable PEM file with a certificate and its private key (${error instanceof Error ? error.message : String(error)})`);
  }
}

function parseMail(given: (name: string) => string | undefined, wrong: (name: string, what: string) => undefined): MailSettings | undefined {
  const text = given('SMTP_URL');
  const from = given('MAIL_FROM');
  if (!text) return from ? wrong('SMTP_URL', 'is missing while MAIL_FROM is set: give the mail server, or leave both out to send no mail') : undefined;
  // What is wrong with it is said without it, for it may hold a password.
  const address = addressOf(text);
  if (!address || !/^smtps?:$/.test(address.protocol) || address.hostname === '' || !/^\/?$/.test(address.pathname) || address.search || address.hash) return wrong('SMTP_URL', 'is not the address of a mail server: give smtps://user:password@host:465, or smtp://user:password@host:587, which is upgraded to TLS');
  if (!from) return wrong('MAIL_FROM', 'is missing: with SMTP_URL set, give the address that mails come from, such as gatehouse@example.com or Gatehouse <gatehouse@example.com>');
  if (!/^(?:[^<>@,;"\r\n]*<)?[^\s<>@,;"]+@[^\s<>@,;"]+>?$/.test(from) || from.includes('<') !== from.endsWith('>')) return wrong('MAIL_FROM', 'is not one mail address: give gatehouse@example.com or Gatehouse <gatehouse@example.com>');
  const onThisMachine = LOOPBACK.has(address.hostname);
  const secure = address.protocol === 'smtps:';
  const [user, password] = [decoded(address.username), decoded(address.password)];
  if (user === undefined || password === undefined) return wrong('SMTP_URL', 'has a user or password that is not percent-encoded as an address wants it: write % as %25, @ as %40, : as %3A and / as %2F');
  const login = user === '' ? undefined : { user, password };
  return { host: address.hostname.replace(/^\[|\]$/g, ''), port: Number(address.port || (secure ? 465 : 587)), tls: secure ? 'from-the-start' : onThisMachine ? 'none' : 'upgraded', login, from };
}

const SYSLOG_PORTS = { 'syslog+tcp:': 601, 'syslog+tls:': 6514 } as const;

function parseSyslog(given: (name: string) => string | undefined, wrong: (name: string, what: string) => undefined): SyslogSettings | undefined {
  const text = given('SYSLOG_URL');
  const caFile = given('SYSLOG_CA');
  if (!text) return caFile ? wrong('SYSLOG_URL', 'is missing while SYSLOG_CA is set: give the receiver, or leave both out') : undefined;
  const [, scheme = '', host = '', port] = /^(syslog\+(?:tcp|tls):)\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?\/?$/i.exec(text) ?? [];
  const usual = Object.entries(SYSLOG_PORTS).find(([name]) => name === scheme.toLowerCase())?.[1];
  const portNumber = Number(port ?? usual);
  if (usual === undefined || host === '' || portNumber < 1 || portNumber > 65_535) return wrong('SYSLOG_URL', 'is not the address of a syslog receiver: give syslog+tls://host:6514, or syslog+tcp://host:601 where nobody else can read the line');
  const tls = usual === SYSLOG_PORTS['syslog+tls:'];
  if (!tls && caFile) return wrong('SYSLOG_CA', 'is set while SYSLOG_URL is not encrypted: give a syslog+tls address, or leave SYSLOG_CA out');
  let ca: string | undefined;
  if (caFile) {
    try {
      ca = readFileSync(caFile, 'utf8');
      if (!ca.includes('-----BEGIN CERTIFICATE-----')) return wrong('SYSLOG_CA', 'holds no certificate: give a PEM file with those of the authorities that the receiver is checked against');
    } catch (error) {
      return wrong('SYSLOG_CA', `is not a readable file (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: portNumber, tls, ca };
}

/** The bytes of each key are bounded as the convention says. */
const WEBHOOK_KEY_BYTES = { least: 24, most: 64 };

function parseWebhook(given: (name: string) => string | undefined, wrong: (name: string, what: string) => undefined, setting: 'NOTIFY_WEBHOOK' | 'LEDGER_WEBHOOK', kinds: readonly ('json' | 'teams')[]): WebhookSettings | undefined {
  const [urlName, secretName, kindName] = [`${setting}_URL`, `${setting}_SECRET`, `${setting}_KIND`] as const;
  const text = given(urlName);
  const secret = given(secretName);
  const kind = given(kindName) ?? 'json';
  if (!text) {
    for (const name of [secretName, kindName]) if (given(name)) wrong(urlName, `is missing while ${name} is set: give the address to post to, or leave both out`);
    return undefined;
  }
  const address = addressOf(text);
  if (!address || (address.protocol !== 'https:' && !(address.protocol === 'http:' && LOOPBACK.has(address.hostname))) || address.username || address.password) wrong(urlName, setting === 'NOTIFY_WEBHOOK' ? 'is not an https address without user and password: what is posted names people and their reasons' : 'is not an https address without user and password');
  if (!kinds.some((one) => one === kind)) wrong(kindName, `is not one of ${kinds.join(', ')}`);
  if (!secret && kind === 'json') wrong(secretName, 'is missing: without it the receiver cannot know who posts. Give whsec_ and 32 random bytes as base64 (openssl rand -base64 32); several, newest first, separated by commas');
  const keys = secret === undefined ? [] : secret.split(',').map((one) => Buffer.from(one.trim().replace(/^whsec_/, ''), 'base64'));
  if (keys.some(({ length }) => length < WEBHOOK_KEY_BYTES.least || length > WEBHOOK_KEY_BYTES.most)) wrong(secretName, 'is not a list of keys of 24 to 64 bytes in base64, each after whsec_: make one with openssl rand -base64 32');
  return { url: text, body: kind === 'teams' ? 'teams' : 'json', keys };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function addressOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
