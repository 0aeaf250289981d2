import { graphRoutes, type GraphCall } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { ForwardingProfile } from '../tenant.ts';
import { bad, BETA, bodyOf, NETWORK_READERS, NETWORK_WRITERS, notFound, ONE_QUERY, param, sameId } from './common.ts';
import { forwardingProfileView } from './views.ts';

const READ = ['NetworkAccess.Read.All', 'NetworkAccess.ReadWrite.All'];
const READING = { versions: BETA, delegated: READ, application: READ, roles: { anyOf: NETWORK_READERS } } as const;

function profileOf(call: GraphCall): ForwardingProfile {
  const found = call.tenant.forwardingProfiles.find((profile) => sameId(profile.id, param(call, 'id')));
  if (!found) throw notFound(param(call, 'id'));
  return found;
}

/** Global Secure Access: whether the tenant uses it, and which traffic it forwards. */
export const globalSecureAccessRoutes = graphRoutes([
  {
    method: 'GET', path: '/networkAccess/tenantStatus', ...READING,
    handle: (call) => single(call, { onboardingStatus: 'onboarded', onboardingErrorMessage: null }, 'networkAccess/tenantStatus'),
  },
  {
    method: 'GET', path: '/networkAccess/forwardingProfiles', ...READING, query: ['$filter', '$select', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, call.tenant.forwardingProfiles.map((profile) => forwardingProfileView(profile, call.tenant)), { context: 'networkAccess/forwardingProfiles', filterable: ['trafficForwardingType', 'state', 'name'] }),
  },
  {
    method: 'GET', path: '/networkAccess/forwardingProfiles/{id}', ...READING, query: ONE_QUERY,
    handle: (call) => single(call, forwardingProfileView(profileOf(call), call.tenant), 'networkAccess/forwardingProfiles'),
  },
  {
    method: 'PATCH', path: '/networkAccess/forwardingProfiles/{id}', versions: BETA, delegated: ['NetworkAccess.ReadWrite.All'], application: ['NetworkAccess.ReadWrite.All'], roles: { anyOf: NETWORK_WRITERS },
    handle(call) {
      const profile = profileOf(call);
      const { state } = bodyOf(call, ['state'], 'forwardingProfile');
      if (state !== 'enabled' && state !== 'disabled') throw bad(`Invalid value specified for property 'state' of resource 'forwardingProfile'.`);
      profile.state = state;
      profile.lastModifiedDateTime = call.now.toISOString();
      return { status: 204 };
    },
  },
]);
