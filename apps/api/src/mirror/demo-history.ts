import type { Database } from '@gatehouse/db';
import type { Logger } from 'pino';
import { inTransaction, withConnection } from './database.ts';
import { instantText, type ReceivedEvent } from './directory-event.ts';
import { ingest } from './ingest.ts';
import { extendCoverage } from './sync.ts';

export interface DemoHistoryDeps {
  readonly db: Pick<Database, 'pool'>;
  readonly tenantId: string;
  readonly emulatorUrl: string;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** When it is put in; the events keep their own times. */
  readonly now: () => Date;
}

const MONTHS = 6;
const BATCH = 1_000;
/** Says, among the sources, that it was done; nobody reads it as a source. */
const DONE = 'demo-history';

/**
 * What happened in the emulated tenant before Entra's own log begins, put into the mirror once, by the way of every other
 * event. Cut off in the middle, it is read again from the beginning, and what is known stays as it is.
 */
export async function loadDemoHistory({ db, tenantId, emulatorUrl, log, now }: DemoHistoryDeps): Promise<{ readonly added: number }> {
  return withConnection(db, async (connection) => {
    const lock = [`gatehouse.demo-history:${tenantId}`];
    await connection.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', lock);
    try {
      const { rows: done } = await connection.query('SELECT 1 FROM sync_source WHERE tenant_id = $1 AND source = $2 AND last_success_at IS NOT NULL', [tenantId, DONE]);
      if (done.length > 0) return { added: 0 };

      const answer = await fetch(`${emulatorUrl}/_emulator/history?months=${MONTHS}`);
      if (!answer.ok || !answer.body) throw new Error(`the emulated tenant answered ${answer.status} when asked for its earlier history`);
      let added = 0;
      let earliest: string | undefined;
      for await (const events of batches(lines(answer.body))) {
        added += (await ingest(connection, log, { tenantId, events, receivedAt: now() })).added;
        for (const { activityDateTime } of events) {
          const at = instantText(activityDateTime);
          if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at;
        }
      }
      await inTransaction(connection, async () => {
        await connection.query(
          'INSERT INTO sync_source (tenant_id, source, last_success_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, source) DO UPDATE SET last_success_at = excluded.last_success_at',
          [tenantId, DONE, now().toISOString()],
        );
        if (earliest !== undefined) await extendCoverage(connection, tenantId, earliest, added);
      });
      log.info({ added }, 'the emulated tenant\'s earlier history is in the mirror');
      return { added };
    } finally {
      await connection.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', lock).catch(() => undefined);
    }
  });
}

async function* batches(texts: AsyncIterable<string>): AsyncGenerator<ReceivedEvent[]> {
  let batch: ReceivedEvent[] = [];
  for await (const raw of texts) {
    batch.push({ ...marks(raw), raw });
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function marks(raw: string): { id: string; activityDateTime: string } {
  try {
    const { id, activityDateTime } = JSON.parse(raw) as { id?: unknown; activityDateTime?: unknown };
    return { id: typeof id === 'string' ? id : '', activityDateTime: typeof activityDateTime === 'string' ? activityDateTime : '' };
  } catch {
    return { id: '', activityDateTime: '' };
  }
}

/** The lines of a stream that are not empty. */
async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.trim() !== '') yield part;
  }
  if (rest.trim() !== '') yield rest;
}
