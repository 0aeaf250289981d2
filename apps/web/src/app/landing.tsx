import { Button } from '@fluentui/react-button';
import { Link } from '@fluentui/react-link';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useLocation } from 'react-router';
import { signInAddress, useSession } from '../lib/session.ts';
import { Page } from '../ui/page.tsx';

const CAST = [
  ['Maya Lindqvist', 'maya.lindqvist', 'setup admin', 'secures an application with the wizard'],
  ['Ana Costa', 'ana.costa', 'analyst', 'activates what she is eligible for, and ends it'],
  ['Ben Novak', 'ben.novak', 'analyst', 'the same, with other applications'],
  ['Omar Haddad', 'omar.haddad', 'approver', 'approves or denies what others ask for'],
  ['Ines Moreau', 'ines.moreau', 'auditor', 'sees and exports the history'],
] as const;

const useStyles = makeStyles({
  card: { maxWidth: '720px', padding: '24px', border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusLarge, backgroundColor: tokens.colorNeutralBackground1 },
  list: { display: 'grid', gridTemplateColumns: 'auto auto 1fr', gap: '6px 16px', margin: '16px 0 0', '@media (max-width: 560px)': { gridTemplateColumns: '1fr' } },
  name: { margin: 0, '@media (max-width: 560px)': { marginTop: '8px' }, fontWeight: tokens.fontWeightSemibold },
  text: { margin: 0, color: tokens.colorNeutralForeground2 },
  lead: { marginTop: 0 },
  demo: { marginTop: '24px', paddingTop: '16px', borderTop: `1px solid ${tokens.colorNeutralStroke3}` },
  demoTitle: { margin: 0, fontSize: tokens.fontSizeBase400 },
});

/** What somebody sees who is not signed in; signing in leads back to the address that they opened. */
export function Landing() {
  const styles = useStyles();
  const { demo, tenant } = useSession();
  const { pathname, search } = useLocation();
  const returnTo = `${pathname}${search}`;
  return (
    <Page title="Access to private applications, when it counts" documentTitle="Sign in">
      <div className={styles.card}>
        <p className={styles.lead}>Activate your access for as long as you need it, end it when you are done, and see what stays open.</p>
        <Button as="a" appearance="primary" size="large" href={signInAddress(returnTo)}>Sign in with Microsoft Entra</Button>
        {demo && (
          <section className={styles.demo} aria-label="Demo accounts">
            <h2 className={styles.demoTitle}>Demo tenant {tenant.displayName}: sign in as one of five, without a password</h2>
            <div className={styles.list}>
              {CAST.map(([name, account, role, does]) => [
                <p key={name} className={styles.name}><Link href={signInAddress(returnTo, `${account}@contoso.example`)}>{name}</Link></p>,
                <p key={`${name} role`} className={styles.text}>{role}</p>,
                <p key={`${name} does`} className={styles.text}>{does}</p>,
              ])}
            </div>
          </section>
        )}
      </div>
    </Page>
  );
}
