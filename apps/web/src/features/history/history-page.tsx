import type { Coverage } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { formatAgo, formatDay } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { Page } from '../../ui/page.tsx';
import { StatusBadge } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';

const useStyles = makeStyles({
  head: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', justifyContent: 'space-between', gap: '8px 16px' },
  coverage: { margin: 0, overflowWrap: 'anywhere', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
});

const VIEWS = [['/history', 'Events'], ['/history/activations', 'Activations'], ['/history/exports', 'Exports']] as const;
const SHARED = ['person', 'group', 'application', 'from', 'to'];

/** What both views of the history share: their tabs, how complete the record is, and the way to take it along. */
export function HistoryPage({ title, exportUrl, coverage, children }: { title: string; exportUrl?: string; coverage: Coverage | undefined; children: ReactNode }) {
  const styles = useStyles();
  const [search] = useSearchParams();
  // The other view is of the same people, groups, applications and days.
  const kept = new URLSearchParams([...search].filter(([name]) => SHARED.includes(name))).toString();
  return (
    <Page title="History" documentTitle={title} action={exportUrl !== undefined && <Button as="a" href={exportUrl} download>Export CSV</Button>}>
      <div className={styles.head}>
        <Tabs label="Views of the history" views={VIEWS} search={kept} />
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
      {from === null || to === null ? 'Nothing was read from Microsoft Entra yet' : `Complete from ${formatDay(from)} to ${formatAgo(to, now)}`}
      {lastError !== null && <> · <StatusBadge tone="warn">Reading fails</StatusBadge> {lastError}</>}
    </p>
  );
}
