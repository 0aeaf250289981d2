import { graphRoutes } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { AuthenticationContext } from '../tenant.ts';
import { bad, bodyOf, BOTH, notFound, ONE_QUERY, param } from './common.ts';

const CONTEXTS = '/identity/conditionalAccess/authenticationContextClassReferences';
const CONTEXT = 'identity/conditionalAccess/authenticationContextClassReferences';
const READ = ['AuthenticationContext.Read.All', 'AuthenticationContext.ReadWrite.All', 'Policy.Read.ConditionalAccess'];
const WRITE = ['AuthenticationContext.ReadWrite.All', 'Policy.ReadWrite.ConditionalAccess'];
const WRITERS = ['Conditional Access Administrator', 'Security Administrator', 'Global Administrator'];

/** One policy a context: a second factor. */
const policyFor = ({ id, displayName }: AuthenticationContext): Readonly<Record<string, unknown>> => ({
  id: `00000000-0000-4000-8000-0000000000${id.slice(1).padStart(2, '0')}`, displayName: `${displayName} asks for a second factor`, state: 'enabled',
  conditions: { applications: { includeApplications: [], excludeApplications: [], includeUserActions: [], includeAuthenticationContextClassReferences: [id] }, users: { includeUsers: ['All'], excludeUsers: [] }, clientAppTypes: ['all'] },
  grantControls: { operator: 'OR', builtInControls: ['mfa'], customAuthenticationFactors: [], termsOfUse: [] }, sessionControls: null,
});

/** Conditional Access, as far as PIM leans on it. */
export const conditionalAccessRoutes = graphRoutes([
  {
    method: 'GET', path: CONTEXTS, versions: BOTH, delegated: READ, application: READ, query: ['$filter', '$select', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, call.tenant.authenticationContexts.map((one) => ({ ...one })), { context: CONTEXT, filterable: ['id', 'displayName', 'isAvailable'] }),
  },
  {
    method: 'GET', path: `${CONTEXTS}/{id}`, versions: BOTH, delegated: READ, application: READ, query: ONE_QUERY,
    handle(call) {
      const found = call.tenant.authenticationContexts.find(({ id }) => id === param(call, 'id'));
      if (!found) throw notFound(param(call, 'id'));
      return single(call, { ...found }, CONTEXT);
    },
  },
  {
    method: 'PATCH', path: `${CONTEXTS}/{id}`, versions: BOTH, delegated: WRITE, application: WRITE, roles: { anyOf: WRITERS },
    handle(call) {
      const id = param(call, 'id');
      if (!/^c[1-9]\d?$/.test(id)) throw bad('The id of an authentication context is one of c1 to c99.');
      const values = bodyOf(call, ['displayName', 'description', 'isAvailable'], 'authenticationContextClassReference');
      const found = call.tenant.authenticationContexts.find((one) => one.id === id);
      const { displayName = found?.displayName, description = found?.description ?? '', isAvailable = found?.isAvailable ?? false } = values;
      if (typeof displayName !== 'string' || displayName === '' || typeof description !== 'string' || typeof isAvailable !== 'boolean') throw bad('An authentication context has a displayName, a description and isAvailable.');
      const next = { id, displayName, description, isAvailable };
      if (found) Object.assign(found, next);
      else call.tenant.authenticationContexts.push(next);
      return { status: 204 };
    },
  },
  {
    method: 'GET', path: '/identity/conditionalAccess/policies', versions: BOTH, delegated: ['Policy.Read.All'], application: ['Policy.Read.All'], query: ['$filter', '$select', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, call.tenant.authenticationContexts.filter(({ isAvailable }) => isAvailable).map(policyFor), { context: 'identity/conditionalAccess/policies', filterable: ['id', 'displayName', 'state'] }),
  },
]);
