import { graphRoutes, type GraphCall } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { ConnectorGroup, ForwardingProfile } from '../tenant.ts';
import { applicationEvent, property } from './audits.ts';
import { applicationOf, bad, BETA, bodyOf, BOTH, NETWORK_READERS, NETWORK_WRITERS, notFound, PROXY_WRITERS } from './common.ts';
import { applicationView, connectorGroupView, forwardingProfileView } from './views.ts';

/** Connectors are read and chosen by people alone, and with nothing less. */
const CONNECTORS = ['Directory.ReadWrite.All'];
const GROUPS = '/onPremisesPublishingProfiles/applicationProxy/connectorGroups';
const CONTEXTS = '/identity/conditionalAccess/authenticationContextClassReferences';
const READ_CONTEXTS = ['AuthenticationContext.Read.All', 'AuthenticationContext.ReadWrite.All', 'Policy.Read.ConditionalAccess', 'Policy.Read.All'];
const READ_NETWORK = ['NetworkAccess.Read.All', 'NetworkAccess.ReadWrite.All'];

/** Connectors, traffic forwarding, and the authentication contexts that Conditional Access knows. */
export const networkRoutes = graphRoutes([
  {
    method: 'GET', path: GROUPS, versions: BETA, delegated: CONNECTORS, application: null, query: ['$select', '$filter', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, call.tenant.connectorGroups.map(connectorGroupView), { context: 'onPremisesPublishingProfiles/connectorGroups', filterable: ['id', 'name', 'isDefault', 'region'] }),
  },
  {
    method: 'GET', path: `${GROUPS}/{connectorGroupId}`, versions: BETA, delegated: CONNECTORS, application: null, query: ['$select'],
    handle: (call) => single(call, connectorGroupView(connectorGroupOf(call, call.params['connectorGroupId'] ?? '')), 'onPremisesPublishingProfiles/connectorGroups'),
  },
  {
    method: 'GET', path: `${GROUPS}/{connectorGroupId}/members`, versions: BETA, delegated: CONNECTORS, application: null, query: ['$select', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, connectorGroupOf(call, call.params['connectorGroupId'] ?? '').connectors.map((connector) => ({ ...connector })), { context: 'connectors' }),
  },
  {
    method: 'GET', path: `${GROUPS}/{connectorGroupId}/applications`, versions: BETA, delegated: CONNECTORS, application: null, query: ['$select', '$top', '$skiptoken'],
    handle(call) {
      const { id } = connectorGroupOf(call, call.params['connectorGroupId'] ?? '');
      return listAnswer(call, call.tenant.applications.filter(({ connectorGroupId }) => connectorGroupId === id).map((one) => applicationView(one, { publishing: false })), { context: 'applications' });
    },
  },
  {
    method: 'GET', path: '/applications/{id}/connectorGroup', versions: BETA, delegated: CONNECTORS, application: null, query: ['$select'],
    handle: (call) => single(call, connectorGroupView(connectorGroupOf(call, applicationOf(call).connectorGroupId ?? '')), 'onPremisesPublishingProfiles/connectorGroups'),
  },
  {
    method: 'PUT', path: '/applications/{id}/connectorGroup/$ref', versions: BETA, delegated: CONNECTORS, application: null, roles: { anyOf: PROXY_WRITERS },
    handle(call) {
      const application = applicationOf(call);
      const reference = bodyOf(call, ['@odata.id'], 'reference')['@odata.id'];
      const id = typeof reference === 'string' ? /\/onPremisesPublishingProfiles\/applicationproxy\/connectorGroups(?:\/|\(')([^/']+)(?:'\))?$/i.exec(reference)?.[1] : undefined;
      if (id === undefined) throw bad("The request body does not contain a valid '@odata.id' reference.");
      if (application.onPremisesPublishing === null) throw bad('The application is not configured for application proxy or Private Access.');
      const group = connectorGroupOf(call, id);
      call.audit(applicationEvent('Update application', application, [property('ConnectorGroup', application.connectorGroupId, group.id)]));
      application.connectorGroupId = group.id;
      return { status: 204 };
    },
  },

  {
    method: 'GET', path: '/networkAccess/tenantStatus', versions: BETA, delegated: READ_NETWORK, application: READ_NETWORK, roles: { anyOf: NETWORK_READERS }, query: ['$select'],
    handle: (call) => ({ status: 200, body: { '@odata.context': `${call.base}/$metadata#networkAccess/tenantStatus/$entity`, onboardingStatus: 'onboarded', onboardingErrorMessage: null } }),
  },
  {
    method: 'GET', path: '/networkAccess/forwardingProfiles', versions: BETA, delegated: READ_NETWORK, application: READ_NETWORK, roles: { anyOf: NETWORK_READERS },
    query: ['$select', '$filter', '$count', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, call.tenant.forwardingProfiles.map(forwardingProfileView), { context: 'networkAccess/forwardingProfiles', filterable: ['id', 'name', 'trafficForwardingType', 'state'] }),
  },
  {
    method: 'GET', path: '/networkAccess/forwardingProfiles/{id}', versions: BETA, delegated: READ_NETWORK, application: READ_NETWORK, roles: { anyOf: NETWORK_READERS }, query: ['$select'],
    handle: (call) => single(call, forwardingProfileView(profileOf(call)), 'networkAccess/forwardingProfiles'),
  },
  {
    method: 'PATCH', path: '/networkAccess/forwardingProfiles/{id}', versions: BETA, delegated: ['NetworkAccess.ReadWrite.All'], application: ['NetworkAccess.ReadWrite.All'],
    roles: { anyOf: NETWORK_WRITERS },
    handle(call) {
      const profile = profileOf(call);
      const { state } = bodyOf(call, ['state'], 'ForwardingProfile');
      if (state !== 'enabled' && state !== 'disabled') throw bad("Invalid value specified for property 'state' of resource 'ForwardingProfile'.");
      Object.assign(profile, { state, lastModifiedDateTime: call.now.toISOString() });
      return { status: 204 };
    },
  },

  {
    method: 'GET', path: CONTEXTS, versions: BOTH, delegated: READ_CONTEXTS, application: READ_CONTEXTS, query: ['$select', '$filter', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, call.tenant.authenticationContexts.map((context) => ({ ...context })), { context: CONTEXTS.slice(1), filterable: ['id', 'displayName', 'isAvailable'] }),
  },
  {
    method: 'GET', path: `${CONTEXTS}/{id}`, versions: BOTH, delegated: READ_CONTEXTS, application: READ_CONTEXTS, query: ['$select'],
    handle(call) {
      const id = call.params['id'] ?? '';
      const context = call.tenant.authenticationContexts.find((one) => one.id === id);
      if (!context) throw notFound(id);
      return single(call, { ...context }, CONTEXTS.slice(1));
    },
  },
]);

function connectorGroupOf({ tenant }: GraphCall, id: string): ConnectorGroup {
  const group = tenant.connectorGroups.find((one) => one.id === id);
  if (!group) throw notFound(id);
  return group;
}

function profileOf(call: GraphCall): ForwardingProfile {
  const id = call.params['id'] ?? '';
  const profile = call.tenant.forwardingProfiles.find((one) => one.id === id);
  if (!profile) throw notFound(id);
  return profile;
}
