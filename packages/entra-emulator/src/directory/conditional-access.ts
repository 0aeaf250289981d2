import { sevenDecimals } from '../audits.ts';
import { graphRoutes, type GraphCall } from '../graph/route.ts';
import { single } from '../odata.ts';
import type { ConditionalAccessPolicy } from '../tenant.ts';
import { collectionAnswer } from './collections.ts';
import { bad, bodyOf, BOTH, guidOf, notFound, ONE_QUERY, param, sameId } from './common.ts';
import { changedPolicy, policiesOf, policyFrom } from './policies.ts';

const CONTEXTS = '/identity/conditionalAccess/authenticationContextClassReferences';
const CONTEXT = 'identity/conditionalAccess/authenticationContextClassReferences';
const READ = ['AuthenticationContext.Read.All', 'AuthenticationContext.ReadWrite.All', 'Policy.Read.ConditionalAccess'];
const WRITE = ['AuthenticationContext.ReadWrite.All', 'Policy.ReadWrite.ConditionalAccess'];
const WRITERS = ['Conditional Access Administrator', 'Security Administrator', 'Global Administrator'];

const POLICIES = '/identity/conditionalAccess/policies';
const POLICY = 'identity/conditionalAccess/policies';
const READ_POLICIES = ['Policy.Read.All'];
/** The page wants all of them together; the generated table reads as if one were enough. */
const WRITE_POLICIES = [['Policy.Read.All', 'Policy.ReadWrite.ConditionalAccess', 'Application.Read.All']];
const DELETE_POLICIES = [['Policy.Read.All', 'Policy.ReadWrite.ConditionalAccess']];
const POLICY_READERS = [...WRITERS, 'Security Reader', 'Global Reader', 'Global Secure Access Administrator'];

const policyView = ({ id, createdDateTime, modifiedDateTime, displayName, state, sessionControls, conditions, grantControls }: ConditionalAccessPolicy): Readonly<Record<string, unknown>> =>
  ({ id, templateId: null, displayName, createdDateTime, modifiedDateTime, state, sessionControls, conditions, grantControls });

/** From here on the policies stand by themselves. */
const kept = ({ tenant }: GraphCall): ConditionalAccessPolicy[] => tenant.conditionalAccessPolicies ??= policiesOf(tenant);

function policyById(call: GraphCall, policies = policiesOf(call.tenant)): ConditionalAccessPolicy {
  const id = guidOf(param(call, 'id'));
  const found = policies.find((one) => sameId(one.id, id));
  if (!found) throw notFound(id);
  return found;
}

/** Conditional Access, as far as PIM leans on it. */
export const conditionalAccessRoutes = graphRoutes([
  {
    method: 'GET', path: CONTEXTS, versions: BOTH, delegated: READ, application: READ, query: ['$filter', '$select', '$top', '$skiptoken'],
    handle: (call) => collectionAnswer(call, call.tenant.authenticationContexts.map((one) => ({ ...one })), { context: CONTEXT, filterable: { id: 'eq', displayName: 'eq', isAvailable: 'eq' } }),
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
      kept(call);
      if (found) Object.assign(found, next);
      else call.tenant.authenticationContexts.push(next);
      return { status: 204 };
    },
  },
  {
    method: 'GET', path: POLICIES, versions: BOTH, delegated: READ_POLICIES, application: READ_POLICIES, roles: { anyOf: POLICY_READERS }, query: ['$filter', '$select', '$top', '$skiptoken'],
    handle: (call) => collectionAnswer(call, policiesOf(call.tenant).map(policyView), { context: POLICY, filterable: { id: 'eq', displayName: 'eq startswith', state: 'eq' } }),
  },
  {
    method: 'GET', path: `${POLICIES}/{id}`, versions: BOTH, delegated: READ_POLICIES, application: READ_POLICIES, roles: { anyOf: POLICY_READERS }, query: ONE_QUERY,
    handle: (call) => single(call, policyView(policyById(call)), POLICY),
  },
  {
    method: 'POST', path: POLICIES, versions: BOTH, delegated: WRITE_POLICIES, application: WRITE_POLICIES, roles: { anyOf: WRITERS },
    handle(call) {
      const made: ConditionalAccessPolicy = { id: call.newId(), createdDateTime: sevenDecimals(call.now), modifiedDateTime: null, ...policyFrom(call.tenant, call.body) };
      kept(call).push(made);
      return single(call, policyView(made), POLICY, 201);
    },
  },
  {
    method: 'PATCH', path: `${POLICIES}/{id}`, versions: BOTH, delegated: WRITE_POLICIES, application: WRITE_POLICIES, roles: { anyOf: WRITERS },
    handle(call) {
      const found = policyById(call, kept(call));
      Object.assign(found, changedPolicy(call.tenant, found, call.body), { modifiedDateTime: sevenDecimals(call.now) });
      return { status: 204 };
    },
  },
  {
    method: 'DELETE', path: `${POLICIES}/{id}`, versions: BOTH, delegated: DELETE_POLICIES, application: DELETE_POLICIES, roles: { anyOf: WRITERS },
    handle(call) {
      const policies = kept(call);
      policies.splice(policies.indexOf(policyById(call, policies)), 1);
      return { status: 204 };
    },
  },
]);
