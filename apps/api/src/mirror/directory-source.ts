import type { Graph } from '@gatehouse/graph';
import type { Logger } from 'pino';
import { ingestRows, joinStale, readEvent, type EventRow } from './ingest.ts';
import type { Source } from './source.ts';
import { DAY } from './sync.rules.ts';

/** Name of Entra's audit log among the sources. */
export const DIRECTORY_SOURCE = 'directory';

/** Entra's audit log: what PIM and the directory write down. */
export function directorySource({ appGraph, log }: { readonly appGraph: Pick<Graph, 'audits'>; readonly log: Pick<Logger, 'warn'> }): Source<EventRow> {
  return {
    name: DIRECTORY_SOURCE,
    title: 'Microsoft Entra audit log',
    // P1 and P2.
    retentionMs: 30 * DAY,
    // Five in ten seconds.
    requestsADay: 43_200,
    judgesRecords: true,
    pageSize: 1_000,
    whenForbidden: 'Gatehouse is not allowed to read the audit log: grant it AuditLog.Read.All as an application permission, with admin consent.',
    page: (window, nextLink) => appGraph.audits.directoryAudits(window, nextLink),
    read: readEvent,
    ingest: (connection, batch) => ingestRows(connection, log, batch),
    settle: joinStale,
    async newest(connection, tenantId) {
      const { rows: [row] } = await connection.query<{ newest: Date | null }>(`SELECT max(activity_at) AS newest FROM audit_event WHERE tenant_id = $1 AND source = $2`, [tenantId, DIRECTORY_SOURCE]);
      return row?.newest ?? undefined;
    },
    async countByHour(connection, tenantId, { from, to }) {
      const { rows } = await connection.query<{ hour: string; count: number }>(
        `SELECT to_char(activity_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS hour, count(*)::int AS count FROM audit_event
         WHERE tenant_id = $1 AND source = $2 AND activity_at >= $3 AND activity_at <= $4 AND revision = 0 AND defect IS NULL GROUP BY 1`,
        [tenantId, DIRECTORY_SOURCE, from, to],
      );
      return new Map(rows.map(({ hour, count }) => [hour, count]));
    },
  };
}
