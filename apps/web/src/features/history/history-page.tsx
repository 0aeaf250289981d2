import type { Coverage } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import type { ReactNode } from 'react';
import { useHref, useLinkClickHandler, useSearchParams } from 'react-router';
import { formatAgo, formatDay, formatInstant } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import { CAUSES, formatStretch } from '../../ui/gaps.ts';
import { Page } from '../../ui/page.tsx';
import { StatusBadge } from '../../ui/states.tsx';
import { HistoryTabs } from '../../ui/tabs.tsx';

const useStyles = makeStyles({
  head: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', justifyContent: 'space-between', gap: '8px 16px' },
  coverage: { margin: 0, overflowWrap: 'anywhere', color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
});

const SHARED = ['person', 'group', 'application', 'text', 'from', 'to'];
/** An export is of events, and narrowed by all that they are; the state of an activation no event has. */
const EXPORTED = [...SHARED, 'kind', 'result', 'source'];

const keptOf = (search: URLSearchParams, names: readonly string[]): string => new URLSearchParams([...search].filter(([name]) => names.includes(name))).toString();

interface Props {
  readonly title: string;
  /** The events of what the view shows can be taken along. */
  readonly exportable?: boolean;
  readonly coverage: Coverage | undefined;
  /** Of which log the coverage is, where it is not Entra's own. */
  readonly of?: string;
  /** It is not read any more; the coverage's last error says why. */
  readonly off?: boolean;
  readonly children: ReactNode;
}

/** What the views of the history share: their tabs, how complete the record is, and the way to take it along. */
export function HistoryPage({ title, exportable = false, coverage, of, off = false, children }: Props) {
  const styles = useStyles();
  const [search] = useSearchParams();
  // The other view is of the same people, groups, applications and days.
  const kept = keptOf(search, SHARED);
  return (
    <Page title="History" documentTitle={title} {...(exportable && { action: <ExportButton search={keptOf(search, EXPORTED)} ofAnyState={search.has('status')} /> })}>
      <div className={styles.head}>
        <HistoryTabs search={kept} />
        <CoverageLine coverage={coverage} of={of} off={off} />
      </div>
      {children}
    </Page>
  );
}

/** There is one way to take the history along: the page of the exports. Where that is wider than the view, the way to it says so. */
function ExportButton({ search, ofAnyState }: { search: string; ofAnyState: boolean }) {
  const to = { pathname: '/history/exports', search };
  const href = useHref(to);
  const go = useLinkClickHandler<HTMLAnchorElement>(to);
  return <Button as="a" href={href} onClick={(event) => { go(event as React.MouseEvent<HTMLAnchorElement>); }}>{ofAnyState ? 'Export, of any state' : 'Export'}</Button>;
}

/** Always in sight: from when to when nothing is missing. */
function CoverageLine({ coverage, of, off }: { coverage: Coverage | undefined; of: string | undefined; off: boolean }) {
  const styles = useStyles();
  const now = useNow();
  if (!coverage) return <p className={styles.coverage} aria-hidden>&nbsp;</p>;
  const { from, to, droppedTo, lastError, gaps, sealedTo, isLedgerStopped } = coverage;
  return (
    <p className={styles.coverage}>
      {from === null || to === null ? `Nothing was read from ${of === undefined ? 'Microsoft Entra' : `the ${of}`} yet` : `${of === undefined ? 'Complete' : `${of.charAt(0).toUpperCase()}${of.slice(1)} complete`} from ${formatDay(from)} to ${formatAgo(to, now)}`}
      {droppedTo !== null && <> · before {formatDay(droppedTo)} months were dropped, see Sync &amp; health</>}
      {sealedTo !== null && !isLedgerStopped && <> · sealed to {formatInstant(sealedTo, now)} ✓</>}
      {isLedgerStopped && <> · <StatusBadge tone="bad">Not sealed</StatusBadge> The log is not what was sealed; see Sync &amp; health</>}
      {gaps.length > 0 && <> · <StatusBadge tone="warn">{gaps.length === 1 ? '1 gap' : `${gaps.length} gaps`}</StatusBadge> {gapsInWords(gaps)}</>}
      {lastError !== null && <> · <StatusBadge tone={off ? 'quiet' : 'warn'}>{off ? 'Off' : 'Reading fails'}</StatusBadge> {lastError}</>}
    </p>
  );
}

/** So many gaps are named; the page of the sync has all. */
const NAMED = 2;

function gapsInWords(gaps: Coverage['gaps']): string {
  const words = gaps.slice(0, NAMED).map(({ from, to, cause, fillableUntil }) => `(${formatStretch(from, to)}, ${fillableUntil === null ? `${CAUSES[cause].replace(/^[NF]/, (letter) => letter.toLowerCase())}, stays` : 'being filled'})`);
  return gaps.length > NAMED ? `${words.join(' ')} and ${gaps.length - NAMED} more` : words.join(' ');
}
