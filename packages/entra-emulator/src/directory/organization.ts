import { graphRoutes, type GraphCall } from '../graph/route.ts';
import { licencesOf } from '../licences.ts';
import { listAnswer, single } from '../odata.ts';
import { BOTH, notFound, ONE_QUERY, param, sameId } from './common.ts';

const READ = ['Organization.Read.All', 'Organization.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All', 'User.Read.All'];
const SKUS = ['LicenseAssignment.Read.All', 'Organization.Read.All', 'Organization.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];

const PLANS = [
  { of: 'pim', service: 'AADPremiumService', servicePlanId: 'eec0eb4f-6444-4f95-aba0-50c24d67f998', servicePlanName: 'AAD_PREMIUM_P2' },
  { of: 'privateAccess', service: 'NetworkAccess', servicePlanId: 'f057aab1-b184-49b2-85c0-881b02a405c5', servicePlanName: 'Entra_Premium_Private_Access' },
] as const;
const plansOf = ({ tenant }: GraphCall) => PLANS.filter(({ of }) => licencesOf(tenant)[of]);
const SUITE = 'f9602137-2203-447b-9fff-41b36e08ce5d';

const organizationView = (call: GraphCall, { tenant } = call): Readonly<Record<string, unknown>> => ({
  id: tenant.id, deletedDateTime: null, displayName: tenant.displayName, tenantType: 'AAD', countryLetterCode: 'DE', businessPhones: [], technicalNotificationMails: [],
  verifiedDomains: [{ capabilities: 'Email, OfficeCommunicationsOnline', isDefault: true, isInitial: true, name: tenant.domain, type: 'Managed' }],
  assignedPlans: plansOf(call).map(({ service, servicePlanId }) => ({ assignedDateTime: '2025-01-01T00:00:00Z', capabilityStatus: 'Enabled', service, servicePlanId })),
});

/** The tenant itself and its licences. */
export const organizationRoutes = graphRoutes([
  {
    method: 'GET', path: '/organization', versions: BOTH, delegated: ['User.Read', ...READ], application: READ, query: ONE_QUERY,
    handle: (call) => listAnswer(call, [organizationView(call)], { context: 'organization' }),
  },
  {
    method: 'GET', path: '/organization/{id}', versions: BOTH, delegated: ['User.Read', ...READ], application: READ, query: ONE_QUERY,
    handle(call) {
      if (!sameId(param(call, 'id'), call.tenant.id)) throw notFound(param(call, 'id'));
      return single(call, organizationView(call), 'organization');
    },
  },
  {
    method: 'GET', path: '/subscribedSkus', versions: BOTH, delegated: SKUS, application: SKUS, query: ONE_QUERY,
    // Without any of its plans the tenant has not bought the suite.
    handle: (call) => listAnswer(call, plansOf(call).length === 0 ? [] : [{
      id: `${call.tenant.id}_${SUITE}`, accountId: call.tenant.id, accountName: call.tenant.displayName, skuId: SUITE, skuPartNumber: 'Microsoft_Entra_Suite', appliesTo: 'User', capabilityStatus: 'Enabled',
      consumedUnits: call.tenant.users.filter((user) => user.userType === 'Member').length, prepaidUnits: { enabled: 100, suspended: 0, warning: 0, lockedOut: 0 }, subscriptionIds: [],
      servicePlans: plansOf(call).map(({ servicePlanId, servicePlanName }) => ({ servicePlanId, servicePlanName, provisioningStatus: 'Success', appliesTo: 'User' })),
    }], { context: 'subscribedSkus' }),
  },
]);
