import { createHash } from 'node:crypto';
import { GetSetupSchema, SetupDefinition, type Answer, type GetSetup, type ListSetups, type Plan, type PlanStep, type PortalActivity, type ReadSetupFile, type Run, type RunStatus } from '@gatehouse/contracts';
import type { Graph } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import { fieldError, PortalError } from '../../core/errors.ts';
import { record } from '../audit/audit.ts';
import { createRuns, type RunsDeps } from './runs.service.ts';
import { readSetupFile, SETUP_FILE_SCHEMA, writeSetupFile } from './setup-file.ts';
import { gatherFacts, type Gathered } from './setup-facts.service.ts';
import { canonicalPlan, planSetup, weigh, type PlannedSteps, type SetupFacts } from './setup.rules.ts';
import { askToStop, changeSetup, findRun, findSetup, fingerprintOf, insertRun, insertSetup, lastRuns, listSetups, resumeRun, runOf, runsOf, runWithoutSteps, setGroup, stepsOf, type NewRun, type NewStep } from './setup.store.ts';

export interface SetupDeps extends RunsDeps {
  /** Where the portal is reached, for the address of the schema. */
  readonly publicUrl: string;
  /** Graph on the person's own token; may throw `GraphError('not-signed-in' | 'step-up-needed')`. */
  readonly graphFor: (actor: Actor, scopes: 'setup') => Graph;
  /** The same for a run, which nobody waits behind: each of its calls may take its time. */
  readonly graphForRun: (actor: Actor) => Graph;
}

export interface Application {
  readonly definition: SetupDefinition;
  readonly digest: string;
  readonly irreversibleUnderstood: boolean;
}

export type Setups = ReturnType<typeof createSetups>;

/** Between two looks at the rows of a run that somebody watches; any replica can serve it. */
const WATCH_EVERY_MS = 300;

