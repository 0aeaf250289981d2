import type { PlanStep, PortalActivity, SetupDefinition } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import { GraphError } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { PortalError } from '../../core/errors.ts';
import { record } from '../audit/audit.ts';
import { failureInWords } from './run-failures.rules.ts';
import { performStep, StepRefused, type StepContext } from './run-steps.service.ts';
import { createRunLocks, endRun, interruptRun, isOurs, moveStep, runningRuns, setGroup, stopAskedBy, type NewRun, type NewStep } from './setup.store.ts';

/** Works through runs in the background of this process, on the token of whoever started them. */

export interface RunsDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Logger;
  /** Lets time pass for Entra; a test moves its tenant's clock instead. */
  readonly wait: (ms: number) => Promise<void>;
  /** Told of a group that a run has just changed: what is kept of it elsewhere is old. */
  readonly onApplied?: (groupId: string) => Promise<void>;
}

export interface RunJob {
  readonly actor: Pick<Actor, 'tenantId' | 'principalId' | 'name'>;
  readonly run: Pick<NewRun, 'tenantId' | 'id' | 'setupId' | 'worker'>;
  readonly definition: SetupDefinition;
  readonly steps: readonly NewStep[];
  readonly context: Pick<StepContext, 'graph' | 'group' | 'applications' | 'begunBefore'>;
}

/** The run is not this worker's any more, or the worker is to stop. */
class RunStopped extends Error {}

export type Runs = ReturnType<typeof createRuns>;

