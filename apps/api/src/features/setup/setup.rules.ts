import { proposeMailNickname, type ApplicationWish, type EligibleWish, type PlanStep, type RoleSettings, type SegmentWish, type SetupDefinition } from '@gatehouse/contracts';
import { type Destination, overlaps, sameDestination } from './overlap.rules.ts';
import { describePolicyChanges, mergeRoleSettings, type PolicyRule } from './role-settings.rules.ts';
import { applicationKey, blocked, destinationOf, segmentKey, step, uniqueNameOf } from './steps.rules.ts';

/**
 * The difference between a setup and the tenant, as ordered steps with their reasons. The page shows the steps and the
 * run works through them; both have them from here.
 */

/** What is known of a group. */
export interface GroupFact {
  readonly id: string;
  readonly displayName: string;
  readonly mailNickname?: string | undefined;
  readonly mailEnabled: boolean;
  readonly securityEnabled: boolean;
  readonly dynamicMembership: boolean;
  readonly synchronised: boolean;
  readonly roleAssignable: boolean;
}

export interface ApplicationFact {
  readonly servicePrincipalId: string;
  readonly displayName: string;
  readonly enabled: boolean;
  readonly assignmentRequired: boolean;
  /** Published through Private Access or Quick Access; other enterprise applications are not. */
  readonly published: boolean;
  readonly segments: readonly Destination[];
  /** Through which it is reached; `undefined` where that is not known. */
  readonly connectorGroupId?: string | undefined;
  /** Whether the group is assigned to it. */
  readonly assigned: boolean;
}

export interface EligibilityFact {
  readonly principalId: string;
  readonly startsAt?: string | undefined;
  /** `undefined`: permanent. */
  readonly endsAt?: string | undefined;
}

/** What the tenant holds of what a setup concerns: everything that decides a step, and nothing else. */
export interface SetupFacts {
  /** The chosen group, or the one that this setup's create made before. */
  readonly group: GroupFact | undefined;
  /** Name of another group that has the new group's nickname. */
  readonly nicknameOf: string | undefined;
  readonly managedByPim: boolean;
  /** Rules of the member policy; the defaults where the group is still to be made. */
  readonly rules: readonly PolicyRule[];
  /** The same of the owner policy; read only where the setup says how it shall be. */
  readonly ownerRules: readonly PolicyRule[];
  /** Ids of those who own the group. */
  readonly owners: ReadonlySet<string>;
  readonly eligible: readonly EligibilityFact[];
  /** Ids of chosen people, groups and approvers that exist. */
  readonly knownPrincipals: ReadonlySet<string>;
  /** Those of them who are people. */
  readonly knownUsers: ReadonlySet<string>;
  /** In the order of the definition; `undefined` where there is none. */
  readonly applications: readonly (ApplicationFact | undefined)[];
  /** Other Private Access applications with their destinations; read only where a new one is wished. */
  readonly neighbours: readonly { readonly displayName: string; readonly quickAccess: boolean; readonly segments: readonly Destination[] }[];
  readonly connectorGroups: readonly { readonly id: string; readonly name: string; readonly live: number; readonly total: number }[];
  /** Ids of the authentication contexts that can be asked for. */
  readonly contexts: ReadonlySet<string>;
  /** Keys of the steps of the run that is being continued, and how they stood; empty for a new plan. */
  readonly earlier: ReadonlyMap<string, 'done' | 'begun' | 'pending'>;
}

export const DAY_MS = 24 * 60 * 60 * 1000;

/** Why PIM does not take a group, and what to do; `undefined` where it does. */
export function unfit(group: GroupFact): { readonly reason: string; readonly mend: string } | undefined {
  if (group.dynamicMembership) return { reason: 'Its members follow a rule (dynamic membership), and PIM does not take such groups.', mend: 'Choose a group with assigned members, or name a new one.' };
  if (group.synchronised) return { reason: 'It is synchronised from an on-premises directory, and PIM does not take such groups.', mend: 'Choose a group that lives in Entra alone, or name a new one.' };
  if (group.mailEnabled) return { reason: 'It is mail-enabled, and is managed where the mail is.', mend: 'Choose a security group without mail, or name a new one.' };
  if (!group.securityEnabled) return { reason: 'It is not a security group, so no application can be assigned to it.', mend: 'Choose a security group, or name a new one.' };
  return undefined;
}

