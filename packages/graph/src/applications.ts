import { z } from 'zod';
import { path, quoted, searchClause } from './addresses.ts';
import { GraphError } from './errors.ts';
import type { ApplicationKind, Applications, AppAssignment, ApplicationSegment, GraphApplication } from './ports.ts';
import { optionalText } from './shapes.ts';
import type { Call, Transport } from './transport.ts';

const QUICK_ACCESS = 'NetworkAccessQuickAccessApplication';
const PER_APP = 'PrivateAccessNonWebApplication';
/** Template of custom applications, which Private Access applications are made from. */
const TEMPLATE_ID = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621';
/** Role of an assignment to an application that declares no roles. */
const NO_ROLE = '00000000-0000-0000-0000-000000000000';

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

const ConnectorGroupShape = z.object({ id: z.string(), name: z.string(), isDefault: z.boolean().nullish(), region: optionalText });
const Connector = z
  .object({ id: z.string(), machineName: z.string(), status: optionalText })
  .transform(({ id, machineName, status }) => ({ id, machineName, live: status?.toLowerCase() === 'active' }));

const CONNECTOR_GROUPS = '/onPremisesPublishingProfiles/applicationProxy/connectorGroups';

/** Applications behind Private Access, and who is assigned to them. */
export function createApplications(transport: Transport): Applications {
  /** Object ids by client id: publishing is addressed by the first, and it never changes. */
  const objectIds = new Map<string, string>();

  const objectIdOf = async (appId: string): Promise<string> => {
    const known = objectIds.get(appId);
    if (known !== undefined) return known;
    const call: Call = { method: 'GET', version: 'v1.0', path: '/applications', query: { $filter: `appId eq ${quoted(appId)}`, $select: 'id,appId' } };
    const [found] = await transport.list(call, z.object({ id: z.string() }));
    if (!found) throw new GraphError('not-found', `GET /applications: none has the client id ${appId}`);
    objectIds.set(appId, found.id);
    return found.id;
  };

  const byName = (displayName: string): Promise<readonly GraphApplication[]> =>
    transport.list({ method: 'GET', version: 'v1.0', path: '/servicePrincipals', query: { $filter: `displayName eq ${quoted(displayName)}`, $select: FIELDS } }, Application);

  const segmentsPath = (objectId: string): string =>
    path`/applications/${objectId}/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments`;

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

    async segments(appId) {
      return transport.list({ method: 'GET', version: 'beta', path: segmentsPath(await objectIdOf(appId)) }, Segment);
    },

    assignmentsOf: async (servicePrincipalId) => transport.list({ method: 'GET', version: 'v1.0', path: path`/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo` }, Assignment),

    assignmentsOfGroup: async (groupId) => transport.list({ method: 'GET', version: 'v1.0', path: path`/groups/${groupId}/appRoleAssignments` }, Assignment),

    assignGroup: async ({ groupId, servicePrincipalId, appRoleId }) =>
      transport.read(
        {
          method: 'POST',
          version: 'v1.0',
          path: path`/servicePrincipals/${servicePrincipalId}/appRoleAssignedTo`,
          body: { principalId: groupId, resourceId: servicePrincipalId, appRoleId },
        },
        Assignment,
      ),

    async requireAssignment(servicePrincipalId) {
      await transport.send({ method: 'PATCH', version: 'v1.0', path: path`/servicePrincipals/${servicePrincipalId}`, body: { appRoleAssignmentRequired: true }, absolute: true });
    },

    async connectorGroups() {
      const groups = await transport.list({ method: 'GET', version: 'beta', path: CONNECTOR_GROUPS }, ConnectorGroupShape);
      return Promise.all(
        groups.map(async ({ id, name, isDefault, region }) => ({
          id,
          name,
          isDefault: isDefault ?? false,
          region,
          connectors: await transport.list({ method: 'GET', version: 'beta', path: `${CONNECTOR_GROUPS}${path`/${id}/members`}` }, Connector),
        })),
      );
    },

    async instantiate(displayName) {
      const made = await transport.read(
        { method: 'POST', version: 'v1.0', path: `/applicationTemplates/${TEMPLATE_ID}/instantiate`, body: { displayName } },
        z.object({ application: z.object({ id: z.string(), appId: z.string() }), servicePrincipal: ServicePrincipal }),
      );
      objectIds.set(made.application.appId, made.application.id);
      // It gets its tags when it is published; what it is to become is known now.
      return { ...applicationOf(made.servicePrincipal), kind: 'per-app' };
    },

    async publish(appId, { connectorGroupId }) {
      const address = path`/applications/${await objectIdOf(appId)}`;
      await transport.send({
        method: 'PATCH',
        version: 'beta',
        path: address,
        body: { onPremisesPublishing: { applicationType: 'nonwebapp', isAccessibleViaZTNAClient: true } },
        absolute: true,
      });
      await transport.send({
        method: 'PUT',
        version: 'beta',
        path: `${address}/connectorGroup/$ref`,
        body: { '@odata.id': `${transport.baseUrl}/beta${CONNECTOR_GROUPS}${path`/${connectorGroupId}`}` },
        absolute: true,
      });
    },

    async addSegment(appId, segment) {
      const { destinationHost, destinationType, ports, protocol } = segment;
      return transport.read(
        { method: 'POST', version: 'beta', path: segmentsPath(await objectIdOf(appId)), body: { destinationHost, destinationType, port: 0, ports, protocol } },
        Segment,
      );
    },
  };
}
