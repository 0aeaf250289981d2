/** Where the log names somebody or something. */
export type Role = 'actor' | 'subject' | 'group' | 'application';

/** One that a filter's text means, and about how many events name it there. */
export interface Named { readonly role: Role; readonly key: string; readonly events: number }

/** A kind, result and source that occur together, and how often. */
export interface Facet { readonly kind: string; readonly result: string; readonly source: string; readonly events: number }

/** What the filters come to in the words of the log. */
export interface Facts {
  /** One list a filter by name that is set; the events match each of them. */
  readonly names: readonly (readonly Named[])[];
  /** Those that the filters by kind, result and source leave; undefined where none is set. */
  readonly facets: readonly Facet[] | undefined;
  readonly allEvents: number;
  readonly hasText: boolean;
}

/**
 * Which index the rows are read from, in the order of the list; the other conditions are checked on what it gives. Which
 * it is does not hang on what a planner believes.
 */
export type Drive =
  | { readonly by: 'nothing' }
  | { readonly by: 'time' }
  | { readonly by: 'text' }
  | { readonly by: 'names'; readonly filter: number }
  | { readonly by: 'facets' };

/** So many lists are merged at once: each gives a page of its newest. What means more of them is nearly everything. */
const MERGED = 100;
/** Rows that may be read one by one to find a page. */
const FEW = 5_000;

/** A row of a person's of which the index tells that it is not of the group asked for costs this part of one that is read. */
const SKIPPED = 0.1;

/** The condition that leaves fewest rows to read leads. */
export function driveOf({ names, facets, allEvents, hasText }: Facts): Drive {
  if (names.some((list) => list.length === 0) || facets?.length === 0) return { by: 'nothing' };
  const candidates: { readonly drive: Drive; readonly events: number }[] = names.flatMap((list, filter) => {
    const isNarrowed = isOfPeople(list) && names.some(isOfGroups);
    return list.length <= MERGED ? [{ drive: { by: 'names', filter }, events: sum(list) * (isNarrowed ? SKIPPED : 1) }] : [];
  });
  // Of what is most of the log anyway, a page is soon found in the order of time.
  if (facets && sum(facets) * 2 < allEvents) candidates.push({ drive: { by: 'facets' }, events: sum(facets) });
  const best = candidates.reduce<(typeof candidates)[number] | undefined>((a, b) => (a === undefined || b.events < a.events ? b : a), undefined);
  if (hasText && (best === undefined || best.events > FEW)) return { by: 'text' };
  return best?.drive ?? { by: 'time' };
}

/** Whether the rows are read from the indexes of people, which tell the group of each. */
export const isOfPeople = (list: readonly Named[] | undefined): boolean => list?.every(({ role }) => role === 'actor' || role === 'subject') === true;
/** Whether that is enough to tell which of them are meant. */
export const isOfGroups = (list: readonly Named[]): boolean => list.every(({ role }) => role === 'group');

export const sum = (counted: readonly { readonly events: number }[]): number => counted.reduce((all, { events }) => all + events, 0);

/** Text is looked up by groups of three letters or digits: without one, the whole log would have to be read. */
export const canBeLookedUp = (text: string): boolean => /[\p{L}\p{N}]{3}/u.test(text);