/**
 * The steps, in an order in which each can be done after those before it. What a step truly needs it names; steps that need
 * nothing of each other are done at once.
 */
export function planSetup(definition: SetupDefinition, facts: SetupFacts): readonly PlanStep[] {
  const planned = definition.applications.map((wish, index) => planApplication(definition, wish, facts.applications[index], facts));
  const { ownerRoleSettings } = definition;
  return [
    groupStep(definition, facts),
    ...ownerSteps(definition, facts),
    onboardStep(facts),
    roleSettingsStep(MEMBER, definition.roleSettings, facts.rules, facts),
    ...(ownerRoleSettings === null ? [] : [roleSettingsStep(OWNER, ownerRoleSettings, facts.ownerRules, facts)]),
    ...planned.flatMap((one) => one.before),
    ...definition.eligible.map((wish) => eligibleStep(wish, facts)),
    ...planned.map((one) => one.assign),
  ];
}

/**
 * Whether somebody is eligible for at least as long as wished. The length of the eligibility counts and not what is
 * left of it: applying a setup again must not move the end each time.
 */
export function isEligibleEnough(wish: Pick<EligibleWish, 'days'>, fact: EligibilityFact): boolean {
  if (fact.endsAt === undefined) return true;
  if (wish.days === null || fact.startsAt === undefined) return false;
  // Entra keeps whole seconds in some answers and fractions in others.
  return Date.parse(fact.endsAt) - Date.parse(fact.startsAt) >= wish.days * DAY_MS - 60_000;
}

const BY_WHOEVER = 'whoever applies this, who may then change members and role settings';

function groupStep({ group: wish, owners }: SetupDefinition, { group, nicknameOf, knownUsers }: SetupFacts): PlanStep {
  const draft = { key: 'create-group', kind: 'create-group' as const };
  if (wish.kind === 'existing') {
    const title = `Take the group ${group?.displayName ?? wish.displayName}`;
    if (!group) return blocked({ ...draft, title }, { reason: 'The group does not exist any more.', mend: 'Choose another group, or name a new one.' });
    const why = unfit(group);
    return why ? blocked({ ...draft, title }, why) : step({ ...draft, verdict: 'nothing', title });
  }
  const title = `Create the group ${wish.displayName}`;
  if (group) {
    if (group.mailNickname?.toLowerCase() !== wish.mailNickname.toLowerCase()) {
      return blocked({ ...draft, title }, { reason: `The group ${group.displayName} was made under a nickname that Entra cannot tell from this one.`, mend: 'Choose another nickname.' });
    }
    const why = unfit(group);
    return why ? blocked({ ...draft, title }, why) : step({ ...draft, verdict: 'nothing', title: `The group ${group.displayName} exists` });
  }
  if (nicknameOf !== undefined) {
    return blocked({ ...draft, title }, { reason: `The group ${nicknameOf} has the nickname ${wish.mailNickname} already.`, mend: `Take that group instead, or choose another nickname, such as ${proposeMailNickname(`${wish.mailNickname.slice(0, 62)}-2`)}.` });
  }
  const gone = owners.find(({ principalId }) => !knownUsers.has(principalId));
  if (gone) return blocked({ ...draft, title }, noOwner(gone.displayName));
  return step({
    ...draft, verdict: 'create', title,
    changes: [
      { field: 'Name', from: null, to: wish.displayName },
      { field: 'Nickname', from: null, to: wish.mailNickname },
      { field: 'Membership', from: null, to: 'assigned' },
      // Entra lets an owner change the group past PIM: who becomes one is said.
      { field: owners.length > 1 ? 'Owners' : 'Owner', from: null, to: owners.length === 0 ? BY_WHOEVER : owners.map(({ displayName }) => displayName).join(', ') },
      ...(wish.description === '' ? [] : [{ field: 'Description', from: null, to: wish.description }]),
    ],
    calls: [`PATCH /groups(uniqueName='${uniqueNameOf(wish.mailNickname)}')`],
  });
}

