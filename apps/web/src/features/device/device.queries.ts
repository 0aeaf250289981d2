import { DecideDeviceSignIn, EndOtherSessions, EndSession, GetDeviceSignIn, ListSessions, type CallInput, type OwnSession } from '@gatehouse/contracts';
import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { useMutation } from '../../lib/mutation.ts';

export function deviceSignIn(userCode: string) {
  return queryOptions({
    queryKey: ['device', userCode],
    queryFn: ({ signal }) => call(GetDeviceSignIn, { params: { userCode } }, signal),
    // What is compared stands still: asking again tells nothing new, and each wrong code is a try.
    staleTime: Infinity,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
  });
}

export type DeviceDecision = CallInput<typeof DecideDeviceSignIn>['body']['decision'];

/** `personId`: in whose name the page shows it. */
export function useDecideDevice(userCode: string, personId: string) {
  return useMutation({ mutationFn: (decision: DeviceDecision) => call(DecideDeviceSignIn, { params: { userCode }, body: { decision, personId } }) });
}

export function ownSessions() {
  return queryOptions({ queryKey: ['sessions'], queryFn: ({ signal }) => call(ListSessions, {}, signal), refetchInterval: 30_000 });
}

/** Ends one of one's own sessions, or, without one, all others. The list is read again whatever became of it. */
export function useEndSessions() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (one: OwnSession | undefined) => (one === undefined ? call(EndOtherSessions, { body: {} }) : call(EndSession, { params: { sessionId: one.id }, body: {} })),
    onSettled: () => client.invalidateQueries({ queryKey: ownSessions().queryKey }),
  });
}
