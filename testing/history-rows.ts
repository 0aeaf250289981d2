import type { Connection } from '@gatehouse/db';

/**
 * A log of so many events made in SQL, the same each time: over so many months up to the end of March 2026, of a thousand
 * people and two hundred groups, most of them PIM's own, and an activation for every fifth. Each of a few is rare.
 */
export async function fillHistory(connection: Pick<Connection, 'query'>, { tenantId, events, months, from = 0 }: { readonly tenantId: string; readonly events: number; readonly months: number; readonly from?: number }): Promise<void> {
  await connection.query(`SELECT ensure_audit_partition((date '2026-03-01' - make_interval(months => m))::date) FROM generate_series(0, $1 - 1) AS m`, [months]);
  await connection.query(
    `INSERT INTO audit_event (tenant_id, source, event_id, activity_at, activity_at_raw, activity, kind, service, result, result_reason, actor_id, actor_name, subject_id, subject_name, group_id, group_name, application_id, application_name, request_id, correlation_id, raw, ingested_at, batch_id, ordinal)
     SELECT $1, CASE WHEN i % 50 = 0 THEN 'portal' ELSE 'directory' END, 'e' || lpad(i::text, 9, '0'), at, at::text, 'Activity ' || k, k, CASE WHEN i % 50 = 0 THEN 'Gatehouse' ELSE 'PIM' END,
       CASE WHEN i % 997 = 0 THEN 'failure' ELSE 'success' END, CASE i % 5 WHEN 0 THEN 'Month-end close ' || i WHEN 1 THEN 'Look into INC-' || i ELSE NULL END,
       CASE i % 5 WHEN 2 THEN NULL ELSE 'p' || p END, CASE i % 5 WHEN 2 THEN 'MS-PIM' ELSE 'Person ' || p END, 'p' || p, 'Person ' || p, 'g' || g, 'Group ' || g || ' SecureAccess', CASE WHEN i % 11 = 0 THEN 'a' || i % 40 END, CASE WHEN i % 11 = 0 THEN 'Application ' || i % 40 END,
       'r' || i / 5, 'c' || i / 5, '{"id":"e' || i || '","additionalDetails":[{"key":"TicketNumber","value":"T' || i / 5 || '"}],"padding":"' || repeat('x', 400) || '"}', at, 1, i
     FROM generate_series($2::bigint, $3::bigint - 1) AS i,
       LATERAL (SELECT timestamptz '2026-03-31 00:00:00Z' - make_interval(secs => ((i::float8 * 0.618033988749895) - floor(i::float8 * 0.618033988749895)) * 86400 * 29.5 * $4::int) AS at, hashint8(i / 5) & 1023 AS p, hashint8(i / 5 + 7) & 255 AS g,
         CASE WHEN i % 2003 = 0 THEN 'denied' ELSE (ARRAY['activation-requested', 'activated', 'member-added', 'expired', 'member-removed'])[i % 5 + 1] END AS k) AS made`,
    [tenantId, from, from + events, months]);
  await connection.query(
    `INSERT INTO activation (tenant_id, request_id, principal_id, principal_name, group_id, group_name, status, requested_at, justification, ticket_number, decided_by_id, decided_by, decided_at, provisioned_at, ended_at, ended_how)
     SELECT $1, 'r' || i, 'p' || p, 'Person ' || p, 'g' || g, 'Group ' || g || ' SecureAccess', CASE WHEN i % 97 = 0 THEN 'denied' ELSE 'ended' END, at, 'Month-end close ' || i, 'T' || i, 'p' || i % 20, 'Person ' || i % 20, at + interval '1 minute',
       CASE WHEN i % 97 = 0 THEN NULL ELSE at + interval '2 minutes' END, CASE WHEN i % 97 = 0 THEN NULL ELSE at + interval '32 minutes' END, CASE WHEN i % 97 = 0 THEN NULL ELSE 'expired' END
     FROM generate_series($2::bigint / 5, ($3::bigint - 1) / 5) AS i,
       LATERAL (SELECT timestamptz '2026-03-31 00:00:00Z' - make_interval(secs => ((i::float8 * 0.618033988749895) - floor(i::float8 * 0.618033988749895)) * 86400 * 29.5 * $4::int) AS at, hashint8(i) & 1023 AS p, hashint8(i + 7) & 255 AS g) AS made
     ON CONFLICT DO NOTHING`, [tenantId, from, from + events, months]);
}

/** Takes the indexes of the log away, and gives what makes them again: ten million rows come in far sooner without. */
export async function withoutIndexes(connection: Pick<Connection, 'query'>): Promise<() => Promise<void>> {
  const { rows } = await connection.query<{ name: string; definition: string }>(`SELECT c.relname AS name, pg_get_indexdef(c.oid) AS definition FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid = 'audit_event'::regclass AND NOT i.indisprimary`);
  await connection.query(rows.map(({ name }) => `DROP INDEX ${name}`).join('; '));
  await connection.query(`SET maintenance_work_mem = '1GB'`);
  return async () => { for (const { definition } of rows) await connection.query(definition.replace(' ON ONLY ', ' ON ')); };
}
