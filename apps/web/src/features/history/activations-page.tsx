import { ActivationStatus, type HistoryActivation } from '@gatehouse/contracts';
import { Link } from '@fluentui/react-link';
import { tokens } from '@fluentui/react-theme';
import { makeStyles } from '@griffel/react';
import { formatDay, formatSeconds } from '../../lib/dates.ts';
import { useNow } from '../../lib/session.ts';
import type { Column } from '../../ui/data-table.tsx';
import { StatusBadge } from '../../ui/states.tsx';
import { FilterBar, useFilter } from './filter-bar.tsx';
import { HistoryList, useHistoryList, useOpened } from './history-list.tsx';
import { HistoryPage } from './history-page.tsx';
import { activations, type ActivationQuery } from './history.queries.ts';
import { endOf, ORDERS, stateOf, STATUSES } from './history.words.ts';
import { StoryPanel } from './story-panel.tsx';

const useStyles = makeStyles({
  time: { whiteSpace: 'nowrap', textAlign: 'left', lineHeight: 'inherit' },
  quiet: { color: tokens.colorNeutralForeground2 },
  small: { display: 'block', fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase200, color: tokens.colorNeutralForeground2 },
});

const CHOICES = [{ name: 'status', label: 'State', options: ActivationStatus.options.map((status) => [status, STATUSES[status].word] as const) }];

/** One row an activation, from its reason to its end. */
export function ActivationsPage() {
  const styles = useStyles();
  const now = useNow();
  const filter = useFilter(CHOICES);
  const { opened, open, close } = useOpened('activation');
  const wish: ActivationQuery = {
    person: filter.text('person') || undefined, group: filter.text('group') || undefined, application: filter.text('application') || undefined,
    status: ActivationStatus.safeParse(filter.text('status')).data, text: filter.found, from: filter.from, to: filter.to,
  };
  const view = useHistoryList(activations(wish, filter.order));
  const columns: readonly Column<HistoryActivation>[] = [
    {
      id: 'asked', header: 'Asked', width: '14%',
      cell: ({ requestId, requestedAt }) => <Link as="button" className={styles.time} onClick={(event) => { event.stopPropagation(); open(requestId); }}>{formatSeconds(requestedAt)}<span className={styles.small}>{formatDay(requestedAt)}</span></Link>,
    },
    { id: 'who', header: 'Who', width: '14%', cell: ({ principalName }) => principalName },
    { id: 'what', header: 'Opens', width: '24%', cell: ({ groupName, applications, hosts }) => <>{applications.length > 0 ? applications.join(', ') : groupName}{hosts.length > 0 && <span className={styles.small}>{hosts.slice(0, 3).join(', ')}{hosts.length > 3 && ` and ${hosts.length - 3} more`}</span>}{applications.length > 0 && <span className={styles.small}>{groupName}</span>}</> },
    { id: 'why', header: 'Reason', width: '20%', cell: ({ justification, ticketNumber }) => <>{justification ?? <span className={styles.quiet}>No reason recorded</span>}{ticketNumber !== null && <span className={styles.small}>{ticketNumber}</span>}</> },
    { id: 'state', header: 'State', width: '16%', cell: (one) => <><StatusBadge tone={stateOf(one, now).tone}>{stateOf(one, now).word}</StatusBadge><span className={styles.small}>{endOf(one, now)}</span></> },
    { id: 'decided', header: 'Decided by', width: '12%', cell: ({ decidedBy, decidedAt }) => decidedBy ?? (decidedAt === null ? '' : 'Not named') },
  ];
  return (
    <HistoryPage title="History: activations" exportable coverage={view.shown.coverage}>
      <FilterBar filter={filter} choices={CHOICES} orders={ORDERS} />
      <HistoryList label="Activations" noun="activations" view={view} filter={filter} columns={columns} onOpen={({ requestId }) => { open(requestId); }} />
      {opened !== undefined && <StoryPanel requestId={opened} onClose={close} />}
    </HistoryPage>
  );
}
