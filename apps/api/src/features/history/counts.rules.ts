import type { Answer, CountEvents } from '@gatehouse/contracts';
import { sum, type Facet } from './search.rules.ts';

interface Chosen { readonly kind?: string | undefined; readonly result?: string | undefined; readonly source?: string | undefined }
const DIMENSIONS = ['kind', 'result', 'source'] as const;

/** Whether the facet is among what is chosen; one dimension may be left out of account. */
export const isChosen = (facet: Facet, chosen: Chosen, but?: (typeof DIMENSIONS)[number]): boolean =>
  DIMENSIONS.every((dimension) => dimension === but || chosen[dimension] === undefined || chosen[dimension] === facet[dimension]);

/** For each dimension how many there are of each value, if it were not filtered by; the most frequent first. */
export function facetsOf(counted: readonly Facet[], chosen: Chosen): Answer<typeof CountEvents>['facets'] {
  const of = (dimension: (typeof DIMENSIONS)[number]) => [...Map.groupBy(counted.filter((facet) => isChosen(facet, chosen, dimension)), (facet) => facet[dimension])]
    .map(([value, all]) => ({ value, events: sum(all) })).sort((a, b) => b.events - a.events || (a.value < b.value ? -1 : 1));
  return { kind: of('kind'), result: of('result'), source: of('source') };
}

/** Events of a span of time: summed up in buckets of the grain that lie in it whole, or to be counted one by one. */
export interface Span { readonly grain: 'month' | 'day' | 'quarter' | 'event'; readonly from: string; readonly to: string }

const QUARTER_MS = 15 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
/** Before every log and after it. */
const [FIRST, LAST] = ['1000-01-01T00:00:00.000000Z', '9000-01-01T00:00:00.000000Z'];

/** The span in as few buckets as there are, with the odd ends. Instants are texts in UTC with six decimals. */
export function spansOf(from = FIRST, to = LAST): Span[] {
  const [first, last] = [ceiling(from), floor(Date.parse(to), QUARTER_MS)];
  if (first >= last) return from < to ? [{ grain: 'event', from, to }] : [];
  const span = (grain: Span['grain'], a: number, b: number): Span[] => (a < b ? [{ grain, from: text(a), to: text(b) }] : []);
  const [firstDay, lastDay] = [-floor(-first, DAY_MS), floor(last, DAY_MS)];
  const quarters = firstDay >= lastDay ? span('quarter', first, last) : [...span('quarter', first, firstDay), ...span('quarter', lastDay, last)];
  const [firstMonth, lastMonth] = [monthOf(firstDay - 1, 1), monthOf(lastDay)];
  const days = firstDay >= lastDay ? [] : firstMonth >= lastMonth ? span('day', firstDay, lastDay) : [...span('day', firstDay, firstMonth), ...span('month', firstMonth, lastMonth), ...span('day', lastMonth, lastDay)];
  const edge = (a: string, b: string): Span[] => (a < b ? [{ grain: 'event', from: a, to: b }] : []);
  return [...edge(from, text(first)), ...quarters, ...days, ...edge(text(last), to)];
}

const text = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');
const floor = (ms: number, size: number): number => Math.floor(ms / size) * size;
/** The quarter that begins at the instant or after it; what lies below the millisecond counts. */
const ceiling = (instant: string): number => -floor(-(Date.parse(instant) + (instant.slice(-4) === '000Z' ? 0 : 1)), QUARTER_MS);
const monthOf = (ms: number, later = 0): number => Date.UTC(new Date(ms).getUTCFullYear(), new Date(ms).getUTCMonth() + later, 1);