export function createSetups(deps: SetupDeps) {
  const { db, clock, newId, graphFor, graphForRun, publicUrl } = deps;
  const runs = createRuns(deps);
  const stopped = new AbortController();

  async function planned(graph: Graph, definition: SetupDefinition, earlier?: SetupFacts['earlier']): Promise<PlannedSteps & Gathered & { readonly digest: string }> {
    const gathered = await gatherFacts(graph, definition, earlier);
    const { steps, warnings } = planSetup(definition, gathered.facts);
    return { ...gathered, steps, warnings, digest: createHash('sha256').update(canonicalPlan(definition, steps)).digest('hex') };
  }

  /** The plan as it is now, if it is the one that was reviewed and nothing speaks against it. */
  async function reviewed(graph: Graph, { definition, digest, irreversibleUnderstood }: Application) {
    const plan = await planned(graph, definition);
    if (plan.digest !== digest) throw new PortalError('plan-changed', { detail: 'Since you looked, the tenant or the setup changed. Nothing was done. Look at the new plan and apply that.' });
    refuseBlocked(plan.steps);
    if (!irreversibleUnderstood && plan.steps.some(actsIrreversibly)) {
      throw fieldError('invalid-request', 'body.irreversibleUnderstood', 'Say that you understand that onboarding to PIM cannot be undone');
    }
    return plan;
  }

  const newRun = (actor: Actor, setupId: string, { definition, digest }: Application): NewRun => ({
    tenantId: actor.tenantId, id: newId(), setupId, definition, digest, actorId: actor.principalId, actorName: actor.name, createdAt: clock.now(), worker: runs.worker,
  });

  /** Claims the run, writes its rows with `write`, and starts it; a run without rows is let go of. */
  async function begin(actor: Actor, run: NewRun, steps: readonly NewStep[], plan: Gathered, begunBefore: (key: string) => boolean, write: () => Promise<void>): Promise<Run> {
    await runs.claim(run.id);
    try {
      await write();
    } catch (error) {
      await runs.release(run.id);
      throw error;
    }
    runs.start({ actor, run, definition: run.definition, steps, context: { graph: graphForRun(actor), group: plan.group, applications: new Map(plan.applications), begunBefore } });
    return readRun(actor, run.id);
  }

  async function readRun(actor: Actor, runId: string): Promise<Run> {
    const run = await findRun(db, actor.tenantId, runId);
    const setup = run && await findSetup(db, actor.tenantId, run.setupId);
    if (!run || !setup) throw new PortalError('not-found');
    return runOf(run, setup.name, await stepsOf(db, actor.tenantId, runId));
  }

  const event = (actor: Actor, run: NewRun, groupId: string | null, type: PortalActivity, data: Record<string, unknown>) => ({
    id: newId(), at: clock.now(), actor, type, kind: 'portal-setup' as const, result: 'other' as const,
    group: { id: groupId, name: run.definition.group.displayName }, data: { runId: run.id, setupId: run.setupId, digest: run.digest, ...data },
  });

  return {
    async list(actor: Actor): Promise<Answer<typeof ListSetups>> {
      await runs.interruptOrphans(actor.tenantId);
      const [setups, last] = await Promise.all([listSetups(db, actor.tenantId), lastRuns(db, actor.tenantId)]);
      const lastOf = new Map(last.map((run) => [run.setupId, run]));
      return { setups: setups.map((setup) => summaryOf(setup, lastOf.get(setup.id))) };
    },

    async get(actor: Actor, setupId: string): Promise<Answer<typeof GetSetup>> {
      await runs.interruptOrphans(actor.tenantId);
      const setup = await findSetup(db, actor.tenantId, setupId);
      if (!setup) throw new PortalError('not-found');
      const rows = await runsOf(db, actor.tenantId, setupId);
      return { ...summaryOf(setup, rows[0]), definition: SetupDefinition.parse(setup.definition), runs: rows.map((row) => runWithoutSteps(row, setup.name)) };
    },

    /** The setup as a file, by the name of its group. */
    async file(actor: Actor, setupId: string, format: 'yaml' | 'json'): Promise<{ readonly fileName: string; readonly text: string }> {
      const setup = await findSetup(db, actor.tenantId, setupId);
      if (!setup) throw new PortalError('not-found');
      const text = writeSetupFile(SetupDefinition.parse(setup.definition), format, `${publicUrl}${GetSetupSchema.path}`);
      return { fileName: `${setup.name.replaceAll(/[^\w.-]+/g, '-').slice(0, 100)}.${format}`, text };
    },

    /** What the file says, for the wizard to go on with; nothing is kept. */
    async readFile(text: string): Promise<Answer<typeof ReadSetupFile>> {
      const read = readSetupFile(text);
      if ('definition' in read) return read;
      const issues = read.mistakes.map(({ line, message }) => ({ path: `line ${line}`, message: `Line ${line}: ${message}` }));
      throw new PortalError('invalid-request', { detail: 'The file is not a setup as it stands. Mend it and open it again; nothing was taken from it.', issues });
    },

    fileSchema: (): Record<string, unknown> => SETUP_FILE_SCHEMA,

    async plan(actor: Actor, definition: SetupDefinition): Promise<Plan> {
      const { steps, warnings, digest } = await planned(graphFor(actor, 'setup'), definition);
      return { digest, readAt: clock.now().toISOString(), steps: [...steps], warnings: [...warnings], ...weigh(steps) };
    },

    /** Keeps a setup and begins to apply its reviewed plan; answers before anything is done. */
    async create(actor: Actor, wish: Application): Promise<Run> {
      const graph = graphFor(actor, 'setup');
      const plan = await reviewed(graph, wish);
      const run = newRun(actor, newId(), wish);
      const steps = freshSteps(plan.steps);
      return begin(actor, run, steps, plan, () => false, () => db.prisma.$transaction(async (tx) => {
        await insertSetup(tx, { tenantId: actor.tenantId, id: run.setupId, definition: wish.definition, groupId: plan.group?.id ?? null, createdById: actor.principalId, createdBy: actor.name, at: run.createdAt });
        await insertRun(tx, run, steps);
        await record(tx, event(actor, run, plan.group?.id ?? null, 'setup.run-started', { created: true, ...weigh(plan.steps) }));
      }));
    },

    /** Changes a setup and begins to apply its reviewed plan. */
    async apply(actor: Actor, setupId: string, wish: Application): Promise<Run> {
      await runs.interruptOrphans(actor.tenantId);
      const setup = await findSetup(db, actor.tenantId, setupId);
      if (!setup) throw new PortalError('not-found');
      if (!sameGroup(SetupDefinition.parse(setup.definition).group, setup.groupId, wish.definition.group)) {
        throw fieldError('invalid-request', 'body.definition.group', 'A setup keeps its group. For another group, make another setup');
      }
      const graph = graphFor(actor, 'setup');
      const plan = await reviewed(graph, wish);
      const run = newRun(actor, setupId, wish);
      const steps = freshSteps(plan.steps);
      return begin(actor, run, steps, plan, () => false, () => db.prisma.$transaction(async (tx) => {
        await insertRun(tx, run, steps);
        await changeSetup(tx, actor.tenantId, setupId, wish.definition, run.createdAt);
        if (plan.group) await setGroup(tx, actor.tenantId, setupId, plan.group.id);
        await record(tx, event(actor, run, plan.group?.id ?? setup.groupId, 'setup.run-started', { created: false, ...weigh(plan.steps) }));
      }));
    },

    async run(actor: Actor, runId: string): Promise<Run> {
      await runs.interruptOrphans(actor.tenantId);
      return readRun(actor, runId);
    },

    /**
     * Goes on with a run that rests unfinished, on the caller's own token. What is still to do is planned again from the
     * tenant as it is now, so that nothing that is done is done twice.
     */
    async continueRun(actor: Actor, runId: string): Promise<Run> {
      await runs.interruptOrphans(actor.tenantId);
      const standing = await findRun(db, actor.tenantId, runId);
      if (!standing) throw new PortalError('not-found');
      if (standing.status === 'running') throw new PortalError('run-in-progress', { detail: 'The run is under way. Follow it, and continue when it rests.' });
      if (standing.status === 'succeeded') throw new PortalError('conflict', { detail: 'The run is finished: there is nothing to continue.' });
      const [newest] = await runsOf(db, actor.tenantId, standing.setupId);
      if (newest && newest.id !== runId) throw new PortalError('conflict', { detail: 'A later run of this setup exists. Continue that one.' });

      const definition = SetupDefinition.parse(standing.definition);
      const before = await readRun(actor, runId);
      const earlier = new Map(before.steps.map((step) => [step.plan.key, step.status === 'done' || step.status === 'skipped' ? 'done' as const : step.status === 'pending' ? 'pending' as const : 'begun' as const]));
      const graph = graphFor(actor, 'setup');
      const plan = await planned(graph, definition, earlier);
      refuseBlocked(plan.steps);
      const reviewedSteps = new Map(before.steps.map((step) => [step.plan.key, step.plan]));
      if (plan.steps.some((step) => actsIrreversibly(step) && reviewedSteps.get(step.key)?.verdict === 'nothing')) {
        throw new PortalError('plan-changed', { detail: 'The run would now do something that cannot be undone and that was not in its plan. Look at the plan again and apply that.' });
      }

      const at = clock.now();
      const steps = continuedSteps(before, plan.steps, at);
      const run: NewRun = { tenantId: actor.tenantId, id: runId, setupId: standing.setupId, definition, digest: plan.digest, actorId: actor.principalId, actorName: actor.name, createdAt: standing.createdAt, worker: runs.worker };
      return begin(actor, run, steps, plan, (key) => earlier.get(key) === 'begun', () => db.prisma.$transaction(async (tx) => {
        if (!(await resumeRun(tx, run, steps))) throw new PortalError('run-in-progress', { detail: 'Somebody continued the run a moment ago. Follow it.' });
        // Where the answer to its making was lost, this is the first time that anybody sees the group.
        if (plan.group) await setGroup(tx, actor.tenantId, run.setupId, plan.group.id);
        await record(tx, event(actor, run, plan.group?.id ?? null, 'setup.run-continued', weigh(plan.steps)));
      }));
    },

    /** Lets a run rest after the step in hand, on whatever replica it is. Asking twice is asking once. */
    async stopRun(actor: Actor, runId: string): Promise<Run> {
      await runs.interruptOrphans(actor.tenantId);
      const run = await findRun(db, actor.tenantId, runId);
      if (!run) throw new PortalError('not-found');
      const asked = await db.prisma.$transaction(async (tx) => {
        if (!(await askToStop(tx, actor.tenantId, runId, actor.name))) return false;
        await record(tx, {
          id: newId(), at: clock.now(), actor, type: 'setup.run-stop-asked', kind: 'portal-setup', result: 'other',
          group: { id: null, name: SetupDefinition.parse(run.definition).group.displayName }, data: { runId, setupId: run.setupId },
        });
        return true;
      });
      const now = await readRun(actor, runId);
      if (!asked && now.status !== 'running') throw new PortalError('conflict', { detail: 'The run rests already: there is nothing to stop.' });
      return now;
    },

    /** The run each time something in it changes, from its rows; ends when it rests, when `signal` says so, or when the portal stops. */
    async *watch(actor: Actor, runId: string, signal: AbortSignal): AsyncGenerator<Run, void> {
      const over = AbortSignal.any([signal, stopped.signal]);
      let seen: string | undefined;
      for (let look = 0; !over.aborted; look += 1) {
        // A worker that was killed cannot say so: every few seconds somebody asks.
        if (look % 10 === 0) await runs.interruptOrphans(actor.tenantId);
        const print = await fingerprintOf(db, actor.tenantId, runId);
        if (print !== seen) {
          seen = print;
          const run = await readRun(actor, runId);
          yield run;
          if (run.status !== 'running') return;
        }
        await pause(WATCH_EVERY_MS, over);
      }
    },

    interruptOrphans: (tenantId: string): Promise<void> => runs.interruptOrphans(tenantId),
    idle: (): Promise<void> => runs.idle(),

    /** Ends the watches at once, so that their requests do not hold up the stop of HTTP. */
    endWatches(): void {
      stopped.abort();
    },

    async stop(): Promise<void> {
      stopped.abort();
      await runs.stop();
    },
  };
}

