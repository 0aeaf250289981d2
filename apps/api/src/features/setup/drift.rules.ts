import { SetupDefinition, type Difference, type DifferenceKind, type EventKind, type RoleSettings } from '@gatehouse/contracts';
import { overlaps, sameDestination, type Destination } from './overlap.rules.ts';
import { besidesIn, describeChanges, readRoleSettings, type PolicyRule } from './role-settings.rules.ts';
import { DAY_MS, isEligibleEnough, isPermanent, longest, unfit, type EligibilityFact, type GroupFact } from './setup.rules.ts';
import { applicationKey, destinationOf } from './steps.rules.ts';

/**
 * Where the tenant is not what a setup says: told apart by what it means, found without regard to order, casing, or what
 * is unset and stands at Entra's default. Pure: facts in, differences out.
 */

/** Somebody or something with access, as Entra names it. */
export interface Principal {
  readonly id: string;
  readonly kind: 'user' | 'group' | 'servicePrincipal';
  readonly displayName: string;
}

/** What the tenant holds of one setup. Ids are lower case. */
export interface DriftFacts {
  readonly group: GroupFact | undefined;
  readonly managedByPim: boolean;
  /** Direct members whom no activation explains. `endsAt` of those whom an administrator assigned for a time. */
  readonly standing: readonly (Principal & { readonly throughPim: boolean; readonly endsAt?: string | undefined })[];
  readonly owners: readonly Principal[];
  readonly eligibleOwners: readonly Principal[];
  readonly eligible: readonly (EligibilityFact & Pick<Principal, 'kind' | 'displayName'>)[];
  readonly rules: readonly PolicyRule[];
  readonly ownerRules: readonly PolicyRule[];
  /** By the application's key in the setup; those that are gone are not in it. */
  readonly applications: ReadonlyMap<string, ApplicationSeen>;
  /** By service principal the groups of other setups that open the application: that is no bypass. */
  readonly otherGroups: OtherGroups;
  /** By id, with the client ids of the applications that are reached through each; `undefined` where they could not be read. */
  readonly connectorGroups: ReadonlyMap<string, { readonly name: string; readonly live: number; readonly total: number; readonly applications: ReadonlySet<string> }> | undefined;
}

export type OtherGroups = ReadonlyMap<string, ReadonlySet<string>>;

export interface ApplicationSeen {
  readonly servicePrincipalId: string;
  readonly appId: string;
  readonly displayName: string;
  readonly enabled: boolean;
  readonly assignmentRequired: boolean;
  /** `undefined`: it is not published, and has no destinations. */
  readonly segments: readonly Destination[] | undefined;
  readonly assignees: readonly Principal[];
}

/** What a setup does not name, and stands with it all the same: as it was at the first look, and what was accepted since. */
export interface Baseline {
  readonly owners: readonly string[];
  /** Each with how they are a member: whoever comes back otherwise is found again. */
  readonly members: readonly string[];
  readonly eligibleOwners: readonly string[];
  /** How the role of Owner was set, where the setup says nothing of it: what it says of Member would mean little beside an owner who gets in with less. */
  readonly ownerSettings?: OwnerSettings | undefined;
  /** By the application's key. */
  readonly applications: Readonly<Record<string, { readonly servicePrincipalId: string; readonly segments: readonly Destination[]; readonly assignees: readonly string[] }>>;
}

/** Settings, and what stood besides by its key. */
export interface OwnerSettings {
  readonly settings: RoleSettings;
  readonly besides: Readonly<Record<string, string>>;
}

export type Found = Omit<Difference, 'firstSeenAt' | 'by'>;

/** What the first look takes as it is: owners, and whatever applications that exist hold besides. Who is a member is never taken so. */
export function baselineOf(definition: SetupDefinition, facts: DriftFacts, known: Baseline | undefined): Baseline {
  const applications = Object.fromEntries(definition.applications.flatMap((wish) => {
    const key = applicationKey(wish);
    const seen = facts.applications.get(key);
    const before = known?.applications[key];
    if (before || !seen) return before ? [[key, { ...before, ...(seen && { servicePrincipalId: seen.servicePrincipalId, assignees: still(before.assignees, seen.assignees.map(({ id }) => id), facts) }) }] as const] : [];
    return [[key, { servicePrincipalId: seen.servicePrincipalId, segments: wish.kind === 'new' ? [] : seen.segments ?? [], assignees: wish.kind === 'new' ? [] : seen.assignees.map(({ id }) => id) }] as const];
  }));
  return {
    // Who is gone is taken out: whoever comes back is found again.
    owners: still(known?.owners, facts.owners.map(({ id }) => id), facts),
    members: still(known?.members ?? [], facts.standing.map(standingKey), facts),
    eligibleOwners: still(known?.eligibleOwners, facts.eligibleOwners.map(({ id }) => id), facts),
    ownerSettings: known?.ownerSettings ?? (facts.group && { settings: readRoleSettings(facts.ownerRules), besides: Object.fromEntries(besidesIn(facts.ownerRules).map(({ key, found: is }) => [key, is])) }),
    applications,
  };
}

