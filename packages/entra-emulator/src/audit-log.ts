import { sevenDecimals } from './audits.ts';
import { within } from './delays.ts';
import { policiesOf } from './directory/policies.ts';
import { checkOperators, filterableNames, type Filterable } from './filters.ts';
import { GraphRefusal, graphRoutes, type GraphCall } from './graph/route.ts';
import { listAnswer } from './odata.ts';
import type { SignIn } from './tenant.ts';

const BOTH = ['v1.0', 'beta'] as const;
const READ = ['AuditLog.Read.All'];
const ROLES = ['Reports Reader', 'Security Reader', 'Security Administrator', 'Global Reader', 'Global Administrator'];
const SIGN_IN_ROLES = [...ROLES, 'Security Operator'];

const AUDIT_FILTERABLE: Filterable = {
  activityDateTime: 'eq ge le', activityDisplayName: 'eq startswith', loggedByService: 'eq', category: 'eq', correlationId: 'eq', result: 'eq', id: 'eq',
  'initiatedBy/user/id': 'eq', 'initiatedBy/user/displayName': 'eq', 'initiatedBy/user/userPrincipalName': 'eq startswith', 'initiatedBy/app/appId': 'eq', 'initiatedBy/app/displayName': 'eq',
  'targetResources/id': 'eq', 'targetResources/displayName': 'eq startswith',
};
const SIGN_IN_FILTERABLE: Filterable = {
  id: 'eq', createdDateTime: 'eq ge le', userDisplayName: 'eq startswith', userPrincipalName: 'eq startswith', userId: 'eq', appId: 'eq', appDisplayName: 'eq startswith', ipAddress: 'eq startswith',
  clientAppUsed: 'eq', correlationId: 'eq', conditionalAccessStatus: 'eq', resourceDisplayName: 'eq', resourceId: 'eq', 'status/errorCode': 'eq', riskState: 'eq', riskLevelDuringSignIn: 'eq',
  'deviceDetail/browser': 'eq startswith', 'deviceDetail/operatingSystem': 'eq startswith', 'location/city': 'eq startswith', 'location/countryOrRegion': 'eq startswith',
};

/** Address from which everybody seems to come, as in the audit log (RFC 5737, for documentation). */
const IP_ADDRESS = '203.0.113.24';

/** The policies that were asked at a sign-in are for who may read policies. */
const mayReadPolicies = ({ caller }: GraphCall): boolean => (caller.kind === 'user' ? caller.scopes : caller.roles).some((one) => one === 'Policy.Read.All' || one === 'Policy.Read.ConditionalAccess');

function signInView(call: GraphCall, { id, correlationId, createdDateTime, userId, appId, errorCode, failureReason, acrs }: SignIn): Readonly<Record<string, unknown>> & { readonly createdDateTime: string } {
  const { tenant } = call;
  const user = tenant.users.find((one) => one.id === userId);
  const application = tenant.servicePrincipals.find((one) => one.appId === appId);
  const policies = policiesOf(tenant).map(({ id: policyId, displayName, state, conditions, grantControls }) => {
    const meant = state === 'enabled' && errorCode === 0 && conditions.applications.includeAuthenticationContextClassReferences.some((one) => acrs.includes(one));
    return { id: policyId, displayName, enforcedGrantControls: meant ? grantControls?.builtInControls ?? [] : [], enforcedSessionControls: [], result: meant ? 'success' : state === 'enabled' ? 'notApplied' : 'notEnabled' };
  });
  return {
    id, createdDateTime: sevenDecimals(new Date(createdDateTime)), userDisplayName: user?.displayName ?? null, userPrincipalName: user?.userPrincipalName ?? null, userId,
    appId, appDisplayName: application?.displayName ?? null, ipAddress: IP_ADDRESS, clientAppUsed: 'Browser', correlationId,
    conditionalAccessStatus: policies.some(({ result }) => result === 'success') ? 'success' : 'notApplied', isInteractive: true,
    riskDetail: 'none', riskLevelAggregated: 'none', riskLevelDuringSignIn: 'none', riskState: 'none', riskEventTypes: [], riskEventTypes_v2: [],
    resourceDisplayName: 'Microsoft Graph', resourceId: '00000003-0000-0000-c000-000000000000',
    status: { errorCode, failureReason: failureReason ?? 'Other.', additionalDetails: null },
    deviceDetail: { deviceId: '', displayName: '', operatingSystem: 'Windows10', browser: 'Edge', isCompliant: null, isManaged: null, trustType: '' },
    location: { city: 'Frankfurt am Main', state: 'Hessen', countryOrRegion: 'DE', geoCoordinates: { altitude: null, latitude: 50.11, longitude: 8.68 } },
    appliedConditionalAccessPolicies: mayReadPolicies(call) ? policies : [],
  };
}

