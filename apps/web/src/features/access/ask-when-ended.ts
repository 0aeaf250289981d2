import { RequestActivation } from '@gatehouse/contracts';
import { useSyncExternalStore } from 'react';
import { z } from 'zod';

const KEY = 'gatehouse.ask-when-ended';
const Armed = z.array(z.object({ body: RequestActivation.body, title: z.string() }));
export type AskWhenEnded = z.infer<typeof Armed>[number];

const listeners = new Set<() => void>();
/** The text as last read and what it says: the same text gives the same array, so that nobody renders for nothing. */
let last: { readonly text: string | null; readonly armed: readonly AskWhenEnded[] } = { text: null, armed: [] };

function read(): readonly AskWhenEnded[] {
  const text = sessionStorage.getItem(KEY);
  if (text === last.text) return last.armed;
  let armed: readonly AskWhenEnded[] = [];
  try {
    armed = text === null ? [] : Armed.catch([]).parse(JSON.parse(text));
  } catch {
    // Somebody else's text: there is nothing to ask for.
  }
  last = { text, armed };
  return armed;
}

function write(armed: readonly AskWhenEnded[]): void {
  if (armed.length === 0) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify(armed));
  for (const listener of listeners) listener();
}

const of = (groupId: string) => ({ body }: AskWhenEnded): boolean => body.groupId === groupId;

/** Remembers, in this tab alone, to ask for an access again once it has ended. */
export function armAsking(wish: AskWhenEnded): void {
  write([...read().filter((one) => !of(wish.body.groupId)(one)), wish]);
}

/** Forgets it; true for the first who does, so that it is asked once. */
export function disarmAsking(groupId: string): boolean {
  const armed = read();
  if (!armed.some(of(groupId))) return false;
  write(armed.filter((one) => !of(groupId)(one)));
  return true;
}

/** What this tab is to ask for once it has ended. */
export function useArmed(): readonly AskWhenEnded[] {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => { listeners.delete(listener); };
  }, read);
}
