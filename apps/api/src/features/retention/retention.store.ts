import { DropRefusal, MonthlyLog, type LegalHold, type PlannedDrop, type RetentionPolicy } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import { MONTHLY_LOGS } from '../../core/monthly-logs.ts';
import { DEFAULT_MONTHS } from './retention.rules.ts';

const SOURCES = MonthlyLog.options.flatMap((log) => MONTHLY_LOGS[log].sources);

/** A month of a log. */
export interface LogMonth { readonly log: MonthlyLog; readonly month: string }

const monthOf = (date: Date): string => date.toISOString().slice(0, 7);
const dateOf = (month: string): Date => new Date(`${month}-01T00:00:00Z`);

export async function readPolicies(db: Tx, tenantId: string): Promise<RetentionPolicy[]> {
  const rows = await db.retentionPolicy.findMany({ where: { tenantId } });
  return SOURCES.map((source) => {
    const row = rows.find((one) => one.source === source);
    return { source, months: row?.months ?? DEFAULT_MONTHS, changedAt: row?.changedAt.toISOString() ?? null, changedBy: row?.changedBy ?? null };
  });
}

export async function setPolicy(tx: Tx, tenantId: string, { source, months, by, at }: { source: string; months: number; by: string; at: Date }): Promise<void> {
  const data = { months, changedAt: at, changedBy: by };
  await tx.retentionPolicy.upsert({ where: { tenantId_source: { tenantId, source } }, create: { tenantId, source, ...data }, update: data });
}

export async function readHolds(db: Tx, tenantId: string): Promise<LegalHold[]> {
  const rows = await db.legalHold.findMany({ where: { tenantId, liftedAt: null }, orderBy: { setAt: 'desc' } });
  return rows.map((row) => ({ id: row.id, reason: row.reason, fromMonth: row.fromMonth && monthOf(row.fromMonth), toMonth: row.toMonth && monthOf(row.toMonth), setAt: row.setAt.toISOString(), setBy: row.setBy }));
}

export async function insertHold(tx: Tx, tenantId: string, hold: { id: string; reason: string; fromMonth: string | null; toMonth: string | null; setAt: Date; setBy: string }): Promise<void> {
  await tx.legalHold.create({ data: { tenantId, ...hold, fromMonth: hold.fromMonth === null ? null : dateOf(hold.fromMonth), toMonth: hold.toMonth === null ? null : dateOf(hold.toMonth) } });
}

/** Lifts it once; what it held is announced anew. */
export async function liftHold(tx: Tx, tenantId: string, id: string, { by, at, dueAt }: { by: string; at: Date; dueAt: Date }): Promise<{ reason: string } | undefined> {
  const hold = await tx.legalHold.findUnique({ where: { tenantId_id: { tenantId, id } } });
  if (!hold) return undefined;
  const { count } = await tx.legalHold.updateMany({ where: { tenantId, id, liftedAt: null }, data: { liftedAt: at, liftedBy: by } });
  if (count !== 1) return undefined;
  await tx.monthArchive.updateMany({
    where: { tenantId, status: { not: 'dropped' }, month: { ...(hold.fromMonth && { gte: hold.fromMonth }), ...(hold.toMonth && { lte: hold.toMonth }) } },
    data: { plannedAt: at, dueAt },
  });
  return { reason: hold.reason };
}

/** Months on their way out, the newest first, of one log or of all; whether one is held is the caller's to say. */
export async function readDrops(db: Tx, tenantId: string, { log, most }: { readonly log?: MonthlyLog; readonly most?: number } = {}): Promise<Omit<PlannedDrop, 'held'>[]> {
  const rows = await db.monthArchive.findMany({ where: { tenantId, ...(log && { log }) }, orderBy: [{ month: 'desc' }, { log: 'asc' }], ...(most !== undefined && { take: most }) });
  return rows.map((row) => ({
    log: MonthlyLog.parse(row.log), month: monthOf(row.month), status: row.status as PlannedDrop['status'], plannedAt: row.plannedAt.toISOString(), dueAt: row.dueAt.toISOString(), file: row.file, sha256: row.sha256, rows: row.rows === null ? null : Number(row.rows),
    bytes: row.bytes === null ? null : Number(row.bytes), verifiedAt: row.verifiedAt?.toISOString() ?? null, droppedAt: row.droppedAt?.toISOString() ?? null, error: row.error, refusal: DropRefusal.nullable().catch('failed').parse(row.refusal),
  }));
}

