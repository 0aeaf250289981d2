import { randomUUID } from 'node:crypto';
import { defaultPolicies, type Rule } from '../pim/rules.ts';
import type { AppRoleAssignment, Group, PimPolicy, PimRequest, PimSchedule, Tenant, User } from '../tenant.ts';
import { connectorGroup, enterprise, forwardingProfiles, perApp, personRole, portal, privateClient, quickAccess, tcp, type Made } from './applications.ts';
import { seedHistory } from './history.ts';
import { MAYA, PEOPLE, userOf, type Person } from './people.ts';

export { demoHistoryBefore } from './history.ts';

type NewId = () => string;

const DAY_MS = 86_400_000;
const DOMAIN = 'contoso.example';
/** Role that the custom template declares; Private Access assigns it. */
const USER_ROLE = '18d14569-c3bd-439b-9a66-3a2aee01d14f';
const NO_ROLE = '00000000-0000-0000-0000-000000000000';

/**
 * A tenant to begin with: `demo` is a believable company with 30 days of past, `empty` is what a new tenant has.
 * The same `now` and `newId` give the same tenant, but for the portal's secret.
 */
export function seedTenant(name: string, now: Date, newId: NewId = randomUUID): Tenant {
  if (name === 'demo') return demo(now, newId);
  if (name === 'empty') return empty(now, newId);
  throw new Error(`There is no seed "${name}": demo and empty are known.`);
}

const daysBefore = (now: Date, days: number, time = '09:00'): Date =>
  new Date(`${new Date(now.getTime() - days * DAY_MS).toISOString().slice(0, 10)}T${time}:00.000Z`);

function bare(now: Date, newId: NewId, people: readonly Person[]): Tenant {
  const begun = daysBefore(now, 400);
  return {
    id: newId(), displayName: 'Contoso', domain: DOMAIN,
    users: people.map((person) => userOf(person, newId(), DOMAIN, begun)),
    groups: [], applications: [], servicePrincipals: [], appRoleAssignments: [], connectorGroups: [],
    forwardingProfiles: forwardingProfiles(begun, newId),
    authenticationContexts: [{ id: 'c1', displayName: 'Privileged access', description: 'Sign in again with a second factor.', isAvailable: true }],
    pim: { policies: [], requests: [], schedules: [], approvals: [] },
    directoryAudits: [],
  };
}

/** The private traffic profile, given to everybody. */
function giveProfile(tenant: Tenant, newId: NewId): void {
  const client = privateClient(newId);
  tenant.servicePrincipals.push(client);
  for (const profile of tenant.forwardingProfiles) if (profile.trafficForwardingType === 'private') profile.servicePrincipalId = client.id;
}

function add(tenant: Tenant, { application, servicePrincipal }: Made): Made {
  tenant.applications.push(application);
  tenant.servicePrincipals.push(servicePrincipal);
  return { application, servicePrincipal };
}

function assign(tenant: Tenant, principal: User | Group, resource: Made, appRoleId: string, at: Date, newId: NewId): void {
  const assignment: AppRoleAssignment = {
    id: newId(), appRoleId, principalId: principal.id, principalType: 'userPrincipalName' in principal ? 'User' : 'Group',
    resourceId: resource.servicePrincipal.id, createdDateTime: at.toISOString(),
  };
  tenant.appRoleAssignments.push(assignment);
}

const personIn = (tenant: Tenant, displayName: string): User => {
  const found = tenant.users.find((user) => user.displayName === displayName);
  if (!found) throw new Error(`the seed has nobody called ${displayName}`);
  return found;
};

const roleOf = ({ servicePrincipal }: Made, value: string): string => servicePrincipal.appRoles.find((role) => role.value === value)?.id ?? NO_ROLE;

function empty(now: Date, newId: NewId): Tenant {
  const tenant = bare(now, newId, [MAYA]);
  const begun = daysBefore(now, 400);
  const connectors = connectorGroup('Default', 'eur', [['connector-01', '198.51.100.11', 'active']], newId);
  tenant.connectorGroups.push(connectors);
  add(tenant, quickAccess(connectors.id, DOMAIN, begun, newId));
  const own = add(tenant, portal(begun, newId));
  assign(tenant, personIn(tenant, 'Maya Lindqvist'), own, roleOf(own, 'SetupAdmin'), begun, newId);
  giveProfile(tenant, newId);
  return tenant;
}

