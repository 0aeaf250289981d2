import { AdvanceDemoClock, GetSession, permits, SignOut, type Permission, type Session } from '@gatehouse/contracts';
import { queryOptions, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { call } from './api.ts';
import { useMutation } from './mutation.ts';

/** Difference between the server's clock and the browser's, in milliseconds: no countdown trusts the browser. */
let aheadMs = 0;

const SESSION = ['session'] as const;

export function session() {
  return queryOptions({
    queryKey: SESSION,
    queryFn: async ({ signal, client }) => {
      const answer = await call(GetSession, {}, signal);
      aheadMs = Date.parse(answer.now) - Date.now();
      // Another tab signed somebody else in: what was read for the one before goes, before the page says who is there now.
      const before = client.getQueryData<Session>(SESSION);
      if (before && before.person?.id !== answer.person?.id) client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION[0] });
      return answer;
    },
    staleTime: 60_000,
    refetchInterval: 60_000,
    // However fresh it seems: by what clock, while nobody looked?
    refetchOnWindowFocus: 'always',
  });
}

/** Who is signed in, to which tenant. */
export function useSession(): Session {
  return useSuspenseQuery(session()).data;
}

/** Whether the signed-in person has the permission; decided by the same function as on the server. */
export function usePermits(permission: Permission): boolean {
  const { person } = useSession();
  return person !== null && permits(permission, person.roles);
}

/** The server's time now. */
export const serverNow = (): Date => new Date(Date.now() + aheadMs);

const listeners = new Set<() => void>();
let timer: number | undefined;
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    tick();
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      window.clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The second that is shown. React reads it twice in a row and wants the same: it moves with the timer, not with each reading. */
let second = 0;
const tick = (): void => { second = Math.floor(serverNow().getTime() / 1000) * 1000; };
function shownSecond(): number {
  // Nobody looked for a while, or the clock was moved.
  if (Math.abs(serverNow().getTime() - second) > 2_000) tick();
  return second;
}

/** The server's time, to the second, ticking. */
export function useNow(): Date {
  return new Date(useSyncExternalStore(subscribe, shownSecond));
}

/** A second that took this much more or less was none: the computer slept, or its clock was set. */
const JUMP_MS = 5_000;

/** Reads the server's time anew when the browser's clock jumps in front of somebody; behind nobody, when they are back. */
export function useClockWatch(): void {
  const client = useQueryClient();
  useEffect(() => {
    let last = Date.now();
    return subscribe(() => {
      const took = Date.now() - last;
      last = Date.now();
      if (Math.abs(took - 1000) > JUMP_MS && document.visibilityState === 'visible') void client.invalidateQueries({ queryKey: ['session'] });
    });
  }, [client]);
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => call(SignOut, { body: {} }),
    onSuccess: ({ signOutUrl }) => { window.location.assign(signOutUrl); },
  });
}

export function useAdvanceClock() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (minutes: number) => call(AdvanceDemoClock, { body: { minutes } }),
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: ['session'] });
      await client.invalidateQueries();
    },
  });
}

/** Where to sign in, and come back to this page. */
export const signInAddress = (returnTo: string, account?: string): string => `/auth/sign-in?${new URLSearchParams({ returnTo, ...(account !== undefined && { account }) })}`;

/** Where somebody verifies that it is them, and comes back to this page. */
export function verifyAddress(signInUrl: string, returnTo = `${window.location.pathname}${window.location.search}`): string {
  return `${signInUrl}${signInUrl.includes('?') ? '&' : '?'}returnTo=${encodeURIComponent(returnTo)}`;
}
