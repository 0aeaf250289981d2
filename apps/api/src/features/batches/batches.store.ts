import { BatchFormat, BatchStatus, Plan, SetupDefinition, type BatchRow, type BatchRowStatus, type BatchSummary } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';

/** Batches and their rows. */

/** What tells a batch and who works on it. */
export interface Held {
  readonly tenantId: string;
  readonly id: string;
  readonly worker: string;
}

export interface NewBatch extends Held {
  readonly name: string;
  readonly format: BatchFormat | null;
  readonly text: string;
  readonly template: string | null;
  readonly actorId: string;
  readonly actorName: string;
  readonly createdAt: Date;
}

export interface NewRow {
  readonly ordinal: number;
  readonly line: number;
  readonly name: string;
  readonly status: 'waiting' | 'refused';
  readonly detail: string | null;
}

export type BatchRecord = NonNullable<Awaited<ReturnType<typeof findBatch>>>;
export type RowRecord = Awaited<ReturnType<typeof rowsOf>>[number];

/** A thousand at once hold up everybody else for a quarter of a second. */
const WRITTEN_TOGETHER = 200;

export async function insertBatch(tx: Tx, batch: NewBatch, rows: readonly NewRow[]): Promise<void> {
  const { tenantId, id: batchId } = batch;
  await tx.setupBatch.create({ data: { ...batch, status: 'planning' } });
  for (let start = 0; start < rows.length; start += WRITTEN_TOGETHER) {
    await tx.setupBatchRow.createMany({ data: rows.slice(start, start + WRITTEN_TOGETHER).map((row) => ({ tenantId, batchId, ...row })) });
  }
}

/** Without the file, which is long. */
const omit = { text: true, template: true } as const;

export async function findBatch(db: Database, tenantId: string, id: string) {
  return db.prisma.setupBatch.findUnique({ where: { tenantId_id: { tenantId, id } }, omit });
}

export async function fileOf(db: Database, tenantId: string, id: string) {
  return db.prisma.setupBatch.findUniqueOrThrow({ where: { tenantId_id: { tenantId, id } }, select: { text: true, template: true, format: true } });
}

export async function latestBatches(db: Database, tenantId: string) {
  return db.prisma.setupBatch.findMany({ where: { tenantId }, omit, orderBy: [{ createdAt: 'desc' }, { id: 'asc' }], take: 100 });
}

/** How the rows stand. What is planned in them is long: it is read where it is needed. */
export async function rowsOf(db: Database, tenantId: string, batchId: string) {
  return db.prisma.setupBatchRow.findMany({ where: { tenantId, batchId }, omit: { definition: true, plan: true }, orderBy: { ordinal: 'asc' } });
}

/** What a planned row is to be and its plan; `unreadable`: another build wrote them, in a way that this one does not know. */
export async function reviewedOf(db: Database, tenantId: string, batchId: string, ordinal: number): Promise<{ readonly definition: SetupDefinition; readonly plan: Plan } | 'unreadable' | undefined> {
  const row = await db.prisma.setupBatchRow.findUnique({ where: { tenantId_batchId_ordinal: { tenantId, batchId, ordinal } }, select: { definition: true, plan: true } });
  if (row === null || row.plan === null) return undefined;
  const [definition, plan] = [SetupDefinition.safeParse(row.definition), Plan.safeParse(row.plan)];
  return definition.success && plan.success ? { definition: definition.data, plan: plan.data } : 'unreadable';
}

/** What the planned rows are to be, by their lines; without those that cannot be read, which are not applied either. */
export async function definitionsOf(db: Database, tenantId: string, batchId: string): Promise<readonly { readonly line: number; readonly definition: SetupDefinition }[]> {
  const rows = await db.prisma.setupBatchRow.findMany({ where: { tenantId, batchId, status: { in: ['planned', 'nothing', 'blocked'] } }, select: { line: true, definition: true }, orderBy: { ordinal: 'asc' } });
  return rows.flatMap(({ line, definition }) => {
    const read = SetupDefinition.safeParse(definition);
    return read.success ? [{ line, definition: read.data }] : [];
  });
}

/** Rows as they are shown, or one of them: what a plan weighs is counted where it lies, for it is long. */
export async function shownRows(db: Database, tenantId: string, batchId: string, ordinal: number | null = null): Promise<BatchRow[]> {
  const { rows } = await db.pool.query<BatchRow>(
    `SELECT ordinal, line, name, status, detail, setup_id AS "setupId", run_id AS "runId",
            coalesce((plan->>'changes')::int, 0) AS changes, coalesce((plan->>'calls')::int, 0) AS calls,
            coalesce(jsonb_path_exists(plan, '$.steps[*] ? (@.irreversible == true && @.verdict != "nothing" && @.verdict != "blocked")'), false) AS irreversible,
            coalesce(jsonb_array_length(plan->'warnings'), 0) AS warnings
       FROM setup_batch_row WHERE tenant_id = $1 AND batch_id = $2 AND ($3::int IS NULL OR ordinal = $3) ORDER BY ordinal`, [tenantId, batchId, ordinal]);
  return rows;
}

