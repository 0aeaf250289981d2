import type { ApplicationWish, SetupDefinition } from '@gatehouse/contracts';
import { GraphError, type Graph, type GraphApplication, type GraphGroup, type GraphPorts } from '@gatehouse/graph';
import type { Surroundings } from './checks.rules.ts';
import { DEFAULT_RULES } from './role-settings.rules.ts';
import type { ApplicationFact, SetupFacts } from './setup.rules.ts';
import { applicationKey, uniqueNameOf } from './steps.rules.ts';
import type { UndoFacts } from './undo.rules.ts';

/** What the tenant holds, and the handles by which a run changes it. */
export interface Gathered {
  readonly facts: SetupFacts;
  readonly group: GraphGroup | undefined;
  /** Applications that exist, by their key in the setup. */
  readonly applications: ReadonlyMap<string, GraphApplication>;
}

export interface GatheredForUndo extends Omit<Gathered, 'facts'> {
  readonly facts: UndoFacts;
}

/**
 * Reads everything that decides a step, on the person's own token: in two round trips where the setup makes no application
 * and no list is longer than a page. Reads only. `seen` are ids of applications by their key, which need not be found by name.
 */
export async function gatherFacts(graph: Graph, definition: SetupDefinition, earlier: SetupFacts['earlier'] = new Map(), seen: ReadonlyMap<string, string> = new Map()): Promise<Gathered> {
  const { directory, pim, applications, conditionalAccess } = graph.together;
  const { roleSettings, ownerRoleSettings, owners, eligible, applications: wishes } = definition;
  const wishesNew = wishes.some((wish) => wish.kind === 'new');
  const approvers = [roleSettings, ownerRoleSettings].flatMap((settings) => settings?.approval.approvers ?? []);
  const asksContext = [roleSettings, ownerRoleSettings].some((settings) => settings?.activationSignIn.kind === 'authentication-context');

  const [{ group, nicknameOf }, names, found, neighbours, connectorGroups, contexts] = await Promise.all([
    findGroup(directory, definition),
    directory.names([...eligible.map((one) => one.principalId), ...approvers.map((one) => one.id), ...owners.map((one) => one.principalId)]),
    Promise.all(wishes.map((wish) => findApplication(applications, wish, seen.get(applicationKey(wish))))),
    wishesNew ? readNeighbours(applications) : [],
    wishesNew ? applications.connectorGroupsInUse() : [],
    asksContext ? conditionalAccess.authenticationContexts() : [],
  ]);
  const [rules, ownerRules, eligibilities, assignments, groupOwners] = group
    ? await Promise.all([
      unlessNotFound(pim.policy(group.id, 'member').then((policy) => policy.rules), DEFAULT_RULES),
      ownerRoleSettings === null ? DEFAULT_RULES : unlessNotFound(pim.policy(group.id, 'owner').then((policy) => policy.rules), DEFAULT_RULES),
      unlessNotFound(pim.eligibilities(group.id), []),
      applications.assignmentsOfGroup(group.id),
      owners.length === 0 ? [] : directory.owners(group.id),
    ])
    : [DEFAULT_RULES, DEFAULT_RULES, [], [], []];

  const assigned = new Set(assignments.map((one) => one.servicePrincipalId));
  const known = [...names].map(([id, one]) => ({ id: id.toLowerCase(), kind: one.kind }));
  return {
    group,
    applications: new Map(wishes.flatMap((wish, index) => (found[index] ? [[applicationKey(wish), found[index].application] as const] : []))),
    facts: {
      group, nicknameOf, earlier, rules, ownerRules, neighbours,
      // Whoever has an eligible member is under PIM; the list of all groups that are is asked where that does not tell.
      managedByPim: group !== undefined && (eligibilities.length > 0 || await isOnboarded(graph, group.id)),
      owners: new Set(groupOwners.map(({ id }) => id.toLowerCase())),
      eligible: eligibilities.filter((one) => one.accessId === 'member' && one.memberType === 'direct').map((one) => ({ principalId: one.principalId.toLowerCase(), startsAt: one.startsAt, endsAt: one.endsAt })),
      knownPrincipals: new Set(known.filter(({ kind }) => kind !== 'servicePrincipal').map(({ id }) => id)),
      knownUsers: new Set(known.filter(({ kind }) => kind === 'user').map(({ id }) => id)),
      applications: found.map((one) => one && { ...applicationFact(one.application, one.segments, assigned), connectorGroupId: connectorGroups.find((group) => group.applications.includes(one.application.appId))?.id }),
      connectorGroups: connectorGroups.map((one) => ({ id: one.id, name: one.name, live: one.connectors.filter((connector) => connector.live).length, total: one.connectors.length })),
      contexts: new Set(contexts.filter((context) => context.available).map((context) => context.id.toLowerCase())),
    },
  };
}

/** Reads what decides nothing and is worth a word in a review. What cannot be read is not known, and holds nothing up. */
export async function gatherSurroundings(graph: Graph, group: GraphGroup | undefined, personId: string): Promise<Surroundings> {
  const { directory, network } = graph.together;
  const [privateAccess, nestedGroups, servicePlans, roles, owners] = await Promise.all([
    unlessRefused(network.privateAccessProfile()),
    group ? directory.nestedGroups(group.id) : [],
    unlessRefused(directory.servicePlans()),
    unlessRefused(directory.myRoles()),
    group ? directory.owners(group.id) : [],
  ]);
  return {
    privateAccess: privateAccess?.state ?? 'unknown', nestedGroups: nestedGroups.map((nested) => nested.displayName), servicePlans, roles,
    ownsGroup: owners.some(({ id }) => id.toLowerCase() === personId.toLowerCase()),
  };
}

