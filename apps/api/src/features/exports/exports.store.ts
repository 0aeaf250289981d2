import { HistoryFilter, NamesMeant, type Export, type ExportFormat } from '@gatehouse/contracts';
import type { Database, Tx } from '@gatehouse/db';
import type { Mark, Selection } from './log-reader.store.ts';

/** An export as it is kept: what is told of it, and what it reads. */
export interface StoredExport { readonly told: Export; readonly selection: Selection; readonly askedById: string }

interface Row {
  tenantId: string; id: string; format: string; filter: unknown; names: unknown; askedById: string; askedBy: string; askedAt: Date; markBatch: bigint; markOpen: string; status: string; rows: bigint | null; rowsDone: bigint; bytes: bigint | null; sha256: string | null; error: string | null;
}

const whole = (value: bigint | null): number | null => (value === null ? null : Number(value));

const exportOf = (row: Row): StoredExport => {
  const filter = HistoryFilter.parse(row.filter);
  return {
    askedById: row.askedById,
    told: {
      id: row.id, format: row.format as ExportFormat, filter, askedBy: row.askedBy, askedAt: row.askedAt.toISOString(), status: row.status as Export['status'], rows: whole(row.rows), rowsDone: Number(row.rowsDone), bytes: whole(row.bytes), sha256: row.sha256, error: row.error,
    },
    selection: { tenantId: row.tenantId, filter, names: NamesMeant.parse(row.names), mark: { batch: String(row.markBatch), open: row.markOpen === '' ? [] : row.markOpen.split(',') } },
  };
};

export async function insertExport(tx: Tx, one: { tenantId: string; id: string; format: ExportFormat; filter: HistoryFilter; names: NamesMeant; askedById: string; askedBy: string; askedAt: Date; mark: Mark }): Promise<StoredExport> {
  const { mark, ...rest } = one;
  return exportOf(await tx.export.create({ data: { ...rest, markBatch: BigInt(mark.batch), markOpen: mark.open.join(','), status: one.format === 'pack' ? 'building' : 'ready' } }));
}

export async function findExport(db: Tx, tenantId: string, id: string): Promise<StoredExport | undefined> {
  const row = await db.export.findUnique({ where: { tenantId_id: { tenantId, id } } });
  return row ? exportOf(row) : undefined;
}

export async function latestExports(db: Tx, tenantId: string, most = 50): Promise<Export[]> {
  return (await db.export.findMany({ where: { tenantId }, orderBy: { askedAt: 'desc' }, take: most })).map((row) => exportOf(row).told);
}

/** The end of the last month of the file that lies at or before the offset; `undefined`: it begins at its start. */
export async function partBefore(db: Tx, tenantId: string, exportId: string, offset: number): Promise<{ month: string; bytesTo: number } | undefined> {
  const part = await db.exportPart.findFirst({ where: { tenantId, exportId, bytesTo: { lte: offset } }, orderBy: { month: 'desc' } });
  return part ? { month: part.month.toISOString().slice(0, 10), bytesTo: Number(part.bytesTo) } : undefined;
}

export async function addPart(db: Tx, tenantId: string, exportId: string, month: string, bytesTo: number): Promise<void> {
  await db.exportPart.createMany({ data: [{ tenantId, exportId, month: new Date(`${month}T00:00:00Z`), bytesTo: BigInt(bytesTo) }], skipDuplicates: true });
}

/** Whether a month that the range touches was dropped since: then the file cannot be the same any more. */
export async function droppedSince(db: Tx, tenantId: string, at: string, { from, to }: Pick<HistoryFilter, 'from' | 'to'>): Promise<boolean> {
  const month = { ...(from !== undefined && { gte: from.slice(0, 7) }), ...(to !== undefined && { lte: to.slice(0, 7) }) };
  return await db.droppedMonth.count({ where: { tenantId, log: 'audit_event', droppedAt: { gte: new Date(at) }, month } }) > 0;
}

export async function setSize(db: Tx, tenantId: string, id: string, size: { rows: number; bytes: number }): Promise<void> {
  await db.export.update({ where: { tenantId_id: { tenantId, id } }, data: { rows: BigInt(size.rows), rowsDone: BigInt(size.rows), bytes: BigInt(size.bytes) } });
}

/** Who makes a pack, and until when they are taken for alive. */
export interface Lease { readonly token: string; readonly until: Date }

/** Takes a pack that nobody is making: of two processes, one. */
export async function takePack(db: Pick<Database, 'pool'>, tenantId: string, now: Date, { token, until }: Lease): Promise<string | undefined> {
  const { rows: [row] } = await db.pool.query<{ id: string }>(
    `UPDATE export SET lease_until = $3, lease_token = $4 WHERE (tenant_id, id) IN (
       SELECT tenant_id, id FROM export WHERE tenant_id = $1 AND format = 'pack' AND status = 'building' AND (lease_until IS NULL OR lease_until < $2) ORDER BY asked_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id`, [tenantId, now, until, token]);
  return row?.id;
}

/** Whether the pack is still theirs who hold the token; then it is for longer. */
export async function holdPack(db: Tx, tenantId: string, id: string, { token, until }: Lease, rowsDone?: number): Promise<boolean> {
  const { count } = await db.export.updateMany({ where: { tenantId, id, leaseToken: token }, data: { leaseUntil: until, ...(rowsDone !== undefined && { rowsDone: BigInt(rowsDone) }) } });
  return count === 1;
}

/** Whether the pack was still theirs who hold the token; then this is how it ended, and nobody's any more. */
export async function settlePack(tx: Tx, tenantId: string, id: string, token: string, end: { sha256: string; bytes: number; rows: number; finishedAt: Date } | { error: string; finishedAt: Date }): Promise<boolean> {
  const { count } = await tx.export.updateMany({
    where: { tenantId, id, leaseToken: token },
    data: {
      leaseToken: null, leaseUntil: null, finishedAt: end.finishedAt,
      ...('error' in end ? { status: 'failed', error: end.error } : { status: 'ready', sha256: end.sha256, bytes: BigInt(end.bytes), rows: BigInt(end.rows), rowsDone: BigInt(end.rows) }),
    },
  });
  return count === 1;
}

/** Of these exports those that are known, with the token of who makes each. */
export async function tokensOf(db: Tx, tenantId: string, ids: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
  const rows = await db.export.findMany({ where: { tenantId, id: { in: [...ids] } }, select: { id: true, leaseToken: true } });
  return new Map(rows.map(({ id, leaseToken }) => [id, leaseToken]));
}
