import { useState, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { useSession } from '../../lib/session.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { draftKeyOf, keepDraft, readDraft, type SetupDraft } from './draft.ts';

/** Opens the wizard filled in. What it holds already is not replaced unasked: the dialog asks. `what`: what takes its place, such as "Opening the file". */
export function useWizardOpening(what: string): { openWizard(draft: SetupDraft): void; dialog: ReactNode } {
  const navigate = useNavigate();
  const { person } = useSession();
  const key = draftKeyOf(person?.id, undefined);
  const [waiting, setWaiting] = useState<SetupDraft>();
  const fill = (draft: SetupDraft): void => {
    keepDraft(key, draft);
    void navigate('/setups/new');
  };
  return {
    openWizard: (draft) => {
      if (readDraft(key) === undefined) fill(draft);
      else setWaiting(draft);
    },
    dialog: (
      <ConfirmDialog title="Replace what you filled in?" confirm="Replace it" open={waiting !== undefined} onClose={() => { setWaiting(undefined); }} onConfirm={() => { if (waiting) fill(waiting); }}>
        The wizard holds a setup that you have not applied. {what} takes its place, and it cannot be brought back.
      </ConfirmDialog>
    ),
  };
}