type SetupRow = NonNullable<Awaited<ReturnType<typeof findSetup>>>;

function summaryOf(setup: SetupRow, last: { readonly id: string; readonly status: string; readonly createdAt: Date } | undefined) {
  const definition = SetupDefinition.parse(setup.definition);
  return {
    id: setup.id, name: setup.name, groupId: setup.groupId, applications: definition.applications.map((one) => one.displayName), eligibleCount: definition.eligible.length,
    createdBy: setup.createdBy, updatedAt: setup.updatedAt.toISOString(),
    lastRun: last ? { id: last.id, status: last.status as RunStatus, createdAt: last.createdAt.toISOString() } : null,
  };
}

function sameGroup(kept: SetupDefinition['group'], groupId: string | null, wish: SetupDefinition['group']): boolean {
  if (wish.kind === 'existing') return wish.groupId === (groupId ?? (kept.kind === 'existing' ? kept.groupId : undefined));
  return kept.kind === 'new' && kept.mailNickname.toLowerCase() === wish.mailNickname.toLowerCase();
}

const actsIrreversibly = (step: PlanStep): boolean => step.irreversible && (step.verdict === 'create' || step.verdict === 'change');

function refuseBlocked(steps: readonly PlanStep[]): void {
  const blocked = steps.find((step) => step.verdict === 'blocked');
  if (blocked) throw new PortalError('plan-blocked', { detail: `${blocked.title}: ${blocked.blocked?.reason ?? ''} ${blocked.blocked?.mend ?? ''}`.trim() });
}