/** Months of a log with the sources that have rows of the tenant in them, oldest first, from those that end before an instant. */
export async function monthsBefore(db: Pick<Database, 'pool'>, tenantId: string, log: MonthlyLog, before: Date): Promise<{ log: MonthlyLog; month: string; next: string; sources: string[] }[]> {
  const { rows: months } = await db.pool.query<{ first: string; next: string }>(
    `SELECT to_char(m, 'YYYY-MM-DD') AS first, to_char(m + interval '1 month', 'YYYY-MM-DD') AS next FROM (
       SELECT to_date(right(c.relname, 6), 'YYYYMM') AS m FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = $2::regclass) AS months
     WHERE (m + interval '1 month')::timestamp AT TIME ZONE 'UTC' <= $1 ORDER BY m`, [before, log]);
  const { instant } = MONTHLY_LOGS[log];
  const found = [];
  for (const { first, next } of months) {
    const { rows } = await db.pool.query<{ source: string }>(`SELECT DISTINCT source FROM ${log} WHERE tenant_id = $1 AND ${instant} >= $2::timestamptz AND ${instant} < $3::timestamptz`, [tenantId, `${first} 00:00:00+00`, `${next} 00:00:00+00`]);
    if (rows.length > 0) found.push({ log, month: first.slice(0, 7), next, sources: rows.map(({ source }) => source) });
  }
  return found;
}

/** Announces a drop; false where it is announced already. */
export async function announce(tx: Tx, tenantId: string, { log, month }: LogMonth, plannedAt: Date, dueAt: Date): Promise<boolean> {
  const { count } = await tx.monthArchive.createMany({ data: [{ tenantId, log, month: dateOf(month), status: 'planned', plannedAt, dueAt }], skipDuplicates: true });
  return count === 1;
}

/** Takes back what was announced and need not be any more. */
export async function withdraw(tx: Tx, tenantId: string, { log, month }: LogMonth): Promise<void> {
  await tx.monthArchive.deleteMany({ where: { tenantId, log, month: dateOf(month), status: { not: 'dropped' } } });
}

export async function noteVerified(tx: Tx, tenantId: string, { log, month }: LogMonth, archive: { file: string; sha256: string; bytes: number; rows: number; verifiedAt: Date }): Promise<void> {
  await tx.monthArchive.update({ where: { tenantId_log_month: { tenantId, log, month: dateOf(month) } }, data: { ...archive, bytes: BigInt(archive.bytes), rows: BigInt(archive.rows), status: 'verified', error: null, refusal: null } });
}

/**
 * Asks the database to drop the month whose archive has this hash. It looks at policy, holds, notice, archive and ledger by
 * itself, and answers why not; then nothing was changed.
 */
export async function dropMonth(tx: Tx, tenantId: string, { log, month }: LogMonth, sha256: string): Promise<'dropped' | DropRefusal> {
  // The rows are counted once more, and there may be many.
  await tx.$executeRaw`SELECT set_config('statement_timeout', '10min', true)`;
  const [row] = await tx.$queryRaw<{ outcome: string }[]>`SELECT drop_log_month(${tenantId}::uuid, ${log}, ${`${month}-01`}::date, ${sha256}) AS outcome`;
  return row?.outcome === 'dropped' ? 'dropped' : DropRefusal.parse(row?.outcome);
}

export async function noteRefusal(tx: Tx, tenantId: string, { log, month }: LogMonth, refusal: DropRefusal): Promise<void> {
  await tx.monthArchive.updateMany({ where: { tenantId, log, month: dateOf(month), status: { not: 'dropped' } }, data: { refusal } });
}

/** Makes room for another round where rows of a dropped month came in since. That it was dropped stays in the log. */
export async function beginAnew(tx: Tx, tenantId: string, { log, month }: LogMonth): Promise<void> {
  await tx.monthArchive.deleteMany({ where: { tenantId, log, month: dateOf(month), status: 'dropped' } });
}

/** How often the month was dropped already. */
export const countDrops = (db: Tx, tenantId: string, { log, month }: LogMonth): Promise<number> => db.droppedMonth.count({ where: { tenantId, log, month } });

/** Notes why the month could not be archived; whether that was not known yet. */
export async function noteFault(tx: Tx, tenantId: string, { log, month }: LogMonth, error: string): Promise<boolean> {
  const { count } = await tx.monthArchive.updateMany({ where: { tenantId, log, month: dateOf(month), OR: [{ error: null }, { error: { not: error } }] }, data: { status: 'planned', error } });
  return count === 1;
}

export async function countMonth(db: Pick<Database['pool'], 'query'>, tenantId: string, { log, month, next }: LogMonth & { readonly next: string }): Promise<number> {
  const { instant } = MONTHLY_LOGS[log];
  const { rows: [row] } = await db.query<{ n: string }>(`SELECT count(*) AS n FROM ${log} WHERE tenant_id = $1 AND ${instant} >= $2::timestamptz AND ${instant} < $3::timestamptz`, [tenantId, `${month}-01 00:00:00+00`, `${next} 00:00:00+00`]);
  return Number(row?.n ?? 0);
}