const noOwner = (name: string): { reason: string; mend: string } => ({ reason: `${name} cannot own the group: Entra knows no such person, or not any more.`, mend: 'Choose another owner; only people can own a group.' });

/** A new group gets its owners as it is made; those who are missing of one that exists are added one by one. */
function ownerSteps({ owners }: SetupDefinition, facts: SetupFacts): PlanStep[] {
  if (!facts.group) return [];
  return owners.filter(({ principalId }) => !facts.owners.has(principalId) || facts.earlier.has(`add-owner:${principalId}`)).map(({ principalId, displayName }) => {
    const draft = { key: `add-owner:${principalId}`, kind: 'add-owner' as const, title: `Make ${displayName} an owner of the group`, dependsOn: ['create-group'] };
    if (facts.owners.has(principalId)) return step({ ...draft, verdict: 'nothing', title: `${displayName} owns the group` });
    if (!facts.knownUsers.has(principalId)) return blocked(draft, noOwner(displayName));
    return step({ ...draft, verdict: 'create', changes: [{ field: 'Owner', from: null, to: `${displayName}, who may then change members and role settings` }], calls: ['POST /groups/{id}/owners/$ref'] });
  });
}

const POLICY_CALL = (role: string): string => `PATCH /policies/roleManagementPolicies/{${role} policy}`;

function onboardStep({ managedByPim }: SetupFacts): PlanStep {
  return step({
    key: 'onboard', kind: 'onboard', verdict: managedByPim ? 'nothing' : 'create', irreversible: true, dependsOn: ['create-group'],
    title: managedByPim ? 'PIM manages the group' : 'Onboard the group to PIM, which cannot be undone',
    changes: [{ field: 'Managed by PIM', from: 'no', to: 'yes' }],
    calls: [POLICY_CALL('member')],
  });
}

const MEMBER = { key: 'role-settings', name: 'Member', policy: 'member' } as const;
const OWNER = { key: 'owner-role-settings', name: 'Owner', policy: 'owner' } as const;

function roleSettingsStep(role: typeof MEMBER | typeof OWNER, wanted: RoleSettings, rules: readonly PolicyRule[], facts: SetupFacts): PlanStep {
  const draft = { key: role.key, kind: role.key, dependsOn: ['onboard'] };
  // Onboarding has no call of its own: it is done by the first write to the member policy, and these settings are that write.
  const alongWithOnboarding = !facts.managedByPim && role === MEMBER;
  const title = `Set the role settings of ${role.name}${alongWithOnboarding ? ', in the call that onboards' : ''}`;
  const { activationSignIn: signIn, approval } = wanted;
  if (signIn.kind === 'authentication-context' && !facts.contexts.has(signIn.id)) {
    return blocked({ ...draft, title }, { reason: `There is no authentication context ${signIn.id} that can be asked for, so nobody could activate.`, mend: 'Publish the context in Conditional Access, or choose another one.' });
  }
  const gone = approval.approvers.filter((one) => !facts.knownPrincipals.has(one.id));
  if (gone.length > 0) {
    return blocked({ ...draft, title }, { reason: `${gone.map((one) => one.displayName).join(', ')} cannot approve: Entra does not know them any more.`, mend: 'Choose other approvers.' });
  }
  if (mergeRoleSettings(rules, wanted).length === 0) return step({ ...draft, verdict: 'nothing', title: `The role settings of ${role.name} are as wanted` });
  return step({ ...draft, verdict: 'change', title, changes: describePolicyChanges(rules, wanted), calls: alongWithOnboarding ? [] : [POLICY_CALL(role.policy)] });
}

