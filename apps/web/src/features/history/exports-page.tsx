import { DownloadExport, ExportFormat, LARGE_EXPORT, type Answer, type EstimateExport, type Export, type SyslogFeed } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Field } from '@fluentui/react-field';
import { MessageBar, MessageBarBody } from '@fluentui/react-message-bar';
import { Radio, RadioGroup } from '@fluentui/react-radio';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useSearchParams } from 'react-router';
import { addressOf, isProblem } from '../../lib/api.ts';
import { formatInstant } from '../../lib/dates.ts';
import { usePutParam } from '../../lib/search-param.ts';
import { useNow, useSession, verifyAddress } from '../../lib/session.ts';
import { DataTable, type Column } from '../../ui/data-table.tsx';
import { Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton, StatusBadge } from '../../ui/states.tsx';
import { EVENT_CHOICES, eventWish } from './event-filter.ts';
import { keepExport, takeExport, type ExportWish } from './export-draft.ts';
import { estimate, exportList, useCreateExport } from './exports.queries.ts';
import { FilterBar, useFilter } from './filter-bar.tsx';
import { HistoryPage } from './history-page.tsx';
import { KINDS, RESULTS, SOURCES } from './history.words.ts';

const useStyles = makeStyles({
  form: { display: 'grid', gap: '12px', maxWidth: '88ch' },
  make: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '8px 16px' },
  small: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2, overflowWrap: 'anywhere' },
  text: { margin: 0 },
  hash: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase100, overflowWrap: 'anywhere' },
});

const FORMATS: Readonly<Record<ExportFormat, readonly [title: string, what: string]>> = {
  pack: ['Evidence pack', 'A ZIP to check elsewhere: events, activations, a summary, and proofs, with every row that was sealed between the first event and the last'],
  csv: ['CSV', 'For a spreadsheet; every cell is text'],
  ndjson: ['NDJSON', 'One event a line, as Microsoft Entra sent it'],
  ocsf: ['OCSF', 'Open Cybersecurity Schema Framework 1.9.0, one event a line'],
  cef: ['CEF', 'Common Event Format, one event a line'],
};

/** What is taken along out of the history: what it would hold, making it, and what was made. */
export function ExportsPage() {
  const styles = useStyles();
  const now = useNow();
  const { person } = useSession();
  const filter = useFilter(EVENT_CHOICES);
  const [search] = useSearchParams();
  const put = usePutParam();
  const format = ExportFormat.safeParse(search.get('format')).data ?? 'pack';
  const wish = eventWish(filter);
  const size = useQuery({ ...estimate(wish), placeholderData: keepPreviousData });
  const list = useQuery(exportList());
  const create = useCreateExport();
  const asked: ExportWish = { format, filter: wish };
  const isAsked = JSON.stringify(create.variables) === JSON.stringify(asked);
  const stepUp = isAsked && isProblem(create.error, 'step-up-required') ? create.error.problem : undefined;

  const make = (): void => {
    if (stepUp?.signInUrl === undefined) return create.mutate(asked);
    keepExport(person?.id, asked);
    const back = new URLSearchParams(search);
    back.set('resume', '1');
    window.location.assign(verifyAddress(stepUp.signInUrl, `/history/exports?${back}`));
  };
  const button = useRef<HTMLButtonElement>(null);
  const notNow = (): void => {
    create.reset();
    button.current?.focus();
  };
  // Once, even where effects run twice: what was asked for before verifying is made by itself. Without what this tab has kept, an address makes nothing.
  const resumed = useRef(false);
  useEffect(() => {
    if (search.get('resume') === null || resumed.current) return;
    resumed.current = true;
    put('resume', undefined);
    const kept = takeExport(person?.id);
    if (kept) create.mutate(kept);
  });
  const columns: readonly Column<Export>[] = [
    { id: 'what', header: 'What', cell: (one) => <>{FORMATS[one.format][0]}<span className={styles.small}>{wordsOf(one)}</span></> },
    { id: 'asked', header: 'Asked', width: '176px', cell: ({ askedAt, askedBy }) => <>{formatInstant(askedAt, now)}<span className={styles.small}>{askedBy}</span></> },
    { id: 'state', header: 'State', cell: (one) => <State one={one} /> },
    { id: 'file', header: 'File', width: '144px', cell: ({ id, status, format: of }) => (status === 'ready' ? <Button as="a" size="small" href={addressOf(DownloadExport, { params: { exportId: id } })} aria-label={`Download ${FORMATS[of][0]}`}>Download</Button> : '') },
  ];
  const rows = list.data?.exports ?? [];
  return (
    <HistoryPage title="History: exports" coverage={size.data?.coverage}>
      <FilterBar filter={filter} choices={EVENT_CHOICES} />
      <div className={styles.form}>
        <Field label="Format">
          <RadioGroup value={format} onChange={(_event, { value }) => { put('format', value); }}>
            {Object.entries(FORMATS).map(([value, [title, what]]) => <Radio key={value} value={value} label={<>{title}<span className={styles.small}>{what}</span></>} />)}
          </RadioGroup>
        </Field>
        <ProblemBar error={size.error} onRetry={() => void size.refetch()} />
        {stepUp
          ? <MessageBar intent="info" layout="multiline" role="alert"><MessageBarBody>{stepUp.detail} Verify that it is you: what you chose stays, and it is made when you are back.</MessageBarBody></MessageBar>
          : <ProblemBar error={create.error} />}
        <div className={styles.make}>
          <Button ref={button} appearance="primary" disabled={create.isPending} onClick={make}>{stepUp ? `Verify and make ${format === 'pack' ? 'evidence pack' : 'export'}` : format === 'pack' ? 'Make evidence pack' : 'Make export'}</Button>
          {stepUp && <Button onClick={notNow}>Not now</Button>}
          <span role="status">{size.isPending || size.isPlaceholderData ? 'Counting what it would hold' : size.data && heldBy(size.data)}</span>
        </div>
        <p className={styles.small}>An export holds the log as it stands when it is made. That it was made, and each download of it, is itself in the history. Exports of more than {LARGE_EXPORT.toLocaleString('en-GB')} events are made and downloaded only within 10 minutes of a sign-in.</p>
      </div>
      <Section title="Latest exports">
        <ProblemBar error={list.error} onRetry={() => void list.refetch()} />
        {list.isPending && <ListSkeleton rows={2} />}
        {list.isSuccess && rows.length === 0 && <EmptyState title="No exports yet">What is made above is listed here for every auditor.</EmptyState>}
        {rows.length > 0 && <DataTable label="Exports" columns={columns} rows={rows} rowKey={({ id }) => id} />}
      </Section>
      {list.data && <Section title="Continuous feed"><Feed feed={list.data.feed} now={now} /></Section>}
    </HistoryPage>
  );
}

