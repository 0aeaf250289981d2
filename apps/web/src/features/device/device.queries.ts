import { DecideDeviceSignIn, GetDeviceSignIn, type CallInput } from '@gatehouse/contracts';
import { queryOptions, useMutation } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';

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