export function createRuns({ db, clock, newId, log, wait, onApplied = async () => {} }: RunsDeps) {
  const worker = newId();
  const underWay = new Map<string, Promise<void>>();
  /** Runs whose rows are about to rest, or do, and whose lock is still to be let go of. */
  const ending = new Set<string>();
  let stopping = false;
  const stop = Promise.withResolvers<void>();
  // Who lost the connection lost the locks: another process may have declared the runs interrupted.
  const locks = createRunLocks(db, () => { log.error('the connection that holds the locks of runs is lost'); });

  const tell = (tx: Tx, job: Pick<RunJob, 'actor' | 'run'>, name: string, type: PortalActivity, result: 'success' | 'failure' | 'other', more: { reason?: string; groupId?: string | null; data?: Record<string, unknown> }): Promise<void> =>
    record(tx, {
      id: newId(), at: clock.now(), actor: job.actor, type, kind: 'portal-setup', result, reason: more.reason,
      group: { id: more.groupId ?? null, name }, data: { runId: job.run.id, setupId: job.run.setupId, ...more.data },
    });

  async function work(job: RunJob): Promise<void> {
    const { run, definition } = job;
    const name = definition.group.displayName;
    const transaction = async (change: (tx: Tx) => Promise<boolean>): Promise<void> => {
      if (!(await db.prisma.$transaction(change))) throw new RunStopped();
    };
    const pause = async (ms: number): Promise<void> => {
      await Promise.race([wait(ms), stop.promise]);
      if (stopping || !(await isOurs(db, run))) throw new RunStopped();
    };

    let open: NewStep | undefined;
    const context: StepContext = {
      ...job.context, applications: new Map(job.context.applications), definition, clock, actorId: job.actor.principalId, wait: pause,
      waiting: async (detail) => {
        const ordinal = open?.ordinal;
        if (ordinal !== undefined) await transaction((tx) => moveStep(tx, run, ordinal, { status: 'waiting', detail }));
      },
    };
    for (const step of job.steps) {
      if (step.status !== 'pending') continue;
      if (stopping) throw new RunStopped();
      const by = await stopAskedBy(db, run);
      if (by !== null) {
        ending.add(run.id);
        return transaction(async (tx) => {
          await tell(tx, job, name, 'setup.run-stopped', 'other', { groupId: context.group?.id ?? null, reason: `${by} asked for it.` });
          return endRun(tx, run, 'stopped', clock.now());
        });
      }
      if (step.plan.verdict === 'nothing') {
        await transaction((tx) => moveStep(tx, run, step.ordinal, { status: 'skipped', detail: 'It was so already when the plan was read.', finishedAt: clock.now() }));
        continue;
      }
      open = step;
      await transaction((tx) => moveStep(tx, run, step.ordinal, { status: 'running', detail: null, startedAt: clock.now() }));
      try {
        const proof = await performStep(step.plan, context);
        await transaction(async (tx) => {
          if (!(await moveStep(tx, run, step.ordinal, { status: 'done', detail: proof, finishedAt: clock.now() }))) return false;
          if (step.plan.kind === 'create-group' && context.group) await setGroup(tx, run.tenantId, run.setupId, context.group.id);
          await tell(tx, job, name, 'setup.step-applied', 'success', { groupId: context.group?.id ?? null, data: { step: step.plan.key, title: step.plan.title, changes: step.plan.changes } });
          return true;
        });
      } catch (error) {
        if (error instanceof RunStopped) throw error;
        const sentence = sentenceOf(step.plan, error);
        log.warn({ err: error, runId: run.id, step: step.plan.key }, 'a step of a run failed');
        await transaction(async (tx) => {
          if (!(await moveStep(tx, run, step.ordinal, { status: 'failed', detail: sentence, finishedAt: clock.now() }))) return false;
          ending.add(run.id);
          await tell(tx, job, name, 'setup.step-failed', 'failure', { groupId: context.group?.id ?? null, reason: sentence, data: { step: step.plan.key, title: step.plan.title } });
          return endRun(tx, run, 'failed', clock.now());
        });
        return;
      }
    }
    ending.add(run.id);
    await transaction(async (tx) => {
      await tell(tx, job, name, 'setup.run-finished', 'success', { groupId: context.group?.id ?? null });
      return endRun(tx, run, 'succeeded', clock.now());
    });
    const groupId = context.group?.id;
    if (groupId !== undefined) await onApplied(groupId).catch((error: unknown) => { log.warn({ err: error, groupId }, 'the catalog could not be brought up to date after a run'); });
  }

  async function interrupt(run: Pick<NewRun, 'tenantId' | 'id' | 'setupId' | 'worker' | 'actorId' | 'actorName'>, name: string): Promise<boolean> {
    return db.prisma.$transaction(async (tx) => {
      if (!(await interruptRun(tx, run, clock.now()))) return false;
      const actor = { tenantId: run.tenantId, principalId: run.actorId, name: run.actorName };
      await tell(tx, { actor, run }, name, 'setup.run-interrupted', 'failure', { reason: 'The portal stopped while the run was under way.' });
      return true;
    });
  }

  return {
    /** Names this process in the rows of its runs. */
    worker,

    /** Takes the lock that says that the run lives; before its rows are written, so that nobody sees them without it. */
    async claim(runId: string): Promise<void> {
      if (stopping) throw new PortalError('not-ready', { detail: 'The portal is stopping. Try again in a moment.' });
      // Whoever saw the run at rest need not hear that it is under way.
      if (ending.has(runId)) await underWay.get(runId);
      if (underWay.has(runId) || !(await locks.hold(runId))) throw new PortalError('run-in-progress');
    },
    release: (runId: string): Promise<void> => locks.release(runId),

    /** Works on a claimed run in the background, and lets go of it at the end. */
    start(job: RunJob): void {
      const running = work(job)
        .catch(async (error: unknown) => {
          if (!(error instanceof RunStopped)) log.error({ err: error, runId: job.run.id }, 'a run ended in an error of ours');
          ending.add(job.run.id);
          await db.prisma.$transaction(async (tx) => {
            if (!(await endRun(tx, job.run, 'interrupted', clock.now()))) return;
            await tell(tx, job, job.definition.group.displayName, 'setup.run-interrupted', 'failure', { reason: 'The portal stopped while the run was under way.' });
          });
        })
        // Where even that fails the rows say running and the lock is free: whoever reads them next declares it interrupted.
        .catch((error: unknown) => { log.error({ err: error, runId: job.run.id }, 'a run could not be put to rest'); })
        .then(() => locks.release(job.run.id))
        .catch((error: unknown) => { log.error({ err: error, runId: job.run.id }, 'the lock of a run could not be released'); })
        .finally(() => {
          underWay.delete(job.run.id);
          ending.delete(job.run.id);
        });
      underWay.set(job.run.id, running);
    },

    /** Finds runs whose worker is gone, such as by kill -9, and says so in their rows. */
    async interruptOrphans(tenantId: string): Promise<void> {
      for (const run of await runningRuns(db, tenantId)) {
        if (!underWay.has(run.id)) await interrupt(run, run.setupName);
      }
    },

    async idle(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay.values());
    },

    /** Lets calls that are under way end, and leaves the rest to be continued. */
    async stop(): Promise<void> {
      stopping = true;
      stop.resolve();
      await Promise.all(underWay.values());
      await locks.close();
    },
  };
}

function sentenceOf(step: PlanStep, error: unknown): string {
  if (error instanceof StepRefused) return error.message;
  if (error instanceof PortalError && error.details.detail !== undefined) return error.details.detail;
  if (error instanceof GraphError) return failureInWords(step.kind, error.failure, error.details.failedRules);
  return 'Something went wrong on our side, so this is not shown as done. Continue the run: it looks first.';
}