function planApplication(definition: SetupDefinition, wish: ApplicationWish, fact: ApplicationFact | undefined, facts: SetupFacts): { readonly before: readonly PlanStep[]; readonly assign: PlanStep } {
  const key = applicationKey(wish);
  const group = definition.group.displayName;
  const needed = wish.kind === 'new' ? newApplicationSteps(wish, fact, facts) : [];
  const before = [...needed, ...requireAssignmentStep(key, fact?.displayName ?? wish.displayName, fact, facts)];
  // Opened last: by then the role settings say who gets in, and how.
  const open = { key: `assign-application:${key}`, kind: 'assign-application' as const, title: `Open ${fact?.displayName ?? wish.displayName} to the group`, dependsOn: ['role-settings', ...before.map((one) => one.key)] };
  const assigned = step({ ...open, verdict: 'nothing', title: `${fact?.displayName ?? wish.displayName} is open to the group` });
  const assign = step({ ...open, verdict: 'create', changes: [{ field: 'Users and groups', from: null, to: group }], calls: [`POST /servicePrincipals/${fact?.servicePrincipalId ?? '{new}'}/appRoleAssignedTo`] });

  if (wish.kind === 'new') return { before, assign: fact?.assigned === true ? assigned : assign };
  if (!fact) return { before: [], assign: blocked(open, { reason: `The application ${wish.displayName} does not exist any more.`, mend: 'Choose another application.' }) };
  if (!fact.enabled) return { before: [], assign: blocked(open, { reason: `Sign-in to ${fact.displayName} is turned off, so nobody gets in.`, mend: 'Enable the application for users to sign in, in Entra under its properties.' }) };
  return { before, assign: fact.assigned ? assigned : assign };
}

/** Where assignment is not required everybody gets in, and just-in-time access means nothing. */
function requireAssignmentStep(key: string, name: string, fact: ApplicationFact | undefined, { earlier }: SetupFacts): PlanStep[] {
  const draft = { key: `require-assignment:${key}`, kind: 'require-assignment' as const };
  if (!fact) return [];
  if (fact.assignmentRequired) return earlier.has(draft.key) ? [step({ ...draft, verdict: 'nothing', title: `${name} requires assignment` })] : [];
  return [step({
    ...draft, verdict: 'change', title: `Require assignment at ${name}: without it everybody gets in`,
    changes: [{ field: 'Assignment required', from: 'no', to: 'yes' }], calls: [`PATCH /servicePrincipals/${fact.servicePrincipalId}`],
  })];
}

const PUBLISHING = ['PATCH /applications/{id}', 'PUT /applications/{id}/connectorGroup/$ref'];

function newApplicationSteps(wish: Extract<ApplicationWish, { kind: 'new' }>, fact: ApplicationFact | undefined, facts: SetupFacts): readonly PlanStep[] {
  const key = applicationKey(wish);
  const name = wish.displayName;
  const create = { key: `create-application:${key}`, kind: 'create-application' as const, title: `Create the application ${name}` };
  const publish = { key: `publish-application:${key}`, kind: 'publish-application' as const, title: `Publish ${name} through Private Access`, dependsOn: [create.key] };
  const connectors = facts.connectorGroups.find((one) => one.id === wish.connectorGroupId);
  // Seen unpublished, it is what a create of ours left behind, or an application of somebody else.
  const foreign = fact !== undefined && !fact.published && !['begun', 'done'].includes(facts.earlier.get(create.key) ?? '');
  // How far a publish came that was cut off is not to be seen: it is absolute, and done again.
  const elsewhere = fact?.connectorGroupId !== undefined && fact.connectorGroupId !== wish.connectorGroupId;
  const publishBegun = facts.earlier.get(publish.key) === 'begun';

  const first = foreign
    ? blocked(create, { reason: `An enterprise application ${name} exists, and is not published through Private Access.`, mend: 'Choose another name.' })
    : step({
      ...create, verdict: fact ? 'nothing' : 'create', title: fact ? `The application ${name} exists` : create.title,
      changes: [{ field: 'Name', from: null, to: name }], calls: ['POST /applicationTemplates/{template}/instantiate'],
    });
  const second = !connectors
    ? blocked(publish, { reason: `The connector group ${wish.connectorGroupName} does not exist any more.`, mend: 'Choose another connector group.' })
    : fact?.published === true && !publishBegun && elsewhere
      ? step({
        ...publish, verdict: 'change', title: `Reach ${name} through the connector group ${connectors.name}`,
        changes: [{ field: 'Connector group', from: facts.connectorGroups.find(({ id }) => id === fact.connectorGroupId)?.name ?? 'another one', to: connectors.name }], calls: PUBLISHING,
      })
    : fact?.published === true && !publishBegun
      ? step({ ...publish, verdict: 'nothing', title: `${name} is published through Private Access` })
      : step({ ...publish, verdict: 'create', changes: [{ field: 'Connector group', from: null, to: connectors.name }], calls: PUBLISHING });
  return [first, second, ...wish.segments.map((segment, index) => segmentStep(wish, segment, index, fact, facts))];
}

