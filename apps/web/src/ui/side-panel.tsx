import { Button } from '@fluentui/react-button';
import { DrawerBody, DrawerFooter, DrawerHeader, DrawerHeaderTitle, OverlayDrawer } from '@fluentui/react-drawer';
import { DismissRegular } from '@fluentui/react-icons';
import { makeStyles } from '@griffel/react';
import { useEffect, useRef, type ReactNode } from 'react';
import { useFocusBack } from './focus-back.ts';

const useStyles = makeStyles({
  panel: { width: 'min(480px, 100vw)' },
  footer: { justifyContent: 'flex-end', flexWrap: 'wrap', rowGap: '8px' },
});

/**
 * A panel beside the list: what was opened stays in sight behind it. Escape closes it. The focus goes to the element
 * inside it that has `data-first-focus`, else to its first control.
 */
export function SidePanel({ title, open, onClose, footer, children }: { title: string; open: boolean; onClose(): void; footer?: ReactNode; children: ReactNode }) {
  const styles = useStyles();
  useFocusBack(open);
  const body = useRef<HTMLDivElement>(null);
  // After the drawer's own effect, which gives the focus to the button that closes it.
  useEffect(() => {
    const first = open ? body.current?.querySelector<HTMLElement>('[data-first-focus]') : undefined;
    first?.focus();
    if (first instanceof HTMLInputElement) first.select();
  }, [open]);
  return (
    <OverlayDrawer open={open} position="end" className={styles.panel} onOpenChange={(_event, data) => { if (!data.open) onClose(); }}>
      <DrawerHeader>
        <DrawerHeaderTitle heading={{ as: 'h2' }} action={<Button appearance="subtle" aria-label="Close" icon={<DismissRegular />} onClick={onClose} />}>{title}</DrawerHeaderTitle>
      </DrawerHeader>
      <DrawerBody ref={body} tabIndex={0}>{children}</DrawerBody>
      {footer !== undefined && <DrawerFooter className={styles.footer}>{footer}</DrawerFooter>}
    </OverlayDrawer>
  );
}
