import type { PlanStep, Run, RunStatus, RunStep, SetupDefinition, StepStatus } from '@gatehouse/contracts';
import { violates, type Database, type Tx } from '@gatehouse/db';
import { PortalError } from '../../core/errors.ts';
import type { Before } from './undo.rules.ts';

/** Setups, runs and steps as rows. */

/** A run that is under way, as somebody who comes second is told of it. */
export interface RunUnderWay {
  readonly id: string;
  readonly setupId: string;
  readonly actorName: string;
  readonly startedAt: string;
}

export interface NewStep {
  readonly ordinal: number;
  readonly plan: PlanStep;
  readonly status: StepStatus;
  readonly detail: string | null;
  /** How the tenant stood before, where taking the step back needs it. */
  readonly before: Before | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface NewRun {
  readonly tenantId: string;
  readonly id: string;
  readonly setupId: string;
  readonly digest: string;
  readonly definition: SetupDefinition;
  readonly actorId: string;
  readonly actorName: string;
  readonly createdAt: Date;
  readonly worker: string;
  /** The run that this one takes back. */
  readonly undoes: string | null;
  /** Keys of the differences that it puts back. */
  readonly restores: string[];
}

export type SetupRow = Awaited<ReturnType<typeof findSetup>>;
export type RunRow = Awaited<ReturnType<typeof findRun>>;

const UNDER_A_SETUP = 'This group is under a setup already. Open that setup and apply it again.';

/**
 * Keeps a setup. Until Entra has made a new group its id cannot tell two setups apart, so that the nickname does, and
 * whoever asks for the same one waits for the other's transaction.
 */
export async function insertSetup(
  tx: Tx,
  row: { readonly tenantId: string; readonly id: string; readonly definition: SetupDefinition; readonly groupId: string | null; readonly createdById: string; readonly createdBy: string; readonly at: Date },
): Promise<void> {
  const { group } = row.definition;
  if (group.kind === 'new') {
    const nickname = group.mailNickname.toLowerCase();
    await tx.$queryRaw`SELECT true FROM (SELECT pg_advisory_xact_lock(hashtextextended(${`setup:${row.tenantId}:${nickname}`}, 0))) AS held`;
    const [other] = await tx.$queryRaw<unknown[]>`
      SELECT 1 FROM setup WHERE tenant_id = ${row.tenantId}::uuid AND definition->'group'->>'kind' = 'new' AND lower(definition->'group'->>'mailNickname') = ${nickname} AND retired_at IS NULL LIMIT 1`;
    if (other !== undefined) throw new PortalError('conflict', { detail: UNDER_A_SETUP });
  }
  try {
    await tx.setup.create({
      data: {
        tenantId: row.tenantId, id: row.id, name: group.displayName, definition: row.definition, groupId: row.groupId,
        createdById: row.createdById, createdBy: row.createdBy, createdAt: row.at, updatedAt: row.at,
      },
    });
  } catch (error) {
    if (violates(error, 'setup_one_per_group')) throw new PortalError('conflict', { detail: UNDER_A_SETUP });
    throw error;
  }
}

/**
 * Changes what a setup is to be; one that was taken back is there again. `false`: it was changed since, and stays as it is.
 * Each change has a later time than the one before, whatever the clocks say: it tells them apart.
 */
export async function changeSetup(tx: Tx, tenantId: string, id: string, definition: SetupDefinition, { at, unchangedSince }: { readonly at: Date; readonly unchangedSince: Date }): Promise<boolean> {
  try {
    return 1 === await tx.$executeRaw`
      UPDATE setup SET definition = ${JSON.stringify(definition)}::jsonb, name = ${definition.group.displayName}, retired_at = NULL, updated_at = greatest(${at}::timestamptz, updated_at + interval '1 millisecond')
       WHERE tenant_id = ${tenantId}::uuid AND id = ${id}::uuid AND updated_at <= ${unchangedSince}::timestamptz`;
  } catch (error) {
    if (violates(error, 'setup_one_per_group')) throw new PortalError('conflict', { detail: UNDER_A_SETUP });
    throw error;
  }
}

/** Keeps that an undo took back all of a setup. Its group is nobody's then; one that was deleted with it is forgotten. */
export async function retireSetup(tx: Tx, tenantId: string, id: string, groupIsGone: boolean, at: Date): Promise<void> {
  await tx.$executeRaw`
    UPDATE setup SET retired_at = ${at}::timestamptz, updated_at = greatest(${at}::timestamptz, updated_at + interval '1 millisecond'), group_id = CASE WHEN ${groupIsGone} THEN NULL ELSE group_id END
     WHERE tenant_id = ${tenantId}::uuid AND id = ${id}::uuid`;
}

/** Ties a setup to the group that its run made. */
export async function setGroup(tx: Tx, tenantId: string, id: string, groupId: string): Promise<void> {
  try {
    await tx.setup.update({ where: { tenantId_id: { tenantId, id } }, data: { groupId } });
  } catch (error) {
    if (violates(error, 'setup_one_per_group')) throw new PortalError('conflict', { detail: UNDER_A_SETUP });
    throw error;
  }
}

export async function findSetup(db: Database, tenantId: string, id: string) {
  return db.prisma.setup.findUnique({ where: { tenantId_id: { tenantId, id } } });
}

export async function listSetups(db: Database, tenantId: string) {
  return db.prisma.setup.findMany({ where: { tenantId }, orderBy: [{ updatedAt: 'desc' }, { id: 'asc' }], take: 1000 });
}

/** Those whose all no undo took back. */
export async function standingSetups(db: Database, tenantId: string) {
  return db.prisma.setup.findMany({ where: { tenantId, retiredAt: null }, orderBy: [{ name: 'asc' }, { id: 'asc' }] });
}

/** The newest run of each setup. */
export async function lastRuns(db: Database, tenantId: string): Promise<{ id: string; setupId: string; status: string; createdAt: Date }[]> {
  const { rows } = await db.pool.query<{ id: string; setupId: string; status: string; createdAt: Date }>(
    `SELECT DISTINCT ON (setup_id) id, setup_id AS "setupId", status, created_at AS "createdAt"
       FROM setup_run WHERE tenant_id = $1 ORDER BY setup_id, created_at DESC`, [tenantId]);
  return rows;
}

export async function runsOf(db: Database, tenantId: string, setupId: string) {
  return db.prisma.setupRun.findMany({ where: { tenantId, setupId }, orderBy: { createdAt: 'desc' }, take: 100 });
}

/** Begins a run. The database refuses a second one of the same setup while one is running. */
export async function insertRun(tx: Tx, run: NewRun, steps: readonly NewStep[]): Promise<void> {
  try {
    await tx.setupRun.create({ data: { ...run, status: 'running' } });
  } catch (error) {
    if (violates(error, 'setup_run_one_undo')) throw new PortalError('undo-refused', { detail: 'It is taken back already, or about to be.' });
    throw oneRunning(error);
  }
  await insertSteps(tx, run.tenantId, run.id, steps);
}

async function insertSteps(tx: Tx, tenantId: string, runId: string, steps: readonly NewStep[]): Promise<void> {
  await tx.setupStep.createMany({ data: steps.map(({ before, ...step }) => ({ tenantId, runId, ...step, kind: step.plan.kind, ...(before !== null && { before: before as object }) })) });
}

/** Takes up a run that rests; `false` where somebody else did already. */
export async function resumeRun(tx: Tx, run: { readonly tenantId: string; readonly id: string; readonly digest: string; readonly actorId: string; readonly actorName: string; readonly worker: string }, steps: readonly NewStep[]): Promise<boolean> {
  const { tenantId, id, ...data } = run;
  try {
    const { count } = await tx.setupRun.updateMany({ where: { tenantId, id, status: { in: ['failed', 'interrupted', 'stopped'] } }, data: { ...data, status: 'running', finishedAt: null, stopAskedBy: null } });
    if (count === 0) return false;
  } catch (error) {
    throw oneRunning(error);
  }
  await tx.setupStep.deleteMany({ where: { tenantId, runId: id } });
  await insertSteps(tx, tenantId, id, steps);
  return true;
}

/** The run of a setup that is under way, if there is one: who is at it, since when. */
export async function runUnderWay(db: Database, tenantId: string, where: { readonly setupId: string } | { readonly group: SetupDefinition['group'] }): Promise<RunUnderWay | undefined> {
  const { rows } = await db.pool.query<{ id: string; setupId: string; actorName: string; createdAt: Date }>(
    `SELECT r.id, r.setup_id AS "setupId", r.actor_name AS "actorName", r.created_at AS "createdAt" FROM setup_run r JOIN setup s ON s.tenant_id = r.tenant_id AND s.id = r.setup_id
      WHERE r.tenant_id = $1 AND r.status = 'running' AND s.retired_at IS NULL AND (s.id = $2 OR s.group_id = $3 OR (s.definition->'group'->>'kind' = 'new' AND lower(s.definition->'group'->>'mailNickname') = $4)) LIMIT 1`,
    'setupId' in where ? [tenantId, where.setupId, null, null] : [tenantId, null, where.group.kind === 'existing' ? where.group.groupId : null, where.group.kind === 'new' ? where.group.mailNickname.toLowerCase() : null]);
  const [run] = rows;
  return run && { id: run.id, setupId: run.setupId, actorName: run.actorName, startedAt: run.createdAt.toISOString() };
}

function oneRunning(error: unknown): unknown {
  return violates(error, 'setup_run_one_running') ? new PortalError('run-in-progress') : error;
}

export async function findRun(db: Database, tenantId: string, id: string) {
  return db.prisma.setupRun.findUnique({ where: { tenantId_id: { tenantId, id } } });
}

export async function stepsOf(db: Database, tenantId: string, runId: string) {
  return db.prisma.setupStep.findMany({ where: { tenantId, runId }, orderBy: { ordinal: 'asc' } });
}

/** Changes as soon as anything in the run does. */
export async function fingerprintOf(db: Database, tenantId: string, runId: string): Promise<string> {
  const { rows } = await db.pool.query<{ print: string }>(
    `SELECT r.status || ':' || coalesce(r.stop_asked_by, '') || ':' || coalesce(md5(string_agg(s.ordinal || s.status || coalesce(s.detail, ''), ',' ORDER BY s.ordinal)), '') AS print
       FROM setup_run r LEFT JOIN setup_step s ON s.tenant_id = r.tenant_id AND s.run_id = r.id
      WHERE r.tenant_id = $1 AND r.id = $2 GROUP BY r.status, r.stop_asked_by`, [tenantId, runId]);
  return rows[0]?.print ?? '';
}

export type StepChange = Partial<Pick<NewStep, 'status' | 'detail' | 'startedAt' | 'finishedAt'>> & { readonly before?: Before };

/** Moves steps of a run that this worker still has; `false` where the run was taken from it. */
export async function moveSteps(tx: Tx, run: Pick<NewRun, 'tenantId' | 'id' | 'worker'>, ordinals: readonly number[], { before, ...change }: StepChange): Promise<boolean> {
  if (!(await stillOurs(tx, run))) return false;
  await tx.setupStep.updateMany({ where: { tenantId: run.tenantId, runId: run.id, ordinal: { in: [...ordinals] } }, data: { ...change, ...(before && { before: before as object }) } });
  return true;
}

/** The run that takes this one back. */
export async function undoOf(db: Database, tenantId: string, runId: string) {
  return db.prisma.setupRun.findFirst({ where: { tenantId, undoes: runId } });
}

/** Ends a run; once, and only by the worker that has it. */
export async function endRun(tx: Tx, run: Pick<NewRun, 'tenantId' | 'id' | 'worker'>, status: Exclude<RunStatus, 'running'>, at: Date): Promise<boolean> {
  const { count } = await tx.setupRun.updateMany({ where: { tenantId: run.tenantId, id: run.id, worker: run.worker, status: 'running' }, data: { status, finishedAt: at } });
  return count === 1;
}

/** Asks a run to rest after the step in hand; `false` where it rests already. Who asked first is kept. */
export async function askToStop(tx: Tx, tenantId: string, id: string, by: string): Promise<boolean> {
  const { count } = await tx.setupRun.updateMany({ where: { tenantId, id, status: 'running', stopAskedBy: null }, data: { stopAskedBy: by } });
  return count === 1;
}

/** Who asked the run to rest, if anybody did. */
export async function stopAskedBy(db: Database, run: Pick<NewRun, 'tenantId' | 'id'>): Promise<string | null> {
  return (await db.prisma.setupRun.findUnique({ where: { tenantId_id: { tenantId: run.tenantId, id: run.id } }, select: { stopAskedBy: true } }))?.stopAskedBy ?? null;
}

/** Whether this worker still has the run; asked before going on after a pause. */
export async function isOurs(db: Database, run: Pick<NewRun, 'tenantId' | 'id' | 'worker'>): Promise<boolean> {
  return (await db.prisma.setupRun.count({ where: { tenantId: run.tenantId, id: run.id, worker: run.worker, status: 'running' } })) === 1;
}

/** Locks the run's row for the transaction, so that nobody declares it interrupted in between. */
async function stillOurs(tx: Tx, run: Pick<NewRun, 'tenantId' | 'id' | 'worker'>): Promise<boolean> {
  const [row] = await tx.$queryRaw<unknown[]>`SELECT 1 FROM setup_run WHERE tenant_id = ${run.tenantId}::uuid AND id = ${run.id}::uuid AND worker = ${run.worker} AND status = 'running' FOR UPDATE`;
  return row !== undefined;
}

export async function runningRuns(db: Database, tenantId: string) {
  const runs = await db.prisma.setupRun.findMany({ where: { tenantId, status: 'running' }, select: { tenantId: true, id: true, setupId: true, worker: true, actorId: true, actorName: true } });
  if (runs.length === 0) return [];
  const setups = await db.prisma.setup.findMany({ where: { tenantId, id: { in: runs.map((run) => run.setupId) } }, select: { id: true, name: true } });
  const names = new Map(setups.map((setup) => [setup.id, setup.name]));
  return runs.map((run) => ({ ...run, setupName: names.get(run.setupId) ?? '' }));
}

/** Declares a run interrupted whose worker is gone: its lock is free. */
export async function interruptRun(tx: Tx, run: Pick<NewRun, 'tenantId' | 'id' | 'worker'>, at: Date): Promise<boolean> {
  const [lock] = await tx.$queryRaw<{ free: boolean }[]>`SELECT pg_try_advisory_xact_lock(hashtextextended(${lockName(run.id)}, 0)) AS free`;
  return lock?.free === true && endRun(tx, run, 'interrupted', at);
}

const lockName = (runId: string): string => `setup-run:${runId}`;

/**
 * Says that a worker lives, for as long as its connection does: one session-level advisory lock for each run, all on one
 * connection. When the process is killed Postgres lets go of them, and the runs can be seen to be interrupted.
 */
export function createRunLocks(db: Database, onLost: () => void, nameOf: (id: string) => string = lockName) {
  let holder: ReturnType<typeof connect> | undefined;

  const connect = async () => {
    const client = await db.pool.connect();
    let open = true;
    // Destroyed and not given back: whatever lock is left goes with it. A broken connection may say so more than once.
    const destroy = (): boolean => {
      const was = open;
      open = false;
      if (was) client.release(true);
      return was;
    };
    client.on('error', () => {
      if (!destroy()) return;
      holder = undefined;
      onLost();
    });
    return { client, destroy };
  };

  // A connection takes one statement after the other, and several runs begin at once.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(ask: () => Promise<T>): Promise<T> => {
    const asked = turn.then(ask, ask);
    turn = asked.catch(() => undefined);
    return asked;
  };

