import type { Tx } from '@gatehouse/db';
import type { Measured } from './readiness.rules.ts';

/**
 * How long the stages of a group's activations took since an instant. Provisioning is told by the mirror, in Entra's own
 * time: from the request, or from its approval. Until the directory shows a membership only the portal's own rows tell.
 * What was asked for a later start waited for that and not for PIM; of a request made elsewhere only the start that PIM
 * told of says so. Percentiles are times that occurred (`disc`), so that "19 of 20 took no longer" is true of few, too.
 */
export async function usualTimes(db: Tx, tenantId: string, groupId: string, since: Date): Promise<readonly Measured[]> {
  return db.$queryRaw<Measured[]>`
    WITH took AS (
      SELECT 'provisioning' AS stage, extract(epoch FROM a.provisioned_at - coalesce(a.decided_at, a.requested_at)) AS seconds
      FROM activation AS a
      LEFT JOIN access_request AS r ON r.tenant_id = a.tenant_id AND r.entra_request_id = a.request_id AND r.action = 'activate'
      WHERE a.tenant_id = ${tenantId}::uuid AND a.group_id = ${groupId} AND a.requested_at >= ${since} AND a.provisioned_at >= coalesce(a.decided_at, a.requested_at)
        AND NOT coalesce(r.starts_at > r.created_at + interval '1 minute', a.starts_at > coalesce(a.decided_at, a.requested_at) + interval '10 minutes', false)
      UNION ALL
      SELECT 'membership', extract(epoch FROM member_at - provisioned_at)
      FROM access_request
      WHERE tenant_id = ${tenantId}::uuid AND group_id = ${groupId}::uuid AND action = 'activate' AND created_at >= ${since} AND member_at >= provisioned_at
    )
    SELECT stage, count(*)::int AS count, percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds)::float8 AS p50, percentile_disc(0.95) WITHIN GROUP (ORDER BY seconds)::float8 AS p95
    FROM took GROUP BY stage`;
}