/** What a group's role asks for on activation; the rest is the default. */
interface Settings {
  readonly maximumDuration: string;
  readonly enabledRules: readonly string[];
  readonly approvers?: readonly string[];
  readonly context?: string;
  /** Eligible for ever is allowed. */
  readonly permanent?: boolean;
}

interface SecureGroup {
  readonly name: string;
  readonly description: string;
  readonly application: string;
  readonly settings: Settings;
  /** When the settings were changed last, where that is not when the group was made. */
  readonly changedDaysAgo?: number;
  /** Who is eligible, and for how many days from its beginning; `forever` where the settings allow it. */
  readonly eligible: readonly (readonly [principal: string, days: number | 'forever', begunDaysAgo?: number])[];
  /** Active members that somebody added outside PIM, and who stay. */
  readonly standing?: readonly string[];
}

const SECURE_GROUPS: readonly SecureGroup[] = [
  {
    name: 'Payroll-Operator-SecureAccess', description: 'Opens payroll for the time of a pay run.', application: 'Payroll',
    settings: { maximumDuration: 'PT1H', enabledRules: ['Justification'], approvers: ['Omar Haddad', 'Helena Kowalska'] },
    eligible: [['Ana Costa', 365], ['Nora Bergström', 365], ['David Mensah', 365], ['Rafael Duarte', 365, 12], ['Omar Haddad', 365]],
    standing: ['Helena Kowalska'],
  },
  {
    name: 'Build-Engineer-SecureAccess', description: 'Opens the build farm to whoever mends it.', application: 'Build servers',
    settings: { maximumDuration: 'PT4H', enabledRules: ['Justification'], permanent: true },
    eligible: [['Ana Costa', 365], ['Ben Novak', 'forever'], ['Omar Haddad', 'forever'], ['Grace Kim', 'forever'], ['Build team', 'forever']],
  },
  {
    name: 'HRArchive-Reader-SecureAccess', description: 'Opens closed personnel files, with a ticket.', application: 'HR archive',
    settings: { maximumDuration: 'PT30M', enabledRules: ['Justification', 'Ticketing'], approvers: ['Omar Haddad'] },
    changedDaysAgo: 19,
    eligible: [['Ana Costa', 365, 26], ['Helena Kowalska', 365], ['Chloé Lefèvre', 365], ['İlker Yılmaz', 365], ['Peter Vogel', 212]],
  },
  {
    name: 'JumpHost-DomainAdmin-SecureAccess', description: 'Opens the jump host to the domain controllers.', application: 'Domain admin jump host',
    settings: { maximumDuration: 'PT1H', enabledRules: ['Justification', 'MultiFactorAuthentication'], permanent: true },
    eligible: [['Ben Novak', 'forever'], ['Yuki Tanaka', 'forever'], ['Łukasz Wójcik', 365], ['Priya Raman', 365]],
  },
  {
    name: 'FinReport-Controller-SecureAccess', description: 'Opens the finance reports to controllers at month end.', application: 'Finance reports',
    settings: { maximumDuration: 'PT2H', enabledRules: ['Justification'], context: 'c1' },
    eligible: [['Omar Haddad', 365], ['Jürgen Weiß', 365], ['Fatima Zahra', 365], ['Mei Chen', 365]],
    standing: ['Sofia Marchetti'],
  },
  {
    name: 'QuickAccess-Helpdesk-SecureAccess', description: 'Opens the help desk’s tools.', application: 'Quick Access',
    settings: { maximumDuration: 'PT8H', enabledRules: ['Justification'], permanent: true },
    eligible: [['Tomás Herrera', 'forever'], ['Zoë Peeters', 'forever'], ['Samuel Osei', 365, 20]],
  },
];

