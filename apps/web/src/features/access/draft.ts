import { RequestActivation } from '@gatehouse/contracts';
import { z } from 'zod';
import type { Wish } from './access.queries.ts';

const KEY = 'gatehouse.activation';
const Draft = z.object({ body: RequestActivation.body.partial().required({ groupId: true }), send: z.boolean() });

/** Keeps what was typed while the browser goes to Microsoft Entra and back; `send`: the person asked for it to go out afterwards. */
export function keepDraft(body: Partial<Wish> & { groupId: string }, send: boolean): void {
  sessionStorage.setItem(KEY, JSON.stringify({ body, send }));
}

/** The draft of this group, once: whoever takes it, has it. */
export function takeDraft(groupId: string): z.infer<typeof Draft> | undefined {
  const text = sessionStorage.getItem(KEY);
  if (text === null) return undefined;
  try {
    const draft = Draft.safeParse(JSON.parse(text));
    if (draft.success && draft.data.body.groupId !== groupId) return undefined;
    sessionStorage.removeItem(KEY);
    return draft.data;
  } catch {
    sessionStorage.removeItem(KEY);
    return undefined;
  }
}
