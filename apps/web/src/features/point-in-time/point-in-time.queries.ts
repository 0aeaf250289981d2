import { AskPointInTime, ListPointInTimeTargets } from '@gatehouse/contracts';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';

/** The whole question, as the address has it. */
export interface Question {
  /** `application:ID`, `group:ID` or a destination. */
  readonly to: string;
  readonly at: string;
  /** `today` or an instant. */
  readonly known: string;
}

/** Asked once, and again only by hand: each reading is recorded. */
export const pointInTime = ({ to, at, known }: Question) => infiniteQueryOptions({
  queryKey: ['point-in-time', to, at, known],
  queryFn: ({ pageParam, signal }) => call(AskPointInTime, { query: { to, at, known, ...(pageParam !== null && { cursor: pageParam }) } }, signal),
  initialPageParam: null as string | null,
  getNextPageParam: ({ nextCursor }) => nextCursor,
  staleTime: Infinity, gcTime: 0, retry: false, refetchOnWindowFocus: false, refetchOnReconnect: false,
});

/** What can be asked about by name. */
export const targets = () => queryOptions({ queryKey: ['point-in-time-targets'], queryFn: ({ signal }) => call(ListPointInTimeTargets, {}, signal), staleTime: 60_000 });