/** How the role of Owner is to be: as the setup says, or else as it was. */
export function ownerSettingsOf({ ownerRoleSettings }: SetupDefinition, { ownerSettings }: Baseline): OwnerSettings | undefined {
  return ownerRoleSettings === null ? ownerSettings : { settings: ownerRoleSettings, besides: {} };
}

/** What was taken as it is and still is so; all that is so where nothing was taken yet. Of a group that is gone nothing is known. */
function still(taken: readonly string[] | undefined, now: readonly string[], { group }: DriftFacts): readonly string[] {
  if (taken === undefined) return now;
  return group ? taken.filter((one) => now.includes(one)) : taken;
}

/** How somebody stands in the group: for good, past PIM, or until when. */
const standingKey = ({ id, throughPim, endsAt }: DriftFacts['standing'][number]): string => `${id}:${throughPim ? endsAt ?? 'permanently' : 'past PIM'}`;

export function compareSetup(definition: SetupDefinition, facts: DriftFacts, baseline: Baseline): readonly Found[] {
  const { group } = facts;
  const name = definition.group.displayName;
  if (!group) {
    return [found({ kind: 'group-gone', severity: 'broken', title: `The group ${name} does not exist any more`, expected: name, found: 'no such group', restorable: definition.group.kind === 'new', acceptable: false, mend: definition.group.kind === 'new' ? null : 'Restore the group in Entra within 30 days of its deletion, or make another setup.' })];
  }
  const why = unfit(group);
  const owner = ownerSettingsOf(definition, baseline);
  return [
    ...(why ? [found({ kind: 'group-unfit', severity: 'broken', title: `PIM does not take ${group.displayName} any more`, expected: 'a security group with assigned members', found: why.reason, restorable: false, acceptable: false, mend: why.mend })] : []),
    ...(group.displayName === name ? [] : [found({ kind: 'group-renamed', severity: 'changed', title: `The group is called ${group.displayName}`, expected: name, found: group.displayName, restorable: false, acceptable: true, mend: 'Rename it in Entra, or take the new name into the setup.' })]),
    ...(facts.managedByPim ? [] : [found({ kind: 'not-onboarded', severity: 'weaker', title: 'PIM does not manage the group', expected: 'managed by PIM', found: 'not managed', restorable: true, acceptable: false })]),
    ...standingMembers(facts, baseline),
    ...owners(definition, facts, baseline),
    ...settings('role-settings', 'Member', { settings: definition.roleSettings, besides: {} }, facts.rules, false),
    ...(owner ? settings('owner-role-settings', 'Owner', owner, facts.ownerRules, definition.ownerRoleSettings === null) : []),
    ...eligibility(definition, facts),
    ...definition.applications.flatMap((wish) => application(wish, facts, baseline)),
  ];
}

function found(difference: Omit<Found, 'key' | 'mend'> & { readonly of?: string; readonly mend?: string | null }): Found {
  const { of, mend, ...rest } = difference;
  return { ...rest, key: of === undefined ? rest.kind : `${rest.kind}:${of}`, mend: mend ?? null };
}

function standingMembers({ standing }: DriftFacts, { members }: Baseline): readonly Found[] {
  return standing.filter((one) => !members.includes(standingKey(one))).map(({ id, kind, displayName, throughPim, endsAt }) => {
    const common = { severity: 'bypass' as const, of: id, expected: 'not a member without activating', restorable: true, acceptable: true };
    if (kind === 'group') return found({ ...common, kind: 'nested-group', severity: 'changed', title: `The group ${displayName} is a member`, found: 'a nested group, which gives its people no access to an application', expected: 'people alone' });
    if (!throughPim) return found({ ...common, kind: 'member-added', title: `${displayName} is a member past PIM`, found: 'a member, for good and without activating' });
    return found({ ...common, kind: 'active-assigned', title: `${displayName} is assigned as active ${endsAt === undefined ? 'permanently' : `until ${endsAt.slice(0, 10)}`}`, found: `active ${endsAt === undefined ? 'permanently' : `until ${endsAt.slice(0, 10)}`}, without activating` });
  });
}

