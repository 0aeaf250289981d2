import { Button } from '@fluentui/react-button';
import { Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from '@fluentui/react-dialog';
import type { ReactNode } from 'react';
import { useFocusBack } from './focus-back.ts';

/**
 * Asks before what cannot be undone, and says what that is. `busy`: it was confirmed and is under way. Nothing could take
 * it back any more, so the dialog stays until there is an outcome to read. `ready`: there is something to confirm.
 */
export function ConfirmDialog({ title, confirm, open, busy = false, ready = true, onConfirm, onClose, children }: { title: string; confirm: string; open: boolean; busy?: boolean; ready?: boolean; onConfirm(): void; onClose(): void; children: ReactNode }) {
  useFocusBack(open);
  // A dialog that waits closed would already put its guards of the focus into the page.
  if (!open) return null;
  return (
    <Dialog open={open} onOpenChange={(_event, data) => { if (!data.open && !busy) onClose(); }}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{title}</DialogTitle>
          <DialogContent>{children}</DialogContent>
          <DialogActions fluid>
            <Button disabledFocusable={busy} onClick={onClose}>Cancel</Button>
            <Button appearance="primary" disabled={busy || !ready} onClick={onConfirm}>{confirm}</Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
