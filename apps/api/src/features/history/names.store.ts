import { containing } from './history.rules.ts';
import type { Named, Role } from './search.rules.ts';
import { run, type Queryable } from './sql.ts';

/** The filters by name, as people write them. */
export interface NameFilter { readonly person?: string | undefined; readonly group?: string | undefined; readonly application?: string | undefined }

/** What each filter by name that is set means in the log. */
export interface NamesMeant { readonly person?: readonly Named[] | undefined; readonly group?: readonly Named[] | undefined; readonly application?: readonly Named[] | undefined }

/** More would not be looked for one by one. */
const MOST = 10_000;

const NAMES = `(SELECT role, key, name, events FROM log_name WHERE tenant_id = $1 UNION ALL SELECT named.role, named.key, named.name, 1 FROM log_unnamed AS u, names_of_batch(u) AS named WHERE u.tenant_id = $1)`;
const ROLES: Record<keyof NameFilter, readonly Role[]> = { person: ['actor', 'subject'], group: ['group'], application: ['application'] };

/**
 * What the filters by name mean in the log as it is now: those whose id is the text or whose name, as it is or once was,
 * contains it; whoever is called so later is not among them. An application is also meant by a part of a host that it leads
 * to, as the catalog has them now: with the events of every group that opens it. One statement, for a page waits for it.
 */
export async function namesOf(db: Queryable, tenantId: string, filter: NameFilter): Promise<NamesMeant> {
  const asked = (['person', 'group', 'application'] as const).flatMap((name) => (filter[name] ? [{ name, text: filter[name].toLowerCase() }] : []));
  if (asked.length === 0) return {};
  const values: unknown[] = [tenantId];
  const parts = asked.flatMap(({ name, text }) => {
    const [exact, like] = [`$${values.push(text)}`, `$${values.push(containing(text))}`];
    const inLog = `SELECT '${name}' AS of, role, key, sum(events)::float8 AS events FROM ${NAMES} AS named
      WHERE role IN (${ROLES[name].map((role) => `'${role}'`).join(', ')}) AND (key = ${exact} OR lower(name) LIKE ${like}) GROUP BY role, key HAVING sum(events) > 0 LIMIT ${MOST}`;
    const opening = `SELECT '${name}' AS of, 'group' AS role, opening.key, coalesce(sum(named.events), 0)::float8 AS events FROM (
        SELECT DISTINCT s.group_id::text AS key FROM catalog_assignment AS s JOIN catalog_application AS p ON p.tenant_id = s.tenant_id AND p.service_principal_id = s.service_principal_id
        WHERE s.tenant_id = $1 AND (p.service_principal_id::text = ${exact} OR lower(p.display_name) LIKE ${like} OR EXISTS (SELECT 1 FROM jsonb_path_query(p.segments, '$[*].host') AS host WHERE lower(host #>> '{}') LIKE ${like}))
      ) AS opening LEFT JOIN ${NAMES} AS named ON named.role = 'group' AND named.key = opening.key GROUP BY opening.key`;
    return name === 'application' ? [inLog, opening] : [inLog];
  });
  const rows = await run<Named & { of: keyof NameFilter }>(db, parts.map((part) => `(${part})`).join(' UNION ALL '), values);
  const found = Map.groupBy(rows, ({ of }) => of);
  return Object.fromEntries(asked.map(({ name }) => [name, (found.get(name) ?? []).map(({ role, key, events }) => ({ role, key, events }))]));
}

/** One list for each filter that is set. */
export const listsOf = ({ person, group, application }: NamesMeant): (readonly Named[])[] => [person, group, application].filter((list) => list !== undefined);
