/**
 * Microsoft Graph in the portal's words. Each port is made for one token: a person's (delegated) or the portal's own
 * (app-only, read-only). Instants are ISO 8601 strings as Graph sent them; durations are ISO 8601 durations.
 * Every function may throw `GraphError` and nothing else.
 */

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; give it back as it is. Absent on the last page. */
  readonly nextLink?: string | undefined;
}

export interface GraphUser {
  readonly id: string;
  readonly displayName: string;
  readonly userPrincipalName: string;
  readonly jobTitle?: string | undefined;
}

export interface GraphGroup {
  readonly id: string;
  readonly displayName: string;
  readonly description?: string | undefined;
  readonly mailNickname?: string | undefined;
  readonly mailEnabled: boolean;
  readonly securityEnabled: boolean;
  readonly dynamicMembership: boolean;
  readonly synchronised: boolean;
  readonly roleAssignable: boolean;
}

export interface NewGroup {
  /** Natural key of the create: the same call again changes nothing and answers the same group. */
  readonly uniqueName: string;
  readonly displayName: string;
  readonly mailNickname: string;
  readonly description?: string | undefined;
  readonly ownerIds: readonly string[];
}

export interface Directory {
  me(): Promise<GraphUser>;
  /** Template ids of the built-in directory roles that the signed-in person holds now; a custom role is not among them. */
  myRoles(): Promise<ReadonlySet<string>>;
  /** Names of the service plans that the tenant has licences of. */
  servicePlans(): Promise<ReadonlySet<string>>;
  organization(): Promise<{ readonly id: string; readonly displayName: string }>;
  searchUsers(text: string, limit: number): Promise<readonly GraphUser[]>;
  searchGroups(text: string, limit: number): Promise<readonly GraphGroup[]>;
  /** `undefined` where there is none (or it is not replicated yet). */
  group(id: string): Promise<GraphGroup | undefined>;
  groupByUniqueName(uniqueName: string): Promise<GraphGroup | undefined>;
  groupByMailNickname(mailNickname: string): Promise<GraphGroup | undefined>;
  /** By exact user principal name, whatever its case; in few round trips. Names that are nobody's are left out. */
  usersByPrincipalName(names: readonly string[]): Promise<readonly GraphUser[]>;
  /** By exact display name, whatever its case: several groups may share one. In few round trips. */
  groupsByName(displayNames: readonly string[]): Promise<readonly GraphGroup[]>;
  /**
   * Creates the group, or finds the one that the same call made before. The caller has looked whether another group has the
   * unique name: what such a one is called would be changed.
   */
  ensureGroup(group: NewGroup): Promise<{ readonly group: GraphGroup; readonly created: boolean }>;
  /** Its members then lose what it gave them. A group that is gone is no failure. */
  deleteGroup(groupId: string): Promise<void>;
  owners(groupId: string): Promise<readonly { readonly id: string; readonly displayName: string }[]>;
  /** Somebody who owns the group already is no failure. */
  addOwner(groupId: string, userId: string): Promise<void>;
  removeOwner(groupId: string, userId: string): Promise<void>;
  /** Takes a direct member out, whom PIM did not put in. One that is gone is no failure. */
  removeMember(groupId: string, principalId: string): Promise<void>;
  /** Direct members, people and groups alike, by id. */
  members(groupId: string): Promise<readonly string[]>;
  /** Names of users, groups and service principals by id, with the mail address of a user who has one; unknown ids are left out. */
  names(ids: readonly string[]): Promise<ReadonlyMap<string, { readonly kind: 'user' | 'group' | 'servicePrincipal'; readonly displayName: string; readonly userPrincipalName?: string | undefined; readonly mail?: string | undefined }>>;
  /** Groups among the direct members, which give nobody access to a Private Access application. */
  nestedGroups(groupId: string): Promise<readonly GraphGroup[]>;
  /** Cheapest exact probe of direct membership (CONTRACT.md §2.2, probe 1). Only `true` is proof. */
  isMember(userId: string, groupId: string): Promise<boolean>;
  /**
   * Ends all sign-ins of a person, of every application on every device (CONTRACT.md §15); `me`: of the signed-in person.
   * Doing it twice is the same as once.
   */
  revokeSignIns(userId: string | 'me'): Promise<void>;
  /** Since when sign-ins of the person count: what was signed in before is revoked. */
  signInsValidFrom(userId: string): Promise<string | undefined>;
}

/** A PIM policy rule as Graph prints it, unknown fields and rules included. */
export type PolicyRule = Readonly<Record<string, unknown>> & { readonly id: string };

