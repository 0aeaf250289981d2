import { GetSetupSchema, SetupDefinition, type Answer, type GetSetup, type GetSetupMatrix, type ListSetups, type Plan, type PlanStep, type PlanWarning, type PortalActivity, type Problem, type ReadSetupFile, type Run, type RunStatus, type SetupSource } from '@gatehouse/contracts';
import type { Tx } from '@gatehouse/db';
import type { Graph } from '@gatehouse/graph';
import type { Actor } from '../../core/actor.ts';
import { fieldError, PortalError } from '../../core/errors.ts';
import { record } from '../audit/audit.ts';
import { checkSetup } from './checks.rules.ts';
import type { Drift } from './drift.service.ts';
import { driftFigures } from './drift.store.ts';
import { createRestoring } from './restore.service.ts';
import { actsIrreversibly, changedPlan, digested, FRESH, freshSteps, NOTHING_BEFORE, refuseBlocked, refuseUnticked, type Planned } from './reviewed-plan.service.ts';
import { createRuns, type RunJob, type RunsDeps } from './runs.service.ts';
import { readSetupFile, SETUP_FILE_SCHEMA, writeSetupFile } from './setup-file.ts';
import { gatherFacts, gatherSurroundings, gatherUndoFacts, type Gathered } from './setup-facts.service.ts';
import { planSetup, type SetupFacts } from './setup.rules.ts';
import { nameSources, principalsOf, resolveSources } from './setup-source.service.ts';
import { sharedReads } from './shared-reads.service.ts';
import { askToStop, changeSetup, findRun, findSetup, fingerprintOf, insertRun, insertSetup, lastRuns, listSetups, resumeRun, retireSetup, runOf, runsOf, runUnderWay, runWithoutSteps, setGroup, standingSetups, stepsOf, undoOf, type NewRun, type NewStep, type RunRow, type RunUnderWay } from './setup.store.ts';
import { acts, canonical, weigh } from './steps.rules.ts';
import { definitionAfterUndo, planUndo, type AfterUndo, type Before, type MadeStep } from './undo.rules.ts';

export interface SetupDeps extends RunsDeps {
  /** Where the portal is reached, for the address of the schema. */
  readonly publicUrl: string;
  /** Graph on the person's own token; may throw `GraphError('not-signed-in' | 'step-up-needed')`. */
  readonly graphFor: (actor: Actor, scopes: 'setup') => Graph;
  /** The same for a run, which nobody waits behind: each of its calls may take its time. */
  readonly graphForRun: (actor: Actor) => Graph;
  readonly drift: Pick<Drift, 'lookNow'>;
}

export interface Application {
  readonly definition: SetupDefinition;
  readonly digest: string;
  readonly irreversibleUnderstood: boolean;
}

/** The same of a setup that is there, as it stood then: one that was changed since is refused. */
export interface ChangedApplication extends Application {
  readonly unchangedSince: Date;
}

/** What else is kept in the transaction that begins a run. */
export type Alongside = (tx: Tx, run: { readonly runId: string; readonly setupId: string }) => Promise<void>;

export type Setups = ReturnType<typeof createSetups>;

/** Between two looks at the rows of a run that somebody watches; any replica can serve it. */
const WATCH_EVERY_MS = 300;