const RETENTION_MS = 30 * 24 * 60 * 60_000;

/** A sign-in shows as late as any other event, at times after one that came later, and for 30 days. */
const visibleSignIns = ({ tenant, delays, now }: GraphCall): readonly SignIn[] => (tenant.signIns ?? []).filter(({ id, createdDateTime }) => {
  const age = now.getTime() - Date.parse(createdDateTime);
  return age >= within(delays.auditVisible, () => id) && age <= RETENTION_MS;
});

const absent = (id: string | undefined): GraphRefusal => new GraphRefusal(404, 'ResourceNotFound', `Resource '${String(id)}' does not exist.`);
const newestFirst = <T extends { readonly [name in K]: string }, K extends string>(entries: readonly T[], name: K): T[] => entries.toSorted((a, b) => (a[name] < b[name] ? 1 : a[name] > b[name] ? -1 : 0));

export const auditRoutes = graphRoutes([
  {
    method: 'GET', path: '/auditLogs/directoryAudits', versions: BOTH, delegated: READ, application: READ, roles: { anyOf: ROLES }, query: ['$filter', '$top', '$orderby', '$skiptoken', '$select'],
    handle: (call) => {
      checkOperators(call.query['$filter'], AUDIT_FILTERABLE);
      const visible = call.tenant.directoryAudits.filter(({ visibleAt }) => new Date(visibleAt) <= call.now).map(({ entry }) => entry);
      // Newest first unless asked otherwise, as the service answers.
      return listAnswer(call, newestFirst(visible, 'activityDateTime'), { context: 'auditLogs/directoryAudits', defaultTop: 1000, maxTop: 1000, filterable: filterableNames(AUDIT_FILTERABLE) });
    },
  },
  {
    method: 'GET', path: '/auditLogs/directoryAudits/{id}', versions: BOTH, delegated: READ, application: READ, roles: { anyOf: ROLES },
    handle: (call) => {
      const found = call.tenant.directoryAudits.find(({ entry, visibleAt }) => entry.id === call.params['id'] && new Date(visibleAt) <= call.now);
      if (!found) throw absent(call.params['id']);
      return { status: 200, body: found.entry };
    },
  },
  {
    method: 'GET', path: '/auditLogs/signIns', versions: BOTH, delegated: READ, application: READ, roles: { anyOf: SIGN_IN_ROLES }, query: ['$filter', '$top', '$skiptoken'],
    handle: (call) => {
      checkOperators(call.query['$filter'], SIGN_IN_FILTERABLE);
      const entries = visibleSignIns(call).map((one) => signInView(call, one));
      return listAnswer(call, newestFirst(entries, 'createdDateTime'), { context: 'auditLogs/signIns', defaultTop: 1000, maxTop: 1000, filterable: filterableNames(SIGN_IN_FILTERABLE) });
    },
  },
  {
    method: 'GET', path: '/auditLogs/signIns/{id}', versions: BOTH, delegated: READ, application: READ, roles: { anyOf: SIGN_IN_ROLES },
    handle: (call) => {
      const found = visibleSignIns(call).find(({ id }) => id === call.params['id']);
      if (!found) throw absent(call.params['id']);
      return { status: 200, body: { '@odata.context': `${call.base}/$metadata#auditLogs/signIns/$entity`, ...signInView(call, found) } };
    },
  },
]);
