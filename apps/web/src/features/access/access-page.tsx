import type { AccessEntry } from '@gatehouse/contracts';
import { Input } from '@fluentui/react-input';
import { KeyRegular, SearchRegular } from '@fluentui/react-icons';
import { MessageBar, MessageBarBody } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';
import { formatCountdown } from '../../lib/dates.ts';
import { serverNow, useNow } from '../../lib/session.ts';
import { Page, Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton } from '../../ui/states.tsx';
import { myAccess } from './access.queries.ts';
import { sectionsOf, segmentsOf, titleOf } from './access.words.ts';
import { ActivatePanel } from './activate-panel.tsx';
import { ClosedRow, EndedRow, OpenRow, WaitingRow } from './rows.tsx';
import { Rows } from './access-row.tsx';
import { EndSeveral } from './end-several.tsx';
import { EndedEligibilities } from './extend-eligibility.tsx';
import { AskingWhenEnded, Unfinished } from './keep-going.tsx';

const useStyles = makeStyles({
  bars: { display: 'grid', gap: '8px' },
  filter: { width: '240px', '@media (max-width: 640px)': { width: '100%' } },
  none: { margin: 0, color: tokens.colorNeutralForeground2 },
});

/** What the signed-in person may open, has open, waits for, and what may still be open behind them. */
export function AccessPage() {
  const query = useQuery(myAccess());
  return (
    <Page title="My access">
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={4} />}
      {query.data && <Access entries={query.data.entries} notKnown={query.data.notKnown} />}
    </Page>
  );
}

function Access({ entries, notKnown }: { entries: readonly AccessEntry[]; notKnown: readonly string[] }) {
  const styles = useStyles();
  const [search, setSearch] = useSearchParams();
  const [news, setNews] = useState<string>();
  const [filter, setFilter] = useState('');
  const { open, waiting, closed, ended } = sectionsOf(entries, serverNow());
  const wanted = search.get('activate');
  const chosen = entries.find(({ groupId }) => groupId === wanted);
  const show = (groupId: string | undefined) => { setSearch(groupId === undefined ? {} : { activate: groupId }, { replace: groupId === undefined }); };
  const shown = closed.filter((entry) => matches(entry, filter));
  const ends = open.flatMap(({ active }) => (active?.endsAt ? [active.endsAt] : [])).sort()[0];

  return (
    <>
      {ends !== undefined && <TabTime endsAt={ends} />}
      {(notKnown.length > 0 || news !== undefined || (wanted !== null && !chosen)) && <div className={styles.bars}>
        {notKnown.map((sentence) => <MessageBar key={sentence} intent="warning" layout="multiline"><MessageBarBody>{sentence}</MessageBarBody></MessageBar>)}
        {news !== undefined && <MessageBar intent="success" layout="multiline" role="status"><MessageBarBody>{news}</MessageBarBody></MessageBar>}
        {wanted !== null && !chosen && <MessageBar intent="warning" layout="multiline" role="status"><MessageBarBody>You are not eligible for the access that this address names, or not any more.</MessageBarBody></MessageBar>}
      </div>}
      <AskingWhenEnded entries={entries} onNews={setNews} />
      <Unfinished entries={entries} onNews={setNews} />
      {open.length > 0 && <Section title="Open now" action={<EndSeveral entries={open} />}><Rows label="Open now">{open.map((entry) => <OpenRow key={entry.groupId} entry={entry} onEnded={setNews} />)}</Rows></Section>}
      {waiting.length > 0 && <Section title="Waiting"><Rows label="Waiting">{waiting.map((entry) => <WaitingRow key={entry.groupId} entry={entry} />)}</Rows></Section>}
      {closed.length > 0 && (
        <Section title="You may open" action={<Input type="search" className={styles.filter} size="small" aria-label="Filter what you may open" placeholder="Filter" contentBefore={<SearchRegular aria-hidden />} value={filter} onChange={(_event, { value }) => { setFilter(value); }} />}>
          {shown.length === 0 ? <p className={styles.none}>Nothing that you may open matches “{filter}”.</p> : <Rows label="You may open">{shown.map((entry) => <ClosedRow key={entry.groupId} entry={entry} onActivate={() => { setNews(undefined); show(entry.groupId); }} />)}</Rows>}
        </Section>
      )}
      {ended.length > 0 && <Section title="Ended, network may stay open"><Rows label="Ended, network may stay open">{ended.map((entry) => <EndedRow key={entry.groupId} entry={entry} onClosed={setNews} />)}</Rows></Section>}
      <EndedEligibilities entries={entries} />
      {entries.length === 0 && (notKnown.length === 0
        ? <EmptyState icon={<KeyRegular />} title="You are not eligible for any application">Access that somebody makes you eligible for appears here, to activate when you need it. Ask the people who run the application.</EmptyState>
        : <p className={styles.none}>Nothing can be shown, because not everything could be read.</p>)}
      {chosen && <ActivatePanel key={chosen.groupId} entry={chosen} resume={search.has('resume')} onResumed={() => { setSearch({ activate: chosen.groupId }, { replace: true }); }} onClose={() => { show(undefined); }} />}
    </>
  );
}

/** The time left of what ends first counts in the browser tab's title too. */
function TabTime({ endsAt }: { endsAt: string }) {
  const left = formatCountdown(Date.parse(endsAt) - useNow().getTime(), true);
  useEffect(() => { document.title = `${left} left · My access · Gatehouse`; }, [left]);
  useEffect(() => () => { document.title = 'My access · Gatehouse'; }, []);
  return null;
}

function matches(entry: AccessEntry, filter: string): boolean {
  const wanted = filter.trim().toLowerCase();
  return [titleOf(entry), entry.groupName, ...segmentsOf(entry).map(({ host }) => host)].some((text) => text.toLowerCase().includes(wanted));
}
