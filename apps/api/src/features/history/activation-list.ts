import { Segment, type HistoryActivation } from '@gatehouse/contracts';
import type { Position } from '../../core/cursors.ts';
import { activationsStatement, findOpened, findRevocations, readActivations, type ActivationSearch, type StoredActivation } from './activations.store.ts';
import type { Listed, Order } from './events.store.ts';
import { completed } from './history.rules.ts';
import { planned } from './history.store.ts';
import { listsOf, type NamesMeant } from './names.store.ts';
import type { Queryable } from './sql.ts';

/** The conditions of a list of activations. */
export function activationSearchOf(tenantId: string, { text, status, from, to }: { readonly text?: string | undefined; readonly status?: string | undefined; readonly from?: string | undefined; readonly to?: string | undefined }, names: NamesMeant): ActivationSearch {
  return { tenantId, names: listsOf(names), status, ...(text !== undefined && text !== '' && { text }), from, to };
}

/** With what the catalog and the portal know of each. */
export async function complete(connection: Queryable, tenantId: string, stored: readonly StoredActivation[]): Promise<HistoryActivation[]> {
  if (stored.length === 0) return [];
  const opened = await findOpened(connection, tenantId, [...new Set(stored.map(({ groupId }) => groupId))]);
  const revocations = await findRevocations(connection, tenantId, [...new Set(stored.map(({ principalId }) => principalId))]);
  return stored.map((one) => completed(one, {
    applications: (opened.get(one.groupId) ?? []).map(({ name, segments }) => ({ name, hosts: Segment.array().catch([]).parse(segments).map(({ host }) => host) })),
    revocations: revocations.filter(({ principalId, groupId }) => principalId === one.principalId && groupId === one.groupId),
  }));
}

/** A page of activations, each with where it stands in the list. */
export async function findActivations(connection: Queryable, search: ActivationSearch, page: { readonly after: Position | undefined; readonly order: Order; readonly limit: number }): Promise<Listed<HistoryActivation>[]> {
  const statement = activationsStatement(search, page);
  if (!statement) return [];
  const stored = await (statement.planned ? planned(connection, (one) => readActivations(one, statement)) : readActivations(connection, statement));
  const rows = await complete(connection, search.tenantId, stored.map(({ row }) => row));
  return rows.flatMap((row, index) => { const position = stored[index]?.position; return position ? [{ row, position }] : []; });
}