/** What PIM lets people be of a group. */
export type GroupRole = 'member' | 'owner';

export interface GroupPolicy {
  /** Changes when the group is onboarded: never keep it across a write. */
  readonly policyId: string;
  readonly rules: readonly PolicyRule[];
}

export type ScheduleStatus =
  | 'Canceled' | 'Denied' | 'Failed' | 'Granted' | 'PendingAdminDecision' | 'PendingApproval' | 'PendingProvisioning'
  | 'PendingScheduleCreation' | 'Provisioned' | 'Revoked' | 'ScheduleCreated' | 'unknown';

export interface ScheduleRequest {
  readonly id: string;
  readonly action: string;
  readonly status: ScheduleStatus;
  /** The status in Entra's own word, which may be none of those. */
  readonly statusAsGiven?: string | undefined;
  readonly principalId: string;
  readonly groupId: string;
  readonly accessId: 'member' | 'owner';
  /** Who asked; `undefined`: Graph does not say. */
  readonly createdBy?: string | undefined;
  readonly justification?: string | undefined;
  readonly ticketNumber?: string | undefined;
  readonly ticketSystem?: string | undefined;
  readonly approvalId?: string | undefined;
  readonly createdAt: string;
  /** When Entra was done with it, whichever way. */
  readonly completedAt?: string | undefined;
  readonly startsAt?: string | undefined;
  /** ISO 8601 duration, where the request carries one. */
  readonly duration?: string | undefined;
  readonly endsAt?: string | undefined;
}

export interface ScheduleInstance {
  readonly id: string;
  readonly principalId: string;
  readonly groupId: string;
  readonly accessId: 'member' | 'owner';
  readonly startsAt?: string | undefined;
  readonly endsAt?: string | undefined;
  readonly memberType: 'direct' | 'group';
  /** Of assignments alone: `activated` by the person, or `assigned` to them. */
  readonly assignmentType?: 'activated' | 'assigned' | undefined;
  /** Id of the schedule; its last part is the id of the request that made it. */
  readonly scheduleId?: string | undefined;
}

/** What was given, whether it has begun or not; instances are what is in force of it. */
export interface Schedule extends ScheduleInstance {
  /** In Entra's own word. */
  readonly status?: string | undefined;
  /** Id of the request that made it, where Graph names one: of what was given outside PIM there is none. */
  readonly createdUsing?: string | undefined;
  readonly createdAt?: string | undefined;
  /** ISO 8601 duration, where the schedule says how long it is and not when it ends. */
  readonly duration?: string | undefined;
}

export interface Expiry {
  readonly startsAt: string;
  /** `undefined`: permanent. */
  readonly endsAt?: string | undefined;
}

export interface NewActivation {
  readonly principalId: string;
  readonly groupId: string;
  readonly startsAt: string;
  readonly duration: string;
  readonly justification?: string | undefined;
  readonly ticket?: { readonly number: string; readonly system: string } | undefined;
}

/**
 * A write whose answer is lost is looked for before it is sent again: what is found is answered as if it had just been
 * done. Only where neither an answer nor the work is found, `unavailable` says that it is not known.
 */
