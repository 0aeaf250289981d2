import { GetRequestReadiness, type AccessRequest } from '@gatehouse/contracts';
import { queryOptions } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { accessKeys } from './access.queries.ts';
import { isReady } from './stages.ts';

/** How often the traffic logs are looked at, which come late anyway. */
const CONNECTION_LOOK_MS = 10_000;

/** What stands beside a request; read anew when the request moves on, and while a first connection is waited for. */
export function requestReadiness(request: AccessRequest) {
  const { id, state } = request;
  return queryOptions({
    queryKey: [...accessKeys.all, 'request', id, 'readiness', state, isReady(request)],
    queryFn: ({ signal }) => call(GetRequestReadiness, { params: { requestId: id } }, signal),
    // What was known of the request stays; of another request it says nothing.
    placeholderData: (previous, query) => (query?.queryKey[2] === id ? previous : undefined),
    staleTime: 5 * 60_000,
    refetchInterval: ({ state: { data } }) => (isReady(request) && data?.connection?.firstAllowedAt === null ? CONNECTION_LOOK_MS : false),
  });
}
