import type { PlanWarning, SetupDefinition, StepKind } from '@gatehouse/contracts';
import { breadthOf, isWholeDomain, overlaps, sameDestination } from './overlap.rules.ts';
import { besidesIn } from './role-settings.rules.ts';
import type { SetupFacts } from './setup.rules.ts';
import { destinationOf } from './steps.rules.ts';

/**
 * What is looked at before a setup is applied: what is worth knowing, and what is in order. What makes a step impossible
 * is not here: such a step is blocked in the plan.
 */

/** What decides no step, and is worth a word. `undefined`: it could not be read. */
export interface Surroundings {
  readonly privateAccess: 'enabled' | 'disabled' | 'unknown';
  /** Names of groups that are members of the group. */
  readonly nestedGroups: readonly string[];
  /** Service plans that the tenant has licences of. */
  readonly servicePlans: ReadonlySet<string> | undefined;
  /** Template ids of the built-in directory roles of the person who plans. */
  readonly roles: ReadonlySet<string> | undefined;
  /** Whether this person owns the group. */
  readonly ownsGroup: boolean;
}

export interface Checks {
  readonly warnings: readonly PlanWarning[];
  readonly checked: readonly string[];
}

/** Built-in directory roles by template id, those that setting up takes (Microsoft's least-privileged first). */
const ROLES = {
  groups: { name: 'Groups Administrator', ids: ['fdd7a751-b60b-444a-984c-02652fe8fa1c', 'fe930be7-5e62-47db-91af-98c3a49a38b1', '62e90394-69f5-4237-9190-012177145e10'] },
  roleAssignable: { name: 'Privileged Role Administrator', ids: ['e8611ab8-c189-46e8-94e1-60213ab1f814', '62e90394-69f5-4237-9190-012177145e10'] },
  applications: { name: 'Application Administrator', ids: ['9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3', '158c047a-c907-4556-b7ef-446551a6b5f7', '62e90394-69f5-4237-9190-012177145e10'] },
  publishing: { name: 'Global Secure Access Administrator', ids: ['ac434307-12b9-4fa1-a708-88bf58caabc1', '62e90394-69f5-4237-9190-012177145e10'] },
} as const;

/** PIM for Groups comes with either (E, Microsoft Entra ID Governance licensing fundamentals). */
const PIM_PLANS = ['AAD_PREMIUM_P2', 'Entra_Identity_Governance'];
/** Published under this name; the documentation of plan names does not list it (CONTRACT.md §1), so that its absence only warns. */
const PRIVATE_ACCESS_PLAN = 'Entra_Premium_Private_Access';

export function checkSetup(definition: SetupDefinition, facts: SetupFacts, around: Surroundings, acting: ReadonlySet<StepKind>): Checks {
  const warnings: PlanWarning[] = [];
  const checked: string[] = [];
  const warn = (code: string, message: string, mend: string): void => { warnings.push({ code, message, mend }); };

  checkLicences(around, warn, checked);
  checkRoles(facts, around, acting, warn, checked);
  if (around.privateAccess === 'disabled') warn('private-access-off', 'The Private Access traffic profile is off, so no client reaches any of it.', 'Turn the profile on in Global Secure Access, under traffic forwarding.');
  else if (around.privateAccess === 'unknown') warn('private-access-unknown', 'Whether the Private Access traffic profile is on could not be read.', 'Look in Global Secure Access, under traffic forwarding.');
  else checked.push('The Private Access traffic profile is on.');
  if (facts.group?.roleAssignable === true) warn('role-assignable', 'The group can hold directory roles: only a Privileged Role Administrator may change it in PIM.', 'Apply with that role, or choose another group.');
  else if (facts.group) checked.push('PIM takes a group of this kind.');
  for (const name of around.nestedGroups) warn('nested-group', `The members of ${name} get nothing from being in the group: applications look at direct members alone.`, 'Make the people eligible, or that group.');
  if (facts.group && around.nestedGroups.length === 0) checked.push('No group is nested in the group.');
  checkApplications(definition, facts, warn, checked);
  checkRoleSettings(definition, facts, warn, checked);
  return { warnings, checked };
}

type Warn = (code: string, message: string, mend: string) => void;

function checkLicences({ servicePlans }: Surroundings, warn: Warn, checked: string[]): void {
  if (!servicePlans) return warn('licences-unknown', 'Which licences the tenant has could not be read.', 'Look in the Microsoft 365 admin centre, under licences: PIM takes Microsoft Entra ID P2 or ID Governance.');
  const [pim, privateAccess] = [PIM_PLANS.some((plan) => servicePlans.has(plan)), servicePlans.has(PRIVATE_ACCESS_PLAN)];
  if (!pim) warn('no-pim-licence', 'The tenant shows no licence for Privileged Identity Management, which refuses its settings then.', 'Get Microsoft Entra ID P2 or ID Governance for everybody who is eligible or approves.');
  if (!privateAccess) warn('no-private-access-licence', 'The tenant shows no licence for Private Access, so no client may reach the applications.', 'Get Microsoft Entra Private Access or the Entra Suite for those who are eligible.');
  if (pim && privateAccess) checked.push('The tenant has licences for PIM and for Private Access.');
}