function owners(definition: SetupDefinition, facts: DriftFacts, baseline: Baseline): readonly Found[] {
  const named = definition.owners.map(({ principalId }) => principalId.toLowerCase());
  const are = new Set(facts.owners.map(({ id }) => id));
  return [
    ...facts.owners.filter(({ id }) => !named.includes(id) && !baseline.owners.includes(id)).map(({ id, displayName }) => found({
      kind: 'owner-added', of: id, severity: 'bypass', title: `${displayName} owns the group`, expected: 'not an owner', found: 'an owner, who may change members and role settings', restorable: true, acceptable: true,
    })),
    ...definition.owners.filter(({ principalId }) => !are.has(principalId.toLowerCase())).map(({ principalId, displayName }) => found({
      kind: 'owner-removed', of: principalId.toLowerCase(), severity: 'changed', title: `${displayName} does not own the group any more`, expected: 'an owner', found: 'not an owner', restorable: true, acceptable: true,
    })),
    ...facts.eligibleOwners.filter(({ id }) => !baseline.eligibleOwners.includes(id)).map(({ id, displayName }) => found({
      kind: 'owner-eligible', of: id, severity: 'weaker', title: `${displayName} may activate as an owner`, expected: 'not eligible as an owner', found: 'eligible as an owner', restorable: true, acceptable: true,
    })),
  ];
}

// --- Role settings ---------------------------------------------------------------------------------------------------

const OCCASIONS = ['whenEligible', 'whenAssigned', 'whenActivated'] as const;
const RECIPIENTS = ['admins', 'person', 'approvers'] as const;
const FIELDS = ['activationMaxMinutes', 'activationSignIn', 'requireJustification', 'requireTicket', 'approval', 'eligibleMaxDays', 'activeMaxDays', 'activeRequiresMfa', 'activeRequiresJustification'] as const;
/** What of the settings is told by itself, as keys of differences name it. */
export const SETTING_FIELDS: readonly string[] = [...FIELDS, ...OCCASIONS.flatMap((occasion) => RECIPIENTS.map((person) => `notifications.${occasion}.${person}`))];
const CONTRADICTION = 'besides.contradiction';

/** One difference a setting, so that each can be put back or taken by itself; and one for each thing besides, which no setup can say. */
function settings(kind: 'role-settings' | 'owner-role-settings', role: string, { settings: wanted, besides }: OwnerSettings, rules: readonly PolicyRule[], takesBesides: boolean): readonly Found[] {
  const is = readRoleSettings(rules);
  const of = role === 'Member' ? '' : ` (${role})`;
  const differences = fieldsOf(wanted, is).flatMap(({ field, with: one }) => {
    // What is found is put into what is wanted, so that the words are of this setting alone.
    const changes = describeChanges(wanted, one);
    const [first] = changes;
    if (!first) return [];
    return [found({
      kind, of: field, severity: isWeaker(wanted, is, field) ? 'weaker' : 'changed', title: `${first.field}: ${changes.map(({ to }) => to).join(', ')}${of}`,
      expected: changes.map(({ from }) => from ?? '').join(', '), found: changes.map(({ to }) => to).join(', '), restorable: true, acceptable: true,
    })];
  });
  const signIn = differences.some(({ key }) => key === `${kind}:activationSignIn`);
  const more = besidesIn(rules).filter(({ key, found: words }) => besides[key] !== words && !(signIn && key === CONTRADICTION)).map((one) => found({
    kind, of: one.key, severity: one.weakens === 'always' || (one.weakens === 'approval' && wanted.approval.required) ? 'weaker' : 'changed', title: `${one.field}: ${one.found}${of}`,
    expected: one.standard, found: one.found, restorable: true, acceptable: takesBesides,
  }));
  return [...differences, ...more];
}

/** Each setting of `is`, alone within `wanted`. */
function fieldsOf(wanted: RoleSettings, is: RoleSettings): readonly { readonly field: string; readonly with: RoleSettings }[] {
  return [
    ...FIELDS.map((field) => ({ field, with: { ...wanted, [field]: is[field] } })),
    ...OCCASIONS.flatMap((occasion) => RECIPIENTS.map((person) => ({
      field: `notifications.${occasion}.${person}`,
      with: { ...wanted, notifications: { ...wanted.notifications, [occasion]: { ...wanted.notifications[occasion], [person]: is.notifications[occasion][person] } } },
    }))),
  ];
}

