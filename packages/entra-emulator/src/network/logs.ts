import { sevenDecimals } from '../audits.ts';
import { BETA, notFound, param } from '../directory/common.ts';
import { segmentTakes } from '../directory/destinations.ts';
import { checkOperators, filterableNames, type Filterable } from '../filters.ts';
import { GraphRefusal, graphRoutes, type GraphCall } from '../graph/route.ts';
import { licencesOf } from '../licences.ts';
import { listAnswer, single } from '../odata.ts';
import { TRAFFIC_KEPT_MS, type Visit } from './traffic.ts';

const READING = {
  versions: BETA, delegated: ['NetworkAccess-Reports.Read.All', 'NetworkAccess.ReadWrite.All'], application: ['NetworkAccess-Reports.Read.All', 'NetworkAccess.ReadWrite.All'],
  roles: { anyOf: ['Global Secure Access Administrator', 'Security Administrator', 'Global Reader', 'Reports Reader', 'Global Administrator'] },
} as const;
const QUERY = ['$filter', '$orderby', '$select', '$top', '$skiptoken'] as const;
const PAGES = { defaultTop: 1000, maxTop: 1000 } as const;

const FILTERABLE: Filterable = {
  createdDateTime: 'eq ge le', userId: 'eq', userPrincipalName: 'eq startswith', trafficType: 'eq', action: 'eq', destinationFQDN: 'eq startswith', destinationIp: 'eq', destinationPort: 'eq', connectionId: 'eq',
  transactionId: 'eq', deviceId: 'eq', operationStatus: 'eq', transportProtocol: 'eq',
};
const CONNECTION_FILTERABLE: Filterable = {
  createdDateTime: 'eq ge le', userId: 'eq', userPrincipalName: 'eq startswith', trafficType: 'eq', destinationFqdn: 'eq startswith', destinationIp: 'eq', destinationPort: 'eq', status: 'eq', deviceId: 'eq',
};

/** How long a connection of a demo lasts. */
const OPEN_MS = 60_000;
const isAddress = (host: string): boolean => /^[\d.]+$/.test(host);

/** What the logs show now. How they refuse a tenant without a licence is not published: this is the words of the other reports. */
function visible({ tenant, now }: GraphCall): Visit[] {
  if (!licencesOf(tenant).privateAccess) throw new GraphRefusal(403, 'Authentication_RequestFromNonPremiumTenantOrB2CTenant', "Neither tenant is B2C or tenant doesn't have premium license");
  return (tenant.visits ?? [])
    .filter(({ createdDateTime, visibleAt }) => new Date(visibleAt) <= now && now.getTime() - Date.parse(createdDateTime) <= TRAFFIC_KEPT_MS)
    .toReversed().toSorted((a, b) => (a.createdDateTime < b.createdDateTime ? 1 : a.createdDateTime > b.createdDateTime ? -1 : 0));
}

function common(call: GraphCall, visit: Visit): Record<string, unknown> {
  const { tenant } = call;
  const user = tenant.users.find(({ id }) => id === visit.userId);
  const application = tenant.applications.find(({ appId }) => appId === visit.appId);
  const connectors = tenant.connectorGroups.find((group) => (application?.connectorGroupId === null || application === undefined ? group.isDefault : group.id === application.connectorGroupId));
  const connector = connectors?.connectors.find(({ status }) => status === 'active');
  const segment = application?.segments.find((one) => segmentTakes(one, visit.host, visit.port));
  return {
    createdDateTime: sevenDecimals(new Date(visit.createdDateTime)), tenantId: tenant.id, userId: visit.userId, userPrincipalName: user?.userPrincipalName ?? null,
    trafficType: 'private', transportProtocol: 'tcp', networkProtocol: 'ipv4', agentVersion: '2.8.45.0', deviceCategory: 'client', deviceId: visit.userId, deviceOperatingSystem: 'Windows 11', deviceOperatingSystemVersion: '10.0.22631',
    destinationIp: isAddress(visit.host) ? visit.host : null, destinationPort: visit.port, sourceIp: '203.0.113.24', sourcePort: 52_044, initiatingProcessName: 'msedge.exe', popProcessingRegion: 'Frankfurt',
    sentBytes: visit.allowed ? 4_096 : 0, receivedBytes: visit.allowed ? 65_536 : 0,
    applicationSnapshot: visit.appId === null ? null : { appId: visit.appId },
    privateAccessDetails: {
      accessType: application?.onPremisesPublishing?.applicationType === 'quickaccessapp' ? 'quickAccess' : 'privateAccess', appSegmentId: segment?.id ?? null,
      connectorId: visit.allowed ? connector?.id ?? null : null, connectorName: visit.allowed ? connector?.machineName ?? null : null, connectorIp: visit.allowed ? connector?.externalIp ?? null : null,
      connectionStatus: statusOf(call, visit), processingRegion: 'Frankfurt', thirdPartyTokenDetails: null,
    },
  };
}

