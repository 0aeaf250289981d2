import { EventKind, EventResult, EventSource, type HistoryFilter } from '@gatehouse/contracts';
import type { Choice, Filter } from './filter-bar.tsx';
import { KINDS, RESULTS, SOURCES } from './history.words.ts';

/** What events are narrowed by beside names and days; the list and an export of it by the same. */
export const EVENT_CHOICES: readonly Choice[] = [
  { name: 'kind', label: 'What', options: EventKind.options.map((kind) => [kind, KINDS[kind]] as const) },
  { name: 'result', label: 'Result', options: EventResult.options.map((result) => [result, RESULTS[result].word] as const) },
  { name: 'source', label: 'Written by', options: EventSource.options.map((source) => [source, SOURCES[source]] as const) },
];

/** The filter as the API takes it. */
export function eventWish({ text, found, from, to }: Filter): HistoryFilter {
  return {
    person: text('person') || undefined, group: text('group') || undefined, application: text('application') || undefined,
    kind: EventKind.safeParse(text('kind')).data, result: EventResult.safeParse(text('result')).data, source: EventSource.safeParse(text('source')).data, text: found, from, to,
  };
}