const SIGN_INS = ['none', 'mfa', 'authentication-context'] as const;

/** Whether PIM asks for less, lets in for longer, or tells fewer people. */
function isWeaker(wanted: RoleSettings, is: RoleSettings, field: string): boolean {
  const longer = (one: number | null, other: number | null): boolean => (one ?? Number.POSITIVE_INFINITY) > (other ?? Number.POSITIVE_INFINITY);
  switch (field) {
    case 'activationMaxMinutes': return is.activationMaxMinutes > wanted.activationMaxMinutes;
    // What a context asks for, and whether more than MFA or another context, only Conditional Access knows.
    case 'activationSignIn': return wanted.activationSignIn.kind !== 'none' && (is.activationSignIn.kind === 'authentication-context' || SIGN_INS.indexOf(is.activationSignIn.kind) < SIGN_INS.indexOf(wanted.activationSignIn.kind));
    // Another approver is somebody else who can let people in.
    case 'approval': return wanted.approval.required;
    case 'eligibleMaxDays': return longer(is.eligibleMaxDays, wanted.eligibleMaxDays);
    case 'activeMaxDays': return longer(is.activeMaxDays, wanted.activeMaxDays);
    case 'requireJustification': case 'requireTicket': case 'activeRequiresMfa': case 'activeRequiresJustification': return wanted[field];
    default: {
      const [, occasion, person] = field.split('.') as [string, (typeof OCCASIONS)[number], (typeof RECIPIENTS)[number]];
      const [before, after] = [wanted.notifications[occasion][person], is.notifications[occasion][person]];
      const still = new Set(after.additionalRecipients.map((address) => address.toLowerCase()));
      return (before.defaultRecipients && !after.defaultRecipients) || (!before.criticalOnly && after.criticalOnly) || before.additionalRecipients.some((address) => !still.has(address.toLowerCase()));
    }
  }
}

// --- Who may activate ------------------------------------------------------------------------------------------------

function eligibility(definition: SetupDefinition, { eligible }: DriftFacts): readonly Found[] {
  const named = new Set(definition.eligible.map(({ principalId }) => principalId.toLowerCase()));
  const words = (fact: EligibilityFact): string => (isPermanent(fact) ? 'eligible permanently' : `eligible until ${(fact.endsAt ?? '').slice(0, 10)}`);
  const wished = (days: number | null): string => (days === null ? 'eligible permanently' : `eligible for ${days === 1 ? '1 day' : `${days} days`}`);
  const others = [...new Map(eligible.filter(({ principalId }) => !named.has(principalId)).map((one) => [one.principalId, one])).values()];
  return [
    ...definition.eligible.flatMap((wish) => {
      const id = wish.principalId.toLowerCase();
      const fact = longest(eligible.filter(({ principalId }) => principalId === id));
      const common = { of: id, expected: wished(wish.days), restorable: true, acceptable: true };
      if (!fact) return [found({ ...common, kind: 'eligible-removed', severity: 'broken', title: `${wish.displayName} is not eligible any more`, found: 'not eligible' })];
      if (!isEligibleEnough(wish, fact)) return [found({ ...common, kind: 'eligible-shortened', severity: 'broken', title: `${wish.displayName} is ${words(fact)}, which is sooner than the setup says`, found: words(fact) })];
      if (isEligibleForLonger(wish.days, fact)) return [found({ ...common, kind: 'eligible-extended', severity: 'weaker', title: `${wish.displayName} is ${words(fact)}, which is longer than the setup says`, found: words(fact) })];
      return [];
    }),
    ...others.map((fact) => found({ kind: 'eligible-added', of: fact.principalId, severity: 'weaker', title: `${fact.displayName} is eligible, and not in the setup`, expected: 'not eligible', found: words(fact), restorable: true, acceptable: true })),
  ];
}

/** By more than a day: a span that was asked for in Entra's own pages ends at midnight. */
function isEligibleForLonger(days: number | null, fact: EligibilityFact): boolean {
  if (days === null) return false;
  if (isPermanent(fact)) return true;
  return fact.startsAt !== undefined && Date.parse(fact.endsAt ?? '') - Date.parse(fact.startsAt) > (days + 1) * DAY_MS;
}

// --- What the group opens --------------------------------------------------------------------------------------------

