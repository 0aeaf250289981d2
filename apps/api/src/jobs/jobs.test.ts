import { openDatabase } from '@gatehouse/db';
import { testDatabase } from '@gatehouse/db/testing';
import { pino } from 'pino';
import { beforeEach, expect, test, vi } from 'vitest';
import { startJobs } from './jobs.ts';

const log = pino({ level: 'silent' });
const nothing = async (): Promise<void> => {};

// The queue prints the trace of a worker that it lost, past the logger that it was given.
beforeEach(() => { vi.spyOn(console, 'trace').mockImplementation(() => {}); });

test('the background work survives a database that goes away while a job runs, and comes back', async () => {
  await using db = await testDatabase();
  const name = new URL(db.url).pathname.slice(1);
  await using admin = await administration(db.url);
  const away = Promise.withResolvers<void>();
  const back = Promise.withResolvers<void>();
  let runs = 0;
  const jobs = await startJobs({
    db, log, syncEveryMs: 20, watchEveryMs: 60_000, notifyEveryMs: 60_000, feedEveryMs: 60_000, retryAfterMs: 20,
    tasks: {
      settleRequests: nothing, sweep: nothing, watch: nothing, notify: nothing, feed: nothing,
      async sync() {
        runs += 1;
        if (runs === 1) {
          // Every connection is cut and no new one is let in: neither this job's end nor the next one's time can be written.
          await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
          await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
          away.resolve();
        }
        if (runs === 3) back.resolve();
      },
    },
  });
  await away.promise;
  await expect(db.pool.query('SELECT 1')).rejects.toThrow();
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await back.promise;
  await jobs.stop();
});

test('a stop while the database is away ends all the same', async () => {
  await using db = await testDatabase();
  const name = new URL(db.url).pathname.slice(1);
  await using admin = await administration(db.url);
  const jobs = await startJobs({ db, log, syncEveryMs: 20, watchEveryMs: 60_000, notifyEveryMs: 60_000, feedEveryMs: 60_000, retryAfterMs: 20, tasks: { sync: nothing, settleRequests: nothing, sweep: nothing, watch: nothing, notify: nothing, feed: nothing } });
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
  await jobs.stop();
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
});

/** A connection to the cluster's own database, which the outage of another does not touch. */
async function administration(url: string): Promise<{ query(text: string, values?: unknown[]): Promise<unknown> } & AsyncDisposable> {
  const database = await openDatabase({ url: url.replace(/\/[^/]*$/, '/postgres'), max: 1 });
  return { query: (text, values) => database.pool.query(text, values), [Symbol.asyncDispose]: () => database.close() };
}
