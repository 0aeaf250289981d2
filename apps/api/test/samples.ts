import { PROPOSED_ROLE_SETTINGS, type Endpoint } from '@gatehouse/contracts';
import type { Database } from '@gatehouse/db';
import { inTransaction, withConnection } from '../src/mirror/database.ts';
import type { Client, Reply } from './client.ts';

/** An id that is well formed and nobody's. */
export const UNKNOWN = 'ffffffff-1111-4111-8111-ffffffffffff';

const definition = {
  group: { kind: 'new', displayName: 'Matrix-Nobody-SecureAccess', mailNickname: 'Matrix-Nobody-SecureAccess', description: '' },
  roleSettings: PROPOSED_ROLE_SETTINGS,
  eligible: [{ principalId: UNKNOWN, kind: 'user', displayName: 'Nobody', days: 30 }],
  applications: [{ kind: 'existing', servicePrincipalId: UNKNOWN, displayName: 'Nothing', applicationKind: 'per-app' }],
};

export interface Sample { readonly params?: Record<string, string>; readonly query?: string; readonly body?: unknown }

/** A well-formed request of each endpoint that needs more than its path. The authorisation matrix fails for one without a line here. */
export const SAMPLES: Readonly<Record<string, Sample>> = {
  SignIn: {}, SignInRedirect: {}, SignOut: { body: {} }, GetSession: {}, GetHealth: {}, GetReadiness: {}, GetMetrics: {}, GetOpenApi: {},
  AdvanceDemoClock: { body: { minutes: 1 } },
  BeginDeviceSignIn: { body: { deviceName: 'build-7' } }, ClaimDeviceSession: { body: { deviceCode: 'nobody-was-given-it' } },
  GetDeviceSignIn: { params: { userCode: 'BCDF-GHJK' } }, DecideDeviceSignIn: { params: { userCode: 'BCDF-GHJK' }, body: { decision: 'deny', personId: UNKNOWN } },
  ListSessions: {}, EndSession: { params: { sessionId: UNKNOWN }, body: {} }, EndOtherSessions: { body: {} },
  ListMyAccess: {},
  RequestActivation: { body: { groupId: UNKNOWN, minutes: 30, justification: 'Month-end close' } },
  RequestActivations: { body: { items: [{ groupId: UNKNOWN, minutes: 30 }], justification: 'Month-end close' } },
  CheckActivation: { body: { groupId: UNKNOWN, minutes: 30, justification: 'Month-end close' } },
  GetAccessRequest: { params: { requestId: UNKNOWN } }, GetRequestReadiness: { params: { requestId: UNKNOWN } },
  CancelAccessRequest: { params: { requestId: UNKNOWN }, body: {} },
  DeactivateAccess: { body: { groupId: UNKNOWN } },
  ListNotifications: {}, ResendNotification: { params: { notificationId: UNKNOWN }, body: {} },
  KeepGoing: { body: { groupId: UNKNOWN, minutes: 30, justification: 'Month-end close' } },
  ListEndingEligibilities: {}, AskForEligibility: { body: { groupId: UNKNOWN, days: 90, justification: 'Still on the rota' } }, CancelEligibilityRequest: { params: { requestId: UNKNOWN }, body: {} },
  ListOwnResidualAccess: {}, EndOwnResidualAccess: { body: { groupId: UNKNOWN } },
  ListCurrentAccess: {}, EndAccessNow: { body: { principalId: UNKNOWN, groupId: UNKNOWN, justification: 'Incident' } },
  FindAccess: { query: 'to=fin-rep.corp.contoso.example:443' },
  SetFavourite: { body: { groupId: UNKNOWN, favourite: true } }, SaveAccessSet: { body: { name: 'Month-end', groupIds: [UNKNOWN] } }, RemoveAccessSet: { params: { setId: UNKNOWN }, body: {} },
  ListApprovals: {},
  DecideApproval: { params: { approvalId: UNKNOWN }, body: { decision: 'approve', justification: 'Known work' } },
  ListSetups: {}, GetSetup: { params: { setupId: UNKNOWN } },
  PlanSetup: { body: { definition } }, ReadSetupFile: { body: { text: JSON.stringify(definition) } }, GetSetupSchema: {}, ExportSetup: { params: { setupId: UNKNOWN }, query: 'format=json' },
  CreateSetup: { body: { definition, digest: 'stale', irreversibleUnderstood: true } },
  ApplySetup: { params: { setupId: UNKNOWN }, body: { definition, digest: 'stale', irreversibleUnderstood: true, unchangedSince: '2026-03-02T09:00:00.000Z' } },
  GetRun: { params: { runId: UNKNOWN } }, ContinueRun: { params: { runId: UNKNOWN }, body: {} }, StopRun: { params: { runId: UNKNOWN }, body: {} }, WatchRun: { params: { runId: UNKNOWN } },
  ListDrift: {}, GetSetupDrift: { params: { setupId: UNKNOWN } }, CheckSetup: { params: { setupId: UNKNOWN }, body: {} }, CheckAllSetups: { body: {} },
  PlanRestore: { params: { setupId: UNKNOWN }, body: { keys: ['member-added:nobody'] } }, RestoreSetup: { params: { setupId: UNKNOWN }, body: { keys: ['member-added:nobody'], digest: 'stale', irreversibleUnderstood: true } }, AcceptDrift: { params: { setupId: UNKNOWN }, body: { keys: ['member-added:nobody'] } },
  GetSetupMatrix: {}, ExportSetups: {}, ListBatches: {},
  CreateBatch: { body: { fileName: 'setups.csv', format: 'csv', text: 'name,people,applications\nMatrix-Nobody-SecureAccess,nobody@contoso.example,Nothing\n' } },
  ChangeSetups: { body: { setupIds: [UNKNOWN], change: { requireTicket: true, activationMaxMinutes: 60 } } },
  GetBatch: { params: { batchId: UNKNOWN } }, GetBatchRow: { params: { batchId: UNKNOWN, ordinal: '0' } }, GetBatchFile: { params: { batchId: UNKNOWN }, query: 'rows=failed' },
  ApplyBatch: { params: { batchId: UNKNOWN }, body: { irreversibleUnderstood: true } }, ContinueBatch: { params: { batchId: UNKNOWN }, body: {} }, StopBatch: { params: { batchId: UNKNOWN }, body: {} },
  PlanUndo: { params: { runId: UNKNOWN }, body: {} }, UndoRun: { params: { runId: UNKNOWN }, body: { digest: 'stale', irreversibleUnderstood: true } },
  SearchPrincipals: { query: 'text=ana' }, SearchGroups: {}, GetGroupSettings: { params: { groupId: UNKNOWN } }, ListApplications: {}, ListConnectorGroups: {}, ListAuthenticationContexts: {},
  SearchEvents: {}, GetEvent: { params: { eventId: `directory:${UNKNOWN}` } }, SearchActivations: {}, GetActivation: { params: { requestId: UNKNOWN } }, ListHistoryNames: {}, GetExceptions: {}, CountEvents: {}, GetEventStatistics: {}, GetTimeline: { query: 'from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z' }, ListInsights: {},
  AskPointInTime: { query: `to=group:${UNKNOWN}&at=2026-03-01T12:00:00Z` }, ListPointInTimeTargets: {},
  DiagnoseMyPath: { query: 'to=fin-rep.corp.contoso.example:443' }, DiagnosePath: { params: { person: 'ben.novak@contoso.example' }, query: 'to=fin-rep.corp.contoso.example:443' },
  ListExports: {}, EstimateExport: {}, CreateExport: { body: { format: 'csv', filter: {} } }, GetExport: { params: { exportId: UNKNOWN } }, DownloadExport: { params: { exportId: UNKNOWN } },
  GetRetention: {}, SetRetention: { body: { source: 'directory', months: 84 } }, SetHold: { body: { reason: 'Case 7', fromMonth: null, toMonth: null } }, LiftHold: { params: { holdId: UNKNOWN }, body: {} },
  GetSync: {}, SyncNow: { body: {} }, ListOddRecords: { params: { source: 'directory' }, query: 'kind=defect' },
  GetLedger: {}, GetLedgerCheckpoint: {}, GetLedgerKeys: {}, GetLedgerTile: { params: { level: '0', index: '0' } }, GetLedgerConsistency: { query: 'from=1&to=2' }, GetEventProof: { params: { eventId: `directory:${UNKNOWN}` } }, ExportLedger: {},
};