function application(wish: SetupDefinition['applications'][number], facts: DriftFacts, baseline: Baseline): readonly Found[] {
  const key = applicationKey(wish);
  const seen = facts.applications.get(key);
  if (!seen) {
    return [found({ kind: 'application-gone', of: key, severity: 'broken', title: `The application ${wish.displayName} does not exist any more`, expected: wish.displayName, found: 'no such application', restorable: wish.kind === 'new', acceptable: true, mend: wish.kind === 'new' ? null : 'Restore it in Entra within 30 days of its deletion, or take it out of the setup.' })];
  }
  const name = seen.displayName;
  const groupId = facts.group?.id.toLowerCase() ?? '';
  const others = baseline.applications[key]?.assignees ?? [];
  const strangers = seen.assignees.filter(({ id }) => id !== groupId && !others.includes(id) && facts.otherGroups.get(seen.servicePrincipalId)?.has(id) !== true);
  const [usedId, used] = wish.kind === 'new' ? connectorGroupOf(key, facts) : [];
  // The one that its people get through now, or where Graph does not tell, the one that they should.
  const connectors = used ?? (wish.kind === 'new' ? facts.connectorGroups?.get(wish.connectorGroupId) : undefined);
  return [
    ...(seen.enabled ? [] : [found({ kind: 'application-disabled', of: key, severity: 'broken', title: `Sign-in to ${name} is turned off`, expected: 'turned on', found: 'turned off, so nobody gets in', restorable: false, acceptable: false, mend: 'Enable the application for users to sign in, in Entra under its properties.' })]),
    ...(seen.assignmentRequired ? [] : [found({ kind: 'assignment-not-required', of: key, severity: 'bypass', title: `${name} lets in everybody`, expected: 'assignment required', found: 'not required, so everybody in the tenant gets in', restorable: true, acceptable: false })]),
    ...(seen.assignees.some(({ id }) => id === groupId) ? [] : [found({ kind: 'application-unassigned', of: key, severity: 'broken', title: `${name} is not open to the group any more`, expected: 'open to the group', found: 'not assigned', restorable: true, acceptable: true })]),
    ...strangers.map(({ id, displayName }) => found({ kind: 'assignee-added', of: `${key}:${id}`, severity: 'bypass', title: `${displayName} gets into ${name} past the group`, expected: 'not assigned', found: 'assigned directly, without activating', restorable: true, acceptable: true })),
    ...destinations(wish, key, seen, baseline),
    ...(wish.kind === 'new' && used && usedId?.toLowerCase() !== wish.connectorGroupId.toLowerCase() ? [found({ kind: 'connector-group-changed', of: key, severity: 'changed', title: `${name} is reached through the connector group ${used.name}`, expected: wish.connectorGroupName, found: used.name, restorable: true, acceptable: true })] : []),
    ...(connectors?.live === 0 ? [found({ kind: 'connector-group-dead', of: key, severity: 'broken', title: `No connector of ${connectors.name} is live, so nobody reaches ${name}`, expected: 'at least one live connector', found: `0 of ${connectors.total} live`, restorable: false, acceptable: false, mend: 'Start a connector of the group, or give the application another connector group in Entra.' })] : []),
  ];
}

/** Through which an application is reached; none where Graph does not tell. */
function connectorGroupOf(key: string, { applications, connectorGroups }: DriftFacts) {
  const appId = applications.get(key)?.appId;
  return [...connectorGroups ?? []].find(([, group]) => appId !== undefined && group.applications.has(appId)) ?? [];
}

function destinations(wish: SetupDefinition['applications'][number], key: string, { displayName, segments }: ApplicationSeen, baseline: Baseline): readonly Found[] {
  if (segments === undefined) return [];
  const taken = baseline.applications[key]?.segments ?? [];
  const expected = wish.kind === 'new' ? [...wish.segments.map(destinationOf), ...taken] : taken;
  const added = segments.filter((one) => !expected.some((other) => sameDestination(one, other)));
  const removed = expected.filter((one) => !segments.some((other) => sameDestination(one, other)));
  return [
    ...added.map((one) => {
      const narrower = removed.filter((other) => overlaps(one, other));
      return found({ kind: 'destination-added', of: destinationKey(key, one), severity: 'weaker', title: `${displayName} opens ${destinationWords(one)} as well`, expected: narrower.length > 0 ? narrower.map(destinationWords).join('; ') : 'not opened', found: destinationWords(one), restorable: true, acceptable: true });
    }),
    ...removed.map((one) => found({ kind: 'destination-removed', of: destinationKey(key, one), severity: 'broken', title: `${displayName} does not open ${destinationWords(one)} any more`, expected: destinationWords(one), found: 'not opened', restorable: true, acceptable: true })),
  ];
}

