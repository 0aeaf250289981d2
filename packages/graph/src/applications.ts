import { z } from 'zod';
import { anyOf, path, quoted, searchClause } from './addresses.ts';
import { GraphError } from './errors.ts';
import type { ApplicationKind, Applications, AppAssignment, ApplicationSegment, GraphApplication } from './ports.ts';
import { optionalText } from './shapes.ts';
import type { Call } from './call.ts';
import { remove, valueOf, type Transport } from './transport.ts';

const QUICK_ACCESS = 'NetworkAccessQuickAccessApplication';
const PER_APP = 'PrivateAccessNonWebApplication';
/** Template of custom applications, which Private Access applications are made from. */
const TEMPLATE_ID = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621';
/** Role of an assignment to an application that declares no roles. */
const NO_ROLE = '00000000-0000-0000-0000-000000000000';

/** The index behind a query by name lags behind a create: so often, and about as many times five seconds, it is asked. */
const LOOKS_FOR_APPLICATION = 4;

const FIELDS = 'id,appId,displayName,tags,accountEnabled,appRoleAssignmentRequired,appRoles';
const ServicePrincipal = z.object({
  id: z.string(),
  appId: z.string(),
  displayName: z.string(),
  tags: z.array(z.string()).nullish(),
  accountEnabled: z.boolean().nullish(),
  appRoleAssignmentRequired: z.boolean().nullish(),
  appRoles: z.array(z.object({ id: z.string(), displayName: optionalText, isEnabled: z.boolean(), allowedMemberTypes: z.array(z.string()) })).nullish(),
});

const Application = ServicePrincipal.transform((found) => applicationOf(found));

function applicationOf(found: z.output<typeof ServicePrincipal>): GraphApplication {
  return {
    servicePrincipalId: found.id,
    appId: found.appId,
    displayName: found.displayName,
    kind: kindOf(found.tags ?? []),
    enabled: found.accountEnabled ?? true,
    // Unsaid means unsafe: everybody would have access, and the plan shows it.
    assignmentRequired: found.appRoleAssignmentRequired ?? false,
    assignableRoleId: assignableRole(found.appRoles ?? []),
  };
}

function kindOf(tags: readonly string[]): ApplicationKind {
  if (tags.includes(QUICK_ACCESS)) return 'quick-access';
  return tags.includes(PER_APP) ? 'per-app' : 'enterprise';
}

/** `User` where the application declares it, else the first that people can hold, else the role that stands for none. */
function assignableRole(roles: NonNullable<z.output<typeof ServicePrincipal>['appRoles']>): string {
  const assignable = roles.filter((role) => role.isEnabled && role.allowedMemberTypes.includes('User'));
  return (assignable.find((role) => role.displayName === 'User') ?? assignable[0])?.id ?? NO_ROLE;
}

const Segment = z
  .object({
    id: z.string(),
    destinationHost: z.string(),
    destinationType: z.string(),
    port: z.number().nullish(),
    ports: z.array(z.string()).nullish(),
    protocol: z.string().nullish(),
  })
  .transform(
    (segment): ApplicationSegment => ({
      id: segment.id,
      destinationHost: segment.destinationHost,
      destinationType: segment.destinationType,
      // Older segments hold one port in a field of its own.
      ports: segment.ports && segment.ports.length > 0 ? segment.ports : segment.port ? [`${segment.port}-${segment.port}`] : [],
      protocol: segment.protocol ?? '',
    }),
  );

const Assignment = z
  .object({ id: z.string(), principalId: z.string(), principalType: optionalText, resourceId: z.string(), appRoleId: z.string() })
  .transform(
    (assignment): AppAssignment => ({
      id: assignment.id,
      principalId: assignment.principalId,
      principalType: assignment.principalType ?? 'unknown',
      servicePrincipalId: assignment.resourceId,
      appRoleId: assignment.appRoleId,
    }),
  );

/** Object ids of applications by client id: publishing is addressed by the first, and it never changes. */
export type ObjectIds = Map<string, string>;
const WithId = z.object({ id: z.string() });

/** A list read with others; what does not exist (any more) has nothing in it. */
function valuesAt<T>(lists: readonly PromiseSettledResult<T[]>[], index: number): readonly T[] {
  const list = lists[index];
  if (!list) return [];
  if (list.status === 'rejected' && list.reason instanceof GraphError && list.reason.failure === 'not-found') return [];
  return valueOf(list);
}

const ConnectorGroupShape = z.object({ id: z.string(), name: z.string(), isDefault: z.boolean().nullish(), region: optionalText });
const Connector = z
  .object({ id: z.string(), machineName: z.string(), status: optionalText })
  .transform(({ id, machineName, status }) => ({ id, machineName, live: status?.toLowerCase() === 'active' }));