export interface PimGroups {
  /** Group ids that PIM manages. */
  onboardedGroups(): Promise<readonly string[]>;
  policy(groupId: string, role: GroupRole): Promise<GroupPolicy>;
  /** Those of both roles in one call; a role that PIM has none of is left out. */
  policies(groupId: string): Promise<Readonly<Partial<Record<GroupRole, GroupPolicy>>>>;
  /** One PATCH with whole rules; onboards the group when PIM does not manage it yet. The caller reads the policy back. */
  updatePolicy(policyId: string, rules: readonly PolicyRule[]): Promise<void>;
  eligibilities(groupId: string): Promise<readonly ScheduleInstance[]>;
  /** Eligibility as it was given, what has not begun included; who is eligible through a group stands here as that group. */
  eligibilitySchedules(groupId: string): Promise<readonly Schedule[]>;
  assignments(groupId: string): Promise<readonly ScheduleInstance[]>;
  /** What was assigned, and each activation that runs; what has not begun included. */
  assignmentSchedules(groupId: string): Promise<readonly Schedule[]>;
  /** What was asked about eligibility, by whomever. Entra forgets requests after some weeks. */
  eligibilityRequests(groupId: string): Promise<readonly ScheduleRequest[]>;
  /** What was asked about membership, activations included. Entra forgets requests after some weeks. */
  assignmentRequests(groupId: string): Promise<readonly ScheduleRequest[]>;
  /** `replaces`: the principal is eligible already, and gets another end. */
  assignEligible(wish: { readonly groupId: string; readonly principalId: string; readonly expiry: Expiry; readonly justification: string; readonly replaces?: boolean | undefined }): Promise<ScheduleRequest>;
  /** Ends somebody's eligibility; not within five minutes of its making (CONTRACT.md §5). Of what is gone it is no failure. */
  removeEligible(wish: { readonly groupId: string; readonly principalId: string; readonly justification: string; /** Member, unless said. */ readonly role?: GroupRole }): Promise<void>;
  /** Ends what an administrator assigned as active; the same five minutes, and the same of what is gone. */
  removeActive(wish: { readonly groupId: string; readonly principalId: string; readonly justification: string }): Promise<void>;
  /** The signed-in person's own, and nobody else's. */
  mine: {
    eligibilities(): Promise<readonly ScheduleInstance[]>;
    /** What has not begun included. */
    eligibilitySchedules(): Promise<readonly Schedule[]>;
    assignments(): Promise<readonly ScheduleInstance[]>;
    requests(): Promise<readonly ScheduleRequest[]>;
    /** Answers what Entra said, no more: 201 alone means "received". */
    activate(wish: NewActivation): Promise<ScheduleRequest>;
    /** Runs Entra's checks of an activation and changes nothing; throws what the activation would. */
    validate(wish: NewActivation): Promise<ScheduleRequest>;
    deactivate(wish: { readonly principalId: string; readonly groupId: string }): Promise<ScheduleRequest>;
    /** Requests about the person's eligibilities: how each was given, and what was asked for. */
    eligibilityRequests(): Promise<readonly ScheduleRequest[]>;
    /** Asks an administrator for more time: `selfExtend` of what stands, `selfRenew` of what has ended. */
    askForEligibility(wish: { readonly principalId: string; readonly groupId: string; readonly action: 'selfExtend' | 'selfRenew'; readonly startsAt: string; readonly endsAt: string; readonly justification: string }): Promise<ScheduleRequest>;
    /** Takes back what was asked about an eligibility, while nobody has decided. */
    cancelEligibilityRequest(requestId: string): Promise<void>;
    /** `undefined`: no such request. */
    request(requestId: string): Promise<ScheduleRequest | undefined>;
    cancel(requestId: string): Promise<void>;
  };
}

export interface Approval {
  readonly id: string;
  readonly stages: readonly {
    readonly id: string;
    readonly assignedToMe: boolean;
    readonly status: 'Initializing' | 'InProgress' | 'Completed' | 'Expired' | 'unknown';
    readonly reviewResult: 'NotReviewed' | 'Approved' | 'Denied' | 'unknown';
    readonly reviewedById?: string | undefined;
    readonly reviewedByName?: string | undefined;
    readonly reviewedAt?: string | undefined;
    readonly justification?: string | undefined;
  }[];
}

export interface Approvals {
  /** Requests that wait for the signed-in person's decision. */
  pendingForMe(): Promise<readonly ScheduleRequest[]>;
  approval(approvalId: string): Promise<Approval | undefined>;
  decide(approvalId: string, stageId: string, decision: 'Approve' | 'Deny', justification: string): Promise<void>;
}

export type ApplicationKind = 'quick-access' | 'per-app' | 'enterprise';

export interface GraphApplication {
  /** Object id of the service principal: what a group is assigned to. */
  readonly servicePrincipalId: string;
  readonly appId: string;
  readonly displayName: string;
  readonly kind: ApplicationKind;
  readonly enabled: boolean;
  readonly assignmentRequired: boolean;
  /** Role to assign a group with; `00000000-…` where the application declares none. */
  readonly assignableRoleId: string;
}

export interface ApplicationSegment {
  readonly id: string;
  readonly destinationHost: string;
  readonly destinationType: string;
  /** Ranges such as `443-443`. */
  readonly ports: readonly string[];
  /** `tcp`, `udp` or `tcp,udp`. */
  readonly protocol: string;
}

export interface AppAssignment {
  readonly id: string;
  readonly principalId: string;
  readonly principalType: string;
  readonly servicePrincipalId: string;
  readonly appRoleId: string;
}

export interface ConnectorGroup {
  readonly id: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly region?: string | undefined;
  readonly connectors: readonly { readonly id: string; readonly machineName: string; readonly live: boolean }[];
}

