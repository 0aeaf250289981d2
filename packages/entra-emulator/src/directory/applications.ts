import { graphRoutes, type GraphAnswer, type GraphCall, type GraphRefusal } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { Application, ApplicationSegment, AppRole } from '../tenant.ts';
import { applicationEvent, property } from './audits.ts';
import { APPLICATION_WRITERS, applicationOf, bad, BETA, bodyOf, BOTH, denied, isGuid, LIST_QUERY, notFound, ONE_QUERY, param, PROXY_WRITERS, referencedId, sameId } from './common.ts';
import { collectionAnswer, TEXT, WORD, type Collection } from './collections.ts';
import { addressesOf, portRange, segmentsMeet } from './destinations.ts';
import { CUSTOM_APP_ROLES, PER_APP_TAGS, QUICK_ACCESS_TAGS } from './private-access.ts';
import { dropAssignments } from './service-principals.ts';
import { applicationView, connectorGroupView, publishingView, segmentView, servicePrincipalView } from './views.ts';

const READ = ['Application.Read.All', 'Application.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];
const READ_APP_ONLY = ['Application.Read.All', 'Application.ReadWrite.All', 'Application.ReadWrite.OwnedBy', 'Directory.Read.All'];
/** Publishing is read and written with the application permissions alone. */
const READ_PUBLISHING = ['Application.Read.All', 'Application.ReadWrite.All'];
const WRITE = ['Application.ReadWrite.All'];
const WRITE_APP_ONLY = [...WRITE, 'Application.ReadWrite.OwnedBy'];

/** The template of custom applications; Private Access applications are made from it. */
const CUSTOM_TEMPLATE = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621';
const CUSTOM_TAGS = ['WindowsAzureActiveDirectoryCustomSingleSignOnApplication', 'WindowsAzureActiveDirectoryIntegratedApp'];

const APPLICATIONS: Collection = {
  context: 'applications',
  filterable: { displayName: TEXT, id: WORD, appId: WORD, tags: 'eq not ge le startswith', createdDateTime: 'eq ne not ge le in', signInAudience: 'eq ne not' },
  searchable: ['displayName'],
  orderable: ['displayName'],
};

type Values = Readonly<Record<string, unknown>>;

const invalid = (name: string): GraphRefusal => bad(`Invalid value specified for property '${name}' of resource 'Application'.`);

function displayNameOf(values: Values): string {
  const name = values['displayName'];
  if (typeof name !== 'string' || name.trim() === '' || name.length > 120) throw invalid('displayName');
  return name;
}

/** Asked of v1.0, the property does not exist; beta prints it of one application, and only where it is selected. */
function viewOf(call: GraphCall, application: Application): Readonly<Record<string, unknown>> {
  const publishing = call.query['$select']?.split(',').some((name) => name.trim() === 'onPremisesPublishing') ?? false;
  if (publishing && call.version === 'v1.0') throw bad(`Could not find a property named 'onPremisesPublishing' on type 'microsoft.graph.application'.`, 'BadRequest');
  return applicationView(application, { publishing });
}

/** The gallery, which here holds the template of custom applications alone. */
const TEMPLATE: Values = {
  id: CUSTOM_TEMPLATE, displayName: 'Custom', homePageUrl: null, supportedSingleSignOnModes: ['saml', 'external'], supportedProvisioningTypes: [], logoUrl: null, categories: [], publisher: null, description: null,
};

const MEMBER_TYPES = ['User', 'Application'] as const;

function appRolesOf(wish: unknown): AppRole[] {
  if (wish === undefined) return [];
  if (!Array.isArray(wish)) throw invalid('appRoles');
  const roles = wish.map((one: unknown): AppRole => {
    if (typeof one !== 'object' || one === null) throw invalid('appRoles');
    const role = one as Values;
    for (const name of Object.keys(role)) if (!['id', 'displayName', 'description', 'value', 'isEnabled', 'allowedMemberTypes'].includes(name)) throw bad(`Invalid property '${name}' for the type 'AppRole'.`);
    const { id, displayName, description, value = null, isEnabled = true, allowedMemberTypes: types } = role;
    const allowed = Array.isArray(types) ? MEMBER_TYPES.filter((type) => types.includes(type)) : [];
    if (!isGuid(id) || typeof displayName !== 'string' || typeof description !== 'string' || typeof isEnabled !== 'boolean' || (value !== null && typeof value !== 'string')) throw invalid('appRoles');
    if (!Array.isArray(types) || types.length === 0 || allowed.length !== types.length) throw invalid('allowedMemberTypes');
    return { id: id.toLowerCase(), displayName, description, value, isEnabled, allowedMemberTypes: allowed };
  });
  const values = roles.flatMap(({ value }) => (value === null ? [] : [value]));
  if (new Set(roles.map(({ id }) => id)).size !== roles.length || new Set(values).size !== values.length) throw bad('It contains duplicate value. Please Provide unique value.', 'Request_BadRequest');
  return roles;
}

/** An application by itself: nobody signs in to it until it has a service principal. */
function create(call: GraphCall): GraphAnswer {
  const values = bodyOf(call, ['displayName', 'tags', 'appRoles', 'signInAudience'], 'Application');
  const { tags = [], signInAudience = 'AzureADMyOrg' } = values;
  if (values['displayName'] === undefined) throw bad(`A value is required for property 'displayName' of resource 'Application'.`);
  if (!Array.isArray(tags) || tags.some((tag) => typeof tag !== 'string')) throw invalid('tags');
  // Nobody of another tenant is here.
  if (signInAudience !== 'AzureADMyOrg') throw invalid('signInAudience');
  const application: Application = {
    id: call.newId(), appId: call.newId(), displayName: displayNameOf(values), tags: tags.map(String), appRoles: appRolesOf(values['appRoles']), createdDateTime: call.now.toISOString(),
    onPremisesPublishing: null, connectorGroupId: null, segments: [], registration: null,
  };
  call.tenant.applications.push(application);
  call.audit(applicationEvent('Add application', application, [property('DisplayName', [], [application.displayName])]));
  return single(call, applicationView(application, { publishing: false }), 'applications', 201);
}

function instantiate(call: GraphCall): GraphAnswer {
  if (!sameId(param(call, 'templateId'), CUSTOM_TEMPLATE)) throw notFound(param(call, 'templateId'));
  const displayName = displayNameOf(bodyOf(call, ['displayName', 'serviceManagementReference'], 'instantiate'));
  const common = { appId: call.newId(), displayName };
  const roles = () => CUSTOM_APP_ROLES.map((role) => ({ ...role, allowedMemberTypes: [...role.allowedMemberTypes] }));
  const application: Application = {
    id: call.newId(), ...common, tags: [], appRoles: roles(), createdDateTime: call.now.toISOString(), onPremisesPublishing: null, connectorGroupId: null, segments: [], registration: null,
  };
  const servicePrincipal = { id: call.newId(), ...common, tags: [...CUSTOM_TAGS], accountEnabled: true, appRoleAssignmentRequired: true, servicePrincipalType: 'Application' as const, appRoles: roles() };
  call.tenant.applications.push(application);
  call.tenant.servicePrincipals.push(servicePrincipal);
  call.audit(applicationEvent('Add application', application, [property('DisplayName', [], [displayName])]));
  call.audit(applicationEvent('Add service principal', servicePrincipal, [property('AppPrincipalId', [], [common.appId])]));
  return {
    status: 201,
    body: {
      '@odata.context': `${call.base}/$metadata#microsoft.graph.applicationServicePrincipal`,
      application: { ...applicationView(application, { publishing: false }), ...(call.version === 'beta' && { objectId: application.id }), applicationTemplateId: CUSTOM_TEMPLATE },
      servicePrincipal: { ...servicePrincipalView(servicePrincipal, call.tenant, call.version), ...(call.version === 'beta' && { objectId: servicePrincipal.id }), applicationTemplateId: CUSTOM_TEMPLATE },
    },
  };
}

/** Application proxy settings are for an Application Administrator who also administers Global Secure Access. */
function mayPublish(call: GraphCall): void {
  const { caller } = call;
  if (caller.kind === 'app' || caller.user.directoryRoles.includes('Global Administrator')) return;
  if (!caller.user.directoryRoles.includes('Application Administrator') || !caller.user.directoryRoles.includes('Global Secure Access Administrator')) throw denied();
}

function publish(call: GraphCall, application: Application, wish: unknown): void {
  mayPublish(call);
  if (typeof wish !== 'object' || wish === null) throw invalid('onPremisesPublishing');
  const values = wish as Values;
  for (const name of Object.keys(values)) if (!['@odata.type', 'applicationType', 'isAccessibleViaZTNAClient', 'isDnsResolutionEnabled'].includes(name)) throw bad(`Invalid property '${name}' for the type 'onPremisesPublishing'.`);

  const before = application.onPremisesPublishing;
  const applicationType = values['applicationType'] ?? before?.applicationType;
  if (applicationType !== 'nonwebapp' && applicationType !== 'quickaccessapp') throw invalid('applicationType');
  if (before !== null && before.applicationType !== applicationType) throw bad(`Property 'applicationType' is read-only and cannot be set.`);
  if (applicationType === 'quickaccessapp' && call.tenant.applications.some((other) => other !== application && other.onPremisesPublishing?.applicationType === 'quickaccessapp')) {
    throw bad('A Quick Access application already exists in this tenant.');
  }
  const flag = (name: 'isAccessibleViaZTNAClient' | 'isDnsResolutionEnabled'): boolean => {
    const value = values[name] ?? before?.[name] ?? false;
    if (typeof value !== 'boolean') throw invalid(name);
    return value;
  };
  const [isAccessibleViaZTNAClient, isDnsResolutionEnabled] = [flag('isAccessibleViaZTNAClient'), flag('isDnsResolutionEnabled')];
  if (isDnsResolutionEnabled && applicationType !== 'quickaccessapp') throw bad('DNS resolution is for Quick Access alone.');

  application.onPremisesPublishing = { applicationType, isAccessibleViaZTNAClient, isDnsResolutionEnabled };
  if (before !== null) return;
  application.connectorGroupId = call.tenant.connectorGroups.find((group) => group.isDefault)?.id ?? null;
  const tags = (applicationType === 'quickaccessapp' ? QUICK_ACCESS_TAGS : PER_APP_TAGS).filter((tag) => isAccessibleViaZTNAClient || tag !== 'IsAccessibleViaZTNAClient');
  const servicePrincipal = call.tenant.servicePrincipals.find(({ appId }) => appId === application.appId);
  for (const object of servicePrincipal ? [application, servicePrincipal] : [application]) object.tags = [...new Set([...object.tags, ...tags])];
}

function update(call: GraphCall): GraphAnswer {
  const application = applicationOf(call);
  const values = bodyOf(call, ['displayName', 'tags', ...(call.version === 'beta' ? ['onPremisesPublishing'] : [])], 'Application');
  const displayName = values['displayName'] === undefined ? application.displayName : displayNameOf(values);
  const tags = values['tags'] ?? application.tags;
  if (!Array.isArray(tags) || tags.some((tag) => typeof tag !== 'string')) throw invalid('tags');
  if (values['onPremisesPublishing'] !== undefined) {
    publish(call, application, values['onPremisesPublishing']);
    call.audit(applicationEvent('Update application', application, [property('OnPremisesPublishing', [], [application.onPremisesPublishing])]));
  }
  if (displayName !== application.displayName || values['tags'] !== undefined) {
    call.audit(applicationEvent('Update application', application, [property('DisplayName', [application.displayName], [displayName])]));
    application.displayName = displayName;
    if (values['tags'] !== undefined) application.tags = tags.map(String);
  }
  return { status: 204 };
}

function remove(call: GraphCall): GraphAnswer {
  const { tenant } = call;
  const application = applicationOf(call);
  call.audit(applicationEvent('Delete application', application));
  for (const gone of tenant.servicePrincipals.filter(({ appId }) => appId === application.appId)) {
    dropAssignments(call, ({ resourceId, principalId }) => resourceId === gone.id || principalId === gone.id);
    tenant.servicePrincipals.splice(tenant.servicePrincipals.indexOf(gone), 1);
    call.audit(applicationEvent('Remove service principal', gone));
  }
  tenant.applications.splice(tenant.applications.indexOf(application), 1);
  return { status: 204 };
}

// --- Application segments --------------------------------------------------------------------------------------------

const SEGMENTS = '/applications/{id}/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments';
const SEGMENT_PROPERTIES = ['destinationHost', 'destinationType', 'port', 'ports', 'protocol', 'action'];
const DESTINATION_TYPES = ['ipAddress', 'ipRange', 'ipRangeCidr', 'fqdn', 'dnsSuffix'] as const;
const MAX_SEGMENTS = 500;
const NAME = /^(?=.{1,253}$)(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

function published(call: GraphCall): Application {
  const application = applicationOf(call);
  if (application.onPremisesPublishing === null) throw bad('The application is not configured for on-premises publishing.');
  return application;
}

function segmentFrom(call: GraphCall, application: Application, values: Values): Omit<ApplicationSegment, 'id'> {
  const wrong = (name: string): GraphRefusal => bad(`Invalid value specified for property '${name}' of resource 'ipApplicationSegment'.`);
  const destinationType = DESTINATION_TYPES.find((type) => type.toLowerCase() === String(values['destinationType']).toLowerCase());
  const { destinationHost: host, ports, protocol, port } = values;
  if (destinationType === undefined) throw wrong('destinationType');
  if (typeof host !== 'string') throw wrong('destinationHost');
  if (port !== undefined && port !== null && port !== 0) throw wrong('port');

  if (destinationType === 'dnsSuffix') {
    if (application.onPremisesPublishing?.applicationType !== 'quickaccessapp') throw bad('A DNS suffix can be set for Quick Access alone.');
    if (!NAME.test(host) || host.startsWith('*')) throw wrong('destinationHost');
    return { destinationHost: host, destinationType, port: 0, ports: [], protocol: '0' };
  }
  // A name without a dot is a NetBIOS name, which Private Access does not forward.
  const fits = destinationType === 'fqdn' ? NAME.test(host) && addressesOf({ destinationHost: host, destinationType: 'ipAddress' }) === undefined : addressesOf({ destinationHost: host, destinationType }) !== undefined;
  if (!fits) throw wrong('destinationHost');
  if (!Array.isArray(ports) || ports.length === 0 || !ports.every((range) => typeof range === 'string' && portRange(range) !== undefined)) throw wrong('ports');
  const words = typeof protocol === 'string' ? protocol.toLowerCase().split(',').map((word) => word.trim()) : [];
  if (words.length === 0 || words.some((word) => word !== 'tcp' && word !== 'udp') || new Set(words).size !== words.length) throw wrong('protocol');
  return { destinationHost: host, destinationType, port: 0, ports: ports.map(String), protocol: words.toSorted().join(',') };
}

/** No destination twice, in an application or between two; only Quick Access may overlap with others. */
function checkOverlap(call: GraphCall, application: Application, segment: Omit<ApplicationSegment, 'id'>, itself?: string): void {
  const quick = (one: Application): boolean => one.onPremisesPublishing?.applicationType === 'quickaccessapp';
  for (const other of call.tenant.applications) {
    if (other !== application && (quick(application) || quick(other))) continue;
    const twin = other.segments.find((known) => known.id !== itself && segmentsMeet(known, segment));
    if (twin) throw bad(`The application segment overlaps with ${twin.destinationHost} of the application '${other.displayName}'.`, 'ApplicationSegmentOverlap');
  }
}

function segmentOf(call: GraphCall, application: Application): ApplicationSegment {
  const id = param(call, 'segmentId');
  const found = application.segments.find((segment) => sameId(segment.id, id));
  if (!found) throw notFound(id);
  return found;
}

const segmentContext = (application: Application): string =>
  `applications('${application.id}')/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments`;

const words = (segment: Omit<ApplicationSegment, 'id'>): string => `${segment.destinationHost} ${segment.protocol} ${segment.ports.join(',')}`.trim();

/** Applications, and how those of Private Access are published. */
export const applicationRoutes = graphRoutes([
  {
    method: 'GET', path: '/applicationTemplates/{templateId}', versions: BOTH, delegated: READ, application: READ_APP_ONLY, query: ONE_QUERY,
    handle(call) {
      if (!sameId(param(call, 'templateId'), CUSTOM_TEMPLATE)) throw notFound(param(call, 'templateId'));
      return single(call, TEMPLATE, 'applicationTemplates');
    },
  },
  {
    method: 'POST', path: '/applicationTemplates/{templateId}/instantiate', versions: BOTH, delegated: ['Application.ReadWrite.All', 'Directory.ReadWrite.All'],
    application: [...WRITE_APP_ONLY, 'Directory.ReadWrite.All'], roles: { anyOf: APPLICATION_WRITERS },
    handle: instantiate,
  },
  {
    method: 'GET', path: '/applications', versions: BOTH, delegated: READ, application: READ_APP_ONLY, query: LIST_QUERY,
    handle: (call) => collectionAnswer(call, call.tenant.applications.map((application) => viewOf(call, application)), APPLICATIONS),
  },
  {
    method: 'POST', path: '/applications', versions: BOTH, delegated: WRITE, application: WRITE_APP_ONLY, roles: { anyOf: APPLICATION_WRITERS },
    handle: create,
  },
  {
    method: 'GET', path: '/applications/{id}', versions: BOTH, delegated: READ, application: READ_APP_ONLY, query: ONE_QUERY,
    handle: (call) => single(call, viewOf(call, applicationOf(call)), 'applications'),
  },
  {
    method: 'PATCH', path: '/applications/{id}', versions: BOTH, delegated: WRITE, application: WRITE_APP_ONLY, roles: { anyOf: APPLICATION_WRITERS },
    handle: update,
  },
  {
    method: 'DELETE', path: '/applications/{id}', versions: BOTH, delegated: WRITE, application: WRITE_APP_ONLY, roles: { anyOf: APPLICATION_WRITERS },
    handle: remove,
  },
  {
    method: 'GET', path: '/applications/{id}/onPremisesPublishing', versions: BETA, delegated: READ_PUBLISHING, application: [...READ_PUBLISHING, 'Application.ReadWrite.OwnedBy'], query: ONE_QUERY,
    handle: (call) => single(call, publishingView(published(call)) ?? {}, `applications('${param(call, 'id')}')/onPremisesPublishing`),
  },
  {
    method: 'PATCH', path: '/applications/{id}/onPremisesPublishing', versions: BETA, delegated: WRITE, application: WRITE_APP_ONLY, roles: { anyOf: PROXY_WRITERS },
    handle(call) {
      const application = applicationOf(call);
      publish(call, application, call.body);
      call.audit(applicationEvent('Update application', application, [property('OnPremisesPublishing', [], [application.onPremisesPublishing])]));
      return { status: 204 };
    },
  },
  {
    method: 'GET', path: '/applications/{id}/connectorGroup', versions: BETA, delegated: ['Directory.ReadWrite.All'], application: null, query: ONE_QUERY,
    handle(call) {
      const { connectorGroupId } = applicationOf(call);
      const group = call.tenant.connectorGroups.find(({ id }) => id === connectorGroupId);
      if (!group) throw notFound(param(call, 'id'));
      return single(call, connectorGroupView(group), 'connectorGroups');
    },
  },
  {
    method: 'PUT', path: '/applications/{id}/connectorGroup/$ref', versions: BETA, delegated: ['Directory.ReadWrite.All'], application: null, roles: { anyOf: PROXY_WRITERS },
    handle(call) {
      mayPublish(call);
      const application = published(call);
      const { '@odata.id': reference } = bodyOf(call, ['@odata.id'], 'reference');
      const id = referencedId(reference, ['onPremisesPublishingProfiles/applicationProxy/connectorGroups']);
      const group = call.tenant.connectorGroups.find((one) => sameId(one.id, id));
      if (!group) throw notFound(id);
      call.audit(applicationEvent('Update application', application, [property('ConnectorGroup', [application.connectorGroupId], [group.id])]));
      application.connectorGroupId = group.id;
      return { status: 204 };
    },
  },
  {
    method: 'GET', path: SEGMENTS, versions: BETA, delegated: READ_PUBLISHING, application: [...READ_PUBLISHING, 'Application.ReadWrite.OwnedBy'], query: ['$select', '$top', '$skiptoken'],
    handle(call) {
      const application = published(call);
      return listAnswer(call, application.segments.map(segmentView), { context: segmentContext(application) });
    },
  },
  {
    method: 'POST', path: SEGMENTS, versions: BETA, delegated: WRITE, application: WRITE_APP_ONLY, roles: { anyOf: PROXY_WRITERS },
    handle(call) {
      mayPublish(call);
      const application = published(call);
      const segment = segmentFrom(call, application, bodyOf(call, SEGMENT_PROPERTIES, 'ipApplicationSegment'));
      if (application.segments.length >= MAX_SEGMENTS) throw bad(`An application has at most ${MAX_SEGMENTS} application segments.`);
      checkOverlap(call, application, segment);
      const made: ApplicationSegment = { id: call.newId(), ...segment };
      application.segments.push(made);
      call.audit(applicationEvent('Update application', application, [property('ApplicationSegments', [], [words(made)])]));
      return single(call, segmentView(made), segmentContext(application), 201);
    },
  },
  {
    method: 'GET', path: `${SEGMENTS}/{segmentId}`, versions: BETA, delegated: READ_PUBLISHING, application: [...READ_PUBLISHING, 'Application.ReadWrite.OwnedBy'], query: ONE_QUERY,
    handle(call) {
      const application = published(call);
      return single(call, segmentView(segmentOf(call, application)), segmentContext(application));
    },
  },
  {
    method: 'PATCH', path: `${SEGMENTS}/{segmentId}`, versions: BETA, delegated: WRITE, application: WRITE_APP_ONLY, roles: { anyOf: PROXY_WRITERS },
    handle(call) {
      mayPublish(call);
      const application = published(call);
      const before = segmentOf(call, application);
      const next = segmentFrom(call, application, { ...before, ...bodyOf(call, SEGMENT_PROPERTIES, 'ipApplicationSegment') });
      checkOverlap(call, application, next, before.id);
      call.audit(applicationEvent('Update application', application, [property('ApplicationSegments', [words(before)], [words(next)])]));
      Object.assign(before, next);
      return { status: 204 };
    },
  },
  {
    method: 'DELETE', path: `${SEGMENTS}/{segmentId}`, versions: BETA, delegated: WRITE, application: WRITE_APP_ONLY, roles: { anyOf: PROXY_WRITERS },
    handle(call) {
      mayPublish(call);
      const application = published(call);
      const gone = segmentOf(call, application);
      application.segments.splice(application.segments.indexOf(gone), 1);
      call.audit(applicationEvent('Update application', application, [property('ApplicationSegments', [words(gone)], [])]));
      return { status: 204 };
    },
  },
]);
