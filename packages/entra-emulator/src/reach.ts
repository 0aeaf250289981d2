import { segmentTakes } from './directory/destinations.ts';
import type { Application, Tenant } from './tenant.ts';

/** What Private Access answers somebody who connects, and why, in a sentence. */
export interface Reach {
  readonly allowed: boolean;
  readonly reason: string;
  /** Display name of the application that the destination belongs to, where there is one. */
  readonly application?: string;
}

/**
 * Whether Global Secure Access lets the person through to the host and TCP port. `opensStill` may name, as a reason, what
 * lets somebody in who is not assigned to the service principal any more.
 */
export function reach(tenant: Tenant, upn: string, host: string, port: number, opensStill: (servicePrincipalId: string) => string | undefined = () => undefined): Reach {
  const user = tenant.users.find((candidate) => candidate.userPrincipalName.toLowerCase() === upn.toLowerCase());
  if (!user) return no(`Nobody in ${tenant.displayName} has the name ${upn}.`);
  if (!user.accountEnabled) return no(`The account of ${user.displayName} is disabled.`);

  const profile = tenant.forwardingProfiles.find((candidate) => candidate.trafficForwardingType === 'private');
  if (profile?.state !== 'enabled') return no('The Private Access traffic forwarding profile is not enabled, so the client forwards nothing.');

  const client = tenant.servicePrincipals.find(({ id }) => id === profile.servicePrincipalId);
  if (client?.appRoleAssignmentRequired === true && assignedThrough(tenant, user.id, client.id) === undefined) return no(`The Private Access traffic forwarding profile is not assigned to ${user.displayName}.`);

  const application = published(tenant, host, port);
  if (!application) return no(`No application segment covers ${host}:${port}.`);
  const refused = (reason: string): Reach => ({ ...no(reason), application: application.displayName });

  const servicePrincipal = tenant.servicePrincipals.find((candidate) => candidate.appId === application.appId);
  if (!servicePrincipal) return refused(`${application.displayName} has no enterprise application.`);
  if (!servicePrincipal.accountEnabled) return refused(`Sign-in to ${application.displayName} is turned off.`);

  const entrance = servicePrincipal.appRoleAssignmentRequired ? assignedThrough(tenant, user.id, servicePrincipal.id) ?? opensStill(servicePrincipal.id) : `${application.displayName} does not require assignment, so everybody may enter`;
  if (entrance === undefined) {
    return refused(`${user.displayName} is not assigned to ${application.displayName}: neither directly nor as a direct member of an assigned group.`);
  }

  const connectors = tenant.connectorGroups.find((group) => (application.connectorGroupId === null ? group.isDefault : group.id === application.connectorGroupId));
  if (!connectors) return refused(`${application.displayName} has no connector group.`);
  if (!connectors.connectors.some((connector) => connector.status === 'active')) return refused(`No connector of the group ${connectors.name} is live.`);

  return { allowed: true, reason: `${entrance}.`, application: application.displayName };
}

const no = (reason: string): Reach => ({ allowed: false, reason });

/** The application whose segment takes the connection. One of its own beats Quick Access. */
function published(tenant: Tenant, host: string, port: number): Application | undefined {
  const takes = tenant.applications.filter((application) => application.onPremisesPublishing !== null && application.segments.some((segment) => segmentTakes(segment, host, port)));
  return takes.find((application) => application.onPremisesPublishing?.applicationType === 'nonwebapp') ?? takes[0];
}

/** What the person is assigned by, in words. A member of a group inside an assigned group has no access: only direct membership counts. */
export function assignedThrough(tenant: Tenant, userId: string, resourceId: string): string | undefined {
  const nameOf = (id: string): string => tenant.users.find((user) => user.id === id)?.displayName ?? 'The person';
  for (const assignment of tenant.appRoleAssignments) {
    if (assignment.resourceId !== resourceId) continue;
    if (assignment.principalId === userId) return `${nameOf(userId)} is assigned directly`;
    const group = tenant.groups.find((candidate) => candidate.id === assignment.principalId);
    if (group?.memberIds.includes(userId)) return `${nameOf(userId)} is a member of ${group.displayName}, which is assigned`;
  }
  return undefined;
}
