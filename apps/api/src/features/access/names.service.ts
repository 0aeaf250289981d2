import type { Graph } from '@gatehouse/graph';
import type { Clock } from '../../core/clock.ts';
import { addMinutes } from '../../core/durations.ts';

/** How long a name is taken for right, and how many are remembered. */
const REMEMBERED_MINUTES = 60;
const MOST_REMEMBERED = 5_000;

export type Names = ReturnType<typeof createNames>;

/** Names that only the directory knows, remembered for a while: nobody waits for them on each view. Forgotten with the process, which costs a look. */
export function createNames({ appGraph, clock }: { readonly appGraph: Graph; readonly clock: Clock }) {
  const groups = new Map<string, { readonly at: Date; readonly name: string | undefined }>();
  const owners = new Map<string, { readonly at: Date; readonly names: readonly string[] }>();
  const isFresh = (at: Date): boolean => at > addMinutes(clock.now(), -REMEMBERED_MINUTES) && at <= clock.now();
  const keep = <T>(map: Map<string, T>, key: string, value: T): void => {
    if (map.size >= MOST_REMEMBERED) map.clear();
    map.set(key, value);
  };

  return {
    /** Names of groups; those that nobody knows are left out. */
    async ofGroups(groupIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
      const at = clock.now();
      const missing = groupIds.filter((groupId) => !isFresh(groups.get(groupId)?.at ?? new Date(0)));
      const found = missing.length === 0 ? undefined : await appGraph.directory.names(missing).catch(() => undefined);
      if (found) for (const groupId of missing) keep(groups, groupId, { at, name: found.get(groupId)?.displayName });
      return new Map(groupIds.flatMap((groupId) => {
        const name = groups.get(groupId)?.name;
        return name === undefined ? [] : [[groupId, name] as const];
      }));
    },

    /** Names of those who own a group; none where that is not known. */
    async ofOwners(groupId: string): Promise<readonly string[]> {
      const known = owners.get(groupId);
      if (known && isFresh(known.at)) return known.names;
      const names = await appGraph.directory.owners(groupId).then((found) => found.map(({ displayName }) => displayName), () => undefined);
      if (names) keep(owners, groupId, { at: clock.now(), names });
      return names ?? [];
    },
  };
}
