import { graphRoutes, type GraphCall } from '../graph/route.ts';
import { listAnswer, single } from '../odata.ts';
import type { Application, ApplicationSegment } from '../tenant.ts';
import { applicationEvent, property } from './audits.ts';
import { addressesOf, portRange, segmentsMeet } from './destinations.ts';
import { applicationOf, bad, BETA, bodyOf, notFound, PROXY_WRITERS } from './common.ts';
import { READ_APPLICATIONS, WRITE_APPLICATIONS } from './private-access.ts';
import { segmentView } from './views.ts';

type Wish = Omit<ApplicationSegment, 'id'>;

const PATH = '/applications/{id}/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments';
const PROPERTIES = ['destinationHost', 'destinationType', 'port', 'ports', 'protocol', 'action'];
const MAX_SEGMENTS = 500;
const TYPES: readonly ApplicationSegment['destinationType'][] = ['ipAddress', 'ipRange', 'ipRangeCidr', 'fqdn', 'dnsSuffix'];
const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
/** A name with a dot in it: NetBIOS names are not supported. */
const NAME = new RegExp(`^(?:${LABEL}\\.)+${LABEL}$`);

const context = ({ params }: GraphCall): string => `applications('${params['id'] ?? ''}')/onPremisesPublishing/segmentsConfiguration/microsoft.graph.ipSegmentConfiguration/applicationSegments`;
const WRITE_APP_ONLY = ['Application.ReadWrite.OwnedBy', ...WRITE_APPLICATIONS];

/** The destinations of a Private Access application. */
export const segmentRoutes = graphRoutes([
  {
    method: 'GET', path: PATH, versions: BETA, delegated: READ_APPLICATIONS, application: READ_APPLICATIONS, query: ['$select', '$top', '$skiptoken'],
    handle: (call) => listAnswer(call, publishedOf(call).segments.map(segmentView), { context: context(call) }),
  },
  {
    method: 'POST', path: PATH, versions: BETA, delegated: WRITE_APPLICATIONS, application: WRITE_APP_ONLY, roles: { anyOf: PROXY_WRITERS },
    handle(call) {
      const application = publishedOf(call);
      if (application.segments.length >= MAX_SEGMENTS) throw bad(`An application can have at most ${MAX_SEGMENTS} application segments.`);
      const segment = { id: call.newId(), ...checked(call, application, bodyOf(call, PROPERTIES, 'IpApplicationSegment')) };
      application.segments.push(segment);
      written(call, application, undefined, segment);
      return single(call, segmentView(segment), context(call), 201);
    },
  },
  {
    method: 'GET', path: `${PATH}/{segmentId}`, versions: BETA, delegated: READ_APPLICATIONS, application: READ_APPLICATIONS, query: ['$select'],
    handle: (call) => single(call, segmentView(segmentOf(call, publishedOf(call))), context(call)),
  },
  {
    method: 'PATCH', path: `${PATH}/{segmentId}`, versions: BETA, delegated: WRITE_APPLICATIONS, application: WRITE_APP_ONLY, roles: { anyOf: PROXY_WRITERS },
    handle(call) {
      const application = publishedOf(call);
      const segment = segmentOf(call, application);
      const { id, ...before } = segment;
      Object.assign(segment, checked(call, application, { ...before, ...bodyOf(call, PROPERTIES, 'IpApplicationSegment') }, id));
      written(call, application, before, segment);
      return { status: 204 };
    },
  },
  {
    method: 'DELETE', path: `${PATH}/{segmentId}`, versions: BETA, delegated: WRITE_APPLICATIONS, application: WRITE_APP_ONLY, roles: { anyOf: PROXY_WRITERS },
    handle(call) {
      const application = publishedOf(call);
      const segment = segmentOf(call, application);
      application.segments.splice(application.segments.indexOf(segment), 1);
      written(call, application, segment, undefined);
      return { status: 204 };
    },
  },
]);

function publishedOf(call: GraphCall): Application {
  const application = applicationOf(call);
  if (application.onPremisesPublishing === null) throw bad('The application is not configured for application proxy or Private Access.');
  return application;
}

function segmentOf(call: GraphCall, application: Application): ApplicationSegment {
  const id = call.params['segmentId'] ?? '';
  const segment = application.segments.find((one) => one.id === id);
  if (!segment) throw notFound(id);
  return segment;
}

/** The segment that the body describes, if it is one and takes nothing from another application. */
function checked(call: GraphCall, application: Application, body: Record<string, unknown>, own?: string): Wish {
  const wish = segmentFrom(body, application);
  const isQuickAccess = ({ onPremisesPublishing }: Application): boolean => onPremisesPublishing?.applicationType === 'quickaccessapp';
  for (const other of call.tenant.applications) {
    // Quick Access and an application of its own may share a destination: the latter wins.
    if (isQuickAccess(other) !== isQuickAccess(application)) continue;
    if (other.segments.some((segment) => segment.id !== own && segmentsMeet(segment, wish))) {
      throw bad(`Application segment '${wish.destinationHost}' overlaps with an application segment of '${other.displayName}'.`);
    }
  }
  return wish;
}

function segmentFrom(body: Record<string, unknown>, application: Application): Wish {
  const refused = (name: string) => bad(`Invalid value specified for property '${name}' of resource 'IpApplicationSegment'.`);
  // A client sends `ip` for one address where the page says `ipAddress`.
  const destinationType = TYPES.find((type) => type === (body['destinationType'] === 'ip' ? 'ipAddress' : body['destinationType']));
  if (destinationType === undefined) throw refused('destinationType');
  const { destinationHost, port = 0, ports = [], protocol = '' } = body;
  if (typeof destinationHost !== 'string' || !isDestination(destinationHost, destinationType)) throw refused('destinationHost');
  if (port !== 0) throw refused('port');
  if (destinationType === 'dnsSuffix') {
    if (application.onPremisesPublishing?.applicationType !== 'quickaccessapp') throw bad("Destination type 'dnsSuffix' is supported for Quick Access alone.");
    return { destinationHost, destinationType, port: 0, ports: [], protocol: '0' };
  }
  if (!Array.isArray(ports) || ports.length === 0 || !ports.every((one): one is string => typeof one === 'string' && portRange(one) !== undefined)) throw refused('ports');
  if (typeof protocol !== 'string') throw refused('protocol');
  const words = protocol.toLowerCase().split(',').map((word) => word.trim());
  if (!words.every((word) => word === 'tcp' || word === 'udp') || new Set(words).size !== words.length) throw refused('protocol');
  return { destinationHost, destinationType, port: 0, ports: [...ports], protocol: words.toSorted().join(',') };
}

function isDestination(destinationHost: string, destinationType: ApplicationSegment['destinationType']): boolean {
  if (destinationType === 'fqdn') return destinationHost.length <= 253 && NAME.test(destinationHost.replace(/^\*\./, '')) && !/^[\d.]+$/.test(destinationHost);
  if (destinationType === 'dnsSuffix') return destinationHost.length <= 253 && NAME.test(destinationHost);
  return addressesOf({ destinationHost, destinationType }) !== undefined;
}

const written = (call: GraphCall, application: Application, before: Wish | undefined, after: Wish | undefined): void =>
  call.audit(applicationEvent('Update application', application, [property('ApplicationSegment', before, after)]));
