import type { AuditInput } from '../graph/route.ts';
import type { AppRoleAssignment, Application, Group, ServicePrincipal, Tenant } from '../tenant.ts';

type DirectoryEvent = Omit<AuditInput, 'initiatedBy'>;

interface Property {
  readonly displayName: string;
  readonly oldValue: string | null;
  readonly newValue: string | null;
}

/** Values stand in the log as JSON, lists of one among them. */
export const property = (displayName: string, oldValue: unknown, newValue: unknown): Property => ({
  displayName,
  oldValue: oldValue === undefined ? null : JSON.stringify(oldValue),
  newValue: newValue === undefined ? null : JSON.stringify(newValue),
});

const groupTarget = (group: Pick<Group, 'id' | 'displayName'>, modifiedProperties: readonly Property[] = []): Record<string, unknown> =>
  ({ type: 'Group', id: group.id, displayName: group.displayName, groupType: 'azureAD', modifiedProperties: [...modifiedProperties] });

/** The directory's entry about a group itself. */
export const groupEvent = (activityDisplayName: 'Create group' | 'Update group' | 'Delete group', group: Group, changes: readonly Property[] = []): DirectoryEvent => ({
  loggedByService: 'Core Directory',
  category: 'GroupManagement',
  activityDisplayName,
  operationType: { 'Create group': 'Add', 'Update group': 'Update', 'Delete group': 'Delete' }[activityDisplayName],
  targetResources: [groupTarget(group, changes)],
});

/** The directory's entry about an owner or a member of a group. */
export function relationEvent(activityDisplayName: 'Add owner to group' | 'Remove owner from group' | 'Add member to group' | 'Remove member from group', tenant: Tenant, group: Group, principalId: string): DirectoryEvent {
  const user = tenant.users.find(({ id }) => id === principalId);
  const other = tenant.groups.find(({ id }) => id === principalId) ?? tenant.servicePrincipals.find(({ id }) => id === principalId);
  const added = activityDisplayName.startsWith('Add');
  const value = (name: string, text: string): Property => (added ? property(name, undefined, text) : property(name, text, undefined));
  return {
    loggedByService: 'Core Directory',
    category: 'GroupManagement',
    activityDisplayName,
    operationType: added ? 'Assign' : 'Unassign',
    targetResources: [
      {
        type: user ? 'User' : 'Group', id: principalId, displayName: user?.displayName ?? other?.displayName ?? null, userPrincipalName: user?.userPrincipalName ?? null,
        modifiedProperties: [value('Group.ObjectID', group.id), value('Group.DisplayName', group.displayName)],
      },
      groupTarget(group),
    ],
  };
}

const ASSIGNMENT_WORDS = {
  User: { added: 'Add app role assignment grant to user', removed: 'Remove app role assignment from user', key: 'User.ObjectID' },
  Group: { added: 'Add app role assignment to group', removed: 'Remove app role assignment from group', key: 'Group.ObjectID' },
  ServicePrincipal: { added: 'Add app role assignment to service principal', removed: 'Remove app role assignment from service principal', key: 'ServicePrincipal.ObjectID' },
} as const;

/** The directory's entry about an assignment to an application. */
export function assignmentEvent(change: 'add' | 'remove', tenant: Tenant, assignment: AppRoleAssignment, resource: ServicePrincipal): DirectoryEvent {
  const role = resource.appRoles.find(({ id }) => id === assignment.appRoleId);
  const user = tenant.users.find(({ id }) => id === assignment.principalId);
  const other = tenant.groups.find(({ id }) => id === assignment.principalId) ?? tenant.servicePrincipals.find(({ id }) => id === assignment.principalId);
  const value = (name: string, text: string): Property => (change === 'add' ? property(name, undefined, text) : property(name, text, undefined));
  const { added, removed, key } = ASSIGNMENT_WORDS[assignment.principalType];
  return {
    loggedByService: 'Core Directory',
    category: 'ApplicationManagement',
    activityDisplayName: change === 'add' ? added : removed,
    operationType: change === 'add' ? 'Assign' : 'Unassign',
    targetResources: [
      {
        type: 'ServicePrincipal', id: resource.id, displayName: resource.displayName,
        modifiedProperties: [value('AppRole.Id', assignment.appRoleId), value('AppRole.DisplayName', role?.displayName ?? 'Default Access'), value(key, assignment.principalId)],
      },
      assignment.principalType === 'Group'
        ? groupTarget({ id: assignment.principalId, displayName: other?.displayName ?? '' })
        : { type: assignment.principalType, id: assignment.principalId, displayName: user?.displayName ?? other?.displayName ?? null, userPrincipalName: user?.userPrincipalName ?? null, modifiedProperties: [] },
    ],
  };
}

/** The directory's entry about an application or its enterprise application. */
export const applicationEvent = (
  activityDisplayName: 'Add application' | 'Update application' | 'Delete application' | 'Add service principal' | 'Update service principal' | 'Remove service principal',
  object: Pick<Application | ServicePrincipal, 'id' | 'displayName'>,
  changes: readonly Property[] = [],
): DirectoryEvent => ({
  loggedByService: 'Core Directory',
  category: 'ApplicationManagement',
  activityDisplayName,
  operationType: activityDisplayName.split(' ')[0] ?? 'Update',
  targetResources: [{ type: activityDisplayName.endsWith('principal') ? 'ServicePrincipal' : 'Application', id: object.id, displayName: object.displayName, modifiedProperties: [...changes] }],
});
