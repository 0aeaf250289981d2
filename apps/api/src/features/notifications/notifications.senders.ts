import { createHmac } from 'node:crypto';
import { createTransport } from 'nodemailer';
import type { Clock } from '../../core/clock.ts';

/** Where mails go to be sent on. */
export interface MailSettings {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; else the connection is upgraded before anything is said. */
  readonly tls: 'from-the-start' | 'upgraded' | 'none';
  readonly login: { readonly user: string; readonly password: string } | undefined;
  readonly from: string;
}

/** Where events are posted to; the address may hold a secret. */
export interface WebhookSettings {
  readonly url: string;
  readonly body: 'json' | 'teams';
  /** Keys that sign, newest first: a receiver takes any of them. */
  readonly keys: readonly Buffer[];
}

export interface Mail {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** What did not get through, in a sentence that holds no secret and nobody's words but ours. */
export class DeliveryFailure extends Error {
  /** Trying again would fail again. */
  readonly final: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(sentence: string, { final = false, retryAfterSeconds, cause }: { readonly final?: boolean; readonly retryAfterSeconds?: number | undefined; readonly cause?: unknown } = {}) {
    super(sentence, { cause });
    this.name = 'DeliveryFailure';
    this.final = final;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** How long each sending may take; below the lease. In milliseconds. */
const TIMEOUT_MS = 10_000;

/** Hands one mail to the mail server; resolves once the server has taken it. */
export type SendMail = (mail: Mail) => Promise<void>;

export function createMailSender({ host, port, tls, login, from }: MailSettings, timeoutMs = TIMEOUT_MS): SendMail {
  const domain = from.slice(from.lastIndexOf('@') + 1).replace(/[>\s]+$/, '');
  return async ({ id, to, subject, text }) => {
    const transport = createTransport({
      host, port, secure: tls === 'from-the-start', requireTLS: tls === 'upgraded', ignoreTLS: tls === 'none',
      ...(login && { auth: { user: login.user, pass: login.password } }),
      connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs,
      disableFileAccess: true, disableUrlAccess: true, logger: false,
    });
    try {
      // The same id with each try. An address as an object is one address, whatever it holds.
      await transport.sendMail({ from, to: { name: '', address: to }, subject, text, messageId: `<${id}@${domain}>`, headers: { 'Auto-Submitted': 'auto-generated' } });
    } catch (error) {
      throw mailFailure(error);
    } finally {
      transport.close();
    }
  };
}

/** The library's texts repeat what the server said, and may repeat what was said to it: only codes go on. */
function mailFailure(error: unknown): DeliveryFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
  const answered = error instanceof Error && 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : undefined;
  if (code === 'EAUTH' || code === 'ENOAUTH') return new DeliveryFailure('The mail server refuses the name or password in SMTP_URL.', { cause: error });
  if (code === 'ETLS') return new DeliveryFailure('The mail server offers no TLS that can be trusted.', { cause: error });
  if (answered === undefined) return new DeliveryFailure(`The mail server does not answer as it should (${code}).`, { cause: error });
  return answered >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE')
    ? new DeliveryFailure(`The mail server refuses the mail for good (${answered}).`, { final: true, cause: error })
    : new DeliveryFailure(`The mail server does not take the mail now (${answered}).`, { cause: error });
}

/** Posts one event; resolves once the receiver has answered with success. */
export type PostEvent = (id: string, body: object) => Promise<void>;

/** Signs by the Standard Webhooks convention. `clock` is real time: a receiver compares the timestamp with its own. */
export function createWebhookSender({ url, keys }: WebhookSettings, clock: Clock, timeoutMs = TIMEOUT_MS): PostEvent {
  return async (id, event) => {
    const body = JSON.stringify(event);
    const timestamp = Math.floor(clock.now().getTime() / 1000);
    const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`);
    const headers = {
      'content-type': 'application/json', 'user-agent': 'Gatehouse', 'webhook-id': id, 'webhook-timestamp': String(timestamp),
      ...(signatures.length > 0 && { 'webhook-signature': signatures.join(' ') }),
    };
    let answer: Response;
    try {
      // A redirect would take what is signed to somebody who was not named.
      answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      throw new DeliveryFailure(error instanceof Error && error.name === 'TimeoutError' ? `The webhook did not answer within ${timeoutMs / 1000} s.` : 'The webhook does not answer.', { cause: error });
    }
    await answer.body?.cancel();
    if (answer.ok) return;
    const { status } = answer;
    if (status >= 300 && status < 400) throw new DeliveryFailure(`The webhook redirects (${status}); redirects are not followed.`, { final: true });
    // These say "later"; every other refusal of the request would be repeated.
    const later = status >= 500 || status === 408 || status === 425 || status === 429;
    const after = Number(answer.headers.get('retry-after') ?? '');
    throw new DeliveryFailure(`The webhook answered ${status}.`, { final: !later, ...(later && Number.isFinite(after) && after > 0 && { retryAfterSeconds: after }) });
  };
}
