import { type AccessRequest, type AccessTarget, type CallInput, CancelAccessRequest, CheckActivation, DeactivateAccess, EndOwnResidualAccess, FindAccess, GetAccessRequest, ListMyAccess, ListOwnResidualAccess, type MyAccess, RemoveAccessSet, RequestActivation, RequestActivations, type RequestState, SaveAccessSet, SetFavourite } from '@gatehouse/contracts';
import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { useMutation } from '../../lib/mutation.ts';
import { serverNow } from '../../lib/session.ts';

export const accessKeys = { all: ['access'] as const };

const MOVING: ReadonlySet<RequestState> = new Set(['asked', 'provisioning']);
const DECIDED: ReadonlySet<RequestState> = new Set(['ended', 'denied', 'cancelled', 'lapsed', 'failed']);

/** Whether nothing more is to be expected of the request: the directory shows the membership, or it came to an end. */
export function isAtRest({ state, memberAt }: AccessRequest): boolean {
  return DECIDED.has(state) || (state === 'active' && memberAt !== null);
}

export function myAccess() {
  return queryOptions({
    queryKey: [...accessKeys.all, 'mine'],
    queryFn: ({ signal }) => call(ListMyAccess, {}, signal),
    // The portal answers from its own tables. Access begins and ends, and approvals come, without anyone clicking.
    refetchInterval: ({ state: { data } }) => (data ? untilNews(data) : 30_000),
  });
}

/** How long after its beginning a membership is expected to show in the directory any moment. */
const NEW_MS = 10 * 60_000;

/** Milliseconds until it is worth looking again: soon where something moves, at the next end that is known, else half a minute. */
function untilNews({ entries }: MyAccess): number {
  // Also where a membership has just ended and the directory lags behind: it then looks assigned to somebody who is eligible.
  const now = serverNow().getTime();
  const isNew = (since: string | null): boolean => since !== null && now - Date.parse(since) < NEW_MS;
  if (entries.some(({ request, active, ended, eligibility, unfinished }) => unfinished || (request && MOVING.has(request.state)) || (active && (ended || (active.permanent && eligibility) || (active.memberAt === null && isNew(active.since)))))) return 5_000;
  const ends = entries.flatMap(({ active, request, ended }) => [active?.endsAt, request?.state === 'scheduled' ? request.startsAt : null, ended?.networkMayStayOpenUntil])
    .flatMap((iso) => (iso ? [Date.parse(iso) - now + 500] : []));
  return Math.min(30_000, ...ends.map((ms) => Math.max(3_000, ms)));
}

/** Has the portal read Microsoft Entra anew. */
export function useReadAnew() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call(ListMyAccess, { query: { fresh: 'yes' } }),
    onSuccess: async (mine) => {
      await client.cancelQueries({ queryKey: myAccess().queryKey });
      client.setQueryData(myAccess().queryKey, mine);
      await client.invalidateQueries({ queryKey: [...accessKeys.all, 'eligibility'] });
    },
  });
}

/** One request, followed closely until it rests; while others have to act, less closely. */
export function accessRequest(requestId: string, asked?: AccessRequest) {
  return queryOptions({
    queryKey: [...accessKeys.all, 'request', requestId],
    queryFn: ({ signal }) => call(GetAccessRequest, { params: { requestId } }, signal),
    ...(asked && { placeholderData: asked }),
    refetchInterval: ({ state: { data } }) => {
      if (!data) return 1_500;
      if (isAtRest(data)) return false;
      return data.state === 'awaiting-approval' || data.state === 'scheduled' ? 5_000 : 1_500;
    },
  });
}

/** What a link names. */
export type Target = { readonly to: string } | { readonly application: string };

/** Looked up anew each time that the link is followed; while its page is read, where what it says is about to change. */
export function accessTarget(target: Target) {
  return queryOptions({ queryKey: [...accessKeys.all, 'target', target], queryFn: ({ signal }) => call(FindAccess, { query: target }, signal), gcTime: 0, refetchInterval: ({ state: { data } }) => (data ? untilTargetMoves(data) : false) });
}

function untilTargetMoves({ outcome, groupIds, access }: AccessTarget): number | false {
  if (outcome === 'waiting') return 5_000;
  if (outcome !== 'open') return false;
  const now = serverNow().getTime();
  const moves = access.entries.some(({ groupId, active }) => groupIds.includes(groupId) && active && (active.memberAt === null || (active.endsAt !== null && Date.parse(active.endsAt) <= now)));
  return moves ? 5_000 : 30_000;
}

export type Wish = CallInput<typeof RequestActivation>['body'];

// Settled, not only succeeded: after a refusal or no answer the list may have changed too.
function useRefresh() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: accessKeys.all, predicate: ({ queryKey }) => queryKey[1] !== 'request' });
}

export function useActivate() {
  const refresh = useRefresh();
  return useMutation({ mutationFn: (body: Wish) => call(RequestActivation, { body }), onSettled: () => void refresh() });
}

export type ManyWishes = CallInput<typeof RequestActivations>['body'];

export function useActivateMany() {
  const refresh = useRefresh();
  return useMutation({ mutationFn: (body: ManyWishes) => call(RequestActivations, { body }), onSettled: () => void refresh() });
}

/** Whether Microsoft Entra would grant it; nothing is asked for. */
export function useCheck() {
  return useMutation({ mutationFn: (body: Wish) => call(CheckActivation, { body }) });
}

export function useSaveSet() {
  const refresh = useRefresh();
  return useMutation({ mutationFn: (body: CallInput<typeof SaveAccessSet>['body']) => call(SaveAccessSet, { body }), onSettled: () => refresh() });
}

export function useRemoveSet() {
  const refresh = useRefresh();
  return useMutation({ mutationFn: (setId: string) => call(RemoveAccessSet, { params: { setId }, body: {} }), onSettled: () => refresh() });
}

export function useCancel() {
  const refresh = useRefresh();
  return useMutation({ mutationFn: (requestId: string) => call(CancelAccessRequest, { params: { requestId }, body: {} }), onSettled: () => refresh() });
}

export function useDeactivate() {
  const refresh = useRefresh();
  return useMutation({ mutationFn: (groupId: string) => call(DeactivateAccess, { body: { groupId } }), onSettled: () => void refresh() });
}

/** Where the network may still be open after a membership, and whether it was closed. */
export function residualAccess() {
  return queryOptions({ queryKey: [...accessKeys.all, 'residual'], queryFn: ({ signal }) => call(ListOwnResidualAccess, {}, signal), refetchInterval: 30_000 });
}

export function useEndResidual() {
  const client = useQueryClient();
  return useMutation({ mutationFn: (groupId: string) => call(EndOwnResidualAccess, { body: { groupId } }), onSettled: () => client.invalidateQueries({ queryKey: [...accessKeys.all, 'residual'] }) });
}

/** The star moves at once; what the server says then stands. */
export function useFavourite() {
  const client = useQueryClient();
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (body: { groupId: string; favourite: boolean }) => call(SetFavourite, { body }),
    onMutate: async ({ groupId, favourite }) => {
      await client.cancelQueries({ queryKey: myAccess().queryKey });
      client.setQueryData(myAccess().queryKey, (mine) => mine && { ...mine, entries: mine.entries.map((entry) => (entry.groupId === groupId ? { ...entry, favourite } : entry)) });
    },
    // A list that was on its way when the star was set knows nothing of it.
    onSettled: () => void refresh(),
  });
}
