import type { HistoryEvent } from '@gatehouse/contracts';
import { Link } from '@fluentui/react-link';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { formatDay, formatSeconds } from '../../lib/dates.ts';
import type { Column } from '../../ui/data-table.tsx';
import { StatusBadge } from '../../ui/states.tsx';
import { CountLine } from './count-line.tsx';
import { EVENT_CHOICES, eventWish } from './event-filter.ts';
import { EventPanel } from './event-panel.tsx';
import { FilterBar, useFilter } from './filter-bar.tsx';
import { HistoryList, useHistoryList, useOpened } from './history-list.tsx';
import { HistoryPage } from './history-page.tsx';
import { events } from './history.queries.ts';
import { ORDERS, RESULTS, titleOf } from './history.words.ts';

const useStyles = makeStyles({
  time: { whiteSpace: 'nowrap', textAlign: 'left', lineHeight: 'inherit' },
  small: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
});

/** Every event, newest first, as Entra and this portal wrote them. */
export function EventsPage() {
  const styles = useStyles();
  const filter = useFilter(EVENT_CHOICES);
  const { opened, open, close } = useOpened('event');
  const wish = eventWish(filter);
  const view = useHistoryList(events(wish, filter.order));
  const columns: readonly Column<HistoryEvent>[] = [
    {
      id: 'at', header: 'When', width: '14%',
      cell: ({ id, at }) => <Link as="button" className={styles.time} onClick={(event) => { event.stopPropagation(); open(id); }}>{formatSeconds(at)}<span className={styles.small}>{formatDay(at)}</span></Link>,
    },
    { id: 'who', header: 'Who', width: '15%', cell: ({ actorName, subjectName }) => <>{actorName ?? 'Not named'}{subjectName !== null && subjectName !== actorName && <span className={styles.small}>for {subjectName}</span>}</> },
    { id: 'what', header: 'What', width: '21%', cell: (event) => <>{titleOf(event)}{event.revision > 0 && <span className={styles.small}><StatusBadge tone="warn">Came again with other content</StatusBadge></span>}{event.defect !== null && <span className={styles.small}><StatusBadge tone="warn">Received with a defect</StatusBadge> {event.defect}</span>}{event.source === 'directory' && event.kind !== 'other' && <span className={styles.small}>{event.activity}</span>}</> },
    { id: 'where', header: 'Group', width: '22%', cell: ({ groupName, applicationName }) => <>{groupName ?? ''}{applicationName !== null && <span className={styles.small}>{applicationName}</span>}</> },
    { id: 'reason', header: 'Reason', width: '15%', cell: ({ reason }) => reason ?? '' },
    { id: 'result', header: 'Result', width: '13%', cell: ({ result }) => <StatusBadge tone={RESULTS[result].tone}>{RESULTS[result].word}</StatusBadge> },
  ];
  return (
    <HistoryPage title="History: events" exportable coverage={view.shown.coverage}>
      <FilterBar filter={filter} choices={EVENT_CHOICES} orders={ORDERS} />
      <CountLine filter={filter} wish={wish} />
      <HistoryList label="Events" noun="events" view={view} filter={filter} columns={columns} onOpen={({ id }) => { open(id); }} />
      {opened !== undefined && <EventPanel eventId={opened} onOpen={open} onClose={close} />}
    </HistoryPage>
  );
}