function checkRoles(facts: SetupFacts, { roles, ownsGroup }: Surroundings, acting: ReadonlySet<StepKind>, warn: Warn, checked: string[]): void {
  if (acting.size === 0) return;
  if (!roles) return warn('roles-unknown', 'Which directory roles you hold could not be read.', 'Entra refuses a step for which you lack the role; the run is continued when you have it.');
  const needs = (...kinds: StepKind[]): boolean => kinds.some((kind) => acting.has(kind));
  const groups = facts.group?.roleAssignable === true ? ROLES.roleAssignable : ROLES.groups;
  const missing = [
    ...(needs('create-group', 'add-owner', 'onboard', 'role-settings', 'owner-role-settings', 'assign-eligible') && !ownsGroup ? [groups] : []),
    ...(needs('create-application', 'publish-application', 'add-segment', 'require-assignment', 'assign-application') ? [ROLES.applications] : []),
    ...(needs('publish-application', 'add-segment') ? [ROLES.publishing] : []),
  ].filter(({ ids }) => !ids.some((id) => roles.has(id)));
  // A custom role may allow it too, and Graph does not say who holds one: so it is said, and not refused.
  for (const { name } of missing) warn('role-missing', `You do not hold the role ${name} now, so Entra may refuse some of the steps halfway.`, `Activate ${name} in PIM first, then read the plan again. With a custom role that allows the same, go on.`);
  if (missing.length === 0) checked.push('Your directory roles allow every step.');
}

function checkApplications(definition: SetupDefinition, facts: SetupFacts, warn: Warn, checked: string[]): void {
  definition.applications.forEach((wish, index) => {
    const fact = facts.applications[index];
    if (wish.kind === 'existing') {
      if (wish.applicationKind === 'quick-access') warn('quick-access', `${fact?.displayName ?? wish.displayName} opens all that Quick Access holds.`, 'Microsoft recommends an application for each resource.');
      return;
    }
    const connectors = facts.connectorGroups.find((one) => one.id === wish.connectorGroupId);
    if (connectors && connectors.live === 0) warn('no-live-connector', `None of the ${connectors.total} connectors of ${connectors.name} is live, so nobody reaches ${wish.displayName} yet.`, 'Start a connector, or choose another connector group.');
    const quick = facts.neighbours.filter((one) => one.quickAccess);
    for (const segment of wish.segments) {
      const destination = destinationOf(segment);
      const breadth = breadthOf(segment.host);
      if (isWholeDomain(segment.host)) warn('whole-domain', `${segment.host} opens every name of a top-level domain through ${wish.displayName}.`, 'Name the hosts that the application has, or the domain they are in.');
      if (breadth !== undefined) warn('broad-range', `${segment.host} opens ${breadth.toLocaleString('en')} addresses through ${wish.displayName}.`, 'Name the addresses that the application has, or ranges of them no wider than /16.');
      if (fact?.segments.some((one) => sameDestination(one, destination)) || !quick.some((one) => one.segments.some((other) => overlaps(other, destination)))) continue;
      warn('takes-over', `${segment.host} is open through Quick Access today. ${wish.displayName} takes it over: whoever is not assigned to it loses it.`, 'Tell those who use it, or assign them as well.');
    }
  });
  if (definition.applications.every((_wish, index) => facts.applications[index]?.assignmentRequired !== false)) checked.push('Every application lets in only who is assigned.');
}

function checkRoleSettings(definition: SetupDefinition, facts: SetupFacts, warn: Warn, checked: string[]): void {
  const { approval: { required, approvers } } = definition.roleSettings;
  const alone = required && approvers.length === 1 ? definition.eligible.find(({ principalId }) => principalId.toLowerCase() === approvers[0]?.id.toLowerCase()) : undefined;
  if (alone) warn('approver-alone', `${alone.displayName} is eligible, and the only approver: nobody decides their own request, so theirs can only lapse.`, 'Name a second approver.');
  else if (required) checked.push('Somebody else can decide each request.');
  const contradictory = besidesIn(facts.rules).some(({ key }) => key === 'besides.contradiction');
  checked.push(contradictory ? 'MFA and an authentication context are both on in the tenant; the setup keeps one.' : 'MFA and an authentication context do not meet in the role settings.');
}
