import type { PlanStep, PortalActivity, SetupDefinition } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import { GraphError } from '@gatehouse/graph';
import type { Logger } from 'pino';
import type { Actor } from '../../core/actor.ts';
import type { Clock } from '../../core/clock.ts';
import { PortalError } from '../../core/errors.ts';
import { record } from '../audit/audit.ts';
import { failureInWords } from './run-failures.rules.ts';
import { doneKeys, readySteps } from './run-order.rules.ts';
import { StepRefused, type RunContext } from './run-stages.service.ts';
import { performSteps, StepFailed, type StepRecord } from './run-steps.service.ts';
import { createRunLocks, endRun, interruptRun, isOurs, moveSteps, runningRuns, setGroup, stopAskedBy, type NewRun, type NewStep, type StepChange } from './setup.store.ts';
import { acts } from './steps.rules.ts';

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
  readonly context: Pick<RunContext, 'graph' | 'group' | 'applications' | 'begunBefore' | 'before'>;
  /** The run that this one takes back. */
  readonly undoes: string | null;
  /** What else is kept when all is done, in the same transaction. */
  readonly onFinished?: (tx: Tx, at: Date) => Promise<void>;
}

/** The run is not this worker's any more, or the worker is to stop. */
class RunStopped extends Error {}

/** Another step failed, and the run rests. */
class RunHalted extends Error {}

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

    const ordinals = new Map(job.steps.map(({ plan, ordinal }) => [plan.key, ordinal]));
    const move = (steps: readonly PlanStep[], change: StepChange, also: (tx: Tx) => Promise<void> = async () => {}): Promise<void> => transaction(async (tx) => {
      if (!(await moveSteps(tx, run, steps.map(({ key }) => ordinals.get(key) ?? -1), change))) return false;
      await also(tx);
      return true;
    });
    const groupId = (): string | null => context.group?.id ?? null;
    const context: RunContext = { ...job.context, applications: new Map(job.context.applications), definition, clock, actorId: job.actor.principalId, steps: job.steps.map(({ plan }) => plan) };

    const idle = job.steps.filter(({ plan, status }) => status === 'pending' && !acts(plan)).map(({ plan }) => plan);
    if (idle.length > 0) await move(idle, { status: 'skipped', detail: 'It was so already when the plan was read.', finishedAt: clock.now() });

    let failed = false;
    /** Who asked the run to rest, and whether it left something for that. */
    let stoppedBy: string | null = null;
    let restsUnfinished = false;
    const done = doneKeys(job.steps);
    const record: StepRecord = {
      done: async (step, proof) => {
        await move([step], { status: 'done', detail: proof, finishedAt: clock.now() }, async (tx) => {
          if (step.kind === 'create-group' && context.group) await setGroup(tx, run.tenantId, run.setupId, context.group.id);
          await tell(tx, job, name, 'setup.step-applied', 'success', { groupId: groupId(), data: { step: step.key, title: step.title, changes: step.changes } });
        });
        done.add(step.key);
      },
      remember: async (before) => {
        for (const [step, stood] of before) await move([step], { before: stood });
      },
      waiting: (step, detail) => move([step], { status: 'waiting', detail }),
      stopAsked: async () => (stoppedBy ??= await stopAskedBy(db, run)) !== null,
      givenBack: async (steps) => {
        await move(steps, { status: 'pending', detail: null, startedAt: null });
        restsUnfinished = true;
      },
      wait: async (ms) => {
        await pause(ms);
        // Where another step failed there is nothing to wait for: how this one stands is looked for when the run is continued.
        if (failed) throw new RunHalted();
      },
    };
    const perform = async (steps: readonly NewStep[]): Promise<void> => {
      const plans = steps.map(({ plan }) => plan);
      await move(plans, { status: 'running', detail: null, startedAt: clock.now() });
      try {
        await performSteps(plans, context, record);
      } catch (error) {
        if (error instanceof RunStopped || error instanceof RunHalted) throw error;
        failed = true;
        const { step, cause, unsent } = error instanceof StepFailed ? error : { step: plans.find(({ key }) => !done.has(key)) ?? plans[0] as PlanStep, cause: error, unsent: [] };
        const sentence = sentenceOf(step, cause);
        log.warn({ err: cause, runId: run.id, step: step.key }, 'a step of a run failed');
        if (unsent.length > 0) await move(unsent, { status: 'pending', detail: null, startedAt: null });
        await move([step], { status: 'failed', detail: sentence, finishedAt: clock.now() }, (tx) => tell(tx, job, name, 'setup.step-failed', 'failure', { groupId: groupId(), reason: sentence, data: { step: step.key, title: step.title } }));
      }
    };

    /** What is under way, by stage; each tells how it ended, and none rejects. */
    const underWayHere = new Map<string, Promise<{ readonly stage: string; readonly error?: unknown }>>();
    const open = new Map(job.steps.filter(({ plan, status }) => status === 'pending' && acts(plan)).map((step) => [step.plan.key, step]));
    let broken: { readonly error: unknown } | undefined;
    for (;;) {
      stoppedBy ??= open.size > 0 ? await stopAskedBy(db, run) : null;
      if (!failed && !stopping && stoppedBy === null && !broken) {
        for (const [stage, steps] of readySteps([...open.values()], done, new Set(underWayHere.keys()))) {
          for (const { plan } of steps) open.delete(plan.key);
          underWayHere.set(stage, perform(steps).then(() => ({ stage }), (error: unknown) => ({ stage, error })));
        }
      }
      if (underWayHere.size === 0) break;
      const ended = await Promise.race(underWayHere.values());
      underWayHere.delete(ended.stage);
      if (ended.error !== undefined && !(ended.error instanceof RunHalted)) {
        broken ??= { error: ended.error };
        failed = true;
      }
    }
    if (broken) throw broken.error;
    if (stopping && !failed && open.size > 0) throw new RunStopped();

    ending.add(run.id);
    if (failed) return transaction((tx) => endRun(tx, run, 'failed', clock.now()));
    if (stoppedBy !== null && (restsUnfinished || open.size > 0)) {
      const by = stoppedBy;
      return transaction(async (tx) => {
        await tell(tx, job, name, 'setup.run-stopped', 'other', { groupId: groupId(), reason: `${by} asked for it.` });
        return endRun(tx, run, 'stopped', clock.now());
      });
    }
    if (open.size > 0) throw new Error(`steps wait for each other: ${[...open.keys()].join(', ')}`);
    await transaction(async (tx) => {
      await tell(tx, job, name, job.undoes === null ? 'setup.run-finished' : 'setup.undo-finished', 'success', { groupId: groupId() });
      await job.onFinished?.(tx, clock.now());
      return endRun(tx, run, 'succeeded', clock.now());
    });
    const changed = job.steps.some(({ plan }) => acts(plan)) ? context.group?.id : undefined;
    if (changed !== undefined) await onApplied(changed).catch((error: unknown) => { log.warn({ err: error, groupId: changed }, 'the catalog could not be brought up to date after a run'); });
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

    atRest: async (runId: string): Promise<void> => underWay.get(runId),

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
