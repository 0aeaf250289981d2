import { useLayoutEffect } from 'react';

/**
 * Gives the focus back to what had it before a panel or dialog opened; to the page's title where that is gone, since a
 * row may have moved to another list meanwhile.
 */
export function useFocusBack(open: boolean): void {
  // A layout effect: it runs before the effect by which the dialog takes the focus.
  useLayoutEffect(() => {
    if (!open) return;
    const before = document.activeElement;
    return () => {
      // Only after the dialog is gone and no longer holds the focus.
      setTimeout(() => {
        if (document.activeElement !== null && document.activeElement !== document.body) return;
        const target = before instanceof HTMLElement && before.isConnected && before !== document.body ? before : document.querySelector<HTMLElement>('h1');
        target?.focus({ preventScroll: true });
      });
    };
  }, [open]);
}
