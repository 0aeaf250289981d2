import { GraphRefusal, type GraphCall } from '../graph/route.ts';
import type { Group } from '../tenant.ts';
import { groupEvent, property, relationEvent } from './audits.ts';
import { badRequest, denied, GROUP_WRITERS, notFound } from './objects.ts';

type Body = Record<string, unknown>;

const LIMITS = { displayName: 256, description: 1024, mailNickname: 64 } as const;
const MAX_BOUND = 20;

/** Makes the group that the body asks for, checked as Graph checks it. */
export function createGroup(call: GraphCall, body: Body, uniqueName: string | null): Group {
  for (const name of ['displayName', 'mailEnabled', 'mailNickname', 'securityEnabled']) {
    if (body[name] === undefined || body[name] === null || body[name] === '') throw badRequest(`A value is required for property '${name}' of resource 'Group'.`);
  }
  const { isAssignableToRole = false, groupTypes = [], mailEnabled, securityEnabled, membershipRule = null } = body;
  if (typeof mailEnabled !== 'boolean' || typeof securityEnabled !== 'boolean' || typeof isAssignableToRole !== 'boolean' || !isTexts(groupTypes)) {
    throw new GraphRefusal(400, 'BadRequest', 'Unable to read JSON request payload. Ensure all properties have the type that the metadata declares.');
  }
  mayMake(call, isAssignableToRole);
  if (isAssignableToRole && uniqueName !== null) throw badRequest('Value for ArmUniqueName cannot be updated for groups assignable to role.');
  const unified = groupTypes.includes('Unified');
  if (mailEnabled && !unified) {
    throw badRequest('The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.');
  }
  if (!securityEnabled && !unified) throw badRequest("Invalid value specified for property 'securityEnabled' of resource 'Group'.");
  if (groupTypes.includes('DynamicMembership') !== (membershipRule !== null)) throw badRequest("Invalid value specified for property 'membershipRule' of resource 'Group'.");

  const [ownerIds, memberIds] = [bound(call, body, 'owners'), bound(call, body, 'members')];
  if (ownerIds.length + memberIds.length > MAX_BOUND) throw badRequest(`At most ${MAX_BOUND} relationships can be created with a group.`);

  const group: Group = {
    id: call.newId(),
    displayName: text(body, 'displayName') ?? '',
    description: text(body, 'description'),
    mailNickname: nickname(body) ?? '',
    mailEnabled, securityEnabled, groupTypes: [...groupTypes], membershipRule: typeof membershipRule === 'string' ? membershipRule : null,
    onPremisesSyncEnabled: null, isAssignableToRole, uniqueName,
    createdDateTime: call.now.toISOString(), memberIds, ownerIds,
    knownToPimAt: new Date(call.now.getTime() + call.delays.directoryToPim).toISOString(),
    onboardedToPimAt: null,
  };
  call.tenant.groups.push(group);
  call.audit(groupEvent('Create group', group, [property('DisplayName', undefined, [group.displayName]), property('MailNickname', undefined, [group.mailNickname])]));
  for (const id of ownerIds) call.audit(relationEvent('Add owner to group', call.tenant, group, id));
  for (const id of memberIds) call.audit(relationEvent('Add member to group', call.tenant, group, id));
  return group;
}

/** Changes the scalar properties that the body names. */
export function updateGroup(call: GraphCall, group: Group, body: Body): void {
  writable(group);
  if (body['isAssignableToRole'] !== undefined && body['isAssignableToRole'] !== group.isAssignableToRole) throw badRequest("Property 'isAssignableToRole' is read-only and cannot be set.");
  if (body['displayName'] === null || body['displayName'] === '') throw badRequest("Invalid value specified for property 'displayName' of resource 'Group'.");
  const uniqueName = body['uniqueName'];
  if (uniqueName !== undefined && uniqueName !== group.uniqueName) {
    if (group.isAssignableToRole) throw badRequest('Value for ArmUniqueName cannot be updated for groups assignable to role.');
    if (group.uniqueName !== null || typeof uniqueName !== 'string') throw badRequest("Property 'uniqueName' is read-only and cannot be set.");
    if (call.tenant.groups.some((other) => other.uniqueName === uniqueName)) throw badRequest('Another object with the same value for property uniqueName already exists.');
  }

  const changes: Partial<Group> = {
    ...(body['displayName'] !== undefined && { displayName: text(body, 'displayName') ?? '' }),
    ...(body['description'] !== undefined && { description: text(body, 'description') }),
    ...(body['mailNickname'] !== undefined && { mailNickname: nickname(body) ?? '' }),
    ...(typeof uniqueName === 'string' && { uniqueName }),
  };
  const written = Object.entries(changes).map(([name, value]) => property(name, [group[name as keyof Group]], [value]));
  Object.assign(group, changes);
  call.audit(groupEvent('Update group', group, written));
}

