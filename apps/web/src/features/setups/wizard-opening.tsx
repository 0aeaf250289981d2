import { useState, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { useSession } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { draftKeyOf, keepDraft, readDraft, type SetupDraft } from './draft.ts';

/** What the wizard is told of where its draft comes from, by the entry in the history that opened it. */
interface Opening { readonly lead: string }

/** Where the draft comes from, in a sentence; `undefined` where nobody opened the wizard with one. */
export function leadOf(state: unknown): string | undefined {
  return typeof state === 'object' && state !== null && 'lead' in state && typeof state.lead === 'string' ? state.lead : undefined;
}

/**
 * Opens the wizard filled in, with a sentence on where that comes from. What it holds already is not replaced unasked: the
 * dialog asks. `what`: what takes its place, such as "Opening the file".
 */
export function useWizardOpening(what: string): { openWizard(draft: SetupDraft, lead: string): void; dialog: ReactNode } {
  const navigate = useNavigate();
  const { person } = useSession();
  const key = draftKeyOf(person?.id, undefined);
  const [waiting, setWaiting] = useState<{ draft: SetupDraft; lead: string }>();
  const fill = ({ draft, lead }: { draft: SetupDraft; lead: string }): void => {
    keepDraft(key, draft);
    void navigate('/setups/new', { state: { lead } satisfies Opening });
  };
  return {
    openWizard: (draft, lead) => {
      if (readDraft(key) === undefined) fill({ draft, lead });
      else setWaiting({ draft, lead });
    },
    dialog: (
      <ConfirmDialog title="Replace what you filled in?" confirm="Replace it" open={waiting !== undefined} onClose={() => { setWaiting(undefined); }} onConfirm={() => { if (waiting) fill(waiting); }}>
        The wizard holds a setup that you have not applied. {what} takes its place, and it cannot be brought back.
      </ConfirmDialog>
    ),
  };
}
