import { GraphRefusal, graphRoutes, type GraphAnswer, type GraphCall } from '../graph/route.ts';
import { listAnswer } from '../odata.ts';
import { BOTH, bodyOf, denied, groupOf, isGuid, ONE_QUERY, param } from './common.ts';

/** Reading the resource is what a subscription to it takes; writing it does not count. */
const READ_GROUPS = ['Group.Read.All', 'Directory.Read.All'];
const READ_USERS = ['User.Read.All', 'Directory.Read.All'];
const READ = [...new Set([...READ_GROUPS, ...READ_USERS])];

const PROPERTIES = ['changeType', 'notificationUrl', 'resource', 'expirationDateTime', 'clientState', 'latestSupportedTlsVersion', 'lifecycleNotificationUrl', 'includeResourceData', 'notificationContentType'];
const LONGEST_MINUTES = 41_760;
const LONGEST_CLIENT_STATE = 128;

const refused = (message: string): GraphRefusal => new GraphRefusal(400, 'InvalidRequest', message);
const absent = (id: string): GraphRefusal => new GraphRefusal(404, 'ResourceNotFound', `The object was not found: '${id}'.`);

function checkResource(call: GraphCall, resource: unknown): void {
  const [, collection, id] = /^\/?(groups|users)(?:\/([^/?]+))?$/i.exec(typeof resource === 'string' ? resource : '') ?? [];
  const isGroups = collection?.toLowerCase() === 'groups';
  if (collection === undefined || (id !== undefined && !(isGroups && isGuid(id)))) throw refused(`Resource '${String(resource)}' does not support change notifications here: groups, groups/{id} and users do.`);
  const { caller } = call;
  const held = caller.kind === 'user' ? caller.scopes : caller.roles;
  if (!(isGroups ? READ_GROUPS : READ_USERS).some((permission) => held.includes(permission))) throw denied();
  if (id !== undefined) groupOf(call, id);
}

function checkExpiry(call: GraphCall, value: unknown): void {
  const until = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(until)) throw refused('expirationDateTime is not an instant in UTC.');
  if (until <= call.now.getTime()) throw refused('Subscription expiration must be in the future.');
  if (until > call.now.getTime() + LONGEST_MINUTES * 60_000) throw refused(`Subscription expiration can only be ${LONGEST_MINUTES} minutes in the future.`);
}

function checkAddress(value: unknown): void {
  if (typeof value !== 'string' || !URL.canParse(value) || new URL(value).protocol !== 'https:') throw refused('Notification URL must be an address that begins with https.');
}

function create(call: GraphCall): GraphAnswer {
  const values = bodyOf(call, PROPERTIES, 'subscription');
  for (const name of ['changeType', 'notificationUrl', 'resource', 'expirationDateTime']) if (values[name] === undefined || values[name] === null || values[name] === '') throw refused(`${name} is required.`);
  checkResource(call, values['resource']);
  const changes = String(values['changeType']).split(',').map((change) => change.trim());
  if (changes.some((change) => change !== 'updated' && change !== 'deleted') || new Set(changes).size !== changes.length) throw refused(`Change type '${String(values['changeType'])}' is not supported for this resource: updated and deleted are.`);
  checkExpiry(call, values['expirationDateTime']);
  checkAddress(values['notificationUrl']);
  if (values['lifecycleNotificationUrl'] !== undefined) checkAddress(values['lifecycleNotificationUrl']);
  if (values['clientState'] !== undefined && (typeof values['clientState'] !== 'string' || values['clientState'].length > LONGEST_CLIENT_STATE)) throw refused(`clientState has at most ${LONGEST_CLIENT_STATE} characters.`);
  if (values['includeResourceData'] === true) throw refused('Resource data in notifications is not supported for this resource.');
  throw refused('Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.');
}

/**
 * Change notifications, as far as they go here. Before it takes a subscription Graph calls the public https address of the
 * subscriber, and an emulated tenant on loopback calls nobody: a request is held against everything that is documented,
 * and one that is in order is refused as one whose address did not answer. So there never is a subscription.
 */
export const subscriptionRoutes = graphRoutes([
  { method: 'GET', path: '/subscriptions', versions: BOTH, delegated: READ, application: READ, query: ['$skiptoken'], handle: (call) => listAnswer(call, [], { context: 'subscriptions' }) },
  { method: 'POST', path: '/subscriptions', versions: BOTH, delegated: READ, application: READ, handle: create },
  {
    method: 'GET', path: '/subscriptions/{id}', versions: BOTH, delegated: READ, application: READ, query: ONE_QUERY,
    handle(call) { throw absent(param(call, 'id')); },
  },
  {
    method: 'PATCH', path: '/subscriptions/{id}', versions: BOTH, delegated: READ, application: READ,
    handle(call) {
      const { expirationDateTime, notificationUrl } = bodyOf(call, ['expirationDateTime', 'notificationUrl'], 'subscription');
      if (notificationUrl !== undefined) checkAddress(notificationUrl);
      if (expirationDateTime !== undefined || notificationUrl === undefined) checkExpiry(call, expirationDateTime);
      throw absent(param(call, 'id'));
    },
  },
  {
    method: 'DELETE', path: '/subscriptions/{id}', versions: BOTH, delegated: READ, application: READ,
    handle(call) { throw absent(param(call, 'id')); },
  },
]);