function State({ one: { format, status, rows, rowsDone, bytes, sha256, error } }: { one: Export }) {
  const styles = useStyles();
  if (status === 'failed') return <><StatusBadge tone="bad">Failed</StatusBadge>{error !== null && <span className={styles.small}>{error}</span>}</>;
  if (status === 'building') return <><StatusBadge tone="busy">Being made</StatusBadge><span className={styles.small}>{counted(rowsDone)} so far</span></>;
  return (
    <>
      <StatusBadge tone="good">Ready</StatusBadge>
      <span className={styles.small}>{rows !== null && bytes !== null ? `${counted(rows)}, ${sizeOf(bytes)}` : format === 'pack' ? '' : 'Made while it is downloaded'}</span>
      {sha256 !== null && <span className={styles.small}>SHA-256 <span className={styles.hash}>{sha256}</span></span>}
    </>
  );
}

function Feed({ feed, now }: { feed: SyslogFeed | null; now: Date }) {
  const styles = useStyles();
  if (feed === null) return <p className={styles.text}>No receiver is set. With SYSLOG_URL set, every event is sent on as CEF over syslog.</p>;
  return (
    <>
      <p className={styles.text}><StatusBadge tone={feed.lastError !== null ? 'bad' : feed.waitingBatches > 0 ? 'busy' : 'good'}>{feed.lastError !== null ? 'Fails' : feed.waitingBatches > 0 ? 'Sending' : 'Up to date'}</StatusBadge> {feed.receiver}</p>
      <p className={styles.small}>{counted(feed.sentEvents)} sent{feed.lastSentAt !== null && `, last ${formatInstant(feed.lastSentAt, now)}`}. {feed.waitingBatches === 0 ? 'Nothing waits.' : `${feed.waitingBatches.toLocaleString('en-GB')} ${feed.waitingBatches === 1 ? 'batch waits' : 'batches wait'}.`}</p>
      {feed.lastError !== null && <p className={styles.small}>{feed.lastError}{feed.tryAfter !== null && ` Tried again ${formatInstant(feed.tryAfter, now)}.`} What was not read is sent again.</p>}
    </>
  );
}

function wordsOf({ filter }: Export): string {
  const parts = [
    ...(['person', 'group', 'application', 'text'] as const).flatMap((name) => (filter[name] === undefined ? [] : [`${name === 'text' ? 'reason or ticket' : name} “${filter[name]}”`])),
    ...(filter.kind === undefined ? [] : [KINDS[filter.kind]]), ...(filter.result === undefined ? [] : [RESULTS[filter.result].word]),
    ...(filter.source === undefined ? [] : [`written by ${SOURCES[filter.source]}`]),
    ...(filter.from === undefined ? [] : [`from ${formatInstant(filter.from)}`]), ...(filter.to === undefined ? [] : [`before ${formatInstant(filter.to)}`]),
  ];
  return parts.length === 0 ? 'Everything' : parts.join(', ');
}

/** Counting ends after the first event that is too many for any time: where the database guesses at no more than that, it is only known that there are more. */
function heldBy({ rows, exact, bytes }: Answer<typeof EstimateExport>): string {
  if (!exact && rows === LARGE_EXPORT + 1) return `More than ${counted(LARGE_EXPORT)}, over ${sizeOf(bytes)} as received`;
  return `${exact ? '' : 'About '}${counted(rows)}, ${sizeOf(bytes)} as received`;
}

const counted = (count: number): string => `${count.toLocaleString('en-GB')} ${count === 1 ? 'event' : 'events'}`;

function sizeOf(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const at = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** at).toLocaleString('en-GB', { maximumFractionDigits: at === 0 ? 0 : 1 })} ${units[at]}`;
}