export interface ConnectorGroupInUse extends ConnectorGroup {
  /** Client ids of the applications that are reached through it. */
  readonly applications: readonly string[];
}

export interface NewPrivateAccessApplication {
  readonly displayName: string;
  readonly connectorGroupId: string;
}

export interface NewSegment {
  readonly destinationHost: string;
  readonly destinationType: 'ipAddress' | 'ipRangeCidr' | 'fqdn';
  readonly ports: readonly string[];
  readonly protocol: 'tcp' | 'udp' | 'tcp,udp';
}

export interface Applications {
  /** Quick Access and per-app Private Access applications. */
  privateAccess(): Promise<readonly GraphApplication[]>;
  searchEnterprise(text: string, limit: number): Promise<readonly GraphApplication[]>;
  application(servicePrincipalId: string): Promise<GraphApplication | undefined>;
  /** By exact display name among the per-app Private Access applications: the natural key of a create. */
  privateAccessByName(displayName: string): Promise<GraphApplication | undefined>;
  /** Every application of exactly this name, unpublished ones too: what a create that was cut off may have left. */
  applicationsByName(displayName: string): Promise<readonly GraphApplication[]>;
  /** The same for many names, in few round trips. */
  applicationsByNames(displayNames: readonly string[]): Promise<readonly GraphApplication[]>;
  segments(appId: string): Promise<readonly ApplicationSegment[]>;
  /** Of several applications by client id, in few round trips; one that is gone has none. */
  segmentsOfAll(appIds: readonly string[]): Promise<ReadonlyMap<string, readonly ApplicationSegment[]>>;
  assignmentsOf(servicePrincipalId: string): Promise<readonly AppAssignment[]>;
  assignmentsOfGroup(groupId: string): Promise<readonly AppAssignment[]>;
  assignGroup(wish: { readonly groupId: string; readonly servicePrincipalId: string; readonly appRoleId: string }): Promise<AppAssignment>;
  /** Takes back an assignment; one that is gone is no failure. */
  unassign(assignment: AppAssignment): Promise<void>;
  requireAssignment(servicePrincipalId: string, required: boolean): Promise<void>;
  connectorGroups(): Promise<readonly ConnectorGroup[]>;
  /** The same in as many round trips, with what is reached through each. */
  connectorGroupsInUse(): Promise<readonly ConnectorGroupInUse[]>;
  /** The connector group of an application by client id; `undefined`: it has none. */
  connectorGroupOf(appId: string): Promise<ConnectorGroup | undefined>;
  /**
   * Makes the application from the Private Access template. The caller looks by name first: after a lost answer one of
   * this name is taken for the one that was made.
   */
  instantiate(displayName: string): Promise<GraphApplication>;
  /** Publishes through Private Access; absolute, so it may be repeated. */
  publish(appId: string, wish: NewPrivateAccessApplication): Promise<void>;
  addSegment(appId: string, segment: NewSegment): Promise<ApplicationSegment>;
  /** One that is gone is no failure. */
  removeSegment(appId: string, segmentId: string): Promise<void>;
  /** With its service principal and all assignments to it. One that is gone is no failure. */
  deleteApplication(appId: string): Promise<void>;
}

export interface Network {
  /** The service principal is what people and groups are assigned to who get the profile. */
  privateAccessProfile(): Promise<{ readonly state: 'enabled' | 'disabled' | 'unknown'; readonly servicePrincipalId?: string | undefined }>;
}

export interface AuthenticationContext {
  readonly id: string;
  readonly displayName: string;
  readonly available: boolean;
}

export interface ConditionalAccess {
  authenticationContexts(): Promise<readonly AuthenticationContext[]>;
}

/** One directory audit event: the few fields that every event has, and its JSON text exactly as it was received. */
export interface RawAuditEvent {
  readonly id: string;
  /** As Graph sent it, with its 7 decimals. */
  readonly activityDateTime: string;
  readonly raw: string;
  /** What `raw` parses to, so that nobody parses it again. */
  readonly parsed?: unknown;
}

/** A page of a log as it came. What is dirty is the caller's to keep: nothing of it is an error. */
export interface RawPage extends Page<RawAuditEvent> {
  /** Graph's own time when it answered. */
  readonly date?: string | undefined;
  /** The answer is no page: its text. It has no items then. */
  readonly unreadable?: string | undefined;
  /** An error stands among the items: the service failed while it wrote the page. */
  readonly brokenOff?: boolean | undefined;
}

