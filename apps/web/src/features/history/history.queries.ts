import { CountEvents, GetActivation, GetEvent, GetEventProof, GetEventStatistics, GetExceptions, GetTimeline, ListHistoryNames, ListInsights, SearchActivations, SearchEvents, type CallInput, type ExceptionList } from '@gatehouse/contracts';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';

export type EventQuery = NonNullable<CallInput<typeof SearchEvents>['query']>;
export type ActivationQuery = NonNullable<CallInput<typeof SearchActivations>['query']>;

/** A list that was read on does not move under its reader, nor is all of it read again because they came back to it. */
const ofFirstPage = ({ state }: { state: { data?: { pages: readonly unknown[] } | undefined } }): boolean => (state.data?.pages.length ?? 0) <= 1;

/** Newest first; the next page is asked for with the cursor that the last one gave. */
export const events = (filter: EventQuery) => infiniteQueryOptions({
  queryKey: ['history', 'events', filter],
  queryFn: ({ pageParam, signal }) => call(SearchEvents, { query: { ...filter, ...(pageParam !== null && { cursor: pageParam }) } }, signal),
  initialPageParam: null as string | null,
  getNextPageParam: ({ nextCursor }) => nextCursor,
  refetchOnMount: ofFirstPage, refetchOnWindowFocus: ofFirstPage, refetchOnReconnect: ofFirstPage,
});

export const activations = (filter: ActivationQuery) => infiniteQueryOptions({
  queryKey: ['history', 'activations', filter],
  queryFn: ({ pageParam, signal }) => call(SearchActivations, { query: { ...filter, ...(pageParam !== null && { cursor: pageParam }) } }, signal),
  initialPageParam: null as string | null,
  getNextPageParam: ({ nextCursor }) => nextCursor,
  refetchOnMount: ofFirstPage, refetchOnWindowFocus: ofFirstPage, refetchOnReconnect: ofFirstPage,
});

export const event = (eventId: string) => queryOptions({ queryKey: ['history', 'event', eventId], queryFn: ({ signal }) => call(GetEvent, { params: { eventId } }, signal) });

/** What proves the event; asked for again until it is sealed. */
export const eventProof = (eventId: string) => queryOptions({
  queryKey: ['history', 'proof', eventId],
  queryFn: ({ signal }) => call(GetEventProof, { params: { eventId } }, signal),
  refetchInterval: ({ state }) => (state.data?.proof === null ? 3_000 : false),
});

export const activation = (requestId: string) => queryOptions({ queryKey: ['history', 'activation', requestId], queryFn: ({ signal }) => call(GetActivation, { params: { requestId } }, signal) });

/** How many there are, beside the list: its rows do not wait for it. */
export const eventCount = (filter: NonNullable<CallInput<typeof CountEvents>['query']>) => queryOptions({ queryKey: ['history', 'count', filter], queryFn: ({ signal }) => call(CountEvents, { query: filter }, signal), staleTime: 30_000 });

export const timeline = (query: CallInput<typeof GetTimeline>['query']) => queryOptions({ queryKey: ['history', 'timeline', query], queryFn: ({ signal }) => call(GetTimeline, { query }, signal) });

export const statistics = (query: NonNullable<CallInput<typeof GetEventStatistics>['query']>) => queryOptions({ queryKey: ['history', 'statistics', query], queryFn: ({ signal }) => call(GetEventStatistics, { query }, signal) });

export const insights = (query: NonNullable<CallInput<typeof ListInsights>['query']>) => queryOptions({ queryKey: ['history', 'insights', query], queryFn: ({ signal }) => call(ListInsights, { query }, signal) });

/** What the filters can offer. */
export const names = () => queryOptions({ queryKey: ['history', 'names'], queryFn: ({ signal }) => call(ListHistoryNames, {}, signal), staleTime: 60_000 });

/** One of the two lists of what does not fit together, newest first. */
export const exceptions = (list: ExceptionList) => infiniteQueryOptions({
  queryKey: ['history', 'exceptions', list],
  queryFn: ({ pageParam, signal }) => call(GetExceptions, { query: { list, ...(pageParam !== null && { cursor: pageParam }) } }, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page[list]?.nextCursor ?? null,
});
