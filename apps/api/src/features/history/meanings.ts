import { LRUCache } from 'lru-cache';
import { countBetween } from './counts.store.ts';
import type { Filter } from './filter.rules.ts';
import { listsOf, namesOf, type NameFilter, type NamesMeant } from './names.store.ts';
import type { Facet } from './search.rules.ts';
import { sharing } from './sharing.ts';
import type { Queryable } from './sql.ts';

/** What a filter means in the log: who and what is named, and, where it narrows, which facets there are at all. */
export interface Meant { readonly names: NamesMeant; readonly facets: readonly Facet[] | undefined }

/** So many filters are kept, and names and facets of all of them; of a filter that means more, none. */
const KEPT = { filters: 1_000, names: 100_000, ofOne: 2_000 };

/** Whether a filter leaves out some kinds, results or sources. */
export const narrows = ({ kind, result, source }: Filter): boolean => kind !== undefined || result !== undefined || source !== undefined;

/**
 * What filters mean, looked up once for each state of the log (decision 33). The state is the one that is read when somebody
 * asks, so that the answer is never older than their question, but for those that share its reading.
 */
export function createMeanings({ reader, namesVersionOf }: { readonly reader: Queryable; readonly namesVersionOf: (tenantId: string) => Promise<string> }) {
  const kept = new LRUCache<string, { readonly namesVersion: string; readonly meant: Meant }>({
    max: KEPT.filters, maxSize: KEPT.names, maxEntrySize: KEPT.ofOne, sizeCalculation: ({ meant: { names, facets = [] } }) => 1 + facets.length + listsOf(names).flat().length,
  });

  // Also by the version, so that nobody shares what was begun before theirs was read.
  const lookUp = sharing(async (namesVersion: string, tenantId: string, names: NameFilter, isNarrowed: boolean): Promise<Meant> => {
    const [named, facets] = await Promise.all([namesOf(reader, tenantId, names), isNarrowed ? countBetween(reader, tenantId, undefined, undefined) : undefined]);
    return { names: named, facets };
  });

  return async (tenantId: string, filter: Filter): Promise<Meant> => {
    const { person, group, application } = filter;
    const isNarrowed = narrows(filter);
    if (!person && !group && !application && !isNarrowed) return { names: {}, facets: undefined };
    const namesVersion = await namesVersionOf(tenantId);
    const key = JSON.stringify([tenantId, person, group, application, isNarrowed]);
    const known = kept.get(key);
    if (known?.namesVersion === namesVersion) return known.meant;
    const meant = await lookUp(namesVersion, tenantId, { person, group, application }, isNarrowed);
    kept.set(key, { namesVersion, meant });
    return meant;
  };
}