export function createSetups(deps: SetupDeps) {
  const { db, clock, newId, graphFor, graphForRun, publicUrl, drift } = deps;
  const runs = createRuns(deps);
  const stopped = new AbortController();

  async function planned(graph: Graph, definition: SetupDefinition, earlier?: SetupFacts['earlier'], known?: ReadonlyMap<string, string>): Promise<Gathered & Planned> {
    const gathered = await gatherFacts(graph, definition, earlier, known);
    return { ...gathered, ...digested(definition, planSetup(definition, gathered.facts)), before: NOTHING_BEFORE };
  }

  /** The plan with what is worth knowing beside it, for a person to look at. */
  async function reviewable(actor: Actor, graph: Graph, definition: SetupDefinition, plan: Gathered & Planned): Promise<Plan> {
    const around = await gatherSurroundings(graph, plan.group, actor.principalId);
    return shown(plan, checkSetup(definition, plan.facts, around, new Set(plan.steps.filter(acts).map(({ kind }) => kind))));
  }

  const shown = ({ digest, steps }: Planned, { warnings, checked }: { readonly warnings: readonly PlanWarning[]; readonly checked: readonly string[] }): Plan => ({
    digest, readAt: clock.now().toISOString(), steps: [...steps], warnings: [...warnings], checked: [...checked], ...weigh(steps),
  });

  /** The plan as it is now, if it is the one that was reviewed and nothing speaks against it. */
  async function reviewed(actor: Actor, graph: Graph, { definition, digest, irreversibleUnderstood }: Application) {
    const plan = await planned(graph, definition);
    if (plan.digest !== digest) throw changedPlan(await reviewable(actor, graph, definition, plan));
    refuseBlocked(plan.steps);
    refuseUnticked(plan.steps, irreversibleUnderstood);
    return plan;
  }

  const newRun = (actor: Actor, setupId: string, { definition, digest }: Pick<Application, 'definition' | 'digest'>, of: { readonly undoes?: string; readonly restores?: readonly string[] } = {}): NewRun => ({
    tenantId: actor.tenantId, id: newId(), setupId, definition, digest, actorId: actor.principalId, actorName: actor.name, createdAt: clock.now(), worker: runs.worker, undoes: of.undoes ?? null, restores: [...of.restores ?? []],
  });

  /** Whoever comes second is told who was first, and since when. */
  async function refuseIfUnderWay(actor: Actor, where: Parameters<typeof runUnderWay>[2]): Promise<void> {
    const run = await runUnderWay(db, actor.tenantId, where);
    if (run) throw underWay(run);
  }

  /** Claims the run, writes its rows with `write`, and starts it; a run without rows is let go of. */
  async function begin(actor: Actor, run: NewRun, steps: readonly NewStep[], plan: Pick<Gathered, 'group' | 'applications'> & Pick<Planned, 'before'>, more: Pick<RunJob, 'onFinished'> & { readonly begunBefore?: (key: string) => boolean }, write: (tx: Tx) => Promise<void>): Promise<Run> {
    await runs.claim(run.id);
    try {
      await db.prisma.$transaction(write);
    } catch (error) {
      await runs.release(run.id);
      if (error instanceof PortalError && (['run-in-progress', 'undo-refused', 'conflict'].includes(error.code))) {
        await refuseIfUnderWay(actor, { setupId: run.setupId });
        await refuseIfUnderWay(actor, { group: run.definition.group });
      }
      throw error;
    }
    const { begunBefore = () => false, onFinished } = more;
    runs.start({
      actor, run, definition: run.definition, steps, undoes: run.undoes, restores: run.restores, ...(onFinished && { onFinished }),
      context: { graph: graphForRun(actor), group: plan.group, applications: new Map(plan.applications), begunBefore, before: plan.before },
    });
    return readRun(actor, run.id);
  }

  /** What it takes to take a run back, as the tenant stands now. */
  async function plannedUndo(graph: Graph, undone: NonNullable<RunRow>, groupId: string | null) {
    const definition = SetupDefinition.parse(undone.definition);
    const made = (await stepsOf(db, undone.tenantId, undone.id))
      .filter((step) => ['done', 'running', 'waiting', 'failed'].includes(step.status) && acts(step.plan as PlanStep))
      .map((step): MadeStep => ({ plan: step.plan as PlanStep, before: step.before as Before | null }));
    const gathered = await gatherUndoFacts(graph, definition, groupId, (key) => made.some(({ plan }) => plan.key === key));
    const { steps, warnings } = planUndo(definition, made, gathered.facts, clock.now());
    const after = await afterUndo(undone);
    const lost = (after?.lost ?? []).map((sentence) => ({ code: 'change-lost', message: sentence, mend: 'What stands in the tenant stays: the watch tells of it, and it can be taken into the setup again.' }));
    return { ...gathered, ...digested(definition, steps), definition, warnings: [...warnings, ...lost], before: new Map(made.flatMap(({ plan, before }) => (before ? [[plan.key, before] as const] : []))) };
  }

  /** The run, if it can be taken back: each once, the latest first. */
  async function undoable(actor: Actor, runId: string) {
    await runs.interruptOrphans(actor.tenantId);
    const run = await findRun(db, actor.tenantId, runId);
    const setup = run && await findSetup(db, actor.tenantId, run.setupId);
    if (!run || !setup) throw new PortalError('not-found');
    await refuseIfUnderWay(actor, { setupId: run.setupId });
    if (run.undoes !== null) throw new PortalError('undo-refused', { detail: 'It took another one back. To have that again, apply the setup again.' });
    if (run.restores.length > 0) throw new PortalError('undo-refused', { detail: 'It restored what the setup says. To have it otherwise, change the setup.' });
    const all = await runsOf(db, actor.tenantId, run.setupId);
    const undone = new Map(all.flatMap((one) => (one.undoes === null ? [] : [[one.undoes, one] as const])));
    const by = undone.get(runId);
    if (by) throw new PortalError('undo-refused', { detail: 'It is taken back already, or about to be.', run: inTheWay(by) });
    const newest = all.find(({ id, undoes, restores }) => undoes === null && restores.length === 0 && !undone.has(id));
    if (newest && newest.id !== runId) throw new PortalError('undo-refused', { detail: 'A later run of this setup stands. Undo that one first.', run: inTheWay(newest) });
    return { run, setup };
  }

  /** What the setup says when the run is taken back; `undefined` where no run before it stands. */
  async function afterUndo(undone: NonNullable<RunRow>): Promise<AfterUndo & { readonly unchangedSince: Date } | undefined> {
    const [all, setup, steps] = await Promise.all([runsOf(db, undone.tenantId, undone.setupId), findSetup(db, undone.tenantId, undone.setupId), stepsOf(db, undone.tenantId, undone.id)]);
    const taken = new Set(all.flatMap(({ undoes }) => undoes ?? []));
    const earlier = all.find(({ id, undoes, restores, status, createdAt }) => undoes === null && restores.length === 0 && !taken.has(id) && status === 'succeeded' && createdAt < undone.createdAt);
    if (!earlier || !setup) return undefined;
    const made = steps.filter(({ status }) => status !== 'pending' && status !== 'skipped').map(({ plan }) => plan as PlanStep).filter(acts);
    return { ...definitionAfterUndo({ earlier: SetupDefinition.parse(earlier.definition), undone: SetupDefinition.parse(undone.definition), now: SetupDefinition.parse(setup.definition), made }), unchangedSince: setup.updatedAt };
  }

  /** What is so when a run is taken back: the setup is what the run before it made of it and what was taken into it since, or there is none. */
  async function settleUndo(tx: Tx, run: NewRun, undone: NonNullable<RunRow>, steps: readonly PlanStep[], at: Date): Promise<void> {
    const after = await afterUndo(undone);
    // Nobody else changes the setup while the run is under way.
    if (after) await changeSetup(tx, run.tenantId, run.setupId, after.definition, { at, unchangedSince: after.unchangedSince });
    else await retireSetup(tx, run.tenantId, run.setupId, steps.some((step) => step.kind === 'delete-group' && acts(step)), at);
  }

  async function readRun(actor: Actor, runId: string): Promise<Run> {
    const run = await findRun(db, actor.tenantId, runId);
    const setup = run && await findSetup(db, actor.tenantId, run.setupId);
    if (!run || !setup) throw new PortalError('not-found');
    const [steps, undo] = await Promise.all([stepsOf(db, actor.tenantId, runId), undoOf(db, actor.tenantId, runId)]);
    return runOf(run, setup.name, undo?.id, steps);
  }

  const event = (actor: Actor, run: NewRun, groupId: string | null, type: PortalActivity, data: Record<string, unknown>) => ({
    id: newId(), at: clock.now(), actor, type, kind: 'portal-setup' as const, result: 'other' as const,
    group: { id: groupId, name: run.definition.group.displayName }, data: { runId: run.id, setupId: run.setupId, digest: run.digest, ...data },
  });

  const restoring = createRestoring({
    clock, drift, graphFor, interruptOrphans: runs.interruptOrphans, refuseIfUnderWay, shown, event,
    planWhole: (graph, definition, known) => planned(graph, definition, undefined, known),
    newRun: (actor, setupId, { restores, ...of }) => newRun(actor, setupId, of, { restores }),
    begin: (actor, run, steps, plan, write) => begin(actor, run, steps, plan, {}, write),
  });

  return {
    async list(actor: Actor): Promise<Answer<typeof ListSetups>> {
      await runs.interruptOrphans(actor.tenantId);
      const [setups, last, figures] = await Promise.all([listSetups(db, actor.tenantId), lastRuns(db, actor.tenantId), driftFigures(db, actor.tenantId)]);
      const lastOf = new Map(last.map((run) => [run.setupId, run]));
      return { setups: setups.map((setup) => summaryOf(setup, lastOf.get(setup.id), figures.get(setup.id))) };
    },

    async get(actor: Actor, setupId: string): Promise<Answer<typeof GetSetup>> {
      await runs.interruptOrphans(actor.tenantId);
      const setup = await findSetup(db, actor.tenantId, setupId);
      if (!setup) throw new PortalError('not-found');
      const [rows, figures] = await Promise.all([runsOf(db, actor.tenantId, setupId), driftFigures(db, actor.tenantId, setupId)]);
      const undoneBy = new Map(rows.flatMap(({ id, undoes }) => (undoes === null ? [] : [[undoes, id] as const])));
      return { ...summaryOf(setup, rows[0], figures.get(setupId)), definition: SetupDefinition.parse(setup.definition), runs: rows.map((row) => runWithoutSteps(row, setup.name, undoneBy.get(row.id))) };
    },

    /** The setup as a file, by the name of its group. */
    async file(actor: Actor, setupId: string, format: 'yaml' | 'json'): Promise<{ readonly fileName: string; readonly text: string }> {
      const setup = await findSetup(db, actor.tenantId, setupId);
      if (!setup) throw new PortalError('not-found');
      const text = writeSetupFile(SetupDefinition.parse(setup.definition), format, `${publicUrl}${GetSetupSchema.path}`);
      return { fileName: `${setup.name.replaceAll(/[^\w.-]+/g, '-').slice(0, 100)}.${format}`, text };
    },

    /** What the file says, for the wizard to go on with; nothing is kept. */
    async readFile(actor: Actor, text: string): Promise<Answer<typeof ReadSetupFile>> {
      const read = readSetupFile(text);
      const [whole] = 'source' in read ? await resolveSources(graphFor(actor, 'setup'), [read.source]) : [];
      if (whole && 'definition' in whole) return whole;
      const mistakes = 'mistakes' in read ? read.mistakes : read.mistakesOf(whole?.issues ?? []);
      const issues = mistakes.map(({ line, message }) => ({ path: `line ${line}`, message: `Line ${line}: ${message}` }));
      throw new PortalError('invalid-request', { detail: 'The file is not a setup as it stands. Mend it and open it again; nothing was taken from it.', issues });
    },

    fileSchema: (): Record<string, unknown> => SETUP_FILE_SCHEMA,

    async plan(actor: Actor, definition: SetupDefinition): Promise<Plan> {
      const graph = graphFor(actor, 'setup');
      return reviewable(actor, graph, definition, await planned(graph, definition));
    },

    /** For plans of many setups on one token: each is read with the others that are asked for in one turn, and what they have in common once. */
    planner(actor: Actor, definitions: readonly SetupDefinition[]): (definition: SetupDefinition) => Promise<Plan> {
      const graph = sharedReads(graphForRun(actor), principalsOf(definitions));
      return async (definition) => reviewable(actor, graph, definition, await planned(graph, definition));
    },

    /** Makes setups whole that name what they are of. */
    resolve: (actor: Actor, sources: readonly SetupSource[]) => resolveSources(graphForRun(actor), sources),

    /** The setups that stand, with what each is to be and the group it is tied to. */
    async standing(actor: Actor): Promise<readonly { readonly id: string; readonly groupId: string | null; readonly definition: SetupDefinition }[]> {
      return (await standingSetups(db, actor.tenantId)).map(({ id, groupId, definition }) => ({ id, groupId, definition: SetupDefinition.parse(definition) }));
    },

    /** The settings of every setup that stands, side by side. */
    async matrix(actor: Actor): Promise<Answer<typeof GetSetupMatrix>> {
      const figures = await driftFigures(db, actor.tenantId);
      return {
        setups: (await standingSetups(db, actor.tenantId)).map(({ id, name, definition: kept }) => {
          const { applications, roleSettings, ownerRoleSettings } = SetupDefinition.parse(kept);
          return { id, name, applications: applications.map(({ displayName }) => displayName), roleSettings, ownerRoleSettings, differs: figures.get(id)?.settingsDiffer ?? null };
        }),
      };
    },

    /** All setups that stand, by names, in an order that stays the same as long as they do, and in another tenant of the same names. */
    async named(actor: Actor): Promise<readonly SetupSource[]> {
      const sources = await nameSources(graphFor(actor, 'setup'), (await standingSetups(db, actor.tenantId)).map(({ definition }) => SetupDefinition.parse(definition)));
      return sources.map((source) => ({ source, place: canonical(source.group) })).sort((one, other) => (one.place < other.place ? -1 : 1)).map(({ source }) => source);
    },

    /** Waits until a run that this process works on rests. */
    atRest: (runId: string): Promise<void> => runs.atRest(runId),

    /** Keeps a setup and begins to apply its reviewed plan; answers before anything is done. */
    async create(actor: Actor, wish: Application, alongside: Alongside = async () => {}): Promise<Run> {
      await runs.interruptOrphans(actor.tenantId);
      await refuseIfUnderWay(actor, { group: wish.definition.group });
      const plan = await reviewed(actor, graphFor(actor, 'setup'), wish);
      const run = newRun(actor, newId(), wish);
      const steps = freshSteps(plan.steps);
      return begin(actor, run, steps, plan, {}, async (tx) => {
        await insertSetup(tx, { tenantId: actor.tenantId, id: run.setupId, definition: wish.definition, groupId: plan.group?.id ?? null, createdById: actor.principalId, createdBy: actor.name, at: run.createdAt });
        await insertRun(tx, run, steps);
        await alongside(tx, { runId: run.id, setupId: run.setupId });
        await record(tx, event(actor, run, plan.group?.id ?? null, 'setup.run-started', { created: true, ...weigh(plan.steps) }));
      });
    },

    /** Changes a setup and begins to apply its reviewed plan. */
    async apply(actor: Actor, setupId: string, wish: ChangedApplication, alongside: Alongside = async () => {}): Promise<Run> {
      await runs.interruptOrphans(actor.tenantId);
      const setup = await findSetup(db, actor.tenantId, setupId);
      if (!setup) throw new PortalError('not-found');
      if (!sameGroup(SetupDefinition.parse(setup.definition).group, setup.groupId, wish.definition.group)) {
        throw fieldError('invalid-request', 'body.definition.group', 'A setup keeps its group. For another group, make another setup');
      }
      await refuseIfUnderWay(actor, { setupId });
      // What the transaction decides is said before the tenant is read for nothing.
      if (setup.updatedAt > wish.unchangedSince) throw changedSetup();
      const plan = await reviewed(actor, graphFor(actor, 'setup'), wish);
      const run = newRun(actor, setupId, wish);
      const steps = freshSteps(plan.steps);
      return begin(actor, run, steps, plan, {}, async (tx) => {
        await insertRun(tx, run, steps);
        if (!(await changeSetup(tx, actor.tenantId, setupId, wish.definition, { at: run.createdAt, unchangedSince: wish.unchangedSince }))) throw changedSetup();
        if (plan.group) await setGroup(tx, actor.tenantId, setupId, plan.group.id);
        await alongside(tx, { runId: run.id, setupId });
        await record(tx, event(actor, run, plan.group?.id ?? setup.groupId, 'setup.run-started', { created: false, ...weigh(plan.steps) }));
      });
    },

    /** What it takes to take back what a run made. */
    async planUndo(actor: Actor, runId: string): Promise<Plan> {
      const { run, setup } = await undoable(actor, runId);
      const plan = await plannedUndo(graphFor(actor, 'setup'), run, setup.groupId);
      return shown(plan, { warnings: plan.warnings, checked: [] });
    },

    /** Begins to take back what a run made, by the reviewed plan. */
    async undo(actor: Actor, runId: string, { digest, irreversibleUnderstood }: Omit<Application, 'definition'>): Promise<Run> {
      const { run: undone, setup } = await undoable(actor, runId);
      const plan = await plannedUndo(graphFor(actor, 'setup'), undone, setup.groupId);
      if (plan.digest !== digest) throw changedPlan(shown(plan, { warnings: plan.warnings, checked: [] }));
      refuseUnticked(plan.steps, irreversibleUnderstood);
      const run = newRun(actor, undone.setupId, { definition: plan.definition, digest }, { undoes: runId });
      const steps = freshSteps(plan.steps);
      return begin(actor, run, steps, plan, { onFinished: (tx, at) => settleUndo(tx, run, undone, plan.steps, at) }, async (tx) => {
        await insertRun(tx, run, steps);
        await record(tx, event(actor, run, plan.group?.id ?? null, 'setup.undo-started', { undoes: runId, ...weigh(plan.steps) }));
      });
    },

    planRestore: restoring.plan,
    restore: restoring.start,

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
      await refuseIfUnderWay(actor, { setupId: standing.setupId });
      if (standing.status === 'succeeded') throw new PortalError('conflict', { detail: 'The run is finished: there is nothing to continue.' });
      const [newest] = await runsOf(db, actor.tenantId, standing.setupId);
      if (newest && newest.id !== runId) throw new PortalError('conflict', { detail: 'A later run of this setup exists. Continue that one.' });

      const rows = await stepsOf(db, actor.tenantId, runId);
      const before = await readRun(actor, runId);
      const earlier = new Map(before.steps.map((step) => [step.plan.key, step.status === 'done' || step.status === 'skipped' ? 'done' as const : step.status === 'pending' ? 'pending' as const : 'begun' as const]));
      const graph = graphFor(actor, 'setup');
      const undone = standing.undoes === null ? undefined : await findRun(db, actor.tenantId, standing.undoes) ?? undefined;
      const setup = await findSetup(db, actor.tenantId, standing.setupId);
      // What was taken into the setup since is not taken back by finishing what was begun before.
      if (!undone && standing.restores.length === 0 && setup && canonical(setup.definition) !== canonical(standing.definition)) throw new PortalError('plan-changed', { detail: 'The setup itself was changed since this run began. Open the setup and apply it as it is now.' });
      const plan = undone ? await plannedUndo(graph, undone, setup?.groupId ?? null)
        : standing.restores.length > 0 ? await restoring.planned(actor, graph, standing.setupId, standing.restores)
        : await planned(graph, SetupDefinition.parse(standing.definition), earlier);
      refuseBlocked(plan.steps);
      const reviewedSteps = new Map(before.steps.map((step) => [step.plan.key, step.plan]));
      if (plan.steps.some((step) => actsIrreversibly(step) && reviewedSteps.get(step.key)?.verdict === 'nothing')) {
        throw new PortalError('plan-changed', { detail: 'The run would now do something that cannot be undone and that was not in its plan. Look at the plan again and apply that.' });
      }

      const at = clock.now();
      const stood = new Map(rows.flatMap((row) => (row.before === null ? [] : [[(row.plan as PlanStep).key, row.before as Before] as const])));
      const steps = continuedSteps(before, plan.steps, stood, at);
      // What a restore puts back is what the setup says by now.
      const definition = 'definition' in plan ? plan.definition : SetupDefinition.parse(standing.definition);
      const run: NewRun = { tenantId: actor.tenantId, id: runId, setupId: standing.setupId, definition, digest: plan.digest, actorId: actor.principalId, actorName: actor.name, createdAt: standing.createdAt, worker: runs.worker, undoes: standing.undoes, restores: standing.restores };
      const more = { begunBefore: (key: string) => earlier.get(key) === 'begun', ...(undone && { onFinished: (tx: Tx, when: Date) => settleUndo(tx, run, undone, [...before.steps.map((step) => step.plan), ...plan.steps], when) }) };
      return begin(actor, run, steps, plan, more, async (tx) => {
        if (!(await resumeRun(tx, run, steps))) throw new PortalError('run-in-progress');
        // Where the answer to its making was lost, this is the first time that anybody sees the group.
        if (plan.group && !undone) await setGroup(tx, actor.tenantId, run.setupId, plan.group.id);
        await record(tx, event(actor, run, plan.group?.id ?? null, 'setup.run-continued', weigh(plan.steps)));
      });
    },

    /** Lets a run rest after the steps in hand, on whatever replica it is. Asking twice is asking once. */
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

type DriftFigures = NonNullable<ReturnType<Awaited<ReturnType<typeof driftFigures>>['get']>>;
type SetupRow = NonNullable<Awaited<ReturnType<typeof findSetup>>>;

function summaryOf(setup: SetupRow, last: { readonly id: string; readonly status: string; readonly createdAt: Date } | undefined, figures: DriftFigures | undefined) {
  const definition = SetupDefinition.parse(setup.definition);
  return {
    id: setup.id, name: setup.name, groupId: setup.groupId, applications: definition.applications.map((one) => one.displayName), eligibleCount: definition.eligible.length,
    createdBy: setup.createdBy, updatedAt: setup.updatedAt.toISOString(), retiredAt: setup.retiredAt?.toISOString() ?? null,
    drift: figures && setup.retiredAt === null ? { lookedAt: figures.lookedAt, differences: figures.differences, bypasses: figures.bypasses, notSeen: [...figures.notSeen], failure: figures.failure } : null,
    lastRun: last ? { id: last.id, status: last.status as RunStatus, createdAt: last.createdAt.toISOString() } : null,
  };
}

const changedSetup = (): PortalError => new PortalError('conflict', { detail: 'The setup itself was changed since this was planned. Nothing was done. Look at what it says now, and plan the change again from there.' });

function sameGroup(kept: SetupDefinition['group'], groupId: string | null, wish: SetupDefinition['group']): boolean {
  if (wish.kind === 'existing') return wish.groupId === (groupId ?? (kept.kind === 'existing' ? kept.groupId : undefined));
  return kept.kind === 'new' && kept.mailNickname.toLowerCase() === wish.mailNickname.toLowerCase();
}

function inTheWay({ id, setupId, actorName, createdAt }: NonNullable<RunRow>): NonNullable<Problem['run']> {
  return { id, setupId, actorName, startedAt: createdAt.toISOString() };
}

function underWay(run: RunUnderWay): PortalError {
  return new PortalError('run-in-progress', { detail: `${run.actorName} is at it since ${run.startedAt.slice(0, 16).replace('T', ' ')} UTC. Nothing of yours was begun. Follow that run, and look again when it rests.`, run });
}

/** What was done stays as it was told; the rest is what the new plan says. How the tenant stood before is kept with either. */
function continuedSteps(standing: Run, steps: readonly PlanStep[], stood: ReadonlyMap<string, Before>, at: Date): NewStep[] {
  const earlier = new Map(standing.steps.map((step) => [step.plan.key, step]));
  const kept = standing.steps.filter(({ plan, status }) => !steps.some(({ key }) => key === plan.key) && status !== 'pending').map(({ plan }) => ({ ...plan, verdict: 'nothing' as const }));
  return [...kept, ...steps].map((plan, ordinal): NewStep => {
    const was = earlier.get(plan.key);
    const before = stood.get(plan.key) ?? null;
    if (acts(plan) || !was || was.status === 'pending') return { ordinal, plan, ...FRESH, before };
    const startedAt = was.startedAt === null ? null : new Date(was.startedAt);
    if (was.status === 'done' || was.status === 'skipped') return { ordinal, plan: was.plan, status: was.status, detail: was.detail, before, startedAt, finishedAt: was.finishedAt === null ? null : new Date(was.finishedAt) };
    return { ordinal, plan: was.plan, status: 'done', detail: 'verified by reading back when the run was continued: it is so', before, startedAt, finishedAt: at };
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