const statusOf = ({ now }: GraphCall, { allowed, createdDateTime }: Visit): string => (allowed && now.getTime() - Date.parse(createdDateTime) < OPEN_MS ? 'active' : 'closed');

const trafficView = (call: GraphCall, visit: Visit): Record<string, unknown> => ({
  ...common(call, visit), transactionId: visit.transactionId, connectionId: visit.connectionId, action: visit.allowed ? 'allow' : 'block', operationStatus: visit.allowed ? 'success' : 'failure',
  destinationFQDN: isAddress(visit.host) ? null : visit.host, destinationUrl: null, policyId: null, policyName: null, policyRuleId: null, policyRuleName: null, resourceTenantId: call.tenant.id,
});

const connectionView = (call: GraphCall, visit: Visit): Record<string, unknown> => {
  const begun = Date.parse(visit.createdDateTime);
  const status = statusOf(call, visit);
  return {
    ...common(call, visit), id: visit.connectionId, destinationFqdn: isAddress(visit.host) ? null : visit.host, status, transactionCount: 1, transactionBlockCount: 0,
    lastUpdateDateTime: sevenDecimals(new Date(Math.min(call.now.getTime(), begun + OPEN_MS))), endDateTime: status === 'closed' ? sevenDecimals(new Date(begun + OPEN_MS)) : null,
  };
};

function found<T>(call: GraphCall, views: readonly T[], is: (view: T) => boolean): T {
  const view = views.find(is);
  if (!view) throw notFound(param(call, 'id'));
  return view;
}

/** What the clients of Global Secure Access did: every transaction, and the connections that were let through. Newest first. */
export const networkLogRoutes = graphRoutes([
  {
    method: 'GET', path: '/networkAccess/logs/traffic', ...READING, query: QUERY,
    handle(call) {
      checkOperators(call.query['$filter'], FILTERABLE);
      return listAnswer(call, visible(call).map((visit) => trafficView(call, visit)), { context: 'networkAccess/logs/traffic', filterable: filterableNames(FILTERABLE), ...PAGES });
    },
  },
  {
    method: 'GET', path: '/networkAccess/logs/traffic/{id}', ...READING, query: ['$select'],
    handle: (call) => single(call, trafficView(call, found(call, visible(call), ({ transactionId }) => transactionId === param(call, 'id'))), 'networkAccess/logs/traffic'),
  },
  {
    method: 'GET', path: '/networkAccess/logs/connections', ...READING, query: QUERY,
    handle(call) {
      checkOperators(call.query['$filter'], CONNECTION_FILTERABLE);
      const views = visible(call).filter(({ allowed }) => allowed).map((visit) => connectionView(call, visit));
      return listAnswer(call, views, { context: 'networkAccess/logs/connections', filterable: filterableNames(CONNECTION_FILTERABLE), ...PAGES });
    },
  },
  {
    method: 'GET', path: '/networkAccess/logs/connections/{id}', ...READING, query: ['$select'],
    handle: (call) => single(call, connectionView(call, found(call, visible(call), ({ allowed, connectionId }) => allowed && connectionId === param(call, 'id'))), 'networkAccess/logs/connections'),
  },
  {
    // Remote networks carry no Private Access, and this tenant has none.
    method: 'GET', path: '/networkAccess/logs/remoteNetworks', ...READING, query: QUERY,
    handle: (call) => listAnswer(call, [], { context: 'networkAccess/logs/remoteNetworks', filterable: ['createdDateTime'], ...PAGES }),
  },
  {
    method: 'GET', path: '/networkAccess/logs/remoteNetworks/{id}', ...READING,
    handle: (call) => { throw notFound(param(call, 'id')); },
  },
]);
