import { graphRoutes, type GraphCall } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { Application, ServicePrincipal } from '../tenant.ts';
import { applicationEvent, property } from './audits.ts';
import {
  applicationItem, applicationOf, APPLICATION_WRITERS, badRequest, bodyOf, notFound, PROXY_WRITERS, READ_APPLICATIONS, servicePrincipalItem, servicePrincipalOf, WRITE_APPLICATIONS,
} from './objects.ts';
import { CUSTOM_APP_ROLES, PER_APP_TAGS, QUICK_ACCESS_TAGS } from './private-access.ts';

const VERSIONS = ['v1.0', 'beta'] as const;
const LIST = ['$select', '$filter', '$search', '$count', '$orderby', '$top', '$skiptoken'];
const FILTERABLE = ['id', 'appId', 'displayName', 'tags', 'accountEnabled', 'servicePrincipalType', 'createdDateTime'];
/** Template of custom applications, which Private Access applications are made from. */
const CUSTOM_TEMPLATE_ID = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621';
/** Tags that publishing gives and takes; others stay as they are. */
const PUBLISHING_TAGS: readonly string[] = [...QUICK_ACCESS_TAGS, ...PER_APP_TAGS];

/** Applications, their enterprise applications, and how Private Access publishes them. */
export const applicationRoutes = graphRoutes([
  {
    method: 'GET', path: '/servicePrincipals', versions: VERSIONS, delegated: READ_APPLICATIONS, application: READ_APPLICATIONS, query: LIST,
    handle: (call) => listAnswer(call, call.tenant.servicePrincipals.map(servicePrincipalItem), { context: 'servicePrincipals', filterable: FILTERABLE, searchable: ['displayName'] }),
  },
  {
    method: 'GET', path: '/servicePrincipals/{id}', versions: VERSIONS, delegated: READ_APPLICATIONS, application: READ_APPLICATIONS, query: ['$select'],
    handle: (call) => single(call, servicePrincipalItem(servicePrincipalOf(call)), 'servicePrincipals'),
  },
  {
    method: 'PATCH', path: '/servicePrincipals/{id}', versions: VERSIONS, delegated: WRITE_APPLICATIONS, application: WRITE_APPLICATIONS, roles: { anyOf: APPLICATION_WRITERS },
    handle(call) {
      const principal = servicePrincipalOf(call);
      const changes = changesOf(call, ['accountEnabled', 'appRoleAssignmentRequired'], 'ServicePrincipal');
      const written = Object.entries(changes).map(([name, value]) => property(name, [principal[name as 'accountEnabled' | 'appRoleAssignmentRequired']], [value]));
      Object.assign(principal, changes);
      call.audit(applicationEvent('Update service principal', principal, written));
      return { status: 204 };
    },
  },
  {
    method: 'GET', path: '/applications', versions: VERSIONS, delegated: READ_APPLICATIONS, application: READ_APPLICATIONS, query: LIST,
    handle: (call) => listAnswer(call, call.tenant.applications.map((one) => applicationItem(one, call.tenant, call.version)), { context: 'applications', filterable: FILTERABLE, searchable: ['displayName'] }),
  },
  {
    method: 'GET', path: '/applications/{id}', versions: VERSIONS, delegated: READ_APPLICATIONS, application: READ_APPLICATIONS, query: ['$select'],
    handle: (call) => single(call, applicationItem(applicationOf(call), call.tenant, call.version), 'applications'),
  },
  {
    method: 'PATCH', path: '/applications/{id}', versions: VERSIONS, delegated: WRITE_APPLICATIONS, application: WRITE_APPLICATIONS, roles: { anyOf: PROXY_WRITERS },
    handle(call) {
      const application = applicationOf(call);
      const body = bodyOf(call);
      const { onPremisesPublishing, displayName } = body;
      const unknown = Object.keys(body).find((name) => name !== 'displayName' && (name !== 'onPremisesPublishing' || call.version !== 'beta'));
      if (unknown !== undefined) throw badRequest(`A property '${unknown}' of resource 'Application' is not present or cannot be set.`);
      if (displayName !== undefined) {
        if (typeof displayName !== 'string' || displayName === '' || displayName.length > 256) throw badRequest("Invalid value specified for property 'displayName' of resource 'Application'.");
        for (const one of bothOf(call, application)) one.displayName = displayName;
      }
      if (onPremisesPublishing !== undefined) publish(call, application, onPremisesPublishing);
      call.audit(applicationEvent('Update application', application, Object.keys(body).map((name) => property(name, undefined, body[name]))));
      return { status: 204 };
    },
  },
  {
    method: 'POST', path: '/applicationTemplates/{templateId}/instantiate', versions: VERSIONS, delegated: WRITE_APPLICATIONS,
    application: ['Application.ReadWrite.OwnedBy', ...WRITE_APPLICATIONS], roles: { anyOf: APPLICATION_WRITERS },
    handle(call) {
      const templateId = call.params['templateId'] ?? '';
      if (templateId.toLowerCase() !== CUSTOM_TEMPLATE_ID) throw notFound(templateId);
      const { displayName } = bodyOf(call);
      if (typeof displayName !== 'string' || displayName.trim() === '' || displayName.length > 256) throw badRequest("Invalid value specified for property 'displayName' of resource 'Application'.");

      const appId = call.newId();
      const roles = () => CUSTOM_APP_ROLES.map((role) => ({ ...role, allowedMemberTypes: [...role.allowedMemberTypes] }));
      const application: Application = {
        id: call.newId(), appId, displayName, tags: [], appRoles: roles(), createdDateTime: call.now.toISOString(),
        onPremisesPublishing: null, connectorGroupId: null, segments: [], registration: null,
      };
      const principal: ServicePrincipal = {
        id: call.newId(), appId, displayName, tags: ['WindowsAzureActiveDirectoryIntegratedApp'], accountEnabled: true,
        appRoleAssignmentRequired: true, servicePrincipalType: 'Application', appRoles: roles(),
      };
      call.tenant.applications.push(application);
      call.tenant.servicePrincipals.push(principal);
      call.audit(applicationEvent('Add application', application));
      call.audit(applicationEvent('Add service principal', principal));

      const made = applicationItem(application, call.tenant, call.version);
      return {
        status: 201,
        body: {
          '@odata.context': `${call.base}/$metadata#microsoft.graph.applicationServicePrincipal`,
          application: call.version === 'beta' ? { ...made, objectId: application.id } : made,
          servicePrincipal: call.version === 'beta' ? { ...servicePrincipalItem(principal), objectId: principal.id } : servicePrincipalItem(principal),
        },
      };
    },
  },
]);

