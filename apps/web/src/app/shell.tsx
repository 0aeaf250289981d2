import type { SessionPerson } from '@gatehouse/contracts';
import { CounterBadge } from '@fluentui/react-badge';
import { Button } from '@fluentui/react-button';
import { ArrowSyncCircleRegular, CheckmarkCircleRegular, ClipboardTaskListLtrRegular, DismissRegular, HistoryRegular, KeyRegular, NavigationRegular, PeopleRegular, PersonCircleRegular } from '@fluentui/react-icons';
import { MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from '@fluentui/react-menu';
import { Spinner } from '@fluentui/react-spinner';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { Suspense, useLayoutEffect, useState, type ReactNode } from 'react';
import { NavLink, Outlet, useLocation, useNavigate } from 'react-router';
import { useWaitingApprovals } from '../features/approvals/approvals.browser.ts';
import { setPageOf } from '../lib/api.ts';
import { formatMinutes } from '../lib/dates.ts';
import { session, useAdvanceClock, useClockWatch, usePermits, useSession, useSignOut } from '../lib/session.ts';
import { Page } from '../ui/page.tsx';
import { ProblemBar } from '../ui/problem-bar.tsx';
import { Landing } from './landing.tsx';

const NARROW = '@media (max-width: 820px)';

const useStyles = makeStyles({
  skip: { position: 'absolute', left: '8px', top: '-48px', zIndex: 10, padding: '8px 12px', borderRadius: tokens.borderRadiusMedium, backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorBrandForegroundLink, ':focus': { top: '8px' } },
  frame: { minHeight: '100vh', display: 'grid', gridTemplateRows: 'auto auto 1fr', backgroundColor: tokens.colorNeutralBackground2 },
  top: { display: 'flex', alignItems: 'center', gap: '16px', padding: '0 16px 0 24px', height: '48px', backgroundColor: tokens.colorNeutralBackground1, borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, [NARROW]: { padding: '0 8px', gap: '8px' } },
  // Without the button of the menu, the name stands where everything below it begins.
  topAlone: { [NARROW]: { paddingLeft: '16px' } },
  brand: { display: 'flex', alignItems: 'baseline', gap: '8px', minWidth: 0, flex: 1, color: tokens.colorNeutralForeground1, textDecorationLine: 'none', whiteSpace: 'nowrap' },
  product: { fontWeight: tokens.fontWeightSemibold },
  tenant: { color: tokens.colorNeutralForeground2, overflow: 'hidden', textOverflow: 'ellipsis' },
  body: { display: 'grid', gridTemplateColumns: '216px minmax(0, 1fr)', [NARROW]: { gridTemplateColumns: 'minmax(0, 1fr)', gridTemplateRows: 'auto 1fr' } },
  alone: { gridTemplateColumns: 'minmax(0, 1fr)' },
  nav: { padding: '16px 8px', borderRight: `1px solid ${tokens.colorNeutralStroke2}`, backgroundColor: tokens.colorNeutralBackground1, [NARROW]: { padding: '4px 8px', borderRight: 'none', borderBottom: `1px solid ${tokens.colorNeutralStroke2}` } },
  navList: { listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: '2px', position: 'sticky', top: '16px', [NARROW]: { position: 'static' } },
  link: { display: 'flex', alignItems: 'center', gap: '12px', padding: '8px 12px', borderRadius: tokens.borderRadiusMedium, color: tokens.colorNeutralForeground1, textDecorationLine: 'none', ':hover': { backgroundColor: tokens.colorNeutralBackground1Hover }, ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}` } },
  folded: { [NARROW]: { display: 'none' } },
  opener: { display: 'none', [NARROW]: { display: 'inline-flex' } },
  here: { backgroundColor: tokens.colorNeutralBackground1Selected, fontWeight: tokens.fontWeightSemibold },
  word: { flex: 1 },
  demo: { display: 'flex', alignItems: 'center', flexWrap: 'wrap', gap: '4px 16px', padding: '4px 24px', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2, backgroundColor: tokens.colorNeutralBackground3, borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, [NARROW]: { padding: '4px 16px' } },
  person: { minWidth: 0 },
  name: { [NARROW]: { display: 'none' } },
  waiting: { padding: '48px' },
  problem: { padding: '16px 32px 0', [NARROW]: { padding: '16px 16px 0' } },
});

/** Who is there is known before anything is shown; where it cannot be known, that is what the page says. */
export function Shell() {
  const query = useQuery(session());
  useClockWatch();
  const person = query.data?.person ?? undefined;
  const [page, setPage] = useState<{ readonly of?: SessionPerson | undefined; readonly before?: SessionPerson | undefined }>({});
  if (person && person.id !== page.of?.id) setPage({ of: person, before: page.of });
  // One person's page: what is open or filled in on it is not handed on to the next, who may have signed in from another tab.
  if (query.data) return <Frame key={person?.id} before={person && page.before} />;
  return query.error ? (
    <main>
      <Page title="Gatehouse cannot be shown">
        <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      </Page>
    </main>
  ) : null;
}

/** The frame of every page: the same for all, with what is not theirs left out. */
function Frame({ before }: { before: SessionPerson | undefined }) {
  const styles = useStyles();
  const { person, tenant, demo } = useSession();
  const { pathname } = useLocation();
  const personId = person?.id;
  // Before anything on it asks for something.
  useLayoutEffect(() => {
    setPageOf(personId);
    return () => { setPageOf(undefined); };
  }, [personId]);
  const [open, setOpen] = useState(false);
  const [isKnown, setIsKnown] = useState(false);
  return (
    <div className={styles.frame}>
      <header>
        <a className={styles.skip} href="#main">Skip to the page</a>
        <div className={mergeClasses(styles.top, !person && styles.topAlone)}>
          {person && <Button appearance="subtle" className={styles.opener} icon={<NavigationRegular />} aria-label="Menu" aria-expanded={open} aria-controls="navigation" onClick={() => { setOpen(!open); }} />}
          <NavLink to="/access" className={styles.brand}><span className={styles.product}>Gatehouse</span><span aria-hidden>▸</span><span className={styles.tenant}>{tenant.displayName}</span></NavLink>
          {person && <PersonMenu />}
        </div>
      </header>
      <div>{demo && <DemoStrip aheadSeconds={demo.clockAheadSeconds} signedIn={person !== null} />}</div>
      <div className={mergeClasses(styles.body, !person && styles.alone)}>
        {person && <Navigation open={open} onGo={() => { setOpen(false); }} />}
        <main id="main" tabIndex={-1}>
          {person && before && !isKnown && (
            <div className={styles.problem}>
              <MessageBar intent="warning" layout="multiline" role="alert" politeness="assertive">
                <MessageBarBody><MessageBarTitle>{person.displayName} is signed in here now</MessageBarTitle> Another tab signed them in. This page was {before.displayName}’s: what had not gone out by then was not done.</MessageBarBody>
                <MessageBarActions containerAction={<Button appearance="transparent" icon={<DismissRegular />} aria-label="Dismiss" onClick={() => { setIsKnown(true); }} />} />
              </MessageBar>
            </div>
          )}
          <Suspense fallback={<Spinner className={styles.waiting} label="Opening the page" />}>
            {person ? <Outlet key={pathname} /> : <Landing />}
          </Suspense>
        </main>
      </div>
    </div>
  );
}

function Navigation({ open, onGo }: { open: boolean; onGo(): void }) {
  const styles = useStyles();
  const [setups, current, history, sync] = [usePermits('setup:manage'), usePermits('current-access:read'), usePermits('history:read'), usePermits('sync:read')];
  const waiting = useWaitingApprovals();
  return (
    <nav id="navigation" className={mergeClasses(styles.nav, !open && styles.folded)} aria-label="Gatehouse">
      <ul className={styles.navList} onClick={onGo}>
        <Item to="/access" icon={<KeyRegular />}>My access</Item>
        <Item to="/approvals" icon={<CheckmarkCircleRegular />} count={waiting}>Approvals</Item>
        {setups && <Item to="/setups" also="/runs/" icon={<ClipboardTaskListLtrRegular />}>Setups</Item>}
        {current && <Item to="/current-access" icon={<PeopleRegular />}>Current access</Item>}
        {history && <Item to="/history" icon={<HistoryRegular />}>History</Item>}
        {sync && <Item to="/sync" icon={<ArrowSyncCircleRegular />}>Sync &amp; health</Item>}
      </ul>
    </nav>
  );
}

/** `also`: pages under another address that belong to it. */
function Item({ to, also, icon, count = 0, children }: { to: string; also?: string; icon: ReactNode; count?: number; children: ReactNode }) {
  const styles = useStyles();
  const { pathname } = useLocation();
  const within = also !== undefined && pathname.startsWith(also);
  return (
    <li>
      <NavLink to={to} className={({ isActive }) => mergeClasses(styles.link, (isActive || within) && styles.here)}>
        {icon}<span className={styles.word}>{children}</span>{count > 0 && <CounterBadge count={count} size="small" aria-label={`${count} waiting`} />}
      </NavLink>
    </li>
  );
}

function PersonMenu() {
  const styles = useStyles();
  const { person } = useSession();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  const here = `${pathname}${search}`;
  return (
    <>
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <Button appearance="subtle" className={styles.person} icon={<PersonCircleRegular />} aria-label={`Account: ${person?.displayName ?? ''}`}>
            <span className={styles.name}>{person?.displayName}</span>
          </Button>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuItem onClick={() => void navigate('/sessions')}>Signed-in devices</MenuItem>
            <MenuItem onClick={() => { window.location.assign(`/auth/sign-in?switch=account&returnTo=${encodeURIComponent(here)}`); }}>Switch account</MenuItem>
            <MenuItem onClick={() => { signOut.mutate(); }}>Sign out</MenuItem>
          </MenuList>
        </MenuPopover>
      </Menu>
      {signOut.error && <ProblemBar error={signOut.error} />}
    </>
  );
}

/** Only on the emulated tenant: whose clock it is, and a way to move it so that nobody waits half an hour. */
function DemoStrip({ aheadSeconds, signedIn }: { aheadSeconds: number; signedIn: boolean }) {
  const styles = useStyles();
  const advance = useAdvanceClock();
  const { pathname, search } = useLocation();
  const ahead = Math.round(aheadSeconds / 60);
  return (
    <section aria-label="Demo">
      <div className={styles.demo}>
        <span>Demo tenant</span>
        {signedIn && <a href={`/auth/sign-in?switch=account&returnTo=${encodeURIComponent(`${pathname}${search}`)}`}>Switch account</a>}
        <span>{ahead === 0 ? 'Clock: real time' : `Clock +${formatMinutes(ahead)}`}</span>
        {signedIn && [5, 31].map((minutes) => <Button key={minutes} size="small" appearance="outline" disabled={advance.isPending} onClick={() => { advance.mutate(minutes); }}>{`Forward ${minutes} min`}</Button>)}
      </div>
      {advance.error && <div className={styles.problem}><ProblemBar error={advance.error} /></div>}
    </section>
  );
}