function demo(now: Date, newId: NewId): Tenant {
  const tenant = bare(now, newId, PEOPLE);
  const begun = daysBefore(now, 300);
  const person = (displayName: string): User => personIn(tenant, displayName);
  const maya = person('Maya Lindqvist');

  const standard = connectorGroup('Default', 'eur', [['ber-conn-00', '198.51.100.10', 'active']], newId);
  const europe = connectorGroup('EU-1', 'eur', [['ber-conn-01', '198.51.100.21', 'active'], ['ber-conn-02', '198.51.100.22', 'active']], newId);
  const america = connectorGroup('US-1', 'nam', [['nyc-conn-01', '203.0.113.41', 'active'], ['nyc-conn-02', '203.0.113.42', 'inactive']], newId);
  tenant.connectorGroups.push(standard, europe, america);

  const corp = `corp.${DOMAIN}`;
  const made = [
    quickAccess(standard.id, DOMAIN, begun, newId),
    perApp('Finance reports', europe.id, [tcp(`fin-rep.${corp}`, 443, 3389)], begun, newId),
    perApp('Payroll', europe.id, [tcp(`payroll.${corp}`, 443)], begun, newId),
    perApp('Build servers', america.id, [tcp(`*.build.${corp}`, 22), tcp('10.20.0.0/24', 22)], begun, newId),
    perApp('HR archive', europe.id, [tcp(`hr-arch.${corp}`, 443)], begun, newId),
    perApp('Domain admin jump host', europe.id, [tcp(`jump01.${corp}`, 3389)], begun, newId),
    enterprise('Contoso Travel', [], begun, newId),
    enterprise('Finance planning', [
      personRole(newId(), 'Planner', 'Planner', 'Plans budgets.'),
      personRole(newId(), 'Viewer', 'Viewer', 'Reads budgets.'),
    ], begun, newId),
  ].map((one) => add(tenant, one));
  const own = add(tenant, portal(begun, newId));
  assign(tenant, maya, own, roleOf(own, 'SetupAdmin'), begun, newId);
  assign(tenant, person('Ines Moreau'), own, roleOf(own, 'Auditor'), begun, newId);

  const group = (displayName: string, description: string, more: Partial<Group> = {}): Group => {
    const created = daysBefore(now, 260 + tenant.groups.length);
    const one: Group = {
      id: newId(), displayName, description, mailNickname: displayName.replaceAll(/[^A-Za-z0-9-]/g, ''), mailEnabled: false, securityEnabled: true,
      groupTypes: [], membershipRule: null, onPremisesSyncEnabled: null, isAssignableToRole: false, uniqueName: null,
      createdDateTime: created.toISOString(), memberIds: [], ownerIds: [maya.id], knownToPimAt: created.toISOString(), onboardedToPimAt: null, ...more,
    };
    tenant.groups.push(one);
    return one;
  };
  const inDepartment = (department: string): string[] => tenant.users.filter((user) => user.department === department && user.userType === 'Member' && user.accountEnabled).map((user) => user.id);

  group('All employees', 'Everybody with an account, by rule.', {
    groupTypes: ['DynamicMembership'], membershipRule: '(user.userType -eq "Member") and (user.accountEnabled -eq true)',
    memberIds: tenant.users.filter((user) => user.userType === 'Member' && user.accountEnabled).map((user) => user.id),
  });
  group('CORP-FileShare-Finance', 'Rights on the finance share, kept on premises.', { onPremisesSyncEnabled: true, ownerIds: [], memberIds: inDepartment('Finance') });
  group('Finance announcements', 'Mail to the whole of finance.', { mailEnabled: true, memberIds: inDepartment('Finance') });
  const finance = group('Finance team', 'People of finance.', { memberIds: inDepartment('Finance') });
  const build = group('Build team', 'Keeps the build farm running.', { memberIds: ['Katarína Horváthová', 'Mateo Silva'].map((name) => person(name).id) });
  group('Engineering', 'Engineering, with its teams inside.', { memberIds: [build.id, ...['Arjun Mehta', 'Grace Kim', 'Søren Østergaard', 'Olivia Brown'].map((name) => person(name).id)] });

  const appNamed = (displayName: string): Made => {
    const found = made.find(({ application }) => application.displayName === displayName);
    if (!found) throw new Error(`the seed has no application ${displayName}`);
    return found;
  };
  SECURE_GROUPS.forEach((wish, index) => {
    const created = weekdayBefore(now, 210 - index, `09:${10 + index}`);
    const secure = group(wish.name, wish.description, {
      mailNickname: wish.name, createdDateTime: created.toISOString(), knownToPimAt: created.toISOString(),
      onboardedToPimAt: minutesAfter(created, 4).toISOString(),
      memberIds: (wish.standing ?? []).map((name) => person(name).id),
    });
    tenant.pim.policies.push(...policiesOf(secure, wish.settings, wish.changedDaysAgo === undefined ? minutesAfter(created, 5) : weekdayBefore(now, wish.changedDaysAgo, '13:40'), person, newId));
    wish.eligible.forEach(([name, days, begunDaysAgo], place) => {
      const principal = tenant.groups.find((one) => one.displayName === name) ?? person(name);
      const at = begunDaysAgo === undefined ? minutesAfter(created, 10 + place) : weekdayBefore(now, begunDaysAgo, '08:25');
      makeEligible(tenant, secure, principal, days, at, maya, newId);
    });
    assign(tenant, secure, appNamed(wish.application), USER_ROLE, minutesAfter(created, 20), newId);
  });
  assign(tenant, finance, appNamed('Finance planning'), roleOf(appNamed('Finance planning'), 'Planner'), begun, newId);

  giveProfile(tenant, newId);
  seedHistory(tenant, now);
  return tenant;
}

