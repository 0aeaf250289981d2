import type { AccessEntry, AccessSet } from '@gatehouse/contracts';
import { Button } from '@fluentui/react-button';
import { Input } from '@fluentui/react-input';
import { ArrowClockwiseRegular, KeyRegular, SearchRegular } from '@fluentui/react-icons';
import { MessageBar, MessageBarBody } from '@fluentui/react-message-bar';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'react-router';
import { formatAgo, formatCountdown } from '../../lib/dates.ts';
import { serverNow, useNow } from '../../lib/session.ts';
import { useFocusKept } from '../../ui/focus-kept.ts';
import { Page, Section } from '../../ui/page.tsx';
import { ProblemBar } from '../../ui/problem-bar.tsx';
import { EmptyState, ListSkeleton } from '../../ui/states.tsx';
import { TextLink } from '../../ui/text-link.tsx';
import { myAccess, useReadAnew } from './access.queries.ts';
import { matches, sectionsOf } from './access.words.ts';
import { ActivatePanel } from './activate-panel.tsx';
import { useAsking } from './ask-when-ended.ts';
import { EndReminder } from './end-reminder.tsx';
import { ManyPanel } from './many-panel.tsx';
import { RowDialogs } from './row-dialogs.tsx';
import { ClosedRow, EndedRow, OpenRow, WaitingRow } from './rows.tsx';
import { Rows } from './access-row.tsx';
import { EndSeveral } from './end-several.tsx';
import { EndedEligibilities } from './extend-eligibility.tsx';
import { AskingWhenEnded, Unfinished } from './keep-going.tsx';

const useStyles = makeStyles({
  bars: { display: 'grid', gap: '8px' },
  find: { display: 'flex', flexWrap: 'wrap', gap: '8px 16px', alignItems: 'center', justifyContent: 'space-between' },
  search: { width: '360px', '@media (max-width: 640px)': { width: '100%' } },
  acts: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '8px 16px' },
  age: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: '0 8px', marginBottom: '8px', fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground2 },
  none: { margin: 0, color: tokens.colorNeutralForeground2 },
});

/** What the signed-in person may open, has open, waits for, and what may still be open behind them. */
export function AccessPage() {
  // A tab that was told to ask again once something has ended is seldom the one in front by then.
  const isTold = useAsking().armed.length > 0;
  const query = useQuery({ ...myAccess(), refetchIntervalInBackground: isTold });
  return (
    <Page title="My access" action={<TextLink to="/doctor">Something does not open?</TextLink>}>
      <ProblemBar error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <ListSkeleton rows={4} />}
      {query.data && <ReadAt readAt={query.data.readAt} />}
      {query.data && <RowDialogs><Access entries={query.data.entries} sets={query.data.sets} notKnown={query.data.notKnown} /></RowDialogs>}
    </Page>
  );
}

/** How old what is shown is; what the person does here is in it at once, and what is over ends by the clock. */
function ReadAt({ readAt }: { readAt: string }) {
  const styles = useStyles();
  const now = useNow();
  const anew = useReadAnew();
  const age = formatAgo(readAt, now);
  return (
    <>
      <div className={styles.age}>
        <span>{anew.isPending ? 'Reading Microsoft Entra…' : age === 'now' ? 'Read from Microsoft Entra just now.' : `Read from Microsoft Entra ${age}, with what you did here since. A change made elsewhere may be missing.`}</span>
        <Button size="small" appearance="subtle" icon={<ArrowClockwiseRegular />} disabledFocusable={anew.isPending} onClick={() => { anew.mutate(); }}>Refresh</Button>
      </div>
      <ProblemBar error={anew.error} />
    </>
  );
}

