import { GetSync, LARGE_EXPORT, SIGN_IN_TIME_MEND, SyncNow, type SyncSource } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Link } from '@fluentui/react-link';
import { MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-message-bar';
import { ProgressBar } from '@fluentui/react-progress';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useState, type ReactNode } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../../lib/api.ts';
import { formatInstant, formatMinutes } from '../../lib/dates.ts';
import { useMutation } from '../../lib/mutation.ts';
import { serverNow, useNow, usePermits } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { CAUSES, formatStretch } from '../../ui/gaps.ts';
import { Page, Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton, StatusBadge, type Tone } from '../../ui/states.tsx';
import { OddRecordsPanel, type OddKind } from './odd-records.tsx';

/** Behind by more than this is worth a word: passes come every minute or so. */
const LATE_MINUTES = 15;

const useStyles = makeStyles({
  small: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
  bar: { marginBottom: '16px' },
  news: { margin: '0 0 16px', color: tokens.colorNeutralForeground2 },
  text: { margin: 0 },
  facts: { margin: 0, display: 'grid', gridTemplateColumns: 'minmax(104px, max-content) minmax(0, 1fr)', gap: '8px 16px', '& dt': { color: tokens.colorNeutralForeground2 }, '& dd': { margin: 0, fontVariantNumeric: 'tabular-nums' } },
  progress: { maxWidth: '320px', marginTop: '4px' },
});

/** Where the mirror stands with each source, and a way to read now; below it what else runs in the background. */
export function SyncPage({ children }: { children?: ReactNode }) {
  const styles = useStyles();
  const client = useQueryClient();
  const now = useNow();
  const query = useQuery({ queryKey: ['sync'], queryFn: ({ signal }) => call(GetSync, {}, signal), refetchInterval: 5_000 });
  const sync = useMutation({
    mutationFn: async () => {
      const askedAt = serverNow();
      await call(SyncNow, { body: {} });
      return askedAt;
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['sync'] }),
  });
  const columns: readonly Column<SyncSource>[] = [
    { id: 'source', header: 'Source', cell: ({ title }) => title },
    { id: 'state', header: 'State', cell: (source) => <State source={source} now={now} /> },
    { id: 'complete', header: 'Complete', cell: ({ completeFrom, completeTo }) => (completeFrom === null || completeTo === null ? 'Not yet' : <>{formatInstant(completeFrom, now)}<span className={styles.small}>to {formatInstant(completeTo, now)}</span></>) },
    { id: 'lag', header: 'Behind', cell: ({ completeTo }) => (completeTo === null ? 'Not known' : lagOf(completeTo, now)) },
    { id: 'last', header: 'Last read', cell: ({ lastSuccessAt }) => (lastSuccessAt === null ? 'Never' : formatInstant(lastSuccessAt, now)) },
    { id: 'events', header: 'Events', cell: ({ events }) => events.toLocaleString('en-GB') },
  ];
  const sources = query.data?.sources ?? [];
  return (
    <Page title="Sync & health" action={<Button appearance="primary" disabled={sync.isPending} onClick={() => { sync.mutate(); }}>{sync.isPending ? 'Asking' : 'Read now'}</Button>}>
      <ProblemBar error={sync.error} />
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.error !== null && query.data && <p className={styles.news}>What stands below is of {formatInstant(query.data.now, now)}.</p>}
      <p role="status" className={sync.isSuccess ? styles.news : styles.text}>{sync.isSuccess && newsOf(sync.data, sources, now)}</p>
      {query.data?.isSignInTimeKnown === false && (
        <MessageBar intent="warning" layout="multiline" className={styles.bar}>
          <MessageBarBody><MessageBarTitle>Microsoft Entra did not say when you signed in</MessageBarTitle> Where it does not, nobody can take along more than {LARGE_EXPORT.toLocaleString('en-GB')} events. {SIGN_IN_TIME_MEND}</MessageBarBody>
        </MessageBar>
      )}
      {query.isPending && <ListSkeleton rows={3} />}
      {query.data && sources.length === 0 && <EmptyState title="No source is known">The first pass begins when the portal starts.</EmptyState>}
      {sources.length > 0 && <DataTable label="Sources" columns={columns} rows={sources} rowKey={({ source }) => source} />}
      <Gaps sources={sources} now={now} />
      {sources.map((source) => <Details key={source.source} source={source} now={now} />)}
      {query.data && (
        <Section title="Catalog">
          <p className={styles.text}>{query.data.catalog.readAt === null ? 'Not read yet.' : `${counted(query.data.catalog.groups, 'group')} that PIM manages and ${counted(query.data.catalog.applications, 'application')}, read ${formatInstant(query.data.catalog.readAt, now)}.`}</p>
        </Section>
      )}
      {children}
    </Page>
  );
}

