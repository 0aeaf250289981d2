import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@gatehouse/db';
import { Logger as WorkerLogger, run, type Runner, type TaskList, type WorkerEvents } from 'graphile-worker';
import type { Logger } from 'pino';

export interface JobDeps {
  readonly db: Database;
  readonly log: Logger;
  /** How long after one pass the next is due, in milliseconds of real time. */
  readonly syncEveryMs: number;
  /** The same between two passes of the watch over setups. */
  readonly watchEveryMs: number;
  /** The same between two passes of the outbox. */
  readonly notifyEveryMs: number;
  /** The same between two passes of the feed to a syslog receiver. */
  readonly feedEveryMs: number;
  /** How long after the background work ended by itself it is begun anew, in milliseconds of real time. */
  readonly retryAfterMs?: number;
  /** What keeps the ledger. Each process tries, and its own lock lets one: no job of the queue, which would be written and deleted every two seconds. */
  readonly ledger?: {
    readonly everyMs: number;
    seal(): Promise<void>;
    /** Reads the whole ledger anew, once a night. */
    check(): Promise<unknown>;
  };
  readonly tasks: {
    /** Reads the sources into the mirror. */
    sync(): Promise<void>;
    /** Compares the tenant with setups that may have changed. */
    watch(): Promise<void>;
    /** Sends what approvers are to be told. */
    notify(): Promise<void>;
    /** Sends the log to a syslog receiver, where one is set. */
    feed(): Promise<void>;
    /** Asks Entra how requests stand that no page has followed to their rest. */
    settleRequests(): Promise<void>;
    /** Removes sessions and sign-ins that are over. */
    sweep(): Promise<void>;
  };
}

export interface Jobs {
  /** Brings the next pass of the mirror forward to now. */
  wakeSync(): Promise<void>;
  /** The same for the watch over setups. */
  wakeWatch(): Promise<void>;
  stop(): Promise<void>;
}

/** So long the queue may take, after its last job, to write down how that ended. It takes milliseconds, or the database is away. */
const LAST_WRITES_MS = 2_000;

/** `ended`: every worker has let go of its job, whether it was asked to or not. */
interface Running { readonly runner: Runner; readonly ended: Promise<void> }

/**
 * The background work, on graphile-worker in the same database: it only wakes workers. What is to be done stands in our
 * own tables, and the crontab finds what the queue lost.
 */
export async function startJobs({ db, log, syncEveryMs, watchEveryMs, notifyEveryMs, feedEveryMs, retryAfterMs = 5_000, ledger, tasks }: JobDeps): Promise<Jobs> {
  let stopping = false;
  const stopped = Promise.withResolvers<void>();
  // While the database goes away in an orderly stop, that a connection ended is no error.
  const logger = new WorkerLogger((scope) => (level, message) => { log[level === 'error' && !stopping ? 'error' : 'debug']({ job: scope.taskIdentifier }, message); });
  // By the clock that decides when it is due: one of this host that is ahead would have it wait.
  const again = async (task: string, afterMs: number): Promise<void> => {
    await db.pool.query(`SELECT graphile_worker.add_job($1, payload => '{}', run_at => now() + $2 * interval '1 millisecond', max_attempts => 3, job_key => $1, job_key_mode => 'replace')`, [task, afterMs]);
  };
  const repeating = (name: keyof typeof tasks, everyMs: number): TaskList => ({
    [name]: async () => {
      try {
        await tasks[name]();
      } finally {
        if (!stopping) await again(name, everyMs);
      }
    },
  });
  // One that is ending by itself refuses to be stopped again. What it still writes when its workers have let go, such as that a
  // job was done, is waited for, but not for ever: the promise to have stopped may be one that is never kept (see below).
  const end = ({ runner, ended }: Running): Promise<void> => Promise.race([
    runner.stop().catch((error: unknown) => { log.debug({ err: error }, 'the background work had ended'); }),
    ended.then(() => sleep(LAST_WRITES_MS, undefined, { ref: false })),
  ]);
  const start = async (): Promise<Running> => {
    const events: WorkerEvents = new EventEmitter();
    const ended = Promise.withResolvers<void>();
    for (const event of ['pool:gracefulShutdown:complete', 'pool:gracefulShutdown:error'] as const) events.once(event, () => { ended.resolve(); });
    const runner = await run({
      pgPool: db.pool, logger, events, noHandleSignals: true, concurrency: 4,
      taskList: { ...repeating('sync', syncEveryMs), ...repeating('watch', watchEveryMs), ...repeating('notify', notifyEveryMs), ...repeating('feed', feedEveryMs), ...repeating('settleRequests', syncEveryMs), ...repeating('sweep', 5 * 60_000), ...(ledger && { checkLedger: async () => { await ledger.check(); } }) },
      // One wake-up a minute each, should the chain of a task ever break.
      crontab: '* * * * * sync ?jobKey=sync&jobKeyMode=preserve_run_at\n* * * * * watch ?jobKey=watch&jobKeyMode=preserve_run_at\n* * * * * notify ?jobKey=notify&jobKeyMode=preserve_run_at\n* * * * * feed ?jobKey=feed&jobKeyMode=preserve_run_at\n* * * * * settleRequests ?jobKey=settleRequests&jobKeyMode=preserve_run_at\n*/5 * * * * sweep ?jobKey=sweep&jobKeyMode=preserve_run_at\n' + (ledger ? '17 3 * * * checkLedger ?jobKey=checkLedger&jobKeyMode=preserve_run_at&max=1\n' : ''),
      // How a job ended is written by a batch, and what it cannot write ends the runner. Without one the worker lets go
      // of the promise, and its rejection would end the process.
      preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    });
    try {
      for (const task of ['sweep', 'settleRequests', 'feed', 'notify', 'watch', 'sync']) await again(task, 0);
    } catch (error) {
      await end({ runner, ended: ended.promise });
      throw error;
    }
    // Its promise alone would not do: after two batches that overlapped, of which one failed, the pool waits for a third
    // that nobody sent (https://github.com/graphile/worker/issues/636). By then every worker has let go of its job.
    runner.promise.then(ended.resolve, ended.resolve);
    return { runner, ended: ended.promise };
  };

  let current = await start();
  /** A runner that ended by itself, because the database was away, is replaced until it stays. */
  const supervised = (async () => {
    while (!stopping) {
      await current.ended;
      if (!stopping) log.error('the background work ended and begins anew');
      await end(current);
      let next: typeof current | void = undefined;
      while (!stopping && !next) {
        await Promise.race([sleep(retryAfterMs, undefined, { ref: false }), stopped.promise]);
        if (!stopping) next = await start().catch((error: unknown) => void log.warn({ err: error }, 'the background work does not begin yet'));
      }
      if (next) current = next;
    }
  })();

  const sealing = (async () => {
    while (ledger && !stopping) {
      await ledger.seal().catch((error: unknown) => { if (!stopping) log.warn({ err: error }, 'the ledger was not sealed'); });
      await Promise.race([sleep(ledger.everyMs, undefined, { ref: false }), stopped.promise]);
    }
  })();

  return {
    wakeSync: () => again('sync', 0),
    wakeWatch: () => again('watch', 0),
    async stop() {
      stopping = true;
      stopped.resolve();
      await end(current);
      await supervised;
      // The stop may have come while another began.
      await end(current);
      await sealing;
    },
  };
}