function Access({ entries, sets, notKnown }: { entries: readonly AccessEntry[]; sets: readonly AccessSet[]; notKnown: readonly string[] }) {
  const styles = useStyles();
  const [search, setSearch] = useSearchParams();
  // What was ended on the page of a link is told here, once.
  const told = newsIn(useLocation().state);
  const [news, setNews] = useState(told);
  useEffect(() => { if (told !== undefined) setSearch((now) => now, { replace: true }); }, [told, setSearch]);
  const [words, setWords] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useSlash(field);
  const found = entries.filter((entry) => matches(entry, words));
  const { open, waiting, closed, ended } = sectionsOf(found, serverNow());
  // Whatever is searched for: what is open ends all the same.
  const { open: allOpen } = sectionsOf(entries, serverNow());
  // Who has taken a request back, or ended something, had the focus in a row that is in another list now.
  useFocusKept([open, waiting, closed, ended].map((rows) => rows.map(({ groupId }) => groupId).join()).join(';'));
  const wanted = search.get('activate');
  // Back from verifying to what has ended meanwhile: it is activated anew, with what was typed.
  const kept = search.get('keep');
  const isOver = kept !== null && entries.some(({ groupId, active, eligibility, unfinished }) => groupId === kept && active === null && eligibility !== null && unfinished === null);
  useEffect(() => { if (isOver) setSearch({ activate: kept }, { replace: true }); }, [isOver, kept, setSearch]);
  const eligible = entries.filter(({ eligibility }) => eligibility !== null);
  const chosen = entries.find(({ groupId }) => groupId === wanted);
  const show = (groupId: string | undefined) => { setSearch(groupId === undefined ? {} : { activate: groupId }, { replace: groupId === undefined }); };
  const activate = (groupId: string) => {
    setNews(undefined);
    show(groupId);
  };
  const ends = allOpen.flatMap(({ active }) => (active?.endsAt ? [active.endsAt] : [])).sort()[0];

  return (
    <>
      {ends !== undefined && <TabTime endsAt={ends} />}
      {(notKnown.length > 0 || news !== undefined || (wanted !== null && !chosen)) && <div className={styles.bars}>
        {notKnown.map((sentence) => <MessageBar key={sentence} intent="warning" layout="multiline"><MessageBarBody>{sentence}</MessageBarBody></MessageBar>)}
        {news !== undefined && <MessageBar intent="success" layout="multiline" role="status"><MessageBarBody>{news}</MessageBarBody></MessageBar>}
        {wanted !== null && !chosen && <MessageBar intent="warning" layout="multiline" role="status"><MessageBarBody>You are not eligible for the access that this address names, or not any more.</MessageBarBody></MessageBar>}
      </div>}
      {entries.length > 0 && (
        <div className={styles.find}>
          <Input
            ref={field} type="search" className={styles.search} aria-label="Search applications, hosts and groups" placeholder="Search applications, hosts, groups" aria-keyshortcuts="/"
            contentBefore={<SearchRegular aria-hidden />} value={words} onChange={(_event, { value }) => { setWords(value); }}
            // What was looked for is what the person came for.
            onKeyDown={({ key }) => { if (key === 'Enter' && words.trim() !== '' && closed[0]) activate(closed[0].groupId); }}
          />
          <div className={styles.acts}>
            {allOpen.length > 0 && <EndReminder open={allOpen} />}
            <EndSeveral entries={allOpen} />
            {eligible.length > 1 && <Button onClick={() => { setNews(undefined); setSearch({ several: '1' }); }}>Activate several</Button>}
          </div>
        </div>
      )}
      {entries.length > 0 && found.length === 0 && <p className={styles.none} role="status">Nothing that is yours matches “{words.trim()}”.</p>}
      <AskingWhenEnded entries={entries} />
      <Unfinished entries={entries} onNews={setNews} />
      {open.length > 0 && <Section title="Open now"><Rows label="Open now">{open.map((entry) => <OpenRow key={entry.groupId} entry={entry} onEnded={setNews} />)}</Rows></Section>}
      {waiting.length > 0 && <Section title="Waiting"><Rows label="Waiting">{waiting.map((entry) => <WaitingRow key={entry.groupId} entry={entry} />)}</Rows></Section>}
      {closed.length > 0 && (
        <Section title="You may open">
          <Rows label="You may open">{closed.map((entry) => <ClosedRow key={entry.groupId} entry={entry} onActivate={() => { activate(entry.groupId); }} />)}</Rows>
        </Section>
      )}
      {ended.length > 0 && <Section title="Ended, network may stay open"><Rows label="Ended, network may stay open">{ended.map((entry) => <EndedRow key={entry.groupId} entry={entry} onClosed={setNews} />)}</Rows></Section>}
      <EndedEligibilities entries={entries} />
      {entries.length === 0 && (notKnown.length === 0
        ? <EmptyState icon={<KeyRegular />} title="You are not eligible for any application">Access that somebody makes you eligible for appears here, to activate when you need it. Ask the people who run the application.</EmptyState>
        : <p className={styles.none}>Nothing can be shown, because not everything could be read.</p>)}
      {search.has('several') && <ManyPanel entries={eligible} sets={sets} resume={search.has('resume')} onResumed={() => { setSearch({ several: '1' }, { replace: true }); }} onClose={() => { setSearch({}, { replace: true }); }} />}
      {chosen && <ActivatePanel key={chosen.groupId} entry={chosen} resume={search.has('resume')} onResumed={() => { setSearch({ activate: chosen.groupId }, { replace: true }); }} onClose={() => { show(undefined); }} />}
    </>
  );
}

/** `/` goes to the search, as in other lists; where somebody types it is a slash. */
function useSlash(field: React.RefObject<HTMLInputElement | null>) {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [role="dialog"]') !== null;
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener('keydown', listen);
    return () => { document.removeEventListener('keydown', listen); };
  }, [field]);
}

/** News that another page sent along. */
const newsIn = (state: unknown): string | undefined => (typeof state === 'object' && state !== null && 'news' in state && typeof state.news === 'string' ? state.news : undefined);

/** The time left of what ends first counts in the browser tab's title too. */
function TabTime({ endsAt }: { endsAt: string }) {
  const left = formatCountdown(Date.parse(endsAt) - useNow().getTime(), true);
  useEffect(() => { document.title = `${left} left · My access · Gatehouse`; }, [left]);
  useEffect(() => () => { document.title = 'My access · Gatehouse'; }, []);
  return null;
}
