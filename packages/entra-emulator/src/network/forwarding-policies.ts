import { BETA, bad, bodyOf, denied, NETWORK_READERS, NETWORK_WRITERS, notFound, param, sameId } from '../directory/common.ts';
import { graphRoutes, type GraphCall } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { Application, ForwardingProfile } from '../tenant.ts';

const READING = { versions: BETA, delegated: ['NetworkAccess.Read.All', 'NetworkAccess.ReadWrite.All'], application: ['NetworkAccess.Read.All', 'NetworkAccess.ReadWrite.All'], roles: { anyOf: NETWORK_READERS } } as const;
const WRITING = { versions: BETA, delegated: ['NetworkAccess.ReadWrite.All'], application: ['NetworkAccess.ReadWrite.All'], roles: { anyOf: NETWORK_WRITERS } } as const;
const QUERY = ['$filter', '$select', '$expand', '$top', '$skiptoken'] as const;
const EXPANSIONS = ['policyRules', 'policy', 'policy($expand=policyRules)'];

/** A published application is a forwarding policy of the private profile; its id is the application's object id. */
const published = ({ tenant }: GraphCall): Application[] => tenant.applications.filter(({ onPremisesPublishing }) => onPremisesPublishing !== null);

const ruleViews = ({ segments, displayName }: Application): Record<string, unknown>[] => segments.map(({ id, destinationHost, destinationType }) => {
  const kind = destinationType === 'fqdn' || destinationType === 'dnsSuffix' ? 'fqdn' : destinationType === 'ipRangeCidr' ? 'ipSubnet' : destinationType;
  return {
    '@odata.type': '#microsoft.graph.networkaccess.privateAccessForwardingRule', id, name: `${displayName} ${destinationHost}`, ruleType: kind, action: 'forward', clientFallbackAction: 'block',
    destinations: [{ '@odata.type': `#microsoft.graph.networkaccess.${kind}`, value: destinationHost }],
  };
});

const policyView = (application: Application, withRules: boolean): Record<string, unknown> => ({
  '@odata.type': '#microsoft.graph.networkaccess.forwardingPolicy', id: application.id, name: application.displayName, description: '', version: '1.0.0', trafficForwardingType: 'private', privateAccessAppId: application.appId,
  ...(withRules && { policyRules: ruleViews(application) }),
});

/** The link of a policy to its profile has the policy's id with the profile's in front, so that it is found again. */
const linkView = (profile: ForwardingProfile, application: Application, expand: string): Record<string, unknown> => ({
  '@odata.type': '#microsoft.graph.networkaccess.forwardingPolicyLink', id: `${profile.id}_${application.id}`, state: profile.state, version: '1.0.0',
  ...(expand.startsWith('policy') && { policy: policyView(application, expand.includes('policyRules')) }),
});

function expansionOf({ query }: GraphCall): string {
  const expand = query['$expand'] ?? '';
  if (expand !== '' && !EXPANSIONS.includes(expand)) throw bad(`Could not find a property named '${expand}' to expand.`, 'BadRequest');
  return expand;
}

function policyOf(call: GraphCall): Application {
  const found = published(call).find(({ id }) => sameId(id, param(call, 'id')));
  if (!found) throw notFound(param(call, 'id'));
  return found;
}

function linksOf(call: GraphCall): Record<string, unknown>[] {
  const profile = call.tenant.forwardingProfiles.find(({ id }) => sameId(id, param(call, 'id')));
  if (!profile) throw notFound(param(call, 'id'));
  return profile.trafficForwardingType === 'private' ? published(call).map((application) => linkView(profile, application, expansionOf(call))) : [];
}

function one(call: GraphCall, views: readonly Record<string, unknown>[], name: string, context: string) {
  const found = views.find(({ id }) => sameId(String(id), param(call, name)));
  if (!found) throw notFound(param(call, name));
  return single(call, found, context);
}

/** Which destinations the client forwards, derived from what is published, and the state of Global Secure Access. */
export const forwardingPolicyRoutes = graphRoutes([
  {
    method: 'GET', path: '/networkAccess/forwardingPolicies', ...READING, query: QUERY,
    handle: (call) => listAnswer(call, published(call).map((application) => policyView(application, expansionOf(call) === 'policyRules')), { context: 'networkAccess/forwardingPolicies', filterable: ['trafficForwardingType', 'name', 'privateAccessAppId'] }),
  },
  {
    method: 'GET', path: '/networkAccess/forwardingPolicies/{id}', ...READING, query: ['$select', '$expand'],
    handle: (call) => single(call, policyView(policyOf(call), expansionOf(call) === 'policyRules'), 'networkAccess/forwardingPolicies'),
  },
  {
    method: 'GET', path: '/networkAccess/forwardingPolicies/{id}/policyRules', ...READING, query: ['$select', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, ruleViews(policyOf(call)), { context: 'networkAccess/forwardingPolicies/policyRules' }),
  },
  {
    method: 'GET', path: '/networkAccess/forwardingPolicies/{id}/policyRules/{ruleId}', ...READING, query: ['$select'],
    handle: (call) => one(call, ruleViews(policyOf(call)), 'ruleId', 'networkAccess/forwardingPolicies/policyRules'),
  },
  {
    method: 'GET', path: '/networkAccess/forwardingProfiles/{id}/policies', ...READING, query: QUERY,
    handle: (call) => listAnswer(call, linksOf(call), { context: 'networkAccess/forwardingProfiles/policies', filterable: ['state'] }),
  },
  {
    method: 'GET', path: '/networkAccess/forwardingProfiles/{id}/policies/{linkId}', ...READING, query: ['$select', '$expand'],
    handle: (call) => one(call, linksOf(call), 'linkId', 'networkAccess/forwardingProfiles/policies'),
  },
  {
    // Which applications the private profile forwards is not switched link by link here: an answer that took it would be untrue.
    method: 'PATCH', path: '/networkAccess/forwardingProfiles/{id}/policies/{linkId}', ...WRITING,
    handle(call) {
      bodyOf(call, ['state'], 'policyLink');
      one(call, linksOf(call), 'linkId', '');
      throw denied();
    },
  },
  {
    method: 'POST', path: '/networkAccess/microsoft.graph.networkaccess.onboard', ...WRITING,
    // The tenant is on board, and saying so again changes nothing.
    handle: () => ({ status: 202 }),
  },
  {
    method: 'GET', path: '/networkAccess/settings/conditionalAccess', ...READING, query: ['$select'],
    handle: (call) => single(call, { id: '00000000-0000-0000-0000-000000000000', signalingStatus: 'enabled' }, 'networkAccess/settings/conditionalAccess'),
  },
]);