/** The same, whatever the order or the casing in which Graph prints it. */
function destinationKey(key: string, { destinationHost, ports, protocol }: Destination): string {
  const sorted = (words: readonly string[]): string => words.map((word) => word.trim().toLowerCase()).sort().join(',');
  return `${key}:${destinationHost.toLowerCase()}:${sorted(ports)}:${sorted(protocol.split(','))}`;
}

function destinationWords({ destinationHost, ports, protocol }: Destination): string {
  return `${destinationHost} : ${ports.map((range) => /^(\d+)-\1$/.exec(range)?.[1] ?? range).join(', ')} ${protocol}`;
}

// --- Taking a difference as it is ------------------------------------------------------------------------------------

export interface Accepted {
  readonly definition: SetupDefinition;
  readonly baseline: Baseline;
}

/**
 * The setup as it would have to be for these differences to be none; what it cannot say stands beside it. Or the reason
 * why there is no such setup.
 */
export function acceptDifferences(definition: SetupDefinition, baseline: Baseline, differences: readonly Found[], facts: DriftFacts): Accepted | { readonly refused: string } {
  const refused = differences.find(({ acceptable }) => !acceptable);
  if (refused) return { refused: `${refused.title}. ${isBeside(refused) ? 'A setup has no words for that, so it cannot take it' : 'A setup cannot take that'} as it is: restore it.` };
  const all = differences.reduce<Accepted>((so, difference) => acceptOne(so, difference, facts), { definition, baseline });
  const parsed = SetupDefinition.safeParse(all.definition);
  if (parsed.success) return { definition: parsed.data, baseline: all.baseline };
  const [issue] = parsed.error.issues;
  return { refused: `With this the setup would not be one: ${issue?.message ?? ''}. Change the setup in the wizard instead.` };
}

function acceptOne({ definition, baseline }: Accepted, { kind, key }: Found, facts: DriftFacts): Accepted {
  const id = key.slice(kind.length + 1);
  const seen = facts.eligible.filter(({ principalId }) => principalId === id);
  const isApplication = (wish: SetupDefinition['applications'][number]): boolean => applicationKey(wish) === id;
  switch (kind) {
    case 'member-added': case 'nested-group': case 'active-assigned': return { definition, baseline: { ...baseline, members: [...baseline.members, ...facts.standing.filter((one) => one.id === id).map(standingKey)] } };
    case 'owner-eligible': return { definition, baseline: { ...baseline, eligibleOwners: [...baseline.eligibleOwners, id] } };
    case 'owner-added': {
      const owner = facts.owners.find((one) => one.id === id);
      return { definition: { ...definition, owners: [...definition.owners, { principalId: id, displayName: owner?.displayName ?? id }] }, baseline };
    }
    case 'owner-removed': return { definition: { ...definition, owners: definition.owners.filter(({ principalId }) => principalId.toLowerCase() !== id) }, baseline };
    case 'role-settings': return { definition: { ...definition, roleSettings: withFields(definition.roleSettings, readRoleSettings(facts.rules), [id]) }, baseline };
    case 'owner-role-settings': {
      const { ownerRoleSettings } = definition;
      if (ownerRoleSettings !== null) return { definition: { ...definition, ownerRoleSettings: withFields(ownerRoleSettings, readRoleSettings(facts.ownerRules), [id]) }, baseline };
      const { settings: taken, besides } = baseline.ownerSettings ?? { settings: readRoleSettings(facts.ownerRules), besides: {} };
      const beside = besidesIn(facts.ownerRules).find(({ key: of }) => of === id);
      return { definition, baseline: { ...baseline, ownerSettings: { settings: withFields(taken, readRoleSettings(facts.ownerRules), [id]), besides: beside ? { ...besides, [id]: beside.found } : besides } } };
    }
    case 'eligible-removed': return { definition: { ...definition, eligible: definition.eligible.filter(({ principalId }) => principalId.toLowerCase() !== id) }, baseline };
    case 'eligible-shortened': case 'eligible-extended': return { definition: { ...definition, eligible: definition.eligible.map((one) => (one.principalId.toLowerCase() === id ? { ...one, days: daysOf(longest(seen)) } : one)) }, baseline };
    case 'eligible-added': {
      const [first] = seen;
      if (!first) return { definition, baseline };
      return { definition: { ...definition, eligible: [...definition.eligible, { principalId: id, kind: first.kind === 'group' ? 'group' : 'user', displayName: first.displayName, days: daysOf(longest(seen)) }] }, baseline };
    }
    case 'application-unassigned': case 'application-gone': return { definition: { ...definition, applications: definition.applications.filter((wish) => !isApplication(wish)) }, baseline };
    case 'assignee-added': return { definition, baseline: changedApplication(baseline, facts, keyOfAssignee(id), (one) => ({ ...one, assignees: [...one.assignees, id.slice(keyOfAssignee(id).length + 1)] })) };
    case 'destination-added': case 'destination-removed': return acceptDestination({ definition, baseline }, kind, id, facts);
    case 'connector-group-changed': {
      const [usedId, used] = connectorGroupOf(id, facts);
      if (usedId === undefined || !used) return { definition, baseline };
      return { definition: { ...definition, applications: definition.applications.map((wish) => (wish.kind === 'new' && isApplication(wish) ? { ...wish, connectorGroupId: usedId, connectorGroupName: used.name } : wish)) }, baseline };
    }
    case 'group-renamed': return { definition: { ...definition, group: { ...definition.group, displayName: facts.group?.displayName ?? definition.group.displayName } }, baseline };
    default: return { definition, baseline };
  }
}