/** The application and its enterprise application, which share name and tags. */
const bothOf = ({ tenant }: GraphCall, application: Application): (Application | ServicePrincipal)[] =>
  [application, ...tenant.servicePrincipals.filter(({ appId }) => appId === application.appId)];

/** True and false values that the body sets; any other property is refused. */
function changesOf(call: GraphCall, names: readonly string[], resource: string): Record<string, boolean> {
  return Object.fromEntries(Object.entries(bodyOf(call)).map(([name, value]) => {
    if (!names.includes(name) || typeof value !== 'boolean') throw badRequest(`Invalid value specified for property '${name}' of resource '${resource}'.`);
    return [name, value];
  }));
}

/** Sets the kind of publishing once; tags and, where nothing else is said, the default connector group follow. */
function publish(call: GraphCall, application: Application, wish: unknown): void {
  const { applicationType, isAccessibleViaZTNAClient = application.onPremisesPublishing?.isAccessibleViaZTNAClient ?? false, isDnsResolutionEnabled = application.onPremisesPublishing?.isDnsResolutionEnabled ?? false } =
    typeof wish === 'object' && wish !== null ? wish as Record<string, unknown> : {};
  const kind = applicationType ?? application.onPremisesPublishing?.applicationType;
  const refused = (name: string) => badRequest(`Invalid value specified for property '${name}' of resource 'OnPremisesPublishing'.`);
  if (kind !== 'nonwebapp' && kind !== 'quickaccessapp') throw refused('applicationType');
  if (application.onPremisesPublishing !== null && application.onPremisesPublishing.applicationType !== kind) throw badRequest("Property 'applicationType' is read-only and cannot be changed.");
  if (typeof isAccessibleViaZTNAClient !== 'boolean') throw refused('isAccessibleViaZTNAClient');
  if (typeof isDnsResolutionEnabled !== 'boolean' || (isDnsResolutionEnabled && kind !== 'quickaccessapp')) throw refused('isDnsResolutionEnabled');
  const another = call.tenant.applications.find((one) => one.id !== application.id && one.onPremisesPublishing?.applicationType === 'quickaccessapp');
  if (kind === 'quickaccessapp' && another) throw badRequest('A Quick Access application already exists in this tenant.');

  application.onPremisesPublishing = { applicationType: kind, isAccessibleViaZTNAClient, isDnsResolutionEnabled };
  application.connectorGroupId ??= call.tenant.connectorGroups.find(({ isDefault }) => isDefault)?.id ?? null;
  const tags = kind === 'quickaccessapp' ? QUICK_ACCESS_TAGS : PER_APP_TAGS.filter((tag) => tag !== 'IsAccessibleViaZTNAClient' || isAccessibleViaZTNAClient);
  for (const one of bothOf(call, application)) one.tags = [...one.tags.filter((tag) => !PUBLISHING_TAGS.includes(tag)), ...tags];
}