const minutesAfter = (at: Date, minutes: number): Date => new Date(at.getTime() + minutes * 60_000);

/** So many days back, or the Monday after where that is a weekend. */
function weekdayBefore(now: Date, days: number, time: string): Date {
  const at = daysBefore(now, days, time);
  const shift = { 6: 2, 0: 1 }[at.getUTCDay()] ?? 0;
  return new Date(at.getTime() + shift * DAY_MS);
}

function policiesOf(group: Group, settings: Settings, at: Date, person: (name: string) => User, newId: NewId): PimPolicy[] {
  const change = (rule: Rule): Rule => {
    switch (rule['id']) {
      case 'Expiration_EndUser_Assignment': return { ...rule, maximumDuration: settings.maximumDuration };
      case 'Enablement_EndUser_Assignment': return { ...rule, enabledRules: [...settings.enabledRules] };
      case 'Expiration_Admin_Eligibility': return { ...rule, isExpirationRequired: settings.permanent !== true };
      case 'AuthenticationContext_EndUser_Assignment': return settings.context === undefined ? rule : { ...rule, isEnabled: true, claimValue: settings.context };
      case 'Approval_EndUser_Assignment': {
        if (settings.approvers === undefined) return rule;
        const approvers = settings.approvers.map(person).map(({ id, displayName }) => ({ '@odata.type': '#microsoft.graph.singleUser', userId: id, description: displayName }));
        const setting = rule['setting'] as { readonly approvalStages: readonly object[] };
        return { ...rule, setting: { ...setting, isApprovalRequired: true, approvalStages: setting.approvalStages.map((stage) => ({ ...stage, primaryApprovers: approvers })) } };
      }
      default: return rule;
    }
  };
  return defaultPolicies(group.id, newId).map((policy) =>
    policy.accessId === 'member' ? { ...policy, rules: policy.rules.map(change), lastModifiedDateTime: at.toISOString() } : policy);
}

function makeEligible(tenant: Tenant, group: Group, principal: User | Group, days: number | 'forever', at: Date, by: User, newId: NewId): void {
  const requestId = newId();
  const end = days === 'forever' ? null : new Date(at.getTime() + days * DAY_MS);
  const scheduleId = `${group.id}_member_${requestId}`;
  const request: PimRequest = {
    id: requestId, kind: 'eligibility', action: 'adminAssign', accessId: 'member', principalId: principal.id, groupId: group.id, status: 'Provisioned',
    createdDateTime: at.toISOString(), completedDateTime: at.toISOString(), createdByUserId: by.id, justification: 'Part of their work',
    scheduleInfo: {
      startDateTime: at.toISOString(), recurrence: null,
      expiration: end === null ? { type: 'noExpiration', endDateTime: null, duration: null } : { type: 'afterDateTime', endDateTime: end.toISOString(), duration: null },
    },
    ticketInfo: { ticketNumber: null, ticketSystem: null }, isValidationOnly: false, approvalId: null, targetScheduleId: scheduleId, dueAt: null,
  };
  const schedule: PimSchedule = {
    id: scheduleId, kind: 'eligibility', accessId: 'member', principalId: principal.id, groupId: group.id, assignmentType: null, memberType: 'direct',
    createdUsing: requestId, createdDateTime: at.toISOString(), startDateTime: at.toISOString(), endDateTime: end?.toISOString() ?? null, activatedUsing: null,
  };
  tenant.pim.requests.push(request);
  tenant.pim.schedules.push(schedule);
}
