import type { Named, Role } from './search.rules.ts';
import { containing } from './history.rules.ts';
import { run, type Queryable } from './sql.ts';

/** More would not be looked for one by one. */
const MOST = 10_000;

const NAMES = `(SELECT role, key, name, events FROM log_name WHERE tenant_id = $1 UNION ALL SELECT named.role, named.key, named.name, 1 FROM log_unnamed AS u, names_of_batch(u) AS named WHERE u.tenant_id = $1)`;

/** Those in the log whose id is the text or whose name, as it is or once was, contains it. */
async function inRoles(db: Queryable, tenantId: string, roles: readonly Role[], text: string): Promise<Named[]> {
  return run<Named>(db, `SELECT role, key, sum(events)::float8 AS events FROM ${NAMES} AS named
    WHERE role = ANY ($2) AND (key = $3 OR lower(name) LIKE $4) GROUP BY role, key HAVING sum(events) > 0 LIMIT ${MOST}`, [tenantId, roles, text.toLowerCase(), containing(text.toLowerCase())]);
}

export const findPeople = (db: Queryable, tenantId: string, text: string): Promise<Named[]> => inRoles(db, tenantId, ['actor', 'subject'], text);
export const findGroups = (db: Queryable, tenantId: string, text: string): Promise<Named[]> => inRoles(db, tenantId, ['group'], text);

/** An application by its id, a part of its name, or a part of a host that it leads to, as the catalog has them now: events that name it, and those of every group that opens it. */
export async function findApplications(db: Queryable, tenantId: string, text: string): Promise<Named[]> {
  const named = await inRoles(db, tenantId, ['application'], text);
  const groups = await run<Named>(db, `SELECT 'group' AS role, opening.key, coalesce(sum(named.events), 0)::float8 AS events FROM (
      SELECT DISTINCT s.group_id::text AS key FROM catalog_assignment AS s JOIN catalog_application AS p ON p.tenant_id = s.tenant_id AND p.service_principal_id = s.service_principal_id
      WHERE s.tenant_id = $1 AND (p.service_principal_id::text = $2 OR lower(p.display_name) LIKE $3 OR EXISTS (SELECT 1 FROM jsonb_path_query(p.segments, '$[*].host') AS host WHERE lower(host #>> '{}') LIKE $3))
    ) AS opening LEFT JOIN ${NAMES} AS named ON named.role = 'group' AND named.key = opening.key GROUP BY opening.key`, [tenantId, text.toLowerCase(), containing(text.toLowerCase())]);
  return [...named, ...groups];
}

