import { randomBytes } from 'node:crypto';
import { CUSTOM_APP_ROLES, PER_APP_TAGS, QUICK_ACCESS_TAGS } from '../directory/private-access.ts';
import type { Application, ApplicationSegment, AppRole, ConnectorGroup, ForwardingProfile, OptionalClaim, ServicePrincipal } from '../tenant.ts';

/** An application and its enterprise application, which go together. */
export interface Made {
  readonly application: Application;
  readonly servicePrincipal: ServicePrincipal;
}

type NewId = () => string;

interface Wish {
  readonly displayName: string;
  readonly tags?: readonly string[];
  readonly appRoles?: readonly AppRole[];
  readonly assignmentRequired?: boolean;
  readonly publishing?: Application['onPremisesPublishing'];
  readonly connectorGroupId?: string;
  readonly segments?: readonly Omit<ApplicationSegment, 'id'>[];
  readonly registration?: Application['registration'];
}

function make(wish: Wish, createdAt: Date, newId: NewId): Made {
  const appId = newId();
  const common = { appId, displayName: wish.displayName, tags: [...(wish.tags ?? [])] };
  const roles = (): AppRole[] => (wish.appRoles ?? []).map((role) => ({ ...role, allowedMemberTypes: [...role.allowedMemberTypes] }));
  return {
    application: {
      id: newId(), ...common, appRoles: roles(), createdDateTime: createdAt.toISOString(),
      onPremisesPublishing: wish.publishing ?? null,
      connectorGroupId: wish.connectorGroupId ?? null,
      segments: (wish.segments ?? []).map((segment) => ({ id: newId(), ...segment })),
      registration: wish.registration ?? null,
    },
    servicePrincipal: {
      id: newId(), ...common, tags: [...common.tags], accountEnabled: true, servicePrincipalType: 'Application',
      appRoleAssignmentRequired: wish.assignmentRequired ?? true, appRoles: roles(),
    },
  };
}

export const tcp = (destinationHost: string, ...ports: readonly number[]): Omit<ApplicationSegment, 'id'> => ({
  destinationHost,
  destinationType: destinationHost.includes('/') ? 'ipRangeCidr' : 'fqdn',
  port: 0,
  ports: ports.map((port) => `${port}-${port}`),
  protocol: 'tcp',
});

/** A suffix has neither ports nor protocol; Graph prints the latter as `0`. */
const suffix = (destinationHost: string): Omit<ApplicationSegment, 'id'> => ({ destinationHost, destinationType: 'dnsSuffix', port: 0, ports: [], protocol: '0' });

export const quickAccess = (connectorGroupId: string, tenantDomain: string, createdAt: Date, newId: NewId): Made =>
  make({
    displayName: 'Quick Access',
    tags: QUICK_ACCESS_TAGS,
    appRoles: CUSTOM_APP_ROLES,
    publishing: { applicationType: 'quickaccessapp', isAccessibleViaZTNAClient: true, isDnsResolutionEnabled: true },
    connectorGroupId,
    segments: [tcp(`tickets.corp.${tenantDomain}`, 443), tcp(`wiki.corp.${tenantDomain}`, 443), tcp('10.10.0.0/16', 443, 3389), suffix(`corp.${tenantDomain}`)],
  }, createdAt, newId);

export const perApp = (displayName: string, connectorGroupId: string, segments: readonly Omit<ApplicationSegment, 'id'>[], createdAt: Date, newId: NewId): Made =>
  make({
    displayName,
    tags: PER_APP_TAGS,
    appRoles: CUSTOM_APP_ROLES,
    publishing: { applicationType: 'nonwebapp', isAccessibleViaZTNAClient: true, isDnsResolutionEnabled: false },
    connectorGroupId,
    segments,
  }, createdAt, newId);

export const enterprise = (displayName: string, appRoles: readonly AppRole[], createdAt: Date, newId: NewId): Made =>
  make({ displayName, tags: ['WindowsAzureActiveDirectoryIntegratedApp'], appRoles, assignmentRequired: appRoles.length > 0 }, createdAt, newId);

