import type { Edge } from './edge.ts';
import type { Licences } from './licences.ts';
import type { Visit } from './network/traffic.ts';
import type { CustomExtension } from './pim/custom-extensions.ts';

/**
 * The emulated tenant as plain data: everything here survives `JSON.stringify`, so a snapshot is one file.
 * Names are Microsoft Graph's where Graph has one. Instants are ISO 8601 strings in UTC by the tenant's clock.
 */
export interface Tenant {
  id: string;
  displayName: string;
  /** Default verified domain, such as `contoso.example`. */
  domain: string;
  users: User[];
  groups: Group[];
  applications: Application[];
  servicePrincipals: ServicePrincipal[];
  appRoleAssignments: AppRoleAssignment[];
  connectorGroups: ConnectorGroup[];
  forwardingProfiles: ForwardingProfile[];
  authenticationContexts: AuthenticationContext[];
  /** Absent until somebody changes one: then every context that is offered has one of its own. */
  conditionalAccessPolicies?: ConditionalAccessPolicy[];
  pim: Pim;
  directoryAudits: DirectoryAudit[];
  /** Absent until somebody signs in. */
  signIns?: SignIn[];
  /** Absent until somebody asks for what changed among the groups. */
  groupChanges?: GroupChanges;
  /** Absent until somebody connects or changes what clients go by. */
  edge?: Edge;
  /** What clients of Global Secure Access did, oldest first; absent until one did something. */
  visits?: Visit[];
  /** Absent until one is registered. */
  customExtensions?: CustomExtension[];
  /** Absent as long as everything is licensed. */
  licences?: Licences;
}

export interface User {
  id: string;
  displayName: string;
  givenName: string;
  surname: string;
  userPrincipalName: string;
  mail: string;
  jobTitle: string;
  department: string;
  accountEnabled: boolean;
  userType: 'Member' | 'Guest';
  /** Display names of the directory roles the user holds, such as `Privileged Role Administrator`. */
  directoryRoles: string[];
  /** Refresh tokens and sessions from before this instant are refused (AADSTS50173). */
  signInSessionsValidFromDateTime: string;
}

export interface Group {
  id: string;
  displayName: string;
  description: string | null;
  mailNickname: string;
  mailEnabled: boolean;
  securityEnabled: boolean;
  groupTypes: string[];
  membershipRule: string | null;
  onPremisesSyncEnabled: boolean | null;
  isAssignableToRole: boolean;
  uniqueName: string | null;
  createdDateTime: string;
  memberIds: string[];
  ownerIds: string[];
  /** PIM answers 404 about the group before this instant: the directory replicates to PIM with a delay. */
  knownToPimAt: string;
  onboardedToPimAt: string | null;
}

export interface AppRole {
  id: string;
  displayName: string;
  description: string;
  value: string | null;
  isEnabled: boolean;
  allowedMemberTypes: ('User' | 'Application')[];
}

export interface Application {
  /** Object id; `appId` is the client id. */
  id: string;
  appId: string;
  displayName: string;
  tags: string[];
  appRoles: AppRole[];
  createdDateTime: string;
  onPremisesPublishing: {
    applicationType: 'quickaccessapp' | 'nonwebapp';
    isAccessibleViaZTNAClient: boolean;
    isDnsResolutionEnabled: boolean;
  } | null;
  connectorGroupId: string | null;
  segments: ApplicationSegment[];
  /** Set for the portal's own registration alone: what sign-in and the token endpoint check. */
  registration: ClientRegistration | null;
}

/** Of Entra's optional claims those that the tenant knows how to send. */
export type OptionalClaim = (typeof OPTIONAL_CLAIMS)[number];
export const OPTIONAL_CLAIMS = ['auth_time'] as const;

export interface ClientRegistration {
  secret: string;
  /** Accepted redirect addresses. As in Entra, the port of `http://localhost` is not compared. */
  redirectUris: string[];
  /** Delegated scopes with admin consent; a sign-in that asks for another one is refused (AADSTS65001). */
  delegatedScopes: string[];
  /** Application permissions with admin consent: the `roles` of an app-only token. */
  applicationRoles: string[];
  /** Optional claims of the ID token: no request brings one that is not named here. */
  idTokenClaims: OptionalClaim[];
}

export interface ApplicationSegment {
  id: string;
  destinationHost: string;
  destinationType: 'ipAddress' | 'ipRange' | 'ipRangeCidr' | 'fqdn' | 'dnsSuffix';
  port: 0;
  /** Ranges such as `443-443`. */
  ports: string[];
  /** `tcp`, `udp` or `tcp,udp`. */
  protocol: string;
}

export interface ServicePrincipal {
  id: string;
  appId: string;
  displayName: string;
  tags: string[];
  accountEnabled: boolean;
  appRoleAssignmentRequired: boolean;
  servicePrincipalType: 'Application';
  appRoles: AppRole[];
}

