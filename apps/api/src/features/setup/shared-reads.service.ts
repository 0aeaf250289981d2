import type { Graph, GraphPorts } from '@gatehouse/graph';

/**
 * Graph for planning many setups at once: what does not depend on the setup is read once for all of them, and what many
 * setups ask of one object likewise. For plans alone: whoever applies one reads anew.
 */
export function sharedReads(graph: Graph, principalIds: readonly string[]): Graph {
  const known = once(() => graph.directory.names(principalIds));
  const asked = new Set(principalIds.map((id) => id.toLowerCase()));
  const sharing = <P extends GraphPorts>(ports: P): P => {
    const { directory, pim, applications, network, conditionalAccess } = ports;
    return {
      ...ports,
      directory: {
        ...directory,
        servicePlans: once(directory.servicePlans), myRoles: once(directory.myRoles),
        names: async (ids: readonly string[]) => {
          const wanted = new Set(ids.map((id) => id.toLowerCase()));
          if (![...wanted].every((id) => asked.has(id))) return directory.names(ids);
          return new Map([...await known()].filter(([id]) => wanted.has(id.toLowerCase())));
        },
      },
      pim: { ...pim, onboardedGroups: once(pim.onboardedGroups) },
      applications: {
        ...applications,
        privateAccess: once(applications.privateAccess), connectorGroups: once(applications.connectorGroups), connectorGroupsInUse: once(applications.connectorGroupsInUse),
        application: onceFor(applications.application), applicationsByName: onceFor(applications.applicationsByName),
        segments: onceFor(applications.segments), segmentsOfAll: onceFor(applications.segmentsOfAll),
      },
      network: { ...network, privateAccessProfile: once(network.privateAccessProfile) },
      conditionalAccess: { ...conditionalAccess, authenticationContexts: once(conditionalAccess.authenticationContexts) },
    };
  };
  return { ...sharing(graph), together: sharing(graph.together), inOrder: graph.inOrder };
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => (reading ??= read().catch((error: unknown) => {
    // The next who asks may be answered.
    reading = undefined;
    throw error;
  }));
}

function onceFor<A, T>(read: (about: A) => Promise<T>): (about: A) => Promise<T> {
  const readings = new Map<string, Promise<T>>();
  return (about) => {
    const key = JSON.stringify(about);
    const reading = readings.get(key) ?? read(about).catch((error: unknown) => {
      readings.delete(key);
      throw error;
    });
    readings.set(key, reading);
    return reading;
  };
}
