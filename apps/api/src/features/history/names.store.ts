import { COUNT_ALL } from './counts.store.ts';
import { containing } from './history.rules.ts';
import type { Facet, Named, Role } from './search.rules.ts';
import { run, type Queryable } from './sql.ts';

/** The filters by name, as people write them. */
export interface NameFilter { readonly person?: string | undefined; readonly group?: string | undefined; readonly application?: string | undefined }

/** What each filter by name that is set means in the log. */
export interface NamesMeant { readonly person?: readonly Named[] | undefined; readonly group?: readonly Named[] | undefined; readonly application?: readonly Named[] | undefined }

/** More would not be looked for one by one. */
const MOST = 10_000;

const NAMES = `(SELECT role, key, name, events FROM log_name WHERE tenant_id = $1 UNION ALL SELECT named.role, named.key, named.name, 1 FROM log_unnamed AS u, names_of_batch(u) AS named WHERE u.tenant_id = $1)`;
const ROLES: Record<keyof NameFilter, readonly Role[]> = { person: ['actor', 'subject'], group: ['group'], application: ['application'] };

/** What filters mean in the log: those named, and, where they are asked for, all that occurs together by kind, result and source. */
export interface Meant { readonly names: NamesMeant; readonly facets: readonly Facet[] | undefined }

/**
 * What the filters by name mean in the log as it is now: those whose id is the text or whose name, as it is or once was,
 * contains it; whoever is called so later is not among them. An application is also meant by a part of a host that it leads
 * to, as the catalog has them now: with the events of every group that opens it. One statement, for a page waits for it.
 */
export async function meantBy(db: Queryable, tenantId: string, filter: NameFilter, withFacets: boolean): Promise<Meant> {
  const values: unknown[] = [tenantId];
  const asked = (['person', 'group', 'application'] as const).flatMap((name) => (filter[name] ? [{ name, text: filter[name].toLowerCase() }] : []));
  const parts = asked.flatMap(({ name, text }) => {
    const [exact, like] = [`$${values.push(text)}`, `$${values.push(containing(text))}`];
    const inLog = `SELECT '${name}' AS of, role AS a, key AS b, NULL AS c, sum(events)::float8 AS events FROM ${NAMES} AS named
      WHERE role IN (${ROLES[name].map((role) => `'${role}'`).join(', ')}) AND (key = ${exact} OR lower(name) LIKE ${like}) GROUP BY role, key HAVING sum(events) > 0 LIMIT ${MOST}`;
    const opening = `SELECT '${name}' AS of, 'group' AS a, opening.key AS b, NULL AS c, coalesce(sum(named.events), 0)::float8 AS events FROM (
        SELECT DISTINCT s.group_id::text AS key FROM catalog_assignment AS s JOIN catalog_application AS p ON p.tenant_id = s.tenant_id AND p.service_principal_id = s.service_principal_id
        WHERE s.tenant_id = $1 AND (p.service_principal_id::text = ${exact} OR lower(p.display_name) LIKE ${like} OR EXISTS (SELECT 1 FROM jsonb_path_query(p.segments, '$[*].host') AS host WHERE lower(host #>> '{}') LIKE ${like}))
      ) AS opening LEFT JOIN ${NAMES} AS named ON named.role = 'group' AND named.key = opening.key GROUP BY opening.key`;
    return name === 'application' ? [inLog, opening] : [inLog];
  });
  if (withFacets) parts.push(`SELECT 'facet' AS of, kind AS a, result AS b, source AS c, events FROM (${COUNT_ALL}) AS facet`);
  if (parts.length === 0) return { names: {}, facets: undefined };
  const rows = await run<{ of: string; a: string; b: string; c: string; events: number }>(db, parts.map((part) => `(${part})`).join(' UNION ALL '), values);
  const found = Map.groupBy(rows, ({ of }) => of);
  return {
    names: Object.fromEntries(asked.map(({ name }) => [name, (found.get(name) ?? []).map(({ a, b, events }) => ({ role: a, key: b, events }))])),
    facets: withFacets ? (found.get('facet') ?? []).map(({ a, b, c, events }) => ({ kind: a, result: b, source: c, events })) : undefined,
  };
}

export const namesOf = async (db: Queryable, tenantId: string, filter: NameFilter): Promise<NamesMeant> => (await meantBy(db, tenantId, filter, false)).names;

/** One list for each filter that is set. */
export const listsOf = ({ person, group, application }: NamesMeant): (readonly Named[])[] => [person, group, application].filter((list) => list !== undefined);