export async function countsOf(db: Database, tenantId: string, batchIds: readonly string[]): Promise<ReadonlyMap<string, BatchSummary['counts']>> {
  const { rows } = await db.pool.query<{ id: string; status: BatchRowStatus; n: number }>(
    `SELECT batch_id AS id, status, count(*)::int AS n FROM setup_batch_row WHERE tenant_id = $1 AND batch_id = ANY($2::uuid[]) GROUP BY batch_id, status`, [tenantId, batchIds]);
  const counts = new Map<string, BatchSummary['counts']>();
  for (const { id, status, n } of rows) counts.set(id, { ...counts.get(id), [status]: n });
  return counts;
}

export interface RowChange {
  readonly status?: BatchRowStatus;
  readonly detail?: string | null;
  readonly definition?: SetupDefinition;
  readonly plan?: Plan;
  readonly setupId?: string | null;
  readonly runId?: string;
}

/** Changes rows of a batch that this worker still has; `false` where it was taken from it. */
export async function changeRows(tx: Tx, batch: Held, changes: readonly (RowChange & { readonly ordinal: number })[]): Promise<boolean> {
  if (!(await stillOurs(tx, batch))) return false;
  for (const { ordinal, definition, plan, ...change } of changes) {
    await tx.setupBatchRow.update({
      where: { tenantId_batchId_ordinal: { tenantId: batch.tenantId, batchId: batch.id, ordinal } },
      data: { ...change, ...(definition && { definition: definition as object }), ...(plan && { plan: plan as object }) },
    });
  }
  return true;
}

/** Shares the batch's row for the transaction, so that nobody declares it interrupted in between. */
async function stillOurs(tx: Tx, { tenantId, id, worker }: Held): Promise<boolean> {
  const [row] = await tx.$queryRaw<unknown[]>`SELECT 1 FROM setup_batch WHERE tenant_id = ${tenantId}::uuid AND id = ${id}::uuid AND worker = ${worker} AND status IN ('planning', 'running') FOR SHARE`;
  return row !== undefined;
}

/** Ends the planning or the applying; once, and only by the worker that has it. */
export async function restBatch(tx: Tx, { tenantId, id, worker }: Held, status: Exclude<BatchStatus, 'planning' | 'running'>, more: { readonly finishedAt?: Date; readonly detail?: string } = {}): Promise<boolean> {
  const { count } = await tx.setupBatch.updateMany({ where: { tenantId, id, worker, status: { in: ['planning', 'running'] } }, data: { status, ...more } });
  return count === 1;
}

/** Takes up a batch that rests; `false` where somebody else did already. */
export async function takeUp(tx: Tx, { tenantId, id, worker }: Held, actor: { readonly actorId: string; readonly actorName: string }, from: readonly BatchStatus[], to: { readonly status: 'planning' } | { readonly status: 'running'; readonly startedAt: Date }): Promise<boolean> {
  const { count } = await tx.setupBatch.updateMany({ where: { tenantId, id, status: { in: [...from] } }, data: { ...to, worker, ...actor, finishedAt: null, stopAskedBy: null, detail: null } });
  return count === 1;
}

/** Asks a batch to rest after the setups in hand; `false` where it rests already. Who asked first is kept. */
export async function askToStop(tx: Tx, tenantId: string, id: string, by: string): Promise<boolean> {
  const { count } = await tx.setupBatch.updateMany({ where: { tenantId, id, status: { in: ['planning', 'running'] }, stopAskedBy: null }, data: { stopAskedBy: by } });
  return count === 1;
}

export async function underWay(db: Database, tenantId: string) {
  return db.prisma.setupBatch.findMany({ where: { tenantId, status: { in: ['planning', 'running'] } }, omit });
}

export const batchLock = (id: string): string => `setup-batch:${id}`;

/** Declares a batch interrupted whose worker is gone: its lock is free. */
export async function interruptBatch(tx: Tx, batch: Held, detail: string): Promise<boolean> {
  const [lock] = await tx.$queryRaw<{ free: boolean }[]>`SELECT pg_try_advisory_xact_lock(hashtextextended(${batchLock(batch.id)}, 0)) AS free`;
  return lock?.free === true && restBatch(tx, batch, 'interrupted', { detail });
}

export function summaryOf(batch: BatchRecord, counts: BatchSummary['counts'] = {}): BatchSummary {
  return {
    id: batch.id, name: batch.name, format: BatchFormat.nullable().parse(batch.format), status: BatchStatus.parse(batch.status), actorName: batch.actorName,
    createdAt: batch.createdAt.toISOString(), startedAt: batch.startedAt?.toISOString() ?? null, finishedAt: batch.finishedAt?.toISOString() ?? null, stopAskedBy: batch.stopAskedBy, detail: batch.detail,
    rows: Object.values(counts).reduce((sum, n) => sum + n, 0), counts,
  };
}
