import type { SetupDefinition } from '@gatehouse/contracts';
import type { z } from 'zod';

/** A setup as the wizard holds it while it is being filled in. */
export type SetupDraft = z.input<typeof SetupDefinition>;

/** Where the wizard keeps what the person fills in: in this tab alone, apart for each person and setup. */
export const draftKeyOf = (personId: string | undefined, setupId: string | undefined): string => `gatehouse.setup.${personId ?? ''}.${setupId ?? 'new'}`;

/** What was kept, if it can be read. */
export function readDraft(key: string): SetupDraft | undefined {
  try {
    const kept = sessionStorage.getItem(key);
    return kept === null ? undefined : JSON.parse(kept) as SetupDraft;
  } catch {
    return undefined;
  }
}

export function keepDraft(key: string, draft: unknown): void {
  sessionStorage.setItem(key, JSON.stringify(draft));
}

const beganKeyOf = (key: string): string => `${key}.began-from`;

/** Which state of the setup the draft was begun from; it is kept with the draft, for a draft that is taken up again says nothing of what came since. */
export const draftBeganFrom = (key: string): string | undefined => sessionStorage.getItem(beganKeyOf(key)) ?? undefined;

export function keepDraftBeganFrom(key: string, updatedAt: string): void {
  sessionStorage.setItem(beganKeyOf(key), updatedAt);
}

export function forgetDraft(key: string): void {
  sessionStorage.removeItem(key);
  sessionStorage.removeItem(beganKeyOf(key));
}
