import { createContext, useContext, useState, type ReactNode } from 'react';

type RowDialog = (close: () => void) => ReactNode;

const ShowDialog = createContext<(dialog: RowDialog) => void>(() => { throw new Error('a row that opens dialogs stands within RowDialogs'); });

/** Opens the dialog of a row. */
export const useRowDialog = (): ((dialog: RowDialog) => void) => useContext(ShowDialog);

/** Where the dialogs of rows stand: a row goes to another list while its dialog is open, and would take it and what is typed along. */
export function RowDialogs({ children }: { children: ReactNode }) {
  const [dialog, setDialog] = useState<RowDialog>();
  const [show] = useState(() => (next: RowDialog): void => { setDialog(() => next); });
  return (
    <ShowDialog value={show}>
      {children}
      {dialog?.(() => { setDialog(undefined); })}
    </ShowDialog>
  );
}
