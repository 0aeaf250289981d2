import type { SyslogFeed } from '@gatehouse/contracts';
import type { Connection, Database } from '@gatehouse/db';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { rowsOfBatches } from './log-reader.store.ts';
import { pauseAfter, syslogFrame } from './syslog.rules.ts';
import type { SendSyslog } from './syslog.sender.ts';
import { countWaiting, nextBatches, noteFailure, noteSent, readFeed } from './syslog.store.ts';

export interface SyslogDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly tenantId: string;
  readonly log: Pick<Logger, 'warn'>;
  /** `undefined`: no receiver is set, and nothing is sent. */
  readonly receiver: { readonly name: string; readonly send: SendSyslog } | undefined;
  /** As which host the messages name their sender. */
  readonly hostName: string;
}

export type Syslog = ReturnType<typeof createSyslog>;

const EVENTS_AT_ONCE = 1_000;
const BATCHES_AT_ONCE = 500;
/** A pass gives way after so much, so that a stop is not held. */
const ROUNDS = 20;

/**
 * Sends the log to a syslog receiver, batch by batch in the log's order, each event at least once: the feed moves on when
 * the receiver has read what was sent, and what is not known to be read is sent again. Of several processes one sends.
 */
export function createSyslog({ db, clock, tenantId, log, receiver, hostName }: SyslogDeps) {
  async function passOf({ send }: NonNullable<typeof receiver>): Promise<void> {
    const connection = await db.pool.connect();
    let failed = true;
    try {
      const lock = [`gatehouse.syslog:${tenantId}`];
      const { rows: [got] } = await connection.query<{ locked: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked', lock);
      if (got?.locked === true) {
        try {
          for (let round = 0; round < ROUNDS; round += 1) if (!(await sendNext(connection, send))) break;
        } finally {
          await connection.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock);
        }
      }
      failed = false;
    } finally {
      connection.release(failed);
    }
  }

  /** One round; whether there may be more. */
  async function sendNext(connection: Connection, send: SendSyslog): Promise<boolean> {
    const feed = await readFeed(connection, tenantId);
    if (feed.tryAfter !== null && feed.tryAfter > clock.now()) return false;
    const batches = await nextBatches(connection, tenantId, BATCHES_AT_ONCE, EVENTS_AT_ONCE);
    if (batches.length === 0) return false;
    let events = 0;
    try {
      for (let from = 0; ; from += EVENTS_AT_ONCE) {
        const rows = await rowsOfBatches(connection, tenantId, batches, from, EVENTS_AT_ONCE);
        if (rows.length > 0) await send(rows.map((row) => syslogFrame(row, hostName)));
        events += rows.length;
        // Only a batch by itself may be longer.
        if (batches.length > 1 || rows.length < EVENTS_AT_ONCE) break;
      }
    } catch (error) {
      const failures = feed.failures + 1;
      const pause = pauseAfter(failures);
      log.warn({ err: error, failures, pauseMs: pause }, 'the syslog receiver did not take the log');
      await noteFailure(connection, tenantId, inWords(error), failures, new Date(clock.now().getTime() + pause));
      return false;
    }
    await connection.query('BEGIN');
    try {
      await noteSent(connection, tenantId, batches, events, clock.now());
      await connection.query('COMMIT');
    } catch (error) {
      await connection.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
    return true;
  }

  return {
    async pass(): Promise<void> {
      if (receiver) await passOf(receiver);
    },

    async status(): Promise<SyslogFeed | null> {
      if (!receiver) return null;
      const [feed, waitingBatches] = await Promise.all([readFeed(db.pool, tenantId), countWaiting(db.pool, tenantId)]);
      return { receiver: receiver.name, sentEvents: feed.sentEvents, waitingBatches, lastSentAt: feed.lastSentAt?.toISOString() ?? null, lastError: feed.lastError, tryAfter: feed.tryAfter?.toISOString() ?? null };
    },
  };
}

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nobody listens at the receiver’s address.', ENOTFOUND: 'The receiver’s name is not known.', ETIMEDOUT: 'The receiver does not answer.', ECONNRESET: 'The receiver cut the connection.', EPIPE: 'The receiver cut the connection.',
  SELF_SIGNED_CERT_IN_CHAIN: 'The receiver’s certificate is not trusted: name its authority in SYSLOG_CA.', DEPTH_ZERO_SELF_SIGNED_CERT: 'The receiver’s certificate is not trusted: name it in SYSLOG_CA.', UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The receiver’s certificate is not trusted: name its authority in SYSLOG_CA.',
  CERT_HAS_EXPIRED: 'The receiver’s certificate has expired.', ERR_TLS_CERT_ALTNAME_INVALID: 'The receiver’s certificate is of another name.',
};

function inWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return SENTENCES[code] ?? (error instanceof Error ? `Sending failed: ${error.message.slice(0, 200)}` : 'Sending failed.');
}