/** A principal's id has no colon, and comes last. */
const keyOfAssignee = (id: string): string => id.slice(0, id.lastIndexOf(':'));

/** Of `host:ports:protocol` behind an application's key, whose form `new:name` may have colons of its own. */
export function destinationIn(of: string): { readonly application: string; readonly destination: Destination } {
  const parts = of.split(':');
  const [host = '', ports = '', protocol = ''] = parts.slice(-3);
  return { application: parts.slice(0, -3).join(':'), destination: { destinationHost: host, ports: ports.split(','), protocol } };
}

function acceptDestination({ definition, baseline }: Accepted, kind: 'destination-added' | 'destination-removed', of: string, facts: DriftFacts): Accepted {
  const { application: key, destination } = destinationIn(of);
  const isIt = (one: Destination): boolean => sameDestination(one, destination);
  if (kind === 'destination-added') return { definition, baseline: changedApplication(baseline, facts, key, (one) => ({ ...one, segments: [...one.segments, destination] })) };
  return {
    definition: { ...definition, applications: definition.applications.map((wish) => (wish.kind === 'new' && applicationKey(wish) === key ? { ...wish, segments: wish.segments.filter((segment) => !isIt(destinationOf(segment))) } : wish)) },
    baseline: changedApplication(baseline, facts, key, (one) => ({ ...one, segments: one.segments.filter((segment) => !isIt(segment)) })),
  };
}

type KnownApplication = Baseline['applications'][string];

function changedApplication(baseline: Baseline, facts: DriftFacts, key: string, change: (one: KnownApplication) => KnownApplication): Baseline {
  const known = baseline.applications[key] ?? { servicePrincipalId: facts.applications.get(key)?.servicePrincipalId ?? '', segments: [], assignees: [] };
  return { ...baseline, applications: { ...baseline.applications, [key]: change(known) } };
}

const isBeside = ({ kind, key }: Found): boolean => key.startsWith(`${kind}:besides.`);

/** The settings with these fields of the others, as the keys of differences name them. */
export function withFields(settings: RoleSettings, others: RoleSettings, fields: readonly string[]): RoleSettings {
  return fields.reduce((so, field) => fieldsOf(so, others).find((one) => one.field === field)?.with ?? so, settings);
}

function daysOf(fact: EligibilityFact | undefined): number | null {
  if (!fact || isPermanent(fact) || fact.startsAt === undefined) return null;
  // Whole days that are surely in it: of more, the next look would say that the eligibility is too short.
  return Math.floor((Date.parse(fact.endsAt ?? '') - Date.parse(fact.startsAt) + 60_000) / DAY_MS);
}

// --- Who did it ------------------------------------------------------------------------------------------------------

/** What the mirror knows of one event of Entra's audit log. */
export interface DriftEvent {
  readonly eventId: string;
  readonly at: string;
  readonly activity: string;
  readonly kind: EventKind;
  readonly actorName: string | null;
  readonly subjectId: string | null;
  readonly groupId: string | null;
  readonly applicationId: string | null;
  readonly applicationName: string | null;
}

