import type { SetupDefinition, SetupSource } from '@gatehouse/contracts';
import type { Graph } from '@gatehouse/graph';
import { namesIn, NOTHING_FOUND, resolver, type Found, type SourceIssue } from './setup-source.rules.ts';

/**
 * Makes setups whole on the person's own token. All names are looked up together, each once, so that many setups cost
 * hardly more round trips than one; setups without names cost none.
 */
export async function resolveSources(graph: Graph, sources: readonly SetupSource[]): Promise<readonly ({ readonly definition: SetupDefinition } | { readonly issues: readonly SourceIssue[] })[]> {
  return sources.map(resolver(await find(graph, sources)));
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