function freshSteps(steps: readonly PlanStep[]): NewStep[] {
  return steps.map((plan, ordinal) => ({ ordinal, plan, status: 'pending', detail: null, startedAt: null, finishedAt: null }));
}

/** What was done stays as it was told; the rest is what the new plan says. */
function continuedSteps(before: Run, steps: readonly PlanStep[], at: Date): NewStep[] {
  const earlier = new Map(before.steps.map((step) => [step.plan.key, step]));
  return steps.map((plan, ordinal): NewStep => {
    const was = earlier.get(plan.key);
    if (plan.verdict !== 'nothing' || !was) return { ordinal, plan, status: 'pending', detail: null, startedAt: null, finishedAt: null };
    const startedAt = was.startedAt === null ? null : new Date(was.startedAt);
    if (was.status === 'done' || was.status === 'skipped') return { ordinal, plan: was.plan, status: was.status, detail: was.detail, startedAt, finishedAt: was.finishedAt === null ? null : new Date(was.finishedAt) };
    if (was.status === 'pending') return { ordinal, plan, status: 'pending', detail: null, startedAt: null, finishedAt: null };
    return { ordinal, plan: was.plan, status: 'done', detail: 'verified by reading back when the run was continued: it is so', startedAt, finishedAt: at };
  });
}

/** Waits, or less where it is over sooner. */
async function pause(ms: number, over: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      over.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    over.addEventListener('abort', done);
  });
}
