import type { ApplicationWish, SetupDefinition } from '@gatehouse/contracts';
import { GraphError, type Graph, type GraphApplication, type GraphGroup } from '@gatehouse/graph';
import { DEFAULT_RULES } from './role-settings.rules.ts';
import { applicationKey, uniqueNameOf, type ApplicationFact, type SetupFacts } from './setup.rules.ts';

/** What the tenant holds, and the handles by which a run changes it. */
export interface Gathered {
  readonly facts: SetupFacts;
  readonly group: GraphGroup | undefined;
  /** Applications that exist, by their key in the setup. */
  readonly applications: ReadonlyMap<string, GraphApplication>;
}

/** How many applications are read at once. */
const AT_ONCE = 8;

/** Reads everything that a plan depends on, on the person's own token. Reads only. */
export async function gatherFacts(graph: Graph, definition: SetupDefinition, earlier: SetupFacts['earlier'] = new Map()): Promise<Gathered> {
  const { roleSettings, eligible, applications: wishes } = definition;
  const wishesNew = wishes.some((wish) => wish.kind === 'new');
  const principals = [...eligible.map((one) => one.principalId), ...roleSettings.approval.approvers.map((one) => one.id)];

  const [{ group, nicknameOf }, names, found, neighbours, connectorGroups, contexts, privateAccess] = await Promise.all([
    findGroup(graph, definition),
    graph.directory.names(principals),
    inBatches(wishes, (wish) => findApplication(graph, wish)),
    wishesNew ? readNeighbours(graph) : [],
    wishesNew ? graph.applications.connectorGroups() : [],
    roleSettings.activationSignIn.kind === 'authentication-context' ? graph.conditionalAccess.authenticationContexts() : [],
    readPrivateAccess(graph),
  ]);
  const [onboarded, rules, eligibilities, nestedGroups, assignments] = group
    ? await Promise.all([
      graph.pim.onboardedGroups(),
      unlessNotFound(graph.pim.memberPolicy(group.id).then((policy) => policy.rules), DEFAULT_RULES),
      unlessNotFound(graph.pim.eligibilities(group.id), []),
      graph.directory.nestedGroups(group.id),
      graph.applications.assignmentsOfGroup(group.id),
    ])
    : [[], DEFAULT_RULES, [], [], []];

  const assigned = new Set(assignments.map((one) => one.servicePrincipalId));
  return {
    group,
    applications: new Map(wishes.flatMap((wish, index) => (found[index] ? [[applicationKey(wish), found[index].application] as const] : []))),
    facts: {
      group, nicknameOf, earlier, privateAccess, rules, neighbours,
      managedByPim: group !== undefined && onboarded.some((id) => id.toLowerCase() === group.id.toLowerCase()),
      eligible: eligibilities.filter((one) => one.accessId === 'member' && one.memberType === 'direct').map((one) => ({ principalId: one.principalId.toLowerCase(), startsAt: one.startsAt, endsAt: one.endsAt })),
      knownPrincipals: new Set([...names].filter(([, one]) => one.kind !== 'servicePrincipal').map(([id]) => id.toLowerCase())),
      nestedGroups: nestedGroups.map((nested) => nested.displayName),
      applications: found.map((one): ApplicationFact | undefined => one && {
        servicePrincipalId: one.application.servicePrincipalId, displayName: one.application.displayName, enabled: one.application.enabled,
        assignmentRequired: one.application.assignmentRequired, published: one.application.kind !== 'enterprise', segments: one.segments,
        assigned: assigned.has(one.application.servicePrincipalId),
      }),
      connectorGroups: connectorGroups.map((one) => ({ id: one.id, name: one.name, live: one.connectors.filter((connector) => connector.live).length, total: one.connectors.length })),
      contexts: new Set(contexts.filter((context) => context.available).map((context) => context.id.toLowerCase())),
    },
  };
}

async function findGroup(graph: Graph, { group: wish }: SetupDefinition): Promise<{ group: GraphGroup | undefined; nicknameOf: string | undefined }> {
  if (wish.kind === 'existing') return { group: await graph.directory.group(wish.groupId), nicknameOf: undefined };
  const group = await graph.directory.groupByUniqueName(uniqueNameOf(wish.mailNickname));
  if (group) return { group, nicknameOf: undefined };
  return { group: undefined, nicknameOf: (await graph.directory.groupByMailNickname(wish.mailNickname))?.displayName };
}

async function findApplication(graph: Graph, wish: ApplicationWish) {
  if (wish.kind === 'existing') {
    const application = await graph.applications.application(wish.servicePrincipalId);
    return application && { application, segments: [] };
  }
  const named = await graph.applications.applicationsByName(wish.displayName);
  const application = named.find((one) => one.kind === 'per-app') ?? named[0];
  if (!application) return undefined;
  return { application, segments: application.kind === 'per-app' ? await unlessNotFound(graph.applications.segments(application.appId), []) : [] };
}

async function readNeighbours(graph: Graph): Promise<SetupFacts['neighbours']> {
  const published = await graph.applications.privateAccess();
  const segments = await graph.applications.segmentsOfAll(published.map(({ appId }) => appId));
  return published.map((one) => ({ displayName: one.displayName, quickAccess: one.kind === 'quick-access', segments: segments.get(one.appId) ?? [] }));
}

/** Worth a warning and no more: a setup can be applied while the profile is off, or cannot be read. */
async function readPrivateAccess(graph: Graph): Promise<SetupFacts['privateAccess']> {
  try {
    return (await graph.network.privateAccessProfile()).state;
  } catch (error) {
    if (error instanceof GraphError && error.failure !== 'not-signed-in' && error.failure !== 'step-up-needed') return 'unknown';
    throw error;
  }
}

async function unlessNotFound<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  return reading.catch((error: unknown) => {
    if (error instanceof GraphError && error.failure === 'not-found') return otherwise;
    throw error;
  });
}

async function inBatches<T, R>(items: readonly T[], read: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) results.push(...await Promise.all(items.slice(start, start + AT_ONCE).map(read)));
  return results;
}
