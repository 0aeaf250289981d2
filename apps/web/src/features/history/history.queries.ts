import { CountEvents, GetActivation, GetEvent, GetEventProof, GetEventStatistics, GetExceptions, GetTimeline, ListHistoryNames, ListInsights, SearchActivations, SearchEvents, type CallInput, type Coverage, type ExceptionList, type HistoryActivation, type HistoryEvent } from '@gatehouse/contracts';
import { infiniteQueryOptions, queryOptions, type QueryKey } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';

export type EventQuery = NonNullable<CallInput<typeof SearchEvents>['query']>;
export type ActivationQuery = NonNullable<CallInput<typeof SearchActivations>['query']>;

export type Order = 'newest' | 'oldest';

/** A page of a list of the history. */
export interface ListPage<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
  readonly coverage: Coverage;
  /** Orders the readings of one page of the browser, whatever is done to its clock. */
  readonly readAt: number;
}

/** A list of the history in the order of time: how it is read, and what its rows are known by. */
export interface ListSource<Row> {
  readonly queryKey: QueryKey;
  readonly order: Order;
  read(cursor: string | null, signal: AbortSignal): Promise<ListPage<Row>>;
  keyOf(row: Row): string;
  timeOf(row: Row): string;
}

export const events = (filter: EventQuery, order: Order): ListSource<HistoryEvent> => ({
  queryKey: ['history', 'events', filter, order], order,
  read: (cursor, signal) => call(SearchEvents, { query: { ...filter, ...pageAt(cursor, order) } }, signal).then(({ events: rows, ...page }) => ({ ...page, rows, readAt: performance.now() })),
  keyOf: ({ id, revision }) => `${id} ${revision}`,
  timeOf: ({ at }) => at,
});

export const activations = (filter: ActivationQuery, order: Order): ListSource<HistoryActivation> => ({
  queryKey: ['history', 'activations', filter, order], order,
  read: (cursor, signal) => call(SearchActivations, { query: { ...filter, ...pageAt(cursor, order) } }, signal).then(({ activations: rows, ...page }) => ({ ...page, rows, readAt: performance.now() })),
  keyOf: ({ requestId }) => requestId,
  timeOf: ({ requestedAt }) => requestedAt,
});

const pageAt = (cursor: string | null, order: Order) => ({ ...(order === 'oldest' && { order }), ...(cursor !== null && { cursor }) });

/** What is new is there within a minute of the mirror: looked for as often, it is hardly later on the page. */
const LOOK_MS = 30_000;
/** What was read a moment ago is not asked for again. */
const FRESH_MS = 5_000;

const isEmpty = (pages: readonly ListPage<unknown>[] | undefined): boolean => pages?.every(({ rows }) => rows.length === 0) ?? true;

/** The pages that were read of a list. They are not read again by themselves, for that would move rows under their reader: `newestPage` tells what came since. */
export const pagesOf = <Row>(list: ListSource<Row>) => infiniteQueryOptions({
  queryKey: [...list.queryKey, 'pages'],
  queryFn: async ({ pageParam, signal, client }) => {
    const page = await list.read(pageParam, signal);
    // Nothing is newer than it for now.
    if (pageParam === null) client.setQueryData(newestPage(list).queryKey, page);
    return page;
  },
  initialPageParam: null as string | null,
  getNextPageParam: ({ nextCursor }) => nextCursor,
  // What comes in moves nothing where there is nothing, or at the end.
  staleTime: ({ state: { data } }) => (isEmpty(data?.pages) || (list.order === 'oldest' && data?.pages.length === 1) ? FRESH_MS : Infinity),
  refetchInterval: ({ state: { data } }) => (data && isEmpty(data.pages) ? LOOK_MS : false),
});

/** The first page of a list as it is now, looked at again and again beside what is shown. */
export const newestPage = <Row>(list: ListSource<Row>) => queryOptions({
  queryKey: [...list.queryKey, 'newest'], queryFn: ({ signal }) => list.read(null, signal), staleTime: FRESH_MS, retry: false, refetchInterval: LOOK_MS,
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
