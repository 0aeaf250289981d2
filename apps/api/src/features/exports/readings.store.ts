import type { Tx } from '@gatehouse/db';

export interface Reading { readonly personId: string; readonly person: string; readonly list: string; readonly filter: unknown; readonly begunAt: Date; readonly lastAt: Date; readonly pages: number; readonly rows: number }

/** Counts one more page of somebody's reading; whether it is the first. */
export async function addPage(tx: Tx, page: { tenantId: string; id: string; personId: string; person: string; list: string; filter: Record<string, string>; filterKey: string; now: Date; rows: number }): Promise<boolean> {
  const [row] = await tx.$queryRaw<{ pages: number }[]>`
    INSERT INTO history_reading (tenant_id, id, person_id, person, list, filter, filter_key, begun_at, last_at, pages, rows)
    VALUES (${page.tenantId}::uuid, ${page.id}::uuid, ${page.personId}::uuid, ${page.person}, ${page.list}, ${JSON.stringify(page.filter)}::jsonb, ${page.filterKey}, ${page.now}, ${page.now}, 1, ${page.rows})
    ON CONFLICT (tenant_id, person_id, list, filter_key) DO UPDATE SET last_at = excluded.last_at, pages = history_reading.pages + 1, rows = history_reading.rows + excluded.rows RETURNING pages`;
  return row?.pages === 1;
}

/** Takes out those whose last page is older; of two processes each reading ends in one. */
export async function endReadings(tx: Tx, tenantId: string, before: Date): Promise<Reading[]> {
  const rows = await tx.$queryRaw<{ person_id: string; person: string; list: string; filter: unknown; begun_at: Date; last_at: Date; pages: number; rows: bigint }[]>`
    DELETE FROM history_reading WHERE tenant_id = ${tenantId}::uuid AND last_at < ${before} RETURNING *`;
  return rows.map((row) => ({ personId: row.person_id, person: row.person, list: row.list, filter: row.filter, begunAt: row.begun_at, lastAt: row.last_at, pages: row.pages, rows: Number(row.rows) }));
}