export interface AppRoleAssignment {
  id: string;
  appRoleId: string;
  principalId: string;
  principalType: 'User' | 'Group' | 'ServicePrincipal';
  /** The service principal that is opened. */
  resourceId: string;
  createdDateTime: string;
}

export interface ConnectorGroup {
  id: string;
  name: string;
  isDefault: boolean;
  region: 'nam' | 'eur' | 'aus' | 'asia' | 'ind';
  connectors: { id: string; machineName: string; externalIp: string; status: 'active' | 'inactive'; version: string }[];
}

export interface ForwardingProfile {
  id: string;
  name: string;
  description: string;
  trafficForwardingType: 'm365' | 'internet' | 'private';
  state: 'enabled' | 'disabled';
  priority: number;
  version: string;
  lastModifiedDateTime: string;
  /** What people are assigned to who get the profile; a tenant that was kept by an earlier build has none. */
  servicePrincipalId?: string;
}

export interface AuthenticationContext {
  /** `c1` to `c99`. */
  id: string;
  displayName: string;
  description: string;
  isAvailable: boolean;
}

export interface ConditionalAccessPolicy {
  id: string;
  displayName: string;
  state: string;
  createdDateTime: string;
  modifiedDateTime: string | null;
  /** These three as Graph prints them. */
  conditions: { applications: { includeAuthenticationContextClassReferences: string[]; [name: string]: unknown }; [name: string]: unknown };
  grantControls: { builtInControls: string[]; [name: string]: unknown } | null;
  sessionControls: Record<string, unknown> | null;
}

/** What Privileged Identity Management knows of groups. */
export interface Pim {
  policies: PimPolicy[];
  requests: PimRequest[];
  schedules: PimSchedule[];
  approvals: PimApproval[];
}

export type AccessId = 'member' | 'owner';

export interface PimPolicy {
  /** `Group_{groupId}_{guid}`; replaced when the group is onboarded. */
  id: string;
  groupId: string;
  accessId: AccessId;
  /** Rules exactly as Graph prints them (CONTRACT.md §4.1), 17 of them. */
  rules: Record<string, unknown>[];
  lastModifiedDateTime: string | null;
}

export interface PimRequest {
  id: string;
  kind: 'eligibility' | 'assignment';
  /** camelCase, such as `selfActivate`. */
  action: string;
  accessId: AccessId;
  principalId: string;
  groupId: string;
  status: string;
  createdDateTime: string;
  completedDateTime: string | null;
  createdByUserId: string;
  justification: string | null;
  scheduleInfo: unknown;
  ticketInfo: { ticketNumber: string | null; ticketSystem: string | null };
  isValidationOnly: boolean;
  approvalId: string | null;
  targetScheduleId: string | null;
  /** Effects that are due later (provisioning, start, expiry of the approval), by the tenant's clock. */
  dueAt: string | null;
}

export interface PimSchedule {
  /** `{groupId}_{accessId}_{guid}`, the guid being the request's. */
  id: string;
  kind: 'eligibility' | 'assignment';
  accessId: AccessId;
  principalId: string;
  groupId: string;
  assignmentType: 'assigned' | 'activated' | null;
  memberType: 'direct' | 'group';
  createdUsing: string;
  createdDateTime: string;
  startDateTime: string;
  endDateTime: string | null;
  /** Eligibility schedule an activation stands on. */
  activatedUsing: string | null;
}

export interface PimApproval {
  /** The request's id. */
  id: string;
  requestId: string;
  approverUserIds: string[];
  stage: {
    id: string;
    status: 'Initializing' | 'InProgress' | 'Completed' | 'Expired';
    reviewResult: 'NotReviewed' | 'Approved' | 'Denied';
    reviewedById: string | null;
    reviewedDateTime: string | null;
    justification: string | null;
  };
}

/** A sign-in in which a person took part; with those of 30 days before the last one. */
export interface SignIn {
  id: string;
  correlationId: string;
  createdDateTime: string;
  userId: string;
  appId: string;
  /** Code of AADSTS; 0 where it succeeded. */
  errorCode: number;
  failureReason: string | null;
  /** Authentication contexts that were demanded. */
  acrs: string[];
}

/**
 * What `/groups/delta` tells from. Members change in many places, so nobody reports a change: whenever somebody asks, the
 * groups are held against how they were seen last, and what differs is written down.
 */
export interface GroupChanges {
  /** Id of the change before the first one that is kept; of none, at the beginning. */
  base: string;
  /** By group: its facets (`displayName`, `members/{id}`) with their values. */
  seen: Record<string, Record<string, string>>;
  changes: { id: string; at: string; groupId: string; facets: string[] }[];
}

/** One entry of `/auditLogs/directoryAudits`, with the instant from which Graph shows it. */
export interface DirectoryAudit {
  visibleAt: string;
  /** As Graph prints it, `activityDateTime` with 7 fractional digits. */
  entry: Record<string, unknown> & { id: string; activityDateTime: string; activityDisplayName: string };
}