  return {
    async hold(runId: string): Promise<boolean> {
      holder ??= connect().catch((error: unknown) => {
        holder = undefined;
        throw error;
      });
      const { client } = await holder;
      const { rows } = await inTurn(() => client.query<{ held: boolean }>('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held', [nameOf(runId)]));
      return rows[0]?.held === true;
    },
    async release(runId: string): Promise<void> {
      const held = await holder;
      if (held) await inTurn(() => held.client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [nameOf(runId)]));
    },
    async close(): Promise<void> {
      (await holder?.catch(() => undefined))?.destroy();
      holder = undefined;
    },
  };
}

/** The steps keep how they stood when the worker was last heard of; in a run that rests nobody works on those that were open. */
export function runOf(row: NonNullable<RunRow>, setupName: string, undoneBy: string | undefined, steps: Awaited<ReturnType<typeof stepsOf>>): Run {
  return {
    ...runWithoutSteps(row, setupName, undoneBy),
    steps: steps.map((step): RunStep => {
      const cut = row.status !== 'running' && (step.status === 'running' || step.status === 'waiting');
      return {
        ordinal: step.ordinal, plan: step.plan as PlanStep, status: cut ? 'interrupted' : step.status as StepStatus,
        detail: cut ? 'The run ended in the middle of it, so how it stands is not known. Continuing the run looks first.' : step.detail,
        startedAt: step.startedAt?.toISOString() ?? null, finishedAt: step.finishedAt?.toISOString() ?? null,
      };
    }),
  };
}

export function runWithoutSteps(row: NonNullable<RunRow>, setupName: string, undoneBy: string | undefined): Omit<Run, 'steps'> {
  return {
    id: row.id, setupId: row.setupId, setupName, status: row.status as RunStatus, actorName: row.actorName,
    createdAt: row.createdAt.toISOString(), finishedAt: row.finishedAt?.toISOString() ?? null, stopAskedBy: row.stopAskedBy, undoes: row.undoes, undoneBy: undoneBy ?? null, restores: row.restores.length > 0,
  };
}
