import { denied, guidOf, notFound, param } from '../directory/common.ts';
import { GraphRefusal, graphRoutes, type GraphCall } from '../graph/route.ts';
import { listAnswer } from '../odata.ts';
import { onboard } from './engine.ts';

/** The second iteration of PIM's interface, which is to end: delegated only, and only for groups. */
const GRANTS = { versions: ['beta'], delegated: ['PrivilegedAccess.ReadWrite.AzureADGroup'], application: null } as const;

function checkProvider(call: GraphCall): void {
  if (param(call, 'provider').toLowerCase() !== 'aadgroups') throw notFound(param(call, 'provider'));
}

export const legacyPimRoutes = graphRoutes([
  {
    method: 'GET', path: '/privilegedAccess/{provider}/resources', ...GRANTS, query: ['$filter', '$select', '$top', '$skiptoken'],
    handle(call) {
      checkProvider(call);
      const resources = call.tenant.groups.filter(({ onboardedToPimAt }) => onboardedToPimAt !== null).map(({ id, displayName, onboardedToPimAt }) => ({
        id, externalId: id, type: 'group', displayName, status: 'Active', registeredDateTime: onboardedToPimAt, registeredRoot: null,
      }));
      return listAnswer(call, resources, { context: 'governanceResources', filterable: ['id', 'externalId', 'displayName', 'type'] });
    },
  },
  {
    method: 'POST', path: '/privilegedAccess/{provider}/resources/register', ...GRANTS,
    handle(call) {
      checkProvider(call);
      const { externalId } = call.body as { externalId?: unknown };
      if (typeof externalId !== 'string') throw new GraphRefusal(400, 'BadRequest', 'The externalId is required.');
      const group = call.tenant.groups.find(({ id }) => id === guidOf(externalId).toLowerCase());
      if (!group || new Date(group.knownToPimAt) > call.now || call.caller.kind !== 'user') throw notFound(externalId);
      const { user } = call.caller;
      if (!group.ownerIds.includes(user.id) && !user.directoryRoles.some((role) => role === 'Privileged Role Administrator' || role === 'Global Administrator')) throw denied();
      onboard({ tenant: call.tenant, now: call.now, delays: call.delays, newId: () => call.newId() }, group, { user });
      return { status: 204 };
    },
  },
]);
