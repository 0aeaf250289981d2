import { useEffect, useMemo, useState } from 'react';
import type { z } from 'zod';
import { endsPage, isProblem } from './api.ts';
import { useSession } from './session.ts';

/**
 * What somebody typed, kept while the browser goes to Microsoft Entra and back: in this tab alone, and apart for each
 * person, for the next one at this browser is to see nothing of it.
 */
export function draftsOf(personId: string | undefined) {
  const keyOf = (name: string): string => `gatehouse.draft.${personId ?? ''}.${name}`;
  return {
    keep(name: string, draft: unknown): void { sessionStorage.setItem(keyOf(name), JSON.stringify(draft)); },
    /** What was kept, where it can be read. */
    read<Draft>(name: string, shape: z.ZodType<Draft>): Draft | undefined {
      try {
        return shape.safeParse(JSON.parse(sessionStorage.getItem(keyOf(name)) ?? 'null')).data;
      } catch {
        return undefined;
      }
    },
    forget(name: string): void { sessionStorage.removeItem(keyOf(name)); },
  };
}

export function useDrafts(): ReturnType<typeof draftsOf> {
  const { person } = useSession();
  return useMemo(() => draftsOf(person?.id), [person?.id]);
}

/** The draft of this name, once: whoever shows it, has it. */
export function useDraft<Draft>(name: string, shape: z.ZodType<Draft>): Draft | undefined {
  const drafts = useDrafts();
  const [draft] = useState(() => drafts.read(name, shape));
  // Not while rendering, for what is rendered may be thrown away and rendered anew.
  useEffect(() => { drafts.forget(name); }, [drafts, name]);
  return draft;
}

/** Whether the page is left, and what was typed with it: it ends, or the person goes to verify. */
export const leadsAway = (error: unknown): boolean => endsPage(error) || isProblem(error, 'step-up-required');
