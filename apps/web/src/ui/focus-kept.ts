import { useEffect, useRef } from 'react';

/** Gives the focus to the page's title where a change of `state` took away the control that had it, such as the button that began a run. */
export function useFocusKept(state: unknown): void {
  const before = useRef(state);
  useEffect(() => {
    if (before.current === state) return;
    before.current = state;
    if (document.activeElement === null || document.activeElement === document.body) document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }, [state]);
}
