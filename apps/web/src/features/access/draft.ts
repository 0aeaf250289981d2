import { RequestActivation, RequestActivations } from '@gatehouse/contracts';
import { useEffect, useState } from 'react';
import { z } from 'zod';
import type { ManyWishes, Wish } from './access.queries.ts';

const KEY = 'gatehouse.activation';
const Draft = z.object({ body: RequestActivation.body.partial().required({ groupId: true }), send: z.boolean() });

/** Keeps what was typed while the browser goes to Microsoft Entra and back; `send`: the person asked for it to go out afterwards. */
export function keepDraft(body: Partial<Wish> & { groupId: string }, send: boolean): void {
  sessionStorage.setItem(KEY, JSON.stringify({ body, send }));
}

/** The draft of this group, where there is one. */
function readDraft(groupId: string): z.infer<typeof Draft> | undefined {
  const text = sessionStorage.getItem(KEY);
  if (text === null) return undefined;
  try {
    const draft = Draft.safeParse(JSON.parse(text)).data;
    return draft?.body.groupId === groupId ? draft : undefined;
  } catch {
    return undefined;
  }
}

/** The draft of this group, once: whoever shows it, has it. */
export function useDraft(groupId: string): z.infer<typeof Draft> | undefined {
  const [draft] = useState(() => readDraft(groupId));
  // Not while rendering, for what is rendered may be thrown away and rendered anew.
  useEffect(() => { if (readDraft(groupId)) sessionStorage.removeItem(KEY); }, [groupId]);
  return draft;
}

const MANY_KEY = 'gatehouse.activations';

/** Keeps what is to be activated together while the browser goes to Microsoft Entra and back; it goes out afterwards. */
export function keepMany(body: ManyWishes): void {
  sessionStorage.setItem(MANY_KEY, JSON.stringify(body));
}

/** What was kept, once. */
export function takeMany(): ManyWishes | undefined {
  const text = sessionStorage.getItem(MANY_KEY);
  sessionStorage.removeItem(MANY_KEY);
  if (text === null) return undefined;
  try {
    return RequestActivations.body.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