/** Takes the group out of the directory, with what hangs on it. */
export function deleteGroup(call: GraphCall, group: Group): void {
  writable(group);
  const { tenant } = call;
  tenant.groups = tenant.groups.filter(({ id }) => id !== group.id);
  for (const other of tenant.groups) other.memberIds = other.memberIds.filter((id) => id !== group.id);
  tenant.appRoleAssignments = tenant.appRoleAssignments.filter(({ principalId }) => principalId !== group.id);
  tenant.pim.schedules = tenant.pim.schedules.filter(({ groupId, principalId }) => groupId !== group.id && principalId !== group.id);
  tenant.pim.policies = tenant.pim.policies.filter(({ groupId }) => groupId !== group.id);
  call.audit(groupEvent('Delete group', group));
}

/** What is mastered elsewhere, or by a rule, is not written here. */
export function writable(group: Group): void {
  if (group.onPremisesSyncEnabled === true) {
    throw badRequest('Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.');
  }
  if (group.mailEnabled && !group.groupTypes.includes('Unified')) throw badRequest('Cannot Update a mail-enabled security groups and or distribution list.');
}

/** The id at the end of a reference such as `https://graph.microsoft.com/v1.0/users/{id}`, of somebody or something that exists. */
export function referenceOf(call: GraphCall, reference: unknown): string {
  const id = typeof reference === 'string' ? /\/(?:users|groups|directoryObjects|servicePrincipals)(?:\/|\(')([^/']+?)(?:'\))?$/.exec(reference)?.[1] : undefined;
  if (id === undefined) throw badRequest("The request body does not contain a valid '@odata.id' reference.");
  const { users, groups, servicePrincipals } = call.tenant;
  const found = [...users, ...groups, ...servicePrincipals].find((one) => one.id === id.toLowerCase());
  if (!found) throw notFound(id);
  return found.id;
}

function mayMake({ caller }: GraphCall, isAssignableToRole: boolean): void {
  if (caller.kind === 'app') {
    if (isAssignableToRole && !caller.roles.includes('RoleManagement.ReadWrite.Directory')) throw denied();
    return;
  }
  const wanted: readonly string[] = isAssignableToRole ? ['Privileged Role Administrator', 'Global Administrator'] : GROUP_WRITERS;
  if (!caller.user.directoryRoles.some((role) => wanted.includes(role))) throw denied();
}

function bound(call: GraphCall, body: Body, relation: 'owners' | 'members'): string[] {
  const references = body[`${relation}@odata.bind`] ?? [];
  if (!isTexts(references)) throw badRequest(`Invalid value specified for property '${relation}' of resource 'Group'.`);
  return [...new Set(references.map((reference) => referenceOf(call, reference)))];
}

function text(body: Body, name: keyof typeof LIMITS): string | null {
  const value = body[name];
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string' || value.length > LIMITS[name]) throw badRequest(`Invalid value specified for property '${name}' of resource 'Group'.`);
  return value;
}

/** ASCII, and without the characters that an address cannot hold. */
function nickname(body: Body): string | null {
  const value = text(body, 'mailNickname');
  if (value === null || !/^[!#$%&'*+\-/0-9=?A-Z^_`a-z{|}~]+$/.test(value)) throw badRequest("Invalid value specified for property 'mailNickname' of resource 'Group'.");
  return value;
}

const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((one) => typeof one === 'string');
