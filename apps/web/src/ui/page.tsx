import { makeStyles } from '@griffel/react';
import { tokens } from '@fluentui/react-theme';
import { Fragment, useEffect, useRef, type ReactNode } from 'react';

const useStyles = makeStyles({
  page: { maxWidth: '1280px', margin: '0 auto', padding: '24px 32px 64px', '@media (max-width: 640px)': { padding: '16px 16px 48px' } },
  head: { display: 'flex', alignItems: 'center', justifyContent: 'space-between', gap: '16px', flexWrap: 'wrap', marginBottom: '16px' },
  title: { margin: 0, fontSize: tokens.fontSizeBase600, lineHeight: tokens.lineHeightBase600, fontWeight: tokens.fontWeightSemibold, overflowWrap: 'anywhere', minWidth: 0, ':focus': { outline: 'none' } },
  lead: { margin: '0 0 16px', color: tokens.colorNeutralForeground2, maxWidth: '72ch' },
  toolbar: { display: 'flex', alignItems: 'center', flexWrap: 'wrap', gap: '8px', margin: '0 0 16px' },
  section: { marginTop: '24px' },
  heading: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, fontWeight: tokens.fontWeightSemibold },
  sectionHead: { display: 'flex', marginBottom: '8px', minHeight: '32px', alignItems: 'center', justifyContent: 'space-between', gap: '16px', flexWrap: 'wrap' },
});

/** A page: its title names the object, its one primary action stands top right. The title takes the focus when the page opens. */
export function Page({ title, documentTitle, action, lead, toolbar, children }: { title: string; documentTitle?: string; action?: ReactNode; lead?: ReactNode; toolbar?: ReactNode; children: ReactNode }) {
  const styles = useStyles();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // A panel that opened together with the page keeps the focus: taken from it, it would be hidden from who reads by it.
    if (!document.activeElement?.closest('[role="dialog"]')) heading.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => { document.title = `${documentTitle ?? title} · Gatehouse`; }, [documentTitle, title]);
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1 ref={heading} tabIndex={-1} className={styles.title}>{breakable(title)}</h1>
        {action}
      </div>
      {lead !== undefined && <p className={styles.lead}>{lead}</p>}
      {toolbar !== undefined && <div className={styles.toolbar}>{toolbar}</div>}
      {children}
    </div>
  );
}

/** A host in a title goes on in the next line after a dot, and within a word only where that is too long, too. */
function breakable(title: string): ReactNode {
  return title.split(/(?<=\.)(?=\S)/).map((part, index) => <Fragment key={index}>{index > 0 && <wbr />}{part}</Fragment>);
}

export function Section({ title, action, children }: { title: string; action?: ReactNode; children: ReactNode }) {
  const styles = useStyles();
  return (
    <section className={styles.section} aria-label={title}>
      <div className={styles.sectionHead}>
        <h2 className={styles.heading}>{title}</h2>
        {action}
      </div>
      {children}
    </section>
  );
}