export const personRole = (id: string, value: string, displayName: string, description: string): AppRole =>
  ({ id, value, displayName, description, isEnabled: true, allowedMemberTypes: ['User'] });

/** The portal's own registration, with the permissions that its administrator has consented to. */
export const portal = (createdAt: Date, newId: NewId): Made =>
  make({
    displayName: 'Gatehouse',
    tags: ['WindowsAzureActiveDirectoryIntegratedApp'],
    appRoles: [
      personRole(newId(), 'SetupAdmin', 'Setup admin', 'Secures applications: groups, role settings, people and assignments.'),
      personRole(newId(), 'Auditor', 'Auditor', 'Reads the history of access.'),
    ],
    assignmentRequired: false,
    registration: {
      secret: randomBytes(24).toString('base64url'),
      redirectUris: ['http://localhost/auth/redirect', 'http://localhost/'],
      delegatedScopes: [...PORTAL_GRANTS.delegatedScopes],
      applicationRoles: [...PORTAL_GRANTS.applicationRoles],
      idTokenClaims: [...PORTAL_CLAIMS],
    },
  }, createdAt, newId);

/** What docs/register-app.sh has the ID token say beside what it says of everybody. */
export const PORTAL_CLAIMS = ['auth_time'] as const satisfies readonly OptionalClaim[];

/** Exactly what docs/permissions.tsv has people grant: what works here works with those. */
export const PORTAL_GRANTS = {
  delegatedScopes: [
    'User.Read', 'User.ReadBasic.All', 'PrivilegedEligibilitySchedule.Read.AzureADGroup', 'PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup', 'Group.ReadWrite.All',
    'PrivilegedAccess.Read.AzureADGroup', 'PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup', 'RoleManagementPolicy.ReadWrite.AzureADGroup', 'Application.ReadWrite.All',
    'AppRoleAssignment.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All', 'AuthenticationContext.Read.All', 'NetworkAccess.Read.All', 'User.RevokeSessions.All',
  ],
  applicationRoles: [
    'AuditLog.Read.All', 'PrivilegedAccess.Read.AzureADGroup', 'PrivilegedAssignmentSchedule.Read.AzureADGroup', 'PrivilegedEligibilitySchedule.Read.AzureADGroup',
    'RoleManagementPolicy.Read.AzureADGroup', 'Application.Read.All', 'Directory.Read.All', 'User.Read.All', 'NetworkAccess-Reports.Read.All',
  ],
} as const;

/** Microsoft's own client of the private traffic profile: who is assigned to it gets the profile. All are, where it asks for no assignment. */
export const privateClient = (newId: NewId): ServicePrincipal => ({
  id: newId(), appId: newId(), displayName: 'ZTNA Network Access Client - Private', tags: [], accountEnabled: true, servicePrincipalType: 'Application', appRoleAssignmentRequired: false, appRoles: [],
});

export function connectorGroup(name: string, region: ConnectorGroup['region'], machines: readonly (readonly [machineName: string, externalIp: string, status: 'active' | 'inactive'])[], newId: NewId): ConnectorGroup {
  return {
    id: newId(), name, region, isDefault: name === 'Default',
    connectors: machines.map(([machineName, externalIp, status]) => ({ id: newId(), machineName, externalIp, status, version: '1.5.4218.0' })),
  };
}

export function forwardingProfiles(at: Date, newId: NewId): ForwardingProfile[] {
  const kinds = [
    ['m365', 'Microsoft 365 traffic', 'disabled'],
    ['private', 'Private access traffic', 'enabled'],
    ['internet', 'Internet traffic', 'disabled'],
  ] as const;
  return kinds.map(([trafficForwardingType, words, state], priority) => ({
    id: newId(), trafficForwardingType, state, priority, version: '1.0.0', lastModifiedDateTime: at.toISOString(),
    name: `${words} forwarding profile`,
    description: `Default traffic forwarding profile for ${words}.`,
  }));
}