type SourceGap = SyncSource['gaps'][number] & { readonly title: string };

/** What is missing, of all sources; nothing where nothing is. */
function Gaps({ sources, now }: { sources: readonly SyncSource[]; now: Date }) {
  const styles = useStyles();
  const gaps: readonly SourceGap[] = sources.flatMap(({ title, gaps: own }) => own.map((gap) => ({ ...gap, title })));
  if (gaps.length === 0) return null;
  const columns: readonly Column<SourceGap>[] = [
    { id: 'when', header: 'Missing', cell: ({ from, to }) => formatStretch(from, to) },
    { id: 'state', header: 'State', cell: ({ from, filledTo, fillableUntil }) => (fillableUntil === null
      ? <><StatusBadge tone="quiet">Stays missing</StatusBadge><span className={styles.small}>The source does not have it any more.</span></>
      : <><StatusBadge tone="warn">Being filled</StatusBadge><span className={styles.small}>{filledTo === from ? '' : `Read up to ${formatInstant(filledTo, now)}. `}Can be had until {formatInstant(fillableUntil, now)}.</span></>) },
    { id: 'cause', header: 'Cause', cell: ({ cause }) => CAUSES[cause] },
    { id: 'noticed', header: 'Noticed', cell: ({ noticedAt }) => formatInstant(noticedAt, now) },
    { id: 'source', header: 'Source', cell: ({ title }) => title },
  ];
  return <Section title="Gaps"><DataTable label="Gaps" columns={columns} rows={gaps} rowKey={({ title, from }) => `${title} ${from}`} /></Section>;
}

/** What else is known of a source: how far its first reading is, what it costs, and what came odd. */
function Details({ source, now }: { source: SyncSource; now: Date }) {
  const styles = useStyles();
  const mayRead = usePermits('history:read');
  const [open, setOpen] = useState<OddKind>();
  const { title, firstReading, requests, looksBack, defects, revisions } = source;
  const odd = (count: number, kind: OddKind, none: string, words: string): ReactNode => {
    if (count === 0) return none;
    const said = `${counted(count, 'record')} ${words}`;
    return mayRead ? <Link as="button" onClick={() => { setOpen(kind); }}>{said}</Link> : said;
  };
  return (
    <Section title={title}>
      <dl className={styles.facts}>
        {firstReading && <><dt>First reading</dt><dd><FirstReading reading={firstReading} now={now} /></dd></>}
        <dt>Requests today</dt>
        <dd>{(requests.new + requests.late + requests.backFill).toLocaleString('en-GB')} of {requests.aDay.toLocaleString('en-GB')}<span className={styles.small}>{requestsInWords(requests)}</span></dd>
        <dt>Shown late</dt>
        <dd>{looksBackInWords(looksBack)}</dd>
        {defects !== null && revisions !== null && <><dt>Odd records</dt><dd>{odd(defects, 'defect', 'None is broken', `kept as received: something is wrong with ${defects === 1 ? 'it' : 'them'}`)}<br />{odd(revisions, 'revision', 'None came again with other content', 'came again with other content: each is kept')}</dd></>}
      </dl>
      {open !== undefined && <OddRecordsPanel source={source.source} title={title} kind={open} onClose={() => { setOpen(undefined); }} />}
    </Section>
  );
}

