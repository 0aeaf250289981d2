import { DiagnoseMyPath, DiagnosePath, type Transport } from '@gatehouse/contracts';
import { queryOptions } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';

/** What is asked: a destination as it was typed, and whose path; `undefined`: one's own. */
export interface Asked {
  readonly to: string;
  readonly protocol: Transport;
  readonly person: string | undefined;
}

/** Asked once, and again only by hand: looking at somebody else's path is recorded each time. */
export const diagnosis = ({ to, protocol, person }: Asked) => queryOptions({
  queryKey: ['doctor', to, protocol, person ?? null],
  queryFn: ({ signal }) => (person === undefined ? call(DiagnoseMyPath, { query: { to, protocol } }, signal) : call(DiagnosePath, { params: { person }, query: { to, protocol } }, signal)),
  staleTime: Infinity, gcTime: 0, retry: false, refetchOnWindowFocus: false, refetchOnReconnect: false,
});