export interface AuditLog {
  /**
   * One page of events of the closed window `[from, to]`, oldest first where Graph obeys; give `nextLink` to go on.
   * Events are not read beyond id and time: what is dirty is the caller's to keep.
   */
  directoryAudits(window: { readonly from: string; readonly to: string }, nextLink?: string): Promise<RawPage>;
}

/** A row of the traffic log of Global Secure Access, with its id and time beside the text that was sent. */
export interface RawTraffic {
  readonly transactionId: string;
  /** As Graph sent it, with its 7 decimals. */
  readonly createdDateTime: string;
  readonly raw: string;
}

export interface TrafficLog {
  /**
   * One page of private traffic of the closed window `[from, to]`, oldest first where Graph obeys; give `nextLink` to go on.
   * `logClosedBy` says of a failure whether the log is closed to the portal.
   */
  privateTraffic(window: { readonly from: string; readonly to: string }, nextLink?: string): Promise<Page<RawTraffic>>;
}

export interface GraphPorts {
  readonly directory: Directory;
  readonly pim: PimGroups;
  readonly approvals: Approvals;
  readonly applications: Applications;
  readonly network: Network;
  readonly conditionalAccess: ConditionalAccess;
  readonly audits: AuditLog;
  readonly traffic: TrafficLog;
}

/** Everything the portal says to Graph, for one token; a call is a round trip. */
export interface Graph extends GraphPorts {
  /** The same, but the reads that are asked for in one turn of the event loop, as by `Promise.all`, travel together. */
  readonly together: GraphPorts;
  /**
   * The same, but the writes that are asked for in one turn are done one after the other, in one round trip for every
   * twenty. Those behind the first that fails fail as never sent (`details.sent === false`).
   */
  readonly inOrder: GraphPorts;
}

/** Time as the gateway needs it: milliseconds of a clock that never goes back, and a wait by that clock. */
export interface Timer {
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Whose call it is: people go before the background. */
export type Priority = 'person' | 'background';

export interface ThrottlingLimit {
  /** What may be asked within any window of this length: calls, or resource units of the directory. */
  readonly units: number;
  readonly windowMs: number;
}

/** Per application and tenant, by the service behind Graph that counts. */
export type ThrottlingLimits = Readonly<Record<'audit-reports' | 'conditional-access' | 'pim' | 'directory' | 'directory-writes', ThrottlingLimit>>;

/** Where Graph is and how it is reached: one for a tenant. */
export interface GatewayOptions {
  /** Base address without version, such as `https://graph.microsoft.com`. */
  readonly baseUrl: string;
  readonly timer: Timer;
  /** Entra's time, as near as the caller knows it: what was asked for since then may be the work of a call without answer. */
  readonly clock: { now(): Date };
  readonly random: () => number;
  readonly log: (entry: GraphLogEntry) => void;
  /** Told of an answer that has another shape than Graph promised, with its whole body: for the log, and there at debug level alone. */
  readonly onUnreadable?: (answer: UnreadableAnswer) => void;
  /** Time allowed for one attempt, in milliseconds. */
  readonly timeoutMs: number;
  readonly limits?: ThrottlingLimits;
  /** Told of each call that the limits let go, and how long it waited for that: nothing, where there was room. */
  readonly onAdmitted?: (admitted: { readonly priority: Priority; readonly waitedMs: number }) => void;
  /** When it is aborted nothing is waited for any more: the portal stops. Waits of the timer are to end then too. */
  readonly signal?: AbortSignal;
}

/** What somebody does with Graph, on one token. */
export interface Action {
  /** A bearer token; asked for on every attempt, so a renewed one is used. May throw `GraphError('not-signed-in' | 'step-up-needed')`. */
  readonly token: () => Promise<string>;
  readonly priority: Priority;
  /**
   * How long it may take in all, repetitions and waits included: the whole action, from its first call on, where a person
   * waits behind it; or each of its calls, where it is a long piece of work.
   */
  readonly patience: { readonly of: 'action' | 'call'; readonly ms: number };
}

/** One attempt of one call, for the log: no body, no token. */
export interface GraphLogEntry {
  readonly method: string;
  readonly path: string;
  readonly status?: number | undefined;
  readonly attempt: number;
  readonly durationMs: number;
  readonly clientRequestId: string;
  /** Client request id of the call's first attempt; of a call that failed in a batch the batch's. */
  readonly firstRequestId: string;
  readonly requestId?: string | undefined;
  readonly failure?: string | undefined;
}

export interface UnreadableAnswer {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly requestId: string | undefined;
  readonly body: string;
}
