import { iso } from '@gatehouse/db';
import type { HistoryActivation } from '@gatehouse/contracts';
import type { Listed, Order, Statement } from './events.store.ts';
import type { Position } from '../../core/cursors.ts';
import { containing } from './history.rules.ts';
import type { Named, Role } from './search.rules.ts';
import { conditionsOf, run, type Queryable, type Where } from './sql.ts';

/** The conditions of a list of activations. */
export interface ActivationSearch {
  readonly tenantId: string;
  readonly names: readonly (readonly Named[])[];
  readonly status?: string | undefined;
  readonly text?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const COLUMNS = `e.request_id, e.principal_id, e.principal_name, e.group_id, e.group_name, e.status, ${iso('e.requested_at')} AS requested_text, e.justification, e.ticket_number,
  ${iso('e.expires_at')} AS expires_text, e.decided_by, ${iso('e.decided_at')} AS decided_text, e.decision_reason, ${iso('e.provisioned_at')} AS provisioned_text, ${iso('e.ended_at')} AS ended_text, e.ended_how`;

interface ActivationRow {
  request_id: string; principal_id: string; principal_name: string; group_id: string; group_name: string; status: HistoryActivation['status']; requested_text: string; justification: string | null; ticket_number: string | null;
  expires_text: string | null; decided_by: string | null; decided_text: string | null; decision_reason: string | null; provisioned_text: string | null; ended_text: string | null; ended_how: 'deactivated' | 'expired' | 'removed' | null;
}

/** A row as the mirror has it, without what the catalog and the portal know of it. */
export type StoredActivation = Omit<HistoryActivation, 'applications' | 'hosts' | 'revokedBy' | 'networkUntil' | 'lastedSeconds'>;

const activationOf = (row: ActivationRow): StoredActivation => ({
  requestId: row.request_id, principalId: row.principal_id, principalName: row.principal_name, groupId: row.group_id, groupName: row.group_name, status: row.status, requestedAt: row.requested_text,
  justification: row.justification, ticketNumber: row.ticket_number, expiresAt: row.expires_text, decidedBy: row.decided_by, decidedAt: row.decided_text, decisionReason: row.decision_reason, provisionedAt: row.provisioned_text,
  endedAt: row.ended_text, endedHow: row.ended_how,
});

/** What names stand in the table as; events alone name applications. */
const KEY: Partial<Record<Role, string>> = { subject: 'e.principal_id', actor: 'coalesce(e.decided_by_id, e.decided_by)', group: 'e.group_id' };
const MERGED = 100;

const partsByRole = (list: readonly Named[]): [string, string[]][] =>
  [...Map.groupBy(list, ({ role }) => role)].flatMap(([role, all]) => (KEY[role] === undefined ? [] : [[KEY[role], all.map(({ key }) => key)] as [string, string[]]]));

/** A page of the list, read off one index; `undefined` where nothing can match. As with events, which index is decided here. */
export function activationsStatement({ tenantId, names, status, text, from, to }: ActivationSearch, { after, order, limit }: { readonly after: Position | undefined; readonly order: Order; readonly limit: number }): Statement & { readonly planned: boolean } | undefined {
  const lists = names.map(partsByRole);
  if (lists.some((list) => list.length === 0)) return undefined;
  const size = (list: readonly Named[]): number => list.reduce((all, { events }) => all + events, 0);
  const leads = names.map((list, index) => ({ index, size: size(list), merged: list.length })).filter(({ merged }) => merged <= MERGED).sort((a, b) => a.size - b.size)[0]?.index;
  const byText = text !== undefined && leads === undefined;
  const byStatus = status !== undefined && leads === undefined && !byText;

  const where = conditionsOf(tenantId);
  lists.forEach((parts, index) => { if (index !== leads) where.add(`(${parts.map(([key, keys]) => `${key} = ANY (${where.value(keys)}::text[])`).join(' OR ')}) IS TRUE`); });
  if (status !== undefined) where.add(byStatus ? `e.status = ${where.value(status)}` : `(e.status = ${where.value(status)}) IS TRUE`);
  if (text !== undefined) where.add(byText ? `e.search LIKE ${where.value(containing(text.toLowerCase()))}` : `strpos(e.search, ${where.value(text.toLowerCase())}) > 0`);
  if (from !== undefined) where.add(`e.requested_at >= ${where.value(from)}::timestamptz`);
  if (to !== undefined) where.add(`e.requested_at < ${where.value(to)}::timestamptz`);
  if (after) where.add(`(e.requested_at, e.request_id) ${order === 'newest' ? '<' : '>'} (${where.value(after[0])}::timestamptz, ${where.value(after[1])})`);
  const direction = order === 'newest' ? 'DESC' : 'ASC';
  const tail = `ORDER BY e.requested_at ${direction}, e.request_id ${direction} LIMIT ${where.value(limit)}`;
  return { text: leads === undefined ? `SELECT ${COLUMNS} FROM activation AS e WHERE ${where.text()} ${tail}` : merged(lists[leads] ?? [], where, tail), values: where.values, planned: byText };
}

function merged(parts: readonly (readonly [string, string[]])[], where: Where, tail: string): string {
  const each = parts.map(([key, keys]) => `SELECT e.* FROM unnest(${where.value(keys)}::text[]) AS k (key), LATERAL (SELECT e.requested_at, ${COLUMNS} FROM activation AS e WHERE ${where.text()} AND ${key} = k.key ${tail}) AS e`);
  return `SELECT DISTINCT ON (e.requested_at, e.request_id) e.* FROM (${each.join(' UNION ALL ')}) AS e ${tail}`;
}

export async function readActivations(db: Queryable, { text, values }: Statement): Promise<Listed<StoredActivation>[]> {
  const rows = await run<ActivationRow>(db, text, values);
  return rows.map((row) => ({ row: activationOf(row), position: [row.requested_text, row.request_id] }));
}

export async function findActivation(db: Queryable, tenantId: string, requestId: string): Promise<StoredActivation | undefined> {
  const [row] = await run<ActivationRow>(db, `SELECT ${COLUMNS} FROM activation AS e WHERE e.tenant_id = $1 AND e.request_id = $2`, [tenantId, requestId]);
  return row && activationOf(row);
}

/** Memberships that had begun before the instant, from requests before it, and lasted at it; those without an end were not seen to end. */
export async function findRunningAt(db: Queryable, search: ActivationSearch, at: string, limit: number): Promise<StoredActivation[]> {
  const lists = search.names.map(partsByRole);
  if (lists.some((list) => list.length === 0)) return [];
  const where = conditionsOf(search.tenantId);
  for (const parts of lists) where.add(`(${parts.map(([key, keys]) => `${key} = ANY (${where.value(keys)}::text[])`).join(' OR ')}) IS TRUE`);
  const instant = `${where.value(at)}::timestamptz`;
  where.add(`e.provisioned_at IS NOT NULL AND tstzrange(e.provisioned_at, CASE WHEN e.ended_at IS NOT NULL THEN greatest(e.provisioned_at, e.ended_at) END, '[]') @> ${instant} AND e.requested_at < ${instant}`);
  const rows = await run<ActivationRow>(db, `SELECT ${COLUMNS} FROM activation AS e WHERE ${where.text()} LIMIT ${where.value(limit)}`, where.values);
  return rows.map(activationOf);
}

/** What each of the groups opens, as the catalog has it now. */
export async function findOpened(db: Queryable, tenantId: string, groupIds: readonly string[]): Promise<Map<string, { readonly name: string; readonly segments: unknown }[]>> {
  const rows = await run<{ group_id: string; name: string; segments: unknown }>(db,
    `SELECT s.group_id::text AS group_id, p.display_name AS name, p.segments FROM catalog_assignment AS s JOIN catalog_application AS p ON p.tenant_id = s.tenant_id AND p.service_principal_id = s.service_principal_id
     WHERE s.tenant_id = $1 AND s.group_id::text = ANY ($2) ORDER BY p.display_name`, [tenantId, groupIds]);
  return Map.groupBy(rows, (row) => row.group_id);
}

export interface StoredRevocation { readonly principalId: string; readonly groupId: string; readonly createdAt: string; readonly revokedAt: string | null; readonly goneAt: string | null; readonly askedBy: string }

/** Revocations that the portal made of these people, those that took place. */
export function findRevocations(db: Queryable, tenantId: string, principalIds: readonly string[]): Promise<StoredRevocation[]> {
  return run<StoredRevocation>(db,
    `SELECT principal_id::text AS "principalId", group_id::text AS "groupId", ${iso('created_at')} AS "createdAt", ${iso('revoked_at')} AS "revokedAt", ${iso('gone_at')} AS "goneAt", asked_by AS "askedBy"
     FROM revocation WHERE tenant_id = $1 AND principal_id::text = ANY ($2) AND status <> 'failed' ORDER BY created_at`, [tenantId, principalIds]);
}