/** Reads what an undo depends on: what the run made, and what others have put beside it since. Reads only. */
export async function gatherUndoFacts(graph: Graph, definition: SetupDefinition, groupId: string | null, begun: (key: string) => boolean): Promise<GatheredForUndo> {
  const { directory, pim, applications } = graph.together;
  const { group: wish } = definition;
  const [group, found] = await Promise.all([
    groupId !== null ? directory.group(groupId) : wish.kind === 'existing' ? directory.group(wish.groupId) : begun('create-group') ? directory.groupByUniqueName(uniqueNameOf(wish.mailNickname)) : undefined,
    Promise.all(definition.applications.map(async (one) => {
      const there = await findApplication(applications, one);
      return there && { ...there, key: applicationKey(one), assignments: await applications.assignmentsOf(there.application.servicePrincipalId) };
    })),
  ]);
  const [rules, ownerRules, eligibilities, assignments, owners, members] = group
    ? await Promise.all([
      unlessNotFound(pim.policy(group.id, 'member').then((policy) => policy.rules), DEFAULT_RULES),
      begun('owner-role-settings') ? unlessNotFound(pim.policy(group.id, 'owner').then((policy) => policy.rules), DEFAULT_RULES) : DEFAULT_RULES,
      unlessNotFound(pim.eligibilities(group.id), []),
      applications.assignmentsOfGroup(group.id),
      directory.owners(group.id),
      directory.members(group.id),
    ])
    : [DEFAULT_RULES, DEFAULT_RULES, [], [], [], []];
  const there = found.flatMap((one) => (one ? [one] : []));
  const assignedTo = new Set(assignments.map((one) => one.servicePrincipalId));
  return {
    group,
    applications: new Map(there.map(({ key, application }) => [key, application])),
    facts: {
      group, rules, ownerRules, members, assignedTo,
      owners: new Set(owners.map(({ id }) => id.toLowerCase())),
      eligible: eligibilities.filter((one) => one.accessId === 'member' && one.memberType === 'direct').map((one) => ({ principalId: one.principalId.toLowerCase(), startsAt: one.startsAt, endsAt: one.endsAt })),
      applications: new Map(there.map(({ key, application, segments, assignments: all }) => [key, {
        ...applicationFact(application, segments, assignedTo), usedByOthers: all.some(({ principalId }) => principalId.toLowerCase() !== group?.id.toLowerCase()),
      }])),
    },
  };
}

function applicationFact(application: GraphApplication, segments: ApplicationFact['segments'], assignedTo: ReadonlySet<string>): ApplicationFact {
  return {
    servicePrincipalId: application.servicePrincipalId, displayName: application.displayName, enabled: application.enabled,
    assignmentRequired: application.assignmentRequired, published: application.kind !== 'enterprise', segments, assigned: assignedTo.has(application.servicePrincipalId),
  };
}

async function isOnboarded(graph: Graph, groupId: string): Promise<boolean> {
  return (await graph.pim.onboardedGroups()).some((id) => id.toLowerCase() === groupId.toLowerCase());
}

async function findGroup(directory: GraphPorts['directory'], { group: wish }: SetupDefinition): Promise<{ group: GraphGroup | undefined; nicknameOf: string | undefined }> {
  if (wish.kind === 'existing') return { group: await directory.group(wish.groupId), nicknameOf: undefined };
  const [group, namesake] = await Promise.all([directory.groupByUniqueName(uniqueNameOf(wish.mailNickname)), directory.groupByMailNickname(wish.mailNickname)]);
  return { group, nicknameOf: group ? undefined : namesake?.displayName };
}

async function findApplication(applications: GraphPorts['applications'], wish: ApplicationWish, servicePrincipalId?: string) {
  if (wish.kind === 'existing') {
    const application = await applications.application(wish.servicePrincipalId);
    return application && { application, segments: [] };
  }
  const named = servicePrincipalId === undefined ? await applications.applicationsByName(wish.displayName) : [];
  const application = servicePrincipalId === undefined ? named.find((one) => one.kind === 'per-app') ?? named[0] : await applications.application(servicePrincipalId);
  if (!application) return undefined;
  return { application, segments: application.kind === 'per-app' ? await unlessNotFound(applications.segments(application.appId), []) : [] };
}

async function readNeighbours(applications: GraphPorts['applications']): Promise<SetupFacts['neighbours']> {
  const published = await applications.privateAccess();
  const segments = await applications.segmentsOfAll(published.map(({ appId }) => appId));
  return published.map((one) => ({ displayName: one.displayName, quickAccess: one.kind === 'quick-access', segments: segments.get(one.appId) ?? [] }));
}

/** Whoever must sign in again does so; any other refusal leaves it unknown. */
async function unlessRefused<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if (error instanceof GraphError && error.failure !== 'not-signed-in' && error.failure !== 'step-up-needed') return undefined;
    throw error;
  });
}

async function unlessNotFound<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  return reading.catch((error: unknown) => {
    if (error instanceof GraphError && error.failure === 'not-found') return otherwise;
    throw error;
  });
}
