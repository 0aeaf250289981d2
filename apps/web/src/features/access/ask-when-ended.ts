import { RequestActivation } from '@gatehouse/contracts';
import { useMemo, useSyncExternalStore } from 'react';
import { z } from 'zod';
import { useSession } from '../../lib/session.ts';

/** In this tab alone, and apart for each person: nobody asks in the name of the one before. */
const keyOf = (personId: string | undefined): string => `gatehouse.ask-when-ended.${personId ?? ''}`;
const Armed = z.array(z.object({ body: RequestActivation.body, title: z.string() }));
export type AskWhenEnded = z.infer<typeof Armed>[number];

const listeners = new Set<() => void>();
/** The text as last read and what it says: the same text gives the same array, so that nobody renders for nothing. */
let last: { readonly text: string | null; readonly armed: readonly AskWhenEnded[] } = { text: null, armed: [] };

function read(key: string): readonly AskWhenEnded[] {
  const text = sessionStorage.getItem(key);
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

function write(key: string, armed: readonly AskWhenEnded[]): void {
  if (armed.length === 0) sessionStorage.removeItem(key);
  else sessionStorage.setItem(key, JSON.stringify(armed));
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => { listeners.delete(listener); };
}

const of = (groupId: string) => ({ body }: AskWhenEnded): boolean => body.groupId === groupId;

/** Remembers to ask for an access again once it has ended. */
export function armAsking(personId: string | undefined, wish: AskWhenEnded): void {
  const key = keyOf(personId);
  write(key, [...read(key).filter((one) => !of(wish.body.groupId)(one)), wish]);
}

/** Forgets it; true for the first who does, so that it is asked once. */
function disarmAsking(personId: string | undefined, groupId: string): boolean {
  const [key, isIt] = [keyOf(personId), of(groupId)];
  const armed = read(key);
  if (!armed.some(isIt)) return false;
  write(key, armed.filter((one) => !isIt(one)));
  return true;
}

/** What this tab is to ask for once it has ended. */
export function useAsking() {
  const personId = useSession().person?.id;
  const armed = useSyncExternalStore(subscribe, () => read(keyOf(personId)));
  return useMemo(() => ({
    armed,
    arm: (wish: AskWhenEnded): void => { armAsking(personId, wish); },
    disarm: (groupId: string): boolean => disarmAsking(personId, groupId),
  }), [armed, personId]);
}