/** Where the sample of the endpoint goes, without its query. */
export function pathOf(name: string, { path }: Endpoint): string {
  return path.replace(/:([A-Za-z]+)/g, (_all, key: string) => encodeURIComponent(SAMPLES[name]?.params?.[key] ?? ''));
}

export async function callSample(client: Pick<Client, 'get' | 'post'>, name: string, contract: Endpoint): Promise<Reply> {
  const sample = SAMPLES[name];
  if (!sample) throw new Error(`${name} has no sample request`);
  const path = pathOf(name, contract);
  return contract.method === 'GET' ? client.get(sample.query === undefined ? path : `${path}?${sample.query}`) : client.post(path, sample.body);
}

/** Every row of every table of ours, as one fingerprint; apart from sessions, for being seen is written down, and from the copy of what Entra says of a person. */
export async function fingerprint(db: Database): Promise<string> {
  return withConnection(db, (connection) => inTransaction(connection, async () => {
    // Tables that nobody has analysed yet look large enough for parallel workers, which take fifty times longer to start than these rows to read.
    await connection.query('SET LOCAL max_parallel_workers_per_gather = 0');
    // Prepared, for planning a statement of so many tables takes longer than running it: hundreds of tests ask twice.
    const { rows: tables } = await connection.query<{ name: string }>({ name: 'fingerprint tables', text: `
      SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relkind = 'r' AND NOT c.relispartition AND c.relname NOT IN ('session', 'token_partition', 'sign_in', 'own_access', 'own_access_item')
      UNION SELECT 'audit_event' ORDER BY 1` });
    // One statement, so that it is one moment, and quick enough to be taken around every refusal.
    const prints = tables.map(({ name }) => `SELECT '${name}' || ':' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '-') AS print FROM "${name}" t`);
    const { rows } = await connection.query<{ print: string }>({ name: 'fingerprint', text: prints.join(' UNION ALL ') });
    return rows.map(({ print }) => print).toSorted().join('\n');
  }));
}