function segmentStep(wish: Extract<ApplicationWish, { kind: 'new' }>, segment: SegmentWish, index: number, fact: ApplicationFact | undefined, { neighbours }: SetupFacts): PlanStep {
  const destination = destinationOf(segment);
  const words = `${segment.host} ${segment.ports} ${segment.protocol}`;
  const draft = { key: segmentKey(wish, segment), kind: 'add-segment' as const, title: `Add ${words} to ${wish.displayName}`, dependsOn: [`publish-application:${applicationKey(wish)}`] };
  if (fact?.segments.some((one) => sameDestination(one, destination))) return step({ ...draft, verdict: 'nothing', title: `${wish.displayName} has ${words}` });

  const twin = wish.segments.findIndex((other) => overlaps(destinationOf(other), destination));
  if (twin < index) return blocked(draft, { reason: `${words} overlaps ${wish.segments[twin]?.host ?? ''} of the same application, and Private Access takes each destination once.`, mend: 'Make one destination of the two.' });
  const own = fact?.segments.find((one) => overlaps(one, destination));
  if (own) return blocked(draft, { reason: `${wish.displayName} has ${own.destinationHost} already, which overlaps it.`, mend: 'Change the destination, or the application in Entra.' });
  const neighbour = neighbours.find((one) => !one.quickAccess && one.displayName.toLowerCase() !== wish.displayName.toLowerCase() && one.segments.some((other) => overlaps(other, destination)));
  if (neighbour) return blocked(draft, { reason: `${neighbour.displayName} opens it already, and Private Access takes each destination once.`, mend: `Choose ${neighbour.displayName} instead, or another destination.` });

  return step({
    ...draft, verdict: 'create',
    changes: [{ field: 'Destination', from: null, to: `${segment.host} : ${destination.ports.map(portWords).join(', ')} ${segment.protocol}` }],
    calls: ['POST /applications/{id}/…/applicationSegments'],
  });
}

function portWords(range: string): string {
  const [from, to] = range.split('-');
  return from === to ? from ?? '' : range;
}

function eligibleStep(wish: EligibleWish, facts: SetupFacts): PlanStep {
  const draft = { key: `assign-eligible:${wish.principalId}`, kind: 'assign-eligible' as const, dependsOn: ['role-settings'] };
  const title = `Make ${wish.displayName} eligible ${lengthWords(wish.days)}`;
  if (!facts.knownPrincipals.has(wish.principalId)) return blocked({ ...draft, title }, { reason: `Entra does not know ${wish.displayName} any more.`, mend: 'Take them out of the setup.' });

  const fact = longest(facts.eligible.filter((one) => one.principalId === wish.principalId));
  const calls = ['POST /identityGovernance/privilegedAccess/group/eligibilityScheduleRequests'];
  if (!fact) return step({ ...draft, verdict: 'create', title, changes: [{ field: 'Eligible', from: null, to: lengthWords(wish.days) }], calls });
  if (isEligibleEnough(wish, fact)) return step({ ...draft, verdict: 'nothing', title: `${wish.displayName} is eligible ${fact.endsAt === undefined ? 'permanently' : `until ${fact.endsAt.slice(0, 10)}`}` });
  return step({ ...draft, verdict: 'change', title, changes: [{ field: 'Eligible', from: `until ${(fact.endsAt ?? '').slice(0, 10)}`, to: lengthWords(wish.days) }], calls });
}

export const isPermanent = ({ endsAt }: Pick<EligibilityFact, 'endsAt'>): boolean => endsAt === undefined;

/** Somebody may be eligible several times; what reaches furthest counts. */
export function longest(facts: readonly EligibilityFact[]): EligibilityFact | undefined {
  const end = (fact: EligibilityFact): number => (fact.endsAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(fact.endsAt));
  return facts.reduce<EligibilityFact | undefined>((best, fact) => (!best || end(fact) > end(best) ? fact : best), undefined);
}

const lengthWords = (days: number | null): string => (days === null ? 'permanently' : days === 1 ? 'for 1 day' : `for ${days} days`);
