import { clusterOwner, testDatabase } from '@gatehouse/db/testing';
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
  await using owner = clusterOwner(db.url);
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
          await owner.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
          await owner.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
          away.resolve();
        }
        if (runs === 3) back.resolve();
      },
    },
  });
  await away.promise;
  await expect(db.pool.query('SELECT 1')).rejects.toThrow();
  await owner.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await back.promise;
  await jobs.stop();
});

test('where the host’s clock is ahead of the database’s, what is due at once is done at once', async () => {
  await using db = await testDatabase();
  const now = Date.now.bind(Date);
  using _ahead = vi.spyOn(Date, 'now').mockImplementation(() => now() + 20 * 60_000);
  const again = Promise.withResolvers<void>();
  let runs = 0;
  const sync = async (): Promise<void> => {
    runs += 1;
    if (runs === 3) again.resolve();
  };
  const jobs = await startJobs({ db, log, syncEveryMs: 20, watchEveryMs: 60_000, notifyEveryMs: 60_000, feedEveryMs: 60_000, tasks: { sync, settleRequests: nothing, sweep: nothing, watch: nothing, notify: nothing, feed: nothing } });
  await again.promise;
  await jobs.stop();
});

test('a stop while the database is away ends all the same', async () => {
  await using db = await testDatabase();
  const name = new URL(db.url).pathname.slice(1);
  await using owner = clusterOwner(db.url);
  const jobs = await startJobs({ db, log, syncEveryMs: 20, watchEveryMs: 60_000, notifyEveryMs: 60_000, feedEveryMs: 60_000, retryAfterMs: 20, tasks: { sync: nothing, settleRequests: nothing, sweep: nothing, watch: nothing, notify: nothing, feed: nothing } });
  await owner.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await owner.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
  await jobs.stop();
  await owner.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
});