function FirstReading({ reading: { from, to, readTo }, now }: { reading: NonNullable<SyncSource['firstReading']>; now: Date }) {
  const styles = useStyles();
  const share = shareOf({ from, to, readTo });
  return (
    <>
      {Math.floor(share * 100)} % of {formatStretch(from, to)}, read up to {formatInstant(readTo, now)}
      <ProgressBar className={styles.progress} value={share} aria-label="First reading" />
    </>
  );
}

const shareOf = ({ from, to, readTo }: NonNullable<SyncSource['firstReading']>): number => Math.min(1, Math.max(0, (Date.parse(readTo) - Date.parse(from)) / Math.max(1, Date.parse(to) - Date.parse(from))));

function requestsInWords({ new: fresh, late, backFill, aDay }: SyncSource['requests']): string {
  const number = (count: number): string => count.toLocaleString('en-GB');
  return `${number(fresh)} for what is new, ${number(late)} for what shows late (${(late / aDay * 100).toFixed(1)} %)${backFill > 0 ? `, ${number(backFill)} for earlier events` : ''}. Counted from 00:00 UTC.`;
}

function looksBackInWords({ halfHourEvery, dayEvery, wholeEvery, wholeDays }: SyncSource['looksBack']): string {
  const every = (minutes: number): string => (minutes === 1 ? 'every minute' : minutes === 60 ? 'every hour' : minutes === 1440 ? 'every day' : `every ${minutes % 1440 === 0 ? `${minutes / 1440} days` : formatMinutes(minutes)}`);
  return `Half an hour is read again ${every(halfHourEvery)}, a day ${every(dayEvery)}, all ${wholeDays} days ${every(wholeEvery)}.`;
}

/** A word for the state; what went wrong stands below it in full. */
function State({ source, now }: { source: SyncSource; now: Date }) {
  const styles = useStyles();
  const { tone, word, more } = stateOf(source, now);
  return <><StatusBadge tone={tone}>{word}</StatusBadge>{more !== undefined && <span className={styles.small}>{more}</span>}</>;
}

function stateOf({ lastError, lastSuccessAt, completeTo, firstReading, gaps, off }: SyncSource, now: Date): { tone: Tone; word: string; more?: string } {
  if (off) return { tone: 'quiet', word: 'Off', ...(lastError !== null && { more: lastError }) };
  if (lastError !== null) return { tone: 'bad', word: 'Fails', more: lastError };
  if (lastSuccessAt === null) return { tone: 'busy', word: 'Not read to the end yet' };
  if (completeTo !== null && minutesBehind(completeTo, now) > LATE_MINUTES) return { tone: 'warn', word: 'Late', more: 'What happened since is not here yet.' };
  const filling = gaps.filter(({ fillableUntil }) => fillableUntil !== null).length;
  if (filling > 0) return { tone: 'warn', word: 'Read', more: `${counted(filling, 'gap')} ${filling === 1 ? 'is' : 'are'} being filled.` };
  if (firstReading !== null) return { tone: 'busy', word: 'Read', more: `Earlier events are being read: ${Math.floor(shareOf(firstReading) * 100)} %.` };
  return { tone: 'good', word: 'Read' };
}

const minutesBehind = (iso: string, now: Date): number => Math.max(0, Math.floor((now.getTime() - Date.parse(iso)) / 60_000));

function lagOf(iso: string, now: Date): string {
  const minutes = minutesBehind(iso, now);
  if (minutes < 1) return 'Less than 1 min';
  return minutes < 48 * 60 ? formatMinutes(minutes) : `${Math.floor(minutes / (24 * 60))} days`;
}

/** What became of the asking: a source that was read to the end after it, or one that still is not. */
function newsOf(askedAt: Date, sources: readonly SyncSource[], now: Date): string {
  const asked = sources.filter(({ off }) => !off);
  const isRead = asked.length > 0 && asked.every(({ lastSuccessAt }) => lastSuccessAt !== null && Date.parse(lastSuccessAt) > askedAt.getTime());
  const at = formatInstant(askedAt.toISOString(), now);
  return isRead ? `Asked ${at}, and read to the end since.` : `Asked ${at}. The pass is not at its end yet.`;
}

const counted = (count: number, noun: string): string => `${count.toLocaleString('en-GB')} ${noun}${count === 1 ? '' : 's'}`;
