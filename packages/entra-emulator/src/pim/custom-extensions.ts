import { bad, bodyOf, isGuid, notFound, param, sameId } from '../directory/common.ts';
import { graphRoutes, type GraphCall } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';

/**
 * Custom extensions of PIM, a preview (CONTRACT.md §16): they are registered and kept, and nobody calls them during an
 * activation. A policy that is to use one is therefore refused, so that nobody believes it to be enforced.
 */
export interface CustomExtension {
  readonly id: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly endpointConfiguration: unknown;
  readonly clientConfiguration: unknown;
  readonly authenticationConfiguration: unknown;
  readonly resourceType: string;
  readonly type: string | null;
  readonly customAttributes: readonly unknown[];
}

const PATH = '/identityGovernance/privilegedAccess/customExtensions';
const TYPE = 'roleManagementCustomCalloutExtension';
const READ = ['PrivilegedAccess-CustomExt.Read.All', 'PrivilegedAccess-CustomExt.ReadWrite.All'];
const WRITE = ['PrivilegedAccess-CustomExt.ReadWrite.All'];
const READING = { versions: ['beta'], delegated: READ, application: READ } as const;
const WRITING = { versions: ['beta'], delegated: WRITE, application: WRITE, roles: { anyOf: ['Privileged Role Administrator', 'Global Administrator'] } } as const;
const KNOWN = ['id', 'displayName', 'description', 'endpointConfiguration', 'clientConfiguration', 'authenticationConfiguration', 'resourceType', 'type', 'customAttributes'];
const RESOURCE_TYPES = ['entraGroups', 'entraRoles', 'azureResources'];
const TYPES = ['preApproval', 'postApproval', 'grant', 'revoke'];

const listOf = ({ tenant }: GraphCall): CustomExtension[] => (tenant.customExtensions ??= []);
const view = (extension: CustomExtension): Readonly<Record<string, unknown>> => ({ '@odata.type': `#microsoft.graph.${TYPE}`, ...extension });
const invalid = (property: string): Error => bad(`Invalid value specified for property '${property}' of resource '${TYPE}'.`);
const word = (value: unknown, words: readonly string[]): string | undefined => words.find((one) => one.toLowerCase() === String(value).toLowerCase());

function found(call: GraphCall): CustomExtension {
  const extension = listOf(call).find(({ id }) => sameId(id, param(call, 'id')));
  if (!extension) throw notFound(param(call, 'id'));
  return extension;
}

function checked(extension: CustomExtension): CustomExtension {
  const endpoint = extension.endpointConfiguration as { targetUrl?: unknown } | null;
  const authentication = extension.authenticationConfiguration as { resourceId?: unknown } | null;
  if (typeof extension.displayName !== 'string' || extension.displayName === '') throw invalid('displayName');
  const target = typeof endpoint?.targetUrl === 'string' ? URL.parse(endpoint.targetUrl) : null;
  if (target?.protocol !== 'https:') throw invalid('endpointConfiguration');
  const resource = /^api:\/\/([^/]+)\/([^/]+)$/.exec(String(authentication?.resourceId));
  // The host of the endpoint's own address, and the client id at the end.
  if (!resource || resource[1] !== target.host || !isGuid(resource[2])) throw bad('The resourceId is not present in the service principal names for application id.');
  return extension;
}

export const customExtensionRoutes = graphRoutes([
  {
    method: 'GET', path: PATH, ...READING, query: ['$filter', '$select', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, listOf(call).map(view), { context: 'identityGovernance/privilegedAccess/customExtensions', filterable: ['resourceType'] }),
  },
  {
    method: 'POST', path: PATH, ...WRITING,
    handle(call) {
      const body = bodyOf(call, KNOWN, TYPE);
      if (!isGuid(body['id'])) throw bad('Id property needs to have a GUID value.');
      if (listOf(call).some(({ id }) => sameId(id, String(body['id'])))) throw bad('Another object with the same value for property id already exists.');
      const resourceType = word(body['resourceType'], RESOURCE_TYPES);
      if (resourceType === undefined) throw invalid('resourceType');
      const type = body['type'] === undefined || body['type'] === null ? null : word(body['type'], TYPES);
      if (type === undefined) throw invalid('type');
      const extension = checked({
        id: body['id'].toLowerCase(), displayName: String(body['displayName'] ?? ''), description: typeof body['description'] === 'string' ? body['description'] : null, endpointConfiguration: body['endpointConfiguration'] ?? null,
        clientConfiguration: body['clientConfiguration'] ?? null, authenticationConfiguration: body['authenticationConfiguration'] ?? null, resourceType, type, customAttributes: Array.isArray(body['customAttributes']) ? body['customAttributes'] : [],
      });
      listOf(call).push(extension);
      return single(call, view(extension), 'identityGovernance/privilegedAccess/customExtensions', 201);
    },
  },
  { method: 'GET', path: `${PATH}/{id}`, ...READING, query: ['$select'], handle: (call) => single(call, view(found(call)), 'identityGovernance/privilegedAccess/customExtensions') },
  {
    method: 'PATCH', path: `${PATH}/{id}`, ...WRITING,
    handle(call) {
      const { id: _id, resourceType: _resourceType, ...changes } = bodyOf(call, KNOWN, TYPE);
      const extension = found(call);
      Object.assign(extension, checked({ ...extension, ...changes }));
      return { status: 204 };
    },
  },
  {
    method: 'DELETE', path: `${PATH}/{id}`, ...WRITING,
    handle(call) {
      const extension = found(call);
      listOf(call).splice(listOf(call).indexOf(extension), 1);
      return { status: 204 };
    },
  },
]);
