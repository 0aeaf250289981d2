import { FluentProvider } from '@fluentui/react-provider';
import { useFocusFinders } from '@fluentui/react-tabster';
import type { Theme } from '@fluentui/react-theme';
import type { ReactNode } from 'react';

/** Everything that is drawn with Fluent stands in this. */
export function Fluent({ theme, children }: { theme: Theme; children: ReactNode }) {
  return <FluentProvider theme={theme}><FocusManager />{children}</FluentProvider>;
}

/**
 * Keeps Fluent's manager of the focus for as long as the page lives. It goes with the last component that uses it, and if
 * that is a dialog, what the dialog hid from screen readers stays hidden for good.
 */
function FocusManager() {
  useFocusFinders();
  return null;
}
