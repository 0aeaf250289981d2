import { graphRoutes, type GraphCall } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { ConnectorGroup } from '../tenant.ts';
import { BETA, notFound, ONE_QUERY, param, sameId } from './common.ts';
import { applicationView, connectorGroupView } from './views.ts';

const GROUPS = '/onPremisesPublishingProfiles/{profile}/connectorGroups';
/** Connectors are read by people alone, and with the right to write everything: Graph has no lesser one. */
const GRANTS = { versions: BETA, delegated: ['Directory.ReadWrite.All'], application: null } as const;
const QUERY = ['$select', '$top', '$skiptoken'] as const;

function checkProfile(call: GraphCall): void {
  if (!sameId(param(call, 'profile'), 'applicationProxy')) throw notFound(param(call, 'profile'));
}

function connectorGroupOf(call: GraphCall): ConnectorGroup {
  checkProfile(call);
  const found = call.tenant.connectorGroups.find((group) => sameId(group.id, param(call, 'id')));
  if (!found) throw notFound(param(call, 'id'));
  return found;
}

/** Connector groups and what runs in them. */
export const connectorRoutes = graphRoutes([
  {
    method: 'GET', path: GROUPS, ...GRANTS, query: QUERY,
    handle(call) {
      checkProfile(call);
      return listAnswer(call, call.tenant.connectorGroups.map(connectorGroupView), { context: 'connectorGroups' });
    },
  },
  {
    method: 'GET', path: `${GROUPS}/{id}`, ...GRANTS, query: ONE_QUERY,
    handle: (call) => single(call, connectorGroupView(connectorGroupOf(call)), 'connectorGroups'),
  },
  {
    method: 'GET', path: `${GROUPS}/{id}/members`, ...GRANTS, query: QUERY,
    handle: (call) => listAnswer(call, connectorGroupOf(call).connectors.map((connector) => ({ ...connector })), { context: 'connectors' }),
  },
  {
    method: 'GET', path: `${GROUPS}/{id}/applications`, ...GRANTS, query: QUERY,
    handle(call) {
      const { id } = connectorGroupOf(call);
      return listAnswer(call, call.tenant.applications.filter((application) => application.connectorGroupId === id).map((application) => applicationView(application, { publishing: true })), { context: 'applications' });
    },
  },
  {
    method: 'GET', path: '/onPremisesPublishingProfiles/{profile}/connectors/{id}', ...GRANTS, query: ONE_QUERY,
    handle(call) {
      checkProfile(call);
      const connector = call.tenant.connectorGroups.flatMap(({ connectors }) => connectors).find(({ id }) => sameId(id, param(call, 'id')));
      if (!connector) throw notFound(param(call, 'id'));
      return single(call, { ...connector }, 'connectors');
    },
  },
  {
    method: 'GET', path: '/onPremisesPublishingProfiles/{profile}/connectors', ...GRANTS, query: QUERY,
    handle(call) {
      checkProfile(call);
      return listAnswer(call, call.tenant.connectorGroups.flatMap((group) => group.connectors.map((connector) => ({ ...connector }))), { context: 'connectors' });
    },
  },
]);