const CONNECTOR_GROUPS = '/onPremisesPublishingProfiles/applicationProxy/connectorGroups';

/** Applications behind Private Access, and who is assigned to them. */
export function createApplications(transport: Transport, objectIds: ObjectIds): Applications {
  const byAppId = (appId: string): Call => ({ method: 'GET', version: 'v1.0', path: '/applications', query: { $filter: `appId eq ${quoted(appId)}`, $select: 'id,appId' } });
  const learn = (appId: string, found: readonly { readonly id: string }[]): string | undefined => {
    const id = found[0]?.id;
    if (id !== undefined) objectIds.set(appId, id);
    return id;
  };

  const objectIdOf = async (appId: string): Promise<string> => {
    const id = objectIds.get(appId) ?? learn(appId, await transport.list(byAppId(appId), WithId));
    if (id === undefined) throw new GraphError('not-found', `GET /applications: none has the client id ${appId}`);
    return id;
  };

  const byName = (displayName: string): Promise<readonly GraphApplication[]> =>
    transport.list({ method: 'GET', version: 'v1.0', path: '/servicePrincipals', query: { $filter: `displayName eq ${quoted(displayName)}`, $select: FIELDS } }, Application);

  const assignmentsOf = async (servicePrincipalId: string): Promise<readonly AppAssignment[]> =>
    transport.list({ method: 'GET', version: 'v1.0', path: path`/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo` }, Assignment);

  const segmentsPath = (objectId: string): string =>
    path`/applications/${objectId}/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments`;

  const segmentsAt = (objectId: string): Call => ({ method: 'GET', version: 'beta', path: segmentsPath(objectId) });
  const segmentsOf = (objectId: string): Promise<readonly ApplicationSegment[]> => transport.list(segmentsAt(objectId), Segment);

  const connectorGroups = async () => (await transport.list({ method: 'GET', version: 'beta', path: CONNECTOR_GROUPS }, ConnectorGroupShape)).map(({ isDefault, ...group }) => ({ ...group, isDefault: isDefault ?? false }));
  const ofEach = <T>(groups: readonly { readonly id: string }[], what: string, shape: z.ZodType<T>, query: Readonly<Record<string, string>> = {}): Promise<PromiseSettledResult<T[]>[]> =>
    Promise.allSettled(groups.map(({ id }) => transport.together.list({ method: 'GET', version: 'beta', path: `${CONNECTOR_GROUPS}${path`/${id}`}/${what}`, query }, shape)));

  return {
    privateAccess: () =>
      transport.list(
        {
          method: 'GET',
          version: 'v1.0',
          path: '/servicePrincipals',
          query: { $filter: `tags/any(t:t eq '${QUICK_ACCESS}') or tags/any(t:t eq '${PER_APP}')`, $count: 'true', $select: FIELDS },
          eventual: true,
        },
        Application,
      ),

    async searchEnterprise(text, limit) {
      const call: Call = {
        method: 'GET',
        version: 'v1.0',
        path: '/servicePrincipals',
        query: {
          ...(text.trim() !== '' && { $search: searchClause('displayName', text.trim()) }),
          $count: 'true',
          $orderby: 'displayName',
          $select: FIELDS,
        },
        eventual: true,
      };
      const matches: GraphApplication[] = [];
      // Private Access applications match too and are left out, so one page may hold too few.
      for await (const page of transport.pages(call, Application)) {
        matches.push(...page.filter((application) => application.kind === 'enterprise'));
        if (matches.length >= limit) break;
      }
      return matches.slice(0, limit);
    },

    application: async (servicePrincipalId) =>
      transport.find({ method: 'GET', version: 'v1.0', path: path`/servicePrincipals/${servicePrincipalId}`, query: { $select: FIELDS } }, Application),

    /** By name alone, and sorted out here: the index behind a query for tags lags, and a missed one would be made twice. */
    async privateAccessByName(displayName) {
      return (await byName(displayName)).find((application) => application.kind === 'per-app');
    },

    applicationsByName: byName,

    async applicationsByNames(displayNames) {
      const asked = anyOf('displayName', displayNames).map(($filter) => transport.together.list({ method: 'GET', version: 'v1.0', path: '/servicePrincipals', query: { $filter, $select: FIELDS } }, Application));
      return (await Promise.all(asked)).flat();
    },

    segments: async (appId) => segmentsOf(await objectIdOf(appId)),

    async segmentsOfAll(appIds) {
      const unknown = appIds.filter((appId) => !objectIds.has(appId));
      const found = await Promise.allSettled(unknown.map((appId) => transport.together.list(byAppId(appId), WithId)));
      unknown.forEach((appId, index) => learn(appId, valuesAt(found, index)));
      const known = appIds.flatMap((appId) => objectIds.get(appId) ?? []);
      const segments = await Promise.allSettled(known.map((objectId) => transport.together.list(segmentsAt(objectId), Segment)));
      const ofObject = new Map(known.map((objectId, index) => [objectId, valuesAt(segments, index)]));
      return new Map(appIds.map((appId) => [appId, ofObject.get(objectIds.get(appId) ?? '') ?? []]));
    },

    assignmentsOf,

    assignmentsOfGroup: async (groupId) => transport.list({ method: 'GET', version: 'v1.0', path: path`/groups/${groupId}/appRoleAssignments` }, Assignment),

    async assignGroup({ groupId, servicePrincipalId, appRoleId }) {
      const call: Call = {
        method: 'POST',
        version: 'v1.0',
        path: path`/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo`,
        body: { principalId: groupId, resourceId: servicePrincipalId, appRoleId },
      };
      const isSame = (one: AppAssignment): boolean => one.principalId.toLowerCase() === groupId.toLowerCase() && one.appRoleId.toLowerCase() === appRoleId.toLowerCase();
      return transport.write(call, (answer) => transport.parse(call, answer, Assignment), async () => (await assignmentsOf(servicePrincipalId)).find(isSame));
    },

    unassign: async ({ servicePrincipalId, id }) => remove(transport, { method: 'DELETE', version: 'v1.0', path: path`/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo/${id}`, absolute: true }),

    async requireAssignment(servicePrincipalId, required) {
      await transport.send({ method: 'PATCH', version: 'v1.0', path: path`/servicePrincipals/${servicePrincipalId}`, body: { appRoleAssignmentRequired: required }, absolute: true });
    },

    async connectorGroups() {
      const groups = await connectorGroups();
      const connectors = await ofEach(groups, 'members', Connector);
      return groups.map((group, index) => ({ ...group, connectors: valuesAt(connectors, index) }));
    },

    async connectorGroupsInUse() {
      const groups = await connectorGroups();
      const [connectors, reached] = await Promise.all([ofEach(groups, 'members', Connector), ofEach(groups, 'applications', z.object({ appId: z.string() }), { $select: 'appId' })]);
      return groups.map((group, index) => ({ ...group, connectors: valuesAt(connectors, index), applications: valuesAt(reached, index).map(({ appId }) => appId) }));
    },

    async instantiate(displayName) {
      const call: Call = { method: 'POST', version: 'v1.0', path: `/applicationTemplates/${TEMPLATE_ID}/instantiate`, body: { displayName } };
      const shape = z.object({ application: z.object({ id: z.string(), appId: z.string() }), servicePrincipal: ServicePrincipal });
      const made = await transport.write<GraphApplication>(
        call,
        (answer) => {
          const { application, servicePrincipal } = transport.parse(call, answer, shape);
          objectIds.set(application.appId, application.id);
          return applicationOf(servicePrincipal);
        },
        async () => (await byName(displayName))[0],
        LOOKS_FOR_APPLICATION,
      );
      // It gets its tags when it is published; what it is to become is known now.
      return { ...made, kind: 'per-app' };
    },

    async publish(appId, { connectorGroupId }) {
      const address = path`/applications/${await objectIdOf(appId)}`;
      // The second needs the first: an application that is not published has no connector group.
      await Promise.all([
        transport.inOrder.send({ method: 'PATCH', version: 'beta', path: address, body: { onPremisesPublishing: { applicationType: 'nonwebapp', isAccessibleViaZTNAClient: true } }, absolute: true }),
        transport.inOrder.send({ method: 'PUT', version: 'beta', path: `${address}/connectorGroup/$ref`, body: { '@odata.id': `${transport.baseUrl}/beta${CONNECTOR_GROUPS}${path`/${connectorGroupId}`}` }, absolute: true }),
      ]);
    },

    async addSegment(appId, segment) {
      const { destinationHost, destinationType, ports, protocol } = segment;
      const objectId = await objectIdOf(appId);
      const call: Call = { method: 'POST', version: 'beta', path: segmentsPath(objectId), body: { destinationHost, destinationType, port: 0, ports, protocol } };
      const isSame = (one: ApplicationSegment): boolean =>
        one.destinationHost.toLowerCase() === destinationHost.toLowerCase() && one.protocol === protocol && one.ports.join() === ports.join();
      return transport.write(call, (answer) => transport.parse(call, answer, Segment), async () => (await segmentsOf(objectId)).find(isSame));
    },

    removeSegment: async (appId, segmentId) => remove(transport, { method: 'DELETE', version: 'beta', path: `${segmentsPath(await objectIdOf(appId))}${path`/${segmentId}`}`, absolute: true }),

    async deleteApplication(appId) {
      const [found] = await transport.list(byAppId(appId), WithId);
      if (found) await remove(transport, { method: 'DELETE', version: 'v1.0', path: path`/applications/${found.id}`, absolute: true });
      objectIds.delete(appId);
    },
  };
}
