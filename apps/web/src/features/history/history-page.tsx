import type { Coverage } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles, mergeClasses } from '@griffel/react';
import type { ReactNode } from 'react';
import { NavLink, useSearchParams } from 'react-router';
import { formatDay, formatInstant, formatMinutes } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { Page } from '../../ui/page.tsx';
import { StatusBadge } from '../../ui/states.tsx';

const useStyles = makeStyles({
  head: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', justifyContent: 'space-between', gap: '8px 16px' },
  tabs: { display: 'flex', gap: '4px', margin: 0, padding: 0, listStyle: 'none' },
  tab: { display: 'block', padding: '6px 12px', borderRadius: tokens.borderRadiusMedium, color: tokens.colorNeutralForeground2, textDecorationLine: 'none', ':hover': { backgroundColor: tokens.colorNeutralBackground1Hover } },
  here: { color: tokens.colorNeutralForeground1, backgroundColor: tokens.colorNeutralBackground1Selected, fontWeight: tokens.fontWeightSemibold },
  coverage: { margin: 0, overflowWrap: 'anywhere', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
});

const SHARED = ['person', 'group', 'application', 'from', 'to'];

/** What both views of the history share: their tabs, how complete the record is, and the way to take it along. */
export function HistoryPage({ title, exportUrl, coverage, children }: { title: string; exportUrl: string; coverage: Coverage | undefined; children: ReactNode }) {
  const styles = useStyles();
  const [search] = useSearchParams();
  // The other view is of the same people, groups, applications and days.
  const kept = new URLSearchParams([...search].filter(([name]) => SHARED.includes(name))).toString();
  return (
    <Page title="History" documentTitle={title} action={<Button as="a" href={exportUrl} download>Export CSV</Button>}>
      <div className={styles.head}>
        <nav aria-label="Views of the history">
          <ul className={styles.tabs}>
            {[['/history', 'Events'], ['/history/activations', 'Activations']].map(([to = '', word]) => (
              <li key={to}><NavLink to={{ pathname: to, search: kept }} end className={({ isActive }) => mergeClasses(styles.tab, isActive && styles.here)}>{word}</NavLink></li>
            ))}
          </ul>
        </nav>
        <CoverageLine coverage={coverage} />
      </div>
      {children}
    </Page>
  );
}

/** Always in sight: from when to when nothing is missing. */
function CoverageLine({ coverage }: { coverage: Coverage | undefined }) {
  const styles = useStyles();
  const now = useNow();
  if (!coverage) return <p className={styles.coverage} aria-hidden>&nbsp;</p>;
  const { from, to, lastError } = coverage;
  return (
    <p className={styles.coverage}>
      {from === null || to === null ? 'Nothing was read from Microsoft Entra yet' : `Complete from ${formatDay(from)} to ${agoOf(to, now)}`}
      {lastError !== null && <> · <StatusBadge tone="warn">Reading fails</StatusBadge> {lastError}</>}
    </p>
  );
}

function agoOf(iso: string, now: Date): string {
  const minutes = Math.round((now.getTime() - Date.parse(iso)) / 60_000);
  if (minutes < 1) return 'now';
  return minutes < 24 * 60 ? `${formatMinutes(minutes)} ago` : formatInstant(iso, now);
}