/** Which kinds of event bring a difference about, and by which words of the activity, where the kind says too little. */
const CAUSES: Readonly<Record<DifferenceKind, { readonly kinds: readonly EventKind[]; readonly activity?: RegExp; readonly about: 'subject' | 'group' | 'application' }>> = {
  'member-added': { kinds: ['member-added', 'assigned'], about: 'subject' },
  'nested-group': { kinds: ['member-added', 'assigned'], about: 'subject' },
  'active-assigned': { kinds: ['assigned'], about: 'subject' },
  'owner-added': { kinds: ['group-changed', 'assigned'], activity: /^add (owner|member)/i, about: 'subject' },
  'owner-removed': { kinds: ['group-changed', 'assignment-removed'], activity: /^remove (owner|member)/i, about: 'subject' },
  'owner-eligible': { kinds: ['eligible-added'], about: 'subject' },
  'role-settings': { kinds: ['role-settings-changed'], about: 'group' },
  'owner-role-settings': { kinds: ['role-settings-changed'], about: 'group' },
  'eligible-added': { kinds: ['eligible-added'], about: 'subject' },
  'eligible-removed': { kinds: ['eligible-removed'], about: 'subject' },
  'eligible-shortened': { kinds: ['eligible-added'], about: 'subject' },
  'eligible-extended': { kinds: ['eligible-added'], about: 'subject' },
  'assignment-not-required': { kinds: ['application-changed'], activity: /^update service principal/i, about: 'application' },
  'application-unassigned': { kinds: ['application-changed'], activity: /^remove app role assignment/i, about: 'application' },
  'application-disabled': { kinds: ['application-changed'], activity: /^(update|disable) service principal/i, about: 'application' },
  'application-gone': { kinds: ['application-changed'], activity: /^(remove|hard delete|delete) (service principal|application)/i, about: 'application' },
  'assignee-added': { kinds: ['application-changed'], activity: /^add app role assignment/i, about: 'application' },
  'destination-added': { kinds: ['application-changed'], activity: /^update application/i, about: 'application' },
  'destination-removed': { kinds: ['application-changed'], activity: /^update application/i, about: 'application' },
  'connector-group-dead': { kinds: [], about: 'application' },
  'connector-group-changed': { kinds: ['application-changed'], activity: /^update application/i, about: 'application' },
  'group-gone': { kinds: ['group-changed'], activity: /^(hard )?delete group/i, about: 'group' },
  'group-unfit': { kinds: ['group-changed'], activity: /^update group/i, about: 'group' },
  'group-renamed': { kinds: ['group-changed'], activity: /^update group/i, about: 'group' },
  'not-onboarded': { kinds: [], about: 'group' },
};

/** Events in which somebody may have brought about a difference of a setup: what the watch looks again for. */
export const CHANGING_KINDS: readonly EventKind[] = [...new Set([...Object.values(CAUSES).flatMap(({ kinds }) => kinds), 'member-removed' as const, 'onboarded' as const])];

/** The newest event that explains the difference; `undefined` while the log does not tell. */
export function causeOf({ kind, key }: Found, events: readonly DriftEvent[], names: { readonly groupId: string | undefined; readonly applications: ReadonlyMap<string, { readonly servicePrincipalId: string; readonly displayName: string }> }): DriftEvent | undefined {
  const { kinds, activity, about } = CAUSES[kind];
  const of = key.slice(kind.length + 1);
  const isAbout = (event: DriftEvent): boolean => {
    if (about === 'group') return event.groupId === names.groupId;
    if (about === 'subject') return event.subjectId === of && event.groupId === names.groupId;
    const assignee = kind === 'assignee-added' ? of.slice(keyOfAssignee(of).length + 1) : undefined;
    const application = names.applications.get(kind === 'assignee-added' ? keyOfAssignee(of) : kind.startsWith('destination-') ? destinationIn(of).application : of);
    if (assignee !== undefined && event.subjectId !== assignee && event.groupId !== assignee) return false;
    if (kind === 'application-unassigned' && event.groupId !== names.groupId) return false;
    // The entry of a change to the application names its object, not the service principal: the name tells then.
    return application !== undefined && (event.applicationId === application.servicePrincipalId || event.applicationName?.toLowerCase() === application.displayName.toLowerCase());
  };
  return events.filter((event) => kinds.includes(event.kind) && (activity === undefined || activity.test(event.activity)) && isAbout(event))
    .reduce<DriftEvent | undefined>((newest, event) => (!newest || event.at > newest.at ? event : newest), undefined);
}
