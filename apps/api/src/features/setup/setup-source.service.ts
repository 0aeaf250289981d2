import type { SetupDefinition, SetupSource } from '@gatehouse/contracts';
import type { Graph } from '@gatehouse/graph';
import { namer, namesIn, NOTHING_FOUND, resolver, type Found, type SourceIssue } from './setup-source.rules.ts';

/**
 * Makes setups whole on the person's own token. All names are looked up together, each once, so that many setups cost
 * hardly more round trips than one; setups without names cost none.
 */
export async function resolveSources(graph: Graph, sources: readonly SetupSource[]): Promise<readonly ({ readonly definition: SetupDefinition } | { readonly issues: readonly SourceIssue[] })[]> {
  return sources.map(resolver(await find(graph, sources)));
}

/** Writes setups by the names that the tenant has now, for a file that means the same in another one. */
export async function nameSources(graph: Graph, definitions: readonly SetupDefinition[]): Promise<readonly SetupSource[]> {
  if (definitions.length === 0) return [];
  const { directory, applications } = graph.together;
  const wishes = definitions.flatMap((definition) => definition.applications);
  const names = new Map([...await directory.names(principalsOf(definitions))].map(([id, name]) => [id.toLowerCase(), name]));
  const groupNames = [...[...names.values()].filter(({ kind }) => kind === 'group'), ...definitions.map(({ group }) => group).filter(({ kind }) => kind === 'existing')].map(({ displayName }) => displayName);
  const [groups, found, connectorGroups] = await Promise.all([
    directory.groupsByName([...new Set(groupNames)]),
    applications.applicationsByNames([...new Set(wishes.filter(({ kind }) => kind === 'existing').map(({ displayName }) => displayName))]),
    wishes.some(({ kind }) => kind === 'new') ? applications.connectorGroups() : [],
  ]);
  return definitions.map(namer({ names, users: [], groups, applications: found, connectorGroups }));
}

/** Everybody who is in these setups, by id. */
export function principalsOf(definitions: readonly SetupDefinition[]): string[] {
  return [...new Set(definitions.flatMap(({ owners, eligible, roleSettings, ownerRoleSettings }) => [
    ...[...owners, ...eligible].map((one) => one.principalId), ...[roleSettings, ownerRoleSettings].flatMap((settings) => settings?.approval.approvers ?? []).map(({ id }) => id),
  ]))];
}

async function find(graph: Graph, sources: readonly SetupSource[]): Promise<Found> {
  const names = namesIn(sources);
  if (Object.values(names).every((list: readonly string[]) => list.length === 0)) return NOTHING_FOUND;
  const { directory, applications } = graph.together;
  const [users, groups, found, connectorGroups] = await Promise.all([
    directory.usersByPrincipalName(names.users), directory.groupsByName(names.groups), applications.applicationsByNames(names.applications),
    names.connectorGroups.length === 0 ? [] : applications.connectorGroups(),
  ]);
  return { users, groups, applications: found, connectorGroups };
}
